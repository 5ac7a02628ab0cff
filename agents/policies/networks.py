"""Actor, critic and value network: rounds of messages between links, for any number of users and subcarriers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mec_cf_gym.agents.actions import LEAST_WEIGHT_DB
from mec_cf_gym.agents.policies.base import Observation
from mec_cf_gym.agents.policies.seen import (
    BLOCK_FEATURES,
    LINK_FEATURES,
    TINY,
    USER_FEATURES,
    Features,
    Seen,
    entries_of,
)
from mec_cf_gym.baselines.learned.message_passing import MessagePassing, largest_of, mean_of

SHARPNESS = 200.0
"""Untrained sharpness of the soft minimum over users."""
ABSENT = 1e3
"""Value of padded users: far above all others, so that the soft minimum ignores it."""


@dataclass(frozen=True)
class Actions:
    """How scaled actions in [-1, 1] stand for powers and for the rest of what users decide.

    The first N of an action's rows of K entries are powers: in dB from ``least_db`` to zero, or plain ratios if
    it is None. Other rows are offload ratios or shares of servers; those of actions in dB end, where servers are
    shared, in a row of weights.
    """

    least_db: float | None

    def power(self, scaled: Tensor) -> Tensor:
        """Return power ratios for scaled actions, ``(B, N, K)`` both."""
        if self.least_db is None:
            return (scaled.clamp_min(-1) + 1) / 2
        return torch.exp((scaled - 1) / self._per_neper)

    def raised(self, scaled: Tensor, links: Tensor | None) -> Tensor:
        """Return scaled actions ``(B, N, K)``, moved so that the user with the most power meets its budget.

        More power for all, in proportion, raises every SINR.
        """
        power = self.power(scaled)
        if links is not None:
            power = power * links
        total = power.sum(1, keepdim=True)
        most = total.amax(2, keepdim=True).clamp_min(TINY)  # (B, 1, 1)
        if self.least_db is None:
            return (scaled + 1) / most - 1
        return scaled - self._per_neper * most.log()

    def weight(self, rest: Tensor, seen: Seen) -> Tensor | None:
        """Return users' weights at shared servers, ``(B, K)``, from the rows ``(B, R, K)`` after the powers."""
        if self.least_db is None or not rest.shape[1] or not seen.open_servers.shape[-1]:
            return None
        return torch.exp(math.log(10) * -LEAST_WEIGHT_DB / 20 * (rest[:, -1] - 1))

    def named_servers(self, seen: Seen) -> Tensor:
        """Return the log-scaled speeds of the servers that rows of plain actions are about, ``(B, L, K)``."""
        servers = seen.open_servers.transpose(1, 2)
        return servers if self.least_db is None else servers[:, :0]

    @property
    def _per_neper(self) -> float:
        """Change of a scaled action when the power grows by the factor e."""
        return 20 / (math.log(10) * -(self.least_db or 0))


