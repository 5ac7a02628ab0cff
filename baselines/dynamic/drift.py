"""Drift plus penalty: queues weigh bits, and empty batteries price energy (Lyapunov optimisation)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.dynamic.priced import priced_allocation
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse
from mec_cf_gym.performance.service import backlog_of

PRICE = 1e6
"""Tuned on validation networks by ``benchmarks/dynamic.py --tune``."""


class DriftPlusPenalty:
    """Serves in each block what lowers the squares of the backlogs the most, with energy at a price.

    A bit of a user is worth its backlog latency in ms, over the mean bits of a ms; a joule costs ``price`` times
    the empty share of its battery. Both follow from the drift of ``sum_k latency_k^2 + price empty_k^2``.

    Args:
        price: Of a joule of an empty battery, in ms^2.

    Raises:
        ValueError: If the price is not positive; from ``allocate``, for a block of a static world.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFreeDynamic-v0", num_users=3).unwrapped
        >>> observation, _ = env.reset(seed=0)
        >>> DriftPlusPenalty().allocate(observation, env.block).power.shape
        (1, 3)
    """

    def __init__(self, price: float = PRICE) -> None:
        if not 0 < price < np.inf:
            raise refuse("price", price, "it must be positive and finite")
        self.price = price

    def reset(self, seed: int) -> None:
        """Begin an episode."""

    def allocate(self, observation: Mapping[str, NDArray[np.float32]], block: CoherenceBlock) -> Allocation:
        """Return the allocation for a block, or a batch of them."""
        return priced_allocation(block, *drift_prices(block, self.price))


def drift_prices(block: CoherenceBlock, price: float = PRICE) -> tuple[Floats, Floats]:
    """Return what a bit of each user is worth, in ms^2, and the price of its joules, ``(..., K)`` each."""
    latency_ms_per_bit = ms_per_bit(block)
    worth = latency_ms_per_bit * backlog_of(block).waiting_bits * latency_ms_per_bit
    return worth, price * empty_share(block)


def ms_per_bit(block: CoherenceBlock) -> Floats:
    """Return the backlog latency of a bit in ms, ``(..., K)``: the time in which one arrives on average."""
    prospects = backlog_of(block).prospects
    mean_bits = prospects.mean_bits
    return np.where(mean_bits > 0, 1e3 * prospects.block_s / np.where(mean_bits > 0, mean_bits, 1.0), 0.0)


def empty_share(block: CoherenceBlock) -> Floats:
    """Return how much of users' batteries is empty, ``(..., K)``, from 0 to 1; 0 where energy is no limit."""
    backlog = backlog_of(block)
    limit_j = backlog.prospects.battery_limit_j
    if not np.isfinite(limit_j):
        return np.zeros_like(backlog.battery_j)
    return np.asarray(1 - backlog.battery_j / limit_j)
