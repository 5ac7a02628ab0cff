"""Observations are a monotone, bounded view of the block."""

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym import Scenario
from mec_cf_gym.envs.observation import OBSERVATIONS, channel_of, log_polar, log_scale

from ..settings import PAPER_B_IDS, SIX_USERS


def test_observations_show_the_block_on_the_documented_scale():
    env = gym.make("MECCellFree-v0", observation="csi", task_bits=(500, 2000)).unwrapped
    observation, _ = env.reset(seed=0)
    block = env.block
    tasks = (
        np.stack((block.task_bits, block.cycles_per_bit, block.local_hz / 1e6, block.server_hz / 1e6), -1) / 1e3
    )
    expected = {
        "signal": block.signal_gain,
        "interference": block.interference_gain,
        "task": tasks,
        "csi": np.abs(block.channel) ** 2,
    }
    for key, ratio in expected.items():
        np.testing.assert_allclose(observation[key], np.log10(ratio + 1e-4) / 4, atol=1e-6, err_msg=key)
        assert observation[key].dtype == np.float32


def test_landmarks_of_the_scale():
    np.testing.assert_allclose(log_scale(np.array([0.0, 1.0, 1e4])), [-1, 0, 1], atol=2e-5)


def test_complex_channels_keep_their_phase_and_their_landmarks():
    channel = np.array([0, 1, 1j, -100, 1e-2j, 1e-6], np.complex64)
    shown = log_polar(channel)
    assert shown.dtype == np.float32
    expected = [[0, 0], [1, 0], [0, 1], [-2, 0], [0, np.log10(2) / 4], [1e-8 / (4 * np.log(10)), 0]]
    np.testing.assert_allclose(shown, expected, rtol=2e-5, atol=1e-12)


@given(st.floats(-8, 8), st.floats(-np.pi, np.pi))
def test_complex_channels_can_be_read(decades, phase):
    channel = np.complex64(10**decades * np.exp(1j * phase))
    np.testing.assert_allclose(channel_of(log_polar(np.array(channel))), channel, rtol=1e-5)
    assert channel_of(np.zeros(2)) == 0


@pytest.mark.parametrize("env_id", ["MECCellFree-v0", *PAPER_B_IDS])
def test_complex_channels_are_those_of_the_block(env_id):
    env = gym.make(env_id, observation="channel", **SIX_USERS).unwrapped
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    assert observation["channel"].shape == (*env.block.channel.shape, 2)
    np.testing.assert_allclose(channel_of(observation["channel"]), env.block.channel, rtol=1e-5, atol=1e-9)


EXTREMES = [
    {
        "user_power_dbm": 60,
        "noise_dbm_per_hz": -200,
        "path_loss_intercept_db": 0,
        "path_loss_exponent": 0,
        "bandwidth_hz": 1e3,
    },
    {
        "user_power_dbm": -50,
        "noise_dbm_per_hz": -100,
        "path_loss_intercept_db": -100,
        "path_loss_exponent": 6,
        "radius_m": 1e5,
    },
    {"task_bits": 1e12, "cycles_per_bit": 1e9, "local_hz": 1e15, "server_hz": 1e15},
    {"task_bits": 1.0, "cycles_per_bit": 1e-3, "local_hz": 1e3, "server_hz": 1e3},
    {"shadowing_db": 20.0, "bandwidth_hz": 1e11, "num_aps": 256},
]


@pytest.mark.parametrize("seen", ["csi", "channel"])
@pytest.mark.parametrize("fields", EXTREMES, ids=lambda fields: next(iter(fields)))
def test_observations_of_every_scenario_stay_in_their_space(fields, seen):
    env = gym.make("MECCellFree-v0", observation=seen, num_subcarriers=1, **fields)
    for seed in range(5):
        observation, _ = env.reset(seed=seed)
        assert env.observation_space.contains(observation)
        observation, reward, *_ = env.step(env.action_space.sample())
        assert env.observation_space.contains(observation)
        assert np.isfinite(reward)


