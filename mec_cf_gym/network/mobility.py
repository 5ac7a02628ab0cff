"""Mobility: how users move from one coherence block to the next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.network.ground import Ground, Positions
from mec_cf_gym.parts import Parts
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario

Floats = NDArray[np.float64]

MOST_LEGS = 10_000
"""Waypoints that a user passes in one block at most, where it then stays; only tiny areas need more."""
TURN_PROBABILITY = 0.25
"""Probability of a left turn at a crossing, and of a right turn."""


class MobilityModel(Protocol):
    """Moves users. Built from the scenario and the ground they walk on."""

    def __init__(self, scenario: Scenario, ground: Ground) -> None: ...

    def place(self, positions_m: Positions) -> Positions:
        """Return where users begin who are dropped uniformly at random, ``(..., K, 2)`` both."""
        ...

    def draw_waypoints(self, streams: Streams, positions_m: Positions) -> Positions:
        """Return where users at ``positions_m`` head first, ``(rows, K, 2)``."""
        ...

    def move(
        self, positions_m: Positions, waypoints_m: Positions, speed_m_per_s: Floats, streams: Streams
    ) -> tuple[Positions, Positions]:
        """Return positions and waypoints one block later, ``(rows, K, 2)``; the same arrays when nobody moves."""
        ...


class Static:
    """Users stay where they are drawn (their speed may still spread the Doppler spectrum)."""

    def __init__(self, scenario: Scenario, ground: Ground) -> None:
        pass

    def place(self, positions_m: Positions) -> Positions:
        """Return the same positions, ``(..., K, 2)``."""
        return positions_m

    def draw_waypoints(self, streams: Streams, positions_m: Positions) -> Positions:
        """Return the users' own positions, ``(rows, K, 2)``."""
        return positions_m

    def move(
        self, positions_m: Positions, waypoints_m: Positions, speed_m_per_s: Floats, streams: Streams
    ) -> tuple[Positions, Positions]:
        """Return the same positions and waypoints, ``(rows, K, 2)``."""
        return positions_m, waypoints_m


class Walk(ABC):
    """Users walk straight from waypoint to waypoint, without a pause and at their full speed."""

    def __init__(self, scenario: Scenario, ground: Ground) -> None:
        self.block_s = scenario.dynamics.block_s
        self.ground = ground

    def place(self, positions_m: Positions) -> Positions:
        """Return the same positions, ``(..., K, 2)``."""
        return positions_m

    @abstractmethod
    def draw_waypoints(self, streams: Streams, positions_m: Positions) -> Positions:
        """Return where users at ``positions_m`` head first, ``(rows, K, 2)``."""

    @abstractmethod
    def next_waypoints(self, streams: Streams, positions_m: Positions, leg_m: Positions) -> Positions:
        """Return where users head next who have come along ``leg_m`` to ``positions_m``, ``(rows, K, 2)`` all."""

    def move(
        self, positions_m: Positions, waypoints_m: Positions, speed_m_per_s: Floats, streams: Streams
    ) -> tuple[Positions, Positions]:
        """Return positions one block later, and waypoints, new for those who have arrived, ``(rows, K, 2)``.

        Whoever arrives goes on to the next waypoint for the rest of the block. Waypoints are drawn for all users
        of a row as often as one of them arrives, so that a row's draws depend on its own users only.
        """
        left_m = speed_m_per_s * self.block_s
        if not left_m.any():
            return positions_m, waypoints_m
        positions_m, waypoints_m = positions_m.copy(), waypoints_m.copy()
        walking = np.ones(left_m.shape, np.bool_)
        for _ in range(MOST_LEGS):
            rows = walking.any(-1)
            at_m, goal_m = positions_m[rows], waypoints_m[rows]
            leg_m = self.ground.way_m(at_m, goal_m)
            distance_m = np.linalg.norm(leg_m, axis=-1)
            arrives = walking[rows] & (distance_m <= left_m[rows])
            share = np.where(walking[rows], left_m[rows] / np.maximum(distance_m, np.finfo(float).tiny), 0.0)
            stops_m = self.ground.within(at_m + np.where(arrives, 0.0, share)[..., None] * leg_m)
            positions_m[rows] = np.where(arrives[..., None], goal_m, stops_m)
            left_m[rows] -= np.where(arrives, distance_m, 0.0)
            walking[rows] = arrives
            if not arrives.any():
                break
            ends = np.asarray(walking.any(-1))
            fresh_m = self.next_waypoints(streams.select(ends), positions_m[ends], leg_m[ends[rows]])
            waypoints_m[ends] = np.where(walking[ends][..., None], fresh_m, waypoints_m[ends])
        return positions_m, waypoints_m


