"""The league table: the tasks of a suite as a benchmark, and what is shown of its results."""

from __future__ import annotations

import importlib.metadata
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mec_cf_gym.commands import split_names
from mec_cf_gym.errors import checked_count
from mec_cf_gym.evaluation.benchmark import FILES, Benchmark
from mec_cf_gym.evaluation.environments import (
    OF_PAST_CHANNELS,
    OF_PAST_GAINS,
    check_names,
    is_dynamic,
    is_of_paper_b,
)
from mec_cf_gym.evaluation.policies import available_policies
from mec_cf_gym.evaluation.report import COLUMNS, Cell, markdown, table
from mec_cf_gym.evaluation.runner import admitted
from mec_cf_gym.evaluation.store import RunStore
from mec_cf_gym.evaluation.suites import CLASSIC, LEARNED, SOLVERS, SUITES
from mec_cf_gym.evaluation.summary import Summary
from mec_cf_gym.evaluation.tasks import Task

ORDER = (*CLASSIC, *SOLVERS, *OF_PAST_GAINS, *OF_PAST_CHANNELS, *LEARNED)
WIDTH = 120
"""Characters in a line of prose."""
DECIDED = ("env", "reference", "topologies", "blocks")
"""Options that a suite decides, beside the scenario."""


@dataclass(frozen=True, kw_only=True)
class SuiteBenchmark(Benchmark):  # noqa: D101  # the help of the command is the same
    __doc__ = Benchmark.__doc__

    def tasks(self) -> list[Task]:
        """Return the suite's tasks, with more policies where they can run."""
        return admitted(SUITES[str(self.suite)](), split_names(self.policies), self.workers)

    def settings(self, tasks: Sequence[Task]) -> dict[str, Any]:
        """Return what decides the results, and must not change when a run goes on."""
        version, by_name = importlib.metadata.version("mec-cf-gym"), {task.name: task.settings() for task in tasks}
        return {"version": version, "suite": self.suite, "tasks": by_name}

    def check(self) -> None:
        """Check that nothing is given that the suite decides.

        Raises:
            ValueError: Names the option, its value and what is allowed.
        """
        checked_count("workers", self.workers, 1, 10**6)
        if self.policies:
            check_names("policies", split_names(self.policies), available_policies())
        fixed = (*DECIDED, *self.scenario.to_dict())
        self.check_unset(OF_SUITE, fixed, "the tasks of a suite are fixed; leave it out")

    def table(self, content: dict[str, Any], summaries: Sequence[Summary]) -> str:
        """Return all results as Markdown, from what ``benchmark.json`` holds."""
        return whole(content)

    def report(self, summaries: Sequence[Summary]) -> str:
        """Return what to print of a finished run."""
        return f"{summary(RunStore(self.folder).content())}\n\nwritten to {self.folder}: {FILES}"


OF_SUITE = SuiteBenchmark(suite="full", policies=(), env=(), reference="", topologies=0, blocks=0)
"""Default options of the command if a suite is named; those that the suite decides are unset."""


def training(row: Summary) -> str:
    """Return the training cost of a policy for a table; a dash if there is none."""
    parts = [
        f"{value:,.0f} {unit}"
        for value, unit in ((row.training_s, "s"), (row.training_steps, "steps"))
        if not math.isnan(value)
    ]
    return ", ".join(parts) or "-"


TASK_COLUMNS: dict[str, Cell] = {
    **{name: cell for name, cell in COLUMNS.items() if name not in ("environment", "median ms")},
    "p95 gap": lambda row: f"{row.gap_p95:+.2%}",
    "training": training,
}


def summary(content: dict[str, Any]) -> str:
    """Return a row per policy with its gaps in the tasks of the summary, as Markdown.

    Args:
        content: What ``benchmark.json`` of a suite holds.
    """
    rows, tasks = _rows(content), [task for task in content["tasks"] if task["headline"]]
    of_paper_b = [[task for task in tasks if is_of_paper_b(task["env"]) == paper_b] for paper_b in (False, True)]
    tables = [_overview(group, rows) for group in of_paper_b if group]
    return "\n\n".join([*tables, _circumstances(content)])


def whole(content: dict[str, Any]) -> str:
    """Return a section per environment as Markdown: gaps in all its tasks, then a table for each task."""
    parts, rows = [], _rows(content)
    for env in dict.fromkeys(task["env"] for task in content["tasks"]):
        tasks = [task for task in content["tasks"] if task["env"] == env]
        parts += [f"### {env}", _matrix(tasks, [row for row in rows if row.env == env])]
        parts += [_section(task, [row for row in rows if row.task == task["name"]]) for task in tasks]
    return "\n\n".join(parts)


