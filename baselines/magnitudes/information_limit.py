"""InformationLimit: the least expected latency that the channels' magnitudes allow, by stochastic approximation."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mec_cf_gym.baselines.fast.solver import FastMinMax
from mec_cf_gym.baselines.magnitudes.magnitude_only import MagnitudeOnly
from mec_cf_gym.baselines.magnitudes.magnitudes import Magnitudes, floored
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.baselines.solution import Solution, Solver, row_by_row
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.performance.latencies import best_offload, latency

LEAST_LOG_POWER = -12.0
"""Powers start no lower: their gradients vanish with them."""
JUDGES = 8
"""Batches of phases that the start and the end are compared on."""


class InformationLimit(Solver):
    """Powers and offload ratios that minimise the mean largest latency over phases that nobody knows.

    Adam on fresh phases in every step, from :class:`MagnitudeOnly` on, with a step size that falls to zero. It
    shows what a policy that sees only |H| can reach, and takes seconds a block: it is for small studies.

    Args:
        steps: Of Adam.
        draws: Draws of all phases in a step.
        learning_rate: Largest step size, of the logarithms of the powers and of the offload ratios' odds.
        seed: Of the phases, for every block anew.

    Raises:
        ValueError: For arguments that are not allowed; from ``solve`` as :class:`MagnitudeOnly`.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", num_users=3, num_aps=8).unwrapped
        >>> _ = env.reset(seed=0)
        >>> print(InformationLimit(steps=20).solve(env.block).status)
        stochastic
    """

    def __init__(
        self, steps: int = 300, draws: int = 64, learning_rate: float = 0.05, seed: int = 0
    ) -> None:
        self.steps = checked_count("steps", steps, 1, 10**6)
        self.draws = checked_count("draws", draws, 1, 10**6)
        self.seed = checked_count("seed", seed, 0, 2**63 - 1)
        if not 0 < learning_rate < math.inf:
            raise refuse("learning_rate", learning_rate, "it must be positive")
        self.learning_rate = learning_rate
        self.start = MagnitudeOnly(FastMinMax())

    @row_by_row
    def solve(self, block: CoherenceBlock) -> Solution:
        """Return the better of start and end, on phases that neither has met; a batch is solved row by row.

        ``history`` has the mean largest latency in seconds over those phases at the start, and of what is returned;
        ``latency`` is that in the true block.
        """
        began = time.perf_counter()
        phases = Phases(block, self.draws, self.seed)
        found = self.start.solve(block)
        guess = Guess.near(found.power, found.offload)
        optimizer = torch.optim.Adam((guess.log_power, guess.log_odds), self.learning_rate)
        for step in range(self.steps):
            optimizer.param_groups[0]["lr"] = self.learning_rate * (1 + math.cos(math.pi * step / self.steps)) / 2
            optimizer.zero_grad()
            torch.autograd.backward(phases.largest_s(*guess.allocation()).mean() / phases.unit_s)
            optimizer.step()
        with torch.no_grad():
            power, offload = (part.numpy() for part in guess.allocation())
            offload = np.where(np.asarray(block.local_hz) > 0, offload, 1.0)
            tried = ((found.power, found.offload), (power, offload))
            before_s, after_s = np.mean([phases.judge(tried) for _ in range(JUDGES)], axis=0)
        if before_s < after_s:
            power, offload = tried[0]
        history = np.array([before_s, min(before_s, after_s)])
        times = np.array([time.perf_counter() - began])
        return Solution.at(block, power, "stochastic", offload, history=history, step_time_s=times)


@dataclasses.dataclass(frozen=True)
class Guess:
    """Unknowns without bounds."""

    log_power: Tensor  # (N, K), up to a constant: the user with the most power sends at full power
    log_odds: Tensor  # (K,), of the offload ratios

    @classmethod
    def near(cls, power: Floats, offload: Floats) -> Guess:
        """Return the guess of powers, ``(N, K)``, and offload ratios, ``(K,)``."""
        log_power = torch.from_numpy(np.maximum(np.log(np.maximum(power, 1e-300)), LEAST_LOG_POWER))
        log_odds = torch.logit(torch.from_numpy(np.array(offload)), eps=1e-6)
        return cls(log_power.requires_grad_(), log_odds.requires_grad_())

    def allocation(self) -> tuple[Tensor, Tensor]:
        """Return powers, ``(N, K)``, and offload ratios, ``(K,)``."""
        log_total = self.log_power.logsumexp(0)
        return (self.log_power - log_total.max()).exp(), self.log_odds.sigmoid()


class Phases:
    """Blocks with the magnitudes of a single one, and phases drawn at random."""

    def __init__(self, block: CoherenceBlock, draws: int, seed: int) -> None:
        known = Magnitudes.of(block)
        self.block, self.printed, self.draws = block, known.printed, draws
        self.magnitude = torch.from_numpy(known.magnitude.astype(np.float32))
        self.known = torch.from_numpy(np.array(known.known))
        self.scale = torch.from_numpy(1 / floored(known.signal_gain))[..., None]  # (N, K, 1)
        self.generator = torch.Generator().manual_seed(seed)
        equal = np.full(known.signal_gain.shape, 1 / block.num_subcarriers)
        self.unit_s = float(latency(block, equal, best_offload(block, equal)).max())

    def drawn(self) -> CoherenceBlock:
        """Return the block under fresh phases, ``(draws,)`` of it."""
        interference_gain = self.known.expand(self.draws, *self.known.shape)
        if not self.printed:
            angle = 2 * math.pi * torch.rand((self.draws, *self.magnitude.shape), generator=self.generator)
            channel = torch.polar(self.magnitude.expand_as(angle), angle)
            heard = (channel.mH @ channel).abs().square().double() * self.scale
            interference_gain = interference_gain + heard * (1 - torch.eye(heard.shape[-1]))
        signal_gain: Any = torch.from_numpy(np.array(self.block.signal_gain))
        signal_gain = signal_gain.expand(self.draws, *signal_gain.shape)
        return dataclasses.replace(
            self.block, signal_gain=signal_gain, interference_gain=interference_gain, channel=None
        )

    def largest_s(self, power: Tensor, offload: Tensor) -> Tensor:
        """Return the largest latencies under fresh phases, ``(draws,)``, in seconds."""
        block = self.drawn()
        whole = torch.where(torch.from_numpy(np.asarray(block.local_hz) > 0), offload, 1.0)
        largest: Tensor = latency(block, power, whole).amax(-1)
        return largest

    def judge(self, tried: tuple[tuple[Floats, Floats], ...]) -> list[float]:
        """Return the mean largest latency, in seconds, of each allocation under the same fresh phases."""
        block = self.drawn()
        parts = [[torch.from_numpy(np.array(part)) for part in allocation] for allocation in tried]
        return [float(latency(block, *part).amax(-1).mean()) for part in parts]
