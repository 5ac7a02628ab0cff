"""What counts in training: gains over a reference, pairs of rows on the same networks, and episodes that end."""

from __future__ import annotations

import copy
from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from mec_cf_gym.agents.reference import reference_for
from mec_cf_gym.envs.vector import MECVectorEnv
from mec_cf_gym.errors import refuse


class AgainstReference(gym.vector.VectorWrapper):
    """Rewards what is earned over the reference in the same block of the same network.

    The reference plays every episode beforehand, with the same users, channels and arrivals, which do not depend
    on what is done: their luck, which hides what an action is worth, goes. The best policy stays the same.

    Args:
        env: A vector environment of this package, or one behind wrappers of its actions and observations.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env)
        self._base = cast(MECVectorEnv, env.unwrapped)
        self._blocks = self._base.scenario.episode.episode_blocks
        self._earned = np.zeros((self._blocks, self.num_envs))  # by the reference
        self._elapsed = np.zeros(self.num_envs, np.int64)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset, and let the reference play the new episodes."""
        observations, info = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]  # a list is allowed
        mask = (options or {}).get("reset_mask")
        new = np.ones(self.num_envs, np.bool_) if mask is None else np.asarray(mask)
        self._rehearse(new)
        return observations, info

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step, and compare. Rows that begin a new episode in this step earn nothing."""
        observations, rewards, terminations, truncations, info = self.env.step(actions)
        begun = self._elapsed >= self._blocks
        block = np.minimum(self._elapsed, self._blocks - 1)
        earned = self._earned[block, np.arange(self.num_envs)]
        gain = np.asarray(rewards) - earned
        self._elapsed += 1
        if begun.any():
            self._rehearse(begun)
        return observations, np.where(begun, 0.0, gain), terminations, truncations, info

    def _rehearse(self, rows: NDArray[np.bool_]) -> None:
        """Let the reference play the episodes that begin in some rows, ``(num_envs,)``."""
        twin, reference = copy.deepcopy(self._base), reference_for(self._base.scenario)
        reference.reset(0)
        observation: dict[str, NDArray[np.float32]] = {}
        for block in range(self._blocks):
            observation, earned, *_ = twin.apply(reference.allocate(observation, twin.block))
            self._earned[block, rows] = earned[rows]
        self._elapsed[rows] = 0


class Pairs(gym.vector.VectorWrapper):
    """Lets the second half of the rows meet the networks of the first, whatever is done in them.

    Args:
        env: A vector environment of this package with an even number of rows, or one behind wrappers.

    Raises:
        ValueError: For an odd number of rows.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env)
        if self.num_envs % 2:
            raise refuse("num_envs", self.num_envs, "pairs need an even number of rows")

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset; rows of a pair get the seed of the first, and go on with equal generators after that."""
        if isinstance(seed, int):
            seed = [seed + row for row in range(self.num_envs)]
        if seed is not None:
            seed = 2 * seed[: self.num_envs // 2]
        return self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]  # a list is allowed


class FiniteHorizon(gym.vector.VectorWrapper):
    """Lets episodes end for good after their last block: what queues and batteries hold then is worth nothing.

    Environments truncate episodes, whereupon learners add what they expect of the blocks after. Evaluations count
    the blocks of an episode alone, in which a battery had better be used up.

    Args:
        env: A vector environment of this package, or one behind wrappers.
    """

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step, and call truncations terminations."""
        observations, rewards, terminations, truncations, info = self.env.step(actions)
        return observations, rewards, terminations | truncations, np.zeros_like(truncations), info
