"""The outcome of a block in a dynamic world: what users get done, what waits on, and how old it is."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.performance.metrics import gini
from mec_cf_gym.performance.outcome import given_hz, powers_w
from mec_cf_gym.performance.rates import tuned_rate
from mec_cf_gym.performance.service import Service, backlog_of, left_over, service_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DynamicOutcome:
    """What an allocation makes of a block, or of a batch of blocks, whose users have queues."""

    rate_bps: Floats  # (..., K)
    spectral_efficiency: Floats  # (..., K), bit/s/Hz
    server_hz: Floats  # (..., K), speed that computed for each user
    service: Service
    queue_curve_bits: Floats  # (..., K, H), what is left at the users, by age
    server_curve_bits: Floats  # (..., K, H), what is left at the servers, by age
    latency_s: Floats  # (..., K), age of the oldest bit that is not yet computed
    backlog_latency_s: Floats  # (..., K), by Little's law: bits that wait over their mean rate of arrival
    deadline_s: Floats  # (..., K)
    total_power_w: Floats  # (...), while all send
    objective_w: Floats  # (...), paper B's
    arriving_bits: Floats  # (..., K), at the end of the block
    dropped_bits: Floats  # (..., K), of these, for which there was no room
    drop_cost_ms: Floats  # (..., K), price of the dropped tasks

    @property
    def missed(self) -> NDArray[np.bool_]:
        """Whether a user has a bit that is older than its deadline, ``(..., K)``."""
        return np.asarray(self.latency_s > self.deadline_s)

    @property
    def max_latency_s(self) -> Floats:
        """The largest latency of the users, ``(...)``."""
        return np.asarray(self.latency_s.max(-1))

    @property
    def price_of_drops_ms(self) -> Floats:
        """Price of all users' dropped tasks, ``(...)``."""
        return np.asarray(self.drop_cost_ms.sum(-1))

    @property
    def transmit_energy_j(self) -> Floats:
        """Energy that users spend on sending, ``(..., K)``."""
        return self.service.transmit_energy_j

    @property
    def computing_energy_j(self) -> Floats:
        """Energy that users spend on computing, ``(..., K)``."""
        return self.service.computing_energy_j

    @property
    def left_bits(self) -> Floats:
        """Bits that wait at users and servers after the block, before new ones arrive, ``(..., K)``."""
        return np.asarray(self.queue_curve_bits[..., -1] + self.server_curve_bits[..., -1])

    def with_arrivals(self, arriving_bits: Floats, room_bits: float, price_ms: Floats) -> DynamicOutcome:
        """Return the outcome with the bits that arrive at the end of the block, and what of them is lost.

        Args:
            arriving_bits: ``(..., K)``.
            room_bits: That a user's buffer holds at most.
            price_ms: Of a bit that is lost, ``(..., K)``.
        """
        queue_bits = self.queue_curve_bits[..., -1]
        dropped_bits = np.maximum(queue_bits + arriving_bits - room_bits, 0.0)
        cost_ms = price_ms * dropped_bits
        return dataclasses.replace(
            self, arriving_bits=arriving_bits, dropped_bits=dropped_bits, drop_cost_ms=cost_ms
        )

    def info(self) -> dict[str, Any]:
        """Return the entries of an environment's ``info``."""
        missed = self.missed
        return {
            "latency_s": self.latency_s,
            "max_latency_s": self.max_latency_s,
            "backlog_latency_s": self.backlog_latency_s,
            "max_backlog_latency_s": self.backlog_latency_s.max(-1),
            "local_bits": self.service.local_bits,
            "sent_bits": self.service.sent_bits,
            "served_bits": self.service.served_bits,
            "arriving_bits": self.arriving_bits,
            "dropped_bits": self.dropped_bits,
            "drop_cost_ms": self.drop_cost_ms,
            "rate_bps": self.rate_bps,
            "spectral_efficiency": self.spectral_efficiency,
            "server_hz": self.server_hz,
            "transmit_energy_j": self.transmit_energy_j,
            "computing_energy_j": self.computing_energy_j,
            "starved": self.service.starved,
            "total_power_w": self.total_power_w,
            "objective_w": self.objective_w,
            "gini": gini(self.latency_s),
            "deadline_missed": missed.any(-1),
            "missed_users": missed,
        }


def dynamic_outcome_of(block: CoherenceBlock, allocation: Allocation) -> DynamicOutcome:
    """Return what ``allocation`` makes of ``block`` before new bits arrive; combiners are chosen for its powers.

    Args:
        block: Coherence blocks whose ``backlog`` and ``fairness`` are set.
        allocation: Powers, shares of CPUs and, where servers are shared, computing.

    Raises:
        ValueError: For a block of a static world.
    """
    backlog = backlog_of(block)
    block = block.tuned(allocation.power)
    rate_bps, server_hz = tuned_rate(block, allocation.power), given_hz(block, allocation.computing)
    efficiency = rate_bps / (block.subcarrier_bandwidth_hz * block.num_subcarriers)
    service = service_of(block, allocation, rate_bps, server_hz)
    queue_curve_bits, server_curve_bits, age_blocks = left_over(backlog, service)
    total_power_w, objective_w = powers_w(block, allocation.power, efficiency)
    waiting_bits = queue_curve_bits[..., -1] + server_curve_bits[..., -1]
    prospects = backlog.prospects
    deadline_s = np.inf if block.deadline_s is None else np.asarray(block.deadline_s)
    nothing = np.zeros_like(rate_bps)
    return DynamicOutcome(
        rate_bps=rate_bps,
        spectral_efficiency=efficiency,
        server_hz=server_hz,
        service=service,
        queue_curve_bits=queue_curve_bits,
        server_curve_bits=server_curve_bits,
        latency_s=prospects.block_s * age_blocks,
        backlog_latency_s=_time_to_arrive(waiting_bits, prospects.tasks_per_s * prospects.task_bits),
        deadline_s=np.broadcast_to(deadline_s, rate_bps.shape),
        total_power_w=total_power_w,
        objective_w=objective_w,
        arriving_bits=nothing,
        dropped_bits=nothing,
        drop_cost_ms=nothing,
    )


def _time_to_arrive(waiting_bits: Floats, arriving_bps: Floats) -> Floats:
    """Return the time in which bits arrive on average, ``(..., K)``, in seconds: zero where none ever do."""
    some = arriving_bps > 0
    return np.where(some, waiting_bits / np.where(some, arriving_bps, 1.0), 0.0)
