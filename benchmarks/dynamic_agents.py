"""Trained agents on networks that they have not seen, beside the yardsticks of dynamic and delayed environments.

    OMP_NUM_THREADS=1 python benchmarks/dynamic_agents.py dynamic
    OMP_NUM_THREADS=1 python benchmarks/dynamic_agents.py single runs/dynamic-single-?

Without folders of ``mec-cf-gym train`` it takes the agent that comes with the package; with several, which differ
in their training seed, the interquartile mean over them. All policies meet the same blocks of the same test
networks. Intervals are 95 % bootstraps over networks and, where there are several, over agents.
"""

import argparse

import gymnasium as gym
import numpy as np
from scipy import stats
from tabulate import tabulate
from tqdm.auto import tqdm

from mec_cf_gym.agents import load
from mec_cf_gym.baselines import ExactMinMax
from mec_cf_gym.evaluation import load_policy, seeds
from mec_cf_gym.evaluation.episode import cost_s

DRAWS = 2000
QUARTER = {"num_aps": 25, "side_m": 500.0, "num_users": 5, "num_base_stations": 1, "cloud_hz": 25e9}
"""A quarter of paper B's network, with as many users, access points and cycles an area."""
TASKS = {
    "single": ("MECCellFreeDynamic-v0", {"num_users": 1}, ("myopic", "drift-plus-penalty", "lookahead")),
    "dynamic": ("MECCellFreeDynamic-v0", {}, ("myopic", "drift-plus-penalty", "lookahead")),
    "usercentric": ("MECUserCentricDynamic-v0", {}, ("drift-plus-penalty",)),
    "quarter": ("MECUserCentricDynamic-v0", QUARTER, ("drift-plus-penalty",)),
    "delayed": ("MECCellFreeDelayed-v1", {}, ("predicted-exact", "averaged-exact")),
}
"""Environments and yardsticks; without batteries ``lookahead`` decides as drift plus penalty does."""
AGENTS = {
    "single": "dynamic-single",
    "dynamic": "dynamic",
    "usercentric": "usercentric-dynamic",
    "quarter": "usercentric-dynamic",
    "delayed": "delayed-clarke",
}
BEST = {"single": "optimal-single", "delayed": "oracle"}
"""What nobody is below: it knows the statistics, or the current channels."""


def play(env, policy, networks):
    """Return the mean costs of networks over an episode, in ms, ``(networks,)``."""
    observation, _ = env.reset(seed=list(seeds("test", networks)))
    base = env.unwrapped
    policy.reset(0)
    costs = []
    for _ in range(base.scenario.episode.episode_blocks - 1):
        observation, _, _, _, info = base.apply(policy.allocate(observation, base.block))
        costs.append(1e3 * cost_s(info))
    return np.mean(costs, 0)


def above(costs, others):
    """Return the interquartile mean over agents of how far mean costs ``(agents, networks)`` are above others'."""
    return stats.trim_mean(costs.mean(-1) / others.mean(-1) - 1, 0.25)


def interval(costs, others, rng):
    """Return the bounds of its bootstrap interval."""
    agents, networks = costs.shape
    found = []
    for _ in range(DRAWS):
        rows, columns = rng.integers(agents, size=agents), rng.integers(networks, size=networks)
        found.append(above(costs[np.ix_(rows, columns)], others[columns]))
    return np.percentile(found, [2.5, 97.5])


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=list(TASKS))
    parser.add_argument("agents", nargs="*", help="folders of trainings")
    parser.add_argument("--networks", type=int, default=200, help="test networks")
    options = parser.parse_args()
    env_id, fields, names = TASKS[options.task]
    scenario = gym.make(env_id, **fields).unwrapped.scenario
    blocks = scenario.episode.episode_blocks
    env = gym.make_vec(env_id, options.networks, scenario=scenario.replace(episode_blocks=blocks + 1))
    best = BEST.get(options.task)
    policies = {name: load_policy(name) for name in names}
    policies |= {} if best is None else {best: ExactMinMax() if best == "oracle" else load_policy(best)}
    costs = {name: play(env, policy, options.networks)[None] for name, policy in tqdm(policies.items())}
    paths = [f"{folder}/agent" for folder in options.agents] or [AGENTS[options.task]]
    costs["agent"] = np.array([play(env, load(path), options.networks) for path in tqdm(paths, desc="agents")])
    rng, table = np.random.default_rng(0), []
    for name, own in costs.items():
        row = [name, f"{stats.trim_mean(own.mean(1), 0.25):.4f} ms"]
        for other in [*policies]:
            low, high = interval(own, costs[other][0], rng)
            row.append("" if other == name else f"{above(own, costs[other][0]):+.2%} [{low:+.2%}, {high:+.2%}]")
        table.append(row)
    print(
        f"{env_id} {fields}, first {options.networks} test networks x {blocks} blocks, agents: {', '.join(paths)}"
    )
    print(tabulate(table, ["policy", "cost", *(f"over {name}" for name in policies)], tablefmt="github"))
    if len(paths) > 1:
        print("each agent's mean cost, ms:", ", ".join(f"{mean:.4f}" for mean in costs["agent"].mean(1)))


if __name__ == "__main__":
    main()
