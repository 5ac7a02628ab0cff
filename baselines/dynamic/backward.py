"""Backward induction over the blocks of an episode, compiled, with values on a grid and multilinear in between."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.kernels.compilation import compiled

NEVER = 1e300


class Grid(NamedTuple):
    """Points at which costs are known, quadratically spaced from zero, the closest there.

    Arrays of costs have one more point beyond either end of the queue's and the battery's axis.
    """

    queue_bits: Floats  # (QUEUE,)
    battery_j: Floats  # (BATTERY,)
    server_bits: Floats  # (SERVER,), left over at the server; zero alone if it never leaves anything


def points(top: float, count: int) -> Floats:
    """Return ``count`` points from zero to ``top``, quadratically spaced."""
    return top * np.square(np.linspace(0.0, 1.0, count))


@compiled
def place(axis, value):
    """Return where a value is on an axis: a point, and the weights of that before, it, and the two behind.

    Cubic convolution in the square root (Keys 1981): exact for costs linear or quadratic in the root. Beyond the
    last point costs go straight on.
    """
    last = len(axis) - 1
    root = last * math.sqrt(max(value, 0.0) / axis[last])
    below = min(int(root), last - 1)
    u = root - below
    if u > 1:
        u = (value - axis[below]) / (axis[below + 1] - axis[below])
        return below, (0.0, 1 - u, u, 0.0)
    before = ((-0.5 * u + 1) * u - 0.5) * u
    here = (1.5 * u - 2.5) * u * u + 1
    beyond = (0.5 * u - 0.5) * u * u
    return below, (before, here, 1 - before - here - beyond, beyond)


@compiled
def between(costs, queue, battery):
    """Return what ``costs``, ``(QUEUE + 2, BATTERY + 2)``, have at a place."""
    i, (a, b, c, d) = queue
    j, weights = battery
    total = 0.0
    for near in range(4):
        column = costs[i : i + 4, j + near]
        total += weights[near] * (a * column[0] + b * column[1] + c * column[2] + d * column[3])
    return total


@compiled
def extend(costs):
    """Fill the points beyond the ends, in ``costs``, ``(..., QUEUE + 2, BATTERY + 2)``.

    Costs are even in the roots of queue and battery; at the far ends they are continued as parabolas.
    """
    costs[..., 0, :] = costs[..., 2, :]
    costs[..., -1, :] = 3 * costs[..., -2, :] - 3 * costs[..., -3, :] + costs[..., -4, :]
    costs[..., 0] = costs[..., 2]
    costs[..., -1] = 3 * costs[..., -2] - 3 * costs[..., -3] + costs[..., -4]


@compiled
def cost_at(costs, grid, queue_bits, server_bits, battery_j):
    """Return what ``costs``, ``(SERVER, QUEUE + 2, BATTERY + 2)``, have at a state."""
    queue, battery = place(grid.queue_bits, queue_bits), place(grid.battery_j, battery_j)
    last = len(grid.server_bits) - 1
    if last == 0:
        return between(costs[0], queue, battery)
    below = min(np.searchsorted(grid.server_bits, server_bits, side="right"), last) - 1
    low, high = grid.server_bits[below], grid.server_bits[below + 1]
    cost = between(costs[below], queue, battery)
    return cost + (server_bits - low) / (high - low) * (between(costs[below + 1], queue, battery) - cost)


@compiled
def sending_j(program, gain, bits):
    """Return the energy that sending takes at the least power, in joules."""
    return program.transmit_j * math.expm1(math.log(2.0) * bits / program.link_bits) / gain


@compiled
def offers_of(program, gain, steps):
    """Return bits to send, from none to what full power can, and their energies, ``(2, steps + 1)``."""
    offers = np.empty((2, steps + 1))
    for step in range(steps + 1):
        offers[0, step] = program.link_bits * math.log2(1 + gain) * step / steps
        offers[1, step] = sending_j(program, gain, offers[0, step])
    return offers


@compiled
def most_of(program, gain, offers, queue_bits, battery_j):
    """Return the most bits that queue, link and battery let a user send, and their energy."""
    if offers[0, -1] <= queue_bits and offers[1, -1] <= battery_j:
        return offers[0, -1], offers[1, -1]
    bits = min(queue_bits, offers[0, -1])
    joules = sending_j(program, gain, bits)
    if joules <= battery_j:
        return bits, joules
    return min(bits, program.link_bits * math.log2(1 + gain * battery_j / program.transmit_j)), battery_j


@compiled
def best_sending(program, grid, after, gain, offers, start, queue_bits, left_over_bits, battery_j):
    """Return the least cost of what follows, the bits to send for it and their offer, downhill from ``start``.

    Arguments are those of :func:`decide`, when the user has computed its part.
    """
    most, most_j = most_of(program, gain, offers, queue_bits, battery_j)
    last = min(math.ceil(most / offers[0, 1]), offers.shape[1] - 1)
    first, best, cost, sent = min(start, last), min(start, last), NEVER, 0.0
    for step in (1, -1):
        index = first if step == 1 else first - 1
        while 0 <= index <= last:
            bits, joules = offers[0, index], offers[1, index]
            if index == last:
                bits, joules = most, most_j
            over = max(left_over_bits + bits - program.server_bits, 0.0)
            candidate = cost_at(after, grid, queue_bits - bits, over, battery_j - joules)
            if candidate >= cost:
                break
            cost, sent, best = candidate, bits, index
            index += step
        if best > first:
            break
    return cost, sent, best


@compiled
def decide(program, grid, after, gain, offers, cpu_steps, start, queue_bits, left_over_bits, battery_j):
    """Return the least cost of a block and all that follow, the bits to compute and to send for it, and where.

    The cost is convex in both, so that the search goes downhill from ``start``.

    Args:
        program: The problem.
        grid: Where ``after`` is known.
        after: Expected cost of what follows, of states before new tasks and energy arrive,
            ``(SERVER, QUEUE + 2, BATTERY + 2)``, in ms.
        gain: Of the block.
        offers: Bits that may be sent and their energies, ``(2, steps + 1)``.
        cpu_steps: Number of speeds of the CPU beside none.
        start: Speed and offer from which to search.
        queue_bits: Bits at the user.
        left_over_bits: Bits at the server that its computing in this block leaves over.
        battery_j: Energy in the battery.
    """
    first, offer = start
    best_cost, best_local, best_sent, best = NEVER, 0.0, 0.0, start
    for step in (1, -1):
        speed = first if step == 1 else first - 1
        while 0 <= speed <= cpu_steps:
            local_bits = min(queue_bits, program.local_bits) * speed / cpu_steps
            left_j, remaining = battery_j, queue_bits - local_bits
            if local_bits > 0:
                left_j -= program.local_j * (local_bits / program.local_bits) ** 3
            if left_j >= 0:
                cost, sent, offer = best_sending(
                    program, grid, after, gain, offers, offer, remaining, left_over_bits, left_j
                )
                cost += program.price_ms * (remaining + left_over_bits)
                if cost >= best_cost:
                    break
                best_cost, best_local, best_sent, best = cost, local_bits, sent, (speed, offer)
            elif step == 1:
                break
            speed += step
        if best[0] > first:
            break
    return best_cost, best_local, best_sent, best


@compiled
def expected(program, grid, costs, after):
    """Fill ``after`` with means of ``costs`` over what arrives, both ``(Z, SERVER, QUEUE + 2, BATTERY + 2)``."""
    mixed = np.zeros(costs.shape)
    for phase in range(len(program.phases)):
        for coming in range(len(program.phases)):
            mixed[phase] += program.phases[phase, coming] * costs[coming]
    for phase, k, i, j in np.ndindex(shape_of(program, grid)):
        battery_j = min(grid.battery_j[j] + program.harvest_j[phase], program.battery_limit_j)
        battery = place(grid.battery_j, battery_j)
        total = 0.0
        for tasks in range(program.tasks.shape[1]):
            queue_bits = grid.queue_bits[i] + tasks * program.task_bits
            dropped_bits = max(queue_bits - program.queue_limit_bits, 0.0)
            cost = between(mixed[phase, k], place(grid.queue_bits, queue_bits - dropped_bits), battery)
            total += program.tasks[phase, tasks] * (cost + program.drop_price_ms * dropped_bits)
        after[phase, k, i + 1, j + 1] = total
    extend(after)


@compiled
def shape_of(program, grid):
    """Return the numbers of phases and of points, ``Z, SERVER, QUEUE, BATTERY``."""
    return len(program.phases), len(grid.server_bits), len(grid.queue_bits), len(grid.battery_j)


@compiled
def solve(program, grid, blocks, power_steps, cpu_steps):
    """Return mean costs of what follows each block, ``(blocks, Z, SERVER, QUEUE + 2, BATTERY + 2)``, and of all.

    The first are of states after the user's service, before new tasks and energy arrive; the others, without the
    first axis, of states at the beginning of the first block, before its gain is known.

    Args:
        program: The problem.
        grid: Where costs are known.
        blocks: Number of blocks; nothing counts that comes later.
        power_steps: Number of offers beside none; see :func:`decide`.
        cpu_steps: Number of speeds of the CPU beside none.
    """
    phases, servers, queues, batteries = shape_of(program, grid)
    costs = np.zeros((phases, servers, queues + 2, batteries + 2))
    after = np.zeros((blocks, *costs.shape))
    curves = [offers_of(program, gain, power_steps) for gain in program.gain]
    for block in range(blocks - 1, -1, -1):
        if block < blocks - 1:
            expected(program, grid, costs, after[block])
        for phase, k, i, j in np.ndindex((phases, servers, queues, batteries)):
            queue_bits, server_bits, battery_j = grid.queue_bits[i], grid.server_bits[k], grid.battery_j[j]
            start, total = (0, 0), 0.0
            for g in range(len(curves)):
                cost, _, _, start = decide(
                    program,
                    grid,
                    after[block, phase],
                    program.gain[g],
                    curves[g],
                    cpu_steps,
                    start,
                    queue_bits,
                    server_bits,
                    battery_j,
                )
                total += program.weight[g] * cost
            costs[phase, k, i + 1, j + 1] = total
        extend(costs)
    return after, costs
