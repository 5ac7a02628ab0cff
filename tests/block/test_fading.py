"""Fading: moments, and the correlation of blocks against Jakes' and Clarke's models."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.special import j0

from mec_cf_gym import Scenario
from mec_cf_gym.batches import join_rows, take_rows
from mec_cf_gym.block.fading import FADINGS, Clarke
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World


def world_of(fading, **fields):
    return World(
        Scenario.paper_a(**{"num_aps": 20, "num_users": 5, "fading": fading, "speed_m_per_s": 30.0} | fields)
    )


def coefficients(blocks, rows=8, fading="iid", **fields):
    world, streams = world_of(fading, **fields), Streams.from_seeds(range(rows))
    state = world.begin(streams)
    for _ in range(blocks):
        yield state.fading.coefficients
        state = world.advance(state, streams)


@pytest.mark.parametrize("fading", ["iid", "gauss_markov", "clarke"])
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


def phase_rad(speed_m_per_s):
    return 2 * np.pi * 2e9 * 0.5e-3 * speed_m_per_s / 299_792_458


class TestClarke:
    LAGS = 33
    SPEED = 30.0

    def test_the_correlation_is_j0_at_every_lag(self):
        """Links are independent: a mean over n of them lies within 4 / sqrt(n) in all but 1 of 1e4 cases."""
        first, *later = coefficients(self.LAGS, rows=64, fading="clarke", speed_m_per_s=self.SPEED)
        measured = np.array([(after * first.conj()).mean() for after in (first, *later)])
        expected = j0(phase_rad(self.SPEED) * np.arange(self.LAGS))
        assert abs(measured - expected).max() < 4 / np.sqrt(first.size)
        assert expected.min() < -0.3  # first-order Gauss-Markov fading is never below zero

    def test_each_user_has_it_along_its_own_way_too(self):
        """By construction, to 1e-3 over three and a half wavelengths, whatever the directions of its waves are."""
        start = np.linspace(0, 1, 7)[:, None]
        cosines = np.cos(np.pi * (np.arange(Clarke.NUM_WAVES) + start) / Clarke.NUM_WAVES)
        way = np.linspace(0, 22, 100)
        correlation = np.cos(way[:, None, None] * cosines).mean(-1)
        np.testing.assert_allclose(correlation, np.broadcast_to(j0(way)[:, None], (100, 7)), atol=1e-3)

    def test_at_rest_nothing_changes_and_fast_users_change_sooner(self):
        blocks = list(coefficients(9, rows=32, fading="clarke", speed_m_per_s=0.0))
        np.testing.assert_allclose(blocks[8], blocks[0], atol=1e-6)
        slow, fast = (
            np.mean([after * before.conj() for before, after in itertools.pairwise(blocks)]).real
            for blocks in (
                list(coefficients(4, fading="clarke", speed_m_per_s=speed, rows=32)) for speed in (5.0, 40.0)
            )
        )
        assert slow > 0.98
        assert fast < 0.9

    def test_links_users_and_subcarriers_fade_independently(self):
        values = next(coefficients(1, rows=400, fading="clarke", speed_m_per_s=30.0, num_subcarriers=2))
        links = values[:, :, :4].reshape(400, -1)
        covariance = links.T @ links.conj() / 400
        apart = covariance[~np.eye(len(covariance), dtype=bool)]
        assert abs(apart).max() < 5 / np.sqrt(400)  # 1600 of them
        assert abs(apart.mean()) < 4 / np.sqrt(400 * apart.size / 2)

    def test_a_million_blocks_keep_the_power_and_the_correlation(self):
        world, streams = world_of("clarke"), Streams.from_seeds(range(64))
        state = world.begin(streams)
        late = dataclasses.replace(state.fading, way_rad=state.fading.way_rad + 1e6 * phase_rad(30.0))
        before = world.blocks.fading.advance(late, state.network, streams)
        after = world.blocks.fading.advance(before, state.network, streams)
        first, second = before.coefficients, after.coefficients
        assert abs((abs(second) ** 2).mean() - 1) < 4 / np.sqrt(second.size)
        assert abs((second * first.conj()).mean() - j0(phase_rad(30.0))) < 4 / np.sqrt(second.size)

    def test_a_row_is_the_same_alone_and_in_any_batch(self):
        together, alone = (
            list(coefficients(3, rows=rows, fading="clarke", speed_m_per_s=(1.0, 60.0), csi_error_variance=0.01))
            for rows in (5, 1)
        )
        for batch, single in zip(together, alone, strict=True):
            np.testing.assert_array_equal(batch[0], single[0])

    def test_rows_can_be_taken_and_joined(self):
        world, streams = world_of("clarke"), Streams.from_seeds(range(4))
        state = world.begin(streams)
        halves = [take_rows(state.fading, np.array(rows)) for rows in ([0, 1], [2, 3])]
        model = world.blocks.fading
        joined = model.advance(join_rows(halves), state.network, streams)
        np.testing.assert_array_equal(
            joined.coefficients, model.advance(state.fading, state.network, streams).coefficients
        )

    def test_estimates_have_noise_of_their_own_in_every_block(self):
        """At rest the channel stays, and what an estimate shows of it is 1 - e of the next one's variance."""
        fields = {"fading": "clarke", "speed_m_per_s": 0.0, "csi_error_variance": 0.3}
        first, *_, last = coefficients(5, rows=64, **fields)
        bound = 4 / np.sqrt(first.size)
        assert abs((abs(last) ** 2).mean() - 1) < bound
        assert abs((last * first.conj()).mean() - 0.7) < bound


@pytest.mark.parametrize("fading", ["iid", "gauss_markov", "clarke"])
@pytest.mark.parametrize("error_share", [0.0, 0.2])
def test_models_say_how_blocks_are_correlated(fading, error_share):
    fields = {"fading": fading, "speed_m_per_s": 30.0, "csi_error_variance": error_share}
    blocks = list(coefficients(9, rows=64, **fields))
    said = FADINGS[fading].autocorrelation(np.array([phase_rad(30.0)]), range(9), error_share)[0]
    measured = [(after * blocks[0].conj()).mean() for after in blocks]
    assert said[0] == pytest.approx(1)
    assert abs(measured - said).max() < 4 / np.sqrt(blocks[0].size)
