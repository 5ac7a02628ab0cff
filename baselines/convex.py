"""Parametrised convex problems, compiled once by cvxpy and solved in every step of ICA and SCA."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import cvxpy as cp

SOLVING = threading.RLock()
"""Held from the setting of parameters to the reading of a solution: threads may share solvers, and do share
Python's warning filters."""

Problem = TypeVar("Problem")


class CompiledOnce(Generic[Problem]):
    """Problems by shape, each compiled when it is first asked for.

    Args:
        compile_for: Returns the problem of a shape.
    """

    def __init__(self, compile_for: Callable[..., Problem]) -> None:
        self.compile_for = compile_for
        self.compiled: dict[tuple[Any, ...], Problem] = {}

    def __call__(self, *shape: Any) -> Problem:
        """Return the problem of a shape; hold :data:`SOLVING` to solve it."""
        with SOLVING:
            if shape not in self.compiled:
                self.compiled[shape] = self.compile_for(*shape)
            return self.compiled[shape]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"compiled": {}}  # solvers in them cannot be pickled


def solve(problem: cp.Problem) -> bool | None:
    """Solve a problem; return whether the solver is sure of its solution, None if it failed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an inaccurate solution is judged by what it truly gives
        try:
            # a warm start would make the solution depend on what was solved before
            problem.solve(solver=cp.CLARABEL, warm_start=False)  # type: ignore[no-untyped-call]
        except cp.error.SolverError:
            return None
    return bool(problem.status == cp.OPTIMAL)
