"""Observations: what a policy sees of a block, log-scaled and bounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.network.snapshot import GRIDS
from mec_cf_gym.servers import Servers

if TYPE_CHECKING:
    from mec_cf_gym.scenario import Scenario

Floats = NDArray[np.float32]
Observation = dict[str, Floats]

GAIN_FLOOR = 1e-4
"""Gains far below -40 dB of the noise change nothing; added to keep the logarithm bounded."""
TASK_UNITS = (1e3, 1e3, 1e9, 1e9)
"""Paper A's bits, cycles per bit, and order of CPU speeds in Hz: their logarithms are near zero."""
DEADLINE_UNIT_S, SPEED_UNIT_HZ = 1.0, 1e9
LEAST_OPEN_HZ = 1e3
"""Slowest server a scenario admits; less than that is what rounding leaves of a server that a user may not use."""
BOUND = 10.0
"""No gain or task a scenario admits comes near it."""


class ObservationModel(Protocol):
    """Turns blocks into observations. Built from the scenario."""

    def __init__(self, scenario: Scenario) -> None: ...

    def space(self) -> spaces.Dict:
        """Return the space of one row."""
        ...

    def observe(self, block: CoherenceBlock) -> Observation:
        """Return what is seen of ``block``; its leading axes are kept."""
        ...


class Gains:
    """Signal gains, interference gains and tasks; deadlines and servers too where servers are shared."""

    def __init__(self, scenario: Scenario) -> None:
        users, subcarriers = scenario.layout.num_users, scenario.radio.num_subcarriers
        self.shared = scenario.computing.server == "shared"
        features = len(TASK_UNITS) + (2 + scenario.num_sites if self.shared else 0)
        self.shapes: dict[str, tuple[int, ...]] = {
            "signal": (subcarriers, users),
            "interference": (subcarriers, users, users),
            "task": (users, features),
        }
        self.link: dict[str, Any] = {"subcarrier_bandwidth_hz": scenario.subcarrier_bandwidth_hz}
        if scenario.on_grid:
            self.link["data_share"] = scenario.data_share
            self.link["fronthaul_load"] = GRIDS[scenario.layout.deployment](scenario).fronthaul_load

    def space(self) -> spaces.Dict:
        """Return a ``Dict`` of float32 boxes."""
        return spaces.Dict({name: spaces.Box(-BOUND, BOUND, shape) for name, shape in self.shapes.items()})

    def observe(self, block: CoherenceBlock) -> Observation:
        """Return ``signal`` ``(..., N, K)``, ``interference`` ``(..., N, K, K)`` and ``task`` ``(..., K, F)``.

        F is 4, or 6 + L where servers are shared: then the deadline, the cloud's speed, and that of every AP
        that serves the user follow, zero for the others.
        """
        tasks = (block.task_bits, block.cycles_per_bit, block.local_hz, block.server_hz)
        units = [np.asarray(values) / unit for values, unit in zip(tasks, TASK_UNITS, strict=True)]
        if self.shared:
            servers: Any = block.servers
            cloud_hz = np.broadcast_to(servers.cloud_hz[..., None], block.task_bits.shape)
            units += [np.asarray(block.deadline_s) / DEADLINE_UNIT_S, cloud_hz / SPEED_UNIT_HZ]
            units += list(np.moveaxis(servers.open_hz, -2, 0) / SPEED_UNIT_HZ)
        return {
            "signal": log_scale(block.signal_gain),
            "interference": log_scale(block.interference_gain),
            "task": log_scale(np.stack(units, axis=-1)),
        }

    def seen_block(self, observation: Mapping[str, NDArray[Any]]) -> CoherenceBlock:
        """Return the block as an observation shows it: all that a policy knows which has nothing else.

        Gains, tasks and speeds are those of the block to single precision. Where servers are shared, ``server_hz``
        is an equal share, and where combiners follow the powers, gains are those for full power.
        """
        tasks = np.moveaxis(ratio_of(observation["task"])[..., : len(TASK_UNITS)], -1, 0)
        names = ("task_bits", "cycles_per_bit", "local_hz", "server_hz")
        return CoherenceBlock(
            signal_gain=ratio_of(observation["signal"]),
            interference_gain=ratio_of(observation["interference"]),
            **{name: ratio * unit for name, ratio, unit in zip(names, tasks, TASK_UNITS, strict=True)},
            **self.link,
        )

    def seen_servers(self, observation: Mapping[str, NDArray[Any]]) -> Servers:
        """Return the servers of a network with shared ones, as an observation shows them."""
        task = np.asarray(observation["task"])
        open_hz = SPEED_UNIT_HZ * np.swapaxes(ratio_of(task[..., len(TASK_UNITS) + 2 :]), -1, -2)  # (..., L, K)
        serves = open_hz >= LEAST_OPEN_HZ
        cloud_hz = SPEED_UNIT_HZ * ratio_of(task[..., 0, len(TASK_UNITS) + 1])
        return Servers(np.maximum(open_hz.max(-1), LEAST_OPEN_HZ), cloud_hz, serves)


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


def log_scale(ratio: NDArray[Any]) -> Floats:
    """Return ``log10(ratio + 1e-4) / 4``: -1 for nothing, 0 near one, +1 for 40 dB; float32."""
    scaled = np.asarray(ratio).astype(np.float32)
    scaled += np.float32(GAIN_FLOOR)
    np.log10(scaled, out=scaled)
    scaled *= np.float32(1 / 4)
    return scaled


def ratio_of(scaled: NDArray[Any]) -> NDArray[np.float64]:
    """Return the ratio that :func:`log_scale` was given, to single precision."""
    return np.asarray(np.maximum(10.0 ** (4 * np.asarray(scaled, np.float64)) - GAIN_FLOOR, 0.0))


OBSERVATIONS: dict[str, type[ObservationModel]] = {"gains": Gains, "csi": ChannelState}
"""Observations by name; add your own to use it as ``observation``."""
