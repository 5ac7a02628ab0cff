"""Digests of arrays, and how close those of another platform must be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]
STEPS = "history"
"""Arrays of this name grow with the steps of an iteration, which hang on the last digit: only exactly compared."""


class Kind(NamedTuple):
    """How far another platform may be off."""

    tolerance: float  # of means, relative to the mean magnitude
    exact_only: tuple[str, ...] = (STEPS,)  # names of what says nothing there
    may_grow: bool = False  # whether new names are welcome


KINDS = {
    "fields": Kind(0.0, may_grow=True),  # a scenario may get more of them
    "environment": Kind(1e-5),  # sums in another order, and gains in single precision
    "rule": Kind(1e-5),
    "optimum": Kind(1e-4),  # a search ends within a tolerance of its own
    "network": Kind(1e-4),  # thousands of products in single precision
    "convex steps": Kind(1e-3),  # each is as good as the convex solver
    "one of many": Kind(
        1e-3, (STEPS, "power", "offload", "latency")
    ),  # users who are not the slowest are left free
    "too late": Kind(1e-3, (STEPS, "latency", "largest_s")),  # next to nothing computes for users who are given up
}


class Digest(NamedTuple):
    """What is kept of an array; :meth:`text` is how it is stored."""

    dtype: str
    shape: str  # 2x3
    sha256: str  # the first ten digits, of type, shape and bytes in single precision
    fingerprint: tuple[float, ...] = ()  # mean, mean magnitude, mean with random weights, entries not finite

    @classmethod
    def of(cls, array: np.ndarray) -> Digest:
        dtype, shape = str(array.dtype), "x".join(map(str, array.shape))
        data = f"{dtype} {shape} ".encode() + np.ascontiguousarray(_in_single_precision(array)).tobytes()
        return cls(dtype, shape, hashlib.sha256(data).hexdigest()[:10], _fingerprint(array))

    @classmethod
    def parse(cls, text: str) -> Digest:
        dtype, shape, sha256, *fingerprint = text.split(" ")
        return cls(dtype, shape, sha256, tuple(map(float, fingerprint)))

    def text(self) -> str:
        return " ".join((*self[:3], *(f"{number:.7g}" for number in self.fingerprint)))


def _in_single_precision(array: np.ndarray) -> np.ndarray:
    """Return numbers without the digits that the order of a sum decides."""
    if array.dtype in (np.float64, np.complex128):
        with np.errstate(over="ignore"):
            return array.astype(np.float32 if array.dtype.kind == "f" else np.complex64)
    return array


def _fingerprint(array: np.ndarray) -> tuple[float, ...]:
    if array.dtype.kind == "U":
        return ()
    parts = np.stack([array.real, array.imag]) if array.dtype.kind == "c" else array
    numbers = parts.astype(np.float64).ravel()
    finite = np.isfinite(numbers)
    numbers = np.where(finite, numbers, 0.0)
    weights = np.random.default_rng(0).uniform(-1, 1, numbers.size)
    means = [float(values.sum() / max(1, numbers.size)) for values in (numbers, abs(numbers), weights * numbers)]
    return (*means, float(np.count_nonzero(~finite)))


def digests_of(arrays: Arrays) -> dict[str, Digest]:
    return {name: Digest.of(array) for name, array in arrays.items()}


def differences(
    stored: Mapping[str, Digest], found: Mapping[str, Digest], kind: Kind, exact: bool = False
) -> list[str]:
    """Return what is not as it was: names that came or went, and arrays that are other than stored.

    Args:
        stored: Digests of before.
        found: Digests of now.
        kind: Says how close fingerprints must be where bytes differ.
        exact: Whether every byte counts.
    """
    wrong = [f"{name} is gone" for name in sorted(stored.keys() - found.keys())]
    wrong += [f"{name} is new" for name in sorted(found.keys() - stored.keys()) if not kind.may_grow]
    for name in sorted(stored.keys() & found.keys()):
        before, now = stored[name], found[name]
        if before.sha256 == now.sha256 or (not exact and name.split(".")[-1] in kind.exact_only):
            continue
        if exact or before[:2] != now[:2] or not _close(before.fingerprint, now.fingerprint, kind.tolerance):
            wrong.append(f"{name} was {before.text()}, is {now.text()}")
    return wrong


def _close(before: tuple[float, ...], now: tuple[float, ...], tolerance: float) -> bool:
    if not before or before[-1] != now[-1]:  # words, or other numbers that are not finite
        return False
    return bool((np.abs(np.subtract(before, now)) <= tolerance * before[1]).all())
