"""Linear systems with batches of Hermitian positive definite matrices, large ones or of a few antennas."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.kernels import FEW_ANTENNAS

Complex = NDArray[np.complexfloating[Any, Any]]


def solve_definite(matrix: Complex, right: Complex) -> Complex:
    """Return ``matrix^-1 right``.

    Args:
        matrix: Hermitian positive definite matrices, ``(..., A, A)``.
        right: Right-hand sides, ``(..., A, K)``.

    Returns:
        ``(..., A, K)``.
    """
    if matrix.shape[-1] > FEW_ANTENNAS:
        return np.linalg.solve(matrix, right)
    return np.asarray(_inverse(matrix) @ right)


def _inverse(matrix: Complex) -> Complex:
    """Invert matrices ``(..., A, A)`` by Gauss-Jordan elimination, which needs no pivoting on definite ones."""
    size = matrix.shape[-1]
    flat = np.array(matrix.reshape(-1, size * size).T, order="C")  # one run of memory per element, a copy
    work = flat.reshape(size, size, -1)
    for pivot in range(size):
        column = work[:, pivot].copy()
        scale = 1 / column[pivot].real
        column[pivot] = 0
        work[:, pivot] = 0
        work[pivot, pivot] = 1
        work[pivot] *= scale
        work -= column[:, None] * work[pivot]
    return np.ascontiguousarray(flat.T).reshape(matrix.shape)
