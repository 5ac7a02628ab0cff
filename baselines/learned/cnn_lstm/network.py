"""Paper A's CNN-LSTM: channel magnitudes in, powers and offload ratios out."""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from mec_cf_gym.errors import checked_count, refuse

FILTERS = 32
KERNEL = 3
HIDDEN_UNITS = 50
SMALLEST_MAGNITUDE = 1e-6
"""Magnitudes below count as this, so that their logarithm is finite; the noise has magnitude one."""
SMALLEST_POWER = 1e-4
"""Power ratios below count as this on a log scale."""
PowerScale = Literal["linear", "log"]
SAMPLES_FOR_SCALES = 4096
"""Number of samples, about, that give the mean and spread of the magnitudes."""


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
        """Return labels ``(rows, N, K)`` and ``(rows, K)`` as targets of :meth:`forward`: ``(rows, N K + K)``."""
        targets = torch.cat((self._scaled(power).flatten(1), offload), dim=1)
        return (targets - self.target_low) / self.target_range

    def allocation(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the allocation of outputs of :meth:`forward`; a user above its budget is scaled back onto it.

        Args:
            outputs: ``(rows, N K + K)``.

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
