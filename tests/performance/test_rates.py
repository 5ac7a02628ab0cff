"""On stored estimates every spectral efficiency equals what the book's own code made of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from mec_cf_gym import rate
from mec_cf_gym.block.clustered import CLUSTERED_COMBINERS
from mec_cf_gym.block.clustered_gains import clustered_gains
from mec_cf_gym.block.clusters import share_aps
from mec_cf_gym.block.distributed import LocalMoments, use_and_forget_spectral_efficiency, weighted_combiner
from mec_cf_gym.performance.rates import ergodic_spectral_efficiency, instantaneous_spectral_efficiency

DATA = Path(__file__).parents[1] / "data"
TOLERANCE = {"rtol": 0, "atol": 1e-10}


@dataclass
class Vectors:
    """A reference file in the package's layout: everything at full power over the noise."""

    data: dict
    suffix: str = ""

    def __post_init__(self):
        full_power = self.data["p"]
        self.covariance = full_power * self.data["R" + self.suffix].transpose(2, 3, 0, 1)
        self.error_covariance = full_power * self.data["C" + self.suffix].transpose(2, 3, 0, 1)
        self.estimate = self.channels("Hhat")
        self.channel = self.channels("H")
        self.power = np.ones(self.estimate.shape[-1])
        self.prelog = 1 - self.data["tau_p"] / self.data["tau_c"]

    def channels(self, name):
        stacked = np.sqrt(self.data["p"]) * self.data[name + self.suffix]
        aps, _, antennas, _ = self.error_covariance.shape
        return np.moveaxis(stacked.reshape(aps, antennas, *stacked.shape[1:]), 2, 0)

    def vectors(self, kind, serves):
        return CLUSTERED_COMBINERS[kind]().vectors(self.estimate, self.error_covariance, serves, self.power)

    def ergodic(self, kind, serves):
        combiner = CLUSTERED_COMBINERS[kind]().combine(self.estimate, self.error_covariance, serves, self.power)
        gains = clustered_gains(combiner, self.estimate, self.error_covariance, serves)
        return ergodic_spectral_efficiency(*gains, self.power, self.prelog)

    def genie(self, combiner, serves):
        gains = clustered_gains(combiner, self.channel, None, serves)
        return ergodic_spectral_efficiency(*gains, self.power, self.prelog)

    def distributed(self, moments, weights):
        return use_and_forget_spectral_efficiency(moments, weights, self.power, self.prelog)


def load(name, suffix=""):
    with np.load(DATA / f"book_reference_{name}.npz") as file:
        return Vectors(dict(file), suffix)


@pytest.fixture(scope="module", params=[("A1", ""), ("B1", "_AP")], ids=["A1", "B1"])
def vectors(request):
    return load(*request.param)


@pytest.mark.parametrize(
    ("kind", "clusters", "key"),
    [
        ("mmse", "D", "SE_MMSE"),
        ("p_mmse", "D", "SE_P_MMSE"),
        ("p_rzf", "D", "SE_P_RZF"),
        ("mrc", "D", "SE_MR_cent"),
        ("l_mmse", "D_small", "SE_small_MMSE"),
        ("mmse", "D_small", "SE_small_MMSE"),
    ],
)
def test_centralised_and_small_cells(vectors, kind, clusters, key):
    serves = vectors.data[clusters].astype(bool)
    np.testing.assert_allclose(vectors.ergodic(kind, serves), vectors.data[key], **TOLERANCE)


def test_multi_cell():
    vectors = load("B1", "_BS")
    serves = vectors.data["BSassignment"] == np.arange(4)[:, None]
    np.testing.assert_allclose(vectors.ergodic("l_mmse", serves), vectors.data["SE_BS_L_MMSE"], **TOLERANCE)


def test_local_combiners_with_optimal_weights(vectors):
    serves = vectors.data["D"].astype(bool)
    moments = LocalMoments.sampled(vectors.vectors("l_mmse", serves), vectors.channel)
    weights = moments.weights(vectors.power, serves)
    np.testing.assert_allclose(vectors.distributed(moments, weights), vectors.data["SE_opt_L_MMSE"], **TOLERANCE)


def test_local_partial_combiners_with_nearly_optimal_weights(vectors):
    serves = vectors.data["D"].astype(bool)
    moments = LocalMoments.sampled(vectors.vectors("lp_mmse", serves), vectors.channel)
    weights = moments.weights(vectors.power * share_aps(serves), serves)
    np.testing.assert_allclose(vectors.distributed(moments, weights), vectors.data["SE_nopt_LP_MMSE"], **TOLERANCE)


@pytest.mark.parametrize(("kind", "key"), [("l_mmse", "SE_L_MMSE"), ("lp_mmse", "SE_LP_MMSE")])
def test_local_combiners_without_weights(kind, key):
    vectors = load("A1")
    serves = vectors.data["D"].astype(bool)
    moments = LocalMoments.sampled(vectors.vectors(kind, serves), vectors.channel)
    np.testing.assert_allclose(vectors.distributed(moments, serves.T), vectors.data[key], **TOLERANCE)


