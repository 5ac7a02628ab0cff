"""SCA: paper B's successive convex approximation of powers and computing."""

from __future__ import annotations

import time

import numpy as np

from mec_cf_gym.baselines.ica import SOLVER_STOPPED
from mec_cf_gym.baselines.power_control.computing import Flags
from mec_cf_gym.baselines.power_control.feasibility import feasible_start, repaired
from mec_cf_gym.baselines.power_control.problem import Point, PowerProblem
from mec_cf_gym.baselines.power_control.solution import LEAST, PowerSolution, checked_computing
from mec_cf_gym.baselines.power_control.step import at_stake_w, convex_step, crowding, usual_sets
from mec_cf_gym.baselines.solution import CONVERGED, STEP_LIMIT, Solver, row_by_row
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import checked_count, refuse

MOST_SETS = 60
"""Sets of users a step may add until it gives up; users who crowd their servers are few."""


class SCA(Solver):
    """Paper B's successive convex approximation, from full power where that meets the deadlines.

    Every step chooses the combiners for the current powers, solves a convex problem that touches the true one
    there and lies inside it, and judges what it finds by its own combiners. Those of P-MMSE do not maximise the
    SINRs, so the objective may rise a little from step to step, and deadlines that a step just met may need a
    little more power; with MMSE and L-MMSE of one base station it falls. The best point is returned.

    Args:
        tolerance: Change of the objective in a step at which to stop, relative to it, to the total power or to the
            weight of fairness, whichever is largest.
        max_steps: Steps at most.
        computing: ``"least"``, the least computing that meets the deadlines, or ``"centre"``, where the central
            path ends: computing is not in the objective, and these two are well defined. Powers are the same.

    Raises:
        ValueError: If the tolerance is negative, no step is left or there is no such computing; from ``solve``,
            if the block has several subcarriers, no deadlines or no ``fairness``.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECUserCentric-v0", num_users=3, num_aps=16).unwrapped
        >>> _ = env.reset(seed=0)
        >>> print(SCA().solve(env.block).status)
        converged
    """

    def __init__(self, tolerance: float = 1e-7, max_steps: int = 200, computing: str = LEAST) -> None:
        if not tolerance >= 0:
            raise refuse("tolerance", tolerance, "it must be at least 0")
        self.tolerance = tolerance
        self.max_steps = checked_count("max_steps", max_steps, 1, 10**6)
        self.computing = checked_computing(computing)

    @row_by_row
    def solve(self, block: CoherenceBlock) -> PowerSolution:
        """Return the best point SCA passes, with computing that meets the deadlines.

        ``status`` is ``"converged"``, ``"step limit"`` or ``"solver stopped"``, or ``"infeasible"`` if not all
        deadlines can be met: then those of ``infeasible_users`` are left out, and they get the computing that is
        left. A batch is solved row by row; in its ``history`` and ``step_time_s``, rows that end early repeat
        their last objective and count no time.
        """
        return self.solve_from(*feasible_start(PowerProblem.of(block)))

    def solve_from(self, problem: PowerProblem, point: Point, prefix: str = "") -> PowerSolution:
        """Return the solution of a problem from a feasible point; its status follows a prefix."""
        best, history, times = point, [point.objective_w], list[float]()
        sets, status = usual_sets(problem), STEP_LIMIT
        while status == STEP_LIMIT and len(times) < self.max_steps:
            began = time.perf_counter()
            after, accurate = self._step(problem, point, sets)
            times.append(time.perf_counter() - began)
            if after is None:
                status = CONVERGED if accurate else SOLVER_STOPPED
                break
            scale_w = max(abs(after.objective_w), at_stake_w(problem, after.power))
            if abs(after.objective_w - point.objective_w) <= self.tolerance * scale_w:
                status = CONVERGED
            point = after
            best = point if point.objective_w < best.objective_w else best
            history.append(point.objective_w)
        history += history[-1:] * (len(times) + 1 - len(history))
        times_s = np.array(times)
        return PowerSolution.of_point(problem, best, history, prefix + status, self.computing, step_time_s=times_s)

    def _step(self, problem: PowerProblem, point: Point, sets: list[Flags]) -> tuple[Point | None, bool]:
        """Return the next point, None if there is none, and whether the convex solver was sure of it.

        Users who crowd their servers are added to ``sets``.
        """
        for _ in range(MOST_SETS):
            found = convex_step(problem, sets).solve(problem, point.block, point.power, sets)
            if found is None:
                return None, False
            after = Point.of(problem, found.power)
            if after.feasible:
                return after, found.accurate
            crowd = crowding(problem, found, sets)
            if crowd is None:
                return repaired(problem, point, found.power, found.efficiency), found.accurate
            sets.append(crowd)
        return None, False
