"""Roll-outs of environments and their wrappers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

import mec_cf_gym
from mec_cf_gym import Scenario, agents, baselines, evaluation

from .arrays import BLOCK, NETWORK, Record
from .digests import Arrays

SEED = 3
PAPER_A, PAPER_B = ("MECCellFree-v0", "MECCellular-v0"), ("MECUserCentric-v0", "MECMultiCell-v0")
DELAYED, CLARKE = "MECCellFreeDelayed-v0", "MECCellFreeDelayed-v1"
DYNAMIC = ("MECCellFreeDynamic-v0", "MECUserCentricDynamic-v0")
SMALL = {"num_aps": 16, "antennas_per_base_station": 8, "num_users": 6, "pilot_samples": 3, "episode_blocks": 3}
MOVING = {"fading": "gauss_markov", "speed_m_per_s": (5.0, 300.0), "block_s": 0.01}
RANGES = {
    "task_bits": (500.0, 2000.0),
    "cycles_per_bit": (200.0, 2000.0),
    "deadline_s": (2e-4, 2e-3),
    "local_hz": (0.5e9, 2e9),
    "server_hz": (1e9, 9e9),
    "user_power_dbm": (0.0, 20.0),
}


def make(env_id: str, rows: int = 0, **fields: Any) -> Any:
    """Return a small environment, single without rows; fields that are not its id's are left out."""
    fields = SMALL | fields
    return gym.make_vec(env_id, num_envs=rows, **fields) if rows else gym.make(env_id, **fields)


def actions_for(space: gym.spaces.Box, rng: np.random.Generator) -> np.ndarray:
    """Return actions from all of a space, by NumPy's numbers alone."""
    return (space.low + (space.high - space.low) * rng.random(space.shape)).astype(np.float32)


def play(record: Record, env: Any, steps: int, rng: np.random.Generator) -> None:
    """Step with random actions; a single environment is reset where an episode ends, others do it themselves."""
    for _ in range(steps):
        step = env.step(actions_for(env.action_space, rng))
        record.add_step(*step)
        if np.ndim(step[3]) == 0 and (step[2] or step[3]):
            reset(record, env)


def reset(record: Record, env: Any, **arguments: Any) -> None:
    observation, info = env.reset(**arguments)
    record.add(reset=observation)
    record.add_info("reset info", info)


def rollout(env: Any, inside: bool = False) -> Arrays:
    """An episode and the beginning of the next; ``inside`` adds what the environment says of its last block."""
    record, rng = Record(), np.random.default_rng(SEED)
    record.add(spaces=[str(env.observation_space), str(env.action_space)])
    reset(record, env, seed=SEED)
    play(record, env, 5, rng)
    return record.arrays() | (seen_inside(env, rng) if inside else {})


def seen_inside(env: Any, rng: np.random.Generator) -> Arrays:
    """The current block and network, what an action stands for, and what the package's functions make of it."""
    base, record = env.unwrapped, Record()
    record.add(block={name: getattr(base.block, name) for name in BLOCK})
    record.add(network={name: getattr(base.network, name) for name in NETWORK})
    action = actions_for(base.action_space, rng)
    power, offload = base.decode(action)
    record.add(decoded={"power": power, "offload": offload}, encoded=base.encode(power, offload))
    if not isinstance(env, gym.vector.VectorEnv):
        record.add(allocation=base.allocation(action))
    record.add(physics=physics(base.block, power, offload))
    return record.arrays()


def physics(block: Any, power: np.ndarray, offload: np.ndarray) -> dict[str, Any]:
    """What the package's functions say of an allocation."""
    latency_s = mec_cf_gym.latency(block, power, offload)
    found = {
        "rate_bps": mec_cf_gym.rate(block, power),
        "latency_s": latency_s,
        "best_offload": mec_cf_gym.best_offload(block, power),
        "spectral_efficiency": mec_cf_gym.spectral_efficiency(block, power),
        "tuned": block.tuned(power).signal_gain,
        "gini": mec_cf_gym.gini(latency_s),
        "latency_bound": baselines.latency_bound(block),
    }
    return found | ({} if block.fairness is None else {"objective_w": mec_cf_gym.power_fairness(block, power)})


def plain(env_id: str, rows: int, inside: bool = False, **fields: Any) -> Arrays:
    return rollout(make(env_id, rows, **fields), inside)


def partial_reset(env_id: str, wrap: Callable[[Any], Any] | None = None) -> Arrays:
    """Some rows begin anew, with seeds of their own, and end later than the others; autoreset goes row by row."""
    envs, record, rng = make(env_id, 3), Record(), np.random.default_rng(SEED)
    envs = envs if wrap is None else wrap(envs)
    reset(record, envs, seed=[5, 9, 6])
    play(record, envs, 1, rng)
    reset(record, envs, seed=50, options={"reset_mask": np.array([False, True, True])})
    play(record, envs, 5, rng)
    return record.arrays()


