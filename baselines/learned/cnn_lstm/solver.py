"""Paper A's CNN-LSTM as a solver, for the size of networks that its weights were trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from mec_cf_gym.baselines.learned.cnn_lstm.network import CNNLSTMNetwork
from mec_cf_gym.baselines.learned.weights import LearnedSolver, installed_weights
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.baselines.solution import Solution, Solver
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import refuse

SIZE = ("num_subcarriers", "num_aps", "num_users")
ROWS_AT_ONCE = 1024
"""Blocks that go through the network together; more would only take memory."""


class CNNLSTM(LearnedSolver):
    """Paper A's CNN-LSTM as a solver, for the one (N, M, K) it was trained on.

    Powers and offload ratios are the network's own, as in the paper.

    Raises:
        ValueError: From ``solve``, if the block has another size, or no channel.

    Examples:
        >>> import gymnasium as gym
        >>> env = gym.make("MECCellFree-v0").unwrapped
        >>> _ = env.reset(seed=0)
        >>> print(CNNLSTM.load("paper-a-k10").solve(env.block).status)
        predicted
    """

    network: CNNLSTMNetwork
    network_class: ClassVar[type[nn.Module]] = CNNLSTMNetwork

    def solve(self, block: CoherenceBlock) -> Solution:
        """Return the network's allocation; a user without a CPU offloads everything."""
        size, expected = size_of(block), tuple(self.network.architecture[name] for name in SIZE)
        if size != expected:
            raise refuse("block", size, f"these weights are for (N, M, K) = {expected}")
        power, offload = self.predict(np.abs(np.asarray(block.channel)).reshape(-1, *size))
        power = power.reshape(block.signal_gain.shape)
        offload = np.where(block.local_hz > 0, offload.reshape(*block.batch_shape, -1), 1.0)
        return Solution.at(block, power, "predicted", offload)

    @torch.no_grad()
    def predict(self, magnitude: np.ndarray[Any, Any]) -> tuple[Floats, Floats]:
        """Return powers, ``(rows, N, K)``, and offload ratios, ``(rows, K)``.

        Args:
            magnitude: Channel magnitudes, ``(rows, N, M, K)``.
        """
        parts = [
            self.network.allocation(self.network(torch.from_numpy(magnitude[start : start + ROWS_AT_ONCE])))
            for start in range(0, len(magnitude), ROWS_AT_ONCE)
        ]
        power, offload = (torch.cat(column).numpy() for column in zip(*parts, strict=True))
        return power, offload


def size_of(block: CoherenceBlock) -> tuple[int, int, int]:
    """Return (N, M, K) of a block.

    Raises:
        ValueError: If the block has no channel, and so no M.
    """
    if block.channel is None:
        raise ValueError("the block has no channel, of which the CNN-LSTM needs the magnitudes")
    num_subcarriers, num_aps, num_users = block.channel.shape[-3:]
    return num_subcarriers, num_aps, num_users


class InstalledCNNLSTM(Solver):
    """The CNN-LSTM with the installed weights that fit the block: of several, the first by name.

    ``card`` is that of the weights that were used last.
    """

    def __init__(self) -> None:
        self.card: dict[str, Any] = {}
        self._solvers: dict[tuple[int, int, int], CNNLSTM] = {}

    def solve(self, block: CoherenceBlock) -> Solution:
        """Return the allocation of the weights for the block's (N, M, K)."""
        size = size_of(block)
        if size not in self._solvers:
            self._solvers[size] = CNNLSTM.load(_name_for(size, installed_weights("CNNLSTM")))
        self.card = self._solvers[size].card
        return self._solvers[size].solve(block)


def _name_for(size: tuple[int, int, int], cards: Mapping[str, Mapping[str, Any]]) -> str:
    sizes = {name: tuple(card["architecture"][axis] for axis in SIZE) for name, card in cards.items()}
    for name, known in sizes.items():
        if known == size:
            return name
    listing = ", ".join(f"{known} ({name})" for name, known in sizes.items()) or "none"
    raise refuse("block", size, f"(N, M, K) of the installed CNN-LSTM weights: {listing}")
