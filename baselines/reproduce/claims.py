"""Claims of a paper, and whether measurements bear them out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tabulate import tabulate

from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.evaluation.summary import bootstrap_interval

YES, NO, UNDECIDED, NOT_MEASURED = "yes", "no", "undecided", "not measured"
RESAMPLES = 999
"""Of the topologies, where a statistic other than the mean is estimated."""


@dataclass(frozen=True)
class Estimate:
    """A mean over topologies with its 95 % confidence interval; NaN where there is none."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Floats) -> Estimate:
        """Return the estimate from one value per topology; topologies are independent, blocks are not."""
        return cls(float(np.mean(values)), *bootstrap_interval(values))

    @classmethod
    def of_statistic(cls, statistic: Callable[..., float], *samples: Any) -> Estimate:
        """Return the estimate of any statistic, with its percentile bootstrap over topologies.

        Args:
            statistic: A function of the samples.
            *samples: Sequences of what belongs to each topology, the same in all; they can be indexed by arrays.
        """
        topologies, rng = len(samples[0]), np.random.default_rng(0)
        found = statistic(*samples)
        if topologies < 2:
            return cls(found, math.nan, math.nan)
        draws = rng.integers(topologies, size=(RESAMPLES, topologies))
        resampled = [statistic(*(sample[rows] for sample in samples)) for rows in draws]
        low, high = np.quantile(resampled, (0.025, 0.975))
        return cls(found, float(low), float(high))

    def text(self, unit: str = "") -> str:
        """Return the estimate as people read it; a unit of "ms" or "%" belongs to a signed difference."""
        if unit not in ("ms", "%", ""):
            return f"{self.mean:.3g} {unit} [{self.low:.3g}, {self.high:.3g}]".replace("nan", "n/a")
        if unit == "%":
            return f"{self.mean:+.2%} [{self.low:+.2%}, {self.high:+.2%}]".replace("+nan%", "n/a")
        sign, trailing = ("+", " ms") if unit == "ms" else ("", "")
        numbers = (f"{value:{sign}.4f}" for value in (self.mean, self.low, self.high))
        mean, low, high = (number.replace("+nan", "nan").replace("nan", "n/a") for number in numbers)
        return f"{mean}{trailing} [{low}, {high}]"


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
        return {name: None if value != value else value for name, value in asdict(self).items()}


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


def markdown(rows: Sequence[Sequence[Any]], headers: Sequence[str], left: Sequence[int] = (0,)) -> str:
    """Return a Markdown table whose columns are aligned to the right but for those in ``left``."""
    alignment = ["left" if column in left else "right" for column in range(len(headers))]
    return str(tabulate(rows, headers, tablefmt="github", disable_numparse=True, colalign=alignment))


def _measured(finding: Finding) -> str:
    if finding.holds == NOT_MEASURED:
        return finding.reason
    return f"{finding.quantity}: {Estimate(finding.mean, finding.low, finding.high).text(finding.unit)}"
