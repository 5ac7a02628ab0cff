"""The magnitude solver: phases hidden, permutations, sizes, hostile blocks, and its installed weights."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.baselines import FastMinMax, MagnitudeOnly, MagnitudeSolver
from mec_cf_gym.baselines.learned.label_free import UNEQUAL
from mec_cf_gym.baselines.learned.magnitude.features import View
from mec_cf_gym.baselines.learned.magnitude.network import MagnitudeNetwork, decide
from mec_cf_gym.evaluation import load_policy, seeds

from ....conftest import block_of, draw_blocks

SIZES = [(1, 1), (1, 10), (2, 5), (8, 3), (4, 50)]


@pytest.fixture(scope="module")
def solver():
    return MagnitudeSolver.load("magnitude")


def with_channel(channel):
    """Return the block of channels, ``(..., N, M, K)``, under maximum-ratio combining."""
    signal = np.square(np.abs(channel)).sum(-2)
    gram = np.square(np.abs(np.swapaxes(channel.conj(), -1, -2) @ channel))
    heard = (1 - np.eye(signal.shape[-1])) * gram / np.maximum(signal, 1e-300)[..., None]
    return block_of(signal, heard, channel)


def assert_feasible(block, solution):
    assert solution.power.shape == block.signal_gain.shape
    assert (solution.power >= 0).all()
    assert (solution.power.sum(-2) <= 1 + 1e-12).all()
    assert ((solution.offload >= 0) & (solution.offload <= 1)).all()


@pytest.mark.parametrize(("users", "limit"), [(10, 0.01), (20, 0.02)])
@pytest.mark.parametrize("subcarriers", [1, 4])
def test_its_own_split_is_within_one_and_two_percent_on_unseen_networks(solver, subcarriers, users, limit):
    block = draw_blocks(100, seeds("test", 1)[0], num_users=users, num_subcarriers=subcarriers)
    gap = solver.solve(block).max_latency / FastMinMax().solve(block).max_latency - 1
    assert gap.mean() < limit


def test_learning_beats_an_unchanged_solver_on_what_magnitudes_lead_to_expect(solver):
    block = draw_blocks(100, seeds("test", 1)[0], num_users=20)
    learned, told = solver.solve(block).max_latency, MagnitudeOnly(FastMinMax()).solve(block).max_latency
    assert learned.mean() < told.mean()


def test_phases_are_not_looked_at(solver):
    block = draw_blocks(4)
    rng = np.random.default_rng(0)
    turned = with_channel(block.channel.astype(complex) * np.exp(2j * np.pi * rng.random(block.channel.shape)))
    blind, turned = solver.solve(block), solver.solve(turned)
    np.testing.assert_allclose(turned.power, blind.power, rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(turned.offload, blind.offload, rtol=1e-5)


@pytest.mark.parametrize("size", [(4, 10), (3, 21)])
def test_permuting_users_and_subcarriers_permutes_the_decision(solver, size):
    subcarriers, users = size
    block = draw_blocks(10, num_subcarriers=subcarriers, num_users=users)
    rng = np.random.default_rng(0)
    of_users, of_subcarriers = rng.permutation(users), rng.permutation(subcarriers)
    found = solver.solve(block)
    again = solver.solve(with_channel(block.channel[:, of_subcarriers][..., of_users].astype(complex)))
    np.testing.assert_allclose(again.power, found.power[:, of_subcarriers][..., of_users], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(again.offload, found.offload[:, of_users], rtol=1e-4)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fields", [{}, {"deployment": "cellular"}, {"local_computing": False}], ids=str)
def test_one_network_serves_every_size_and_batch(solver, size, fields):
    subcarriers, users = size
    block = draw_blocks(4, num_subcarriers=subcarriers, num_users=users, **UNEQUAL, **fields)
    solution = solver.solve(block)
    assert_feasible(block, solution)
    if not fields.get("local_computing", True):
        assert (solution.offload == 1).all()
    for index, row in enumerate(block.rows()):
        np.testing.assert_allclose(solver.solve(row).power, solution.power[index], rtol=1e-9)


def test_training_and_use_decide_alike(solver):
    view = View.of(draw_blocks(5, num_users=7))
    weights = {name: value.numpy() for name, value in solver.network.state_dict().items()}
    with torch.no_grad():
        for trained, used in zip(solver.network(view), decide(weights, view), strict=True):
            np.testing.assert_allclose(used, trained.numpy(), rtol=1e-9)


@given(seed=st.integers(0, 2**32), users=st.integers(1, 4), subcarriers=st.integers(1, 3))
def test_hostile_channels_get_feasible_decisions(seed, users, subcarriers):
    solver, rng = MagnitudeSolver.load("magnitude"), np.random.default_rng(seed)
    magnitude = rng.choice([0.0, 1e-12, 1e-3, 1.0, 1e3, 1e6], (2, subcarriers, 5, users))
    block = with_channel(magnitude * np.exp(2j * np.pi * rng.random(magnitude.shape)))
    assert_feasible(block, solver.solve(block))


def test_it_is_a_policy_by_name_and_refuses_what_it_cannot_know(solver):
    block = next(draw_blocks(1).rows())
    power = load_policy("magnitude").allocate({}, block).power
    np.testing.assert_array_equal(power, solver.solve(block).power)
    with pytest.raises(ValueError, match="has no channel"):
        solver.solve(dataclasses.replace(block, channel=None))
    with pytest.raises(ValueError, match="mrc, only"):
        solver.solve(next(draw_blocks(1, combiner="zf").rows()))


def test_the_installed_weights_are_small_and_documented(solver):
    tensors = solver.network.state_dict().values()
    assert sum(tensor.numel() * tensor.element_size() for tensor in tensors) < 3e5
    tested = {(test["num_subcarriers"], test["num_users"]): test["gap_mean"] for test in solver.card["test"]}
    assert all(tested[n, 10] < 0.01 and tested[n, 20] < 0.02 for n in (1, 4))
    untrained = MagnitudeSolver(MagnitudeNetwork(**solver.network.architecture))
    block = draw_blocks(50, seeds("validation", 1)[0])
    assert solver.solve(block).max_latency.mean() < untrained.solve(block).max_latency.mean()
