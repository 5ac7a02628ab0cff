"""A Newton step of an ascent: the curvature of each power alone, then, by refinement, that of all.

At powers p, pace v and multipliers (weights w of the rates, prices of the budgets, floors of the powers), and a
perturbation t, the linearised optimality conditions are

    (H + floor / p) dp - J^T dw + dprice = J^T w - price + t / p         (N K)
    J dp - r' dv + slack / w dw = r - R + t / w                          (K)
    -sum_n dp + left / price dprice = t / price - left                   (K)
    r' dw + r'' w dv = 1 - r' w                                          (1)

where J = dR/dp, r(v) are the rates that the pace asks for, and H is minus the Hessian of the weighted rates. With
only a part of H's diagonal, powers and prices are eliminated user by user. The weights are left, K unknowns, and
the work is one product of matrices, N K^3. It leaves a residual in the first line; solving for that with the same
factor brings the step close to Newton's own.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mec_cf_gym.baselines.fast.linear import cholesky, solve
from mec_cf_gym.baselines.fast.problem import needed
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.kernels.compilation import compiled


class Point(NamedTuple):
    """Where an ascent is; arrays are written to."""

    power: Floats  # (N, K), inside the budgets
    pace: Floats  # (1,), v
    slack: Floats  # (K,), of the rates over those that the pace asks for
    weight: Floats  # (K,), multipliers of the rates
    price: Floats  # (K,), multipliers of the budgets
    floor: Floats  # (N, K), multipliers of p >= 0
    noise: Floats  # (N, K), and interference, over the noise
    nats: Floats  # (K,), rates


class Step(NamedTuple):
    """Changes of powers, pace, weights and prices."""

    power: Floats  # (N, K)
    pace: Floats  # (1,)
    weight: Floats  # (K,)
    price: Floats  # (K,)


class System(NamedTuple):
    """The linear system at a point, and room for its solution."""

    jacobian: Floats  # (N, K, K), J^T: of the rate of user k by the power of user j, at [j, k]
    ease: Floats  # (N, K), one over the curvature of each power alone
    spread: Floats  # (N K, K), rows whose Gram matrix is the eliminated system
    factor: Floats  # (K, K), its Cholesky factor, in the upper triangle
    mean: Floats  # (K, K), row j: J^T averaged over the subcarriers of user j
    pricing: Floats  # (K,), change of a user's price with its total power
    slope: Floats  # (K,), r'
    along: Floats  # (K,), change of the weights with the pace
    total: Floats  # (N, K), noise, interference and signal over the noise
    conditions: Floats  # (N, K), right-hand side of the first line
    rates: Floats  # (K,), of the second
    budgets: Floats  # (K,), of the third
    user: Floats  # (K,), room


@compiled
def new_step(subcarriers, users):
    """Return a step with nothing in it."""
    return Step(np.empty((subcarriers, users)), np.empty(1), np.empty(users), np.empty(users))


@compiled
def new_system(subcarriers, users):
    """Return a system with nothing in it."""
    each, rows, square = (subcarriers, users), (subcarriers * users, users), (users, users)
    return System(
        jacobian=np.empty((subcarriers, *square)),
        ease=np.empty(each),
        spread=np.empty(rows),
        factor=np.empty(square),
        mean=np.empty(square),
        pricing=np.empty(users),
        slope=np.empty(users),
        along=np.empty(users),
        total=np.empty(each),
        conditions=np.empty(each),
        rates=np.empty(users),
        budgets=np.empty(users),
        user=np.empty(users),
    )


@compiled
def newton(problem, point, perturbation, system, step, correction):
    """Fill in the step from a point, ``correction`` being room for another; return whether there is a step."""
    asked, slope, bend = needed(problem, point.pace[0])
    if not linearise(problem, point, system):
        return False
    system.slope[:] = slope
    system.along[:] = slope
    solve(system.factor, system.along)
    fill_gradient(system.jacobian, point.weight, system.conditions)
    system.budgets[:] = -1.0
    for n in range(len(point.power)):
        for k in range(asked.size):
            system.conditions[n, k] += perturbation / point.power[n, k] - point.price[k]
            system.budgets[k] += point.power[n, k]
    missing, stiffness = 1.0, 0.0
    for k in range(asked.size):
        system.rates[k] = asked[k] - point.nats[k] + perturbation / point.weight[k]
        system.budgets[k] += perturbation / point.price[k]
        missing -= slope[k] * point.weight[k]
        stiffness += bend[k] * point.weight[k] + slope[k] * system.along[k]
    eliminate(system, missing, stiffness, step)
    fill_residual(problem, point, system, step.power)
    system.rates[:] = 0.0
    system.budgets[:] = 0.0
    eliminate(system, 0.0, stiffness, correction)
    if length(system, correction) < length(system, step):  # else the diagonal is too poor a picture of H
        add(step, correction)
    return True


@compiled
def add(step, correction):
    """Add a correction to a step."""
    step.pace[0] += correction.pace[0]
    for k in range(step.weight.size):
        step.weight[k] += correction.weight[k]
        step.price[k] += correction.price[k]
        for n in range(len(step.power)):
            step.power[n, k] += correction.power[n, k]


@compiled
def linearise(problem, point, system):
    """Fill in derivatives at a point, and the factor of the eliminated system; return whether there is one.

    Of H's diagonal only what a user's own signal adds is kept: it is positive. Eliminating powers and prices
    leaves, for every user j, the scatter of J^T over its subcarriers around their mean, and the mean itself as far
    as its budget gives way. Both are kept as rows of ``spread``: their Gram matrix loses no digits.
    """
    subcarriers, users = point.power.shape
    lost = system.user
    system.pricing[:] = 0.0
    system.mean[:] = 0.0
    for n in range(subcarriers):
        for k in range(users):
            system.total[n, k] = point.noise[n, k] + problem.signal[n, k] * point.power[n, k]
            lost[k] = 1 / system.total[n, k] - 1 / point.noise[n, k]
        for j in range(users):
            slopes, scatter = system.jacobian[n, j], system.spread[n * users + j]
            mean, caused = system.mean[j], problem.interference[n, j]
            for k in range(users):
                slopes[k] = lost[k] * caused[k]
            own = problem.signal[n, j] / system.total[n, j]
            slopes[j] += own
            ease = 1 / (point.weight[j] * own * own + point.floor[n, j] / point.power[n, j])
            system.ease[n, j], before = ease, system.pricing[j]
            system.pricing[j] = before + ease
            share = ease / system.pricing[j]
            scale = math.sqrt(before * share)
            for k in range(users):
                apart = slopes[k] - mean[k]
                scatter[k] = scale * apart
                mean[k] += share * apart
    for j in range(users):
        left = 1.0
        for n in range(subcarriers):
            left -= point.power[n, j]
        yielding = left / point.price[j]
        ease = system.pricing[j]
        system.pricing[j] = 1 / (ease + yielding)
        scale = math.sqrt(ease * yielding * system.pricing[j])
        for k in range(users):
            system.spread[j, k] = scale * system.mean[j, k]  # the first subcarrier has no scatter
    np.dot(system.spread.T, system.spread, system.factor)
    for k in range(users):
        system.factor[k, k] += point.slack[k] / point.weight[k]
    return cholesky(system.factor)


@compiled
def eliminate(system, missing, stiffness, step):
    """Fill in the solution for the right-hand sides in ``system`` and, for the last line, ``missing``.

    ``stiffness`` is the factor of dv once dw is eliminated from that line. ``conditions`` are used up.
    """
    price_and_power(system, step)
    weight, slopes = step.weight, system.jacobian
    weight[:] = system.rates
    for n in range(len(slopes)):
        for j in range(weight.size):
            row, change = slopes[n, j], step.power[n, j]
            for k in range(weight.size):
                weight[k] -= row[k] * change
    solve(system.factor, weight)
    pace = missing
    for k in range(weight.size):
        pace -= system.slope[k] * weight[k]
    pace /= stiffness
    step.pace[0] = pace
    for k in range(weight.size):
        weight[k] += pace * system.along[k]
    for n in range(len(slopes)):
        for j in range(weight.size):
            row, total = slopes[n, j], 0.0
            for k in range(weight.size):
                total += row[k] * weight[k]
            system.conditions[n, j] += total
    price_and_power(system, step)


@compiled
def price_and_power(system, step):
    """Fill in the prices and powers that solve the first and third line, in which weights are counted already."""
    price = step.price
    price[:] = 0.0
    for n in range(len(step.power)):
        for j in range(price.size):
            price[j] += system.ease[n, j] * system.conditions[n, j]
    for j in range(price.size):
        price[j] = system.pricing[j] * (price[j] + system.budgets[j])
    for n in range(len(step.power)):
        for j in range(price.size):
            step.power[n, j] = system.ease[n, j] * (system.conditions[n, j] - price[j])


@compiled
def fill_residual(problem, point, system, change):
    """Make ``conditions`` what a change of the powers, ``(N, K)``, leaves of the first line, for all of H."""
    pull = system.user
    users = pull.size
    for n in range(len(change)):
        out = system.conditions[n]
        pull[:] = 0.0
        for j in range(users):
            caused, by = problem.interference[n, j], change[n, j]
            for k in range(users):
                pull[k] += caused[k] * by
        for k in range(users):
            with_signal = (
                point.weight[k] / system.total[n, k] ** 2 * (pull[k] + problem.signal[n, k] * change[n, k])
            )
            pull[k] = point.weight[k] / point.noise[n, k] ** 2 * pull[k] - with_signal
            alone = 1 / system.ease[n, k] - point.floor[n, k] / point.power[n, k]
            out[k] = alone * change[n, k] - problem.signal[n, k] * with_signal
        for j in range(users):
            caused, total = problem.interference[n, j], 0.0
            for k in range(users):
                total += caused[k] * pull[k]
            out[j] += total


@compiled
def fill_gradient(jacobian, weight, out):
    """Fill in ``J^T w``, ``(N, K)``, for weights ``(K,)``."""
    for n in range(len(out)):
        for j in range(weight.size):
            slopes, total = jacobian[n, j], 0.0
            for k in range(weight.size):
                total += slopes[k] * weight[k]
            out[n, j] = total


@compiled
def length(system, step):
    """Return the squared length of a step in its powers, by their curvatures."""
    total = 0.0
    for n in range(len(step.power)):
        for k in range(step.price.size):
            total += step.power[n, k] ** 2 / system.ease[n, k]
    return total
