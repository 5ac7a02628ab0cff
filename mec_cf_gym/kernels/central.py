"""Centralised combiners of one network of access points (APs) with a few antennas each, which serve clusters.

The twin of ``central_vectors`` in ``mec_cf_gym.block.clustered``, to which equation numbers belong. Real and
imaginary parts of whitened channels lie apart, with users along the last axis, for vector instructions.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.kernels.compilation import compiled_in_order
from mec_cf_gym.kernels.gram import ROWS, add_gram

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]


@compiled_in_order
def central_vectors(channel: Complexes, errors: Floats, serves: Flags, power: Floats, counts: Flags) -> Complexes:
    """Return combiners over each user's cluster, ``(L, A, K)``: (5.11), (5.16) and (5.18), but for their lengths.

    User k's is along ``(Z_k + sum_i p_i h_i h_i^H)^-1 h_k``, where users i count for k; ``Z_k``, the noise with
    their estimation errors, is block diagonal over APs. Whitened by Cholesky factors of the blocks, the channels W
    leave a system ``I + W^H W`` over users. A user's own channel there changes no more than its combiner's length,
    so that it comes last, at any power, and the last pivot is never needed.

    Args:
        channel: Channel estimates, ``(L, A, K)``.
        errors: Covariances of the errors, real and imaginary parts in turn, ``(L, K, 2 A A)``; L = 0 for none.
        serves: Whether AP l serves user k, ``(L, K)``.
        power: Power ratios, ``(K,)``.
        counts: Whether user i counts for user k's combiner, ``(K, K)``.
    """
    num_aps, antennas, num_users = channel.shape
    out = np.zeros((num_aps, antennas, num_users), np.complex128)
    factors = np.empty((num_aps, num_users, antennas, antennas), np.complex128)
    gram_re = np.zeros((num_users, num_users, num_users))
    gram_im = np.zeros_like(gram_re)
    users, widths = _users_by_user(counts, power)
    noise = np.empty(2 * antennas * antennas)
    re = np.zeros((-(-antennas // ROWS) * ROWS, num_users))
    im = np.zeros_like(re)
    for ap in range(num_aps):
        for k in np.flatnonzero(serves[ap]):
            mine = users[k, : widths[k]]
            _copy_scaled(channel[ap], power, mine, re, im)
            if len(errors):
                noise[:] = 0.0
                for i in mine:
                    _add_scaled(noise, power[i], errors[ap, i])
                _factorise(noise, factors[ap, k])
                _whiten(factors[ap, k], re, im, widths[k])
            add_gram(re, im, gram_re[k], gram_im[k], widths[k])
    for user in range(num_users):
        _solve_last(gram_re[user], gram_im[user], widths[user])
    for ap in range(num_aps):
        for k in np.flatnonzero(serves[ap]):
            mine = users[k, : widths[k]]
            _copy_scaled(channel[ap], power, mine, re, im)
            for a in range(antennas):
                out[ap, a, k] = _dot(re[a], im[a], gram_re[k, -1], gram_im[k, -1], widths[k])
            if len(errors):
                _solve(factors[ap, k], out[ap, :, k])
    return out


@compiled_in_order
def _users_by_user(counts: Flags, power: Floats) -> tuple[Indices, Indices]:
    """Return for user k the users who disturb it, then itself, ``(K, K)``, and how many these are, ``(K,)``."""
    num_users = len(power)
    users, widths = np.empty((num_users, num_users), np.intp), np.ones(num_users, np.intp)
    for k in range(num_users):
        for i in range(num_users):
            if i != k and counts[k, i] and power[i] > 0:
                users[k, widths[k] - 1] = i
                widths[k] += 1
        users[k, widths[k] - 1] = k
    return users, widths


@compiled_in_order
def _copy_scaled(channel: Complexes, power: Floats, users: Indices, re: Floats, im: Floats) -> None:
    """Copy the users' channels ``(A, K)`` times the roots of their powers, those of the last as they are."""
    last = len(users) - 1
    for position, i in enumerate(users):
        scale = math.sqrt(power[i]) if position < last else 1.0
        for a in range(len(channel)):
            re[a, position] = scale * channel[a, i].real
            im[a, position] = scale * channel[a, i].imag


