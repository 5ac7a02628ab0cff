"""Channel aging: what is known of how channels change with time, without seeing them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.block.fading import FADINGS, Lags, doppler_phase_rad
from mec_cf_gym.network.network import Network
from mec_cf_gym.scenario import Scenario

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Aging:
    """Statistics of the channels over time, which networks know as they know large-scale gains.

    Doppler spreads change as slowly as distances do, so that receivers can measure them in many blocks.
    """

    doppler_rad: Floats  # (..., K), 2 pi f_D block_s
    delay_blocks: int  # age of the channels that observations show
    error_share: float  # of the channel's variance, that its estimates miss
    fading: str  # name of the model

    @classmethod
    def of(cls, scenario: Scenario, network: Network) -> Aging:
        """Return the statistics of networks of a scenario."""
        radio, dynamics = scenario.radio, scenario.dynamics
        phase_rad = doppler_phase_rad(scenario, network.speed_m_per_s)
        return cls(phase_rad, dynamics.csi_delay_blocks, radio.csi_error_variance, dynamics.fading)

    def correlation(self, lags: Lags) -> Floats:
        """Return the correlation of channel estimates that are ``lags`` blocks apart, ``(..., K, lags)``."""
        return FADINGS[self.fading].autocorrelation(self.doppler_rad, lags, self.error_share)
