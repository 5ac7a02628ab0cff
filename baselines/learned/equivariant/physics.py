"""The physics that the equivariant network is unfolded around, in torch, for batches of blocks.

A user's powers are its total, at most one, times its shares of it over the subcarriers. For given shares the
problem is solved: the totals that let all users end together, one of them at full power, are a fixed point, and
a Newton step on their logarithms comes close to it within a few rounds. The same linear system, transposed,
says what a little more rate of each user is worth to all of them.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.performance.latencies import best_latency
from mec_cf_gym.performance.rates import interference_by_user, rate, received_interference

LARGEST_GAIN = 1e12
"""Gains count as at most this, to keep within single precision."""
LEAST_GAIN = 1e-9
"""Gain up to which a user has no link."""
TINY = 1e-20
LEAST_LOG_TOTAL = -20.0
"""Logarithm of the total power at which a user counts as silent."""
LONGEST_STEP = 2.0
"""Largest change of a log total in a round."""
ROOT_STEPS = 4
SOFTNESS = 0.05
"""Difference of log totals up to which users count as nearly held by their budgets."""


@dataclass(frozen=True)
class Problem:
    """Blocks as plain numbers: gains over the noise, times in units of the largest latency of an equal split."""

    signal_gain: Tensor  # (B, N, K)
    interference_gain: Tensor  # (B, N, K, K)
    nats: Tensor  # (B, K), size of the tasks: time to send them at one nat per use of a subcarrier
    local_speed: Tensor  # (B, K), tasks per unit of time
    server_time: Tensor  # (B, K)
    linked: Tensor  # (B, K), bool: whether any power gets a user a rate
    unit_s: Tensor  # (B, 1), the unit of time

    @classmethod
    def of(cls, block: CoherenceBlock, dtype: torch.dtype = torch.float32) -> Problem:
        """Return the blocks with all their leading axes made one."""
        batch, users = block.batch_shape, (block.num_users,)
        links = (block.num_subcarriers, block.num_users)

        def tensor(array: object, shape: tuple[int, ...]) -> Tensor:
            whole = torch.from_numpy(np.array(array, np.float64)).expand(*batch, *shape)
            return whole.reshape(math.prod(batch), *shape)

        signal_gain = tensor(block.signal_gain, links).clamp(0, LARGEST_GAIN)
        interference_gain = tensor(block.interference_gain, (*links, block.num_users)).clamp(0, LARGEST_GAIN)
        flat = dataclasses.replace(
            block,
            signal_gain=signal_gain,
            interference_gain=interference_gain,
            task_bits=tensor(block.task_bits, users),
            cycles_per_bit=tensor(block.cycles_per_bit, users),
            local_hz=tensor(block.local_hz, users),
            server_hz=tensor(block.server_hz, users),
        )
        linked = signal_gain.amax(-2) > LEAST_GAIN
        equal_s = best_latency(flat, rate(flat, torch.full_like(signal_gain, 1 / links[0])))
        unit_s = torch.where(linked, equal_s, 0.0).amax(-1, keepdim=True)
        unit_s = torch.where(unit_s > 0, unit_s, 1.0)
        nats = flat.link_bits * math.log(2) / block.data_bandwidth_hz / unit_s
        local_speed = flat.local_hz / flat.task_cycles * unit_s
        server_time = flat.task_cycles / flat.server_hz / unit_s
        signal_gain, interference_gain, nats, local_speed, server_time = (
            number.to(dtype) for number in (signal_gain, interference_gain, nats, local_speed, server_time)
        )
        return cls(signal_gain, interference_gain, nats, local_speed, server_time, linked, unit_s)

    def rows(self, rows: slice) -> Problem:
        """Return some of the blocks."""
        return Problem(**{field.name: getattr(self, field.name)[rows] for field in dataclasses.fields(self)})

    def times(self, nats_per_use: Tensor) -> Tensor:
        """Return the users' latencies with the best split, ``(B, K)``; zero for a user without a link."""
        remote = self.nats / nats_per_use.clamp_min(TINY) + self.server_time
        return torch.where(self.linked, 1 / (self.local_speed + 1 / remote), 0.0)

    def needed(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return the rates that users need for a latency ``(B, 1)``, in nats per use, ``(B, K)``.

        Also minus the slopes of their logarithms over that of the latency, ``(B, K)``.
        """
        spare = 1 / time - self.local_speed
        remote = 1 / spare.clamp_min(1e-6)
        link = (remote - self.server_time).clamp_min(1e-6)
        rates = torch.where((spare > 1e-6) & self.linked, self.nats / link, 0.0)
        return rates, (remote.square() / (time * link)).clamp_max(1e4)

    def quiet_start(self) -> Tensor:
        """Return log total powers with which all users are received equally strong, ``(B, K)``."""
        log_gain = self.signal_gain.sum(-2).clamp_min(1e-6).log()
        least = log_gain.masked_fill(~self.linked, math.log(LARGEST_GAIN)).amin(-1, keepdim=True)
        return (least - log_gain).clamp(LEAST_LOG_TOTAL, 0)


@dataclass(frozen=True)
class View:
    """Rates and latencies at given powers, and their derivatives."""

    power: Tensor  # (B, N, K)
    heard_noise: Tensor  # (B, N, K), interference and noise
    sinr: Tensor  # (B, N, K)
    nats_per_use: Tensor  # (B, K), rate
    time: Tensor  # (B, K), latency
    worst: Tensor  # (B, 1)
    slope: Tensor  # (B, N, K), of the rate with the log SINR
    heard: Tensor  # (B, N, K, K), share of what user k hears that is user j's
    response: Tensor  # (B, K, K), of log totals to log needs, interference included
    urgency: Tensor  # (B, K), minus the log-log slope of the rate needed with the time
    idle: Tensor  # (B, K), bool: needs no link for the worst latency
    nearly_held: Tensor  # (B, K), sums to one: how nearly users are held by their budgets
    price: Tensor  # (B, K), fall of the log latency for a rise of a user's log rate, if all are balanced again
    smooth_price: Tensor  # (B, K), the same if all that are nearly held by their budgets are

    @classmethod
    def of(cls, problem: Problem, share: Tensor, log_total: Tensor) -> View:
        """Return the view from given shares, ``(B, N, K)``, and log totals, ``(B, K)``."""
        power = share * log_total.exp()[:, None]
        heard_noise = 1 + received_interference(problem.interference_gain, power)
        sinr = power * problem.signal_gain / heard_noise
        nats_per_use = sinr.log1p().sum(-2)
        time = problem.times(nats_per_use)
        worst = time.amax(-1, keepdim=True)
        needed, urgency = problem.needed(worst)
        idle = needed <= 0
        slope = sinr / (1 + sinr)
        total_slope = slope.sum(-2).clamp_min(TINY)
        heard = interference_by_user(problem.interference_gain, power) / heard_noise[..., None]
        coupling = ((slope / total_slope[:, None])[..., None] * heard).sum(-3)
        coupling = torch.where(idle[..., None], 0.0, coupling)
        identity = torch.eye(power.shape[-1], dtype=power.dtype)
        response = torch.linalg.inv((1 + 1e-6) * identity - coupling)
        ease = torch.where(idle, 0.0, nats_per_use / total_slope)  # log power for log rate, interference aside
        tightness = torch.where(idle, -1e9, log_total)
        held = torch.nn.functional.one_hot(tightness.argmax(-1), power.shape[-1]).to(power.dtype)
        nearly_held = (tightness / SOFTNESS).softmax(-1)
        return cls(
            power,
            heard_noise,
            sinr,
            nats_per_use,
            time,
            worst,
            slope,
            heard,
            response,
            urgency,
            idle,
            nearly_held,
            _prices(held, response, ease, urgency),
            _prices(nearly_held, response, ease, urgency),
        )

    def balanced(self, problem: Problem, share: Tensor, log_total: Tensor, log_change: Tensor) -> Tensor:
        """Return log totals nearer to those with which all users end together, ``(B, K)``.

        A Newton step on the log totals that users need for a common time, and on the log of that time.

        Args:
            problem: The blocks.
            share: New shares, ``(B, N, K)``.
            log_total: The log totals of this view.
            log_change: By how much the log shares changed from those of this view.
        """
        clear = share * problem.signal_gain / self.heard_noise
        time = problem.times(clear.log1p().sum(-2)).amax(-1, keepdim=True)
        needed, urgency = problem.needed(time)
        alone = totals_alone(clear, needed, log_total)
        silent = alone <= LEAST_LOG_TOTAL
        total_slope = self.slope.sum(-2).clamp_min(TINY)
        louder = (self.slope * (self.heard @ log_change[..., None])[..., 0]).sum(-2) / total_slope
        louder = torch.where(silent | self.idle, 0.0, louder)
        urgency = torch.where(silent, 0.0, urgency * self.nats_per_use / total_slope)
        gap = (self.response @ (alone - log_total + louder).clamp_min(-LONGEST_STEP)[..., None])[..., 0]
        per_time = (self.response @ urgency[..., None])[..., 0]
        earliest = ((log_total + gap) / per_time.clamp_min(1e-6)).masked_fill(silent, -1e9).amax(-1, keepdim=True)
        goal = log_total + gap - per_time * earliest.clamp(-LONGEST_STEP, LONGEST_STEP)
        goal = goal - goal.masked_fill(silent, -1e9).amax(-1, keepdim=True)
        step = torch.where(silent, -LONGEST_STEP, (goal - log_total).clamp(-LONGEST_STEP, LONGEST_STEP))
        stepped = (log_total + step).clamp_min(LEAST_LOG_TOTAL)
        return stepped - stepped.amax(-1, keepdim=True)


def _prices(held: Tensor, response: Tensor, ease: Tensor, urgency: Tensor) -> Tensor:
    """Return the fall of the log latency for a rise of each log rate, if held totals must not rise, ``(B, K)``.

    Args:
        held: Whose total is held at its budget, ``(B, K)``, summing to one.
        response: As in :class:`View`, ``(B, K, K)``.
        ease: Log power for log rate, ``(B, K)``.
        urgency: As in :class:`View`, ``(B, K)``.
    """
    row = (held[:, None] @ response)[:, 0] * ease
    return row / (row * urgency).sum(-1, keepdim=True).clamp_min(1e-9)


def totals_alone(clear: Tensor, needed: Tensor, log_total: Tensor) -> Tensor:
    """Return the log totals with which users reach the rates they need while the others stay as they are.

    Args:
        clear: SINR of every subcarrier at full total power, ``(B, N, K)``.
        needed: Rates in nats per use, ``(B, K)``.
        log_total: Where to start the search, ``(B, K)``.
    """
    log_needed = needed.clamp_min(1e-12).log()
    for _ in range(ROOT_STEPS):
        sinr = clear * log_total.exp()[:, None]
        rates = sinr.log1p().sum(-2).clamp_min(TINY)
        slope = ((sinr / (1 + sinr)).sum(-2) / rates).clamp_min(1e-3)
        log_total = (log_total + (log_needed - rates.log()) / slope).clamp(LEAST_LOG_TOTAL, 2.0)
    return log_total
