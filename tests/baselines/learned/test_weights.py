"""Weights: a round trip, and a clear error for everything that is no weights of the model."""

import json
import pickle

import numpy as np
import pytest
import safetensors.torch
import torch

from mec_cf_gym.baselines import CNNLSTM
from mec_cf_gym.baselines.learned.cnn_lstm import CNNLSTMNetwork


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    solver = CNNLSTM(CNNLSTMNetwork(1, 8, 3), {"note": "untrained"})
    solver.save(tmp_path / "weights")
    return solver, tmp_path / "weights"


def edit(path, change):
    tensors = safetensors.torch.load_file(path.with_suffix(".safetensors"))
    change(tensors)
    safetensors.torch.save_file(tensors, path.with_suffix(".safetensors"))


def edit_card(path, **changes):
    card = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**card, **changes}))


def test_weights_of_version_0_1_0_say_less_of_their_architecture(saved, blocks):
    solver, path = saved
    known = ("num_subcarriers", "num_aps", "num_users", "power_scale")
    edit_card(path, architecture={name: solver.network.architecture[name] for name in known})
    block = blocks(3, num_subcarriers=1, num_aps=8, num_users=3)
    np.testing.assert_array_equal(CNNLSTM.load(path).solve(block).power, solver.solve(block).power)


def test_weights_come_back_as_they_were(saved, blocks):
    solver, path = saved
    loaded, block = CNNLSTM.load(path), blocks(3, num_subcarriers=1, num_aps=8, num_users=3)
    np.testing.assert_array_equal(loaded.solve(block).power, solver.solve(block).power)
    assert loaded.card["note"] == "untrained"
    assert not loaded.network.training
    assert sorted(file.name for file in path.parent.iterdir()) == ["weights.json", "weights.safetensors"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tensors: tensors.pop("dense.bias"), "lacks the tensor 'dense.bias'"),
        (lambda tensors: tensors.update(extra=torch.zeros(2)), "the tensor 'extra'"),
        (
            lambda tensors: tensors.update({"dense.bias": torch.zeros(7)}),
            r"'dense.bias' has shape \(7,\); it must be \(6,\)",
        ),
    ],
    ids=["missing", "foreign", "shape"],
)
def test_wrong_tensors_are_named(change, said, saved):
    edit(saved[1], change)
    with pytest.raises(ValueError, match=said):
        CNNLSTM.load(saved[1])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "EquivariantSolver"}, "belongs to the model 'EquivariantSolver'; it must be 'CNNLSTM'"),
        ({"architecture": None}, "it has no architecture"),
        ({"architecture": {"num_users": 3}}, "the architecture in .* is not allowed"),
        (
            {"architecture": {"num_subcarriers": 1, "num_aps": 8, "num_users": 3, "power_scale": "cubic"}},
            "power_scale='cubic' is not allowed",
        ),
        (
            {"architecture": {"num_subcarriers": 1, "num_aps": 8, "num_users": 4, "power_scale": "log"}},
            "it must be",
        ),
    ],
    ids=["model", "no architecture", "incomplete", "unknown value", "another size"],
)
def test_a_wrong_card_is_refused(changes, said, saved):
    edit_card(saved[1], **changes)
    with pytest.raises(ValueError, match=said):
        CNNLSTM.load(saved[1])


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


@pytest.mark.parametrize(
    "content", [b"", b"MZ" + bytes(100), pickle.dumps(Trap())], ids=["empty", "foreign", "pickle"]
)
def test_a_file_of_another_kind_is_refused_and_never_run(content, saved):
    saved[1].with_suffix(".safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=r"weights\.safetensors is no safetensors file"):
        CNNLSTM.load(saved[1])


def test_a_cut_file_is_refused(saved):
    file = saved[1].with_suffix(".safetensors")
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(ValueError, match="is no safetensors file"):
        CNNLSTM.load(saved[1])


def test_a_missing_or_damaged_card_is_named(saved):
    card = saved[1].with_suffix(".json")
    card.write_text("{")
    with pytest.raises(ValueError, match=r"weights\.json is no model card"):
        CNNLSTM.load(saved[1])
    card.unlink()
    with pytest.raises(ValueError, match=r"weights\.json is no model card"):
        CNNLSTM.load(saved[1])


def test_unknown_weights_are_named(tmp_path):
    with pytest.raises(ValueError, match="weights='paper-z' is not allowed"):
        CNNLSTM.load("paper-z")
