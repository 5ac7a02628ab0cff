"""``mec-cf-gym benchmark``: policies x environments x networks, on common random numbers."""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import math
import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import joblib
import tyro
from tqdm.auto import tqdm

from mec_cf_gym.allocation import Policy
from mec_cf_gym.evaluation.episode import Record, run_episode
from mec_cf_gym.evaluation.policies import available_policies, load_policy
from mec_cf_gym.evaluation.provenance import provenance
from mec_cf_gym.evaluation.report import plot_cdf, table
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.evaluation.store import RunStore, Unit, write_atomically
from mec_cf_gym.evaluation.summary import Summary, summarise
from mec_cf_gym.evaluation.timing import BATCH, REPEATS, batch_decision_ms
from mec_cf_gym.fields import checked_count, refuse
from mec_cf_gym.registration import ENV_IDS, PAPER_A_IDS, PAPER_B_IDS, SEQUENTIAL_IDS
from mec_cf_gym.scenario import Scenario

SET_BY = {"deployment": "--env", "episode_blocks": "--blocks"}
"""Scenario fields that the benchmark sets itself, and by which option."""
LONGEST_BATCH_S = 30.0
"""Batches that would take longer, block by block, are not timed."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """Benchmark policies on networks they have never seen.

    Every policy meets the same coherence blocks of the same networks, drawn from the test seeds. Prints a table
    and writes blocks.csv (a row per block), benchmark.json (settings, versions, summary), table.md, cdf.png and
    cdf.svg. Interrupted, it keeps what is finished; --resume goes on.
    """

    policies: tuple[str, ...] = ("full-power", "equal", "water-filling", "ica")
    """Installed policies, separated by spaces or commas."""
    env: tuple[str, ...] = PAPER_A_IDS
    """Environment ids of one paper, separated by spaces or commas. With those of paper B the scenario starts from
    paper B's numbers, the policies are full-power, fractional-power, exact, exact-power and sca, and exact is the
    reference, unless options say otherwise. With a delayed one they are Scenario.paper_a_delayed(), 50 blocks,
    full-power, outdated-exact and averaged-exact, and exact, an oracle there."""
    reference: str = "ica"
    """Policy that gaps are measured to; it runs too if it is not among the policies."""
    topologies: int = 20
    """Networks per environment: the first test seeds."""
    blocks: int = 5
    """Coherence blocks per network; takes the place of episode_blocks."""
    workers: int = field(default_factory=joblib.cpu_count)
    """Worker processes; all cores by default. Decision times are cleanest with 1."""
    out: Path = Path("runs/benchmark")
    """Folder for the results."""
    resume: bool = False
    """Go on with the run in the folder, if there is one."""
    scenario: Scenario = field(default_factory=Scenario)
    """The scenario, field by field."""

    def units(self) -> list[Unit]:
        """Return what has to be run: every environment, policy and seed."""
        return [
            (env, policy, seed)
            for seed in seeds("test", self.topologies)
            for env in split_names(self.env)
            for policy in self.all_policies()
        ]

    def all_policies(self) -> list[str]:
        """Return the policies, the reference among them."""
        names = split_names(self.policies)
        return names if self.reference in names else [*names, self.reference]

    def settings(self) -> dict[str, Any]:
        """Return what decides the results, and must not change when a run goes on."""
        return {
            "version": importlib.metadata.version("mec-cf-gym"),
            "env": split_names(self.env),
            "policies": self.all_policies(),
            "reference": self.reference,
            "seeds": list(seeds("test", self.topologies)),
            "blocks": self.blocks,
            **{name: value for name, value in self.scenario.to_dict().items() if name not in SET_BY},
        }

    def check(self) -> None:
        """Check the settings before any work is done.

        Raises:
            ValueError: Names the option, its value and what is allowed.
        """
        for name in ("topologies", "blocks", "workers"):
            checked_count(name, getattr(self, name), 1, 10**6)
        _check_names("env", split_names(self.env), ENV_IDS)
        _check_names("policies", split_names(self.policies), available_policies())
        _check_names("reference", [self.reference], available_policies())
        of_paper_b = [name in PAPER_B_IDS for name in split_names(self.env)]
        if any(of_paper_b) != self.scenario.on_grid or len(set(of_paper_b)) != 1:
            allowed = "all must be of one paper, and the scenario of the same: Scenario.paper_a() or .paper_b()"
            raise refuse("env", ",".join(split_names(self.env)), allowed)
        fields = self.scenario.to_dict()
        defaults = start_of(split_names(self.env)).scenario.to_dict()
        for name, instead in SET_BY.items():
            if fields[name] != defaults[name]:
                raise refuse(name, fields[name], f"a benchmark sets it by {instead}")


PAPER_B = Benchmark(
    policies=("full-power", "fractional-power", "exact", "exact-power", "sca"),
    env=PAPER_B_IDS,
    reference="exact",
    scenario=Scenario.paper_b(),
)
"""What the command starts from if an environment of paper B is named."""
DELAYED = Benchmark(
    policies=("full-power", "outdated-exact", "averaged-exact", "exact"),
    env=SEQUENTIAL_IDS,
    reference="exact",
    blocks=50,
    scenario=Scenario.paper_a_delayed(),
)
"""What it starts from if a delayed one is named."""


def start_of(env_ids: Collection[str]) -> Benchmark:
    """Return what a benchmark of some environments starts from."""
    if any(env_id in SEQUENTIAL_IDS for env_id in env_ids):
        return DELAYED
    return PAPER_B if any(env_id in PAPER_B_IDS for env_id in env_ids) else Benchmark()


def run(benchmark: Benchmark) -> list[Summary]:
    """Run a benchmark, or the rest of it, and write its files.

    Returns:
        A summary per environment and policy.

    Raises:
        ValueError: For options that are not allowed, or a folder whose run cannot go on.
    """
    benchmark.check()
    store = RunStore(benchmark.out)
    store.begin(benchmark.settings(), {"workers": benchmark.workers, **provenance()}, benchmark.resume)
    done = store.finished(benchmark.blocks)
    store.rewrite(record for records in done.values() for record in records)
    missing = [unit for unit in benchmark.units() if unit not in done]
    with (
        joblib.parallel_config("loky", n_jobs=benchmark.workers, inner_max_num_threads=1),
        tqdm(total=len(benchmark.units()), initial=len(done), desc="benchmark", unit="episode") as progress,
    ):
        work = (joblib.delayed(run_unit)(benchmark.scenario, unit, benchmark.blocks) for unit in missing)
        for records in joblib.Parallel(return_as="generator_unordered")(work):
            store.append(records)
            done[_unit_of(records[0])] = records
            progress.update()
    records = [record for unit in benchmark.units() for record in done[unit]]
    store.rewrite(records)
    summaries = [_with_batch_time(benchmark, row) for row in summarise(records, benchmark.reference)]
    store.conclude([row.to_dict() for row in summaries])
    write_atomically(benchmark.out / "table.md", table(summaries) + "\n")
    deadline_s = benchmark.scenario.tasks.deadline_s or benchmark.scenario.dynamics.block_s
    figure = plot_cdf(records, None if isinstance(deadline_s, tuple) else 1e3 * deadline_s)
    for suffix in ("png", "svg"):
        figure.savefig(benchmark.out / f"cdf.{suffix}", dpi=150)
    return summaries


def run_unit(scenario: Scenario, unit: Unit, blocks: int) -> list[Record]:
    """Run one policy on one network of one environment."""
    env_id, policy, seed = unit
    return list(run_episode(_env(env_id, scenario, blocks), policy, _policy(policy), seed, blocks))


def _with_batch_time(benchmark: Benchmark, row: Summary) -> Summary:
    """Return a summary with the decision time on a batch, unless that took too long; workers are idle by now."""
    if row.decision_ms * BATCH * REPEATS > 1e3 * LONGEST_BATCH_S:
        return row
    with joblib.parallel_config("loky", n_jobs=2, inner_max_num_threads=1):  # with one job, it would run here
        work = joblib.delayed(time_batch)(benchmark.scenario, row.env, row.policy)
        (batch_decision_ms,) = joblib.Parallel()([work])
    return dataclasses.replace(row, batch_decision_ms=batch_decision_ms)


def time_batch(scenario: Scenario, env_id: str, policy: str) -> float:
    """Return the decision time per block, in ms, on a batch; NaN for a policy that takes one block at a time."""
    try:
        return batch_decision_ms(env_id, scenario, _policy(policy))
    except ValueError:
        return math.nan


def split_names(names: tuple[str, ...]) -> list[str]:
    """Return names that were separated by spaces or commas, each once."""
    return list(dict.fromkeys(name for entry in names for name in entry.split(",") if name))


def _check_names(option: str, names: list[str], known: tuple[str, ...]) -> None:
    if not names:
        raise refuse(option, "", "it must name one at least")
    for name in names:
        if name not in known:
            raise refuse(option, name, f"it must be one of {', '.join(known)}")


@functools.lru_cache
def _env(env_id: str, scenario: Scenario, blocks: int) -> gym.Env[Any, Any]:
    return gym.make(env_id, scenario=scenario, episode_blocks=blocks)


@functools.lru_cache
def _policy(name: str) -> Policy:
    return load_policy(name)


def _unit_of(record: Record) -> Unit:
    return record.env, record.policy, record.seed


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym benchmark``; return its exit status."""
    benchmark = tyro.cli(
        Benchmark,
        prog="mec-cf-gym benchmark",
        args=arguments,
        default=start_of([env_id for env_id in ENV_IDS if env_id in " ".join(arguments)]),
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
    )
    try:
        summaries = run(benchmark)
    except KeyboardInterrupt:
        print(
            f"\ninterrupted; what is finished is kept in {benchmark.out}: go on with --resume",
            file=sys.stderr,
        )
        return 130
    print(f"{benchmark.topologies} test networks x {benchmark.blocks} blocks; gaps to {benchmark.reference}\n")
    print(table(summaries))
    print(f"\nwritten to {benchmark.out}: blocks.csv, benchmark.json, table.md, cdf.png, cdf.svg")
    return 0
