"""What fading costs: time of its first block and of the next, and of whole blocks, by model, over that of i.i.d.

Networks are paper A's, M = 64, K = 10, N = 1, in a batch. Models take turns, so that other work on the machine
meets all of them; medians count, in CPU milliseconds on one thread.

Run: OMP_NUM_THREADS=1 python benchmarks/fading.py [--rows 256 --repeats 30]
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import time
from collections import defaultdict

import numpy as np
from tabulate import tabulate

from mec_cf_gym import Scenario
from mec_cf_gym.block import FADINGS
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World

EPISODE_BLOCKS = 50


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=256, help="networks in the batch")
    parser.add_argument("--repeats", type=int, default=30, help="repeats of which the median counts")
    options = parser.parse_args()
    scenario = Scenario.paper_a(num_subcarriers=1, speed_m_per_s=30.0)
    worlds = {name: World(scenario.replace(fading=name)) for name in FADINGS}
    streams = Streams.from_seeds(range(options.rows))
    states = {name: world.begin(streams) for name, world in worlds.items()}
    times_ms = defaultdict(list)
    for _ in range(options.repeats):
        for name, world in worlds.items():
            state, fading = states[name], world.blocks.fading
            times_ms[name, "begin"].append(cpu_ms(fading.begin, state.network, streams))
            times_ms[name, "advance"].append(cpu_ms(fading.advance, state.fading, state.network, streams))
            times_ms[name, "block"].append(cpu_ms(world.advance, state, streams))
    found = {key: float(np.median(values)) for key, values in times_ms.items()}
    for name in worlds:
        begin, advance, block = (found[name, part] for part in ("begin", "advance", "block"))
        found[name, "episode"] = (begin - advance) / EPISODE_BLOCKS + block
    parts = ("begin", "advance", "block", "episode")
    table = [
        [name, *(f"{found[name, part]:.1f} ({found[name, part] / found['iid', part]:.2f})" for part in parts)]
        for name in worlds
    ]
    headers = [
        "fading",
        "first, ms",
        "next, ms",
        "a block, ms",
        f"a block of {EPISODE_BLOCKS}, first included, ms",
    ]
    print(f"{options.rows} networks, median of {options.repeats}; in brackets over i.i.d.'s")
    print(tabulate(table, headers, tablefmt="github"))


def cpu_ms(work, *arguments):
    """Return the CPU time of one call."""
    began = time.process_time()
    work(*arguments)
    return 1e3 * (time.process_time() - began)


if __name__ == "__main__":
    main()
