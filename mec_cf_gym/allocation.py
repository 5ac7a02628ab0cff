"""Allocations of power, offload and computing, and the protocol of the policies that decide on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.network.servers import Shares

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Allocation:
    """Power, offload and computing of the users of a block, or of a batch of blocks."""

    power: Floats  # (..., N, K), ratios of the budget, at most one in sum over a user's subcarriers
    offload: Floats  # (..., K), shares of the task that are offloaded, in static worlds
    computing: Shares | None = field(default=None, kw_only=True)  # of servers that are shared; None: equal ones
    cpu_share: Floats | None = field(default=None, kw_only=True)
    """Shares of the users' CPUs that run, ``(..., K)``, in dynamic worlds; None: all of them."""


@runtime_checkable
class Policy(Protocol):
    """Decides on an allocation: a heuristic, a solver, a learned model or an agent.

    Solvers look at the block, learned policies at the observation; both may carry leading batch axes.
    """

    def reset(self, seed: int) -> None:
        """Begin an episode: forget the last one, and draw any random numbers from ``seed``."""
        ...

    def allocate(self, observation: Mapping[str, NDArray[np.float32]], block: CoherenceBlock) -> Allocation:
        """Return the allocation for ``block``, of which ``observation`` is the environment's view."""
        ...
