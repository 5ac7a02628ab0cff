"""How functions are compiled, and where the results are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])
FAST_MATH = {"reassoc", "contract", "nsz"}
"""Sums may be reordered for vector instructions; NaN and infinity keep their meaning."""


def compiled(function: Function) -> Function:
    """Compile a function with numba when it is first called and keep the result on disk, where it can."""
    try:
        return cast(Function, njit(cache=True, error_model="numpy", fastmath=FAST_MATH)(function))
    except RuntimeError:  # numba's word for neither the package nor the user's home being writable
        return cast(Function, njit(error_model="numpy", fastmath=FAST_MATH)(function))
