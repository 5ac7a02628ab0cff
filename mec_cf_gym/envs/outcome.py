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
    latency_s: Floats  # (..., K), the longer of both
    capped: NDArray[np.bool_]  # (..., K), whether the user offloads over a link that counts with the least rate

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


def outcome_of(block: CoherenceBlock, allocation: Allocation, least_spectral_efficiency: float) -> Outcome:
    """Return what ``allocation`` makes of ``block``.

    Latencies are finite: a link that gives less than the least spectral efficiency over the bandwidth, or
    nothing, counts with that.
    """
    rate_bps = rate(block, allocation.power)
    least_bps = least_spectral_efficiency * block.subcarrier_bandwidth_hz * block.num_subcarriers
    local_latency_s = local_latency(block, allocation.offload)
    offload_latency_s = offload_latency(block, np.maximum(rate_bps, least_bps), allocation.offload)
    return Outcome(
        rate_bps=rate_bps,
        offload=allocation.offload,
        local_latency_s=local_latency_s,
        offload_latency_s=offload_latency_s,
        latency_s=np.maximum(local_latency_s, offload_latency_s),
        capped=(rate_bps < least_bps) & (allocation.offload > 0),
    )
