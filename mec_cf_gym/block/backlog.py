"""The backlog of a dynamic world: what waits at users and servers, and what batteries hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.kernels import frozen, kernel

Floats = NDArray[np.float64]
LEAST_BITS = 1e-6
"""Fewer bits than this are a rounding error of the queues: none is waiting."""
LONGEST_AGE_BLOCKS = 1000
"""Oldest age that is told apart, in blocks; older bits count as that old."""


@dataclass(frozen=True)
class Prospects:
    """What is known of the blocks to come: statistics of arrivals and harvests, and the limits of the queues."""

    tasks_per_s: Floats  # (..., K), mean over all time
    task_bits: Floats  # (..., K), mean size of a task
    block_s: float
    burst_gain: float  # tasks arrive at this multiple of their mean rate within a burst; one without bursts
    burst_ends: float  # probability from one block to the next, given a burst
    burst_begins: float  # probability from one block to the next, given none
    harvest_j: float  # mean of a block over all time
    charging_j: float  # mean of a block while the harvest is on
    charge_ends: float  # probability from one block to the next
    charge_begins: float
    queue_limit_bits: float  # of a user's buffer
    battery_limit_j: float  # infinite: energy is no limit
    drop_price_ms: float  # of a task that finds the buffer full

    @property
    def mean_bits(self) -> Floats:
        """Bits that arrive in a block, on average over all time, ``(..., K)``."""
        return self.tasks_per_s * self.task_bits * self.block_s

    @property
    def burst_bits(self) -> Floats:
        """Bits that arrive in a block of a burst, on average, ``(..., K)``."""
        return self.burst_gain * self.mean_bits


@dataclass(frozen=True)
class Backlog:
    """Queues, servers' backlogs and batteries of users at the beginning of a block.

    Bits are first in, first out, and servers compute them in the order in which they arrived at the users. Curves
    say how much of what waits is how old: entry ``H - 1 - n`` counts the bits that arrived ``n`` or more blocks
    ago, so that the last entry is all that waits.
    """

    AXES: ClassVar[Mapping[str, int]] = {"queue_curve_bits": 2, "server_curve_bits": 2}

    queue_bits: Floats  # (..., K), waiting at the user, Q
    server_bits: Floats  # (..., K), sent and not yet computed, S
    battery_j: Floats  # (..., K), E; infinite where energy is no limit
    new_bits: Floats  # (..., K), that arrived at the end of the last block and found room
    bursting: Floats  # (..., K), one where tasks arrive in a burst now, else zero
    charging: Floats  # (..., K), one where the harvest is on now, else zero
    queue_curve_bits: Floats  # (..., K, H)
    server_curve_bits: Floats  # (..., K, H)
    prospects: Prospects

    @classmethod
    def empty(cls, prospects: Prospects, bursting: NDArray[Any], charging: NDArray[Any], history: int) -> Backlog:
        """Return empty queues and full batteries.

        Args:
            prospects: Of the networks.
            bursting: Whether tasks arrive in a burst, ``(rows, K)``.
            charging: Whether the harvest is on, ``(rows, K)``.
            history: Blocks that the curves tell apart, H.
        """
        nothing = np.zeros(bursting.shape)
        curve = np.zeros((*bursting.shape, history))
        battery_j = np.full(bursting.shape, prospects.battery_limit_j)
        flags = bursting.astype(np.float64), charging.astype(np.float64)
        return cls(nothing, nothing, battery_j, nothing, *flags, curve, curve, prospects)

    @property
    def waiting_bits(self) -> Floats:
        """Bits of a user that are not yet computed, ``(..., K)``."""
        return self.queue_bits + self.server_bits


def aged(curve_bits: Floats, new_bits: Floats) -> Floats:
    """Return a curve one block later, ``(..., K, H)``, in bits: the oldest two entries become one.

    Args:
        curve_bits: ``(..., K, H)``.
        new_bits: That arrived at the end of the block, ``(..., K)``.
    """
    compiled = kernel("curves", "aged") if curve_bits.ndim == 3 else None
    if compiled is not None:
        return np.asarray(compiled(frozen(curve_bits), frozen(new_bits)))
    older = curve_bits[..., 1:] if curve_bits.shape[-1] > 1 else curve_bits[..., :0]
    return np.concatenate([older, (curve_bits[..., -1] + new_bits)[..., None]], -1)
