"""The equivariant network: one set of weights for any number of users and subcarriers, and any tasks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mec_cf_gym.baselines.learned.equivariant.physics import LEAST_LOG_TOTAL, TINY, Problem, View
from mec_cf_gym.baselines.learned.message_passing import MessagePassing
from mec_cf_gym.errors import checked_count

LEAST_LOG_SHARE = -14.0
"""Least log share; gradients pass, so that a share can rise again."""
BALANCING_ROUNDS = 2
"""Rounds after the learned ones that only balance totals."""
LINK_FEATURES, USER_FEATURES, BLOCK_FEATURES = 9, 8, 4
FIRST_STEP = 1.8
"""Weight of the first feature in the untrained network: a step of 0.6 times the log ratio."""


@dataclass(frozen=True)
class Iterate:
    """Powers after some rounds, and their rates and latencies; only the shares carry gradients."""

    log_share: Tensor  # (B, N, K)
    log_total: Tensor  # (B, K)
    view: View


class EquivariantNetwork(MessagePassing):
    """Message passing over users and subcarriers, unfolded around the physics.

    Every round looks at what the present powers give (:class:`View`), exchanges messages between links that
    interfere, along ``I`` and against it, and between the links of a user, of a subcarrier and of the block, and
    moves the log shares of the users' powers over the subcarriers. A Newton step then balances the users' totals.
    All rounds share their weights. Users and subcarriers have no order anywhere: permuting them permutes the
    powers. Untrained, it is a hand-made rule: shares follow the first of :class:`Features`.

    Args:
        width: Numbers that a link remembers from round to round.
        hidden: Width of the hidden layers.
        rounds: Learned rounds in use; training draws other numbers, too.
    """

    def __init__(self, width: int = 32, hidden: int = 64, rounds: int = 12) -> None:
        super().__init__(LINK_FEATURES, USER_FEATURES, BLOCK_FEATURES, width, hidden)
        self.architecture = {
            "width": checked_count("width", width, 1, 4096),
            "hidden": checked_count("hidden", hidden, 1, 4096),
            "rounds": checked_count("rounds", rounds, 1, 1000),
        }
        self.rounds = rounds
        self.move = nn.Linear(hidden, 1)
        self.move_by_feature = nn.Linear(LINK_FEATURES, 1, bias=False)
        for layer in (self.move, self.move_by_feature):
            nn.init.zeros_(layer.weight)
        nn.init.zeros_(self.move.bias)
        with torch.no_grad():  # begin as the hand-made rule: follow the ratio of worth and cost
            self.move_by_feature.weight[0, 0] = FIRST_STEP

    def forward(self, problem: Problem, rounds: int | None = None) -> Iterator[Iterate]:
        """Yield the iterates: the start, one for each learned round, and one for each that only balances."""
        rounds = rounds or self.rounds
        log_share = torch.full_like(problem.signal_gain, -math.log(problem.signal_gain.shape[-2]))
        log_total = problem.quiet_start()
        memory = log_share.new_zeros(*log_share.shape, self.width)
        for index in range(rounds + BALANCING_ROUNDS + 1):
            with torch.no_grad():
                share = log_share.exp()
                view = View.of(problem, share, log_total)
            yield Iterate(log_share, log_total, view)
            if index == rounds + BALANCING_ROUNDS:
                return
            moved = log_share
            if index < rounds:
                with torch.no_grad():
                    features = Features.of(problem, view, log_share, log_total, index / rounds)
                memory, change = self.round(memory, features, view, share)
                moved = (log_share + change).log_softmax(-2)
                moved = moved + (moved.clamp_min(LEAST_LOG_SHARE) - moved).detach()
            with torch.no_grad():
                log_total = view.balanced(problem, moved.exp(), log_total, moved - log_share)
            log_share = moved

    def round(self, memory: Tensor, features: Features, view: View, share: Tensor) -> tuple[Tensor, Tensor]:
        """Return the memory of links, ``(B, N, K, width)``, and the change of log shares, ``(B, N, K)``."""
        memory, hidden = self.exchange(
            memory, features.link, features.user, features.block, share, view.heard, features.harmed
        )
        change = self.move(hidden) + self.move_by_feature(features.link)
        return memory, change[..., 0]


@dataclass(frozen=True)
class Features:
    """Features of a round, all of order one."""

    link: Tensor  # (B, N, K, LINK_FEATURES)
    user: Tensor  # (B, K, USER_FEATURES)
    block: Tensor  # (B, BLOCK_FEATURES)
    harmed: Tensor  # (B, N, K, K), share of the harm a user does that falls on each of the others

    @classmethod
    def of(cls, problem: Problem, view: View, log_share: Tensor, log_total: Tensor, done: float) -> Features:
        """Return the features at given powers, ``done`` being the fraction of the rounds that are over.

        The first is what decides at an optimum: the log ratio of what a little power on a link is worth to its
        user and what it costs, by interference to the others and out of the user's own budget. It is zero on
        links in use, and negative on others.
        """
        per_power = 1 / view.power.clamp_min(TINY)
        worth = (view.smooth_price / view.nats_per_use.clamp_min(TINY))[:, None] * view.slope
        harm = view.heard * worth[..., None]
        gain, cost = worth * per_power, harm.sum(-2) * per_power
        spent = view.power.sum(-2, keepdim=True).clamp_min(TINY)
        budget = (((gain - cost) * view.power).sum(-2, keepdim=True) / spent).clamp_min(0)
        ratio = ((gain + TINY) / (cost + budget + TINY)).log().clamp(-3, 3)
        harmed = harm.transpose(-1, -2)
        harmed = harmed / harmed.sum(-1, keepdim=True).clamp_min(TINY)
        link = [
            ratio / 3,
            ratio * log_share.exp(),
            cost / (cost + budget + TINY),
            log_share / 5,
            view.sinr.clamp_min(1e-6).log() / 5,
            view.sinr.log1p() / 3,
            view.slope,
            view.heard_noise.log() / 5,
            problem.signal_gain.clamp_min(1e-6).log() / 5,
        ]
        importance = view.smooth_price / view.smooth_price.sum(-1, keepdim=True).clamp_min(1e-9)
        user = [
            log_total.clamp_min(LEAST_LOG_TOTAL) / 5,
            (importance + 1e-4).log() / 5,
            (view.time / view.worst).clamp_min(1e-3).log(),
            view.urgency.clamp_min(1).log() / 3,
            view.nats_per_use.clamp_min(1e-6).log() / 5,
            problem.local_speed * view.worst.clamp_max(1),
            view.idle.to(log_total.dtype),
            view.nearly_held,
        ]
        subcarriers, users = log_share.shape[-2:]
        sizes = log_total.new_tensor([done, math.log(subcarriers), math.log(users) / 3]).expand(len(log_total), 3)
        block = torch.cat([sizes, view.idle.to(log_total.dtype).mean(-1, keepdim=True)], -1)
        return cls(torch.stack(link, -1), torch.stack(user, -1).clamp(-10, 10), block, harmed)
