"""Iterative water-filling: every user maximises its own rate, given the interference of the others."""

from __future__ import annotations

import numpy as np

from mec_cf_gym.baselines.single_user import Floats, fill_water
from mec_cf_gym.baselines.solution import Heuristic
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse
from mec_cf_gym.performance.rates import received_interference


class WaterFilling(Heuristic):
    """Iterative water-filling.

    In every round each user water-fills over ``(1 + interference) / S``, the others' powers being those of the
    round before; powers of successive rounds are averaged, which lets users that chase each other settle.

    Args:
        rounds: How often users react to each other.

    Raises:
        ValueError: If ``rounds`` is below one.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", num_users=3).unwrapped
        >>> _ = env.reset(seed=0)
        >>> WaterFilling().power(env.block).sum(0).round(6)
        array([1., 1., 1.])
    """

    def __init__(self, rounds: int = 10) -> None:
        if rounds < 1:
            raise refuse("rounds", rounds, "it must be at least 1")
        self.rounds = rounds

    def power(self, block: CoherenceBlock) -> Floats:
        """Return the powers of the last round, ``(..., N, K)``; each user spends its whole budget."""
        signal_gain, interference_gain = np.asarray(block.signal_gain), np.asarray(block.interference_gain)
        power = np.full(signal_gain.shape, 1 / block.num_subcarriers)
        for _ in range(self.rounds):
            interference = received_interference(interference_gain, power)
            power = (power + fill_water(signal_gain / (1 + interference))) / 2
        return power
