"""Reports: the table people read and the figure they look at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tabulate import tabulate

from mec_cf_gym.evaluation.episode import Record
from mec_cf_gym.evaluation.summary import Summary
from mec_cf_gym.metrics import cdf_points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEADERS = (
    "environment",
    "policy",
    "mean ms",
    "median ms",
    "p95 ms",
    "Gini",
    "gap to reference [95 % CI]",
    "deadline misses",
    "capped",
    "decision ms",
    "ms at 256",
)


def table(summaries: Iterable[Summary]) -> str:
    """Return summaries as a Markdown table; latencies are the largest of the users."""
    rows = [
        (
            row.env,
            row.policy,
            f"{row.mean_ms:.4f}",
            f"{row.median_ms:.4f}",
            f"{row.p95_ms:.4f}",
            f"{row.gini:.3f}",
            f"{row.gap:+.2%} [{row.gap_low:+.2%}, {row.gap_high:+.2%}]".replace("+nan%", "n/a"),
            f"{row.deadline_misses:.1%}",
            f"{row.capped:.1%}",
            f"{row.decision_ms:.3g}",
            f"{row.batch_decision_ms:.3g}".replace("nan", "n/a"),
        )
        for row in summaries
    ]
    alignment = ("left", "left", *["right"] * (len(HEADERS) - 2))
    return str(tabulate(rows, HEADERS, tablefmt="github", disable_numparse=True, colalign=alignment))


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
