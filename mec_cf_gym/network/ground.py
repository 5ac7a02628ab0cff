"""The ground that users walk on: a disk, or a square whose edges are joined."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.network.layout import LayoutModel
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario

Positions = NDArray[np.float64]  # (rows, K, 2), metres


class Ground(Protocol):
    """Says which points users may head for, and which way leads there."""

    def draw_users(self, streams: Streams) -> Positions:
        """Return a point for every user, uniform in the service area, ``(rows, K, 2)``, in metres."""
        ...

    def way_m(self, origins_m: Positions, targets_m: Positions) -> Positions:
        """Return the shortest ways from each origin to its target, ``(..., K, 2)`` all, in metres."""
        ...

    def within(self, positions_m: Positions) -> Positions:
        """Return the places of the service area that positions on a way stand for, ``(..., K, 2)``, in metres."""
        ...


class DiskGround:
    """A disk, on which ways are straight.

    Args:
        layout: Draws users.
    """

    def __init__(self, layout: LayoutModel) -> None:
        self.layout = layout

    def draw_users(self, streams: Streams) -> Positions:
        """Return a point for every user as the layout draws them, ``(rows, K, 2)``, in metres."""
        return self.layout.draw_users(streams)

    def way_m(self, origins_m: Positions, targets_m: Positions) -> Positions:
        """Return the differences of targets and origins, ``(..., K, 2)`` all, in metres."""
        return targets_m - origins_m

    def within(self, positions_m: Positions) -> Positions:
        """Return the positions themselves, ``(..., K, 2)``: a straight way does not leave a disk."""
        return positions_m


class SquareGround:
    """A square that wraps around: who leaves it at one edge comes in at the opposite one."""

    def __init__(self, scenario: Scenario) -> None:
        self.side_m, self.num_users = scenario.layout.side_m, scenario.layout.num_users

    def draw_users(self, streams: Streams) -> Positions:
        """Return a point for every user, uniform in the square, ``(rows, K, 2)``, in metres."""
        return streams.uniform(0.0, self.side_m, (self.num_users, 2))

    def way_m(self, origins_m: Positions, targets_m: Positions) -> Positions:
        """Return the shortest ways, around the edges where that is shorter, ``(..., K, 2)`` all, in metres."""
        way_m = targets_m - origins_m
        return np.asarray(way_m - self.side_m * np.round(way_m / self.side_m))

    def within(self, positions_m: Positions) -> Positions:
        """Return the positions inside the square, ``(..., K, 2)``, in metres."""
        return positions_m % self.side_m
