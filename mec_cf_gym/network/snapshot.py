"""Snapshots: networks of sites with several antennas on a square, whose users may walk (paper B)."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.batches import put_rows, stack_rows, take_rows
from mec_cf_gym.network.correlation import local_scattering, toeplitz
from mec_cf_gym.network.grid import Square, wrapped_offsets
from mec_cf_gym.network.grids import GridModel, Links
from mec_cf_gym.network.network import Association, Floats, Network
from mec_cf_gym.network.statistics import ChannelStatistics
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario
from mec_cf_gym.units import dbm_to_w


class SquareNetworks:
    """Draws networks on a square, and lets their users walk.

    Positions change from block to block; large-scale gains, covariances, pilots and clusters follow every
    ``snapshot_blocks`` blocks. Users who stay have the same statistics for a whole episode.

    Args:
        scenario: What they are drawn from.
        grid: Which sites serve, and whom.
    """

    def __init__(self, scenario: Scenario, grid: GridModel) -> None:
        self.scenario, self.grid = scenario, grid
        self.square = Square(scenario)
        self.sites_m = self.square.sites_m[grid.sites]  # (L, 2)

    def draw(self, streams: Streams) -> Network:
        """Return one network per stream."""
        scenario, users = self.scenario, (self.scenario.layout.num_users,)
        drops = [self.square.drop(rng) for rng in streams.generators]
        local_hz = streams.interval(scenario.computing.local_hz, users)
        speed_m_per_s = streams.interval(scenario.dynamics.speed_m_per_s, users)
        user_power_w = dbm_to_w(streams.interval(scenario.radio.user_power_dbm, users))
        dedicated_hz = streams.interval(scenario.computing.server_hz, users)
        ap_hz = streams.interval(scenario.computing.ap_hz, (scenario.layout.num_aps,))
        links = Links(*(np.stack(parts) for parts in zip(*map(self.grid.associate, drops), strict=True)))
        gain = np.stack([drop.gain[self.grid.sites] for drop in drops])
        positions_m = np.stack([drop.positions_m for drop in drops])
        statistics = [
            self._statistics(*row)
            for row in zip(positions_m, gain, user_power_w, links.pilot, links.serves, strict=True)
        ]
        shared = self.grid.servers(ap_hz, links.serves) if scenario.computing.server == "shared" else None
        walks = scenario.dynamics.mobility != "static"
        return Network(
            ap_positions_m=np.broadcast_to(self.sites_m, (len(drops), *self.sites_m.shape)),
            user_positions_m=positions_m,
            waypoints_m=self.square.mobility.draw_waypoints(streams, positions_m),
            speed_m_per_s=speed_m_per_s,
            shadowing_db=np.stack([drop.shadowing_db[self.grid.sites] for drop in drops]),
            large_scale_gain=gain,
            user_power_w=user_power_w,
            local_hz=local_hz if scenario.computing.local_computing else np.zeros_like(local_hz),
            server_hz=dedicated_hz if shared is None else shared.equal_shares().total_hz,
            cell=links.cell,
            servers=shared,
            statistics=stack_rows(statistics),
            association=Association.first(positions_m, links.master) if walks else None,
        )

    def advance(self, network: Network, streams: Streams) -> Network:
        """Return the networks one coherence block later; the same object if nobody walks.

        Shadowing is drawn from branches of the streams, as fading is, so that a seed stands for the same users
        whichever sites serve.
        """
        if network.association is None:
            return network
        positions_m, waypoints_m = self.square.mobility.move(
            network.user_positions_m, network.waypoints_m, network.speed_m_per_s, streams
        )
        if positions_m is network.user_positions_m:
            return network
        association = dataclasses.replace(
            network.association,
            blocks_since=network.association.blocks_since + 1,
            handed_over=np.zeros_like(network.association.handed_over),
            blocks_unserved=np.maximum(network.association.blocks_unserved - 1, 0),
        )
        network = dataclasses.replace(
            network, user_positions_m=positions_m, waypoints_m=waypoints_m, association=association
        )
        due = (association.blocks_since >= self.scenario.dynamics.snapshot_blocks) & (
            positions_m != association.measured_m
        ).any((-1, -2))
        if not due.any():
            return network
        branches = streams.select(due).branch().generators
        rows = zip(np.flatnonzero(due).tolist(), branches, strict=True)
        refreshed = stack_rows([self._refreshed(take_rows(network, row), rng) for row, rng in rows])
        return refreshed if due.all() else put_rows(network, due, refreshed)

    def _refreshed(self, network: Network, rng: np.random.Generator) -> Network:
        """Return one network, without batch axis, with statistics, pilots and clusters of where its users are."""
        before, statistics = network.association, network.statistics
        assert before is not None and statistics is not None
        positions_m = network.user_positions_m
        shadowing_db = self.square.shadowing_along(network.shadowing_db, before.measured_m, positions_m, rng)
        offsets_m = wrapped_offsets(self.sites_m, positions_m, self.square.side_m)
        gain = self.square.propagation.gain(offsets_m, shadowing_db)
        links = self.grid.reassociate(
            gain, Links(before.master, statistics.pilot, statistics.serves, network.cell)
        )
        servers = None if network.servers is None else dataclasses.replace(network.servers, serves=links.serves)
        handed_over = links.master != before.master
        unserved = np.where(handed_over, self.scenario.dynamics.handover_blocks, before.blocks_unserved)
        return dataclasses.replace(
            network,
            shadowing_db=shadowing_db,
            large_scale_gain=gain,
            server_hz=network.server_hz if servers is None else servers.equal_shares().total_hz,
            cell=links.cell,
            servers=servers,
            statistics=self._statistics(positions_m, gain, network.user_power_w, links.pilot, links.serves),
            association=Association(
                measured_m=positions_m,
                blocks_since=np.zeros_like(before.blocks_since),
                master=links.master,
                handovers=before.handovers + handed_over,
                handed_over=handed_over,
                blocks_unserved=unserved,
            ),
        )

    def _statistics(
        self,
        positions_m: Floats,
        gain: Floats,
        user_power_w: Floats,
        pilot: NDArray[np.intp],
        serves: NDArray[np.bool_],
    ) -> ChannelStatistics:
        """Return the statistics of one network.

        Args:
            positions_m: Users, ``(K, 2)``.
            gain: Large-scale gains, ``(L, K)``.
            user_power_w: Full powers, ``(K,)``.
            pilot: Pilots, ``(K,)``.
            serves: Clusters, ``(L, K)``.
        """
        radio, height_m = self.scenario.radio, self.scenario.layout.height_difference_m
        offsets_m = wrapped_offsets(self.sites_m, positions_m, self.square.side_m)
        first_row = local_scattering(
            np.arctan2(offsets_m[..., 1], offsets_m[..., 0]),
            np.arctan2(height_m, np.linalg.norm(offsets_m, axis=-1)),
            self.grid.num_antennas,
            np.deg2rad(radio.azimuth_spread_deg),
            np.deg2rad(radio.elevation_spread_deg),
        )
        snr = user_power_w / self.scenario.noise_w
        covariance = toeplitz((snr * gain)[..., None] * first_row)
        return ChannelStatistics.of(covariance, pilot, serves, radio.pilot_samples)
