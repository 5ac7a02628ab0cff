"""Squares wrap around, shadowing is correlated between users, and drops fill the cells as the book tells."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym import Scenario
from mec_cf_gym.network.grid import Square, square_grid, wrapped_offsets
from mec_cf_gym.network.pilots import assign_pilots

SIDE_M, SMALL_SIDE_M = 1000.0, 30.0


def drops(number, **fields):
    """Return a square of 16 APs, and users dropped on it again and again."""
    square = Square(Scenario.paper_b(**{"num_aps": 16, "num_users": 6, **fields}))
    return square, [square.drop(np.random.default_rng(seed)) for seed in range(number)]


def cells_of(drop, num_aps=16):
    return drop.gain[num_aps:].argmax(0)


def points(array):
    return np.stack((array.real, array.imag), axis=-1)


@pytest.mark.parametrize(("key", "number"), [("APpositions", 16), ("BSpositions", 4)])
def test_sites_stand_where_the_book_puts_them(book_reference, key, number):
    np.testing.assert_allclose(square_grid(number, SIDE_M), points(book_reference("B1")[key]), atol=1e-9)


def test_distances_are_the_books(book_reference):
    data = book_reference("B1")
    offsets_m = wrapped_offsets(points(data["APpositions"]), points(data["UEpositions"]), SIDE_M)
    distances_m = np.sqrt(np.square(offsets_m).sum(-1) + 10**2)
    np.testing.assert_allclose(distances_m, data["distances"], rtol=1e-12)


@given(seed=st.integers(0, 2**32), side_m=st.floats(1.0, 1e5))
def test_the_way_to_a_user_is_the_way_to_its_nearest_copy(seed, side_m):
    rng = np.random.default_rng(seed)
    origins, targets = rng.uniform(0, side_m, (2, 3, 2)), rng.uniform(0, side_m, (2, 4, 2))
    offsets_m = wrapped_offsets(origins, targets, side_m)
    assert offsets_m.shape == (2, 3, 4, 2)
    copies = side_m * np.array(list(itertools.product((-1, 0, 1), repeat=2)))
    to_copies_m = targets[:, None, :, None] + copies - origins[:, :, None, None]
    nearest_m = np.linalg.norm(to_copies_m, axis=-1).min(-1)
    np.testing.assert_allclose(np.linalg.norm(offsets_m, axis=-1), nearest_m, rtol=1e-12, atol=1e-12 * side_m)
    turns = (offsets_m - (targets[:, None] - origins[:, :, None])) / side_m
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-9)


def test_gains_follow_from_wrapped_distances_and_shadowing():
    square, (drop,) = drops(1)
    squared_m2 = np.square(wrapped_offsets(square.sites_m, drop.positions_m, SIDE_M)).sum(-1) + 10**2
    gain_db = -30.5 - 36.7 * np.log10(np.sqrt(squared_m2)) + drop.shadowing_db
    np.testing.assert_allclose(drop.gain, 10 ** (gain_db / 10), rtol=1e-10)
    assert len(square.sites_m) == len(drop.gain) == 16 + 4


@pytest.fixture(scope="module")
def users():
    """Users near each other on a small square, again and again."""
    fields = {"num_aps": 64, "num_base_stations": 1, "user_drop": "uniform", "side_m": SMALL_SIDE_M}
    return drops(200, **fields)[1]


class TestShadowing:
    """Every site is an experiment of its own."""

    def assert_zero(self, samples):
        samples = np.ravel(samples)
        assert abs(samples.mean()) < 4 * samples.std() / math.sqrt(samples.size)

    def test_it_has_zero_mean_and_a_standard_deviation_of_4_db(self, users):
        shadowing_db = np.concatenate([drop.shadowing_db for drop in users])  # (drops * sites, K)
        self.assert_zero(shadowing_db.mean(-1))
        self.assert_zero((shadowing_db**2 - 4**2).mean(-1))
        self.assert_zero(shadowing_db[:, -1] ** 2 - 4**2)  # also that of the last user, given all the others'

    @pytest.mark.parametrize("reach_m", [(0, 3), (3, 9), (9, 22)])
    def test_its_correlation_halves_every_9_m(self, users, reach_m):
        excess = []
        for drop in users:
            apart_m = np.linalg.norm(wrapped_offsets(drop.positions_m, drop.positions_m, SMALL_SIDE_M), axis=-1)
            first, second = np.nonzero(np.triu((apart_m >= reach_m[0]) & (apart_m < reach_m[1]), k=1))
            if len(first):
                product = drop.shadowing_db[:, first] * drop.shadowing_db[:, second]
                excess.append((product - 4**2 * 2 ** (-apart_m[first, second] / 9)).mean(-1))
        self.assert_zero(excess)

    def test_sites_are_independent(self, users):
        shadowing_db = np.stack([drop.shadowing_db for drop in users])
        self.assert_zero((shadowing_db[:, 0::2][:, :32] * shadowing_db[:, 1::2][:, :32]).mean(-1))

    def test_without_a_correlation_distance_users_are_independent(self):
        fields = {"num_aps": 64, "side_m": 1.0, "user_drop": "uniform", "shadowing_correlation_m": 0.0}
        shadowing_db = np.concatenate([drop.shadowing_db for drop in drops(50, **fields)[1]])
        self.assert_zero((shadowing_db[:, 0::2] * shadowing_db[:, 1::2]).mean(-1))

    def test_without_shadowing_there_is_none(self):
        assert (drops(1, shadowing_db=0.0)[1][0].shadowing_db == 0).all()


class TestBalancedDrop:
    def test_five_users_a_cell_by_strongest_base_station_on_distinct_pilots(self):
        for drop in drops(5, num_users=20)[1]:
            cell = cells_of(drop)
            assert np.bincount(cell).tolist() == [5, 5, 5, 5]
            for number in range(4):
                assert sorted(drop.pilot[cell == number]) == [0, 1, 2, 3, 4]

    @pytest.mark.parametrize("num_users", [6, 7, 20])
    def test_pilots_are_those_of_algorithm_4_1_on_the_gains_to_the_aps(self, num_users):
        for drop in drops(5, num_users=num_users)[1]:
            np.testing.assert_array_equal(drop.pilot, assign_pilots(drop.gain[:16], 5))

    @pytest.mark.parametrize(
        ("num_users", "base_stations", "num_pilots"),
        [(7, 4, 5), (1, 4, 5), (30, 4, 5), (9, 4, 1), (13, 1, 5), (5, 1, 1), (10, 9, 2)],
    )
    def test_users_and_pilots_spread_over_the_cells_as_far_as_they_go(self, num_users, base_stations, num_pilots):
        fields = {"num_users": num_users, "num_base_stations": base_stations, "pilot_samples": num_pilots}
        for drop in drops(3, **fields)[1]:
            used = np.zeros((base_stations, num_pilots), int)
            np.add.at(used, (cells_of(drop), drop.pilot), 1)
            most_users = math.ceil(num_users / base_stations)
            assert used.sum() == num_users
            assert used.sum(1).max() <= most_users
            assert used.max() <= math.ceil(most_users / num_pilots)

    @pytest.mark.parametrize(
        "fields",
        [{"path_loss_exponent": 0.0, "shadowing_db": 0.0}, {"side_m": 1.0}],
        ids=["all hear the first best", "all hear the same best"],
    )
    def test_it_ends_where_no_user_hears_some_cell_best(self, fields):
        _, (drop,) = drops(1, **fields)
        assert len(drop.pilot) == 6


def test_a_uniform_drop_takes_the_users_as_they_come():
    _, users = drops(200, user_drop="uniform")
    positions_m = np.stack([drop.positions_m for drop in users]).reshape(-1, 2)
    assert (positions_m >= 0).all()
    assert (positions_m < SIDE_M).all()
    standard_error_m = SIDE_M / math.sqrt(12 * len(positions_m))
    np.testing.assert_allclose(positions_m.mean(0), SIDE_M / 2, atol=4 * standard_error_m)
    assert max(np.bincount(cells_of(drop)).max() for drop in users) > 2  # no cell has its fixed part
