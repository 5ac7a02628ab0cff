"""One Newton step of the ascent: its curvature by finite differences, its direction by the full system."""

import numpy as np
import pytest

from mec_cf_gym.baselines.fast.ascent import factorise, hessian, newton, received
from mec_cf_gym.baselines.fast.problem import needed, paces, problem_of, rates, row_of

from ...conftest import draw_blocks

N, K = 3, 4


@pytest.fixture
def point():
    """A problem, powers within the budgets, and positive multipliers."""
    problem = row_of(problem_of(draw_blocks(1, num_users=K, num_subcarriers=N), 1e-3), 0)
    rng = np.random.default_rng(0)
    power = rng.uniform(0.05, 0.3, (N, K))
    multipliers = [rng.uniform(0.1, 1, shape) for shape in (K, K, K, (N, K))]
    return problem, power, 0.9 * paces(problem, rates(problem, power)).min(), *multipliers


def gradient(function, x, step=1e-6):
    """Return the derivative of an array-valued function by central differences, one row per entry of ``x``."""
    rows = []
    for index in np.ndindex(x.shape):
        change = np.zeros_like(x)
        change[index] = step
        rows.append((function(x + change) - function(x - change)) / (2 * step))
    return np.array(rows)


def test_needed_rates_give_the_pace(point):
    problem, _, pace, *_ = point
    asked, slope, bend = needed(problem, pace)
    np.testing.assert_allclose(paces(problem, asked), pace)
    np.testing.assert_allclose(gradient(lambda v: needed(problem, v[0])[0], np.array([pace]))[0], slope, rtol=1e-6)
    np.testing.assert_allclose(gradient(lambda v: needed(problem, v[0])[1], np.array([pace]))[0], bend, rtol=1e-6)


def test_the_hessian_is_that_of_the_weighted_rates(point):
    problem, power, _, _, weight, *_ = point
    noise, total = received(problem, power)
    slopes = gradient(lambda p: gradient(lambda q: weight @ rates(problem, q), p, 1e-4), power, 1e-4)
    for n in range(N):
        out = np.empty((K, K))
        hessian(problem, noise[n], total[n], weight, 1.0, n, out)
        rows = slice(n * K, (n + 1) * K)
        np.testing.assert_allclose(np.tril(out), np.tril(-slopes[rows, rows]), atol=1e-3 * np.abs(out).max())


def test_the_direction_solves_the_full_system(point):
    problem, power, pace, slack, weight, price, floor = point
    perturbation = 0.05
    noise, total = received(problem, power)
    direction = newton(problem, noise, total, power, pace, slack, weight, price, floor, perturbation)
    d_power, d_pace, d_weight, d_price = direction
    curvature = np.zeros((N * K, N * K))
    for n in range(N):
        factor = np.empty((K, K))
        factorise(problem, noise[n], total[n], weight, floor[n] / power[n], n, factor)
        rows = slice(n * K, (n + 1) * K)
        curvature[rows, rows] = np.tril(factor) @ np.tril(factor).T
    jacobian = gradient(lambda p: rates(problem, p), power)  # (N K, K)
    budgets = np.tile(np.eye(K), (N, 1))
    asked, slope, bend = needed(problem, pace)
    stationary = budgets @ price - jacobian @ weight - perturbation / power.ravel()
    close = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(
        curvature @ d_power.ravel() - jacobian @ d_weight + budgets @ d_price, -stationary, **close
    )
    gained = jacobian.T @ d_power.ravel() - slope * d_pace + slack / weight * d_weight
    np.testing.assert_allclose(gained, asked - rates(problem, power) + perturbation / weight, **close)
    left = 1 - power.sum(0)
    np.testing.assert_allclose(price * -d_power.sum(0) + left * d_price, perturbation - price * left, **close)
    np.testing.assert_allclose(slope @ d_weight + bend @ weight * d_pace, 1 - slope @ weight, **close)
