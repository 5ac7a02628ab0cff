"""What memory is worth where channels are known late: rules that see the last gains, or all gains of the episode.

Every rule meets the same blocks of the same networks. The exact solver on the gains seen has two parameters (see
OutdatedExact), which are tuned for each setting on validation networks: among the rules that remember nothing,
among those that take the mean, and among all. The oracle knows the current channels, and so does one of the rules
at full power, for its split. Prints largest latencies, how far above the oracle's they lie, and how far above
those of the rule with memory, each with a 95 % bootstrap interval over networks.

Run: OMP_NUM_THREADS=1 python benchmarks/memory.py [--networks 500 --tuning 200]
"""

import argparse
import dataclasses
from itertools import product

import gymnasium as gym
import numpy as np
from tabulate import tabulate
from tqdm import tqdm

from mec_cf_gym import Allocation, best_offload, latency
from mec_cf_gym.baselines import ExactMinMax, FullPower, OutdatedExact
from mec_cf_gym.envs.observation import ratio_of
from mec_cf_gym.evaluation import seeds
from mec_cf_gym.evaluation.gap import bootstrap_interval

ENV_ID = "MECCellFreeDelayed-v0"
SETTINGS = [(8, 30.0), (16, 30.0), (2, 30.0), (8, 3.0)]
EXPONENTS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
FRESHNESS = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)


class LastSplit(OutdatedExact):
    """With the split for the last gains, which a LogPowerAction beneath a MeanGains wrapper would choose."""

    def allocate(self, observation, block):
        """Return an allocation for the gains that were seen."""
        power = super().allocate(observation, block).power
        gains = {f"{name}_gain": ratio_of(observation[name]) for name in ("signal", "interference")}
        last = dataclasses.replace(block, **gains)
        return Allocation(power, best_offload(last, power))


def main() -> None:
    """Tune, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=500, help="test networks of each setting")
    parser.add_argument("--tuning", type=int, default=200, help="validation networks of each setting")
    parser.add_argument("--settings", nargs="+", default=[f"{d},{v:g}" for d, v in SETTINGS], help="pairs D,m/s")
    options = parser.parse_args()
    table = []
    for setting in options.settings:
        delay, speed = setting.split(",")
        fields = {"csi_delay_blocks": int(delay), "speed_m_per_s": float(speed)}
        last, mean, best = tuned(fields, options.tuning)
        rules = {
            "full power, split for current gains": FullPower(),
            "full power": OutdatedExact(exponent=0.0),
            "last gains": OutdatedExact(),
            f"last gains, exponent {last[0]}": OutdatedExact(*last),
            f"mean, exponent {mean[0]}, split for last gains": LastSplit(*mean),
            f"mean, exponent {mean[0]}": OutdatedExact(*mean),
            "memory: exponent {}, freshness {}".format(*best): OutdatedExact(*best),
            "oracle": ExactMinMax(),
        }
        largest_s = largest_latencies(rules, fields, seeds("test", options.networks))
        *_, memory, oracle = largest_s.values()
        for name, values in largest_s.items():
            gaps = above(values, oracle), above(values, memory), above(values[:, -10:], memory[:, -10:])
            table.append([f"D = {delay}, {speed} m/s", name, f"{1e3 * values.mean():.4f}", *gaps])
        print(tabulate(table[-len(rules) :], tablefmt="plain", disable_numparse=True), flush=True)
    headers = ["setting", "rule", "mean ms", "above the oracle", "above memory", "in the last ten blocks"]
    print(tabulate(table, headers, tablefmt="github", disable_numparse=True))


def tuned(fields, networks):
    """Return the best (exponent, freshness) on validation networks: for the last gains, their mean, and of all."""
    rules = {pair: OutdatedExact(*pair) for pair in product(EXPONENTS, FRESHNESS)}
    largest_s = largest_latencies(rules, fields, seeds("validation", networks))
    ranked = sorted(rules, key=lambda pair: largest_s[pair].mean())
    return [next(pair for pair in ranked if pair[1] in allowed) for allowed in ((1.0,), (0.0,), FRESHNESS)]


def largest_latencies(rules, fields, networks, env_id=ENV_ID):
    """Return each rule's largest latencies in seconds, ``(networks, blocks)``."""
    env = gym.make_vec(env_id, num_envs=len(networks), **fields)
    observation, _ = env.reset(seed=list(networks))
    found = {name: [] for name in rules}
    for rule in rules.values():
        rule.reset(0)
    for _ in tqdm(range(env.unwrapped.scenario.episode.episode_blocks), desc=str(fields), leave=False):
        block = env.unwrapped.block
        for name, rule in rules.items():
            allocation = rule.allocate(observation, block)
            found[name].append(latency(block, allocation.power, allocation.offload).max(-1))
        observation, *_ = env.step(np.zeros(env.action_space.shape, np.float32))  # channels ignore actions
    return {name: np.stack(values, axis=-1) for name, values in found.items()}


def above(values, compared):
    """Return the mean of the networks' mean gaps, and its interval."""
    gaps = (values / compared - 1).mean(-1)
    return "{:+.1%} [{:+.1%}, {:+.1%}]".format(gaps.mean(), *bootstrap_interval(gaps))


if __name__ == "__main__":
    main()
