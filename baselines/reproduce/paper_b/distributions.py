"""A figure of paper B: distributions of its systems, its claims, and their sensitivity to lost numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mec_cf_gym.baselines.reproduce.measure import Cell
from mec_cf_gym.baselines.reproduce.paper_b.claims import ABOUT, Claim, Finding, find
from mec_cf_gym.baselines.reproduce.paper_b.systems import CLAIMED, SYSTEMS, System, base_setting, other_settings
from mec_cf_gym.baselines.reproduce.paper_b.users import Users
from mec_cf_gym.baselines.reproduce.reproduction import Report, Reproduction
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.evaluation.report import markdown
from mec_cf_gym.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHARES = np.linspace(0, 1, 501)
"""Shares at which a distribution is written and drawn."""
PERCENTILES = (5, 10, 50, 90, 95)
MOST_SHOWN = 99.5
"""Percentile at which axes end."""
HOW_MEASURED = f"""\
Powers and computing are pooled over users, blocks and topologies; spectral efficiency (SE) and energy are a user's
over its blocks. Computing is the least that meets the deadlines, of the users who meet theirs (in total: of the
blocks in which all do). Systems meet the same users and tasks under the same seeds. Intervals are 95 % percentile
bootstraps over topologies, of the statistic itself. A claim holds if the whole interval is in the range that
counts, does not if it is wholly outside, and is undecided otherwise. "About", "near" and "times" count within
{ABOUT:.0%} of the paper's number.
"""


@dataclass(frozen=True)
class Panel:
    """A quantity whose distribution is shown."""

    name: str
    label: str
    values: Callable[[Users], Floats]
    scale: str = "linear"

    def distribution(self, users: Users) -> Floats:
        """Return the quantiles at :data:`SHARES`, ``(shares,)``."""
        return np.asarray(np.quantile(self.values(users), SHARES))

    def limits(self, systems: Sequence[Users]) -> tuple[float, float]:
        """Return the ends of the axis: it leaves out the least and largest values of each system."""
        ends = np.array([np.percentile(self.values(users), (100 - MOST_SHOWN, MOST_SHOWN)) for users in systems])
        low, high = ends[np.isfinite(ends).all(-1)].T if np.isfinite(ends).all(-1).any() else np.ones((2, 1))
        return (0.0 if self.scale == "linear" else float(low.min())), 1.05 * float(high.max())


@dataclass(frozen=True, kw_only=True)
class Distributions(Reproduction[Users]):
    """A figure of paper B; subclasses say what it shows."""

    SIZE: ClassVar = (200, 5)
    QUICK_SIZE: ClassVar = (10, 2)
    SENSITIVITY_TOPOLOGIES: ClassVar = (50, 5)
    """At full size and with ``quick``."""
    FOLDER: ClassVar = "paper-b"
    UNIT_ROWS: ClassVar = 10
    SET_BY: ClassVar = {
        "deployment": "the systems",
        "server": "paper B",
        "local_computing": "paper B",
        "episode_blocks": "--blocks",
    }
    NUMBER: ClassVar[int]
    SYSTEMS: ClassVar[tuple[System, ...]] = SYSTEMS
    """Whose distributions are shown."""
    CLAIMS: ClassVar[tuple[Claim, ...]]
    PANELS: ClassVar[tuple[Panel, ...]]

    solver: str = "exact-power"
    """Installed solver that controls powers; sca is the paper's algorithm, and slower."""
    scenario: Scenario = field(default_factory=Scenario.paper_b)
    """The scenario, field by field."""
    no_sensitivity: bool = False
    """Leave out the claims under other settings of numbers that the paper's text has lost."""

    @property
    def report_folder(self) -> Path:
        """Where the report is; the figures share their measurements."""
        return self.folder / f"figure-{self.NUMBER}"

    @property
    def sensitivity_topologies(self) -> int:
        """Topologies on which other settings are measured: the first."""
        return min(self.SENSITIVITY_TOPOLOGIES[self.quick], len(self.campaign.seeds))

    def cells(self) -> list[Cell[Users]]:
        """Return every system, and those that claims are about under every other setting."""
        cells = [system.cell(self.solver, self.scenario) for system in SYSTEMS]
        if self.no_sensitivity:
            return cells
        return cells + [
            setting.cell(system.cell(self.solver, self.scenario), self.sensitivity_topologies)
            for setting in other_settings(self.scenario)
            for system in CLAIMED
        ]

    def report(self, results: Mapping[str, Users], missing: Mapping[str, str]) -> Report:
        """Return the report on what each system gave."""
        findings = [find(claim, results) for claim in self.CLAIMS]
        size = f"{len(self.campaign.seeds)} test topologies x {self.campaign.blocks} blocks"
        under = (
            f"{base_setting(self.scenario)}, K = {self.scenario.layout.num_users}, solver {self.solver}, {size}"
        )
        text = (
            f"# Figure {self.NUMBER}: {under}\n\n{claims_table(findings)}\n\n{self._percentile_table(results)}\n\n"
        )
        tables = {
            "data": user_rows(results, self.campaign.seeds),
            "cdf": self._cdf_rows(results),
            "claims": [{**finding.to_dict(), "setting": under} for finding in findings],
        }
        if not self.no_sensitivity:
            by_setting = self._sensitivity(results)
            tables["sensitivity"] = [
                {"setting": setting, "topologies": self.sensitivity_topologies, **finding.to_dict()}
                for setting, found in by_setting.items()
                for finding in found
            ]
            text += (
                f"Under other settings, on the first {self.sensitivity_topologies} of the topologies:\n\n"
                f"{sensitivity_table(by_setting)}\n\n"
            )
        return Report(figure=self._plot(results), tables=tables, text=text + HOW_MEASURED)

    def _sensitivity(self, results: Mapping[str, Users]) -> dict[str, list[Finding]]:
        """Return the findings under every setting, by its text."""
        first = slice(0, self.sensitivity_topologies)
        measured = {"as above": {system.name: results[system.name][first] for system in CLAIMED}}
        for setting in other_settings(self.scenario):
            measured[setting.text] = {
                system.name: results[setting.cell(system.cell(self.solver, self.scenario), 1).name]
                for system in CLAIMED
            }
        return {text: [find(claim, systems) for claim in self.CLAIMS] for text, systems in measured.items()}

    def _percentile_table(self, results: Mapping[str, Users]) -> str:
        rows = []
        for panel in self.PANELS:
            for system in self.SYSTEMS:
                values = panel.values(results[system.name])
                numbers = (values.mean(), *np.percentile(values, PERCENTILES))
                missed = f"{results[system.name].missed.mean():.2%}"
                rows.append((panel.label, system.label, *(f"{number:.4g}" for number in numbers), missed))
        headers = ("quantity", "system", "mean", *(f"p{share}" for share in PERCENTILES), "missed deadlines")
        return markdown(rows, headers, left=(0, 1))

    def _cdf_rows(self, results: Mapping[str, Users]) -> list[dict[str, Any]]:
        return [
            {"system": system.name, "quantity": panel.name, "share": share, "value": value}
            for panel in self.PANELS
            for system in self.SYSTEMS
            for share, value in zip(
                SHARES.tolist(), panel.distribution(results[system.name]).tolist(), strict=True
            )
        ]

    def _plot(self, results: Mapping[str, Users]) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9.6, 4.2), layout="constrained")
        axes = figure.subplots(1, len(self.PANELS), sharey=True)
        for axis, panel in zip(axes, self.PANELS, strict=True):
            for system in self.SYSTEMS:
                axis.plot(panel.distribution(results[system.name]), SHARES, label=system.label, **system.style)
            axis.set(xlabel=panel.label, xscale=panel.scale, ylim=(0, 1))
            low, high = panel.limits([results[system.name] for system in self.SYSTEMS])
            axis.set_xlim(low, high)
            axis.grid(True, alpha=0.3)
        axes[0].set_ylabel("cumulative distribution")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        return figure


