"""Features of a block, compiled: a decision of the magnitude network takes less than the block it is for."""

from __future__ import annotations

import math

import numpy as np

from mec_cf_gym.baselines.fast.problem import paces, received, row_of
from mec_cf_gym.baselines.fast.solver import UNIT_S
from mec_cf_gym.kernels.compilation import compiled

TINY = 1e-9
LINK_FEATURES, USER_FEATURES, BLOCK_FEATURES = 5, 9, 4


@compiled
def look(batch, variance, power, weight, link, user, block, coupling, worst_s):
    """Fill in a :class:`View` of a batch of problems.

    Args:
        batch: The problems at the expected interference.
        variance: Of the interference gains, ``(rows, N, K, K)``.
        power: Powers, ``(rows, N, K)``, as the field of the view.
        weight: Multipliers of the rates at these powers, ``(rows, K)``.
        link: As the field of the view, and so are the others.
        user: See there.
        block: See there.
        coupling: See there.
        worst_s: See there.
    """
    subcarriers, users = power.shape[1:]
    for row in range(len(power)):
        problem = row_of(batch, row)
        price = weight[row] / weight[row].sum()
        nats, spread = links(problem, power[row], variance[row], link[row], coupling[row])
        pace = paces(problem, nats)
        worst_s[row] = UNIT_S / pace.min()
        for k in range(users):
            total, slope, loudest = power[row, :, k].sum(), TINY, 0.0
            for n in range(subcarriers):
                slope += link[row, n, k, 1]
                loudest = max(loudest, link[row, n, k, 2])
            uncertain = math.sqrt(spread[k]) / (nats[k] + TINY)
            needs = problem.nats[k] + problem.server[k] * nats[k]
            urgency = nats[k] * problem.nats[k] / needs**2 / pace[k]
            user[row, k, 0] = 10 * uncertain * urgency
            user[row, k, 1] = math.log(uncertain + 1e-4) / 3
            user[row, k, 2] = 3 * urgency
            user[row, k, 3] = math.log(slope / (nats[k] + TINY)) / 2
            user[row, k, 4] = math.log(nats[k] + TINY) / 2
            user[row, k, 5] = max(10 * math.log(pace.min() / pace[k] + TINY), -5.0)
            user[row, k, 6] = math.log(total + 1e-6) / 5
            user[row, k, 7] = loudest
            user[row, k, 8] = math.log(price[k] * users + 1e-4) / 3
            coupling[row, k] /= slope
        block[row, 0] = user[row, :, 0].max()
        block[row, 1] = user[row, :, 0].mean()
        block[row, 2] = math.log(users) / 3
        block[row, 3] = math.log(subcarriers)


@compiled
def links(problem, power, variance, link, coupling):
    """Fill in the features of links, and coupling; return rates in nats and their variances, ``(K,)`` both.

    Args:
        problem: One network.
        power: Powers, ``(N, K)``.
        variance: Of the interference gains, ``(N, K, K)``.
        link: ``(N, K, LINK_FEATURES)``.
        coupling: ``(K, K)``, to add to.
    """
    subcarriers, users = power.shape
    noise, nats = received(problem, power)
    spread = np.zeros(users)
    for n in range(subcarriers):
        for k in range(users):
            heard = noise[n, k]
            sinr = power[n, k] * problem.signal[n, k] / heard
            slope = sinr / (1 + sinr)
            squared = 0.0
            for j in range(users):
                squared += variance[n, k, j] * power[n, j] ** 2
                coupling[k, j] += slope / heard * problem.interference[n, j, k] * power[n, j]
            deviation = slope * math.sqrt(max(squared, 0.0)) / heard
            spread[k] += deviation**2
            link[n, k, 0] = math.log(power[n, k] / (power[:, k].sum() + TINY) + 1e-4) / 5
            link[n, k, 1] = slope
            link[n, k, 2] = 3 * deviation
            link[n, k, 3] = math.log(heard) / 5
            link[n, k, 4] = math.log1p(sinr) / 3
    return nats, spread
