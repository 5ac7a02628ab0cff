"""Interior-point ascent on the least pace of a network, compiled.

    maximise v  s.t.  R_k(p) >= r_k(v),  sum_n p_nk <= 1,  p >= 0

Every step solves the Newton system of the perturbed optimality conditions with p, v and the multipliers of all
constraints as unknowns. The Hessian couples users of one subcarrier only, so the system is reduced to one of
2 K unknowns (multipliers of rates and budgets), at the cost of one K x K factorisation a subcarrier. Where the
convex side of a rate makes a factorisation fail, it is damped, in the end away: what is left is the curvature
that an inner convex approximation sees.
"""

from __future__ import annotations

import numpy as np

from mec_cf_gym.baselines.fast.linear import back_substitute, cholesky, forward_substitute, gram
from mec_cf_gym.baselines.fast.problem import compiled, needed, paces, received

TO_BOUNDARY = 0.99
"""Share of the way to the nearest bound that a step goes at most."""
CENTERING = 0.3
"""Factor of the perturbation from step to step."""
CURVATURES = (1.0, 0.5, 0.0)
"""Shares of the convex curvature that are tried, in turn."""


@compiled
def ascend(problem, power, inward, tolerance, max_steps):
    """Ascend from ``power`` to a local maximum of the least pace.

    Args:
        problem: One network.
        power: Where to start, ``(N, K)``, within the budgets.
        inward: How far inside its bounds to begin; deeper inside, an ascent forgets where it came from.
        tolerance: Sum of products of slacks and multipliers, relative to the pace, at which to stop.
        max_steps: Steps at most.

    Returns:
        The best powers met, their least pace, and whether the ascent came to its end.
    """
    power = (1 - inward) * power + 0.01 * inward / len(power)
    noise, nats = received(problem, power)
    best, best_pace = power, paces(problem, nats).min()
    pace = (1 - inward / 2) * best_pace
    asked, slope, _ = needed(problem, pace)
    slack = np.maximum(nats - asked, inward / 10 * nats.mean())
    weight = 1 / (slope * slope.size)
    perturbation = (weight * slack).mean()
    price = perturbation / (1 - power.sum(0))
    floor = perturbation / power
    for _ in range(max_steps):
        d_power, d_pace, d_weight, d_price = newton(
            problem, noise, nats, power, pace, slack, weight, price, floor, perturbation
        )
        d_slack = perturbation / weight - slack - slack / weight * d_weight
        d_floor = perturbation / power - floor - floor / power * d_power
        room = 1 - problem.server * (pace - problem.local_pace)
        go = min(
            longest(power.ravel(), d_power.ravel()),
            longest(slack, d_slack),
            longest(1 - power.sum(0), -d_power.sum(0)),
            longest(room, -problem.server * d_pace),
        )
        go_dual = min(longest(weight, d_weight), longest(price, d_price), longest(floor.ravel(), d_floor.ravel()))
        if not go * go_dual > 0:  # NaN compares false
            break
        power = power + go * d_power
        pace += go * d_pace
        slack = slack + go * d_slack
        weight = weight + go_dual * d_weight
        price = price + go_dual * d_price
        floor = floor + go_dual * d_floor
        noise, nats = received(problem, power)
        reached = paces(problem, nats).min()
        if reached > best_pace:
            best, best_pace = power, reached
        products = (weight * slack).sum() + (price * (1 - power.sum(0))).sum() + (floor * power).sum()
        if products < tolerance * pace:
            return best, best_pace, True
        perturbation = products / (2 * slack.size + power.size) * (CENTERING if go > 0.5 else 0.5)
    return best, best_pace, False


@compiled
def longest(value, direction):
    """Return the longest step, at most one, that keeps ``value``, ``(n,)``, positive; zero for a NaN direction."""
    step = 1.0
    for i in range(value.size):
        if not direction[i] >= 0:
            limit = -TO_BOUNDARY * value[i] / direction[i]
            step = min(step, limit) if limit > 0 else 0.0
    return step


