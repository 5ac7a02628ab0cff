"""Estimates and their errors have the statistics that the book derives, and match its code's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.network.correlation import local_scattering, toeplitz
from mec_cf_gym.network.estimation import covariance_root, error_covariance, estimate, pilot_whitening


def complex_normal(rng, shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


def adjoint(matrix):
    return np.swapaxes(matrix.conj(), -1, -2)


def random_covariance(seed, shape, antennas, spread_deg=15.0, gain_db=(-20, 30)):
    rng = np.random.default_rng(seed)
    azimuth, elevation = rng.uniform(-np.pi, np.pi, shape), rng.uniform(0, 1.5, shape)
    spread = np.deg2rad(spread_deg)
    gain = 10 ** (rng.uniform(*gain_db, shape) / 10)
    return gain[..., None, None] * toeplitz(local_scattering(azimuth, elevation, antennas, spread, spread))


def links_first(matrices):
    return np.moveaxis(matrices, (0, 1), (2, 3))


@pytest.mark.parametrize(("name", "kind"), [("A1", ""), ("B1", "_AP"), ("B1", "_BS")])
def test_errors_are_the_books(book_reference, name, kind):
    data = book_reference(name)
    covariance, pilot = data["p"] * links_first(data["R" + kind]), data["pilotIndex"]
    whitening = pilot_whitening(covariance, pilot, int(data["tau_p"]))
    error = error_covariance(covariance, pilot, whitening)
    scale = np.abs(covariance).max((-2, -1), keepdims=True)
    assert (np.abs(error - data["p"] * links_first(data["C" + kind])) / scale).max() < 1e-12
    if name == "A1":
        assert (np.abs(covariance - error - data["p"] * links_first(data["B"])) / scale).max() < 1e-12


@given(
    seed=st.integers(0, 2**32),
    antennas=st.integers(1, 12),
    spread_deg=st.sampled_from([0.0, 1.0, 15.0, 60.0]),
    strongest_db=st.sampled_from([0, 30, 80]),
)
def test_errors_are_covariances_below_the_channels(seed, antennas, spread_deg, strongest_db):
    covariance = random_covariance(seed, (2, 6), antennas, spread_deg, (-20, strongest_db))
    pilot = np.random.default_rng(seed).integers(0, 3, 6)
    error = error_covariance(covariance, pilot, pilot_whitening(covariance, pilot, 3))
    rounding = 1e-13 * antennas * np.abs(covariance).max((-2, -1))
    assert (np.abs(error - adjoint(error)).max((-2, -1)) <= rounding).all()
    assert (np.linalg.eigvalsh(error).min(-1) >= -rounding).all()
    assert (np.linalg.eigvalsh(covariance - error).min(-1) >= -rounding).all()


def test_whitening_factors_the_inverse_of_the_pilots_covariance():
    covariance, pilot = random_covariance(0, (4, 6), 5), np.array([0, 1, 2, 2, 1, 2])
    whitening = pilot_whitening(covariance, pilot, 4)
    assert whitening.shape == (4, 4, 5, 5)
    for number in range(4):
        psi = 4 * covariance[:, pilot == number].sum(1) + np.eye(5)
        product = whitening[:, number] @ adjoint(whitening[:, number]) @ psi
        np.testing.assert_allclose(product, np.broadcast_to(np.eye(5), product.shape), atol=1e-10)


def test_a_user_alone_on_its_pilot_is_known_to_the_noise_however_strong():
    covariance = random_covariance(3, (8, 1), 24, gain_db=(60, 60))
    pilot = np.array([0])
    error = error_covariance(covariance, pilot, pilot_whitening(covariance, pilot, 5))
    gain, direction = np.linalg.eigh(covariance)
    expected = direction @ ((gain / (1 + 5 * gain))[..., None] * adjoint(direction))
    np.testing.assert_allclose(error, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("spread_deg", [0.0, 15.0])
def test_estimates_have_their_covariance_and_are_orthogonal_to_their_errors(spread_deg):
    realisations, pilot = 40_000, np.array([0, 1, 0])
    covariance = random_covariance(4, (2, 3), 3, spread_deg, (-10, 10))
    whitening = pilot_whitening(covariance, pilot, 2)
    error = error_covariance(covariance, pilot, whitening)
    rng = np.random.default_rng(5)
    normal = complex_normal(rng, (realisations, 2, 3, 3, 1))
    channel = np.swapaxes((covariance_root(covariance) @ normal)[..., 0], -1, -2)
    estimates = estimate(
        channel, complex_normal(rng, (realisations, 2, 3, 2)), covariance_root(covariance), pilot, whitening
    )

    def assert_mean_outer(left, right, expected):
        outer = np.einsum("rlak,rlbk->rlkab", left, right.conj())
        deviation, standard_error = outer.mean(0) - expected, outer.std(0) / np.sqrt(realisations)
        assert (np.abs(deviation) <= 4.5 * standard_error + 1e-10).all()

    assert_mean_outer(channel, channel, covariance)
    assert_mean_outer(estimates, estimates, covariance - error)
    assert_mean_outer(channel - estimates, channel - estimates, error)
    assert_mean_outer(channel - estimates, estimates, 0)


def test_estimates_are_what_the_formula_says():
    rng, pilot = np.random.default_rng(6), np.array([0, 1, 1, 0])
    covariance = random_covariance(6, (3, 4), 2)
    channel, noise = complex_normal(rng, (3, 2, 4)), complex_normal(rng, (3, 2, 2))
    estimates = estimate(channel, noise, covariance_root(covariance), pilot, pilot_whitening(covariance, pilot, 2))
    for ap, user in np.ndindex(3, 4):
        sharing = pilot == pilot[user]
        psi = 2 * covariance[ap, sharing].sum(0) + np.eye(2)
        received = np.sqrt(2) * channel[ap][:, sharing].sum(-1) + noise[ap, :, pilot[user]]
        expected = np.sqrt(2) * covariance[ap, user] @ np.linalg.solve(psi, received)
        np.testing.assert_allclose(estimates[ap, :, user], expected, rtol=1e-9, atol=1e-12)


@given(
    seed=st.integers(0, 2**32),
    antennas=st.sampled_from([1, 2, 4, 16, 100]),
    spread_deg=st.sampled_from([0.0, 0.1, 1.0, 5.0, 15.0]),
)
def test_every_covariance_has_a_root(seed, antennas, spread_deg):
    covariance = random_covariance(seed, (10,), antennas, spread_deg, (-60, 80))
    covariance[0] = np.eye(antennas)
    root = covariance_root(covariance)
    relative = np.abs(root @ adjoint(root) - covariance).max((-2, -1)) / covariance[:, 0, 0].real
    assert relative.max() < 2e-13 * antennas


def test_a_batch_is_its_rows():
    covariance = random_covariance(7, (3, 2, 5), 4)
    rng = np.random.default_rng(7)
    pilot = rng.integers(0, 2, (3, 5))
    channel, noise = complex_normal(rng, (3, 2, 4, 5)), complex_normal(rng, (3, 2, 4, 2))
    whitening = pilot_whitening(covariance, pilot, 2)
    error = error_covariance(covariance, pilot, whitening)
    estimates = estimate(channel, noise, covariance_root(covariance), pilot, whitening)
    for row in range(3):
        alone = pilot_whitening(covariance[row], pilot[row], 2)
        np.testing.assert_allclose(whitening[row], alone, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(error[row], error_covariance(covariance[row], pilot[row], alone), atol=1e-10)
        one = estimate(channel[row], noise[row], covariance_root(covariance[row]), pilot[row], alone)
        np.testing.assert_allclose(estimates[row], one, rtol=1e-10, atol=1e-12)
