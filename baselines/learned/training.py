"""The training loop: checkpoints from which a run goes on exactly, early stopping, TensorBoard, progress bar."""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter
from tqdm.auto import tqdm

from mec_cf_gym.baselines.learned import checkpoint
from mec_cf_gym.baselines.learned.checkpoint import CHECKPOINT, Tensors
from mec_cf_gym.evaluation.runs import check_same, check_unused, hold


class Learner(Protocol):
    """A network with its optimizer, and what one epoch of training is.

    All that is random in an epoch, and a learning rate that changes, must follow from the epoch's number alone:
    then a run that goes on from a checkpoint equals one that was never cut off.
    """

    @property
    def network(self) -> nn.Module:
        """The network that is trained."""
        ...

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """Its optimizer."""
        ...

    def train_epoch(self, epoch: int) -> dict[str, float]:
        """Train for one epoch, counted from zero, and return numbers to log, such as ``loss``."""
        ...

    def validate(self) -> dict[str, float]:
        """Return numbers to log; ``loss`` decides which weights are best and when to stop."""
        ...


@dataclass
class Progress:
    """How far a run is."""

    epochs: int = 0  # finished
    best_epochs: int = 0  # finished when the validation loss was least
    best_loss: float = math.inf  # least validation loss
    training_s: float = 0.0  # wall time of all epochs, validation included


def train(
    learner: Learner, folder: Path, *, epochs: int, patience: int, settings: dict[str, Any], resume: bool = False
) -> Progress:
    """Train until the validation loss has not improved for some epochs; the network ends with its best weights.

    Every epoch ends with a checkpoint, written whole or not at all, and a line in TensorBoard's log.

    Args:
        learner: Network, optimizer, and what an epoch is.
        folder: For the checkpoint and the log.
        epochs: Most epochs to train for.
        patience: Epochs without improvement after which to stop.
        settings: What decides the result, as plain JSON; it must not change when a run goes on.
        resume: Whether to go on with the run in the folder, if there is one.

    Raises:
        ValueError: If the folder holds a run that may not, or cannot, go on, or if the loss is no longer finite.
    """
    path = folder / CHECKPOINT
    check_unused(folder, path.exists(), resume)
    progress, best = Progress(), _copy(learner.network)
    if path.exists():
        progress, best = _restore(learner, path, settings)
    with (
        hold(folder),
        SummaryWriter(folder / "tensorboard", purge_step=progress.epochs + 1) as log,
        tqdm(total=epochs, initial=progress.epochs, desc="training", unit="epoch") as bar,
    ):
        while progress.epochs < epochs and progress.epochs - progress.best_epochs < patience:
            began = time.perf_counter()
            learner.network.train()
            trained = learner.train_epoch(progress.epochs)
            learner.network.eval()
            validated = learner.validate()
            progress.epochs += 1
            progress.training_s += time.perf_counter() - began
            if not math.isfinite(validated["loss"]):
                raise ValueError(f"training diverged in epoch {progress.epochs}: try a smaller learning rate")
            if validated["loss"] < progress.best_loss:
                progress.best_epochs, progress.best_loss = progress.epochs, validated["loss"]
                best = _copy(learner.network)
            content = {
                "progress": dataclasses.asdict(progress),
                "settings": settings,
                "network": learner.network.state_dict(),
                "best": best,
                "optimizer": learner.optimizer.state_dict()["state"],
            }
            checkpoint.write(path, content)
            for part, measures in (("train", trained), ("validation", validated)):
                for name, value in measures.items():
                    log.add_scalar(f"{name}/{part}", value, progress.epochs)
            bar.set_postfix({name: f"{value:.3g}" for name, value in validated.items()})
            bar.update()
    learner.network.load_state_dict(best)
    learner.network.eval()
    return progress


def _copy(network: nn.Module) -> Tensors:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _restore(learner: Learner, path: Path, settings: dict[str, Any]) -> tuple[Progress, Tensors]:
    """Bring the learner to where the checkpoint is; return the progress and the best weights."""
    with checkpoint.reading(path) as content:
        progress = Progress(**content["progress"])
        check_same(content["settings"], settings, path.parent)
        learner.network.load_state_dict(content["network"])
        learner.optimizer.load_state_dict({**learner.optimizer.state_dict(), "state": content["optimizer"]})
        return progress, content["best"]
