"""Weights on disk: tensors as safetensors, and beside them a model card in JSON. Nothing is unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import safetensors
import safetensors.torch
from torch import Tensor, nn

from mec_cf_gym.baselines.solution import Solver
from mec_cf_gym.errors import refuse
from mec_cf_gym.evaluation.runs import read_json, whole_file, write_json

Tensors = dict[str, Tensor]
FOLDER = Path(__file__).parent / "weights"
"""The weights that come with the package."""


class LearnedSolver(Solver):
    """A solver around a trained network.

    Args:
        network: The network. Its class is built from keyword arguments, which it keeps as ``architecture``.
        card: Data, seeds, training time and measured gaps of the weights, as plain JSON.
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
        path = resolve(name, FOLDER)
        (card, tensors), source = read(path), path.with_name(f"{path.name}.json")
        if not isinstance(card.get("architecture"), dict):
            raise ValueError(f"{source} is no model card: it has no architecture")
        if card.get("model") != cls.__name__:
            raise ValueError(f"{source} belongs to the model {card.get('model')!r}; it must be {cls.__name__!r}")
        try:
            network = cls.network_class(**card["architecture"])
        except (TypeError, ValueError) as error:
            raise ValueError(f"the architecture in {source} is not allowed: {error}") from error
        check_tensors(network.state_dict(), tensors, path)
        network.load_state_dict(tensors)
        return cls(network, card)

    def save(self, path: str | Path) -> None:
        """Write ``path.safetensors`` and ``path.json``, each whole or not at all."""
        header = {"model": type(self).__name__, "architecture": self.network.architecture}
        write(Path(path), self.network.state_dict(), {**self.card, **header})


def installed_weights(model: str) -> dict[str, dict[str, Any]]:
    """Return the cards of the weights that come with the package for a model, by name."""
    cards = {path.stem: read_json(path) for path in sorted(FOLDER.glob("*.json"))}
    return {name: card for name, card in cards.items() if card["model"] == model}


def write(path: Path, tensors: Tensors, card: dict[str, Any]) -> None:
    """Write ``path.safetensors`` and ``path.json``, each whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path.with_name(f"{path.name}.safetensors")) as temporary:
        safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary)
    write_json(path.with_name(f"{path.name}.json"), card)


def resolve(name: str | Path, folder: Path, option: str = "weights") -> Path:
    """Return the path without suffix of weights that are named: those in the folder first.

    Raises:
        ValueError: If there are none; says which are in the folder.
    """
    for path in (folder / name, Path(name)):
        if path.name and path.with_name(f"{path.name}.safetensors").exists():
            return path
    known = sorted(path.stem for path in folder.glob("*.safetensors"))
    raise refuse(option, str(name), f"it must be a path without suffix, or one of {', '.join(known)}")


def read(path: Path) -> tuple[dict[str, Any], Tensors]:
    """Return the card ``path.json`` and the tensors of ``path.safetensors``.

    Raises:
        ValueError: Names the file that is missing or damaged.
    """
    source, what = path.with_name(f"{path.name}.json"), "model card"
    try:
        card = dict(read_json(source))
        source, what = path.with_name(f"{path.name}.safetensors"), "safetensors file"
        return card, safetensors.torch.load_file(source)
    except (OSError, TypeError, ValueError, safetensors.SafetensorError) as error:
        raise ValueError(f"{source} is no {what}: {error}") from error


def check_tensors(expected: Tensors, tensors: Tensors, path: Path) -> None:
    """Check that the tensors of ``path.safetensors`` are those of a model, with its shapes, and finite.

    Raises:
        ValueError: Names the first that is not.
    """
    source = path.with_name(f"{path.name}.safetensors")
    for name in expected.keys() ^ tensors.keys():
        problem = "lacks" if name in expected else "holds, beside those of the model,"
        raise ValueError(f"{source} {problem} the tensor {name!r}")
    for name, tensor in expected.items():
        if tensor.shape != tensors[name].shape:
            got, allowed = tuple(tensors[name].shape), tuple(tensor.shape)
            raise ValueError(f"{source}: tensor {name!r} has shape {got}; it must be {allowed}")
        if tensors[name].is_floating_point() and not tensors[name].isfinite().all():
            raise ValueError(f"{source}: tensor {name!r} holds numbers that are not finite")
