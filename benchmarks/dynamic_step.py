"""What queues and batteries cost a step, and whether memory stays constant over a million of them.

    OMP_NUM_THREADS=1 python benchmarks/dynamic_step.py
    OMP_NUM_THREADS=1 python benchmarks/dynamic_step.py --long 1000000

The first prints environment steps per CPU-second of dynamic scenarios and of the same networks without queues, in
turn in one process, and their ratio. The second steps a small dynamic vector environment that often and prints the
largest resident memory after the first hundredth and after all.
"""

import argparse
import resource
import statistics
import time

import gymnasium as gym
from tabulate import tabulate
from tqdm.auto import trange

from mec_cf_gym import Scenario

STATIC = {"arrivals": "every_block", "reward": "max_latency"}
PAIRS = (
    ("MECCellFreeDynamic-v0", "MECCellFree-v0", Scenario.paper_a_dynamic(), 256),
    ("MECUserCentricDynamic-v0", "MECUserCentric-v0", Scenario.paper_b_dynamic(), 16),
)


def stepper(env_id, scenario, rows):
    """Return a function that steps a vector environment, autoresets included."""
    envs = gym.make_vec(env_id, num_envs=rows, scenario=scenario)
    envs.reset(seed=0)
    actions = envs.action_space.sample()
    return lambda: envs.step(actions)


def cpu_seconds(step, calls=4):
    """Return the CPU time of one step."""
    began = time.process_time()
    for _ in range(calls):
        step()
    return (time.process_time() - began) / calls


def compare(repeats):
    """Print steps per CPU-second and ratios."""
    table = []
    for dynamic_id, static_id, scenario, rows in PAIRS:
        steps = stepper(dynamic_id, scenario, rows), stepper(static_id, scenario.replace(**STATIC), rows)
        times = [[cpu_seconds(step) for step in steps] for _ in range(repeats)]
        rates = [rows / statistics.median(column) for column in zip(*times, strict=True)]
        ratio = statistics.median(static / dynamic for dynamic, static in times)
        table.append((dynamic_id, rows, f"{rates[0]:,.0f}", f"{rates[1]:,.0f}", f"{ratio:.2f}"))
    print(f"median of {repeats} repeats")
    headers = ("environment", "rows", "steps per CPU-second", "without queues", "ratio")
    print(tabulate(table, headers, tablefmt="github", disable_numparse=True))


def step_long(steps):
    """Step a small environment, and print its memory."""
    step = stepper("MECCellFreeDynamic-v0", Scenario.paper_a_dynamic(num_users=2, num_aps=4), 2)
    after = {}
    for index in trange(1, steps + 1, unit="step"):
        step()
        if index in (max(1, steps // 100), steps):
            after[index] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(", ".join(f"{mib:.1f} MiB after {index:,} steps" for index, mib in after.items()))


def main() -> None:
    """Compare, or step for long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=21, help="repeats of which the median counts")
    parser.add_argument("--long", type=int, help="number of vector steps for the memory")
    options = parser.parse_args()
    if options.long:
        step_long(options.long)
    else:
        compare(options.repeats)


if __name__ == "__main__":
    main()
