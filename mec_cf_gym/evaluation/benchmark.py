"""A benchmark: policies x environments x networks, on common random numbers."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import joblib

from mec_cf_gym.commands import split_names
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.evaluation.environments import (
    check_names,
    is_delayed,
    is_dynamic,
    is_of_paper_b,
    of_the_past,
    usual_scenario,
)
from mec_cf_gym.evaluation.html import page
from mec_cf_gym.evaluation.policies import available_policies
from mec_cf_gym.evaluation.provenance import provenance
from mec_cf_gym.evaluation.report import plot_cdf, table
from mec_cf_gym.evaluation.runner import run_tasks, summarise_tasks
from mec_cf_gym.evaluation.runs import hold, write_atomically
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.evaluation.store import RunStore
from mec_cf_gym.evaluation.summary import Summary
from mec_cf_gym.evaluation.tasks import Task
from mec_cf_gym.registration import env_ids
from mec_cf_gym.scenario import Scenario

QUEUE_POLICIES = ("drift-plus-penalty", "lookahead", "myopic")
"""Policies that know queues and batteries, the reference first."""
SET_BY = {"deployment": "--env", "episode_blocks": "--blocks"}
"""Scenario fields that the benchmark sets itself, and by which option."""
FILES = "blocks.csv, benchmark.json, table.md, report.html, cdf.png, cdf.svg"


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """Benchmark policies on networks they have never seen.

    Every policy meets the same coherence blocks of the same networks, drawn from the test seeds. Prints a table
    and writes blocks.csv (a row per block), benchmark.json (settings, versions, summary), table.md, report.html,
    cdf.png and cdf.svg. Interrupted, it keeps what is finished; --resume goes on.
    """

    suite: Literal["full", "quick"] | None = None
    """Run fixed tasks on seeds of their own, for a league table of all that is installed: full takes about 40
    minutes on two cores, quick less than a minute. Only policies, workers, out and resume can then be given."""
    policies: tuple[str, ...] = ("full-power", "equal", "water-filling", "ica")
    """Installed policies, separated by spaces or commas. With a suite: those that take part beside its own, on
    every task that they can run on."""
    env: tuple[str, ...] = ("MECCellFree-v0", "MECCellular-v0")
    """Environment ids of one paper, separated by spaces or commas. With those of paper B the scenario starts from
    paper B's numbers, the policies are full-power, fractional-power, exact, exact-power and sca, and exact is the
    reference, unless options say otherwise. With a delayed one they are the environment's own numbers, 50 blocks,
    full-power, outdated-exact, averaged-exact and (where channels are shown) predicted-exact, and exact, an oracle
    there. With a dynamic one they are its own numbers and whole episodes, full-power, drift-plus-penalty (the
    reference), lookahead and myopic."""
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
        """Return what policies are compared on: one task an environment."""
        return [
            Task(
                name=env_id,
                env=env_id,
                scenario=self.scenario,
                policies=self.all_policies,
                reference=self.reference,
                topologies=self.topologies,
                blocks=self.blocks,
            )
            for env_id in split_names(self.env)
        ]

    @property
    def all_policies(self) -> tuple[str, ...]:
        """The policies, the reference among them."""
        return tuple(dict.fromkeys([*split_names(self.policies), self.reference]))

    def settings(self, tasks: Sequence[Task]) -> dict[str, Any]:
        """Return what decides the results, and must not change when a run goes on."""
        return {
            "version": importlib.metadata.version("mec-cf-gym"),
            "env": split_names(self.env),
            "policies": list(self.all_policies),
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
        if self.suite is not None:
            raise refuse("suite", self.suite, "a suite is run by a mec_cf_gym.evaluation.league.SuiteBenchmark")
        for name in ("workers", "topologies", "blocks"):
            checked_count(name, getattr(self, name), 1, 10**6)
        environments, known = split_names(self.env), available_policies()
        check_names("env", environments, env_ids())
        check_names("policies", split_names(self.policies), known)
        check_names("reference", [self.reference], known)
        scenarios = (self.scenario, *map(usual_scenario, environments))
        if len({type(scenario.deployment) for scenario in scenarios}) > 1:
            allowed = "all must be of one paper, and the scenario of the same: Scenario.paper_a() or .paper_b()"
            raise refuse("env", ",".join(environments), allowed)
        for name, instead in SET_BY.items():
            self.check_unset(start_of(environments), [name], f"a benchmark sets it by {instead}")

    def check_unset(self, start: Benchmark, names: Iterable[str], allowed: str) -> None:
        """Refuse options, or fields of the scenario, that are not as they start from."""
        values, unset = (vars(benchmark) | benchmark.scenario.to_dict() for benchmark in (self, start))
        for name in names:
            if values[name] != unset[name]:
                raise refuse(name, values[name], allowed)

    def table(self, content: dict[str, Any], summaries: Sequence[Summary]) -> str:
        """Return the results as Markdown, from what ``benchmark.json`` holds, or from summaries."""
        return table(summaries)

    def report(self, summaries: Sequence[Summary]) -> str:
        """Return what to print of a finished run."""
        about = f"{self.topologies} test networks x {self.blocks} blocks; gaps to {self.reference}"
        return f"{about}\n\n{table(summaries)}\n\nwritten to {self.folder}: {FILES}"


def start_of(environments: Collection[str]) -> Benchmark:
    """Return what a benchmark of some environments starts from: their scenario, and who is compared there."""
    known = tuple(name for name in environments if name in env_ids())
    if not known:
        return Benchmark()
    delayed, paper_b = list(filter(is_delayed, known)), list(filter(is_of_paper_b, known))
    dynamic = list(filter(is_dynamic, known))
    scenario = usual_scenario((delayed or dynamic or paper_b or known)[0])
    scenario = scenario.replace(deployment=next(iter(scenario.deployment.layouts)))  # ids set their own
    start = Benchmark(env=known, scenario=scenario)
    if delayed:
        policies = ("full-power", *of_the_past(delayed[0]), "exact")
        blocks = scenario.episode.episode_blocks
        return dataclasses.replace(start, policies=policies, reference="exact", blocks=blocks)
    if dynamic:
        policies, blocks = ("full-power", *QUEUE_POLICIES), scenario.episode.episode_blocks
        return dataclasses.replace(start, policies=policies, reference=QUEUE_POLICIES[0], blocks=blocks)
    if paper_b:
        of_paper_b = ("full-power", "fractional-power", "exact", "exact-power", "sca")
        return dataclasses.replace(start, policies=of_paper_b, reference="exact")
    return start


def run(benchmark: Benchmark) -> list[Summary]:
    """Run a benchmark, or the rest of it, and write its files.

    Returns:
        A summary per task and policy.

    Raises:
        ValueError: For options that are not allowed, or a folder whose run cannot go on.
    """
    benchmark.check()
    tasks, store = benchmark.tasks(), RunStore(benchmark.folder)
    with hold(benchmark.folder):
        circumstances = {"workers": benchmark.workers, **provenance()}
        store.begin(benchmark.settings(tasks), circumstances, benchmark.resume)
        records = run_tasks(tasks, store, benchmark.workers)
        summaries = summarise_tasks(tasks, records, benchmark.workers)
        results = {"summary": [row.to_dict() for row in summaries], "tasks": [task.to_dict() for task in tasks]}
        store.conclude(results)
        content = store.content()
        write_atomically(store.folder / "table.md", benchmark.table(content, summaries) + "\n")
        write_atomically(store.folder / "report.html", page(content, records))
        shown = {task.name: task.deadline_ms for task in tasks if task.headline}
        figure = plot_cdf([record for record in records if record.task in shown], shown)
        for suffix in ("png", "svg"):
            figure.savefig(store.folder / f"cdf.{suffix}", dpi=150)
    return summaries
