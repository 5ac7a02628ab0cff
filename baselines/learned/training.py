"""The training loop: checkpoints from which a run goes on exactly, early stopping, TensorBoard, progress bar."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm.auto import tqdm

from mec_cf_gym.evaluation.store import check_same

CHECKPOINT = "checkpoint.safetensors"
"""In the folder of a run: network, best network and optimizer after the last finished epoch."""
Tensors = dict[str, Tensor]


class Learner(Protocol):
    """What is trained, and how one epoch of it goes.

    All that is random in an epoch, and a learning rate that changes, must follow from the epoch's number alone:
    then a run that goes on from a checkpoint equals one that was never cut off.
    """

    @property
    def network(self) -> nn.Module:
        """What learns."""
        ...

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """What steps."""
        ...

    def train_epoch(self, epoch: int) -> dict[str, float]:
        """Train for one epoch, counted from zero, and return what is worth logging, such as ``loss``."""
        ...

    def validate(self) -> dict[str, float]:
        """Return what is worth logging; ``loss`` decides which weights are best and when to stop."""
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
    checkpoint = folder / CHECKPOINT
    progress, best = Progress(), _copy(learner.network)
    if checkpoint.exists():
        if not resume:
            raise ValueError(f"out={str(folder)!r} holds a run already: add --resume, or choose another")
        progress, best = _restore(learner, checkpoint, settings)
    folder.mkdir(parents=True, exist_ok=True)
    with (
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
            _save(learner, checkpoint, progress, best, settings)
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


def _save(learner: Learner, path: Path, progress: Progress, best: Tensors, settings: dict[str, Any]) -> None:
    """Write everything that the next epoch depends on into one file, whole or not at all."""
    tensors = {f"network.{name}": tensor for name, tensor in _copy(learner.network).items()}
    tensors |= {f"best.{name}": tensor for name, tensor in best.items()}
    for index, entries in learner.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in entries.items()}
    header = {"progress": json.dumps(dataclasses.asdict(progress)), "settings": json.dumps(settings)}
    temporary = path.with_name(f".{path.name}.tmp")
    safetensors.torch.save_file(tensors, temporary, metadata=header)
    temporary.replace(path)


def _restore(learner: Learner, path: Path, settings: dict[str, Any]) -> tuple[Progress, Tensors]:
    """Bring the learner to where the checkpoint is; return the progress and the best weights."""
    try:
        header, tensors = _read(path)
        progress, before = Progress(**json.loads(header["progress"])), json.loads(header["settings"])
        check_same(before, settings, path.parent)
        learner.network.load_state_dict(_below("network", tensors))
        learner.optimizer.load_state_dict(
            {**learner.optimizer.state_dict(), "state": _by_parameter(_below("optimizer", tensors))}
        )
    except (safetensors.SafetensorError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path} is no checkpoint of this run: {error}") from error
    return progress, _below("best", tensors)


def _read(path: Path) -> tuple[dict[str, str], Tensors]:
    with safetensors.safe_open(path, "pt") as file:
        return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _by_parameter(tensors: Tensors) -> dict[int, Tensors]:
    """Return the entries ``index.name`` of an optimizer's state as a dictionary for every index."""
    state: dict[int, Tensors] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = tensor
    return state


def _below(group: str, tensors: Tensors) -> Tensors:
    return {name.removeprefix(f"{group}."): tensor for name, tensor in tensors.items() if name.startswith(group)}
