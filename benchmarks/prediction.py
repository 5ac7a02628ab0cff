"""What predicting channels is worth where they are known late and fading is Clarke's, by delay and noise.

Every rule meets the same blocks of the same networks. Rules are the exact solver on gains: the last ones seen, the
mean of all seen (see OutdatedExact), those that statistics alone let expect, and those expected of channels that
are predicted from the last ones seen (see PredictedExact). Exponents are tuned for each setting on validation
networks, windows are not. The oracle knows the current estimates. Prints the share of the channels'
variance that predictions leave, largest latencies, and how far above the oracle's, and above those of the
prediction, they lie, with 95 % bootstrap intervals over networks.

Run: OMP_NUM_THREADS=1 python benchmarks/prediction.py [--networks 200 --tuning 100]
"""

import argparse
import dataclasses

import gymnasium as gym
from memory import EXPONENTS, above, largest_latencies
from tabulate import tabulate

from mec_cf_gym.baselines import ExactMinMax, OutdatedExact, PredictedExact
from mec_cf_gym.baselines.predicted import linear_predictor
from mec_cf_gym.evaluation import seeds

ENV_ID = "MECCellFreeDelayed-v1"
SETTINGS = [(8, 0.0), (8, 1e-5), (8, 1e-3), (8, 1e-2), (4, 1e-3), (2, 1e-3)]
WINDOWS = (8, 16, 32)
TUNED_WINDOW = 16


class Statistics(PredictedExact):
    """Predicts nothing: as if channels were correlated with none that were seen."""

    def allocate(self, observation, block):
        """Return an allocation for the gains that large-scale gains let expect."""
        forgotten = dataclasses.replace(block.aging, fading="iid")
        return super().allocate(observation, dataclasses.replace(block, aging=forgotten))


def main() -> None:
    """Tune, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=200, help="test networks of each setting")
    parser.add_argument("--tuning", type=int, default=100, help="validation networks of each setting")
    parser.add_argument("--settings", nargs="+", default=[f"{d},{e:g}" for d, e in SETTINGS], help="delay,error")
    options = parser.parse_args()
    table = []
    for setting in options.settings:
        delay, error = setting.split(",")
        fields = {"csi_delay_blocks": int(delay), "csi_error_variance": float(error)}
        last, mean, statistics, predicted = tuned(fields, options.tuning)
        rules = {
            f"last gains, exponent {last}": OutdatedExact(last, 1.0),
            f"mean gains, exponent {mean}": OutdatedExact(mean, 0.0),
            f"statistics alone, exponent {statistics}": Statistics(1, statistics),
            **{
                f"predicted from {window}, exponent {predicted}": PredictedExact(window, predicted)
                for window in WINDOWS
            },
            "oracle": ExactMinMax(),
        }
        left = [
            f"{share_left(fields, rule):.3f}" if type(rule) is PredictedExact else "" for rule in rules.values()
        ]
        largest_s = largest_latencies(rules, fields, seeds("test", options.networks), ENV_ID)
        compared = largest_s[f"predicted from {TUNED_WINDOW}, exponent {predicted}"]
        for (name, values), share in zip(largest_s.items(), left, strict=True):
            gaps = above(values, largest_s["oracle"]), above(values, compared)
            table.append([f"D = {delay}, error {error}", name, share, f"{1e3 * values.mean():.4f}", *gaps])
        print(tabulate(table[-len(rules) :], tablefmt="plain", disable_numparse=True), flush=True)
    headers = [
        "setting",
        "rule",
        "variance left",
        "mean ms",
        "above the oracle",
        f"above predicted from {TUNED_WINDOW}",
    ]
    print(tabulate(table, headers, tablefmt="github", disable_numparse=True))


def tuned(fields, networks):
    """Yield the best exponents on validation networks: for last gains, their mean, statistics and predictions."""
    families = (
        lambda exponent: OutdatedExact(exponent, 1.0),
        lambda exponent: OutdatedExact(exponent, 0.0),
        lambda exponent: Statistics(1, exponent),
        lambda exponent: PredictedExact(TUNED_WINDOW, exponent),
    )
    for family in families:
        rules = {exponent: family(exponent) for exponent in EXPONENTS}
        largest_s = largest_latencies(rules, fields, seeds("validation", networks), ENV_ID)
        yield min(rules, key=lambda name, found=largest_s: found[name].mean())


def share_left(fields, rule):
    """Return the share of the channels' variance that a full window leaves."""
    env = gym.make(ENV_ID, **fields)
    env.reset(seed=0)
    return linear_predictor(env.unwrapped.block.aging, rule.window)[1].mean()


if __name__ == "__main__":
    main()
