"""Transfer: the CNN-LSTM of cell-free networks fine-tuned on BS-centred ones with few samples, or trained anew.

Both see the same samples, may take the same number of steps, and are tested on the same unseen BS-centred
networks.
Prints how far the largest latencies lie above the labels', with a 95 % confidence interval over the networks, each
averaged over several draws of the samples. The row without samples is the network as it is. A run that was cut off
goes on.

Run: OMP_NUM_THREADS=1 python benchmarks/transfer.py --cell-free DATASET --cellular DATASET [--init WEIGHTS]
     OMP_NUM_THREADS=1 python benchmarks/transfer.py --quick
"""

import argparse
from pathlib import Path

import numpy as np
from tabulate import tabulate

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import CNNLSTM, LabelStore
from mec_cf_gym.baselines.best_offload import WithBestOffload
from mec_cf_gym.baselines.labels.generate import Dataset, generate
from mec_cf_gym.baselines.learned.cnn_lstm.fit import WEIGHTS, FitCNNLSTM, measure_test_gaps, run
from mec_cf_gym.baselines.learned.cnn_lstm.splits import VALIDATION_SHARE, split_samples
from mec_cf_gym.baselines.learned.cnn_lstm.supervised import BATCH_SIZE
from mec_cf_gym.evaluation.gap import Estimate

PATIENCE_SHARE = 0.1
OFFLOADS = ("predicted", "best")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell-free", type=Path, help="data set of the network to transfer")
    parser.add_argument("--cellular", type=Path, help="data set of --deployment cellular, of another split")
    parser.add_argument("--init", type=Path, help="weights to transfer; trained on --cell-free if not given")
    parser.add_argument("--samples", type=int, nargs="+", default=[100, 1000, 10_000], help="numbers of samples")
    parser.add_argument("--draws", type=int, default=3, help="draws of the samples")
    parser.add_argument("--epochs", type=int, default=100, help="most epochs on --cell-free")
    parser.add_argument("--steps", type=int, default=20_000, help="most steps on the few samples")
    parser.add_argument("--out", type=Path, default=Path("runs/transfer"), help="folder for the runs")
    parser.add_argument("--quick", action="store_true", help="small data sets of its own, N = 1; a few minutes")
    given = parser.parse_args()
    if given.quick:
        given.cell_free, given.cellular = (quick_data(given.out, name) for name in ("cell_free", "cellular"))
        given.samples, given.draws, given.epochs, given.steps = [50, 500], 2, 10, 500
    if given.cellular is None or (given.cell_free is None and given.init is None):
        parser.error("--cellular is required, and --cell-free or --init; or --quick")
    if given.init is None:
        given.init = given.out / "cell-free" / WEIGHTS
        run(FitCNNLSTM(data=given.cell_free, out=given.init.parent, epochs=given.epochs, resume=True))
    table = [
        ("0", offload, "", Estimate.of(gaps).text("%"), "")
        for offload, gaps in zip(OFFLOADS, gaps_as_it_is(given.init, given.cellular), strict=True)
    ]
    for samples in given.samples:
        anew, tuned = (few_sample_gaps(given, samples, init) for init in (None, str(given.init)))
        for offload, *pair in zip(OFFLOADS, anew, tuned, strict=True):
            columns = (Estimate.of(gaps).text("%") for gaps in (*pair, pair[1] - pair[0]))
            table.append((f"{samples}", offload, *columns))
    headers = ("samples", "offload", "from scratch [95 % CI]", "fine-tuned [95 % CI]", "difference [95 % CI]")
    print(tabulate(table, headers, tablefmt="github", disable_numparse=True, colalign=["right"] * 5))


def quick_data(out: Path, deployment: str) -> Path:
    """Make a small data set, or the rest of it, and return its folder."""
    scenario = Scenario.paper_a(num_subcarriers=1, deployment=deployment)
    split = "train" if deployment == "cell_free" else "validation"
    folder = out / f"quick-{deployment}"
    generate(
        Dataset(
            solver="exact",
            topologies=50,
            blocks=20,
            split=split,
            out=folder,
            scenario=scenario,
            resume=True,
            workers=1,
        )
    )
    return folder


def gaps_as_it_is(init: Path, data: Path) -> list[np.ndarray]:
    """Return the mean gap of each test network without any training, for each kind of offload ratios."""
    store, solver = LabelStore(data), CNNLSTM.load(init)
    split = split_samples(store.read("seed", slice(0, len(store))), "topologies")
    solvers = (solver, WithBestOffload(solver))
    return [measure_test_gaps(each, store, split.test, "as it is").per_topology() for each in solvers]


def few_sample_gaps(given: argparse.Namespace, samples: int, init: str | None) -> np.ndarray:
    """Return the mean gap of each test network after training on a few samples, averaged over draws of them.

    Returns:
        ``(2, networks)``: with the predicted offload ratios, and with the best.
    """
    steps_per_epoch = -(-round((1 - VALIDATION_SHARE) * samples) // BATCH_SIZE)
    epochs = max(1, given.steps // steps_per_epoch)
    draws = []
    for seed in range(given.draws):
        fitted = run(
            FitCNNLSTM(
                data=given.cellular,
                out=given.out / f"{samples}-{'anew' if init is None else 'tuned'}-{seed}",
                protocol="topologies",
                samples=samples,
                init=init,
                seed=seed,
                epochs=epochs,
                patience=max(5, round(PATIENCE_SHARE * epochs)),
                resume=True,
            )
        )
        draws.append([gaps.per_topology() for gaps in (fitted.gaps, fitted.best_offload_gaps)])
    return np.mean(draws, axis=0)


if __name__ == "__main__":
    main()
