"""Paper B's problem for one coherence block, and points of it.

Minimise ``sum_k P_k p_k - w sum_cells min_{k in cell} SE_k`` over the powers, where every deadline
``b_k / (B SE_k) + c_k / f_k <= L_k`` and every server's budget is kept. Whole tasks are offloaded.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.baselines.single_user import Floats, alone_efficiency
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse
from mec_cf_gym.network.servers import Servers, Shares
from mec_cf_gym.performance.objective import needed_server_hz, power_fairness
from mec_cf_gym.performance.rates import spectral_efficiency

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class PowerProblem:
    """The problem for a single block with N = 1."""

    block: CoherenceBlock
    servers: Servers
    user_power_w: Floats  # (K,)
    cell: NDArray[np.intp]  # (K,), numbered without gaps
    weight_w: float
    link_s: Floats  # (K,), time on uplink and fronthaul at 1 bit/s/Hz
    cycles: Floats  # (K,)
    deadline_s: Floats  # (K,)
    bound: Flags  # (K,), whose deadlines count

    @classmethod
    def of(cls, block: CoherenceBlock) -> PowerProblem:
        """Return the problem of a single block.

        Raises:
            ValueError: If the block has several subcarriers, no deadlines, or does not say what powers are worth.
        """
        if block.num_subcarriers != 1:
            raise refuse("num_subcarriers", block.num_subcarriers, "power control is for one subcarrier; use ICA")
        if block.fairness is None:
            raise refuse("fairness", None, "the block must say what powers and cells its users have")
        if block.deadline_s is None:
            raise refuse("deadline_s", None, "power control needs the users' deadlines")
        users = (block.num_users,)
        return cls(
            block=block,
            servers=servers_of(block),
            user_power_w=np.broadcast_to(block.fairness.user_power_w, users),
            cell=np.unique(np.broadcast_to(block.fairness.cell, users), return_inverse=True)[1],
            weight_w=block.fairness.weight_w,
            link_s=np.broadcast_to(block.link_bits / block.subcarrier_bandwidth_hz, users),
            cycles=np.broadcast_to(block.task_cycles, users),
            deadline_s=np.broadcast_to(np.asarray(block.deadline_s, np.float64), users),
            bound=np.ones(users, np.bool_),
        )

    @property
    def num_cells(self) -> int:
        """Number of cells with users, C."""
        return int(self.cell.max()) + 1

    def without(self, users: Flags) -> PowerProblem:
        """Return the problem in which the deadlines of some users, ``(K,)``, do not count."""
        return dataclasses.replace(self, bound=self.bound & ~users)

    def needed_efficiency(self, server_hz: Floats) -> Floats:
        """Return the spectral efficiencies that just meet the deadlines at given speeds, ``(K,)``.

        Infinite where computing alone takes too long, and zero for users whose deadlines do not count.
        """
        with np.errstate(divide="ignore"):
            left_s = self.deadline_s - self.cycles / server_hz
        needed = np.where(left_s > 0, self.link_s / np.where(left_s > 0, left_s, 1.0), np.inf)
        return np.where(self.bound, needed, 0.0)

    @property
    def least_efficiency(self) -> Floats:
        """What the deadlines ask for if each user had all servers it may use to itself, bit/s/Hz, ``(K,)``."""
        return self.needed_efficiency(self.servers.most_hz)

    def needed_hz(self, efficiency: Floats) -> Floats:
        """Return the speeds that just meet the deadlines at given spectral efficiencies, ``(K,)``.

        Infinite where the task arrives too late, and zero for users whose deadlines do not count.
        """
        rate_bps = efficiency * self.block.subcarrier_bandwidth_hz
        return np.where(self.bound, needed_server_hz(self.block, rate_bps, np.ones(len(self.bound))), 0.0)

    def hopeless(self) -> Flags:
        """Return who would miss its deadline even if it were alone, at full power, ``(K,)``."""
        return np.asarray(self.least_efficiency > alone_efficiency(self.block))


@dataclass(frozen=True)
class Point:
    """Powers with their own combiners, and the least computing that they ask for."""

    power: Floats  # (K,), ratios in [0, 1]
    block: CoherenceBlock  # with the combiners for these powers, which stay
    efficiency: Floats  # (K,), bit/s/Hz
    needed_hz: Floats  # (K,)
    shares: Shares  # the least that meets the deadlines, if any does
    feasible: bool  # whether all deadlines that count are met
    objective_w: float

    @classmethod
    def of(cls, problem: PowerProblem, power: Floats) -> Point:
        """Return the point with the given powers, ``(K,)``, which are clipped to [0, 1]."""
        power = np.clip(power, 0.0, 1.0)
        tuned = problem.block.tuned(power[None])
        efficiency = spectral_efficiency(tuned, power[None])
        needed_hz = problem.needed_hz(efficiency)
        in_time = np.isfinite(needed_hz)
        shares, part = problem.servers.least_shares(np.where(in_time, needed_hz, 0.0))
        objective_w = float(power_fairness(tuned, power[None]))
        return cls(power, tuned, efficiency, needed_hz, shares, bool(in_time.all() and part == 1), objective_w)


def servers_of(block: CoherenceBlock) -> Servers:
    """Return the servers of a block; users with servers of their own are APs that serve one user each."""
    if block.servers is not None:
        return block.servers
    own_hz = np.broadcast_to(np.asarray(block.server_hz, np.float64), (block.num_users,))
    return Servers(own_hz, np.asarray(0.0), np.eye(block.num_users, dtype=np.bool_))
