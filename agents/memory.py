"""Memory in the observation: the mean of the gains seen in the episode, in place of the last ones."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from numpy.typing import ArrayLike, NDArray

from mec_cf_gym.agents.translation import Seen, Translation
from mec_cf_gym.agents.wrappers import TranslationWrapper
from mec_cf_gym.envs.running_mean import RunningMean


class Means(Translation):
    """Shows the means of the gains; its memory is a :class:`RunningMean`."""

    def remember(self, memory: RunningMean | None, observation: Seen, starts: ArrayLike = False) -> RunningMean:
        """Return the means after an observation."""
        return RunningMean.start(observation) if memory is None else memory.update(observation, starts)

    def seen(self, observation: Seen, memory: RunningMean) -> dict[str, NDArray[Any]]:
        """Return the observation with the means in place of its gains."""
        return memory.shown(observation)


class MeanGains(TranslationWrapper):
    """Shows a policy the means of the gains seen since the reset; tasks are those of the current block.

    The observation space stays. Where channels are known late (``csi_delay_blocks``) the mean tells what does not
    fade: see the page on sequential environments.

    Args:
        env: An environment of this package, whose own observations reach this wrapper.

    Examples:
        >>> env = MeanGains(gym.make("MECCellFreeDelayed-v0", num_users=2))
        >>> observation, info = env.reset(seed=0)
        >>> observation, *_ = env.step(env.action_space.sample())
        >>> env.mean.blocks  # seen so far
        array(2)
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env, Means())

    @property
    def mean(self) -> RunningMean:
        """The means since the reset."""
        return self._memory  # type: ignore[no-any-return]
