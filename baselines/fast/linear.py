"""Small dense linear algebra for compiled code: systems of a few dozen unknowns, where calls to LAPACK cost more.

Factors are upper triangles, so that inner loops run along rows; four rows at a time keep them few. Their counters
are unsigned: a compiler that knows that no index is negative uses vector instructions.
"""

from __future__ import annotations

import math

from numba import uint64

from mec_cf_gym.kernels.compilation import compiled

BLOCK = 4


@compiled
def cholesky(matrix):
    """Replace the upper triangle of ``(n, n)`` by U, with ``U^T U`` the matrix; return whether there is one."""
    size = len(matrix)
    for first in range(0, size, BLOCK):
        end = min(first + BLOCK, size)
        for i in range(first, end):
            row = matrix[i]
            for m in range(first, i):
                above, scale = matrix[m], matrix[m, i]
                for j in range(uint64(i), uint64(size)):
                    row[j] -= scale * above[j]
            if not row[i] > 0:  # NaN compares false
                return False
            scale = 1 / math.sqrt(row[i])
            for j in range(uint64(i), uint64(size)):
                row[j] *= scale
        if end < size:
            a, b, c, d = matrix[first], matrix[first + 1], matrix[first + 2], matrix[first + 3]
            for i in range(end, size):
                row = matrix[i]
                at_a, at_b, at_c, at_d = a[i], b[i], c[i], d[i]
                for j in range(uint64(i), uint64(size)):
                    row[j] -= at_a * a[j] + at_b * b[j] + at_c * c[j] + at_d * d[j]
    return True


@compiled
def solve(factor, right):
    """Replace ``right``, ``(n,)``, by ``(U^T U)^-1 right``, U being the upper triangle of ``factor``."""
    forward_substitute(factor, right)
    back_substitute(factor, right)


@compiled
def forward_substitute(factor, right):
    """Replace ``right``, ``(n,)``, by ``U^-T right``, U being the upper triangle of ``factor``, ``(n, n)``."""
    size = len(factor)
    for first in range(0, size, BLOCK):
        end = min(first + BLOCK, size)
        for i in range(first, end):
            right[i] /= factor[i, i]
            for j in range(i + 1, end):
                right[j] -= right[i] * factor[i, j]
        if end < size:
            a, b, c, d = factor[first], factor[first + 1], factor[first + 2], factor[first + 3]
            at_a, at_b, at_c, at_d = right[first], right[first + 1], right[first + 2], right[first + 3]
            for j in range(uint64(end), uint64(size)):
                right[j] -= at_a * a[j] + at_b * b[j] + at_c * c[j] + at_d * d[j]


@compiled
def back_substitute(factor, right):
    """Replace ``right``, ``(n,)``, by ``U^-1 right``, U being the upper triangle of ``factor``, ``(n, n)``."""
    size = len(factor)
    for first in range((size - 1) // BLOCK * BLOCK, -1, -BLOCK):
        end = min(first + BLOCK, size)
        if end < size:
            a, b, c, d = factor[first], factor[first + 1], factor[first + 2], factor[first + 3]
            of_a, of_b, of_c, of_d = 0.0, 0.0, 0.0, 0.0
            for j in range(uint64(end), uint64(size)):
                of_a += a[j] * right[j]
                of_b += b[j] * right[j]
                of_c += c[j] * right[j]
                of_d += d[j] * right[j]
            right[first] -= of_a
            right[first + 1] -= of_b
            right[first + 2] -= of_c
            right[first + 3] -= of_d
        for i in range(end - 1, first - 1, -1):
            for j in range(i + 1, end):
                right[i] -= factor[i, j] * right[j]
            right[i] /= factor[i, i]
