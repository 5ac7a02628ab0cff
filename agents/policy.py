"""A trained agent as a policy, so that it runs beside the solvers in every evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.agents.actions import LogPowerAction
from mec_cf_gym.agents.memory import MeanGains
from mec_cf_gym.allocation import Allocation
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.envs.running_mean import RunningMean
from mec_cf_gym.envs.single import MECEnv
from mec_cf_gym.errors import refuse


class Predictor(Protocol):
    """Anything with the ``predict`` method of Stable-Baselines3."""

    def predict(self, observation: Any, *, deterministic: bool) -> tuple[NDArray[Any], Any]:
        """Return an action, and a state that is not used here."""
        ...


class AgentPolicy:
    """Lets an agent decide through the wrappers it was trained behind.

    Observations pass through the environment's observation wrappers and ``MeanGains`` on their way to the agent,
    and actions through its action wrappers (such as ``RescaleAction``) and ``LogPowerAction`` on their way back.

    Args:
        agent: A Stable-Baselines3 model, or anything with its ``predict``.
        env: The environment it was trained in, with its wrappers; only their translations are used.

    Raises:
        ValueError: If the environment is not one of this package.
    """

    def __init__(self, agent: Predictor, env: gym.Env[Any, Any]) -> None:
        if not isinstance(env.unwrapped, MECEnv):
            raise refuse("env", env, "it must be an environment of mec_cf_gym")
        self.agent = agent
        self.base = env.unwrapped
        self.seen_space = env.observation_space
        self.outer_first = list(_wrappers(env))
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin an episode: means of what was seen begin anew."""
        self.mean: RunningMean | None = None

    def allocate(self, observation: Mapping[str, NDArray[np.float32]], block: CoherenceBlock) -> Allocation:
        """Return what the agent, without exploration noise, decides on an observation."""
        seen: Any = dict(observation)
        below: list[Any] = []  # what every wrapper is shown, the innermost first
        for wrapper in reversed(self.outer_first):
            below.append(seen)
            if isinstance(wrapper, gym.ObservationWrapper):
                seen = wrapper.observation(seen)
            elif isinstance(wrapper, MeanGains):
                self.mean = RunningMean.start(seen) if self.mean is None else self.mean.update(seen)
                seen = self.mean.shown(seen)
        if not self.seen_space.contains(seen):
            raise refuse("observation", seen, "a wrapper of env changes it in a way that cannot be repeated here")
        action, _ = self.agent.predict(seen, deterministic=True)
        for wrapper, shown in zip(self.outer_first, reversed(below), strict=True):
            if isinstance(wrapper, gym.ActionWrapper):
                action = wrapper.action(action)
            elif isinstance(wrapper, LogPowerAction):
                action = wrapper.log_power.plain(action, shown)
        return self.base.codec.decode(action, block.servers)


def _wrappers(env: gym.Env[Any, Any]) -> list[gym.Wrapper[Any, Any, Any, Any]]:
    chain = []
    while isinstance(env, gym.Wrapper):
        chain.append(env)
        env = env.env
    return chain
