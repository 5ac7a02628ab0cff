"""Compiled kernels give what their twins in plain NumPy give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.block.clustered import CLUSTERED_COMBINERS, central_vectors
from mec_cf_gym.block.clustered_gains import clustered_gains, network_gains
from mec_cf_gym.block.clusters import share_aps
from mec_cf_gym.network.statistics import ChannelStatistics

SEEDS, ANTENNAS = st.integers(0, 2**32), st.integers(1, 8)


def draw(rng, *shape):
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def draw_network(seed, antennas, aps=5, users=7):
    """Return channels over 80 dB, error covariances, clusters and powers, some of them none."""
    rng = np.random.default_rng(seed)
    snr = 10 ** rng.uniform(-3, 5, (aps, 1, users))
    factor = draw(rng, aps, users, antennas, antennas) * np.sqrt(1e-3 * np.swapaxes(snr, 1, 2)[..., None])
    error_covariance = factor @ np.swapaxes(factor.conj(), -1, -2)
    serves = rng.random((aps, users)) < 0.4
    power = rng.random(users) * (rng.random(users) < 0.8)
    return draw(rng, aps, antennas, users) * np.sqrt(snr), error_covariance, serves, power


def along(vectors, other):
    """Return the cosines between combiners of each user, and one where both are zero."""
    flat, other = (array.reshape(-1, array.shape[-1]) for array in (vectors, other))
    product = np.abs(np.vecdot(flat, other, axis=0))
    norms = np.linalg.norm(flat, axis=0) * np.linalg.norm(other, axis=0)
    return np.where(norms > 0, product / np.where(norms > 0, norms, 1), (flat == other).all(0))


@pytest.mark.parametrize("kind", ["mmse", "p_mmse", "p_rzf"])
@given(seed=SEEDS, antennas=ANTENNAS)
def test_central_combiners(kind, seed, antennas):
    channel, error_covariance, serves, power = draw_network(seed, antennas)
    combiner = CLUSTERED_COMBINERS[kind]().combine(channel, error_covariance, serves, power)
    counts = np.ones((len(power), len(power)), bool) if kind == "mmse" else share_aps(serves)
    errors = None if kind == "p_rzf" else error_covariance
    plain = central_vectors(channel, errors, serves, power * counts)
    np.testing.assert_allclose(along(combiner, plain), 1, atol=1e-12)


@given(seed=SEEDS, antennas=ANTENNAS, perfect=st.booleans())
def test_gains(seed, antennas, perfect):
    channel, error_covariance, serves, power = draw_network(seed, antennas)
    error_covariance = None if perfect else error_covariance
    combiner = CLUSTERED_COMBINERS["mmse"]().combine(channel, error_covariance, serves, power)
    arguments = combiner, channel, error_covariance, serves
    scale = np.square(np.abs(channel)).sum(1).max()
    for gain, plain in zip(clustered_gains(*arguments), network_gains(*arguments), strict=True):
        np.testing.assert_allclose(gain, plain, rtol=1e-9, atol=1e-14 * scale)


@given(seed=SEEDS, antennas=ANTENNAS)
def test_estimates(seed, antennas):
    rng = np.random.default_rng(seed)
    aps, users, pilots = 3, 6, 4
    factor = draw(rng, 2, aps, users, antennas, antennas) * 10 ** rng.uniform(-2, 2, (2, aps, users, 1, 1))
    covariance = factor @ np.swapaxes(factor.conj(), -1, -2)
    pilot, serves = rng.integers(pilots, size=(2, users)), np.ones((2, aps, users), bool)
    statistics = ChannelStatistics.of(covariance, pilot, serves, pilots)
    white, noise = (draw(rng, 2, aps, antennas, last).astype(np.complex64) for last in (users, pilots))
    plain = statistics.estimate(statistics.channel(white), noise)
    scale = np.abs(plain).max(-2, keepdims=True)
    assert (np.abs(statistics.estimates(white, noise) - plain) <= 1e-9 * scale).all()
