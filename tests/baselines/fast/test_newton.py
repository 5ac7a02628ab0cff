"""One Newton step of the ascent: the linear system that it solves, and what refinement is good for."""

import numpy as np
import pytest

from mec_cf_gym.baselines.fast.newton import (
    Point,
    fill_residual,
    linearise,
    new_step,
    new_system,
    newton,
)
from mec_cf_gym.baselines.fast.problem import needed, paces, problem_of, received, row_of

from ...conftest import draw_blocks

N, K = 3, 4
PERTURBATION = 0.05


@pytest.fixture
def problem():
    return row_of(problem_of(draw_blocks(1, num_users=K, num_subcarriers=N).flattened(), 1e-3), 0)


@pytest.fixture
def point(problem):
    """Powers within the budgets, and positive multipliers."""
    rng = np.random.default_rng(0)
    power = rng.uniform(0.05, 0.3, (N, K))
    noise, nats = received(problem, power)
    pace = np.full(1, 0.9 * paces(problem, nats).min())
    slack, weight, price, floor = (rng.uniform(0.1, 1, shape) for shape in (K, K, K, (N, K)))
    return Point(power, pace, slack, weight, price, floor, noise, nats)


def rates(problem, power):
    return received(problem, power)[1]


def gradient(function, x, step=1e-6):
    """Return the derivative of an array-valued function by central differences, one row per entry of ``x``."""
    rows = []
    for index in np.ndindex(x.shape):
        change = np.zeros_like(x)
        change[index] = step
        rows.append((function(x + change) - function(x - change)) / (2 * step))
    return np.array(rows)


def weighted_hessian(problem, point):
    """Return minus the second derivatives of the weighted rates, ``(N K, N K)``, by differences."""
    slopes = gradient(lambda p: gradient(lambda q: point.weight @ rates(problem, q), p, 1e-4), point.power, 1e-4)
    return -slopes.reshape(N * K, N * K)


def left_over(problem, point, step, curvature):
    """Return what a step leaves of each line of the linear system whose curvature is ``(N K, N K)``."""
    jacobian = gradient(lambda p: rates(problem, p), point.power)  # (N K, K)
    asked, slope, bend = needed(problem, point.pace[0])
    floor, left = (point.floor / point.power).ravel(), 1 - point.power.sum(0)
    d_power, d_pace = step.power.ravel(), step.pace[0]
    per_price = (step.price + point.price - PERTURBATION / point.power).ravel()
    return (
        curvature @ d_power + floor * d_power - jacobian @ (step.weight + point.weight) + per_price,
        jacobian.T @ d_power - slope * d_pace + point.slack / point.weight * step.weight
        - (asked - point.nats + PERTURBATION / point.weight),
        -step.power.sum(0) + left / point.price * step.price - (PERTURBATION / point.price - left),
        slope @ step.weight + bend @ point.weight * d_pace - (1 - slope @ point.weight),
    )  # fmt: skip


def test_needed_rates_give_the_pace(problem, point):
    pace = point.pace[0]
    asked, slope, bend = needed(problem, pace)
    np.testing.assert_allclose(paces(problem, asked), pace)
    np.testing.assert_allclose(gradient(lambda v: needed(problem, v[0])[0], np.array([pace]))[0], slope, rtol=1e-6)
    np.testing.assert_allclose(gradient(lambda v: needed(problem, v[0])[1], np.array([pace]))[0], bend, rtol=1e-6)


def test_a_step_solves_the_system_but_for_what_refinement_leaves_of_the_curvature(problem, point):
    system, step, correction = new_system(N, K), new_step(N, K), new_step(N, K)
    assert newton(problem, point, PERTURBATION, system, step, correction)
    hessian = weighted_hessian(problem, point)
    refined = left_over(problem, point, step, hessian)
    for line in refined[1:]:
        np.testing.assert_allclose(line, 0, atol=1e-5)
    for name in ("power", "pace", "weight", "price"):
        getattr(step, name)[:] -= getattr(correction, name)
    plain = left_over(problem, point, step, hessian)
    assert np.abs(refined[0]).max() < 0.5 * np.abs(plain[0]).max()
    own = 1 / system.ease - point.floor / point.power
    for line in left_over(problem, point, step, np.diag(own.ravel())):
        np.testing.assert_allclose(line, 0, atol=1e-5)


def test_refinement_solves_for_what_all_of_the_curvature_leaves(problem, point):
    system, rng = new_system(N, K), np.random.default_rng(1)
    assert linearise(problem, point, system)
    change = rng.normal(size=(N, K))
    fill_residual(problem, point, system, change)
    own = 1 / system.ease - point.floor / point.power
    expected = (own.ravel() * change.ravel() - weighted_hessian(problem, point) @ change.ravel()).reshape(N, K)
    np.testing.assert_allclose(system.conditions, expected, atol=1e-3 * np.abs(expected).max())