def test_an_observation_of_ones_own_needs_no_change_of_the_package():
    class SignalOnly(OBSERVATIONS["gains"]):
        def __init__(self, scenario):
            super().__init__(scenario)
            self.shapes = {"signal": self.shapes["signal"]}

        def observe(self, block):
            return {"signal": super().observe(block)["signal"]}

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(OBSERVATIONS, "signal_only", SignalOnly)
        env = gym.make("MECCellFree-v0", scenario=Scenario.paper_a(observation="signal_only"))
        observation, _ = env.reset(seed=0)
    assert set(observation) == {"signal"}
    assert env.observation_space.contains(observation)


GRID_EXTREMES = [
    EXTREMES[0] | {"user_drop": "uniform"},
    {
        "user_power_dbm": -50,
        "noise_dbm_per_hz": -100,
        "path_loss_intercept_db": -100,
        "path_loss_exponent": 6,
        "side_m": 1e5,
    },
    {
        "task_bits": 1e12,
        "cycles_per_bit": 1e9,
        "local_hz": 1e15,
        "ap_hz": 1e15,
        "cloud_hz": 1e18,
        "deadline_s": 1e6,
    },
    {"task_bits": 1.0, "cycles_per_bit": 1e-3, "local_hz": 1e3, "ap_hz": 1e3, "cloud_hz": 1e3, "deadline_s": 1e-6},
    {"shadowing_db": 20.0, "bandwidth_hz": 1e11, "computing_control": "least"},
    {"azimuth_spread_deg": 0.0, "elevation_spread_deg": 0.0},
    {"num_aps": 1, "num_base_stations": 1, "pilot_samples": 1},
    {"num_users": 1, "reward": "power_fairness"},
]


class TestPaperBsNetworks:
    @pytest.mark.parametrize("env_id", PAPER_B_IDS)
    def test_deadlines_and_servers_follow_the_tasks(self, env_id):
        env = gym.make(env_id, observation="csi", deadline_s=(0.1, 0.5), **SIX_USERS).unwrapped
        observation, _ = env.reset(seed=0)
        block, servers = env.block, env.block.servers
        columns = [
            block.task_bits / 1e3,
            block.cycles_per_bit / 1e3,
            block.local_hz / 1e9,
            servers.equal_shares().total_hz / 1e9,
            block.deadline_s,
            np.full(6, servers.cloud_hz / 1e9),
            *(
                np.where(serves, ap_hz / 1e9, 0)
                for ap_hz, serves in zip(servers.ap_hz, servers.serves, strict=True)
            ),
        ]
        expected = {
            "signal": block.signal_gain,
            "interference": block.interference_gain,
            "task": np.stack(columns, axis=-1),
            "csi": np.abs(block.channel) ** 2,
        }
        for key, ratio in expected.items():
            np.testing.assert_allclose(observation[key], np.log10(ratio + 1e-4) / 4, atol=1e-6, err_msg=key)
        assert env.observation_space.contains(observation)

    def test_the_estimated_channel_is_what_is_seen(self):
        env = gym.make("MECUserCentric-v0", observation="csi", **SIX_USERS).unwrapped
        observation, _ = env.reset(seed=0)
        estimate = env.block.receiver.channel.reshape(1, 64, 6)
        np.testing.assert_array_equal(observation["csi"], log_scale(np.abs(estimate) ** 2))

    @pytest.mark.parametrize("env_id", PAPER_B_IDS)
    @pytest.mark.parametrize("fields", GRID_EXTREMES, ids=lambda fields: next(iter(fields)))
    def test_every_scenario_stays_in_its_space(self, env_id, fields):
        env = gym.make(env_id, observation="csi", **SIX_USERS | fields)
        for seed in range(3):
            observation, _ = env.reset(seed=seed)
            assert env.observation_space.contains(observation)
            for action in (np.zeros, np.ones):
                observation, reward, *_ = env.step(action(env.action_space.shape, np.float32))
                assert env.observation_space.contains(observation)
                assert np.isfinite(reward)
