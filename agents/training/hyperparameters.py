"""Hyperparameters in rl-zoo's YAML format, one file an algorithm, and the models they describe."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from stable_baselines3 import DDPG, PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.type_aliases import Schedule
from stable_baselines3.common.vec_env import VecEnv

from mec_cf_gym.agents.policies.equivariant import EquivariantPolicy
from mec_cf_gym.agents.policies.prices import PricePolicy
from mec_cf_gym.errors import checked_count, refuse

ALGORITHMS: dict[str, type[BaseAlgorithm]] = {"ppo": PPO, "sac": SAC, "td3": TD3, "ddpg": DDPG}
FOLDER = Path(__file__).parents[1] / "hyperparameters"
"""The files that come with the package."""
EQUIVARIANT = "mec_cf_gym.agents.policies.equivariant.EquivariantPolicy"
PRICES = "mec_cf_gym.agents.policies.prices.PricePolicy"
POLICIES: dict[str, Any] = {
    EQUIVARIANT: EquivariantPolicy,
    PRICES: PricePolicy,
    "MultiInputPolicy": "MultiInputPolicy",
}
"""What ``policy`` may be in a file: a dotted name, as rl-zoo has it, or an alias of Stable-Baselines3."""
OF_THE_RUN = {"n_timesteps", "n_envs", "env_kwargs", "env_wrapper", "normalize", "policy"}
"""Entries that are no arguments of the algorithm."""
SCHEDULED = ("learning_rate", "clip_range")
Hyperparameters = dict[str, Any]


def hyperparameters_of(algo: str, env_id: str, path: Path | None = None) -> Hyperparameters:
    """Return the hyperparameters of an algorithm for an environment: its own entry of the file, or ``default``.

    Args:
        algo: ``"ppo"``, ``"sac"``, ``"td3"`` or ``"ddpg"``.
        env_id: Id of the environment.
        path: A file in rl-zoo's format; that of the package if not given.

    Raises:
        ValueError: For another algorithm, or a file without an entry for the environment.
    """
    if algo not in ALGORITHMS:
        raise refuse("algo", algo, f"it must be one of {', '.join(ALGORITHMS)}")
    path = path or FOLDER / f"{algo}.yml"
    try:
        entries = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ValueError(f"{path} holds no hyperparameters: {error}") from error
    if not isinstance(entries, dict) or not entries.keys() & {env_id, "default"}:
        raise ValueError(f"{path} holds no hyperparameters for {env_id}, nor an entry 'default'")
    found = dict(entries[env_id if env_id in entries else "default"])
    for name in ("n_timesteps", "n_envs"):
        found[name] = checked_count(name, _whole(found.get(name, 1)), 1, 10**9)
    if found.get("policy") not in POLICIES:
        raise refuse("policy", found.get("policy"), f"it must be one of {', '.join(POLICIES)}")
    return found


def changed(hyperparameters: Hyperparameters, changes: Iterable[str]) -> Hyperparameters:
    """Return hyperparameters with entries replaced that are written ``name:value``, in YAML.

    Raises:
        ValueError: For an entry without a colon, or whose value is no YAML.
    """
    merged = dict(hyperparameters)
    for change in changes:
        name, colon, value = change.partition(":")
        try:
            merged[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            colon = ""
        if not name or not colon:
            raise refuse("hyperparams", change, "it must read name:value")
    if merged.get("policy") not in POLICIES:
        raise refuse("policy", merged.get("policy"), f"it must be one of {', '.join(POLICIES)}")
    return merged


def wrappers_of(hyperparameters: Hyperparameters) -> list[tuple[str, dict[str, Any]]]:
    """Return the wrappers of the environment, the innermost first, as dotted names with their arguments."""
    entries = hyperparameters.get("env_wrapper") or []
    entries = entries if isinstance(entries, list) else [entries]
    wrappers: list[tuple[str, dict[str, Any]]] = []
    for entry in entries:
        ((name, arguments),) = entry.items() if isinstance(entry, Mapping) else ((entry, {}),)
        wrappers.append((name, dict(arguments or {})))
    return wrappers


def model_for(
    algo: str, hyperparameters: Hyperparameters, env: VecEnv, seed: int, tensorboard: str | None = None
) -> BaseAlgorithm:
    """Return an untrained model of Stable-Baselines3.

    Args:
        algo: Name of the algorithm.
        hyperparameters: As from :func:`hyperparameters_of`.
        env: What it is trained in.
        seed: Of the weights.
        tensorboard: Folder of TensorBoard's log.

    Raises:
        ValueError: For an entry that the algorithm does not take.
    """
    arguments = {name: value for name, value in hyperparameters.items() if name not in OF_THE_RUN}
    arguments = copy.deepcopy(arguments)  # algorithms add to the arguments of their policy
    for name in SCHEDULED:
        if isinstance(arguments.get(name), str):
            arguments[name] = _linear(arguments[name])
    noise_type, noise_std = arguments.pop("noise_type", None), arguments.pop("noise_std", 0.0)
    if noise_type is not None:
        if noise_type != "normal":
            raise refuse("noise_type", noise_type, "it must be normal, or left out")
        (entries,) = env.action_space.shape  # type: ignore[misc]
        arguments["action_noise"] = NormalActionNoise(np.zeros(entries), np.full(entries, float(noise_std)))
    policy = POLICIES[hyperparameters["policy"]]
    try:
        return ALGORITHMS[algo](policy, env, seed=seed, device="cpu", tensorboard_log=tensorboard, **arguments)
    except TypeError as error:
        raise ValueError(f"the hyperparameters do not fit {algo}: {error}") from error


def _linear(text: str) -> Schedule:
    """Return rl-zoo's ``lin_x``: a value that falls from x to zero over the run."""
    kind, _, first = text.partition("_")
    try:
        start = {"lin": float(first)}[kind]
    except (KeyError, ValueError):
        raise refuse("schedule", text, "it must be a number, or lin_ and a number") from None
    return lambda progress_remaining: progress_remaining * start


def _whole(value: Any) -> Any:
    """Return a float without a fraction, as YAML reads 1e5, as a whole number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
