"""Networks on a disk (paper A): single antennas all over it, or all of them at its centre."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from mec_cf_gym.block.combining import COMBINERS, INTERFERENCES
from mec_cf_gym.block.disk import DiskBlocks
from mec_cf_gym.deployments.deployment import DEPLOYMENTS, Deployment, Floats
from mec_cf_gym.errors import refuse
from mec_cf_gym.network.disk import DiskNetworks
from mec_cf_gym.network.layout import LAYOUTS, plain_offsets
from mec_cf_gym.parts import Parts
from mec_cf_gym.scenario import Scenario

BORDER_POINTS = 181


class Disk(Deployment):
    """Single-antenna APs, or the antennas of one base station, whose channels are known; dedicated servers."""

    layouts: ClassVar[Parts[Any]] = LAYOUTS
    combiners: ClassVar[Parts[Any]] = COMBINERS
    usual_scenario: ClassVar[Callable[..., Scenario]] = Scenario.paper_a
    usual_combiner = "mrc"

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.layout = self.layouts[scenario.layout.deployment](scenario)
        self.num_sites = self.num_antennas = scenario.layout.num_aps
        if scenario.radio.receiver_noise == "printed":
            self.noise_terms = int(self.layout.site_of_ap.max()) + 1

    def check(self) -> None:
        """Check combiner, antennas, mobility and servers."""
        layout, radio = self.scenario.layout, self.scenario.radio
        self.check_combiner("without clusters of APs")
        if radio.combiner == "zf" and layout.num_users > layout.num_aps:
            allowed = f"zero-forcing separates at most num_aps={layout.num_aps} users"
            raise refuse("num_users", layout.num_users, allowed)
        if layout.antennas_per_ap != 1:
            allowed = f"the APs of deployment={layout.deployment!r} have one antenna; num_aps counts antennas"
            raise refuse("antennas_per_ap", layout.antennas_per_ap, allowed)
        if self.scenario.dynamics.mobility == "manhattan":
            allowed = f"streets need a square, and deployment={layout.deployment!r} is on a disk"
            raise refuse("mobility", "manhattan", allowed)
        if self.scenario.computing.server != "dedicated":
            allowed = f"it must be dedicated with deployment={layout.deployment!r}"
            raise refuse("server", self.scenario.computing.server, allowed)

    def networks(self) -> DiskNetworks:
        """Return the model that draws the networks."""
        return DiskNetworks(self.scenario, self.layout)

    def blocks(self) -> DiskBlocks:
        """Return the model that draws their coherence blocks."""
        combiner = self.combiners[self.combiner](self.scenario)
        return DiskBlocks(self.scenario, combiner, INTERFERENCES[self.scenario.radio.interference])

    def border_m(self) -> Floats:
        """Return the circle around the disk, ``(points, 2)``, in metres."""
        angle = np.linspace(0.0, 2 * np.pi, BORDER_POINTS)
        return self.scenario.layout.radius_m * np.stack((np.cos(angle), np.sin(angle)), axis=-1)

    def offsets_m(self, origins_m: Floats, targets_m: Floats) -> Floats:
        """Return the vectors from origins to targets, ``(..., M, K, 2)``, in metres."""
        return plain_offsets(origins_m, targets_m)


DEPLOYMENTS["disk"] = Disk
