"""FastMinMax: the min-max latency problem, solved by interior-point ascents from several starts."""

from __future__ import annotations

from functools import partial

import numpy as np

from mec_cf_gym.baselines.exact import ExactMinMax
from mec_cf_gym.baselines.fast.ascent import begin, climb
from mec_cf_gym.baselines.fast.newton import new_step, new_system
from mec_cf_gym.baselines.fast.problem import Problem, least_pace, problem_of, received, row_of
from mec_cf_gym.baselines.fast.starts import balanced, considerate, equal, scattered, selective
from mec_cf_gym.baselines.solution import CONVERGED, STEP_LIMIT, Solution, Solver, following_combiners
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.kernels.compilation import compiled

UNIT_S = 1e-3
MOST_DELIBERATE = 3
GROWTH = (0.1, 0.3)
"""Shares of the interference under which powers are found before all of it counts."""
DEEP, SHALLOW = 0.02, 0.003
"""How far inside its bounds an ascent begins, from a deliberate and from a random start."""
SCREENING = 0.01
"""Sum of products, relative to the pace, down to which all ascents go; the most promising ones then go on."""


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

        ``history`` has the largest latency before them, after each of them, part of the way, and each finalist;
        ``status`` is ``"converged"``, or ``"step limit"`` if the ascent to the point that is returned was cut
        short; ``lower_bound`` is that of users without interference, or for N = 1 the certificate.
        """
        if block.num_subcarriers == 1:
            return ExactMinMax().solve(block)
        shares = scattered(self.random_starts, block.num_subcarriers, block.num_users)
        batch = problem_of(block.flattened(), UNIT_S)
        power, pace, ended = best_of_starts(
            batch, self.deliberate_starts, shares, self.tolerance, self.max_steps, self.finalists
        )
        power = power.reshape(block.signal_gain.shape)
        with np.errstate(divide="ignore"):
            history = (UNIT_S / pace).reshape(*block.batch_shape, -1)
        status = np.where(ended.reshape(block.batch_shape), CONVERGED, STEP_LIMIT)
        return Solution.at(block, power, status, history=history)


@compiled
def best_of_starts(batch, deliberate, shares, tolerance, max_steps, finalists):
    """Return the best powers of each network, over all starts.

    Args:
        batch: The problems.
        deliberate: Number of deliberate starts.
        shares: Random splits to start from, ``(starts, N, K)``, after the deliberate ones.
        tolerance: Of the ascents.
        max_steps: Of the ascents.
        finalists: Number of ascents that go to the end, at most.

    Returns:
        Powers, ``(rows, N, K)``; the best pace at the balanced equal split, after the first stage of each start,
        and after each finalist, ``(rows, starts + finalists + 1)``; whether the best finalist came to its end,
        ``(rows,)``.
    """
    rows, subcarriers, users = batch.signal.shape
    starts = deliberate + len(shares)
    finalists = min(finalists, starts)
    power = np.empty((rows, subcarriers, users))
    pace = np.empty((rows, starts + finalists + 1))
    ended = np.zeros(rows, np.bool_)
    system = new_system(subcarriers, users)
    step, correction = new_step(subcarriers, users), new_step(subcarriers, users)
    promise = np.empty(starts)
    for row in range(rows):
        problem = row_of(batch, row)
        power[row] = balanced(problem, equal(problem))
        pace[row, 0] = least_pace(problem, received(problem, power[row])[1])
        ascents = [
            begin_deliberately(problem, start, max_steps, system, step, correction) for start in range(deliberate)
        ]
        ascents += [begin(problem, balanced(problem, share), SHALLOW) for share in shares]
        for start, ascent in enumerate(ascents):
            climb(problem, ascent, max(tolerance, SCREENING), max_steps, system, step, correction)
            promise[start] = ascent.point.pace[0]
            pace[row, start + 1] = max(pace[row, start], ascent.best_pace[0])
        best = ascents[0]
        for rank, start in enumerate(np.argsort(-promise, kind="mergesort")[:finalists]):
            ascent = ascents[start]
            climb(problem, ascent, tolerance, max_steps, system, step, correction)
            pace[row, starts + rank + 1] = max(pace[row, starts + rank], ascent.best_pace[0])
            if rank == 0 or ascent.best_pace[0] > best.best_pace[0]:
                best = ascent
        ended[row] = best.products[0] < tolerance
        for ascent in ascents:
            if ascent.best_pace[0] > best.best_pace[0]:
                best = ascent
        if best.best_pace[0] > pace[row, 0]:
            power[row] = best.best
    return power, pace, ended


@compiled
def begin_deliberately(problem, start, max_steps, system, step, correction):
    """Return the ascent from a deliberate start, by its number; the rest is as in :func:`climb`."""
    if start == 0:
        split = grown(problem, max_steps, system, step, correction)
    elif start == 1:
        split = considerate(problem)
    else:
        split = selective(problem)
    return begin(problem, balanced(problem, split), DEEP)


@compiled
def grown(problem, max_steps, system, step, correction):
    """Return powers, ``(N, K)``, found under a share of the interference, and from there under a larger one.

    They pass by the optima of little worth in which an ascent from an equal split ends where users disturb all
    others alike, as they do in paper A's print.
    """
    split = equal(problem)
    for share in GROWTH:
        quiet = Problem(
            problem.signal, share * problem.interference, problem.local_pace, problem.nats, problem.server
        )
        ascent = begin(quiet, balanced(quiet, split), DEEP)
        climb(quiet, ascent, SCREENING, max_steps, system, step, correction)
        split = ascent.best
    return split


fast_single = partial(FastMinMax, deliberate_starts=1, finalists=1)
"""One ascent, from powers that suit interference that grows: for millions of blocks."""
