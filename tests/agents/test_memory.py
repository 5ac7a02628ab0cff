"""Observations with the mean of the gains seen in the episode: what is averaged, and when it is forgotten."""

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.agents import LogPowerAction, MeanGains, MeanGainsVector, RunningMean, SB3VecEnv
from mec_cf_gym.envs.observation import ratio_of

ENV_ID = "MECCellFreeDelayed-v0"
SMALL = {"num_users": 3, "num_aps": 8, "csi_delay_blocks": 2, "task_bits": (500.0, 2000.0)}


def assert_equal(seen, expected):
    assert seen.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(seen[name], values, err_msg=name)


def shown_by(env, blocks):
    """Return what an environment shows from block to block."""
    first, _ = env.reset(seed=3)
    return [first, *(env.step(env.action_space.sample())[0] for _ in range(blocks - 1))]


@pytest.mark.parametrize("observation", ["gains", "csi"])
def test_linear_gains_are_averaged_and_tasks_are_current(observation):
    plain = shown_by(gym.make(ENV_ID, **SMALL, observation=observation), 5)
    env = MeanGains(gym.make(ENV_ID, **SMALL, observation=observation))
    assert env.observation_space == env.unwrapped.observation_space
    for block, seen in enumerate(shown_by(env, 5)):
        assert env.observation_space.contains(seen)
        np.testing.assert_array_equal(seen["task"], plain[block]["task"])
        for name in seen.keys() - {"task"}:
            mean = np.mean([ratio_of(earlier[name]) for earlier in plain[: block + 1]], axis=0)
            np.testing.assert_allclose(ratio_of(seen[name]), mean, rtol=1e-4, atol=1e-6)


def test_a_reset_forgets():
    env = MeanGains(gym.make(ENV_ID, **SMALL))
    first, _ = env.reset(seed=5)
    env.step(env.action_space.sample())
    assert_equal(env.reset(seed=5)[0], first)


def test_every_row_equals_the_single_environment_through_autoresets():
    envs = MeanGainsVector(gym.make_vec(ENV_ID, num_envs=3, episode_blocks=3, **SMALL))
    env = MeanGains(gym.make(ENV_ID, episode_blocks=3, **SMALL))
    seen, _ = envs.reset(seed=7)
    expected, _ = env.reset(seed=8)
    over = False
    for _ in range(9):
        assert_equal({name: values[1] for name, values in seen.items()}, expected)
        actions = envs.action_space.sample()
        seen, *_ = envs.step(actions)
        if over:
            (expected, _), over = env.reset(), False
        else:
            expected, _, _, over, _ = env.step(actions[1])


def test_a_partial_reset_forgets_those_rows_and_counts_the_others_once():
    envs = MeanGainsVector(gym.make_vec(ENV_ID, num_envs=3, episode_blocks=3, **SMALL))
    envs.reset(seed=0)
    for _ in range(2):
        before, *_ = envs.step(envs.action_space.sample())
    mask = np.array([False, True, False])
    seen, _ = envs.reset(seed=20, options={"reset_mask": mask})
    alone = MeanGains(gym.make(ENV_ID, episode_blocks=3, **SMALL))
    for name, values in alone.reset(seed=21)[0].items():
        np.testing.assert_array_equal(seen[name][~mask], before[name][~mask])
        np.testing.assert_array_equal(seen[name][1], values)
    assert envs.mean.blocks.tolist() == [3, 1, 3]
    for blocks in ([4, 2, 4], [1, 3, 1], [2, 4, 2], [3, 1, 3]):  # rows end, and begin again, out of step
        envs.step(envs.action_space.sample())
        assert envs.mean.blocks.tolist() == blocks


def test_rows_that_ended_and_are_reset_at_once_as_stable_baselines3_does():
    envs = MeanGainsVector(gym.make_vec(ENV_ID, num_envs=2, episode_blocks=2, **SMALL))
    venv = SB3VecEnv(envs)
    venv.seed(4)
    venv.reset()
    single = MeanGains(gym.make(ENV_ID, episode_blocks=2, **SMALL))
    single.reset(seed=5)
    for _ in range(2):
        actions = envs.action_space.sample()
        seen, _, dones, infos = venv.step(actions)
        last, *_ = single.step(actions[1])
    assert dones.all()
    assert_equal(infos[1]["terminal_observation"], last)
    assert_equal({name: values[1] for name, values in seen.items()}, single.reset()[0])
    assert envs.mean.blocks.tolist() == [1, 1]


def test_an_agent_carries_it_as_plain_arrays():
    plain = shown_by(gym.make(ENV_ID, **SMALL), 4)
    env = MeanGains(gym.make(ENV_ID, **SMALL))
    env.reset(seed=3)
    state = RunningMean.start(plain[0])[:3]
    for seen in plain[1:]:
        env.step(env.action_space.sample())
        state = RunningMean(*state).update(seen)[:3]
        assert all(type(part) is np.ndarray for part in state)
        assert_equal(RunningMean(*state).shown(seen), env.mean.shown(seen))
    begun = RunningMean(*state).update(plain[0], starts=np.array(True))
    assert_equal(begun.shown(plain[0]), RunningMean.start(plain[0]).shown(plain[0]))


@given(starts=st.lists(st.lists(st.booleans(), min_size=2, max_size=2), min_size=1, max_size=8))
def test_means_are_over_the_blocks_since_the_start(starts):
    rng = np.random.default_rng(0)
    seen = [
        {"signal": rng.random((2, 1, 3)), "interference": rng.random((2, 1, 3, 3))} for _ in range(len(starts) + 1)
    ]
    mean = RunningMean.start(seen[0])
    for observation, begun in zip(seen[1:], starts, strict=True):
        mean = mean.update(observation, begun)
    for row in range(2):
        first = max((block for block, begun in enumerate(starts, 1) if begun[row]), default=0)
        expected = np.mean([ratio_of(each["interference"][row]) for each in seen[first:]], axis=0)
        np.testing.assert_allclose(mean.interference[row], expected)
        assert mean.blocks[row] == len(seen) - first


def test_the_split_of_a_log_power_action_follows_the_gains_it_is_shown():
    """Over ``MeanGains`` the split answers the means; beneath it, the last gains."""
    power_db = np.zeros(3, np.float32)
    offload = {}
    for name, wrap in {
        "over": lambda env: LogPowerAction(MeanGains(env)),
        "beneath": lambda env: MeanGains(LogPowerAction(env)),
    }.items():
        env = wrap(gym.make(ENV_ID, **SMALL))
        env.reset(seed=0)
        offload[name] = [env.step(power_db)[4]["offload"] for _ in range(3)]
    np.testing.assert_array_equal(offload["over"][0], offload["beneath"][0])
    assert (offload["over"][2] != offload["beneath"][2]).all()


def test_observations_without_gains_are_refused():
    with pytest.raises(ValueError, match=r"observation=.*no interference and no signal"):
        RunningMean.start({"task": np.zeros((3, 4))})
