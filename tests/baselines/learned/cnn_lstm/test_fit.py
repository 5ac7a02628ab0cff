"""``mec-cf-gym fit cnn-lstm``: it learns, repeats itself, goes on after SIGKILL, and explains itself."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import safetensors.torch
import torch

from mec_cf_gym.baselines import CNNLSTM
from mec_cf_gym.baselines.learned import checkpoint
from mec_cf_gym.baselines.learned.cnn_lstm import CNNLSTMNetwork
from mec_cf_gym.baselines.learned.cnn_lstm.examples import Examples
from mec_cf_gym.baselines.learned.cnn_lstm.fit import NEWER, FitCNNLSTM, run
from mec_cf_gym.baselines.learned.cnn_lstm.splits import read_labelled
from mec_cf_gym.baselines.learned.cnn_lstm.supervised import SupervisedLearner
from mec_cf_gym.baselines.learned.training import CHECKPOINT
from mec_cf_gym.cli import main


def same_weights(first, second):
    tensors = [safetensors.torch.load_file(folder / "weights.safetensors") for folder in (first, second)]
    return all(torch.equal(tensor, tensors[1][name]) for name, tensor in tensors[0].items())


def test_the_command_learns_and_writes_weights_card_and_log(make_store, tmp_path, capsys):
    data, out = make_store(30, 40, num_aps=4, num_users=2).folder, tmp_path / "run"
    options = ["--data", str(data), "--out", str(out), "--epochs", "15", "--learning-rate", "3e-3"]
    assert main(["fit", "cnn-lstm", *options]) == 0
    assert "gap to the labels" in capsys.readouterr().out
    card = json.loads((out / "weights.json").read_text())
    assert card["test"]["loss"] < 0.02
    assert card["test"]["gap_median"] < 0.35
    assert card["test"]["gap_low"] < card["test"]["gap_mean"] < card["test"]["gap_high"]
    assert card["test_with_best_offload"]["gap_mean"] <= card["test"]["gap_mean"]
    assert (card["test"]["samples"], card["test"]["topologies"]) == (240, 30)
    assert card["data"]["scenario"]["num_aps"] == 4
    assert card["training"]["best_epochs"] <= card["training"]["epochs"] <= 15
    assert list((out / "tensorboard").iterdir())
    loaded = CNNLSTM.load(out / "weights")
    assert loaded.card["protocol"] == "random"


@pytest.mark.parametrize("power_scale", ["log", "linear"])
def test_a_handful_of_samples_is_learned_by_heart(power_scale, store):
    examples = Examples.read(store, np.arange(8), "reading")
    torch.manual_seed(0)
    network = CNNLSTMNetwork(1, 8, 3, power_scale)
    network.set_input_scale(examples.magnitude)
    network.set_target_ranges(examples.power, examples.offload)
    watched = list(read_labelled(store, np.arange(8)))
    learner = SupervisedLearner(network, examples, examples, watched, learning_rate=1e-2, seed=0)
    for epoch in range(200):
        learner.train_epoch(epoch)
    network.eval()
    learned = learner.validate()
    assert learned["loss"] < 1e-3
    assert abs(learned["gap"]) < 0.2


@pytest.mark.parametrize("protocol", ["random", "topologies"])
def test_the_seed_decides_the_weights(protocol, store, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(FitCNNLSTM(data=store.folder, out=tmp_path / name, protocol=protocol, epochs=2, seed=seed))
    assert same_weights(tmp_path / "a", tmp_path / "b")
    assert not same_weights(tmp_path / "a", tmp_path / "c")


def test_a_run_that_is_killed_goes_on_to_the_same_weights(store, tmp_path):
    out = tmp_path / "cut"
    command = [sys.executable, "-m", "mec_cf_gym", "fit", "cnn-lstm", "--data", str(store.folder)]
    command += ["--out", str(out), "--epochs", "30000", "--patience", "30000"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not (out / CHECKPOINT).exists():
        assert process.poll() is None
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = progress_of(out)
    assert finished >= 1
    assert not (out / "weights.safetensors").exists()
    epochs = finished + 5
    for folder in (out, tmp_path / "whole"):
        run(FitCNNLSTM(data=store.folder, out=folder, epochs=epochs, patience=epochs, resume=True))
    assert same_weights(tmp_path / "whole", out)


def progress_of(out):
    with checkpoint.reading(out / CHECKPOINT) as content:
        return content["progress"]["epochs"]


def test_an_interrupted_run_says_how_to_go_on(store, tmp_path, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(SupervisedLearner, "train_epoch", interrupt)
    assert main(["fit", "cnn-lstm", "--data", str(store.folder), "--out", str(tmp_path)]) == 130
    assert "go on with --resume" in capsys.readouterr().err


def test_fine_tuning_starts_from_the_weights_it_is_given(store, make_store, tmp_path):
    first = run(FitCNNLSTM(data=store.folder, out=tmp_path / "first", epochs=2)).solver
    cellular = make_store(12, 5, deployment="cellular")
    options = {"data": cellular.folder, "init": str(tmp_path / "first" / "weights"), "samples": 20}
    tuned = run(FitCNNLSTM(**options, out=tmp_path / "tuned", epochs=1, learning_rate=1e-6)).solver
    difference = tuned.network.dense.weight - first.network.dense.weight
    assert 0 < difference.abs().max() < 1e-5
    assert torch.equal(tuned.network.magnitude_mean, first.network.magnitude_mean)
    assert not torch.equal(tuned.network.target_low, first.network.target_low)
    other = make_store(10, 1, num_users=4)
    with pytest.raises(ValueError, match=r"init=.* is not allowed: it is .*'num_users': 3"):
        run(FitCNNLSTM(**{**options, "data": other.folder, "samples": None}, out=tmp_path / "other"))


def test_latencies_are_learned_without_labels_and_tested_on_another_split(make_store, tmp_path):
    data, test = make_store(100, 1).folder, make_store(20, 2, split="test").folder
    changes = {"power_scale": "log", "features": "gains", "sorted_users": True, "filters": 8, "hidden_units": 16}
    options = {"data": data, "test": test, "out": tmp_path / "run", "epochs": 60, "cosine": True, **changes}
    solver = run(FitCNNLSTM(loss="latency", protocol="topologies", learning_rate=1e-2, **options)).solver
    assert CNNLSTM.load(tmp_path / "run" / "weights").network.architecture.items() >= changes.items()
    assert solver.card["loss"] == "latency"
    assert (solver.card["test"]["samples"], solver.card["test"]["topologies"]) == (40, 20)
    assert solver.card["test"]["data"]["split"] == "test"
    assert solver.card["test"]["gap_mean"] < 0.5
    with pytest.raises(ValueError, match=r"test=.* is not allowed: it must not be of the split 'train'"):
        run(FitCNNLSTM(data=data, test=data, out=tmp_path / "same"))


def test_runs_of_version_0_1_0_go_on_but_not_with_another_loss(store, tmp_path):
    run(FitCNNLSTM(data=store.folder, out=tmp_path, epochs=1))
    with checkpoint.reading(tmp_path / CHECKPOINT) as content:
        settings = content["settings"]
    for name in (*NEWER, "cosine_epochs"):  # which that version did not have
        del settings[name]
    checkpoint.write(tmp_path / CHECKPOINT, {**content, "settings": settings})
    with pytest.raises(ValueError, match="loss='latency' differs from None"):
        run(FitCNNLSTM(data=store.folder, out=tmp_path, epochs=2, resume=True, loss="latency"))
    run(FitCNNLSTM(data=store.folder, out=tmp_path, epochs=2, resume=True))
    assert progress_of(tmp_path) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--filters", "0"], "filters=0 is not allowed"),
        (["--hidden-units", "0"], "hidden_units=0 is not allowed"),
        (["--loss", "fair"], "fair"),
        (["--epochs", "0"], "epochs=0 is not allowed"),
        (["--patience", "0"], "patience=0 is not allowed"),
        (["--seed", "-1"], "seed=-1 is not allowed"),
        (["--learning-rate", "2"], "learning_rate=2.0 is not allowed"),
        (["--samples", "1000"], "samples=1000 is not allowed: it must be from 10 to 48"),
        (["--init", "nothing"], "weights='nothing' is not allowed"),
        (["--data", "nowhere"], "nowhere holds no data set"),
        (["--protocol", "fair"], "fair"),
    ],
)
def test_bad_options_are_named_without_a_traceback(options, said, store, tmp_path, capsys):
    try:
        status = main(["fit", "cnn-lstm", "--data", str(store.folder), "--out", str(tmp_path / "run"), *options])
    except SystemExit as exit_:
        status = exit_.code
    assert status == 2
    assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert not (tmp_path / "run").exists()


def test_help_lists_models_and_options(capsys):
    for arguments, said in ((["fit", "--help"], "cnn-lstm"), (["fit", "cnn-lstm", "--help"], "--power-scale")):
        with pytest.raises(SystemExit, match="0"):
            main(arguments)
        assert said in capsys.readouterr().out
