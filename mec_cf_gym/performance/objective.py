"""Paper B's objective and what deadlines ask for."""

from __future__ import annotations

import math

from mec_cf_gym.arrays import Array, promote
from mec_cf_gym.block.block import CoherenceBlock, Fairness
from mec_cf_gym.performance.latencies import time_for, time_for_part
from mec_cf_gym.performance.rates import spectral_efficiency


def power_fairness(block: CoherenceBlock, power: Array) -> Array:
    """Return paper B's objective, ``sum_k p_k - w min_k SE_k``, with one minimum for each cell.

    Args:
        block: A coherence block whose ``fairness`` is set.
        power: Power ratios, ``(..., N, K)``.

    Returns:
        Watts, ``(...)``; the smaller, the better.

    Raises:
        ValueError: If the block has no ``fairness``.
    """
    transmit_power_w = _fairness(block).transmit_power_w(power)
    return transmit_power_w - fairness_w(block, spectral_efficiency(block, power))


def fairness_w(block: CoherenceBlock, efficiency: Array) -> Array:
    """Return the worth of the cells' least spectral efficiencies, ``w sum_cells min_k SE_k``, ``(...)``, in watts.

    Args:
        block: A coherence block whose ``fairness`` is set.
        efficiency: Spectral efficiencies, ``(..., K)``.
    """
    fairness = _fairness(block)
    xp, (efficiency, cell) = promote(efficiency, fairness.cell)
    total = 0.0 * xp.sum(efficiency, axis=-1)
    for number in range(int(xp.max(cell)) + 1):
        least = xp.min(xp.where(cell == number, efficiency, math.inf), axis=-1)
        total = total + xp.where(least < math.inf, least, 0.0)  # a cell may be empty
    return fairness.weight_w * total


def _fairness(block: CoherenceBlock) -> Fairness:
    if block.fairness is None:
        raise ValueError("fairness=None is not allowed: the block must say what powers and cells its users have")
    return block.fairness


def needed_server_hz(block: CoherenceBlock, rate_bps: Array, offload: Array) -> Array:
    """Return the least server speeds that meet the deadlines, ``rho c_k / (L_k - rho (b_k/R_k + T_fh,k))``.

    Args:
        block: A coherence block whose ``deadline_s`` is set.
        rate_bps: Rates in bit/s, ``(..., K)``.
        offload: Offload ratios rho, ``(..., K)``.

    Returns:
        Hz, ``(..., K)``; infinite for a user whose deadline passes before its task has arrived.
    """
    xp, (rate_bps, offload, bits, cycles, deadline_s) = promote(
        rate_bps, offload, block.link_bits, block.task_cycles, block.deadline_s
    )
    left_s = deadline_s - time_for_part(xp, offload, time_for(xp, bits, rate_bps))
    in_time = left_s > 0
    return xp.where(in_time, offload * cycles / xp.where(in_time, left_s, 1.0), math.inf)
