"""Parametrised convex problems, compiled once by cvxpy and solved in every step of ICA and SCA."""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import cvxpy as cp

SOLVING = threading.RLock()
"""Held from the setting of parameters to the reading of a solution: threads may share solvers, and do share
Python's warning filters."""

MOST_SHAPES = 16
"""Problems that are kept: those used last."""
Problem = TypeVar("Problem")
Shape = ParamSpec("Shape")


def compiled_once(compile_for: Callable[Shape, Problem]) -> Callable[Shape, Problem]:
    """Return a function that compiles the problem of a shape when it is first asked for, for all solvers.

    Hold :data:`SOLVING` to solve the problem.
    """
    compiled = functools.lru_cache(MOST_SHAPES)(compile_for)

    def problem_of(*shape: Shape.args, **named: Shape.kwargs) -> Problem:
        with SOLVING:
            return compiled(*shape, **named)  # type: ignore[arg-type]  # numbers are hashable

    return problem_of


def solve(problem: cp.Problem, **settings: Any) -> bool | None:
    """Solve a problem; return whether the solver is sure of its solution, None if it failed.

    Args:
        problem: The problem.
        **settings: Of Clarabel.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an inaccurate solution is judged by what it truly gives
        try:
            # a warm start would make the solution depend on what was solved before
            problem.solve(solver=cp.CLARABEL, warm_start=False, **settings)  # type: ignore[no-untyped-call]
        except cp.error.SolverError:
            return None
    return bool(problem.status == cp.OPTIMAL)
