"""What a policy costs: the decision time on a batch of many networks at once, and its training."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Policy
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.envs.vector import MECVectorEnv
from mec_cf_gym.errors import refuse
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.scenario.scenario import MOST_NUMBERS, Scenario

BATCH = 256
REPEATS = 3
WAITING_BLOCKS = 10
"""Blocks of a dynamic world before the one that is timed, so that something waits; nobody is served in them."""


@dataclass(frozen=True)
class Cost:
    """What a policy costs beside single decisions; NaN for what was not measured, or never spent."""

    batch_decision_ms: float = math.nan
    training_s: float = math.nan
    training_steps: float = math.nan

    @classmethod
    def of_training(cls, policy: Policy) -> Cost:
        """Return what the policy's ``card`` says of its training, if it has one."""
        training = (getattr(policy, "card", None) or {}).get("training", {})
        return cls(
            training_s=float(training.get("training_s", math.nan)),
            training_steps=float(training.get("steps", math.nan)),
        )


def batch_decision_ms(env_id: str, scenario: Scenario, policy: Policy) -> float:
    """Return the time of a decision for 256 test networks at once, per block, in ms: the median of three.

    Raises:
        ValueError: If so many networks would not fit into memory, or the policy takes no batch.
    """
    observation, block = _batch(env_id, scenario)
    policy.reset(0)
    times = []
    for _ in range(REPEATS):
        seen = {name: array.copy() for name, array in observation.items()}  # a policy may write into what it sees
        began = time.perf_counter()
        policy.allocate(seen, block)
        times.append(time.perf_counter() - began)
    return 1e3 * float(np.median(times)) / BATCH


@functools.lru_cache(maxsize=1)
def _batch(env_id: str, scenario: Scenario) -> tuple[Mapping[str, NDArray[np.float32]], CoherenceBlock]:
    """Return observations and blocks of 256 test networks: the first ones, or where tasks queue up a later one."""
    env: Any = gym.make_vec(env_id, num_envs=BATCH, scenario=scenario)
    numbers = env.unwrapped.scenario.numbers_per_network
    if numbers * BATCH > MOST_NUMBERS:
        raise refuse("env_id", env_id, f"{BATCH} networks with {numbers:.1e} gains each are too many to time")
    observation, _ = env.reset(seed=list(seeds("test", BATCH)))
    for _ in range(min(WAITING_BLOCKS, scenario.episode.episode_blocks - 1) if scenario.is_dynamic else 0):
        observation, *_ = env.step(np.zeros(env.action_space.shape, np.float32))
    block = cast(MECVectorEnv, env.unwrapped).block
    env.close()
    return observation, block
