"""ExactPowerControl: for fixed combiners the exact optimum of paper B's problem, alternated with the combiners."""

from __future__ import annotations

import math
import time

import numpy as np

from mec_cf_gym.baselines.power_control.feasibility import feasible_start, repaired
from mec_cf_gym.baselines.power_control.problem import Point, PowerProblem
from mec_cf_gym.baselines.power_control.sca import SCA
from mec_cf_gym.baselines.power_control.solution import LEAST, PowerSolution
from mec_cf_gym.baselines.power_control.targets import Targets, optimal_powers
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.baselines.solution import CONVERGED, STEP_LIMIT, Solver, row_by_row
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.performance.rates import spectral_efficiency

BY_SCA = "by SCA"
"""Prefix of the status where computing is scarce and SCA took over."""


class ExactPowerControl(Solver):
    """SCA's fixed points, many times faster a step: exact powers for fixed combiners, then new combiners.

    The servers' budgets are checked afterwards. Where they do not allow what the deadlines then ask for, powers
    and computing depend on each other, and the problem is left to :class:`SCA`.

    Args:
        tolerance: Largest change of a power ratio in a step at which to stop.
        max_steps: Steps, and choices of combiners, at most.
        computing: ``"least"`` or ``"centre"``, as :class:`SCA` has it.

    Raises:
        ValueError: As :class:`SCA`.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECUserCentric-v0", num_users=3, num_aps=16).unwrapped
        >>> _ = env.reset(seed=0)
        >>> print(ExactPowerControl().solve(env.block).status)
        converged
    """

    def __init__(self, tolerance: float = 1e-6, max_steps: int = 100, computing: str = LEAST) -> None:
        if not tolerance >= 0:
            raise refuse("tolerance", tolerance, "it must be at least 0")
        self.tolerance = tolerance
        self.max_steps = checked_count("max_steps", max_steps, 1, 10**6)
        self.fallback = SCA(computing=computing)
        self.computing = self.fallback.computing

    @row_by_row
    def solve(self, block: CoherenceBlock) -> PowerSolution:
        """Return the best point on the way, with computing that meets the deadlines.

        ``status`` is ``"converged"``, ``"step limit"`` or ``"infeasible"``, as :class:`SCA` has it, or SCA's own
        after ``"by SCA: "`` where computing is scarce. A batch is solved row by row.
        """
        return self._solve_from(*feasible_start(PowerProblem.of(block)))

    def _solve_from(self, problem: PowerProblem, point: Point) -> PowerSolution:
        best, history, times = point, [point.objective_w], list[float]()
        status = STEP_LIMIT
        while status == STEP_LIMIT and len(times) < self.max_steps:
            began = time.perf_counter()
            power = exact_powers(problem, point)
            after = None if power is None else self._accepted(problem, point, power)
            times.append(time.perf_counter() - began)
            if after is None:
                return self.fallback.solve_from(problem, best, prefix=f"{BY_SCA}: ")
            if np.abs(after.power - point.power).max() <= self.tolerance:
                status = CONVERGED
            point = after
            best = point if point.objective_w < best.objective_w else best
            history.append(point.objective_w)
        times_s = np.array(times)
        return PowerSolution.of_point(problem, best, history, status, self.computing, step_time_s=times_s)

    def _accepted(self, problem: PowerProblem, point: Point, power: Floats) -> Point | None:
        """Return the point at new powers, ``(K,)``; None if servers do not suffice even at old combiners."""
        after = Point.of(problem, power)
        if after.feasible:
            return after
        efficiency = spectral_efficiency(point.block, power[None])
        needed_hz = problem.needed_hz(efficiency)
        if not np.isfinite(needed_hz).all() or problem.servers.least_shares(needed_hz)[1] < 1:
            return None
        return repaired(problem, point, power, efficiency)


def exact_powers(problem: PowerProblem, point: Point) -> Floats | None:
    """Return the optimal powers for the combiners of a feasible point, computing aside, ``(K,)``.

    Deadlines count as if every user had all servers it may use to itself. None if no powers are found.
    """
    block = point.block
    nats = math.log(2) / block.data_share
    signal_gain = np.ascontiguousarray(block.signal_gain[0], np.float64)
    dead = np.unique(problem.cell[signal_gain == 0])
    targets = Targets(
        signal=signal_gain,
        interference=np.ascontiguousarray(block.interference_gain[0], np.float64),
        least=nats * problem.least_efficiency,
        cell=np.where(np.isin(problem.cell, dead), -1, problem.cell),
        cost=np.ascontiguousarray(problem.user_power_w, np.float64),
        worth=problem.weight_w / nats,
    )
    rate = np.full(problem.num_cells, np.inf)
    np.minimum.at(rate, problem.cell, nats * point.efficiency)
    power, found = optimal_powers(targets, 0.95 * rate)
    return power if found else None
