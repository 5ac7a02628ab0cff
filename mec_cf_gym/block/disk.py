"""Coherence blocks of networks on a disk (paper A)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.batches import row_slices
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.block.combining import (
    Channel,
    CombinerModel,
    Floats,
    InterferenceModel,
    MaximumRatio,
    receive_gains,
)
from mec_cf_gym.block.fading import Coefficients, Fading
from mec_cf_gym.block.model import BlockModel
from mec_cf_gym.block.tasks import TaskState
from mec_cf_gym.kernels import frozen, kernel
from mec_cf_gym.network.network import Network
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario


class DiskBlocks(BlockModel):
    """Draws blocks whose channels are known, up to a given error, and whose combiners do not follow the powers.

    Args:
        scenario: What the networks are drawn from.
        combiner: Chooses the receive vectors.
        gains_of: What the receive vectors make of the users' signals.
    """

    def __init__(self, scenario: Scenario, combiner: CombinerModel, gains_of: InterferenceModel) -> None:
        super().__init__(scenario)
        self.combiner, self.gains_of = combiner, gains_of

    def draw(self, network: Network, fading: Fading, tasks: TaskState, streams: Streams) -> CoherenceBlock:
        """Return the block in which ``network`` has the small-scale fading."""
        scenario = self.scenario
        snr = network.large_scale_gain * network.user_power_w[..., None, :] / scenario.noise_w
        error_share = scenario.radio.csi_error_variance
        error_gain = error_share * snr if error_share else None
        amplitude = np.sqrt((1 - error_share) * snr).astype(np.float32)[..., None, :, :]
        channel, signal_gain, interference_gain = self._gains(fading.coefficients, amplitude, error_gain)
        return CoherenceBlock(
            signal_gain=signal_gain,
            interference_gain=interference_gain,
            channel=channel,
            channel_variance=snr,
            **self.common_parts(network, tasks, streams),
        )

    def _gains(
        self, coefficients: Coefficients, amplitude: NDArray[np.float32], error_gain: Floats | None
    ) -> tuple[Channel, Floats, Floats]:
        """Return channels ``(rows, N, M, K)`` with their signal and interference gains."""
        compiled = kernel("maximum_ratio", "maximum_ratio_gains") if self._is_plain(error_gain) else None
        if compiled is not None:
            channel, signal_gain, interference_gain = compiled(frozen(coefficients), frozen(amplitude[:, 0]))
            return channel, signal_gain, interference_gain
        users = coefficients.shape[-1:]
        channel = np.empty_like(coefficients)
        signal_gain = np.empty(coefficients.shape[:2] + users)
        interference_gain = np.empty(coefficients.shape[:2] + users * 2)
        for rows in row_slices(len(coefficients), coefficients[0].nbytes):
            error = None if error_gain is None else error_gain[rows]
            np.multiply(coefficients[rows], amplitude[rows], out=channel[rows])
            combiner = self.combiner.combine(channel[rows], error)
            signal_gain[rows], interference_gain[rows] = self.gains_of(combiner, channel[rows], error)
        return channel, signal_gain, interference_gain

    def _is_plain(self, error_gain: Floats | None) -> bool:
        """Return whether receivers know the channels and combine by maximum ratio: the case that is compiled."""
        return error_gain is None and type(self.combiner) is MaximumRatio and self.gains_of is receive_gains
