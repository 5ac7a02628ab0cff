"""Families of networks: each says once what a scenario means in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.block.model import BlockModel
from mec_cf_gym.errors import refuse
from mec_cf_gym.network.network import NetworkModel
from mec_cf_gym.parts import Parts
from mec_cf_gym.scenario import Scenario

Floats = NDArray[np.float64]


class Deployment(ABC):
    """A family of networks: its sites, antennas and servers, the scenarios it allows, and the models that draw it.

    Built from a scenario, whose field ``deployment`` names a layout of the family. To add a family, register
    layouts of it (``Parts("deployment", family="mine", ...)``) and a subclass (``DEPLOYMENTS["mine"] = Mine``).
    """

    layouts: ClassVar[Parts[Any]]
    """Layouts of the family by name, each built from the scenario."""
    combiners: ClassVar[Parts[Any]]
    """Its receive combiners by name."""
    usual_scenario: ClassVar[Callable[..., Scenario]]
    """Returns the scenario of the family's environments if none is given."""

    num_sites: int
    """APs or base stations that serve."""
    num_antennas: int
    """Antennas of all sites."""
    sites_field: str = "num_aps"
    """The scenario field that counts the sites."""
    sites_name: str = "APs"
    """What the sites are called."""
    num_correlations: int = 0
    """Numbers in the spatial correlation matrices of a network."""
    usual_combiner: str
    """What ``combiner="auto"`` stands for."""
    noise_terms: int = 1
    """Receiver noise terms that are summed after combining."""
    data_share: float = 1.0
    """Share of a coherence block's samples that carry data, tau_u / tau_c."""
    fronthaul_load: float = 0.0
    """Time on the fronthaul over time on the uplink."""
    has_cloud: bool = False
    """Whether a cloud computes beside the sites, where servers are shared."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario

    @abstractmethod
    def check(self) -> None:
        """Check that the family allows the scenario.

        Raises:
            ValueError: Names the field, its value and what is allowed.
        """

    @abstractmethod
    def networks(self) -> NetworkModel:
        """Return the model that draws the networks."""

    @abstractmethod
    def blocks(self) -> BlockModel:
        """Return the model that draws their coherence blocks."""

    @abstractmethod
    def border_m(self) -> Floats:
        """Return the border of the service area as a closed line, ``(points, 2)``, in metres."""

    @abstractmethod
    def offsets_m(self, origins_m: Floats, targets_m: Floats) -> Floats:
        """Return the vectors from origins ``(..., M, 2)`` to targets ``(..., K, 2)``: ``(..., M, K, 2)``, in m."""

    @property
    def combiner(self) -> str:
        """The combiner that the scenario names; the usual one for ``"auto"``."""
        named = self.scenario.radio.combiner
        return self.usual_combiner if named == "auto" else named

    def check_combiner(self, where: str) -> None:
        """Refuse a combiner that is not one of the family's."""
        if self.combiner not in self.combiners:
            allowed = f"{where} it must be auto or one of {list(self.combiners)}"
            raise refuse("combiner", self.combiner, allowed)


DEPLOYMENTS: Parts[type[Deployment]] = Parts("family")
"""Families of networks by name; every registry of layouts says which of them it belongs to."""
