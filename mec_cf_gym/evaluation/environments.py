"""What environments are like as they come."""

from __future__ import annotations

import functools
from typing import Any

import gymnasium as gym

from mec_cf_gym.scenario import Scenario


@functools.cache
def usual_scenario(env_id: str) -> Scenario:
    """Return the scenario that an environment has if none is given."""
    env: Any = gym.make(env_id).unwrapped
    scenario: Scenario = env.scenario
    return scenario
