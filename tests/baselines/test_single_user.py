"""The bound every solution carries: users alone wait less than together."""

import numpy as np
import pytest

from mec_cf_gym import best_offload, latency
from mec_cf_gym.baselines import ICA, EqualSplit, ExactMinMax, FastMinMax, RandomPower, WaterFilling, latency_bound
from mec_cf_gym.baselines.single_user import fill_water

from ..conftest import draw_blocks


@pytest.mark.parametrize(
    "fields", [{}, {"csi_error_variance": 0.2}, {"local_computing": False}, {"num_users": 40}]
)
def test_nobody_goes_below_it(fields):
    block = draw_blocks(20, **fields)
    bound = latency_bound(block)
    for solver in (EqualSplit(), WaterFilling(), *map(RandomPower, range(5))):
        solution = solver.solve(block)
        np.testing.assert_array_equal(solution.lower_bound, bound)
        assert (solution.max_latency >= bound).all()


def test_a_single_user_reaches_it():
    block = draw_blocks(20, num_users=1)
    power = fill_water(block.signal_gain)
    np.testing.assert_allclose(latency(block, power, best_offload(block, power)).max(-1), latency_bound(block))


def test_with_one_subcarrier_own_errors_count():
    block = draw_blocks(20, num_users=1, num_subcarriers=1, csi_error_variance=0.2)
    power = np.ones(block.signal_gain.shape)
    np.testing.assert_allclose(latency(block, power, best_offload(block, power)).max(-1), latency_bound(block))


def test_solvers_hand_it_on():
    block = next(draw_blocks(1, num_users=3).rows())
    for solver in (ICA(), FastMinMax()):
        assert solver.solve(block).lower_bound == latency_bound(block)
    exact = ExactMinMax().solve(draw_blocks(5, num_subcarriers=1))
    assert (exact.lower_bound >= latency_bound(draw_blocks(5, num_subcarriers=1))).all()
