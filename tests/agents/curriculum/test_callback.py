"""CurriculumCallback: validation networks promote, the log tells, runs resume, with several algorithms."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers.vector import RescaleAction
from stable_baselines3 import DDPG, PPO, SAC
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mec_cf_gym.agents import (
    Curriculum,
    CurriculumCallback,
    CurriculumVectorEnv,
    EquivariantPolicy,
    LogPowerVectorAction,
    Promotion,
    SB3VecEnv,
    Stage,
    Validation,
)

ID = "MECCellFree-v0"
TINY = {"num_aps": 8, "num_subcarriers": 1, "episode_blocks": 2, "reward": "log_latency"}
SMALL = {"rounds": 1, "width": 4, "hidden": 8}
PPO_SETTINGS = {"n_steps": 8, "batch_size": 16, "n_epochs": 1}
OFF_POLICY = {"learning_starts": 8, "buffer_size": 200}
MODELS = {
    "ppo-mlp": (PPO, "MultiInputPolicy", PPO_SETTINGS),
    "ppo-equivariant": (PPO, EquivariantPolicy, PPO_SETTINGS | {"policy_kwargs": dict(SMALL)}),
    "sac-equivariant": (SAC, EquivariantPolicy, OFF_POLICY | {"policy_kwargs": dict(SMALL)}),
    "ddpg-mlp": (DDPG, "MultiInputPolicy", OFF_POLICY),
}


def decibels(env):
    return RescaleAction(LogPowerVectorAction(env), np.float32(-1), np.float32(1))


def course(promotion, num_envs=4):
    stages = [Stage({"num_users": 2}, promotion), Stage({"num_users": 4})]
    return CurriculumVectorEnv(ID, Curriculum(stages), num_envs, wrap=decibels, **TINY)


@pytest.mark.parametrize("name", MODELS)
def test_a_gap_on_validation_networks_promotes(name):
    algorithm, policy, settings = MODELS[name]
    env = course(Promotion(gap=100.0, least_steps=16))
    model = algorithm(policy, SB3VecEnv(env), seed=0, **settings)
    model.learn(64, callback=CurriculumCallback(every_steps=16, networks=2))
    assert env.stage == 1
    assert all(parameter.isfinite().all() for parameter in model.policy.parameters())


@pytest.mark.parametrize("promotion", [Promotion(gap=1e-9), Promotion(reward=99.0)])
def test_a_goal_that_is_not_reached_promotes_nothing(promotion):
    env = course(promotion)
    model = PPO("MultiInputPolicy", SB3VecEnv(env), seed=0, **PPO_SETTINGS)
    model.learn(64, callback=CurriculumCallback(every_steps=16, networks=2))
    assert env.state_dict() == {"stage": 0, "steps_in_stage": 64}


def test_stage_gap_and_reward_are_in_the_log(tmp_path):
    env = course(Promotion(reward=-99.0, least_steps=32))
    model = DDPG("MultiInputPolicy", SB3VecEnv(env), seed=0, tensorboard_log=tmp_path, **OFF_POLICY)
    model.learn(64, callback=CurriculumCallback(every_steps=16, networks=2), tb_log_name="run")
    log = EventAccumulator(str(tmp_path / "run_1")).Reload()
    assert [(e.step, e.value) for e in log.Scalars("curriculum/stage")] == [(16, 0), (32, 0), (48, 1), (64, 1)]
    gaps = [e.value for e in log.Scalars("curriculum/gap")]
    assert all(gap > 0 for gap in gaps)
    assert len(set(gaps)) > 1
    assert [e.step for e in log.Scalars("curriculum/reward")] == [16, 32, 48, 64]


def test_the_gap_is_that_of_the_agent_on_networks_without_padding():
    env = course(Promotion(most_steps=10))
    model = PPO(EquivariantPolicy, SB3VecEnv(env), seed=0, policy_kwargs=dict(SMALL), **PPO_SETTINGS)
    callback = CurriculumCallback(networks=3)
    callback.init_callback(model)
    callback.on_training_start({}, {})
    validation = Validation(ID, env.scenarios[0], 3, wrap=decibels)
    own = model.policy.resized(validation.env.single_observation_space, validation.env.single_action_space)

    class Own:
        def predict(self, observation, state=None):
            return own.predict(observation, deterministic=True)

    assert callback.judge().mean == pytest.approx(validation.gap(Own()).mean, rel=1e-3)


def test_observations_may_be_normalised():
    env = VecNormalize(VecMonitor(SB3VecEnv(course(Promotion(gap=100.0)))))
    model = PPO("MultiInputPolicy", env, seed=0, **PPO_SETTINGS)
    model.learn(64, callback=CurriculumCallback(every_steps=16, networks=2))
    assert env.get_attr("stage") == [1] * 4


def test_a_run_resumes_in_its_stage():
    before = course(Promotion(most_steps=16))
    model = PPO("MultiInputPolicy", SB3VecEnv(before), seed=0, **PPO_SETTINGS)
    model.learn(32, callback=CurriculumCallback(every_steps=16, networks=2))
    after = course(Promotion(most_steps=16))
    after.load_state_dict(before.state_dict())
    model.set_env(SB3VecEnv(after))
    model.learn(32, callback=CurriculumCallback(every_steps=16, networks=2), reset_num_timesteps=False)
    assert after.stage == 1
    assert after.steps_in_stage == before.steps_in_stage + 32


def test_an_environment_without_a_curriculum_is_refused():
    model = PPO("MultiInputPolicy", SB3VecEnv(gym.make_vec(ID, num_envs=2, **TINY)), **PPO_SETTINGS)
    with pytest.raises(ValueError, match="CurriculumVectorEnv"):
        model.learn(16, callback=CurriculumCallback())


@pytest.mark.parametrize("arguments", [{"every_steps": 0}, {"networks": 1}, {"blocks": 0}])
def test_bad_arguments_are_refused_by_name(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=name):
        CurriculumCallback(**arguments)
