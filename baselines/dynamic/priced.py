"""Service of a block when a bit has its worth and a joule its price: weighted rates less priced energy."""

from __future__ import annotations

import math

import numpy as np

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.fast.problem import compiled
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.network.servers import Shares
from mec_cf_gym.performance.service import backlog_of

ROUNDS = 12
"""Most passes over the users, each of whom answers the powers of the others."""
SETTLED = 1e-3
"""Largest change of a power in a pass that is the last."""
LEAST_WORTH = 1e-12
"""Part of a bit's worth below which a user has no use for power."""
HALVINGS = 40
"""Of the logarithm of a worth: its digits."""
FREE = 1e-9
"""Price of energy that has none, over the worth of the bits that it sends."""
NATS = 1 / math.log(2.0)


def priced_allocation(block: CoherenceBlock, worth: Floats, price_per_j: Floats) -> Allocation:
    """Return powers and CPU shares that maximise ``sum_k worth_k bits_k - price_k energy_k`` in a block.

    ``bits_k`` are those that leave the user's queue. Users answer each other's powers in turn: each knows what its
    power costs the others, who pay for the noise that they hear. Nobody serves more than its queue or spends more
    than its battery holds. Where servers are shared, they divide their speed by what waits there.

    Args:
        block: Coherence blocks with a backlog, any leading axes; where combiners follow the powers, gains are
        those
            for full power.
        worth: Of a bit, ``(..., K)``, at least zero.
        price_per_j: Of energy in the same unit, ``(..., K)``, at least zero.
    """
    backlog = backlog_of(block)
    assert block.fairness is not None
    duration_s, shape = backlog.prospects.block_s, block.batch_shape
    local_hz, cycles_per_bit = np.asarray(block.local_hz), np.asarray(block.cycles_per_bit)
    users = (
        backlog.queue_bits,
        backlog.battery_j,
        worth,
        price_per_j,
        local_hz * duration_s / cycles_per_bit,
        block.effective_capacitance * local_hz**3 * duration_s,
        np.asarray(block.fairness.user_power_w) * duration_s,
    )
    rows = [np.ascontiguousarray(_rows(values, shape)) for values in users]
    signal_gain, interference_gain = np.asarray(block.signal_gain), np.asarray(block.interference_gain)
    subcarriers, many = signal_gain.shape[-2:]
    power, share = serve_rows(
        np.ascontiguousarray(signal_gain.reshape(-1, subcarriers, many), np.float64),
        np.ascontiguousarray(interference_gain.reshape(-1, subcarriers, many, many), np.float64),
        block.data_bandwidth_hz * duration_s / (1 + block.fronthaul_load),
        *rows,
    )
    share = share.reshape(*shape, many)
    power = power.reshape(*shape, subcarriers, many)
    return Allocation(power, np.ones_like(share), computing=shares_by_backlog(block), cpu_share=share)


def shares_by_backlog(block: CoherenceBlock) -> Shares | None:
    """Return shared servers divided by the cycles that wait there, or None for dedicated ones."""
    if block.servers is None:
        return None
    waiting = backlog_of(block).server_bits * block.cycles_per_bit
    return block.servers.divided(waiting[..., None, :], waiting)


def _rows(values: Floats, shape: tuple[int, ...]) -> Floats:
    """Return values of users, ``(rows, K)``, for given leading axes."""
    return np.broadcast_to(values, (*shape, values.shape[-1])).reshape(-1, values.shape[-1]).astype(np.float64)


@compiled
def serve_rows(
    signal: Floats,
    interference: Floats,
    link_bits: float,
    queue: Floats,
    battery: Floats,
    worth: Floats,
    price: Floats,
    local_bits: Floats,
    local_j: Floats,
    power_j: Floats,
) -> tuple[Floats, Floats]:
    """Return powers ``(B, N, K)`` and CPU shares ``(B, K)`` of blocks, one after the other.

    Args:
        signal: Signal gains, ``(B, N, K)``.
        interference: Interference gains, ``(B, N, K, K)``.
        link_bits: Bits that a subcarrier carries in a block at 1 bit/s/Hz.
        queue: Bits that wait at users, ``(B, K)``.
        battery: Energy of users, ``(B, K)``.
        worth: Of a bit, ``(B, K)``.
        price: Of a joule, ``(B, K)``.
        local_bits: Bits that whole CPUs compute in a block, ``(B, K)``.
        local_j: Energy that takes, ``(B, K)``.
        power_j: Energy of a block at full power, ``(B, K)``.
    """
    rows, subcarriers, users = signal.shape
    power, share = np.zeros((rows, subcarriers, users)), np.zeros((rows, users))
    for b in range(rows):
        value = np.zeros(users)
        for k in range(users):
            if queue[b, k] > 0 and worth[b, k] > 0:
                value[k] = worth[b, k]
                power[b, :, k] = 1.0 / subcarriers
        for _ in range(ROUNDS):
            change = 0.0
            for k in range(users):
                if value[k] <= 0:
                    continue
                noise = heard(interference[b], power[b], k)
                toll = tolls(signal[b], interference[b], power[b], value, k) * link_bits * NATS
                energy_price = max(price[b, k], FREE * worth[b, k] * link_bits / max(power_j[b, k], 1e-300))
                kept = power[b, :, k].copy()
                value[k] = answer(
                    signal[b, :, k] / noise, toll, link_bits, queue[b, k], battery[b, k], worth[b, k],
                    energy_price, local_bits[b, k], local_j[b, k], power_j[b, k], power[b, :, k], share[b, k : k +
                    1],
                )  # fmt: skip
                change = max(change, np.abs(power[b, :, k] - kept).max())
            if change < SETTLED:
                break
    return power, share


