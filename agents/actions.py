"""Powers in dB: the scale that learners act on, translated into the environment's plain ratios."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mec_cf_gym.envs.action import ActionCodec, within_one
from mec_cf_gym.envs.observation import OBSERVATIONS, Gains, Observation
from mec_cf_gym.fields import refuse
from mec_cf_gym.performance import best_offload
from mec_cf_gym.scenario import Scenario

LEAST_DB = -40.0
"""Powers span four decades: where interference matters, the best ones are often that far below the budget."""
SPLITS_OF_TASKS = ("closed_form", "as_is")
Floats = NDArray[np.float32]


class LogPower:
    """Translates actions with powers in dB below the budget into those of an environment.

    An action holds ``10 log10 p[n, k]`` row by row, in ``[least_db, 0]``; with ``split="as_is"`` the offload
    ratios follow. With ``split="closed_form"`` they are the best ones for the powers and the gains that are
    observed. Servers that are shared are shared equally.

    Args:
        scenario: Of the environment.
        least_db: The smallest power.
        split: ``"closed_form"`` or ``"as_is"``.

    Raises:
        ValueError: For another split, or a ``least_db`` that is not negative.
    """

    def __init__(self, scenario: Scenario, least_db: float = LEAST_DB, split: str = "closed_form") -> None:
        if not -200 <= least_db < 0:
            raise refuse("least_db", least_db, "it must be a number of dB in [-200, 0)")
        if split not in SPLITS_OF_TASKS:
            raise refuse("split", split, f"it must be one of {', '.join(map(repr, SPLITS_OF_TASKS))}")
        self.least_db, self.codec = least_db, ActionCodec(scenario)
        observation = OBSERVATIONS[scenario.episode.observation](scenario)
        if not isinstance(observation, Gains):
            raise refuse("observation", scenario.episode.observation, "powers in dB need one that shows the gains")
        self.observation = observation
        self.learns_split = split == "as_is" and "offload" in self.codec.shapes

    def space(self) -> spaces.Box:
        """Return the space of one row's action: powers in dB, then offload ratios if they are learned."""
        powers, users = self.codec.sizes["power"], self.codec.shapes["power"][1]
        low, high = np.full(powers, self.least_db, np.float32), np.zeros(powers, np.float32)
        if self.learns_split:
            low, high = np.append(low, np.zeros(users)), np.append(high, np.ones(users))
        return spaces.Box(low.astype(np.float32), high.astype(np.float32))

    def plain(self, action: NDArray[Any], observation: Mapping[str, NDArray[Any]]) -> Floats:
        """Return the environment's action, ``(..., entries)``, for an action and the observation it answers."""
        powers = self.codec.sizes["power"]
        ratio = 10.0 ** (np.asarray(action[..., :powers], np.float64) / 10)
        parts = [ratio]
        if self.learns_split:
            parts.append(action[..., powers:])
        elif "offload" in self.codec.shapes:
            power = within_one(ratio.reshape(*ratio.shape[:-1], *self.codec.shapes["power"]), axis=-2)
            parts.append(best_offload(self.observation.seen_block(observation), power))
        rest = self.codec.num_entries - sum(part.shape[-1] for part in parts)  # all ones: equal shares of servers
        parts.append(np.ones((*action.shape[:-1], rest)))
        return np.concatenate(parts, -1).astype(np.float32)


class LogPowerAction(gym.Wrapper[Observation, Any, Observation, Any]):
    """Lets a learner act in dB: see :class:`LogPower`. Wrap it in ``RescaleAction`` for actions in [-1, 1].

    Args:
        env: An environment of this package, whose own observations and actions reach this wrapper.
        least_db: The smallest power in dB.
        split: ``"closed_form"`` or ``"as_is"``.
    """

    def __init__(self, env: gym.Env[Any, Any], least_db: float = LEAST_DB, split: str = "closed_form") -> None:
        super().__init__(env)
        self.log_power = LogPower(env.unwrapped.scenario, least_db, split)  # type: ignore[attr-defined]
        self.action_space = self.log_power.space()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Reset, and remember what is seen."""
        self._seen, info = self.env.reset(seed=seed, options=options)
        return self._seen, info

    def step(self, action: Floats) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Step with the translated action."""
        plain = self.log_power.plain(np.asarray(action), self._seen)
        self._seen, reward, terminated, truncated, info = self.env.step(plain)
        return self._seen, reward, terminated, truncated, info


class LogPowerVectorAction(gym.vector.VectorWrapper):
    """The same for the native vector environment.

    Args:
        env: A vector environment of this package.
        least_db: The smallest power in dB.
        split: ``"closed_form"`` or ``"as_is"``.
    """

    def __init__(
        self, env: gym.vector.VectorEnv[Any, Any, Any], least_db: float = LEAST_DB, split: str = "closed_form"
    ) -> None:
        super().__init__(env)
        self.log_power = LogPower(env.unwrapped.scenario, least_db, split)  # type: ignore[attr-defined]
        self.single_action_space = self.log_power.space()
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Reset, and remember what is seen."""
        self._seen, info = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]  # a list is allowed
        return self._seen, info

    def step(self, actions: Floats) -> tuple[Observation, Any, Any, Any, dict[str, Any]]:
        """Step with the translated actions."""
        plain = self.log_power.plain(np.asarray(actions), self._seen)
        self._seen, rewards, terminations, truncations, info = self.env.step(plain)
        return self._seen, rewards, terminations, truncations, info
