"""How functions are compiled, and where the results are kept."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])
FAST_MATH = {"reassoc", "contract", "nsz"}
"""Sums may be reordered for vector instructions; NaN and infinity keep their meaning."""


def compiled(function: Function) -> Function:
    """Compile a solver's function with numba when it is first called; keep the result on disk, where it can.

    Sums may be reordered, otherwise in one process than in another.
    """
    return _compile(function, FAST_MATH)


def compiled_in_order(function: Function) -> Function:
    """Compile a function of an environment as it is written: its results are the same bits in every process."""
    return _compile(function, False)


def compiled_if_possible(function: Function) -> Function:
    """Compile a solver's function; where numba is not installed it runs as it is, and takes long."""
    return function if find_spec("numba") is None else compiled(function)


def _compile(function: Function, fast_math: Any) -> Function:
    from numba import njit

    try:
        return cast(Function, njit(cache=True, error_model="numpy", fastmath=fast_math)(function))
    except RuntimeError:  # numba's word for neither the package nor the user's home being writable
        return cast(Function, njit(error_model="numpy", fastmath=fast_math)(function))
