"""Observations: gains and tasks of a block, log-scaled and bounded, and the way back from them to a block."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_cf_gym.arrays import Array, promote
from mec_cf_gym.block.backlog import Backlog
from mec_cf_gym.block.block import CoherenceBlock, Link
from mec_cf_gym.network.servers import Servers
from mec_cf_gym.parts import Parts
from mec_cf_gym.remembered import Remembered
from mec_cf_gym.scenario import Scenario

Floats = NDArray[np.float32]
Observation = dict[str, Floats]

GAIN_FLOOR = 1e-4
"""Added to ratios to keep the logarithm bounded; gains far below it, -40 dB of the noise, change nothing."""
NOTHING = -1.0
"""What :func:`log_scale` makes of zero: no gain, no task, no server."""
TASK_UNITS = {"task_bits": 1e3, "cycles_per_bit": 1e3, "local_hz": 1e9, "server_hz": 1e9}
"""Columns of ``task`` in every network, and the paper's magnitudes that they are divided by."""
SHARED_UNITS = {"deadline_s": 1.0, "cloud_hz": 1e9}
"""Columns that follow where servers are shared; then comes each site's server, in ``SITE_UNIT_HZ``."""
SITE_UNIT_HZ = 1e9
COLUMN = {name: index for index, name in enumerate((*TASK_UNITS, *SHARED_UNITS))}
"""Index of each named column of ``task``."""
SITE_COLUMNS = slice(len(COLUMN), None)
"""Columns of the sites' servers."""
QUEUE_COLUMNS = ("queue_bits", "server_bits", "new_bits", "mean_bits", "battery", "bursting", "charging")
"""Columns of ``queue``, in dynamic worlds: bits over the mean of a block, the mean over paper A's task, the
battery's level over its limit, and flags."""
LEAST_OPEN_HZ = 1e3
"""Slowest server that scenarios allow; a slower one is zero up to rounding: it does not serve the user."""
BOUND = 10.0
"""Bound of observations; no gain or task that scenarios allow comes near it."""


class ObservationModel(Protocol):
    """Turns blocks into observations. Built from the scenario."""

    def __init__(self, scenario: Scenario) -> None: ...

    def space(self) -> spaces.Dict:
        """Return the space of one row."""
        ...

    def observe(self, block: CoherenceBlock) -> Observation:
        """Return the observation of ``block``, by key, with its leading axes."""
        ...


class Gains:
    """Signal gains, interference gains and tasks; deadlines and servers too where servers are shared."""

    def __init__(self, scenario: Scenario) -> None:
        users, subcarriers = scenario.layout.num_users, scenario.radio.num_subcarriers
        self.shared = scenario.computing.server == "shared"
        features = len(COLUMN) + scenario.num_sites if self.shared else len(TASK_UNITS)
        self.shapes: dict[str, tuple[int, ...]] = {
            "signal": (subcarriers, users),
            "interference": (subcarriers, users, users),
            "task": (users, features),
        }
        self._tasks = Remembered(observed_tasks)  # most tasks stay as they are
        if scenario.is_dynamic:
            self.shapes["queue"] = (users, len(QUEUE_COLUMNS))

    def space(self) -> spaces.Dict:
        """Return a ``Dict`` of float32 boxes."""
        return spaces.Dict({name: spaces.Box(-BOUND, BOUND, shape) for name, shape in self.shapes.items()})

    def observe(self, block: CoherenceBlock) -> Observation:
        """Return ``signal`` ``(..., N, K)``, ``interference`` ``(..., N, K, K)`` and ``task`` ``(..., K, F)``.

        F is 4, or 6 + L where servers are shared: then the deadline, the cloud's speed, and that of every AP
        that serves the user follow, zero for the others. In dynamic worlds ``queue`` ``(..., K, 7)`` is added.
        """
        servers = block.servers if self.shared else None
        known = [getattr(block, name) for name in TASK_UNITS]
        seen = {
            "signal": log_scale(block.signal_gain),
            "interference": log_scale(block.interference_gain),
            "task": self._tasks(*known, block.deadline_s, servers).copy(),
        }
        return seen if block.backlog is None else seen | {"queue": observed_queue(block.backlog)}


