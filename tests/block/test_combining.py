"""Combiners are of unit norm; MMSE beats the others where it says so; estimation errors cost what they should."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym import Scenario, rate
from mec_cf_gym.block.combining import COMBINERS, INTERFERENCES, printed_gains, receive_gains


def random_channel(seed, subcarriers=3, aps=8, users=5):
    rng = np.random.default_rng(seed)
    shape = (2, subcarriers, aps, users)
    snr = 10 ** rng.uniform(-2, 4, (2, aps, users))
    normal = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)
    return normal * np.sqrt(snr)[:, None], snr


def combine(name, channel, error_gain=None):
    return COMBINERS[name](Scenario.paper_a(num_subcarriers=channel.shape[-3])).combine(channel, error_gain)


@given(seed=st.integers(0, 2**32), name=st.sampled_from(sorted(COMBINERS)), error=st.sampled_from([0.0, 0.1]))
def test_every_combiner_has_unit_norm(seed, name, error):
    channel, snr = random_channel(seed)
    combiner = combine(name, channel, error * snr if error else None)
    assert combiner.shape == channel.shape
    np.testing.assert_allclose(np.linalg.norm(combiner, axis=-2), 1, rtol=1e-6)


def test_gains_are_what_the_definition_says():
    channel, _ = random_channel(1)
    combiner = combine("mrc", channel)
    signal_gain, interference_gain = receive_gains(combiner, channel, None)
    for row, n, k in np.ndindex(signal_gain.shape):
        a = channel[row, n, :, k] / np.linalg.norm(channel[row, n, :, k])
        assert signal_gain[row, n, k] == pytest.approx(abs(np.vdot(a, channel[row, n, :, k])) ** 2)
        for j in range(channel.shape[-1]):
            expected = 0 if j == k else abs(np.vdot(a, channel[row, n, :, j])) ** 2
            assert interference_gain[row, n, k, j] == pytest.approx(expected)


def test_zero_forcing_leaves_no_interference():
    channel, _ = random_channel(2)
    _, interference_gain = receive_gains(combine("zf", channel), channel, None)
    assert interference_gain.max() < 1e-12 * (np.abs(channel) ** 2).max()


@given(seed=st.integers(0, 2**32), error=st.sampled_from([0.0, 0.05, 0.5]), subcarriers=st.integers(1, 4))
def test_mmse_has_the_largest_sinr_at_an_equal_split(seed, error, subcarriers):
    channel, snr = random_channel(seed, subcarriers)
    error_gain = error * snr if error else None
    power = 1 / subcarriers

    def sinr(name):
        signal_gain, interference_gain = receive_gains(combine(name, channel, error_gain), channel, error_gain)
        return power * signal_gain / (1 + power * interference_gain.sum(-1))

    assert (sinr("mmse") >= (1 - 1e-9) * np.maximum(sinr("mrc"), sinr("zf"))).all()


def test_estimation_errors_fill_the_diagonal():
    channel, snr = random_channel(3)
    combiner = combine("mrc", channel)
    _, perfect = receive_gains(combiner, channel, None)
    _, noisy = receive_gains(combiner, channel, 0.1 * snr)
    for k in range(channel.shape[-1]):
        for j in range(channel.shape[-1]):
            added = np.einsum("rnm,rm->rn", np.abs(combiner[..., k]) ** 2, 0.1 * snr[..., j])
            np.testing.assert_allclose(noisy[..., k, j] - perfect[..., k, j], added, rtol=1e-6, atol=1e-12)


@given(seed=st.integers(0, 2**32), name=st.sampled_from(sorted(COMBINERS)), error=st.sampled_from([0.0, 0.1]))
def test_as_printed_everybody_is_heard_through_its_own_combiner(seed, name, error):
    channel, snr = random_channel(seed)
    error_gain = error * snr if error else None
    combiner = combine(name, channel, error_gain)
    signal_gain, interference_gain = printed_gains(combiner, channel, error_gain)
    physical_signal_gain, physical_gain = receive_gains(combiner, channel, error_gain)
    np.testing.assert_allclose(signal_gain, physical_signal_gain, rtol=1e-9)
    own_error = np.einsum("rnmj,rmj->rnj", np.abs(combiner) ** 2, error * snr)
    for k in range(channel.shape[-1]):
        np.testing.assert_allclose(interference_gain[..., k, k], physical_gain[..., k, k], rtol=1e-9)
        for j in {*range(channel.shape[-1])} - {k}:
            expected = signal_gain[..., j] + own_error[..., j]
            np.testing.assert_allclose(interference_gain[..., k, j], expected, rtol=1e-9)


def test_with_maximum_ratio_combining_the_print_is_a_matter_of_magnitudes():
    channel, _ = random_channel(5)
    turned = channel * np.exp(2j * np.pi * np.random.default_rng(0).random(channel.shape))
    gains, turned_gains = (printed_gains(combine("mrc", each), each, None) for each in (channel, turned))
    np.testing.assert_allclose(turned_gains[0], gains[0], rtol=1e-12)
    np.testing.assert_allclose(turned_gains[1], gains[1], rtol=1e-12)
    assert not np.allclose(*(receive_gains(combine("mrc", each), each, None)[1] for each in (channel, turned)))


@pytest.mark.parametrize("deployment", ["cell_free", "cellular"])
def test_the_scenario_chooses_the_interference_and_nothing_else_of_a_block(blocks, deployment):
    assert set(INTERFERENCES) == {"physical", "printed"}
    physical, printed = (
        blocks(3, deployment=deployment, interference=interference) for interference in ("physical", "printed")
    )
    np.testing.assert_array_equal(printed.channel, physical.channel)
    rounding = physical.channel.shape[-2] * np.finfo(np.float32).eps  # of sums over the antennas
    np.testing.assert_allclose(printed.signal_gain, physical.signal_gain, rtol=rounding)
    others = 1 - np.eye(printed.num_users)
    np.testing.assert_array_equal(printed.interference_gain, others * printed.signal_gain[..., None, :])
    assert (physical.interference_gain <= physical.signal_gain[..., None, :] * (1 + 1e-5)).all()  # Cauchy, Schwarz


def test_rates_fall_as_the_estimate_gets_worse(blocks):
    rates = []
    for error in (0.0, 0.1, 0.4, 0.8):
        block = blocks(100, csi_error_variance=error)
        rates.append(rate(block, np.full(block.signal_gain.shape, 1 / 4)).mean())
    assert rates == sorted(rates, reverse=True)


def test_a_dead_channel_gets_no_signal_and_no_nan():
    channel, _ = random_channel(4)
    channel[..., 0] = 0
    for name in ("mrc", "mmse"):
        signal_gain, interference_gain = receive_gains(combine(name, channel), channel, None)
        assert (signal_gain[..., 0] == 0).all()
        assert np.isfinite(interference_gain).all()
