"""FastMinMax against ICA on the same unseen networks: gaps, the certified bound, and labels per second.

    OMP_NUM_THREADS=1 python benchmarks/fast.py

Times are CPU seconds on one thread, both solvers in the same run; compilation is not counted.
"""

import argparse
import time

import numpy as np
from tabulate import tabulate
from tqdm.auto import tqdm

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import ICA, FastMinMax
from mec_cf_gym.evaluation import seeds
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

REPEATS = 5
"""The fast solver's time is the median of so many runs over all networks."""


def compare(subcarriers: int, users: int, networks: int, split: str) -> tuple[str, ...]:
    """Return a row of the table."""
    scenario = Scenario.paper_a(num_users=users, num_subcarriers=subcarriers)
    block = World(scenario).begin(Streams.from_seeds(seeds(split, networks))).block
    ica, fast = ICA(), FastMinMax()
    rows = list(block.rows())
    ica.solve(rows[0])
    fast.solve(rows[0])
    began = time.process_time()
    reference = [ica.solve(row) for row in tqdm(rows, desc=f"ICA, N = {subcarriers}, K = {users}")]
    ica_s = time.process_time() - began
    fast_s = []
    for _ in range(REPEATS):
        began = time.process_time()
        solution = fast.solve(block)
        fast_s.append(time.process_time() - began)
    ica_latency_s = np.array([result.max_latency for result in reference])
    gap = solution.max_latency / ica_latency_s - 1
    certified = solution.max_latency / solution.lower_bound - 1
    ratio = ica_s / np.median(fast_s)
    return (
        f"N = {subcarriers}, K = {users}",
        f"{networks}",
        f"{gap.mean():+.4%}",
        f"{gap.min():+.2%}",
        f"{np.percentile(gap, 99):+.3%}",
        f"{gap.max():+.3%}",
        f"{certified.mean():.2%}",
        f"{certified.max():.1%}",
        f"{1e3 * ica_s / networks:.0f}",
        f"{1e3 * np.median(fast_s) / networks:.3f}",
        f"{ratio:,.0f}",
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=500, help="networks of each size, the first of the split")
    parser.add_argument("--split", default="test", choices=["validation", "test"], help="seeds of the networks")
    parser.add_argument("--sizes", nargs="+", default=["1,10", "4,10", "4,20", "8,20"], help="N,K pairs")
    options = parser.parse_args()
    sizes = [tuple(map(int, size.split(","))) for size in options.sizes]
    headers = (
        "size",
        "networks",
        "mean gap",
        "least",
        "p99",
        "largest",
        "mean above bound",
        "largest above bound",
    )
    headers += ("ICA ms", "fast ms", "speed ratio")
    table = [compare(*size, options.networks, options.split) for size in sizes]
    print(tabulate(table, headers, tablefmt="github", disable_numparse=True, colalign=["left"] + ["right"] * 10))


if __name__ == "__main__":
    main()
