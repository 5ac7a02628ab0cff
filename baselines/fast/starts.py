"""Powers to ascend from: different splits over the subcarriers, each balanced between the users."""

from __future__ import annotations

import numpy as np

from mec_cf_gym.baselines.fast.problem import least_pace, needed, receive, received
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.kernels.compilation import compiled

BALANCING_ROUNDS = 10
LEAST_SHARE = 1e-3
"""No subcarrier starts with less: powers near zero move slowly."""


def scattered(number: int, subcarriers: int, users: int) -> Floats:
    """Return ``number`` random splits, always the same ones, ``(number, N, K)``; each user's shares sum to one."""
    draws = np.random.default_rng(0).exponential(size=(number, subcarriers, users))
    return np.asarray(draws / draws.sum(1, keepdims=True))


@compiled
def equal(problem):
    """Return the split that is the same on every subcarrier, ``(N, K)``."""
    subcarriers, users = problem.signal.shape
    return np.full((subcarriers, users), 1 / subcarriers)


@compiled
def considerate(problem):
    """Return a split in favour of subcarriers on which a user is heard little by the others, ``(N, K)``."""
    subcarriers, users = problem.signal.shape
    share = np.empty((subcarriers, users))
    for n in range(subcarriers):
        for j in range(users):
            share[n, j] = 1 / (1 + problem.interference[n, j].sum() / subcarriers)
    return share / share.sum(0)


@compiled
def selective(problem):
    """Return a split in favour of subcarriers that are strong, quiet and far from the others, ``(N, K)``."""
    spread = equal(problem)
    share = considerate(problem)
    noise, _ = received(problem, spread)
    share = (share * (1e-30 + problem.signal) / noise) ** 2
    return share / share.sum(0)


@compiled
def balanced(problem, split):
    """Return powers with about this split that give all users about the same pace, ``(N, K)`` both.

    In each round everybody asks for what gives it the least pace, and the one that needs most takes its whole
    budget. A user with power to spare would drive others off their subcarriers, from where no ascent returns.
    """
    power = np.maximum(split, LEAST_SHARE)
    subcarriers, users = power.shape
    noise, nats, totals = np.empty(power.shape), np.empty(users), np.empty(users)
    for _ in range(BALANCING_ROUNDS):
        receive(problem, power, noise, nats)
        asked, _, _ = needed(problem, least_pace(problem, nats))
        totals[:] = 0.0
        for k in range(users):
            ratio = min(max(max(asked[k], 1e-3) / max(nats[k], 1e-9), 0.05), 5.0)
            for n in range(subcarriers):
                power[n, k] *= ratio
                totals[k] += power[n, k]
        power /= totals.max()
    return power
