"""Channel estimates from shared pilots for one network of access points (APs) with a few antennas each.

The twin of ``channel`` and ``estimate`` of ``mec_cf_gym.network.statistics``, whose triangular factors it takes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.kernels.compilation import compiled_in_order

Complexes = NDArray[np.complex128]


@compiled_in_order
def network_estimates(
    white: NDArray[np.complex64],
    noise: NDArray[np.complex64],
    root: Complexes,
    pilot: NDArray[np.intp],
    whitening: Complexes,
) -> Complexes:
    """Return the MMSE estimates of channels, ``(L, A, K)``.

    Args:
        white: White noise that channels are made of, ``(L, A, K)``.
        noise: Noise on every pilot, ``(L, A, T)``.
        root: Roots of the channels' covariances, lower triangular, ``(L, K, A, A)``.
        pilot: Pilots, ``(K,)``.
        whitening: Roots of the inverse covariances on pilots, upper triangular, ``(L, T, A, A)``.
    """
    num_aps, antennas, num_users = white.shape
    scale = math.sqrt(noise.shape[-1])
    out = np.empty(white.shape, np.complex128)
    vector = np.empty(antennas, np.complex128)
    for ap in range(num_aps):
        received = noise[ap].T.astype(np.complex128)
        for k in range(num_users):
            _lower(root[ap, k], white[ap, :, k], vector)
            for a in range(antennas):
                received[pilot[k], a] += scale * vector[a]
        for t in range(len(received)):
            _adjoint_of_upper(whitening[ap, t], received[t], vector)
            _upper(whitening[ap, t], vector, received[t])
            received[t] *= scale
        for k in range(num_users):
            _adjoint_of_lower(root[ap, k], received[pilot[k]], vector)
            _lower(root[ap, k], vector, out[ap, :, k])
    return out


@compiled_in_order
def _lower(matrix: Complexes, vector: NDArray[np.complexfloating[Any, Any]], out: Complexes) -> None:
    """Put a lower triangular matrix times a vector into ``out``."""
    for a in range(len(out)):
        total = 0j
        for b in range(a + 1):
            total += matrix[a, b] * vector[b]
        out[a] = total


@compiled_in_order
def _upper(matrix: Complexes, vector: Complexes, out: Complexes) -> None:
    """Put an upper triangular matrix times a vector into ``out``."""
    for a in range(len(out)):
        total = 0j
        for b in range(a, len(out)):
            total += matrix[a, b] * vector[b]
        out[a] = total


@compiled_in_order
def _adjoint_of_lower(matrix: Complexes, vector: Complexes, out: Complexes) -> None:
    """Put the adjoint of a lower triangular matrix times a vector into ``out``."""
    for a in range(len(out)):
        total = 0j
        for b in range(a, len(out)):
            total += matrix[b, a].conjugate() * vector[b]
        out[a] = total


@compiled_in_order
def _adjoint_of_upper(matrix: Complexes, vector: Complexes, out: Complexes) -> None:
    """Put the adjoint of an upper triangular matrix times a vector into ``out``."""
    for a in range(len(out)):
        total = 0j
        for b in range(a + 1):
            total += matrix[b, a].conjugate() * vector[b]
        out[a] = total
