"""Networks on a square (paper B): user-centric clusters of APs, or base stations with many antennas."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from mec_cf_gym.block.clustered import CLUSTERED_COMBINERS
from mec_cf_gym.block.square import SquareBlocks
from mec_cf_gym.deployments.deployment import DEPLOYMENTS, Deployment, Floats
from mec_cf_gym.errors import refuse
from mec_cf_gym.network.grid import wrapped_offsets
from mec_cf_gym.network.grids import GRIDS
from mec_cf_gym.network.snapshot import SquareNetworks
from mec_cf_gym.parts import Parts
from mec_cf_gym.scenario import Scenario

FEWEST_STREETS = 3


class Square(Deployment):
    """Sites with several antennas on a grid that wraps around; channels are estimated from pilots."""

    layouts: ClassVar[Parts[Any]] = GRIDS
    combiners: ClassVar[Parts[Any]] = CLUSTERED_COMBINERS
    usual_scenario: ClassVar[Callable[..., Scenario]] = Scenario.paper_b

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.grid = grid = self.layouts[scenario.layout.deployment](scenario)
        self.num_sites, self.num_antennas = grid.num_sites, grid.num_sites * grid.num_antennas
        self.num_correlations = scenario.layout.num_users * grid.num_sites * grid.num_antennas**2
        self.sites_field, self.sites_name, self.has_cloud = grid.sites_field, grid.sites_name, grid.has_cloud
        self.usual_combiner, self.fronthaul_load = grid.usual_combiner, grid.fronthaul_load
        self.data_share = 1 - scenario.radio.pilot_samples / scenario.radio.block_samples

    def check(self) -> None:
        """Check for one subcarrier, estimated channels, whole grids, streets that fit, and samples for data."""
        layout, radio = self.scenario.layout, self.scenario.radio
        needed = {
            "num_subcarriers": (radio.num_subcarriers, 1, "a coherence block is one subcarrier"),
            "csi_error_variance": (radio.csi_error_variance, 0.0, "errors come from the pilots"),
            "receiver_noise": (radio.receiver_noise, "physical", "the other is paper A's"),
            "interference": (radio.interference, "physical", "the other is paper A's"),
        }
        for name, (value, only, reason) in needed.items():
            if value != only:
                where = f"with deployment={layout.deployment!r}"
                raise refuse(name, value, f"{where} it must be {only!r}: {reason}")
        self.check_combiner(f"with deployment={layout.deployment!r}")
        for name in ("num_aps", "num_base_stations"):
            points = getattr(layout, name)
            if math.isqrt(points) ** 2 != points:
                raise refuse(name, points, "they stand on a square grid: it must be a square number")
        if self.scenario.dynamics.mobility == "manhattan":
            self._check_streets()
        if radio.pilot_samples >= radio.block_samples:
            allowed = f"pilots must leave some of block_samples={radio.block_samples} for data"
            raise refuse("pilot_samples", radio.pilot_samples, allowed)

    def _check_streets(self) -> None:
        """Refuse streets that do not fit into the square, or so few that the way to the next is not unique."""
        side_m, street_m = self.scenario.layout.side_m, self.scenario.dynamics.street_m
        streets = round(side_m / street_m)
        if streets < FEWEST_STREETS or not math.isclose(streets * street_m, side_m):
            allowed = f"side_m={side_m:g} must be a multiple of it, at least {FEWEST_STREETS} times as long"
            raise refuse("street_m", street_m, allowed)

    def networks(self) -> SquareNetworks:
        """Return the model that draws the networks."""
        return SquareNetworks(self.scenario, self.grid)

    def blocks(self) -> SquareBlocks:
        """Return the model that draws their coherence blocks."""
        return SquareBlocks(self.scenario, self.combiner, self.grid.num_antennas, self.fronthaul_load)

    def border_m(self) -> Floats:
        """Return the edge of the square, ``(5, 2)``, in metres."""
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], np.float64)
        return self.scenario.layout.side_m * corners

    def offsets_m(self, origins_m: Floats, targets_m: Floats) -> Floats:
        """Return the shortest vectors from origins to targets, around the edges, ``(..., M, K, 2)``, in metres."""
        return wrapped_offsets(origins_m, targets_m, self.scenario.layout.side_m)


DEPLOYMENTS["square"] = Square
