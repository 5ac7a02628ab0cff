"""Paper A's CNN-LSTM: channel magnitudes in, powers and offload ratios out."""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from mec_cf_gym.baselines.learned.cnn_lstm.features import Features, by_total_gain, features_of
from mec_cf_gym.errors import checked_count, refuse

FILTERS = 32
KERNEL = 3
HIDDEN_UNITS = 50
SMALLEST_POWER = 1e-4
"""Power ratios below count as this on a log scale."""
LOUDEST_START = 0.9
"""Largest power ratio to begin training with, where the sigmoid is not flat."""
PowerScale = Literal["linear", "log"]
SAMPLES_FOR_SCALES = 4096
"""Number of samples, about, that give the mean and spread of the magnitudes."""


class CNNLSTMNetwork(nn.Module):
    """Convolution, batch normalisation, pooling, LSTM and a dense layer (paper A, section IV).

    The map of magnitudes has a row per AP, a column per user and a channel per subcarrier. The LSTM reads the
    pooled map row by row, one row's filters and columns a step: the reading under which M = 64 and K = 10 give the
    paper's 32 x 5 map and ``4 * 50 * (32 * 5 + 50 + 1)`` = 42,200 LSTM parameters (torch keeps a second bias).

    Inputs are standardised; targets are min-max normalised, powers and offload ratios each with one range, and a
    sigmoid keeps outputs within it. The statistics are part of the weights.

    Args:
        num_subcarriers: N.
        num_aps: M.
        num_users: K.
        power_scale: ``"linear"`` normalises the powers themselves, ``"log"`` their logarithms.
        features: What of the magnitudes it sees; with ``"gains"`` the map has a row per interfering user
            instead of one per AP.
        sorted_users: Whether the map's columns are the users in the order of their total gains, so that a
            column is the strongest user, the second, and so on; outputs are in the caller's order all the same.
        filters: Of the convolution.
        hidden_units: Of the LSTM.
    """

    magnitude_mean: Tensor
    magnitude_std: Tensor
    target_low: Tensor  # (N K + K,)
    target_range: Tensor  # (N K + K,)

    def __init__(
        self,
        num_subcarriers: int,
        num_aps: int,
        num_users: int,
        power_scale: PowerScale = "linear",
        features: Features = "log_magnitude",
        *,
        sorted_users: bool = False,
        filters: int = FILTERS,
        hidden_units: int = HIDDEN_UNITS,
    ) -> None:
        super().__init__()
        for name, value, kinds in (
            ("power_scale", power_scale, get_args(PowerScale)),
            ("features", features, get_args(Features)),
        ):
            if value not in kinds:
                raise refuse(name, value, f"it must be one of {', '.join(kinds)}")
        self.architecture: dict[str, Any] = {
            "num_subcarriers": checked_count("num_subcarriers", num_subcarriers, 1, 4096),
            "num_aps": checked_count("num_aps", num_aps, 1, 4096),
            "num_users": checked_count("num_users", num_users, 1, 1024),
            "power_scale": power_scale,
            "features": features,
            "sorted_users": bool(sorted_users),
            "filters": checked_count("filters", filters, 1, 4096),
            "hidden_units": checked_count("hidden_units", hidden_units, 1, 4096),
        }
        self.power_scale, self.features, self.sorted_users = power_scale, features, sorted_users
        outputs = num_subcarriers * num_users + num_users
        self.convolution = nn.Conv2d(num_subcarriers, filters, KERNEL, padding="same")
        self.normalisation = nn.BatchNorm2d(filters)
        self.pooling = nn.MaxPool2d(2, ceil_mode=True)  # an odd last row or column is pooled by itself
        self.lstm = nn.LSTM(filters * ((num_users + 1) // 2), hidden_units, batch_first=True)
        self.dense = nn.Linear(hidden_units, outputs)
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
        if not self.sorted_users:
            return self._targets(magnitude)
        order = by_total_gain(magnitude)
        targets = self._targets(magnitude.gather(3, order[:, None, None].expand(magnitude.shape)))
        users = targets.reshape(len(order), -1, order.shape[1])  # (rows, N + 1, K)
        place = order.argsort(1)[:, None].expand(users.shape)
        return users.gather(2, place).flatten(1)

    def _targets(self, magnitude: Tensor) -> Tensor:
        """Return what :meth:`forward` does, with users in the order of the columns."""
        maps = (features_of(magnitude, self.features) - self.magnitude_mean) / self.magnitude_std
        maps = maps.contiguous(memory_format=torch.channels_last)  # a third faster on a CPU
        maps = torch.relu(self.convolution(maps))
        maps = self.pooling(self.normalisation(maps))  # (rows, filters, M / 2, K / 2)
        steps = maps.permute(0, 2, 1, 3).flatten(2)  # (rows, M / 2, filters * K / 2)
        _, (last, _) = self.lstm(steps)
        outputs: Tensor = self.dense(last[0])
        return outputs.sigmoid()

    def set_input_scale(self, magnitude: Tensor) -> None:
        """Take the statistics that standardise inputs from training data.

        Args:
            magnitude: ``(rows, N, M, K)``.
        """
        every = max(1, len(magnitude) // SAMPLES_FOR_SCALES)
        std, mean = torch.std_mean(features_of(magnitude[::every], self.features))
        self.magnitude_mean.copy_(mean)
        self.magnitude_std.copy_(std.clamp(min=1e-6))

    def set_target_ranges(self, power: Tensor, offload: Tensor) -> None:
        """Take the ranges that normalise targets from training data.

        Args:
            power: Powers of the labels, ``(rows, N, K)``.
            offload: Offload ratios of the labels, ``(rows, K)``.
        """
        powers, ratios = self._parts()
        for part, values in ((powers, self._scaled(power)), (ratios, offload)):
            low, high = values.aminmax()
            self.target_low[part] = low
            self.target_range[part] = (high - low).clamp(min=1e-6)

    def start_from_equal_split(self) -> None:
        """Take the ranges of all powers and offload ratios there are, and begin near an equal split of the powers.

        For training without labels. Where everybody is nearly silent, computing everything locally is a trap.
        """
        ends = torch.tensor([0.0, 1.0])
        self.set_target_ranges(ends, ends)
        powers, ratios = self._parts()
        equal = torch.tensor(1 / self.architecture["num_subcarriers"]).clamp(max=LOUDEST_START)
        with torch.no_grad():
            target = (self._scaled(equal) - self.target_low[powers]) / self.target_range[powers]
            self.dense.bias[powers] = target.logit()
            self.dense.bias[ratios] = 0.0  # a half

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

    def _parts(self) -> tuple[slice, slice]:
        """Return where the powers and the offload ratios are among the targets."""
        num_powers = self.architecture["num_subcarriers"] * self.architecture["num_users"]
        return slice(num_powers), slice(num_powers, None)

    def _scaled(self, power: Tensor) -> Tensor:
        return power.clamp(min=SMALLEST_POWER).log() if self.power_scale == "log" else power

    def _unscaled(self, power: Tensor) -> Tensor:
        return power.exp() if self.power_scale == "log" else power
