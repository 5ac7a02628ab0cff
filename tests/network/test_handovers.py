"""Users who walk on a square: shadowing along their way, statistics that follow them, and handovers."""

import dataclasses
import itertools

import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.network.grid import Square, wrapped_offsets
from mec_cf_gym.network.pilots import assign_pilots, form_clusters, master_aps
from mec_cf_gym.random_streams import Streams

DEPLOYMENTS = ["user_centric", "multi_cell"]
every_deployment = pytest.mark.parametrize("deployment", DEPLOYMENTS)
WALK = {
    "mobility": "random_waypoint",
    "speed_m_per_s": 30.0,
    "block_s": 0.1,
    "snapshot_blocks": 2,
    "num_aps": 16,
    "num_users": 7,
    "pilot_samples": 3,
    "antennas_per_base_station": 2,
}


def scenario_of(deployment="user_centric", **fields):
    return Scenario.paper_b(deployment=deployment, **{**WALK, **fields})


def walk(blocks, deployment="user_centric", seeds=(0, 1), **fields):
    """Return networks block by block, the first as drawn."""
    model, streams = scenario_of(deployment, **fields).deployment.networks(), Streams.from_seeds(seeds)
    networks = [model.draw(streams)]
    for _ in range(blocks):
        networks.append(model.advance(networks[-1], streams))
    return networks


class TestShadowing:
    SAMPLES, SITES = 2000, 20  # numbers of walks, and of independent sites of each

    def correlations(self, before_m, after_m, correlation_m=9.0):
        """Return sampled correlations of shadowing before and after, ``(2 K, 2 K)``, and those of the model."""
        users = len(before_m)
        fields = {"shadowing_correlation_m": correlation_m, "num_aps": 16, "num_users": users}
        square = Square(scenario_of(**fields, user_drop="uniform"))
        places_m = np.concatenate((before_m, after_m))
        apart_m = np.linalg.norm(wrapped_offsets(places_m, places_m, 1000.0), axis=-1)
        expected = np.exp2(-apart_m / correlation_m)
        rng, root = np.random.default_rng(0), np.linalg.cholesky(expected[:users, :users])
        pairs = []
        for _ in range(self.SAMPLES):
            first_db = 4.0 * rng.standard_normal((self.SITES, users)) @ root.T
            pairs.append(
                np.concatenate((first_db, square.shadowing_along(first_db, before_m, after_m, rng)), axis=1)
            )
        samples = np.concatenate(pairs) / 4.0
        return samples.T @ samples / len(samples), expected

    def test_it_halves_with_every_correlation_distance_for_all_pairs_of_users_and_times(self):
        before_m = np.array([[1.0, 500.0], [4.0, 505.0], [300.0, 300.0], [995.0, 500.0]])
        after_m = np.array([[10.0, 500.0], [4.0, 507.0], [302.0, 300.0], [2.0, 500.0]])  # one around the edge
        sampled, expected = self.correlations(before_m, after_m)
        deviation = np.sqrt((1 + expected**2) / (self.SAMPLES * self.SITES))  # of the mean of products of normals
        assert np.abs((sampled - expected) / deviation).max() < 4.5
        assert expected[0, 4] == pytest.approx(0.5)

    def test_users_who_stay_keep_theirs(self):
        square, rng = Square(scenario_of()), np.random.default_rng(0)
        before_m = rng.uniform(0, 1000, (7, 2))
        after_m = before_m + np.array([5.0, 0.0]) * (np.arange(7) == 3)[:, None]
        first_db = rng.standard_normal((16, 7))
        second_db = square.shadowing_along(first_db, before_m, after_m, rng)
        np.testing.assert_array_equal((second_db != first_db).any(0), np.arange(7) == 3)
        assert square.shadowing_along(first_db, before_m, before_m, rng) is first_db

    def test_independent_shadowing_stays_with_a_user(self):
        first, *_, last = walk(10, shadowing_correlation_m=0.0, user_drop="uniform")
        np.testing.assert_array_equal(first.shadowing_db, last.shadowing_db)
        assert not np.array_equal(first.large_scale_gain, last.large_scale_gain)

    def test_a_short_way_changes_little(self):
        first, *_, last = walk(4, speed_m_per_s=0.01)
        changed_db = last.shadowing_db - first.shadowing_db
        assert 0 < np.abs(changed_db).max() < 8 * 4.0 * np.sqrt(1 - np.exp2(-2 * 0.004 / 9))


