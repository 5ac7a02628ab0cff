"""What the CNN-LSTM sees of a channel's magnitudes, and the order it sees the users in."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

SMALLEST_MAGNITUDE = 1e-6
LARGEST_MAGNITUDE = torch.finfo(torch.float16).max
"""Magnitudes beyond count as these, so that logarithms and gains are finite; the noise has magnitude one."""
Features = Literal["log_magnitude", "magnitude", "gains"]


def features_of(magnitude: Tensor, kind: Features) -> Tensor:
    """Return the maps that the convolution reads, not yet standardised.

    Args:
        magnitude: Channel magnitudes, ``(rows, N, M, K)``.
        kind: ``"magnitude"`` as in the paper, ``"log_magnitude"``, or ``"gains"``, the logarithms of
            :func:`expected_gains`.

    Returns:
        ``(rows, N, M, K)``, or ``(rows, N, K, K)`` for gains; finite.
    """
    if kind == "gains":
        return expected_gains(magnitude).log()
    return bounded(magnitude) if kind == "magnitude" else bounded(magnitude).log()


def bounded(magnitude: Tensor) -> Tensor:
    """Return channel magnitudes of any shape in single precision, neither zero nor huge."""
    return magnitude.float().clamp(SMALLEST_MAGNITUDE, LARGEST_MAGNITUDE)


def expected_gains(magnitude: Tensor) -> Tensor:
    """Return what magnitudes say of gains under maximum-ratio combining, the mean over independent phases.

    ``E[I_kj | |H|] = sum_m |h_mk|^2 |h_mj|^2 / S_k`` in row j and column k, and ``S_k = sum_m |h_mk|^2``, which
    magnitudes alone decide, on the diagonal.

    Args:
        magnitude: Channel magnitudes, ``(rows, N, M, K)``.

    Returns:
        ``(rows, N, K, K)``, linear, over the noise.
    """
    gain = bounded(magnitude).square()
    signal = gain.sum(-2, keepdim=True)  # (rows, N, 1, K)
    interference = gain.transpose(-2, -1) @ (gain / signal)
    itself = torch.eye(gain.shape[-1], dtype=torch.bool, device=gain.device)
    return torch.where(itself, signal, interference)


def by_total_gain(magnitude: Tensor) -> Tensor:
    """Return the users in falling order of their total gain over APs and subcarriers, ``(rows, K)``.

    Args:
        magnitude: Channel magnitudes, ``(rows, N, M, K)``.
    """
    return bounded(magnitude).square().sum((1, 2)).argsort(dim=1, descending=True, stable=True)
