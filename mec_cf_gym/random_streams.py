"""Random numbers: one generator a row, so that a row's draws never depend on its neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from gymnasium.utils import seeding
from numpy.typing import NDArray

from mec_cf_gym.normals import keyed_normals
from mec_cf_gym.scenario.fields import Interval


class Streams:
    """Draws arrays whose row ``i`` comes from generator ``i`` alone.

    A network seeded with ``s`` is therefore the same whether it evolves alone, in a batch of 256 or in a
    worker process.

    Args:
        generators: One NumPy generator per row.
        method: How complex normal numbers are drawn: see :meth:`complex_normal`.
    """

    def __init__(self, generators: Iterable[np.random.Generator], method: str = "numpy") -> None:
        self.generators, self.method = tuple(generators), method

    @classmethod
    def from_seeds(cls, seeds: Iterable[int]) -> Streams:
        """Return streams seeded as Gymnasium seeds environments, one seed a row."""
        return cls(seeding.np_random(seed)[0] for seed in seeds)

    def __len__(self) -> int:
        return len(self.generators)

    def select(self, mask: NDArray[np.bool_]) -> Streams:
        """Return the streams of the rows under ``mask``; they share state with these."""
        chosen = (generator for generator, taken in zip(self.generators, mask, strict=True) if taken)
        return Streams(chosen, self.method)

    def drawing(self, method: str) -> Streams:
        """Return the same streams with complex normal numbers by another method."""
        return self if method == self.method else Streams(self.generators, method)

    def branch(self) -> Streams:
        """Return streams seeded by one draw from each of these; how much they are used has no effect on these."""
        fresh = (np.random.default_rng(generator.integers(2**63)) for generator in self.generators)
        return Streams(fresh, self.method)

    def uniform(self, low: float, high: float, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return uniform draws, shape ``(rows, *shape)``."""
        draws = np.empty((len(self), *shape))
        for generator, row in zip(self.generators, draws, strict=True):
            generator.random(out=row)
        return low + (high - low) * draws

    def interval(self, interval: Interval, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return a fixed number, or uniform draws from a range, shape ``(rows, *shape)``."""
        if isinstance(interval, tuple):
            return self.uniform(*interval, shape)
        return np.full((len(self), *shape), interval)

    def normal(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return standard normal draws, shape ``(rows, *shape)``."""
        draws = np.empty((len(self), *shape))
        for generator, row in zip(self.generators, draws, strict=True):
            generator.standard_normal(out=row)
        return draws

    @property
    def keyed(self) -> bool:
        """Whether complex normal numbers are functions of keys."""
        return self.method == "keyed"

    def keys(self) -> NDArray[np.uint64]:
        """Return the key of a row's normal numbers, two words of its generator, ``(rows, 2)``."""
        words = [generator.bit_generator.random_raw() for generator in self.generators for _ in range(2)]
        return np.array(words, np.uint64).reshape(-1, 2)

    def complex_normal(self, shape: tuple[int, ...]) -> NDArray[np.complex64]:
        """Return CN(0, 1) draws in single precision, shape ``(rows, *shape)``.

        By the method "keyed" they are drawn by compiled code, by "numpy" they are the generators' own.
        """
        if self.keyed:
            return keyed_normals(self.keys(), math.prod(shape)).reshape(len(self), *shape)
        draws = np.empty((len(self), *shape, 2), np.float32)
        for generator, row in zip(self.generators, draws, strict=True):
            generator.standard_normal(out=row, dtype=np.float32)
        draws *= np.float32(np.sqrt(0.5))
        return draws.view(np.complex64)[..., 0]

    def poisson(self, mean: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return whole numbers with Poisson's law for given means, ``(rows, ...)`` both."""
        draws = [generator.poisson(row) for generator, row in zip(self.generators, mean, strict=True)]
        return np.asarray(draws, np.float64).reshape(mean.shape)