@every_deployment
class TestStatistics:
    def test_they_follow_users_every_snapshot_blocks(self, deployment):
        networks = walk(9, deployment, snapshot_blocks=3)
        for block, (before, after) in enumerate(itertools.pairwise(networks), start=1):
            assert (after.user_positions_m != before.user_positions_m).any(-1).all()
            followed = after.statistics is not before.statistics
            assert followed == (block % 3 == 0)
            assert (after.large_scale_gain is before.large_scale_gain) == (not followed)

    def test_they_are_those_of_the_place_the_shadowing_and_the_clusters(self, deployment):
        scenario = scenario_of(deployment)
        last = walk(4, deployment)[-1]
        offsets_m = wrapped_offsets(last.ap_positions_m, last.user_positions_m, 1000.0)
        gain = scenario.deployment.networks().square.propagation.gain(offsets_m, last.shadowing_db)
        np.testing.assert_array_equal(last.large_scale_gain, gain)
        variance = np.square(np.abs(last.statistics.root)).sum((-1, -2)) / last.statistics.root.shape[-1]
        np.testing.assert_allclose(variance, gain * last.user_power_w[:, None] / scenario.noise_w, rtol=1e-9)
        np.testing.assert_array_equal(last.servers.serves, last.statistics.serves)
        np.testing.assert_array_equal(last.server_hz, last.servers.equal_shares().total_hz)

    def test_networks_whose_users_stay_are_the_same_object(self, deployment):
        for fields in ({"mobility": "static"}, {"speed_m_per_s": 0.0}):
            first, *others = walk(5, deployment, **fields)
            assert all(network is first for network in others)

    def test_walks_begin_where_static_users_stand(self, deployment):
        moving, static = (walk(0, deployment, mobility=name)[0] for name in ("random_waypoint", "static"))
        assert static.association is None
        for name in ("user_positions_m", "shadowing_db", "large_scale_gain", "server_hz"):
            np.testing.assert_array_equal(getattr(moving, name), getattr(static, name))

    def test_a_row_is_the_same_alone_and_in_a_batch(self, deployment):
        (*_, batch), (*_, alone) = walk(25, deployment, seeds=(4, 5, 6)), walk(25, deployment, seeds=(5,))
        for name in ("user_positions_m", "shadowing_db", "large_scale_gain", "server_hz", "cell"):
            np.testing.assert_array_equal(getattr(batch, name)[1], getattr(alone, name)[0], err_msg=name)
        for name in ("root", "whitening", "pilot", "serves"):
            np.testing.assert_array_equal(getattr(batch.statistics, name)[1], getattr(alone.statistics, name)[0])
        for field in dataclasses.fields(batch.association):
            both = (getattr(network.association, field.name) for network in (batch, alone))
            np.testing.assert_array_equal(next(both)[1], next(both)[0], err_msg=field.name)

    def test_rows_may_be_refreshed_in_different_blocks(self, deployment):
        """A row that begins later than its neighbours, as after a partial reset, still counts its own blocks."""
        scenario = scenario_of(deployment, snapshot_blocks=3)
        model, streams = scenario.deployment.networks(), Streams.from_seeds((0, 1))
        network = model.draw(streams)
        association = dataclasses.replace(network.association, blocks_since=np.array([1, 0]))
        network = dataclasses.replace(network, association=association)
        changed = []
        for _ in range(4):
            after = model.advance(network, streams)
            changed.append((after.large_scale_gain != network.large_scale_gain).any((-1, -2)).tolist())
            network = after
        assert changed == [[False, False], [True, False], [False, True], [False, False]]


