"""Paper A's claims under every reading of its physics: one table of which claim holds where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mec_cf_gym.baselines.reproduce.claims import Finding, judge
from mec_cf_gym.baselines.reproduce.measure import Cell
from mec_cf_gym.baselines.reproduce.paper_a import schemes
from mec_cf_gym.baselines.reproduce.paper_a.figure_1 import CLAIMS, findings_on
from mec_cf_gym.baselines.reproduce.paper_a.schemes import CELL_FREE, SCHEMES, Latencies, Scheme
from mec_cf_gym.baselines.reproduce.reproduction import Report
from mec_cf_gym.evaluation.gap import Estimate
from mec_cf_gym.evaluation.report import markdown
from mec_cf_gym.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THEOREM = "Theorem 1: all subcarriers may be assigned to all users"
TOLERANCE = 2e-3
"""Relative difference of two latencies that are each known to a thousandth."""
TINY_NETWORKS = {"num_users": 3, "num_subcarriers": 2}
SEARCHED = 10
"""Topologies on which assignments are searched, one block each: every search takes seconds."""

SIZES = " and ".join(f"{name} = {number}" for name, number in TINY_NETWORKS.items())
HOW_SEARCHED = f"""\
Theorem 1 holds where the loss is below {TOLERANCE:.1%}: both optima are known to 0.1 %. It is checked on the first
{SEARCHED} topologies, one block each, of tiny networks: {SIZES}.
"""


@dataclass(frozen=True)
class Reading:
    """How paper A's equations are read."""

    name: str
    label: str
    fields: Mapping[str, Any] = field(hash=False)
    bandwidth_per_subcarrier: bool = False

    def scenario(self, scenario: Scenario) -> Scenario:
        """Return a scenario under this reading."""
        radio = scenario.radio
        factor = radio.num_subcarriers if self.bandwidth_per_subcarrier else 1
        return scenario.replace(bandwidth_hz=factor * radio.bandwidth_hz, **self.fields)

    def cell(self, scheme: Scheme, solver: str, scenario: Scenario, users: int) -> Cell[Latencies]:
        """Return the cell of a solver on a scheme with K users."""
        cell = scheme.cell(solver, self.scenario(scenario), users)
        return replace(cell, name=f"{self.name}-{cell.name}")


def _printed(*names: str) -> dict[str, str]:
    return {name: "printed" if name in names else "physical" for name in ("interference", "receiver_noise")}


READINGS = (
    Reading("physical", "physical", _printed()),
    Reading("noise", "noise as printed", _printed("receiver_noise")),
    Reading("interference", "interference as printed", _printed("interference")),
    Reading("printed", "both as printed", _printed("interference", "receiver_noise")),
    Reading("bandwidth", "physical, eq. (4) with B per subcarrier", _printed(), bandwidth_per_subcarrier=True),
)


