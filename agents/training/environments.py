"""Vector environments for training: the native one, behind the wrappers that a hyperparameter file names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers.vector import RescaleAction
from stable_baselines3.common.vec_env import VecEnv, VecMonitor, VecNormalize

from mec_cf_gym.agents.actions import LogPowerVectorAction
from mec_cf_gym.agents.memory import MeanGainsVector
from mec_cf_gym.agents.translation import LOG_POWER, MEAN_GAINS, RESCALE
from mec_cf_gym.agents.vec_env import SB3VecEnv
from mec_cf_gym.errors import refuse
from mec_cf_gym.scenario import Scenario

Wrappers = Sequence[tuple[str, dict[str, Any]]]
"""Dotted names and arguments, the innermost first."""


def _rescaled(env: gym.vector.VectorEnv[Any, Any, Any], min_action: float, max_action: float) -> Any:
    low, high = np.array([min_action, max_action], np.float32)
    return RescaleAction(env, low, high)


VECTOR_WRAPPERS: dict[str, Callable[..., gym.vector.VectorEnv[Any, Any, Any]]] = {
    MEAN_GAINS: MeanGainsVector,
    LOG_POWER: LogPowerVectorAction,
    RESCALE: _rescaled,
}
"""The vector form of each wrapper that a file may name."""


def wrapped(env: gym.vector.VectorEnv[Any, Any, Any], wrappers: Wrappers) -> gym.vector.VectorEnv[Any, Any, Any]:
    """Return a vector environment behind wrappers.

    Raises:
        ValueError: For a wrapper without a vector form.
    """
    for name, arguments in wrappers:
        if name not in VECTOR_WRAPPERS:
            raise refuse("env_wrapper", name, f"it must be one of {', '.join(VECTOR_WRAPPERS)}")
        env = VECTOR_WRAPPERS[name](env, **arguments)
    return env


def training_env(
    env_id: str,
    scenario: Scenario,
    num_envs: int,
    wrappers: Wrappers,
    normalize: bool | dict[str, Any] | None = None,
    gamma: float = 0.99,
) -> VecEnv:
    """Return what a model of Stable-Baselines3 trains in: one batch of networks, monitored.

    Args:
        env_id: Id of the environment.
        scenario: Its scenario.
        num_envs: Networks side by side.
        wrappers: Around the native vector environment.
        normalize: Whether observations and rewards are normalised by running statistics, or arguments for that.
        gamma: Discount factor, for the statistics of returns.
    """
    native = gym.make_vec(env_id, num_envs=num_envs, scenario=scenario)
    env: VecEnv = VecMonitor(SB3VecEnv(wrapped(native, wrappers)))
    if normalize:
        arguments = {} if normalize is True else normalize
        env = VecNormalize(env, **{"gamma": gamma, **arguments})
    return env
