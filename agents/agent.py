"""Agents: a model with the translations between it and an environment, as a policy of every evaluation."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_cf_gym.agents.behind import stack_of, statistics_of
from mec_cf_gym.agents.curriculum.padding import Padding
from mec_cf_gym.agents.stack import NamedStack, Sizes, Stack
from mec_cf_gym.agents.translation import Seen
from mec_cf_gym.allocation import Allocation
from mec_cf_gym.block.block import CoherenceBlock, Link
from mec_cf_gym.envs.contract import Contract
from mec_cf_gym.envs.single import MECEnv
from mec_cf_gym.envs.vector import MECVectorEnv
from mec_cf_gym.errors import refuse

if TYPE_CHECKING:
    from stable_baselines3.common.type_aliases import PolicyPredictor

FOLDER = Path(__file__).parent / "trained"
"""The agents that come with the package."""
State = tuple[Any, tuple[Any, ...]] | None
"""State of a recurrent model, and memories of the wrappers; None if there is neither."""


class Agent:
    """Answers observations of an environment with its actions, whatever wrappers the model was trained behind.

    As a policy (:meth:`reset`, :meth:`allocate`) it is in one episode at a time: give every thread and environment
    an agent of its own. :meth:`predict` changes nothing, and may be shared.

    Args:
        model: Of Stable-Baselines3, or anything with its ``predict``.
        translation: What lies between the environment and the model.
        card: What is known about it, as plain JSON.
        env: The environment that :meth:`predict` is for: its current scenario names the link.
    """

    context: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext
    """Context that the model predicts in: torch's inference mode for agents with a card."""

    def __init__(
        self, model: PolicyPredictor, translation: Stack, card: dict[str, Any] | None = None, env: Any = None
    ) -> None:
        self.model, self.translation, self.card, self.env = model, translation, card or {}, env
        self._resized: dict[tuple[Any, ...], tuple[PolicyPredictor, Stack]] = {}
        self.reset(0)

    def predict(
        self,
        observation: Seen,
        state: State = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.float32], State]:
        """Return the environment's action, ``(..., entries)``, and the state to go on with.

        Splits of tasks are for the link (bandwidth, pilots, fronthaul) of the environment's current scenario;
        without an environment they are for that of the agent's card.

        Args:
            observation: Of the environment itself, or a batch of them; entries that the agent does not know are
                ignored. There may be more or fewer users than in training if the policy is equivariant.
            state: What the last call returned, for an agent with a memory; None at the beginning of an episode.
            episode_start: Which rows begin an episode, ``(rows,)``: they forget.
            deterministic: Whether to leave out exploration.

        Raises:
            ValueError: For observations with missing entries, or of other sizes than the agent can serve.
        """
        link = None if self.env is None else self.env.unwrapped.contract.link
        action, state, _ = self._decided(observation, state, episode_start, deterministic, link)
        return action, state

    def reset(self, seed: int) -> None:
        """Begin an episode: what was seen is forgotten."""
        self.state: State = None

    def allocate(self, observation: Seen, block: CoherenceBlock) -> Allocation:
        """Return what the agent decides on an observation, for the link and the servers of the block."""
        action, self.state, contract = self._decided(observation, self.state, None, True, block.link)
        if contract is None:
            raise refuse("agent", self, "behind padding it has actions of a wrapped environment: use predict")
        return contract.codec.decode(action, block.servers)

    def _decided(
        self, observation: Seen, state: State, starts: Any, deterministic: bool, link: Link | None
    ) -> tuple[NDArray[np.float32], State, Contract | None]:
        """Return the environment's action, the state to go on with, and the contract that the action is of."""
        observation = self.translation.selected(observation)
        model, translation = self._for(self.translation.sizes(observation))
        remembered, memories = state or (None, ())
        shown, memories = translation.seen(observation, memories, False if starts is None else starts)
        recurrent = {} if remembered is None else {"state": remembered, "episode_start": starts}
        with self.context():
            action, remembered = model.predict(shown[-1], **recurrent, deterministic=deterministic)
        nothing = remembered is None and all(memory is None for memory in memories)
        action = translation.plain(action, shown, link)
        return action, None if nothing else (remembered, memories), translation.contract

    def _for(self, sizes: Sizes) -> tuple[PolicyPredictor, Stack]:
        """Return the model and the translation for networks of given sizes."""
        own = self.translation.own_sizes
        if sizes == own:
            return self.model, self.translation
        key = tuple(sizes.items())
        if key not in self._resized:
            translation = self.translation.resized(sizes)
            if not hasattr(self.model, "resized"):
                allowed = f"the policy was trained for N, K = {own['signal']}, and serves no other numbers"
                raise refuse("observation", f"with N, K = {sizes['signal']}", allowed)
            model = self.model.resized(translation.observation_space, translation.action_space)
            self._resized[key] = (model, translation)
        return self._resized[key]

    def save(self, path: str | Path) -> None:
        """Write ``path.safetensors`` and ``path.json``, each whole or not at all.

        Raises:
            ValueError: For an agent without a card, such as an :class:`AgentPolicy`.
        """
        from mec_cf_gym.agents.cards import write  # torch takes long to import

        if not isinstance(self.translation, NamedStack) or not self.card:
            raise refuse("agent", self, "only agents with a card are saved: train them by mec-cf-gym train")
        write(Path(path), self.model, self.translation, self.card)

    @classmethod
    def load(
        cls, name: str | Path, env: gym.Env[Any, Any] | gym.vector.VectorEnv[Any, Any, Any] | None = None
    ) -> Self:
        """Return the agent that is installed under a name, or lies at a path without suffix; nothing is unpickled.

        Args:
            name: The name or path.
            env: The environment that it is for: see :meth:`predict`. Without one, and in evaluations, agents serve
                every environment like that of their training.

        Raises:
            ValueError: If there is no such agent, its files are damaged or do not fit each other, or the
                environment is not one of this package.
        """
        try:
            from mec_cf_gym.agents.cards import inference_mode, read  # torch takes long to import
            from mec_cf_gym.baselines.learned import weights
        except ModuleNotFoundError as error:
            raise ImportError(f"agents need {error.name}: pip install 'mec-cf-gym[agents]'") from error
        agent = cls(*read(weights.resolve(name, FOLDER, "agent")))
        agent.context = inference_mode
        return agent if env is None else agent.bound(env)

    def bound(self, env: gym.Env[Any, Any] | gym.vector.VectorEnv[Any, Any, Any]) -> Self:
        """Return the same agent, at the beginning of an episode, for an environment: see :meth:`predict`.

        Raises:
            ValueError: If the environment is not one of this package, or the agent cannot serve it.
        """
        contract, agent = _contract_of(env), copy.copy(self)
        if self.translation.contract is not None:
            known: Any = spaces.Dict(self.translation.selected(dict(contract.observation_space.items())))
            own = (known, contract.action_space)
            _, translation = self._for(Stack(own, [], contract).own_sizes)
            served = translation.contract
            if served is None or (served.observation_space, served.action_space) != own:
                raise refuse("env", env, f"the agent is for actions in {self.translation.contract.action_space}")
        agent.env = env
        agent.reset(0)
        return agent


