"""Reports: the table people read and the figure they look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tabulate import tabulate

from mec_cf_gym.evaluation.episode import Record
from mec_cf_gym.evaluation.summary import Summary
from mec_cf_gym.metrics import cdf_points
from mec_cf_gym.registration import PAPER_B_IDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Cell = Callable[[Summary], str]
COLUMNS: dict[str, Cell] = {
    "environment": lambda row: row.env,
    "policy": lambda row: row.policy,
    "mean ms": lambda row: f"{row.mean_ms:.4f}",
    "median ms": lambda row: f"{row.median_ms:.4f}",
    "p95 ms": lambda row: f"{row.p95_ms:.4f}",
    "Gini": lambda row: f"{row.gini:.3f}",
    "gap to reference [95 % CI]": lambda row: f"{row.gap:+.2%} [{row.gap_low:+.2%}, {row.gap_high:+.2%}]".replace(
        "+nan%", "n/a"
    ),
    "deadline misses": lambda row: f"{row.deadline_misses:.1%}",
    "capped": lambda row: f"{row.capped:.1%}",
    "power W": lambda row: f"{row.power_w:.4f}",
    "objective W": lambda row: f"{row.objective_w:.4f}",
    "decision ms": lambda row: f"{row.decision_ms:.3g}",
    "ms at 256": lambda row: f"{row.batch_decision_ms:.3g}".replace("nan", "n/a"),
}
OF_PAPER_B = ("power W", "objective W")
"""Columns that are shown with paper B's environments only."""


def table(summaries: Iterable[Summary]) -> str:
    """Return summaries as a Markdown table; latencies are the largest of the users."""
    shown = list(summaries)
    paper_b = any(row.env in PAPER_B_IDS for row in shown)
    headers = [name for name in COLUMNS if paper_b or name not in OF_PAPER_B]
    rows = [[COLUMNS[name](row) for name in headers] for row in shown]
    alignment = ("left", "left", *["right"] * (len(headers) - 2))
    return str(tabulate(rows, headers, tablefmt="github", disable_numparse=True, colalign=alignment))


def plot_cdf(records: Iterable[Record], deadline_ms: float | None = None) -> Figure:
    """Return a figure of the distribution of the largest latency, one panel an environment.

    Args:
        records: Of one or several policies and environments.
        deadline_ms: Marked by a line, if given.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    panels: dict[str, dict[str, list[float]]] = {}
    for record in records:
        panels.setdefault(record.env, {}).setdefault(record.policy, []).append(record.max_latency_ms)
    figure = Figure(figsize=(5.2 * len(panels), 3.8), layout="constrained")
    axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for axis, (env, policies) in zip(axes, panels.items(), strict=True):
        for policy, latencies_ms in policies.items():
            latency_ms, share = cdf_points(latencies_ms)
            axis.step([latency_ms[0], *latency_ms], [0, *share], where="post", label=policy)
        if deadline_ms is not None:
            axis.axvline(deadline_ms, color="0.4", linestyle="--", label="deadline")
        axis.set(title=env, xlabel="largest latency of a block (ms)", xscale="log", ylim=(0, 1))
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.grid(True, alpha=0.3)
    axes[0].set_ylabel("share of blocks")
    axes[-1].legend()
    return figure
