"""The CNN-LSTM: paper A's sizes, feasible allocations for any size, clear errors."""

import dataclasses

import numpy as np
import pytest
import torch

from mec_cf_gym import Policy, best_offload, latency
from mec_cf_gym.baselines import CNNLSTM
from mec_cf_gym.baselines.best_offload import WithBestOffload
from mec_cf_gym.baselines.learned.cnn_lstm import CNNLSTMNetwork, InstalledCNNLSTM
from mec_cf_gym.baselines.learned.cnn_lstm import solver as cnn_lstm


def untrained(num_subcarriers, num_aps, num_users, *options, **others):
    torch.manual_seed(0)
    return CNNLSTM(CNNLSTMNetwork(num_subcarriers, num_aps, num_users, *options, **others))


def test_the_network_has_the_papers_sizes():
    network = CNNLSTMNetwork(num_subcarriers=1, num_aps=64, num_users=10)
    seen = []
    network.lstm.register_forward_hook(lambda module, inputs, outputs: seen.append(inputs[0].shape))
    network(torch.rand(3, 1, 64, 10))
    assert seen == [(3, 32, 32 * 5)]
    parameters = {name: tensor.numel() for name, tensor in network.lstm.named_parameters()}
    assert sum(parameters.values()) - parameters["bias_hh_l0"] == 42_200


@pytest.mark.parametrize("size", [(1, 64, 10), (4, 7, 5), (2, 1, 1), (3, 2, 9)])
def test_allocations_are_feasible_whatever_the_size_and_the_outputs(size, blocks):
    num_subcarriers, num_aps, num_users = size
    block = blocks(6, num_subcarriers=num_subcarriers, num_aps=num_aps, num_users=num_users)
    solver = untrained(*size)
    with torch.no_grad():
        solver.network.dense.weight.mul_(100)
    solution = solver.solve(block)
    assert solution.power.shape == (6, num_subcarriers, num_users)
    assert (solution.power >= 0).all()
    assert (solution.power.sum(-2) <= 1 + 1e-12).all()
    assert ((solution.offload >= 0) & (solution.offload <= 1)).all()
    np.testing.assert_array_equal(solution.latency, latency(block, solution.power, solution.offload))
    np.testing.assert_array_equal(solution.history[..., -1], solution.max_latency)


