"""The CNN-LSTM taken apart: from paper A's description one change at a time, then what helps together.

Trains a network for every row and seed, tests all on the same networks of the test seeds, and writes results.json,
table.md and figure.png: how far largest latencies lie above the labels', with the offload ratios that the network
predicts and with the best for its powers. Rows differ in what their names say and in nothing else; all see as many
samples, and their step size falls to zero. A run that was cut off goes on; data sets are made as they are needed.

Run: OMP_NUM_THREADS=1 python benchmarks/cnn_lstm_ablation.py [--seeds 3] [--epochs 3]
     OMP_NUM_THREADS=1 python benchmarks/cnn_lstm_ablation.py --quick
"""

import argparse
import itertools
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from tabulate import tabulate
from tqdm.auto import tqdm

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import LabelStore
from mec_cf_gym.baselines.labels.generate import Dataset, generate
from mec_cf_gym.baselines.learned.cnn_lstm.fit import FitCNNLSTM, run
from mec_cf_gym.evaluation.gap import Estimate, gap_to
from mec_cf_gym.evaluation.runs import read_json, write_atomically, write_json

TOGETHER = {"data": "many", "sorted_users": True, "loss": "latency", "power_scale": "log"}
ROWS: dict[str, dict[str, Any]] = {
    "paper A's network, log magnitudes": {},
    "raw magnitudes": {"features": "magnitude"},
    "gains that magnitudes imply": {"features": "gains"},
    "log powers": {"power_scale": "log"},
    "users sorted": {"sorted_users": True},
    "true latency as the loss": {"loss": "latency"},
    "many networks": {"data": "many"},
    "sorted, true latency, many, log": TOGETHER,
    "the same, not sorted": TOGETHER | {"sorted_users": False},
    "the same, squared error": TOGETHER | {"loss": "labels"},
    "the same, few networks": TOGETHER | {"data": "few"},
    "the same, linear powers": TOGETHER | {"power_scale": "linear"},
    "the same, implied gains": TOGETHER | {"features": "gains"},
    "100 units": {"hidden_units": 100},
    "few samples": {"data": "less"},
    "few samples, labels of ICA": {"data": "ica"},
}
DATA = {  # solver, topologies, blocks, split
    "few": ("fast", 200, 70, "train"),
    "many": ("fast", 14_000, 1, "train"),
    "less": ("fast", 100, 1, "train"),
    "ica": ("ica", 100, 1, "train"),
    "test": ("fast", 500, 1, "test"),
}
SCENARIO = Scenario.paper_a(num_subcarriers=4, num_users=10)
QUICK_DATA = {
    "few": ("fast", 10, 28, "train"),
    "many": ("fast", 280, 1, "train"),
    "less": ("fast", 10, 2, "train"),
    "ica": ("ica", 10, 2, "train"),
    "test": ("fast", 30, 1, "test"),
}
QUICK_SCENARIO = Scenario.paper_a(num_subcarriers=2, num_aps=8, num_users=3)
LEARNING_RATE = 2e-3
MOST_EPOCHS = 60
"""Epochs by which few samples are long known by heart."""


def main() -> None:
    """Train what is missing, then print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/cnn-lstm-ablation"), help="folder for the runs")
    parser.add_argument("--seeds", type=int, default=3, help="networks that are trained for a row")
    parser.add_argument(
        "--epochs", type=int, default=3, help="of 10,080 samples; of fewer, as many more, but not over 60"
    )
    parser.add_argument("--quick", action="store_true", help="tiny networks and data sets; a minute")
    given = parser.parse_args()
    scenario, data = SCENARIO, DATA
    if given.quick:
        given.out, scenario, data = given.out / "quick", QUICK_SCENARIO, QUICK_DATA
    jobs = tqdm(list(itertools.product(range(given.seeds), ROWS)), desc="ablation", unit="network")
    for seed, row in jobs:  # a first network for every row, then a second
        jobs.set_postfix_str(f"{row}, seed {seed}")
        if not result_path(given.out, row, seed).exists():
            write_json(result_path(given.out, row, seed), train(row, seed, given, scenario, data))
    results = {row: [read_json(result_path(given.out, row, seed)) for seed in range(given.seeds)] for row in ROWS}
    table = "\n".join((tabulated(results), "", labels_compared(given.out, scenario, data)))
    print(table)
    write_json(given.out / "results.json", results)
    write_atomically(given.out / "table.md", table + "\n")
    draw(results, given.out / "figure.png")


def result_path(out: Path, row: str, seed: int) -> Path:
    """Return the file of a row's network."""
    name = "".join(letter if letter.isalnum() else "-" for letter in row.lower())
    return out / "results" / f"{name}-{seed}.json"


