"""Coherence blocks of networks on a disk (paper A)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.batches import row_slices
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.block.channel import FadedChannel
from mec_cf_gym.block.combining import CombinerModel, Floats, InterferenceModel, MaximumRatio, receive_gains
from mec_cf_gym.block.fading import AnyFading, KeyedFading, WishartFading
from mec_cf_gym.block.model import BlockModel
from mec_cf_gym.block.tasks import TaskState
from mec_cf_gym.kernels import frozen, kernel
from mec_cf_gym.network.network import Network
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.remembered import Remembered
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
        self._links = Remembered(self._links_of)

    def draw(self, network: Network, fading: AnyFading, tasks: TaskState, streams: Streams) -> CoherenceBlock:
        """Return the block in which ``network`` has the small-scale fading."""
        snr, amplitude = self._links(network)
        error_share = self.scenario.radio.csi_error_variance
        error_gain = error_share * snr if error_share else None
        channel = FadedChannel(fading, amplitude)
        signal_gain, interference_gain = self._gains(channel, error_gain)
        return CoherenceBlock(
            signal_gain=signal_gain,
            interference_gain=interference_gain,
            channel=channel,
            channel_variance=snr,
            **self.common_parts(network, tasks, streams),
        )

    def _links_of(self, network: Network) -> tuple[Floats, NDArray[np.float32]]:
        """Return mean gains over the noise, ``(rows, M, K)``, and amplitudes, ``(rows, K, M)``."""
        scenario = self.scenario
        snr = network.large_scale_gain * network.user_power_w[..., None, :] / scenario.noise_w
        known = np.sqrt((1 - scenario.radio.csi_error_variance) * np.swapaxes(snr, -1, -2))
        return snr, np.ascontiguousarray(known, np.float32)

    def _gains(self, channel: FadedChannel, error_gain: Floats | None) -> tuple[Floats, Floats]:
        """Return signal gains, ``(rows, N, K)``, and interference gains, ``(rows, N, K, K)``."""
        if error_gain is None and type(self.combiner) is MaximumRatio and self.gains_of is receive_gains:
            gains = maximum_ratio_gains(channel)
            if gains is not None:
                return gains
        channels = channel.array()
        users = channels.shape[-1:]
        signal_gain = np.empty(channels.shape[:2] + users)
        interference_gain = np.empty(channels.shape[:2] + users * 2)
        for rows in row_slices(len(channels), channels[0].nbytes):
            error = None if error_gain is None else error_gain[rows]
            combiner = self.combiner.combine(channels[rows], error)
            signal_gain[rows], interference_gain[rows] = self.gains_of(combiner, channels[rows], error)
        return signal_gain, interference_gain


def maximum_ratio_gains(channel: FadedChannel) -> tuple[Floats, Floats] | None:
    """Return the gains of known channels with maximum-ratio combining, compiled; None without a compiler."""
    fading, amplitude = channel.fading, frozen(channel.amplitude)
    given: tuple[Any, ...]
    if isinstance(fading, WishartFading) and (amplitude == amplitude[..., :1]).all():
        above, lengths = fading.factor, frozen(fading.lengths)
        name, given = "wishart_gains", (frozen(above.keys), above.first, lengths, frozen(amplitude[..., 0]))
    elif type(fading) is KeyedFading:
        name, given = "keyed_gains", (frozen(fading.keys), fading.first, amplitude, fading.shape[0])
    else:
        name, given = "known_gains", (frozen(fading.coefficients), amplitude)
    compiled = kernel("maximum_ratio", name)
    return None if compiled is None else compiled(*given)
