"""Users without interference: water-filling, and the bounds it gives on rates and latency."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.performance.latencies import best_latency

Floats = NDArray[np.float64]


def latency_bound(block: CoherenceBlock) -> Floats:
    """Return a lower bound on the largest latency of any allocation, ``(...)``, in seconds: every user alone.

    Each user water-fills its power over the noise, without interference; errors of its own channel estimate count
    at full power. Where servers are shared, each user has all servers that it may use to itself.
    """
    if block.servers is not None:
        block = dataclasses.replace(block, server_hz=block.servers.most_hz)
    rate_bps = block.data_bandwidth_hz / math.log(2) * alone_nats(block)
    with np.errstate(divide="ignore"):  # budgets may be zero
        return np.asarray(best_latency(block, rate_bps).max(-1))


def alone_nats(block: CoherenceBlock) -> Floats:
    """Return rates that no user exceeds even if it were alone, ``(..., K)``, in nats per use of a subcarrier.

    A receiver whose combiners follow the powers could trade signal for less error: its errors do not count.
    """
    if block.receiver is not None:
        return np.log1p(block.receiver.most_signal_gain)
    signal_gain = np.asarray(block.signal_gain, np.float64)
    own_error = np.diagonal(np.asarray(block.interference_gain), axis1=-2, axis2=-1)
    without_error = np.log1p(signal_gain * fill_water(signal_gain)).sum(-2)
    at_full_power = np.log1p(signal_gain / (1 + own_error)).sum(-2)
    return np.asarray(np.minimum(without_error, at_full_power))


def alone_efficiency(block: CoherenceBlock) -> Floats:
    """Return spectral efficiencies that no user exceeds even if it were alone, ``(..., K)``, in bit/s/Hz."""
    return np.asarray(block.data_share / math.log(2) * alone_nats(block) / block.num_subcarriers)


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
