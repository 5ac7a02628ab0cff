"""Errors that name what was given, its value and what is allowed."""

from __future__ import annotations

from numbers import Integral
from typing import Any


def refuse(name: str, value: object, allowed: str) -> ValueError:
    """Return the error for a value that is not allowed."""
    return ValueError(f"{name}={value!r} is not allowed: {allowed}")


def checked_count(name: str, value: Any, low: int, high: int) -> int:
    """Return a whole number in ``[low, high]`` as an ``int``.

    Raises:
        ValueError: For anything else.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or not low <= int(value) <= high:
        raise refuse(name, value, f"it must be a whole number from {low} to {high}")
    return int(value)
