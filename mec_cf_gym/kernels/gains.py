"""Gains of combiners of clusters, the twin of ``mec_cf_gym.block.clustered_gains`` for APs with a few antennas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.kernels.compilation import compiled_in_order

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]
Flags = NDArray[np.bool_]


@compiled_in_order
def network_gains(combiner: Complexes, channel: Complexes, errors: Floats, serves: Flags) -> tuple[Floats, Floats]:
    """Return signal gains ``(K,)`` and interference gains ``(K, K)`` of one network.

    Args:
        combiner: Combiners of unit norm, ``(L, A, K)``.
        channel: Channel estimates, ``(L, A, K)``.
        errors: Covariances of the errors, real and imaginary parts in turn, ``(L, K, 2 A A)``; L = 0 for none.
        serves: Whether AP l serves user k, ``(L, K)``.
    """
    num_aps, _, num_users = channel.shape
    cross_re, cross_im = np.zeros((num_users, num_users)), np.zeros((num_users, num_users))
    error = np.zeros((num_users, num_users))
    for ap in range(num_aps):
        _add_cross(combiner[ap], channel[ap], serves[ap], cross_re, cross_im)
        if len(errors):
            _add_error(combiner[ap], errors[ap], serves[ap], error)
    gain = cross_re**2 + cross_im**2
    signal = np.diag(gain).copy()
    np.fill_diagonal(gain, 0.0)
    return signal, gain + np.maximum(error, 0.0)  # below only by rounding


@compiled_in_order
def _add_cross(combiner: Complexes, channel: Complexes, serves: Flags, re: Floats, im: Floats) -> None:
    """Add ``v_k^H h_j`` of one AP, ``(K, K)``, for the users k whom it serves."""
    num_users = len(serves)
    channel_re, channel_im = channel.real.copy(), channel.imag.copy()
    for k in np.flatnonzero(serves):
        for a in range(len(channel)):
            v = combiner[a, k]
            for j in range(num_users):
                re[k, j] += v.real * channel_re[a, j] + v.imag * channel_im[a, j]
                im[k, j] += v.real * channel_im[a, j] - v.imag * channel_re[a, j]


@compiled_in_order
def _add_error(combiner: Complexes, errors: Floats, serves: Flags, total: Floats) -> None:
    """Add ``v_k^H C_j v_k`` of one AP, ``(K, K)``, as inner products of ``C_j`` and ``v_k v_k^H``."""
    antennas, num_users = combiner.shape
    outer = np.empty(2 * antennas * antennas)
    for k in np.flatnonzero(serves):
        for a in range(antennas):
            for b in range(antennas):
                product = combiner[a, k] * combiner[b, k].conjugate()
                outer[2 * (a * antennas + b)] = product.real
                outer[2 * (a * antennas + b) + 1] = product.imag
        for j in range(num_users):
            part = 0.0
            for index in range(len(outer)):
                part += outer[index] * errors[j, index]
            total[k, j] += part
