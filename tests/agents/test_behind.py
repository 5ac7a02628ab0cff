"""Whatever lies between a model and its environment at training lies between them at evaluation, or it refuses."""

import functools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import FlattenObservation, NormalizeObservation, RescaleAction, TimeAwareObservation
from sb3_contrib import RecurrentPPO
from stable_baselines3 import PPO, SAC
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
    Padding,
    SB3VecEnv,
    Stage,
)

ENV_ID = "MECCellFree-v0"
SETTING = {"num_users": 2, "num_subcarriers": 1, "num_aps": 9, "episode_blocks": 5}
PPO_SETTINGS = {"n_steps": 16, "batch_size": 16, "n_epochs": 1, "seed": 0, "device": "cpu"}


def plain():
    return gym.make(ENV_ID, **SETTING)


def decibels(env=None, least_db=-40.0):
    env = LogPowerAction(env or plain(), least_db)
    return RescaleAction(env, np.float32(-1), np.float32(1))


def with_memory():
    return decibels(MeanGains(plain()))


def ppo(env, policy="MultiInputPolicy"):
    return PPO(policy, env, **PPO_SETTINGS)


def decided(policy, blocks=3, seed=3):
    """Return the allocations of a policy in an episode of the plain environment, and its observations."""
    env = plain()
    observation, _ = env.reset(seed=seed)
    policy.reset(seed)
    allocations, observations = [], []
    for _ in range(blocks):
        observations.append(observation)
        allocations.append(policy.allocate(observation, env.unwrapped.block))
        observation, *_ = env.step(env.unwrapped.encode(allocations[-1].power, allocations[-1].offload))
    return allocations, observations


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


def test_statistics_are_those_of_the_time_of_the_decision():
    normaliser = VecNormalize(DummyVecEnv([decibels] * 4))
    model = ppo(normaliser)
    policy = AgentPolicy(model, decibels())
    model.learn(64)
    _, (observation, *_) = decided(policy)
    action, _ = model.predict(normaliser.normalize_obs(observation), deterministic=True)
    power = policy.allocate(observation, block_of(3)).power
    np.testing.assert_allclose(power[0], 10 ** ((action * 20 - 20) / 10), rtol=1e-5)


def block_of(seed):
    env = plain()
    env.reset(seed=seed)
    return env.unwrapped.block


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
