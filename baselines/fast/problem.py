"""The min-max latency problem of one network, as plain arrays for compiled code.

A user's *pace* is one over its latency with the best split, ``a + R / (c + s R)`` for a rate R in nats per
subcarrier and use: computing locally adds a, and the rest is the time to send, c / R, and to compute, s, a task.
Minimising the largest latency is maximising the least pace.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.kernels.compilation import compiled


class Problem(NamedTuple):
    """One network, or a batch with a leading axis; times are in units of ``unit_s``."""

    signal: Floats  # (..., N, K), linear
    interference: Floats  # (..., N, K, K), linear, of user j on user k at [j, k]
    local_pace: Floats  # (..., K), a
    nats: Floats  # (..., K), c: time to send a task at one nat
    server: Floats  # (..., K), s: time to compute a task at the server


def problem_of(flat: CoherenceBlock, unit_s: float, interference_gain: Floats | None = None) -> Problem:
    """Return the problems of a flattened batch of blocks.

    Args:
        flat: Blocks with one leading axis, which every array has.
        unit_s: Unit of times.
        interference_gain: In place of the blocks' own, ``(rows, N, K, K)``.
    """
    cycles = flat.task_cycles
    nats_s = math.log(2) * flat.link_bits / flat.data_bandwidth_hz
    times = (flat.local_hz / cycles * unit_s, nats_s / unit_s, cycles / flat.server_hz / unit_s)
    gain = flat.interference_gain if interference_gain is None else interference_gain
    arrays = (flat.signal_gain, np.swapaxes(gain, -1, -2), *times)
    # copies: blocks are read-only, for which numba would compile everything once more
    return Problem(*(np.array(array, np.float64, order="C") for array in arrays))


@compiled
def row_of(problem, row):
    """Return the problem of one network of a batch."""
    return Problem(
        problem.signal[row],
        problem.interference[row],
        problem.local_pace[row],
        problem.nats[row],
        problem.server[row],
    )


@compiled
def received(problem, power):
    """Return noise and interference over the noise, ``(N, K)``, and rates in nats, ``(K,)``, at given powers."""
    noise, nats = np.empty(power.shape), np.empty(power.shape[1])
    receive(problem, power, noise, nats)
    return noise, nats


@compiled
def receive(problem, power, noise, nats):
    """Fill in noise and interference over the noise, ``(N, K)``, and rates in nats, ``(K,)``, at given powers."""
    subcarriers, users = power.shape
    nats[:] = 0.0
    for n in range(subcarriers):
        heard = noise[n]
        heard[:] = 1.0
        for j in range(users):
            caused, by = problem.interference[n, j], power[n, j]
            for k in range(users):
                heard[k] += caused[k] * by
        for k in range(users):
            nats[k] += math.log1p(problem.signal[n, k] * power[n, k] / noise[n, k])


@compiled
def paces(problem, nats):
    """Return the users' paces at rates in nats, ``(K,)`` both."""
    out = np.empty(nats.size)
    for k in range(nats.size):
        out[k] = problem.local_pace[k] + nats[k] / (problem.nats[k] + problem.server[k] * nats[k])
    return out


@compiled
def least_pace(problem, nats):
    """Return the least pace of all users at rates in nats, ``(K,)``."""
    return paces(problem, nats).min()


@compiled
def needed(problem, pace):
    """Return the rates in nats that a common pace asks for, and their first and second derivative, each ``(K,)``.

    Negative for users whose CPU alone is faster; the pace must be below ``a + 1 / s`` for every user.
    """
    users = problem.nats.size
    asked, slope, bend = np.empty(users), np.empty(users), np.empty(users)
    for k in range(users):
        above = pace - problem.local_pace[k]
        left = 1 - problem.server[k] * above
        asked[k] = problem.nats[k] * above / left
        slope[k] = problem.nats[k] / (left * left)
        bend[k] = 2 * slope[k] * problem.server[k] / left
    return asked, slope, bend
