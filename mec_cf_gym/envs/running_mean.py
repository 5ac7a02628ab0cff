"""Memory of past observations: the mean of their gains, shown on the scale of observations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_cf_gym.envs.observation import Observation, log_scale, ratio_of
from mec_cf_gym.errors import refuse

AVERAGED = ("signal", "interference", "csi")
"""Entries of an observation that fade; the others are shown as they are."""
Floats = NDArray[np.float64]


class RunningMean(NamedTuple):
    """Means of the linear gains of past observations, one a row.

    It is a plain tuple of arrays, so that it may be an agent's state:
    ``RunningMean(*state).update(observation, episode_start)``.
    """

    blocks: NDArray[np.int64]  # (...), observations so far
    signal: Floats  # (..., N, K), linear
    interference: Floats  # (..., N, K, K), linear
    csi: Floats | None = None  # (..., N, M, K), linear, where it is observed

    @classmethod
    def start(cls, observation: Mapping[str, NDArray[Any]]) -> RunningMean:
        """Return the means after the first observation of an episode, of one environment or of many.

        Args:
            observation: With ``signal`` ``(..., N, K)`` and ``interference``; ``csi`` is averaged if it is there.

        Raises:
            ValueError: If the observation shows no gains.
        """
        missing = {"signal", "interference"} - observation.keys()
        if missing:
            raise refuse("observation", list(observation), f"it has no {' and no '.join(sorted(missing))}")
        gains = {name: ratio_of(observation[name]) for name in AVERAGED if name in observation}
        return cls(np.ones(gains["signal"].shape[:-2], np.int64), **gains)

    def update(self, observation: Mapping[str, NDArray[Any]], starts: ArrayLike = False) -> RunningMean:
        """Return the means one block later.

        Args:
            observation: As in :meth:`start`.
            starts: Rows in which it is the first of an episode, ``(...)``: their means start anew.
        """
        before = np.where(starts, 0, self.blocks)
        means = (
            None if old is None else (old * per_row(before, old) + new) / per_row(before + 1, old)
            for old, new in zip(self[1:], self.start(observation)[1:], strict=True)
        )
        return RunningMean(np.asarray(before + 1), *means)  # type: ignore[arg-type]

    def restart(self, observation: Mapping[str, NDArray[Any]], mask: NDArray[np.bool_]) -> RunningMean:
        """Return the means, started anew in the rows under ``mask``, ``(...)``; in other rows they stay."""
        pairs = zip(self.start(observation), self, strict=True)
        means = (None if new is None else np.where(per_row(mask, new), new, old) for new, old in pairs)  # type: ignore[arg-type]
        return RunningMean(*means)  # type: ignore[arg-type]

    def shown(self, observation: Mapping[str, NDArray[Any]]) -> Observation:
        """Return the observation with the means in place of its gains, on the same scale."""
        means = {name: mean for name, mean in self._asdict().items() if name in observation}
        return {**observation, **{name: log_scale(mean) for name, mean in means.items()}}


def per_row(rows: NDArray[Any], array: NDArray[Any]) -> NDArray[Any]:
    """Return one value a row, ``(...)``, in a shape that broadcasts over ``array``, ``(..., axes of a row)``."""
    return rows.reshape(rows.shape + (1,) * (array.ndim - rows.ndim))