def observed_tasks(
    task_bits: Array, cycles_per_bit: Array, local_hz: Array, server_hz: Array, deadline_s: Array, servers: Any
) -> Floats:
    """Return what observations show of tasks and servers, ``(..., K, F)``, log-scaled, from arrays ``(..., K)``.

    Args:
        task_bits: Sizes.
        cycles_per_bit: Work.
        local_hz: Speeds of the users' CPUs.
        server_hz: Speeds of their servers.
        deadline_s: Deadlines, shown where servers are shared.
        servers: Those that are shared, or None.
    """
    known = task_bits, cycles_per_bit, local_hz, server_hz
    units = [np.asarray(array) / unit for array, unit in zip(known, TASK_UNITS.values(), strict=True)]
    if servers is not None:
        cloud_hz = np.broadcast_to(servers.cloud_hz[..., None], task_bits.shape)
        units += [np.asarray(deadline_s) / SHARED_UNITS["deadline_s"], cloud_hz / SHARED_UNITS["cloud_hz"]]
        units += list(np.moveaxis(servers.open_hz, -2, 0) / SITE_UNIT_HZ)
    return log_scale(np.stack(units, axis=-1))


class ChannelState(Gains):
    """The same, and the magnitude of every channel: the input of paper A's CNN."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        users, subcarriers = scenario.layout.num_users, scenario.radio.num_subcarriers
        self.shapes["csi"] = (subcarriers, scenario.num_antennas, users)

    def observe(self, block: CoherenceBlock) -> Observation:
        """Add ``csi`` ``(..., N, M, K)``: the power ``|h|^2`` over the noise, on the same scale."""
        channel: Any = block.channel
        return super().observe(block) | {"csi": log_scale(np.square(channel.real) + np.square(channel.imag))}


def observed_queue(backlog: Backlog) -> Floats:
    """Return what observations show of a backlog, ``(..., K, 7)``, log-scaled; see ``QUEUE_COLUMNS``."""
    prospects = backlog.prospects
    mean_bits = prospects.mean_bits
    some = np.where(mean_bits > 0, mean_bits, 1.0)
    limited = np.isfinite(prospects.battery_limit_j)
    level = backlog.battery_j / prospects.battery_limit_j if limited else np.ones_like(mean_bits)
    columns = {
        "queue_bits": backlog.queue_bits / some,
        "server_bits": backlog.server_bits / some,
        "new_bits": backlog.new_bits / some,
        "mean_bits": mean_bits / TASK_UNITS["task_bits"],
        "battery": level,
        "bursting": backlog.bursting,
        "charging": backlog.charging,
    }
    return log_scale(np.stack([columns[name] for name in QUEUE_COLUMNS], axis=-1))


class ComplexChannels(Gains):
    """The same as ``gains``, and every channel as a complex number, for predictions of channels."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        users, subcarriers = scenario.layout.num_users, scenario.radio.num_subcarriers
        self.shapes["channel"] = (subcarriers, scenario.num_antennas, users, 2)

    def observe(self, block: CoherenceBlock) -> Observation:
        """Add ``channel`` ``(..., N, M, K, 2)``: real and imaginary parts, see :func:`log_polar`."""
        return super().observe(block) | {"channel": log_polar(np.asarray(block.channel))}


