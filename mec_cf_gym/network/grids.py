"""Grids on a square: which sites serve its users, and how users are associated with them (paper B)."""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.network.grid import DROPS, Drop
from mec_cf_gym.network.pilots import assign_pilots, favoured, form_clusters, master_aps
from mec_cf_gym.network.servers import Servers
from mec_cf_gym.parts import Parts
from mec_cf_gym.scenario import Scenario
from mec_cf_gym.units import db_to_linear

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class Links(NamedTuple):
    """How users are associated with sites."""

    master: Indices  # (..., K), the AP or base station that leads a user's service
    pilot: Indices  # (..., K)
    serves: NDArray[np.bool_]  # (..., L, K), clusters
    cell: Indices  # (..., K)


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

    def associate(self, drop: Drop) -> Links:
        """Return how users are associated with sites when a network is drawn, without leading axes."""
        ...

    def reassociate(self, gain: Floats, links: Links) -> Links:
        """Return how they are once gains have become ``(L, K)``: what is good enough stays."""
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
        self.hysteresis = float(db_to_linear(scenario.dynamics.handover_db))
        self.cloud_hz = computing.cloud_hz
        bits_per_sample = 2 * self.num_antennas * computing.quantisation_bits
        self.fronthaul_load = bits_per_sample * scenario.radio.bandwidth_hz / computing.fronthaul_bps

    def associate(self, drop: Drop) -> Links:
        """Return pilots and clusters by algorithm 4.1; all users are in one cell."""
        gain = drop.gain[self.sites]
        serves = form_clusters(gain, drop.pilot, self.num_pilots)
        return Links(master_aps(gain), drop.pilot, serves, np.zeros(len(drop.pilot), np.intp))

    def reassociate(self, gain: Floats, links: Links) -> Links:
        """Return what algorithm 4.1 makes of gains ``(L, K)``, with a hysteresis in each of its choices.

        A user keeps its master AP until another hears it better by ``handover_db``, and its pilot until its master
        receives less by as much on another; an AP goes on to serve a user until it hears another one on the pilot
        better by as much.
        """
        leads = links.master == np.arange(self.num_sites)[:, None]
        master = master_aps(favoured(gain, leads, self.hysteresis))
        pilot = assign_pilots(gain, self.num_pilots, master, links.pilot, self.hysteresis)
        kept = favoured(gain, links.serves, self.hysteresis)
        return Links(master, pilot, form_clusters(kept, pilot, self.num_pilots, master), links.cell)

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
        self.hysteresis = float(db_to_linear(scenario.dynamics.handover_db))
        self.cloud_hz = scenario.computing.cloud_hz
        self.pilots_fit_cells = DROPS[layout.user_drop].pilots_fit_cells
        self.fronthaul_load = 0.0

    def associate(self, drop: Drop) -> Links:
        """Return pilots, and users' base stations as masters, clusters and cells."""
        gain = drop.gain[self.sites]
        pilot = drop.pilot if self.pilots_fit_cells else assign_pilots(gain, self.num_pilots)
        return self._links(master_aps(gain), pilot)

    def reassociate(self, gain: Floats, links: Links) -> Links:
        """Return what gains ``(L, K)`` lead to: another base station, or pilot, only if better by ``handover_db``.

        Pilots follow algorithm 4.1 on the gains to the base stations.
        """
        cell = master_aps(favoured(gain, links.serves, self.hysteresis))
        return self._links(cell, assign_pilots(gain, self.num_pilots, cell, links.pilot, self.hysteresis))

    def _links(self, cell: Indices, pilot: Indices) -> Links:
        """Return the association of users with the base stations of their cells, ``(K,)``."""
        return Links(cell, pilot, cell == np.arange(self.num_sites)[:, None], cell)

    def servers(self, ap_hz: Floats, serves: NDArray[np.bool_]) -> Servers:
        """Return the base stations' servers: equal parts of those of all APs and of the cloud."""
        sites = serves.shape[-2]
        budget_hz = (ap_hz.sum(-1, keepdims=True) + self.cloud_hz) / sites
        return Servers(np.repeat(budget_hz, sites, axis=-1), np.zeros(len(ap_hz)), serves)


GRIDS: Parts[type[GridModel]] = Parts(
    "deployment", family="square", user_centric=UserCentric, multi_cell=MultiCell
)
"""Grids by name: the deployments on a square."""
