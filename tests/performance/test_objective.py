"""Paper B's objective and what deadlines ask for, against the formulas user by user."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from mec_cf_gym import Scenario, latency, power_fairness, rate, spectral_efficiency
from mec_cf_gym.block.block import Fairness
from mec_cf_gym.performance.objective import fairness_w, needed_server_hz
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World


def draw_block(deployment="user_centric", rows=3, **fields):
    small = {"num_aps": 16, "num_users": 6, "antennas_per_base_station": 8, "deployment": deployment}
    return World(Scenario.paper_b(**small, **fields)).begin(Streams.from_seeds(range(rows))).block


@pytest.mark.parametrize("deployment", ["user_centric", "multi_cell"])
def test_it_is_the_power_less_the_worth_of_each_cells_least_spectral_efficiency(deployment):
    block = draw_block(deployment, user_power_dbm=(10, 20), fairness_weight_w=0.4)
    power = np.random.default_rng(0).uniform(0.1, 1, (3, 1, 6))
    efficiency = rate(block, power) / 20e6
    np.testing.assert_allclose(spectral_efficiency(block, power), efficiency)
    for row in range(3):
        least = {}
        for cell, value in zip(block.fairness.cell[row], efficiency[row], strict=True):
            least[cell] = min(least.get(cell, math.inf), value)
        spent_w = (power[row, 0] * block.fairness.user_power_w[row]).sum()
        assert len(least) == (1 if deployment == "user_centric" else len(set(block.fairness.cell[row])))
        assert power_fairness(block, power)[row] == pytest.approx(spent_w - 0.4 * sum(least.values()))


def test_full_power_of_all_users_is_2_w():
    block = draw_block(rows=1)
    assert block.fairness.transmit_power_w(np.ones((1, 1, 6))) == pytest.approx(6 * 0.1)


def test_powers_of_subcarriers_add_up():
    block = draw_block(rows=1)
    assert block.fairness.transmit_power_w(np.full((1, 4, 6), 0.25)) == pytest.approx(6 * 0.1)


def test_empty_cells_are_worth_nothing():
    block = dataclasses.replace(draw_block(), fairness=Fairness(np.ones(6), np.array([0, 0, 3, 3, 5, 5]), 2.0))
    efficiency = np.array([1.0, 2.0, 4.0, 3.0, 5.0, 9.0])
    assert fairness_w(block, efficiency) == pytest.approx(2 * (1 + 3 + 5))


def test_it_needs_to_know_full_powers_and_cells():
    block = dataclasses.replace(draw_block(), fairness=None)
    with pytest.raises(ValueError, match="fairness=None"):
        power_fairness(block, np.ones((3, 1, 6)))
    with pytest.raises(ValueError, match="fairness=None"):
        fairness_w(block, np.ones((3, 6)))


def test_torch_scores_and_differentiates_it():
    block = draw_block("multi_cell", combiner="mmse")
    power = np.random.default_rng(0).uniform(0.1, 1, (3, 1, 6))
    tensor = torch.tensor(power, requires_grad=True)
    value = power_fairness(block, tensor)
    np.testing.assert_allclose(value.detach().numpy(), power_fairness(block, power), rtol=1e-12)
    value.sum().backward()
    step = 1e-5 * np.random.default_rng(1).standard_normal(power.shape)
    slope = (power_fairness(block, power + step) - power_fairness(block, power - step)).sum() / 2
    assert (tensor.grad.numpy() * step).sum() == pytest.approx(slope, rel=1e-5)  # combiners of MMSE are optimal


@pytest.mark.parametrize("offload", [1.0, 0.6])
def test_the_needed_speed_meets_the_deadline_exactly(offload):
    block = draw_block(deadline_s=(0.2, 0.5), local_computing=True, local_hz=1e11)
    power, offload = np.ones((3, 1, 6)), np.full((3, 6), offload)
    needed_hz = needed_server_hz(block, rate(block, power), offload)
    assert np.isfinite(needed_hz).all()
    np.testing.assert_allclose(latency(block, power, offload, needed_hz), block.deadline_s, rtol=1e-10)
    assert (latency(block, power, offload, 0.99 * needed_hz) > block.deadline_s).all()


def test_the_needed_speed_counts_the_fronthaul():
    block = draw_block(rows=1, fronthaul_bps=1e9)
    assert block.fronthaul_load == pytest.approx(2 * 4 * 8 * 20e6 / 1e9)
    rate_bps = np.full((1, 6), 50e6)
    sent_s = block.task_bits / 50e6
    fronthaul_s = 2 * 4 * 8 * block.task_bits / (50e6 / 20e6 * 1e9)
    expected_hz = 500 * block.task_bits / (0.4 - sent_s - fronthaul_s)
    in_time = sent_s + fronthaul_s < 0.4
    assert in_time.any()
    np.testing.assert_allclose(
        needed_server_hz(block, rate_bps, np.ones((1, 6))), np.where(in_time, expected_hz, math.inf)
    )


def test_who_offloads_nothing_needs_nothing_and_who_comes_too_late_needs_infinitely_much():
    block = draw_block(rows=1)
    rate_bps = np.array([[0.0, 0.0, 1.0, 1.0, 1e12, 1e12]])
    offload = np.array([[0.0, 1.0, 0.0, 1.0, 0.0, 1.0]])
    needed_hz = needed_server_hz(block, rate_bps, offload)[0]
    assert (needed_hz[::2] == 0).all()
    assert np.isinf(needed_hz[[1, 3]]).all()
    assert 0 < needed_hz[5] < math.inf


def test_a_server_of_zero_speed_takes_forever():
    block = draw_block(rows=1)
    assert np.isinf(latency(block, np.ones((1, 1, 6)), np.ones((1, 6)), np.zeros((1, 6)))).all()
    assert (latency(block, np.ones((1, 1, 6)), np.zeros((1, 6)), np.zeros((1, 6))) == np.inf).all()  # no CPUs
