"""A figure of paper B: distributions of its systems, its claims, and their sensitivity to lost numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from mec_cf_gym.baselines.power_control.solution import CENTRE, LEAST
from mec_cf_gym.baselines.reproduce.claims import UNDECIDED
from mec_cf_gym.baselines.reproduce.measure import Cell
from mec_cf_gym.baselines.reproduce.paper_b.claims import Claim, Finding, decide, find
from mec_cf_gym.baselines.reproduce.paper_b.systems import (
    CELLULAR,
    CLAIMED,
    SYSTEMS,
    System,
    base_setting,
    other_settings,
)
from mec_cf_gym.baselines.reproduce.paper_b.tables import (
    FITTED,
    claims_table,
    how_measured,
    sensitivity_table,
    user_rows,
)
from mec_cf_gym.baselines.reproduce.paper_b.users import CentralUsers, Users
from mec_cf_gym.baselines.reproduce.reproduction import Report, Reproduction
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.errors import checked_count
from mec_cf_gym.evaluation.report import markdown
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHARES = np.linspace(0, 1, 501)
"""Shares at which a distribution is written and drawn."""
PERCENTILES = (5, 10, 50, 90, 95)
MOST_SHOWN = 99.5
"""Percentile at which axes end."""
MOST_TOPOLOGIES = 1000
"""Topologies for a claim that fewer leave undecided, at full size."""
MEASURED = {LEAST: Users, CENTRE: CentralUsers}


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
    cellular_weight_w: float | None = None
    """Weight of fairness in the cellular network, in watts; by default the scenario's fairness_weight_w."""
    computing: Literal["least", "centre"] = "least"
    """Computing is not in the objective: the least that meets the deadlines, or where the central path ends."""
    most_topologies: int | None = None
    """Undecided claims get twice as many networks, again and again, up to so many. By default 1000 at full size;
    no more than the first with --quick or --topologies."""
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

    @property
    def sizes(self) -> list[int]:
        """Numbers of topologies at which claims are judged: the next is for those that are undecided."""
        sizes = [len(self.campaign.seeds)]
        full_size = not self.quick and self.topologies is None
        most = self.most_topologies or (MOST_TOPOLOGIES if full_size else sizes[0])
        while sizes[-1] < most:
            sizes.append(min(2 * sizes[-1], most))
        return sizes

    def settings(self) -> dict[str, Any]:
        """Return what decides the results; runs from before there was a choice of the computing took the least."""
        settings = super().settings()
        return {name: value for name, value in settings.items() if (name, value) != ("computing", LEAST)}

    def check(self) -> None:
        """Check the options before any work is done.

        Raises:
            ValueError: Names the option, its value and what is allowed.
        """
        super().check()
        if self.most_topologies is not None:
            checked_count("most_topologies", self.most_topologies, len(self.campaign.seeds), 10**6)

    def cell(self, system: System) -> Cell[Users]:
        """Return what has to be measured of a system."""
        scenario = self.scenario
        if system.deployment == CELLULAR.deployment and self.cellular_weight_w is not None:
            scenario = scenario.replace(fairness_weight_w=self.cellular_weight_w)
        return system.cell(self.solver, scenario, MEASURED[self.computing])

    def cells(self) -> list[Cell[Users]]:
        """Return every system, and those that claims are about under every other setting."""
        cells = [self.cell(system) for system in SYSTEMS]
        if self.no_sensitivity:
            return cells
        return cells + [
            setting.cell(self.cell(system), self.sensitivity_topologies)
            for setting in other_settings(self.scenario)
            for system in CLAIMED
        ]

    def measure(self, cells: Sequence[Cell[Users]]) -> dict[str, Users]:
        """Return what each cell gives, by its name: on more topologies where claims need them."""
        results = super().measure(cells)
        for size in self.sizes[1:]:
            undecided = [claim for claim in self.CLAIMS if self.find(claim, results).holds == UNDECIDED]
            needed = {system.name: self.cell(system) for claim in undecided for system in claim.systems}
            campaign = dataclasses.replace(self.campaign, seeds=seeds("test", size))
            results |= campaign.run(list(needed.values()), self.workers)
        return results

    def find(self, claim: Claim, results: Mapping[str, Users]) -> Finding:
        """Return the finding on a claim."""
        return decide(claim, results, self.sizes)

    def report(self, results: Mapping[str, Users], missing: Mapping[str, str]) -> Report:
        """Return the report on what each system gave."""
        findings = [self.find(claim, results) for claim in self.CLAIMS]
        results = {name: users[: len(self.campaign.seeds)] for name, users in results.items()}
        size = f"{len(self.campaign.seeds)} test topologies x {self.campaign.blocks} blocks"
        under = (
            f"{base_setting(self.scenario)}, K = {self.scenario.layout.num_users}, solver {self.solver}, {size}"
        )
        fitted = ""
        if self.cellular_weight_w is not None:
            under, fitted = f"{under}, cellular w = {self.cellular_weight_w} W", FITTED
        text = (
            f"# Figure {self.NUMBER}: {under}\n\n{fitted}{claims_table(findings)}\n\n"
            f"{self._percentile_table(results)}\n\n"
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
        return Report(
            figure=self._plot(results), tables=tables, text=text + how_measured(self.computing, self.sizes[-1])
        )

    def _sensitivity(self, results: Mapping[str, Users]) -> dict[str, list[Finding]]:
        """Return the findings under every setting, by its text."""
        first = slice(0, self.sensitivity_topologies)
        measured = {"as above": {system.name: results[system.name][first] for system in CLAIMED}}
        for setting in other_settings(self.scenario):
            measured[setting.text] = {
                system.name: results[setting.cell(self.cell(system), 1).name] for system in CLAIMED
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
