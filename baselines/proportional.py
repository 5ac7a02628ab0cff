"""Shared servers divided in proportion to work, a rule beside the equal shares of min-max solvers."""

from __future__ import annotations

import dataclasses

from mec_cf_gym.baselines.exact import ExactMinMax
from mec_cf_gym.baselines.heuristics import FullPower
from mec_cf_gym.baselines.solution import Solution, Solver
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse


class ProportionalShares(Solver):
    """Every server divides its speed in proportion to the cycles of the tasks of the users it serves.

    Args:
        solver: Finds powers and offload ratios for these speeds.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECUserCentric-v0", num_users=3, num_aps=16).unwrapped
        >>> _ = env.reset(seed=0)
        >>> ProportionalShares(FullPower()).solve(env.block).computing.ap_hz.shape
        (16, 3)
    """

    def __init__(self, solver: Solver) -> None:
        self.solver = solver

    def solve(self, block: CoherenceBlock) -> Solution:
        """Return the solver's solution with these shares.

        Raises:
            ValueError: For a block whose servers are not shared.
        """
        if block.servers is None:
            raise refuse("block", "with dedicated servers", "there must be servers to share")
        shares = block.servers.divided(block.task_cycles[..., None, :], block.task_cycles)
        own = dataclasses.replace(block, server_hz=shares.total_hz, servers=None)
        return dataclasses.replace(self.solver.solve(own), computing=shares)


def proportional() -> ProportionalShares:
    """Return full power with proportional shares."""
    return ProportionalShares(FullPower())


def proportional_exact() -> ProportionalShares:
    """Return the powers that minimise the largest latency with proportional shares."""
    return ProportionalShares(ExactMinMax())
