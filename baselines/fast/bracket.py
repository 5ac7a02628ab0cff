"""The exact search on a single subcarrier, compiled: brackets the least largest latency of every network."""

from __future__ import annotations

import math

import numpy as np

from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.kernels.compilation import compiled_if_possible

MOST_STEPS = 200
LARGEST_NATS = 600.0
LEAST_LOG = -50.0


@compiled_if_possible
def bracket_rows(
    signal: Floats, interference: Floats, local_pace: Floats, nats_s: Floats, server_s: Floats, tolerance: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Bracket the least largest latency of each network, from full power and users without interference on.

    Args:
        signal: Signal gains, ``(B, K)``.
        interference: Interference gains, ``(B, K, K)``.
        local_pace: Tasks that users compute themselves in a second, ``(B, K)``.
        nats_s: Times to send tasks at one nat per use, ``(B, K)``.
        server_s: Times to compute them at the server, ``(B, K)``.
        tolerance: Relative width at which a bracket is closed.

    Returns:
        Power ratios ``(B, K)``; latencies in seconds that they reach, and that no powers reach, ``(B,)`` each; and
        the first of these after each step, ``(B, steps + 1)``.
    """
    rows, users = signal.shape
    power, reached, unreached = np.ones((rows, users)), np.empty(rows), np.empty(rows)
    history = np.empty((rows, MOST_STEPS + 1))
    longest, trial, system = 0, np.empty(users), np.empty((users, users))
    for b in range(rows):
        pace, nats, server = local_pace[b], nats_s[b], server_s[b]
        reached[b] = _largest(signal[b] / (1 + interference[b].sum(-1)), pace, nats, server)
        unreached[b] = min(_largest(signal[b] / (1 + np.diag(interference[b])), pace, nats, server), reached[b])
        history[b, 0] = reached[b]
        step, excess, spare, moved = 0, 1.0, -1.0, 0
        while step < MOST_STEPS and reached[b] > (1 + tolerance) * unreached[b]:
            width = reached[b] - unreached[b]
            share = excess / (excess - spare)  # where a straight line through the ends is zero
            nudge = tolerance / 3 * reached[b] / width  # towards the farther end, so that this one follows, too
            share = min(max(share + (nudge if share < 0.5 else -nudge), 1e-3), 1 - 1e-3)
            target = unreached[b] + width * share
            _alone(target, signal[b], pace, nats, server, trial)
            found = _excess(_least_power(interference[b], trial, system))
            if found <= 0:
                reached[b], power[b] = target, trial
                excess, spare, moved = (excess / 2 if moved == 1 else excess), found, 1
            else:
                unreached[b] = target
                excess, spare, moved = found, (spare / 2 if moved == -1 else spare), -1  # the Illinois rule
            step += 1
            history[b, step] = reached[b]
        history[b, step:] = reached[b]
        longest = max(longest, step)
    return power, reached, unreached, history[:, : longest + 1]


@compiled_if_possible
def _largest(sinr: Floats, local_pace: Floats, nats_s: Floats, server_s: Floats) -> float:
    """Return the largest latency with the best split at SINRs ``(K,)``."""
    largest = 0.0
    for k in range(len(sinr)):
        pace = local_pace[k]
        if sinr[k] > 0:
            pace += 1 / (nats_s[k] / math.log1p(sinr[k]) + server_s[k])
        largest = max(largest, 1 / pace if pace > 0 else math.inf)
    return largest


@compiled_if_possible
def _alone(
    target_s: float, signal: Floats, local_pace: Floats, nats_s: Floats, server_s: Floats, alone: Floats
) -> None:
    """Put the powers that users need to meet a target without interference into ``alone``, ``(K,)``.

    ``T_loc T_off / (T_loc + T_off) = target`` is solved for T_off, less what the server needs of it.
    """
    for k in range(len(alone)):
        pace = 1 / target_s - local_pace[k]
        alone[k] = 0.0
        if pace > 0:
            sending_s = 1 / pace - server_s[k]
            nats = nats_s[k] / sending_s if sending_s > 0 else math.inf
            alone[k] = math.expm1(nats) / signal[k] if nats < LARGEST_NATS else math.inf


@compiled_if_possible
def _least_power(interference: Floats, power: Floats, system: Floats) -> float:
    """Turn powers needed without interference into the least ones with it; return the largest, or infinity.

    With ``a_k`` alone and ``q_k = 1 + sum_j I_kj p_j``, what is heard beside the signal, ``p_k = a_k q_k`` and
    ``(1 - I diag(a)) q = 1``. Off its diagonal the matrix is not positive: it has a positive solution exactly if
    elimination meets positive pivots alone, in any order.
    """
    if not power.max() <= 1:
        return math.inf
    heard = np.ones(len(power))
    for k in range(len(power)):
        system[k] = -interference[k] * power
        system[k, k] += 1.0
    if not _eliminate(system, heard):
        return math.inf
    for k in range(len(power) - 1, -1, -1):
        for j in range(k + 1, len(power)):
            heard[k] -= system[k, j] * heard[j]
        heard[k] /= system[k, k]
    power *= heard
    return float(power.max())


@compiled_if_possible
def _eliminate(system: Floats, right: Floats) -> bool:
    """Make a matrix ``(K, K)`` upper triangular, with its right-hand side; return whether pivots are positive."""
    users = len(right)
    for pivot in range(users):
        if not system[pivot, pivot] > 0:
            return False
        for k in range(pivot + 1, users):
            factor = system[k, pivot] / system[pivot, pivot]
            for j in range(pivot + 1, users):
                system[k, j] -= factor * system[pivot, j]
            right[k] -= factor * right[pivot]
    return True


@compiled_if_possible
def _excess(largest_power: float) -> float:
    """Return a measure of the largest power: zero where it is one, and one where there is none."""
    if largest_power <= 1:
        return max(math.log(max(largest_power, 1e-300)), LEAST_LOG)
    return 1 - 1 / largest_power
