"""The exact optimum for one subcarrier: certified, equal to an independent code's, and never beaten."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from mec_cf_gym import best_offload, latency, rate
from mec_cf_gym.baselines import EqualSplit, ExactMinMax, RandomPower

from ..conftest import draw_blocks

UNEQUAL = {
    "task_bits": (100.0, 5000.0),
    "cycles_per_bit": (100.0, 2000.0),
    "local_hz": (1e8, 3e9),
    "server_hz": (1e9, 9e9),
    "user_power_dbm": (-5.0, 20.0),
    "num_subcarriers": 1,
}
SETTINGS = [
    {"num_subcarriers": 1},
    UNEQUAL,
    UNEQUAL | {"local_computing": False},
    UNEQUAL | {"csi_error_variance": 0.1},
    {"num_subcarriers": 1, "num_users": 1},
    {"num_subcarriers": 1, "deployment": "cellular", "num_users": 30},
]


def test_it_equals_the_reference(reference):
    block, power, _, latency_s = reference
    if block.num_subcarriers > 1:
        with pytest.raises(ValueError, match=r"num_subcarriers=4 is not allowed"):
            ExactMinMax().solve(block)
        return
    solution = ExactMinMax().solve(block)
    np.testing.assert_allclose(solution.max_latency, latency_s, rtol=1e-8)
    np.testing.assert_allclose(solution.power, power, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("fields", SETTINGS, ids=lambda fields: "-".join(fields)[:60])
def test_the_certificate_holds_and_is_tight(fields):
    block = draw_blocks(200, **fields)
    solution = ExactMinMax().solve(block)
    assert (solution.power >= 0).all()
    assert (solution.power.sum(-2) <= 1 + 1e-12).all()
    np.testing.assert_array_equal(solution.latency, latency(block, solution.power, solution.offload))
    assert (solution.max_latency <= solution.lower_bound * (1 + 1e-6)).all()
    for trial in (EqualSplit(), RandomPower(0), RandomPower(1), RandomPower(2)):
        assert (trial.solve(block).max_latency >= solution.lower_bound * (1 - 1e-12)).all()
    assert (np.diff(solution.history, axis=-1) <= 0).all()


@given(seed=st.integers(0, 2**31), users=st.integers(2, 4))
def test_no_local_search_finds_anything_better(seed, users):
    block = next(draw_blocks(1, seed, **UNEQUAL, num_users=users, num_aps=6).rows())
    solution = ExactMinMax().solve(block)

    def largest_ms(log_power):
        power = np.exp(np.minimum(log_power, 0))[None]
        return 1e3 * latency(block, power, best_offload(block, power)).max()

    start = np.log(np.maximum(solution.power[0], 1e-9))
    found = minimize(largest_ms, start + 0.1, method="Nelder-Mead", options={"maxiter": 400})
    assert found.fun >= 1e3 * solution.lower_bound * (1 - 1e-9)


def test_all_users_that_need_their_link_end_together(blocks):
    solution = ExactMinMax().solve(blocks(50, num_subcarriers=1))
    assert np.ptp(solution.latency, axis=-1).max() < 1e-9 * solution.latency.max()


def test_hopeless_users_do_not_break_the_batch():
    block = draw_blocks(3, num_subcarriers=1, num_users=2)
    signal_gain = block.signal_gain.copy()
    signal_gain[1, 0, 0] = 0.0
    dead = dataclasses.replace(block, signal_gain=signal_gain)
    solution = ExactMinMax().solve(dead)
    assert solution.max_latency[1] == pytest.approx(1e-3)  # local computing
    offline = dataclasses.replace(dead, local_hz=np.zeros((3, 2)))
    solution = ExactMinMax().solve(offline)
    assert solution.max_latency[1] == np.inf
    assert np.isfinite(solution.max_latency[[0, 2]]).all()


def test_symmetric_users_get_the_same():
    block = next(draw_blocks(1, num_subcarriers=1, num_users=2).rows())
    symmetric = dataclasses.replace(
        block, signal_gain=np.ones((1, 2)), interference_gain=np.ones((1, 2, 2)) * (1 - np.eye(2))
    )
    solution = ExactMinMax().solve(symmetric)
    np.testing.assert_allclose(solution.power, 1, rtol=1e-8)
    np.testing.assert_allclose(rate(symmetric, solution.power), 20e6 * np.log2(1.5), rtol=1e-8)


def test_the_tolerance_is_checked():
    with pytest.raises(ValueError, match="tolerance=0"):
        ExactMinMax(tolerance=0)
