"""How far an agent is from a reference, on networks that it is not trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from mec_cf_gym.agents.agent import Agent
from mec_cf_gym.agents.reference import reference_for
from mec_cf_gym.baselines.solution import Solver
from mec_cf_gym.envs.vector import MECVectorEnv
from mec_cf_gym.errors import refuse
from mec_cf_gym.evaluation.episode import cost_s
from mec_cf_gym.evaluation.gap import Gap, gap_to, without_nan
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.scenario import Scenario

Floats = NDArray[np.float64]
VectorEnv = gym.vector.VectorEnv[Any, Any, Any]


class Predictor(Protocol):
    """Answers observations of an environment with its actions, as :class:`~mec_cf_gym.agents.Agent` does."""

    def predict(self, observation: Any, state: Any = None) -> tuple[NDArray[np.float32], Any]:
        """Return actions, ``(rows, entries)``, for a batch of observations, and the state to go on with."""
        ...


@dataclass(frozen=True)
class Judged(Gap):
    """The gap of an agent, and its reward."""

    reward: float  # mean reward of the environment

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers that cards and learning curves hold; None where there is none."""
        return without_nan({name: getattr(self, name) for name in ("mean", "low", "high", "p95", "reward")})


class Validation:
    """Networks on which agents are compared, solved once by a reference.

    The reference minimises the largest latency: the exact solution for one subcarrier, where servers are shared
    with equal shares of them, and ``FastMinMax`` for several. In dynamic worlds it is ``DriftPlusPenalty``, which
    plays the same networks, and gaps are those of whole episodes.

    Args:
        env_id: Id of the environment.
        scenario: Its scenario.
        networks: Number of networks, the first seeds of the split.
        blocks: Coherence blocks of each.
        split: ``"validation"``, or ``"test"`` for numbers that are reported.
        wrap: Puts vector wrappers around them, for an agent that acts behind these.

    Raises:
        ValueError: If there is no such split, or it has fewer seeds.
    """

    def __init__(
        self,
        env_id: str,
        scenario: Scenario,
        networks: int = 64,
        blocks: int = 1,
        split: str = "validation",
        wrap: Callable[[VectorEnv], VectorEnv] | None = None,
    ) -> None:
        self.seeds = list(seeds(split, networks))
        env = gym.make_vec(env_id, num_envs=networks, scenario=scenario.replace(episode_blocks=blocks + 1))
        self.env = env if wrap is None else wrap(env)
        self.blocks = blocks
        self.is_dynamic = scenario.is_dynamic
        self.reference = reference_for(scenario)
        self._solved: list[Floats] = []

    def gap(self, agent: Predictor) -> Judged:
        """Return how far an agent is from the reference; every call meets the same blocks."""
        if self.is_dynamic and not self._solved:
            self._solved = self._played()
        observation, _ = self.env.reset(seed=self.seeds)  # type: ignore[arg-type]  # a list is allowed
        agent = agent.bound(self.env) if isinstance(agent, Agent) else agent
        state, costs, rewards = None, [], []
        for index in range(self.blocks):
            if index == len(self._solved):
                assert isinstance(self.reference, Solver)
                self._solved.append(self.reference.solve(self._base.block).max_latency)
            action, state = agent.predict(observation, state)
            observation, reward, _, _, info = self.env.step(action)
            costs.append(cost_s(info))
            rewards.append(reward)
        earned = float(np.mean(rewards))
        if self.is_dynamic:
            return Judged.of_episodes(np.mean(self._solved, 0), np.mean(costs, 0), reward=earned)
        gaps = [gap_to(*pair) for pair in zip(self._solved, costs, strict=True)]
        return Judged.over(np.mean(gaps, axis=0), gaps, reward=earned)

    @property
    def _base(self) -> MECVectorEnv:
        return cast(MECVectorEnv, self.env.unwrapped)

    def _played(self) -> list[Floats]:
        """Return what the blocks cost, ``(networks,)`` each, that the reference meets as it plays."""
        base, costs = self._base, []
        observation, _ = base.reset(seed=self.seeds)  # type: ignore[arg-type]
        self.reference.reset(0)
        for _ in range(self.blocks):
            observation, _, _, _, info = base.apply(self.reference.allocate(observation, base.block))
            costs.append(cost_s(info))
        if not np.any(costs):
            allowed = (
                "nothing ever waits on these networks, so that there is no gap: take more, or longer episodes"
            )
            raise refuse("networks", len(self.seeds), allowed)
        return costs
