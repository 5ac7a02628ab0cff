"""Decision times on a batch: what a policy costs that decides for many networks at once."""

from __future__ import annotations

import time
from typing import Any, cast

import gymnasium as gym
import numpy as np

from mec_cf_gym.allocation import Policy
from mec_cf_gym.envs.vector import MECVectorEnv
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.fields import refuse
from mec_cf_gym.scenario import MOST_NUMBERS, Scenario

BATCH = 256
REPEATS = 3


def batch_decision_ms(env_id: str, scenario: Scenario, policy: Policy) -> float:
    """Return the time of a decision for 256 test networks at once, per block, in ms: the median of three.

    Raises:
        ValueError: If so many networks would not fit into memory, or the policy takes no batch.
    """
    env: Any = gym.make_vec(env_id, num_envs=BATCH, scenario=scenario)
    numbers = env.unwrapped.scenario.numbers_per_network
    if numbers * BATCH > MOST_NUMBERS:
        raise refuse("env_id", env_id, f"{BATCH} networks with {numbers:.1e} gains each are too many to time")
    observation, _ = env.reset(seed=list(seeds("test", BATCH)))
    block = cast(MECVectorEnv, env.unwrapped).block
    policy.reset(0)
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        policy.allocate(observation, block)
        times.append(time.perf_counter() - began)
    env.close()
    return 1e3 * float(np.median(times)) / BATCH
