"""Rules that scenario fields obey: each names the field, the value and what is allowed when broken."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.parts import names_of

Interval: TypeAlias = float | tuple[float, float]
"""A number, or the (lowest, highest) values of a uniform draw."""

Table: TypeAlias = tuple[tuple[float, ...], ...]
"""A recording: a row for each block, with a number for all users or one for each."""

Rule: TypeAlias = Callable[[str, Any], Any]
"""Takes a field's name and value; returns the value normalised, or raises a ``ValueError``."""


class Validated:
    """Base of a frozen dataclass whose fields are checked, and normalised, by their rules on construction."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # subclasses are dataclasses
            checked = field.metadata["rule"](field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, checked)


def count(default: int, *, low: int = 1, high: int, shapes: bool = True) -> Any:
    """Return a dataclass field for a whole number in ``[low, high]``.

    Args:
        default: The default.
        low: The smallest number.
        high: The largest number.
        shapes: Whether it is the length of an axis of observations, actions or networks.
    """
    return _field(default, partial(checked_count, low=low, high=high), shapes=shapes)


def number(default: float, *, low: float, high: float) -> Any:
    """Return a dataclass field for a finite real number in ``[low, high]``."""
    return _field(default, partial(_number, low=low, high=high))


def limit(*, low: float) -> Any:
    """Return a dataclass field for a number of at least ``low``; None, in JSON, and infinity are no limit."""

    def rule(name: str, value: Any) -> float:
        return math.inf if value is None else _number(name, value, low, math.inf)

    return _field(math.inf, rule)


def interval(default: Interval, *, low: float, high: float) -> Any:
    """Return a dataclass field for a number in ``[low, high]``, or a pair of them to draw uniformly between."""
    return _field(default, partial(_interval, low=low, high=high))


def optional_interval(default: Interval | None, *, low: float, high: float) -> Any:
    """Return a dataclass field for what :func:`interval` takes, or None."""

    def rule(name: str, value: Any) -> Interval | None:
        return None if value is None else _interval(name, value, low, high)

    return _field(default, rule)


def of_users(*, low: float, high: float) -> Any:
    """Return a dataclass field for a number in ``[low, high]`` for each user, or None."""

    def rule(name: str, value: Any) -> tuple[float, ...] | None:
        if value is None:
            return None
        if not isinstance(value, (tuple, list, np.ndarray)) or np.ndim(value) != 1 or not len(value):
            raise refuse(name, value, "it must be None or one number for each user")
        return tuple(_number(name, number, low, high) for number in value)

    return _field(None, rule)


def table(*, low: float = 0.0) -> Any:
    """Return a dataclass field for recorded numbers from ``low``, ``(blocks,)`` or ``(blocks, K)``, or None."""
    return _field(None, partial(_table, low=low))


def choice(default: str, *names: str) -> Any:
    """Return a dataclass field for one of ``names``."""
    return _field(default, lambda name, value: _chosen(name, value, names))


def part(default: str, *others: str) -> Any:
    """Return a dataclass field that names one of the parts registered for it, or one of ``others``.

    Registries are asked when a value is checked, so they may grow.
    """
    return _field(default, lambda name, value: _chosen(name, value, (*names_of(name), *others)))


def flag(default: bool) -> Any:
    """Return a dataclass field for True or False."""

    def rule(name: str, value: Any) -> bool:
        if not isinstance(value, (bool, np.bool_)):
            raise refuse(name, value, "it must be True or False")
        return bool(value)

    return _field(default, rule)


def _field(default: Any, rule: Rule, **metadata: Any) -> Any:
    return dataclasses.field(default=default, metadata={"rule": rule, **metadata})


def _number(name: str, value: Any, low: float, high: float) -> float:
    real: Any = math.nan if isinstance(value, bool) or not isinstance(value, Real) else value
    if not low <= real <= high:  # NaN compares false
        kind = "finite number" if high < math.inf else "number"
        raise refuse(name, value, f"it must be a {kind} from {low:g} to {high:g}")
    return float(real)


def _interval(name: str, value: Any, low: float, high: float) -> Interval:
    if not isinstance(value, (tuple, list)):
        return _number(name, value, low, high)
    if len(value) != 2:
        raise refuse(name, value, "a range is a pair (lowest, highest)")
    lowest, highest = (_number(name, end, low, high) for end in value)
    if lowest > highest:
        raise refuse(name, value, "the lowest value of a range comes first")
    return lowest if lowest == highest else (lowest, highest)


def _table(name: str, value: Any, low: float) -> Table | None:
    if value is None:
        return None
    try:
        numbers = np.array(value, np.float64)
    except (TypeError, ValueError):  # words, or rows of different lengths
        numbers = np.array(np.nan)
    if numbers.ndim not in (1, 2) or not numbers.size or not (np.isfinite(numbers) & (numbers >= low)).all():
        allowed = f"it must be None or finite numbers of at least {low:g}, (blocks,) or (blocks, K)"
        raise refuse(name, value, allowed)
    return tuple(map(tuple, numbers.reshape(len(numbers), -1).tolist()))


def _chosen(name: str, value: Any, names: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in names:
        raise refuse(name, value, f"it must be one of {', '.join(map(repr, sorted({*names})))}")
    return value
