"""What magnitudes allow: policies that see |H| only, against the fast solver, which sees the phases.

    OMP_NUM_THREADS=1 python benchmarks/magnitudes.py

Gaps are of the largest latency on test networks, with 95 % bootstrap intervals over networks, with the policy's
own offload ratios and with the best for its powers. Decision times are medians over single blocks, wall time.
"""

import argparse
import statistics
import time

import numpy as np
from tabulate import tabulate
from tqdm.auto import tqdm

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import FastMinMax, InformationLimit, MagnitudeOnly, MagnitudeSolver
from mec_cf_gym.baselines.labels.samples import Samples
from mec_cf_gym.baselines.solution import Solver
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.evaluation import seeds
from mec_cf_gym.evaluation.gap import Estimate, gap_to
from mec_cf_gym.performance.latencies import best_offload, latency

TIMED = 50
"""Blocks that decisions are timed on."""


def gaps(solver: Solver, block: CoherenceBlock, reference_s: np.ndarray, blocks: int) -> tuple[str, str]:
    """Return the gaps with own and with best offload ratios, as text; rows are ``network * blocks + block``."""
    found = solver.solve(block)
    best_s = latency(block, found.power, best_offload(block, found.power)).max(-1)
    per_network = (gap_to(reference_s, each).reshape(-1, blocks).mean(-1) for each in (found.max_latency, best_s))
    own, best = (Estimate.of(gap).text("%") for gap in per_network)
    return own, best


def decision_ms(solver: Solver, block: CoherenceBlock) -> str:
    """Return the median time of a decision on a single block, as text."""
    times, rows = [], list(block.rows())[:TIMED]
    solver.allocate({}, rows[0])
    for row in rows:
        began = time.perf_counter()
        solver.allocate({}, row)
        times.append(1e3 * (time.perf_counter() - began))
    return f"{statistics.median(times):.3g}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=100, help="of each size, the first test seeds")
    parser.add_argument("--blocks", type=int, default=2, help="coherence blocks of each")
    parser.add_argument(
        "--limited", type=int, default=50, help="networks of the information limit, one block each"
    )
    parser.add_argument("--sizes", nargs="+", default=["1,10", "1,20", "1,50", "4,10", "4,20", "4,50"], help="N,K")
    options = parser.parse_args()
    table = []
    for subcarriers, users in tqdm([tuple(map(int, size.split(","))) for size in options.sizes], unit="size"):
        scenario = Scenario.paper_a(num_subcarriers=subcarriers, num_users=users)
        sizes = {
            "magnitude-only": (options.networks, options.blocks),
            "magnitude": (options.networks, options.blocks),
        }
        solvers = {"magnitude-only": MagnitudeOnly(FastMinMax()), "magnitude": MagnitudeSolver.load("magnitude")}
        if options.limited and users <= 20:  # beyond, a block takes a minute
            sizes["information-limit"], solvers["information-limit"] = (options.limited, 1), InformationLimit()
        for name, (networks, blocks) in sizes.items():
            samples = Samples(scenario, seeds("test", networks), blocks)
            block = samples.draw(slice(0, networks * blocks))
            reference_s = FastMinMax().solve(block).max_latency
            found = gaps(solvers[name], block, reference_s, blocks)
            slow = name == "information-limit"
            row = (subcarriers, users, name, f"{networks} x {blocks}", *found)
            table.append((*row, "seconds" if slow else decision_ms(solvers[name], block)))
    headers = ("N", "K", "policy", "networks x blocks", "own offload", "best offload", "decision ms")
    print(tabulate(table, headers, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
