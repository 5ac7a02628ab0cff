"""The gap of largest latencies to a reference, and means over networks with their 95 % intervals."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95
RESAMPLES = 9999
"""Bootstrap samples of the networks for the interval of a mean."""
RESAMPLES_OF_STATISTICS = 999
"""Bootstrap samples for the interval of any other statistic."""
FORMS = {"": (".4f", ""), "%": ("+.2%", ""), "ms": ("+.4f", " ms")}
"""Format of the numbers of a unit, and text after the mean."""
Floats = NDArray[np.float64]


def gap_to(reference: ArrayLike, latency: ArrayLike) -> Floats:
    """Return how far largest latencies are above those of a reference on the same blocks, relative to the latter.

    Args:
        reference: Largest latencies that the reference gives, in any unit, ``(...)``.
        latency: Largest latencies to compare, in the same unit, ``(...)``.

    Returns:
        ``latency / reference - 1``, ``(...)``: negative where the reference is beaten.
    """
    return np.asarray(np.asarray(latency) / np.asarray(reference) - 1)


def bootstrap_interval(values: Sequence[float] | Floats) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean, from values ``(networks,)``; NaN for one."""
    if len(values) < 2:
        return math.nan, math.nan
    from scipy import stats  # takes seconds to import

    interval = stats.bootstrap(
        (np.asarray(values),),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class Estimate:
    """A mean over networks with its 95 % confidence interval; NaN where there is none."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float] | Floats, **others: float) -> Self:
        """Return the estimate from one value per network; networks are independent, their blocks are not.

        Args:
            values: Of the networks, ``(networks,)``.
            **others: Fields that a subclass has beside the mean and its interval.
        """
        return cls(float(np.mean(values)), *bootstrap_interval(values), **others)

    @classmethod
    def of_statistic(cls, statistic: Callable[..., float], *samples: Any) -> Self:
        """Return the estimate of any statistic, with its percentile bootstrap over networks.

        Args:
            statistic: A function of the samples.
            *samples: Sequences with one entry a network, of the same networks; arrays can index them.
        """
        networks, rng = len(samples[0]), np.random.default_rng(0)
        found = statistic(*samples)
        if networks < 2:
            return cls(found, math.nan, math.nan)
        draws = rng.integers(networks, size=(RESAMPLES_OF_STATISTICS, networks))
        resampled = [statistic(*(sample[rows] for sample in samples)) for rows in draws]
        low, high = np.quantile(resampled, (0.025, 0.975))
        return cls(found, float(low), float(high))

    def text(self, unit: str = "") -> str:
        """Return the estimate as people read it; a unit of "%" or "ms" belongs to a signed difference."""
        form, trailing = FORMS.get(unit, (".3g", f" {unit}"))
        numbers = (self.mean, self.low, self.high)
        mean, low, high = ("n/a" if math.isnan(value) else f"{value:{form}}" for value in numbers)
        return f"{mean}{trailing} [{low}, {high}]"


@dataclass(frozen=True)
class Gap(Estimate):
    """A gap to a reference: its mean over networks with the interval, and percentiles over their blocks."""

    median: float
    p95: float
    p99: float
    largest: float

    @classmethod
    def over(cls, networks: Sequence[float] | Floats, blocks: ArrayLike, **others: float) -> Self:
        """Return the gap from the means of networks, ``(networks,)``, and the gaps of all blocks, ``(...)``."""
        gaps = np.asarray(blocks, np.float64)
        median, p95, p99, largest = np.percentile(gaps, (50, 95, 99, 100)).tolist()
        return cls.of(networks, median=median, p95=p95, p99=p99, largest=largest, **others)

    @classmethod
    def of_episodes(cls, reference: ArrayLike, latency: ArrayLike, **others: float) -> Self:
        """Return the gap of dynamic networks: of the sums over all, since in some blocks nothing waits.

        Networks in which nothing ever waits, under either, do not count; percentiles are over those in which
        something waits under the reference.

        Args:
            reference: Mean largest latencies of the reference, in any unit, ``(networks,)``.
            latency: Those to compare, ``(networks,)``.
            **others: Fields that a subclass has beside these.
        """
        pairs = np.stack((reference, latency))
        ours, theirs = pairs[:, (pairs > 0).any(0)]
        if not len(ours):
            return cls(**{field.name: math.nan for field in dataclasses.fields(Gap)}, **others)
        whole = Estimate.of_statistic(_gap_of_sums, ours, theirs)
        waits = ours > 0
        gaps = gap_to(ours[waits], theirs[waits]) if waits.any() else np.full(1, math.inf)
        median, p95, p99, largest = np.percentile(gaps, (50, 95, 99, 100)).tolist()
        return cls(whole.mean, whole.low, whole.high, median=median, p95=p95, p99=p99, largest=largest, **others)

    def to_json(self, *names: str) -> dict[str, float | None]:
        """Return some of its numbers as ``gap_`` and their names; None where there is no interval."""
        return without_nan({f"gap_{name}": getattr(self, name) for name in names})


def _gap_of_sums(reference: Floats, latency: Floats) -> float:
    """Return the gap of sums over networks, ``(networks,)`` both; infinite above a reference of zero."""
    total = float(reference.sum())
    return float(latency.sum()) / total - 1 if total > 0 else math.inf


def without_nan(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields for JSON, which knows no NaN or infinity: a number that is missing is None."""
    missing = {name for name, value in fields.items() if isinstance(value, float) and not math.isfinite(value)}
    return {name: None if name in missing else value for name, value in fields.items()}