def _rows(content: dict[str, Any]) -> list[Summary]:
    return [Summary.from_dict(row) for row in content["summary"]]


def _overview(tasks: Sequence[dict[str, Any]], rows: Sequence[Summary]) -> str:
    names = {task["name"] for task in tasks}
    found = {(row.task, row.policy): row for row in rows if row.task in names}
    lines = []
    for policy in sorted({policy for _, policy in found}, key=_place):
        first = next(row for (_, name), row in found.items() if name == policy)
        cells = [_gap(found.get((task["name"], policy)), task, policy) for task in tasks]
        lines.append([policy, *cells, f"{first.decision_ms:.3g}", training(first)])
    heads = [f"{_short(task['env'])}, K = {task['num_users']}, N = {task['num_subcarriers']}" for task in tasks]
    return markdown(lines, ["policy", *heads, "decision ms", "training"])


def _matrix(tasks: Sequence[dict[str, Any]], rows: Sequence[Summary]) -> str:
    """Return the mean gaps of an environment, a row a task and a column a policy."""
    policies = sorted({row.policy for row in rows}, key=_place)
    gaps = {(row.task, row.policy): f"{_percent(row.gap)} %" for row in rows}
    lines = []
    for task in tasks:
        cells = {policy: gaps.get((task["name"], policy), "-") for policy in policies}
        lines.append([task["name"], *(cells | {task["reference"]: "reference"}).values()])
    return markdown(lines, ["mean gap", *policies])


def _place(policy: str) -> tuple[int, str]:
    """Return what sorts policies: heuristics, solvers, learned ones, and then all others by name."""
    return (ORDER.index(policy) if policy in ORDER else len(ORDER)), policy


def _gap(row: Summary | None, task: dict[str, Any], policy: str) -> str:
    if row is None:
        return str(task["left_out"].get(policy, "-"))
    if policy == task["reference"]:
        return "reference"
    gap, low, high = (_percent(value) for value in (row.gap, row.gap_low, row.gap_high))
    return f"{gap} %" if math.isnan(row.gap_low) else f"{gap} % [{low}, {high}]"


def _percent(share: float) -> str:
    digits = 2 if abs(share) < 0.1 else 1 if abs(share) < 1 else 0
    return f"{100 * share:+,.{digits}f}"


def _circumstances(content: dict[str, Any]) -> str:
    tasks, machine = content["tasks"], content["machine"]
    headlines = [task for task in tasks if task["headline"]]
    counts = [task["seeds"][1] - task["seeds"][0] + 1 for task in headlines]
    blocks = [task["blocks"] for task in headlines]
    shown = f"{len(headlines)} of its {len(tasks)} tasks, each environment as it comes"
    queued = "; in dynamic networks of an episode's mean backlog latency to that of the reference's episode"
    lines = [
        f"`{content['command']}`, {shown}: {_span(counts)} networks (seeds from {tasks[0]['seeds'][0]} on) x "
        f"{_span(blocks)} blocks a task; mean gap of the slowest user's latency to the reference's on the block"
        f"{queued * any(is_dynamic(task['env']) for task in headlines)}, "
        "with a 95 % bootstrap interval over networks. Decision times are those of the first task a policy is "
        f"in. {machine['cores']} cores, {machine['processor']}; mec-cf-gym {content['versions']['mec-cf-gym']}."
    ]
    remarks = {task["env"]: task["remark"] for task in headlines if task["remark"]}
    lines += [f"{_short(env)}: {remark}" for env, remark in remarks.items()]
    missing = {name for task in tasks for name, reason in task["left_out"].items() if reason == "not installed"}
    if missing:
        lines.append(f"Not installed, and so not in the table: {', '.join(sorted(missing))}.")
    return "\n\n".join(textwrap.fill(line, WIDTH, break_on_hyphens=False) for line in lines)


def _section(task: dict[str, Any], rows: Sequence[Summary]) -> str:
    first, last = task["seeds"]
    networks = f"{last - first + 1} networks (seeds {first} to {last})"
    about = f"Reference {task['reference']}; {networks} x {task['blocks']} blocks."
    out = ", ".join(f"{name} ({reason})" for name, reason in task["left_out"].items())
    parts = [about, task["remark"], out and f"Left out: {out}."]
    timed = any(not math.isnan(row.batch_decision_ms) for row in rows)
    columns = {name: cell for name, cell in TASK_COLUMNS.items() if timed or name != "ms at 256"}
    return f"#### {task['name']}\n\n{' '.join(part for part in parts if part)}\n\n{table(rows, columns)}"


def _short(env_id: str) -> str:
    return env_id.removeprefix("MEC").removesuffix("-v0")


def _span(values: Sequence[int]) -> str:
    return str(values[0]) if len(set(values)) == 1 else f"{min(values)} to {max(values)}"