def test_maximum_ratio_in_closed_form():
    vectors = load("A1")
    serves = vectors.data["D"].astype(bool)
    pilot, samples = vectors.data["pilotIndex"], int(vectors.data["tau_p"])
    moments = LocalMoments.maximum_ratio(vectors.covariance, pilot, samples, serves)
    weights = moments.weights(vectors.power * share_aps(serves), serves)
    np.testing.assert_allclose(vectors.distributed(moments, weights), vectors.data["SE_nopt_MR"], **TOLERANCE)
    np.testing.assert_allclose(vectors.distributed(moments, serves.T), vectors.data["SE_MR_dist"], **TOLERANCE)


def test_closed_form_is_the_mean_over_realisations():
    aps, users, antennas, samples, realisations = 2, 4, 3, 2, 40_000
    rng = np.random.default_rng(0)

    def normal(*shape):
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)

    factor = normal(aps, users, antennas, antennas)
    covariance = factor @ np.swapaxes(factor.conj(), -1, -2)
    pilot = np.array([0, 0, 1, 0])
    serves = np.array([[1, 1, 1, 1], [0, 1, 1, 0]], bool)
    channel = (factor @ normal(realisations, aps, users, antennas, 1))[..., 0]  # (realisations, L, K, A)
    estimate = np.empty_like(channel)
    for t in (0, 1):
        group = pilot == t
        received = np.sqrt(samples) * channel[:, :, group].sum(2) + normal(realisations, aps, antennas)
        total = samples * covariance[:, group].sum(1) + np.eye(antennas)
        whitened = np.linalg.solve(total, received[..., None])[:, :, None]
        estimate[:, :, group] = np.sqrt(samples) * (covariance[:, group] @ whitened)[..., 0]
    vectors = np.swapaxes(estimate, -1, -2) * serves[:, None, :]
    sampled = LocalMoments.sampled(vectors, np.swapaxes(channel, -1, -2))
    closed = LocalMoments.maximum_ratio(covariance, pilot, samples, serves)
    assert np.abs(closed.mean.imag).max() > 0.1
    standard_error = np.sqrt(closed.square / realisations)
    assert (np.abs(sampled.mean - closed.mean) <= 5 * standard_error).all()
    np.testing.assert_allclose(sampled.square, closed.square, rtol=0.1)
    np.testing.assert_allclose(sampled.noise, closed.noise, rtol=0.03)


@pytest.mark.parametrize(
    ("kind", "clusters", "key"),
    [("p_mmse", "D", "Gen_SE_P_MMSE"), ("l_mmse", "D_small", "Gen_SE_small_MMSE")],
)
def test_genie_aided(kind, clusters, key):
    vectors = load("A1")
    serves = vectors.data[clusters].astype(bool)
    combiner = CLUSTERED_COMBINERS[kind]().combine(
        vectors.estimate, vectors.error_covariance, serves, vectors.power
    )
    np.testing.assert_allclose(vectors.genie(combiner, serves), vectors.data[key], **TOLERANCE)


def test_genie_aided_with_weights():
    vectors = load("A1")
    serves = vectors.data["D"].astype(bool)
    local = vectors.vectors("lp_mmse", serves)
    weights = LocalMoments.sampled(local, vectors.channel).weights(vectors.power * share_aps(serves), serves)
    combiner = weighted_combiner(local, weights)
    np.testing.assert_allclose(vectors.genie(combiner, serves), vectors.data["Gen_SE_LP_MMSE"], **TOLERANCE)


def test_optimal_weights_are_no_worse_than_others(vectors):
    serves = vectors.data["D"].astype(bool)
    moments = LocalMoments.sampled(vectors.vectors("l_mmse", serves), vectors.channel)
    power = np.linspace(0, 1, len(vectors.power))
    best = use_and_forget_spectral_efficiency(moments, moments.weights(power, serves), power, 1.0)
    partial = moments.weights(power * share_aps(serves), serves)
    for other in (serves.T, partial, partial + 0.01 * serves.T):
        assert (use_and_forget_spectral_efficiency(moments, other, power, 1.0) <= best + 1e-12).all()
    assert best[0] == 0


def test_spectral_efficiency_is_rate_per_bandwidth(blocks):
    block = blocks(3, num_subcarriers=1)
    power = np.random.default_rng(0).random(block.signal_gain.shape)
    efficiency = instantaneous_spectral_efficiency(block.signal_gain, block.interference_gain, power, 0.5)
    expected = 0.5 * rate(block, power) / block.subcarrier_bandwidth_hz
    np.testing.assert_allclose(efficiency[:, 0], expected, rtol=1e-12)
