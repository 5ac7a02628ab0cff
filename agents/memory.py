"""Memory in the observation: the mean of the gains seen in the episode, in place of the last ones."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from mec_cf_gym.envs.observation import Observation
from mec_cf_gym.envs.running_mean import RunningMean


class MeanGains(gym.Wrapper[Observation, Any, Observation, Any], RecordConstructorArgs):
    """Shows a policy the means of the gains seen since the reset; tasks are those of the current block.

    The observation space stays. Where channels are known late (``csi_delay_blocks``) the mean tells what does not
    fade: see the page on sequential environments.

    Args:
        env: An environment of this package, whose own observations reach this wrapper.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Reset, and forget what was seen."""
        observation, info = self.env.reset(seed=seed, options=options)
        self.mean = RunningMean.start(observation)
        return self.mean.shown(observation), info

    def step(self, action: Any) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Step, and take what is seen into the means."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.mean = self.mean.update(observation)
        return self.mean.shown(observation), reward, terminated, truncated, info


class MeanGainsVector(gym.vector.VectorWrapper):
    """The same for the native vector environment; a row forgets what it saw when it begins a new episode.

    Args:
        env: A vector environment of this package, whose own observations reach this wrapper.
    """

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Reset all rows, or those of ``options["reset_mask"]``, which forget what they saw."""
        observations, info = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]  # a list is allowed
        mask = (options or {}).get("reset_mask")
        if mask is None:
            self.mean = RunningMean.start(observations)
            self._ended = np.zeros(self.num_envs, np.bool_)
        else:
            self.mean = self.mean.restart(observations, mask)
            self._ended = self._ended & ~mask
        return self.mean.shown(observations), info

    def step(self, actions: Any) -> tuple[Observation, Any, Any, Any, dict[str, Any]]:
        """Step; rows whose episode ended before show the first observation of the next."""
        observations, rewards, terminations, truncations, info = self.env.step(actions)
        self.mean = self.mean.update(observations, self._ended)
        self._ended = terminations | truncations
        return self.mean.shown(observations), rewards, terminations, truncations, info
