"""FastMinMax: the min-max latency problem, solved by interior-point ascents from several starts."""

from __future__ import annotations

from functools import partial

import numpy as np

from mec_cf_gym.baselines.exact import ExactMinMax
from mec_cf_gym.baselines.fast.competition import SCREENING, ascend
from mec_cf_gym.baselines.fast.problem import Problem, problem_of
from mec_cf_gym.baselines.fast.starts import considerate, equal, scattered, selective
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.baselines.solution import CONVERGED, STEP_LIMIT, Solution, Solver, following_combiners
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import checked_count, refuse

UNIT_S = 1e-3
MOST_DELIBERATE = 3
GROWTH = (0.1, 0.3)
"""Shares of the interference under which powers are found before all of it counts."""
DEEP, SHALLOW = 0.02, 0.003
"""How far inside its bounds an ascent begins, from a deliberate and from a random start."""


class FastMinMax(Solver):
    """A local optimum as good as ICA's, hundreds of times faster, in batches; exact for N = 1.

    For N > 1 an interior-point method ascends on the least pace, one over the largest latency, with p and all
    multipliers as unknowns (:mod:`mec_cf_gym.baselines.fast.ascent`), from powers that suit interference that
    grows, from two splits over the subcarriers that avoid interference, and from random ones, always the same. All
    ascents go part of the way, those that then promise most to the end; the best is kept. For N = 1 the problem is
    left to :class:`ExactMinMax`.

    Args:
        random_starts: Number of random starts beside the deliberate ones.
        tolerance: Sum of products of slacks and multipliers, relative to the pace, at which an ascent ends.
        max_steps: Steps of an ascent at most.
        deliberate_starts: How many of the three deliberate starts are used, in the order above; the first alone
            saves time where blocks are many.
        finalists: Number of ascents, the most promising ones, that go on to the end.

    Raises:
        ValueError: If an argument is negative, or no step is left.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", num_users=3).unwrapped
        >>> _ = env.reset(seed=0)
        >>> print(FastMinMax().solve(env.block).status)
        converged
    """

    def __init__(
        self,
        random_starts: int = 0,
        tolerance: float = 1e-5,
        max_steps: int = 60,
        *,
        deliberate_starts: int = MOST_DELIBERATE,
        finalists: int = 2,
    ) -> None:
        self.random_starts = checked_count("random_starts", random_starts, 0, 1000)
        self.deliberate_starts = checked_count("deliberate_starts", deliberate_starts, 1, MOST_DELIBERATE)
        self.finalists = checked_count("finalists", finalists, 1, 1000)
        self.max_steps = checked_count("max_steps", max_steps, 1, 10**6)
        if not tolerance > 0:
            raise refuse("tolerance", tolerance, "it must be positive")
        self.tolerance = tolerance

    @following_combiners
    def solve(self, block: CoherenceBlock) -> Solution:
        """Return the best point of all starts.

        ``history`` has the largest latency after each of them, part of the way, and after each finalist;
        ``status`` is ``"converged"``, or ``"step limit"`` if the ascent to the point that is returned was cut
        short; ``lower_bound`` is that of users without interference, or for N = 1 the certificate.
        """
        if block.num_subcarriers == 1:
            return ExactMinMax().solve(block)
        batch = problem_of(block.flattened(), UNIT_S)
        inward = np.repeat([DEEP, SHALLOW], [self.deliberate_starts, self.random_starts])
        power, _, pace, ended = ascend(
            batch, self.splits(batch), inward, self.tolerance, self.max_steps, min(self.finalists, len(inward))
        )
        power = power.reshape(block.signal_gain.shape)
        with np.errstate(divide="ignore"):
            history = (UNIT_S / pace).reshape(*block.batch_shape, -1)
        status = np.where(ended.reshape(block.batch_shape), CONVERGED, STEP_LIMIT)
        return Solution.at(block, power, status, history=history)

    def splits(self, batch: Problem) -> Floats:
        """Return the splits over the subcarriers that ascents start from, ``(rows, starts, N, K)``."""
        deliberate = (partial(grown, max_steps=self.max_steps), considerate, selective)[: self.deliberate_starts]
        splits = np.stack([split(batch) for split in deliberate], axis=1)
        return np.concatenate([splits, scattered(self.random_starts, batch)], axis=1)


def grown(batch: Problem, max_steps: int) -> Floats:
    """Return powers, ``(rows, N, K)``, found under a share of the interference, and from there under a larger one.

    They pass by the optima of little worth in which an ascent from an equal split ends where users disturb all
    others alike, as they do in paper A's print.
    """
    split = equal(batch)
    for share in GROWTH:
        quiet = batch._replace(interference=share * batch.interference)
        split, *_ = ascend(quiet, split[:, None], np.array([DEEP]), SCREENING, max_steps, 0)
    return split


fast_single = partial(FastMinMax, deliberate_starts=1, finalists=1)
"""One ascent, from powers that suit interference that grows: for millions of blocks."""
