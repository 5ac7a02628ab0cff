"""Weights on disk: tensors as safetensors, and beside them a model card in JSON. Nothing is unpickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Self

import safetensors
import safetensors.torch
from torch import Tensor, nn

from mec_cf_gym.baselines.solution import Solver
from mec_cf_gym.errors import refuse
from mec_cf_gym.evaluation.store import write_atomically

FOLDER = Path(__file__).parent / "weights"
"""The weights that come with the package."""


class LearnedSolver(Solver):
    """A solver around a trained network.

    Args:
        network: The network. Its class is built from keyword arguments, which it keeps as ``architecture``.
        card: What is known about the weights: data, seeds, training time, measured gaps; plain JSON.
    """

    network_class: ClassVar[type[nn.Module]]

    def __init__(self, network: nn.Module, card: dict[str, Any] | None = None) -> None:
        self.network = network.eval()
        self.card = card or {}

    @classmethod
    def load(cls, name: str | Path) -> Self:
        """Return the solver whose weights are installed under a name, or lie at a path without suffix.

        Raises:
            ValueError: If there are no such weights, or they are damaged, of another model or of another shape.
        """
        path = _resolve(name)
        card = _read_card(path, cls.__name__)
        tensors = _read_tensors(path)
        try:
            network = cls.network_class(**card["architecture"])
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"the architecture in {_with_suffix(path, '.json')} is not allowed: {error}"
            ) from error
        _check_tensors(network, tensors, path)
        network.load_state_dict(tensors)
        return cls(network, card)

    def save(self, path: str | Path) -> None:
        """Write ``path.safetensors`` and ``path.json``, each whole or not at all."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        header = {"model": type(self).__name__, "architecture": self.network.architecture}
        tensors = {name: tensor.contiguous() for name, tensor in self.network.state_dict().items()}
        temporary = path.with_name(f".{path.name}.tmp")
        safetensors.torch.save_file(tensors, temporary)
        temporary.replace(_with_suffix(path, ".safetensors"))
        card = json.dumps({**self.card, **header}, indent=2, allow_nan=False)
        write_atomically(_with_suffix(path, ".json"), card + "\n")


def installed_weights(model: str) -> dict[str, dict[str, Any]]:
    """Return the cards of the weights that come with the package for a model, by name."""
    cards = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
    return {name: card for name, card in cards.items() if card["model"] == model}


def _with_suffix(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _resolve(name: str | Path) -> Path:
    for path in (FOLDER / name, Path(name)):
        if path.name and _with_suffix(path, ".safetensors").exists():
            return path
    known = sorted(path.stem for path in FOLDER.glob("*.safetensors"))
    raise refuse("weights", str(name), f"it must be a path without suffix, or one of {', '.join(known)}")


def _read_card(path: Path, model: str) -> dict[str, Any]:
    source = _with_suffix(path, ".json")
    try:
        card = json.loads(source.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"{source} is no model card: {error}") from error
    if not isinstance(card, dict) or not isinstance(card.get("architecture"), dict):
        raise ValueError(f"{source} is no model card: it has no architecture")
    if card.get("model") != model:
        raise ValueError(f"{source} belongs to the model {card.get('model')!r}; it must be {model!r}")
    return card


def _read_tensors(path: Path) -> dict[str, Tensor]:
    source = _with_suffix(path, ".safetensors")
    try:
        return safetensors.torch.load_file(source)
    except (OSError, safetensors.SafetensorError) as error:
        raise ValueError(f"{source} is no safetensors file: {error}") from error


def _check_tensors(network: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    expected, source = network.state_dict(), _with_suffix(path, ".safetensors")
    for name in expected.keys() ^ tensors.keys():
        problem = "lacks" if name in expected else "holds, beside those of the model,"
        raise ValueError(f"{source} {problem} the tensor {name!r}")
    for name, tensor in expected.items():
        if tensor.shape != tensors[name].shape:
            got, allowed = tuple(tensors[name].shape), tuple(tensor.shape)
            raise ValueError(f"{source}: tensor {name!r} has shape {got}; it must be {allowed}")
        if tensors[name].is_floating_point() and not tensors[name].isfinite().all():
            raise ValueError(f"{source}: tensor {name!r} holds numbers that are not finite")
