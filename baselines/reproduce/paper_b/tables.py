"""Tables of paper B's figures, and what is said about how they were measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mec_cf_gym.baselines.power_control.solution import CENTRE, LEAST
from mec_cf_gym.baselines.reproduce.paper_b.claims import ABOUT, Finding
from mec_cf_gym.baselines.reproduce.paper_b.systems import SYSTEMS
from mec_cf_gym.baselines.reproduce.paper_b.users import Users
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.evaluation.report import markdown

CHOSEN = {
    LEAST: "the least that meets the deadlines",
    CENTRE: "the centre of all that meets the deadlines (the least where nothing else does)",
}
"""What computing is, by the choice of it."""
FITTED = """\
The two networks have weights of their own, which the paper does not give: what holds because of them is fitted
after the fact.

"""


def how_measured(computing: str, most_topologies: int) -> str:
    """Return how the numbers came about."""
    return f"""\
Powers and computing are pooled over users, blocks and topologies; spectral efficiency (SE) and energy are a user's
over its blocks. Computing is {CHOSEN[computing]},
of the users who meet theirs (in total: of the blocks in which all do). Systems meet the same users and tasks under
the same seeds. Intervals are 95 % percentile bootstraps over topologies, of the statistic itself. A claim holds if
the whole interval is in the range that counts, does not if it is wholly outside, and is undecided otherwise; then
the topologies are doubled, up to {most_topologies}. Intervals are not corrected for these repeated looks. "About",
"near" and "times" count within {ABOUT:.0%} of the paper's number.
"""


def claims_table(findings: Sequence[Finding]) -> str:
    """Return findings as a Markdown table."""
    rows = [
        (
            finding.claim.text,
            finding.claim.paper,
            finding.claim.counts,
            f"{finding.claim.quantity}: {finding.estimate.text(finding.claim.unit)}",
            finding.topologies,
            finding.holds,
        )
        for finding in findings
    ]
    headers = ("claim", "paper", "counts", "measured [95 % CI]", "topologies", "holds")
    return markdown(rows, headers, left=(0, 1, 2, 3, 5))


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
