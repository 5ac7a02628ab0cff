"""Fractional power control."""

import dataclasses

import numpy as np
import pytest

from mec_cf_gym.baselines import FractionalPower, latency_bound

from .conftest import snapshots


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_the_weakest_user_spends_everything(deployment, exponent):
    block = snapshots(deployment, 3)
    power = FractionalPower(exponent).power(block)
    np.testing.assert_allclose(power.max(-1), 1)
    assert (power > 0).all()
    received = power * block.signal_gain**exponent
    np.testing.assert_allclose(received / received[..., :1], 1)


def test_it_is_a_solution_with_a_bound(deployment):
    block = snapshots(deployment, 3)
    solution = FractionalPower().solve(block)
    assert (solution.max_latency >= solution.lower_bound).all()
    np.testing.assert_array_equal(solution.lower_bound, latency_bound(block))
    assert solution.computing is None


def test_dead_users_do_no_harm():
    block = snapshots("multi_cell", 1)
    one_dead = np.where(np.arange(block.num_users) == 2, 0.0, block.signal_gain)
    assert np.isfinite(FractionalPower().power(dataclasses.replace(block, signal_gain=one_dead))).all()
    all_dead = dataclasses.replace(block, signal_gain=0 * block.signal_gain)
    np.testing.assert_array_equal(FractionalPower().power(all_dead), 1)


def test_the_exponent_is_checked():
    with pytest.raises(ValueError, match=r"exponent=1\.5"):
        FractionalPower(1.5)
