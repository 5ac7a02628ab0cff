"""Splits over the subcarriers to ascend from, of batches of networks, and how their powers are balanced."""

from __future__ import annotations

import numpy as np

from mec_cf_gym.baselines.fast.problem import Problem, least_pace, needed, receive
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.kernels.compilation import compiled

BALANCING_ROUNDS = 10
LEAST_SHARE = 1e-3
"""No subcarrier starts with less: powers near zero move slowly."""


def scattered(number: int, batch: Problem) -> Floats:
    """Return ``number`` random splits, the same for each network, ``(rows, number, N, K)``."""
    rows, *each = batch.signal.shape
    draws = np.random.default_rng(0).exponential(size=(number, *each))
    return np.broadcast_to(draws / draws.sum(1, keepdims=True), (rows, number, *each))


def equal(batch: Problem) -> Floats:
    """Return the split that is the same on every subcarrier, ``(rows, N, K)``."""
    return np.full(batch.signal.shape, 1 / batch.signal.shape[1])


def considerate(batch: Problem) -> Floats:
    """Return a split in favour of subcarriers on which a user is heard little by the others, ``(rows, N, K)``."""
    share = 1 / (1 + batch.interference.sum(-1) / batch.signal.shape[1])
    return np.asarray(share / share.sum(1, keepdims=True))


def selective(batch: Problem) -> Floats:
    """Return a split in favour of subcarriers that are strong, quiet and far from the others, ``(rows, N, K)``."""
    noise = 1 + batch.interference.sum(-2) / batch.signal.shape[1]
    share = (considerate(batch) * (1e-30 + batch.signal) / noise) ** 2
    return np.asarray(share / share.sum(1, keepdims=True))


@compiled
def balanced(problem, split):
    """Return powers with about this split that give all users about the same pace, ``(N, K)`` both.

    In each round everybody asks for what gives it the least pace, and the one that needs most takes its whole
    budget. A user with power to spare would drive others off their subcarriers, from where no ascent returns.
    """
    subcarriers, users = split.shape
    power, noise, nats = np.empty((subcarriers, users)), np.empty((subcarriers, users)), np.empty(users)
    for n in range(subcarriers):
        for k in range(users):
            power[n, k] = max(split[n, k], LEAST_SHARE)
    for _ in range(BALANCING_ROUNDS):
        receive(problem, power, noise, nats)
        asked, _, _ = needed(problem, least_pace(problem, nats))
        most = 0.0
        for k in range(users):
            ratio = min(max(max(asked[k], 1e-3) / max(nats[k], 1e-9), 0.05), 5.0)
            total = 0.0
            for n in range(subcarriers):
                power[n, k] *= ratio
                total += power[n, k]
            most = max(most, total)
        for n in range(subcarriers):
            for k in range(users):
                power[n, k] /= most
    return power