def data_set(name: str, out: Path, scenario: Scenario, data: dict[str, tuple[str, int, int, str]]) -> Path:
    """Make a data set, or the rest of it, and return its folder."""
    solver, topologies, blocks, split = data[name]
    folder = out / f"labels-{name}"
    generate(
        Dataset(
            solver=solver,
            topologies=topologies,
            blocks=blocks,
            split=split,
            out=folder,
            scenario=scenario,
            resume=True,
            workers=1,
        )
    )
    return folder


def train(row: str, seed: int, given: argparse.Namespace, scenario: Scenario, data: Any) -> dict[str, Any]:
    """Train a row's network and return its gaps on the test networks, and how it was trained."""
    options = {"data": "few", **ROWS[row]}
    name = options.pop("data")
    _, topologies, blocks, _ = data[name]
    _, most, each, _ = data["few"]
    epochs = min(MOST_EPOCHS, given.epochs * most * each // (topologies * blocks))
    fitted = run(
        FitCNNLSTM(
            **options,
            data=data_set(name, given.out, scenario, data),
            test=data_set("test", given.out, scenario, data),
            out=result_path(given.out, row, seed).with_suffix(""),
            protocol="topologies",
            epochs=epochs,
            patience=epochs,
            learning_rate=LEARNING_RATE,
            cosine=True,
            seed=seed,
            resume=True,
        )
    )
    gaps, best = fitted.gaps, fitted.best_offload_gaps
    return {
        "predicted": gaps.per_topology().tolist(),
        "best": best.per_topology().tolist(),
        "test_loss": fitted.solver.card["test"]["loss"],
        **fitted.solver.card["training"],
    }


def estimate(results: list[dict[str, Any]], offload: str) -> Estimate:
    """Return the mean gap over seeds and test networks; its interval is over the networks."""
    return Estimate.of(np.mean([result[offload] for result in results], axis=0))


def tabulated(results: dict[str, list[dict[str, Any]]]) -> str:
    """Return the table in Markdown."""
    table = []
    for row, trained in results.items():
        means = [np.mean(result["predicted"]) for result in trained]
        best_epochs = "/".join(str(result["best_epochs"]) for result in trained)
        table.append(
            [
                row,
                estimate(trained, "predicted").text("%"),
                f"{min(means):+.0%} to {max(means):+.0%}",
                estimate(trained, "best").text("%"),
                f"{np.median([result['predicted'] for result in trained]):+.1%}",
                f"{best_epochs} of {trained[0]['epochs']}",
                f"{np.mean([result['training_s'] for result in trained]) / 60:.1f}",
            ]
        )
    headers = ["change", "gap, predicted split [95 % CI]", "seeds", "gap, best split [95 % CI]"]
    headers += ["median", "best epochs", "minutes"]
    return tabulate(table, headers, tablefmt="github", disable_numparse=True, colalign=["left"] + ["right"] * 6)


def labels_compared(out: Path, scenario: Scenario, data: Any) -> str:
    """Return in words how ICA's labels compare with those of the fast solver on the same samples."""
    fast, ica = (label_latency_s(name, out, scenario, data) for name in ("less", "ica"))
    gap = gap_to(fast, ica).reshape(data["ica"][1:3]).mean(1)
    return f"ICA's labels against the fast solver's, {fast.size} samples: {Estimate.of(gap).text('%')}"


def label_latency_s(name: str, out: Path, scenario: Scenario, data: Any) -> np.ndarray:
    """Return the largest latency of every label of a data set, in seconds, ``(samples,)``."""
    store = LabelStore(data_set(name, out, scenario, data))
    return np.asarray(store.read("latency_s", slice(0, len(store))).max(-1))


def draw(results: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Draw both gaps of every row, with their intervals, on a log scale."""
    mpl.use("Agg")
    figure, axes = plt.subplots(figsize=(7.5, 5), layout="constrained")
    places = np.arange(len(results))
    for offload, shift, filled in (("predicted", -0.12, True), ("best", 0.12, False)):
        found = [estimate(trained, offload) for trained in results.values()]
        means = np.array([each.mean for each in found])
        errors = [[each.mean - each.low for each in found], [each.high - each.mean for each in found]]
        colour = "C0" if filled else "C1"
        axes.errorbar(
            means, places + shift, xerr=errors, fmt="o", mfc=colour if filled else "white", color=colour,
            capsize=2, label=f"{offload} split",
        )  # fmt: skip
    axes.set(xscale="log", xlabel="mean gap of the largest latency to the fast solver", yticks=places)
    axes.set_yticklabels(results)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(mpl.ticker.PercentFormatter(1, decimals=0))
    axes.grid(axis="x", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
