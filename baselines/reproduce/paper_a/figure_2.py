"""Figure 2 of paper A: distributions of the largest latency, of solvers and learned networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mec_cf_gym.baselines.reproduce.claims import Finding, claims_table, judge, not_measured
from mec_cf_gym.baselines.reproduce.measure import Cell
from mec_cf_gym.baselines.reproduce.paper_a import schemes
from mec_cf_gym.baselines.reproduce.paper_a.schemes import (
    BS_CENTRED,
    CELL_FREE,
    ClaimedLatencies,
    Latencies,
    Scheme,
)
from mec_cf_gym.baselines.reproduce.reproduction import Report
from mec_cf_gym.evaluation.gap import Estimate
from mec_cf_gym.evaluation.report import label_cdf, markdown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHARES = np.linspace(0, 1, 1001)
"""Shares of blocks at which a distribution is written and drawn."""
CNN_LSTM = "cnn-lstm"
SOME_BLOCKS = 20
"""Of each topology, for curves whose decisions take milliseconds."""
DERIVED_BLOCKS = 100
"""Of each topology, for curves that read the same decisions in another way."""
LIMITED_TOPOLOGIES = 100
"""For the information limit, which takes seconds a block: one block each, and ten are kept as a whole."""

HOW_CURVES = f"""\
Gaps are to the solver on the same scheme and blocks. What ratios claim is the largest (1 - rho) Z C / f, whether
the powers reach it or not. Claims and best splits are measured on the first {DERIVED_BLOCKS} blocks of each
topology, the equivariant network and the solver on expected interference on the first {SOME_BLOCKS}, the limit of
magnitudes on the first block of the first {LIMITED_TOPOLOGIES} topologies.
"""


@dataclass(frozen=True)
class Curve:
    """A distribution: a solver on a scheme."""

    name: str
    label: str
    scheme: Scheme
    style: Mapping[str, Any]  # of its line
    policy: str | None = None  # installed name; None: the run's solver
    best_offload: bool = False
    measured: type[Latencies] = Latencies
    topologies: int | None = None  # measured on the first only, where a decision takes long; None: on all
    blocks: int | None = None  # of each
    unit_rows: int | None = None  # kept as a whole; None: as many as of other curves

    def cell(self, figure: Figure2, users: int) -> Cell[Latencies]:
        """Return what has to be measured for K users."""
        cell = self.scheme.cell(self.policy or figure.solver, figure.scenario, users)
        return replace(
            cell,
            name=f"{self.name}-K{users}",
            best_offload=self.best_offload,
            measured=self.measured,
            topologies=self.topologies,
            blocks=self.blocks,
            unit_rows=self.unit_rows,
        )

    def with_best_split(self, label: str) -> Curve:
        """Return the same with the best offload ratios for its powers."""
        style = {"color": self.style["color"], "lw": 0.8, "ls": ":"}
        name = f"{self.name}-best-split"
        return replace(self, name=name, label=label, style=style, best_offload=True, blocks=DERIVED_BLOCKS)

    def claimed(self, label: str) -> Curve:
        """Return the latency that its offload ratios claim, which its powers need not reach: it is none."""
        style = {"color": self.style["color"], "lw": 0.8, "ls": "-"}
        name, measured = f"{self.name}-claimed", ClaimedLatencies
        return replace(self, name=name, label=label, style=style, measured=measured, blocks=DERIVED_BLOCKS)


SOLVED = Curve("cell-free", "cell-free, solver", CELL_FREE, {"color": "C0"})
SOLVED_BS = Curve("bs-centred", "BS-centred, solver", BS_CENTRED, {"color": "C2"})
NETWORK = Curve("cnn-lstm", "cell-free, CNN-LSTM", CELL_FREE, {"color": "C1", "ls": "--"}, CNN_LSTM)
CROSS = Curve("cross-test", "BS-centred, CNN-LSTM (cross-test)", BS_CENTRED, {"color": "C3", "ls": "-."}, CNN_LSTM)
NETWORK_CLAIMED = NETWORK.claimed("CNN-LSTM, claimed by its ratios (no latency)")
CROSS_CLAIMED = CROSS.claimed("cross-test, claimed by its ratios (no latency)")
LEARNED = (
    NETWORK,
    NETWORK.with_best_split("cell-free, CNN-LSTM, best split"),
    NETWORK_CLAIMED,
    CROSS,
    CROSS.with_best_split("cross-test, best split"),
    CROSS_CLAIMED,
    Curve(
        "magnitude",
        "cell-free, magnitudes only, learned (ours)",
        CELL_FREE,
        {"color": "C5", "ls": "--"},
        "magnitude",
    ),
    Curve(
        "magnitude-only",
        "cell-free, solver on expected interference",
        CELL_FREE,
        {"color": "C6", "ls": ":"},
        "magnitude-only",
        blocks=SOME_BLOCKS,
    ),
    Curve(
        "information-limit",
        "cell-free, limit of magnitudes",
        CELL_FREE,
        {"color": "C7", "ls": "-."},
        "information-limit",
        topologies=LIMITED_TOPOLOGIES,
        blocks=1,
        unit_rows=10,
    ),
    Curve(
        "equivariant",
        "cell-free, equivariant (ours)",
        CELL_FREE,
        {"color": "C4", "ls": "--"},
        "equivariant",
        blocks=SOME_BLOCKS,
    ),
)
CURVES = (SOLVED, SOLVED_BS, *LEARNED)


@dataclass(frozen=True)
class Claim:
    """That the mean gap of a curve to a reference is below a limit."""

    text: str
    paper: str
    curve: Curve
    reference: Curve
    limit: float


CLAIMS = (
    Claim("CNN-LSTM within 1 % of ICA", "within 1 %", NETWORK, SOLVED, 0.01),
    Claim("cross-test beats BS-centred ICA", "below ICA", CROSS, SOLVED_BS, 0.0),
    Claim("CNN-LSTM within 1 % of ICA, by the ratios' claim", "within 1 %", NETWORK_CLAIMED, SOLVED, 0.01),
    Claim("cross-test beats BS-centred ICA, by the ratios' claim", "below ICA", CROSS_CLAIMED, SOLVED_BS, 0.0),
)


@dataclass(frozen=True, kw_only=True)
class Figure2(schemes.OfSchemes):
    """Measure figure 2 of paper A again: distributions of the largest latency of solvers and learned networks.

    Full size: 200 test topologies x 1000 blocks, less for curves that take long; --quick: 20 x 50. Learned
    networks without installed weights are left out. Writes figure.png, figure.svg, data.csv (a row per curve, K
    and topology), cdf.csv, claims.md, claims.csv and run.json. Interrupted, even killed, it keeps what is
    finished; --resume goes on and ends the same.
    """

    SIZE: ClassVar = (200, 1000)
    QUICK_SIZE: ClassVar = (20, 50)
    FOLDER: ClassVar = "paper-a/figure-2"

    users: tuple[int, ...] = (10, 20)
    """Numbers of users K."""

    def cells(self) -> list[Cell[Latencies]]:
        """Return the solver on schemes 1 and 3."""
        return [curve.cell(self, users) for users in self.users for curve in (SOLVED, SOLVED_BS)]

    def learned_cells(self) -> list[Cell[Latencies]]:
        """Return the learned networks."""
        return [curve.cell(self, users) for users in self.users for curve in LEARNED]

    def report(self, results: Mapping[str, Latencies], missing: Mapping[str, str]) -> Report:
        """Return the report on what each cell gave, and on why others are missing."""
        under = self.setting()
        findings = [finding(results, missing, claim, users) for claim in CLAIMS for users in self.users]
        labels = {f"{curve.name}-K{users}": (curve.name, users) for users in self.users for curve in CURVES}
        headers = ("curve", "K", "mean ms", "median ms", "p95 ms", "gap to the solver [95 % CI]", "capped")
        return Report(
            figure=plot(results, self.users),
            tables={
                "data": schemes.topology_rows(results, labels, self.campaign.seeds),
                "cdf": [
                    {"curve": labels[name][0], "users": labels[name][1], "share": share, "latency_ms": latency_ms}
                    for name, measured in results.items()
                    for share, latency_ms in zip(SHARES.tolist(), distribution(measured).tolist(), strict=True)
                ],
                "claims": [{**finding.to_dict(), "setting": under} for finding in findings],
            },
            text=f"# Figure 2: {under}\n\n{claims_table(findings)}\n\n"
            f"{markdown(curve_rows(results, self.users), headers)}\n\n{schemes.HOW_MEASURED}{HOW_CURVES}",
        )


def finding(results: Mapping[str, Latencies], missing: Mapping[str, str], claim: Claim, users: int) -> Finding:
    """Return what is found about a claim on networks of K users."""
    name = f"{claim.curve.name}-K{users}"
    if name in missing:
        return not_measured(claim.text, users, claim.paper, missing[name])
    values = schemes.gap(results[name], results[f"{claim.reference.name}-K{users}"])
    return judge(claim.text, users, claim.paper, "mean gap", values, limit=claim.limit, unit="%")


def distribution(measured: Latencies) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the quantiles of the largest latency at :data:`SHARES`, ``(shares,)``, in ms."""
    return np.quantile(measured.max_latency_ms, SHARES)


