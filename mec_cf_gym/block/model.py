"""How coherence blocks are drawn from networks: what all families of networks share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from mec_cf_gym.block.aging import Aging
from mec_cf_gym.block.block import CoherenceBlock, Fairness
from mec_cf_gym.block.fading import FADINGS, AnyFading
from mec_cf_gym.block.tasks import TASK_MODELS, TaskState
from mec_cf_gym.network.network import Network
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario


class BlockModel(ABC):
    """Draws the coherence blocks of networks.

    Args:
        scenario: What the networks are drawn from.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.fading = FADINGS[scenario.dynamics.fading](scenario)
        self.tasks = TASK_MODELS[scenario.tasks.task_model](scenario)

    @abstractmethod
    def draw(self, network: Network, fading: AnyFading, tasks: TaskState, streams: Streams) -> CoherenceBlock:
        """Return the block in which ``network`` has the small-scale fading."""

    def small_scale(self, streams: Streams) -> Streams:
        """Return the streams that fading is drawn from."""
        return streams

    def common_parts(self, network: Network, tasks: TaskState, streams: Streams) -> dict[str, Any]:
        """Return the fields that blocks of all families have, by name; tasks and deadlines are drawn anew."""
        scenario, users = self.scenario, (self.scenario.layout.num_users,)
        drawn = self.tasks.draw(tasks.mean, tasks.clock, streams)
        deadline_s = scenario.tasks.deadline_s
        deadline_s = scenario.dynamics.block_s if deadline_s is None else deadline_s
        return {
            "task_bits": drawn.task_bits,
            "cycles_per_bit": drawn.cycles_per_bit,
            "local_hz": network.local_hz,
            "server_hz": network.server_hz,
            "subcarrier_bandwidth_hz": scenario.subcarrier_bandwidth_hz,
            "deadline_s": streams.interval(deadline_s, users),
            "effective_capacitance": scenario.energy.effective_capacitance,
            "aging": Aging.of(scenario, network),
            "fairness": Fairness(network.user_power_w, network.cell, scenario.episode.fairness_weight_w),
        }
