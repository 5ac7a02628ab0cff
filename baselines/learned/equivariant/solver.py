"""The equivariant solver: one set of weights for any number of users and subcarriers, and any tasks."""

from __future__ import annotations

import copy
import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mec_cf_gym.baselines.learned.equivariant.network import EquivariantNetwork
from mec_cf_gym.baselines.learned.equivariant.physics import Problem
from mec_cf_gym.baselines.learned.weights import LearnedSolver
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.baselines.solution import Heuristic
from mec_cf_gym.block.block import CoherenceBlock

NUMBERS_AT_ONCE = 2**20
"""Numbers in the largest tensors of the blocks that go through the network together."""


class EquivariantSolver(LearnedSolver, Heuristic):
    """The equivariant network as a solver: the best of its rounds, with the best split for its powers.

    It takes any block of the package, whatever its size. Users with no gain on any subcarrier are left out.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", num_users=3).unwrapped
        >>> _ = env.reset(seed=0)
        >>> print(EquivariantSolver.load("equivariant").solve(env.block).status)
        predicted
    """

    network: EquivariantNetwork
    network_class: ClassVar[type[nn.Module]] = EquivariantNetwork

    status = "predicted"

    def __init__(self, network: EquivariantNetwork, card: dict[str, Any] | None = None) -> None:
        super().__init__(network, card)
        self._precise = copy.deepcopy(self.network).double()  # in single precision, the order of users shows

    def power(self, block: CoherenceBlock) -> Floats:
        """Return power ratios, ``(..., N, K)``, within every user's budget."""
        whole = Problem.of(block, torch.float64)
        rows, links, users = len(whole.nats), whole.signal_gain[0].numel(), block.num_users
        step = max(1, NUMBERS_AT_ONCE // (links * (users + 64)))
        parts = [self._best_power(whole.rows(slice(start, start + step))) for start in range(0, rows, step)]
        power: Floats = torch.cat(parts).numpy().reshape(block.signal_gain.shape)
        return power

    @torch.inference_mode()
    def _best_power(self, problem: Problem) -> Tensor:
        """Return the powers of the best round for each block, ``(B, N, K)``, in double precision."""
        least = torch.full_like(problem.unit_s, math.inf)
        best = torch.zeros_like(problem.signal_gain)
        for iterate in self._precise(problem):
            better = iterate.view.worst < least
            least = torch.where(better, iterate.view.worst, least)
            best = torch.where(better[..., None], iterate.view.power, best)
        return best / best.sum(-2, keepdim=True).clamp_min(1)


def installed_equivariant() -> EquivariantSolver:
    """Return the solver with the weights that come with the package."""
    return EquivariantSolver.load("equivariant")
