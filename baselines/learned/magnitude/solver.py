"""MagnitudeSolver: powers and offload ratios from the channels' magnitudes alone, learned without labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.learned.magnitude.features import View
from mec_cf_gym.baselines.learned.magnitude.network import MagnitudeNetwork, decide
from mec_cf_gym.baselines.learned.weights import LearnedSolver
from mec_cf_gym.baselines.solution import Solution
from mec_cf_gym.block.block import CoherenceBlock


class MagnitudeSolver(LearnedSolver):
    """The magnitude network as a solver, for any number of users and subcarriers, with maximum-ratio combining.

    Of the channels it reads the magnitudes only, as environments show them with ``observation="csi"``. Offload
    ratios are its own: the best ones for its powers depend on phases.

    Raises:
        ValueError: From ``solve``, if the block has no channel, or another combiner.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0", observation="csi").unwrapped
        >>> _ = env.reset(seed=0)
        >>> print(MagnitudeSolver.load("magnitude").solve(env.block).status)
        predicted
    """

    network: MagnitudeNetwork
    network_class: ClassVar[type[nn.Module]] = MagnitudeNetwork

    def __init__(self, network: MagnitudeNetwork, card: dict[str, Any] | None = None) -> None:
        super().__init__(network, card)
        self._weights = {name: value.numpy() for name, value in network.state_dict().items()}

    def solve(self, block: CoherenceBlock) -> Solution:
        """Return the network's allocation, with the latencies that it truly gives."""
        found = self._allocation(block)
        return Solution.at(block, found.power, "predicted", found.offload)

    def allocate(self, observation: Mapping[str, NDArray[np.float32]], block: CoherenceBlock) -> Allocation:
        """Return the network's allocation."""
        return self._allocation(block)

    def _allocation(self, block: CoherenceBlock) -> Allocation:
        power, offload = decide(self._weights, View.of(block.flattened()))
        shape = block.signal_gain.shape
        return Allocation(power.reshape(shape), offload.reshape(*shape[:-2], shape[-1]))


def installed_magnitude() -> MagnitudeSolver:
    """Return the solver with the weights that come with the package."""
    return MagnitudeSolver.load("magnitude")
