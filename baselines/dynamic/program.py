"""The decision problem of one user whose tasks and energy stay from block to block, as plain arrays."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.backlog import Backlog
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse

GAIN_SAMPLES = 2**14
"""Channels from which the states of a gain are made, always the same: a power of two, as Sobol asks for."""
LEAST_PROBABILITY = 1e-7
"""Numbers of tasks that are less likely than this count as the largest one that is not."""


class Program(NamedTuple):
    """What one user can do in a block, what it costs, and what comes next.

    With d_loc bits computed by the user and d_off sent, from a queue of Q bits and a battery of E joules:

        e = local_j (d_loc / local_bits)^3 + transmit_j (2^(d_off / link_bits) - 1) / gain <= E
        cost = price_ms (Q - d_loc + L) + drop price,  L' = max(L + d_off - server_bits, 0)
        Q' = min(Q - d_loc - d_off + A, queue_limit_bits),  E' = min(E - e + H, battery_limit_j)

    Bits that were sent count once more, at the server. L, what the server has left over, is zero as long as it
    computes all that the link can carry. Power and CPU share are the least that serve d_loc and d_off: to run
    faster than that and then rest takes more energy.
    """

    gain: Floats  # (G,), states of the gain, linear
    weight: Floats  # (G,), their probabilities
    link_bits: float  # bits that a block carries at 1 bit/s/Hz
    transmit_j: float  # of a block at full power
    local_bits: float  # bits that the user's whole CPU computes in a block
    local_j: float  # of the whole CPU in a block
    server_bits: float  # bits that the server computes in a block
    price_ms: float  # backlog latency of a bit
    drop_price_ms: float  # of a bit
    queue_limit_bits: float
    battery_limit_j: float
    phases: Floats  # (Z, Z), probabilities of the next phase: in a burst or not, charging or not
    task_bits: float
    tasks: Floats  # (Z, A), probabilities of 0, 1, ... tasks at the end of a block of the phase
    harvest_j: Floats  # (Z,), harvest of a block of the phase


def program_of(block: CoherenceBlock, gain_states: int) -> Program:
    """Return the problem of the only user of a single block.

    Task sizes and harvests are taken at their means, and numbers of tasks are Poisson's.

    Args:
        block: A block of a dynamic world, without leading axes.
        gain_states: Number of states of the gain; see :func:`gain_law`.

    Raises:
        ValueError: If the block has no backlog, more than one user or subcarrier, errors of the channel estimate,
            or shared servers.
    """
    check(block)
    assert block.backlog is not None and block.fairness is not None
    known = block.backlog.prospects
    block_s, task_bits, mean_bits = known.block_s, float(known.task_bits[0]), float(known.mean_bits[0])
    cycles_per_bit, local_hz = float(block.cycles_per_bit[0]), float(block.local_hz[0])
    free = math.isinf(known.battery_limit_j)  # energy is no limit, and has no price
    burst = two_states(known.burst_begins, known.burst_ends)
    charge = two_states(known.charge_begins, known.charge_ends)
    burst_bits = [0.0, float(known.burst_bits[0])] if len(burst) == 2 else [mean_bits]
    charging_j = [0.0, known.charging_j] if len(charge) == 2 else [known.harvest_j]
    return Program(
        *gain_law(tuple(np.asarray(block.channel_variance)[:, 0].tolist()), gain_states),
        link_bits=block.data_bandwidth_hz * block_s / (1 + block.fronthaul_load),
        transmit_j=0.0 if free else float(block.fairness.user_power_w[0]) * block_s,
        local_bits=local_hz * block_s / cycles_per_bit,
        local_j=0.0 if free else block.effective_capacitance * local_hz**3 * block_s,
        server_bits=float(block.server_hz[0]) * block_s / cycles_per_bit,
        price_ms=1e3 * block_s / mean_bits if mean_bits > 0 else 0.0,
        drop_price_ms=known.drop_price_ms / task_bits,
        queue_limit_bits=known.queue_limit_bits,
        battery_limit_j=1.0 if free else known.battery_limit_j,
        phases=np.asarray(np.kron(burst, charge), np.float64),
        task_bits=task_bits,
        tasks=np.repeat(poisson(np.array(burst_bits) / task_bits), len(charge), axis=0),
        harvest_j=np.tile(charging_j, len(burst)),
    )


def phase_of(backlog: Backlog) -> int:
    """Return the phase of the only user of a single block: its place in ``Program.phases``."""
    known = backlog.prospects
    bursts, charges = known.burst_begins + known.burst_ends > 0, known.charge_begins + known.charge_ends > 0
    bursting, charging = bursts * int(backlog.bursting[0]), charges * int(backlog.charging[0])
    return bursting * (1 + charges) + charging


def check(block: CoherenceBlock) -> None:
    """Refuse blocks whose problem is not that of :class:`Program`; see :func:`program_of`."""
    if block.backlog is None:
        raise refuse("backlog", None, "the block must be one of a dynamic world; see arrivals")
    if block.num_users != 1:
        raise refuse("num_users", block.num_users, "dynamic programming is exact for one user only")
    if block.num_subcarriers != 1:
        raise refuse("num_subcarriers", block.num_subcarriers, "dynamic programming is for one subcarrier only")
    if block.servers is not None or block.channel_variance is None:
        raise refuse("server", "shared", "dynamic programming needs a dedicated server and known statistics")
    if np.any(np.asarray(block.interference_gain)):
        raise refuse("csi_error_variance", "> 0", "dynamic programming needs the exact gain: it must be 0")


@functools.lru_cache(maxsize=8)  # rows of a batch may have the same
def gain_law(channel_variance: tuple[float, ...], states: int) -> tuple[Floats, Floats]:
    """Return states of ``sum_m |h_m|^2``, rising, and their probabilities, both ``(states,)``.

    They are the quantiles and weights of Gauss and Legendre's rule on probabilities, of a low-discrepancy sample.

    Args:
        channel_variance: Means of ``|h_m|^2`` over the noise, M of them, independent and exponential.
        states: Number of states.
    """
    from scipy.stats import qmc  # takes seconds to import

    strongest_first = np.sort(channel_variance)[::-1]
    uniform = qmc.Sobol(len(channel_variance), rng=0).random(GAIN_SAMPLES)
    gain = np.sort(-np.log1p(-uniform) @ strongest_first)
    nodes, weights = np.polynomial.legendre.leggauss(states)
    at = GAIN_SAMPLES * (nodes + 1) / 2 - 0.5
    return np.interp(at, np.arange(GAIN_SAMPLES), gain), weights / 2


def two_states(begins: float, ends: float) -> Floats:
    """Return transition probabilities of off and on, ``(2, 2)``; of one state, ``(1, 1)``, if none changes."""
    if begins == ends == 0:
        return np.ones((1, 1))
    return np.array([[1 - begins, begins], [ends, 1 - ends]])


def poisson(means: Floats) -> Floats:
    """Return probabilities of 0, 1, ... events, ``(Z, A)``, for means ``(Z,)``; the last has what is left."""
    rows = []
    for mean in means:
        row = [math.exp(-mean)]
        while 1 - math.fsum(row) > LEAST_PROBABILITY:
            row.append(row[-1] * mean / len(row))
        rows.append(row)
    longest = max(map(len, rows))
    padded = np.array([row + [0.0] * (longest - len(row)) for row in rows])
    padded[:, -1] += 1 - padded.sum(-1)
    return padded
