"""Small dense linear algebra for compiled code: factors of a few dozen rows, where calls to LAPACK cost more."""

from __future__ import annotations

import math

from mec_cf_gym.baselines.fast.problem import compiled

LEAST_PIVOT = 1e-12


@compiled
def cholesky(matrix):
    """Replace the lower triangle of ``(n, n)`` by its Cholesky factor; return whether it is positive definite."""
    for i in range(matrix.shape[0]):
        for j in range(i):
            value = matrix[i, j]
            for m in range(j):
                value -= matrix[i, m] * matrix[j, m]
            matrix[i, j] = value / matrix[j, j]
        pivot = matrix[i, i]
        for m in range(i):
            pivot -= matrix[i, m] ** 2
        if not pivot > LEAST_PIVOT * matrix[i, i]:
            return False
        matrix[i, i] = math.sqrt(pivot)
    return True


@compiled
def forward_substitute(factor, columns):
    """Replace ``columns``, ``(n, m)``, by L^-1 columns, L being the lower triangle of ``factor``, ``(n, n)``."""
    size, width = columns.shape
    for i in range(size):
        for m in range(i):
            scale = factor[i, m]
            for j in range(width):
                columns[i, j] -= scale * columns[m, j]
        scale = 1 / factor[i, i]
        for j in range(width):
            columns[i, j] *= scale


@compiled
def back_substitute(factor, columns):
    """Replace ``columns``, ``(n, m)``, by L^-T columns, L being the lower triangle of ``factor``, ``(n, n)``."""
    size, width = columns.shape
    for i in range(size - 1, -1, -1):
        scale = 1 / factor[i, i]
        for j in range(width):
            columns[i, j] *= scale
        for m in range(i):
            scale = factor[i, m]
            for j in range(width):
                columns[m, j] -= scale * columns[i, j]


@compiled
def gram(columns, out):
    """Add columns^T columns to the lower triangle of ``out``, ``(m, m)``, four rows at a time, for speed."""
    size, width = columns.shape
    whole = size - size % 4
    for m in range(0, whole, 4):
        a, b, c, d = columns[m], columns[m + 1], columns[m + 2], columns[m + 3]
        for i in range(width):
            row = out[i]
            for j in range(i + 1):
                row[j] += a[i] * a[j] + b[i] * b[j] + c[i] * c[j] + d[i] * d[j]
    for m in range(whole, size):
        a = columns[m]
        for i in range(width):
            for j in range(i + 1):
                out[i, j] += a[i] * a[j]
