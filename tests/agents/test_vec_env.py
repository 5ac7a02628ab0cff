"""The native vector environment behind Stable-Baselines3's interface equals its own ``DummyVecEnv``."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor

from mec_cf_gym.agents import LogPowerVectorAction, SB3VecEnv

from ..settings import ENV_IDS, SMALL

SHORT = SMALL | {"episode_blocks": 3}


def native(env_id="MECCellFree-v0", rows=2, **fields):
    return gym.make_vec(env_id, num_envs=rows, **SHORT, **fields)


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_it_equals_a_list_of_single_environments_over_episodes(env_id):
    ours = SB3VecEnv(native(env_id))
    theirs = DummyVecEnv([lambda: gym.make(env_id, **SHORT)] * 2)
    ours.seed(7), theirs.seed(7)
    seen, expected = ours.reset(), theirs.reset()
    for step in range(1, 8):
        for name in expected:
            np.testing.assert_array_equal(seen[name], expected[name])
        actions = np.stack([ours.action_space.sample() for _ in range(2)])
        seen, rewards, dones, infos = ours.step(actions)
        expected, expected_rewards, expected_dones, expected_infos = theirs.step(actions)
        np.testing.assert_array_equal(rewards, expected_rewards)
        np.testing.assert_array_equal(dones, expected_dones)
        assert dones.all() == (step % 3 == 0)
        for info, expected_info in zip(infos, expected_infos, strict=True):
            np.testing.assert_array_equal(info["latency_s"], expected_info["latency_s"])
            if step % 3 == 0:
                assert info["TimeLimit.truncated"]
                last, expected_last = info["terminal_observation"], expected_info["terminal_observation"]
                np.testing.assert_array_equal(last["signal"], expected_last["signal"])


def test_a_seed_holds_for_the_next_reset_only():
    env = SB3VecEnv(native())
    env.seed(3)
    first, second = env.reset()["signal"], env.reset()["signal"]
    assert not np.array_equal(first, second)
    env.seed(3)
    np.testing.assert_array_equal(env.reset()["signal"], first)


def test_options_of_the_next_reset_reach_the_environment():
    env = SB3VecEnv(native())
    env.reset()
    scenario = env.get_attr("scenario")[0].replace(radius_m=100.0)
    env.set_options({"scenario": scenario})
    env.reset()
    assert [s.layout.radius_m for s in env.get_attr("scenario")] == [100.0, 100.0]
    env.set_options([{"scenario": scenario}, {}])
    with pytest.raises(ValueError, match="all rows must have the same"):
        env.reset()


def test_attributes_and_methods_are_those_of_all_rows():
    env = SB3VecEnv(LogPowerVectorAction(native()))
    env.reset()
    (actions,) = env.env_method("encode", np.ones((2, 4, 3)), np.ones((2, 3)), indices=[0])
    assert actions.shape == (2, 15)
    assert env.env_is_wrapped(LogPowerVectorAction) == [True, True]
    assert env.env_is_wrapped(gym.wrappers.vector.RescaleAction, indices=0) == [False]


def test_ppo_learns_in_it():
    model = PPO("MultiInputPolicy", VecMonitor(SB3VecEnv(native())), n_steps=8, batch_size=8, device="cpu")
    model.learn(32)
    assert model.num_timesteps == 32
    assert model.ep_info_buffer[0]["l"] == 3


def test_other_environments_are_refused():
    with pytest.raises(ValueError, match="it must be a vector environment"):
        SB3VecEnv(gym.make("MECCellFree-v0"))
    same_step = SyncVectorEnv([lambda: gym.make("MECCellFree-v0")], autoreset_mode=AutoresetMode.SAME_STEP)
    with pytest.raises(ValueError, match="autoreset on the next step"):
        SB3VecEnv(same_step)
