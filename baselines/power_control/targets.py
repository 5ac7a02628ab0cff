"""The exact optimum for fixed combiners: a search over the cells' least spectral efficiencies.

Users of cell c get the rate ``z_c``, or what their deadlines ask for if that is more. The least powers for these
rates solve a K x K system: with ``a_k = sinr_k / S_k`` and ``q = 1 + I p``, ``(1 - diag(a) I) p = a``. It is an
M-matrix, and elimination without pivoting meets positive pivots only, exactly if the rates can be reached at all.
The powers are sums of products of the a_k, hence convex in the rate if there is one cell.

A Newton method follows the central path of the budgets ``p < 1``; one factorisation gives the powers, the gradient
and the second derivatives. The largest of two rates is smoothed by ever less, so that the derivatives exist.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.kernels.compilation import compiled

PATH = 0.03
"""Factor of the weight of the budgets from one point of the central path to the next."""
LAST = 1e-11
"""Weight of the budgets, relative to what is at stake, at which the path ends."""
MOST_STEPS = 50
SUFFICIENT = 1e-4
MOST_RATE = 300.0


class Targets(NamedTuple):
    """One network with fixed combiners, as plain arrays for compiled code."""

    signal: Floats  # (K,), linear
    interference: Floats  # (K, K), linear
    least: Floats  # (K,), log(1 + sinr) that the deadlines ask for
    cell: Floats  # (K,), whole numbers; -1 for users whose cell has nothing to gain
    cost: Floats  # (K,), watts at full power
    worth: float  # watts for each unit of a cell's rate


@compiled
def lifted(targets, rate, width):
    """Return the smooth maximum of cell rates and least rates, and its first and second derivative, ``(K,)``."""
    users = targets.least.size
    value, first, second = targets.least.copy(), np.zeros(users), np.zeros(users)
    for k in range(users):
        if targets.cell[k] < 0:
            continue
        above = (rate[targets.cell[k]] - targets.least[k]) / width
        if above > 40:
            value[k] += width * above
            first[k] = 1.0
        elif above > -40:
            share = 1 / (1 + math.exp(-above))
            value[k] += width * (math.log1p(math.exp(-abs(above))) + max(above, 0.0))
            first[k] = share
            second[k] = share * (1 - share) / width
    return value, first, second


@compiled
def factorise(matrix):
    """Replace a matrix ``(n, n)`` by its LU factors, without pivoting; return whether all pivots are positive."""
    size = len(matrix)
    for i in range(size):
        if not matrix[i, i] > 1e-14:
            return False
        for row in range(i + 1, size):
            if matrix[row, i] != 0:
                matrix[row, i] /= matrix[i, i]
                scale = matrix[row, i]
                for j in range(i + 1, size):
                    matrix[row, j] -= scale * matrix[i, j]
    return True


@compiled
def substitute(factors, column):
    """Replace ``column``, ``(n,)``, by the solution of the factorised system."""
    size = len(column)
    for i in range(size):
        for j in range(i):
            column[i] -= factors[i, j] * column[j]
    for i in range(size - 1, -1, -1):
        for j in range(i + 1, size):
            column[i] -= factors[i, j] * column[j]
        column[i] /= factors[i, i]


@compiled
def substitute_transposed(factors, column):
    """Replace ``column``, ``(n,)``, by the solution of the transposed system."""
    size = len(column)
    for i in range(size):
        column[i] /= factors[i, i]
        for j in range(i + 1, size):
            column[j] -= factors[i, j] * column[i]
    for i in range(size - 1, -1, -1):
        for j in range(i):
            column[j] -= factors[i, j] * column[i]


@compiled
def least_powers(targets, rates):
    """Return the least powers for rates ``(K,)``, the factors of their system, and whether they exist."""
    alone = np.zeros(rates.size)
    for k in range(rates.size):
        if rates[k] > 0:
            alone[k] = math.expm1(min(rates[k], MOST_RATE)) / max(targets.signal[k], 1e-200)
    factors = np.eye(rates.size) - alone.reshape(-1, 1) * targets.interference
    reachable = alone.max() < 1e100 and factorise(factors)
    power = alone
    if reachable:
        substitute(factors, power)
    return power, factors, reachable


@compiled
def merit(targets, rate, width, weight):
    """Return the objective less ``weight sum_k log(1 - p_k)``, powers, ``(K,)``, and factors at rates ``(C,)``.

    The objective is infinite where no powers within the budgets give the rates.
    """
    power, factors, reachable = least_powers(targets, lifted(targets, rate, width)[0])
    if not reachable or not power.max() < 1:
        return np.inf, power, factors
    return (targets.cost * power - weight * np.log(1 - power)).sum() - targets.worth * rate.sum(), power, factors


@compiled
def derivatives(targets, rate, width, weight, power, factors):
    """Return the gradient ``(C,)`` and the second derivatives ``(C, C)`` of the merit."""
    users, cells = power.size, rate.size
    value, first, second = lifted(targets, rate, width)
    heard = 1 + targets.interference @ power
    multiplier = targets.cost + weight / (1 - power)
    substitute_transposed(factors, multiplier)
    gradient = np.full(cells, -targets.worth)
    hessian = np.zeros((cells, cells))
    grows, moves = np.zeros((cells, users)), np.zeros((cells, users))  # d a / d z_c, d p / d z_c
    for k in range(users):
        if first[k] > 0:
            c = targets.cell[k]
            slope = math.exp(min(value[k], MOST_RATE)) / max(targets.signal[k], 1e-200)
            grows[c, k] = slope * first[k]
            moves[c, k] = grows[c, k] * heard[k]
            gradient[c] += multiplier[k] * moves[c, k]
            hessian[c, c] += multiplier[k] * slope * (first[k] ** 2 + second[k]) * heard[k]
    for c in range(cells):
        substitute(factors, moves[c])
    for c in range(cells):
        heard_more = targets.interference @ moves[c]
        for d in range(cells):
            mixed = (multiplier * grows[d] * heard_more).sum()
            hessian[c, d] += mixed + (weight * moves[c] * moves[d] / (1 - power) ** 2).sum()
            hessian[d, c] += mixed
    return gradient, hessian


@compiled
def descent(gradient, hessian):
    """Return a direction of descent, ``(C,)``: Newton's, with a ridge if the Hessian is not positive definite."""
    size = gradient.size
    ridge, scale = 0.0, 1e-12 + np.abs(hessian).max()
    while True:
        factors = hessian + ridge * np.eye(size)
        if factorise(factors):
            break
        ridge = max(10 * ridge, 1e-6 * scale)
    step = -gradient
    substitute(factors, step)
    return step


