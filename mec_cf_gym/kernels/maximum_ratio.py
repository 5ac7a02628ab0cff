"""Gains of maximum-ratio combining at single-antenna access points (APs), from channels that are drawn on the way.

The twin of ``MaximumRatio`` and ``receive_gains`` in ``mec_cf_gym.block.combining``. Channels are not kept: they
stay in the cache until their products are taken. Unlike other kernels of environments these sum in any order, for
speed; that processes agree on the bits is tested, not given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.kernels.compilation import compiled
from mec_cf_gym.kernels.normals import fill_parts, new_room

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Complexes = NDArray[np.complex64]
Keys = NDArray[np.uint64]
Places = NDArray[np.int64]


@compiled
def keyed_gains(keys: Keys, first: Places, amplitude: Singles, subcarriers: int) -> tuple[Floats, Floats]:
    """Return signal gains, ``(rows, N, K)``, and interference gains, ``(rows, N, K, K)``, of keyed fading.

    Args:
        keys: Of the rows' normal numbers, ``(rows, 2)``.
        first: Places of the first ones, ``(rows,)``.
        amplitude: Of the links, ``(rows, K, M)``.
        subcarriers: Number of subcarriers, N.
    """
    rows, users, num_aps = amplitude.shape
    signal, interference = np.empty((rows, subcarriers, users)), np.empty((rows, subcarriers, users, users))
    re, im, room = np.empty((users, num_aps), np.float32), np.empty((users, num_aps), np.float32), new_room()
    flat_re, flat_im, links = re.reshape(-1), im.reshape(-1), num_aps * users
    for row in range(rows):
        for n in range(subcarriers):
            fill_parts(keys[row], first[row] + n * links, flat_re, flat_im, room)
            _scale(amplitude[row].reshape(-1), flat_re, flat_im)
            _gains(re, im, signal[row, n], interference[row, n])
    return signal, interference


@compiled
def wishart_gains(keys: Keys, first: Places, lengths: Singles, amplitude: Singles) -> tuple[Floats, Floats]:
    """Return the gains of triangular factors, see ``WishartFading``; the rest as above.

    Args:
        keys: Of the numbers above the diagonals, ``(rows, 2)``.
        first: Places of the first ones, ``(rows,)``.
        lengths: The diagonals, ``(rows, N, K)``.
        amplitude: Of the users, ``(rows, K)``.
    """
    rows, subcarriers, users = lengths.shape
    signal, interference = np.empty((rows, subcarriers, users)), np.empty((rows, subcarriers, users, users))
    re, im, room = np.empty((users, users), np.float32), np.empty((users, users), np.float32), new_room()
    flat_re, flat_im = re.reshape(-1), im.reshape(-1)
    for row in range(rows):
        for n in range(subcarriers):
            fill_parts(keys[row], first[row] + n * users * users, flat_re, flat_im, room)
            for k in range(users):
                re[k, k], im[k, k] = lengths[row, n, k], np.float32(0)
                re[k, k + 1 :], im[k, k + 1 :] = np.float32(0), np.float32(0)
                for i in range(k + 1):
                    re[k, i] *= amplitude[row, k]
                    im[k, i] *= amplitude[row, k]
            _gains(re, im, signal[row, n], interference[row, n])
    return signal, interference


@compiled
def known_gains(coefficients: Complexes, amplitude: Singles) -> tuple[Floats, Floats]:
    """Return the gains of given coefficients of unit variance, ``(rows, N, M, K)``; the rest as above."""
    rows, subcarriers, num_aps, users = coefficients.shape
    signal, interference = np.empty((rows, subcarriers, users)), np.empty((rows, subcarriers, users, users))
    re, im = np.empty((users, num_aps), np.float32), np.empty((users, num_aps), np.float32)
    for row in range(rows):
        for n in range(subcarriers):
            for m in range(num_aps):
                for k in range(users):
                    scaled = amplitude[row, k, m] * coefficients[row, n, m, k]
                    re[k, m], im[k, m] = scaled.real, scaled.imag
            _gains(re, im, signal[row, n], interference[row, n])
    return signal, interference


@compiled
def _scale(amplitude: Singles, re: Singles, im: Singles) -> None:
    """Multiply both parts by amplitudes, ``(K M,)`` all."""
    for link in range(len(re)):
        re[link] *= amplitude[link]
        im[link] *= amplitude[link]


@compiled
def _gains(re: Singles, im: Singles, signal: Floats, interference: Floats) -> None:
    """Put ``|h_k|^2`` and ``|h_k^H h_j|^2 / |h_k|^2`` into the gains, zero where there is no channel."""
    for k in range(len(signal)):
        signal[k] = _product(re[k], im[k], re[k], im[k])[0]
        interference[k, k] = 0.0
    for k in range(len(signal)):
        for j in range(k):
            along, across = _product(re[k], im[k], re[j], im[j])
            squared = np.float64(along) ** 2 + np.float64(across) ** 2
            interference[k, j] = squared / signal[k] if signal[k] > 0 else 0.0
            interference[j, k] = squared / signal[j] if signal[j] > 0 else 0.0


@compiled
def _product(re: Singles, im: Singles, other_re: Singles, other_im: Singles) -> tuple[np.float32, np.float32]:
    """Return real and imaginary part of ``h^H g``; sums along the antennas become vector instructions."""
    along, across = np.float32(0), np.float32(0)
    for m in range(len(re)):
        along += re[m] * other_re[m] + im[m] * other_im[m]
        across += re[m] * other_im[m] - im[m] * other_re[m]
    return along, across
