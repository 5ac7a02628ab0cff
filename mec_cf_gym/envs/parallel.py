"""The environments for many agents: every user is one (PettingZoo's parallel API)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import ArrayLike, NDArray
from pettingzoo import ParallelEnv

from mec_cf_gym.envs.action import ROUNDING
from mec_cf_gym.envs.local import LocalObservation, joint_action
from mec_cf_gym.envs.observation import Observation
from mec_cf_gym.envs.single import MECEnv
from mec_cf_gym.errors import refuse
from mec_cf_gym.scenario import Scenario

Floats = NDArray[np.float32]
Values = dict[str, float]
Flags = dict[str, bool]
Infos = dict[str, dict[str, Any]]

REWARD_KINDS = ("shared", "individual")
INDIVIDUAL_REWARDS: dict[str, Callable[[dict[str, Any]], NDArray[np.float64]]] = {
    "max_latency": lambda info: -1e3 * info["latency_s"] - info.get("drop_cost_ms", 0.0),
    "log_latency": lambda info: -np.log(1e3 * info["latency_s"]),
    "max_backlog": lambda info: -1e3 * info["backlog_latency_s"] - info["drop_cost_ms"],
}
"""Rewards for users' own latencies and drops, ``(K,)``, from a block's info, by the scenario's reward; other
rewards are of all users together."""


def parallel_env(
    env_id: str = "MECCellFree-v0", *, num_interferers: int = 4, rewards: str = "shared", **fields: Any
) -> UserAgents:
    """Return an environment for many agents: every user of ``gym.make(env_id, **fields)`` is one.

    Args:
        env_id: Id of an environment.
        num_interferers: How many others a user hears, and how many it knows that hear it.
        rewards: ``"shared"`` or ``"individual"``, see :class:`UserAgents`.
        **fields: ``scenario``, any leaf fields of it, and ``render_mode``.

    Raises:
        ValueError: For a bad number, kind of rewards or field.
    """
    env = gym.make(env_id, disable_env_checker=True, **fields)
    return UserAgents(env, num_interferers=num_interferers, rewards=rewards)


class UserAgents(ParallelEnv):  # type: ignore[misc]  # PettingZoo has no types
    """Every user of an environment as an agent, ``user_0`` to ``user_{K-1}``, all acting at once.

    An agent's action is its part of the environment's: its powers, then its offload ratio and its shares of the
    servers where the environment's action has them. It sees what
    :class:`~mec_cf_gym.envs.local.LocalObservation` says, and :meth:`state` is the whole observation.

    Args:
        env: An environment of this package, behind any wrappers that keep its observation and an action with the
            same entries for every user (``LogPowerAction``, ``RescaleAction``).
        num_interferers: How many others a user hears, and how many it knows that hear it.
        rewards: ``"shared"``: everybody gets the environment's reward; ``"individual"``: everybody gets what the
            reward would be if its own latency were the largest.

    Raises:
        ValueError: For another environment, a bad number or kind of rewards.
    """

    def __init__(self, env: gym.Env[Any, Any], *, num_interferers: int = 4, rewards: str = "shared") -> None:
        base = env.unwrapped
        if not isinstance(base, MECEnv) or env.observation_space != base.observation_space:
            raise refuse("env", env, "it must be an environment of mec_cf_gym with its own observation")
        if rewards not in REWARD_KINDS:
            raise refuse("rewards", rewards, f"it must be one of {', '.join(map(repr, REWARD_KINDS))}")
        self.env, self.base, self.rewards = env, base, rewards
        self._check_rewards(base.scenario)
        self.local = LocalObservation(base.contract, num_interferers)
        users = base.scenario.layout.num_users
        self.possible_agents = [f"user_{user}" for user in range(users)]
        self.agents: list[str] = []
        self.observation_spaces = {agent: self.local.space() for agent in self.possible_agents}
        self.action_spaces = dict(zip(self.possible_agents, _user_spaces(env.action_space, users), strict=True))
        self.state_space = spaces.flatten_space(base.observation_space)
        self.render_mode = env.render_mode
        name = env.spec.id if env.spec else type(base).__name__
        self.metadata = {**base.metadata, "name": name, "is_parallelizable": True}
        self._seen: Observation | None = None

    def observation_space(self, agent: str) -> spaces.Box:
        """Return the space of an agent's observations, the same for all."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Box:
        """Return the space of an agent's actions, the same for all."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Floats], Infos]:
        """Draw a new network.

        Args:
            seed: A whole number of at least 0; None goes on with the generator.
            options: ``{"scenario": scenario}`` continues on networks of another scenario of the same shapes.
                Other keys are ignored, as PettingZoo has it: they are for other environments.

        Returns:
            An observation and an empty info for each agent.

        Raises:
            ValueError: For a bad seed or scenario.
        """
        if isinstance(options, dict):
            options = {name: value for name, value in options.items() if name == "scenario"}
            if isinstance(scenario := options.get("scenario"), Scenario):
                self._check_rewards(scenario)
        self._seen, _ = self.env.reset(seed=seed, options=options)
        self.agents = self.possible_agents[:]
        return self._observations(), {agent: {} for agent in self.agents}

    def step(self, actions: Mapping[str, ArrayLike]) -> tuple[dict[str, Floats], Values, Flags, Flags, Infos]:
        """Apply everybody's part of the allocation to the current block, and move on to the next.

        Args:
            actions: An action for each agent.

        Returns:
            Observations of the next block, rewards, terminations (always False), truncations and infos, by agent;
            an info has the user's entries of the environment's info, such as ``latency_s``.

        Raises:
            ValueError: If an agent has no action, or a bad one, or an unknown agent has one.
            ResetNeeded: Before the first reset, and after the episode's last block.
        """
        agents = self.agents
        if not agents:
            raise ResetNeeded("no agent is in an episode: call reset()")
        joint = joint_action(self._checked(actions))
        self._seen, reward, terminated, truncated, info = self.env.step(joint)
        earned = np.full(len(agents), float(reward))
        if self.rewards == "individual":
            earned = INDIVIDUAL_REWARDS[self.base.scenario.episode.reward](info)
        own = {name: values for name, values in info.items() if np.shape(values) == (len(agents),)}
        infos = {agent: {name: values[k] for name, values in own.items()} for k, agent in enumerate(agents)}
        if terminated or truncated:
            self.agents = []
        return (
            self._observations(),
            dict(zip(agents, earned.tolist(), strict=True)),
            dict.fromkeys(agents, bool(terminated)),
            dict.fromkeys(agents, bool(truncated)),
            infos,
        )

    def state(self) -> Floats:
        """Return the environment's whole observation, ``(entries,)``: what a centralised critic sees.

        Raises:
            ResetNeeded: Before the first reset.
        """
        if self._seen is None:
            raise ResetNeeded("call reset() first: there is no network yet")
        return np.asarray(spaces.flatten(self.base.observation_space, self._seen))

    def render(self) -> Any:
        """Return what the environment renders: a map of the network."""
        return self.env.render()

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def _check_rewards(self, scenario: Scenario) -> None:
        reward = scenario.episode.reward
        if self.rewards == "individual" and reward not in INDIVIDUAL_REWARDS:
            allowed = (
                f"reward={reward!r} is of all users together; with {list(INDIVIDUAL_REWARDS)} each has its own"
            )
            raise refuse("rewards", self.rewards, allowed)

    def _observations(self) -> dict[str, Floats]:
        assert self._seen is not None
        return dict(zip(self.possible_agents, self.local.observe(self._seen), strict=True))

    def _checked(self, actions: Mapping[str, ArrayLike]) -> NDArray[Any]:
        """Return the actions as rows, ``(K, A)``, after checking them."""
        if not isinstance(actions, Mapping) or set(actions) != set(self.agents):
            given = list(actions) if isinstance(actions, Mapping) else actions
            raise refuse("actions", given, f"there must be one for each of {self.agents[0]} .. {self.agents[-1]}")
        return np.stack(
            [
                _checked_action(f"actions[{agent!r}]", actions[agent], self.action_spaces[agent])
                for agent in self.agents
            ]
        )


def _checked_action(name: str, action: ArrayLike, space: spaces.Box) -> NDArray[Any]:
    """Return one agent's action as an array, ``(A,)``, refusing one that is not in its space."""
    row: NDArray[Any] = np.asarray(action)
    if row.dtype.kind not in "biuf" or row.shape != space.shape:
        raise refuse(name, action, f"it must be an array of {space.shape} real numbers")
    bad = ~((row >= space.low - ROUNDING) & (row <= space.high + ROUNDING))  # catches NaN as well
    if bad.any():
        entry = int(bad.argmax())
        allowed = f"it must be a finite number in [{space.low[entry]:g}, {space.high[entry]:g}]"
        raise refuse(f"{name}[{entry}]", float(row[entry]), allowed)
    return row


def _user_spaces(space: spaces.Space[Any], users: int) -> list[spaces.Box]:
    """Return every user's part of an action space, in which all must have the same."""
    if isinstance(space, spaces.Box) and len(space.shape) == 1 and space.shape[0] % users == 0:
        low, high = space.low.reshape(-1, users), space.high.reshape(-1, users)
        if (low == low[:, :1]).all() and (high == high[:, :1]).all():
            return [spaces.Box(low[:, user], high[:, user], dtype=np.float32) for user in range(users)]
    raise refuse("env.action_space", space, f"it must be a Box of the same entries for each of the {users} users")