class Rounds(MessagePassing):
    """Message passing with the features of this package's observations."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__(LINK_FEATURES, USER_FEATURES, BLOCK_FEATURES, width, hidden)

    def round(self, memory: Tensor, seen: Seen, features: Features) -> tuple[Tensor, Tensor]:
        """Return memory, ``(B, N, K, width)``, and hidden layer, ``(B, N, K, hidden)``, after a round."""
        return self.exchange(
            memory,
            features.link,
            features.user,
            features.block,
            features.share,
            features.heard,
            features.harmed,
            seen.links,
        )

    def start(self, seen: Seen) -> Tensor:
        """Return an empty memory, ``(B, N, K, width)``."""
        return seen.signal.new_zeros(*seen.signal.shape, self.width)


class ActorNetwork(nn.Module):
    """The actor: every round sees the features of the present powers, exchanges messages and moves the powers.

    Args:
        actions: What actions stand for.
        rounds: Rounds of messages, which share their weights.
        width: Numbers that a link remembers from round to round.
        hidden: Width of the hidden layers.
    """

    def __init__(self, actions: Actions, rounds: int, width: int, hidden: int) -> None:
        super().__init__()
        self.actions, self.rounds = actions, rounds
        self.messages = Rounds(width, hidden)
        self.move = nn.Linear(hidden, 1)
        self.spread = nn.Linear(hidden, 1)
        self.of_user = nn.Linear(2 * hidden + 1, hidden)
        self.decide = nn.Linear(hidden, 2)
        nn.init.zeros_(self.move.weight)
        nn.init.zeros_(self.move.bias)
        nn.init.zeros_(self.spread.weight)
        nn.init.constant_(self.spread.bias, -1.5)

    def forward(self, observation: Observation, num_entries: int) -> tuple[Tensor, Tensor]:
        """Return scaled actions before clipping, and the log of their spread, both ``(B, num_entries)``."""
        seen = Seen.of(observation)
        memory = self.messages.start(seen)
        subcarriers, users = seen.signal.shape[1:]
        scaled = self.actions.raised(torch.ones_like(seen.signal), seen.links)
        no_summary = seen.signal.new_zeros(len(scaled), users, 2)
        rest = spread = scaled.new_zeros(len(scaled), num_entries // users - subcarriers, users)
        for _ in range(self.rounds):
            weight = self.actions.weight(rest, seen)
            features = Features.of(seen, self.actions.power(scaled), no_summary, weight)
            memory, hidden = self.messages.round(memory, seen, features)
            scaled = self.actions.raised(scaled + self.move(hidden)[..., 0].tanh(), seen.links)
            if weight is not None:
                rest, spread = self._of_users(hidden, seen, rest.shape[1])
        if weight is None and rest.shape[1]:
            rest, spread = self._of_users(hidden, seen, rest.shape[1])
        spreads = torch.cat([self.spread(hidden)[..., 0], spread], 1)
        entries, counting = torch.cat([scaled, rest], 1).flatten(1), entries_of(observation, num_entries)
        return entries if counting is None else entries * counting, spreads.flatten(1)

    @staticmethod
    def counting(observation: Observation, num_entries: int) -> Tensor | None:
        """Return which entries are no padding, as :func:`entries_of`."""
        return entries_of(observation, num_entries)

    def _of_users(self, hidden: Tensor, seen: Seen, rows: int) -> tuple[Tensor, Tensor]:
        """Return users' decisions beside powers, and the log of their spread, each ``(B, rows, K)``.

        Args:
            hidden: ``(B, N, K, hidden)``.
            seen: The observation.
            rows: Number of rows of K entries after the powers.
        """
        user = torch.cat(
            [mean_of(hidden, seen.links, 1), largest_of(hidden, seen.links, 1)], -1
        )  # (B, K, 2 hidden)
        servers = self.actions.named_servers(seen)[:, :rows]
        known = servers.new_zeros(len(user), rows, user.shape[1])
        known = torch.cat([servers, known[:, servers.shape[1] :]], 1)[..., None]
        about = torch.cat([user[:, None].expand(-1, rows, -1, -1), known], -1)
        decided = self.decide(nn.functional.silu(self.of_user(about)))
        return decided[..., 0], decided[..., 1] - 1.5


class Judge(nn.Module):
    """A critic: gives every user a value and joins them by a soft minimum, as the slowest user decides the reward.

    A user's value is minus the log of a time, made as times are: a part of the task is sent and then computed by
    a server, and another is computed by the user meanwhile. All else, constants included, is learned.

    Args:
        actions: What actions stand for.
        rounds: Rounds of messages.
        width: Numbers that a link remembers from round to round.
        hidden: Width of the hidden layers.
    """

    def __init__(self, actions: Actions, rounds: int, width: int, hidden: int) -> None:
        super().__init__()
        self.actions, self.rounds = actions, rounds
        self.messages = Rounds(width, hidden)
        self.of_user = nn.Sequential(
            nn.Linear(2 * width + USER_FEATURES, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, 3),
        )
        self.constants = nn.Parameter(torch.zeros(3))
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(SHARPNESS)))

    def forward(self, observation: Observation, scaled: Tensor | None = None) -> Tensor:
        """Return the value of scaled actions, ``(B, 1)``; without them, that of the observation."""
        seen = Seen.of(observation)
        subcarriers, users = seen.signal.shape[1:]
        summary, weight = seen.signal.new_zeros(len(seen.signal), users, 2), None
        if scaled is None:
            power = (1 / seen.counts[0])[:, None, None].expand_as(seen.signal)
        else:
            rows = scaled.reshape(len(scaled), -1, users)
            power = self.actions.power(rows[:, :subcarriers])
            rest = rows[:, subcarriers:]
            weight = self.actions.weight(rest, seen)
            summary = _summary(rest if weight is None else rest[:, :-1], self.actions.named_servers(seen))
        features = Features.of(seen, power, summary, weight)
        memory = self.messages.start(seen)
        for _ in range(self.rounds):
            memory, _ = self.messages.round(memory, seen, features)
        nearest = torch.cat([mean_of(memory, seen.links, 1), largest_of(memory, seen.links, 1), features.user], -1)
        sending, computing, local = (features.log_times + self.of_user(nearest) + 10 * self.constants).unbind(-1)
        values = torch.logaddexp(-torch.logaddexp(sending, computing), -local)
        if seen.links is not None:
            values = values.masked_fill(seen.links.amax(1) == 0, ABSENT)
        sharpness = self.log_sharpness.exp()
        return -torch.logsumexp(-sharpness * values, -1, keepdim=True) / sharpness


def _summary(rows: Tensor, servers: Tensor) -> Tensor:
    """Return means of users' decisions beside powers, plain and weighted by the servers' speeds, ``(B, K, 2)``.

    Args:
        rows: Scaled actions after the powers, ``(B, R, K)``.
        servers: Log-scaled speeds of the servers that the first rows are about, ``(B, L, K)``.
    """
    if not rows.shape[1]:
        return rows.new_zeros(len(rows), rows.shape[2], 2)
    share = (rows + 1) / 2
    servers = servers[:, : rows.shape[1]]
    useful = share[:, : servers.shape[1]] * (servers + 1)
    return torch.stack([share.mean(1), torch.cat([useful, share[:, servers.shape[1] :]], 1).mean(1)], -1)
