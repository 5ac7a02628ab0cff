"""Snapshots of paper B: the book's users have the book's statistics; a seed means the same in both networks."""

import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.block.clustered import CLUSTERED_COMBINERS
from mec_cf_gym.block.clustered_gains import clustered_gains
from mec_cf_gym.block.clusters import share_aps
from mec_cf_gym.block.distributed import LocalMoments, use_and_forget_spectral_efficiency, weighted_combiner
from mec_cf_gym.network.grid import Drop, Square
from mec_cf_gym.network.statistics import ChannelStatistics
from mec_cf_gym.performance.rates import instantaneous_spectral_efficiency
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

from ..settings import SMALL

FIELDS = SMALL | {"num_users": 8, "pilot_samples": 2}
RANGES = {
    "deadline_s": (0.1, 0.5),
    "local_hz": (1e9, 2e9),
    "local_computing": True,
    "user_power_dbm": (10, 20),
}
REALISATIONS = 600  # as many as the reference took, so that it is as uncertain
DEPLOYMENTS = ["user_centric", "multi_cell"]


def begin(deployment, *seeds, **fields):
    return World(Scenario.paper_b(deployment=deployment, **{**FIELDS, **fields})).begin(Streams.from_seeds(seeds))


class TestTheBooksUsers:
    @pytest.fixture
    def network(self, request, book_reference, monkeypatch):
        """The network that follows from positions and gains of reference B1."""
        data = book_reference("B1")
        users_m = np.stack((data["UEpositions"].real, data["UEpositions"].imag), axis=-1)
        over_noise_db = np.concatenate((data["gainOverNoisedB_AP"], data["gainOverNoisedB_BS"]))
        gain = 10 ** ((over_noise_db - 94) / 10)
        drop = Drop(users_m, np.zeros(gain.shape), gain, data["pilotIndex"])
        monkeypatch.setattr(Square, "drop", lambda square, rng: drop)
        return begin(request.param, 0).network

    @pytest.mark.parametrize(
        ("network", "suffix"), [("user_centric", "_AP"), ("multi_cell", "_BS")], indirect=["network"]
    )
    def test_covariances_and_estimation_errors(self, network, suffix, book_reference):
        data, root = book_reference("B1"), network.statistics.root[0]
        gain = 10 ** (data["gainOverNoisedB" + suffix] / 10)[..., None, None]
        covariance, error = (data[name + suffix].transpose(2, 3, 0, 1) / gain for name in "RC")
        scale = data["p"] * gain
        np.testing.assert_allclose(root @ np.swapaxes(root.conj(), -1, -2) / scale, covariance, atol=1e-7)
        np.testing.assert_allclose(network.statistics.error_covariance[0] / scale, error, atol=1e-7)

    @pytest.mark.parametrize("network", ["user_centric"], indirect=True)
    def test_clusters(self, network, book_reference):
        np.testing.assert_array_equal(network.statistics.serves[0], book_reference("B1")["D"])
        np.testing.assert_array_equal(network.servers.serves[0], book_reference("B1")["D"])
        assert (network.cell == 0).all()

    @pytest.mark.parametrize("network", ["multi_cell"], indirect=True)
    def test_cells(self, network, book_reference):
        cell = book_reference("B1")["BSassignment"]
        np.testing.assert_array_equal(network.cell[0], cell)
        np.testing.assert_array_equal(network.statistics.serves[0], cell == np.arange(4)[:, None])


@pytest.fixture(scope="module")
def sampled(book_reference):
    """Channels and estimates of reference A2."""
    data = book_reference("A2")
    covariance = data["p"] * data["R"].transpose(2, 3, 0, 1)
    aps, users, antennas, _ = covariance.shape
    num_pilots, serves = int(data["tau_p"]), data["D"].astype(bool)
    statistics = ChannelStatistics.of(covariance, data["pilotIndex"], serves, num_pilots)
    streams = Streams.from_seeds(range(REALISATIONS))
    channel = statistics.channel(streams.complex_normal((aps, antennas, users)))
    estimate = statistics.estimate(channel, streams.complex_normal((aps, antennas, num_pilots)))
    return data, statistics, channel, estimate


