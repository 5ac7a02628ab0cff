"""Heuristics keep the budgets, do what they say, and answer one protocol, batched or not."""

import dataclasses

import numpy as np
import pytest
from gymnasium.utils import seeding
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from mec_cf_gym import Policy, best_offload, latency
from mec_cf_gym.baselines import EqualSplit, FullPower, GreedySubcarrier, RandomPower, WaterFilling
from mec_cf_gym.baselines.single_user import fill_water

HEURISTICS = [EqualSplit, FullPower, GreedySubcarrier, RandomPower, WaterFilling]
every_heuristic = pytest.mark.parametrize("heuristic", HEURISTICS)


@every_heuristic
def test_solutions_keep_the_budgets_and_have_the_best_split(heuristic, blocks):
    block = blocks(20)
    solution = heuristic().solve(block)
    assert (solution.power >= 0).all()
    assert (solution.power.sum(-2) <= 1 + 1e-12).all()
    np.testing.assert_array_equal(solution.offload, best_offload(block, solution.power))
    np.testing.assert_array_equal(solution.latency, latency(block, solution.power, solution.offload))
    np.testing.assert_array_equal(solution.history[..., -1], solution.max_latency)


@pytest.mark.parametrize("heuristic", [EqualSplit, FullPower, GreedySubcarrier, WaterFilling])
def test_a_batch_is_solved_as_its_rows_are(heuristic, blocks):
    block = blocks(6)
    together = heuristic().solve(block)
    for index, row in enumerate(block.rows()):
        np.testing.assert_allclose(together.power[index], heuristic().solve(row).power, atol=1e-12)


@every_heuristic
def test_every_heuristic_is_a_policy(heuristic, blocks):
    policy, block = heuristic(), next(blocks(1).rows())
    assert isinstance(policy, Policy)
    policy.reset(3)
    first = policy.allocate({}, block)
    policy.reset(3)
    np.testing.assert_array_equal(first.power, policy.allocate({}, block).power)


def test_full_power_is_all_on_the_strongest_subcarrier(blocks):
    block = blocks(3)
    power = FullPower().solve(block).power
    assert set(np.unique(power)) == {0.0, 1.0}
    np.testing.assert_array_equal(power.argmax(-2), block.signal_gain.argmax(-2))


def test_equal_split_is_even(blocks):
    assert (EqualSplit().solve(blocks(2)).power == 0.25).all()


def test_random_powers_have_nothing_to_do_with_the_network_of_their_seed():
    draws = []
    for seed in range(300):
        policy = RandomPower()
        policy.reset(seed)
        draws.append((policy.rng.random(), seeding.np_random(seed)[0].random()))
    assert abs(np.corrcoef(np.transpose(draws))[0, 1]) < 0.2


def test_random_powers_fill_the_budget_on_average_as_a_simplex_does(blocks):
    power = RandomPower(1).solve(blocks(500, num_users=4, num_aps=4)).power
    assert power.sum(-2).mean() == pytest.approx(4 / 5, abs=0.02)


class TestGreedy:
    def test_every_user_gets_one_subcarrier_at_full_power(self, blocks):
        power = GreedySubcarrier().solve(blocks(10)).power
        assert (power.sum(-2) == 1).all()
        assert (power.max(-2) == 1).all()

    def test_users_that_would_drown_each_other_are_separated(self, blocks):
        block = next(blocks(1, num_users=2, num_subcarriers=2).rows())
        loud = dataclasses.replace(
            block, signal_gain=np.full((2, 2), 10.0), interference_gain=np.full((2, 2, 2), 100.0) * (1 - np.eye(2))
        )
        power = GreedySubcarrier().solve(loud).power
        assert (power.sum(-1) == 1).all()


class TestWaterFilling:
    @given(st.lists(st.floats(1e-3, 1e4), min_size=1, max_size=6))
    def test_one_users_rate_is_the_largest_possible(self, gains):
        gain = np.array(gains)
        power = fill_water(gain[:, None])[:, 0]
        assert power.sum() == pytest.approx(1)
        best = minimize(
            lambda p: -np.log1p(p * gain).sum(),
            np.full(gain.size, 1 / gain.size),
            bounds=[(0, 1)] * gain.size,
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1},
            method="SLSQP",
        )
        assert np.log1p(power * gain).sum() >= -best.fun - 1e-6

    @pytest.mark.parametrize("gains", [[0.0, 0.0], [1e-16, 5e-17], [1e-300, 1.0], [0.0, 1e9]])
    def test_dead_and_weak_links_give_powers_all_the_same(self, gains):
        power = fill_water(np.array(gains)[:, None])[:, 0]
        assert power.sum() == pytest.approx(1)
        assert power.argmax() == np.argmax(gains)

    def test_it_beats_the_equal_split_on_average(self, blocks):
        block = blocks(100)
        gain = EqualSplit().solve(block).max_latency.mean() / WaterFilling().solve(block).max_latency.mean()
        assert gain > 1.05

    def test_rounds_are_checked(self):
        with pytest.raises(ValueError, match="rounds=0"):
            WaterFilling(rounds=0)
