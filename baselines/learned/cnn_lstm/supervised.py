"""How the CNN-LSTM is trained on a store of samples: towards their labels, or to make latencies short."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import torch
from tqdm.auto import tqdm

from mec_cf_gym.baselines.learned.cnn_lstm.examples import Examples
from mec_cf_gym.baselines.learned.cnn_lstm.gaps import measure_gaps
from mec_cf_gym.baselines.learned.cnn_lstm.losses import LOSSES, Loss, LossName
from mec_cf_gym.baselines.learned.cnn_lstm.network import CNNLSTMNetwork
from mec_cf_gym.baselines.learned.cnn_lstm.solver import CNNLSTM
from mec_cf_gym.baselines.learned.cnn_lstm.splits import Labelled

BATCH_SIZE = 32
ROWS_AT_ONCE = 1024
WATCHED_SAMPLES = 2048
"""Validation samples whose latency is watched during training."""


class SupervisedLearner:
    """The CNN-LSTM as a learner: Adam on one of the losses, in batches of 32.

    Args:
        network: The network, with its scales set.
        train: Training samples.
        validation: Validation samples.
        watched: Validation samples whose gap to the labels' latency is reported, in any number of parts.
        loss: ``"labels"``, the mean squared error of normalised targets, or ``"latency"``, which needs no labels.
        learning_rate: Of Adam, at first.
        cosine_epochs: Epochs over which the learning rate falls to zero, as a cosine; it stays if not given.
        seed: Of the order of the samples.
    """

    def __init__(
        self,
        network: CNNLSTMNetwork,
        train: Examples,
        validation: Examples,
        watched: Iterable[Labelled],
        *,
        loss: LossName = "labels",
        learning_rate: float,
        cosine_epochs: int | None = None,
        seed: int,
    ) -> None:
        self.network = network
        self.optimizer = torch.optim.Adam(network.parameters(), learning_rate)
        self.train, self.validation, self.watched = train, validation, list(watched)
        self.loss, self.learning_rate, self.cosine_epochs = LOSSES[loss], learning_rate, cosine_epochs
        self.seed = seed

    def train_epoch(self, epoch: int) -> dict[str, float]:
        """Take one step for each batch of the samples, in an order that seed and epoch decide."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.train.power))
        total = 0.0
        for start in tqdm(range(0, len(order), BATCH_SIZE), desc="epoch", unit="batch", leave=False):
            if self.cosine_epochs is not None:
                done = (epoch + start / len(order)) / self.cosine_epochs
                self.optimizer.param_groups[0]["lr"] = self.learning_rate * (1 + math.cos(math.pi * done)) / 2
            rows = order[start : start + BATCH_SIZE]
            loss = self.loss(self.network, self.train, rows)
            self.optimizer.zero_grad()
            torch.autograd.backward(loss)
            self.optimizer.step()
            total += len(rows) * loss.item()
        return {"loss": total / len(order)}

    def validate(self) -> dict[str, float]:
        """Return the loss on the validation samples, and the mean gap on those that are watched."""
        gaps = measure_gaps(CNNLSTM(self.network), self.watched, self.train.least_spectral_efficiency)
        loss = mean_loss(self.loss, self.network, self.validation)
        return {"loss": loss, "gap": float(gaps.gap.mean())}


@torch.no_grad()
def mean_loss(loss: Loss, network: CNNLSTMNetwork, examples: Examples) -> float:
    """Return a loss's mean over all rows."""
    total, count = 0.0, len(examples.power)
    for start in range(0, count, ROWS_AT_ONCE):
        rows = slice(start, min(start + ROWS_AT_ONCE, count))
        total += (rows.stop - rows.start) * float(loss(network, examples, rows))
    return total / count
