"""Service of a block when a bit has its worth and a joule its price: weighted rates less priced energy."""

from __future__ import annotations

import numpy as np

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.dynamic.best_response import serve_rows
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.network.servers import Shares
from mec_cf_gym.performance.service import backlog_of

SHARPNESS = 3
"""Power of a bit's worth in its share of servers, tuned on validation networks."""


def priced_allocation(block: CoherenceBlock, worth: Floats, price_per_j: Floats) -> Allocation:
    """Return powers and CPU shares that maximise ``sum_k worth_k bits_k - price_k energy_k`` in a block.

    ``bits_k`` are those that leave the user's queue. Users answer each other's powers in turn: each knows what its
    power costs the others, who pay for the noise that they hear. Nobody serves more than its queue or spends more
    than its battery holds. Where servers are shared, they divide their speed by what waits there and its worth.

    Args:
        block: Coherence blocks with a backlog, any leading axes; where combiners follow the powers, gains are
        those
            for full power.
        worth: Of a bit, ``(..., K)``, at least zero.
        price_per_j: Of energy in the same unit, ``(..., K)``, at least zero.
    """
    backlog = backlog_of(block)
    assert block.fairness is not None
    duration_s, shape = backlog.prospects.block_s, block.batch_shape
    local_hz, cycles_per_bit = np.asarray(block.local_hz), np.asarray(block.cycles_per_bit)
    users = (
        backlog.queue_bits,
        backlog.battery_j,
        worth,
        price_per_j,
        local_hz * duration_s / cycles_per_bit,
        block.effective_capacitance * local_hz**3 * duration_s,
        np.asarray(block.fairness.user_power_w) * duration_s,
    )
    rows = [np.ascontiguousarray(_rows(values, shape)) for values in users]
    signal_gain, interference_gain = np.asarray(block.signal_gain), np.asarray(block.interference_gain)
    subcarriers, many = signal_gain.shape[-2:]
    power, share = serve_rows(
        np.ascontiguousarray(signal_gain.reshape(-1, subcarriers, many), np.float64),
        np.ascontiguousarray(interference_gain.reshape(-1, subcarriers, many, many), np.float64),
        block.data_bandwidth_hz * duration_s / (1 + block.fronthaul_load),
        *rows,
    )
    share = share.reshape(*shape, many)
    power = power.reshape(*shape, subcarriers, many)
    return Allocation(power, np.ones_like(share), computing=shares_by_worth(block, worth), cpu_share=share)


def shares_by_worth(block: CoherenceBlock, worth: Floats) -> Shares | None:
    """Return shared servers divided by waiting cycles times a power of what bits are worth, or None for others.

    The steepest descent would give a server to the worthiest user alone, which may have less to compute than a
    block's cycles; ``SHARPNESS`` comes near it.

    Args:
        block: Coherence blocks with a backlog, any leading axes.
        worth: Of a bit, ``(..., K)``.
    """
    most = worth.max(-1, keepdims=True)
    return shares_by_backlog(block, (worth / np.where(most > 0, most, 1.0)) ** SHARPNESS)


def shares_by_backlog(block: CoherenceBlock, weight: Floats | float = 1.0) -> Shares | None:
    """Return shared servers divided by the cycles that wait there, or None for dedicated ones.

    Args:
        block: Coherence blocks with a backlog, any leading axes.
        weight: Of a user's cycles, ``(..., K)``.
    """
    if block.servers is None:
        return None
    waiting = weight * backlog_of(block).server_bits * block.cycles_per_bit
    return block.servers.divided(waiting[..., None, :], waiting)


def _rows(values: Floats, shape: tuple[int, ...]) -> Floats:
    """Return values of users, ``(rows, K)``, for given leading axes."""
    return np.broadcast_to(values, (*shape, values.shape[-1])).reshape(-1, values.shape[-1]).astype(np.float64)
