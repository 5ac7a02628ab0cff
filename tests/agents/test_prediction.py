"""Observations with predicted gains: what is predicted, from what, and when it is forgotten."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest

from mec_cf_gym.agents import PredictedGains, PredictedGainsVector
from mec_cf_gym.agents.channel_memory import LinearPrediction
from mec_cf_gym.baselines.predicted import expected_gains, linear_predictor
from mec_cf_gym.envs import channel_of
from mec_cf_gym.envs.observation import log_scale, ratio_of

ENV_ID = "MECCellFreeDelayed-v1"
SMALL = {"num_users": 3, "num_aps": 8}


def test_gains_are_those_expected_of_the_best_linear_prediction():
    env = PredictedGains(gym.make(ENV_ID, **SMALL), window=4)
    plain = gym.make(ENV_ID, **SMALL)
    seen, below = env.reset(seed=2)[0], [plain.reset(seed=2)[0]]
    for _ in range(6):
        channels = [channel_of(each["channel"]) for each in below]
        aging = env.unwrapped.block.aging
        weights, left = linear_predictor(aging, min(len(channels), 4))
        newest_first = channels[::-1][:4]
        predicted = sum(
            weights[:, age] * channel for age, channel in enumerate(newest_first)
        )  # users are the last axis
        variance = np.mean([np.abs(channel) ** 2 for channel in channels], axis=(0, 1))
        error = aging.error_share * variance
        gains = expected_gains(predicted, left * (variance - error), error)
        for name, expected in zip(("signal", "interference"), gains, strict=True):
            np.testing.assert_allclose(seen[name], log_scale(expected), atol=2e-4)
        np.testing.assert_array_equal(seen["task"], below[-1]["task"])
        action = env.action_space.sample()
        seen, below = env.step(action)[0], [*below, plain.step(action)[0]]


def test_channels_are_not_shown_and_spaces_say_so():
    env = PredictedGains(gym.make(ENV_ID, **SMALL))
    seen, _ = env.reset(seed=0)
    assert seen.keys() == env.observation_space.keys() == {"signal", "interference", "task"}
    assert env.observation_space.contains(seen)
    vector = PredictedGainsVector(gym.make_vec(ENV_ID, num_envs=2, **SMALL))
    assert vector.observation_space.contains(vector.reset(seed=0)[0])
    assert vector.single_observation_space == env.observation_space


def test_predictions_are_closer_to_the_current_gains_than_the_last_ones():
    fields = {**SMALL, "csi_delay_blocks": 2}
    env = PredictedGainsVector(gym.make_vec(ENV_ID, num_envs=40, **fields))
    last = gym.make_vec(ENV_ID, num_envs=40, **fields)
    seen, before = env.reset(seed=0)[0], last.reset(seed=0)[0]
    for _ in range(12):
        actions = env.action_space.sample()
        seen, before = env.step(actions)[0], last.step(actions)[0]
    now = np.log10(env.unwrapped.block.signal_gain)
    errors = [np.abs(np.log10(ratio_of(each["signal"]) + 1e-9) - now).mean() for each in (seen, before)]
    assert errors[0] < 0.8 * errors[1]


def test_rows_equal_the_single_environment_and_forget_with_their_episodes():
    envs = PredictedGainsVector(gym.make_vec(ENV_ID, num_envs=3, episode_blocks=3, **SMALL))
    env = PredictedGains(gym.make(ENV_ID, episode_blocks=3, **SMALL))
    seen, expected, over = envs.reset(seed=7)[0], env.reset(seed=8)[0], False
    for _ in range(9):
        for name, values in expected.items():
            np.testing.assert_allclose(seen[name][1], values, atol=1e-5)
        actions = envs.action_space.sample()
        seen, *_ = envs.step(actions)
        if over:
            (expected, _), over = env.reset(), False
        else:
            expected, _, _, over, _ = env.step(actions[1])


def test_masked_resets_leave_other_rows_as_they_are():
    envs = PredictedGainsVector(gym.make_vec(ENV_ID, num_envs=2, **SMALL))
    envs.reset(seed=0)
    seen, *_ = envs.step(envs.action_space.sample())
    again, _ = envs.reset(seed=[5, None], options={"reset_mask": np.array([True, False])})
    np.testing.assert_array_equal(again["signal"][1], seen["signal"][1])
    fresh = PredictedGains(gym.make(ENV_ID, **SMALL)).reset(seed=5)[0]
    np.testing.assert_allclose(again["signal"][0], fresh["signal"], atol=1e-6)


def test_the_rule_says_what_it_leaves_for_every_number_of_observations():
    rule = LinearPrediction.of(gym.make(ENV_ID).unwrapped.scenario, 16)
    assert rule.window == 16
    assert (np.diff(rule.left) <= 1e-9).all()
    assert rule.left[0] == pytest.approx(0.997, abs=2e-3)  # as the environment's docstring says
    assert rule.left[-1] == pytest.approx(0.185, abs=2e-3)
    assert dataclasses.asdict(rule)["error_share"] == 1e-3


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"observation": "gains"}, "observation='gains'"),
        ({"combiner": "mmse"}, "combiner='mmse'"),
        ({"speed_m_per_s": (5.0, 30.0)}, "speed_m_per_s"),
    ],
)
def test_what_it_cannot_predict_for_is_refused(fields, named):
    with pytest.raises(ValueError, match=named):
        PredictedGains(gym.make(ENV_ID, **SMALL, **fields))


def test_a_window_that_is_no_count_is_refused():
    with pytest.raises(ValueError, match="window=0"):
        PredictedGains(gym.make(ENV_ID, **SMALL), window=0)
