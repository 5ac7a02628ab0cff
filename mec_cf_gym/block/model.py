"""How coherence blocks are drawn from networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mec_cf_gym.block.block import CoherenceBlock, Fairness
from mec_cf_gym.block.combining import COMBINERS, receive_gains
from mec_cf_gym.block.fading import FADINGS, Coefficients
from mec_cf_gym.block.receiver import Receiver
from mec_cf_gym.network.snapshot import GRIDS
from mec_cf_gym.rows import row_slices

if TYPE_CHECKING:
    from mec_cf_gym.network.network import Network
    from mec_cf_gym.scenario import Scenario
    from mec_cf_gym.streams import Streams


class BlockModel:
    """Draws the coherence blocks of a network on a disk (paper A)."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.fading = FADINGS[scenario.dynamics.fading](scenario)
        self.combiner = COMBINERS["mrc" if scenario.radio.combiner == "auto" else scenario.radio.combiner](
            scenario
        )

    def draw(self, network: Network, fading: Coefficients, streams: Streams) -> CoherenceBlock:
        """Return the block in which ``network`` has the small-scale coefficients ``fading``."""
        scenario, users = self.scenario, (self.scenario.layout.num_users,)
        snr = network.large_scale_gain * network.user_power_w[..., None, :] / scenario.noise_w
        error_share = scenario.radio.csi_error_variance
        error_gain = error_share * snr if error_share else None
        amplitude = np.sqrt((1 - error_share) * snr).astype(np.float32)[..., None, :, :]
        channel = np.empty_like(fading)
        signal_gain = np.empty(fading.shape[:2] + users)
        interference_gain = np.empty(fading.shape[:2] + users * 2)
        for rows in row_slices(len(fading), fading[0].nbytes):
            error = None if error_gain is None else error_gain[rows]
            np.multiply(fading[rows], amplitude[rows], out=channel[rows])
            combiner = self.combiner.combine(channel[rows], error)
            signal_gain[rows], interference_gain[rows] = receive_gains(combiner, channel[rows], error)
        return CoherenceBlock(
            signal_gain=signal_gain,
            interference_gain=interference_gain,
            channel=channel,
            **common_parts(scenario, network, streams),
        )


class EstimatedBlockModel:
    """Draws the coherence blocks of a snapshot: pilots, estimates, and the gains they give (paper B)."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.fading = FADINGS[scenario.dynamics.fading](scenario)
        self.grid = GRIDS[scenario.layout.deployment](scenario)
        named = scenario.radio.combiner
        self.combiner = self.grid.usual_combiner if named == "auto" else named

    def draw(self, network: Network, fading: Coefficients, streams: Streams) -> CoherenceBlock:
        """Return the block in which ``network`` has the small-scale coefficients ``fading``."""
        statistics, radio = network.statistics, self.scenario.radio
        assert statistics is not None
        antennas, users = self.grid.num_antennas, self.scenario.layout.num_users
        white = fading.reshape(len(fading), -1, antennas, users)  # (rows, L, A, K)
        channel = statistics.channel(white)
        noise = streams.branch().complex_normal((white.shape[1], antennas, radio.pilot_samples))
        estimated = statistics.estimate(channel, noise)
        receiver = Receiver(estimated, statistics.error_covariance, statistics.serves, self.combiner)
        signal_gain, interference_gain = receiver.gains(np.ones((len(fading), users)))
        return CoherenceBlock(
            signal_gain=signal_gain[..., None, :],
            interference_gain=interference_gain[..., None, :, :],
            channel=estimated.reshape(len(fading), 1, -1, users),
            data_share=self.scenario.data_share,
            fronthaul_load=self.grid.fronthaul_load,
            servers=network.servers,
            receiver=receiver,
            **common_parts(self.scenario, network, streams),
        )


def common_parts(scenario: Scenario, network: Network, streams: Streams) -> dict[str, Any]:
    """Return what all blocks have, by the names of their fields; tasks are drawn anew."""
    users, tasks = (scenario.layout.num_users,), scenario.tasks
    deadline_s = scenario.dynamics.block_s if tasks.deadline_s is None else tasks.deadline_s
    return {
        "task_bits": streams.interval(tasks.task_bits, users),
        "cycles_per_bit": streams.interval(tasks.cycles_per_bit, users),
        "local_hz": network.local_hz,
        "server_hz": network.server_hz,
        "subcarrier_bandwidth_hz": scenario.subcarrier_bandwidth_hz,
        "deadline_s": streams.interval(deadline_s, users),
        "fairness": Fairness(network.user_power_w, network.cell, scenario.episode.fairness_weight_w),
    }
