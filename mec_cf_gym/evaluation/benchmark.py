"""``mec-cf-gym benchmark``: policies x environments x networks, or a suite's tasks, on common random numbers."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import joblib
import tyro

from mec_cf_gym.deployments.square import Square
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.evaluation.environments import is_delayed, is_of_paper_a, is_of_paper_b
from mec_cf_gym.evaluation.episode import Record
from mec_cf_gym.evaluation.html import page
from mec_cf_gym.evaluation.league import summary, whole
from mec_cf_gym.evaluation.policies import available_policies
from mec_cf_gym.evaluation.provenance import provenance
from mec_cf_gym.evaluation.report import plot_cdf, table
from mec_cf_gym.evaluation.runner import admitted, run_tasks, summarise_tasks
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.evaluation.store import RunStore, write_atomically
from mec_cf_gym.evaluation.suites import SUITES
from mec_cf_gym.evaluation.summary import Summary
from mec_cf_gym.evaluation.tasks import Task
from mec_cf_gym.registration import env_ids
from mec_cf_gym.scenario import Scenario

SET_BY = {"deployment": "--env", "episode_blocks": "--blocks"}
"""Scenario fields that the benchmark sets itself, and by which option."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """Benchmark policies on networks they have never seen.

    Every policy meets the same coherence blocks of the same networks, drawn from the test seeds. Prints a table
    and writes blocks.csv (a row per block), benchmark.json (settings, versions, summary), table.md, report.html,
    cdf.png and cdf.svg. Interrupted, it keeps what is finished; --resume goes on.
    """

    suite: Literal["full", "quick"] | None = None
    """Run fixed tasks on seeds of their own, for a league table of all that is installed: full takes about 20
    minutes on two cores, quick less than a minute. Only policies, workers, out and resume can then be given."""
    policies: tuple[str, ...] = ("full-power", "equal", "water-filling", "ica")
    """Installed policies, separated by spaces or commas. With a suite: those that take part beside its own, on
    every task that they can run on."""
    env: tuple[str, ...] = field(default_factory=lambda: tuple(filter(is_of_paper_a, env_ids())))
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
    out: Path | None = None
    """Folder for the results: runs/benchmark, or runs/ and the name of the suite, if not given."""
    resume: bool = False
    """Go on with the run in the folder, if there is one. A suite may go on with other policies."""
    scenario: Scenario = field(default_factory=Scenario)
    """The scenario, field by field."""

    @property
    def folder(self) -> Path:
        """Where results are written."""
        return self.out or Path("runs") / (self.suite or "benchmark")

    def tasks(self) -> list[Task]:
        """Return what policies are compared on: the suite's tasks, or one an environment."""
        if self.suite is not None:
            return admitted(SUITES[self.suite](), split_names(self.policies), self.workers)
        return [
            Task(
                name=env_id,
                env=env_id,
                scenario=self.scenario,
                policies=tuple(self.all_policies()),
                reference=self.reference,
                topologies=self.topologies,
                blocks=self.blocks,
            )
            for env_id in split_names(self.env)
        ]

    def all_policies(self) -> list[str]:
        """Return the policies, the reference among them."""
        names = split_names(self.policies)
        return names if self.reference in names else [*names, self.reference]

    def settings(self, tasks: Sequence[Task]) -> dict[str, Any]:
        """Return what decides the results, and must not change when a run goes on."""
        version = importlib.metadata.version("mec-cf-gym")
        if self.suite is not None:
            return {
                "version": version,
                "suite": self.suite,
                "tasks": {task.name: task.settings() for task in tasks},
            }
        return {
            "version": version,
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
        checked_count("workers", self.workers, 1, 10**6)
        if self.suite is not None:
            self._check_suite()
            return
        for name in ("topologies", "blocks"):
            checked_count(name, getattr(self, name), 1, 10**6)
        _check_names("env", split_names(self.env), env_ids())
        _check_names("policies", split_names(self.policies), available_policies())
        _check_names("reference", [self.reference], available_policies())
        of_paper_b = [is_of_paper_b(name) for name in split_names(self.env)]
        if any(of_paper_b) != isinstance(self.scenario.deployment, Square) or len(set(of_paper_b)) != 1:
            allowed = "all must be of one paper, and the scenario of the same: Scenario.paper_a() or .paper_b()"
            raise refuse("env", ",".join(split_names(self.env)), allowed)
        fields = self.scenario.to_dict()
        defaults = start_of(split_names(self.env)).scenario.to_dict()
        for name, instead in SET_BY.items():
            if fields[name] != defaults[name]:
                raise refuse(name, fields[name], f"a benchmark sets it by {instead}")

    def _check_suite(self) -> None:
        if self.policies:
            _check_names("policies", split_names(self.policies), available_policies())
        given = {name: getattr(self, name) for name in ("env", "reference", "topologies", "blocks")}
        unset = {name: getattr(OF_SUITE, name) for name in given}
        for name, value in (given | self.scenario.to_dict()).items():
            if value != (unset | OF_SUITE.scenario.to_dict())[name]:
                raise refuse(name, value, "the tasks of a suite are fixed; leave it out")


PAPER_B = Benchmark(
    policies=("full-power", "fractional-power", "exact", "exact-power", "sca"),
    env=tuple(filter(is_of_paper_b, env_ids())),
    reference="exact",
    scenario=Scenario.paper_b(),
)
"""What the command starts from if an environment of paper B is named."""
DELAYED = Benchmark(
    policies=("full-power", "outdated-exact", "averaged-exact", "exact"),
    env=tuple(filter(is_delayed, env_ids())),
    reference="exact",
    blocks=50,
    scenario=Scenario.paper_a_delayed(),
)
"""What it starts from if a delayed one is named."""
OF_SUITE = Benchmark(suite="full", policies=(), env=(), reference="", topologies=0, blocks=0)
"""What the command starts from if a suite is named: what the suite decides is not set."""


def start_of(names: Collection[str]) -> Benchmark:
    """Return what a benchmark of some environments starts from."""
    if any(map(is_delayed, names)):
        return DELAYED
    return PAPER_B if any(map(is_of_paper_b, names)) else Benchmark()


def run(benchmark: Benchmark) -> list[Summary]:
    """Run a benchmark, or the rest of it, and write its files.

    Returns:
        A summary per task and policy.

    Raises:
        ValueError: For options that are not allowed, or a folder whose run cannot go on.
    """
    benchmark.check()
    tasks = benchmark.tasks()
    store = RunStore(benchmark.folder)
    circumstances = {"workers": benchmark.workers, **provenance()}
    store.begin(benchmark.settings(tasks), circumstances, benchmark.resume)
    records = run_tasks(tasks, store, benchmark.workers)
    summaries = summarise_tasks(tasks, records, benchmark.workers)
    store.conclude({"summary": [row.to_dict() for row in summaries], "tasks": [task.to_dict() for task in tasks]})
    _write_reports(benchmark, tasks, records, summaries)
    return summaries


def _write_reports(
    benchmark: Benchmark, tasks: Sequence[Task], records: Sequence[Record], summaries: Sequence[Summary]
) -> None:
    folder = benchmark.folder
    content = RunStore(folder).content()
    write_atomically(folder / "table.md", (whole(content) if benchmark.suite else table(summaries)) + "\n")
    write_atomically(folder / "report.html", page(content, records))
    shown = {task.name: task for task in tasks if task.headline}
    figure = plot_cdf(
        [record for record in records if record.task in shown],
        {name: task.deadline_ms for name, task in shown.items()},
    )
    for suffix in ("png", "svg"):
        figure.savefig(folder / f"cdf.{suffix}", dpi=150)


def split_names(names: tuple[str, ...]) -> list[str]:
    """Return names that were separated by spaces or commas, each once."""
    return list(dict.fromkeys(name for entry in names for name in entry.split(",") if name))


def _check_names(option: str, names: list[str], known: tuple[str, ...]) -> None:
    if not names:
        raise refuse(option, "", "it must name one at least")
    for name in names:
        if name not in known:
            raise refuse(option, name, f"it must be one of {', '.join(known)}")


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym benchmark``; return its exit status."""
    benchmark = tyro.cli(
        Benchmark,
        prog="mec-cf-gym benchmark",
        args=arguments,
        default=_start(arguments),
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
    )
    try:
        summaries = run(benchmark)
    except KeyboardInterrupt:
        print(
            f"\ninterrupted; what is finished is kept in {benchmark.folder}: go on with --resume",
            file=sys.stderr,
        )
        return 130
    if benchmark.suite is None:
        print(f"{benchmark.topologies} test networks x {benchmark.blocks} blocks; gaps to {benchmark.reference}\n")
        print(table(summaries))
    else:
        print(summary(RunStore(benchmark.folder).content()))
    files = "blocks.csv, benchmark.json, table.md, report.html, cdf.png, cdf.svg"
    print(f"\nwritten to {benchmark.folder}: {files}")
    return 0


def _start(arguments: list[str]) -> Benchmark:
    words = " ".join(arguments)
    return OF_SUITE if "--suite" in words else start_of([env_id for env_id in env_ids() if env_id in words])