def curve_rows(results: Mapping[str, Latencies], users: tuple[int, ...]) -> list[tuple[str, ...]]:
    """Return a row of statistics per curve and number of users."""
    rows = []
    for number in users:
        for curve in CURVES:
            measured = results.get(f"{curve.name}-K{number}")
            if measured is None:
                continue
            solved = SOLVED if curve.scheme is CELL_FREE else SOLVED_BS
            to_solver = Estimate.of(schemes.gap(measured, results[f"{solved.name}-K{number}"]))
            median_ms, p95_ms = np.percentile(measured.max_latency_ms, (50, 95))
            latencies = (f"{value:.4f}" for value in (measured.max_latency_ms.mean(), median_ms, p95_ms))
            gap = "" if curve is solved else to_solver.text("%")
            rows.append((curve.label, str(number), *latencies, gap, f"{measured.capped.mean():.1%}"))
    return rows


def plot(results: Mapping[str, Latencies], users: tuple[int, ...]) -> Figure:
    """Return the figure: a panel for each number of users."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.8 * len(users), 5.2), layout="constrained")
    axes = figure.subplots(1, len(users), sharey=True, squeeze=False)[0]
    for axis, number in zip(axes, users, strict=True):
        for curve in CURVES:
            measured = results.get(f"{curve.name}-K{number}")
            if measured is not None:
                axis.plot(distribution(measured), SHARES, label=curve.label, **curve.style)
        label_cdf(axis, f"K = {number}")
    axes[0].set_ylabel("share of blocks")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize="small")
    return figure
