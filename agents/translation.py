"""What lies between an environment and the policy of a trained agent: its wrappers, one observation at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_cf_gym.agents.actions import LogPower
from mec_cf_gym.envs.action import ActionCodec
from mec_cf_gym.envs.observation import OBSERVATIONS, TASK_UNITS
from mec_cf_gym.errors import refuse
from mec_cf_gym.scenario import Scenario

LOG_POWER = "mec_cf_gym.agents.actions.LogPowerAction"
RESCALE = "gymnasium.wrappers.RescaleAction"
MEAN_GAINS = "mec_cf_gym.agents.memory.MeanGains"
SHARED_FEATURES = len(TASK_UNITS) + 2
"""Features of a task before those of APs: deadline and cloud follow the ones that every network has."""
Seen = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Statistics:
    """Running statistics that observations are normalised by, and how."""

    mean: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    variance: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    clip: float = 10.0
    epsilon: float = 1e-8

    def normalised(self, seen: Seen) -> dict[str, NDArray[np.float32]]:
        """Return an observation whose entries with statistics have mean zero and variance one."""
        normalised = dict(seen)
        for name, mean in self.mean.items():
            scaled = (seen[name] - mean) / np.sqrt(self.variance[name] + self.epsilon)
            normalised[name] = np.clip(scaled, -self.clip, self.clip).astype(np.float32)
        return normalised


class Translation:
    """Turns observations into what a policy was trained on, and its actions into those of the environment.

    Args:
        scenario: Of the environment.
        wrappers: Dotted names and arguments of the wrappers that the policy was trained behind, innermost first.
        statistics: For normalised observations.

    Raises:
        ValueError: For a wrapper that is not known here.
    """

    def __init__(
        self,
        scenario: Scenario,
        wrappers: list[tuple[str, dict[str, Any]]],
        statistics: Statistics | None = None,
    ) -> None:
        self.scenario, self.wrappers = scenario, wrappers
        self.statistics = statistics or Statistics()
        self.log_power: LogPower | None = None
        self.remembers = False
        self.observation_space = OBSERVATIONS[scenario.episode.observation](scenario).space()
        space = ActionCodec(scenario).space()
        for name, arguments in wrappers:
            if name == LOG_POWER:
                self.log_power = LogPower(scenario, **arguments)
                space = self.log_power.space()
            elif name == MEAN_GAINS:
                self.remembers = True
            elif name != RESCALE:
                raise refuse("env_wrapper", name, f"it must be one of {MEAN_GAINS}, {LOG_POWER}, {RESCALE}")
        self.inner_space = space
        bounds = [arguments for name, arguments in wrappers if name == RESCALE]
        self.action_space = (
            spaces.Box(np.float32(bounds[-1]["min_action"]), np.float32(bounds[-1]["max_action"]), space.shape)
            if bounds
            else space
        )

    def resized(self, num_subcarriers: int, num_users: int, task_features: int) -> Translation:
        """Return the translation for a network of another size.

        Args:
            num_subcarriers: N.
            num_users: K.
            task_features: Numbers known of a task, one for each AP beside others where servers are shared.
        """
        fields: dict[str, Any] = {"num_subcarriers": num_subcarriers, "num_users": num_users}
        if self.scenario.computing.server == "shared":
            multi_cell = self.scenario.layout.deployment == "multi_cell"
            fields["num_base_stations" if multi_cell else "num_aps"] = task_features - SHARED_FEATURES
        return Translation(self.scenario.replace(**fields), self.wrappers, self.statistics)

    def plain(self, action: NDArray[Any], seen: Seen) -> NDArray[np.float32]:
        """Return the environment's action for a policy's, ``(..., entries)``, and the observation it answers."""
        low, high = self.action_space.low, self.action_space.high
        inner = self.inner_space
        inside = inner.low + (np.clip(action, low, high) - low) / (high - low) * (inner.high - inner.low)
        if self.log_power is None:
            return np.asarray(inside, np.float32)
        return self.log_power.plain(inside, seen)
