"""Metrics: fairness between users and the distribution of latencies."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating[Any]]


def gini(values: ArrayLike) -> Floats:
    """Return the Gini index of non-negative values over the last axis.

    ``sum_ij |x_i - x_j| / (2 K sum_i x_i)``: zero when all are equal, ``1 - 1/K`` when one has everything.

    Args:
        values: ``(..., K)``.

    Returns:
        ``(...)``; zero where all values are zero.
    """
    ordered = np.sort(np.asarray(values, np.float64), axis=-1)
    users = ordered.shape[-1]
    total = users * ordered.sum(-1)
    return np.asarray((ordered * _ranks(users)).sum(-1) / np.where(total > 0, total, 1.0))


@functools.cache
def _ranks(users: int) -> Floats:
    """Return ``2 k - K - 1`` for k from 1 to K, ``(K,)``."""
    return 2.0 * np.arange(1, users + 1) - users - 1


def percentiles(values: ArrayLike, levels: Sequence[float] = (5, 25, 50, 75, 95)) -> dict[float, float]:
    """Return percentiles of all values, interpolated linearly.

    Args:
        values: Any shape.
        levels: Percentages from 0 to 100.

    Returns:
        The value at each level.
    """
    return dict(zip(levels, np.percentile(np.asarray(values), levels).tolist(), strict=True))


def cdf_points(values: ArrayLike) -> tuple[Floats, Floats]:
    """Return the empirical distribution function of all values as points to plot, ``(values,)`` each.

    Args:
        values: Any shape.

    Returns:
        The values in rising order, and the share of values at most as large as each.
    """
    ordered = np.sort(np.asarray(values, np.float64), axis=None)
    return ordered, np.arange(1, ordered.size + 1) / ordered.size
