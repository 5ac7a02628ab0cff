"""The contract of an environment: its observations, actions and link, built once for a scenario."""

from __future__ import annotations

from mec_cf_gym.block.block import Link
from mec_cf_gym.envs.action import ActionCodec
from mec_cf_gym.envs.observation import OBSERVATIONS
from mec_cf_gym.scenario import Scenario


class Contract:
    """Observations, actions and link of a scenario's environments, by which wrappers and policies translate.

    Attributes:
        scenario: The scenario.
        observation: Turns blocks into observations.
        codec: Turns actions into allocations and back.
        link: Bandwidth, share of data and load of the fronthaul.
        observation_space: Of one row.
        action_space: Of one row.

    Args:
        scenario: The scenario.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.observation = OBSERVATIONS[scenario.episode.observation](scenario)
        self.codec = ActionCodec(scenario)
        self.link = Link(scenario.subcarrier_bandwidth_hz, scenario.data_share, scenario.deployment.fronthaul_load)
        self.observation_space, self.action_space = self.observation.space(), self.codec.space()

    def has_spaces_of(self, other: Contract) -> bool:
        """Return whether both have the same spaces."""
        spaces = (self.observation_space, self.action_space)
        return spaces == (other.observation_space, other.action_space)
