"""The outcome of a block: latencies, rates and powers of its users under an allocation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.kernels import frozen, kernel
from mec_cf_gym.network.servers import Shares
from mec_cf_gym.performance.energy import cycles_energy_j, sending_power_w
from mec_cf_gym.performance.latencies import local_latency, longer, offload_latency
from mec_cf_gym.performance.metrics import gini
from mec_cf_gym.performance.objective import fairness_w, needed_server_hz
from mec_cf_gym.performance.rates import tuned_rate

Floats = NDArray[np.float64]

LEAST_SERVER_HZ = 1e6
"""Least server speed that a user of shared servers counts with, so that latencies stay finite."""
ON_TIME = 1 + 1e-6
"""Latency over deadline up to which the deadline counts as met: actions are in single precision."""


@dataclass(frozen=True)
class Outcome:
    """Latencies of a block, or of a batch of blocks, under an allocation, and what it cost."""

    rate_bps: Floats  # (..., K)
    spectral_efficiency: Floats  # (..., K), bit/s/Hz
    offload: Floats  # (..., K)
    server_hz: Floats  # (..., K), speed that computed for each user
    local_latency_s: Floats  # (..., K)
    transmission_latency_s: Floats  # (..., K), on the uplink
    fronthaul_latency_s: Floats  # (..., K)
    computing_latency_s: Floats  # (..., K), at the server
    offload_latency_s: Floats  # (..., K), until the offloaded part is computed: the sum of the last three
    latency_s: Floats  # (..., K), the longer of computing locally and offloading
    max_latency_s: Floats  # (...), the largest latency of the users
    gini: Floats  # (...), Gini index of the latencies
    deadline_s: Floats  # (..., K)
    transmit_energy_j: Floats  # (..., K), while the offloaded part is on the uplink
    computing_energy_j: Floats  # (..., K), of the user's own CPU
    total_power_w: Floats  # (...), transmitted
    objective_w: Floats  # (...), paper B's: total power less the worth of the least spectral efficiencies
    capped: NDArray[np.bool_]  # (..., K), whether the user offloads and counts with the least rate or speed
    price_of_drops_ms: ClassVar[float] = 0.0
    """Price of the tasks that are lost: none is, in a static world."""

    @property
    def missed(self) -> NDArray[np.bool_]:
        """Whether a user misses its deadline, ``(..., K)``."""
        return np.asarray(self.latency_s > ON_TIME * self.deadline_s)

    def info(self) -> dict[str, Any]:
        """Return the entries of an environment's ``info``."""
        missed = self.missed
        return {
            "latency_s": self.latency_s,
            "max_latency_s": self.max_latency_s,
            "local_latency_s": self.local_latency_s,
            "offload_latency_s": self.offload_latency_s,
            "transmission_latency_s": self.transmission_latency_s,
            "fronthaul_latency_s": self.fronthaul_latency_s,
            "computing_latency_s": self.computing_latency_s,
            "rate_bps": self.rate_bps,
            "spectral_efficiency": self.spectral_efficiency,
            "offload": self.offload,
            "server_hz": self.server_hz,
            "transmit_energy_j": self.transmit_energy_j,
            "computing_energy_j": self.computing_energy_j,
            "total_power_w": self.total_power_w,
            "objective_w": self.objective_w,
            "gini": self.gini,
            "deadline_missed": missed.any(-1),
            "missed_users": missed,
            "capped": self.capped,
        }


def outcome_of(
    block: CoherenceBlock,
    allocation: Allocation,
    least_spectral_efficiency: float,
    *,
    least_computing: bool = False,
) -> Outcome:
    """Return what ``allocation`` makes of ``block``, whose combiners are chosen for its powers.

    Latencies are finite: a link that gives less than the least spectral efficiency over the bandwidth, or
    nothing, counts with that, and so does a server that gives less than the least speed. Users send with their
    power for the time that the uplink takes, however many blocks that is.

    Args:
        block: Coherence blocks. Without deadlines none is missed; without fairness powers, the energy for
            sending and the objective are not known, NaN.
        allocation: Powers, offload ratios and, where servers are shared, computing.
        least_spectral_efficiency: In bit/s/Hz.
        least_computing: Whether users of shared servers, if the allocation does not divide them, get just what
            their deadlines need; else equal shares.
    """
    if is_plain(block, allocation):
        judged = compiled_outcome(block, allocation, least_spectral_efficiency)
        if judged is not None:
            return judged
    block = block.tuned(allocation.power)
    rate_bps, offload, computing = tuned_rate(block, allocation.power), allocation.offload, allocation.computing
    bandwidth_hz = block.subcarrier_bandwidth_hz * block.num_subcarriers
    counted_bps = np.maximum(rate_bps, least_spectral_efficiency * bandwidth_hz)
    if computing is None and least_computing and block.servers is not None:
        computing = needed_shares(block, counted_bps, offload)
    speed_hz = given_hz(block, computing)
    counted_hz = np.maximum(speed_hz, LEAST_SERVER_HZ) if block.servers is not None else speed_hz
    transmission_s = offload * (block.task_bits / counted_bps)
    efficiency = rate_bps / bandwidth_hz
    total_power_w, objective_w = powers_w(block, allocation.power, efficiency)
    local_s, offloaded_s = local_latency(block, offload), offload_latency(block, counted_bps, offload, counted_hz)
    latency_s = longer(local_s, offloaded_s)
    deadline_s = np.inf if block.deadline_s is None else np.asarray(block.deadline_s)
    return Outcome(
        rate_bps=rate_bps,
        spectral_efficiency=efficiency,
        offload=offload,
        server_hz=speed_hz,
        local_latency_s=local_s,
        transmission_latency_s=transmission_s,
        fronthaul_latency_s=block.fronthaul_load * transmission_s,
        computing_latency_s=offload * (block.task_cycles / counted_hz),
        offload_latency_s=offloaded_s,
        latency_s=latency_s,
        max_latency_s=latency_s.max(-1),
        gini=np.asarray(gini(latency_s), np.float64),
        deadline_s=np.broadcast_to(deadline_s, rate_bps.shape),
        transmit_energy_j=sending_power_w(block, allocation.power) * transmission_s,
        computing_energy_j=cycles_energy_j(block, (1 - offload) * block.task_cycles, block.local_hz),
        total_power_w=total_power_w,
        objective_w=objective_w,
        capped=((rate_bps < counted_bps) | (speed_hz < counted_hz)) & (offload > 0),
    )


