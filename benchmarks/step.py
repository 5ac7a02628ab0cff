"""How close the environments step to the floor of what their random numbers and one product cost.

The floor draws the block's normals in single precision and multiplies one batched Gram matrix of the same sizes,
with NumPy, in this very process. Prints environment steps per CPU-second, and the ratio to the floor, of the
vector environment at 256 rows and of the single environment (against the floor of one row).

Run: OMP_NUM_THREADS=1 python benchmarks/step.py [--repeats 41]
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import statistics
import time
from collections.abc import Callable

import gymnasium as gym
import numpy as np
from tabulate import tabulate

import mec_cf_gym  # noqa: F401  # registers the environments

APS, USERS, SUBCARRIERS = 64, 10, 4
SETTING = {"num_aps": APS, "num_users": USERS, "num_subcarriers": SUBCARRIERS}


def floor(rows: int) -> Callable[[], object]:
    """Return what no implementation does without, for one step of ``rows`` rows."""
    rng = np.random.default_rng(0)

    def work() -> object:
        normals = rng.standard_normal((rows, SUBCARRIERS, APS, 2 * USERS), dtype=np.float32)
        channel = normals.view(np.complex64)
        return np.swapaxes(channel.conj(), -1, -2) @ channel

    return work


def vector_step(rows: int) -> Callable[[], object]:
    """Return a step of the native vector environment; autoresets included."""
    envs = gym.make_vec("MECCellFree-v0", num_envs=rows, **SETTING)
    envs.reset(seed=0)
    actions = envs.action_space.sample()
    return lambda: envs.step(actions)


def single_step() -> Callable[[], object]:
    """Return a step of the single environment, as ``gym.make`` wraps it; resets included."""
    env = gym.make("MECCellFree-v0", **SETTING)
    env.reset(seed=0)
    action = env.action_space.sample()

    def work() -> object:
        *_, truncated, _ = env.step(action)
        return env.reset() if truncated else None

    return work


def cpu_seconds(work: Callable[[], object], calls: int) -> float:
    """Return the CPU time of one call, averaged over ``calls``."""
    began = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - began) / calls


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=41, help="repeats of which the median counts")
    repeats = parser.parse_args().repeats
    table = []
    for name, rows, step, calls in (("vector", 256, vector_step(256), 4), ("single", 1, single_step(), 400)):
        least = floor(rows)
        pairs = [(cpu_seconds(step, calls), cpu_seconds(least, calls)) for _ in range(repeats)]
        step_s = statistics.median(pair[0] for pair in pairs)
        floor_s = statistics.median(pair[1] for pair in pairs)
        ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
        table.append((name, rows, f"{rows / step_s:,.0f}", f"{rows / floor_s:,.0f}", f"{ratio:.2f}"))
    print(f"(M, K, N) = ({APS}, {USERS}, {SUBCARRIERS}), median of {repeats} repeats")
    headers = ("environment", "rows", "steps per CPU-second", "floor", "ratio to the floor")
    print(tabulate(table, headers, tablefmt="github", disable_numparse=True, colalign=("left", *["right"] * 4)))


if __name__ == "__main__":
    main()
