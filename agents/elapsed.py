"""Time in the observation: how much of an episode is over, which decides what a full battery is still good for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from mec_cf_gym.agents.translation import Seen, Translation
from mec_cf_gym.agents.wrappers import TranslationWrapper
from mec_cf_gym.envs.contract import Contract


@dataclass(frozen=True)
class Elapsed:
    """Blocks since the reset, in every row."""

    episode_blocks: int
    blocks: NDArray[np.int64]  # (...)

    def update(self, observation: Seen, starts: ArrayLike = False) -> Elapsed:
        """Return the count one block later; rows in ``starts``, ``(...)``, begin anew."""
        return dataclasses.replace(self, blocks=np.where(starts, 0, self.blocks + 1))

    def restart(self, observation: Seen, mask: NDArray[np.bool_]) -> Elapsed:
        """Return the count, begun anew in the rows under ``mask``, ``(...)``."""
        return dataclasses.replace(self, blocks=np.where(mask, 0, self.blocks))

    def shown(self, observation: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return the observation with ``elapsed`` ``(..., 1)``, from 0 to 1."""
        share = np.minimum(self.blocks / self.episode_blocks, 1.0)
        return {**observation, "elapsed": share[..., None].astype(np.float32)}


@dataclass(frozen=True)
class Clock:
    """Begins the count of an episode's blocks."""

    episode_blocks: int

    def start(self, observation: Seen) -> Elapsed:
        """Return the count after the first observation of an episode, of one environment or of many."""
        return Elapsed(self.episode_blocks, np.zeros(observation["signal"].shape[:-2], np.int64))


def timed(contract: Contract) -> Translation:
    """Return what :class:`ElapsedTime` changes."""
    shown = {**contract.observation_space.spaces, "elapsed": spaces.Box(0.0, 1.0, (1,))}
    clock = Clock(contract.scenario.episode.episode_blocks)
    return Translation(memory=clock, observation_space=spaces.Dict(shown))


class ElapsedTime(TranslationWrapper):
    """Shows a policy which part of the episode is over, as ``elapsed``: in the last blocks nothing need be saved.

    It counts the blocks of the scenario's ``episode_blocks`` since the reset.

    Args:
        env: An environment of this package, whose own observations reach this wrapper.

    Examples:
        >>> env = ElapsedTime(gym.make("MECCellFreeDynamic-v0", num_users=2, episode_blocks=4))
        >>> env.reset(seed=0)[0]["elapsed"]
        array([0.], dtype=float32)
        >>> env.step(env.action_space.sample())[0]["elapsed"]
        array([0.25], dtype=float32)
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env, timed(env.unwrapped.contract))  # type: ignore[attr-defined]