def test_any_batch_axes_give_what_single_blocks_give(blocks):
    block, solver = blocks(4, num_aps=8, num_users=3), untrained(4, 8, 3)
    arrays = {field.name: getattr(block, field.name) for field in dataclasses.fields(block)}
    arrays = {name: array.reshape(2, 2, *array.shape[1:]) for name, array in arrays.items() if np.ndim(array)}
    square = solver.solve(dataclasses.replace(block, **arrays))
    assert square.power.shape == (2, 2, 4, 3)
    assert square.history.shape == (2, 2, 1)
    assert square.status.shape == (2, 2)
    for index, row in enumerate(block.rows()):
        alone = solver.solve(row)
        assert alone.status == "predicted"
        np.testing.assert_allclose(alone.power, square.power[index // 2, index % 2], atol=1e-6)
        np.testing.assert_allclose(alone.offload, square.offload[index // 2, index % 2], atol=1e-6)


def test_blocks_beyond_one_pass_are_predicted_all_the_same(blocks, monkeypatch):
    block, solver = blocks(7, num_aps=8, num_users=3), untrained(4, 8, 3)
    whole = solver.solve(block)
    monkeypatch.setattr(cnn_lstm, "ROWS_AT_ONCE", 3)
    np.testing.assert_allclose(solver.solve(block).power, whole.power, atol=1e-6)


def test_a_user_without_a_cpu_offloads_everything(blocks):
    block = blocks(2, num_aps=8, num_users=3, local_computing=False)
    assert (untrained(4, 8, 3).solve(block).offload == 1).all()


def test_the_best_offload_ratios_only_shorten_latencies(blocks):
    block, solver = blocks(4, num_aps=8, num_users=3), untrained(4, 8, 3)
    predicted, best = solver.solve(block), WithBestOffload(solver).solve(block)
    np.testing.assert_array_equal(best.power, predicted.power)
    np.testing.assert_array_equal(best.offload, best_offload(block, best.power))
    np.testing.assert_array_equal(best.history, np.stack((predicted.max_latency, best.max_latency), -1))
    assert (best.max_latency < predicted.max_latency).all()


@pytest.mark.parametrize("features", ["log_magnitude", "magnitude", "gains"])
def test_dead_links_and_huge_gains_are_survived(features, blocks):
    block, solver = blocks(2, num_aps=8, num_users=3), untrained(4, 8, 3, "log", features, sorted_users=True)
    for magnitude in (0.0, 1e30):
        extreme = dataclasses.replace(block, channel=np.full_like(block.channel, magnitude))
        assert np.isfinite(solver.solve(extreme).power).all()


@pytest.mark.parametrize("features", ["log_magnitude", "gains"])
@pytest.mark.parametrize("sorted_users", [True, False])
def test_sorted_users_get_the_same_in_any_order(features, sorted_users):
    network = untrained(2, 5, 4, "log", features, sorted_users=sorted_users).network
    magnitude, shuffled = torch.rand(6, 2, 5, 4), torch.tensor([2, 0, 3, 1])
    pairs = zip(
        network.allocation(network(magnitude)), network.allocation(network(magnitude[..., shuffled])), strict=True
    )
    same = [torch.allclose(first[..., shuffled], second) for first, second in pairs]
    assert same == [sorted_users] * 2


def test_gains_make_a_row_for_every_user():
    network = untrained(1, 64, 10, "log", "gains").network
    seen = []
    network.lstm.register_forward_hook(lambda module, inputs, outputs: seen.append(inputs[0].shape))
    network(torch.rand(3, 1, 64, 10))
    assert seen == [(3, 5, 32 * 5)]


@pytest.mark.parametrize("power_scale", ["linear", "log"])
def test_training_without_labels_starts_from_an_equal_split_and_may_go_anywhere(power_scale):
    network = CNNLSTMNetwork(4, 8, 3, power_scale)
    network.start_from_equal_split()
    outputs = network.dense.bias.sigmoid()[None]
    power, offload = network.allocation(outputs)
    torch.testing.assert_close(power.float(), torch.full((1, 4, 3), 0.25))
    torch.testing.assert_close(offload.float(), torch.full((1, 3), 0.5))
    least = 1e-4 if power_scale == "log" else 0.0
    for outputs, lowest, total in ((torch.zeros(1, 15), least, 4 * least), (torch.ones(1, 15), 0.25, 1.0)):
        power, offload = network.allocation(outputs)
        assert power.min().item() == pytest.approx(lowest)
        assert power.sum(1).max().item() == pytest.approx(total)
        assert (offload == outputs[:, 12:]).all()


def test_labels_normalise_to_the_unit_interval_and_back():
    network = CNNLSTMNetwork(2, 4, 3)
    power, offload = torch.rand(50, 2, 3) / 2, 0.2 + torch.rand(50, 3) / 3
    network.set_target_ranges(power, offload)
    targets = network.normalised(power, offload)
    assert targets[:, :6].min() == targets[:, 6:].min() == 0
    assert targets[:, :6].max() == targets[:, 6:].max() == 1
    for back, label in zip(network.allocation(targets), (power, offload), strict=True):
        torch.testing.assert_close(back.float(), label)


def test_labels_that_never_vary_do_no_harm():
    network = CNNLSTMNetwork(1, 4, 3)
    network.set_input_scale(torch.ones(5, 1, 4, 3))
    network.set_target_ranges(torch.ones(5, 1, 3), torch.ones(5, 3))
    outputs = network(torch.ones(5, 1, 4, 3))
    assert torch.isfinite(outputs).all()
    assert torch.isfinite(network.normalised(torch.ones(5, 1, 3), torch.ones(5, 3))).all()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"num_users": 4}, r"block=\(4, 8, 4\) is not allowed: these weights are for \(N, M, K\) = \(4, 8, 3\)"),
        ({"num_subcarriers": 1}, r"block=\(1, 8, 3\)"),
        ({"num_aps": 9}, r"block=\(4, 9, 3\)"),
    ],
)
def test_a_block_of_another_size_is_refused(fields, said, blocks):
    with pytest.raises(ValueError, match=said):
        untrained(4, 8, 3).solve(blocks(1, **{"num_aps": 8, "num_users": 3, **fields}))


def test_a_block_without_a_channel_is_refused(blocks):
    block = dataclasses.replace(blocks(1), channel=None)
    for solver in (untrained(4, 64, 10), InstalledCNNLSTM()):
        with pytest.raises(ValueError, match="the block has no channel"):
            solver.solve(block)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"features": "phases"}, "features='phases' is not allowed: it must be one of log_magnitude, magnitude"),
        ({"power_scale": "cubic"}, "power_scale='cubic' is not allowed"),
        ({"filters": 0}, "filters=0 is not allowed"),
        ({"hidden_units": 0}, "hidden_units=0 is not allowed"),
    ],
)
def test_options_are_checked(options, said):
    with pytest.raises(ValueError, match=said):
        CNNLSTMNetwork(1, 4, 3, **options)


@pytest.mark.parametrize("size", [(0, 4, 4), (4, -1, 4), (4, 4, 2.5), (4, 4, "4")])
def test_sizes_are_checked(size):
    with pytest.raises(ValueError, match="is not allowed: it must be a whole number"):
        CNNLSTMNetwork(*size)


def test_the_policy_takes_the_installed_weights_that_fit(blocks, tmp_path, monkeypatch):
    monkeypatch.setattr("mec_cf_gym.baselines.learned.weights.FOLDER", tmp_path)
    small, large = untrained(4, 8, 3), untrained(4, 8, 5)
    small.save(tmp_path / "paper-a-k3")
    large.save(tmp_path / "paper-a-k5")
    policy = InstalledCNNLSTM()
    assert isinstance(policy, Policy)
    for solver, users in ((small, 3), (large, 5)):
        block = blocks(2, num_aps=8, num_users=users)
        np.testing.assert_array_equal(policy.solve(block).power, solver.solve(block).power)
    with pytest.raises(ValueError, match=r"\(4, 8, 3\) \(paper-a-k3\), \(4, 8, 5\) \(paper-a-k5\)"):
        policy.solve(blocks(1, num_aps=8, num_users=4))
