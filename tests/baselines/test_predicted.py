"""The exact solver on predicted channels: its predictor, the gains it expects, and what it does not look at."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import j0

from mec_cf_gym import best_offload
from mec_cf_gym.baselines import ExactMinMax, PredictedExact
from mec_cf_gym.baselines.predicted import expected_gains, linear_predictor
from mec_cf_gym.block import Aging
from mec_cf_gym.block.combining import MaximumRatio, receive_gains
from mec_cf_gym.envs import channel_of
from mec_cf_gym.evaluation import evaluate, load_policy

ENV_ID = "MECCellFreeDelayed-v1"
SMALL = {"num_users": 4, "num_aps": 16}


def episode(blocks, **fields):
    """Return the observations and blocks of an episode."""
    env = gym.make(ENV_ID, **(SMALL | fields))
    observation, _ = env.reset(seed=1)
    found = []
    for _ in range(blocks):
        found.append((observation, env.unwrapped.block))
        observation, *_ = env.step(env.action_space.sample())
    return found


def complex_normal(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


@given(phase=st.floats(0.01, 3.0), delay=st.integers(1, 12), blocks=st.integers(1, 20), error=st.floats(1e-4, 0.5))
def test_predictions_condition_a_gaussian_process(phase, delay, blocks, error):
    """By the inverse of the whole covariance: of those that were seen, the oldest first, and the current one."""
    times = np.array([*range(blocks), blocks - 1 + delay])
    covariance = (1 - error) * j0(phase * np.subtract.outer(times, times)) + error * np.eye(blocks + 1)
    precision = np.linalg.inv(covariance)
    weights, left = linear_predictor(Aging(np.array([phase]), delay, error, "clarke"), blocks)
    np.testing.assert_allclose(weights[0], -precision[-1, -2::-1] / precision[-1, -1], atol=1e-6)
    np.testing.assert_allclose(left[0], 1 / precision[-1, -1], atol=1e-6)


def test_what_predictions_leave_is_their_measured_error():
    rng, blocks = np.random.default_rng(0), 400
    env = gym.make_vec(ENV_ID, num_envs=blocks, num_users=2, num_aps=8)
    observation, _ = env.reset(seed=int(rng.integers(1000)))
    policy = PredictedExact(window=6)
    for _ in range(6):
        policy.seen = [channel_of(observation["channel"]), *policy.seen]
        block = env.unwrapped.block
        observation, *_ = env.step(env.action_space.sample())
    weights, left = linear_predictor(block.aging, 6)
    predicted = sum(weights[..., None, None, :, age] * channel for age, channel in enumerate(policy.seen))
    variance = (1 - 1e-3) * block.channel_variance[:, None]
    measured = (np.abs(block.channel - predicted) ** 2 / variance).mean((0, 1, 2))
    np.testing.assert_allclose(measured, left[0], atol=4 / np.sqrt(blocks * 8))
    assert left[0, 0] < 0.75


def test_expected_gains_are_means_over_draws():
    rng = np.random.default_rng(1)
    predicted, variance, error = complex_normal(rng, 1, 32, 3), rng.random((32, 3)), 0.1 * rng.random((32, 3))
    signal_gain, interference_gain = expected_gains(predicted, variance, error)
    channel = predicted + np.sqrt(variance) * complex_normal(rng, 20000, 1, 32, 3)
    combiner = MaximumRatio(None).combine(channel, error)
    signals, interferences = receive_gains(combiner, channel, error)
    np.testing.assert_allclose(signal_gain, signals.mean(0), rtol=0.01)
    np.testing.assert_allclose(interference_gain, interferences.mean(0), rtol=0.05)


def test_without_doubt_they_are_those_of_the_channel():
    channel, error = complex_normal(np.random.default_rng(2), 5, 2, 8, 3), np.full((5, 8, 3), 0.2)
    expected = receive_gains(MaximumRatio(None).combine(channel, error), channel, error)
    for found, gains in zip(expected_gains(channel, 0 * error, error), expected, strict=True):
        np.testing.assert_allclose(found, gains, rtol=1e-12)


def test_at_rest_and_without_errors_it_is_the_optimum():
    policy = PredictedExact(window=4, exponent=1.0)
    for observation, block in episode(3, speed_m_per_s=0.0, csi_error_variance=0.0):
        decided = policy.allocate(observation, block)
        optimum = ExactMinMax().solve(block).power
        np.testing.assert_allclose(decided.power, optimum, rtol=1e-3)
        np.testing.assert_allclose(decided.offload, best_offload(block, optimum), rtol=1e-3)


def test_it_remembers_as_many_observations_as_its_window_and_a_reset_forgets():
    short, long, seen = PredictedExact(2), PredictedExact(8), episode(5)
    powers = [(short.allocate(*each).power, long.allocate(*each).power) for each in seen]
    for index, (first, second) in enumerate(powers):
        assert np.array_equal(first, second) == (index < 2)
    fresh = PredictedExact(2)
    fresh.allocate(*seen[3])
    np.testing.assert_allclose(powers[4][0], fresh.allocate(*seen[4]).power)
    long.reset(0)
    np.testing.assert_array_equal(long.allocate(*seen[0]).power, powers[0][1])


def test_current_channels_change_nothing():
    (observation, block), (_, later) = episode(2)
    assert (later.channel != block.channel).any()
    decided = PredictedExact().allocate(observation, block)
    again = PredictedExact().allocate(observation, later)
    np.testing.assert_array_equal(decided.power, again.power)
    np.testing.assert_array_equal(decided.offload, again.offload)


def test_a_batch_is_decided_as_its_rows_are():
    fields = SMALL | {"speed_m_per_s": (5.0, 30.0)}
    envs, env = gym.make_vec(ENV_ID, num_envs=3, **fields), gym.make(ENV_ID, **fields)
    together, alone = PredictedExact(), PredictedExact()
    observations, _ = envs.reset(seed=0)
    observation, _ = env.reset(seed=2)
    for _ in range(3):
        allocations = together.allocate(observations, envs.unwrapped.block)
        allocation = alone.allocate(observation, env.unwrapped.block)
        np.testing.assert_allclose(allocations.power[2], allocation.power, rtol=1e-5)
        observations, *_ = envs.step(envs.action_space.sample())
        observation, *_ = env.step(env.action_space.sample())


@pytest.mark.parametrize("name", ["gauss_markov", "iid"])
def test_it_knows_other_fading_by_its_own_correlation(name):
    for observation, block in episode(3, fading=name):
        PredictedExact().allocate(observation, block)
    weights, left = linear_predictor(block.aging, 3)
    last = j0(block.aging.doppler_rad) ** 4 if name == "gauss_markov" else np.zeros(4)
    np.testing.assert_allclose(weights, last[:, None] * [1, 0, 0], atol=1e-9)  # Markov: the last says all
    np.testing.assert_allclose(left, 1 - last**2, atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [({"window": 0}, "window=0"), ({"window": 2.5}, r"window=2\.5"), ({"exponent": 1.5}, r"exponent=1\.5")],
)
def test_parameters_outside_their_range_are_refused(arguments, wrong):
    with pytest.raises(ValueError, match=f"{wrong} is not allowed"):
        PredictedExact(**arguments)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"observation": "gains"}, "observation='channel'"),
        ({"combiner": "mmse"}, "combiner='mrc'"),
        ({"interference": "printed"}, "combiner='mrc'"),
    ],
)
def test_what_it_cannot_predict_for_is_refused(fields, wrong):
    ((observation, block),) = episode(1, **fields)
    with pytest.raises(ValueError, match=wrong):
        PredictedExact().allocate(observation, block)


def test_blocks_without_statistics_are_refused():
    ((observation, block),) = episode(1)
    with pytest.raises(ValueError, match="predictions need the channels' statistics"):
        PredictedExact().allocate(observation, dataclasses.replace(block, channel_variance=None))


def test_predictions_help_in_the_delayed_environment():
    """On validation networks, almost without noise, where it shows; docs/sequential.md has the test networks."""
    policies = {name: load_policy(name) for name in ("predicted-exact", "averaged-exact")}
    records = evaluate(policies, ENV_ID, topologies=4, blocks=30, split="validation", csi_error_variance=0.0)
    predicted, averaged = (np.mean([r.max_latency_ms for r in records if r.policy == name]) for name in policies)
    assert averaged > 1.1 * predicted
