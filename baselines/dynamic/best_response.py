"""Users who share a block answer each other's powers in turn, and pay for the noise they make; compiled."""

from __future__ import annotations

import numpy as np

from mec_cf_gym.baselines.dynamic.supply import NATS, answer
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.kernels.compilation import compiled

ROUNDS = 12
"""Most passes over the users, each of whom answers the powers of the others."""
SETTLED = 1e-3
"""Largest change of a power in a pass that is the last."""
FREE = 1e-9
"""Price of energy that has none, over the worth of the bits that it sends."""


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
