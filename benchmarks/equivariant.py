"""The equivariant solver on networks it has never seen: gaps for every size, and time per block.

Solves one block of each of the first test seeds. Gaps of the largest latency are to the exact optimum for N = 1,
and to another solver's for N > 1; a negative gap means that the other solver is beaten. The untrained network,
which follows a hand-made rule through the same rounds, shows what training adds.

Run: OMP_NUM_THREADS=1 python benchmarks/equivariant.py [--reference ica --networks 1000 --referenced 100]
"""

import argparse
import time

import numpy as np
import torch
from tabulate import tabulate
from tqdm import tqdm

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import EquivariantSolver
from mec_cf_gym.baselines.learned.equivariant.label_free import UNEQUAL, first_blocks
from mec_cf_gym.baselines.learned.equivariant.network import EquivariantNetwork
from mec_cf_gym.evaluation import load_policy, seeds
from mec_cf_gym.evaluation.gap import bootstrap_interval

SIZES = [(1, 10), (1, 20), (1, 50), (4, 5), (4, 10), (4, 20), (8, 20), (4, 50)]
USERS = {"paper A": {}, "unequal": UNEQUAL}
BATCHES = (1, 256)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="equivariant", help="weights, by name or path without suffix")
    parser.add_argument("--reference", default="fast", help="policy that gaps for N > 1 are measured to")
    parser.add_argument("--networks", type=int, default=1000, help="networks of each size with N = 1")
    parser.add_argument("--referenced", type=int, default=500, help="networks of each size with N > 1")
    parser.add_argument("--sizes", nargs="+", default=[f"{n},{k}" for n, k in SIZES], help="pairs N,K")
    options = parser.parse_args()
    torch.set_num_threads(1)
    solver = EquivariantSolver.load(options.weights)
    untrained = EquivariantSolver(EquivariantNetwork(**solver.network.architecture))
    exact, reference = load_policy("exact"), load_policy(options.reference)
    table = []
    for size in options.sizes:
        subcarriers, users = map(int, size.split(","))
        for name, fields in USERS.items():
            single = subcarriers == 1
            scenario = Scenario.paper_a(num_subcarriers=subcarriers, num_users=users, **fields)
            block = first_blocks(scenario, seeds("test", options.networks if single else options.referenced))
            known = exact.solve(block).max_latency if single else one_by_one(reference, block, f"{size} {name}")
            gap = solver.solve(block).max_latency / known - 1
            rule = untrained.solve(block).max_latency / known - 1
            low, high = bootstrap_interval(gap)
            against = "exact" if single else options.reference
            interval = f"{low:.4%} to {high:.4%}"
            table.append(
                [f"N = {subcarriers}, K = {users}", name, f"{len(gap)}, {against}"]
                + [f"{gap.mean():.4%}", interval, f"{np.percentile(gap, 99):.3%}", f"{gap.max():.3%}"]
                + [f"{rule.mean():.4%}", f"{np.percentile(rule, 99):.3%}"]
                + [f"{milliseconds(solver, scenario, batch):.2f}" for batch in BATCHES]
            )
            print(tabulate(table[-1:], tablefmt="plain"), flush=True)
    headers = ["size", "users", "networks", "mean gap", "95 % interval", "p99", "largest"]
    headers += ["untrained", "its p99", *(f"ms a block, batch {batch}" for batch in BATCHES)]
    print(tabulate(table, headers, tablefmt="github", disable_numparse=True))


def one_by_one(reference, block, description):
    """Return the reference's largest latencies, block by block, with a progress bar."""
    rows = tqdm(block.rows(), total=len(block.signal_gain), desc=description, leave=False)
    return np.array([reference.solve(row).max_latency for row in rows])


def milliseconds(solver, scenario, batch):
    """Return the median time per block of five batches."""
    block = first_blocks(scenario, seeds("validation", batch))
    times = []
    for _ in range(6):
        began = time.perf_counter()
        solver.solve(block)
        times.append(time.perf_counter() - began)
    return 1e3 * float(np.median(times[1:])) / batch


if __name__ == "__main__":
    main()
