"""The outcome of a block: what its users experienced under an allocation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.metrics import gini
from mec_cf_gym.performance import local_latency, offload_latency, rate

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """Latencies of a block, or of a batch of blocks, under an allocation."""

    rate_bps: Floats  # (..., K)
    offload: Floats  # (..., K)
    local_latency_s: Floats  # (..., K)
    offload_latency_s: Floats  # (..., K)
    latency_s: Floats  # (..., K), the longer of both, at most the cap
    capped: NDArray[np.bool_]  # (..., K), whether the cap took hold

    def info(self, deadline_s: float) -> dict[str, Any]:
        """Return the entries of an environment's ``info``."""
        max_latency_s = self.latency_s.max(-1)
        return {
            "latency_s": self.latency_s,
            "max_latency_s": max_latency_s,
            "local_latency_s": self.local_latency_s,
            "offload_latency_s": self.offload_latency_s,
            "rate_bps": self.rate_bps,
            "offload": self.offload,
            "gini": gini(self.latency_s),
            "deadline_missed": max_latency_s > deadline_s,
            "capped": self.capped,
        }


def outcome_of(block: CoherenceBlock, allocation: Allocation, latency_cap_s: float) -> Outcome:
    """Return what ``allocation`` makes of ``block``, with latencies finite: at most ``latency_cap_s``."""
    rate_bps = rate(block, allocation.power)
    local_latency_s = local_latency(block, allocation.offload)
    offload_latency_s = offload_latency(block, rate_bps, allocation.offload)
    latency_s = np.maximum(local_latency_s, offload_latency_s)
    return Outcome(
        rate_bps=rate_bps,
        offload=allocation.offload,
        local_latency_s=np.minimum(local_latency_s, latency_cap_s),
        offload_latency_s=np.minimum(offload_latency_s, latency_cap_s),
        latency_s=np.minimum(latency_s, latency_cap_s),
        capped=latency_s > latency_cap_s,
    )
