"""Gamma variables from a key and a counter: Marsaglia's and Tsang's method on keyed normal numbers.

With ``d = shape - 1/3``, ``v = (1 + x / (3 sqrt(d)))^3`` and a standard normal x, ``d v`` is accepted with the
probability ``exp(x^2 / 2 + d - d v + d log v)``, at least 0.95 for a shape of one or more. The squared radius of
one more complex number, which is exponential, decides. A variable that is refused is drawn again from places of
its own: results do not depend on what else is drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.kernels import frozen, kernel
from mec_cf_gym.normals import Keys, Places, plain_normals

Floats = NDArray[np.float64]
MOST_TRIALS = 16
"""After so many refusals, one time in 10^20, the last one counts."""


def places_of(variables: int) -> int:
    """Return how many places variables of one row take."""
    return 2 * MOST_TRIALS * variables


def keyed_gammas(keys: Keys, shapes: Floats, first: Places) -> Floats:
    """Return gamma variables of scale one, ``(rows, n)``.

    Args:
        keys: Of the rows, ``(rows, 2)``.
        shapes: Shape parameters of at least one, ``(n,)``.
        first: Places of the first numbers, ``(rows,)``.
    """
    compiled = kernel("gammas", "fill_gammas")
    if compiled is None:
        return plain_gammas(keys, shapes, first)
    out = np.empty((len(keys), len(shapes)))
    compiled(frozen(keys), frozen(shapes), frozen(first), out)
    return out


def plain_gammas(keys: Keys, shapes: Floats, first: Places) -> Floats:
    """Return the same variables without compiled code."""
    d = shapes - 1 / 3
    drawn = plain_normals(keys, places_of(len(shapes)), first).reshape(len(keys), MOST_TRIALS, 2, len(shapes))
    x = np.sqrt(2) * drawn[:, :, 0].real.astype(np.float64)
    decisive = drawn[:, :, 1].astype(np.complex128)
    exponential = decisive.real * decisive.real + decisive.imag * decisive.imag
    root = 1 + x / (3 * np.sqrt(d))
    v = root * root * root
    with np.errstate(divide="ignore", invalid="ignore"):
        accepted = (v > 0) & (exponential > d * v - d - d * np.log(v) - x * x / 2)
    accepted[:, -1] = True
    chosen = accepted.argmax(1)[:, None]
    return np.asarray(d * np.abs(np.take_along_axis(v, chosen, 1)[:, 0]))
