"""The world: how a batch of networks evolves from one coherence block to the next.

Dynamics are written here once; environments, data sets and tests all run them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.block.fading import Coefficients
from mec_cf_gym.block.model import BlockModel, EstimatedBlockModel
from mec_cf_gym.network.network import Network, NetworkModel
from mec_cf_gym.network.snapshot import SnapshotModel

if TYPE_CHECKING:
    from mec_cf_gym.scenario import Scenario
    from mec_cf_gym.streams import Streams


@dataclass(frozen=True)
class Reports:
    """Measurements of the channels that are on their way, the oldest first; D is their delay in blocks."""

    signal_gain: NDArray[np.float64]  # (rows, D, N, K)
    interference_gain: NDArray[np.float64]  # (rows, D, N, K, K)
    channel: NDArray[np.complex128]  # (rows, D, N, M, K)

    @classmethod
    def of(cls, block: CoherenceBlock, delay_blocks: int) -> Self:
        """Return reports that all are of one block."""
        return cls(*(np.repeat(gains[:, None], delay_blocks, 1) for gains in _measured(block)))

    def after(self, block: CoherenceBlock) -> Reports:
        """Return the reports one block later: the oldest has arrived, and that of ``block`` was sent."""
        pairs = zip(vars(self).values(), _measured(block), strict=True)
        return Reports(*(np.concatenate([old[:, 1:], new[:, None]], 1) for old, new in pairs))

    def shown(self, block: CoherenceBlock) -> CoherenceBlock:
        """Return a block with the channels of the oldest report."""
        oldest = {name: gains[:, 0] for name, gains in vars(self).items()}
        return dataclasses.replace(block, **oldest)


@dataclass(frozen=True)
class State:
    """Networks in their current block, one a row."""

    network: Network
    fading: Coefficients  # (rows, N, M, K), CN(0, 1); M counts all antennas
    block: CoherenceBlock
    reports: Reports | None = None  # None: channels are known at once

    @property
    def seen(self) -> CoherenceBlock:
        """The block as observations show it."""
        return self.block if self.reports is None else self.reports.shown(self.block)


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
        """Return one new network per stream, in its first block, when the first report arrives."""
        network = self.networks.draw(streams)
        fading = self.blocks.fading.begin(network, self._small_scale(streams))
        block = self.blocks.draw(network, fading, streams)
        delay_blocks = self.scenario.dynamics.csi_delay_blocks
        if not delay_blocks:
            return State(network, fading, block)
        state = State(network, fading, block, Reports.of(block, delay_blocks))
        for _ in range(delay_blocks):
            state = self.advance(state, streams)
        return state

    def advance(self, state: State, streams: Streams) -> State:
        """Return the same networks one block later."""
        network = self.networks.advance(state.network, streams)
        fading = self.blocks.fading.advance(state.fading, network, self._small_scale(streams))
        reports = None if state.reports is None else state.reports.after(state.block)
        return State(network, fading, self.blocks.draw(network, fading, streams), reports)

    def _small_scale(self, streams: Streams) -> Streams:
        """Return the streams of the fading: branches in paper B, where a seed stands for the same users and tasks.

        Its networks have different numbers of antennas, and draw different amounts of fading.
        """
        return streams.branch() if self.scenario.on_grid else streams


def _measured(block: CoherenceBlock) -> tuple[NDArray[np.generic], ...]:
    return block.signal_gain, block.interference_gain, np.asarray(block.channel)