@compiled
def newton(problem, noise, nats, power, pace, slack, weight, price, floor, perturbation):
    """Return the Newton direction of powers, ``(N, K)``, pace, and multipliers of rates and budgets, ``(K,)``."""
    subcarriers, users = power.shape
    total = noise + problem.signal * power
    asked, slope, bend = needed(problem, pace)
    factor = np.empty((subcarriers, users, users))
    columns = np.empty((subcarriers, users, 2 * users + 1))
    system = np.zeros((2 * users + 1, 2 * users + 1))
    for n in range(subcarriers):
        linearise(problem, noise[n], total[n], power, weight, price, perturbation, n, columns[n])
        factorise(problem, noise[n], total[n], weight, floor[n] / power[n], n, factor[n])
        forward_substitute(factor[n], columns[n])
        gram(columns[n], system)
    reduced = system[: 2 * users, : 2 * users]
    ahead = np.zeros((2 * users, 2))  # multipliers at the same pace, and by how much they change with it
    ahead[:users, 0] = asked - nats + perturbation / weight
    ahead[users:, 0] = perturbation / price - (1 - power.sum(0))
    ahead[:, 0] -= system[2 * users, : 2 * users]
    ahead[:users, 1] = slope
    for k in range(users):
        reduced[k, k] += slack[k] / weight[k]
        reduced[users + k, users + k] += (1 - power[:, k].sum()) / price[k]
    cholesky(reduced)
    forward_substitute(reduced, ahead)
    back_substitute(reduced, ahead)
    missing = 1 - (slope * weight).sum() - (slope * ahead[:users, 0]).sum()
    d_pace = missing / ((bend * weight).sum() + (slope * ahead[:users, 1]).sum())
    multipliers = np.ones((2 * users + 1, 1))
    multipliers[: 2 * users, 0] = ahead[:, 0] + d_pace * ahead[:, 1]
    d_power = np.empty((subcarriers, users))
    for n in range(subcarriers):
        step = columns[n] @ multipliers
        back_substitute(factor[n], step)
        d_power[n] = step[:, 0]
    return d_power, d_pace, multipliers[:users, 0], multipliers[users : 2 * users, 0]


@compiled
def linearise(problem, noise, total, power, weight, price, perturbation, n, columns):
    """Fill in ``[dR/dp, -1, -gradient]`` on one subcarrier, ``(K, 2 K + 1)``."""
    users = weight.size
    columns[:] = 0.0
    for k in range(users):
        lost = 1 / noise[k] - 1 / total[k]
        for j in range(users):
            columns[j, k] = -lost * problem.interference[n, k, j]
        columns[k, k] += problem.signal[n, k] / total[k]
    for j in range(users):
        gradient = price[j] - perturbation / power[n, j]
        for k in range(users):
            gradient -= weight[k] * columns[j, k]
        columns[j, users + j] = -1.0
        columns[j, 2 * users] = -gradient


@compiled
def factorise(problem, noise, total, weight, diagonal, n, out):
    """Fill in the Cholesky factor, ``(K, K)``, of minus the Hessian on a subcarrier, damped if need be."""
    for share in CURVATURES:
        hessian(problem, noise, total, weight, share, n, out)
        for j in range(weight.size):
            out[j, j] += diagonal[j]
        if cholesky(out):
            break


@compiled
def hessian(problem, noise, total, weight, share, n, out):
    """Fill in the lower triangle, ``(K, K)``, of minus the Hessian of the weighted rates on one subcarrier."""
    users = weight.size
    out[:] = 0.0
    for k in range(users):
        gains = problem.interference[n, k]
        signal = problem.signal[n, k]
        concave = weight[k] / total[k] ** 2
        both = concave - share * weight[k] / noise[k] ** 2
        cross = concave * signal
        for i in range(users):
            scaled = both * gains[i]
            for j in range(i + 1):
                out[i, j] += scaled * gains[j]
        for j in range(k + 1):
            out[k, j] += cross * gains[j]
        for i in range(k, users):
            out[i, k] += cross * gains[i]
        out[k, k] += concave * signal**2
