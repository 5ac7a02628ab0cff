"""Channel statistics of APs with several antennas: what a snapshot of paper B's networks keeps for all blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrices = NDArray[np.complex64]


@dataclass(frozen=True)
class ChannelStatistics:
    """Second-order statistics over the noise, at the users' full power, for L APs of A antennas."""

    pilot: NDArray[np.intp]  # (..., K)
    serves: NDArray[np.bool_]  # (..., L, K), whether an AP is in a user's cluster
    covariance_root: Matrices  # (..., L, K, A, A), times white noise it is a channel
    pilot_inverse: Matrices  # (..., L, T, A, A), inverse covariance of what is received on each pilot
    error_covariance: Matrices  # (..., L, K, A, A)
