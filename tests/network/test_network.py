"""Networks: positions, propagation and mobility."""

import itertools

import numpy as np
import pytest
from scipy import stats

from mec_cf_gym import Scenario
from mec_cf_gym.network.layout import plain_offsets
from mec_cf_gym.random_streams import Streams


def draw(rows=1, **fields):
    return Scenario.paper_a(**fields).deployment.networks().draw(Streams.from_seeds(range(rows)))


def test_aps_and_users_are_uniform_in_the_disk():
    network = draw(200, radius_m=500)
    for positions_m in (network.ap_positions_m, network.user_positions_m):
        distance_m = np.linalg.norm(positions_m, axis=-1).ravel()
        angle = np.arctan2(positions_m[..., 1], positions_m[..., 0]).ravel()
        assert distance_m.max() <= 500
        assert stats.kstest((distance_m / 500) ** 2, "uniform").pvalue > 1e-3
        assert stats.kstest((angle + np.pi) / (2 * np.pi), "uniform").pvalue > 1e-3


def test_a_cellular_networks_antennas_share_place_and_shadowing():
    network = draw(3, deployment="cellular")
    assert (network.ap_positions_m == 0).all()
    assert np.ptp(network.large_scale_gain, axis=-2).max() == 0
    assert np.ptp(network.large_scale_gain, axis=-1).min() > 0


def test_the_large_scale_gain_follows_the_path_loss_formula():
    network = draw(shadowing_db=0, path_loss_exponent=3.2, path_loss_intercept_db=-40, height_difference_m=15)
    for ap in (0, 17, 63):
        for user in (0, 9):
            flat_m = np.linalg.norm(network.ap_positions_m[0, ap] - network.user_positions_m[0, user])
            gain_db = -40 - 10 * 3.2 * np.log10(np.hypot(flat_m, 15))
            assert 10 * np.log10(network.large_scale_gain[0, ap, user]) == pytest.approx(gain_db)


def test_shadowing_is_log_normal_and_independent_between_aps():
    shadowing_db = draw(200, shadowing_db=6).shadowing_db
    assert stats.kstest(shadowing_db.ravel() / 6, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(shadowing_db[:, 0].ravel(), shadowing_db[:, 1].ravel())[0, 1]) < 0.1


def test_cpus_and_budgets_are_drawn_from_their_ranges():
    network = draw(50, local_hz=(1e9, 2e9), server_hz=(3e9, 4e9), user_power_dbm=(0, 20))
    ranges = {"local_hz": (1e9, 2e9), "server_hz": (3e9, 4e9), "user_power_w": (1e-3, 1e-1)}
    for name, (low, high) in ranges.items():
        values = getattr(network, name)
        assert low <= values.min() < low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) < values.max() <= high


def test_without_local_computing_users_have_no_cpu():
    assert (draw(local_computing=False).local_hz == 0).all()


def test_static_networks_stay_as_they_are():
    model, streams = Scenario.paper_a().deployment.networks(), Streams.from_seeds([0])
    network = model.draw(streams)
    assert model.advance(network, streams) is network


WALK = {"mobility": "random_waypoint", "speed_m_per_s": (1.0, 30.0), "block_s": 0.1, "radius_m": 50.0}


class TestRandomWaypoint:
    def walk(self, blocks):
        model, streams = Scenario.paper_a(**WALK).deployment.networks(), Streams.from_seeds(range(4))
        network = model.draw(streams)
        for _ in range(blocks):
            yield network
            network = model.advance(network, streams)

    def test_users_move_at_their_speed_towards_their_waypoint_and_stay_inside(self):
        arrivals = 0
        networks = list(self.walk(200))
        for before, after in itertools.pairwise(networks):
            moved_m = np.linalg.norm(after.user_positions_m - before.user_positions_m, axis=-1)
            arrived = (after.waypoints_m != before.waypoints_m).any(-1)
            arrivals += arrived.sum()
            np.testing.assert_allclose(moved_m[~arrived], 0.1 * before.speed_m_per_s[~arrived])
            assert (moved_m <= 0.1 * before.speed_m_per_s + 1e-9).all()
            assert np.linalg.norm(after.user_positions_m, axis=-1).max() <= 50
        assert arrivals > 100

    def test_gains_follow_the_positions_and_shadowing_stays(self):
        *_, first, last = self.walk(20)
        np.testing.assert_array_equal(first.shadowing_db, last.shadowing_db)
        model = Scenario.paper_a(**WALK).deployment.networks()
        expected = model.propagation.gain(
            plain_offsets(last.ap_positions_m, last.user_positions_m), last.shadowing_db
        )
        np.testing.assert_array_equal(last.large_scale_gain, expected)
        assert not np.array_equal(first.large_scale_gain, last.large_scale_gain)
