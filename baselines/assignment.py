"""AssignmentSearch: paper A's problem over the subcarrier assignment alpha and the powers, for tiny networks."""

from __future__ import annotations

import dataclasses
import heapq
import itertools

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.baselines.branch_and_bound import BranchAndBound
from mec_cf_gym.baselines.solution import Solution, Solver, row_by_row
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse

MOST_LINKS = 9
"""Links of a network, N K, up to which a search ends within minutes."""
OFF, ON, OPEN = 0, 1, -1
Assignment = NDArray[np.int8]


class AssignmentSearch(Solver):
    """Branch and bound over the assignment ``alpha[n, k]`` of subcarriers to users, and over the powers.

    A link that is off carries nothing and disturbs nobody. Theorem 1 of paper A says that all links may be on:
    powers of zero then do the same. This search does not use that. While links are open, the bound of a node lets
    them carry and does not let them disturb, and every leaf is solved by :class:`BranchAndBound`.

    Args:
        tolerance: Relative gap to which leaves and bounds are solved; the search ends with the same gap.

    Raises:
        ValueError: As :class:`BranchAndBound`; from ``solve``, if N K exceeds 9.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", num_users=2, num_aps=8, num_subcarriers=2).unwrapped
        >>> _ = env.reset(seed=0)
        >>> found = AssignmentSearch(tolerance=0.01).solve(env.block)
        >>> print(found.status, bool(found.lower_bound <= found.max_latency))
        optimal True
    """

    def __init__(self, tolerance: float = 1e-3) -> None:
        self.leaves = BranchAndBound(tolerance)
        self.tolerance = tolerance

    @row_by_row
    def solve(self, block: CoherenceBlock) -> Solution:
        """Return the best allocation over all assignments; ``lower_bound`` is the certificate, in seconds.

        Powers of links that are off are zero. A batch is solved row by row.
        """
        links = block.num_subcarriers * block.num_users
        if links > MOST_LINKS:
            allowed = f"num_subcarriers * num_users must be at most {MOST_LINKS}"
            raise refuse("num_users", block.num_users, allowed)
        count = itertools.count()  # among equal bounds, the node that was found first
        root = np.full((block.num_subcarriers, block.num_users), OPEN, np.int8)
        nodes = [(0.0, next(count), root)]
        best: Solution | None = None
        certified = np.inf  # least bound of the leaves that were solved
        while nodes:
            bound, _, assignment = heapq.heappop(nodes)
            if best is not None and bound >= best.max_latency / (1 + self.tolerance):
                break
            undecided = np.argwhere(assignment == OPEN)
            if not len(undecided):
                leaf = self.leaves.solve(under(block, assignment))
                certified = min(certified, float(leaf.lower_bound))
                if best is None or leaf.max_latency < best.max_latency:
                    best = dataclasses.replace(leaf, power=leaf.power * (assignment == ON))
                continue
            for value in (OFF, ON):
                child = assignment.copy()
                child[tuple(undecided[0])] = value
                lowest = float(self.leaves.solve(under(block, child)).lower_bound)
                heapq.heappush(nodes, (max(bound, lowest), next(count), child))
        assert best is not None
        certified = min(certified, float(best.max_latency) / (1 + self.tolerance))  # the other nodes are above
        return Solution.at(block, best.power, best.status, best.offload, lower_bound=np.asarray(certified))


def under(block: CoherenceBlock, assignment: Assignment) -> CoherenceBlock:
    """Return the block under an assignment, ``(N, K)``: links that are off or open do not disturb the others.

    Links that are off carry nothing; with all of them decided this is the true problem.
    """
    signal_gain = np.where(assignment == OFF, 0.0, np.asarray(block.signal_gain))
    disturbs = (assignment == ON)[:, None, :] | np.eye(block.num_users, dtype=np.bool_)
    interference_gain = np.where(disturbs, np.asarray(block.interference_gain), 0.0)
    return dataclasses.replace(block, signal_gain=signal_gain, interference_gain=interference_gain, channel=None)
