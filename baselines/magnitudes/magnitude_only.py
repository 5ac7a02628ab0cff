"""MagnitudeOnly: any solver, on what the channels' magnitudes lead to expect."""

from __future__ import annotations

import dataclasses

from mec_cf_gym.baselines.magnitudes.magnitudes import Magnitudes
from mec_cf_gym.baselines.solution import Solution, Solver
from mec_cf_gym.block.block import CoherenceBlock


class MagnitudeOnly(Solver):
    """Another solver on ``E[I | |H|]`` in place of the interference, which the phases of the channels decide.

    It needs maximum-ratio combining, on a disk. Offload ratios are the solver's own, for the rates it expects;
    ``WithBestOffload`` puts those in their place that are best for the true rates, which magnitudes do not show.

    Args:
        solver: The other solver.

    Raises:
        ValueError: From ``solve``, if the block has no channel, or another combiner.

    Examples:
        >>> import gymnasium as gym
        >>> from mec_cf_gym.baselines import ExactMinMax
        >>> env = gym.make("MECCellFree-v0", num_users=3, num_subcarriers=1).unwrapped
        >>> _ = env.reset(seed=0)
        >>> blind, seeing = MagnitudeOnly(ExactMinMax()), ExactMinMax()
        >>> bool(blind.solve(env.block).max_latency >= seeing.solve(env.block).max_latency)
        True
    """

    def __init__(self, solver: Solver) -> None:
        self.solver = solver

    def reset(self, seed: int) -> None:
        """Begin an episode of the solver."""
        self.solver.reset(seed)

    def solve(self, block: CoherenceBlock) -> Solution:
        """Return the solver's allocation, with the latencies that it truly gives; ``status`` is the solver's."""
        known = Magnitudes.of(block)
        expected = dataclasses.replace(
            block, interference_gain=known.expected_interference, channel=known.magnitude
        )
        found = self.solver.solve(expected)
        return Solution.at(block, found.power, found.status, found.offload)


def magnitude_only() -> MagnitudeOnly:
    """Return the fast solver on magnitudes."""
    from mec_cf_gym.baselines.fast.solver import FastMinMax

    return MagnitudeOnly(FastMinMax())
