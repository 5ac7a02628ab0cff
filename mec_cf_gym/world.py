"""The world: how networks evolve from one coherence block to the next, and what allocations make of them.

Dynamics are written here once; environments, data sets and tests all run them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.batches import read_only
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.block.fading import Fading
from mec_cf_gym.network.network import Network
from mec_cf_gym.performance.outcome import Outcome, outcome_of
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario

CHANNEL_FIELDS = ("signal_gain", "interference_gain", "channel", "receiver")
"""Fields of a block that follow from its channels."""


@dataclass(frozen=True)
class State:
    """Networks in their current block, one a row. Arrays of networks and blocks are read-only."""

    network: Network
    fading: Fading
    block: CoherenceBlock
    past: tuple[CoherenceBlock, ...] = ()  # the last ``csi_delay_blocks`` blocks, the oldest first

    @property
    def observed(self) -> CoherenceBlock:
        """The block with outdated CSI: the channels of ``csi_delay_blocks`` ago, and all else as it is."""
        if not self.past:
            return self.block
        outdated = {name: getattr(self.past[0], name) for name in CHANNEL_FIELDS}
        return dataclasses.replace(self.block, **outdated)


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
        network = read_only(self.networks.draw(streams))
        fading = self.blocks.fading.begin(network, self.blocks.small_scale(streams))
        state = State(network, fading, read_only(self.blocks.draw(network, fading, streams)))
        past = []
        for _ in range(self.scenario.dynamics.csi_delay_blocks):
            past.append(state.block)
            state = self.advance(state, streams)
        return dataclasses.replace(state, past=tuple(past))

    def advance(self, state: State, streams: Streams) -> State:
        """Return the same networks one block later."""
        network = self.networks.advance(state.network, streams)
        if network is not state.network:
            read_only(network)
        fading = self.blocks.fading.advance(state.fading, network, self.blocks.small_scale(streams))
        past = (*state.past[1:], state.block) if state.past else ()
        return State(network, fading, read_only(self.blocks.draw(network, fading, streams)), past)

    def judge(self, block: CoherenceBlock, allocation: Allocation) -> Outcome:
        """Return what an allocation makes of a block, or a batch of them; combiners are chosen for its powers.

        Args:
            block: Blocks of the scenario.
            allocation: Powers ``(..., N, K)``, offload ratios ``(..., K)`` and, where servers are shared,
                computing. Without, users get equal shares, or with ``computing_control="least"`` what their
                deadlines need.
        """
        least = self.least_spectral_efficiency
        return outcome_of(block, allocation, least, least_computing=self.least_computing)
