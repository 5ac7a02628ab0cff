"""Paper A's CNN-LSTM: channel magnitudes in, powers and offload ratios out, trained on labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from mec_cf_gym.baselines.learned.weights import LearnedSolver, installed_weights
from mec_cf_gym.baselines.single_user import Floats
from mec_cf_gym.baselines.solution import Solution, Solver
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.performance.latencies import best_offload, latency

FILTERS = 32
KERNEL = 3
HIDDEN_UNITS = 50
SMALLEST_MAGNITUDE = 1e-6
"""Magnitudes below count as this, so that their logarithm is finite; the noise has magnitude one."""
SMALLEST_POWER = 1e-4
"""Power ratios below count as this on a log scale."""
PowerScale = Literal["linear", "log"]
SAMPLES_FOR_SCALES = 4096
"""About as many samples, spread evenly, give the mean and spread of the magnitudes."""
SIZE = ("num_subcarriers", "num_aps", "num_users")
ROWS_AT_ONCE = 1024
"""Blocks that go through the network together; more would only take memory."""


class CNNLSTMNetwork(nn.Module):
    """Convolution, batch normalisation, pooling, LSTM and a dense layer (paper A, section IV).

    The map of magnitudes has a row per AP, a column per user and a channel per subcarrier. The LSTM reads the
    pooled map row by row, one row's filters and columns a step: the reading under which M = 64 and K = 10 give the
    paper's 32 x 5 map and ``4 * 50 * (32 * 5 + 50 + 1)`` = 42,200 LSTM parameters (torch keeps a second bias).

    Inputs are magnitudes on a log scale, standardised; targets are min-max normalised, powers and offload ratios
    each with one range, and a sigmoid keeps outputs within it. The statistics are part of the weights.

    Args:
        num_subcarriers: N.
        num_aps: M.
        num_users: K.
        power_scale: ``"linear"`` normalises the powers themselves, ``"log"`` their logarithms.
    """

    magnitude_mean: Tensor
    magnitude_std: Tensor
    target_low: Tensor  # (N K + K,)
    target_range: Tensor  # (N K + K,)

    def __init__(
        self, num_subcarriers: int, num_aps: int, num_users: int, power_scale: PowerScale = "linear"
    ) -> None:
        super().__init__()
        if power_scale not in get_args(PowerScale):
            raise refuse("power_scale", power_scale, f"it must be one of {', '.join(get_args(PowerScale))}")
        self.architecture: dict[str, Any] = {
            "num_subcarriers": checked_count("num_subcarriers", num_subcarriers, 1, 4096),
            "num_aps": checked_count("num_aps", num_aps, 1, 4096),
            "num_users": checked_count("num_users", num_users, 1, 1024),
            "power_scale": power_scale,
        }
        self.power_scale = power_scale
        outputs = num_subcarriers * num_users + num_users
        self.convolution = nn.Conv2d(num_subcarriers, FILTERS, KERNEL, padding="same")
        self.normalisation = nn.BatchNorm2d(FILTERS)
        self.pooling = nn.MaxPool2d(2, ceil_mode=True)  # an odd last row or column is pooled by itself
        self.lstm = nn.LSTM(FILTERS * ((num_users + 1) // 2), HIDDEN_UNITS, batch_first=True)
        self.dense = nn.Linear(HIDDEN_UNITS, outputs)
        self.register_buffer("magnitude_mean", torch.zeros(()))
        self.register_buffer("magnitude_std", torch.ones(()))
        self.register_buffer("target_low", torch.zeros(outputs))
        self.register_buffer("target_range", torch.ones(outputs))

    def forward(self, magnitude: Tensor) -> Tensor:
        """Return normalised targets.

        Args:
            magnitude: Channel magnitudes, ``(rows, N, M, K)``.

        Returns:
            Powers, row by row, then offload ratios, ``(rows, N K + K)``, in (0, 1); not yet feasible.
        """
        features = (log_magnitude(magnitude) - self.magnitude_mean) / self.magnitude_std
        features = features.contiguous(memory_format=torch.channels_last)  # a third faster on a CPU
        features = torch.relu(self.convolution(features))
        features = self.pooling(self.normalisation(features))  # (rows, filters, M / 2, K / 2)
        steps = features.permute(0, 2, 1, 3).flatten(2)  # (rows, M / 2, filters * K / 2)
        _, (last, _) = self.lstm(steps)
        return torch.sigmoid(self.dense(last[0]))

    def set_input_scale(self, magnitude: Tensor) -> None:
        """Take the statistics that standardise inputs from training data.

        Args:
            magnitude: ``(rows, N, M, K)``.
        """
        every = max(1, len(magnitude) // SAMPLES_FOR_SCALES)
        std, mean = torch.std_mean(log_magnitude(magnitude[::every]))
        self.magnitude_mean.copy_(mean)
        self.magnitude_std.copy_(std.clamp(min=1e-6))

    def set_target_ranges(self, power: Tensor, offload: Tensor) -> None:
        """Take the ranges that normalise targets from training data.

        Args:
            power: Powers of the labels, ``(rows, N, K)``.
            offload: Offload ratios of the labels, ``(rows, K)``.
        """
        num_powers = power[0].numel()
        for part, values in ((slice(num_powers), self._scaled(power)), (slice(num_powers, None), offload)):
            low, high = values.aminmax()
            self.target_low[part] = low
            self.target_range[part] = (high - low).clamp(min=1e-6)

    def normalised(self, power: Tensor, offload: Tensor) -> Tensor:
        """Return labels as the targets of :meth:`forward`, ``(rows, N K + K)``."""
        targets = torch.cat((self._scaled(power).flatten(1), offload), dim=1)
        return (targets - self.target_low) / self.target_range

    def allocation(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return what outputs of :meth:`forward` stand for; a user above its budget is scaled back onto it.

        Returns:
            Powers, ``(rows, N, K)``, and offload ratios, ``(rows, K)``.
        """
        num_subcarriers, num_users = self.architecture["num_subcarriers"], self.architecture["num_users"]
        values = (self.target_low + self.target_range * outputs).double()
        power = self._unscaled(values[:, :-num_users]).reshape(-1, num_subcarriers, num_users)
        return power / power.sum(1, keepdim=True).clamp(min=1), values[:, -num_users:].clamp(0, 1)

    def _scaled(self, power: Tensor) -> Tensor:
        return power.clamp(min=SMALLEST_POWER).log() if self.power_scale == "log" else power

    def _unscaled(self, power: Tensor) -> Tensor:
        return power.exp() if self.power_scale == "log" else power


def log_magnitude(magnitude: Tensor) -> Tensor:
    """Return the logarithm of channel magnitudes, of any shape, finite where they are zero."""
    return magnitude.float().clamp(min=SMALLEST_MAGNITUDE).log()


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


class WithBestOffload(Solver):
    """Another solver's powers with the best offload ratios for them, which are closed form.

    Args:
        solver: The other solver.
    """

    def __init__(self, solver: Solver) -> None:
        self.solver = solver

    def solve(self, block: CoherenceBlock) -> Solution:
        """Return the other solver's allocation with the best offload ratios."""
        solution = self.solver.solve(block)
        offload = best_offload(block, solution.power)
        latency_s = latency(block, solution.power, offload)
        history = np.concatenate((solution.history, latency_s.max(-1)[..., None]), axis=-1)
        return dataclasses.replace(solution, offload=offload, latency=latency_s, history=history)


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
