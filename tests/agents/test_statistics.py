"""A model that was trained behind ``VecNormalize`` is scored with its statistics, or refused if they are gone."""

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from mec_cf_gym.agents import AgentPolicy, PaddedAgent, Padding

from .models import ENV_ID, PPO_SETTINGS, SETTING, block_of, decibels, decided, plain, ppo


class Tenfold(gym.ObservationWrapper):
    """Changes the scale, too."""

    def __init__(self, env):
        super().__init__(env)
        boxes = {name: gym.spaces.Box(-100, 100, box.shape) for name, box in env.observation_space.items()}
        self.observation_space = gym.spaces.Dict(boxes)

    def observation(self, observation):
        return {name: 10 * values for name, values in observation.items()}


@pytest.mark.parametrize("algorithm", [PPO, SAC])
def test_a_model_behind_vecnormalize_is_scored_with_its_statistics(algorithm, tmp_path):
    normaliser = VecNormalize(DummyVecEnv([decibels] * 4), clip_obs=1.5, epsilon=1e-4)
    settings = PPO_SETTINGS if algorithm is PPO else {"learning_starts": 8, "buffer_size": 100, "seed": 0}
    model = algorithm("MultiInputPolicy", normaliser, **settings).learn(128)
    allocations, observations = decided(AgentPolicy(model, decibels()))
    for allocation, observation in zip(allocations, observations, strict=True):
        action, _ = model.predict(normaliser.normalize_obs(observation), deterministic=True)
        power = 10 ** ((action * 20 - 20) / 10)
        np.testing.assert_allclose(allocation.power[0], power, rtol=1e-5)
        unlike, _ = model.predict(observation, deterministic=True)
        assert np.abs(unlike - action).max() > 1e-3
    model.save(tmp_path / "model")
    loaded = algorithm.load(tmp_path / "model")
    for agent in (
        lambda: AgentPolicy(loaded, decibels()),
        lambda: PaddedAgent(loaded, Padding(plain().observation_space, plain().action_space, 1, 2)),
    ):
        with pytest.raises(ValueError, match=r"trained behind VecNormalize, whose statistics are gone"):
            agent()
    again, _ = decided(AgentPolicy(loaded, decibels(), statistics=normaliser))
    np.testing.assert_array_equal(again[2].power, allocations[2].power)
    with pytest.raises(ValueError, match=r"statistics='stats\.pkl' is not allowed: it must be the VecNormalize"):
        AgentPolicy(loaded, decibels(), statistics="stats.pkl")


@pytest.mark.parametrize("algorithm", [PPO, SAC])
def test_a_loaded_model_that_had_no_statistics_is_at_home(algorithm, tmp_path):
    settings = PPO_SETTINGS if algorithm is PPO else {"learning_starts": 8, "buffer_size": 100, "seed": 0}
    model = algorithm("MultiInputPolicy", DummyVecEnv([decibels] * 4), **settings).learn(128)
    model.save(tmp_path / "model")
    ours, _ = decided(AgentPolicy(model, decibels()))
    theirs, _ = decided(AgentPolicy(algorithm.load(tmp_path / "model"), decibels()))
    np.testing.assert_array_equal(ours[2].power, theirs[2].power)


OFF_POLICY = {"learning_starts": 5, "buffer_size": 50, "device": "cpu", "policy_kwargs": {"net_arch": [4]}}


@pytest.mark.parametrize("num_users", [1, 2])
def test_statistics_are_missed_whatever_a_small_network_showed_last(num_users, tmp_path):
    def small():
        return gym.make(ENV_ID, **{**SETTING, "num_users": num_users})

    for seed in range(8):
        normaliser = VecNormalize(DummyVecEnv([small]))
        SAC("MultiInputPolicy", normaliser, seed=seed, **OFF_POLICY).learn(12).save(tmp_path / "model")
        with pytest.raises(ValueError, match="whose statistics are gone"):
            AgentPolicy(SAC.load(tmp_path / "model"), small())


def test_observations_on_another_scale_need_no_statistics(tmp_path):
    model = SAC("MultiInputPolicy", Tenfold(plain()), seed=0, **OFF_POLICY).learn(12)
    model.save(tmp_path / "model")
    for trained in (model, SAC.load(tmp_path / "model")):
        AgentPolicy(trained, Tenfold(plain()))


def test_of_two_normalisations_the_inner_one_comes_first():
    inner = VecNormalize(DummyVecEnv([decibels]), clip_obs=0.7)
    outer = VecNormalize(inner)
    model = ppo(outer).learn(32)
    observation, _ = plain().reset(seed=3)
    action, _ = model.predict(outer.normalize_obs(inner.normalize_obs(observation)), deterministic=True)
    power = AgentPolicy(model, decibels()).allocate(observation, block_of(3)).power
    np.testing.assert_allclose(power[0], 10 ** ((action * 20 - 20) / 10), rtol=1e-5)


class HalfNormalised(VecNormalize):
    """Does more than its class says."""

    def step_wait(self):
        observations, *rest = super().step_wait()
        return {name: 0.5 * values for name, values in observations.items()}, *rest


def test_a_normalisation_with_steps_of_its_own_is_refused_by_name():
    with pytest.raises(ValueError, match="it was trained behind HalfNormalised"):
        AgentPolicy(ppo(HalfNormalised(DummyVecEnv([plain]))), plain())


def test_statistics_are_those_of_the_time_of_the_decision():
    normaliser = VecNormalize(DummyVecEnv([decibels] * 4))
    model = ppo(normaliser)
    policy = AgentPolicy(model, decibels())
    model.learn(64)
    _, (observation, *_) = decided(policy)
    action, _ = model.predict(normaliser.normalize_obs(observation), deterministic=True)
    power = policy.allocate(observation, block_of(3)).power
    np.testing.assert_allclose(power[0], 10 ** ((action * 20 - 20) / 10), rtol=1e-5)
