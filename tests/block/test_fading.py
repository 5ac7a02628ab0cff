"""Fading: moments, and Gauss-Markov correlation against Jakes' model."""

import itertools

import numpy as np
import pytest
from scipy.special import j0

from mec_cf_gym import Scenario
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World


def coefficients(blocks, rows=8, **fields):
    world, streams = World(Scenario.paper_a(num_aps=20, num_users=5, **fields)), Streams.from_seeds(range(rows))
    state = world.begin(streams)
    for _ in range(blocks):
        yield state.fading.coefficients
        state = world.advance(state, streams)


@pytest.mark.parametrize("fading", ["iid", "gauss_markov"])
def test_coefficients_are_circular_with_unit_variance_in_every_block(fading):
    for values in list(coefficients(6, rows=32, fading=fading, speed_m_per_s=50))[::5]:
        samples = values.size
        assert abs(values.mean()) < 4 / np.sqrt(samples)
        assert abs((np.abs(values) ** 2).mean() - 1) < 4 / np.sqrt(samples)
        assert abs((values**2).mean()) < 4 * np.sqrt(2 / samples)
        assert (np.abs(values) ** 4).mean() == pytest.approx(2, abs=0.2)  # Rayleigh


@pytest.mark.parametrize("speed_m_per_s", [0.0, 10.0, 50.0, 115.0, 200.0])
def test_successive_blocks_are_correlated_as_jakes_says(speed_m_per_s):
    blocks = list(coefficients(30, fading="gauss_markov", speed_m_per_s=speed_m_per_s))
    measured = np.mean([(after * before.conj()).mean() for before, after in itertools.pairwise(blocks)])
    doppler_hz = speed_m_per_s * 2e9 / 299_792_458
    expected = j0(2 * np.pi * doppler_hz * 0.5e-3)
    assert abs(measured - expected) < 4 / np.sqrt(29 * blocks[0].size)


def test_users_of_different_speed_have_different_correlation():
    blocks = list(coefficients(20, rows=64, fading="gauss_markov", speed_m_per_s=(0.0, 100.0)))
    by_user = np.mean(
        [(after * before.conj()).real.mean((1, 2)) for before, after in itertools.pairwise(blocks)], 0
    )
    assert np.ptp(by_user) > 0.5


def test_iid_blocks_are_independent_of_speed_and_of_each_other():
    before, after = coefficients(2, rows=64, speed_m_per_s=1.0)
    assert abs((after * before.conj()).mean()) < 4 / np.sqrt(before.size)
