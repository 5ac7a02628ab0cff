"""``mec-cf-gym benchmark``: policies x environments x networks, or a suite's tasks, on common random numbers."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

import joblib

from mec_cf_gym.commands import given, run_command, split_names
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.evaluation.environments import is_delayed, is_of_paper_b, usual_scenario
from mec_cf_gym.evaluation.episode import Record
from mec_cf_gym.evaluation.html import page
from mec_cf_gym.evaluation.league import summary, whole
from mec_cf_gym.evaluation.policies import available_policies
from mec_cf_gym.evaluation.provenance import provenance
from mec_cf_gym.evaluation.report import plot_cdf, table
from mec_cf_gym.evaluation.runner import admitted, run_tasks, summarise_tasks
from mec_cf_gym.evaluation.runs import hold, write_atomically
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.evaluation.store import RunStore
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
    env: tuple[str, ...] = ("MECCellFree-v0", "MECCellular-v0")
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
        families = {type(usual_scenario(name).deployment) for name in split_names(self.env)}
        if families != {type(self.scenario.deployment)}:
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
        chosen = {name: getattr(self, name) for name in ("env", "reference", "topologies", "blocks")}
        unset = {name: getattr(OF_SUITE, name) for name in chosen}
        for name, value in (chosen | self.scenario.to_dict()).items():
            if value != (unset | OF_SUITE.scenario.to_dict())[name]:
                raise refuse(name, value, "the tasks of a suite are fixed; leave it out")


PAPER_B = Benchmark(
    policies=("full-power", "fractional-power", "exact", "exact-power", "sca"),
    reference="exact",
    scenario=Scenario.paper_b(),
)
"""What the command starts from if an environment of paper B is named."""
DELAYED = Benchmark(
    policies=("full-power", "outdated-exact", "averaged-exact", "exact"),
    reference="exact",
    blocks=50,
    scenario=Scenario.paper_a_delayed(),
)
"""What it starts from if a delayed one is named."""
OF_SUITE = Benchmark(suite="full", policies=(), env=(), reference="", topologies=0, blocks=0)
"""What the command starts from if a suite is named: what the suite decides is not set."""


def start_of(names: Collection[str]) -> Benchmark:
    """Return what a benchmark of some environments starts from: their usual scenario, policies and reference."""
    known = [name for name in names if name in env_ids()]
    start = DELAYED if any(map(is_delayed, known)) else PAPER_B if any(map(is_of_paper_b, known)) else Benchmark()
    return dataclasses.replace(start, env=tuple(names), scenario=usual_scenario(known[0])) if known else start


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
    with hold(benchmark.folder):
        circumstances = {"workers": benchmark.workers, **provenance()}
        store.begin(benchmark.settings(tasks), circumstances, benchmark.resume)
        records = run_tasks(tasks, store, benchmark.workers)
        summaries = summarise_tasks(tasks, records, benchmark.workers)
        results = {"summary": [row.to_dict() for row in summaries], "tasks": [task.to_dict() for task in tasks]}
        store.conclude(results)
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


def _check_names(option: str, names: list[str], known: tuple[str, ...]) -> None:
    if not names:
        raise refuse(option, "", "it must name one at least")
    for name in names:
        if name not in known:
            raise refuse(option, name, f"it must be one of {', '.join(known)}")


def _run_and_report(benchmark: Benchmark) -> str:
    summaries = run(benchmark)
    if benchmark.suite is None:
        sizes = f"{benchmark.topologies} test networks x {benchmark.blocks} blocks; gaps to {benchmark.reference}"
        text = f"{sizes}\n\n{table(summaries)}"
    else:
        text = summary(RunStore(benchmark.folder).content())
    files = "blocks.csv, benchmark.json, table.md, report.html, cdf.png, cdf.svg"
    return f"{text}\n\nwritten to {benchmark.folder}: {files}"


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym benchmark``; return its exit status."""
    start = OF_SUITE if given(arguments, "suite") else start_of(split_names(given(arguments, "env")))
    return run_command(
        "mec-cf-gym benchmark",
        Benchmark,
        _run_and_report,
        arguments,
        default=start,
        folder=attrgetter("folder"),
    )