@compiled_in_order
def _add_scaled(total: Floats, scale: float, term: Floats) -> None:
    """Add a multiple of a vector."""
    for index in range(len(total)):
        total[index] += scale * term[index]


@compiled_in_order
def _factorise(noise: Floats, factor: Complexes) -> None:
    """Put the lower Cholesky factor of ``I + noise`` into ``factor``, ``(A, A)``, with one over its diagonal."""
    size = len(factor)
    for i in range(size):
        for j in range(i + 1):
            index = 2 * (i * size + j)
            total = complex(noise[index], noise[index + 1])
            for inner in range(j):
                total -= factor[i, inner] * factor[j, inner].conjugate()
            factor[i, j] = 1 / math.sqrt(total.real + 1.0) if i == j else total * factor[j, j].real


@compiled_in_order
def _whiten(factor: Complexes, re: Floats, im: Floats, width: int) -> None:
    """Solve ``factor x = right`` in place for right-hand sides ``(A, width)``."""
    for a in range(len(factor)):
        for b in range(a):
            scale = factor[a, b]
            for i in range(width):
                re[a, i] -= scale.real * re[b, i] - scale.imag * im[b, i]
                im[a, i] -= scale.real * im[b, i] + scale.imag * re[b, i]
        for i in range(width):
            re[a, i] *= factor[a, a].real
            im[a, i] *= factor[a, a].real


@compiled_in_order
def _solve(factor: Complexes, vector: Complexes) -> None:
    """Solve ``factor factor^H x = right`` in place for one right-hand side ``(A,)``."""
    size = len(factor)
    for a in range(size):
        for b in range(a):
            vector[a] -= factor[a, b] * vector[b]
        vector[a] *= factor[a, a].real
    for a in range(size - 1, -1, -1):
        for b in range(a + 1, size):
            vector[a] -= factor[b, a].conjugate() * vector[b]
        vector[a] *= factor[a, a].real


@compiled_in_order
def _dot(re: Floats, im: Floats, weight_re: Floats, weight_im: Floats, width: int) -> complex:
    """Return the sum of products of complex numbers."""
    total_re, total_im = 0.0, 0.0
    for i in range(width):
        total_re += re[i] * weight_re[i] - im[i] * weight_im[i]
        total_im += re[i] * weight_im[i] + im[i] * weight_re[i]
    return complex(total_re, total_im)


@compiled_in_order
def _solve_last(re: Floats, im: Floats, width: int) -> None:
    """Put ``(I + gram)^-1 e_last``, but for its length, into the last row, given the upper half alone.

    The matrix has the size ``width``, and may be smaller than its array.
    """
    last = width - 1
    for j in range(last):
        inverse = 1 / math.sqrt(re[j, j] + 1.0)
        for i in range(j, width):
            re[j, i] *= inverse
            im[j, i] *= inverse
        re[j, j] = inverse
        for i in range(j + 1, last):
            own_re, own_im = re[j, i], im[j, i]
            for column in range(i, width):
                re[i, column] -= own_re * re[j, column] + own_im * im[j, column]
                im[i, column] -= own_re * im[j, column] - own_im * re[j, column]
    weight_re, weight_im = re[-1], im[-1]
    weight_re[last], weight_im[last] = 1.0, 0.0
    for j in range(last - 1, -1, -1):
        rest = slice(j + 1, width)
        total = _dot(re[j, rest], im[j, rest], weight_re[rest], weight_im[rest], last - j)
        weight_re[j], weight_im[j] = -total.real * re[j, j], -total.imag * re[j, j]
