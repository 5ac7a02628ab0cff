"""The CNN-LSTM under both protocols and with both scales of the powers, on one data set of labels.

Trains one network for each, as mec-cf-gym fit cnn-lstm does, and prints how far its largest latencies lie above
the labels' on the test samples, with the offload ratios it predicts and with the best for its powers. A run that
was cut off goes on.

Run: OMP_NUM_THREADS=1 python benchmarks/cnn_lstm.py --data DATASET [--out runs/cnn-lstm-protocols] [--epochs 100]
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
from tabulate import tabulate

from mec_cf_gym.baselines.learned.cnn_lstm.fit import FitCNNLSTM, run
from mec_cf_gym.evaluation.gap import Estimate

HEADERS = (
    "protocol",
    "powers",
    "offload",
    "epochs",
    "minutes",
    "test loss",
    "gap [95 % CI]",
    "median",
    "p95",
    "p99",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data set of mec-cf-gym dataset")
    parser.add_argument("--out", type=Path, default=Path("runs/cnn-lstm-protocols"), help="folder for the runs")
    parser.add_argument("--epochs", type=int, default=100, help="most epochs of a run")
    given = parser.parse_args()
    table = []
    for protocol, scale in itertools.product(("random", "topologies"), ("log", "linear")):
        out = given.out / f"{protocol}-{scale}"
        fitted = run(
            FitCNNLSTM(
                data=given.data, out=out, protocol=protocol, power_scale=scale, epochs=given.epochs, resume=True
            )
        )
        training, test = fitted.solver.card["training"], fitted.solver.card["test"]
        for offload, gaps in (("predicted", fitted.gaps), ("best", fitted.best_offload_gaps)):
            table.append(
                (
                    protocol,
                    scale,
                    offload,
                    f"{training['epochs']}",
                    f"{training['training_s'] / 60:.1f}",
                    f"{test['loss']:.4f}",
                    Estimate.of(gaps.per_topology()).text("%"),
                    *(f"{value:+.1%}" for value in np.percentile(gaps.gap, (50, 95, 99))),
                )
            )
    print(
        tabulate(table, HEADERS, tablefmt="github", disable_numparse=True, colalign=["left"] * 3 + ["right"] * 7)
    )


if __name__ == "__main__":
    main()
