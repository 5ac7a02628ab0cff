"""Fractional power control: the weaker a user's channel, the more power it spends."""

from __future__ import annotations

import numpy as np

from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.baselines.solution import Heuristic
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse


class FractionalPower(Heuristic):
    """``p_k ~ S_k^-exponent``, the weakest user at full power (the book, section 7.1); servers shared equally.

    The book weighs users by their mean gains to the APs that serve them. Here the signal gain S_k at full power
    stands for their sum: what the combiner made of it.

    Args:
        exponent: Zero is full power, and one gives all users the same signal.

    Raises:
        ValueError: If the exponent is not in [0, 1].

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", num_users=3).unwrapped
        >>> _ = env.reset(seed=0)
        >>> FractionalPower().power(env.block).sum(0).max().round(6).item()
        1.0
    """

    def __init__(self, exponent: float = 0.5) -> None:
        if not 0 <= exponent <= 1:
            raise refuse("exponent", exponent, "it must be in [0, 1]")
        self.exponent = exponent

    def power(self, block: CoherenceBlock) -> Floats:
        """Return power ratios, ``(..., N, K)``; a user spends the same on every subcarrier."""
        gain = np.asarray(block.signal_gain, np.float64).sum(-2, keepdims=True)  # (..., 1, K)
        weakest = np.where(gain > 0, gain, np.inf).min(-1, keepdims=True)
        relative = np.where(gain > 0, weakest / np.where(gain > 0, gain, 1.0), 1.0)
        share = np.where(np.isfinite(relative), relative, 1.0) ** self.exponent
        return np.broadcast_to(share / block.num_subcarriers, block.signal_gain.shape).copy()
