"""The convex problem of one SCA step (paper B), as a parametrised cvxpy problem."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from mec_cf_gym.baselines.convex import SOLVING, compiled_once, solve
from mec_cf_gym.baselines.power_control.computing import Flags, greediest, reach_hz
from mec_cf_gym.baselines.power_control.problem import PowerProblem
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.performance.rates import received_interference

TINY_POWER = 1e-4
"""Unit of the powers of users who have less."""
MOST_GROWTH = 100.0
"""No power grows beyond so many units in a step: the solver needs numbers near one."""
SETS_AT_A_TIME = 8
"""Sets of users beyond the first, for which problems are compiled at a time."""
CROWDED = 1 - 1e-7
"""Servers are crowded if they meet a smaller part of the needed speeds; the rest is the solver's tolerance."""


@dataclass(frozen=True)
class Candidate:
    """A solution of the convex problem."""

    power: Floats  # (K,)
    efficiency: Floats  # (K,), of the surrogate, bit/s/Hz: at most the true one at the step's combiners
    excess: Floats  # (K,), by how much deadlines are exceeded, relative to them
    accurate: bool  # whether the solver was sure of it


class ConvexStep:
    """The problem in which every spectral efficiency is replaced by a concave function below that touches it.

    ``log2(num + den)(p) - log2 den(p_i) - grad den . (p - p_i) / (ln2 den(p_i))``, times tau_u / tau_c. Computing
    is in the problem by the users' totals f_k: at most what each could have alone, and, for chosen sets of users,
    at most what their servers have together. All numbers are near one: powers in units of their current values,
    watts in units of what is at stake, times in units of the deadlines.

    Args:
        num_users: K.
        num_cells: C.
        num_sets: Sets of users whose servers are limited.
        relaxed: Whether to minimise the sum of the relative excesses over the deadlines instead.
    """

    def __init__(self, num_users: int, num_cells: int, num_sets: int, relaxed: bool) -> None:
        users = (num_users,)
        self.power, self.efficiency, least = cp.Variable(users), cp.Variable(users), cp.Variable(num_cells)
        speed = cp.Variable(users, nonneg=True)
        self.excess = cp.Variable(users, nonneg=True)
        self.relaxed = relaxed
        self.most_power = cp.Parameter(users, nonneg=True)
        self.cost = cp.Parameter(users, nonneg=True)  # P_k over the unit of power
        self.worth = cp.Parameter(nonneg=True)  # w
        self.noise = cp.Parameter(users, nonneg=True)  # 1 / num
        self.received = cp.Parameter((num_users, num_users), nonneg=True)  # (I + diag S) p_i / num
        self.heard = cp.Parameter((num_users, num_users), nonneg=True)  # I p_i / den
        self.level = cp.Parameter(users)  # log(num / den) + grad . p_i
        self.bits = cp.Parameter(nonneg=True)  # tau_u / (tau_c ln 2)
        self.member = cp.Parameter((num_users, num_cells), nonneg=True)
        self.link = cp.Parameter(users, nonneg=True)
        self.free = cp.Parameter(users, nonneg=True)  # lifts users without a deadline off the pole at zero
        self.cycles = cp.Parameter(users, nonneg=True)
        self.most_speed = cp.Parameter(users, nonneg=True)
        self.takes = cp.Parameter((num_sets, num_users), nonneg=True)
        below = cp.log(self.noise + self.received @ self.power) - self.heard @ self.power + self.level
        arrives = cp.multiply(self.link, cp.inv_pos(self.efficiency + self.free))
        computes = cp.multiply(self.cycles, cp.inv_pos(speed))
        objective = cp.sum(self.excess) if relaxed else self.cost @ self.power - self.worth * cp.sum(least)
        constraints = [
            self.power >= 0,
            self.power <= self.most_power,
            self.efficiency <= self.bits * below,
            self.member @ least <= self.efficiency,
            least >= -1,
            arrives + computes <= 1 + (self.excess if relaxed else 0),
            speed <= self.most_speed,
            self.takes @ speed <= 1,
        ]
        self.problem = cp.Problem(cp.Minimize(objective), constraints)

    def solve(
        self, problem: PowerProblem, block: CoherenceBlock, power: Floats, sets: list[Flags]
    ) -> Candidate | None:
        """Return what solves the problem around ``power``, ``(K,)``; None if the solver failed.

        Args:
            problem: The problem.
            block: Its block with the combiners for ``power``.
            power: Power ratios, ``(K,)``.
            sets: Sets of users, ``(K,)`` each, at most ``num_sets``.
        """
        unit = np.maximum(power, TINY_POWER)
        with SOLVING:
            self._linearise(problem, block, power, unit)
            self._limit(problem, sets)
            accurate = solve(self.problem)
            ratio, efficiency, excess = self.power.value, self.efficiency.value, self.excess.value
        if accurate is None or ratio is None or efficiency is None or not np.isfinite(ratio).all():
            return None
        excess = excess if self.relaxed and excess is not None else np.zeros(len(power))
        return Candidate(np.clip(unit * ratio, 0.0, 1.0), np.maximum(efficiency, 0.0), excess, accurate)

    def _linearise(self, problem: PowerProblem, block: CoherenceBlock, power: Floats, unit: Floats) -> None:
        interference_gain = np.asarray(block.interference_gain[0], np.float64)
        all_gain = interference_gain + np.diag(block.signal_gain[0])
        den, num = 1 + received_interference(interference_gain, power), 1 + received_interference(all_gain, power)
        self.noise.value = 1 / num
        self.received.value = all_gain * unit / num[:, None]
        self.heard.value = interference_gain * unit / den[:, None]
        self.level.value = np.log(num / den) + self.heard.value @ (power / unit)
        self.bits.value = block.data_share / math.log(2)
        self.most_power.value = np.minimum(1 / unit, MOST_GROWTH)
        unit_w = at_stake_w(problem, power)
        self.cost.value = problem.user_power_w * unit / unit_w
        self.worth.value = problem.weight_w / unit_w
        self.member.value = (problem.cell[:, None] == np.arange(problem.num_cells)).astype(np.float64)

    def _limit(self, problem: PowerProblem, sets: list[Flags]) -> None:
        bound, deadline_s = problem.bound, problem.deadline_s
        unit_hz = 2 * np.where(bound, problem.cycles / deadline_s, 1.0)
        self.link.value = np.where(bound, problem.link_s / deadline_s, 0.0)
        self.free.value = np.where(bound, 0.0, 2.0)
        self.cycles.value = np.where(bound, 0.5, 0.0)
        self.most_speed.value = np.where(bound, problem.servers.most_hz / unit_hz, 1.0)
        takes = np.zeros(self.takes.shape)
        for row, users in zip(takes, sets, strict=False):
            budget_hz = reach_hz(problem.servers, users & bound)
            if budget_hz > 0:
                row[:] = np.where(users & bound, unit_hz / budget_hz, 0.0)
        self.takes.value = takes


