"""What a wrapper changes between an environment and a model: observations one way, actions the other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from mec_cf_gym.block.block import Link

Seen = Mapping[str, NDArray[Any]]
Arrays = Mapping[str, NDArray[np.float64]]


class Remembers(Protocol):
    """Begins a memory, whose ``update``, ``restart`` and ``shown`` are those of ``RunningMean``."""

    def start(self, observation: Seen) -> Any:
        """Return the memory after the first observation of an episode, of one environment or of many."""
        ...


@dataclass(frozen=True)
class Translation:
    """What one wrapper changes, for the single and the vector wrapper and for trained agents; None: nothing."""

    observe: Callable[[Any], Any] | None = None
    """From an observation below the wrapper to the one above it."""
    act: Callable[[Any, Any, Link | None], Any] | None = None
    """From an action above, the observation below that it answers, and the link, to the action below."""
    memory: Remembers | None = None
    """Begins a memory of observations, which is shown in their place."""
    observation_space: spaces.Space[Any] | None = None
    """Space of observations above the wrapper."""
    action_space: spaces.Space[Any] | None = None
    """Space of actions above the wrapper."""

    def remember(self, memory: Any, observation: Any, starts: ArrayLike = False) -> Any:
        """Return the memory after an observation; rows in ``starts``, ``(rows,)``, forget what was before."""
        if self.memory is None:
            return None
        return self.memory.start(observation) if memory is None else memory.update(observation, starts)

    def seen(self, observation: Any, memory: Any) -> Any:
        """Return the observation above the wrapper."""
        shown = observation if memory is None else memory.shown(observation)
        return shown if self.observe is None else self.observe(shown)

    def plain(self, action: Any, observation: Any, link: Link | None) -> Any:
        """Return the action below the wrapper."""
        return action if self.act is None else self.act(action, observation, link)


def rescaled(below: spaces.Box, min_action: float, max_action: float) -> Translation:
    """Return what Gymnasium's ``RescaleAction`` does, where actions outside the bounds are clipped to them."""
    box = spaces.Box(np.float32(min_action), np.float32(max_action), below.shape)
    return Translation(act=functools.partial(_scaled, below, box), action_space=box)


def _scaled(
    below: spaces.Box, box: spaces.Box, action: NDArray[Any], observation: Any, link: Link | None
) -> NDArray[np.float32]:
    inside = (np.clip(action, box.low, box.high) - box.low) / (box.high - box.low)
    return np.asarray(below.low + inside * (below.high - below.low), np.float32)


@dataclass(frozen=True)
class Statistics:
    """Running statistics that observations are normalised by, as ``VecNormalize`` does it."""

    mean: Arrays = field(default_factory=dict)
    variance: Arrays = field(default_factory=dict)
    clip: float = 10.0
    epsilon: float = 1e-8

    @classmethod
    def of(cls, normaliser: Any) -> Statistics:
        """Return the present statistics of a ``VecNormalize`` of dictionaries; empty ones for None."""
        if normaliser is None or not normaliser.norm_obs:
            return cls()
        running = normaliser.obs_rms.items()
        mean, variance = ({name: getattr(rms, part) for name, rms in running} for part in ("mean", "var"))
        return cls(mean, variance, normaliser.clip_obs, normaliser.epsilon)

    def normalised(self, seen: Seen) -> dict[str, NDArray[Any]]:
        """Return an observation whose entries with statistics have mean zero and variance one."""
        normalised = dict(seen)
        for name, mean in self.mean.items():
            scaled = (seen[name] - mean) / np.sqrt(self.variance[name] + self.epsilon)
            normalised[name] = np.clip(scaled, -self.clip, self.clip).astype(np.float32)
        return normalised
