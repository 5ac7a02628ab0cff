"""Lookahead: each user plans when its queue will be empty, so that its battery lasts as long."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.dynamic.drift import ms_per_bit
from mec_cf_gym.baselines.dynamic.priced import priced_allocation
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse
from mec_cf_gym.kernels.compilation import compiled
from mec_cf_gym.performance.service import backlog_of

HORIZON = 256
RESERVE = 0.3
"""Part of a full battery that is kept, tuned on validation networks by ``benchmarks/dynamic.py --tune``."""
HALVINGS = 25
NODES = 12
"""Blocks of a plan that stand for all of it."""
NATS = 1 / math.log(2.0)


class Lookahead:
    """Plans some blocks ahead with the statistics that are known, and does the plan's first block.

    A user alone, with the gain of the present block and mean arrivals and harvests, would serve its queue at a
    falling pace: a bit that is served ``h`` blocks before the queue is empty saves ``h`` blocks of waiting, and
    joules have one price. The plan empties the queue as soon as the battery allows, but for a reserve. Then all
    users share the block at these worths and prices, as in :class:`~mec_cf_gym.baselines.DriftPlusPenalty`.

    Args:
        horizon: Most blocks that a plan has.
        reserve: Part of a full battery that a plan leaves.

    Raises:
        ValueError: For a bad horizon or reserve; from ``allocate``, for a block of a static world.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFreeDynamic-v0", num_users=3).unwrapped
        >>> observation, _ = env.reset(seed=0)
        >>> Lookahead().allocate(observation, env.block).power.shape
        (1, 3)
    """

    def __init__(self, horizon: int = HORIZON, reserve: float = RESERVE) -> None:
        if not 1 <= horizon <= 10_000:
            raise refuse("horizon", horizon, "it must be a whole number from 1 to 10000")
        if not 0 <= reserve < 1:
            raise refuse("reserve", reserve, "it must be a number in [0, 1)")
        self.horizon, self.reserve = horizon, reserve

    def reset(self, seed: int) -> None:
        """Begin an episode."""

    def allocate(self, observation: Mapping[str, NDArray[np.float32]], block: CoherenceBlock) -> Allocation:
        """Return the allocation for a block, or a batch of them."""
        backlog = backlog_of(block)
        known, shape = backlog.prospects, (*block.batch_shape, block.num_users)
        if not np.isfinite(known.battery_limit_j):
            worth = backlog.waiting_bits * ms_per_bit(block) ** 2
            return priced_allocation(block, worth, np.zeros(shape))
        local_hz, cycles_per_bit = np.asarray(block.local_hz), np.asarray(block.cycles_per_bit)
        assert block.fairness is not None
        burst_share = 1 / known.burst_gain
        users = (
            backlog.queue_bits,
            np.maximum(backlog.battery_j - self.reserve * known.battery_limit_j, 0.0),
            known.mean_bits,
            known.burst_bits,
            np.where(burst_share < 1, backlog.bursting, burst_share),
            np.asarray(block.signal_gain).sum(-2),
            local_hz * known.block_s / cycles_per_bit,
            block.effective_capacitance * local_hz**3 * known.block_s,
            np.asarray(block.fairness.user_power_w) * known.block_s,
        )
        rows = [np.ascontiguousarray(np.broadcast_to(values, shape).reshape(-1), np.float64) for values in users]
        blocks, price = plan(
            block.data_bandwidth_hz * known.block_s / (1 + block.fronthaul_load),
            known.harvest_j,
            1 - known.burst_ends - known.burst_begins,
            self.horizon,
            *rows,
        )
        per_bit = ms_per_bit(block)
        return priced_allocation(block, blocks.reshape(shape) * per_bit, price.reshape(shape) * per_bit)


@compiled
def plan(
    link_bits: float,
    harvest_j: float,
    persistence: float,
    horizon: int,
    queue: Floats,
    battery: Floats,
    mean_bits: Floats,
    burst_bits: Floats,
    bursting: Floats,
    gain: Floats,
    local_bits: Floats,
    local_j: Floats,
    power_j: Floats,
) -> tuple[Floats, Floats]:
    """Return in how many blocks queues are to be empty, and a joule's worth in bits times blocks, ``(R,)`` each.

    Args:
        link_bits: Bits that a block carries at 1 bit/s/Hz.
        harvest_j: Energy that a block brings.
        persistence: What is left of a burst's excess arrivals after a block, on average.
        horizon: Most blocks.
        queue: Bits that wait at users, ``(R,)``; all other arrays have one entry a user, too.
        battery: Energy that may be spent.
        mean_bits: That arrive in a block, over all time.
        burst_bits: That arrive in a block of a burst.
        bursting: One for users in a burst.
        gain: Signal gains at full power.
        local_bits: Bits that whole CPUs compute in a block.
        local_j: Energy that takes.
        power_j: Energy of a block at full power.
    """
    users = len(queue)
    blocks, price = np.zeros(users), np.zeros(users)
    for k in range(users):
        if queue[k] <= 0:
            continue
        low, high = 0, horizon  # the queue cannot be empty after low blocks, or is not before high
        cost = 0.0
        while high - low > 1:
            middle = (low + high) // 2
            lasts = middle - 1.0 if persistence >= 1 else (1 - persistence ** (middle - 1)) / (1 - persistence)
            excess = lasts * (bursting[k] * burst_bits[k] - mean_bits[k])
            bits = queue[k] + (middle - 1) * mean_bits[k] + excess
            spent, found = least_energy(bits, middle, gain[k], local_bits[k], local_j[k], power_j[k], link_bits)
            if spent <= battery[k] + harvest_j * (middle - 1):
                high, cost = middle, found
            else:
                low = middle
        if high == horizon:  # the energy is spread evenly over the horizon
            spend = (battery[k] + harvest_j * (horizon - 1)) / horizon
            cost = price_at(spend, horizon, gain[k], local_bits[k], local_j[k], power_j[k], link_bits)
        blocks[k], price[k] = high, cost
    return blocks, price


@compiled
def least_energy(
    bits: float, blocks: int, gain: float, local_bits: float, local_j: float, power_j: float, link_bits: float
) -> tuple[float, float]:
    """Return the energy with which bits are served as soon as can be in some blocks, and a joule's price."""
    low, high = math.log(1e-9), math.log(1e18)
    energy = math.inf
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        served, spent, nodes = 0.0, 0.0, min(blocks, NODES)
        for node in range(nodes):
            worth = 0.5 + (node + 0.5) * blocks / nodes
            one, joules = supply(worth, math.exp(middle), gain, local_bits, local_j, power_j, link_bits)
            served += one * blocks / nodes
            spent += joules * blocks / nodes
        if served >= bits:
            low, energy = middle, spent
        else:
            high = middle
    return energy, math.exp(low)


@compiled
def price_at(
    spend: float, worth: float, gain: float, local_bits: float, local_j: float, power_j: float, link_bits: float
) -> float:
    """Return the price of a joule at which a user spends a given energy in a block."""
    low, high = math.log(1e-9), math.log(1e18)
    for _ in range(2 * HALVINGS):
        middle = (low + high) / 2
        _, joules = supply(worth, math.exp(middle), gain, local_bits, local_j, power_j, link_bits)
        if joules > spend:
            low = middle
        else:
            high = middle
    return math.exp(high)


@compiled
def supply(
    worth: float, price: float, gain: float, local_bits: float, local_j: float, power_j: float, link_bits: float
) -> tuple[float, float]:
    """Return the bits that a user alone serves in a block, and the energy at a bit's worth and joule's price."""
    share = 1.0 if local_j <= 0 else min(1.0, math.sqrt(worth * local_bits / (3 * price * local_j)))
    power = min(1.0, max(0.0, worth * link_bits * NATS / (price * power_j) - 1 / gain)) if gain > 0 else 0.0
    bits = share * local_bits + link_bits * NATS * math.log1p(gain * power)
    return bits, local_j * share**3 + power_j * power