def log_polar(channel: NDArray[Any]) -> Floats:
    """Return complex numbers, ``(...)``, with their phase and a logarithmic magnitude, ``(..., 2)``.

    The magnitude is ``log10(|h|^2 / 1e-4 + 1) / 4``, one more than :func:`log_scale` shows: 0 for nothing, 1 near
    one, 2 for 40 dB. Nothing else has to be known to read it.
    """
    channel = channel.astype(np.complex64)
    magnitude = np.abs(channel)
    scaled = np.log1p(np.square(magnitude) / np.float32(GAIN_FLOOR)) / np.float32(4 * np.log(10))
    shown = channel * (scaled / np.maximum(magnitude, np.finfo(np.float32).tiny))
    return np.stack((shown.real, shown.imag), axis=-1).astype(np.float32, copy=False)


def channel_of(shown: NDArray[Any]) -> NDArray[np.complex128]:
    """Return the complex numbers, ``(...)``, that :func:`log_polar` was given, to single precision.

    Args:
        shown: ``(..., 2)``.
    """
    scaled = shown[..., 0] + np.complex128(1j) * shown[..., 1]
    radius = np.abs(scaled)
    magnitude = np.sqrt(GAIN_FLOOR * np.expm1(4 * np.log(10) * radius))
    return np.asarray(scaled * (magnitude / np.maximum(radius, np.finfo(np.float64).tiny)))


def log_scale(ratio: NDArray[Any]) -> Floats:
    """Return ``log10(ratio + 1e-4) / 4``: -1 for nothing, 0 near one, +1 for 40 dB; any shape."""
    scaled = np.asarray(ratio).astype(np.float32)
    scaled += np.float32(GAIN_FLOOR)
    np.log(scaled, out=scaled)  # NumPy has vector instructions for it, and none for log10
    scaled *= np.float32(1 / (4 * math.log(10)))
    return scaled


def ratio_of(scaled: Array) -> Array:
    """Return the ratio that :func:`log_scale` was given, of any shape, to single precision.

    Args:
        scaled: A NumPy array, which is read in double precision, or a torch tensor.
    """
    xp, (values,) = promote(scaled)
    values = values.astype(np.float64) if xp is np else values
    return xp.clip(10.0 ** (4 * values) - GAIN_FLOOR, 0.0, None)


def observed_block(observation: Mapping[str, NDArray[Any]], link: Link) -> CoherenceBlock:
    """Return the block that an observation shows, for policies that see nothing else.

    Gains, tasks and speeds are those of the block to single precision. Where servers are shared, ``server_hz``
    is an equal share, and where combiners follow the powers, gains are those for full power.

    Args:
        observation: ``signal`` ``(..., N, K)``, ``interference`` ``(..., N, K, K)`` and ``task`` ``(..., K, F)``.
        link: Of the current scenario or block; observations do not show it.
    """
    ratios = ratio_of(observation["task"][..., : len(TASK_UNITS)])
    return CoherenceBlock(
        signal_gain=ratio_of(observation["signal"]),
        interference_gain=ratio_of(observation["interference"]),
        **{name: ratios[..., COLUMN[name]] * unit for name, unit in TASK_UNITS.items()},
        **link._asdict(),
    )


def observed_servers(task: Array) -> Servers:
    """Return the shared servers that the ``task`` entry of an observation shows, ``(..., K, 6 + L)``, log-scaled.

    Args:
        task: A NumPy array or a torch tensor; so are the servers' arrays.
    """
    xp, (task,) = promote(task)
    open_hz = SITE_UNIT_HZ * xp.moveaxis(ratio_of(task[..., SITE_COLUMNS]), -1, -2)  # (..., L, K)
    cloud_hz = SHARED_UNITS["cloud_hz"] * ratio_of(task[..., 0, COLUMN["cloud_hz"]])
    return Servers(xp.clip(xp.max(open_hz, axis=-1), LEAST_OPEN_HZ, None), cloud_hz, open_hz >= LEAST_OPEN_HZ)


OBSERVATIONS: Parts[type[ObservationModel]] = Parts(
    "observation", gains=Gains, csi=ChannelState, channel=ComplexChannels
)
"""Observations by name; add your own to use it as ``observation``."""
