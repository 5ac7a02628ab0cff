"""Complex normal numbers from a key and a counter, in loops that become vector instructions.

The twin of ``mec_cf_gym.normals``, which says what the numbers are, and gives the same bits: nothing is reordered
or contracted here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.kernels.compilation import compiled_in_order
from mec_cf_gym.normals import (
    COSINE,
    FIRST_FACTOR,
    HALF_ROOT,
    LN_2,
    LOGARITHM,
    QUARTER_TURN,
    SECOND_FACTOR,
    SINE,
    STEP_QUARTERS,
    STEP_UNIFORM,
)

Keys = NDArray[np.uint64]
Places = NDArray[np.int64]
Words = NDArray[np.int32]
Singles = NDArray[np.float32]
CHUNK = 512
"""Numbers that are made at once: they stay in the first-level cache."""
u64, i32, f32 = np.uint64, np.int32, np.float32
HALF, ONE, TWO = f32(0.5), f32(1), f32(2)
L0, L1, L2, L3 = LOGARITHM
S0, S1, S2 = SINE
C0, C1, C2, C3 = COSINE


class Room(NamedTuple):
    """Arrays to compute in."""

    words: Words  # (CHUNK,), and so are the others
    mantissas: Words
    exponents: Words
    angles: Words
    radii: Singles


@compiled_in_order
def new_room() -> Room:
    """Return room for one process to compute in."""
    return Room(
        np.empty(CHUNK, i32),
        np.empty(CHUNK, i32),
        np.empty(CHUNK, i32),
        np.empty(CHUNK, i32),
        np.empty(CHUNK, f32),
    )


@compiled_in_order
def fill_normals(keys: Keys, first: Places, out: Singles) -> None:
    """Fill ``out``, ``(rows, 2 n)``, with real and imaginary parts in turn, from places ``(rows,)`` on."""
    rows, width = out.shape
    room, re, im = new_room(), np.empty(CHUNK, f32), np.empty(CHUNK, f32)
    for row in range(rows):
        for start in range(0, width // 2, CHUNK):
            size = min(CHUNK, width // 2 - start)
            draw(keys[row], first[row] + start, re[:size], im[:size], room)
            _weave(re[:size], im[:size], out[row, 2 * start : 2 * (start + size)])


@compiled_in_order
def fill_parts(key: Keys, first: int, re: Singles, im: Singles, room: Room) -> None:
    """Draw the numbers from place ``first`` on into their parts, ``(n,)`` both, however many."""
    for start in range(0, len(re), CHUNK):
        part = slice(start, min(start + CHUNK, len(re)))
        draw(key, first + start, re[part], im[part], room)


@compiled_in_order
def draw(key: Keys, first: int, re: Singles, im: Singles, room: Room) -> None:
    """Draw the numbers from place ``first`` on, at most ``CHUNK`` of them, into their parts, ``(n,)`` both."""
    size = len(re)
    words, angles, radii = room.words[:size], room.angles[:size], room.radii[:size]
    mantissas, exponents = room.mantissas[:size], room.exponents[:size]
    _hash(key[0], key[1] | u64(1), first, words, angles)
    _uniform(words, radii)
    _split(radii.view(i32), mantissas, exponents)
    _radius(mantissas.view(f32), exponents, radii)
    _turn(angles, radii, re, im)


@compiled_in_order
def _hash(start: np.uint64, increment: np.uint64, first: int, high: Words, low: Words) -> None:
    """Hash counters into 31 and 32 bits."""
    for index in range(len(high)):
        word = start + u64(first + index) * increment
        word = (word ^ (word >> u64(30))) * FIRST_FACTOR
        word = (word ^ (word >> u64(27))) * SECOND_FACTOR
        word ^= word >> u64(31)
        high[index] = i32(word >> u64(33))
        low[index] = i32(word & u64(0xFFFFFFFF))


@compiled_in_order
def _uniform(words: Words, uniforms: Singles) -> None:
    """Make 31 bits a number between zero and one."""
    for index in range(len(words)):
        uniforms[index] = (f32(words[index]) + HALF) * STEP_UNIFORM


@compiled_in_order
def _split(bits: Words, mantissas: Words, exponents: Words) -> None:
    """Split numbers into mantissas from one to two and exponents."""
    for index in range(len(bits)):
        mantissas[index] = i32(i32(bits[index] & i32(0x007FFFFF)) | i32(0x3F800000))
        exponents[index] = i32(i32(bits[index] >> i32(23)) - i32(127))


@compiled_in_order
def _radius(mantissas: Singles, exponents: Words, radii: Singles) -> None:
    """Put the roots of minus the logarithms into ``radii``."""
    for index in range(len(radii)):
        mantissa, exponent = mantissas[index], f32(exponents[index])
        above = mantissa > HALF_ROOT
        mantissa = HALF * mantissa if above else mantissa
        exponent = exponent + ONE if above else exponent
        ratio = (mantissa - ONE) / (mantissa + ONE)
        square = ratio * ratio
        series = ONE + square * (L0 + square * (L1 + square * (L2 + square * L3)))
        radii[index] = np.sqrt(-(TWO * ratio * series + exponent * LN_2))


@compiled_in_order
def _turn(angles: Words, radii: Singles, re: Singles, im: Singles) -> None:
    """Put cosine and sine of angles times radii into ``re`` and ``im``."""
    for index in range(len(angles)):
        quarters = f32(angles[index]) * STEP_QUARTERS
        nearest = i32(i32(quarters + f32(2.5)) - i32(2))
        rest = (quarters - f32(nearest)) * QUARTER_TURN
        square = rest * rest
        sine = rest * (ONE + square * (S0 + square * (S1 + square * S2)))
        cosine = ONE + square * (C0 + square * (C1 + square * (C2 + square * C3)))
        quadrant = i32(nearest & i32(3))
        odd = i32(nearest & i32(1)) != i32(0)
        left = (quadrant == i32(1)) | (quadrant == i32(2))
        along, across = (sine if odd else cosine), (cosine if odd else sine)
        re[index] = radii[index] * (-along if left else along)
        im[index] = radii[index] * (-across if quadrant >= i32(2) else across)


@compiled_in_order
def _weave(re: Singles, im: Singles, out: Singles) -> None:
    """Put real and imaginary parts in turn."""
    for index in range(len(re)):
        out[2 * index] = re[index]
        out[2 * index + 1] = im[index]
