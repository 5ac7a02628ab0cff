"""Actions and allocations translate into each other."""

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym import best_offload, latency

ENV = gym.make("MECCellFree-v0", num_users=3, num_subcarriers=2).unwrapped
ENV.reset(seed=0)


@given(st.integers(0, 2**32))
def test_encode_and_decode_are_inverse_on_allocations_within_the_budgets(seed):
    rng = np.random.default_rng(seed)
    power, offload = rng.dirichlet(np.ones(3), 3)[:, :2].T, rng.random(3)
    action = ENV.encode(power, offload)
    assert ENV.action_space.contains(action)
    decoded_power, decoded_offload = ENV.decode(action)
    np.testing.assert_allclose(decoded_power, power, atol=1e-7)
    np.testing.assert_allclose(decoded_offload, offload, atol=1e-7)


def test_powers_come_first_subcarrier_by_subcarrier_then_offload_ratios():
    action = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    power, offload = ENV.decode(action)
    np.testing.assert_allclose(power, [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    np.testing.assert_allclose(offload, [0.7, 0.8, 0.9])


@given(st.integers(0, 2**32))
def test_a_user_over_budget_is_scaled_back_onto_it(seed):
    action = np.random.default_rng(seed).random(9)
    power, _ = ENV.decode(action)
    asked = action[:6].reshape(2, 3)
    total = asked.sum(0)
    np.testing.assert_allclose(power.sum(0), np.minimum(total, 1))
    np.testing.assert_allclose(power * np.maximum(total, 1), asked)


def test_without_local_computing_everything_is_offloaded():
    env = gym.make("MECCellFree-v0", num_users=3, local_computing=False).unwrapped
    env.reset(seed=0)
    assert (env.decode(env.action_space.sample())[1] == 1).all()


def test_the_reward_is_the_latency_of_the_decoded_allocation():
    env = gym.make("MECCellFree-v0").unwrapped
    env.reset(seed=0)
    for _ in range(5):
        block, action = env.block, env.action_space.sample()
        power, offload = env.decode(action)
        _, reward, _, _, info = env.step(action)
        np.testing.assert_allclose(info["latency_s"], latency(block, power, offload), rtol=1e-12)
        assert reward == pytest.approx(-1e3 * info["latency_s"].max())


def test_encode_checks_its_arguments():
    with pytest.raises(ValueError, match=r"power has shape \(3, 2\); its last axes must be \(2, 3\)"):
        ENV.encode(np.zeros((3, 2)), np.zeros(3))
    with pytest.raises(ValueError, match=r"offload\[1\]=2.0"):
        ENV.encode(np.zeros((2, 3)), np.array([0, 2, 0]))


def test_best_offload_makes_the_best_action_for_given_powers():
    block, power = ENV.block, np.full((2, 3), 0.5)
    best = ENV.encode(power, best_offload(block, power))
    worse = ENV.encode(power, np.full(3, 0.3))
    first = latency(block, *ENV.decode(best)).max()
    assert first < latency(block, *ENV.decode(worse)).max()