class TestErgodicSpectralEfficiency:
    """Channels and estimates that the statistics of reference A2 give have the book's spectral efficiencies."""

    def assert_agree(self, values, standard_error, expected):
        assert (np.abs(values - expected) < 3 * np.sqrt(2) * standard_error).all()
        assert (standard_error < 0.1 * expected).all()  # it would not do to agree with everything

    def averaged(self, sampled, combiner, channel, error, serves, key):
        gains = clustered_gains(combiner, channel, error, serves)
        prelog = 1 - sampled[0]["tau_p"] / sampled[0]["tau_c"]
        each = instantaneous_spectral_efficiency(*gains, np.ones(gains[0].shape), prelog)
        self.assert_agree(each.mean(0), each.std(0) / np.sqrt(len(each)), sampled[0][key])

    @pytest.mark.parametrize(
        ("kind", "clusters", "key"),
        [
            ("mmse", "D", "SE_MMSE"),
            ("p_mmse", "D", "SE_P_MMSE"),
            ("p_rzf", "D", "SE_P_RZF"),
            ("mrc", "D", "SE_MR_cent"),
            ("l_mmse", "D_small", "SE_small_MMSE"),
        ],
    )
    def test_centralised(self, sampled, kind, clusters, key):
        data, statistics, _, estimate = sampled
        serves = data[clusters].astype(bool)
        error, power = statistics.error_covariance, np.ones(estimate.shape[-1])
        combiner = CLUSTERED_COMBINERS[kind]().combine(estimate, error, serves, power)
        self.averaged(sampled, combiner, estimate, error, serves, key)

    def test_with_a_genie(self, sampled):
        _, statistics, channel, estimate = sampled
        arguments = estimate, statistics.error_covariance, statistics.serves, np.ones(estimate.shape[-1])
        combiner = CLUSTERED_COMBINERS["p_mmse"]().combine(*arguments)
        self.averaged(sampled, combiner, channel, None, statistics.serves, "Gen_SE_P_MMSE")
        vectors = CLUSTERED_COMBINERS["lp_mmse"]().vectors(*arguments)
        weights = LocalMoments.sampled(vectors, channel).weights(
            share_aps(statistics.serves) * 1.0, statistics.serves
        )
        combiner = weighted_combiner(vectors, weights)
        self.averaged(sampled, combiner, channel, None, statistics.serves, "Gen_SE_LP_MMSE")

    @pytest.mark.parametrize(
        ("kind", "weighting", "key"),
        [
            ("l_mmse", "optimal", "SE_opt_L_MMSE"),
            ("lp_mmse", "nearly optimal", "SE_nopt_LP_MMSE"),
            ("mrc", "nearly optimal", "SE_nopt_MR"),
            ("l_mmse", "none", "SE_L_MMSE"),
            ("lp_mmse", "none", "SE_LP_MMSE"),
            ("mrc", "none", "SE_MR_dist"),
        ],
    )
    def test_distributed(self, sampled, kind, weighting, key):
        data, statistics, channel, estimate = sampled
        serves, power = statistics.serves, np.ones(estimate.shape[-1])
        vectors = CLUSTERED_COMBINERS[kind]().vectors(estimate, statistics.error_covariance, serves, power)

        def efficiency(rows):
            moments = LocalMoments.sampled(vectors[rows], channel[rows])
            known = power if weighting == "optimal" else share_aps(serves) * power
            weights = serves.T if weighting == "none" else moments.weights(known, serves)
            return use_and_forget_spectral_efficiency(moments, weights, power, 1 - data["tau_p"] / data["tau_c"])

        groups = np.arange(REALISATIONS) % 20
        without = np.stack([efficiency(groups != group) for group in range(20)])
        jackknife = np.sqrt(19 / 20 * np.square(without - without.mean(0)).sum(0))
        self.assert_agree(efficiency(slice(None)), jackknife, data[key])


