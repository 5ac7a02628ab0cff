"""The world: how a batch of networks evolves from one coherence block to the next.

Dynamics are written here once; environments, data sets and tests all run them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.block.fading import Coefficients
from mec_cf_gym.block.model import BlockModel, EstimatedBlockModel
from mec_cf_gym.network.network import Network, NetworkModel
from mec_cf_gym.network.snapshot import SnapshotModel

if TYPE_CHECKING:
    from mec_cf_gym.scenario import Scenario
    from mec_cf_gym.streams import Streams


MEASURED = ("signal_gain", "interference_gain", "channel", "receiver")
"""What is known of a block as late as its channels."""


@dataclass(frozen=True)
class State:
    """Networks in their current block, one a row."""

    network: Network
    fading: Coefficients  # (rows, N, M, K), CN(0, 1); M counts all antennas
    block: CoherenceBlock
    past: tuple[CoherenceBlock, ...] = ()  # blocks whose channels observations do not show yet, the oldest first

    @property
    def seen(self) -> CoherenceBlock:
        """The block as observations show it: the channels of ``csi_delay_blocks`` ago, and all else as it is."""
        if not self.past:
            return self.block
        shown = {name: getattr(self.past[0], name) for name in MEASURED}
        return dataclasses.replace(self.block, **shown)


class World:
    """Draws networks of a scenario and lets them evolve.

    Args:
        scenario: The scenario all rows share.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.networks = SnapshotModel(scenario) if scenario.on_grid else NetworkModel(scenario)
        self.blocks = EstimatedBlockModel(scenario) if scenario.on_grid else BlockModel(scenario)

    def begin(self, streams: Streams) -> State:
        """Return one new network per stream, in the first block whose observation has channels to show."""
        network = self.networks.draw(streams)
        fading = self.blocks.fading.begin(network, self._small_scale(streams))
        state = State(network, fading, self.blocks.draw(network, fading, streams))
        past = []
        for _ in range(self.scenario.dynamics.csi_delay_blocks):
            past.append(state.block)
            state = self.advance(state, streams)
        return dataclasses.replace(state, past=tuple(past))

    def advance(self, state: State, streams: Streams) -> State:
        """Return the same networks one block later."""
        network = self.networks.advance(state.network, streams)
        fading = self.blocks.fading.advance(state.fading, network, self._small_scale(streams))
        past = (*state.past[1:], state.block) if state.past else ()
        return State(network, fading, self.blocks.draw(network, fading, streams), past)

    def _small_scale(self, streams: Streams) -> Streams:
        """Return the streams of the fading: branches in paper B, where a seed stands for the same users and tasks.

        Its networks have different numbers of antennas, and draw different amounts of fading.
        """
        return streams.branch() if self.scenario.on_grid else streams
