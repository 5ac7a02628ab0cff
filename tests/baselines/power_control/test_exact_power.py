"""Exact power control finds SCA's fixed points, and for fixed combiners nothing is better."""

import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mec_cf_gym.baselines.power_control.exact import exact_powers
from mec_cf_gym.baselines.power_control.problem import Point, PowerProblem
from mec_cf_gym.baselines.power_control.targets import Targets, derivatives, lifted, merit
from mec_cf_gym.performance.objective import power_fairness

from .conftest import EXACT_SOLVER, SCA_SOLVER, snapshot, snapshots, with_weight


def test_it_equals_sca(deployment):
    block = snapshots(deployment, 5, num_users=8)
    exact, sca = EXACT_SOLVER.solve(block), SCA_SOLVER.solve(block)
    np.testing.assert_allclose(exact.objective_w, sca.objective_w, rtol=1e-5)
    assert (exact.status == "converged").sum() >= 3


def test_it_leaves_scarce_computing_to_sca(deployment):
    block = with_weight(snapshot(deployment), 0.0)
    solution = EXACT_SOLVER.solve(block)
    assert solution.status == "by SCA: converged"
    np.testing.assert_allclose(solution.objective_w, SCA_SOLVER.solve(block).objective_w, rtol=1e-4)


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), deployment=st.sampled_from(["user_centric", "multi_cell"]))
def test_for_fixed_combiners_no_other_powers_are_better(seed, deployment):
    block = snapshot(deployment, seed)
    fixed = dataclasses.replace(block, receiver=None)
    problem = PowerProblem.of(fixed)
    point = Point.of(problem, np.ones(6))
    assume(point.feasible)
    power = exact_powers(problem, point)
    assert (power <= 1).all()
    best_w = power_fairness(fixed, power[None])
    rng = np.random.default_rng(seed)
    for spread in np.repeat([1.0, 0.1, 1e-2, 1e-3, 1e-4], 8):
        trial = Point.of(problem, power * np.exp(spread * rng.standard_normal(6)))
        assert trial.objective_w >= best_w - 1e-8 or (trial.efficiency < problem.least_efficiency).any()


@pytest.mark.parametrize("seed", range(3))
def test_derivatives_equal_differences(seed):
    rng = np.random.default_rng(seed)
    users, cells = 6, 2
    targets = Targets(
        signal=rng.uniform(5, 50, users),
        interference=rng.uniform(0, 0.3, (users, users)),
        least=rng.uniform(0, 0.6, users),
        cell=np.array([0, 0, 0, 1, 1, -1]),
        cost=rng.uniform(0.05, 0.2, users),
        worth=0.7,
    )
    rate, width, weight = rng.uniform(0.3, 0.8, cells), 0.1, 1e-2

    def gradient_at(rate):
        _, power, factors = merit(targets, rate, width, weight)
        return derivatives(targets, rate, width, weight, power, factors)

    gradient, hessian = gradient_at(rate)
    for cell, step in enumerate(1e-5 * np.eye(cells)):
        above, below = merit(targets, rate + step, width, weight)[0], merit(targets, rate - step, width, weight)[0]
        np.testing.assert_allclose(gradient[cell], (above - below) / 2e-5, rtol=1e-5, atol=1e-7)
        slope = (gradient_at(rate + step)[0] - gradient_at(rate - step)[0]) / 2e-5
        np.testing.assert_allclose(hessian[cell], slope, rtol=1e-5, atol=1e-6)


def test_the_smooth_maximum_is_above_and_close():
    targets = Targets(
        np.ones(3), np.zeros((3, 3)), np.array([0.0, 1.0, 2.0]), np.array([0, 0, -1]), np.ones(3), 1.0
    )
    value, first, _ = lifted(targets, np.array([1.0]), 1e-3)
    np.testing.assert_allclose(value, [1.0, 1.0, 2.0], atol=1e-3)
    assert value[1] > 1
    np.testing.assert_allclose(first, [1.0, 0.5, 0.0])
