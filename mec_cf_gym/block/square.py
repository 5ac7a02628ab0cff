"""Coherence blocks of networks on a square (paper B): pilots, estimates, and the gains they give."""

from __future__ import annotations

import numpy as np

from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.block.fading import AnyFading
from mec_cf_gym.block.model import BlockModel
from mec_cf_gym.block.receiver import Receiver
from mec_cf_gym.block.tasks import TaskState
from mec_cf_gym.network.network import Network
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario


class SquareBlocks(BlockModel):
    """Draws blocks whose channels are estimated from pilots, and whose combiners follow the powers.

    Args:
        scenario: What the networks are drawn from.
        combiner: Name of the combiner.
        antennas_per_site: Antennas of an AP or base station, A.
        fronthaul_load: Time on the fronthaul over time on the uplink.
    """

    def __init__(self, scenario: Scenario, combiner: str, antennas_per_site: int, fronthaul_load: float) -> None:
        super().__init__(scenario)
        self.combiner = combiner
        self.antennas_per_site, self.fronthaul_load = antennas_per_site, fronthaul_load

    def small_scale(self, streams: Streams) -> Streams:
        """Return branches of the streams: networks draw different amounts of fading for the same users and tasks.

        A seed then stands for the same users and tasks whichever sites serve.
        """
        return streams.branch()

    def draw(self, network: Network, fading: AnyFading, tasks: TaskState, streams: Streams) -> CoherenceBlock:
        """Return the block in which ``network`` has the small-scale fading."""
        statistics, radio = network.statistics, self.scenario.radio
        assert statistics is not None
        antennas, users = self.antennas_per_site, self.scenario.layout.num_users
        coefficients = fading.coefficients
        rows = len(coefficients)
        white = coefficients.reshape(rows, -1, antennas, users)  # (rows, L, A, K)
        noise = streams.branch().complex_normal((white.shape[1], antennas, radio.pilot_samples))
        estimated = statistics.estimates(white, noise)
        receiver = Receiver(estimated, statistics.error_covariance, network.receives, self.combiner)
        signal_gain, interference_gain = receiver.gains(np.ones((rows, users)))
        return CoherenceBlock(
            signal_gain=signal_gain[..., None, :],
            interference_gain=interference_gain[..., None, :, :],
            channel=estimated.reshape(rows, 1, -1, users),
            data_share=self.scenario.data_share,
            fronthaul_load=self.fronthaul_load,
            servers=network.servers,
            receiver=receiver,
            **self.common_parts(network, tasks, streams),
        )
