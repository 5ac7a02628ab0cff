"""The network: a drawn topology, with the statistics that hold for many coherence blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.network.servers import Servers
from mec_cf_gym.network.statistics import ChannelStatistics
from mec_cf_gym.random_streams import Streams

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Association:
    """How users who walk on a square are served, since the last refresh of the statistics, and their handovers."""

    measured_m: Floats  # (..., K, 2), positions that statistics are of
    blocks_since: NDArray[np.int64]  # (...), blocks since the refresh
    master: NDArray[np.intp]  # (..., K), master AP or base station
    handovers: NDArray[np.int64]  # (..., K), since the network was drawn
    handed_over: NDArray[np.bool_]  # (..., K), whether a handover begins with this block
    blocks_unserved: NDArray[np.int64]  # (..., K), without service from this block on

    @classmethod
    def first(cls, positions_m: Floats, master: NDArray[np.intp]) -> Association:
        """Return that of new networks, from positions ``(rows, K, 2)`` and masters ``(rows, K)``."""
        nothing = np.zeros(master.shape, np.int64)
        return cls(positions_m, nothing[:, 0], master, nothing, nothing > 0, nothing)


@dataclass(frozen=True)
class Network:
    """A topology, or a batch of them."""

    ap_positions_m: Floats  # (..., M, 2)
    user_positions_m: Floats  # (..., K, 2)
    waypoints_m: Floats  # (..., K, 2), where users head
    speed_m_per_s: Floats  # (..., K)
    shadowing_db: Floats  # (..., M, K)
    large_scale_gain: Floats  # (..., M, K), linear
    user_power_w: Floats  # (..., K), power budgets
    local_hz: Floats  # (..., K), zero for a user who computes nothing itself
    server_hz: Floats  # (..., K), its own, or an equal share of servers that are shared
    cell: NDArray[np.intp]  # (..., K), users of one cell share a term of the objective
    servers: Servers | None = None  # where they are shared
    statistics: ChannelStatistics | None = None  # of APs with several antennas
    association: Association | None = None  # of users who walk on a square

    @property
    def receives(self) -> NDArray[np.bool_]:
        """Which AP receives which user in this block, ``(..., L, K)``: its cluster, nobody in a handover."""
        assert self.statistics is not None
        if self.association is None:
            return self.statistics.serves
        served = self.association.blocks_unserved == 0
        return np.asarray(self.statistics.serves & served[..., None, :])


class NetworkModel(Protocol):
    """Draws the networks of a family and lets them evolve. Built from the scenario."""

    def draw(self, streams: Streams) -> Network:
        """Return one network per stream."""
        ...

    def advance(self, network: Network, streams: Streams) -> Network:
        """Return the networks one coherence block later; the same object if nothing moves."""
        ...
