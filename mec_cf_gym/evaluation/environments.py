"""What environments are about, as the scenarios tell that they have if none is given."""

from __future__ import annotations

import functools
from typing import Any

import gymnasium as gym

from mec_cf_gym.registration import env_ids
from mec_cf_gym.scenario import Scenario


@functools.cache
def usual_scenario(env_id: str) -> Scenario:
    """Return the scenario that an environment has if none is given."""
    env: Any = gym.make(env_id).unwrapped
    scenario: Scenario = env.scenario
    return scenario


def is_delayed(env_id: str) -> bool:
    """Return whether observations show channels of the past."""
    return env_id in env_ids() and usual_scenario(env_id).dynamics.csi_delay_blocks > 0


def is_of_paper_b(env_id: str) -> bool:
    """Return whether users share servers, and power and its objective matter, as in paper B."""
    return env_id in env_ids() and usual_scenario(env_id).computing.server == "shared"


def is_of_paper_a(env_id: str) -> bool:
    """Return whether the problem and what is observed are those of paper A."""
    return env_id in env_ids() and not is_of_paper_b(env_id) and not is_delayed(env_id)
