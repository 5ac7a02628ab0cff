"""The wrappers for vector environments, under the names of those for single ones, as in Gymnasium."""

from __future__ import annotations

from typing import Any

from gymnasium.vector import VectorEnv

from mec_cf_gym.agents.actions import LEAST_DB, LogPower
from mec_cf_gym.agents.memory import MEANS
from mec_cf_gym.agents.wrappers import TranslationVectorWrapper


class LogPowerAction(TranslationVectorWrapper):
    """Lets a learner act in dB, in all rows: see :class:`mec_cf_gym.agents.LogPowerAction`.

    Args:
        env: A vector environment of this package.
        least_db: The smallest power in dB.
        split: ``"closed_form"`` or ``"as_is"``.

    Examples:
        >>> import gymnasium as gym
        >>> env = LogPowerAction(gym.make_vec("MECCellFree-v0", num_envs=3, num_users=2, num_subcarriers=1))
        >>> env.action_space.shape
        (3, 2)
    """

    def __init__(
        self, env: VectorEnv[Any, Any, Any], least_db: float = LEAST_DB, split: str = "closed_form"
    ) -> None:
        self.log_power = LogPower(env.unwrapped.contract, least_db, split)  # type: ignore[attr-defined]
        super().__init__(env, self.log_power.translation)


class MeanGains(TranslationVectorWrapper):
    """Shows the means of the gains that rows saw in their episodes: see :class:`mec_cf_gym.agents.MeanGains`.

    Args:
        env: A vector environment of this package, whose own observations reach this wrapper.

    Examples:
        >>> import gymnasium as gym
        >>> env = MeanGains(gym.make_vec("MECCellFreeDelayed-v0", num_envs=3, num_users=2))
        >>> observations, info = env.reset(seed=0)
        >>> env.mean.blocks  # seen so far
        array([1, 1, 1])
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env, MEANS)
