"""ICA as printed against ICA with its SINR floors, and both against the exact optimum where it is known.

Solves the same blocks, one of each of the first validation seeds, with both variants; prints how far each lies
above the best known latency (the exact optimum for N = 1, else the better of the two), and how long it takes.

Run: OMP_NUM_THREADS=1 python benchmarks/ica.py [--networks 100]
"""

import argparse

import numpy as np
from tabulate import tabulate
from tqdm import tqdm

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import ICA, ExactMinMax
from mec_cf_gym.evaluation import seeds
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

SETTINGS = {
    "N = 1, K = 10": {"num_subcarriers": 1, "num_users": 10},
    "N = 4, K = 10": {"num_subcarriers": 4, "num_users": 10},
    "N = 4, K = 20": {"num_subcarriers": 4, "num_users": 20},
    "N = 1, K = 6, M = 4, 30 dBm, 200 m": {
        "num_subcarriers": 1,
        "num_users": 6,
        "num_aps": 4,
        "user_power_dbm": 30.0,
        "radius_m": 200.0,
    },
}
VARIANTS = {"as printed": (0.0,), "with SINR floors": (0.1, 0.01, 0.0)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=100, help="networks of each setting")
    networks = parser.parse_args().networks
    table = []
    for setting, fields in SETTINGS.items():
        scenario = Scenario.paper_a(**fields)
        block = World(scenario).begin(Streams.from_seeds(seeds("validation", networks))).block
        solvers = {name: ICA(sinr_floors=floors) for name, floors in VARIANTS.items()}
        solved: dict[str, list] = {name: [] for name in VARIANTS}
        for row in tqdm(block.rows(), total=networks, desc=setting):
            for name, solver in solvers.items():
                solved[name].append(solver.solve(row))
        latency_s = {name: np.array([s.max_latency for s in solutions]) for name, solutions in solved.items()}
        best_s = np.min(list(latency_s.values()), axis=0)
        if block.num_subcarriers == 1:
            best_s = ExactMinMax().solve(block).max_latency
        for name, solutions in solved.items():
            gap = latency_s[name] / best_s - 1
            steps = np.median([solution.step_time_s.size for solution in solutions])
            seconds = np.median([solution.step_time_s.sum() for solution in solutions])
            trapped = (gap > 0.01).mean()
            row = (f"{gap.mean():.4%}", f"{gap.max():.3%}", f"{trapped:.0%}", f"{steps:.0f}", f"{seconds:.3f}")
            table.append((setting, name, *row))
    headers = ("setting", "ICA", "mean gap", "largest gap", "gap over 1 %", "median steps", "median s")
    print(
        tabulate(table, headers, tablefmt="github", disable_numparse=True, colalign=["left"] * 2 + ["right"] * 5)
    )


if __name__ == "__main__":
    main()
