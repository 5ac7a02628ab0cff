"""Trained agents on disk: weights and statistics as tensors, and a card in JSON; nothing is unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from stable_baselines3.common.policies import BasePolicy

from mec_cf_gym.agents.stack import NamedStack, Stack
from mec_cf_gym.agents.training.hyperparameters import ALGORITHMS, POLICIES
from mec_cf_gym.agents.translation import Statistics
from mec_cf_gym.baselines.learned import weights
from mec_cf_gym.errors import refuse
from mec_cf_gym.scenario import Scenario

Tensors = dict[str, torch.Tensor]
inference_mode = torch.inference_mode


def write(path: Path, policy: Any, translation: NamedStack, card: dict[str, Any]) -> None:
    """Write ``path.safetensors`` and ``path.json``, each whole or not at all."""
    statistics = translation.statistics
    tensors = {f"policy.{name}": tensor for name, tensor in _acting_weights(policy).items()}
    for kind in ("mean", "variance"):
        tensors |= {f"{kind}.{name}": torch.tensor(array) for name, array in getattr(statistics, kind).items()}
    content = {
        **card,
        "scenario": translation.scenario.to_dict(),
        "wrappers": translation.wrappers,
        "normalisation": {"clip": statistics.clip, "epsilon": statistics.epsilon},
    }
    weights.write(path, tensors, content)


def read(path: Path) -> tuple[BasePolicy, NamedStack, dict[str, Any]]:
    """Return policy, translations and card of an agent, from ``path`` without suffix.

    Raises:
        ValueError: If the files are damaged or do not fit each other.
    """
    try:
        card, tensors = weights.read(path)
        wrappers = [(str(wrapper), dict(arguments)) for wrapper, arguments in card.pop("wrappers")]
        scenario = Scenario().replace(**card.pop("scenario"))
        mean, variance = (
            {n: t.numpy() for n, t in _with_prefix(kind, tensors).items()} for kind in ("mean", "variance")
        )
        statistics = Statistics(mean, variance, **card.pop("normalisation", {}))
        translation = NamedStack(scenario, wrappers, statistics)
        policy = build_policy(card["algo"], card["policy"], card["policy_kwargs"], translation)
        acting = _with_prefix("policy", tensors)
        weights.check_tensors(_acting_weights(policy), acting, path)
        policy.load_state_dict(acting, strict=False)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}.json and the weights beside it are no trained agent: {error}") from error
    return policy, translation, card


def build_policy(algo: str, policy: str, policy_kwargs: dict[str, Any], translation: Stack) -> BasePolicy:
    """Return an untrained policy of an algorithm for the spaces behind the wrappers."""
    if algo not in ALGORITHMS or policy not in POLICIES:
        allowed = f"algorithms are {list(ALGORITHMS)}, policies {list(POLICIES)}"
        raise refuse("policy", f"{policy} of {algo}", allowed)
    policy_class: Any = ALGORITHMS[algo].policy_aliases.get(policy, POLICIES[policy])
    sampling = {"use_sde": False} if algo in ("ppo", "sac") else {}
    built: BasePolicy = policy_class(
        translation.observation_space, translation.action_space, lambda _: 0.0, **{**sampling, **policy_kwargs}
    )
    built.set_training_mode(False)
    return built


def _with_prefix(prefix: str, tensors: Tensors) -> Tensors:
    """Return the tensors whose names have a prefix, by their names without it."""
    return {n.removeprefix(f"{prefix}."): tensor for n, tensor in tensors.items() if n.startswith(f"{prefix}.")}


def _acting_weights(policy: BasePolicy) -> Tensors:
    """Return the weights that decide actions: those of the actor, if there is one."""
    state = policy.state_dict()
    own = {name: tensor for name, tensor in state.items() if name.startswith("actor.")}
    return own or state