def is_plain(block: CoherenceBlock, allocation: Allocation) -> bool:
    """Return whether blocks have servers of the users' own, fixed combiners, and all axes a batch can have."""
    rows = block.batch_shape
    each = (*rows, block.num_users)
    arrays = (block.task_bits, block.cycles_per_bit, block.local_hz, block.server_hz, allocation.offload)
    return (
        len(rows) == 1
        and block.servers is None
        and block.receiver is None
        and block.fairness is not None
        and isinstance(allocation.power, np.ndarray)
        and allocation.power.shape == block.signal_gain.shape
        and block.interference_gain.shape == (*block.signal_gain.shape, block.num_users)
        and all(isinstance(array, np.ndarray) and array.shape == each for array in arrays)
    )


def compiled_outcome(
    block: CoherenceBlock, allocation: Allocation, least_spectral_efficiency: float
) -> Outcome | None:
    """Return what :func:`outcome_of` does for plain blocks, from one compiled loop; None without a compiler."""
    judge, fairness, offload = kernel("judge", "judge"), block.fairness, allocation.offload
    if judge is None or fairness is None:
        return None
    gains = block.signal_gain, block.interference_gain
    users = block.task_bits, block.cycles_per_bit, block.local_hz, block.server_hz
    constants = (*block.link, least_spectral_efficiency, block.effective_capacitance, fairness.weight_w)
    arrays = (*gains, *users, fairness.user_power_w, fairness.cell, allocation.power, offload)
    found, watts, summary = judge(*map(frozen, arrays), tuple(map(float, constants)))
    rate_bps, efficiency, local_s, transmission_s, fronthaul_s, computing_s, *rest = found
    offloaded_s, latency_s, transmit_j, computing_j = rest
    least_bps = least_spectral_efficiency * block.subcarrier_bandwidth_hz * block.num_subcarriers
    deadline_s = np.inf if block.deadline_s is None else np.asarray(block.deadline_s)
    return Outcome(
        rate_bps=rate_bps,
        spectral_efficiency=efficiency,
        offload=offload,
        server_hz=block.server_hz.copy(),
        local_latency_s=local_s,
        transmission_latency_s=transmission_s,
        fronthaul_latency_s=fronthaul_s,
        computing_latency_s=computing_s,
        offload_latency_s=offloaded_s,
        latency_s=latency_s,
        max_latency_s=summary[0],
        gini=summary[1],
        deadline_s=np.broadcast_to(deadline_s, offload.shape),
        transmit_energy_j=transmit_j,
        computing_energy_j=computing_j,
        total_power_w=watts[0],
        objective_w=watts[1],
        capped=(rate_bps < least_bps) & (offload > 0),
    )


def needed_shares(block: CoherenceBlock, rate_bps: Floats, offload: Floats) -> Shares:
    """Return the least computing with which the users meet their deadlines.

    A user whose deadline passes before its task has arrived asks for an equal share. Where the budgets do not
    meet all needs, everybody gets the same part of its own.

    Args:
        block: A block whose servers are shared.
        rate_bps: Rates in bit/s, ``(..., K)``, positive.
        offload: Offload ratios, ``(..., K)``.
    """
    assert block.servers is not None
    needed_hz = needed_server_hz(block, rate_bps, offload)
    too_late = needed_hz > block.servers.most_hz
    wanted_hz = np.asarray(np.where(too_late, block.server_hz, needed_hz), np.float64)
    shares, _ = block.servers.least_shares(wanted_hz)
    return shares


def powers_w(block: CoherenceBlock, power: Floats, efficiency: Floats) -> tuple[Floats, Floats]:
    """Return the total power and paper B's objective, ``(...)``, in watts: NaN for a block without fairness.

    Args:
        block: Coherence blocks.
        power: Power ratios, ``(..., N, K)``.
        efficiency: Spectral efficiencies at these powers, ``(..., K)``.
    """
    if block.fairness is None:
        unknown = np.full(efficiency.shape[:-1], np.nan)
        return unknown, unknown
    total_power_w = block.fairness.transmit_power_w(power)
    return total_power_w, total_power_w - fairness_w(block, efficiency)


def given_hz(block: CoherenceBlock, computing: Shares | None) -> Floats:
    """Return the speed that computes for each user, ``(..., K)``; without shares, the block's own."""
    if computing is not None:
        return computing.total_hz
    return np.broadcast_to(block.server_hz, (*block.batch_shape, block.num_users)).copy()
