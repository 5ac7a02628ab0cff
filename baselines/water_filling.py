"""Water-filling: every user spreads its budget for its own rate, and reacts to the interference of the others."""

from __future__ import annotations

import numpy as np

from mec_cf_gym.baselines.solution import Floats, Heuristic
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.fields import refuse


class WaterFilling(Heuristic):
    """Iterative water-filling.

    In every round each user fills water over ``(1 + interference) / S``, the others' powers being those of the
    round before; powers of successive rounds are averaged, which lets users that chase each other settle.

    Args:
        rounds: How often users react to each other.

    Raises:
        ValueError: If ``rounds`` is below one.
    """

    def __init__(self, rounds: int = 10) -> None:
        if rounds < 1:
            raise refuse("rounds", rounds, "it must be at least 1")
        self.rounds = rounds

    def power(self, block: CoherenceBlock) -> Floats:
        """Return the powers of the last round, ``(..., N, K)``; each user spends its whole budget."""
        signal_gain, interference_gain = np.asarray(block.signal_gain), np.asarray(block.interference_gain)
        power = np.full(signal_gain.shape, 1 / block.num_subcarriers)
        for _ in range(self.rounds):
            interference = (interference_gain @ power[..., None])[..., 0]
            power = (power + fill_water(signal_gain / (1 + interference))) / 2
        return power


def fill_water(gain: Floats) -> Floats:
    """Return the powers that maximise ``sum_n log(1 + p_n gain_n)`` with ``sum_n p_n = 1``.

    Args:
        gain: Gains of one user's subcarriers over noise and interference, ``(..., N, K)``.

    Returns:
        ``(..., N, K)``; each user's powers sum to one.
    """
    floor = 1 / np.maximum(gain, 1e-200)
    floor = floor - floor.min(-2, keepdims=True)  # only differences matter; weak links have a huge floor
    ordered = np.sort(floor, axis=-2)
    counts = np.arange(1, gain.shape[-2] + 1)[:, None]
    levels = (1 + ordered.cumsum(-2)) / counts  # water level if just the best 1, 2, ... were filled
    filled = (levels > ordered).sum(-2, keepdims=True)
    level = np.take_along_axis(levels, np.maximum(filled, 1) - 1, axis=-2)
    power = np.maximum(level - floor, 0.0)
    return np.asarray(power / power.sum(-2, keepdims=True))
