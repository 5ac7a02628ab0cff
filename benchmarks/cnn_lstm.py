"""The CNN-LSTM under both protocols and with both scales of the powers, on one data set of labels.

Trains one network for each, as mec-cf-gym fit cnn-lstm does, and prints how far its largest latencies lie above
the labels' on the test samples. A run that was cut off goes on.

Run: OMP_NUM_THREADS=1 python benchmarks/cnn_lstm.py --data DATASET [--out runs/cnn-lstm-protocols] [--epochs 100]
"""

import argparse
import itertools
from pathlib import Path

from tabulate import tabulate

from mec_cf_gym.baselines.learned.fit_cnn_lstm import FitCNNLSTM, run
from mec_cf_gym.baselines.learned.gaps import mean_and_interval

HEADERS = (
    "protocol",
    "powers",
    "epochs",
    "minutes",
    "test loss",
    "gap [95 % CI]",
    "median",
    "p95",
    "p99",
    "capped",
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
        solver, gaps = run(
            FitCNNLSTM(
                data=given.data, out=out, protocol=protocol, power_scale=scale, epochs=given.epochs, resume=True
            )
        )
        training, test = solver.card["training"], solver.card["test"]
        table.append(
            (
                protocol,
                scale,
                f"{training['epochs']}",
                f"{training['training_s'] / 60:.1f}",
                f"{test['loss']:.4f}",
                mean_and_interval(gaps.per_topology()),
                *(f"{test[name]:+.1%}" for name in ("gap_median", "gap_p95", "gap_p99")),
                f"{test['capped']:.2%}",
            )
        )
    print(
        tabulate(table, HEADERS, tablefmt="github", disable_numparse=True, colalign=["left"] * 2 + ["right"] * 8)
    )


if __name__ == "__main__":
    main()