def test_both_networks_of_a_seed_have_the_same_users_on_the_same_way():
    users = [walk(12, deployment)[-1].user_positions_m for deployment in DEPLOYMENTS]
    np.testing.assert_array_equal(*users)


class TestHysteresis:
    def test_without_any_algorithm_41_runs_anew(self):
        last = walk(8, handover_db=0.0)[-1]
        master = master_aps(last.large_scale_gain)
        np.testing.assert_array_equal(last.association.master, master)
        pilot = assign_pilots(last.large_scale_gain, 3)
        np.testing.assert_array_equal(last.statistics.pilot, pilot)
        np.testing.assert_array_equal(last.statistics.serves, form_clusters(last.large_scale_gain, pilot, 3))

    def test_without_any_a_users_base_station_is_the_one_it_hears_best(self):
        last = walk(8, "multi_cell", handover_db=0.0)[-1]
        np.testing.assert_array_equal(last.cell, last.large_scale_gain.argmax(-2))

    @every_deployment
    def test_a_master_stays_until_another_is_better_by_as_much(self, deployment):
        networks = walk(40, deployment, handover_db=4.0)
        changes = 0
        for before, after in itertools.pairwise(networks):
            gain_db = 10 * np.log10(after.large_scale_gain)
            old, new = (
                np.take_along_axis(gain_db, network.association.master[:, None], axis=-2)[:, 0]
                for network in (before, after)
            )
            changed = after.association.master != before.association.master
            np.testing.assert_array_equal(after.association.handed_over, changed)
            assert (new - old)[changed].min(initial=np.inf) > 4.0
            best_db = gain_db.max(-2)
            refreshed = after.statistics is not before.statistics
            assert not refreshed or (best_db - new).max() <= 4.0 + 1e-9
            changes += changed.sum()
        assert changes == networks[-1].association.handovers.sum() > 5

    @every_deployment
    def test_the_more_of_it_the_fewer_handovers(self, deployment):
        counts = [
            walk(150, deployment, seeds=range(3), handover_db=db)[-1].association.handovers.sum()
            for db in (0.0, 3.0, 10.0)
        ]
        assert counts[0] > 1.2 * counts[1] > 1.44 * counts[2] > 0

    @every_deployment
    def test_there_is_no_ping_pong_on_the_spot(self, deployment):
        """Users who stay keep master and base station, however much others move around them."""
        scenario = scenario_of(deployment, handover_db=0.0)
        model, streams = scenario.deployment.networks(), Streams.from_seeds((0, 1))
        network = model.draw(streams)
        stays = np.arange(7) % 2 == 0
        network = dataclasses.replace(network, speed_m_per_s=np.where(stays, 0.0, network.speed_m_per_s))
        for _ in range(60):
            network = model.advance(network, streams)
        assert (network.association.handovers[:, stays] == 0).all()
        assert network.association.handovers[:, ~stays].sum() > 5

    def test_pilots_stay_until_another_is_better_by_as_much(self):
        gain = np.array([[8.0, 3.0, 1.0], [1.0, 1.0, 9.0]])[None]  # of three users and two pilots
        master, present = master_aps(gain), np.array([[0, 1, 0]])
        for gain_of_second, hysteresis, expected in ((0.6, 2.0, 0), (0.4, 2.0, 1), (0.6, 1.0, 1)):
            gain[0, 1, 1] = gain_of_second  # what the third's master receives on the other pilot
            assert assign_pilots(gain, 2, master, present, hysteresis)[0, 2] == expected


class TestService:
    @pytest.mark.parametrize("lost", [0, 1, 3])
    @every_deployment
    def test_a_handover_costs_so_many_blocks(self, deployment, lost):
        networks = walk(60, deployment, snapshot_blocks=5, handover_blocks=lost)
        since = np.full(networks[0].cell.shape, 10**6)  # blocks since the last handover
        for network in networks:
            since = np.where(network.association.handed_over, 0, since + 1)
            np.testing.assert_array_equal(network.receives.any(-2), since >= lost)
            served = since >= lost
            np.testing.assert_array_equal(network.receives, network.statistics.serves & served[:, None])
        assert networks[-1].association.handovers.sum() > 5
