"""Service of a block in a dynamic world: bits that users and servers compute, and the energy for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.block.backlog import LEAST_BITS, Backlog
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse
from mec_cf_gym.kernels import frozen, kernel
from mec_cf_gym.performance.energy import cycles_energy_j, sending_power_w

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Service:
    """What the users of a block, or of a batch of blocks, get done."""

    local_bits: Floats  # (..., K), computed by the user itself
    sent_bits: Floats  # (..., K), over the uplink, to wait at the server
    served_bits: Floats  # (..., K), computed by the server, of what was there before the block
    transmit_energy_j: Floats  # (..., K)
    computing_energy_j: Floats  # (..., K)
    starved: NDArray[np.bool_]  # (..., K), whether the battery held less than that takes

    @property
    def energy_j(self) -> Floats:
        """Energy that users spend, ``(..., K)``."""
        return self.transmit_energy_j + self.computing_energy_j

    @property
    def left_bits(self) -> Floats:
        """Bits that leave the users' queues, ``(..., K)``."""
        return self.local_bits + self.sent_bits


def service_of(block: CoherenceBlock, allocation: Allocation, rate_bps: Floats, server_hz: Floats) -> Service:
    """Return the service that an allocation gives in a block with a backlog.

    A user computes ``min(Q, l f T / C)`` bits, then sends at most ``R T`` of the rest, where R includes the time
    on the fronthaul. Energy is spent on the time that sending takes and, by the square of its speed, on each
    cycle. Where the battery does not hold it, both services stop in proportion.

    Args:
        block: Coherence blocks, whose ``backlog`` is set.
        allocation: Powers and shares of the CPU.
        rate_bps: Rates in bit/s at these powers, ``(..., K)``.
        server_hz: Speeds that compute for the users, ``(..., K)``.
    """
    backlog = backlog_of(block)
    duration_s = backlog.prospects.block_s
    if block.fairness is None:
        raise refuse("fairness", None, "the block must say what powers its users have")
    cycles_per_bit = np.asarray(block.cycles_per_bit)
    share = 1.0 if allocation.cpu_share is None else allocation.cpu_share
    cpu_hz = share * np.asarray(block.local_hz)
    through_bps = rate_bps / (1 + block.fronthaul_load)
    local_bits = np.minimum(backlog.queue_bits, cpu_hz * duration_s / cycles_per_bit)
    sent_bits = np.minimum(backlog.queue_bits - local_bits, through_bps * duration_s)
    sending_s = sent_bits / np.where(through_bps > 0, through_bps, 1.0)
    transmit_energy_j = sending_power_w(block, allocation.power) * sending_s
    computing_energy_j = cycles_energy_j(block, local_bits * cycles_per_bit, cpu_hz)
    energy_j = transmit_energy_j + computing_energy_j
    starved = energy_j > backlog.battery_j
    part = np.where(starved, backlog.battery_j / np.where(starved, energy_j, 1.0), 1.0) if starved.any() else 1.0
    return Service(
        local_bits=local_bits * part,
        sent_bits=sent_bits * part,
        served_bits=np.minimum(backlog.server_bits, server_hz * duration_s / cycles_per_bit),
        transmit_energy_j=transmit_energy_j * part,
        computing_energy_j=computing_energy_j * part,
        starved=starved,
    )


def left_over(backlog: Backlog, service: Service) -> tuple[Floats, Floats, Floats]:
    """Return the curves of the queues and of the servers' backlogs after a block, ``(..., K, H)``, in bits.

    Users compute the oldest bits and send the next, so that servers get bits in the order of their arrival, too.

    Returns:
        Both curves, and the age in blocks of the oldest bit that they count, ``(..., K)``, at the end of the
        block. Bits that came at the end of the block before are one block old by then; without any it is zero.
    """
    queue, server = backlog.queue_curve_bits, backlog.server_curve_bits
    bits = service.local_bits, service.sent_bits, service.served_bits
    compiled = kernel("curves", "left_over") if queue.ndim == 3 else None
    if compiled is not None:
        left: tuple[Floats, Floats, Floats] = compiled(*map(frozen, (queue, server, *bits)), LEAST_BITS)
        return left
    after_local = np.maximum(queue - service.local_bits[..., None], 0.0)
    sent = np.minimum(after_local, service.sent_bits[..., None])
    left_here, left_there = after_local - sent, np.maximum(server - service.served_bits[..., None], 0.0) + sent
    return left_here, left_there, np.maximum(*((curve > LEAST_BITS).sum(-1) for curve in (left_here, left_there)))


def backlog_of(block: CoherenceBlock) -> Backlog:
    """Return the backlog of a block.

    Raises:
        ValueError: If it has none: its world is static.
    """
    if block.backlog is None:
        raise refuse("backlog", None, "the block is of a static world, without queues; see arrivals")
    return block.backlog
