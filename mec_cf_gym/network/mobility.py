"""Mobility: how users move from one coherence block to the next."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.network.layout import LayoutModel
from mec_cf_gym.parts import Parts
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario

Positions = NDArray[np.float64]  # (rows, K, 2), metres


class MobilityModel(Protocol):
    """Moves users. Built from the scenario and its layout."""

    def __init__(self, scenario: Scenario, layout: LayoutModel) -> None: ...

    def draw_waypoints(self, streams: Streams, positions_m: Positions) -> Positions:
        """Return where users at ``positions_m`` head first, ``(rows, K, 2)``."""
        ...

    def move(
        self,
        positions_m: Positions,
        waypoints_m: Positions,
        speed_m_per_s: NDArray[np.float64],
        streams: Streams,
    ) -> tuple[Positions, Positions]:
        """Return positions and waypoints one block later, ``(rows, K, 2)``; the same arrays when nobody moves."""
        ...


class Static:
    """Users stay where they are drawn (their speed may still spread the Doppler spectrum)."""

    def __init__(self, scenario: Scenario, layout: LayoutModel) -> None:
        pass

    def draw_waypoints(self, streams: Streams, positions_m: Positions) -> Positions:
        """Return the users' own positions, ``(rows, K, 2)``."""
        return positions_m

    def move(
        self,
        positions_m: Positions,
        waypoints_m: Positions,
        speed_m_per_s: NDArray[np.float64],
        streams: Streams,
    ) -> tuple[Positions, Positions]:
        """Return the same positions and waypoints, ``(rows, K, 2)``."""
        return positions_m, waypoints_m


class RandomWaypoint:
    """Users walk straight to a point drawn in the service area, then to the next, without a pause."""

    def __init__(self, scenario: Scenario, layout: LayoutModel) -> None:
        self.block_s = scenario.dynamics.block_s
        self.layout = layout

    def draw_waypoints(self, streams: Streams, positions_m: Positions) -> Positions:
        """Return a first waypoint for every user, ``(rows, K, 2)``."""
        return self.layout.draw_users(streams)

    def move(
        self,
        positions_m: Positions,
        waypoints_m: Positions,
        speed_m_per_s: NDArray[np.float64],
        streams: Streams,
    ) -> tuple[Positions, Positions]:
        """Return positions one block later, and waypoints, new for those who have arrived, ``(rows, K, 2)``."""
        leg_m = waypoints_m - positions_m
        distance_m = np.linalg.norm(leg_m, axis=-1)
        step_m = speed_m_per_s * self.block_s
        arrived = distance_m <= step_m
        share = np.where(arrived, 1.0, step_m / np.maximum(distance_m, np.finfo(float).tiny))
        moved_m = positions_m + share[..., None] * leg_m
        redraw = arrived.any(-1)
        if redraw.any():
            fresh_m = self.layout.draw_users(streams.select(redraw))
            waypoints_m = waypoints_m.copy()
            waypoints_m[redraw] = np.where(arrived[redraw][..., None], fresh_m, waypoints_m[redraw])
        return moved_m, waypoints_m


MOBILITIES: Parts[type[MobilityModel]] = Parts("mobility", static=Static, random_waypoint=RandomWaypoint)
"""Mobility models by name; add your own to use it as ``mobility``."""
