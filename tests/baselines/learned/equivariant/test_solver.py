"""The equivariant solver: permutations, sizes, hostile blocks, and its installed weights."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym import CoherenceBlock, Policy, latency
from mec_cf_gym.baselines import EqualSplit, EquivariantSolver, ExactMinMax, WaterFilling
from mec_cf_gym.baselines.learned.equivariant import installed_equivariant
from mec_cf_gym.baselines.learned.equivariant.label_free import UNEQUAL
from mec_cf_gym.baselines.learned.equivariant.network import EquivariantNetwork
from mec_cf_gym.evaluation import load_policy, seeds

SIZES = [(1, 1), (1, 10), (2, 5), (8, 3), (4, 50)]
GAINS = st.sampled_from([0.0, 1e-30, 1e-9, 1e-3, 1.0, 1e3, 1e9, 1e30])


@pytest.fixture(scope="module")
def solver():
    return EquivariantSolver.load("equivariant")


@pytest.fixture(scope="module")
def unseen(blocks):
    def draw(rows, **fields):
        return blocks(rows, seeds("test", 1)[0], **fields)

    return draw


def assert_feasible(block, solution):
    assert solution.power.shape == block.signal_gain.shape
    assert (solution.power >= 0).all()
    assert (solution.power.sum(-2) <= 1 + 1e-12).all()
    assert ((solution.offload >= 0) & (solution.offload <= 1)).all()
    np.testing.assert_array_equal(solution.latency, latency(block, solution.power, solution.offload))
    np.testing.assert_array_equal(solution.history[..., -1], solution.max_latency)


def permuted(block, users, subcarriers):
    """Return the block with users and subcarriers in another order."""
    changes = {
        name: getattr(block, name)[..., users] for name in ("task_bits", "cycles_per_bit", "local_hz", "server_hz")
    }
    return dataclasses.replace(
        block,
        signal_gain=block.signal_gain[:, subcarriers][..., users],
        interference_gain=block.interference_gain[:, subcarriers][..., users, :][..., users],
        channel=None,
        **changes,
    )


@pytest.mark.parametrize("fields", [{}, UNEQUAL], ids=["equal", "unequal"])
@pytest.mark.parametrize("size", [(4, 10), (3, 21)])
def test_permuting_users_and_subcarriers_permutes_the_powers(solver, blocks, size, fields):
    subcarriers, users = size
    block = blocks(40, num_subcarriers=subcarriers, num_users=users, **fields)
    rng = np.random.default_rng(0)
    user_order, subcarrier_order = rng.permutation(users), rng.permutation(subcarriers)
    power = solver.solve(block).power
    again = solver.solve(permuted(block, user_order, subcarrier_order)).power
    np.testing.assert_allclose(again, power[:, subcarrier_order][..., user_order], atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_one_network_serves_every_size(solver, blocks, size):
    subcarriers, users = size
    block = blocks(5, num_subcarriers=subcarriers, num_users=users, **UNEQUAL)
    solution = solver.solve(block)
    assert_feasible(block, solution)
    assert (solution.max_latency <= EqualSplit().solve(block).max_latency * (1 + 1e-6)).all()


def test_any_batch_axes_give_what_single_blocks_give(solver, blocks):
    block = blocks(4, num_users=6)
    arrays = {field.name: getattr(block, field.name) for field in dataclasses.fields(block)}
    arrays = {name: array.reshape(2, 2, *array.shape[1:]) for name, array in arrays.items() if np.ndim(array)}
    square = solver.solve(dataclasses.replace(block, **arrays))
    assert square.power.shape == (2, 2, 4, 6)
    assert square.status.shape == (2, 2)
    for index, row in enumerate(block.rows()):
        alone = solver.solve(row)
        assert alone.status == "predicted"
        np.testing.assert_allclose(alone.max_latency, square.max_latency[index // 2, index % 2], rtol=1e-4)


def test_a_batch_that_goes_through_in_parts_gives_the_same(solver, blocks, monkeypatch):
    block = blocks(7, num_users=5)
    whole = solver.solve(block)
    monkeypatch.setattr("mec_cf_gym.baselines.learned.equivariant.solver.NUMBERS_AT_ONCE", 3000)
    np.testing.assert_allclose(solver.solve(block).max_latency, whole.max_latency, rtol=1e-4)


@given(data=st.data(), subcarriers=st.integers(1, 3), users=st.integers(1, 4))
def test_hostile_blocks_get_feasible_powers(solver, data, subcarriers, users):
    def draw(values, *shape):
        flat = data.draw(st.lists(values, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
        return np.array(flat).reshape(shape)

    block = CoherenceBlock(
        signal_gain=draw(GAINS, subcarriers, users),
        interference_gain=draw(GAINS, subcarriers, users, users),
        task_bits=draw(st.sampled_from([1.0, 1e3, 1e9]), users),
        cycles_per_bit=draw(st.sampled_from([1e-3, 1e3, 1e6]), users),
        local_hz=draw(st.sampled_from([0.0, 1e6, 1e9]), users),
        server_hz=draw(st.sampled_from([1e6, 5e9, 1e15]), users),
        subcarrier_bandwidth_hz=5e6,
    )
    assert_feasible(block, solver.solve(block))


def test_users_without_link_do_not_break_the_others(solver, blocks):
    block = blocks(3, num_subcarriers=2, num_users=4)
    signal_gain = block.signal_gain.copy()
    signal_gain[1, :, 0] = 0.0
    dead = dataclasses.replace(block, signal_gain=signal_gain)
    solution = solver.solve(dead)
    assert solution.max_latency[1] == pytest.approx(1e-3)  # local computing
    assert (solution.latency[1, 1:] < 9e-4).all()
    offline = solver.solve(dataclasses.replace(dead, local_hz=np.zeros((3, 4))))
    assert np.isfinite(offline.max_latency[[0, 2]]).all()
    assert offline.max_latency[1] == np.inf


@pytest.mark.parametrize("users", [10, 20])
@pytest.mark.parametrize("fields", [{}, UNEQUAL], ids=["equal", "unequal"])
def test_a_single_subcarrier_is_solved_to_a_hundredth_of_a_percent(solver, unseen, users, fields):
    block = unseen(100, num_subcarriers=1, num_users=users, **fields)
    gap = solver.solve(block).max_latency / ExactMinMax().solve(block).max_latency - 1
    assert gap.mean() < 1e-4
    assert np.percentile(gap, 99) < 1e-3


def test_training_beats_the_untrained_rule_and_the_heuristics(solver, unseen):
    block = unseen(60, num_subcarriers=4, num_users=15)
    trained = solver.solve(block).max_latency
    torch.manual_seed(0)
    rule = EquivariantSolver(EquivariantNetwork(**solver.network.architecture)).solve(block).max_latency
    assert (trained / rule).mean() < 0.999
    assert (trained / WaterFilling().solve(block).max_latency).max() < 1


def test_it_is_a_policy_by_name(solver, blocks):
    policy = load_policy("equivariant")
    assert isinstance(policy, Policy)
    block = next(blocks(1).rows())
    np.testing.assert_array_equal(policy.allocate({}, block).power, installed_equivariant().solve(block).power)


def test_the_installed_weights_are_small_and_documented(solver):
    tensors = solver.network.state_dict().values()
    assert sum(tensor.numel() * tensor.element_size() for tensor in tensors) < 1e6
    assert solver.card["training"]["steps"] > 0
    assert {test["num_users"] for test in solver.card["test"]} >= {10, 20, 50}
