"""Snapshots: networks of APs or base stations with several antennas on a square (paper B)."""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.batches import stack_rows
from mec_cf_gym.network.correlation import local_scattering, toeplitz
from mec_cf_gym.network.grid import DROPS, Drop, Square, wrapped_offsets
from mec_cf_gym.network.network import Floats, Network
from mec_cf_gym.network.pilots import assign_pilots, form_clusters
from mec_cf_gym.network.servers import Servers
from mec_cf_gym.network.statistics import ChannelStatistics
from mec_cf_gym.parts import Parts
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario
from mec_cf_gym.units import dbm_to_w


class GridModel(Protocol):
    """Says which sites of a square serve its users, and which users. Built from the scenario."""

    sites: slice  # of Square.sites_m: those that serve
    num_sites: int  # L
    num_antennas: int  # of each site, A
    sites_field: ClassVar[str]  # scenario field that counts the sites
    sites_name: ClassVar[str]
    has_cloud: ClassVar[bool]
    usual_combiner: ClassVar[str]  # what combiner="auto" stands for
    fronthaul_load: float  # time on the fronthaul over time on the uplink

    def __init__(self, scenario: Scenario) -> None: ...

    def associate(self, drop: Drop) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.intp]]:
        """Return pilots ``(K,)``, clusters ``(L, K)`` and the cells of the users ``(K,)``."""
        ...

    def servers(self, ap_hz: Floats, serves: NDArray[np.bool_]) -> Servers:
        """Return the servers, from the speeds of all APs, ``(rows, num_aps)``, and clusters, ``(rows, L, K)``."""
        ...


class UserCentric:
    """APs on a grid; algorithm 4.1 of the book chooses pilots and clusters, and a cloud backs the APs."""

    sites_field: ClassVar[str] = "num_aps"
    sites_name: ClassVar[str] = "APs"
    has_cloud: ClassVar[bool] = True
    usual_combiner: ClassVar[str] = "p_mmse"

    def __init__(self, scenario: Scenario) -> None:
        layout, computing = scenario.layout, scenario.computing
        self.sites, self.num_sites = slice(0, layout.num_aps), layout.num_aps
        self.num_antennas = layout.antennas_per_ap
        self.num_pilots = scenario.radio.pilot_samples
        self.cloud_hz = computing.cloud_hz
        bits_per_sample = 2 * self.num_antennas * computing.quantisation_bits
        self.fronthaul_load = bits_per_sample * scenario.radio.bandwidth_hz / computing.fronthaul_bps

    def associate(self, drop: Drop) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.intp]]:
        """Return pilots ``(K,)``, clusters ``(L, K)``, and one cell for all users ``(K,)``."""
        serves = form_clusters(drop.gain[self.sites], drop.pilot, self.num_pilots)
        return drop.pilot, serves, np.zeros(len(drop.pilot), np.intp)

    def servers(self, ap_hz: Floats, serves: NDArray[np.bool_]) -> Servers:
        """Return the APs' servers and the cloud."""
        return Servers(ap_hz, np.full(len(ap_hz), self.cloud_hz), serves)


class MultiCell:
    """Base stations on a grid; each serves the users that hear it best and has its part of all servers."""

    sites_field: ClassVar[str] = "num_base_stations"
    sites_name: ClassVar[str] = "base stations"
    has_cloud: ClassVar[bool] = False
    usual_combiner: ClassVar[str] = "l_mmse"

    def __init__(self, scenario: Scenario) -> None:
        layout = scenario.layout
        self.sites, self.num_sites = slice(layout.num_aps, None), layout.num_base_stations
        self.num_antennas = layout.antennas_per_base_station
        self.num_pilots = scenario.radio.pilot_samples
        self.cloud_hz = scenario.computing.cloud_hz
        self.pilots_fit_cells = DROPS[layout.user_drop].pilots_fit_cells
        self.fronthaul_load = 0.0

    def associate(self, drop: Drop) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.intp]]:
        """Return pilots ``(K,)``, users' base stations as clusters ``(L, K)``, and as cells ``(K,)``."""
        gain = drop.gain[self.sites]
        cell = gain.argmax(0)
        pilot = drop.pilot if self.pilots_fit_cells else assign_pilots(gain, self.num_pilots)
        return pilot, cell == np.arange(len(gain))[:, None], cell

    def servers(self, ap_hz: Floats, serves: NDArray[np.bool_]) -> Servers:
        """Return the base stations' servers: equal parts of those of all APs and of the cloud."""
        sites = serves.shape[-2]
        budget_hz = (ap_hz.sum(-1, keepdims=True) + self.cloud_hz) / sites
        return Servers(np.repeat(budget_hz, sites, axis=-1), np.zeros(len(ap_hz)), serves)


