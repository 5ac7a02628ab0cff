"""Every environment keeps Gymnasium's and Stable-Baselines3's contract, and the wrappers people use work."""

import re
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from gymnasium.wrappers import FlattenObservation, RecordEpisodeStatistics, RescaleAction
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from ..settings import ENV_IDS, PAPER_A_IDS, SMALL

SB3_ADVICE = {
    # observations are gain matrices, not pictures or vectors; SB3's MultiInputPolicy flattens them
    "your observation .* is an image": "interference gains are three-dimensional",
    "your observation space .* is an image": "interference gains are three-dimensional",
    "minimal resolution for an image": "interference gains are three-dimensional",
    "unconventional shape": "signal gains and tasks are matrices",
    # the action contract is power ratios in [0, 1]; learners use RescaleAction
    "symmetric and normalized Box action space": "actions are ratios",
    # Gymnasium's
    "MECCellFreeDelayed-v0 is out of date": "both versions stay",
}
CSI = {"observation": "csi", "num_aps": 16, "antennas_per_base_station": 8}
SETTINGS = [{}, CSI, {"local_computing": False, "num_users": 3, "num_subcarriers": 1}]
ONE_SUBCARRIER = SMALL | {"num_subcarriers": 1}
every_env = pytest.mark.parametrize("env_id", ENV_IDS)
paper_a_env = pytest.mark.parametrize("env_id", PAPER_A_IDS)
every_setting = pytest.mark.parametrize("fields", SETTINGS, ids=lambda fields: "-".join(fields) or "default")


@every_env
@every_setting
def test_gymnasium_check_env_is_silent(env_id, fields):
    env = gym.make(env_id, render_mode="rgb_array", **fields)
    check_env(env.unwrapped)


@every_env
@every_setting
def test_sb3_check_env_warns_of_nothing_but_the_listed(env_id, fields):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sb3_check_env(gym.make(env_id, **fields))
    unlisted = [w for w in caught if not any(re.search(listed, str(w.message)) for listed in SB3_ADVICE)]
    assert not unlisted, [str(w.message) for w in unlisted]


def test_ids_work_without_an_import():
    assert gym.make("mec_cf_gym:MECCellFree-v0").spec.id == "MECCellFree-v0"


@every_env
def test_observations_stay_in_their_space_and_rewards_finite_at_every_corner(env_id):
    env = gym.make(env_id, observation="csi", num_users=4)
    rng = np.random.default_rng(0)
    for seed in range(20):
        observation, _ = env.reset(seed=seed)
        for action in (0.0, 1.0, rng.integers(0, 2, env.action_space.shape), rng.random(env.action_space.shape)):
            assert env.observation_space.contains(observation)
            action = np.broadcast_to(action, env.action_space.shape).astype(np.float32)
            observation, reward, terminated, _, info = env.step(action)
            assert np.isfinite(reward)
            shown_s = info["backlog_latency_s" if env.unwrapped.scenario.is_dynamic else "latency_s"]
            assert reward == pytest.approx(-1e3 * shown_s.max())
            assert not terminated


@every_env
def test_the_keys_are_the_same_on_every_id(env_id):
    keys = {"signal", "interference", "task"} | ({"queue"} if "Dynamic" in env_id else set())
    for observation, more in {"gains": set(), "csi": {"csi"}, "channel": {"channel"}}.items():
        assert set(gym.make(env_id, observation=observation).observation_space) == keys | more


@paper_a_env
def test_offloading_at_zero_power_is_capped_and_reported(env_id):
    env = gym.make(env_id, num_users=3, num_subcarriers=1, least_spectral_efficiency=0.01)
    env.reset(seed=0)
    action = np.array([0.0, 1.0, 1.0, 0.5, 0.0, 0.0], np.float32)  # user 0 offloads half over no link
    _, reward, _, _, info = env.step(action)
    assert info["capped"].tolist() == [True, False, False]
    assert info["rate_bps"][0] == 0
    capped_s = 0.5 * (1e3 / (0.01 * 20e6) + 0.2e-3)
    assert info["latency_s"].tolist() == pytest.approx([capped_s, 1e-3, 1e-3])
    assert reward == pytest.approx(-1e3 * capped_s)


@every_env
def test_rescale_action(env_id):
    plain, rescaled = gym.make(env_id), RescaleAction(gym.make(env_id), np.float32(-1), np.float32(1))
    plain.reset(seed=4), rescaled.reset(seed=4)
    action = plain.action_space.sample()
    assert rescaled.step(2 * action - 1)[1] == pytest.approx(plain.step(action)[1], rel=1e-5)


@paper_a_env
def test_flatten_observation(env_id):
    env = FlattenObservation(gym.make(env_id, num_users=3, num_subcarriers=2))
    observation, _ = env.reset(seed=0)
    assert observation.shape == (2 * 3 + 2 * 3 * 3 + 3 * 4,)
    assert env.observation_space.contains(observation)


@every_env
def test_record_episode_statistics(env_id):
    env = RecordEpisodeStatistics(gym.make(env_id, episode_blocks=3))
    env.reset(seed=0)
    rewards, info = [], {}
    for _ in range(3):
        _, reward, _, truncated, info = env.step(env.action_space.sample())
        rewards.append(reward)
    assert truncated
    assert info["episode"]["l"] == 3
    assert info["episode"]["r"] == pytest.approx(sum(rewards), rel=1e-5)


@every_env
def test_record_episode_statistics_on_the_vector_environment(env_id):
    envs = gym.wrappers.vector.RecordEpisodeStatistics(gym.make_vec(env_id, num_envs=2, episode_blocks=3))
    envs.reset(seed=0)
    for _ in range(3):
        *_, truncations, infos = envs.step(envs.action_space.sample())
    assert truncations.all()
    assert infos["episode"]["l"].tolist() == [3, 3]


@every_env
@pytest.mark.parametrize("vector_class", [SyncVectorEnv, AsyncVectorEnv])
def test_gymnasiums_own_vector_environments_equal_the_native_one(env_id, vector_class):
    def make():
        return gym.make(env_id, episode_blocks=2, **ONE_SUBCARRIER)

    native = gym.make_vec(env_id, num_envs=2, episode_blocks=2, **ONE_SUBCARRIER)
    generic = vector_class([make, make])
    try:
        expected, _ = generic.reset(seed=11)
        observations, _ = native.reset(seed=11)
        for _ in range(5):  # past the end of an episode, so that autoreset is compared, too
            for key in expected:
                np.testing.assert_array_equal(observations[key], expected[key])
            actions = np.stack([generic.single_action_space.sample() for _ in range(2)])
            expected, *scores, infos = generic.step(actions)
            observations, *native_scores, native_infos = native.step(actions)
            np.testing.assert_array_equal(native_scores, scores)
            for key in ("latency_s", "_latency_s"):
                if key in infos and infos["_latency_s"].all():
                    np.testing.assert_array_equal(native_infos[key], infos[key])
    finally:
        generic.close()


@every_env
def test_ppo_learns_for_two_thousand_steps(env_id):
    env = RescaleAction(gym.make(env_id, **ONE_SUBCARRIER), np.float32(-1), np.float32(1))
    model = PPO("MultiInputPolicy", env, n_steps=500, batch_size=100, n_epochs=2, gamma=0.0, seed=0, device="cpu")
    before = [parameter.clone() for parameter in model.policy.parameters()]
    model.learn(2000)
    assert model.num_timesteps == 2000
    assert any((now != then).any() for now, then in zip(model.policy.parameters(), before, strict=True))
