"""Layouts: where the access points and the users of a network are."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.parts import Parts
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario


class LayoutModel(Protocol):
    """Places APs and users. Built from the scenario."""

    site_of_ap: NDArray[np.intp]  # (M,), antennas of one site share their shadowing

    def __init__(self, scenario: Scenario) -> None: ...

    def draw_aps(self, streams: Streams) -> NDArray[np.float64]:
        """Return AP positions in metres, ``(rows, M, 2)``."""
        ...

    def draw_users(self, streams: Streams) -> NDArray[np.float64]:
        """Return user positions in metres, ``(rows, K, 2)``."""
        ...


class CellFree:
    """Single-antenna APs and users, both uniform in a disk (paper A, schemes 1 and 2)."""

    def __init__(self, scenario: Scenario) -> None:
        self.layout = scenario.layout
        self.site_of_ap = np.arange(self.layout.num_aps)

    def draw_aps(self, streams: Streams) -> NDArray[np.float64]:
        """Return AP positions in metres, ``(rows, M, 2)``."""
        return uniform_in_disk(streams, self.layout.num_aps, self.layout.radius_m)

    def draw_users(self, streams: Streams) -> NDArray[np.float64]:
        """Return user positions in metres, ``(rows, K, 2)``."""
        return uniform_in_disk(streams, self.layout.num_users, self.layout.radius_m)


class Cellular(CellFree):
    """One base station with all antennas in the centre of the disk (paper A, scheme 3)."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.site_of_ap = np.zeros(self.layout.num_aps, np.intp)

    def draw_aps(self, streams: Streams) -> NDArray[np.float64]:
        """Return the centre for every antenna, ``(rows, M, 2)``."""
        return np.zeros((len(streams), self.layout.num_aps, 2))


def uniform_in_disk(streams: Streams, points: int, radius_m: float) -> NDArray[np.float64]:
    """Return points uniform in a disk around the origin, ``(rows, points, 2)``, in metres."""
    area_share, turn = np.moveaxis(streams.uniform(0.0, 1.0, (2, points)), 1, 0)
    distance_m, angle = radius_m * np.sqrt(area_share), 2 * np.pi * turn
    return np.stack((distance_m * np.cos(angle), distance_m * np.sin(angle)), axis=-1)


def plain_offsets(origins_m: NDArray[np.float64], targets_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vectors from origins ``(..., M, 2)`` to targets ``(..., K, 2)``: ``(..., M, K, 2)``, in m."""
    return targets_m[..., None, :, :] - origins_m[..., :, None, :]


LAYOUTS: Parts[type[LayoutModel]] = Parts("deployment", family="disk", cell_free=CellFree, cellular=Cellular)
"""Layouts by name; add your own to use it as ``deployment``."""
