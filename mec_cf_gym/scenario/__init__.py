"""The scenario: every number that defines a network, its tasks and its dynamics, each with its unit."""

from mec_cf_gym.scenario.groups import Computing, Dynamics, Energy, Episode, Layout, Queues, Radio, Tasks
from mec_cf_gym.scenario.scenario import Scenario

__all__ = ["Computing", "Dynamics", "Energy", "Episode", "Layout", "Queues", "Radio", "Scenario", "Tasks"]
