"""Another solver's powers with the best split of the tasks."""

from __future__ import annotations

import dataclasses

import numpy as np

from mec_cf_gym.baselines.solution import Solution, Solver
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.performance.latencies import best_offload, latency


class WithBestOffload(Solver):
    """Another solver's powers with the best offload ratios for them, which are closed form.

    Args:
        solver: The other solver.

    Examples:
        >>> import gymnasium as gym
        >>> from mec_cf_gym.baselines import CNNLSTM
        >>> env = gym.make("MECCellFree-v0").unwrapped
        >>> _ = env.reset(seed=0)
        >>> predicted = CNNLSTM.load("paper-a-k10")
        >>> better = WithBestOffload(predicted).solve(env.block)
        >>> bool(better.max_latency <= predicted.solve(env.block).max_latency)
        True
    """

    def __init__(self, solver: Solver) -> None:
        self.solver = solver

    def solve(self, block: CoherenceBlock) -> Solution:
        """Return the other solver's allocation with the best offload ratios."""
        solution = self.solver.solve(block)
        offload = best_offload(block, solution.power)
        latency_s = latency(block, solution.power, offload)
        history = np.concatenate((solution.history, latency_s.max(-1)[..., None]), axis=-1)
        return dataclasses.replace(solution, offload=offload, latency=latency_s, history=history)