def other_scenario(env_id: str, rows: int, **fields: Any) -> Arrays:
    """A reset goes on with the same random numbers in another scenario of the same shapes."""
    env, record, rng = make(env_id, rows), Record(), np.random.default_rng(SEED)
    reset(record, env, seed=SEED)
    play(record, env, 1, rng)
    reset(record, env, options={"scenario": env.unwrapped.scenario.replace(**fields)})
    play(record, env, 4, rng)
    record.add(adopted=[str(getattr(env.unwrapped.scenario.layout, name)) for name in ("radius_m", "side_m")])
    return record.arrays()


def many_agents(env_id: str, **fields: Any) -> Arrays:
    """Every user as an agent; arrays have a row for each."""
    env, record, rng = mec_cf_gym.parallel_env(env_id, **SMALL, **fields), Record(), np.random.default_rng(SEED)
    observations, _ = env.reset(seed=SEED)
    record.add(reset=np.stack(list(observations.values())), agents=env.agents, state=env.state())
    while env.agents:
        actions = {agent: actions_for(env.action_space(agent), rng) for agent in env.agents}
        observations, rewards, terminations, truncations, infos = env.step(actions)
        several = [np.stack(list(each.values())) for each in (observations, rewards, terminations, truncations)]
        names = next(iter(infos.values()))
        record.add_step(*several, {name: np.stack([info[name] for info in infos.values()]) for name in names})
        record.add(state=env.state())
    return record.arrays()


def wrapped(wrap: Callable[[Any], Any], env_id: str, rows: int, **fields: Any) -> Arrays:
    return rollout(wrap(make(env_id, rows, **fields)))


def curriculum(kind: Callable[..., Any], wrap: Callable[[Any], Any], **rows: int) -> Arrays:
    """Three stages of different sizes behind padding."""
    stages = [
        agents.Stage({"num_users": 2, "num_subcarriers": 2}, agents.Promotion(most_steps=3)),
        agents.Stage({"num_users": 4, "num_subcarriers": 1}, agents.Promotion(most_steps=3)),
        agents.Stage({"num_users": 3, "num_subcarriers": 2, "radius_m": 500.0}),
    ]
    env = kind(PAPER_A[0], agents.Curriculum(stages), wrap=wrap, num_aps=8, episode_blocks=2, **rows)
    record = Record()
    record.add(spaces=[str(env.observation_space), str(env.action_space)])
    rng = np.random.default_rng(SEED)
    reset(record, env, seed=SEED)
    play(record, env, 12, rng)
    if rows:
        reset(record, env, options={"reset_mask": np.array([False, True])})
        play(record, env, 3, rng)
    return record.arrays()


def as_sb3_sees_it(env_id: str) -> Arrays:
    """Stable-Baselines3's vector environment, over the end of an episode."""
    envs, record, rng = agents.SB3VecEnv(make(env_id, 2)), Record(), np.random.default_rng(SEED)
    envs.seed(SEED)
    record.add(reset=envs.reset())
    for _ in range(4):
        observations, rewards, dones, infos = envs.step(rng.random((2, *envs.action_space.shape), np.float32))
        record.add(observation=observations, reward=rewards, done=dones)
        for row, info in enumerate(infos):
            record.add(**{f"info {row}": info})
    return record.arrays()


def rendered(env_id: str) -> Arrays:
    """The size of a picture; its pixels are matplotlib's, and its fonts'."""
    env = make(env_id, render_mode="rgb_array")
    env.reset(seed=SEED)
    env.step(actions_for(env.action_space, np.random.default_rng(SEED)))
    return {"shape": np.array(env.render().shape)}


def presets() -> Arrays:
    """Every field of a scenario, as each preset has it."""
    kinds = (Scenario, Scenario.paper_a, Scenario.paper_a_printed, Scenario.paper_a_delayed, Scenario.paper_b)
    each = [kind().to_dict() for kind in kinds]
    return {name: np.array([json.dumps(fields[name]) for fields in each]) for name in each[0]}


def installed() -> Arrays:
    """Names of policies and agents, and seeds."""
    splits = evaluation.SPLITS
    return {
        "policies": np.array(evaluation.available_policies()),
        "agents": np.array(list(agents.installed_agents())),
        "splits": np.array(list(splits)),
        "seeds": np.array([list(evaluation.seeds(split, 3)) for split in splits]),
        "last seeds": np.array([split[-1] for split in splits.values()]),
    }
