"""``mec-cf-gym fit cnn-lstm``: train paper A's network on a store of labels, test it, and write its weights."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from mec_cf_gym.baselines.best_offload import WithBestOffload
from mec_cf_gym.baselines.labels.store import LabelStore
from mec_cf_gym.baselines.learned.cnn_lstm.examples import Examples
from mec_cf_gym.baselines.learned.cnn_lstm.features import Features
from mec_cf_gym.baselines.learned.cnn_lstm.gaps import Gaps, measure_gaps
from mec_cf_gym.baselines.learned.cnn_lstm.losses import LOSSES, LossName
from mec_cf_gym.baselines.learned.cnn_lstm.network import FILTERS, HIDDEN_UNITS, CNNLSTMNetwork, PowerScale
from mec_cf_gym.baselines.learned.cnn_lstm.solver import CNNLSTM
from mec_cf_gym.baselines.learned.cnn_lstm.splits import Protocol, Rows, Split, read_labelled, split_samples
from mec_cf_gym.baselines.learned.cnn_lstm.supervised import (
    BATCH_SIZE,
    WATCHED_SAMPLES,
    SupervisedLearner,
    mean_loss,
)
from mec_cf_gym.baselines.learned.command import WEIGHTS, check, fit
from mec_cf_gym.baselines.learned.training import Progress, train
from mec_cf_gym.baselines.solution import Solver
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.evaluation.provenance import provenance
from mec_cf_gym.evaluation.runs import hold

NEWER = ("loss", "features", "sorted_users", "filters", "hidden_units")
"""Options that version 0.1.0 did not have."""


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
    test: Path | None = None
    """Data set of another split to test on; by default the fifth of the samples that is kept for it."""
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
    loss: LossName = "labels"
    """labels: squared error to the labels, as in paper A; latency: the true latency, whatever the labels."""
    features: Features = "log_magnitude"
    """magnitude of the channel, as in paper A; its logarithm; or the mean gains that magnitudes imply."""
    sorted_users: bool = False
    """Show the network the users in the order of their total gains."""
    filters: int = FILTERS
    """Filters of the convolution."""
    hidden_units: int = HIDDEN_UNITS
    """Units of the LSTM."""
    cosine: bool = False
    """Let the step size fall to zero over the epochs."""
    init: str | None = None
    """Weights to start from, by name or path without suffix: fine-tuning."""
    samples: int | None = None
    """Use only so many samples, those that decide when to stop included."""
    resume: bool = False
    """Go on with the run in the folder, if there is one."""

    def settings(self, store: LabelStore) -> dict[str, Any]:
        """Return what decides the result of an epoch, and must not change when a run goes on."""
        names = ("protocol", "learning_rate", "seed", "power_scale", "init", "samples")
        chosen = {name: getattr(self, name) for name in names}
        # as in version 0.1.0, which had no such options: its runs go on
        newer = {
            name: None if getattr(self, name) == getattr(FitCNNLSTM, name) else getattr(self, name)
            for name in NEWER
        }
        return {"data": store.settings, **chosen, **newer, "cosine_epochs": self.cosine_epochs}

    @property
    def cosine_epochs(self) -> int | None:
        """Epochs over which the step size falls to zero."""
        return self.epochs if self.cosine else None

    def new_network(self, store: LabelStore) -> CNNLSTMNetwork:
        """Return an untrained network for the samples of a store."""
        radio, layout = store.scenario.radio, store.scenario.layout
        return CNNLSTMNetwork(
            radio.num_subcarriers,
            layout.num_aps,
            layout.num_users,
            self.power_scale,
            self.features,
            sorted_users=self.sorted_users,
            filters=self.filters,
            hidden_units=self.hidden_units,
        )

    def check(self) -> None:
        """Check the options before any work is done.

        Raises:
            ValueError: Names the option, its value and what is allowed.
        """
        check(self, most_epochs=10**6)
        checked_count("patience", self.patience, 1, 10**6)
        checked_count("filters", self.filters, 1, 4096)
        checked_count("hidden_units", self.hidden_units, 1, 4096)


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
    test_store, test = _test_samples(options, store, split)
    solver = CNNLSTM(_network(options, store))
    with hold(options.out):
        progress = _train(options, store, split, solver.network)
        loss = mean_loss(LOSSES[options.loss], solver.network, Examples.read(test_store, test, "test loss"))
        gaps = measure_test_gaps(solver, test_store, test, "test gaps")
        best = WithBestOffload(solver)
        best_offload_gaps = measure_test_gaps(best, test_store, test, "with best offload ratios")
        solver.card = {
            **options.settings(store),
            **{name: getattr(options, name) for name in NEWER},
            "training": {"batch_size": BATCH_SIZE, "patience": options.patience, **dataclasses.asdict(progress)},
            "test": {"data": test_store.settings, "loss": loss, **gaps.summary()},
            "test_with_best_offload": best_offload_gaps.summary(),
            **provenance(),
        }
        solver.save(options.out / WEIGHTS)
    return Fitted(solver, gaps, best_offload_gaps)


def measure_test_gaps(solver: Solver, store: LabelStore, rows: Rows, description: str) -> Gaps:
    """Return a solver's gaps on some rows of a store, with a progress bar."""
    parts = tqdm(read_labelled(store, rows), desc=description, unit="chunk")
    return measure_gaps(solver, parts, store.scenario.episode.least_spectral_efficiency)


def _test_samples(options: FitCNNLSTM, store: LabelStore, split: Split) -> tuple[LabelStore, Rows]:
    """Return the data set to test on, and its rows."""
    if options.test is None:
        return store, split.test
    test = LabelStore(options.test)
    if test.settings["split"] == store.settings["split"]:
        raise refuse(
            "test", str(options.test), f"it must not be of the split {store.settings['split']!r} of --data"
        )
    return test, np.arange(len(test))


def _network(options: FitCNNLSTM, store: LabelStore) -> CNNLSTMNetwork:
    """Return the network to start from."""
    torch.manual_seed(options.seed)
    new = options.new_network(store)
    if options.init is None:
        return new
    network = CNNLSTM.load(options.init).network
    if network.architecture != new.architecture:
        raise refuse("init", options.init, f"it is {network.architecture}, and must be {new.architecture}")
    return network


def _train(options: FitCNNLSTM, store: LabelStore, split: Split, network: CNNLSTMNetwork) -> Progress:
    examples = Examples.read(store, split.train, "reading")
    if options.loss == "labels":
        network.set_target_ranges(examples.power, examples.offload)
    elif options.init is None:
        network.start_from_equal_split()
    if options.init is None:
        network.set_input_scale(examples.magnitude)
    step = -(-len(split.validation) // WATCHED_SAMPLES)
    learner = SupervisedLearner(
        network,
        examples,
        Examples.read(store, split.validation, "reading"),
        read_labelled(store, split.validation[::step]),
        loss=options.loss,
        learning_rate=options.learning_rate,
        cosine_epochs=options.cosine_epochs,
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
