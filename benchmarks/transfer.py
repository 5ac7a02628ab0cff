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
from mec_cf_gym.baselines.labels.generate import Dataset, generate
from mec_cf_gym.baselines.learned.fit_cnn_lstm import WEIGHTS, FitCNNLSTM, run
from mec_cf_gym.baselines.learned.gaps import mean_and_interval, measure_gaps
from mec_cf_gym.baselines.learned.splits import VALIDATION_SHARE, read_labelled, split_samples
from mec_cf_gym.baselines.learned.supervised import BATCH_SIZE

PATIENCE_SHARE = 0.1


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
    table = [("0", "", mean_and_interval(gaps_as_it_is(given.init, given.cellular)))]
    for samples in given.samples:
        anew, tuned = (few_sample_gaps(given, samples, init) for init in (None, str(given.init)))
        difference = mean_and_interval(tuned - anew)
        table.append((f"{samples}", mean_and_interval(anew), mean_and_interval(tuned), difference))
    headers = ("samples", "from scratch [95 % CI]", "fine-tuned [95 % CI]", "difference [95 % CI]")
    print(tabulate(table, headers, tablefmt="github", disable_numparse=True, colalign=["right"] * 4))


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


def gaps_as_it_is(init: Path, data: Path) -> np.ndarray:
    """Return the mean gap of each test network without any training."""
    store = LabelStore(data)
    test = split_samples(store.read("seed", slice(0, len(store))), "topologies").test
    least = store.scenario.episode.least_spectral_efficiency
    return measure_gaps(CNNLSTM.load(init), read_labelled(store, test), least).per_topology()


def few_sample_gaps(given: argparse.Namespace, samples: int, init: str | None) -> np.ndarray:
    """Return the mean gap of each test network after training on a few samples, averaged over draws of them."""
    steps_per_epoch = -(-round((1 - VALIDATION_SHARE) * samples) // BATCH_SIZE)
    epochs = max(1, given.steps // steps_per_epoch)
    gaps = [
        run(
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
        )[1]
        for seed in range(given.draws)
    ]
    return np.mean([each.per_topology() for each in gaps], axis=0)


if __name__ == "__main__":
    main()
