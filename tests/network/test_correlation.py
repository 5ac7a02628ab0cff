"""Correlation matrices are what the definition's integral and the book's code say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.network.correlation import local_scattering, toeplitz

AZIMUTHS = st.floats(-np.pi, np.pi)
ELEVATIONS = st.floats(0, np.pi / 2)
SPREADS_DEG = st.one_of(st.just(0.0), st.floats(1e-3, 60))


def deviations(spread_rad, nodes):
    if spread_rad == 0:
        return np.zeros(1), np.ones(1)
    point, weight = np.polynomial.legendre.leggauss(nodes)
    reach = 9 * spread_rad
    density = np.exp(-np.square(9 * point) / 2) / (np.sqrt(2 * np.pi) * spread_rad)
    return reach * point, reach * weight * density


def quadrature(azimuth, elevation, lags, azimuth_spread, elevation_spread, nodes):
    (delta, azimuth_weight), (epsilon, elevation_weight) = (
        deviations(spread, nodes) for spread in (azimuth_spread, elevation_spread)
    )
    path = np.sin(azimuth + delta)[:, None] * np.cos(elevation + epsilon)
    return np.array([azimuth_weight @ np.exp(1j * np.pi * lag * path) @ elevation_weight for lag in lags])


@given(azimuth=AZIMUTHS, elevation=ELEVATIONS, azimuth_deg=SPREADS_DEG, elevation_deg=SPREADS_DEG)
def test_the_series_is_the_integral(azimuth, elevation, azimuth_deg, elevation_deg):
    spreads = np.deg2rad([azimuth_deg, elevation_deg])
    first_row = local_scattering(azimuth, elevation, 8, *spreads)
    np.testing.assert_allclose(
        first_row, quadrature(azimuth, elevation, range(8), *spreads, nodes=400), rtol=0, atol=1e-11
    )


@pytest.mark.parametrize(
    ("antennas", "spreads_deg"),
    [(100, (15, 15)), (100, (1, 1)), (30, (5, 40)), (30, (60, 0)), (100, (0, 2)), (20, (60, 60))],
)
def test_long_arrays_are_as_exact(antennas, spreads_deg):
    lags = (antennas // 3, antennas - 1)
    spreads = np.deg2rad(spreads_deg)
    first_row = local_scattering(0.7, 0.3, antennas, *spreads)
    expected = quadrature(0.7, 0.3, lags, *spreads, nodes=1000)
    np.testing.assert_allclose(first_row[list(lags)], expected, rtol=0, atol=1e-11)


def test_first_rows_are_the_books(book_reference):
    data = book_reference("R")
    for (azimuth, elevation), spreads_deg, expected in zip(data["angs"], data["asds"], data["Rrows"], strict=True):
        first_row = local_scattering(azimuth, elevation, expected.size, *np.deg2rad(spreads_deg))
        np.testing.assert_allclose(first_row, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("name", "matrices", "sites", "gains"),
    [
        ("A1", "R", "APpositions", "gainOverNoisedB"),
        ("A2", "R", "APpositions", "gainOverNoisedB"),
        ("B1", "R_AP", "APpositions", "gainOverNoisedB_AP"),
        ("B1", "R_BS", "BSpositions", "gainOverNoisedB_BS"),
    ],
)
def test_matrices_are_the_books_at_its_positions(book_reference, name, matrices, sites, gains):
    data = book_reference(name)
    offset = data["UEpositions"] - data[sites][:, None]
    around = [offset + east + 1j * north for east in (-1000, 0, 1000) for north in (-1000, 0, 1000)]
    nearest = np.take_along_axis(np.array(around), np.abs(around).argmin(0)[None], axis=0)[0]
    elevation = np.arctan2(10, np.abs(nearest))
    expected = np.moveaxis(data[matrices], (0, 1), (2, 3)) / 10 ** (data[gains][..., None, None] / 10)
    spread = np.deg2rad(data["ASD_deg"])
    matrix = toeplitz(local_scattering(np.angle(nearest), elevation, expected.shape[-1], spread, spread))
    np.testing.assert_allclose(matrix, expected, rtol=0, atol=1e-10)


@given(
    azimuth=AZIMUTHS,
    elevation=ELEVATIONS,
    azimuth_deg=SPREADS_DEG,
    elevation_deg=SPREADS_DEG,
    antennas=st.integers(1, 32),
)
def test_matrices_are_correlations(azimuth, elevation, azimuth_deg, elevation_deg, antennas):
    matrix = toeplitz(local_scattering(azimuth, elevation, antennas, *np.deg2rad([azimuth_deg, elevation_deg])))
    assert matrix.shape == (antennas, antennas)
    np.testing.assert_array_equal(matrix, matrix.conj().T)
    np.testing.assert_array_equal(np.diagonal(matrix), 1)
    assert np.linalg.eigvalsh(matrix).min() > -1e-13 * antennas


def test_without_spread_arrays_see_a_plane_wave():
    azimuth, elevation = np.random.default_rng(0).uniform(-1.5, 1.5, (2, 20))
    wave = np.exp(1j * np.pi * np.arange(100) * (np.sin(azimuth) * np.cos(elevation))[:, None])
    np.testing.assert_allclose(local_scattering(azimuth, elevation, 100, 0.0, 0.0), wave, rtol=0, atol=1e-12)
    np.testing.assert_allclose(local_scattering(azimuth, elevation, 100, 1e-9, 1e-9), wave, rtol=0, atol=1e-10)


def test_entries_sit_where_the_definition_puts_them():
    row = np.array([1, 2 + 1j, 3 - 2j])
    expected = [[1, 2 + 1j, 3 - 2j], [2 - 1j, 1, 2 + 1j], [3 + 2j, 2 - 1j, 1]]
    np.testing.assert_array_equal(toeplitz(row), expected)


def test_a_batch_is_its_rows():
    rng = np.random.default_rng(1)
    azimuth, elevation = rng.uniform(-3, 3, (600, 1)), rng.uniform(0, 1.5, (1, 5))
    batch = local_scattering(azimuth, elevation, 6, 0.2, 0.3)
    assert batch.shape == (600, 5, 6)
    for row, column in ((0, 0), (599, 4), (204, 4), (205, 0)):
        alone = local_scattering(azimuth[row, 0], elevation[0, column], 6, 0.2, 0.3)
        np.testing.assert_allclose(batch[row, column], alone, rtol=0, atol=1e-14)
