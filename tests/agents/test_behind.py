"""Whatever lies between a model and its environment at training lies between them at evaluation, or it refuses."""

import functools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import FlattenObservation, NormalizeObservation, RescaleAction, TimeAwareObservation
from sb3_contrib import RecurrentPPO
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    SubprocVecEnv,
    VecCheckNan,
    VecFrameStack,
    VecMonitor,
    VecNormalize,
)

from mec_cf_gym.agents import (
    AgentPolicy,
    Curriculum,
    CurriculumVectorEnv,
    LogPowerAction,
    LogPowerVectorAction,
    MeanGains,
    MeanGainsVector,
    PaddedAgent,
    SB3VecEnv,
    Stage,
)

from .models import ENV_ID, PPO_SETTINGS, SETTING, block_of, decibels, decided, plain, ppo, with_memory


def test_a_recurrent_model_remembers_its_episode_and_a_reset_forgets():
    env = DummyVecEnv([decibels] * 4)
    model = RecurrentPPO(
        "MultiInputLstmPolicy", env, policy_kwargs={"lstm_hidden_size": 16}, **PPO_SETTINGS
    ).learn(128)
    policy = AgentPolicy(model, decibels())
    allocations, observations = decided(policy, blocks=4)
    state, starts = None, np.array([True])
    for allocation, observation in zip(allocations, observations, strict=True):
        action, state = model.predict(observation, state, starts, deterministic=True)
        rescaled = decibels()
        plain_action = rescaled.env.log_power.plain(rescaled.action(action), observation)
        np.testing.assert_array_equal(allocation.power, rescaled.unwrapped.decode(plain_action)[0])
        starts = np.array([False])
    forgetful, _ = model.predict(observations[3], deterministic=True)
    assert np.abs(forgetful - action).max() > 1e-4
    again, _ = decided(policy, blocks=4)
    np.testing.assert_array_equal(again[3].power, allocations[3].power)
    state = None
    for observation in observations[:3]:
        _, state = policy.predict(observation, state)
    begun, _ = policy.predict(observations[0], state, np.array([True]))
    np.testing.assert_array_equal(policy.env.unwrapped.decode(begun)[0], allocations[0].power)


def test_rows_of_a_batch_forget_one_by_one():
    model = RecurrentPPO("MultiInputLstmPolicy", DummyVecEnv([with_memory] * 2), **PPO_SETTINGS)
    policy, envs = AgentPolicy(model, with_memory()), gym.make_vec(ENV_ID, num_envs=2, **SETTING)
    first, _ = envs.reset(seed=0)
    second, *_ = envs.step(envs.action_space.sample())
    _, state = policy.predict(first)
    both, _ = policy.predict(second, state, np.array([False, True]))
    fresh, _ = policy.predict(second)
    remembered, _ = policy.predict(second, state)
    np.testing.assert_allclose(both[1], fresh[1], atol=1e-6)
    np.testing.assert_allclose(both[0], remembered[0], atol=1e-6)
    assert np.abs(fresh[0] - remembered[0]).max() > 1e-6


class Scaled(gym.Wrapper):
    """Changes observations in a way of its own."""

    def reset(self, **arguments):
        observation, info = self.env.reset(**arguments)
        return self.scaled(observation), info

    def step(self, action):
        observation, *rest = self.env.step(action)
        return self.scaled(observation), *rest

    def scaled(self, observation):
        return {name: 0.5 * values for name, values in observation.items()}


class Tenth(gym.ObservationWrapper):
    """Changes observations as Gymnasium has it."""

    part = 0.1

    def observation(self, observation):
        return {name: self.part * values for name, values in observation.items()}


class Fifth(Tenth):
    part = 0.2


class Peeks(gym.ObservationWrapper):
    """Shows what it finds in its environment."""

    def observation(self, observation):
        return observation | {"signal": np.float32(self.unwrapped.block.signal_gain)}


class PeeksAndActs(gym.ActionWrapper):
    """Acts on what it finds in its environment."""

    def action(self, action):
        return np.where(self.env.unwrapped.scenario.radio.bandwidth_hz > 1e7, action, 0.5 * action)


class Cautious(LogPowerAction):
    """Does more than its class says."""

    def step(self, action):
        return super().step(action - 3)


class Forgetful(MeanGains):
    """Does something else than its class says."""

    def step(self, action):
        return self.env.step(action)


class Counts(gym.Wrapper):
    """Changes nothing."""

    def total(self):
        return 0


