"""How many tasks a second dynamic networks can carry: what a load of one is.

    OMP_NUM_THREADS=1 python benchmarks/load.py

A network is stable at a rate of tasks if its backlog does not grow: under ``drift-plus-penalty`` the bits that
wait, summed over users, are no more in the last third of a long episode than in the second, but for a tenth. The
largest such rate is found by bisection for each of the first validation networks; the table has the quartiles. A
load is a rate over the median.
"""

import argparse
import dataclasses

import numpy as np
from tabulate import tabulate
from tqdm.auto import tqdm

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import DriftPlusPenalty
from mec_cf_gym.dynamic_world import world_of
from mec_cf_gym.evaluation import seeds
from mec_cf_gym.random_streams import Streams

GROWTH = 1.1
SETTINGS = {
    "MECCellFreeDynamic-v0, with energy": (Scenario.paper_a_dynamic(), (300.0, 30_000.0), 10),
    "MECCellFreeDynamic-v0, without": (Scenario.paper_a_dynamic(battery_j=np.inf), (300.0, 30_000.0), 10),
    "MECUserCentricDynamic-v0": (Scenario.paper_b_dynamic(), (2.0, 50.0), 4),
}


def waiting_bits(scenario, rows, rates, blocks):
    """Return the bits that wait in each block, summed over users, ``(blocks, rows)``, each network at its rate."""
    world, streams, policy = world_of(scenario), Streams.from_seeds(rows), DriftPlusPenalty()
    state, waiting = at_rates(world.begin(streams), rates), []
    for _ in range(blocks):
        outcome = world.outcome(state, policy.allocate({}, state.block))
        state = world.advance(state, streams, outcome)
        waiting.append(state.block.backlog.waiting_bits.sum(-1))
    return np.array(waiting)


def at_rates(state, rates):
    """Return networks with other rates of tasks, ``(rows,)``, from the next block on."""
    backlog = state.block.backlog
    tasks_per_s = np.broadcast_to(rates[:, None], backlog.queue_bits.shape).copy()
    prospects = dataclasses.replace(backlog.prospects, tasks_per_s=tasks_per_s)
    block = dataclasses.replace(state.block, backlog=dataclasses.replace(backlog, prospects=prospects))
    return dataclasses.replace(state, block=block)


def capacities(scenario, between, rows, blocks, halvings):
    """Return the largest stable rates of networks, ``(rows,)``, in tasks a second."""
    low, high = (np.full(len(rows), end) for end in between)
    for _ in tqdm(range(halvings), leave=False):
        rates = np.sqrt(low * high)
        waiting = waiting_bits(scenario, rows, rates, blocks)
        second, last = waiting[blocks // 3 : 2 * blocks // 3].mean(0), waiting[2 * blocks // 3 :].mean(0)
        stable = last <= GROWTH * second
        low, high = np.where(stable, rates, low), np.where(stable, high, rates)
    return low


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=1500, help="of an episode")
    parser.add_argument("--halvings", type=int, default=8, help="of the logarithm of the rate")
    parser.add_argument("--share", type=float, default=1.0, help="of the usual numbers, 10 and 4 networks")
    options = parser.parse_args()
    table = []
    for name, (scenario, between, usual) in SETTINGS.items():
        steady = scenario.replace(arrivals="poisson", episode_blocks=options.blocks)
        rows = list(seeds("validation", max(1, round(options.share * usual))))
        found = capacities(steady, between, rows, options.blocks, options.halvings)
        table.append((name, len(rows), *(f"{value:.0f}" for value in np.percentile(found, (25, 50, 75)))))
    print(
        tabulate(table, ("setting", "networks", "lower quartile", "median", "upper quartile"), tablefmt="github")
    )


if __name__ == "__main__":
    main()
