"""The myopic policy: the static optimum, block by block, for what waits."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.dynamic.priced import shares_by_backlog
from mec_cf_gym.baselines.fast.solver import FastMinMax
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.backlog import LEAST_BITS
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.kernels.compilation import compiled
from mec_cf_gym.performance.service import backlog_of

HALVINGS = 30
ROUNDS = 200
"""Most steps towards the least powers for some rates."""
SETTLED = 1e-7


class Myopic:
    """Clears the queues as fast as the static optimum would, with no thought of energy or of what comes.

    CPUs run at full speed, and powers minimise the largest time in which the bits that wait at a user are
    computed, by itself and over its link, ``1 / (1 / T_loc + 1 / T_off)`` (paper A): the optimum on one
    subcarrier, and that of :class:`~mec_cf_gym.baselines.FastMinMax` on several.

    Raises:
        ValueError: From ``allocate``, for a block of a static world.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFreeDynamic-v0", num_users=3).unwrapped
        >>> observation, _ = env.reset(seed=0)
        >>> Myopic().allocate(observation, env.block).cpu_share
        array([1., 1., 1.])
    """

    def __init__(self) -> None:
        self._solver = FastMinMax()

    def reset(self, seed: int) -> None:
        """Begin an episode."""

    def allocate(self, observation: Mapping[str, NDArray[np.float32]], block: CoherenceBlock) -> Allocation:
        """Return the allocation for a block, or a batch of them."""
        backlog = backlog_of(block)
        all_of_it = np.ones((*block.batch_shape, block.num_users))
        power = self._clearing(block, backlog.queue_bits)
        return Allocation(power, all_of_it, computing=shares_by_backlog(block), cpu_share=all_of_it)

    def _clearing(self, block: CoherenceBlock, queue_bits: Floats) -> Floats:
        """Return the powers that clear queues the soonest, ``(..., N, K)``."""
        if block.num_subcarriers > 1:
            waiting = dataclasses.replace(block, task_bits=np.maximum(queue_bits, LEAST_BITS))
            return np.where(queue_bits[..., None, :] > 0, self._solver.solve(waiting).power, 0.0)
        cycles = queue_bits * np.asarray(block.cycles_per_bit)
        local_hz, server_hz = np.asarray(block.local_hz), np.asarray(block.server_hz)
        lead, users = block.batch_shape, block.num_users
        with np.errstate(divide="ignore", invalid="ignore"):
            local_s = np.where(cycles > 0, cycles / local_hz, 0.0)
            link_s = queue_bits * (1 + block.fronthaul_load) / block.data_bandwidth_hz  # at 1 bit/s/Hz
            server_s = cycles / server_hz
        times = (local_s, link_s, server_s)
        rows = [
            np.ascontiguousarray(np.broadcast_to(time_s, (*lead, users)).reshape(-1, users)) for time_s in times
        ]
        power = clear_fastest(
            np.ascontiguousarray(np.asarray(block.signal_gain, np.float64).reshape(-1, users)),
            np.ascontiguousarray(np.asarray(block.interference_gain, np.float64).reshape(-1, users, users)),
            *rows,
        )
        return power.reshape(*lead, 1, users)


@compiled
def clear_fastest(
    signal: Floats, interference: Floats, local_s: Floats, link_s: Floats, server_s: Floats
) -> Floats:
    """Return the powers, ``(B, K)``, that minimise the largest time in which queues are cleared.

    A target time asks each user for a rate, that is an SINR. The least powers that reach all of them are the limit
    of a standard interference function; the target is feasible if none of them exceeds one.

    Args:
        signal: Signal gains, ``(B, K)``.
        interference: Interference gains, ``(B, K, K)``.
        local_s: Times to compute queues locally, ``(B, K)``; infinite without a CPU.
        link_s: Times to send them at 1 bit/s/Hz, ``(B, K)``; zero for empty queues.
        server_s: Times to compute them at the server, ``(B, K)``.
    """
    rows, users = signal.shape
    powers = np.zeros((rows, users))
    for b in range(rows):
        if link_s[b].max() <= 0:
            continue
        low, high = 0.0, 0.0
        for k in range(users):  # full power for all is feasible, and reaches the first target
            if link_s[b, k] > 0:
                powers[b, k] = 1.0
                noise = 1.0 + interference[b, k].sum()
                rate = np.log2(1 + signal[b, k] / noise)
                away_s = link_s[b, k] / max(rate, 1e-12) + server_s[b, k]
                high = max(high, 1 / (1 / away_s + (1 / local_s[b, k] if local_s[b, k] > 0 else 0.0)))
        power = np.zeros(users)
        for _ in range(HALVINGS):
            target = (low + high) / 2
            reached = least_powers(signal[b], interference[b], local_s[b], link_s[b], server_s[b], target, power)
            if reached:
                high = target
                powers[b] = power
            else:
                low = target
    return powers


@compiled
def least_powers(
    signal: Floats,
    interference: Floats,
    local_s: Floats,
    link_s: Floats,
    server_s: Floats,
    target_s: float,
    power: Floats,
) -> bool:
    """Write the least powers ``(K,)`` that clear all queues in a time, and return whether none exceeds one."""
    users = len(signal)
    need = np.zeros(users)
    for k in range(users):
        if link_s[k] <= 0 or local_s[k] <= target_s:
            continue
        pace = 1 / target_s - (1 / local_s[k] if local_s[k] > 0 else 0.0)
        sending_s = 1 / pace - server_s[k]
        if sending_s <= 0 or link_s[k] / sending_s > 60 or signal[k] <= 0:
            return False
        need[k] = (2.0 ** (link_s[k] / sending_s) - 1) / signal[k]
    power[:] = 0.0
    for _ in range(ROUNDS):
        change = 0.0
        for k in range(users):
            if need[k] <= 0:
                continue
            noise = 1.0
            for j in range(users):
                noise += interference[k, j] * power[j]
            after = need[k] * noise
            if after > 1:
                return False
            change = max(change, after - power[k])
            power[k] = after
        if change < SETTLED:
            break
    return True
