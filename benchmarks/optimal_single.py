"""One user whose tasks and energy stay: the exact optimum, its grids, and the rules that serve all they can.

    OMP_NUM_THREADS=1 python benchmarks/optimal_single.py

All policies meet the same blocks of the same networks, the first of the test split. Means have 95 % intervals over
networks. The second table says what the plans expect on a grid and on one that is twice as fine.
"""

import argparse
import time
from collections.abc import Callable

import gymnasium as gym
import numpy as np
from tabulate import tabulate
from tqdm.auto import tqdm

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.dynamic.optimal_single import OptimalSingle
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.evaluation import load_policy, seeds

ENV = "MECCellFreeDynamic-v0"
NORMAL = 1.96
FULL, ALL_NOW, OPTIMAL = "full power, full CPU", "all now, at the least power", "optimal-single"
Rule = Callable[[CoherenceBlock], Allocation]


def full(block: CoherenceBlock) -> Allocation:
    """Return full power and the whole CPU."""
    ones = np.ones(block.signal_gain.shape)
    return Allocation(ones, ones[..., 0, :], cpu_share=ones[..., 0, :])


def all_now(block: CoherenceBlock) -> Allocation:
    """Return the least CPU share, then the least power, that serve all of the queue, or as much as they can."""
    assert block.backlog is not None
    queue_bits, block_s = block.backlog.queue_bits, block.backlog.prospects.block_s
    local_bits = np.asarray(block.local_hz) * block_s / np.asarray(block.cycles_per_bit)
    cpu_share = np.minimum(queue_bits / local_bits, 1.0)
    efficiency = np.minimum((queue_bits - cpu_share * local_bits) / (block.data_bandwidth_hz * block_s), 100.0)
    power = np.minimum(np.expm1(np.log(2) * efficiency) / np.asarray(block.signal_gain)[..., 0, :], 1.0)
    return Allocation(power[..., None, :], cpu_share, cpu_share=cpu_share)


def play(name: str, networks: int, blocks: int, resolution: int) -> tuple[np.ndarray, float, float, np.ndarray]:
    """Return costs in ms ``(networks,)``, ms of a decision and of a plan, and what plans expect in ms."""
    env = gym.make_vec(ENV, num_envs=networks, num_users=1, episode_blocks=blocks).unwrapped
    seen, _ = env.reset(seed=list(seeds("test", networks)))
    rules = {FULL: full, ALL_NOW: all_now}
    policy = OptimalSingle(blocks, resolution) if name == OPTIMAL else name not in rules and load_policy(name)
    cost_ms, took_s = np.zeros(networks), []
    bursting = env.block.backlog.bursting[:, 0].astype(int)
    for _ in tqdm(range(blocks), desc=name, unit="block"):
        began = time.perf_counter()
        allocation = policy.allocate(seen, env.block) if policy else rules[name](env.block)
        took_s.append(time.perf_counter() - began)
        seen, reward, *_ = env.step(env.encode(allocation.power, allocation.cpu_share))
        cost_ms -= reward
    expected = [plan.value_ms[phase] for plan, phase in zip(getattr(policy, "plans", []), bursting, strict=False)]
    later_ms = 1e3 * float(np.median(took_s[1:])) / networks
    return cost_ms / blocks, later_ms, 1e3 * took_s[0] / networks, np.array(expected)


def interval(values: np.ndarray) -> str:
    """Return a mean with the half width of its 95 % interval."""
    return f"{values.mean():.3f} +- {NORMAL * values.std(ddof=1) / np.sqrt(len(values)):.3f}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=200, help="the first of the test split")
    parser.add_argument("--blocks", type=int, default=100, help="of an episode")
    parser.add_argument("--resolution", type=int, default=24, help="points of the queue on the grid")
    parser.add_argument("--grids", type=int, default=10, help="networks that are also solved on the finer grid")
    parser.add_argument(
        "--policies", nargs="*", default=[], help="installed policies to compare, beside the rules"
    )
    options = parser.parse_args()
    size = options.networks, options.blocks, options.resolution
    played = {name: play(name, *size) for name in (OPTIMAL, *options.policies, ALL_NOW, FULL)}
    best, _, first_ms, expected = played[OPTIMAL]
    rows = [
        (name, interval(cost), interval(cost - best), f"{cost.mean() / best.mean() - 1:+.1%}", f"{later_ms:.2f}")
        for name, (cost, later_ms, *_) in played.items()
    ]
    print(f"{ENV}, one user, {options.networks} networks, {options.blocks} blocks; costs in ms a block")
    print(tabulate(rows, ("policy", "cost", "over the optimum", "relative", "decision ms"), tablefmt="github"))
    print(
        f"plans: {first_ms:.0f} ms each; they expect {interval(expected)}; "
        f"played less expected: {interval(best - expected)}"
    )
    fine = play(OPTIMAL, options.grids, options.blocks, 2 * options.resolution)
    change = fine[3] / expected[: options.grids] - 1
    print(f"a grid of {2 * options.resolution} instead of {options.resolution}, on {options.grids} networks:")
    print(f"expected cost {change.mean():+.2%}, {change.min():+.2%} to {change.max():+.2%}; {fine[2]:.0f} ms each")


if __name__ == "__main__":
    main()
