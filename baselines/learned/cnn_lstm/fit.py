"""``mec-cf-gym fit cnn-lstm``: train paper A's network on a store of labels, test it, and write its weights."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from mec_cf_gym.baselines.best_offload import WithBestOffload
from mec_cf_gym.baselines.labels.store import LabelStore
from mec_cf_gym.baselines.learned.cnn_lstm.gaps import Gaps, measure_gaps
from mec_cf_gym.baselines.learned.cnn_lstm.network import CNNLSTMNetwork, PowerScale
from mec_cf_gym.baselines.learned.cnn_lstm.solver import CNNLSTM
from mec_cf_gym.baselines.learned.cnn_lstm.splits import Protocol, Split, read_labelled, split_samples
from mec_cf_gym.baselines.learned.cnn_lstm.supervised import (
    BATCH_SIZE,
    WATCHED_SAMPLES,
    Examples,
    SupervisedLearner,
    mean_loss,
)
from mec_cf_gym.baselines.learned.command import WEIGHTS, check, fit
from mec_cf_gym.baselines.learned.training import Progress, train
from mec_cf_gym.baselines.solution import Solver
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.evaluation.provenance import provenance
from mec_cf_gym.evaluation.runs import hold


@dataclass(frozen=True, kw_only=True)
class FitCNNLSTM:
    """Train paper A's CNN-LSTM on labels.

    A fifth of the samples is kept for the test, whatever the seed; a tenth of the others decides when to stop.
    Writes weights.safetensors with its model card weights.json, and TensorBoard's log. Interrupted, even killed,
    it keeps every finished epoch, and --resume goes on to the very same weights. Load them with
    mec_cf_gym.baselines.CNNLSTM.load(OUT/weights).
    """

    data: Path
    """Folder of a data set of mec-cf-gym dataset."""
    out: Path = Path("runs/cnn-lstm")
    """Folder for the results."""
    protocol: Protocol = "random"
    """random: samples are split at random, as in paper A; topologies: tested on networks never seen."""
    epochs: int = 100
    """Most epochs to train for."""
    patience: int = 10
    """Epochs without a better validation loss after which to stop."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    seed: int = 0
    """Of the weights, of the samples that decide when to stop, and of the order of the others."""
    power_scale: PowerScale = "linear"
    """linear: the powers themselves are normalised and learned; log: their logarithms."""
    init: str | None = None
    """Weights to start from, by name or path without suffix: fine-tuning."""
    samples: int | None = None
    """Use only so many samples, those that decide when to stop included."""
    resume: bool = False
    """Go on with the run in the folder, if there is one."""

    def settings(self, store: LabelStore) -> dict[str, Any]:
        """Return what decides the result of an epoch, and must not change when a run goes on."""
        names = ("protocol", "learning_rate", "seed", "power_scale", "init", "samples")
        return {"data": store.settings, **{name: getattr(self, name) for name in names}}

    def check(self) -> None:
        """Check the options before any work is done.

        Raises:
            ValueError: Names the option, its value and what is allowed.
        """
        check(self, most_epochs=10**6)
        checked_count("patience", self.patience, 1, 10**6)


@dataclass(frozen=True)
class Fitted:
    """A trained solver and its gaps on the test samples."""

    solver: CNNLSTM
    gaps: Gaps
    best_offload_gaps: Gaps  # of its powers with the best offload ratios


def run(options: FitCNNLSTM) -> Fitted:
    """Train, or go on, then test and write the weights.

    Raises:
        ValueError: For options that are not allowed, damaged data, or a folder whose run cannot go on.
    """
    options.check()
    store = LabelStore(options.data)
    everything = slice(0, len(store))
    split = split_samples(store.read("seed", everything), options.protocol, options.seed, options.samples)
    solver = CNNLSTM(_network(options, store))
    with hold(options.out):
        progress = _train(options, store, split, solver.network)
        loss = mean_loss(solver.network, Examples.read(store, split.test, "test loss"))
        gaps = measure_test_gaps(solver, store, split, "test gaps")
        best_offload_gaps = measure_test_gaps(WithBestOffload(solver), store, split, "with best offload ratios")
        solver.card = {
            **options.settings(store),
            "training": {"batch_size": BATCH_SIZE, "patience": options.patience, **dataclasses.asdict(progress)},
            "test": {"loss": loss, **gaps.summary()},
            "test_with_best_offload": best_offload_gaps.summary(),
            **provenance(),
        }
        solver.save(options.out / WEIGHTS)
    return Fitted(solver, gaps, best_offload_gaps)


def measure_test_gaps(solver: Solver, store: LabelStore, split: Split, description: str) -> Gaps:
    """Return a solver's gaps on the test samples, with a progress bar."""
    parts = tqdm(read_labelled(store, split.test), desc=description, unit="chunk")
    return measure_gaps(solver, parts, store.scenario.episode.least_spectral_efficiency)


def _network(options: FitCNNLSTM, store: LabelStore) -> CNNLSTMNetwork:
    """Return the network to start from."""
    torch.manual_seed(options.seed)
    radio, layout = store.scenario.radio, store.scenario.layout
    size = (radio.num_subcarriers, layout.num_aps, layout.num_users)
    new = CNNLSTMNetwork(*size, power_scale=options.power_scale)
    if options.init is None:
        return new
    network = CNNLSTM.load(options.init).network
    if network.architecture != new.architecture:
        raise refuse("init", options.init, f"it is {network.architecture}, and must be {new.architecture}")
    return network


def _train(options: FitCNNLSTM, store: LabelStore, split: Split, network: CNNLSTMNetwork) -> Progress:
    examples = Examples.read(store, split.train, "reading")
    network.set_target_ranges(examples.power, examples.offload)
    if options.init is None:
        network.set_input_scale(examples.magnitude)
    step = -(-len(split.validation) // WATCHED_SAMPLES)
    learner = SupervisedLearner(
        network,
        examples,
        Examples.read(store, split.validation, "reading"),
        read_labelled(store, split.validation[::step]),
        least_spectral_efficiency=store.scenario.episode.least_spectral_efficiency,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )
    return train(
        learner,
        options.out,
        epochs=options.epochs,
        patience=options.patience,
        settings=options.settings(store),
        resume=options.resume,
    )


def _run_and_describe(options: FitCNNLSTM) -> tuple[dict[str, Any], list[str]]:
    fitted = run(options)
    test = fitted.solver.card["test"]
    lines = [f"test loss {test['loss']:.3g} on {test['samples']} samples of {test['topologies']} topologies"]
    for what, gaps in (("", fitted.gaps), (" with the best offload ratios", fitted.best_offload_gaps)):
        gap = gaps.gap_to_labels()
        percentiles = f"median {gap.median:+.2%}, p95 {gap.p95:+.2%}, p99 {gap.p99:+.2%}"
        lines.append(f"gap to the labels{what}: {gap.text('%')}, {percentiles}")
    return fitted.solver.card, lines


def main(arguments: list[str]) -> int:
    """Run the command line ``mec-cf-gym fit cnn-lstm``; return its exit status."""
    return fit("cnn-lstm", FitCNNLSTM, _run_and_describe, arguments)
