"""LSFD weights look better on the realisations they were fitted to; held-out ones tell what they are worth."""

import numpy as np
import pytest

from mec_cf_gym.block.distributed import (
    LocalMoments,
    held_out_spectral_efficiency,
    use_and_forget_spectral_efficiency,
)
from mec_cf_gym.network.statistics import ChannelStatistics
from mec_cf_gym.random_streams import Streams

GROUPS, REALISATIONS = 60, 20


@pytest.fixture(scope="module")
def found(book_reference):
    """Mean SEs of users: scored on the same realisations, held out, and in truth, ``(3, GROUPS)``."""
    data = book_reference("A2")
    covariance, pilot = data["p"] * data["R"].transpose(2, 3, 0, 1), data["pilotIndex"]
    serves, samples = data["D"].astype(bool), int(data["tau_p"])
    aps, users, antennas, _ = covariance.shape
    power, prelog = np.ones(users), 1 - samples / data["tau_c"]
    statistics = ChannelStatistics.of(covariance, pilot, serves, samples)
    streams = Streams.from_seeds(range(GROUPS * REALISATIONS))
    channel = statistics.channel(streams.complex_normal((aps, antennas, users)))
    estimate = statistics.estimate(channel, streams.complex_normal((aps, antennas, samples)))
    vectors = estimate * serves[:, None, :]
    exact = LocalMoments.maximum_ratio(covariance, pilot, samples, serves)  # of infinitely many

    def fit(rows):
        moments = LocalMoments.sampled(vectors[rows], channel[rows])
        return moments, moments.weights(power, serves)

    found = []
    for first in range(0, GROUPS * REALISATIONS, REALISATIONS):
        rows, middle = slice(first, first + REALISATIONS), first + REALISATIONS // 2
        same = use_and_forget_spectral_efficiency(*fit(rows), power, prelog)
        held_out = held_out_spectral_efficiency(vectors[rows], channel[rows], serves, power, prelog)
        halves = (fit(half)[1] for half in (slice(first, middle), slice(middle, rows.stop)))
        truth = np.mean(
            [use_and_forget_spectral_efficiency(exact, half, power, prelog) for half in halves], axis=0
        )
        found.append((same.mean(), held_out.mean(), truth.mean()))
    return np.array(found).T


def test_the_same_realisations_are_optimistic(found):
    same, held_out, truth = found
    assert same.mean() > 1.05 * held_out.mean()
    assert (same > truth).all()


def test_held_out_ones_are_unbiased(found):
    _, held_out, truth = found
    standard_error = (held_out - truth).std() / np.sqrt(GROUPS)
    assert abs((held_out - truth).mean()) < 3 * standard_error
    assert standard_error < 0.015 * truth.mean()  # so that an optimism of 5 % would be seen


def test_many_realisations_leave_no_difference():
    rng = np.random.default_rng(0)
    shape, serves = (4000, 3, 2, 4), np.ones((3, 4), bool)
    channel = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    vectors = channel + 0.1 * rng.standard_normal(shape)
    power = np.linspace(0.2, 1, 4)
    moments = LocalMoments.sampled(vectors, channel)
    known = np.diag(power)
    for known_power in (None, known):
        weights = moments.weights(power if known_power is None else known_power, serves)
        same = use_and_forget_spectral_efficiency(moments, weights, power, 0.9)
        held_out = held_out_spectral_efficiency(vectors, channel, serves, power, 0.9, known_power)
        np.testing.assert_allclose(held_out, same, rtol=0.02)


def test_few_realisations_are_refused():
    three = np.ones((3, 1, 1, 1), complex)
    with pytest.raises(ValueError, match="realisations=3 is not allowed"):
        held_out_spectral_efficiency(three, three, np.ones((1, 1), bool), np.ones(1), 1.0)
