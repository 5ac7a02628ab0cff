"""Ascents from several starts: all go part of the way, those that then promise most to the end. Compiled."""

from __future__ import annotations

import numpy as np

from mec_cf_gym.baselines.fast.ascent import begin, climb
from mec_cf_gym.baselines.fast.newton import new_step, new_system
from mec_cf_gym.baselines.fast.problem import row_of
from mec_cf_gym.baselines.fast.starts import balanced
from mec_cf_gym.kernels.compilation import compiled

SCREENING = 0.01
"""Sum of products, relative to the pace, down to which all ascents go."""


@compiled
def ascend(batch, splits, inward, tolerance, max_steps, finalists):
    """Return the best powers of each network, over all starts.

    Args:
        batch: The problems.
        splits: Over the subcarriers, to start from, ``(rows, starts, N, K)``.
        inward: How far inside their bounds ascents begin, ``(starts,)``.
        tolerance: Of the ascents.
        max_steps: Of the ascents.
        finalists: Number of ascents, at most that of the starts, that go to the end.

    Returns:
        Powers, ``(rows, N, K)``; the weights of the rates there, ``(rows, K)``; the best pace after each start's
        way to ``SCREENING``, and after each finalist's, ``(rows, starts + finalists)``; whether the best ascent
        came to its end, ``(rows,)``.
    """
    rows, starts, subcarriers, users = splits.shape
    power, weight = np.empty((rows, subcarriers, users)), np.empty((rows, users))
    pace, ended = np.empty((rows, starts + finalists)), np.empty(rows, np.bool_)
    system = new_system(subcarriers, users)
    step, correction = new_step(subcarriers, users), new_step(subcarriers, users)
    promise = np.empty(starts)
    for row in range(rows):
        problem = row_of(batch, row)
        ascents = [begin(problem, balanced(problem, splits[row, start]), inward[start]) for start in range(starts)]
        best = 0
        for visit in range(starts + finalists):
            start, near = visit, max(tolerance, SCREENING)
            if visit >= starts:
                start, near = 0, tolerance
                for other in range(1, starts):
                    if promise[other] > promise[start]:
                        start = other
            ascent = ascents[start]
            climb(problem, ascent, near, max_steps, system, step, correction)
            promise[start] = ascent.point.pace[0] if visit < starts else -np.inf
            if ascent.best_pace[0] > ascents[best].best_pace[0]:
                best = start
            pace[row, visit] = ascents[best].best_pace[0]
        power[row], weight[row] = ascents[best].best, ascents[best].point.weight
        ended[row] = ascents[best].products[0] < tolerance
    return power, weight, pace, ended
