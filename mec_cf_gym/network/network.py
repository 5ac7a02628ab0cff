"""The network: a drawn topology, with the statistics that hold for many coherence blocks."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.network.layout import LAYOUTS, plain_offsets
from mec_cf_gym.network.mobility import MOBILITIES
from mec_cf_gym.network.propagation import PROPAGATIONS
from mec_cf_gym.network.statistics import ChannelStatistics
from mec_cf_gym.servers import Servers
from mec_cf_gym.units import dbm_to_w

if TYPE_CHECKING:
    from mec_cf_gym.scenario import Scenario
    from mec_cf_gym.streams import Streams

Floats = NDArray[np.float64]


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


class NetworkModel:
    """Draws networks on a disk (paper A) and moves their users."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.layout = LAYOUTS[scenario.layout.deployment](scenario)
        self.propagation = PROPAGATIONS[scenario.radio.propagation](scenario)
        self.mobility = MOBILITIES[scenario.dynamics.mobility](scenario, self.layout)

    def draw(self, streams: Streams) -> Network:
        """Return one network per stream."""
        scenario, users = self.scenario, (self.scenario.layout.num_users,)
        ap_positions_m = self.layout.draw_aps(streams)
        user_positions_m = self.layout.draw_users(streams)
        shadowing_db = self.propagation.draw_shadowing_db(streams, self.layout.site_of_ap)
        local_hz = streams.interval(scenario.computing.local_hz, users)
        return Network(
            ap_positions_m=ap_positions_m,
            user_positions_m=user_positions_m,
            waypoints_m=self.mobility.draw_waypoints(streams, user_positions_m),
            speed_m_per_s=streams.interval(scenario.dynamics.speed_m_per_s, users),
            shadowing_db=shadowing_db,
            large_scale_gain=self.propagation.gain(plain_offsets(ap_positions_m, user_positions_m), shadowing_db),
            user_power_w=dbm_to_w(streams.interval(scenario.radio.user_power_dbm, users)),
            local_hz=local_hz if scenario.computing.local_computing else np.zeros_like(local_hz),
            server_hz=streams.interval(scenario.computing.server_hz, users),
            cell=np.zeros_like(local_hz, np.intp),
        )

    def advance(self, network: Network, streams: Streams) -> Network:
        """Return the network one coherence block later."""
        positions_m, waypoints_m = self.mobility.move(
            network.user_positions_m, network.waypoints_m, network.speed_m_per_s, streams
        )
        if positions_m is network.user_positions_m:
            return network
        return dataclasses.replace(
            network,
            user_positions_m=positions_m,
            waypoints_m=waypoints_m,
            large_scale_gain=self.propagation.gain(
                plain_offsets(network.ap_positions_m, positions_m), network.shadowing_db
            ),
        )
