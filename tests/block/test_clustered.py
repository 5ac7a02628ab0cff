"""Combiners of clusters keep to their clusters, do what they promise, and do it alike for every row and order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.block.clustered import CLUSTERED_COMBINERS
from mec_cf_gym.block.clustered_gains import clustered_gains
from mec_cf_gym.block.definite import solve_definite

KINDS = st.sampled_from(sorted(CLUSTERED_COMBINERS))
SEEDS = st.integers(0, 2**32)
ANTENNAS = st.sampled_from([1, 3, 4, 12])  # both ways of solving


def draw_network(seed, lead=(), aps=6, antennas=3, users=5):
    """Return channels, error covariances, clusters that leave nobody out, and powers."""
    rng = np.random.default_rng(seed)

    def normal(*shape):
        return rng.standard_normal((*lead, *shape)) + 1j * rng.standard_normal((*lead, *shape))

    snr = 10 ** rng.uniform(-2, 4, (*lead, aps, 1, users))
    factor = normal(aps, users, antennas, antennas) * np.sqrt(0.02 * np.swapaxes(snr, -1, -2)[..., None])
    serves = rng.random((*lead, aps, users)) < 0.5
    serves[..., 0, :] |= ~serves.any(-2)
    error_covariance = factor @ np.swapaxes(factor.conj(), -1, -2)
    return normal(aps, antennas, users) * np.sqrt(snr), error_covariance, serves, rng.random((*lead, users))


def combine(kind, *network):
    return CLUSTERED_COMBINERS[kind]().combine(*network)


def sinr(combiner, channel, error_covariance, serves, power):
    signal_gain, interference_gain = clustered_gains(combiner, channel, error_covariance, serves)
    return power * signal_gain / (1 + (interference_gain @ power[..., None])[..., 0])


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=(-3, -2), keepdims=True)


@given(seed=SEEDS, kind=KINDS, antennas=ANTENNAS)
def test_unit_norm_and_nothing_outside_the_cluster(seed, kind, antennas):
    network = draw_network(seed, (2,), antennas=antennas)
    combiner = combine(kind, *network)
    np.testing.assert_allclose(np.linalg.norm(combiner, axis=(-3, -2)), 1, rtol=1e-12)
    assert (np.swapaxes(combiner, -1, -2)[~network[2]] == 0).all()


@pytest.mark.parametrize("kind", ["mmse", "p_mmse", "p_rzf"])
@given(seed=SEEDS, antennas=ANTENNAS)
def test_centralised_combiners_are_their_definitions(kind, seed, antennas):
    channel, error_covariance, serves, power = draw_network(seed, antennas=antennas)
    combiner = combine(kind, channel, error_covariance, serves, power)
    for k in range(len(power)):
        aps = np.flatnonzero(serves[:, k])
        users = np.arange(len(power)) if kind == "mmse" else np.flatnonzero(serves[aps].any(0))
        stacked = channel[aps].reshape(-1, len(power))
        received = (stacked[:, users] * power[users]) @ stacked[:, users].conj().T + np.eye(len(stacked))
        for position, ap in enumerate(aps):
            own = slice(position * antennas, (position + 1) * antennas)
            if kind != "p_rzf":
                received[own, own] += np.tensordot(power[users], error_covariance[ap, users], 1)
        expected = np.linalg.solve(received, stacked[:, k])
        expected /= np.linalg.norm(expected)
        np.testing.assert_allclose(combiner[aps, :, k].ravel(), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("kind", ["l_mmse", "lp_mmse"])
@given(seed=SEEDS, antennas=ANTENNAS)
def test_local_combiners_are_their_definitions(kind, seed, antennas):
    channel, error_covariance, serves, power = draw_network(seed, antennas=antennas)
    vectors = CLUSTERED_COMBINERS[kind]().vectors(channel, error_covariance, serves, power)
    for ap, k in np.argwhere(serves):
        counted = power * (serves[ap] if kind == "lp_mmse" else 1)
        received = (channel[ap] * counted) @ channel[ap].conj().T + np.eye(antennas)
        received += np.tensordot(counted, error_covariance[ap], 1)
        expected = np.linalg.solve(received, channel[ap, :, k])
        np.testing.assert_allclose(vectors[ap, :, k], expected, rtol=1e-7, atol=1e-10 * np.abs(expected).max())


@given(seed=SEEDS, antennas=ANTENNAS)
def test_no_other_combiner_beats_mmse_at_its_powers(seed, antennas):
    network = draw_network(seed, antennas=antennas)
    combiner = combine("mmse", *network)
    best = sinr(combiner, *network)
    rng = np.random.default_rng(seed)
    for size in (1e-3, 0.1, 1.0):
        other = rng.standard_normal(combiner.shape) + 1j * rng.standard_normal(combiner.shape)
        changed = unit(combiner + size * unit(other * network[2][:, None, :]))
        assert (sinr(changed, *network) <= best * (1 + 1e-9)).all()
    for kind in CLUSTERED_COMBINERS:
        assert (sinr(combine(kind, *network), *network) <= best * (1 + 1e-9)).all()


@given(seed=SEEDS)
def test_clusters_of_all_aps_make_partial_combiners_whole(seed):
    channel, error_covariance, serves, power = draw_network(seed)
    everyone = np.ones_like(serves)
    for whole, partial in (("mmse", "p_mmse"), ("l_mmse", "lp_mmse")):
        np.testing.assert_array_equal(
            combine(whole, channel, error_covariance, everyone, power),
            combine(partial, channel, error_covariance, everyone, power),
        )


@given(seed=SEEDS, antennas=ANTENNAS)
def test_one_ap_per_user_makes_local_combiners_central(seed, antennas):
    channel, error_covariance, serves, power = draw_network(seed, antennas=antennas)
    one_ap = np.arange(len(serves))[:, None] == np.random.default_rng(seed).integers(len(serves), size=len(power))
    local, central = (combine(kind, channel, error_covariance, one_ap, power) for kind in ("l_mmse", "mmse"))
    np.testing.assert_allclose(local, central, rtol=0, atol=1e-8)


@given(seed=SEEDS, kind=KINDS)
def test_a_batch_is_its_rows(seed, kind):
    network = draw_network(seed, (2, 3))
    combiner = combine(kind, *network)
    signal_gain, interference_gain = clustered_gains(combiner, *network[:3])
    for row in np.ndindex(2, 3):
        channel, error_covariance, serves, power = (array[row] for array in network)
        alone = combine(kind, channel, error_covariance, serves, power)
        np.testing.assert_array_equal(combiner[row], alone)
        gains = clustered_gains(alone, channel, error_covariance, serves)
        np.testing.assert_array_equal(signal_gain[row], gains[0])
        np.testing.assert_array_equal(interference_gain[row], gains[1])


@given(seed=SEEDS, kind=KINDS)
def test_leading_axes_broadcast(seed, kind):
    channel, error_covariance, serves, _ = draw_network(seed)
    channels = channel * np.exp(1j * np.arange(2))[:, None, None, None, None]
    powers = np.random.default_rng(seed).random((3, channel.shape[-1]))
    combiner = combine(kind, channels, error_covariance, serves, powers)
    assert combiner.shape == (2, 3, *channel.shape)
    gains = clustered_gains(combiner, channels, error_covariance, serves)
    assert [gain.shape for gain in gains] == [(2, 3, 5), (2, 3, 5, 5)]
    alone = combine(kind, channels[1, 0], error_covariance, serves, powers[2])
    np.testing.assert_array_equal(combiner[1, 2], alone)
    np.testing.assert_array_equal(
        gains[1][1, 2], clustered_gains(alone, channels[1, 0], error_covariance, serves)[1]
    )


@given(seed=SEEDS, kind=KINDS)
def test_users_and_aps_may_be_listed_in_any_order(seed, kind):
    channel, error_covariance, serves, power = draw_network(seed)
    rng = np.random.default_rng(seed)
    users, aps = rng.permutation(len(power)), rng.permutation(len(serves))
    shuffled = (channel[aps][..., users], error_covariance[aps][:, users], serves[aps][:, users], power[users])
    combiner, other = combine(kind, channel, error_covariance, serves, power), combine(kind, *shuffled)
    np.testing.assert_allclose(other, combiner[aps][..., users], rtol=0, atol=1e-9)
    gain = clustered_gains(combiner, channel, error_covariance, serves)[1]
    np.testing.assert_allclose(
        clustered_gains(other, *shuffled[:3])[1], gain[np.ix_(users, users)], rtol=1e-5, atol=1e-5
    )


@given(seed=SEEDS, kind=KINDS, antennas=ANTENNAS)
def test_gains_are_what_the_definition_says(seed, kind, antennas):
    channel, error_covariance, serves, power = draw_network(seed, antennas=antennas)
    combiner = combine(kind, channel, error_covariance, serves, power)
    signal_gain, interference_gain = clustered_gains(combiner, channel, error_covariance, serves)
    cross = np.einsum("lak,laj->kj", combiner.conj(), channel)
    error = np.einsum("lak,ljab,lbk->kj", combiner.conj(), error_covariance, combiner).real
    tolerance = {"rtol": 1e-9, "atol": 1e-12 * np.abs(channel).max() ** 2}
    np.testing.assert_allclose(signal_gain, np.abs(np.diag(cross)) ** 2, **tolerance)
    others = np.abs(cross - np.diag(np.diag(cross))) ** 2
    np.testing.assert_allclose(interference_gain, others + error, **tolerance)
    np.testing.assert_allclose(clustered_gains(combiner, channel, None, serves)[1], others, **tolerance)


@given(seed=SEEDS, kind=KINDS)
def test_a_dead_channel_gets_no_combiner_and_no_nan(seed, kind):
    channel, error_covariance, serves, power = draw_network(seed)
    channel[..., 0] = 0
    combiner = combine(kind, channel, error_covariance, serves, power)
    assert (combiner[..., 0] == 0).all()
    signal_gain, interference_gain = clustered_gains(combiner, channel, error_covariance, serves)
    assert signal_gain[0] == 0
    assert np.isfinite(combiner).all() and np.isfinite(interference_gain).all()


@given(seed=SEEDS, kind=KINDS)
def test_a_user_whom_no_ap_serves_gets_no_combiner(seed, kind):
    channel, error_covariance, serves, power = draw_network(seed)
    serves[:, 1] = False
    combiner = combine(kind, channel, error_covariance, serves, power)
    assert (combiner[..., 1] == 0).all()
    np.testing.assert_allclose(np.linalg.norm(combiner[..., 0]), 1)


@given(seed=SEEDS, kind=KINDS)
def test_a_user_at_zero_power_gets_the_limit_of_its_combiners(seed, kind):
    channel, error_covariance, serves, power = draw_network(seed)
    power[0] = 0
    combiner = combine(kind, channel, error_covariance, serves, power)
    power[0] = 1e-14
    np.testing.assert_allclose(combine(kind, channel, error_covariance, serves, power), combiner, atol=1e-7)
    silent = combine(kind, channel, error_covariance, serves, 0 * power)
    np.testing.assert_allclose(silent, unit(channel * serves[:, None, :]), atol=1e-12)


@pytest.mark.parametrize("kind", sorted(CLUSTERED_COMBINERS))
def test_single_precision_is_promoted_and_no_input_changes(kind):
    network = draw_network(7)
    before = [array.copy() for array in network]
    single = (network[0].astype(np.complex64), network[1].astype(np.complex64), *network[2:])
    combiner = combine(kind, *single)
    assert combiner.dtype == np.complex128
    np.testing.assert_allclose(combiner, combine(kind, *network), atol=1e-3)
    for array, copy in zip(network, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    signal_gain, interference_gain = clustered_gains(combiner.astype(np.complex64), *single[:3])
    assert signal_gain.dtype == interference_gain.dtype == np.float64


def test_an_empty_batch_is_empty():
    network = [array[:0] for array in draw_network(8, (1,))]
    combiner = combine("p_mmse", *network)
    assert combiner.shape == network[0].shape
    assert clustered_gains(combiner, *network[:3])[1].shape == (0, 5, 5)


@pytest.mark.parametrize("size", [1, 2, 8, 9, 40])
def test_definite_systems_of_any_size(size):
    rng = np.random.default_rng(size)
    factor = rng.standard_normal((2, 3, size, size)) + 1j * rng.standard_normal((2, 3, size, size))
    matrix = np.eye(size) + 1e3 * factor @ np.swapaxes(factor.conj(), -1, -2)
    right = rng.standard_normal((2, 3, size, 2)) + 0j
    np.testing.assert_allclose(matrix @ solve_definite(matrix, right), right, atol=1e-8)
