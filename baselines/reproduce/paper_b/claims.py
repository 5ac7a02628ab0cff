"""Paper B's claims: each a statistic of its systems, and the range in which it bears the claim out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mec_cf_gym.baselines.reproduce.claims import UNDECIDED, verdict_within
from mec_cf_gym.baselines.reproduce.paper_b.systems import CELL_FREE, CELLULAR, System
from mec_cf_gym.baselines.reproduce.paper_b.users import Users
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.evaluation.gap import Estimate

ABOUT = 0.2
"""Relative distance from x within which a value bears out a claim of about x."""


@dataclass(frozen=True)
class Claim:
    """That a statistic of systems is within a range."""

    text: str
    paper: str
    quantity: str
    least: float
    most: float
    unit: str
    systems: tuple[System, ...]
    statistic: Callable[..., float]  # of what was measured of the systems

    @property
    def counts(self) -> str:
        """What counts as bearing the claim out."""
        return f"{self.least:g} to {self.most:g}"


@dataclass(frozen=True)
class Finding:
    """What was measured about a claim."""

    claim: Claim
    estimate: Estimate
    topologies: int  # on which it was measured

    @property
    def holds(self) -> str:
        """Whether the claim holds, as far as the interval tells."""
        return verdict_within(self.estimate, self.claim.least, self.claim.most)

    def to_dict(self) -> dict[str, Any]:
        """Return a row of a table of claims."""
        about = {name: getattr(self.claim, name) for name in ("paper", "quantity", "least", "most", "unit")}
        low, high = self.estimate.low, self.estimate.high
        measured = {"measured": self.estimate.mean, "low": low, "high": high, "holds": self.holds}
        return {"claim": self.claim.text, **about, **measured, "topologies": self.topologies}


def find(claim: Claim, measured: Mapping[str, Users]) -> Finding:
    """Return what measurements, by the systems' names, say about a claim."""
    samples = [measured[system.name] for system in claim.systems]
    return Finding(claim, Estimate.of_statistic(claim.statistic, *samples), len(samples[0]))


def decide(claim: Claim, measured: Mapping[str, Users], sizes: Sequence[int]) -> Finding:
    """Return the finding on the fewest topologies that decide a claim, or else on the most that there are.

    Args:
        claim: The claim.
        measured: Measurements by the systems' names.
        sizes: Numbers of topologies to look at, rising; at the least the first is measured.
    """
    there = min(len(measured[system.name]) for system in claim.systems)
    for size in [size for size in sizes if size <= there]:
        finding = find(claim, {system.name: measured[system.name][:size] for system in claim.systems})
        if finding.holds != UNDECIDED:
            break
    return finding


def about(value: float) -> tuple[float, float]:
    """Return the range that counts as about a value."""
    return round((1 - ABOUT) * value, 9), round((1 + ABOUT) * value, 9)


def saving(values: Floats, reference: Floats) -> float:
    """Return how many per cent less the mean of values is."""
    return float(100 * (1 - values.mean() / reference.mean()))


def _efficiency_ratio(percentile: float) -> Callable[[Users, Users], float]:
    def ratio(users: Users, reference: Users) -> float:
        ends = (np.percentile(one.ergodic_efficiency, percentile) for one in (users, reference))
        return float(next(ends) / next(ends))

    return ratio


POWER = (
    Claim(
        "total power below cellular",
        "30-40 % lower",
        "mean total power, cell-free against cellular",
        30,
        40,
        "% lower",
        (CELL_FREE, CELLULAR),
        lambda users, reference: saving(users.total_power_w, reference.total_power_w),
    ),
    Claim(
        "total power below full power (2 W)",
        "70-80 % lower",
        "mean total power, cell-free against full power",
        70,
        80,
        "% lower",
        (CELL_FREE,),
        lambda users: saving(users.total_power_w, users.full_power_w.sum(-1)),
    ),
    Claim(
        "cellular users at full power",
        "about 10 %",
        "share of cellular users at full power",
        *about(10),
        "% of users",
        (CELLULAR,),
        lambda users: float(100 * users.at_full_power.mean()),
    ),
    Claim(
        "top decile of cell-free users",
        "50-80 mW",
        "95th percentile of power, cell-free",
        50,
        80,
        "mW",
        (CELL_FREE,),
        lambda users: float(1e3 * np.percentile(users.power_w, 95)),
    ),
)
COMPUTING = (
    Claim(
        "total computing below cellular",
        "9-15 % lower",
        "mean total computing, cell-free against cellular",
        9,
        15,
        "% lower",
        (CELL_FREE, CELLULAR),
        lambda users, reference: saving(users.total_computing_hz, reference.total_computing_hz),
    ),
    Claim(
        "computing per user at low percentiles",
        "near 40 % lower",
        "5th percentile of computing per user, cell-free against cellular",
        *about(40),
        "% lower",
        (CELL_FREE, CELLULAR),
        lambda users, reference: saving(
            np.percentile(users.timely_computing_hz, 5, keepdims=True),
            np.percentile(reference.timely_computing_hz, 5, keepdims=True),
        ),
    ),
)
EFFICIENCY = (
    Claim(
        "median spectral efficiency",
        "2 times cellular",
        "median ergodic SE, cell-free over cellular",
        *about(2),
        "times",
        (CELL_FREE, CELLULAR),
        _efficiency_ratio(50),
    ),
    Claim(
        "95 %-likely spectral efficiency",
        "4 times cellular",
        "5th percentile of ergodic SE, cell-free over cellular",
        *about(4),
        "times",
        (CELL_FREE, CELLULAR),
        _efficiency_ratio(5),
    ),
    Claim(
        "energy per Mbit, if of the median user",
        "about 5e-4 J",
        "median energy per Mbit, cell-free",
        *about(5e-4),
        "J/Mbit",
        (CELL_FREE,),
        lambda users: float(np.median(users.energy_j_per_mbit)),
    ),
    Claim(
        "energy per Mbit, if of 95 % of the users",
        "about 5e-4 J",
        "95th percentile of energy per Mbit, cell-free",
        *about(5e-4),
        "J/Mbit",
        (CELL_FREE,),
        lambda users: float(np.percentile(users.energy_j_per_mbit, 95)),
    ),
)
