"""The solution that power control returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mec_cf_gym.baselines.power_control.centre import NoInsideError, central_shares
from mec_cf_gym.baselines.power_control.computing import in_whole_hz
from mec_cf_gym.baselines.power_control.problem import Flags, Point, PowerProblem
from mec_cf_gym.baselines.single_user import Floats, latency_bound
from mec_cf_gym.baselines.solution import Solution
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse
from mec_cf_gym.network.servers import Servers, Shares
from mec_cf_gym.performance.latencies import latency

INFEASIBLE = "infeasible"
"""Not all deadlines can be met; the solution meets those of all users but ``infeasible_users``."""
LEAST, CENTRE = "least", "centre"
"""Choices of the computing, which is not in the objective."""


def checked_computing(computing: str) -> str:
    """Return a choice of the computing.

    Raises:
        ValueError: If there is no such choice.
    """
    if computing not in (LEAST, CENTRE):
        raise refuse("computing", computing, f"it must be {LEAST!r} or {CENTRE!r}")
    return computing


@dataclass(frozen=True)
class PowerSolution(Solution):
    """Powers and computing; ``history`` is paper B's objective in watts, at its own combiners each time.

    ``computing`` is in whole Hz and meets the deadlines: the least that does, or the centre of all that do; None
    where users have servers of their own.
    """

    objective_w: Floats = field(kw_only=True)  # (...), sum_k P_k p_k - w sum_cells min_k SE_k
    spectral_efficiency: Floats = field(kw_only=True)  # (..., K), bit/s/Hz
    infeasible_users: Flags = field(kw_only=True)  # (..., K), whose deadlines cannot be met together with the rest

    @classmethod
    def of_point(
        cls,
        problem: PowerProblem,
        point: Point,
        history: list[float],
        status: str,
        computing_choice: str,
        **more: Any,
    ) -> PowerSolution:
        """Return the solution of a single block at a point, with the least computing or the centre."""
        computing = None if problem.block.servers is None else whole_shares(problem, point, computing_choice)
        offload = np.ones(len(point.power))
        server_hz = problem.block.server_hz if computing is None else computing.total_hz
        with np.errstate(divide="ignore"):  # nothing may be left to users who miss their deadline
            latency_s = latency(point.block, point.power[None], offload, server_hz)
        return cls(
            power=point.power[None],
            offload=offload,
            latency=latency_s,
            history=np.array(history),
            status=status if problem.bound.all() else INFEASIBLE,
            lower_bound=latency_bound(problem.block),
            computing=computing,
            objective_w=np.asarray(point.objective_w),
            spectral_efficiency=point.efficiency,
            infeasible_users=~problem.bound,
            **more,
        )


def central_computing(block: CoherenceBlock, power: Floats, late: Flags) -> Shares:
    """Return the central computing at given powers, in whole Hz; users who are late get what is left.

    Args:
        block: A single block with shared servers and N = 1.
        power: Power ratios, ``(K,)``.
        late: Whose deadlines do not count, ``(K,)``.
    """
    problem = PowerProblem.of(block).without(late)
    return whole_shares(problem, Point.of(problem, power), CENTRE)


def whole_shares(problem: PowerProblem, point: Point, computing: str) -> Shares:
    """Return the chosen shares that meet the deadlines, and what is left to users who miss theirs, in whole Hz."""
    servers = problem.servers
    shares = point.shares if computing == LEAST else _central(problem, point)
    met = in_whole_hz(shares, servers, np.where(problem.bound, point.needed_hz, 0.0))
    if problem.bound.all():
        return met
    left = Servers(servers.ap_hz - met.ap_hz.sum(-1), servers.cloud_hz - met.cloud_hz.sum(-1), servers.serves)
    late = np.asarray(~problem.bound, np.float64)
    rest = left.divided(np.broadcast_to(late, servers.serves.shape), late)
    return Shares(met.ap_hz + np.floor(rest.ap_hz), met.cloud_hz + np.floor(rest.cloud_hz))


def _central(problem: PowerProblem, point: Point) -> Shares:
    """Return the centre for the users whose deadlines count; the least computing where there is nothing else."""
    bound = problem.bound
    if not bound.any():
        return point.shares
    servers = Servers(problem.servers.ap_hz, problem.servers.cloud_hz, problem.servers.serves[:, bound])
    tasks = (values[bound] for values in (problem.link_s, problem.cycles, problem.deadline_s))
    try:
        central = central_shares(servers, point.efficiency[bound], *tasks)
    except NoInsideError:
        return point.shares
    ap_hz, cloud_hz = np.zeros(problem.servers.serves.shape), np.zeros(bound.shape)
    ap_hz[:, bound], cloud_hz[bound] = central.ap_hz, central.cloud_hz
    return Shares(ap_hz, cloud_hz)
