"""SCA against exact power control on the same snapshots: objectives, steps, and the time of a subproblem.

    OMP_NUM_THREADS=1 python benchmarks/power_control.py

A subproblem is a step for fixed combiners: one solution of the parametrised convex problem, or one exact search.
Both are timed in turn at full power, where SCA starts; compilation is not counted.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from tabulate import tabulate
from tqdm.auto import tqdm

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import SCA, ExactPowerControl
from mec_cf_gym.baselines.power_control.exact import exact_powers
from mec_cf_gym.baselines.power_control.problem import Point, PowerProblem
from mec_cf_gym.baselines.power_control.step import convex_step, usual_sets
from mec_cf_gym.evaluation import seeds
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

GROUP = 20
"""Snapshots drawn at a time: the covariances of 100 antennas are large."""


def seconds(function: Callable[[], object]) -> float:
    """Return the CPU time of a call."""
    began = time.process_time()
    function()
    return time.process_time() - began


def blocks(deployment: str, snapshots: int, split: str):
    """Yield one block of each snapshot."""
    world, all_seeds = World(Scenario.paper_b(deployment=deployment)), list(seeds(split, snapshots))
    for start in range(0, snapshots, GROUP):
        yield from world.begin(Streams.from_seeds(all_seeds[start : start + GROUP])).block.rows()


def compare(deployment: str, snapshots: int, split: str) -> tuple[str, ...]:
    """Return a row of the table."""
    sca, exact = SCA(), ExactPowerControl()
    first = next(blocks(deployment, 1, split))
    sca.solve(first)
    exact.solve(first)
    rows = []
    for block in tqdm(blocks(deployment, snapshots, split), desc=deployment, total=snapshots):
        problem = PowerProblem.of(block)
        point, sets = Point.of(problem, np.ones(block.num_users)), usual_sets(problem)
        convex = convex_step(problem, sets)
        convex_s = seconds(lambda: convex.solve(problem, point.block, point.power, sets))  # noqa: B023
        exact_s = seconds(lambda: exact_powers(problem, point))  # noqa: B023
        one, other = sca.solve(block), exact.solve(block)
        gap = (other.objective_w - one.objective_w) / abs(one.objective_w)
        rise = max(0.0, float(np.diff(one.history).max())) / abs(one.objective_w)
        steps = one.step_time_s.size, other.step_time_s.size
        times = one.step_time_s.sum(), other.step_time_s.sum()
        rows.append((gap, rise, *steps, *times, convex_s, exact_s, other.status == "converged"))
    gap, rise, sca_steps, exact_steps, sca_s, all_s, convex_s, exact_s, alone = np.array(rows).T
    return (
        deployment,
        f"{snapshots}",
        f"{np.abs(gap).max():.1e}",
        f"{np.abs(gap).mean():.1e}",
        f"{rise.max():.1e}",
        f"{sca_steps.mean():.1f}",
        f"{exact_steps.mean():.1f}",
        f"{1e3 * np.median(convex_s):.2f}",
        f"{1e3 * np.median(exact_s):.2f}",
        f"{np.median(convex_s / exact_s):.0f}",
        f"{1e3 * np.median(sca_s):.0f}",
        f"{1e3 * np.median(all_s):.0f}",
        f"{1 - alone.mean():.1%}",
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapshots", type=int, default=200, help="of each network, the first seeds of the split")
    parser.add_argument("--split", default="test", choices=["train", "validation", "test"])
    options = parser.parse_args()
    headers = ("network", "snapshots", "largest gap", "mean gap", "largest rise", "SCA steps", "exact steps")
    headers += ("convex ms", "exact ms", "speed ratio", "SCA ms", "alternating ms", "left to SCA")
    table = [compare(name, options.snapshots, options.split) for name in ("user_centric", "multi_cell")]
    print(tabulate(table, headers, tablefmt="github", disable_numparse=True, colalign=["left"] + ["right"] * 12))


if __name__ == "__main__":
    main()
