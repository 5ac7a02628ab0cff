"""Mobility: users walk at their full speed, whatever the length of a block, on disks, squares and streets."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mec_cf_gym import Scenario
from mec_cf_gym.network.ground import DiskGround, SquareGround
from mec_cf_gym.network.layout import CellFree
from mec_cf_gym.network.mobility import Manhattan, RandomWaypoint
from mec_cf_gym.random_streams import Streams

SIDE_M, STREET_M = 300.0, 50.0


def scenario_of(ground, speed_m_per_s=30.0, block_s=1.0, num_users=1):
    fields = {"speed_m_per_s": speed_m_per_s, "block_s": block_s, "num_users": num_users}
    if ground == "disk":
        return Scenario.paper_a(radius_m=SIDE_M / 2, **fields)
    mobility = "manhattan" if ground == "streets" else "random_waypoint"
    return Scenario.paper_b(side_m=SIDE_M, street_m=STREET_M, mobility=mobility, user_drop="uniform", **fields)


class Walkers:
    """Users on one of the grounds, of whom one block after the other is asked for."""

    def __init__(self, ground, seeds, **fields):
        scenario = scenario_of(ground, **fields)
        self.ground = DiskGround(CellFree(scenario)) if ground == "disk" else SquareGround(scenario)
        self.model = (Manhattan if ground == "streets" else RandomWaypoint)(scenario, self.ground)
        self.streams = Streams.from_seeds(seeds)
        shape = (len(self.streams), scenario.layout.num_users)
        self.speed_m_per_s = np.full(shape, scenario.dynamics.speed_m_per_s)
        self.positions_m = self.model.place(self.ground.draw_users(self.streams))
        self.waypoints_m = self.model.draw_waypoints(self.streams, self.positions_m)

    def walk(self, blocks):
        """Yield positions, ``(rows, K, 2)``, of so many blocks more."""
        for _ in range(blocks):
            state = self.positions_m, self.waypoints_m
            self.positions_m, self.waypoints_m = self.model.move(*state, self.speed_m_per_s, self.streams)
            yield self.positions_m

    def apart_m(self, ones_m, others_m):
        return np.linalg.norm(self.ground.way_m(ones_m, others_m), axis=-1)


every_ground = pytest.mark.parametrize("ground", ["disk", "square", "streets"])


class Recorded(RandomWaypoint):
    """Remembers the waypoints it draws."""

    def draw_waypoints(self, streams, positions_m):
        self.seen = [super().draw_waypoints(streams, positions_m)]
        return self.seen[0]

    def next_waypoints(self, streams, positions_m, leg_m):
        self.seen.append(super().next_waypoints(streams, positions_m, leg_m))
        return self.seen[-1]


class TestFullSpeed:
    @given(seed=st.integers(0, 2**32), speed_m_per_s=st.floats(0.1, 1000.0), block_s=st.floats(1e-3, 10.0))
    def test_the_way_of_one_block_is_as_long_as_speed_and_time_say(self, seed, speed_m_per_s, block_s):
        scenario = scenario_of("disk", speed_m_per_s, block_s)
        model = Recorded(scenario, DiskGround(CellFree(scenario)))
        streams = Streams.from_seeds([seed])
        start_m = model.ground.draw_users(streams)
        waypoints_m = model.draw_waypoints(streams, start_m)
        end_m, heads_for_m = model.move(start_m, waypoints_m, np.full((1, 1), speed_m_per_s), streams)
        way_m = np.concatenate([start_m, *model.seen[:-1], end_m])[:, 0]
        length_m = np.linalg.norm(np.diff(way_m, axis=0), axis=-1).sum()
        np.testing.assert_allclose(length_m, speed_m_per_s * block_s, rtol=1e-9)
        np.testing.assert_array_equal(heads_for_m, model.seen[-1])

    @every_ground
    @given(seed=st.integers(0, 2**32), parts=st.integers(2, 60))
    def test_one_long_block_is_as_good_as_many_short_ones(self, ground, seed, parts):
        long, short = (Walkers(ground, [seed], speed_m_per_s=60.0, block_s=10.0 / number) for number in (1, parts))
        (end_m,), (*_, same_m) = long.walk(1), short.walk(parts)
        np.testing.assert_allclose(long.apart_m(end_m, same_m), 0.0, atol=1e-6)

    @every_ground
    def test_between_waypoints_a_block_takes_users_as_far_as_their_speed(self, ground):
        walkers = Walkers(ground, range(3), num_users=4, block_s=0.5)
        before_m, heading = walkers.positions_m, walkers.waypoints_m
        for after_m in walkers.walk(60):
            moved_m, straight = walkers.apart_m(before_m, after_m), (walkers.waypoints_m == heading).all(-1)
            np.testing.assert_allclose(moved_m[straight], 15.0, rtol=1e-9)
            assert (moved_m <= 15.0 + 1e-9).all()
            before_m, heading = after_m, walkers.waypoints_m

    @every_ground
    def test_users_without_speed_stay_and_draw_nothing(self, ground):
        walkers = Walkers(ground, [0], speed_m_per_s=0.0)
        positions_m, state = walkers.positions_m, walkers.streams.generators[0].bit_generator.state
        assert next(walkers.walk(1)) is positions_m
        assert walkers.streams.generators[0].bit_generator.state == state

    @every_ground
    def test_a_row_walks_the_same_alone_and_in_a_batch(self, ground):
        fields = {"num_users": 3, "block_s": 7.0}
        batch, alone = Walkers(ground, [4, 5, 6], **fields), Walkers(ground, [5], **fields)
        for together_m, single_m in zip(batch.walk(30), alone.walk(30), strict=True):
            np.testing.assert_array_equal(together_m[1], single_m[0])


class TestSquares:
    def test_users_stay_inside_and_take_the_shortest_way_around_the_edges(self):
        walkers = Walkers("square", range(4), num_users=10, block_s=0.5)
        crossed = 0
        for before_m, after_m in itertools.pairwise([walkers.positions_m, *walkers.walk(200)]):
            assert ((after_m >= 0) & (after_m < SIDE_M)).all()
            crossed += (np.abs(after_m - before_m) > SIDE_M / 2).any(-1).sum()
            assert walkers.apart_m(after_m, walkers.waypoints_m).max() <= SIDE_M / np.sqrt(2) + 1e-9
        assert crossed > 20

    @pytest.mark.parametrize("ground", ["square", "streets"])
    def test_users_are_as_likely_anywhere_after_a_long_walk(self, ground):
        walkers = Walkers(ground, range(500), num_users=2, speed_m_per_s=200.0, block_s=10.0)
        *_, positions_m = walkers.walk(3)
        along_m = positions_m.reshape(-1, 2)
        if ground == "streets":  # the coordinate along a user's street
            off_m = np.abs(along_m - STREET_M * np.round(along_m / STREET_M))
            along_m = along_m[np.arange(len(along_m)), off_m.argmax(-1)]
        for coordinate in along_m.reshape(len(along_m), -1).T:
            assert stats.kstest(coordinate / SIDE_M, "uniform").pvalue > 1e-3


def on_streets(positions_m):
    """Return whether places, ``(..., 2)``, are on a street."""
    off_m = np.abs(positions_m - STREET_M * np.round(positions_m / STREET_M))
    return off_m.min(-1) < 1e-9


class TestStreets:
    def test_users_begin_anywhere_on_streets_and_never_leave_them(self):
        walkers = Walkers("streets", range(300), num_users=4, block_s=0.7)
        start_m = walkers.positions_m.reshape(-1, 2)
        off_m = np.abs(start_m - STREET_M * np.round(start_m / STREET_M))
        eastward = off_m.argmax(-1) == 0
        assert stats.binomtest(int(eastward.sum()), len(eastward)).pvalue > 1e-3
        for axis, chosen in ((0, eastward), (1, ~eastward)):
            assert stats.kstest(start_m[chosen, axis] / SIDE_M, "uniform").pvalue > 1e-3
        for positions_m in (walkers.positions_m, *walkers.walk(40)):
            assert on_streets(positions_m).all()
            assert on_streets(walkers.waypoints_m).all()

    def test_at_crossings_one_in_four_turns_left_one_right_and_nobody_back(self):
        walkers = Walkers("streets", range(200), num_users=20)
        crossing_m = walkers.waypoints_m.copy()
        came_m = np.zeros_like(crossing_m)
        came_m[..., 0] = STREET_M  # eastward
        went_m = walkers.model.next_waypoints(walkers.streams, crossing_m, came_m)
        step = walkers.ground.way_m(crossing_m, went_m) / STREET_M
        np.testing.assert_allclose(np.abs(step).sum(-1), 1.0)
        left, right, straight = ((step @ np.array(way) > 0.5).sum() for way in ((0, 1), (0, -1), (1, 0)))
        assert left + right + straight == step[..., 0].size
        assert (
            stats.chisquare([left, right, straight], step[..., 0].size * np.array([0.25, 0.25, 0.5])).pvalue > 1e-3
        )

    def test_a_disk_has_none(self):
        with pytest.raises(ValueError, match="mobility='manhattan' is not allowed: streets need a square"):
            Scenario.paper_a(mobility="manhattan")