class RandomWaypoint(Walk):
    """Users walk straight to a point drawn in the service area, then to the next, without a pause."""

    def draw_waypoints(self, streams: Streams, positions_m: Positions) -> Positions:
        """Return a first waypoint for every user, ``(rows, K, 2)``."""
        return self.ground.draw_users(streams)

    def next_waypoints(self, streams: Streams, positions_m: Positions, leg_m: Positions) -> Positions:
        """Return another waypoint for every user, ``(rows, K, 2)``."""
        return self.ground.draw_users(streams)


class Manhattan(Walk):
    """Users walk along the streets of a square grid, and turn left or right at a crossing every other time.

    Streets are ``street_m`` apart in both directions, and lead around the edges of the square.
    """

    def __init__(self, scenario: Scenario, ground: Ground) -> None:
        super().__init__(scenario, ground)
        self.num_streets = round(scenario.layout.side_m / scenario.dynamics.street_m)
        self.street_m = scenario.layout.side_m / self.num_streets

    def place(self, positions_m: Positions) -> Positions:
        """Return places uniform on the streets, ``(..., K, 2)``, from positions uniform in the square.

        A user in the left half of its city block begins on the street below it, else on the one left of it, as far
        along as it is above the one below: no further number is drawn.
        """
        corner, inside = np.divmod(positions_m, self.street_m)
        along = inside[..., 1] / self.street_m
        eastward = inside[..., 0] < self.street_m / 2
        shift = np.stack((np.where(eastward, along, 0.0), np.where(eastward, 0.0, along)), axis=-1)
        return self.ground.within(self._crossing_m(corner) + shift * self.street_m)

    def draw_waypoints(self, streams: Streams, positions_m: Positions) -> Positions:
        """Return the crossing before or behind every user, ``(rows, K, 2)``."""
        ahead = streams.uniform(0.0, 1.0, positions_m.shape[1:-1])[..., None] < 1 / 2
        place = positions_m / self.street_m
        off = np.abs(place - np.round(place))
        on_axis = np.arange(2) == off.argmax(-1)[..., None]  # the coordinate along the street
        crossing = np.where(ahead, np.floor(place) + 1, np.ceil(place) - 1)
        return self._crossing_m(np.where(on_axis, crossing, np.round(place)))

    def next_waypoints(self, streams: Streams, positions_m: Positions, leg_m: Positions) -> Positions:
        """Return the next crossing for users who are at one, ``(rows, K, 2)``."""
        turn = streams.uniform(0.0, 1.0, positions_m.shape[1:-1])[..., None]
        on_axis = np.arange(2) == np.abs(leg_m).argmax(-1)[..., None]
        ahead = np.where(on_axis, np.sign(leg_m), 0.0)
        left = np.stack((-ahead[..., 1], ahead[..., 0]), axis=-1)
        step = np.where(turn < TURN_PROBABILITY, left, np.where(turn < 2 * TURN_PROBABILITY, -left, ahead))
        return self._crossing_m(np.round(positions_m / self.street_m) + step)

    def _crossing_m(self, number: Positions) -> Positions:
        """Return the places of crossings by their numbers in both directions, ``(..., 2)``, in metres."""
        return number % self.num_streets * self.street_m


MOBILITIES: Parts[type[MobilityModel]] = Parts(
    "mobility", static=Static, random_waypoint=RandomWaypoint, manhattan=Manhattan
)
"""Mobility models by name; add your own to use it as ``mobility``."""
