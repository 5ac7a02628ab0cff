"""CurriculumEnv and CurriculumVectorEnv: when stages change, what is seen of them, and seeds."""

import json
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import RescaleAction
from gymnasium.wrappers.vector import RescaleAction as VectorRescaleAction

from mec_cf_gym.agents import (
    Curriculum,
    CurriculumEnv,
    CurriculumVectorEnv,
    LogPowerAction,
    LogPowerVectorAction,
    Promotion,
    Stage,
)

ID = "MECCellFree-v0"
GROWING = Curriculum(
    [
        Stage({"num_users": 2, "num_subcarriers": 2}, Promotion(most_steps=6)),
        Stage({"num_users": 4, "num_subcarriers": 1}, Promotion(gap=0.1)),
        Stage({"num_users": 3, "num_subcarriers": 2, "radius_m": 500.0}),
    ]
)
SPREADING = Curriculum(
    [
        Stage({"radius_m": 100.0}, Promotion(most_steps=4)),
        Stage({"radius_m": 1000.0, "mobility": "random_waypoint"}),
    ]
)
SMALL = {"num_aps": 8, "episode_blocks": 4}


def decibels(env):
    return RescaleAction(LogPowerAction(env), np.float32(-1), np.float32(1))


def vector_decibels(env):
    return VectorRescaleAction(LogPowerVectorAction(env), np.float32(-1), np.float32(1))


def single(curriculum=GROWING, **fields):
    return CurriculumEnv(ID, curriculum, **{**SMALL, **fields})


def vector(curriculum=GROWING, num_envs=3, **fields):
    return CurriculumVectorEnv(ID, curriculum, num_envs, **{**SMALL, **fields})


def play(env, steps, seed=None):
    """Step with random actions, resetting as episodes end; return stages, observations and rewards by step."""
    env.action_space.seed(0)
    if seed is not None:
        env.reset(seed=seed)
    log = []
    for _ in range(steps):
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert env.observation_space.contains(observation)
        log.append((info["stage"], observation, reward))
        if np.ndim(truncated) == 0 and (terminated or truncated):
            env.reset()
    return log


def test_gymnasium_accepts_the_environment():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it would have symmetric boxes, and a spec
        check_env(single(), skip_render_check=True)


def test_a_stage_that_was_promoted_begins_with_the_next_reset():
    env = single()
    stages = [stage for stage, _, _ in play(env, 12, seed=0)]
    assert stages == [0] * 8 + [1] * 4  # six steps are up in the second episode of four
    assert env.steps_in_stage == 4
    assert env.unwrapped.scenario.layout.num_users == 4


def test_masks_show_what_is_there():
    env = single()
    sizes = []
    for stage in range(3):
        env.set_stage(stage)
        observation, info = env.reset(seed=0)
        assert info == {"stage": stage}
        sizes.append(observation["mask"].sum(axis=1).tolist())
    assert sizes == [[2, 2], [4, 0], [3, 3]]


def test_a_stage_is_the_environment_that_it_names():
    env = single(wrap=decibels, reward="log_latency")
    env.set_stage(2)
    observation, _ = env.reset(seed=7)
    plain = decibels(gym.make(ID, **SMALL, reward="log_latency", **GROWING.stages[2].fields))
    own, _ = plain.reset(seed=7)
    np.testing.assert_array_equal(observation["signal"][:2, :3], own["signal"])
    action = env.action_space.sample()
    ours, theirs = env.step(action), plain.step(action.reshape(2, 4)[:, :3].ravel())
    assert ours[1] == theirs[1]
    np.testing.assert_array_equal(ours[0]["interference"][:2, :3, :3], theirs[0]["interference"])


@pytest.mark.parametrize("make", [single, vector])
def test_the_same_seed_gives_the_same_run_over_stages(make):
    for (stage, seen, reward), (other_stage, other_seen, other_reward) in zip(
        play(make(), 20, seed=3), play(make(), 20, seed=3), strict=True
    ):
        np.testing.assert_array_equal(stage, other_stage)
        np.testing.assert_array_equal(reward, other_reward)
        np.testing.assert_array_equal(seen["signal"], other_seen["signal"])


def test_stages_of_one_size_are_not_padded():
    env = single(SPREADING)
    plain = gym.make(ID, **SMALL)
    assert (env.observation_space, env.action_space) == (plain.observation_space, plain.action_space)
    assert [stage for stage, _, _ in play(env, 8, seed=0)] == [0] * 4 + [1] * 4


def test_all_rows_change_together_as_their_episodes_end():
    env = vector(wrap=vector_decibels)
    stages = np.array([stage for stage, _, _ in play(env, 10, seed=0)])
    assert stages.T.tolist() == [[0] * 4 + [1] * 6] * 3
    assert env.steps_in_stage == 3 * 4  # the first of the six only reset, and so did the last
    assert env.unwrapped.scenario.layout.num_users == 4


def test_a_new_stage_returns_its_first_observation_on_the_step_after_the_last():
    env = vector()
    env.reset(seed=0)
    env.set_stage(2)
    for _ in range(4):
        seen, rewards, _, truncations, info = env.step(env.action_space.sample())
        assert seen["mask"][0].sum() == 4
    assert truncations.all()
    seen, rewards, terminations, truncations, info = env.step(env.action_space.sample())
    assert (rewards == 0).all()
    assert not (terminations | truncations).any()
    assert info["stage"].tolist() == [2] * 3
    assert seen["mask"][0].sum() == 6


