"""Receivers whose combiners follow the users' powers (paper B)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.block.clustered import CLUSTERED_COMBINERS
from mec_cf_gym.block.clustered_gains import clustered_gains

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Receiver:
    """What the receiver knows of the channels of a block, or of a batch of blocks, and how it combines."""

    AXES: ClassVar[Mapping[str, int]] = {"channel": 3, "error_covariance": 4, "serves": 2}

    channel: NDArray[np.complexfloating[Any, Any]]  # (..., L, A, K), estimates
    error_covariance: NDArray[np.complexfloating[Any, Any]]  # (..., L, K, A, A)
    serves: NDArray[np.bool_]  # (..., L, K), the clusters
    combiner: str = "p_mmse"

    def gains(self, power: Floats) -> tuple[Floats, Floats]:
        """Return signal gains ``(..., K)`` and interference gains ``(..., K, K)`` of the combiners for powers.

        Args:
            power: Power ratios, ``(..., K)``.
        """
        arrays = self.channel, self.error_covariance, self.serves
        combiner = CLUSTERED_COMBINERS[self.combiner]().combine(*arrays, power)
        return clustered_gains(combiner, *arrays)

    @property
    def most_signal_gain(self) -> Floats:
        """The largest signal gain that any combiner gives, that of maximum ratio, ``(..., K)``."""
        power = np.square(self.channel.real) + np.square(self.channel.imag)
        return np.asarray((power.sum(-2) * self.serves).sum(-2), np.float64)
