"""Spatial correlation between the antennas of a uniform linear array, by local scattering."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

_NEGLIGIBLE = 1e-17
_LINKS_AT_ONCE = 1024  # keeps the harmonics of a chunk of links in cache


def local_scattering(
    azimuth_rad: ArrayLike,
    elevation_rad: ArrayLike,
    num_antennas: int,
    azimuth_spread_rad: float,
    elevation_spread_rad: float,
) -> Complexes:
    """Return the first rows of the correlation matrices of half-wavelength arrays (the book's eq. 2.18).

    ``r[d] = E[exp(j pi d sin(phi + delta) cos(theta + epsilon))]`` for Gaussian deviations from the nominal
    azimuth phi and elevation theta. The expectation is exact: the product of sine and cosine is a half-sum of two
    sines, whose exponentials are Fourier series with Bessel functions for coefficients, and a Gaussian deviation
    only scales each harmonic.

    Args:
        azimuth_rad: Nominal azimuths, ``(...)``.
        elevation_rad: Nominal elevations, ``(...)``.
        num_antennas: Antennas A of an array.
        azimuth_spread_rad: Standard deviation of the azimuth; zero is allowed.
        elevation_spread_rad: Standard deviation of the elevation; zero is allowed.

    Returns:
        First rows, ``(..., A)``; the first entry is one.
    """
    azimuth, elevation = np.broadcast_arrays(np.asarray(azimuth_rad, float), np.asarray(elevation_rad, float))
    first_row = np.ones((azimuth.size, num_antennas), np.complex128)
    if num_antennas > 1:
        tables = [_coefficients(lag, azimuth_spread_rad, elevation_spread_rad) for lag in range(1, num_antennas)]
        for start in range(0, azimuth.size, _LINKS_AT_ONCE):
            links = slice(start, start + _LINKS_AT_ONCE)
            _sum_series(azimuth.ravel()[links], elevation.ravel()[links], tables, out=first_row[links, 1:])
    return first_row.reshape(*azimuth.shape, num_antennas)


def toeplitz(first_row: Complexes) -> Complexes:
    """Return the Hermitian matrices ``R[a, b] = r[b - a]``, ``(..., A, A)``, of first rows r, ``(..., A)``."""
    num_antennas = first_row.shape[-1]
    diagonals = np.concatenate((first_row[..., :0:-1].conj(), first_row), axis=-1)  # lags 1 - A to A - 1
    windows = np.lib.stride_tricks.sliding_window_view(diagonals, num_antennas, axis=-1)
    return np.ascontiguousarray(windows[..., ::-1, :])


def _sum_series(azimuth: Floats, elevation: Floats, tables: list[tuple[Floats, Floats]], out: Complexes) -> None:
    """Write ``r[d]`` into ``out``: even harmonics of the azimuth are its real part, odd ones its imaginary part.

    Args:
        azimuth: Radians, ``(links,)``.
        elevation: Radians, ``(links,)``.
        tables: Coefficients of every lag, see :func:`_coefficients`.
        out: ``(links, lags)``.
    """
    azimuth_order = max(2 * len(even) for even, _ in tables)
    elevation_order = max(2 * even.shape[1] for even, _ in tables)
    azimuth_phase = np.arange(azimuth_order)[:, None] * azimuth
    elevation_harmonic = np.cos(np.arange(elevation_order)[:, None] * elevation)
    even_azimuth, odd_azimuth = np.cos(azimuth_phase[0::2]), np.sin(azimuth_phase[1::2])
    even_elevation, odd_elevation = elevation_harmonic[0::2].copy(), elevation_harmonic[1::2].copy()
    for column, (even, odd) in enumerate(tables):
        orders, width = even.shape
        out.real[:, column] = np.einsum("sl,sl->l", even @ even_elevation[:width], even_azimuth[:orders])
        out.imag[:, column] = np.einsum("sl,sl->l", odd @ odd_elevation[:width], odd_azimuth[:orders])


@lru_cache(maxsize=512)
def _coefficients(lag: int, azimuth_spread_rad: float, elevation_spread_rad: float) -> tuple[Floats, Floats]:
    """Return the coefficients of ``cos(s phi) cos(t theta)``, s even, and ``sin(s phi) cos(t theta)``, s odd.

    Each is ``(S, T)``, for t even and odd as s is.

    The series over all integers m, n has terms ``J_m(z) J_n(z) exp(j s phi) exp(j t theta)``, ``z = pi lag / 2``,
    ``s = m + n`` and ``t = m - n``, scaled by ``exp(-(s azimuth_spread)^2 / 2 - (t elevation_spread)^2 / 2)``. It
    is even in t, and even or odd in s as s is.
    """
    argument = np.pi * lag / 2
    order = int(argument + 12 * argument ** (1 / 3) + 20)  # Bessel functions of higher order are below 1e-17
    azimuth_pairs = _harmonic_pairs(azimuth_spread_rad, order)
    elevation_pairs = _harmonic_pairs(elevation_spread_rad, order)
    bessel = np.zeros(2 * (azimuth_pairs + elevation_pairs) + 1)
    computed = min(len(bessel), order + 1)
    bessel[:computed] = _bessel_functions(order, argument)[:computed]
    tables = []
    for parity in (0, 1):
        s = 2 * np.arange(azimuth_pairs)[:, None] + parity
        t = 2 * np.arange(elevation_pairs) + parity
        weight = np.exp(-0.5 * np.square(s * azimuth_spread_rad)) * np.exp(
            -0.5 * np.square(t * elevation_spread_rad)
        )
        mirrored = np.where(s > 0, 2.0, 1.0) * np.where(t > 0, 2.0, 1.0)
        m, n = (s + t) // 2, (s - t) // 2
        sign = np.where((n < 0) & (n % 2 == 1), -1.0, 1.0)  # J_-n = (-1)^n J_n
        tables.append(mirrored * weight * sign * bessel[m] * bessel[np.abs(n)])
    return tables[0], tables[1]


def _bessel_functions(order: int, argument: float) -> Floats:
    """Return J_0 to J_order, ``(order + 1,)``: the Fourier coefficients of ``exp(j argument sin(angle))``."""
    samples = 2 * (order + 1)
    angle = 2 * np.pi / samples * np.arange(samples)
    return np.fft.fft(np.exp(1j * argument * np.sin(angle))).real[: order + 1] / samples


def _harmonic_pairs(spread_rad: float, order: int) -> int:
    """Return how many even, and as many odd, harmonics are above rounding."""
    decay = np.sqrt(-2 * np.log(_NEGLIGIBLE))
    highest = 2 * order if spread_rad * 2 * order < decay else int(decay / spread_rad)
    return highest // 2 + 1
