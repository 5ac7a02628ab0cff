"""Memory in the observation: the mean of the gains since the reset, in place of the last ones."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from mec_cf_gym.agents.translation import Translation
from mec_cf_gym.agents.wrappers import TranslationWrapper
from mec_cf_gym.envs.running_mean import RunningMean

MEANS = Translation(memory=RunningMean)
"""What :class:`MeanGains` changes."""


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
        super().__init__(env, MEANS)
