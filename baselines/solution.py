"""What a solver returns, and what every solver is."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.single_user import Floats, latency_bound
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.performance import best_offload, latency

CONVERGED = "converged"
STEP_LIMIT = "step limit"
"""Status of an iteration that came to its end, and of one that was cut short."""
ASSIGNMENT_THRESHOLD = 1e-6
"""Power ratio above which a subcarrier counts as assigned (paper A, eq. 14)."""


@dataclass(frozen=True)
class Solution(Allocation):
    """An allocation with what is known about it; every array keeps the block's leading axes."""

    latency: Floats  # (..., K), seconds
    history: Floats  # (..., steps + 1), largest latency in seconds, from the start on
    status: Any  # str, or an array of them, (...)
    lower_bound: Floats  # (...), seconds: no allocation has a smaller largest latency
    step_time_s: Floats = field(default_factory=lambda: np.zeros(0))  # (..., steps), wall time

    @property
    def alpha(self) -> NDArray[np.bool_]:
        """Subcarrier assignment ``p > eps``, ``(..., N, K)`` (paper A, eq. 14)."""
        return self.power > ASSIGNMENT_THRESHOLD

    @property
    def max_latency(self) -> Floats:
        """The largest latency of the users, ``(...)``, in seconds."""
        return np.asarray(self.latency.max(-1))


class Solver(ABC):
    """A function from a block, or a batch of blocks, to a solution. Also a policy: it ignores observations."""

    @abstractmethod
    def solve(self, block: CoherenceBlock) -> Solution:
        """Return an allocation for ``block`` with what is known about it."""

    def reset(self, seed: int) -> None:  # noqa: B027  # most solvers remember nothing
        """Begin an episode."""

    def allocate(self, observation: Mapping[str, NDArray[np.float32]], block: CoherenceBlock) -> Allocation:
        """Return the allocation of :meth:`solve`."""
        return self.solve(block)


class Heuristic(Solver):
    """A rule for the powers, completed by the best split for each user."""

    status: ClassVar[str] = "heuristic"

    @abstractmethod
    def power(self, block: CoherenceBlock) -> Floats:
        """Return power ratios, ``(..., N, K)``, within every user's budget."""

    def solve(self, block: CoherenceBlock) -> Solution:
        """Return the rule's powers, the best offload ratios for them, and the latencies."""
        power = self.power(block)
        offload = best_offload(block, power)
        latency_s = latency(block, power, offload)
        history = np.asarray(latency_s.max(-1))[..., None]
        status = np.full(block.batch_shape, self.status)[()]
        return Solution(power, offload, latency_s, history, status, latency_bound(block))

    def allocate(self, observation: Mapping[str, NDArray[np.float32]], block: CoherenceBlock) -> Allocation:
        """Return the rule's powers and the best offload ratios for them."""
        power = self.power(block)
        return Allocation(power, best_offload(block, power))


AnySolution = TypeVar("AnySolution", bound=Solution)


def stack_solutions(rows: Sequence[AnySolution], batch_shape: tuple[int, ...]) -> AnySolution:
    """Return the solutions of single blocks as one of a batch; the shorter histories repeat their last entry."""
    steps = max(row.step_time_s.size for row in rows)

    def stack(values: Sequence[Any]) -> Any:
        if values[0] is None:
            return None
        if dataclasses.is_dataclass(values[0]):
            return _stack_fields(values, stack)
        stacked = np.stack(values)
        return stacked.reshape(*batch_shape, *stacked.shape[1:])

    padded = [
        dataclasses.replace(
            row,
            history=np.pad(row.history, (0, steps + 1 - row.history.size), "edge"),
            step_time_s=np.pad(row.step_time_s, (0, steps - row.step_time_s.size)),
        )
        for row in rows
    ]
    stacked: AnySolution = _stack_fields(padded, stack)
    return stacked


def _stack_fields(rows: Sequence[Any], stack: Callable[[Sequence[Any]], Any]) -> Any:
    names = [field.name for field in dataclasses.fields(rows[0])]
    return type(rows[0])(**{name: stack([getattr(row, name) for row in rows]) for name in names})
