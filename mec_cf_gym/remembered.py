"""Values that follow from objects that mostly stay the same, and are found again only when one changes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from mec_cf_gym.batches import read_only

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """A function that remembers its last value; arrays in it are read-only.

    Args:
        function: Returns the value of objects that nobody writes into.
    """

    def __init__(self, function: Callable[..., Value]) -> None:
        self.function = function
        self._last: tuple[tuple[Any, ...], Value] | None = None

    def __call__(self, *objects: Any) -> Value:
        """Return the value of objects: the last one if they are the very same objects."""
        if self._last is not None and all(map(operator.is_, self._last[0], objects)):
            return self._last[1]
        value = read_only(self.function(*objects))
        self._last = objects, value
        return value
