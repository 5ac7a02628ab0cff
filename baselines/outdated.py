"""Policies that see no more than observations: for channels that are known late."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.exact import ExactMinMax
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.envs.observation import ratio_of
from mec_cf_gym.fields import refuse
from mec_cf_gym.performance import best_offload


class PowerRule(Protocol):
    """A solver, of which the powers are used."""

    def power(self, block: CoherenceBlock) -> Floats:
        """Return power ratios, ``(..., N, K)``."""
        ...


class Outdated:
    """A solver on the gains that observations show, in place of those of the current block.

    Tasks and speeds are current, as in the observation. Where channels are known late, a single observation is
    mostly fading that is over; the mean of all observations of an episode is close to what does not fade.

    Args:
        rule: Returns powers for a block.
        remember: Whether to decide on the mean of the gains seen so far, or on the last ones.
        trust: Powers are raised to this exponent: 1 takes them as they are, 0 is full power.

    Raises:
        ValueError: If ``trust`` is not in [0, 1].
    """

    def __init__(self, rule: PowerRule, *, remember: bool, trust: float = 1.0) -> None:
        if not 0 <= trust <= 1:
            raise refuse("trust", trust, "it must be in [0, 1]")
        self.rule, self.remember, self.trust = rule, remember, trust
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin an episode: what was seen is forgotten."""
        self.count = 0
        self.mean: dict[str, Floats] = {}

    def allocate(self, observation: Mapping[str, NDArray[np.float32]], block: CoherenceBlock) -> Allocation:
        """Return the solver's powers, and the best split, for the gains that were seen."""
        seen = {f"{name}_gain": ratio_of(observation[name]) for name in ("signal", "interference")}
        if self.remember:
            self.count += 1
            for name, gain in seen.items():
                before = self.mean.get(name, np.zeros_like(gain))
                self.mean[name] = before + (gain - before) / self.count
            seen = self.mean
        believed = dataclasses.replace(block, **seen)
        power = self.rule.power(believed) ** self.trust
        return Allocation(power, best_offload(believed, power))


def outdated_exact() -> Outdated:
    """Return the exact solution for the last gains that were seen: it remembers nothing."""
    return Outdated(_Exact(), remember=False)


def averaged_exact() -> Outdated:
    """Return the exact solution for the mean of the gains seen in the episode."""
    return Outdated(_Exact(), remember=True)


class _Exact(ExactMinMax):
    def power(self, block: CoherenceBlock) -> Floats:
        return self.solve(block).power