def claims_table(findings: Sequence[Finding]) -> str:
    """Return findings as a Markdown table."""
    rows = [
        (
            finding.claim.text,
            finding.claim.paper,
            finding.claim.counts,
            f"{finding.claim.quantity}: {finding.estimate.text(finding.claim.unit)}",
            finding.holds,
        )
        for finding in findings
    ]
    return markdown(rows, ("claim", "paper", "counts", "measured [95 % CI]", "holds"), left=range(5))


def sensitivity_table(by_setting: Mapping[str, Sequence[Finding]]) -> str:
    """Return findings under every setting as a Markdown table, a column for each claim."""
    claims = [finding.claim for finding in next(iter(by_setting.values()))]
    rows = [
        (setting, *(f"{finding.estimate.text(finding.claim.unit)}: {finding.holds}" for finding in findings))
        for setting, findings in by_setting.items()
    ]
    headers = ("setting", *(f"{claim.text} ({claim.paper})" for claim in claims))
    return markdown(rows, headers, left=range(len(headers)))


def user_rows(results: Mapping[str, Users], seeds: range) -> list[dict[str, Any]]:
    """Return one row per system, topology and user: means over its blocks."""
    return [
        {
            "system": system.name,
            "seed": seed,
            "user": user,
            **{name: float(values[topology, user]) for name, values in columns.items()},
        }
        for system in SYSTEMS
        for columns in [_columns(results[system.name])]
        for topology, seed in enumerate(seeds)
        for user in range(next(iter(columns.values())).shape[1])
    ]


def _columns(users: Users) -> dict[str, Floats]:
    return {
        "power_mw": 1e3 * users.power_w.mean(1),
        "at_full_power": users.at_full_power.mean(1),
        "computing_ghz": 1e-9 * users.computing_hz.mean(1),
        "spectral_efficiency": users.ergodic_efficiency,
        "energy_mj_per_mbit": 1e3 * users.energy_j_per_mbit,
        "missed": users.missed.mean(1),
    }
