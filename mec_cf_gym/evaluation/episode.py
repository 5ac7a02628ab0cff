"""Running policies in environments, and what is recorded of each block."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from mec_cf_gym.allocation import Policy
from mec_cf_gym.envs.single import MECEnv
from mec_cf_gym.errors import refuse
from mec_cf_gym.evaluation.seeds import seeds
from mec_cf_gym.performance.metrics import gini


@dataclass(frozen=True)
class Record:
    """What one policy made of one coherence block.

    In dynamic worlds latencies are those of backlogs, by Little's law, and the largest one has the price of
    dropped tasks on top; ages are in ``info`` only. A network's blocks are then one episode, which the policy has
    shaped.
    """

    env: str
    policy: str
    seed: int
    block: int
    max_latency_ms: float
    mean_latency_ms: float
    gini: float
    deadline_missed: bool
    capped_users: int
    """Whose link counts with the least rate; in dynamic worlds, whose battery held less than they asked for."""
    total_power_w: float
    objective_w: float
    decision_ms: float
    energy_j: float = math.nan
    """What all users spend on sending and computing."""
    dropped_bits: float = 0.0
    is_dynamic: bool = False
    task: str = ""
    """Name of the task it belongs to; empty outside a benchmark."""


def run_episode(
    env: gym.Env[Any, Any], name: str, policy: Policy, seed: int, blocks: int, task: str = ""
) -> Iterator[Record]:
    """Run a policy for some blocks of the network that ``seed`` draws, and yield a record of each.

    Channels, tasks and harvests do not depend on actions, so every policy meets the same ones under the same seed.

    Args:
        env: An environment of this package, whose episodes have at least ``blocks`` blocks, behind any wrappers
            that keep its actions.
        name: What the policy is called in the records.
        policy: The policy.
        seed: Of the environment; the policy draws any random numbers of its own from it, too.
        blocks: Number of blocks.
        task: Name of the task that the records are for.
    """
    base = env.unwrapped
    if not isinstance(base, MECEnv):
        raise refuse("env", env, "it must be an environment of mec_cf_gym")
    if env.action_space != base.action_space:
        raise refuse("env", env, "its wrappers would change what the policy allocates: leave out those of actions")
    observation, _ = env.reset(seed=seed)
    policy.reset(seed)
    for index in range(blocks):
        block = base.block
        began = time.perf_counter()
        allocation = policy.allocate(observation, block)
        decision_s = time.perf_counter() - began
        observation, _, _, _, info = env.step(base.codec.encode(allocation, block.servers))
        is_dynamic = block.backlog is not None
        latency_s = info["backlog_latency_s" if is_dynamic else "latency_s"]
        yield Record(
            env=env.spec.id if env.spec else type(base).__name__,
            policy=name,
            seed=seed,
            block=index,
            max_latency_ms=1e3 * float(cost_s(info)),
            mean_latency_ms=1e3 * float(latency_s.mean()),
            gini=float(gini(latency_s)),
            deadline_missed=bool(info["deadline_missed"]),
            capped_users=int(info["starved" if is_dynamic else "capped"].sum()),
            total_power_w=float(info["total_power_w"]),
            objective_w=float(info["objective_w"]),
            decision_ms=1e3 * decision_s,
            energy_j=float((info["transmit_energy_j"] + info["computing_energy_j"]).sum()),
            dropped_bits=float(info["dropped_bits"].sum()) if is_dynamic else 0.0,
            is_dynamic=is_dynamic,
            task=task,
        )


def cost_s(info: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return what policies are compared by in a block: the latency of the slowest user, ``(...)``, in seconds.

    In dynamic worlds it is the largest backlog latency, with the price of the dropped tasks.

    Args:
        info: Of an environment's step, or of a vector environment's.
    """
    if "drop_cost_ms" not in info:
        return np.asarray(info["max_latency_s"])
    return np.asarray(info["max_backlog_latency_s"] + 1e-3 * info["drop_cost_ms"].sum(-1))


def evaluate(
    policies: Mapping[str, Policy],
    env_id: str = "MECCellFree-v0",
    *,
    topologies: int = 20,
    blocks: int = 5,
    split: str = "test",
    **fields: Any,
) -> list[Record]:
    """Run every policy on the same blocks of the same networks, with a progress bar.

    Args:
        policies: Policies by the name they get in the records.
        env_id: Id of an environment.
        topologies: Number of networks, the first seeds of the split.
        blocks: Blocks of each network.
        split: ``"train"``, ``"validation"`` or ``"test"``; report numbers on ``"test"`` only. The seeds of
            ``"league"`` are for the league table alone.
        **fields: ``scenario``, or any leaf fields of it.

    Returns:
        One record per policy, network and block.
    """
    env = gym.make(env_id, **{**fields, "episode_blocks": blocks})
    runs = [(name, seed) for seed in seeds(split, topologies) for name in policies]
    records: list[Record] = []
    for name, seed in tqdm(runs, desc=env_id, unit="episode"):
        records += run_episode(env, name, policies[name], seed, blocks)
    env.close()
    return records
