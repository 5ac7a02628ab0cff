"""What one user serves in a block at a bit's worth and the prices of energy and of noise; compiled."""

from __future__ import annotations

import math

from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.kernels.compilation import compiled

LEAST_WORTH = 1e-12
"""Part of a bit's worth below which a user has no use for power."""
HALVINGS = 40
"""Of the logarithm of a worth: its digits."""
NATS = 1 / math.log(2.0)


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
