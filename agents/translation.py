"""What a wrapper changes between an environment and a model: observations one way, actions the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from mec_cf_gym.block.block import Link

Seen = Mapping[str, NDArray[Any]]
Arrays = Mapping[str, NDArray[np.float64]]


class Translation:
    """What one wrapper changes; this one, by itself, nothing. Single, vector and trained agents share it.

    Attributes:
        observation_space: What is seen above the wrapper; None: the same as below it.
        action_space: How actions are given above the wrapper; None: as below it.
    """

    observation_space: spaces.Space[Any] | None = None
    action_space: spaces.Space[Any] | None = None

    def remember(self, memory: Any, observation: Any, starts: ArrayLike = False) -> Any:
        """Return what is remembered after an observation.

        Args:
            memory: What was remembered before; None at the beginning.
            observation: From below the wrapper.
            starts: Rows in which it is the first of an episode: they forget.
        """
        return None

    def seen(self, observation: Any, memory: Any) -> Any:
        """Return what is seen of an observation from below the wrapper."""
        return observation

    def plain(self, action: Any, observation: Any, link: Link | None = None) -> Any:
        """Return the action below the wrapper.

        Args:
            action: From above it.
            observation: From below it: the one that the action answers.
            link: Of the current block or scenario.
        """
        return action


class Rescale(Translation):
    """Gymnasium's ``RescaleAction``: actions within other bounds, clipped to them.

    Args:
        below: The action space that actions are scaled to.
        min_action: Lower bound above the wrapper.
        max_action: Upper bound.
    """

    def __init__(self, below: spaces.Box, min_action: float, max_action: float) -> None:
        self.below = below
        self.box = spaces.Box(np.float32(min_action), np.float32(max_action), below.shape)
        self.action_space = self.box

    def plain(self, action: NDArray[Any], observation: Any, link: Link | None = None) -> NDArray[np.float32]:
        """Return the action between the bounds below."""
        low, high, below = self.box.low, self.box.high, self.below
        inside = below.low + (np.clip(action, low, high) - low) / (high - low) * (below.high - below.low)
        return np.asarray(inside, np.float32)


@dataclass(frozen=True)
class Statistics(Translation):
    """Running statistics that observations are normalised by, as ``VecNormalize`` does it."""

    mean: Arrays = field(default_factory=dict)
    variance: Arrays = field(default_factory=dict)
    clip: float = 10.0
    epsilon: float = 1e-8

    @classmethod
    def of(cls, normaliser: Any) -> Statistics:
        """Return the present statistics of a ``VecNormalize`` of dictionaries; none for None."""
        if normaliser is None or not normaliser.norm_obs:
            return cls()
        running = normaliser.obs_rms.items()
        mean, variance = ({name: getattr(rms, part) for name, rms in running} for part in ("mean", "var"))
        return cls(mean, variance, normaliser.clip_obs, normaliser.epsilon)

    def seen(self, observation: Seen, memory: Any = None) -> dict[str, NDArray[Any]]:
        """Return an observation whose entries with statistics have mean zero and variance one."""
        normalised = dict(observation)
        for name, mean in self.mean.items():
            scaled = (observation[name] - mean) / np.sqrt(self.variance[name] + self.epsilon)
            normalised[name] = np.clip(scaled, -self.clip, self.clip).astype(np.float32)
        return normalised


@dataclass(frozen=True)
class Functions(Translation):
    """A wrapper that remembers nothing, by what it does to observations and to actions; None: nothing."""

    observe: Callable[[Any], Any] | None = None
    act: Callable[[Any], Any] | None = None

    def seen(self, observation: Any, memory: Any) -> Any:
        """Return what is seen of an observation."""
        return observation if self.observe is None else self.observe(observation)

    def plain(self, action: Any, observation: Any, link: Link | None = None) -> Any:
        """Return the action below."""
        return action if self.act is None else self.act(action)