GRIDS: Parts[type[GridModel]] = Parts(
    "deployment", family="square", user_centric=UserCentric, multi_cell=MultiCell
)
"""Grids by name: the deployments on a square."""


class SquareNetworks:
    """Draws networks on a square, whose statistics stay the same from block to block.

    Args:
        scenario: What they are drawn from.
        grid: Which sites serve, and whom.
    """

    def __init__(self, scenario: Scenario, grid: GridModel) -> None:
        self.scenario, self.grid = scenario, grid
        self.square = Square(scenario)

    def draw(self, streams: Streams) -> Network:
        """Return one network per stream."""
        scenario, users = self.scenario, (self.scenario.layout.num_users,)
        drops = [self.square.drop(rng) for rng in streams.generators]
        local_hz = streams.interval(scenario.computing.local_hz, users)
        speed_m_per_s = streams.interval(scenario.dynamics.speed_m_per_s, users)
        user_power_w = dbm_to_w(streams.interval(scenario.radio.user_power_dbm, users))
        dedicated_hz = streams.interval(scenario.computing.server_hz, users)
        ap_hz = streams.interval(scenario.computing.ap_hz, (scenario.layout.num_aps,))
        pilot, serves, cell = (np.stack(parts) for parts in zip(*map(self.grid.associate, drops), strict=True))
        snr = user_power_w / scenario.noise_w
        statistics = [self._statistics(*row) for row in zip(drops, snr, pilot, serves, strict=True)]
        shared = self.grid.servers(ap_hz, serves) if scenario.computing.server == "shared" else None
        positions_m = np.stack([drop.positions_m for drop in drops])
        sites_m = self.square.sites_m[self.grid.sites]
        return Network(
            ap_positions_m=np.broadcast_to(sites_m, (len(drops), *sites_m.shape)),
            user_positions_m=positions_m,
            waypoints_m=positions_m,
            speed_m_per_s=speed_m_per_s,
            shadowing_db=np.stack([drop.shadowing_db[self.grid.sites] for drop in drops]),
            large_scale_gain=np.stack([drop.gain[self.grid.sites] for drop in drops]),
            user_power_w=user_power_w,
            local_hz=local_hz if scenario.computing.local_computing else np.zeros_like(local_hz),
            server_hz=dedicated_hz if shared is None else shared.equal_shares().total_hz,
            cell=cell,
            servers=shared,
            statistics=stack_rows(statistics),
        )

    def advance(self, network: Network, streams: Streams) -> Network:
        """Return the same network: its statistics hold for a whole episode."""
        return network

    def _statistics(
        self, drop: Drop, snr: Floats, pilot: NDArray[np.intp], serves: NDArray[np.bool_]
    ) -> ChannelStatistics:
        """Return the statistics of one network.

        Args:
            drop: Its users.
            snr: Full powers over the noise, ``(K,)``.
            pilot: Pilots, ``(K,)``.
            serves: Clusters, ``(L, K)``.
        """
        radio, height_m = self.scenario.radio, self.scenario.layout.height_difference_m
        offsets_m = wrapped_offsets(self.square.sites_m[self.grid.sites], drop.positions_m, self.square.side_m)
        first_row = local_scattering(
            np.arctan2(offsets_m[..., 1], offsets_m[..., 0]),
            np.arctan2(height_m, np.linalg.norm(offsets_m, axis=-1)),
            self.grid.num_antennas,
            np.deg2rad(radio.azimuth_spread_deg),
            np.deg2rad(radio.elevation_spread_deg),
        )
        covariance = toeplitz((snr * drop.gain[self.grid.sites])[..., None] * first_row)
        return ChannelStatistics.of(covariance, pilot, serves, radio.pilot_samples)
