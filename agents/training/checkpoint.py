"""Checkpoints of Stable-Baselines3 models as tensors and JSON: written whole or not at all, never unpickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import DictReplayBuffer
from stable_baselines3.common.vec_env import VecNormalize

COUNTERS = ("num_timesteps", "_n_updates", "_episode_num")
STORED = ("actions", "rewards", "dones", "timeouts")
"""Arrays of a replay buffer beside the observations."""
Tensors = dict[str, torch.Tensor]


def save(path: Path, model: BaseAlgorithm, progress: dict[str, Any]) -> None:
    """Write all that the rest of a training depends on: weights, optimizers, experience, statistics, counters.

    Args:
        path: The file.
        model: The model, between two rollouts.
        progress: What else is to be kept, plain JSON.
    """
    tensors: Tensors = {}
    content = {
        "parameters": _packed(model.get_parameters(), tensors),
        "counters": {name: getattr(model, name) for name in COUNTERS},
        "variables": _packed({name: _variable(model, name).data for name in _variables(model)}, tensors),
        "statistics": _packed(_statistics(model.get_vec_normalize_env()), tensors),
        "experience": _packed(_experience(getattr(model, "replay_buffer", None)), tensors),
        "progress": progress,
    }
    temporary = path.with_name(f".{path.name}.tmp")
    tensors = tensors or {"": torch.zeros(0)}
    safetensors.torch.save_file(tensors, temporary, metadata={"content": json.dumps(content)})
    temporary.replace(path)


def restore(path: Path, model: BaseAlgorithm) -> None:
    """Bring a model to where a checkpoint of the same run is.

    Raises:
        ValueError: If the file is damaged, or of another model.
    """
    try:
        content, tensors = _read(path)
        model.set_parameters(_unpacked(content["parameters"], tensors), exact_match=True)
        for name, value in content["counters"].items():
            setattr(model, name, value)
        for name, value in _unpacked(content["variables"], tensors).items():
            _variable(model, name).data.copy_(value)
        _restore_statistics(model.get_vec_normalize_env(), _unpacked(content["statistics"], tensors))
        _restore_experience(getattr(model, "replay_buffer", None), _unpacked(content["experience"], tensors))
    except (safetensors.SafetensorError, KeyError, TypeError, RuntimeError, OSError) as error:
        raise ValueError(f"{path} is no checkpoint of this run: {error}") from error


def progress_of(path: Path) -> dict[str, Any]:
    """Return what was kept beside the model.

    Raises:
        ValueError: If the file is damaged.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            progress: dict[str, Any] = json.loads((file.metadata() or {})["content"])["progress"]
    except (safetensors.SafetensorError, KeyError, ValueError, OSError) as error:
        raise ValueError(f"{path} is no checkpoint: {error}") from error
    return progress


def _read(path: Path) -> tuple[dict[str, Any], Tensors]:
    with safetensors.safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return json.loads((file.metadata() or {})["content"]), tensors


def _variables(model: BaseAlgorithm) -> list[str]:
    """Return the names of tensors that are no weights, such as SAC's entropy coefficient."""
    return model._get_torch_save_params()[1]


def _variable(model: BaseAlgorithm, name: str) -> torch.Tensor:
    variable: torch.Tensor = getattr(model, name)
    return variable


def _experience(buffer: DictReplayBuffer | None) -> dict[str, Any]:
    """Return the filled part of a replay buffer."""
    if buffer is None:
        return {}
    filled = buffer.buffer_size if buffer.full else buffer.pos
    arrays = {name: getattr(buffer, name)[:filled] for name in STORED}
    arrays |= {f"observations.{name}": array[:filled] for name, array in buffer.observations.items()}
    arrays |= {f"next_observations.{name}": array[:filled] for name, array in buffer.next_observations.items()}
    return {"pos": buffer.pos, "full": buffer.full, "arrays": arrays}


def _restore_experience(buffer: DictReplayBuffer | None, stored: dict[str, Any]) -> None:
    if buffer is None:
        return
    for name, tensor in stored["arrays"].items():
        kind, _, key = name.partition(".")
        array = getattr(buffer, kind)
        (array[key] if key else array)[: len(tensor)] = tensor.numpy()
    buffer.pos, buffer.full = stored["pos"], stored["full"]


def _statistics(env: VecNormalize | None) -> dict[str, Any]:
    """Return the running statistics of observations and returns."""
    if env is None:
        return {}
    of_observations = env.obs_rms if isinstance(env.obs_rms, dict) else {}
    all_of_them = {**of_observations, "": env.ret_rms}
    return {name: {"mean": rms.mean, "var": rms.var, "count": rms.count} for name, rms in all_of_them.items()}


def _restore_statistics(env: VecNormalize | None, stored: dict[str, Any]) -> None:
    if env is None:
        return
    for name, values in stored.items():
        rms = env.obs_rms[name] if name else env.ret_rms
        rms.mean, rms.var, rms.count = np.asarray(values["mean"]), np.asarray(values["var"]), values["count"]


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
    """Return the tree that :func:`_packed` was given; arrays come back as tensors."""
    if isinstance(tree, dict):
        if "tensor" in tree:
            return tensors[tree["tensor"]]
        return {key: _unpacked(value, tensors) for key, value in tree["entries"]}
    return [_unpacked(value, tensors) for value in tree] if isinstance(tree, list) else tree
