"""Energy that users spend on sending and on computing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_cf_gym.block.block import CoherenceBlock

Floats = NDArray[np.float64]


def sending_power_w(block: CoherenceBlock, power: Floats) -> Floats:
    """Return what users send with, ``P sum_n p``, in watts, ``(..., K)``: NaN for a block without fairness.

    Args:
        block: Coherence blocks; ``fairness`` has the full powers P.
        power: Power ratios, ``(..., N, K)``.
    """
    full_w = np.nan if block.fairness is None else np.asarray(block.fairness.user_power_w)
    return np.asarray(full_w * power.sum(-2))


def cycles_energy_j(block: CoherenceBlock, cycles: Floats, cpu_hz: ArrayLike) -> Floats:
    """Return what cycles of a user's CPU take, ``kappa f^2`` each, in joules, ``(..., K)``.

    Args:
        block: Coherence blocks; ``effective_capacitance`` is kappa.
        cycles: Cycles, ``(..., K)``.
        cpu_hz: Speed f at which they run, ``(..., K)``.
    """
    return np.asarray(block.effective_capacitance * np.square(cpu_hz) * cycles)
