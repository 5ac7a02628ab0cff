"""Channel statistics of APs with several antennas, which hold for all blocks of a snapshot (paper B)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.batches import networks
from mec_cf_gym.kernels import FEW_ANTENNAS, frozen, kernel
from mec_cf_gym.network.estimation import covariance_root, error_covariance, estimate, pilot_whitening

Complexes = NDArray[np.complexfloating[Any, Any]]


@dataclass(frozen=True)
class ChannelStatistics:
    """Second-order statistics over the noise, at the users' full power, for L APs of A antennas.

    All in double precision: estimates of strong channels are small differences of large numbers.
    """

    pilot: NDArray[np.intp]  # (..., K)
    serves: NDArray[np.bool_]  # (..., L, K), whether an AP is in a user's cluster
    root: Complexes  # (..., L, K, A, A), F with covariance F F^H; F times white noise is a channel
    whitening: Complexes  # (..., L, T, A, A), V with Psi^-1 = V V^H, of the signal received on each pilot
    error_covariance: Complexes  # (..., L, K, A, A)

    @classmethod
    def of(
        cls, covariance: Complexes, pilot: NDArray[np.intp], serves: NDArray[np.bool_], num_pilots: int
    ) -> ChannelStatistics:
        """Return the statistics that follow from the channels' covariances, ``(..., L, K, A, A)``."""
        whitening = pilot_whitening(covariance, pilot, num_pilots)
        return cls(
            pilot=pilot,
            serves=serves,
            root=covariance_root(covariance),
            whitening=whitening,
            error_covariance=error_covariance(covariance, pilot, whitening),
        )

    def channel(self, white: NDArray[np.complex64]) -> Complexes:
        """Return correlated channels, ``(..., L, A, K)``, from white noise CN(0, 1) of the same shape."""
        return np.swapaxes((self.root @ np.swapaxes(white, -1, -2)[..., None])[..., 0], -1, -2)

    def estimate(self, channel: Complexes, noise: NDArray[np.complex64]) -> Complexes:
        """Return MMSE estimates ``(..., L, A, K)`` of channels, given the noise ``(..., L, A, T)`` on pilots."""
        return estimate(channel, noise, self.root, self.pilot, self.whitening)

    def estimates(self, white: NDArray[np.complex64], noise: NDArray[np.complex64]) -> Complexes:
        """Return the estimates of the channels that white noise makes; by compiled code, as the block has it.

        Args:
            white: White noise CN(0, 1), ``(..., L, A, K)``.
            noise: Noise on pilots, ``(..., L, A, T)``.

        Returns:
            ``(..., L, A, K)``.
        """
        compiled = kernel("pilots", "network_estimates") if white.shape[-2] <= FEW_ANTENNAS else None
        if compiled is None:
            return self.estimate(self.channel(white), noise)
        lead, rows = networks((white, 3), (noise, 3), (self.root, 4), (self.pilot, 1), (self.whitening, 4))
        estimates = np.empty(lead + white.shape[-3:], np.complex128)
        for row, arrays in rows:
            estimates[row] = compiled(*map(frozen, arrays))
        return estimates
