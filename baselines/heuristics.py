"""Heuristics: rules for the powers that need no optimisation, each with the best offload ratios."""

from __future__ import annotations

import numpy as np

from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.baselines.solution import Heuristic
from mec_cf_gym.block.block import CoherenceBlock


class FullPower(Heuristic):
    """Every user spends its whole budget on its strongest subcarrier.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", num_users=3).unwrapped
        >>> _ = env.reset(seed=0)
        >>> FullPower().power(env.block).sum(0)
        array([1., 1., 1.])
    """

    def power(self, block: CoherenceBlock) -> Floats:
        """Return one on each user's strongest subcarrier, zero elsewhere, ``(..., N, K)``."""
        strongest = np.asarray(block.signal_gain).argmax(-2)  # (..., K)
        return np.asarray(strongest[..., None, :] == np.arange(block.num_subcarriers)[:, None], np.float64)


class EqualSplit(Heuristic):
    """Every user spends its whole budget, the same on every subcarrier; also where ICA starts.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", num_users=3).unwrapped
        >>> _ = env.reset(seed=0)
        >>> EqualSplit().power(env.block)[:, 0]
        array([0.25, 0.25, 0.25, 0.25])
    """

    def power(self, block: CoherenceBlock) -> Floats:
        """Return ``1/N`` everywhere, ``(..., N, K)``."""
        return np.full(block.signal_gain.shape, 1 / block.num_subcarriers)


class RandomPower(Heuristic):
    """Powers uniform over all that the budgets allow.

    Args:
        seed: Of the random numbers, until ``reset`` gives another.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", num_users=3).unwrapped
        >>> _ = env.reset(seed=0)
        >>> bool((RandomPower(seed=0).power(env.block).sum(0) <= 1).all())
        True
    """

    def __init__(self, seed: int = 0) -> None:
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Begin an episode with random numbers from ``seed``, other than those that draw the network."""
        self.rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))

    def power(self, block: CoherenceBlock) -> Floats:
        """Return powers uniform on the simplex ``sum_n p[n, k] <= 1``, ``(..., N, K)``."""
        *batch, subcarriers, users = block.signal_gain.shape
        shares = self.rng.exponential(size=(*batch, subcarriers + 1, users))  # the last is what stays unspent
        return np.asarray(shares[..., :-1, :] / shares.sum(-2, keepdims=True))


class GreedySubcarrier(Heuristic):
    """One subcarrier per user, at full power: in turn, the weakest first, each takes the best still on offer.

    The best is the one with the largest SINR given the users already placed.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", num_users=3, num_subcarriers=2).unwrapped
        >>> _ = env.reset(seed=0)
        >>> GreedySubcarrier().power(env.block).sum(0)
        array([1., 1., 1.])
    """

    def power(self, block: CoherenceBlock) -> Floats:
        """Return one on each user's subcarrier, zero elsewhere, ``(..., N, K)``."""
        batch, (subcarriers, users) = block.batch_shape, block.signal_gain.shape[-2:]
        signal_gain = np.asarray(block.signal_gain).reshape(-1, subcarriers, users)
        interference_gain = np.asarray(block.interference_gain).reshape(-1, subcarriers, users, users)
        rows = np.arange(len(signal_gain))
        power = np.zeros(signal_gain.shape)
        for user in signal_gain.max(-2).argsort(-1).T:  # (rows,), one user of every row at a time
            interference = (interference_gain[rows, :, user] * power).sum(-1)
            sinr = signal_gain[rows, :, user] / (1 + interference)
            power[rows, sinr.argmax(-1), user] = 1.0
        return power.reshape(*batch, subcarriers, users)
