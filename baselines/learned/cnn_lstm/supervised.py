"""Supervised learning of the CNN-LSTM: mean squared error to the labels of a store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from mec_cf_gym.baselines.labels.store import LabelStore
from mec_cf_gym.baselines.learned.cnn_lstm.gaps import measure_gaps
from mec_cf_gym.baselines.learned.cnn_lstm.network import CNNLSTMNetwork
from mec_cf_gym.baselines.learned.cnn_lstm.solver import CNNLSTM
from mec_cf_gym.baselines.learned.cnn_lstm.splits import Labelled, Rows, read_labelled

BATCH_SIZE = 32
ROWS_AT_ONCE = 1024
LARGEST_MAGNITUDE = torch.finfo(torch.float16).max
WATCHED_SAMPLES = 2048
"""Validation samples whose latency is watched during training."""


@dataclass(frozen=True)
class Examples:
    """Inputs and labels in memory."""

    magnitude: Tensor  # (rows, N, M, K), half precision: 200,000 samples of (4, 64, 20) are 2 GB
    power: Tensor  # (rows, N, K)
    offload: Tensor  # (rows, K)

    @classmethod
    def read(cls, store: LabelStore, rows: Rows, description: str) -> Examples:
        """Read sorted rows of a store, with a progress bar."""
        num_subcarriers, num_aps, num_users = store.read("channel_magnitude", slice(0, 1)).shape[1:]
        examples = cls(
            torch.empty((len(rows), num_subcarriers, num_aps, num_users), dtype=torch.float16),
            torch.empty((len(rows), num_subcarriers, num_users)),
            torch.empty((len(rows), num_users)),
        )
        end = 0
        with tqdm(total=len(rows), desc=description, unit="sample") as bar:
            for part in read_labelled(store, rows):
                begin, end = end, end + len(part.seed)
                examples.magnitude[begin:end] = torch.from_numpy(part.block.channel).clamp(max=LARGEST_MAGNITUDE)
                examples.power[begin:end] = torch.from_numpy(part.labels.power)
                examples.offload[begin:end] = torch.from_numpy(part.labels.offload)
                bar.update(end - begin)
        return examples


class SupervisedLearner:
    """The CNN-LSTM as a learner: Adam on the mean squared error of normalised targets, in batches of 32.

    Args:
        network: The network, with its scales set.
        train: Training samples.
        validation: Validation samples.
        watched: Validation samples whose gap to the labels' latency is reported, in any number of parts.
        least_spectral_efficiency: Of the scenario, for the gap.
        learning_rate: Of Adam.
        seed: Of the order of the samples.
    """

    def __init__(
        self,
        network: CNNLSTMNetwork,
        train: Examples,
        validation: Examples,
        watched: Iterable[Labelled],
        *,
        least_spectral_efficiency: float,
        learning_rate: float,
        seed: int,
    ) -> None:
        self.network = network
        self.optimizer = torch.optim.Adam(network.parameters(), learning_rate)
        self.train, self.validation, self.watched = train, validation, list(watched)
        self.least_spectral_efficiency = least_spectral_efficiency
        self.seed = seed

    def train_epoch(self, epoch: int) -> dict[str, float]:
        """Take one step for each batch of the samples, in an order that seed and epoch decide."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.train.power))
        total = 0.0
        for start in tqdm(range(0, len(order), BATCH_SIZE), desc="epoch", unit="batch", leave=False):
            rows = order[start : start + BATCH_SIZE]
            loss = squared_error(self.network, self.train, rows)
            self.optimizer.zero_grad()
            torch.autograd.backward(loss)
            self.optimizer.step()
            total += len(rows) * loss.item()
        return {"loss": total / len(order)}

    def validate(self) -> dict[str, float]:
        """Return the loss on the validation samples, and the mean gap on those that are watched."""
        gaps = measure_gaps(CNNLSTM(self.network), self.watched, self.least_spectral_efficiency)
        return {"loss": mean_loss(self.network, self.validation), "gap": float(gaps.gap.mean())}


def squared_error(network: CNNLSTMNetwork, examples: Examples, rows: Rows | slice) -> Tensor:
    """Return the mean squared error of normalised targets over some rows, a scalar."""
    targets = network.normalised(examples.power[rows], examples.offload[rows])
    return torch.nn.functional.mse_loss(network(examples.magnitude[rows]), targets)


@torch.no_grad()
def mean_loss(network: CNNLSTMNetwork, examples: Examples) -> float:
    """Return the mean squared error of normalised targets over all rows."""
    total, count = 0.0, len(examples.power)
    for start in range(0, count, ROWS_AT_ONCE):
        rows = slice(start, min(start + ROWS_AT_ONCE, count))
        total += (rows.stop - rows.start) * float(squared_error(network, examples, rows))
    return total / count
