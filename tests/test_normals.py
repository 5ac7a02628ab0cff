"""Keyed normals: the same bits compiled or not, in any batch; and as random as normal numbers should be."""

import numpy as np
import pytest
from scipy import stats

from mec_cf_gym.normals import keyed_normals, plain_normals
from mec_cf_gym.random_streams import Streams

ROWS, COUNT = 200, 20_000


def keys_of(seed, rows):
    return np.random.default_rng(seed).integers(2**64, size=(rows, 2), dtype=np.uint64)


@pytest.fixture(scope="module")
def parts():
    """Standard normal numbers, ``(rows, 2 count)``, real and imaginary parts in turn."""
    return np.sqrt(2) * keyed_normals(keys_of(0, ROWS), COUNT).view(np.float32).astype(np.float64)


@pytest.mark.parametrize("count", [1, 7, 512, 513, 5000])
def test_compiled_or_not_the_bits_are_the_same(count):
    keys = keys_of(count, 5)
    compiled, plain = keyed_normals(keys, count), plain_normals(keys, count)
    np.testing.assert_array_equal(compiled.view(np.int32), plain.view(np.int32))


def test_a_row_is_the_same_in_any_batch_and_however_many_are_drawn():
    keys = keys_of(1, 4)
    np.testing.assert_array_equal(keyed_normals(keys, 1000)[2, :600], keyed_normals(keys[2:3], 600)[0])


def test_moments_to_the_sixth(parts):
    for power, expected in ((1, 0), (2, 1), (3, 0), (4, 3), (5, 0), (6, 15)):
        samples = parts.ravel() ** power
        assert abs(samples.mean() - expected) < 4.5 * samples.std() / np.sqrt(samples.size), power


def test_their_distribution_and_its_tails(parts):
    assert stats.kstest(parts[:20].ravel(), "norm").pvalue > 1e-3
    for deviations in (1, 2, 3, 4, 5):
        expected = 2 * stats.norm.sf(deviations) * parts.size
        beyond = (np.abs(parts) > deviations).sum()
        assert abs(beyond - expected) < 4.5 * np.sqrt(expected) + 1, deviations
    assert np.isfinite(parts).all()
    assert np.abs(parts).max() > 5


def test_angles_are_uniform_and_radii_exponential(parts):
    numbers = parts[:20].ravel().view(np.complex128)
    assert stats.kstest(np.angle(numbers) / (2 * np.pi) + 0.5, "uniform").pvalue > 1e-3
    assert stats.kstest(np.abs(numbers) ** 2 / 2, "expon").pvalue > 1e-3


def correlation(one, other):
    """Return the correlation of numbers, and that of their squares, in standard errors."""
    return [
        np.sqrt(a.size) * np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in ((one, other), (one**2, other**2))
    ]


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 8, 16, 512, 1024])
def test_neighbours_in_a_row_do_not_correlate(parts, lag):
    assert np.abs(correlation(parts[:, :-lag], parts[:, lag:])).max() < 4.5


def test_rows_do_not_correlate(parts):
    assert np.abs(correlation(parts[:-1], parts[1:])).max() < 4.5
    found = np.corrcoef(parts) * np.sqrt(parts.shape[1])
    pairs = found[np.triu_indices(ROWS, 1)]
    assert stats.kstest(pairs, "norm").pvalue > 1e-3


def test_blocks_do_not_correlate():
    streams = Streams.from_seeds(range(50))
    blocks = np.array([streams.complex_normal((4000,)).view(np.float32) for _ in range(4)], np.float64)
    for lag in (1, 2, 3):
        assert np.abs(correlation(blocks[:-lag], blocks[lag:])).max() < 4.5
