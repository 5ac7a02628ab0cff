"""Observations that show which part of an episode is over."""

import gymnasium as gym
import numpy as np

from mec_cf_gym.agents import ElapsedTime, ElapsedTimeVector

ENV_ID, SMALL = "MECCellFreeDynamic-v0", {"num_users": 2, "num_aps": 8, "episode_blocks": 4}


def test_it_counts_from_zero_and_begins_anew_with_an_episode():
    env = ElapsedTime(gym.make(ENV_ID, **SMALL))
    for _ in range(2):
        shown = [env.reset(seed=0)[0], *(env.step(env.action_space.sample())[0] for _ in range(4))]
        assert [float(seen["elapsed"][0]) for seen in shown] == [0, 0.25, 0.5, 0.75, 1]
        assert all(env.observation_space.contains(seen) for seen in shown)


def test_rows_count_for_themselves_through_autoresets_and_masked_resets():
    env = ElapsedTimeVector(gym.make_vec(ENV_ID, num_envs=2, **SMALL))

    def step():
        return env.step(env.action_space.sample())[0]["elapsed"][:, 0].tolist()

    env.reset(seed=0)
    assert [step(), step()] == [[0.25, 0.25], [0.5, 0.5]]
    seen, _ = env.reset(options={"reset_mask": np.array([True, False])})
    assert seen["elapsed"][:, 0].tolist() == [0, 0.5]
    assert env.observation_space.contains(seen)
    assert [step(), step(), step()] == [[0.25, 0.75], [0.5, 1], [0.75, 0]]
