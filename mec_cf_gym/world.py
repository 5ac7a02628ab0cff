"""The world: how networks evolve from one coherence block to the next, and what allocations make of them.

Dynamics are written here once; environments, data sets and tests all run them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.batches import read_only, replaced
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.block.fading import AnyFading
from mec_cf_gym.block.tasks import TaskState
from mec_cf_gym.network.network import Network
from mec_cf_gym.performance.dynamic_outcome import DynamicOutcome
from mec_cf_gym.performance.outcome import Outcome, outcome_of
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.recordings import LONGEST_WAIT, Clock
from mec_cf_gym.scenario import Scenario

Floats = NDArray[np.float64]
CHANNEL_FIELDS = ("signal_gain", "interference_gain", "channel", "receiver")
"""Fields of a block that follow from its channels."""
AnyOutcome: TypeAlias = Outcome | DynamicOutcome


@dataclass(frozen=True)
class Coming:
    """What comes at the end of a block of a dynamic world, which no policy knows before."""

    arriving_bits: Floats  # (rows, K)
    harvest_j: Floats  # (rows, K)
    bursting: NDArray[np.bool_]  # (rows, K), whether tasks arrive in a burst in the next block
    charging: NDArray[np.bool_]  # (rows, K), whether the harvest is on in the next block


@dataclass(frozen=True)
class State:
    """Networks in their current block, one a row. Arrays of networks and blocks are read-only."""

    network: Network
    fading: AnyFading
    block: CoherenceBlock
    tasks: TaskState
    past: tuple[CoherenceBlock, ...] = ()  # the last ``csi_delay_blocks`` blocks, the oldest first
    coming: Coming | None = None  # in dynamic worlds

    @property
    def clock(self) -> Clock:
        """Number of the block in recordings, ``(rows,)``."""
        return self.tasks.clock

    @property
    def observed(self) -> CoherenceBlock:
        """The block with outdated CSI: the channels of ``csi_delay_blocks`` ago, and all else as it is."""
        if not self.past:
            return self.block
        outdated = {name: vars(self.past[0])[name] for name in CHANNEL_FIELDS}
        return replaced(self.block, **outdated)


class World:
    """Draws networks of a scenario, lets them evolve, and judges allocations.

    Args:
        scenario: The scenario all rows share.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.networks, self.blocks = scenario.deployment.networks(), scenario.deployment.blocks()
        self.least_spectral_efficiency = scenario.episode.least_spectral_efficiency
        self.least_computing = scenario.computing.computing_control == "least"

    def begin(self, streams: Streams) -> State:
        """Return one new network per stream, in the first block of an episode.

        With outdated CSI that is ``csi_delay_blocks`` after the network's first, which observations show.
        """
        streams = streams.drawing(self.scenario.episode.generator)
        network = read_only(self.networks.draw(streams))
        fading = self.blocks.fading.begin(network, self.blocks.small_scale(streams))
        tasks = read_only(TaskState(self.blocks.tasks.begin(streams), self._start(streams)))
        block = read_only(self.blocks.draw(network, fading, tasks, streams))
        state = State(network, fading, block, tasks)
        past = []
        for _ in range(self.scenario.dynamics.csi_delay_blocks):
            past.append(state.block)
            state = self.advance(state, streams)
        return dataclasses.replace(state, past=tuple(past))

    def advance(self, state: State, streams: Streams, outcome: AnyOutcome | None = None) -> State:
        """Return the same networks one block later; what was done in the block matters in dynamic worlds only."""
        streams = streams.drawing(self.scenario.episode.generator)
        network = self.networks.advance(state.network, streams)
        if network is not state.network:
            read_only(network)
        fading = self.blocks.fading.advance(state.fading, network, self.blocks.small_scale(streams))
        past = (*state.past[1:], state.block) if state.past else ()
        tasks = read_only(state.tasks.later())
        block = read_only(self.blocks.draw(network, fading, tasks, streams))
        return State(network, fading, block, tasks, past)

    def judge(self, block: CoherenceBlock, allocation: Allocation) -> AnyOutcome:
        """Return what an allocation makes of a block, or a batch of them; combiners are chosen for its powers.

        Args:
            block: Blocks of the scenario.
            allocation: Powers ``(..., N, K)``, offload ratios ``(..., K)`` and, where servers are shared,
                computing. Without, users get equal shares, or with ``computing_control="least"`` what their
                deadlines need.
        """
        least = self.least_spectral_efficiency
        return outcome_of(block, allocation, least, least_computing=self.least_computing)

    def outcome(self, state: State, allocation: Allocation) -> AnyOutcome:
        """Return what an allocation makes of the current block, with all that happens until its end."""
        return self.judge(state.block, allocation)

    def _start(self, streams: Streams) -> Clock:
        """Return the block of recordings that an episode begins with, ``(rows,)``; zero without recordings."""
        if not self.scenario.has_recordings:
            return np.zeros(len(streams), np.int64)
        return streams.uniform(0.0, LONGEST_WAIT, (1,))[:, 0].astype(np.int64)
