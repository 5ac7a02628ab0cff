"""Batches as dataclasses of arrays, whose leading axis counts rows: networks that evolve side by side."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Tree = TypeVar("Tree")
CACHE_BYTES = 2**18
"""Half of a small second-level cache."""
Index = int | tuple[int, ...] | NDArray[np.bool_] | NDArray[np.signedinteger[Any]]


def flatten_rows(tree: Tree, batch_shape: tuple[int, ...]) -> Tree:
    """Return ``tree`` with its leading axes made one; arrays without leading axes repeat.

    Args:
        tree: A dataclass whose arrays have one axis behind the leading ones, or as many as its ``AXES`` say.
        batch_shape: The leading axes.
    """
    if not dataclasses.is_dataclass(tree):
        return tree
    changes: dict[str, Any] = {}
    axes: Mapping[str, int] = getattr(tree, "AXES", {})
    for field in dataclasses.fields(tree):
        value = vars(tree)[field.name]
        if isinstance(value, np.ndarray):
            tail = value.shape[value.ndim - axes.get(field.name, 1) :]
            if value.size != math.prod(batch_shape + tail):
                value = np.broadcast_to(value, batch_shape + tail)
            value = value.reshape(-1, *tail)
        changes[field.name] = flatten_rows(value, batch_shape)
    return dataclasses.replace(tree, **changes)  # type: ignore[type-var]


def take_rows(tree: Tree, index: Index) -> Tree:
    """Return the rows of ``tree`` that ``index`` selects; a whole number drops the batch axis."""
    return _map(lambda array: np.asarray(array[index]), tree)


def put_rows(tree: Tree, mask: NDArray[np.bool_], rows: Tree) -> Tree:
    """Return a read-only copy of ``tree`` whose rows under ``mask`` are ``rows``."""

    def put(array: NDArray[Any], fresh: NDArray[Any]) -> NDArray[Any]:
        merged = array.copy()
        merged[mask] = fresh
        return read_only(merged)

    return _map(put, tree, rows)


def join_rows(trees: Sequence[Tree]) -> Tree:
    """Return the rows of all ``trees``, one after the other."""
    return _map(lambda *arrays: np.concatenate(arrays), *trees)


def stack_rows(trees: Sequence[Tree]) -> Tree:
    """Return single networks or blocks as one batch."""
    return _map(lambda *arrays: np.stack(arrays), *trees)


def read_only(tree: Tree) -> Tree:
    """Return ``tree`` itself, with its arrays marked as read-only: policies and users cannot write into them."""
    waiting: list[Any] = [tree]
    for part in waiting:  # which grows
        kind = type(part)
        if kind is np.ndarray:
            part.setflags(write=False)
        elif kind is tuple:
            waiting += part
        elif hasattr(kind, "__dataclass_fields__"):
            waiting += vars(part).values()
    return tree


def replaced(tree: Tree, **changes: Any) -> Tree:
    """Return a copy of a dataclass with other fields; those that are found when they are read are not read."""
    content = vars(tree)
    kept = {field.name: content[field.name] for field in dataclasses.fields(tree)}  # type: ignore[arg-type]
    return type(tree)(**(kept | changes))


def row_slices(rows: int, bytes_per_row: int) -> Iterator[slice]:
    """Yield slices of rows whose arrays stay in a core's cache while several passes are made over them."""
    step = max(1, CACHE_BYTES // bytes_per_row)
    for start in range(0, rows, step):
        yield slice(start, start + step)


def _map(function: Callable[..., Any], tree: Tree, *others: Tree) -> Tree:
    """Apply ``function`` to the arrays of dataclasses of one kind, and of tuples of them; all else stays."""
    if isinstance(tree, np.ndarray):
        return function(tree, *others)  # type: ignore[no-any-return]
    if isinstance(tree, tuple):
        return tuple(_map(function, *parts) for parts in zip(tree, *others, strict=True))  # type: ignore[return-value]
    if not dataclasses.is_dataclass(tree):
        return tree
    changes = {
        field.name: _map(function, vars(tree)[field.name], *(vars(other)[field.name] for other in others))
        for field in dataclasses.fields(tree)
    }
    return dataclasses.replace(tree, **changes)  # type: ignore[type-var]


def networks(
    *arrays: tuple[NDArray[Any] | None, int],
) -> tuple[tuple[int, ...], Iterator[tuple[tuple[int, ...], list[Any]]]]:
    """Return the shape that all leading axes broadcast to, and for each index into it the arrays of that network.

    Args:
        arrays: Arrays, each with the number of its axes that are no leading ones; None stays None.
    """
    present = [(array, array.ndim - tail) for array, tail in arrays if array is not None]
    lead = np.broadcast_shapes(*(array.shape[:axes] for array, axes in present))
    spread = [
        None if array is None else np.broadcast_to(array, lead + array.shape[array.ndim - tail :])
        for array, tail in arrays
    ]
    return lead, ((row, [None if array is None else array[row] for array in spread]) for row in np.ndindex(lead))