@compiled
def heard(interference: Floats, power: Floats, k: int) -> Floats:
    """Return what user k hears over the noise, noise included, ``(N,)``, at powers ``(N, K)``."""
    noise = np.ones(power.shape[0])
    for n in range(power.shape[0]):
        for j in range(power.shape[1]):
            noise[n] += interference[n, k, j] * power[n, j]
    return noise


@compiled
def tolls(signal: Floats, interference: Floats, power: Floats, value: Floats, k: int) -> Floats:
    """Return what a unit of user k's power costs all users, ``(N,)``: the value of the nats that they lose."""
    toll = np.zeros(power.shape[0])
    for j in range(power.shape[1]):
        if value[j] <= 0:
            continue
        noise = heard(interference, power, j)
        for n in range(power.shape[0]):
            received = signal[n, j] * power[n, j]
            toll[n] += value[j] * interference[n, j, k] * received / (noise[n] * (noise[n] + received))
    return toll


@compiled
def answer(
    gain: Floats,
    toll: Floats,
    link_bits: float,
    queue: float,
    battery: float,
    worth: float,
    price: float,
    local_bits: float,
    local_j: float,
    power_j: float,
    power: Floats,
    share: Floats,
) -> float:
    """Write a user's best powers ``(N,)`` and CPU share ``(1,)``, and return what a bit is worth to it then.

    That is less than its worth where its queue or its battery ends: the last bit it serves has that value.
    """
    high, low = 1.0, LEAST_WORTH
    if not serves_too_much(
        gain, toll, link_bits, queue, battery, worth, price, local_bits, local_j, power_j, power, share
    ):
        return worth
    if serves_too_much(
        gain, toll, link_bits, queue, battery, low * worth, price, local_bits, local_j, power_j, power, share
    ):
        power[:] = 0.0
        share[0] = min(share[0], 1.0) if local_j <= 0 else 0.0
        return low * worth
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        if serves_too_much(
            gain,
            toll,
            link_bits,
            queue,
            battery,
            middle * worth,
            price,
            local_bits,
            local_j,
            power_j,
            power,
            share,
        ):
            high = middle
        else:
            low = middle
    serves_too_much(
        gain, toll, link_bits, queue, battery, low * worth, price, local_bits, local_j, power_j, power, share
    )
    return low * worth


@compiled
def serves_too_much(
    gain: Floats,
    toll: Floats,
    link_bits: float,
    queue: float,
    battery: float,
    value: float,
    price: float,
    local_bits: float,
    local_j: float,
    power_j: float,
    power: Floats,
    share: Floats,
) -> bool:
    """Write what a user does if a bit has a value, and return whether that exceeds its queue or battery."""
    share[0] = 1.0 if local_j <= 0 else min(1.0, math.sqrt(value * local_bits / (3 * price * local_j)))
    computed = min(share[0] * local_bits, queue) if local_j <= 0 else share[0] * local_bits
    water_fill(gain, toll, value * link_bits * NATS, price * power_j, power)
    sent = 0.0
    for n in range(len(power)):
        sent += link_bits * NATS * math.log1p(gain[n] * power[n])
    energy = local_j * share[0] ** 3 + power_j * power.sum()
    return bool(computed + sent > queue or energy > battery)


@compiled
def water_fill(gain: Floats, toll: Floats, value: float, price: float, power: Floats) -> None:
    """Write powers ``(N,)`` that maximise ``value log(1 + gain p) - (price + toll) p``, one in sum at most."""
    total = 0.0
    for n in range(len(power)):
        power[n] = max(0.0, value / (price + toll[n]) - 1 / gain[n]) if gain[n] > 0 else 0.0
        total += power[n]
    if total <= 1:
        return
    if len(power) == 1:
        power[0] = 1.0
        return
    low, high = 0.0, value * gain.max()
    for _ in range(HALVINGS):
        budget = (low + high) / 2
        total = 0.0
        for n in range(len(power)):
            power[n] = max(0.0, value / (price + toll[n] + budget) - 1 / gain[n]) if gain[n] > 0 else 0.0
            total += power[n]
        if total > 1:
            low = budget
        else:
            high = budget
    for n in range(len(power)):
        power[n] = max(0.0, value / (price + toll[n] + high) - 1 / gain[n]) if gain[n] > 0 else 0.0