@dataclass(frozen=True, kw_only=True)
class Readings(schemes.OfSchemes):
    """Judge paper A's claims on figure 1, and Theorem 1, under every reading of its physics.

    The readings are interference and receiver noise, each as physics has it or as printed, and eq. (4) with the
    whole bandwidth on every subcarrier. Theorem 1 is checked by branch and bound over the assignments of tiny
    networks (K = 3, N = 2). Full size: 200 test topologies x 5 blocks; --quick: 20 x 2. Writes figure.png,
    figure.svg, data.csv (a row per reading, scheme, K and topology), claims.md, claims.csv and run.json.
    Interrupted, even killed, it keeps what is finished; --resume goes on and ends the same.
    """

    SIZE: ClassVar = (200, 5)
    QUICK_SIZE: ClassVar = (20, 2)
    FOLDER: ClassVar = "paper-a/claims"
    SET_BY: ClassVar = schemes.SET_BY_SCHEMES | {
        "interference": "the readings",
        "receiver_noise": "the readings",
    }

    users: tuple[int, ...] = (10, 20, 30, 40, 50)
    """Numbers of users K."""

    def cells(self) -> list[Cell[Latencies]]:
        """Return every scheme with every number of users under every reading, and the searches."""
        measured = [
            reading.cell(scheme, self.solver, self.scenario, users)
            for reading in READINGS
            for users in self.users
            for scheme in SCHEMES
        ]
        return measured + [cell for reading in READINGS for cell in self.searches(reading)]

    def searches(self, reading: Reading) -> tuple[Cell[Latencies], Cell[Latencies]]:
        """Return the search over assignments and powers, and the one with all links on, of tiny networks."""
        scenario = self.scenario.replace(num_subcarriers=TINY_NETWORKS["num_subcarriers"])
        cell = reading.cell(CELL_FREE, "assignment", scenario, TINY_NETWORKS["num_users"])
        cell = replace(cell, topologies=SEARCHED, blocks=1)
        return (
            replace(cell, name=f"{reading.name}-assignment"),
            replace(cell, name=f"{reading.name}-all-on", solver="branch-and-bound"),
        )

    def findings(self, results: Mapping[str, Latencies], reading: Reading) -> list[Finding]:
        """Return what is found about all claims under a reading."""
        found = [
            finding
            for users in self.users
            for finding in findings_on(
                [results[f"{reading.name}-{scheme.name}-K{users}"] for scheme in SCHEMES], users
            )
        ]
        searched, all_on = (results[cell.name] for cell in self.searches(reading))
        gap = schemes.gap(all_on, searched)
        loss = judge(
            THEOREM, TINY_NETWORKS["num_users"], "optimal", "loss by all links on", gap, limit=TOLERANCE, unit="%"
        )
        return [*sorted(found, key=lambda finding: CLAIMS.index(finding.claim)), loss]

    def report(self, results: Mapping[str, Latencies], missing: Mapping[str, str]) -> Report:
        """Return the report on what each cell gave."""
        under = self.setting(without=("receiver_noise", "interference"))
        found = {reading: self.findings(results, reading) for reading in READINGS}
        labels = {
            f"{reading.name}-{scheme.name}-K{users}": (f"{reading.name}, {scheme.name}", users)
            for reading in READINGS
            for scheme in SCHEMES
            for users in self.users
        }
        measured = {name: results[name] for name in labels}
        return Report(
            figure=plot(results, self.users),
            tables={
                "data": schemes.topology_rows(measured, labels, self.campaign.seeds),
                "claims": [
                    {"reading": reading.label, **finding.to_dict(), "setting": under}
                    for reading, findings in found.items()
                    for finding in findings
                ],
            },
            text=f"# Claims under every reading: {under}\n\n{readings_table(list(found.values()))}\n\n"
            f"{schemes.HOW_MEASURED}{HOW_SEARCHED}",
        )


def readings_table(found: Sequence[Sequence[Finding]]) -> str:
    """Return a Markdown table with a row for each claim and a column for each of :data:`READINGS`."""
    rows = []
    for same_claim in zip(*found, strict=True):
        first = same_claim[0]
        verdicts = [
            f"{finding.holds}: {Estimate(finding.mean, finding.low, finding.high).text(finding.unit)}"
            for finding in same_claim
        ]
        rows.append((first.claim, first.users, first.paper, *verdicts))
    headers = ("claim", "K", "paper", *(reading.label for reading in READINGS))
    return markdown(rows, headers, left=(0, *range(2, len(headers))))


def plot(results: Mapping[str, Latencies], users: tuple[int, ...]) -> Figure:
    """Return the figure: the schemes' latencies over the number of users, a panel for each reading."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(READINGS), 3.6), layout="constrained")
    axes = figure.subplots(1, len(READINGS), sharey=True)
    for axis, reading in zip(axes, READINGS, strict=True):
        for style, scheme in zip(("o-", "s--", "^-."), SCHEMES, strict=True):
            cells = [results[f"{reading.name}-{scheme.name}-K{number}"] for number in users]
            found = [Estimate.of(schemes.mean_ms(cell)) for cell in cells]
            means = np.array([estimate.mean for estimate in found])
            spans = np.array([(e.mean - e.low, e.high - e.mean) for e in found]).T
            axis.errorbar(users, means, np.maximum(spans, 0), fmt=style, capsize=3, label=scheme.label)
        axis.set(title=reading.label, xlabel="users K", xticks=users, yscale="log")
        axis.title.set_fontsize("small")
        axis.grid(True, alpha=0.3)
    axes[0].set_ylabel("mean largest latency (ms)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
