"""Complex normal numbers from a key and a counter.

A number is a function of its row's key and its place alone, so that a row has the same numbers in any batch.
SplitMix64, with an increment of the row's own, hashes the place; Box's and Muller's method turns 31 bits into a
radius, up to 4.7 standard deviations of a complex number, and 32 into an angle. Logarithm, sine and cosine are
polynomials in single precision: compiled or not, and on any machine, the bits are the same.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.kernels import frozen, kernel

Keys = NDArray[np.uint64]
Places = NDArray[np.int64]
u64, i32, f32 = np.uint64, np.int32, np.float32
FIRST_FACTOR, SECOND_FACTOR = u64(0xBF58476D1CE4E5B9), u64(0x94D049BB133111EB)
"""Those of SplitMix64."""
STEP_UNIFORM, STEP_QUARTERS = f32(2.0**-31), f32(2.0**-30)
HALF_ROOT, LN_2, QUARTER_TURN = f32(math.sqrt(2)), f32(math.log(2)), f32(math.pi / 2)
LOGARITHM = tuple(f32(1 / odd) for odd in (3, 5, 7, 9))
"""Of ``log(x) / 2 r = 1 + r^2 / 3 + ...`` with ``r = (x - 1) / (x + 1)``; what is left out is below 1e-9."""
SINE = tuple(f32(term) for term in (-1 / 6, 1 / 120, -1 / 5040))
COSINE = tuple(f32(term) for term in (-1 / 2, 1 / 24, -1 / 720, 1 / 40320))
"""Taylor's, up to an eighth of a turn, where what is left out is below 4e-7."""


def keyed_normals(keys: Keys, count: int, first: Places | int = 0) -> NDArray[np.complex64]:
    """Return CN(0, 1) numbers, ``(rows, count)``.

    Args:
        keys: Of the rows, ``(rows, 2)``.
        count: How many numbers of a row.
        first: Place of the first one, of each row, ``(rows,)``, or of all.
    """
    places = np.broadcast_to(np.asarray(first, np.int64), len(keys))
    compiled = kernel("normals", "fill_normals")
    if compiled is None:
        return plain_normals(keys, count, places)
    out = np.empty((len(keys), count), np.complex64)
    compiled(frozen(keys), frozen(places), out.view(f32))
    return out


def plain_normals(keys: Keys, count: int, first: Places | int = 0) -> NDArray[np.complex64]:
    """Return the same numbers without compiled code."""
    place = np.broadcast_to(np.asarray(first, np.int64), len(keys))[:, None] + np.arange(count)
    word = keys[:, :1] + place.astype(u64) * (keys[:, 1:] | u64(1))
    word = (word ^ (word >> u64(30))) * FIRST_FACTOR
    word = (word ^ (word >> u64(27))) * SECOND_FACTOR
    word ^= word >> u64(31)
    radius = _radius(((word >> u64(33)).astype(i32).astype(f32) + f32(0.5)) * STEP_UNIFORM)
    out = np.empty((len(keys), count), np.complex64)
    out.real, out.imag = _turned(word.astype(np.uint32).view(i32), radius)
    return out


def _radius(uniform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``sqrt(-log(uniform))``."""
    bits = uniform.view(i32)
    mantissa, exponent = ((bits & 0x007FFFFF) | 0x3F800000).view(f32), ((bits >> 23) - 127).astype(f32)
    above = mantissa > HALF_ROOT
    mantissa = np.where(above, f32(0.5) * mantissa, mantissa)
    exponent = np.where(above, exponent + f32(1), exponent)
    ratio = (mantissa - f32(1)) / (mantissa + f32(1))
    return np.asarray(np.sqrt(-(f32(2) * ratio * _series(ratio * ratio, LOGARITHM) + exponent * LN_2)))


def _turned(angle: NDArray[np.int32], radius: NDArray[np.float32]) -> tuple[Any, Any]:
    """Return cosine and sine of angles, times radii; 2^32 are a whole turn."""
    quarters = angle.astype(f32) * STEP_QUARTERS
    nearest = (quarters + f32(2.5)).astype(i32) - i32(2)
    rest = (quarters - nearest.astype(f32)) * QUARTER_TURN
    sine, cosine = rest * _series(rest * rest, SINE), _series(rest * rest, COSINE)
    quadrant, odd = nearest & 3, (nearest & 1) == 1
    along, across = np.where(odd, sine, cosine), np.where(odd, cosine, sine)
    left = (quadrant == 1) | (quadrant == 2)
    return radius * np.where(left, -along, along), radius * np.where(quadrant >= 2, -across, across)


def _series(square: NDArray[np.float32], terms: tuple[np.float32, ...]) -> NDArray[np.float32]:
    """Return ``1 + terms[0] square + terms[1] square^2 + ...``."""
    total = square * terms[-1]
    for term in reversed(terms[:-1]):
        total = square * (term + total)
    return np.asarray(f32(1) + total)
