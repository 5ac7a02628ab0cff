"""Networks on a disk (paper A), whose users may move."""

from __future__ import annotations

import dataclasses

import numpy as np

from mec_cf_gym.network.ground import DiskGround
from mec_cf_gym.network.layout import LayoutModel, plain_offsets
from mec_cf_gym.network.mobility import MOBILITIES
from mec_cf_gym.network.network import Network
from mec_cf_gym.network.propagation import PROPAGATIONS
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario
from mec_cf_gym.units import dbm_to_w


class DiskNetworks:
    """Draws networks on a disk and moves their users.

    Args:
        scenario: What they are drawn from.
        layout: Where APs and users are.
    """

    def __init__(self, scenario: Scenario, layout: LayoutModel) -> None:
        self.scenario, self.layout = scenario, layout
        self.propagation = PROPAGATIONS[scenario.radio.propagation](scenario)
        self.mobility = MOBILITIES[scenario.dynamics.mobility](scenario, DiskGround(layout))

    def draw(self, streams: Streams) -> Network:
        """Return one network per stream."""
        scenario, users = self.scenario, (self.scenario.layout.num_users,)
        ap_positions_m = self.layout.draw_aps(streams)
        user_positions_m = self.mobility.place(self.layout.draw_users(streams))
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