@pytest.mark.parametrize(
    ("trained", "given", "named"),
    [
        (decibels, plain, "with actions in"),
        (lambda: RescaleAction(plain(), np.float32(-1), np.float32(1)), plain, "with actions in"),
        (lambda: FlattenObservation(plain()), plain, "Flatten"),
        (lambda: Tenth(plain()), plain, "trained behind Tenth, and env is behind no wrapper"),
        (plain, lambda: Tenth(plain()), "trained behind no wrapper, and env is behind Tenth"),
        (lambda: Tenth(plain()), lambda: Fifth(plain()), "trained behind Tenth, and env is behind Fifth"),
        (decibels, lambda: decibels(least_db=-60.0), "trained behind LogPowerAction, RescaleAction"),
        (decibels, with_memory, "and env is behind MeanGains, LogPowerAction"),
        (lambda: Scaled(plain()), plain, "a wrapper of env changes it"),
        (plain, lambda: Scaled(plain()), "a wrapper of env changes it"),
        (lambda: Peeks(plain()), lambda: Peeks(plain()), "Peeks looks at block of its environment"),
        (lambda: PeeksAndActs(plain()), lambda: PeeksAndActs(plain()), "PeeksAndActs looks at scenario of its"),
        (lambda: Cautious(plain()), lambda: Cautious(plain()), "a wrapper of env changes it"),
        (lambda: Forgetful(plain()), lambda: Forgetful(plain()), "a wrapper of env changes it"),
        (plain, lambda: TimeAwareObservation(gym.wrappers.TimeLimit(plain(), 5)), "a wrapper of env changes it"),
        (
            lambda: NormalizeObservation(FlattenObservation(plain())),
            lambda: NormalizeObservation(FlattenObservation(plain())),
            "a wrapper of env changes it",
        ),
    ],
)
def test_other_wrappers_than_those_of_training_are_refused_by_name(trained, given, named):
    env = trained()
    model = ppo(env, "MlpPolicy" if isinstance(env.observation_space, gym.spaces.Box) else "MultiInputPolicy")
    with pytest.raises(ValueError, match=named):
        AgentPolicy(model, given())


def test_stacked_frames_are_refused_by_name():
    with pytest.raises(ValueError, match="it was trained behind VecFrameStack"):
        AgentPolicy(ppo(VecFrameStack(DummyVecEnv([plain]), 1)), plain())


@pytest.mark.parametrize(
    ("trained", "given"),
    [
        (lambda: VecCheckNan(DummyVecEnv([lambda: Monitor(Counts(decibels()))])), decibels),
        (lambda: DummyVecEnv([lambda: gym.wrappers.TransformReward(decibels(), lambda r: r / 10)]), decibels),
        (lambda: VecMonitor(DummyVecEnv([lambda: Tenth(plain())])), lambda: Tenth(Counts(plain()))),
        (lambda: SubprocVecEnv([functools.partial(gym.make, f"mec_cf_gym:{ENV_ID}", **SETTING)]), plain),
        (
            lambda: SB3VecEnv(
                gym.wrappers.vector.RescaleAction(
                    LogPowerVectorAction(MeanGainsVector(gym.make_vec(ENV_ID, num_envs=3, **SETTING))), -1, 1
                )
            ),
            with_memory,
        ),
        (
            lambda: SB3VecEnv(gym.wrappers.vector.FlattenObservation(gym.make_vec(ENV_ID, num_envs=3, **SETTING))),
            lambda: FlattenObservation(plain()),
        ),
        (lambda: SB3VecEnv(CurriculumVectorEnv(ENV_ID, Curriculum([Stage()]), 2, **SETTING)), plain),
    ],
)
def test_the_same_wrappers_in_single_and_vector_form_and_those_that_change_nothing_pass(trained, given):
    env = trained()
    policy = "MlpPolicy" if isinstance(env.observation_space, gym.spaces.Box) else "MultiInputPolicy"
    model = ppo(env, policy)
    (allocation,), _ = decided(AgentPolicy(model, given()), blocks=1)
    shown = given().reset(seed=3)[0]
    action, _ = model.predict(shown, deterministic=True)
    wrapped = given()
    wrapped.reset(seed=3)
    *_, info = wrapped.step(action)
    np.testing.assert_allclose(allocation.offload, info["offload"], rtol=1e-4)
    env.close()


def test_a_model_that_was_trained_behind_padding_needs_its_padding():
    stages = Curriculum([Stage({"num_users": 2}), Stage({"num_users": 3})])
    env = CurriculumVectorEnv(ENV_ID, stages, 2, num_subcarriers=1, num_aps=9)
    normaliser = VecNormalize(SB3VecEnv(env), norm_obs_keys=["signal", "interference", "task"])
    model = ppo(normaliser).learn(32)
    with pytest.raises(ValueError, match=r"the model was trained behind .* with observations in"):
        AgentPolicy(model, plain())
    observation, _ = plain().reset(seed=0)
    padding = env.paddings[0]
    action, _ = PaddedAgent(model, padding).predict(observation)
    seen = normaliser.normalize_obs(padding.observation(observation))
    np.testing.assert_array_equal(action, padding.action(model.predict(seen, deterministic=True)[0]))
    with pytest.raises(ValueError, match="use predict"):
        PaddedAgent(model, padding).allocate(observation, block_of(0))
