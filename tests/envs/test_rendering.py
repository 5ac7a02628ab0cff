"""Frames are pictures that change with what users experience."""

import gymnasium as gym
import numpy as np
import pytest

from ..settings import ENV_IDS


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_frames_show_the_last_block(env_id):
    env = gym.make(env_id, render_mode="rgb_array")
    env.reset(seed=0)
    before = env.render()
    env.step(np.full(env.action_space.shape, 0.5, np.float32))
    after = env.render()
    for frame in (before, after):
        assert frame.dtype == np.uint8
        assert frame.shape == (560, 640, 3)
        assert len(np.unique(frame)) > 50
    assert (before != after).any()


def test_the_vector_environment_draws_every_row():
    envs = gym.make_vec("MECCellFree-v0", num_envs=2, render_mode="rgb_array")
    envs.reset(seed=0)
    first, second = envs.render()
    assert (first != second).any()


def test_without_a_render_mode_there_is_no_picture():
    env = gym.make("MECCellFree-v0").unwrapped
    env.reset(seed=0)
    assert env.render() is None
