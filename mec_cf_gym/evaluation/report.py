"""Reports: the table people read and the figure they look at."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from tabulate import tabulate

from mec_cf_gym.evaluation.environments import is_of_paper_b
from mec_cf_gym.evaluation.episode import Record
from mec_cf_gym.evaluation.gap import Estimate
from mec_cf_gym.evaluation.summary import Summary
from mec_cf_gym.performance.metrics import cdf_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Cell = Callable[[Summary], str]
COLUMNS: dict[str, Cell] = {
    "environment": lambda row: row.env,
    "policy": lambda row: row.policy,
    "mean ms": lambda row: f"{row.mean_ms:.4f}",
    "median ms": lambda row: f"{row.median_ms:.4f}",
    "p95 ms": lambda row: f"{row.p95_ms:.4f}",
    "Gini": lambda row: f"{row.gini:.3f}",
    "gap to reference [95 % CI]": lambda row: Estimate(row.gap, row.gap_low, row.gap_high).text("%"),
    "deadline misses": lambda row: f"{row.deadline_misses:.1%}",
    "capped": lambda row: f"{row.capped:.1%}",
    "power W": lambda row: f"{row.power_w:.4f}",
    "objective W": lambda row: f"{row.objective_w:.4f}",
    "decision ms": lambda row: f"{row.decision_ms:.3g}",
    "ms at 256": lambda row: f"{row.batch_decision_ms:.3g}".replace("nan", "n/a"),
}
PAPER_B_COLUMNS = ("power W", "objective W")
"""Columns that are shown with paper B's environments only."""
TEXT_COLUMNS = ("environment", "policy")
MOST_PANELS_IN_A_ROW = 4
LEAST_SHOWN = 0.01
"""Share of a panel's median below which latencies lie outside it: those of queues that have just begun to fill."""


def table(summaries: Iterable[Summary], columns: Mapping[str, Cell] = COLUMNS) -> str:
    """Return summaries as a Markdown table; latencies are the largest of the users."""
    shown = list(summaries)
    paper_b = any(is_of_paper_b(row.env) for row in shown)
    headers = [name for name in columns if paper_b or name not in PAPER_B_COLUMNS]
    rows = [[columns[name](row) for name in headers] for row in shown]
    return markdown(rows, headers, [column for column, name in enumerate(headers) if name in TEXT_COLUMNS])


def markdown(rows: Sequence[Sequence[Any]], headers: Sequence[str], left: Sequence[int] = (0,)) -> str:
    """Return a Markdown table whose columns are aligned to the right but for those in ``left``."""
    alignment = ["left" if column in left else "right" for column in range(len(headers))]
    return str(tabulate(rows, headers, tablefmt="github", disable_numparse=True, colalign=alignment))


def plot_cdf(records: Iterable[Record], deadline_ms: float | Mapping[str, float | None] | None = None) -> Figure:
    """Return a figure of the distribution of the largest latency, one panel an environment, or a task.

    Args:
        records: Of one or several policies and environments.
        deadline_ms: Marked by a line, if given: one for all, or one by the name of the task.
    """
    from matplotlib.figure import Figure

    panels: dict[str, dict[str, list[float]]] = {}
    styles: dict[str, dict[str, str]] = {}
    alike = True  # one task an environment
    for record in records:
        panels.setdefault(record.task or record.env, {}).setdefault(record.policy, []).append(
            record.max_latency_ms
        )
        alike &= record.task in ("", record.env)
        if record.policy not in styles:
            number = len(styles)
            style = ("-", "--", ":", "-.")[number // 10 % 4]
            styles[record.policy] = {"color": f"C{number % 10}", "linestyle": style}
    columns = min(len(panels), MOST_PANELS_IN_A_ROW)
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(5.2 * columns, 3.8 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=alike, sharey=True, squeeze=False).flatten()
    for axis in axes[len(panels) :]:
        axis.remove()
    for axis, (name, policies) in zip(axes, panels.items(), strict=False):
        for policy, latencies_ms in policies.items():
            latency_ms, share = cdf_points(latencies_ms)
            axis.step([latency_ms[0], *latency_ms], [0, *share], where="post", label=policy, **styles[policy])
        marked_ms = deadline_ms.get(name) if isinstance(deadline_ms, Mapping) else deadline_ms
        if marked_ms is not None:
            axis.axvline(marked_ms, color="0.4", linestyle="--", label="deadline")
        label_cdf(axis, name)
        least_ms = LEAST_SHOWN * np.median(np.concatenate(list(policies.values())))
        axis.set_xlim(left=max(axis.get_xlim()[0], least_ms))
        if not alike:
            axis.legend(fontsize="small")
    axes[0].set_ylabel("share of blocks")
    if alike:
        axis.legend()
    return figure


def label_cdf(axis: Axes, title: str) -> None:
    """Label a panel that shows the distribution of the largest latency in ms."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axis.set(title=title, xlabel="largest latency of a block (ms)", xscale="log", ylim=(0, 1))
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.grid(True, alpha=0.3)
