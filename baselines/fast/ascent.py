"""Interior-point ascent on the least pace of a network, compiled.

    maximise v  s.t.  R_k(p) >= r_k(v),  sum_n p_nk <= 1,  p >= 0

Every step goes along the solution of the perturbed optimality conditions, linearised in powers, pace and the
multipliers of all constraints (:mod:`mec_cf_gym.baselines.fast.newton`). The perturbation falls slowly while steps
are cut short: a patient ascent passes by poor optima.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_cf_gym.baselines.fast.newton import Point, newton
from mec_cf_gym.baselines.fast.problem import least_pace, needed, receive, received
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.kernels.compilation import compiled

TO_BOUNDARY = 0.99
"""Share of the way to the nearest bound that a step goes at most."""


class Ascent(NamedTuple):
    """An ascent that may go on; arrays are written to."""

    point: Point
    perturbation: Floats  # (1,)
    products: Floats  # (1,), sum of products of slacks and multipliers, relative to the best pace
    steps: Floats  # (1,), taken
    best: Floats  # (N, K), powers of the largest least pace so far
    best_pace: Floats  # (1,), theirs


@compiled
def begin(problem, power, inward):
    """Return an ascent that has not gone a step.

    Args:
        problem: One network.
        power: Where to start, ``(N, K)``, within the budgets.
        inward: How far inside its bounds to begin; deeper inside, an ascent forgets where it came from.
    """
    subcarriers, users = power.shape
    power = (1 - inward) * power + 0.01 * inward / subcarriers
    noise, nats = received(problem, power)
    best_pace = least_pace(problem, nats)
    pace = (1 - inward / 2) * best_pace
    asked, slope, _ = needed(problem, pace)
    slack, weight, price, floor = np.empty(users), np.empty(users), np.empty(users), np.empty(power.shape)
    perturbation = 0.0
    for k in range(users):
        slack[k] = max(nats[k] - asked[k], inward / 10 * nats.mean())
        weight[k] = 1 / (slope[k] * users)
        perturbation += weight[k] * slack[k] / users
    for k in range(users):
        left = 1.0
        for n in range(subcarriers):
            floor[n, k] = perturbation / power[n, k]
            left -= power[n, k]
        price[k] = perturbation / left
    point = Point(power, np.full(1, pace), slack, weight, price, floor, noise, nats)
    return Ascent(
        point=point,
        perturbation=np.full(1, perturbation),
        products=np.full(1, np.inf),
        steps=np.zeros(1),
        best=power.copy(),
        best_pace=np.full(1, best_pace),
    )


@compiled
def climb(problem, ascent, tolerance, max_steps, system, step, correction):
    """Let an ascent go on, until ``products`` falls below ``tolerance`` or ``max_steps`` are taken in all.

    ``system``, ``step`` and ``correction`` are room to compute in.
    """
    point = ascent.point
    slack_step, floor_step = np.empty_like(point.slack), np.empty_like(point.floor)
    while ascent.products[0] >= tolerance and ascent.steps[0] < max_steps:
        ascent.steps[0] += 1
        perturbation = ascent.perturbation[0]
        if not newton(problem, point, perturbation, system, step, correction):
            break
        go, go_dual = lengths(problem, point, perturbation, step, slack_step, floor_step)
        if not go * go_dual > 0:  # NaN compares false
            break
        products = move(point, step, slack_step, floor_step, go, go_dual)
        receive(problem, point.power, point.noise, point.nats)
        reached = least_pace(problem, point.nats)
        if reached > ascent.best_pace[0]:
            ascent.best[:], ascent.best_pace[0] = point.power, reached
        ascent.products[0] = products / ascent.best_pace[0]
        ascent.perturbation[0] = products / (2 * point.slack.size + point.power.size) * centering(go)


@compiled
def centering(go):
    """Return the factor of the perturbation after a step of relative length ``go``."""
    return 0.3 if go > 0.9 else 0.5 if go > 0.5 else 0.7


@compiled
def lengths(problem, point, perturbation, step, slack_step, floor_step):
    """Fill in the steps of slacks and floors; return how far primal and dual unknowns may go, at most one."""
    go, go_dual = 1.0, 1.0
    for k in range(point.slack.size):
        ratio = point.slack[k] / point.weight[k]
        slack_step[k] = perturbation / point.weight[k] - point.slack[k] - ratio * step.weight[k]
        left, left_step = 1.0, 0.0
        for n in range(len(point.power)):
            power, floor = point.power[n, k], point.floor[n, k]
            floor_step[n, k] = perturbation / power - floor - floor / power * step.power[n, k]
            go = shorter(go, power, step.power[n, k])
            go_dual = shorter(go_dual, floor, floor_step[n, k])
            left -= power
            left_step -= step.power[n, k]
        room = 1 - problem.server[k] * (point.pace[0] - problem.local_pace[k])
        go = shorter(go, room, -problem.server[k] * step.pace[0])
        go = shorter(go, point.slack[k], slack_step[k])
        go = shorter(go, left, left_step)
        go_dual = shorter(go_dual, point.weight[k], step.weight[k])
        go_dual = shorter(go_dual, point.price[k], step.price[k])
    return go, go_dual


@compiled
def shorter(go, value, direction):
    """Return ``go``, or the longest step that keeps ``value`` positive; zero for a NaN direction."""
    if direction >= -TO_BOUNDARY * value:
        return go
    limit = -TO_BOUNDARY * value / direction
    return min(go, limit) if limit > 0 else 0.0


@compiled
def move(point, step, slack_step, floor_step, go, go_dual):
    """Go a step; return the sum of products of slacks and multipliers."""
    products = 0.0
    point.pace[0] += go * step.pace[0]
    for k in range(point.slack.size):
        point.slack[k] += go * slack_step[k]
        point.weight[k] += go_dual * step.weight[k]
        point.price[k] += go_dual * step.price[k]
        left = 1.0
        for n in range(len(point.power)):
            point.power[n, k] += go * step.power[n, k]
            point.floor[n, k] += go_dual * floor_step[n, k]
            products += point.floor[n, k] * point.power[n, k]
            left -= point.power[n, k]
        products += point.weight[k] * point.slack[k] + point.price[k] * left
    return products
