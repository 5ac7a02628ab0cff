"""The protocol of solvers, and the solution that they return."""

from __future__ import annotations

import dataclasses
import functools
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.single_user import Floats, latency_bound
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.performance.latencies import (
    best_offload,
    latency,
    local_latency,
    longer,
    offload_at,
    offload_latency,
)
from mec_cf_gym.performance.rates import rate

CONVERGED = "converged"
STEP_LIMIT = "step limit"
"""Status of an iteration that came to its end, and of one that was cut short."""
MOST_COMBINERS = 8
"""How often combiners that follow the powers are chosen, at most."""
SETTLED = 1e-7
"""Relative fall of the largest latency below which they have settled."""
ASSIGNMENT_THRESHOLD = 1e-6
"""Power ratio above which a subcarrier counts as assigned (paper A, eq. 14)."""


@dataclass(frozen=True)
class Solution(Allocation):
    """An allocation with its latencies, history and lower bound; arrays keep the block's leading axes."""

    latency: Floats  # (..., K), seconds
    history: Floats  # (..., steps + 1), largest latency in seconds, from the start on
    status: Any  # str, or an array of them, (...)
    lower_bound: Floats  # (...), seconds: no allocation has a smaller largest latency
    step_time_s: Floats = field(default_factory=lambda: np.zeros(0))  # (..., steps), wall time

    @classmethod
    def at(
        cls, block: CoherenceBlock, power: Floats, status: Any, offload: Floats | None = None, **known: Any
    ) -> Self:
        """Return the solution that has given powers.

        Args:
            block: The block, or a batch of them.
            power: Power ratios, ``(..., N, K)``.
            status: A str for all blocks, or an array of them, ``(...)``.
            offload: Offload ratios, ``(..., K)``; the best ones if not given.
            **known: Other fields. ``history`` is the latency reached if not given, ``lower_bound`` that of users
                alone.
        """
        rate_bps = rate(block, power)
        offload = offload_at(block, rate_bps) if offload is None else offload
        latency_s = longer(local_latency(block, offload), offload_latency(block, rate_bps, offload))
        if "history" not in known:
            known["history"] = np.asarray(latency_s.max(-1))[..., None]
        if "lower_bound" not in known:
            known["lower_bound"] = latency_bound(block)
        status = (np.full(block.batch_shape, status) if isinstance(status, str) else status)[()]
        return cls(power=power, offload=offload, latency=latency_s, status=status, **known)

    @property
    def alpha(self) -> NDArray[np.bool_]:
        """Subcarrier assignment ``p > eps``, ``(..., N, K)`` (paper A, eq. 14)."""
        return self.power > ASSIGNMENT_THRESHOLD

    @property
    def max_latency(self) -> Floats:
        """The largest latency of the users, ``(...)``, in seconds."""
        return np.asarray(self.latency.max(-1))


AnySolution = TypeVar("AnySolution", bound=Solution)


class Solver(ABC):
    """A function from a block, or a batch of blocks, to a solution. Also a policy: it ignores observations."""

    @abstractmethod
    def solve(self, block: CoherenceBlock) -> Solution:
        """Return an allocation for ``block`` with its latencies, history and lower bound."""

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
        return Solution.at(block, self.power(block), self.status)

    def allocate(self, observation: Mapping[str, NDArray[np.float32]], block: CoherenceBlock) -> Allocation:
        """Return the rule's powers and the best offload ratios for them."""
        power = self.power(block)
        return Allocation(power, best_offload(block, power))


def row_by_row(
    solve: Callable[[Any, CoherenceBlock], AnySolution],
) -> Callable[[Any, CoherenceBlock], AnySolution]:
    """Let a solver of single blocks solve batches, one block after the other."""

    @functools.wraps(solve)
    def solved(solver: Any, block: CoherenceBlock) -> AnySolution:
        if not block.batch_shape:
            return solve(solver, block)
        return stack_solutions([solve(solver, row) for row in block.rows()], block.batch_shape)

    return solved


def following_combiners(
    solve: Callable[[Any, CoherenceBlock], Solution],
) -> Callable[[Any, CoherenceBlock], Solution]:
    """Let a solver for fixed gains also solve blocks whose combiners follow the powers (paper B).

    Powers for fixed combiners, at first those for full power, and combiners for the new powers are found in turn;
    the solution with the least true latency is returned. Shared servers are shared equally. ``status`` says
    whether the combiners settled. Other blocks are passed on unchanged.
    """

    @functools.wraps(solve)
    def solved(solver: Any, block: CoherenceBlock) -> Solution:
        if block.receiver is None and block.servers is None:
            return solve(solver, block)
        tuned = dataclasses.replace(block, receiver=None, servers=None)
        best, settled = None, np.zeros(block.batch_shape, np.bool_)
        largest_s = [_largest_s(tuned, np.ones_like(block.signal_gain) / block.num_subcarriers)]
        times = []
        for _ in range(MOST_COMBINERS if block.receiver is not None else 1):
            began = time.perf_counter()
            found = solve(solver, tuned)
            tuned = dataclasses.replace(block.tuned(found.power), servers=None)
            offload = best_offload(tuned, found.power)
            found = dataclasses.replace(found, offload=offload, latency=latency(tuned, found.power, offload))
            times.append(time.perf_counter() - began)
            best = found if best is None else _better(best, found, settled)
            largest_s.append(best.max_latency)
            if len(times) > 1:
                settled = settled | (largest_s[-1] >= (1 - SETTLED) * largest_s[-2])
            if settled.all():
                break
        assert best is not None
        return dataclasses.replace(
            best,
            history=np.stack(largest_s, axis=-1),
            status=np.where(settled | (block.receiver is None), CONVERGED, STEP_LIMIT)[()],
            lower_bound=latency_bound(block),
            step_time_s=np.broadcast_to(times, (*block.batch_shape, len(times))),
        )

    return solved


def _largest_s(block: CoherenceBlock, power: Floats) -> Floats:
    """Return the largest latency with the best split, ``(...)``, in seconds."""
    return np.asarray(latency(block, power, best_offload(block, power)).max(-1))


def _better(one: Solution, other: Solution, settled: NDArray[np.bool_]) -> Solution:
    """Return the better of two solutions, row by row, and the first where it is settled, ``(...)``."""
    first = settled | (one.max_latency <= other.max_latency)
    return dataclasses.replace(
        one,
        power=np.where(first[..., None, None], one.power, other.power),
        offload=np.where(first[..., None], one.offload, other.offload),
        latency=np.where(first[..., None], one.latency, other.latency),
    )


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
