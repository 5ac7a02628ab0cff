"""What solvers and agents decide on fixed blocks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from mec_cf_gym import Scenario, agents, evaluation

from .arrays import Record, leaves
from .digests import Arrays
from .environments import DELAYED, PAPER_A, RANGES, SEED, actions_for, make

TINY = {"num_aps": 4, "num_users": 3, "num_subcarriers": 2}
BLOCKS = {
    "one subcarrier": ("MECCellFree-v0", {"num_subcarriers": 1} | RANGES),
    "two subcarriers": ("MECCellFree-v0", {"num_subcarriers": 2, "num_users": 4}),
    "paper A": ("MECCellFree-v0", {"num_aps": 64, "num_users": 10, "num_subcarriers": 4}),
    "user-centric": ("MECUserCentric-v0", {"deadline_s": 0.8}),
    "multi-cell": ("MECMultiCell-v0", {"deadline_s": (0.8, 2.0)}),
    "local computing": ("MECUserCentric-v0", {"local_computing": True, "combiner": "mmse"}),
    "too late": ("MECMultiCell-v0", {"deadline_s": 0.1}),
}
OF_THE_PAST = ("outdated-exact", "averaged-exact", "predicted-exact")
RULES = ("full-power", "equal", "random", "greedy", "water-filling", "fractional-power")
POWER_CONTROL = ("sca", "exact-power")
KIND_OF = (
    dict.fromkeys((*RULES, "proportional"), "rule")
    | dict.fromkeys(("exact", "fast", "proportional-exact", *OF_THE_PAST), "optimum")
    | dict.fromkeys(POWER_CONTROL, "convex steps")
    | dict.fromkeys(("equivariant", "cnn-lstm"), "network")
    | {"ica": "one of many"}
)
"""Of the installed policies that are no agents."""
DECIDED = {
    "one subcarrier": (*RULES, "exact", "fast", "ica", "sca", "equivariant"),
    "two subcarriers": (*RULES, "fast", "ica", "equivariant"),
    "paper A": (*RULES, "fast", "cnn-lstm", "equivariant"),
    "user-centric": sorted(KIND_OF.keys() - {"cnn-lstm", *OF_THE_PAST}),
    "multi-cell": sorted(KIND_OF.keys() - {"cnn-lstm", *OF_THE_PAST}),
    "local computing": ("full-power", "exact", "proportional-exact", "equivariant"),
    "too late": POWER_CONTROL,
}


def decisions(load: Callable[[], Any], env_id: str, rows: int = 2, **fields: Any) -> Arrays:
    """What a solver makes of a batch of blocks, and what it decides as a policy on a single one."""
    policy, record = load(), Record()
    envs, env = make(env_id, rows, **fields), make(env_id, **fields)
    envs.reset(seed=SEED)
    observation, _ = env.reset(seed=SEED)
    policy.reset(SEED)
    solution = policy.solve(envs.unwrapped.block)
    record.add(batch=solution, largest_s=solution.max_latency)
    policy.reset(SEED)
    record.add(single=policy.allocate(observation, env.unwrapped.block))
    return record.arrays()


def with_memory(policy: Any, rows: int = 0, env_id: str = DELAYED) -> Arrays:
    """What a policy that remembers decides in a delayed environment, block after block."""
    env, record, rng = make(env_id, rows, episode_blocks=10), Record(), np.random.default_rng(SEED)
    observation, _ = env.reset(seed=SEED)
    policy.reset(SEED)
    for _ in range(5):
        record.add(decided=policy.allocate(observation, env.unwrapped.block))
        observation, *_ = env.step(actions_for(env.action_space, rng))
    policy.reset(SEED)
    record.add(forgot=policy.allocate(observation, env.unwrapped.block))
    return record.arrays()


def remembered(state: Any) -> Any:
    """Return what an agent's state remembers of the gains, which was all of it in 0.1.0; None if nothing."""
    if state is None:
        return None
    _, memories = state
    return next(memory for memory in memories if memory is not None)._asdict()


def of_an_agent(name: str, **fields: Any) -> Arrays:
    """What a shipped agent predicts and decides on two rows of the environment on its card, with its state."""
    card, record = agents.installed_agents()[name], Record()
    scenario, rng = Scenario().replace(**card["scenario"]).replace(**fields), np.random.default_rng(SEED)
    envs = gym.make_vec(card["env"], num_envs=2, scenario=scenario)
    agent, policy, state, starts = agents.load(name), evaluation.load_policy(f"rl-{name}"), None, None
    observations, _ = envs.reset(seed=list(evaluation.seeds("test", 2)))
    policy.reset(SEED)
    for _ in range(4 if card["env"] == DELAYED else 1):
        action, state = agent.predict(observations, state, episode_start=starts)
        record.add(action=action, state=remembered(state))
        record.add(allocation=policy.allocate(observations, envs.unwrapped.block))
        observations, *_ = envs.step(actions_for(envs.action_space, rng))
        starts = np.array([False, True])  # the second row forgets
    single = {key: values[0] for key, values in observations.items()}
    record.add(single=agent.predict(single)[0])
    record.add(card=json.dumps({key: card[key] for key in ("algo", "env", "policy", "policy_kwargs", "scenario")}))
    return record.arrays()


class Toy:
    """Anything with the ``predict`` of Stable-Baselines3: here of the same numbers whatever it sees."""

    def __init__(self, space: gym.spaces.Box) -> None:
        self.action = actions_for(space, np.random.default_rng(SEED))

    def predict(self, observation: Any, *, deterministic: bool = True) -> tuple[np.ndarray, None]:
        return self.action, None


def behind_wrappers() -> Arrays:
    """A toy agent as a policy, through the wrappers it would have been trained behind."""
    env = gym.wrappers.RescaleAction(
        agents.LogPowerAction(agents.MeanGains(make(DELAYED))), np.float32(-1), np.float32(1)
    )
    return with_memory(agents.AgentPolicy(Toy(env.action_space), env))


def padded() -> Arrays:
    """A toy agent that learned behind padding, in a smaller environment."""
    env = make(PAPER_A[0], num_users=3, num_subcarriers=1)
    padding = agents.Padding(env.observation_space, env.action_space, 2, 4)
    seen, _ = env.reset(seed=SEED)
    action, _ = agents.PaddedAgent(Toy(padding.spaces()[1]), padding).predict(seen)
    return dict(leaves("seen", padding.observation(seen))) | {"action": action}
