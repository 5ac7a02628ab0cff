"""Checkpoints of Stable-Baselines3 models: all that the rest of a training depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import DictReplayBuffer
from stable_baselines3.common.vec_env import VecNormalize

from mec_cf_gym.baselines.learned import checkpoint

COUNTERS = ("num_timesteps", "_n_updates", "_episode_num")
STORED = ("actions", "rewards", "dones", "timeouts")
"""Arrays of a replay buffer beside the observations."""


def save(path: Path, model: BaseAlgorithm, progress: dict[str, Any]) -> None:
    """Write weights, optimizers, experience, statistics and counters of a model between two rollouts.

    ``progress`` is what else the training needs to go on, plain JSON.
    """
    content = {
        "parameters": model.get_parameters(),
        "counters": {name: getattr(model, name) for name in COUNTERS},
        "variables": {name: getattr(model, name) for name in _variables(model)},
        "statistics": _statistics(model.get_vec_normalize_env()),
        "experience": _experience(getattr(model, "replay_buffer", None)),
        "progress": progress,
    }
    checkpoint.write(path, content)


def restore(path: Path, model: BaseAlgorithm) -> dict[str, Any]:
    """Bring a model to where a checkpoint of the same run is, and return the progress.

    Raises:
        ValueError: If the file is damaged, or of another model.
    """
    with checkpoint.reading(path) as content:
        model.set_parameters(content["parameters"], exact_match=True)
        for name, value in content["counters"].items():
            setattr(model, name, value)
        for name, value in content["variables"].items():
            getattr(model, name).data.copy_(value)
        _restore_statistics(model.get_vec_normalize_env(), content["statistics"])
        _restore_experience(getattr(model, "replay_buffer", None), content["experience"])
        progress: dict[str, Any] = content["progress"]
    return progress


def _variables(model: BaseAlgorithm) -> list[str]:
    """Return the names of tensors that are no weights, such as SAC's entropy coefficient."""
    return model._get_torch_save_params()[1]


def _experience(buffer: DictReplayBuffer | None) -> dict[str, Any]:
    """Return the filled part of a replay buffer."""
    if buffer is None:
        return {}
    filled = slice(buffer.buffer_size if buffer.full else buffer.pos)
    arrays = {
        name: {key: array[filled] for key, array in group.items()} for name, group in _arrays(buffer).items()
    }
    return {"pos": buffer.pos, "full": buffer.full, "arrays": arrays}


def _restore_experience(buffer: DictReplayBuffer | None, stored: dict[str, Any]) -> None:
    if buffer is None:
        return
    for name, group in _arrays(buffer).items():
        for key, array in group.items():
            tensor = stored["arrays"][name][key]
            array[: len(tensor)] = tensor.numpy()
    buffer.pos, buffer.full = stored["pos"], stored["full"]


def _arrays(buffer: DictReplayBuffer) -> dict[str, dict[str, Any]]:
    """Return the arrays of a replay buffer in groups: each kind of observations by entry, and all others."""
    observations = {"observations": buffer.observations, "next_observations": buffer.next_observations}
    return {**observations, "": {name: getattr(buffer, name) for name in STORED}}


def _statistics(env: VecNormalize | None) -> dict[str, Any]:
    """Return the running statistics of observations and returns."""
    if env is None:
        return {}
    of_observations = env.obs_rms if env.norm_obs and isinstance(env.obs_rms, dict) else {}
    all_of_them = {**of_observations, "": env.ret_rms}
    return {name: {"mean": rms.mean, "var": rms.var, "count": rms.count} for name, rms in all_of_them.items()}


def _restore_statistics(env: VecNormalize | None, stored: dict[str, Any]) -> None:
    if env is None:
        return
    for name, values in stored.items():
        rms = env.obs_rms[name] if name else env.ret_rms
        rms.mean, rms.var, rms.count = np.asarray(values["mean"]), np.asarray(values["var"]), values["count"]
