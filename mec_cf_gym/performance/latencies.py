"""Latency of an allocation: what every environment scores and every solver optimises.

All take leading batch axes and NumPy arrays or torch tensors, and are differentiable in the latter.
"""

from __future__ import annotations

import math
from typing import Any

from mec_cf_gym.arrays import Array, promote
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.performance.rates import rate


def time_for(xp: Any, amount: Array, speed: Array) -> Array:
    """Return ``amount / speed`` in seconds, all ``(..., K)``: infinite at no speed."""
    moves = speed > 0
    return xp.where(moves, amount / xp.where(moves, speed, 1.0), math.inf)


def time_for_part(xp: Any, share: Array, whole_s: Array) -> Array:
    """Return ``share whole_s`` in seconds, all ``(..., K)``: zero for no share, even of an infinite time."""
    some = share > 0
    return xp.where(some, share * xp.where(some, whole_s, 0.0), 0.0)


def local_latency(block: CoherenceBlock, offload: Array) -> Array:
    """Return the time users need for the part they compute themselves, ``(1 - rho) Z C / f``.

    Args:
        block: The coherence block.
        offload: Offload ratios rho, ``(..., K)``.

    Returns:
        Seconds, ``(..., K)``; infinite for a user without a CPU who does not offload everything.
    """
    xp, (offload, cycles, local_hz) = promote(offload, block.task_cycles, block.local_hz)
    has_cpu = local_hz > 0
    local_share = 1 - offload
    without_cpu = xp.where(local_share > 0, math.inf, 0.0)
    return xp.where(has_cpu, local_share * cycles / xp.where(has_cpu, local_hz, 1.0), without_cpu)


def offload_latency(
    block: CoherenceBlock, rate_bps: Array, offload: Array, server_hz: Array | None = None
) -> Array:
    """Return the time to send a part and have it computed, ``rho (Z/R + Z C / f_ser)``, fronthaul included.

    Args:
        block: The coherence block.
        rate_bps: Rates in bit/s, ``(..., K)``.
        offload: Offload ratios rho, ``(..., K)``.
        server_hz: Speed that computes for each user, ``(..., K)``; by default the block's.

    Returns:
        Seconds, ``(..., K)``; infinite for a user who offloads at zero rate or to a server of zero speed.
    """
    xp, (offload, whole_s) = promote(offload, full_offload_latency(block, rate_bps, server_hz))
    return time_for_part(xp, offload, whole_s)


def full_offload_latency(block: CoherenceBlock, rate_bps: Array, server_hz: Array | None = None) -> Array:
    """Return the time to offload whole tasks, ``Z/R + Z C / f_ser``, in seconds, ``(..., K)``.

    In a user-centric network (paper B) ``Z/R`` grows by the time on the fronthaul, ``2 A q Z B / (R C_fh)``.
    Arguments are those of :func:`offload_latency`.
    """
    xp, (rate_bps, bits, cycles, server_hz) = promote(
        rate_bps, block.link_bits, block.task_cycles, block.server_hz if server_hz is None else server_hz
    )
    return time_for(xp, bits, rate_bps) + time_for(xp, cycles, server_hz)


def latency(block: CoherenceBlock, power: Array, offload: Array, server_hz: Array | None = None) -> Array:
    """Return the users' latencies, the longer of computing locally and offloading (paper A, eq. for tau_k).

    Args:
        block: The coherence block.
        power: Power ratios, ``(..., N, K)``.
        offload: Offload ratios rho, ``(..., K)``, in [0, 1].
        server_hz: Speed that computes for each user, ``(..., K)``; by default the block's.

    Returns:
        Seconds, ``(..., K)``; infinite for a user who offloads at zero rate or to a server of zero speed.
    """
    offloaded_s = offload_latency(block, rate(block, power), offload, server_hz)
    return longer(local_latency(block, offload), offloaded_s)


def longer(local_s: Array, offloaded_s: Array) -> Array:
    """Return the larger of two latencies, ``(..., K)``, in seconds: both parts of a task run in parallel."""
    xp, (local_s, offloaded_s) = promote(local_s, offloaded_s)
    return xp.maximum(local_s, offloaded_s)


def best_offload(block: CoherenceBlock, power: Array) -> Array:
    """Return the offload ratios that minimise every user's latency at the given powers.

    ``rho* = T_loc / (T_loc + T_off)`` makes both parts end together.

    Args:
        block: The coherence block.
        power: Power ratios, ``(..., N, K)``.

    Returns:
        Offload ratios, ``(..., K)``: one for a user without a CPU, zero for one without a link.
    """
    return offload_at(block, rate(block, power))


def offload_at(block: CoherenceBlock, rate_bps: Array) -> Array:
    """Return the best offload ratios at given rates in bit/s, ``(..., K)`` both: see :func:`best_offload`."""
    whole = full_offload_latency(block, rate_bps)
    xp, (whole_s, cycles, local_hz) = promote(whole, block.task_cycles, block.local_hz)
    has_cpu = local_hz > 0
    speed_ratio = xp.where(has_cpu, whole_s, 0.0) * local_hz / cycles  # T_off / T_loc
    return xp.where(has_cpu, 1 / (1 + speed_ratio), 1.0)


def best_latency(block: CoherenceBlock, rate_bps: Array) -> Array:
    """Return the latencies at the given rates with the best split, ``1 / (1/T_loc + 1/T_off)``.

    Args:
        block: The coherence block.
        rate_bps: Rates in bit/s, ``(..., K)``.

    Returns:
        Seconds, ``(..., K)``; infinite for a user with neither a CPU nor a link.
    """
    xp, (whole_s, cycles, local_hz) = promote(
        full_offload_latency(block, rate_bps), block.task_cycles, block.local_hz
    )
    has_link = whole_s < math.inf
    tasks_per_s = local_hz / cycles + xp.where(has_link, 1 / xp.where(has_link, whole_s, 1.0), 0.0)
    return xp.where(tasks_per_s > 0, 1 / xp.where(tasks_per_s > 0, tasks_per_s, 1.0), math.inf)
