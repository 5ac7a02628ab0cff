"""Policies for queues and batteries: what each costs, how far from the genie and from each other, and how fast.

    OMP_NUM_THREADS=1 python benchmarks/dynamic.py
    OMP_NUM_THREADS=1 python benchmarks/dynamic.py --tune
    OMP_NUM_THREADS=1 python benchmarks/dynamic.py --figure docs/images/dynamic_users.png

All policies meet the same channels, arrivals and harvests, of the first test networks; intervals
are 95 % bootstraps over networks. The genie's bound is from fewer networks, and policies are compared with it on
these. ``--tune`` prints what parameters cost on validation networks.
"""

import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from tabulate import tabulate
from tqdm.auto import tqdm

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import DriftPlusPenalty, Lookahead, genie_bound
from mec_cf_gym.batches import take_rows
from mec_cf_gym.dynamic_world import world_of
from mec_cf_gym.evaluation import load_policy, seeds
from mec_cf_gym.evaluation.gap import Estimate
from mec_cf_gym.random_streams import Streams

POLICIES = ("myopic", "drift-plus-penalty", "lookahead")
PRICES, RESERVES = (1e5, 3e5, 1e6, 3e6, 1e7), (0.1, 0.3, 0.5)
TIMED_BLOCKS = 50
SHOWN = ("myopic", "drift-plus-penalty", "optimal-single")


def play(scenario, policy, seeds_of_rows):
    """Return costs in ms, ``(blocks, rows)``, and the states of all blocks."""
    world, streams = world_of(scenario), Streams.from_seeds(seeds_of_rows)
    state, states, cost_ms = world.begin(streams), [], []
    policy.reset(0)
    for _ in range(scenario.episode.episode_blocks):
        states.append(state)
        outcome = world.outcome(state, policy.allocate({}, state.block))
        cost_ms.append(1e3 * outcome.backlog_latency_s.max(-1) + outcome.price_of_drops_ms)
        state = world.advance(state, streams, outcome)
    return np.array(cost_ms), states


def decision_ms(policy, states):
    """Return the median time of single decisions on the first network's blocks, in ms."""
    blocks = [take_rows(state.block, 0) for state in states[-TIMED_BLOCKS:]]
    policy.reset(0)
    policy.allocate({}, blocks[0])  # some plan in an episode's first block
    times_s = []
    for block in blocks:
        began = time.perf_counter()
        policy.allocate({}, block)
        times_s.append(time.perf_counter() - began)
    return 1e3 * float(np.median(times_s))


def compare(num_users, networks, bounded):
    """Return the rows of the table for a number of users."""
    scenario, rows = Scenario.paper_a_dynamic(num_users=num_users), list(seeds("test", networks))
    names = (*POLICIES, "optimal-single") if num_users == 1 else POLICIES
    costs, times, states = {}, {}, []
    for name in tqdm(names, desc=f"K = {num_users}", unit="policy"):
        policy = load_policy(name)
        blocks_ms, states = play(scenario, policy, rows)
        costs[name], times[name] = blocks_ms.mean(0), decision_ms(policy, states)
    seen = [[take_rows(state, slice(row, row + 1)) for state in states] for row in range(bounded)]
    genie = np.array([genie_bound(of_row) for of_row in tqdm(seen, desc="genie", unit="network")])
    best = names[-1]
    table = [
        (
            num_users,
            name,
            Estimate.of(costs[name]).text("ms"),
            _ratio(costs[name], costs[best]),
            _ratio(costs[name][:bounded], genie),
            f"{times[name]:.2f}",
        )
        for name in names
    ]
    return [*table, (num_users, "genie bound", Estimate.of(genie).text("ms"), "", "", "")]


def _ratio(costs, others):
    """Return how far the mean cost is above another, with its interval over networks."""
    return Estimate.of_statistic(lambda a, b: float(a.mean() / b.mean() - 1), costs, others).text("%")


def tune(networks):
    """Print what parameters cost on validation networks."""
    rows = list(seeds("validation", networks))
    table = []
    for num_users in (1, 10):
        scenario = Scenario.paper_a_dynamic(num_users=num_users)
        tried = {f"drift-plus-penalty, price {price:g}": DriftPlusPenalty(price) for price in PRICES}
        tried |= {f"lookahead, reserve {reserve}": Lookahead(reserve=reserve) for reserve in RESERVES}
        for name, policy in tqdm(tried.items(), desc=f"K = {num_users}"):
            cost_ms = play(scenario, policy, rows)[0].mean(0)
            table.append((num_users, name, Estimate.of(cost_ms).text("ms")))
    print(f"first {networks} validation networks")
    print(tabulate(table, ("users", "policy", "cost, ms"), tablefmt="github"))


def draw(path, seed):
    """Draw queue and battery of one user over an episode under three policies."""
    figure, axes = plt.subplots(3, 1, figsize=(8, 7), sharex=True, layout="constrained")
    scenario = Scenario.paper_a_dynamic(num_users=1)
    time_ms = 1e3 * scenario.dynamics.block_s * np.arange(scenario.episode.episode_blocks)
    for name, style in zip(SHOWN, ("-", "--", "-."), strict=True):
        cost_ms, states = play(scenario, load_policy(name), [seed])
        backlogs = [state.block.backlog for state in states]
        label = f"{name}: {cost_ms.mean():.2f} ms on average"
        axes[0].plot(time_ms, [b.waiting_bits[0, 0] / 1e3 for b in backlogs], style, label=label)
        axes[1].plot(time_ms, [1e6 * b.battery_j[0, 0] for b in backlogs], style)
        axes[2].plot(time_ms, cost_ms[:, 0], style)
    for axis in axes:
        bursting = np.array([b.bursting[0, 0] for b in backlogs])
        axis.fill_between(
            time_ms, 0, 1, bursting > 0, alpha=0.15, color="grey", transform=axis.get_xaxis_transform()
        )
    for axis, label in zip(axes, ("waiting, kbit", "battery, µJ", "backlog latency, ms"), strict=True):
        axis.set_ylabel(label)
    axes[0].legend()
    axes[0].set_title("One user; tasks arrive in the grey bursts")
    axes[2].set_xlabel("time, ms")
    figure.savefig(path, dpi=150)


def main() -> None:
    """Print the table, or tune, or draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, nargs=2, default=(200, 50), metavar=("K1", "K10"))
    parser.add_argument("--bounded", type=int, default=20, help="networks with a genie's bound")
    parser.add_argument("--tune", action="store_true", help="print costs of parameters on 100 validation networks")
    parser.add_argument("--figure", type=Path, help="draw queues and batteries of one user into this file")
    parser.add_argument("--seed", type=int, default=seeds("test", 10)[1], help="of the figure's network")
    options = parser.parse_args()
    if options.tune:
        tune(100)
    elif options.figure:
        draw(options.figure, options.seed)
    else:
        table = [
            row
            for num_users, networks in zip((1, 10), options.networks, strict=True)
            for row in compare(num_users, networks, min(options.bounded, networks))
        ]
        header = ("users", "policy", "cost", "over the last policy", "over the genie", "decision, ms")
        print(tabulate(table, header, tablefmt="github"))


if __name__ == "__main__":
    main()
