"""Compiled forms of the arithmetic that steps spend their time in; numba is imported when one is first asked for.

Every kernel is the twin of a function in plain NumPy, which takes its place where numba is not installed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEW_ANTENNAS = 8
"""Antennas of an access point up to which compiled loops are faster than calls of LAPACK and BLAS."""


@functools.cache
def kernel(module: str, name: str) -> Callable[..., Any] | None:
    """Return a compiled function of a module in this package, or None where numba is not installed."""
    if find_spec("numba") is None:
        return None
    function: Callable[..., Any] = getattr(import_module(f"{__name__}.{module}"), name)
    return function


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only array without gaps, so that compiled code meets one kind alone."""
    flags = array.flags
    if flags.c_contiguous and not flags.writeable:
        return array
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view
