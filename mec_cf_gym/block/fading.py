"""Small-scale fading: unit-variance channel coefficients of each block."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.network.network import Network
from mec_cf_gym.parts import Parts
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0

Coefficients = NDArray[np.complex64]  # (rows, N, M, K), CN(0, 1)


class FadingModel(Protocol):
    """Draws the first block's coefficients and the next block's from the last. Built from the scenario."""

    def __init__(self, scenario: Scenario) -> None: ...

    def begin(self, network: Network, streams: Streams) -> Coefficients:
        """Return the coefficients of an episode's first block, ``(rows, N, M, K)``."""
        ...

    def advance(self, coefficients: Coefficients, network: Network, streams: Streams) -> Coefficients:
        """Return the coefficients one block later, ``(rows, N, M, K)``."""
        ...


class IID:
    """Rayleigh fading, independent between blocks, subcarriers, APs and users (paper A)."""

    def __init__(self, scenario: Scenario) -> None:
        self.shape = (scenario.radio.num_subcarriers, scenario.num_antennas, scenario.layout.num_users)

    def begin(self, network: Network, streams: Streams) -> Coefficients:
        """Return the coefficients of an episode's first block, ``(rows, N, M, K)``."""
        return streams.complex_normal(self.shape)

    def advance(self, coefficients: Coefficients, network: Network, streams: Streams) -> Coefficients:
        """Return coefficients independent of the last, ``(rows, N, M, K)``."""
        return streams.complex_normal(self.shape)


class GaussMarkov(IID):
    """Rayleigh fading, a first-order Gauss-Markov process from block to block.

    ``g' = r g + sqrt(1 - r^2) w``, with Jakes' correlation ``r = J0(2 pi f_D block_s)`` at lag one and Doppler
    spread ``f_D = speed carrier / c`` of each user.
    """

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        phase_per_speed = 2 * np.pi * scenario.radio.carrier_hz * scenario.dynamics.block_s
        self.phase_per_speed = phase_per_speed / SPEED_OF_LIGHT_M_PER_S

    def advance(self, coefficients: Coefficients, network: Network, streams: Streams) -> Coefficients:
        """Return the coefficients one block later, ``(rows, N, M, K)``."""
        correlation = self.correlation(network.speed_m_per_s)[:, None, None, :]
        innovation = streams.complex_normal(self.shape)
        innovation *= np.sqrt(1 - correlation**2).astype(np.float32)
        innovation += correlation.astype(np.float32) * coefficients
        return innovation

    def correlation(self, speed_m_per_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the correlation between successive blocks at given speeds, ``(...)`` both."""
        from scipy.special import j0  # takes as long to import as the rest of the package

        return np.asarray(j0(self.phase_per_speed * speed_m_per_s))


FADINGS: Parts[type[FadingModel]] = Parts("fading", iid=IID, gauss_markov=GaussMarkov)
"""Fading models by name; add your own to use it as ``fading``."""
