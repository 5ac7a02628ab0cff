"""The coherence block: everything that an allocation of power, offload and computing is judged by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from mec_cf_gym.arrays import Array, promote, to_numpy
from mec_cf_gym.batches import flatten_rows, replaced, take_rows
from mec_cf_gym.block.aging import Aging
from mec_cf_gym.block.backlog import Backlog
from mec_cf_gym.block.channel import CHANNEL
from mec_cf_gym.block.receiver import Receiver
from mec_cf_gym.network.servers import Servers


@dataclass(frozen=True)
class Fairness:
    """Numbers of paper B's objective: full powers, cells, and the weight of the least spectral efficiency."""

    user_power_w: Array  # (..., K), full powers
    cell: Array  # (..., K), whole numbers
    weight_w: float = 0.0  # w, in W per bit/s/Hz

    def transmit_power_w(self, power: Array) -> Array:
        """Return the sum of all users' transmit powers, ``(...)``, in watts, for power ratios ``(..., N, K)``."""
        xp, (power, user_power_w) = promote(power, self.user_power_w)
        return xp.sum(xp.sum(power, axis=-2) * user_power_w, axis=-1)


class Link(NamedTuple):
    """Constants of uplink and fronthaul that turn spectral efficiencies into rates and times."""

    subcarrier_bandwidth_hz: float
    data_share: float = 1.0  # of a block's samples that carry data: tau_u / tau_c
    fronthaul_load: float = 0.0  # time on the fronthaul over time on the uplink


@dataclass(frozen=True)
class CoherenceBlock:
    """What one coherence block offers, or a batch of blocks.

    Gains are relative to the receiver noise on one subcarrier, at a user's full power:
    ``SINR[n, k] = p[n, k] S[n, k] / (1 + sum_j I[n, k, j] p[n, j])``.

    Paper B's receivers choose combiners by the powers. The gains are then those for full power,
    :meth:`tuned` returns those for other powers, and :func:`~mec_cf_gym.rate` uses them.
    """

    AXES: ClassVar[Mapping[str, int]] = {
        "signal_gain": 2,
        "interference_gain": 3,
        "channel": 3,
        "channel_variance": 2,
    }

    signal_gain: Array  # (..., N, K), linear
    interference_gain: Array  # (..., N, K, K), linear, of user j on user k
    task_bits: Array  # (..., K)
    cycles_per_bit: Array  # (..., K)
    local_hz: Array  # (..., K), zero for a user who computes nothing itself
    server_hz: Array  # (..., K), its own, or an equal share of servers that are shared
    subcarrier_bandwidth_hz: float
    channel: Array | None = CHANNEL  # (..., N, M, K), estimated amplitude over the noise at full power
    deadline_s: Array | None = None  # (..., K)
    data_share: float = 1.0  # of a block's samples that carry data: tau_u / tau_c
    fronthaul_load: float = 0.0  # time on the fronthaul over time on the uplink
    servers: Servers | None = None  # where they are shared
    receiver: Receiver | None = None  # where combiners follow the powers
    fairness: Fairness | None = None
    channel_variance: Array | None = None  # (..., M, K), mean of |h|^2 over all blocks, where known
    backlog: Backlog | None = None  # in dynamic worlds, whose arriving tasks are then ``task_bits``
    effective_capacitance: float = 0.0  # joules of a cycle of a user's CPU over its speed squared
    aging: Aging | None = None  # how channels change with time

    def __post_init__(self) -> None:
        *_, num_subcarriers, num_users = self.signal_gain.shape
        users = (num_users,)
        expected = {"interference_gain": (num_subcarriers, num_users, num_users), "task_bits": users}
        expected |= {"cycles_per_bit": users, "local_hz": users, "server_hz": users}
        if self.deadline_s is not None and self.deadline_s.shape[-1:] != users:
            raise ValueError(f"deadline_s has shape {tuple(self.deadline_s.shape)}; it must be {users}, or end so")
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
    def link_bits(self) -> Array:
        """Size of the tasks in bits, scaled so that the uplink time includes the fronthaul's, ``(..., K)``."""
        return self.task_bits * (1 + self.fronthaul_load)

    @property
    def link(self) -> Link:
        """Bandwidth, share of data, and load of the fronthaul."""
        return Link(self.subcarrier_bandwidth_hz, self.data_share, self.fronthaul_load)

    @property
    def data_bandwidth_hz(self) -> float:
        """Bandwidth of a subcarrier times the share of the samples that carry data, in Hz."""
        return self.subcarrier_bandwidth_hz * self.data_share

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading axes, empty for a single block."""
        return tuple(self.signal_gain.shape[:-2])

    def tuned(self, power: Array) -> CoherenceBlock:
        """Return the block with the combiners for given powers, which then stay as they are.

        Args:
            power: Power ratios, ``(..., N, K)``; a torch tensor is read, not differentiated. (The combiners of
                full MMSE maximise the SINRs, so that their part in the gradient is zero.)
        """
        if self.receiver is None:
            return self
        signal_gain, interference_gain = self.receiver.gains(to_numpy(power)[..., 0, :])
        return replaced(
            self,
            signal_gain=signal_gain[..., None, :],
            interference_gain=interference_gain[..., None, :, :],
            receiver=None,
        )

    def flattened(self) -> CoherenceBlock:
        """Return the block with one leading axis, which every array has; fields without leading axes repeat."""
        return flatten_rows(self, self.batch_shape)

    def rows(self) -> Iterator[CoherenceBlock]:
        """Return the single blocks of a batch."""
        flat = self.flattened()
        for index in range(len(flat.signal_gain)):
            yield take_rows(flat, index)