def test_rows_that_end_truncate_the_others_once_a_stage_was_promoted():
    env = vector()
    env.reset(seed=0)
    env.step(env.action_space.sample())
    env.reset(options={"reset_mask": np.array([True, False, False])})
    env.set_stage(1)
    ended = []
    for _ in range(3):
        _, _, _, truncations, _ = env.step(env.action_space.sample())
        ended.append(truncations.tolist())
    assert ended == [[False] * 3, [False] * 3, [True] * 3]
    with pytest.raises(ValueError, match="reset_mask"):
        env.reset(options={"reset_mask": np.array([True, False, False])})
    _, info = env.reset(options={"reset_mask": np.ones(3, np.bool_)})
    assert info["stage"].tolist() == [1] * 3


def test_rows_of_different_age_go_on_as_they_are_without_a_promotion():
    env = vector(Curriculum([Stage({"num_users": 2}), Stage({"num_users": 3})]))
    env.reset(seed=0)
    env.step(env.action_space.sample())
    env.reset(options={"reset_mask": np.array([True, False, False])})
    ended = [env.step(env.action_space.sample())[3].tolist() for _ in range(4)]
    assert ended == [[False] * 3, [False] * 3, [False, True, True], [True, False, False]]


def test_a_partial_reset_leaves_the_stage():
    env = vector()
    env.reset(seed=0)
    env.advance()
    _, info = env.reset(options={"reset_mask": np.array([True, False, False])})
    assert info["stage"].tolist() == [0] * 3


@pytest.mark.parametrize("make", [single, vector])
def test_a_run_resumes_in_its_stage(make):
    env = make()
    play(env, 11, seed=0)
    state = json.loads(json.dumps(env.state_dict()))
    assert state["stage"] == 1
    resumed = make()
    resumed.load_state_dict(state)
    _, info = resumed.reset(seed=0)
    assert np.all(info["stage"] == 1)
    assert resumed.state_dict() == state


@pytest.mark.parametrize("make", [single, vector])
def test_a_bad_reset_leaves_the_stage(make):
    env = make()
    env.reset(seed=0)
    env.advance()
    with pytest.raises(ValueError, match="seed"):
        env.reset(seed=-1)
    env.step(env.action_space.sample())
    assert env.stage == 0


@pytest.mark.parametrize(
    ("env_id", "stages", "fields", "name"),
    [
        (ID, [{}, {"observation": "csi"}], {}, r"observations of stages\[1\]"),
        (ID, [{}, {"num_aps": 9}], {"observation": "csi"}, r"observations of stages\[1\]"),
        ("MECUserCentric-v0", [{}, {"num_aps": 16}], {"num_aps": 9, "num_users": 5}, r"stages\[1\]"),
        ("MECUserCentric-v0", [{}, {"computing_control": "least"}], {"num_aps": 9}, r"actions of stages\[1\]"),
        (ID, [{}, {"deployment": "cellular"}], {}, "deployment"),
        (ID, [{}, {"num_users": 20, "combiner": "zf"}], {"num_aps": 8}, "num_users"),
        ("CartPole-v1", [{}], {}, "env_id"),
    ],
)
def test_stages_that_padding_cannot_bring_together_are_refused(env_id, stages, fields, name):
    curriculum = Curriculum([Stage(stage) for stage in stages])
    with pytest.raises(ValueError, match=name):
        CurriculumEnv(env_id, curriculum, **fields)
    if env_id != "CartPole-v1":
        with pytest.raises(ValueError, match=name):
            CurriculumVectorEnv(env_id, curriculum, **fields)


def test_paper_b_grows_in_users():
    curriculum = Curriculum([Stage({"num_users": 4}, Promotion(most_steps=2)), Stage({"num_users": 8})])
    env = CurriculumVectorEnv(
        "MECMultiCell-v0", curriculum, 2, wrap=vector_decibels, antennas_per_base_station=4, episode_blocks=2
    )
    log = play(env, 6, seed=0)
    assert [int(stage[0]) for stage, _, _ in log] == [0, 0, 1, 1, 1, 1]


def test_a_dynamic_world_grows_in_users_and_load():
    stages = [
        Stage({"num_users": 2, "tasks_per_s": 500.0}, Promotion(most_steps=4)),
        Stage({"num_users": 4, "tasks_per_s": 4000.0}),
    ]
    env = CurriculumVectorEnv("MECCellFreeDynamic-v0", Curriculum(stages), 2, num_aps=8, episode_blocks=2)
    assert env.single_observation_space["queue"].shape[0] == 4
    seen, _ = env.reset(seed=0)
    assert (seen["queue"][:, 2:] == -1).all()
    log = play(env, 6, seed=0)
    assert [int(stage[0]) for stage, _, _ in log] == [0, 0, 1, 1, 1, 1]
    assert (env.unwrapped.block.backlog.prospects.tasks_per_s == 4000.0).all()


def test_an_action_of_another_shape_is_refused():
    env = single()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action has shape"):
        env.step(np.zeros(3))
