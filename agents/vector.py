"""The wrappers for vector environments, under the names of those for single ones, as in Gymnasium."""

from __future__ import annotations

from typing import Any

from gymnasium.vector import VectorEnv

from mec_cf_gym.agents.actions import LEAST_DB, LogPower
from mec_cf_gym.agents.elapsed import timed
from mec_cf_gym.agents.memory import MEANS
from mec_cf_gym.agents.prediction import WINDOW, predicted
from mec_cf_gym.agents.priced_action import RANGE_DB, Prices
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


class PredictedGains(TranslationVectorWrapper):
    """Shows the gains that are expected of rows' current channels: see :class:`mec_cf_gym.agents.PredictedGains`.

    Args:
        env: A vector environment of this package with ``observation="channel"``.
        window: Observations that a prediction is made from.

    Examples:
        >>> import gymnasium as gym
        >>> env = PredictedGains(gym.make_vec("MECCellFreeDelayed-v1", num_envs=3, num_users=2))
        >>> observations, info = env.reset(seed=0)
        >>> observations["signal"].shape
        (3, 1, 2)
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], window: int = WINDOW) -> None:
        super().__init__(env, predicted(env.unwrapped.contract, window))  # type: ignore[attr-defined]


class PricedAction(TranslationVectorWrapper):
    """Lets a learner act in worths and prices, in all rows: see :class:`mec_cf_gym.agents.PricedAction`.

    Args:
        env: A dynamic vector environment of this package.
        range_db: How far entries reach, up and down.

    Examples:
        >>> import gymnasium as gym
        >>> env = PricedAction(gym.make_vec("MECCellFreeDynamic-v0", num_envs=3, num_users=2))
        >>> env.action_space.shape
        (3, 4)
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], range_db: float = RANGE_DB) -> None:
        self.prices = Prices(env.unwrapped.contract, range_db)  # type: ignore[attr-defined]
        super().__init__(env, self.prices.translation)


class ElapsedTime(TranslationVectorWrapper):
    """Shows which part of rows' episodes is over: see :class:`mec_cf_gym.agents.ElapsedTime`.

    Args:
        env: A vector environment of this package, whose own observations reach this wrapper.

    Examples:
        >>> import gymnasium as gym
        >>> env = ElapsedTime(gym.make_vec("MECCellFreeDynamic-v0", num_envs=3, num_users=2))
        >>> env.reset(seed=0)[0]["elapsed"].shape
        (3, 1)
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env, timed(env.unwrapped.contract))  # type: ignore[attr-defined]
