"""Figure 1 of paper A: mean largest latency and Gini index of the schemes over the number of users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mec_cf_gym.baselines.reproduce.claims import Finding, claims_table, judge, weakest
from mec_cf_gym.baselines.reproduce.measure import Cell
from mec_cf_gym.baselines.reproduce.paper_a import schemes
from mec_cf_gym.baselines.reproduce.paper_a.schemes import (
    BS_CENTRED,
    CELL_FREE,
    NO_LOCAL_COMPUTING,
    SCHEMES,
    Latencies,
    Scheme,
)
from mec_cf_gym.baselines.reproduce.reproduction import Report
from mec_cf_gym.evaluation.gap import Estimate
from mec_cf_gym.evaluation.report import markdown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GINI_OF = (CELL_FREE, BS_CENTRED)
"""The schemes whose Gini index is shown: with local computing."""
MOST_USERS_FOR_SCHEME_3 = 20
"""Up to here scheme 3 beats scheme 2, says the paper; beyond, it loses."""
GINI_LIMIT, GINI_USERS = 0.2, 50
CLAIMS = BEST, WINS, LOSES, FAIR = (
    "scheme 1 has the least latency",
    "scheme 3 beats scheme 2",
    "scheme 3 loses to scheme 2",
    "Gini index of scheme 1 below 0.2",
)


@dataclass(frozen=True, kw_only=True)
class Figure1(schemes.OfSchemes):
    """Measure figure 1 of paper A again: latency and Gini index of the schemes over the number of users.

    Full size: 200 test topologies x 1000 blocks; --quick: 20 x 5. Writes figure.png, figure.svg, data.csv (a row
    per scheme, K and topology), claims.md, claims.csv and run.json. Interrupted, even killed, it keeps what is
    finished; --resume goes on and ends the same.
    """

    SIZE: ClassVar = (200, 1000)
    QUICK_SIZE: ClassVar = (20, 5)
    FOLDER: ClassVar = "paper-a/figure-1"

    users: tuple[int, ...] = (10, 20, 30, 40, 50)
    """Numbers of users K."""

    def cells(self) -> list[Cell[Latencies]]:
        """Return every scheme with every number of users."""
        return [scheme.cell(self.solver, self.scenario, users) for users in self.users for scheme in SCHEMES]

    def report(self, results: Mapping[str, Latencies], missing: Mapping[str, str]) -> Report:
        """Return the report on what each cell gave."""
        under = self.setting()
        by_users = [
            finding
            for users in self.users
            for finding in findings_on([results[f"{scheme.name}-K{users}"] for scheme in SCHEMES], users)
        ]
        findings = sorted(by_users, key=lambda finding: CLAIMS.index(finding.claim))
        labels = {f"{scheme.name}-K{users}": (scheme.name, users) for users in self.users for scheme in SCHEMES}
        curves = [
            (scheme.label, users, *statistics(results[f"{scheme.name}-K{users}"]))
            for scheme in SCHEMES
            for users in self.users
        ]
        headers = ("scheme", "K", "mean largest latency, ms [95 % CI]", "Gini index [95 % CI]", "capped")
        return Report(
            figure=plot(results, self.users),
            tables={
                "data": schemes.topology_rows(results, labels, self.campaign.seeds),
                "claims": [{**finding.to_dict(), "setting": under} for finding in findings],
            },
            text=f"# Figure 1: {under}\n\n{claims_table(findings)}\n\n{markdown(curves, headers)}\n\n"
            f"{schemes.HOW_MEASURED}",
        )


def findings_on(schemes_measured: Sequence[Latencies], users: int) -> list[Finding]:
    """Return what is found about the claims on networks of K users, from what the three schemes gave."""
    first, second, third = schemes_measured
    rivals = {NO_LOCAL_COMPUTING: second, BS_CENTRED: third}
    findings = [weakest(_best(users, first, rival, measured) for rival, measured in rivals.items())]
    difference_ms = schemes.mean_ms(third) - schemes.mean_ms(second)
    if users <= MOST_USERS_FOR_SCHEME_3:
        findings += [judge(WINS, users, "3 below 2", "scheme 3 less scheme 2", difference_ms, unit="ms")]
    else:
        findings += [judge(LOSES, users, "2 below 3", "scheme 2 less scheme 3", -difference_ms, unit="ms")]
    if users == GINI_USERS:
        findings += [judge(FAIR, users, "below 0.2", "Gini index", first.gini.mean(-1), limit=GINI_LIMIT, unit="")]
    return findings


def _best(users: int, first: Latencies, rival: Scheme, measured: Latencies) -> Finding:
    quantity = f"scheme 1 less {rival.name.replace('-', ' ')}"
    return judge(BEST, users, "least", quantity, schemes.mean_ms(first) - schemes.mean_ms(measured), unit="ms")


def statistics(measured: Latencies) -> tuple[str, str, str]:
    """Return mean latency, Gini index and share of capped blocks as people read them."""
    latency_ms, unfairness = Estimate.of(schemes.mean_ms(measured)), Estimate.of(measured.gini.mean(-1))
    return latency_ms.text(), unfairness.text(), f"{measured.capped.mean():.1%}"


def plot(results: Mapping[str, Latencies], users: tuple[int, ...]) -> Figure:
    """Return the figure: latencies on the left, Gini indices on the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    latency_axis, gini_axis = figure.subplots(1, 2)
    for style, scheme in zip(("o-", "s--", "^-."), SCHEMES, strict=True):
        cells = [results[f"{scheme.name}-K{number}"] for number in users]
        shown = [(latency_axis, [Estimate.of(schemes.mean_ms(cell)) for cell in cells])]
        if scheme in GINI_OF:
            shown.append((gini_axis, [Estimate.of(cell.gini.mean(-1)) for cell in cells]))
        for axis, estimates in shown:
            means = [estimate.mean for estimate in estimates]
            spans = [[max(0.0, e.mean - e.low) for e in estimates], [max(0.0, e.high - e.mean) for e in estimates]]
            colour = f"C{SCHEMES.index(scheme)}"
            axis.errorbar(users, means, spans, fmt=style, color=colour, capsize=3, label=scheme.label)
    latency_axis.set_ylabel("mean largest latency (ms)")
    gini_axis.set_ylabel("Gini index of the users' latencies")
    for axis in (latency_axis, gini_axis):
        axis.set(xlabel="users K", xticks=users)
        axis.set_ylim(bottom=0)
        axis.grid(True, alpha=0.3)
    figure.legend(*latency_axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
