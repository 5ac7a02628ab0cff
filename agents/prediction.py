"""Predictions in the observation: the gains expected of the current channels, in place of the last seen."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium import spaces

from mec_cf_gym.agents.channel_memory import LinearPrediction
from mec_cf_gym.agents.translation import Translation
from mec_cf_gym.agents.wrappers import TranslationWrapper
from mec_cf_gym.envs.contract import Contract

WINDOW = 16
"""Observations that a prediction is made from, unless told otherwise."""
SHOWN = ("signal", "interference", "task")


def predicted(contract: Contract, window: int = WINDOW) -> Translation:
    """Return what :class:`PredictedGains` changes."""
    shown = spaces.Dict({name: contract.observation_space[name] for name in SHOWN})
    return Translation(memory=LinearPrediction.of(contract.scenario, window), observation_space=shown)


class PredictedGains(TranslationWrapper):
    """Shows a policy the gains that are expected of the current channels, predicted from those of the last blocks.

    Where channels are known late (``csi_delay_blocks``) and fade as Clarke has it, the best linear prediction from
    the last observations tells far more than the last one; see the page on sequential environments. For it the
    carrier, the speed of the users, the delay and the error of estimates have to be known, as in the scenario; the
    mean powers of channels are those seen in the episode. Complex channels are not shown any more.

    Args:
        env: An environment of this package with ``observation="channel"``, maximum-ratio combining, and one speed.
        window: Observations that a prediction is made from; fewer at the beginning of an episode.

    Raises:
        ValueError: For another environment, or a window that is no count.

    Examples:
        >>> env = PredictedGains(gym.make("MECCellFreeDelayed-v1", num_users=2))
        >>> observation, info = env.reset(seed=0)
        >>> sorted(observation)
        ['interference', 'signal', 'task']
    """

    def __init__(self, env: gym.Env[Any, Any], window: int = WINDOW) -> None:
        super().__init__(env, predicted(env.unwrapped.contract, window), window=window)  # type: ignore[attr-defined]