@compiled
def centred(targets, rate, width, weight):
    """Return the rates at a point of the central path, from feasible ones, ``(C,)`` both."""
    here, power, factors = merit(targets, rate, width, weight)
    for _ in range(MOST_STEPS):
        gradient, hessian = derivatives(targets, rate, width, weight, power, factors)
        step = descent(gradient, hessian)
        fall = -(gradient * step).sum()
        if not fall > 1e-3 * weight:
            break
        size = min(1.0, 2.0 / np.abs(step).max())
        for _ in range(60):
            there, power, factors = merit(targets, rate + size * step, width, weight)
            if there <= here - SUFFICIENT * size * fall:
                break
            size /= 2
        if not there < here:
            break
        rate, here = rate + size * step, there
    return rate


@compiled
def optimal_powers(targets, rate):
    """Return the powers ``(K,)`` and whether any were found.

    Args:
        targets: The network.
        rate: Rates of the cells to start from, ``(C,)``; within the budgets, or they are lowered.
    """
    at_stake = targets.cost.sum() / targets.cost.size + targets.worth
    weight, width = 0.1 * at_stake, 1e-2
    while merit(targets, rate, width, weight)[0] == np.inf:
        if width < 1e-10:
            return np.zeros(targets.signal.size), False
        rate, width = rate - 0.1 * np.abs(rate) - width, width / 2
    while True:
        rate = centred(targets, rate, width, weight)
        if weight < LAST * at_stake:
            break
        weight *= PATH
        width = min(width, max(weight / at_stake, 1e-10))
    power, _, _ = least_powers(targets, lifted(targets, rate, width)[0])
    return power, True
