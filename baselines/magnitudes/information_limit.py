"""InformationLimit: the least expected latency that magnitudes allow, by stochastic approximation."""

from __future__ import annotations

import dataclasses
import math
import time

import numpy as np
import torch
from torch import Tensor

from mec_cf_gym.baselines.fast.solver import FastMinMax
from mec_cf_gym.baselines.magnitudes.magnitude_only import MagnitudeOnly
from mec_cf_gym.baselines.magnitudes.phases import Phases
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.baselines.solution import Solution, Solver, row_by_row
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.performance.latencies import latency

LEAST_LOG_POWER = -12.0
"""Powers start no lower: their gradients vanish with them."""
JUDGES = 4
"""Times the draws of a step: phases that the start and the end are compared on."""


class InformationLimit(Solver):
    """Powers and offload ratios that minimise the mean largest latency over phases that nobody knows.

    Adam on fresh phases in every step, from :class:`MagnitudeOnly` on, with a step size that falls to zero. It
    shows what a policy that sees only magnitudes can reach, and takes seconds a block: it is for small studies.

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

    def __init__(self, steps: int = 300, draws: int = 64, learning_rate: float = 0.05, seed: int = 0) -> None:
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

        ``history`` has the mean largest latency over those phases, in seconds, of the start and of what is
        returned; ``latency`` is that in the true block.
        """
        began = time.perf_counter()
        phases = Phases(block, self.seed)
        found = self.start.solve(block)
        unit_s = float(found.max_latency)
        guess = Guess.near(found.power, found.offload, block.local_hz)
        optimizer = torch.optim.Adam((guess.log_power, guess.log_odds), self.learning_rate)
        for step in range(self.steps):
            optimizer.param_groups[0]["lr"] = self.learning_rate * (1 + math.cos(math.pi * step / self.steps)) / 2
            optimizer.zero_grad()
            torch.autograd.backward(expected_largest_s(phases.drawn(self.draws), *guess.allocation()) / unit_s)
            optimizer.step()
        ended = tuple(part.detach().numpy() for part in guess.allocation())
        began_with = (found.power, found.offload)
        judges = phases.drawn(JUDGES * self.draws)
        before_s, after_s = (
            float(expected_largest_s(judges, *map(torch.from_numpy, map(np.array, tried))))
            for tried in (began_with, ended)
        )
        power, offload = ended if after_s <= before_s else began_with
        history = np.array([before_s, min(before_s, after_s)])
        times = np.array([time.perf_counter() - began])
        return Solution.at(block, power, "stochastic", offload, history=history, step_time_s=times)


def expected_largest_s(drawn: CoherenceBlock, power: Tensor, offload: Tensor) -> Tensor:
    """Return the mean largest latency over draws of a block, a scalar, in seconds.

    Args:
        drawn: The draws, along the first axis.
        power: Power ratios, ``(N, K)``.
        offload: Offload ratios, ``(K,)``.
    """
    largest_s: Tensor = latency(drawn, power, offload).amax(-1)
    return largest_s.mean()


@dataclasses.dataclass(frozen=True)
class Guess:
    """Unknowns without bounds."""

    log_power: Tensor  # (N, K), up to a constant: the user with the most power sends at full power
    log_odds: Tensor  # (K,), of the offload ratios
    has_cpu: Tensor  # (K,), bool: others offload everything

    @classmethod
    def near(cls, power: Floats, offload: Floats, local_hz: Floats) -> Guess:
        """Return the guess of powers, ``(N, K)``, and offload ratios, ``(K,)``, of users with CPUs, ``(K,)``."""
        log_power = torch.from_numpy(np.maximum(np.log(np.maximum(power, 1e-300)), LEAST_LOG_POWER))
        log_odds = torch.logit(torch.from_numpy(np.array(offload)), eps=1e-6)
        return cls(log_power.requires_grad_(), log_odds.requires_grad_(), torch.from_numpy(local_hz > 0))

    def allocation(self) -> tuple[Tensor, Tensor]:
        """Return powers, ``(N, K)``, and offload ratios, ``(K,)``."""
        log_total = self.log_power.logsumexp(0)
        offload = torch.where(self.has_cpu, self.log_odds.sigmoid(), 1.0)
        return (self.log_power - log_total.max()).exp(), offload
