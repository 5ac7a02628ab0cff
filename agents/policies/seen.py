"""What an equivariant network sees of an observation, and of what powers do to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mec_cf_gym.envs.observation import GAIN_FLOOR, LEAST_OPEN_HZ, NOTHING, SITE_UNIT_HZ

LINK_FEATURES = 6
USER_FEATURES = 9
BLOCK_FEATURES = 2
TASK_FEATURES = 6
"""The first features of a task; speeds of the servers of single APs follow where servers are shared."""
LEAST_OPEN_GHZ = LEAST_OPEN_HZ / SITE_UNIT_HZ
TINY = 1e-12
FULL = 1.0001
"""Powers are scaled back onto the budget above this; a budget that is just met still has its gradient."""


@dataclass(frozen=True)
class Seen:
    """An observation, with gains over the noise on a linear scale."""

    signal: Tensor  # (B, N, K)
    interference: Tensor  # (B, N, K, K)
    task: Tensor  # (B, K, TASK_FEATURES), log-scaled
    open_servers: Tensor  # (B, K, L), log-scaled speeds of APs' servers that a user may use; L is zero if none
    links: Tensor | None  # (B, N, K), one for links that exist, zero for padding; None if all do

    @classmethod
    def of(cls, observation: dict[str, Tensor]) -> Seen:
        """Return what is seen of observations with one leading axis."""
        signal, interference = _ratio_of(observation["signal"]), _ratio_of(observation["interference"])
        task, links = observation["task"], observation.get("mask")
        if links is not None:
            signal = signal.masked_fill(links == 0, 0)
            interference = interference.masked_fill(links[..., None] * links[..., None, :] == 0, 0)
            task = task.masked_fill(links.amax(1)[..., None] == 0, NOTHING)
        first = task[..., :TASK_FEATURES]
        missing = first.new_zeros(*first.shape[:-1], TASK_FEATURES - first.shape[-1])
        return cls(signal, interference, torch.cat([first, missing], -1), task[..., TASK_FEATURES:], links)

    def counts(self) -> tuple[Tensor, Tensor]:
        """Return the numbers of subcarriers and of users that are there, each ``(B,)``."""
        if self.links is None:
            return tuple(self.signal.new_full((len(self.signal),), size) for size in self.signal.shape[1:])  # type: ignore[return-value]
        return self.links.amax(2).sum(-1).clamp_min(1), self.links.amax(1).sum(-1).clamp_min(1)

    def server_ghz(self, weight: Tensor) -> Tensor:
        """Return the speeds that users get of shared servers at given weights, ``(B, K)``."""
        if self.links is not None:
            weight = weight * self.links.amax(1)
        open_ghz = _ratio_of(self.open_servers)  # (B, K, L)
        shares = weight[..., None] * (open_ghz > LEAST_OPEN_GHZ)
        of_aps = (open_ghz * shares / shares.sum(1, keepdim=True).clamp_min(TINY)).sum(-1)
        cloud_ghz = _ratio_of(self.task[..., TASK_FEATURES - 1])
        return of_aps + cloud_ghz * weight / weight.sum(-1, keepdim=True)


@dataclass(frozen=True)
class Features:
    """What powers give, as numbers of order one; all of it can be differentiated by the powers."""

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
            kept: Two more numbers that are known of a user, ``(B, K, 2)``.
            weight: Of users at shared servers, ``(B, K)``; equal ones if not given.
        """
        if seen.links is not None:
            power = power * seen.links
        total = power.sum(1, keepdim=True)
        power = power / total.clamp_min(FULL)
        arriving = seen.interference * power[..., None, :]
        noise = 1 + arriving.sum(-1)
        sinr = power * seen.signal / noise
        heard = arriving / noise[..., None]
        harm = heard.transpose(-1, -2)
        harmed = harm / harm.sum(-1, keepdim=True).clamp_min(TINY)
        link = [
            _decades(power, 1e-6),
            _decades(sinr, 1e-4),
            _decades(noise, 1e-4),
            _decades(seen.signal, 1e-4),
            _decades(harm.sum(-1), 1e-4),
            sinr / (1 + sinr),
        ]
        nats = sinr.log1p().sum(1)
        user = torch.cat([2 * seen.task, _decades(nats, 1e-4)[..., None], kept], -1)
        bits, cycles, local, server = (4 * seen.task[..., :4]).unbind(-1)  # decades
        if weight is not None:
            server = seen.server_ghz(weight).clamp_min(1e-3).log10()
        times = [bits - 2 * _decades(nats, 1e-4), bits + cycles - server, bits + cycles - local]
        subcarriers, users = seen.counts()
        sizes = [subcarriers.double().log().to(power.dtype), users.log() / 3]
        return cls(
            torch.stack(link, -1),
            user,
            math.log(10) * torch.stack(times, -1),
            torch.stack(sizes, -1),
            power / power.sum(1, keepdim=True).clamp_min(TINY),
            heard,
            harmed,
        )


def entries_of(observation: dict[str, Tensor], num_entries: int) -> Tensor | None:
    """Return which entries of actions count, ``(B, num_entries)``: one, or zero for padding; None if all do."""
    links = observation.get("mask")
    if links is None:
        return None
    other_rows = num_entries // links.shape[2] - links.shape[1]
    return torch.cat([links.flatten(1), links.amax(1).repeat(1, other_rows)], -1)


def _ratio_of(scaled: Tensor) -> Tensor:
    """Return the ratio that the environment's log scale was given."""
    return (10.0 ** (4 * scaled) - GAIN_FLOOR).clamp_min(0)


def _decades(ratio: Tensor, floor: float) -> Tensor:
    """Return half the decimal logarithm, kept finite by a floor."""
    return (ratio + floor).log10() / 2
