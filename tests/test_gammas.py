"""Keyed gamma variables: the same compiled or not, in any batch; and distributed as they should be."""

import numpy as np
import pytest
from scipy import stats

from mec_cf_gym.gammas import keyed_gammas, places_of, plain_gammas

SHAPES = np.array([1.0, 1.0, 2.0, 5.0, 64.0, 64.0])


def keys_of(seed, rows):
    return np.random.default_rng(seed).integers(2**64, size=(rows, 2), dtype=np.uint64)


def test_compiled_or_not_they_are_the_same():
    keys, first = keys_of(0, 500), np.arange(500) * places_of(len(SHAPES))
    np.testing.assert_array_equal(keyed_gammas(keys, SHAPES, first), plain_gammas(keys, SHAPES, first))


def test_a_row_is_the_same_in_any_batch():
    keys, first = keys_of(1, 4), np.array([0, 10, 20, 30])
    alone = keyed_gammas(keys[2:3], SHAPES, first[2:3])
    np.testing.assert_array_equal(keyed_gammas(keys, SHAPES, first)[2:3], alone)


@pytest.mark.parametrize("same_key", [True, False], ids=["blocks of one key", "keys"])
def test_their_distribution(same_key):
    keys = np.repeat(keys_of(2, 1), 20_000, 0) if same_key else keys_of(2, 20_000)
    first = np.arange(20_000) * places_of(len(SHAPES)) * same_key
    drawn = keyed_gammas(keys, SHAPES, first)
    for shape, column in zip(SHAPES, drawn.T, strict=True):
        assert stats.kstest(column, stats.gamma(shape).cdf).pvalue > 1e-3
    correlation = np.corrcoef(drawn.T) - np.eye(len(SHAPES))
    assert np.abs(correlation).max() * np.sqrt(20_000) < 4
