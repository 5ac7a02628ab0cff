"""Networks of ``PricePolicy``: what users know of themselves and of each other, and what follows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mec_cf_gym.agents.policies.base import Observation
from mec_cf_gym.envs.observation import GAIN_FLOOR, QUEUE_COLUMNS, TASK_UNITS, ratio_of

FEATURES = 7 + len(TASK_UNITS) + len(QUEUE_COLUMNS)


class UserFeatures(nn.Module):
    """What a user knows of itself and of all others: ``(B, K, 2 hidden)`` of a hidden layer and its pools.

    Args:
        decided: Entries of an action that are known of each user.
        hidden: Width of the layers.
    """

    def __init__(self, decided: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Linear(FEATURES + decided, hidden)
        self.second = nn.Linear(3 * hidden, hidden)

    def forward(self, observation: Observation, present: Tensor | None, decided: Tensor | None = None) -> Tensor:
        """Return a layer for every user, ``(B, K, hidden)``.

        Args:
            observation: Of the environment.
            present: One for users that exist, zero for padding, ``(B, K)``; all exist if not given.
            decided: Scaled actions, ``(B, K, decided)``.
        """
        known = features(observation, present)
        known = known if decided is None else torch.cat([known, decided], -1)
        own = nn.functional.silu(self.first(known))
        mean, largest = pooled(own, present)
        both = torch.cat([mean, largest], -1)[:, None].expand(-1, own.shape[1], -1)
        return nn.functional.silu(self.second(torch.cat([own, both], -1)))


class PriceNetwork(nn.Module):
    """The actor: for every user as many entries as the action has rows; untrained, all are zero.

    Args:
        rows: Rows of an action.
        hidden: Width of the layers.
        log_spread: Of the untrained exploration.
    """

    def __init__(self, rows: int, hidden: int, log_spread: float) -> None:
        super().__init__()
        self.users, self.decide = UserFeatures(0, hidden), nn.Linear(hidden, 2 * rows)
        nn.init.zeros_(self.decide.weight)
        nn.init.zeros_(self.decide.bias)
        with torch.no_grad():
            self.decide.bias[rows:] = log_spread

    def forward(self, observation: Observation, num_entries: int) -> tuple[Tensor, Tensor]:
        """Return scaled actions before clipping, and the log of their spread, both ``(B, num_entries)``."""
        present = present_of(observation)
        decided = self.decide(self.users(observation, present)).transpose(1, 2)  # (B, 2 rows, K)
        if present is not None:
            decided = decided * present[:, None]
        scaled, log_spread = decided.chunk(2, 1)
        return scaled.flatten(1), log_spread.flatten(1)

    @staticmethod
    def counting(observation: Observation, num_entries: int) -> Tensor | None:
        """Return which entries are no padding, ``(B, num_entries)``; None if all are not."""
        present = present_of(observation)
        return None if present is None else present.repeat(1, num_entries // present.shape[1])


class PriceJudge(nn.Module):
    """A critic: the value of an observation and, if there is one, of a scaled action.

    Args:
        rows: Rows of the actions that it judges; zero if it judges observations alone.
        hidden: Width of the layers.
    """

    def __init__(self, rows: int, hidden: int) -> None:
        super().__init__()
        self.rows = rows
        self.users = UserFeatures(rows, hidden)
        self.value = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1))

    def forward(self, observation: Observation, scaled: Tensor | None = None) -> Tensor:
        """Return values, ``(B, 1)``."""
        present = present_of(observation)
        users = observation["queue"].shape[1]
        decided = None if scaled is None else scaled.reshape(len(scaled), -1, users).transpose(1, 2)
        layer = self.users(observation, present, decided)
        value: Tensor = self.value(torch.cat(pooled(layer, present), -1))
        return value


def features(observation: Observation, present: Tensor | None) -> Tensor:
    """Return what is known of each user, of order one, ``(B, K, FEATURES)``.

    Args:
        observation: Of the environment.
        present: As in :class:`UserFeatures`.
    """
    signal, interference, queue = observation["signal"], observation["interference"], observation["queue"]
    shown = dict(zip(QUEUE_COLUMNS, ratio_of(queue).unbind(-1), strict=True))
    waiting = shown["queue_bits"] + shown["server_bits"]  # in mean bits of a block
    if present is not None:
        waiting = waiting * present
    gains = ratio_of(interference).sum(1)  # (B, K, K), of user j on user k
    known = [
        _decades(ratio_of(signal).sum(1)),
        _decades(gains.sum(2)),
        _decades(gains.sum(1)),
        _decades(waiting),
        waiting / waiting.amax(1, keepdim=True).clamp_min(1.0),
        shown["battery"],
        observation["elapsed"].expand_as(waiting),
    ]
    return torch.cat([torch.stack(known, -1), observation["task"][..., : len(TASK_UNITS)], queue], -1)


def present_of(observation: Observation) -> Tensor | None:
    """Return one for users that exist, zero for padding, ``(B, K)``; None if all do."""
    mask = observation.get("mask")
    return None if mask is None else mask.amax(1)


def _decades(ratio: Tensor) -> Tensor:
    """Return ratios on the scale of observations, of any shape."""
    return (ratio + GAIN_FLOOR).log10() / 4


def pooled(layer: Tensor, present: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the mean and the maximum over users, ``(B, hidden)`` each, of a layer ``(B, K, hidden)``."""
    if present is None:
        return layer.mean(1), layer.amax(1)
    there = present[..., None]
    mean = (layer * there).sum(1) / there.sum(1).clamp_min(1)
    return mean, layer.masked_fill(there == 0, -torch.inf).amax(1)
