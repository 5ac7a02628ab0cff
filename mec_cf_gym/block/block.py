"""The coherence block: everything that an allocation of power, offload and computing is judged by."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mec_cf_gym.arrays import Array
from mec_cf_gym.block.combining import COMBINERS, receive_gains
from mec_cf_gym.block.fading import FADINGS, Coefficients
from mec_cf_gym.rows import row_slices, take_rows

if TYPE_CHECKING:
    from mec_cf_gym.network.network import Network
    from mec_cf_gym.scenario import Scenario
    from mec_cf_gym.streams import Streams


@dataclass(frozen=True)
class CoherenceBlock:
    """What one coherence block offers, or a batch of blocks.

    Gains are relative to the receiver noise on one subcarrier, at a user's full power:
    ``SINR[n, k] = p[n, k] S[n, k] / (1 + sum_j I[n, k, j] p[n, j])``.
    """

    signal_gain: Array  # (..., N, K), linear
    interference_gain: Array  # (..., N, K, K), linear, of user j on user k
    task_bits: Array  # (..., K)
    cycles_per_bit: Array  # (..., K)
    local_hz: Array  # (..., K), zero for a user who computes nothing itself
    server_hz: Array  # (..., K)
    subcarrier_bandwidth_hz: float
    channel: Array | None = None  # (..., N, M, K), estimated amplitude over the noise at full power

    def __post_init__(self) -> None:
        *_, num_subcarriers, num_users = self.signal_gain.shape
        users = (num_users,)
        expected = {"interference_gain": (num_subcarriers, num_users, num_users), "task_bits": users}
        expected |= {"cycles_per_bit": users, "local_hz": users, "server_hz": users}
        for name, shape in expected.items():
            got = tuple(getattr(self, name).shape)
            if got not in (shape, self.batch_shape + shape):
                allowed = f"{shape}, with the leading axes {self.batch_shape} of signal_gain or none"
                raise ValueError(f"{name} has shape {got}; it must be {allowed}")

    @property
    def num_subcarriers(self) -> int:
        """Number of subcarriers, N."""
        return int(self.signal_gain.shape[-2])

    @property
    def num_users(self) -> int:
        """Number of users, K."""
        return int(self.signal_gain.shape[-1])

    @property
    def task_cycles(self) -> Array:
        """CPU cycles of the tasks, ``(..., K)``."""
        return 1.0 * self.task_bits * self.cycles_per_bit  # whole numbers could overflow

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading axes, empty for a single block."""
        return tuple(self.signal_gain.shape[:-2])

    def flattened(self) -> CoherenceBlock:
        """Return the block with one leading axis, which every array has; fields without leading axes repeat."""
        tail_axes = {"signal_gain": 2, "interference_gain": 3, "channel": 3}
        arrays: dict[str, Array] = {}
        for field in dataclasses.fields(self):
            array = getattr(self, field.name)
            if isinstance(array, np.ndarray):
                tail = array.shape[array.ndim - tail_axes.get(field.name, 1) :]
                arrays[field.name] = np.broadcast_to(array, self.batch_shape + tail).reshape(-1, *tail)
        return dataclasses.replace(self, **arrays)

    def rows(self) -> Iterator[CoherenceBlock]:
        """Return the single blocks of a batch."""
        flat = self.flattened()
        for index in range(len(flat.signal_gain)):
            yield take_rows(flat, index)


class BlockModel:
    """Draws the coherence blocks of a network."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.fading = FADINGS[scenario.dynamics.fading](scenario)
        self.combiner = COMBINERS[scenario.radio.combiner](scenario)

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
            task_bits=streams.interval(scenario.tasks.task_bits, users),
            cycles_per_bit=streams.interval(scenario.tasks.cycles_per_bit, users),
            local_hz=network.local_hz,
            server_hz=network.server_hz,
            subcarrier_bandwidth_hz=scenario.subcarrier_bandwidth_hz,
            channel=channel,
        )
