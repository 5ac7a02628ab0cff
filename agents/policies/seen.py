"""Features that an equivariant network sees: of an observation, and of the SINRs that powers give."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from mec_cf_gym.envs.observation import (
    COLUMN,
    NOTHING,
    SITE_COLUMNS,
    SITE_UNIT_HZ,
    TASK_UNITS,
    observed_servers,
    ratio_of,
)
from mec_cf_gym.network.servers import Servers
from mec_cf_gym.performance.rates import interference_by_user

LINK_FEATURES = 6
USER_FEATURES = 9
BLOCK_FEATURES = 2
TINY = 1e-12
FULL = 1.0001
"""Powers are scaled back onto the budget above this; a budget that is just met still has its gradient."""


@dataclass(frozen=True)
class Seen:
    """An observation, with gains over the noise on a linear scale."""

    signal: Tensor  # (B, N, K)
    interference: Tensor  # (B, N, K, K)
    task: Tensor  # (B, K, 6), log-scaled named columns; zero where a network has fewer
    open_servers: Tensor  # (B, K, L), log-scaled speeds of APs' servers that a user may use; L is zero if none
    servers: Servers | None  # shared ones
    links: Tensor | None  # (B, N, K), one for links that exist, zero for padding; None if all do

    @classmethod
    def of(cls, observation: dict[str, Tensor]) -> Seen:
        """Return observations with one leading axis, without what the mask hides."""
        signal, interference = ratio_of(observation["signal"]), ratio_of(observation["interference"])
        task, links = observation["task"], observation.get("mask")
        if links is not None:
            signal = signal.masked_fill(links == 0, 0)
            interference = interference.masked_fill(links[..., None] * links[..., None, :] == 0, 0)
            task = task.masked_fill(links.amax(1)[..., None] == 0, NOTHING)
        first, open_servers = task[..., : len(COLUMN)], task[..., SITE_COLUMNS]
        missing = first.new_zeros(*first.shape[:-1], len(COLUMN) - first.shape[-1])
        servers = observed_servers(task) if open_servers.shape[-1] else None
        return cls(signal, interference, torch.cat([first, missing], -1), open_servers, servers, links)

    @cached_property
    def counts(self) -> tuple[Tensor, Tensor]:
        """Numbers of subcarriers and of users without padding, each ``(B,)``."""
        if self.links is None:
            return tuple(self.signal.new_full((len(self.signal),), size) for size in self.signal.shape[1:])  # type: ignore[return-value]
        return self.links.amax(2).sum(-1).clamp_min(1), self.links.amax(1).sum(-1).clamp_min(1)

    @cached_property
    def block(self) -> Tensor:
        """Features of the block, ``(B, BLOCK_FEATURES)``, the same at all powers."""
        subcarriers, users = self.counts
        return torch.stack([subcarriers.double().log().to(self.signal.dtype), users.log() / 3], -1)

    @cached_property
    def signal_decades(self) -> Tensor:
        """Logarithms of the signal gains, of order one, ``(B, N, K)``."""
        return _decades(self.signal, 1e-4)

    @cached_property
    def task_decades(self) -> tuple[Tensor, ...]:
        """Decimal logarithms of the columns that every task has, in their order, each ``(B, K)``."""
        return (4 * self.task[..., : len(TASK_UNITS)]).unbind(-1)

    def server_ghz(self, servers: Servers, weight: Tensor) -> Tensor:
        """Return the speeds that users get of shared servers at weights ``(B, K)``: ``(B, K)``, in GHz."""
        if self.links is not None:
            weight = weight * self.links.amax(1)
        shares: Any = servers.divided(weight[..., None, :], weight)
        return shares.total_hz / SITE_UNIT_HZ  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Features:
    """Features at given powers, of order one and differentiable by the powers."""

    link: Tensor  # (B, N, K, LINK_FEATURES)
    user: Tensor  # (B, K, USER_FEATURES)
    log_times: (
        Tensor  # (B, K, 3), of sending a task, of its server and of the user's own computing, up to constants
    )
    block: Tensor  # (B, BLOCK_FEATURES)
    share: Tensor  # (B, N, K), of a user's power on its subcarriers
    heard: Tensor  # (B, N, K, K), share of what user k hears that is user j's
    harmed: Tensor  # (B, N, K, K), share of the harm that user k does that falls on user j

    @classmethod
    def of(cls, seen: Seen, power: Tensor, kept: Tensor, weight: Tensor | None = None) -> Features:
        """Return the features at given powers.

        What a link hears is the sum of the powers that arrive: the sum over users in which a radio network
        aggregates messages.

        Args:
            seen: The observation.
            power: Ratios, ``(B, N, K)``; those of a user over budget count as scaled back onto it.
            kept: Two numbers that sum up a user's other decisions, ``(B, K, 2)``; zero if there are none.
            weight: Of users at shared servers, ``(B, K)``; equal ones if not given.
        """
        if seen.links is not None:
            power = power * seen.links
        total = power.sum(1, keepdim=True)
        power = power / total.clamp_min(FULL)
        arriving = interference_by_user(seen.interference, power)
        noise = 1 + arriving.sum(-1)
        sinr = power * seen.signal / noise
        heard = arriving / noise[..., None]
        harm = heard.transpose(-1, -2)
        harmed = harm / harm.sum(-1, keepdim=True).clamp_min(TINY)
        link = [
            _decades(power, 1e-6),
            _decades(sinr, 1e-4),
            _decades(noise, 1e-4),
            seen.signal_decades,
            _decades(harm.sum(-1), 1e-4),
            sinr / (1 + sinr),
        ]
        nats = sinr.log1p().sum(1)
        user = torch.cat([2 * seen.task, _decades(nats, 1e-4)[..., None], kept], -1)
        bits, cycles, local, server = seen.task_decades
        if weight is not None and seen.servers is not None:
            server = seen.server_ghz(seen.servers, weight).clamp_min(1e-3).log10()
        times = [bits - 2 * _decades(nats, 1e-4), bits + cycles - server, bits + cycles - local]
        return cls(
            torch.stack(link, -1),
            user,
            math.log(10) * torch.stack(times, -1),
            seen.block,
            power / power.sum(1, keepdim=True).clamp_min(TINY),
            heard,
            harmed,
        )


def entries_of(observation: dict[str, Tensor], num_entries: int) -> Tensor | None:
    """Return which entries of actions are no padding, ``(B, num_entries)``, one or zero; None if all are."""
    links = observation.get("mask")
    if links is None:
        return None
    other_rows = num_entries // links.shape[2] - links.shape[1]
    return torch.cat([links.flatten(1), links.amax(1).repeat(1, other_rows)], -1)


def _decades(ratio: Tensor, floor: float) -> Tensor:
    """Return half the decimal logarithm of ratios of any shape, finite by the floor."""
    return (ratio + floor).log10() / 2
