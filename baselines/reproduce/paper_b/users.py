"""Measurements of paper B's users."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.power_control.solution import central_computing
from mec_cf_gym.baselines.reproduce.measure import Measured
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.network.servers import Shares
from mec_cf_gym.performance.outcome import outcome_of

FULL_POWER = 0.999
"""Power ratio from which on a user counts as sending at full power."""


@dataclass(frozen=True)
class Users(Measured):
    """Powers, computing and rates of paper B's users, ``(topologies, blocks, K)``."""

    power_w: Floats
    full_power_w: Floats
    computing_hz: Floats
    rate_bps: Floats
    spectral_efficiency: Floats  # bit/s/Hz
    missed: Floats  # one where the deadline is missed, else zero

    @classmethod
    def of(cls, block: CoherenceBlock, allocation: Allocation, least_spectral_efficiency: float) -> Self:
        """Return what an allocation gives on a batch of blocks, ``(blocks, K)``.

        Users get the least computing that meets the deadlines, from the solver or else for its powers.
        """
        outcome = outcome_of(block, allocation, least_spectral_efficiency, least_computing=True)
        assert block.fairness is not None
        full_power_w = np.broadcast_to(np.asarray(block.fairness.user_power_w), outcome.rate_bps.shape)
        return cls(
            power_w=allocation.power.sum(-2) * full_power_w,
            full_power_w=full_power_w,
            computing_hz=outcome.server_hz,
            rate_bps=outcome.rate_bps,
            spectral_efficiency=outcome.spectral_efficiency,
            missed=outcome.missed.astype(np.float64),
        )

    def __len__(self) -> int:
        return len(self.power_w)

    def __getitem__(self, topologies: slice | NDArray[np.integer[Any]]) -> Self:
        """Return what was measured on some of the topologies."""
        return type(self)(*(getattr(self, field.name)[topologies] for field in dataclasses.fields(self)))

    @property
    def total_power_w(self) -> Floats:
        """Power of all users, ``(topologies, blocks)``."""
        return np.asarray(self.power_w.sum(-1))

    @property
    def at_full_power(self) -> NDArray[np.bool_]:
        """Whether a user sends at full power, ``(topologies, blocks, K)``."""
        return np.asarray(self.power_w >= FULL_POWER * self.full_power_w)

    @property
    def timely_computing_hz(self) -> Floats:
        """Computing of the users who meet their deadlines, ``(any)``; what others get is arbitrary."""
        return some(self.computing_hz[self.missed == 0])

    @property
    def total_computing_hz(self) -> Floats:
        """Computing of all users, ``(any)``, of the blocks in which all meet their deadlines."""
        return some(self.computing_hz.sum(-1)[~self.missed.any(-1)])

    @property
    def ergodic_efficiency(self) -> Floats:
        """Ergodic spectral efficiency, the mean over the blocks, in bit/s/Hz, ``(topologies, K)``."""
        return np.asarray(self.spectral_efficiency.mean(1))

    @property
    def energy_j_per_mbit(self) -> Floats:
        """Energy that a Mbit takes on the uplink over all blocks, ``p_k / (B SE_k)``, ``(topologies, K)``."""
        return np.asarray(1e6 * self.power_w.mean(1) / self.rate_bps.mean(1))


@dataclass(frozen=True)
class CentralUsers(Users):
    """The same with the computing in the centre, for all who meet their deadlines with the least."""

    @classmethod
    def of(cls, block: CoherenceBlock, allocation: Allocation, least_spectral_efficiency: float) -> Self:
        """Return what an allocation's powers give on a batch of blocks, ``(blocks, K)``."""
        late = Users.of(block, allocation, least_spectral_efficiency).missed > 0
        rows = zip(block.rows(), allocation.power, late, strict=True)
        shares = [central_computing(row, power[0], late) for row, power, late in rows]
        computing = Shares(np.stack([one.ap_hz for one in shares]), np.stack([one.cloud_hz for one in shares]))
        return super().of(block, dataclasses.replace(allocation, computing=computing), least_spectral_efficiency)


def some(values: Floats) -> Floats:
    """Return values, ``(any,)``, or a single NaN if there are none, so that statistics of them are NaN."""
    return values if values.size else np.full(1, np.nan)
