"""Vector environments for training: the native one, behind the wrappers that a hyperparameter file names."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from stable_baselines3.common.vec_env import VecEnv, VecMonitor, VecNormalize

from mec_cf_gym.agents.stack import Named, wrapper_named
from mec_cf_gym.agents.vec_env import SB3VecEnv
from mec_cf_gym.scenario import Scenario


def wrapped(env: gym.vector.VectorEnv[Any, Any, Any], wrappers: Named) -> gym.vector.VectorEnv[Any, Any, Any]:
    """Return a vector environment behind the vector forms of wrappers.

    Raises:
        ValueError: For a wrapper without a vector form.
    """
    for name, arguments in wrappers:
        env = wrapper_named(name).vector(env, **arguments)
    return env


def training_env(
    env_id: str,
    scenario: Scenario,
    num_envs: int,
    wrappers: Named,
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
