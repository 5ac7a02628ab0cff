"""Square grids of APs and base stations that wrap around, and how users are dropped among them (paper B)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.network.ground import SquareGround
from mec_cf_gym.network.mobility import MOBILITIES
from mec_cf_gym.network.propagation import PROPAGATIONS
from mec_cf_gym.parts import Parts
from mec_cf_gym.scenario import Scenario

Floats = NDArray[np.float64]

NEGLIGIBLE_HALVINGS = 40
"""Users farther apart than this many correlation distances have independent shadowing."""
MOST_REJECTIONS = 1000
"""Rejections in a row after which a balanced drop accepts a user with any pilot. After as many for each cell it
accepts anybody, since there may be a cell whose base station nobody hears best."""


def square_grid(points: int, side_m: float) -> Floats:
    """Return the centres of ``points`` equal squares that tile a square, ``(points, 2)``, in metres."""
    per_side = math.isqrt(points)
    ticks = (np.arange(per_side) + 0.5) * side_m / per_side
    return np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2)


def wrapped_offsets(origins_m: Floats, targets_m: Floats, side_m: float) -> Floats:
    """Return the shortest vectors from origins to targets on a square that wraps around, in metres.

    Args:
        origins_m: ``(..., M, 2)``.
        targets_m: ``(..., K, 2)``.
        side_m: Side of the square.

    Returns:
        ``(..., M, K, 2)``, each coordinate within half a side.
    """
    offsets_m = targets_m[..., None, :, :] - origins_m[..., :, None, :]
    return np.asarray(offsets_m - side_m * np.round(offsets_m / side_m))


@dataclass(frozen=True)
class Drop:
    """Users on one square; sites are the APs, then the base stations."""

    positions_m: Floats  # (K, 2)
    shadowing_db: Floats  # (sites, K)
    gain: Floats  # (sites, K), linear
    pilot: NDArray[np.intp]  # (K,), by algorithm 4.1 on the gains to the APs

    @classmethod
    def nobody(cls, sites: int) -> Drop:
        """Return a drop without users."""
        return cls(np.zeros((0, 2)), np.zeros((sites, 0)), np.zeros((sites, 0)), np.zeros(0, np.intp))

    def joined_by(self, newcomer: Drop) -> Drop:
        """Return the drop with one more user."""
        return Drop(
            np.append(self.positions_m, newcomer.positions_m, axis=0),
            np.append(self.shadowing_db, newcomer.shadowing_db, axis=1),
            np.append(self.gain, newcomer.gain, axis=1),
            np.append(self.pilot, newcomer.pilot),
        )


class DropModel(Protocol):
    """Accepts or rejects users that are dropped uniformly at random. Built from the scenario."""

    pilots_fit_cells: ClassVar[bool]
    """Whether pilots that algorithm 4.1 chooses for the APs suit the base stations, too."""

    def __init__(self, scenario: Scenario) -> None: ...

    def accepts(self, newcomer: Drop, users: Drop, rejections: int) -> bool:
        """Return whether to accept a user beside those accepted before, after so many rejections in a row."""
        ...


class Uniform:
    """Users are independent and uniform in the square."""

    pilots_fit_cells: ClassVar[bool] = False

    def __init__(self, scenario: Scenario) -> None:
        pass

    def accepts(self, newcomer: Drop, users: Drop, rejections: int) -> bool:
        """Accept everybody."""
        return True


class Balanced:
    """Every cell gets as many users, with distinct pilots as long as there are enough (book, section 5.4.3).

    A user belongs to the cell whose base station it hears best. It is turned away if that is full, or if
    algorithm 4.1 would give it a pilot that is taken there.
    """

    pilots_fit_cells: ClassVar[bool] = True

    def __init__(self, scenario: Scenario) -> None:
        layout = scenario.layout
        self.num_aps = layout.num_aps
        self.num_cells = layout.num_base_stations
        self.most_users = math.ceil(layout.num_users / layout.num_base_stations)
        self.most_sharing = math.ceil(self.most_users / scenario.radio.pilot_samples)

    def accepts(self, newcomer: Drop, users: Drop, rejections: int) -> bool:
        """Accept a user if its cell has room, and its pilot is not taken there."""
        cells = users.gain[self.num_aps :].argmax(0)
        in_cell = cells == newcomer.gain[self.num_aps :].argmax()
        sharing = (users.pilot[in_cell] == newcomer.pilot).sum()
        has_pilot = bool(sharing < self.most_sharing) or rejections > MOST_REJECTIONS
        has_place = bool(in_cell.sum() < self.most_users) or rejections > MOST_REJECTIONS * self.num_cells
        gave_up = np.bincount(cells, minlength=1).max() > self.most_users
        return bool(gave_up) or (has_pilot and has_place)


DROPS: Parts[type[DropModel]] = Parts("user_drop", family="square", uniform=Uniform, balanced=Balanced)
"""Drops by name; add your own to use it as ``user_drop``."""


class Square:
    """The square that paper B's networks serve, with its APs, base stations and users."""

    def __init__(self, scenario: Scenario) -> None:
        layout = scenario.layout
        self.side_m = layout.side_m
        self.num_users = layout.num_users
        self.num_aps = layout.num_aps
        self.num_pilots = scenario.radio.pilot_samples
        self.correlation_m = scenario.radio.shadowing_correlation_m
        self.shadowing_db = scenario.radio.shadowing_db
        self.drop_model = DROPS[layout.user_drop](scenario)
        self.mobility = MOBILITIES[scenario.dynamics.mobility](scenario, SquareGround(scenario))
        self.propagation = PROPAGATIONS[scenario.radio.propagation](scenario)
        self.sites_m = np.concatenate(
            [square_grid(points, self.side_m) for points in (layout.num_aps, layout.num_base_stations)]
        )

    def drop(self, rng: np.random.Generator) -> Drop:
        """Return users drawn one after the other, each with its shadowing given that of those before.

        Both the gains to the APs and to the base stations are drawn, so that a seed stands for the same users
        whichever of them serves.
        """
        users, rejections = Drop.nobody(len(self.sites_m)), 0
        while len(users.pilot) < self.num_users:
            newcomer = self._newcomer(rng, users)
            accepted = self.drop_model.accepts(newcomer, users, rejections)
            users = users.joined_by(newcomer) if accepted else users
            rejections = 0 if accepted else rejections + 1
        return users

    def _newcomer(self, rng: np.random.Generator, users: Drop) -> Drop:
        """Return one more user at a random position, with the pilot that algorithm 4.1 gives it."""
        position_m = self.mobility.place(rng.uniform(0.0, self.side_m, (1, 2)))
        mean_db, deviation_db = self._shadowing_given(position_m, users)
        shadowing_db = mean_db + deviation_db * rng.standard_normal((len(self.sites_m), 1))
        gain = self.propagation.gain(wrapped_offsets(self.sites_m, position_m, self.side_m), shadowing_db)
        master = gain[: self.num_aps].argmax()
        load = np.bincount(users.pilot, users.gain[master], minlength=self.num_pilots)
        return Drop(position_m, shadowing_db, gain, np.array([load.argmin()]))

    def _shadowing_given(self, position_m: Floats, users: Drop) -> tuple[Floats | float, float]:
        """Return mean, ``(sites, 1)``, and standard deviation of a user's shadowing, in dB, given the others'.

        At any site, two users' shadowing has the correlation ``2^(-d / correlation_m)``; sites are independent.
        """
        if self.correlation_m == 0:
            return 0.0, self.shadowing_db
        apart_m = np.linalg.norm(wrapped_offsets(position_m, users.positions_m, self.side_m)[0], axis=-1)
        near = np.flatnonzero(apart_m < NEGLIGIBLE_HALVINGS * self.correlation_m)
        places_m = users.positions_m[near]
        between_m = np.linalg.norm(wrapped_offsets(places_m, places_m, self.side_m), axis=-1)
        correlation = np.exp2(-apart_m[near] / self.correlation_m)
        weights = np.linalg.lstsq(np.exp2(-between_m / self.correlation_m), correlation, rcond=None)[0]
        remaining = max(0.0, 1 - float(weights @ correlation))
        return (users.shadowing_db[:, near] @ weights)[:, None], self.shadowing_db * math.sqrt(remaining)

    def shadowing_along(
        self, shadowing_db: Floats, before_m: Floats, after_m: Floats, rng: np.random.Generator
    ) -> Floats:
        """Return the shadowing of users who have walked, given what they all had where they were.

        Their values before and after are jointly Gaussian: at any site, two of them, of places a distance d apart,
        have the correlation ``2^(-d / correlation_m)``, whether of one user (Gudmundson's model of its way) or of
        two. Older values are forgotten, so that on its way back a user does not find the shadowing it had there.
        With ``correlation_m`` of zero users keep their shadowing.

        Args:
            shadowing_db: Before, ``(sites, K)``.
            before_m: Positions before, ``(K, 2)``.
            after_m: Positions after, ``(K, 2)``; who has the same keeps its values.
            rng: Draws what the values before do not say.
        """
        walked = np.flatnonzero((before_m != after_m).any(-1))
        if self.correlation_m == 0 or not len(walked):
            return shadowing_db
        between, along, among = (
            np.exp2(-np.linalg.norm(wrapped_offsets(*pair, self.side_m), axis=-1) / self.correlation_m)
            for pair in ((before_m, before_m), (before_m, after_m[walked]), (after_m[walked], after_m[walked]))
        )
        weights = np.linalg.lstsq(between, along, rcond=None)[0]
        variances, axes = np.linalg.eigh(among - along.T @ weights)
        root = self.shadowing_db * axes * np.sqrt(np.maximum(variances, 0.0))
        shadowing_db = shadowing_db.copy()
        innovation = rng.standard_normal((len(shadowing_db), len(walked)))
        shadowing_db[:, walked] = shadowing_db @ weights + innovation @ root.T
        return shadowing_db
