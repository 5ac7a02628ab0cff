"""The genie bound: what nobody can fall below, even if all channels, tasks and harvests were known before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cvxpy as cp
import numpy as np

from mec_cf_gym.baselines.convex import SOLVING, solve
from mec_cf_gym.baselines.dynamic.drift import ms_per_bit
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.batches import take_rows
from mec_cf_gym.performance.service import backlog_of
from mec_cf_gym.world import State

BITS = 1e3
"""Unit of bits in the program."""
JOULES = 1e-6
"""Unit of energy in the program."""
BALANCINGS = 50
"""Steps in which the solver balances the program's numbers where its own ten did not do."""
LEAST_GAIN = 1e-6
"""Weaker links count as this strong: what they could carry is nothing."""


class Episode(NamedTuple):
    """What happens in an episode whatever is done, in the program's units."""

    gain: Floats  # (blocks, N, K), squared norms of channels over the noise at full power
    arriving: Floats  # (blocks, K)
    harvest: Floats  # (blocks, K)
    local: Floats  # (blocks, K), bits that whole CPUs compute in a block
    local_cost: Floats  # (blocks, K), energy that takes
    server: Floats  # (blocks, K), bits that servers compute in a block
    power_cost: Floats  # (K,), energy of a block at full power
    link: float  # bits that a subcarrier carries in a block at 1 nat
    price: Floats  # (K,), of a bit that waits for a block, in ms
    drop_price: Floats  # (K,), of a bit, in ms
    queue_limit: float
    battery_limit: float

    @classmethod
    def of(cls, states: Sequence[State]) -> Episode:
        """Return an episode from the states of its blocks, each of one row."""
        rows: list[Any] = [take_rows(state, 0) for state in states]
        block, backlog = rows[0].block, backlog_of(rows[0].block)
        known, fairness = backlog.prospects, block.fairness
        assert fairness is not None
        local_hz, cycles_per_bit = (_over_time(rows, name) for name in ("local_hz", "cycles_per_bit"))
        server_hz = _over_time(rows, "server_hz")
        if block.servers is not None:  # nobody gets more than all servers that it may use
            server_hz = np.stack([row.block.servers.most_hz for row in rows])
        per_bit_ms = ms_per_bit(block)
        link_bits = block.data_bandwidth_hz * known.block_s / (1 + block.fronthaul_load)
        return cls(
            gain=np.stack([np.square(np.abs(row.block.channel)).sum(-2, dtype=np.float64) for row in rows]),
            arriving=np.stack([row.coming.arriving_bits for row in rows]) / BITS,
            harvest=np.stack([row.coming.harvest_j for row in rows]) / JOULES,
            local=local_hz * known.block_s / cycles_per_bit / BITS,
            local_cost=block.effective_capacitance * local_hz**3 * known.block_s / JOULES,
            server=server_hz * known.block_s / cycles_per_bit / BITS,
            power_cost=np.asarray(fairness.user_power_w) * known.block_s / JOULES,
            link=link_bits / np.log(2) / BITS,
            price=per_bit_ms * BITS,
            drop_price=known.drop_price_ms / known.task_bits * BITS,
            queue_limit=known.queue_limit_bits / BITS,
            battery_limit=known.battery_limit_j / JOULES,
        )


def genie_bound(states: Sequence[State]) -> float:
    """Return a lower bound on the mean over an episode's blocks of the largest backlog latency and drops, in ms.

    The convex program knows all channels, arrivals and harvests in advance, and its users meet no interference:
    each has the squared norm of its channel as its gain, and sends in the time that takes the least energy.
    Whatever a policy does is feasible there at no more cost.

    Args:
        states: Of a dynamic world, one for each block of an episode, of one row, under any policy: channels,
            arrivals and harvests do not depend on it.

    Raises:
        ValueError: If a state is of a static world.
    """
    episode = Episode.of(states)
    blocks, users = episode.arriving.shape
    local, served, dropped = (cp.Variable((blocks, users), nonneg=True) for _ in range(3))
    on_links = [cp.Variable((blocks, users), nonneg=True) for _ in range(episode.gain.shape[1])]
    powers = [cp.Variable((blocks, users), nonneg=True) for _ in on_links]
    queue, server = (cp.Variable((blocks + 1, users), nonneg=True) for _ in range(2))
    left_queue, left_server = queue[:-1] - local - sum(on_links), server[:-1] - served + sum(on_links)
    constraints: list[Any] = [
        queue[0] == 0,
        server[0] == 0,
        left_queue >= 0,
        served <= server[:-1],
        served <= episode.server,
        local <= episode.local,
        dropped <= episode.arriving,
        queue[1:] == left_queue + episode.arriving - dropped,
        server[1:] == left_server,
        sum(powers) <= 1,
    ]
    for subcarrier, (bits, power) in enumerate(zip(on_links, powers, strict=True)):
        gain = np.maximum(episode.gain[:, subcarrier], LEAST_GAIN)
        unit = np.maximum(gain, 1.0)  # numbers of order one for weak links and for strong ones
        most = cp.multiply(gain / unit, power) + 1 / unit
        constraints.append(cp.exp(bits / episode.link - np.log(unit)) <= most)
    if np.isfinite(episode.queue_limit):
        constraints.append(queue <= episode.queue_limit)
    if np.isfinite(episode.battery_limit):
        constraints += _energy(episode, local, sum(powers))
    waiting = cp.multiply(np.broadcast_to(episode.price, (blocks, users)), left_queue + left_server)
    cost = cp.sum(cp.max(waiting, axis=1)) + cp.sum(dropped @ episode.drop_price)
    problem = cp.Problem(cp.Minimize(cost / blocks), constraints)
    with SOLVING:
        solved = solve(problem)
        if solved is None:  # one network in ten
            solved = solve(problem, equilibrate_max_iter=BALANCINGS)
    if solved is None:
        raise RuntimeError(f"the genie's program was not solved: {problem.status}")
    return float(problem.value)


def _energy(episode: Episode, local: Any, power: Any) -> list[Any]:
    """Return what batteries allow: powers and CPUs spend no more than they hold."""
    blocks, users = episode.arriving.shape
    battery, computing = cp.Variable((blocks + 1, users), nonneg=True), cp.Variable((blocks, users), nonneg=True)
    some = np.where(episode.local > 0, episode.local, 1.0)
    spent = cp.multiply(np.broadcast_to(episode.power_cost, (blocks, users)), power) + computing
    return [
        battery <= episode.battery_limit,
        spent <= battery[:-1],
        battery[1:] <= battery[:-1] - spent + episode.harvest,
        cp.multiply(episode.local_cost, cp.power(cp.multiply(1 / some, local), 3)) <= computing,
    ]


def _over_time(rows: Sequence[State], name: str) -> Floats:
    return np.stack([np.asarray(getattr(row.block, name), np.float64) for row in rows])
