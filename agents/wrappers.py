"""Wrappers that apply a translation: for single environments, and for vector environments."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector.utils import batch_space

from mec_cf_gym.agents.translation import Translation

Observation = dict[str, Any]


class _Translated:
    """What both forms share: the last observation below the wrapper, which actions answer, and the memory.

    The observation is copied, since users may write into the one that they are handed.
    """

    translation: Translation
    _below: Any = None
    mean: Any
    """The memory, such as means of gains; None if the translation has none."""
    unwrapped: Any

    def _remember(self, observation: Any, memory: Any, starts: Any = False) -> Any:
        """Update the memory with an observation from below; return the one above."""
        self.mean = self.translation.remember(memory, observation, starts)
        return self._seen(observation)

    def _seen(self, observation: Any) -> Any:
        """Return the observation above, for one from below that the memory has counted."""
        if self.translation.act is not None:
            self._below = {name: values.copy() for name, values in observation.items() if name != "csi"}
        return self.translation.seen(observation, self.mean)

    def _plain(self, action: Any) -> Any:
        """Return the action below, for one from above."""
        return self.translation.plain(action, self._below, self.unwrapped.contract.link)


class TranslationWrapper(_Translated, gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """An environment of this package behind a translation.

    Args:
        env: The environment, whose own observations and actions reach this wrapper.
        translation: Of observations and actions.
        **arguments: Of the wrapper, for its ``spec``.
    """

    def __init__(self, env: gym.Env[Any, Any], translation: Translation, **arguments: Any) -> None:
        RecordConstructorArgs.__init__(self, **arguments)
        gym.Wrapper.__init__(self, env)
        self.translation = translation
        self.action_space = translation.action_space or env.action_space
        self.observation_space = translation.observation_space or env.observation_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Reset; the memory starts anew."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._remember(observation, None), info

    def step(self, action: Any) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Step with the translated action."""
        observation, *rest = self.env.step(self._plain(action))
        return self._remember(observation, self.mean), *rest


class TranslationVectorWrapper(_Translated, gym.vector.VectorWrapper):
    """A vector environment of this package behind a translation; rows forget as they begin a new episode.

    Args:
        env: The vector environment, whose own observations and actions reach this wrapper.
        translation: Of observations and actions.
    """

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any], translation: Translation) -> None:
        super().__init__(env)
        self.translation = translation
        if translation.action_space is not None:
            self.single_action_space = translation.action_space
            self.action_space = batch_space(translation.action_space, self.num_envs)
        if translation.observation_space is not None:
            self.single_observation_space = translation.observation_space
            self.observation_space = batch_space(translation.observation_space, self.num_envs)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Reset all rows, or those of ``options["reset_mask"]``; their memory starts anew."""
        observations, info = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]  # a list is allowed
        mask = (options or {}).get("reset_mask")
        if mask is None or mask.all():
            self._ended = np.zeros(self.num_envs, np.bool_)
            return self._remember(observations, None), info
        self._ended = self._ended & ~mask
        if self.mean is not None:
            self.mean = self.mean.restart(observations, mask)
        return self._seen(observations), info

    def step(self, actions: Any) -> tuple[Observation, Any, Any, Any, dict[str, Any]]:
        """Step with the translated actions; rows whose episode ended before show the first of the next."""
        observations, rewards, terminations, truncations, info = self.env.step(self._plain(actions))
        observations = self._remember(observations, self.mean, self._ended)
        self._ended = terminations | truncations
        return observations, rewards, terminations, truncations, info