def at_stake_w(problem: PowerProblem, power: Floats) -> float:
    """Return the unit of the objective near powers ``(K,)``, in watts: the solver's error is a part of it."""
    return max(problem.weight_w, float(problem.user_power_w @ np.maximum(power, TINY_POWER)))


compiled_step = compiled_once(ConvexStep)


def convex_step(problem: PowerProblem, sets: list[Flags], relaxed: bool = False) -> ConvexStep:
    """Return the convex problem that takes so many users, cells and sets."""
    first = 1 + problem.num_cells
    room = first + SETS_AT_A_TIME * math.ceil((len(sets) - first) / SETS_AT_A_TIME)
    return compiled_step(len(problem.bound), problem.num_cells, room, relaxed)


def usual_sets(problem: PowerProblem) -> list[Flags]:
    """Return the usual sets whose computing is limited, ``(K,)`` each: all users, and those of every cell."""
    everybody = np.ones(len(problem.cell), np.bool_)
    return [everybody, *(problem.cell == cell for cell in range(problem.num_cells))]


def crowding(problem: PowerProblem, found: Candidate, sets: list[Flags]) -> Flags | None:
    """Return a new set of users, ``(K,)``, for whom a candidate asks too much of their servers; None if none."""
    left_s = problem.deadline_s * (1 + found.excess)
    left_s = left_s - problem.link_s / np.where(problem.bound, np.maximum(found.efficiency, 1e-9), np.inf)
    asks = problem.bound & (left_s > 0)
    needed_hz = np.where(asks, problem.cycles / np.where(asks, left_s, 1.0), 0.0)
    if problem.servers.least_shares(needed_hz)[1] >= CROWDED:
        return None
    users = greediest(problem.servers, needed_hz)
    return None if any((users == known).all() for known in sets) else users