class TestBothNetworksOfASeed:
    @pytest.mark.parametrize("user_drop", ["balanced", "uniform"])
    def test_they_have_the_same_users_and_servers(self, user_drop):
        fields = RANGES | {"user_drop": user_drop}
        cell_free, cellular = (begin(deployment, 3, 8, **fields).network for deployment in DEPLOYMENTS)
        for name in ("user_positions_m", "user_power_w", "local_hz", "speed_m_per_s"):
            np.testing.assert_array_equal(getattr(cell_free, name), getattr(cellular, name), err_msg=name)
        assert cell_free.shadowing_db.shape == (2, 16, 8)
        assert cellular.shadowing_db.shape == (2, 4, 8)
        everything_hz = cell_free.servers.ap_hz.sum(-1) + cell_free.servers.cloud_hz
        np.testing.assert_allclose(cellular.servers.ap_hz, np.repeat(everything_hz[:, None] / 4, 4, axis=1))
        assert (cellular.servers.cloud_hz == 0).all()

    def test_they_have_the_same_tasks_in_every_block(self):
        worlds = [World(Scenario.paper_b(deployment=name, **FIELDS, **RANGES)) for name in DEPLOYMENTS]
        streams = [Streams.from_seeds([5, 6]) for _ in worlds]
        states = [world.begin(own) for world, own in zip(worlds, streams, strict=True)]
        seen = []
        for _ in range(3):
            for name in ("task_bits", "deadline_s", "cycles_per_bit"):
                np.testing.assert_array_equal(*(getattr(state.block, name) for state in states), err_msg=name)
            seen.append(states[0].block.task_bits)
            states = [world.advance(state, own) for world, state, own in zip(worlds, states, streams, strict=True)]
        assert np.unique(seen).size == 3 * 2 * 8

    def test_they_go_on_with_the_same_users_in_the_next_episode(self):
        networks = []
        for deployment in DEPLOYMENTS:
            world, streams = World(Scenario.paper_b(deployment=deployment, **FIELDS)), Streams.from_seeds([2])
            world.advance(world.begin(streams), streams)
            networks.append(world.begin(streams).network)
        np.testing.assert_array_equal(*(network.user_positions_m for network in networks))


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
class TestNetwork:
    def test_a_row_does_not_depend_on_its_neighbours(self, deployment):
        batch, alone = begin(deployment, 4, 5, 6), begin(deployment, 5)
        np.testing.assert_array_equal(batch.network.large_scale_gain[1], alone.network.large_scale_gain[0])
        np.testing.assert_array_equal(batch.network.statistics.root[1], alone.network.statistics.root[0])
        np.testing.assert_array_equal(batch.block.interference_gain[1], alone.block.interference_gain[0])

    def test_everybody_is_served(self, deployment):
        network = begin(deployment, 0, 1, user_drop="uniform", num_users=13).network
        assert network.statistics.serves.any(-2).all()
        if deployment == "multi_cell":
            assert (network.statistics.serves.sum(-2) == 1).all()

    def test_pilots_of_a_uniform_drop_suit_the_sites_that_serve(self, deployment):
        network = begin(deployment, *range(5), user_drop="uniform", num_users=13, pilot_samples=5).network
        assert (network.statistics.pilot[:, :5] == np.arange(5)).all()
        for gain, pilot in zip(network.large_scale_gain, network.statistics.pilot, strict=True):
            for user in range(5, 13):
                master = gain[:, user].argmax()
                received = np.bincount(pilot[:user], gain[master, :user], minlength=5)
                assert pilot[user] == received.argmin()

    def test_statistics_are_relative_to_each_users_own_power_over_the_noise(self, deployment):
        network = begin(deployment, 0, user_power_dbm=(0, 20)).network
        variance = np.square(np.abs(network.statistics.root)).sum((-1, -2))[0] / network.statistics.root.shape[-1]
        noise_w = 10 ** (-94 / 10 - 3)
        np.testing.assert_allclose(
            variance, network.large_scale_gain[0] * network.user_power_w[0] / noise_w, rtol=1e-9
        )

    def test_the_network_stays_for_the_episode_and_fading_does_not(self, deployment):
        world, streams = World(Scenario.paper_b(deployment=deployment, **FIELDS)), Streams.from_seeds([0])
        first = world.begin(streams)
        second = world.advance(first, streams)
        assert second.network is first.network
        assert (second.block.signal_gain != first.block.signal_gain).all()
