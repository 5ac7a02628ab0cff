"""Clusters: which access points (APs) serve which users, and arrays laid out for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.block.definite import Complex

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def share_aps(serves: Flags) -> Flags:
    """Return whether users k and i have an AP in common, ``(..., K, K)`` from ``(..., L, K)`` (5.15)."""
    counts = serves.astype(np.float64)
    return np.asarray(np.swapaxes(counts, -1, -2) @ counts > 0)


def user_slots(serves: Flags) -> NDArray[np.intp]:
    """Return the users of each AP, ``(L, S)`` from ``(L, K)``, S being the most that an AP serves.

    An AP with fewer users fills its slots with some that it does not serve.
    """
    return np.argsort(~serves, axis=-1, kind="stable")[:, : serves.sum(-1).max(initial=0)]


def flat_reals(matrices: Complex) -> Floats:
    """Return matrices as vectors of real and imaginary parts, ``(..., 2 A A)``; real products are cheaper."""
    flat = np.ascontiguousarray(matrices, np.complex128).reshape(*matrices.shape[:-2], -1)
    return flat.view(np.float64)