class AgentPolicy(Agent):
    """A model that was trained behind wrappers, which lie between it and the environment here, too.

    Observations pass through the observation wrappers and ``MeanGains`` of ``env`` and the statistics of
    ``VecNormalize`` on their way to the model, and actions through action wrappers (such as ``RescaleAction``) and
    ``LogPowerAction`` on their way back. A recurrent model remembers its episode.

    Args:
        agent: A Stable-Baselines3 model, or anything with its ``predict``.
        env: The environment it was trained in, with its wrappers; only their translations are used.
        statistics: The ``VecNormalize`` that it was trained behind; by default that of the model's environment.

    Raises:
        ValueError: If the environment is not one of this package, a wrapper cannot be repeated, the model was
            trained behind others, or its statistics cannot be found: a model that was loaded has lost them.
            (Of a policy alone, and of a model that was loaded without its environment or trained in other
            processes, only spaces can be compared. An off-policy model that was loaded with an environment
            counts as trained in that.)

    Examples:
        >>> class FullPower:
        ...     def predict(self, observation, state=None, episode_start=None, deterministic=False):
        ...         return np.ones(3), None
        >>> env = gym.wrappers.RescaleAction(
        ...     gym.make("MECCellFree-v0", num_users=1, num_subcarriers=2), np.float32(-1), np.float32(1)
        ... )
        >>> observation, info = env.reset(seed=0)
        >>> AgentPolicy(FullPower(), env).allocate(observation, env.unwrapped.block).power  # within the budget
        array([[0.5],
               [0.5]])
    """

    def __init__(self, agent: PolicyPredictor, env: gym.Env[Any, Any], statistics: Any = None) -> None:
        contract = _contract_of(env, MECEnv)
        super().__init__(agent, stack_of(agent, env, contract, statistics), env=env)


class PaddedAgent(Agent):
    """An agent that learned behind padding, for an environment without: it sees, and acts in, the own spaces.

    Args:
        agent: A Stable-Baselines3 model, or anything with its ``predict``.
        padding: From the environment's spaces to the agent's.
        statistics: As in :class:`AgentPolicy`.
    """

    def __init__(self, agent: PolicyPredictor, padding: Padding, statistics: Any = None) -> None:
        below = (spaces.Dict(dict(padding.boxes)), padding.acted)
        super().__init__(agent, Stack(below, [padding.translation, *statistics_of(agent, statistics)]))


def _contract_of(env: Any, *kinds: type) -> Contract:
    base: Any = env.unwrapped
    found: Contract | None = base.contract if isinstance(base, (MECEnv, MECVectorEnv)) else None
    if found is None or (kinds and not isinstance(base, kinds)):
        raise refuse("env", env, "it must be an environment of mec_cf_gym")
    return found


def installed_agents() -> dict[str, dict[str, Any]]:
    """Return the cards of the agents that come with the package, by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
