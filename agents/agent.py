"""A trained agent: weights and a card, ``predict`` as in Stable-Baselines3, and a policy of every evaluation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy

from mec_cf_gym.agents.policies.equivariant import EquivariantPolicy
from mec_cf_gym.agents.training.hyperparameters import ALGORITHMS, EQUIVARIANT, POLICIES
from mec_cf_gym.agents.translation import Statistics, Translation
from mec_cf_gym.allocation import Allocation
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.envs.action import ActionCodec
from mec_cf_gym.envs.running_mean import RunningMean
from mec_cf_gym.errors import refuse
from mec_cf_gym.evaluation.store import write_atomically
from mec_cf_gym.scenario import Scenario

FOLDER = Path(__file__).parent / "trained"
"""The agents that come with the package."""
State = RunningMean | None
Observation = Mapping[str, NDArray[np.float32]]


class Agent:
    """Decides on plain observations of an environment with its plain actions, whatever it was trained behind.

    Args:
        policy: Of Stable-Baselines3.
        translation: What lies between the environment and the policy.
        card: What is known about it, as plain JSON: ``algo``, ``env``, ``policy``, ``policy_kwargs`` at least.
    """

    def __init__(self, policy: BasePolicy, translation: Translation, card: dict[str, Any]) -> None:
        self.policy, self.translation, self.card = policy, translation, card
        self._sized = {_sizes(translation.scenario): (policy, translation)}
        self.reset(0)

    def predict(
        self,
        observation: Observation,
        state: State = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.float32], State]:
        """Return the environment's action, and the state to go on with.

        Args:
            observation: Of the environment itself, or a batch of them; there may be more or fewer users than in
                training if the policy is equivariant.
            state: What the last call returned, for an agent with a memory; None at the beginning of an episode.
            episode_start: Which rows begin an episode, ``(rows,)``: they forget.
            deterministic: Whether to leave out exploration.

        Raises:
            ValueError: For observations of another size than the policy can serve.
        """
        seen = observation
        starts = False if episode_start is None else episode_start
        if self.translation.remembers:
            state = RunningMean.start(observation) if state is None else state.update(observation, starts)
            seen = state.shown(observation)
        policy, translation = self._for(observation)
        with torch.inference_mode():
            action, _ = policy.predict(translation.statistics.normalised(seen), deterministic=deterministic)
        return translation.plain(action, seen), state

    def reset(self, seed: int) -> None:
        """Begin an episode: what was seen is forgotten."""
        self.state: State = None

    def allocate(self, observation: Observation, block: CoherenceBlock) -> Allocation:
        """Return what the agent decides on an observation, servers of the block divided as it says."""
        action, self.state = self.predict(observation, self.state)
        _, translation = self._for(observation)
        return ActionCodec(translation.scenario).decode(action, block.servers)

    def _for(self, observation: Observation) -> tuple[BasePolicy, Translation]:
        """Return the policy and the translation for the size of an observation."""
        subcarriers, users = observation["signal"].shape[-2:]
        sizes = (subcarriers, users, observation["task"].shape[-1])
        if sizes not in self._sized:
            if not isinstance(self.policy, EquivariantPolicy):
                own = _sizes(self.translation.scenario)[:2]
                allowed = f"the policy was trained for N, K = {own}, and serves no other numbers"
                raise refuse("observation", f"with N, K = {(subcarriers, users)}", allowed)
            translation = self.translation.resized(*sizes)
            policy = self.policy.resized(translation.observation_space, translation.action_space)
            self._sized[sizes] = (policy, translation)
        return self._sized[sizes]

    def save(self, path: str | Path) -> None:
        """Write ``path.safetensors`` and ``path.json``, each whole or not at all."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {f"policy.{name}": tensor.contiguous() for name, tensor in _acting(self.policy).items()}
        for kind in ("mean", "variance"):
            for name, array in getattr(self.translation.statistics, kind).items():
                tensors[f"{kind}.{name}"] = torch.tensor(array)
        temporary = path.with_name(f".{path.name}.tmp")
        safetensors.torch.save_file(tensors, temporary)
        temporary.replace(path.with_name(f"{path.name}.safetensors"))
        card = {
            **self.card,
            "scenario": self.translation.scenario.to_dict(),
            "wrappers": self.translation.wrappers,
        }
        write_atomically(path.with_name(f"{path.name}.json"), json.dumps(card, indent=2, allow_nan=False) + "\n")

    @classmethod
    def load(cls, name: str | Path) -> Self:
        """Return the agent that is installed under a name, or lies at a path without suffix; nothing is unpickled.

        Raises:
            ValueError: If there is no such agent, or its files are damaged or do not fit each other.
        """
        path = _resolve(name)
        source = path.with_name(f"{path.name}.json")
        try:
            card = json.loads(source.read_text())
            wrappers = [(str(wrapper), dict(arguments)) for wrapper, arguments in card.pop("wrappers")]
            scenario = Scenario().replace(**card.pop("scenario"))
            tensors = safetensors.torch.load_file(path.with_name(f"{path.name}.safetensors"))
            translation = Translation(scenario, wrappers, _statistics(tensors))
            policy = build_policy(card["algo"], card["policy"], card["policy_kwargs"], translation)
            _load_acting(
                policy, {k.removeprefix("policy."): t for k, t in tensors.items() if k.startswith("policy.")}
            )
        except (OSError, KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
            raise ValueError(f"{source} and the weights beside it are no trained agent: {error}") from error
        return cls(policy, translation, card)


def build_policy(algo: str, policy: str, policy_kwargs: dict[str, Any], translation: Translation) -> BasePolicy:
    """Return an untrained policy of an algorithm for the spaces behind the wrappers."""
    if algo not in ALGORITHMS or policy not in POLICIES:
        raise refuse(
            "policy", f"{policy} of {algo}", f"algorithms are {list(ALGORITHMS)}, policies {list(POLICIES)}"
        )
    policy_class: Any = EquivariantPolicy if policy == EQUIVARIANT else ALGORITHMS[algo].policy_aliases[policy]
    sampling = {"use_sde": False} if algo in ("ppo", "sac") else {}
    built: BasePolicy = policy_class(
        translation.observation_space, translation.action_space, lambda _: 0.0, **sampling, **policy_kwargs
    )
    built.set_training_mode(False)
    return built


def installed_agents() -> dict[str, dict[str, Any]]:
    """Return the cards of the agents that come with the package, by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def _sizes(scenario: Scenario) -> tuple[int, int, int]:
    """Return N, K and the number of features of a task."""
    shared = scenario.computing.server == "shared"
    features = 6 + scenario.num_sites if shared else 4
    return scenario.radio.num_subcarriers, scenario.layout.num_users, features


def _acting(policy: BasePolicy) -> dict[str, torch.Tensor]:
    """Return the weights that actions follow from: those of the actor, if there is one."""
    state = policy.state_dict()
    own = {name: tensor for name, tensor in state.items() if name.startswith("actor.")}
    return own or state


def _load_acting(policy: BasePolicy, tensors: dict[str, torch.Tensor]) -> None:
    expected = _acting(policy)
    if expected.keys() != tensors.keys():
        raise ValueError(f"tensors {sorted(expected.keys() ^ tensors.keys())} are missing, or too many")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape or not tensor.isfinite().all():
            raise ValueError(f"tensor {name!r} has another shape, or numbers that are not finite")
    policy.load_state_dict(tensors, strict=False)


def _statistics(tensors: dict[str, torch.Tensor]) -> Statistics:
    parts = {
        kind: {
            name.removeprefix(f"{kind}."): t.numpy() for name, t in tensors.items() if name.startswith(f"{kind}.")
        }
        for kind in ("mean", "variance")
    }
    return Statistics(parts["mean"], parts["variance"])


def _resolve(name: str | Path) -> Path:
    for path in (FOLDER / name, Path(name)):
        if path.name and path.with_name(f"{path.name}.safetensors").exists():
            return path
    known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.json")))
    raise refuse("agent", str(name), f"it must be a path without suffix, or one of {known}")
