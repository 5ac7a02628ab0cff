"""Branch and bound: equal to the exact optimum and to a grid, its bound below every other solver's latency."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mec_cf_gym import CoherenceBlock, best_offload, latency
from mec_cf_gym.baselines import ICA, BranchAndBound, EqualSplit, ExactMinMax, RandomPower, WaterFilling
from mec_cf_gym.baselines.branch_and_bound import Network, invert

from ..conftest import draw_blocks

STRONG = {"num_aps": 4, "radius_m": 200.0, "deployment": "cellular"}
UNEQUAL = {
    "task_bits": (100.0, 5000.0),
    "cycles_per_bit": (100.0, 2000.0),
    "local_hz": (1e8, 3e9),
    "user_power_dbm": (-5.0, 20.0),
    "csi_error_variance": 0.1,
}
SETTINGS = [{}, STRONG, UNEQUAL, STRONG | UNEQUAL | {"local_computing": False}]


def largest_s(block, power):
    return latency(block, power, best_offload(block, power)).max(-1)


def check(block, solution, tolerance=1e-3):
    """The powers keep the budgets and the certificate is as tight as promised."""
    assert (np.asarray(solution.status) == "optimal").all()
    assert (solution.power >= 0).all()
    assert (solution.power.sum(-2) <= 1 + 1e-12).all()
    np.testing.assert_array_equal(solution.latency, latency(block, solution.power, solution.offload))
    np.testing.assert_allclose(solution.history[..., -1], solution.max_latency, rtol=1e-12)
    assert (np.diff(solution.history, axis=-1) <= 0).all()
    assert (solution.lower_bound <= solution.max_latency).all()
    assert (solution.max_latency <= solution.lower_bound * (1 + tolerance) * (1 + 1e-12)).all()


@pytest.mark.parametrize("fields", SETTINGS, ids=lambda fields: "-".join(fields)[:60])
@pytest.mark.parametrize("users", [1, 4, 12])
def test_it_agrees_with_the_exact_optimum_on_one_subcarrier(fields, users):
    block = draw_blocks(5, num_subcarriers=1, num_users=users, **fields)
    solution, exact = BranchAndBound(tolerance=1e-5).solve(block), ExactMinMax().solve(block)
    check(block, solution, tolerance=1e-5)
    assert (solution.lower_bound <= exact.max_latency).all()
    assert (solution.max_latency >= exact.lower_bound * (1 - 1e-12)).all()


@pytest.mark.parametrize("fields", SETTINGS, ids=lambda fields: "-".join(fields)[:60])
@pytest.mark.parametrize("users", [1, 2, 3, 4])
def test_no_solver_gets_below_the_bound(fields, users):
    block = draw_blocks(5, num_subcarriers=2, num_users=users, **fields)
    solution = BranchAndBound().solve(block)
    check(block, solution)
    for solver in (EqualSplit(), WaterFilling(), ICA(max_steps=30)):
        assert (solver.solve(block).max_latency >= solution.lower_bound).all()
    powers = np.stack([RandomPower(seed).power(block) for seed in range(300)])
    powers[1::2] *= 10 ** np.random.default_rng(0).uniform(-4, 0, powers[1::2].shape)
    assert (largest_s(block, powers) >= solution.lower_bound).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("fields", [{}, STRONG, STRONG | UNEQUAL], ids=["default", "strong", "unequal"])
def test_it_equals_a_grid_search(fields, seed):
    block = next(draw_blocks(1, seed, num_subcarriers=2, num_users=2, **fields).rows())
    solution = BranchAndBound(tolerance=1e-4).solve(block)
    check(block, solution, tolerance=1e-4)
    centre, best_s = None, np.inf
    levels = np.append(0.0, np.geomspace(1e-5, 1, 23))
    for scale in 0.8 ** np.arange(1, 25):  # refined around the best point, in logarithms
        grid = np.array(list(itertools.product(levels, repeat=4))).reshape(-1, 2, 2)
        grid = grid if centre is None else centre * 10 ** (5 * scale * (2 * grid - 1))
        grid /= np.maximum(grid.sum(-2, keepdims=True), 1)
        trial_s = largest_s(block, grid)
        assert trial_s.min() >= solution.lower_bound * (1 - 1e-12)
        if trial_s.min() < best_s:
            centre, best_s = grid[trial_s.argmin()], trial_s.min()
        levels = np.linspace(0, 1, 7)
    assert solution.max_latency <= best_s * (1 + 1e-4)
    assert best_s <= solution.max_latency * (1 + 1e-3)


@given(
    gains=arrays(np.float64, (2, 3, 4), elements=st.sampled_from([0.0, 1e-6, 0.1, 1.0, 10.0, 1e3, 1e9])),
    local_hz=arrays(np.float64, 3, elements=st.sampled_from([0.0, 1e8, 1e9])),
)
def test_any_gains_get_a_bound_that_holds(gains, local_hz):
    each = np.ones(3)
    block = CoherenceBlock(gains[..., 0], gains[..., 1:], 1e3 * each, 1e3 * each, local_hz, 5e9 * each, 10e6)
    solution = BranchAndBound(tolerance=1e-2, max_boxes=2000).solve(block)
    assert solution.lower_bound <= solution.max_latency
    shares = np.random.default_rng(0).dirichlet((0.3, 0.3, 0.3), (500, 3)).swapaxes(-1, -2)[:, :2]
    assert largest_s(block, shares).min() >= solution.lower_bound * (1 - 1e-9)


def test_more_subcarriers_and_users():
    for subcarriers, users in ((2, 8), (3, 3), (5, 1)):
        block = draw_blocks(2, num_subcarriers=subcarriers, num_users=users)
        check(block, BranchAndBound(tolerance=3e-3).solve(block), tolerance=3e-3)


def test_users_without_link_or_cpu():
    block = draw_blocks(2, num_subcarriers=2, num_users=2)
    signal_gain = block.signal_gain.copy()
    signal_gain[0, :, 0] = 0.0
    dead = dataclasses.replace(block, signal_gain=signal_gain)
    solution = BranchAndBound().solve(dead)
    assert solution.max_latency[0] == pytest.approx(1e-3)  # local computing
    assert solution.lower_bound[0] == pytest.approx(1e-3, rel=2e-3)
    solution = BranchAndBound().solve(dataclasses.replace(dead, local_hz=np.zeros((2, 2))))
    assert solution.max_latency[0] == solution.lower_bound[0] == np.inf
    assert np.isfinite(solution.max_latency[1])


def test_the_bound_holds_at_the_node_limit():
    block = next(draw_blocks(1, 3, num_subcarriers=2, num_users=4, **STRONG).rows())
    best = BranchAndBound(tolerance=1e-4).solve(block)
    bounds = []
    for max_boxes in (1, 10, 100):
        solution = BranchAndBound(tolerance=1e-4, max_boxes=max_boxes).solve(block)
        assert solution.status == "node limit"
        assert solution.lower_bound <= best.max_latency
        assert solution.max_latency >= best.lower_bound
        bounds.append(solution.lower_bound)
    assert bounds[0] < bounds[1] < bounds[2] < best.lower_bound


def test_powers_and_slopes_belong_to_the_rates():
    block = next(draw_blocks(1, num_subcarriers=2, num_users=3, **STRONG | {"csi_error_variance": 0.1}).rows())
    network = Network(block)
    nats = 0.2 * network.nats(EqualSplit().power(block))
    power, slopes = network.least_power(nats)
    np.testing.assert_allclose(network.nats(power), nats, rtol=1e-9)
    for user in range(3):
        step = 1e-5 * (np.arange(3) == user)
        difference = network.least_power(nats + step)[0] - network.least_power(nats - step)[0]
        np.testing.assert_allclose(slopes[..., user], difference / 2e-5, rtol=1e-5)


def test_inverses_are_of_m_matrices_only():
    gains = np.random.default_rng(0).uniform(0, 0.4, (200, 4, 4))
    matrix = np.eye(4) - gains
    inverse = invert(matrix)
    stable = np.abs(np.linalg.eigvals(gains)).max(-1) < 1
    assert 0 < stable.sum() < 200
    np.testing.assert_array_equal(np.isfinite(inverse).all((-1, -2)), stable)
    np.testing.assert_allclose(inverse[stable], np.linalg.inv(matrix[stable]), rtol=1e-6)
    assert np.isnan(invert(np.array([[1.0, -1.0], [-1.0, 1.0]]))).any()


def test_what_it_refuses():
    with pytest.raises(ValueError, match=r"num_users=9 is not allowed.*at most 8"):
        BranchAndBound().solve(draw_blocks(1, num_subcarriers=2, num_users=9))
    with pytest.raises(ValueError, match="tolerance=0"):
        BranchAndBound(tolerance=0)
    with pytest.raises(ValueError, match="max_boxes=0"):
        BranchAndBound(max_boxes=0)
