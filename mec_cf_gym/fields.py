"""Rules that scenario fields obey: each names the field, the value and what is allowed when broken."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np

Interval: TypeAlias = float | tuple[float, float]
"""A number, or the (lowest, highest) values of a uniform draw."""

Rule: TypeAlias = Callable[[str, Any], Any]
"""Takes a field's name and value; returns the value normalised, or raises a ``ValueError``."""


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


def count(default: int, *, low: int = 1, high: int) -> Any:
    """Return a dataclass field for a whole number in ``[low, high]``."""

    def rule(name: str, value: Any) -> int:
        return checked_count(name, value, low, high)

    return dataclasses.field(default=default, metadata={"rule": rule})


def number(default: float, *, low: float, high: float) -> Any:
    """Return a dataclass field for a finite real number in ``[low, high]``."""
    return dataclasses.field(default=default, metadata={"rule": _number_rule(low, high)})


def interval(default: Interval, *, low: float, high: float) -> Any:
    """Return a dataclass field for a number in ``[low, high]``, or a pair of them to draw uniformly between."""
    return dataclasses.field(default=default, metadata={"rule": _interval_rule(low, high)})


def optional_interval(default: Interval | None, *, low: float, high: float) -> Any:
    """Return a dataclass field for what :func:`interval` takes, or None."""
    interval_rule = _interval_rule(low, high)

    def rule(name: str, value: Any) -> Interval | None:
        return None if value is None else interval_rule(name, value)

    return dataclasses.field(default=default, metadata={"rule": rule})


def _interval_rule(low: float, high: float) -> Callable[[str, Any], Interval]:
    number_rule = _number_rule(low, high)

    def rule(name: str, value: Any) -> Interval:
        if not isinstance(value, (tuple, list)):
            return number_rule(name, value)
        if len(value) != 2:
            raise refuse(name, value, "a range is a pair (lowest, highest)")
        lowest, highest = (number_rule(name, end) for end in value)
        if lowest > highest:
            raise refuse(name, value, "the lowest value of a range comes first")
        return lowest if lowest == highest else (lowest, highest)

    return rule


def choice(default: str, names: Collection[str]) -> Any:
    """Return a dataclass field for one of ``names`` (looked up when a value is checked, so it may grow)."""

    def rule(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise refuse(name, value, f"it must be one of {', '.join(map(repr, sorted(names)))}")
        return value

    return dataclasses.field(default=default, metadata={"rule": rule})


def flag(default: bool) -> Any:
    """Return a dataclass field for True or False."""

    def rule(name: str, value: Any) -> bool:
        if not isinstance(value, (bool, np.bool_)):
            raise refuse(name, value, "it must be True or False")
        return bool(value)

    return dataclasses.field(default=default, metadata={"rule": rule})


class Validated:
    """Base of a frozen dataclass whose fields are checked, and normalised, by their rules on construction."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # subclasses are dataclasses
            checked = field.metadata["rule"](field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, checked)


def _number_rule(low: float, high: float) -> Callable[[str, Any], float]:
    def rule(name: str, value: Any) -> float:
        real: Any = math.nan if isinstance(value, bool) or not isinstance(value, Real) else value
        if not low <= real <= high:  # NaN compares false
            raise refuse(name, value, f"it must be a finite number from {low:g} to {high:g}")
        return float(real)

    return rule
