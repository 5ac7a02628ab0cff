"""Channels of single-antenna access points (APs), and gains of maximum-ratio combining on them, in one loop.

The twin of ``MaximumRatio`` and ``receive_gains`` in ``mec_cf_gym.block.combining``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.kernels.compilation import compiled

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Complexes = NDArray[np.complex64]


@compiled
def maximum_ratio_gains(coefficients: Complexes, amplitude: Singles) -> tuple[Complexes, Floats, Floats]:
    """Return channels ``(rows, N, M, K)``, signal gains ``(rows, N, K)``, interference gains ``(rows, N, K, K)``.

    Args:
        coefficients: Of unit variance, ``(rows, N, M, K)``.
        amplitude: Of the links, ``(rows, M, K)``.
    """
    rows, subcarriers, num_aps, users = coefficients.shape
    channel = np.empty(coefficients.shape, np.complex64)
    signal, interference = np.empty((rows, subcarriers, users)), np.empty((rows, subcarriers, users, users))
    re, im = np.empty((users, num_aps), np.float32), np.empty((users, num_aps), np.float32)
    for row in range(rows):
        for n in range(subcarriers):
            _scale(coefficients[row, n], amplitude[row], channel[row, n], re, im)
            _gains(re, im, signal[row, n], interference[row, n])
    return channel, signal, interference


@compiled
def _scale(coefficients: Complexes, amplitude: Singles, channel: Complexes, re: Singles, im: Singles) -> None:
    """Put channels into ``channel``, ``(M, K)``, and their parts into ``re`` and ``im``, ``(K, M)``."""
    for m in range(len(channel)):
        for k in range(len(re)):
            scaled = amplitude[m, k] * coefficients[m, k]
            channel[m, k] = scaled
            re[k, m], im[k, m] = scaled.real, scaled.imag


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
