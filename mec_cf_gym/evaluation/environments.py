"""Properties of environments, read from their default scenarios."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from typing import Any

import gymnasium as gym

from mec_cf_gym.errors import refuse
from mec_cf_gym.registration import env_ids
from mec_cf_gym.scenario import Scenario

OF_PAST_GAINS = ("outdated-exact", "averaged-exact")
"""Policies that decide on the gains that past observations showed."""
OF_PAST_CHANNELS = ("predicted-exact",)
"""Policies that decide on the complex channels that past observations showed."""


@functools.cache
def usual_scenario(env_id: str) -> Scenario:
    """Return the default scenario of an environment."""
    env: Any = gym.make(env_id).unwrapped
    scenario: Scenario = env.scenario
    return scenario


def is_delayed(env_id: str) -> bool:
    """Return whether observations show channels of the past."""
    return env_id in env_ids() and usual_scenario(env_id).dynamics.csi_delay_blocks > 0


def of_the_past(env_id: str) -> tuple[str, ...]:
    """Return the policies that decide on past observations of an environment with delayed CSI."""
    shows_channels = usual_scenario(env_id).episode.observation == "channel"
    return OF_PAST_GAINS + OF_PAST_CHANNELS if shows_channels else OF_PAST_GAINS


def is_of_paper_b(env_id: str) -> bool:
    """Return whether users share servers, and power and its objective matter, as in paper B."""
    return env_id in env_ids() and usual_scenario(env_id).computing.server == "shared"


def is_dynamic(env_id: str) -> bool:
    """Return whether tasks queue up, so that actions have consequences."""
    return env_id in env_ids() and usual_scenario(env_id).is_dynamic


def check_names(option: str, names: Sequence[str], known: Collection[str]) -> None:
    """Check names that an option lists.

    Raises:
        ValueError: If there is none, or an unknown one.
    """
    if not names:
        raise refuse(option, "", "it must name one at least")
    for name in names:
        if name not in known:
            raise refuse(option, name, f"it must be one of {', '.join(known)}")
