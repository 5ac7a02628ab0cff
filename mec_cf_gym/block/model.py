"""How coherence blocks are drawn from networks: what all families of networks share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.block.aging import Aging
from mec_cf_gym.block.block import CoherenceBlock, Fairness
from mec_cf_gym.block.fading import FADINGS, AnyFading
from mec_cf_gym.block.tasks import TASK_MODELS, TaskState
from mec_cf_gym.network.network import Network
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.remembered import Remembered
from mec_cf_gym.scenario import Scenario

Floats = NDArray[np.float64]


class BlockModel(ABC):
    """Draws the coherence blocks of networks.

    Args:
        scenario: What the networks are drawn from.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.fading = FADINGS[scenario.dynamics.fading](scenario)
        self.tasks = TASK_MODELS[scenario.tasks.task_model](scenario)
        self.subcarrier_bandwidth_hz = scenario.subcarrier_bandwidth_hz
        self._lasting = Remembered(self._parts_of)

    @abstractmethod
    def draw(self, network: Network, fading: AnyFading, tasks: TaskState, streams: Streams) -> CoherenceBlock:
        """Return the block in which ``network`` has the small-scale fading."""

    def small_scale(self, streams: Streams) -> Streams:
        """Return the streams that fading is drawn from."""
        return streams

    def common_parts(self, network: Network, tasks: TaskState, streams: Streams) -> dict[str, Any]:
        """Return the fields that blocks of all families have, by name; tasks and deadlines are drawn anew."""
        scenario = self.scenario
        local_hz, server_hz, fairness, aging, deadline_s = self._lasting(network)
        drawn = self.tasks.draw(tasks.mean, tasks.clock, streams)
        if isinstance(scenario.tasks.deadline_s, tuple):
            deadline_s = streams.uniform(*scenario.tasks.deadline_s, deadline_s.shape[1:])
        return {
            "task_bits": drawn.task_bits,
            "cycles_per_bit": drawn.cycles_per_bit,
            "local_hz": local_hz,
            "server_hz": server_hz,
            "subcarrier_bandwidth_hz": self.subcarrier_bandwidth_hz,
            "deadline_s": deadline_s,
            "effective_capacitance": scenario.energy.effective_capacitance,
            "aging": aging,
            "fairness": fairness,
        }

    def _parts_of(self, network: Network) -> tuple[Floats, Floats, Fairness, Aging, Floats]:
        """Return what a network's blocks share: speeds, fairness, aging, and deadlines where they are fixed."""
        scenario = self.scenario
        fixed_s = scenario.tasks.deadline_s
        fixed_s = scenario.dynamics.block_s if fixed_s is None else fixed_s
        return (
            network.local_hz,
            network.server_hz,
            Fairness(network.user_power_w, network.cell, scenario.episode.fairness_weight_w),
            Aging.of(scenario, network),
            np.full(network.local_hz.shape, np.max(fixed_s)),
        )
