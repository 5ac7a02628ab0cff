"""A first point that meets all deadlines, or else the users who prevent it."""

from __future__ import annotations

import dataclasses

import numpy as np

from mec_cf_gym.baselines.fast.bracket import LARGEST_NATS
from mec_cf_gym.baselines.power_control.computing import Flags
from mec_cf_gym.baselines.power_control.problem import Point, PowerProblem
from mec_cf_gym.baselines.power_control.step import convex_step, crowding, usual_sets
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.performance.rates import received_interference

MOST_ROUNDS = 100
MOST_RELAXED_STEPS = 40
ROUNDING = 1e-9
REPAIRS = 40
HALVINGS = 12
SETTLED = 1e-3
"""Relative fall of the excess in a relaxed step below which it counts as found."""


def feasible_start(problem: PowerProblem) -> tuple[PowerProblem, Point]:
    """Return a problem whose deadlines can all be met, and a point that meets them.

    Deadlines that users would miss even alone are dropped. While the rest cannot be met together, so is one after
    the other: that of the user without whom the others come closest. Those that can be met after all are restored.
    """
    point = Point.of(problem, np.ones(len(problem.bound)))
    if point.feasible:
        return problem, point
    problem = problem.without(problem.hopeless() | _late_alone(problem))
    late: list[Flags] = []
    point, worst = _closest(problem)
    while not point.feasible:
        late.append(np.arange(len(problem.bound)) == worst)
        problem = problem.without(late[-1])
        point, worst = _closest(problem)
    for user in late[:-1]:
        trial = dataclasses.replace(problem, bound=problem.bound | user)
        found, _ = _closest(trial)
        if found.feasible:
            problem, point = trial, found
    return problem, point


def _closest(problem: PowerProblem) -> tuple[Point, int]:
    """Return a point, feasible if one is found, and else the user whose deadline prevents it most."""
    point = Point.of(problem, np.ones(len(problem.bound)))
    if point.feasible:
        return point, 0
    power, reaches = balanced(problem)
    return _relaxed(problem, power) if reaches else (point, heaviest(problem, power))


def balanced(problem: PowerProblem) -> tuple[Floats, bool]:
    """Return powers, ``(K,)``, that come equally close to all least efficiencies, and whether they reach them.

    Users without a deadline stay silent. Each round computes the powers that reach the targets in the interference
    of the last ones, scales them onto the budgets, and chooses new combiners: a fixed-point iteration that reaches
    the targets where they can be reached.
    """
    target_sinr = sinr_of(problem.block, problem.least_efficiency)
    power = problem.bound.astype(np.float64)
    for _ in range(MOST_ROUNDS):
        asked = asked_power(problem.block.tuned(power[None]), target_sinr, power)
        if (asked <= power).all():
            return power, True
        if (asked[problem.bound] > (1 + ROUNDING) * power[problem.bound]).all():  # for these combiners: a proof
            after = asked / asked.max()
            if np.abs(after - power).max() < 1e-4:
                return power, False
        power = asked / asked.max() if np.isfinite(asked).all() else problem.bound.astype(np.float64)
    return power, False


def heaviest(problem: PowerProblem, power: Floats) -> int:
    """Return the user without whom the others come closest to their deadlines, at the combiners for ``power``."""
    block = problem.block.tuned(power[None])
    target_sinr = sinr_of(problem.block, problem.least_efficiency)
    users = np.flatnonzero(problem.bound)
    rest = problem.bound & (users[:, None] != np.arange(len(power)))  # (rest, K)
    trial = rest.astype(np.float64)
    largest = np.ones(len(users))
    for _ in range(MOST_ROUNDS):
        asked = np.where(rest, asked_power(block, target_sinr, trial), 0.0)
        largest = np.maximum(asked.max(-1), 1e-300)
        trial = asked / largest[:, None]
    return int(users[largest.argmin()])


def sinr_of(block: CoherenceBlock, efficiency: Floats) -> Floats:
    """Return the SINRs that give spectral efficiencies in bit/s/Hz, ``(..., K)`` both, capped below overflow."""
    return np.asarray(np.expm1(np.minimum(np.log(2) / block.data_share * efficiency, LARGEST_NATS)))


def asked_power(block: CoherenceBlock, target_sinr: Floats, power: Floats) -> Floats:
    """Return the powers that reach SINRs in the interference of given powers, ``(..., K)``; combiners stay."""
    signal_gain = np.maximum(block.signal_gain[0], 1e-200)
    heard = 1 + received_interference(np.asarray(block.interference_gain[0]), power)
    return np.asarray(target_sinr / signal_gain * heard)


def repaired(problem: PowerProblem, before: Point, power: Floats, efficiency: Floats) -> Point | None:
    """Return a feasible point near powers whose own combiners break deadlines; None if there is none.

    Combiners that follow the powers may give less than those the powers were chosen for. Users who get less than
    they were promised raise their powers until they have it; if this fails, powers step back to feasible ones.

    Args:
        problem: The problem.
        before: A feasible point.
        power: Powers, ``(K,)``.
        efficiency: What was promised, and meets the deadlines, bit/s/Hz, ``(K,)``.
    """
    target_sinr = sinr_of(problem.block, np.where(problem.bound, efficiency, 0.0)) * (1 + ROUNDING)
    trial = power
    for _ in range(REPAIRS):
        point = Point.of(problem, trial)
        if point.feasible:
            return point
        raised = np.maximum(trial, asked_power(point.block, target_sinr, trial))
        if raised.max() > 1 or not (raised > trial).any():
            break
        trial = raised
    for halving in range(1, HALVINGS):
        point = Point.of(problem, before.power + (power - before.power) / 2**halving)
        if point.feasible:
            return point
    return None


def _late_alone(problem: PowerProblem) -> Flags:
    """Return who would miss its deadline even alone, at full power with MMSE combining, ``(K,)``."""
    receiver, num_users = problem.block.receiver, len(problem.bound)
    if receiver is None:
        return np.zeros(num_users, np.bool_)
    signal_gain, interference_gain = dataclasses.replace(receiver, combiner="mmse").gains(np.eye(num_users))
    sinr = np.diagonal(signal_gain) / (1 + np.einsum("kkk->k", interference_gain))
    return np.asarray(sinr < sinr_of(problem.block, problem.least_efficiency))


def _relaxed(problem: PowerProblem, power: Floats) -> tuple[Point, int]:
    """Minimise the sum of excesses over deadlines; return the last point, and the user with the largest excess."""
    sets = usual_sets(problem)
    point, last, worst = Point.of(problem, power), np.inf, int(problem.bound.argmax())
    for _ in range(MOST_RELAXED_STEPS):
        found = convex_step(problem, sets, relaxed=True).solve(problem, point.block, point.power, sets)
        if found is None:
            break
        point = Point.of(problem, found.power)
        if point.feasible:
            break
        worst = int(np.where(problem.bound, found.excess, -1.0).argmax())
        crowd = crowding(problem, found, sets)
        if crowd is not None:
            sets.append(crowd)
        elif found.excess.sum() > (1 - SETTLED) * last:
            break
        else:
            last = found.excess.sum()
    return point, worst
