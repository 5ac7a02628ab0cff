"""Samples in memory, to train on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from mec_cf_gym.baselines.labels.store import LabelStore
from mec_cf_gym.baselines.learned.cnn_lstm.features import LARGEST_MAGNITUDE
from mec_cf_gym.baselines.learned.cnn_lstm.splits import Rows, read_labelled
from mec_cf_gym.block.block import CoherenceBlock

PHYSICS = ("signal_gain", "interference_gain", "task_bits", "cycles_per_bit", "local_hz", "server_hz")
"""Arrays of a block that latencies follow from."""


@dataclass(frozen=True)
class Examples:
    """Inputs, labels, and what latencies follow from."""

    magnitude: Tensor  # (rows, N, M, K), half precision: 200,000 samples of (4, 64, 20) are 2 GB
    power: Tensor  # (rows, N, K), of the labels
    offload: Tensor  # (rows, K), of the labels
    physics: dict[str, Tensor]  # arrays of the blocks by name, rows first
    subcarrier_bandwidth_hz: float
    least_spectral_efficiency: float  # of the scenario, in bit/s/Hz

    @classmethod
    def read(cls, store: LabelStore, rows: Rows, description: str) -> Examples:
        """Read sorted rows of a store, with a progress bar."""
        parts = []
        with tqdm(total=len(rows), desc=description, unit="sample") as bar:
            for part in read_labelled(store, rows):
                magnitude = torch.from_numpy(np.asarray(part.block.channel)).clamp(max=LARGEST_MAGNITUDE)
                parts.append(
                    {
                        "magnitude": magnitude.half(),
                        "power": torch.from_numpy(part.labels.power).float(),
                        "offload": torch.from_numpy(part.labels.offload).float(),
                        **{name: torch.from_numpy(getattr(part.block, name)).float() for name in PHYSICS},
                    }
                )
                bar.update(len(part.seed))
        whole = {name: torch.cat([part.pop(name) for part in parts]) for name in list(parts[0])}
        return cls(
            whole.pop("magnitude"),
            whole.pop("power"),
            whole.pop("offload"),
            whole,
            store.scenario.subcarrier_bandwidth_hz,
            store.scenario.episode.least_spectral_efficiency,
        )

    def block(self, rows: Rows | slice) -> CoherenceBlock:
        """Return some of the blocks, as tensors and without channels."""
        arrays: dict[str, Any] = {name: tensor[rows] for name, tensor in self.physics.items()}
        return CoherenceBlock(**arrays, subcarrier_bandwidth_hz=self.subcarrier_bandwidth_hz)
