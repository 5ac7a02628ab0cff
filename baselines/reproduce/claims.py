"""Claims of a paper, and whether measurements bear them out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.evaluation.gap import Estimate, without_nan
from mec_cf_gym.evaluation.report import markdown

YES, NO, UNDECIDED, NOT_MEASURED = "yes", "no", "undecided", "not measured"


@dataclass(frozen=True)
class Finding:
    """A claim about K users, and the quantity that is below a limit if it holds."""

    claim: str
    users: int
    paper: str
    quantity: str
    limit: float
    unit: str
    mean: float
    low: float
    high: float
    holds: str
    reason: str = ""  # why it is not measured

    def to_dict(self) -> dict[str, Any]:
        """Return all fields; numbers that are missing are None."""
        return without_nan(asdict(self))


def verdict(estimate: Estimate, limit: float) -> str:
    """Return whether a mean is below a limit, as far as its interval tells."""
    if estimate.high < limit:
        return YES
    return NO if estimate.low > limit else UNDECIDED


def verdict_within(estimate: Estimate, least: float, most: float) -> str:
    """Return whether a value is in a range, as far as its interval tells: wholly inside, outside, or neither."""
    if least <= estimate.low and estimate.high <= most:
        return YES
    return NO if estimate.high < least or estimate.low > most else UNDECIDED


def judge(
    claim: str, users: int, paper: str, quantity: str, values: Floats, *, limit: float = 0.0, unit: str
) -> Finding:
    """Return what one value per topology says about the claim that their mean is below a limit."""
    found = Estimate.of(values)
    return Finding(
        claim, users, paper, quantity, limit, unit, found.mean, found.low, found.high, verdict(found, limit)
    )


def not_measured(claim: str, users: int, paper: str, reason: str) -> Finding:
    """Return the finding on a claim that could not be measured."""
    return Finding(claim, users, paper, "", math.nan, "", math.nan, math.nan, math.nan, NOT_MEASURED, reason)


def weakest(findings: Iterable[Finding]) -> Finding:
    """Return the finding that is nearest to contradicting its claim, or contradicts it."""
    return max(findings, key=lambda finding: (finding.holds == NO, finding.high))


def claims_table(findings: Sequence[Finding]) -> str:
    """Return findings as a Markdown table."""
    rows = [(row.claim, row.users, row.paper, _measured(row), row.holds) for row in findings]
    return markdown(rows, ("claim", "K", "paper", "measured [95 % CI]", "holds"), left=(0, 2, 3, 4))


def _measured(finding: Finding) -> str:
    if finding.holds == NOT_MEASURED:
        return finding.reason
    return f"{finding.quantity}: {Estimate(finding.mean, finding.low, finding.high).text(finding.unit)}"
