"""ICA: inner convex approximation of the min-max latency problem (paper A, algorithm 1)."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from mec_cf_gym.baselines.convex import SOLVING, compiled_once, solve
from mec_cf_gym.baselines.heuristics import EqualSplit
from mec_cf_gym.baselines.single_user import Floats, latency_bound
from mec_cf_gym.baselines.solution import (
    CONVERGED,
    STEP_LIMIT,
    Solution,
    Solver,
    following_combiners,
    row_by_row,
)
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse
from mec_cf_gym.performance.latencies import best_offload, full_offload_latency, latency
from mec_cf_gym.performance.rates import interference_by_user, rate, received_interference

STAGE_TOLERANCE = 1e-4
"""Relative fall at which the next floor takes over; only the last is followed to the end."""
TINY_POWER = 1e-12
"""Takes the place of a zero power in denominators."""

SOLVER_STOPPED = "solver stopped"
"""The convex solver failed, or stopped too inaccurate to improve on the best feasible point, which is returned."""


class ICA(Solver):
    """Paper A's inner convex approximation, from an equal split of the power over the subcarriers.

    Every step solves a convex problem that touches the true one at the current point and lies inside it. Its
    powers are put back exactly onto the budgets, get their best split and are judged by their true latency; the
    best point so far is kept, so the largest latency never rises. A problem is compiled once per (N, K).

    As printed, a power that a step drives to zero stays there: (18a) has no slope at ``p_i = 0``. For N > 1 this
    traps some networks a percent or more above where they could be (``benchmarks/ica.py`` counts them). Steps
    therefore expand around powers raised to a small SINR, which falls to zero, the printed step, as progress
    stops; ``sinr_floors=(0.0,)`` is the algorithm as printed.

    Args:
        tolerance: Relative fall of the largest latency in a step at which to stop.
        max_steps: Steps at most.
        sinr_floors: SINRs (at interference as it is) below which no power is expanded around, one after another.

    Raises:
        ValueError: If an argument is negative, or no step or floor is left.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", num_users=3).unwrapped
        >>> _ = env.reset(seed=0)
        >>> print(ICA().solve(env.block).status)
        converged
    """

    def __init__(
        self, tolerance: float = 1e-6, max_steps: int = 200, sinr_floors: tuple[float, ...] = (0.1, 0.01, 0.0)
    ) -> None:
        if not tolerance >= 0:
            raise refuse("tolerance", tolerance, "it must be at least 0")
        if max_steps < 1:
            raise refuse("max_steps", max_steps, "it must be at least 1")
        if not sinr_floors or not min(sinr_floors) >= 0:
            raise refuse("sinr_floors", sinr_floors, "it must hold numbers of at least 0")
        self.tolerance = tolerance
        self.max_steps = max_steps
        self.sinr_floors = sinr_floors

    @following_combiners
    @row_by_row
    def solve(self, block: CoherenceBlock) -> Solution:
        """Return the point ICA ends at, with alpha, the objective history, status and times.

        ``status`` is ``"converged"``, ``"step limit"`` or ``"solver stopped"``; in each case the powers keep
        the budgets and are at least as good as the equal split. A batch is solved row by row; in its
        ``history`` and ``step_time_s``, rows that end early repeat their last latency and count no time.
        """
        problem = convex_step(block.num_subcarriers, block.num_users)
        point = Point.of(block, EqualSplit().power(block))
        history, stopped = [point.largest_s], False
        times: list[float] = []
        floors = list(self.sinr_floors) if math.isfinite(point.largest_s) else []
        while floors and len(times) < self.max_steps:
            began = time.perf_counter()
            power, accurate = problem.improve(block, point, floors[0])
            times.append(time.perf_counter() - began)
            after = point if power is None else Point.of(block, onto_budgets(power))
            fall = 1 - after.largest_s / point.largest_s
            if fall > 0:
                point = after
            history.append(point.largest_s)
            if fall <= (self.tolerance if len(floors) == 1 else max(self.tolerance, STAGE_TOLERANCE)):
                stopped |= power is None or (fall < -STAGE_TOLERANCE and not accurate)
                del floors[0]
        status = STEP_LIMIT if floors else SOLVER_STOPPED if stopped else CONVERGED
        return Solution(
            power=point.power,
            offload=point.offload,
            latency=point.latency_s,
            history=np.array(history),
            status=status,
            lower_bound=latency_bound(block),
            step_time_s=np.array(times),
        )


@dataclass(frozen=True)
class Point:
    """A feasible point of a single block, with its best split."""

    power: Floats  # (N, K)
    offload: Floats  # (K,)
    latency_s: Floats  # (K,)
    largest_s: float

    @classmethod
    def of(cls, block: CoherenceBlock, power: Floats) -> Point:
        """Return the point with the given powers."""
        offload = best_offload(block, power)
        latency_s = latency(block, power, offload)
        return cls(power, offload, latency_s, float(latency_s.max()))


class ConvexStep:
    """The convex problem of one ICA step, (17)-(19) of paper A, as a parametrised cvxpy problem.

    It is the same problem in units that keep all numbers near one, without which the solver fails: times in
    units of the current largest latency, and p, rho, lambda, phi, mu and nu in units of their current values.

    Args:
        num_subcarriers: N.
        num_users: K.
    """

    def __init__(self, num_subcarriers: int, num_users: int) -> None:
        shape, users = (num_subcarriers, num_users), (num_users,)
        self.power, offload, largest = cp.Variable(shape, nonneg=True), cp.Variable(users), cp.Variable()
        lam, phi, mu, nu = cp.Variable(shape), cp.Variable(shape), cp.Variable(users), cp.Variable(users)
        self.budget_share = cp.Parameter(shape, nonneg=True)  # p_i
        self.split = cp.Parameter(users, nonneg=True)  # rho_i
        self.local = cp.Parameter(users, nonneg=True)  # Z C / f
        self.local_split = cp.Parameter(users, nonneg=True)  # rho_i Z C / f
        self.server_share = cp.Parameter(users, nonneg=True)  # Z C / (f_ser nu_i)
        self.link_share = cp.Parameter(users, nonneg=True)  # Z mu_i / nu_i
        self.nats = cp.Parameter(users, nonneg=True)  # sum_n log(1 + lambda_i)
        self.sinr = cp.Parameter(shape, nonneg=True)  # lambda_i
        self.noise = cp.Parameter(shape, nonneg=True)  # 1 / phi_i
        self.interference = [cp.Parameter((num_users, num_users), nonneg=True) for _ in range(num_subcarriers)]
        self.shared = cp.Parameter(users, nonneg=True)  # rho_i nu_i / 2
        self.whole = cp.Parameter(users, nonneg=True)  # nu_i of a user without a CPU, for whom rho = 1
        constraints = [
            cp.sum(cp.multiply(self.budget_share, self.power), axis=0) <= 1,
            offload >= 0,
            cp.multiply(self.split, offload) <= 1,
            self.local - cp.multiply(self.local_split, offload) <= largest,
            cp.sum(cp.log1p(cp.multiply(self.sinr, lam)), axis=0)
            >= cp.multiply(self.nats, cp.inv_pos(mu)),  # (17a)
            2 * cp.sqrt(self.power) - phi >= lam,  # (18a)
            cp.multiply(self.link_share, mu) + self.server_share <= nu,  # (19a)
            cp.multiply(self.shared, cp.square(offload) + cp.square(nu)) + cp.multiply(self.whole, nu)
            <= largest,  # (19b)
        ]
        constraints += [
            self.noise[n] + self.interference[n] @ self.power[n] <= phi[n] for n in range(num_subcarriers)
        ]  # (18b)
        self.problem = cp.Problem(cp.Minimize(largest), constraints)

    def improve(self, block: CoherenceBlock, point: Point, sinr_floor: float) -> tuple[Floats | None, bool]:
        """Return the powers that solve the problem around ``point``, ``(N, K)``, and whether the solver is sure.

        The powers are None if it failed.
        """
        centre = lifted(block, point, sinr_floor)
        with SOLVING:
            self._linearise(block, centre, point.largest_s)
            accurate, ratio = solve(self.problem), self.power.value
        if accurate is None or ratio is None or not np.isfinite(ratio).all():
            return None, bool(accurate)
        return centre.power * ratio, accurate

    def _linearise(self, block: CoherenceBlock, point: Point, unit_s: float) -> None:
        """Set the parameters for a step around a point, with times in units of ``unit_s`` seconds."""
        has_cpu = block.local_hz > 0
        cycles = block.task_cycles
        local = np.where(has_cpu, cycles / np.where(has_cpu, block.local_hz, 1.0), 0.0) / unit_s
        phi = 1 + received_interference(block.interference_gain, point.power)
        sinr = block.signal_gain * point.power / phi
        nu_s = full_offload_latency(block, rate(block, point.power))
        has_link = np.isfinite(nu_s)
        nu = np.where(has_link, nu_s, 1.0) / unit_s
        server = cycles / block.server_hz / unit_s
        self.budget_share.value = point.power
        self.split.value = point.offload
        self.local.value = local
        self.local_split.value = local * point.offload
        self.server_share.value = np.where(has_link, server / nu, 0.0)
        self.link_share.value = np.where(has_link, np.maximum(1 - server / nu, 0.0), 1.0)
        self.nats.value = np.log1p(sinr).sum(0)
        self.sinr.value = sinr
        self.noise.value = 1 / phi
        received = interference_by_user(block.interference_gain, point.power) / phi[..., None]
        for parameter, gains in zip(self.interference, received, strict=True):
            parameter.value = gains
        self.shared.value = np.where(has_cpu, np.where(has_link, point.offload * nu, local) / 2, 0.0)
        self.whole.value = np.where(has_cpu, 0.0, nu)


convex_step = compiled_once(ConvexStep)


def lifted(block: CoherenceBlock, point: Point, sinr_floor: float) -> Point:
    """Return ``point`` with every power raised to where it gives at least the SINR ``sinr_floor``."""
    interference = received_interference(block.interference_gain, point.power)
    needed = np.maximum(sinr_floor * (1 + interference), np.finfo(float).tiny)
    least = needed / np.maximum(block.signal_gain, needed)
    return Point.of(block, np.maximum(point.power, np.maximum(least, TINY_POWER)))


def onto_budgets(power: Floats) -> Floats:
    """Return powers ``(N, K)`` without the solver's rounding errors: non-negative, and within every budget."""
    positive = np.maximum(power, 0.0)
    return np.asarray(positive / np.maximum(positive.sum(-2, keepdims=True), 1.0))
