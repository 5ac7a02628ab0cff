"""Checkpoints: trees of tensors, arrays and plain JSON in one file, written whole or not at all, not unpickled."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch

from mec_cf_gym.evaluation.runs import whole_file

CHECKPOINT = "checkpoint.safetensors"
"""Name of the checkpoint in the folder of a run."""
Tensors = dict[str, torch.Tensor]


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a tree of dictionaries, lists, tensors, arrays and plain JSON."""
    tensors: Tensors = {}
    header = {"content": json.dumps(_packed(content, tensors))}
    with whole_file(path) as temporary:
        safetensors.torch.save_file(tensors or {"": torch.zeros(0)}, temporary, metadata=header)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the tree that :func:`write` was given; arrays come back as tensors, tuples as lists.

    Raises:
        ValueError: If the file is damaged, or what is done with its content shows that it is of another run.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            header = (file.metadata() or {})["content"]
        yield _unpacked(json.loads(header), tensors)
    except (
        safetensors.SafetensorError,
        json.JSONDecodeError,
        LookupError,
        TypeError,
        RuntimeError,
        OSError,
    ) as error:
        raise ValueError(f"{path} is no checkpoint of this run: {error}") from error


def _packed(tree: Any, tensors: Tensors) -> Any:
    """Return a tree as JSON in which tensors and arrays are named; they are added to ``tensors``."""
    if isinstance(tree, (torch.Tensor, np.ndarray)):
        name = str(len(tensors))
        tensors[name] = torch.as_tensor(tree).detach().clone().contiguous()
        return {"tensor": name}
    if isinstance(tree, dict):
        return {"entries": [[key, _packed(value, tensors)] for key, value in tree.items()]}
    if isinstance(tree, (list, tuple)):
        return [_packed(value, tensors) for value in tree]
    return tree.item() if isinstance(tree, np.generic) else tree


def _unpacked(tree: Any, tensors: Tensors) -> Any:
    """Return the tree that :func:`_packed` was given."""
    if isinstance(tree, dict):
        if "tensor" in tree:
            return tensors[tree["tensor"]]
        return {key: _unpacked(value, tensors) for key, value in tree["entries"]}
    return [_unpacked(value, tensors) for value in tree] if isinstance(tree, list) else tree
