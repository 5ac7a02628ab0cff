"""Environments whose users walk on a square: what a handover costs, and what infos say of it."""

import gymnasium as gym
import numpy as np
import pytest

from ..settings import PAPER_A_IDS, PAPER_B_IDS, SIX_USERS

WALK = SIX_USERS | {
    "mobility": "manhattan",
    "speed_m_per_s": (20.0, 40.0),
    "block_s": 0.1,
    "snapshot_blocks": 4,
    "handover_blocks": 3,
}
every_square = pytest.mark.parametrize("env_id", PAPER_B_IDS)


@every_square
def test_a_handover_costs_its_blocks_of_service_and_nothing_else(env_id):
    env = gym.make(env_id, **WALK)
    env.reset(seed=0)
    action = np.full(env.action_space.shape, 0.5, np.float32)
    handovers, lost = [], []
    for _ in range(100):
        block = env.unwrapped.block
        *_, info = env.step(action)
        silent = info["rate_bps"] == 0
        np.testing.assert_array_equal(silent, block.signal_gain[0] == 0)
        np.testing.assert_array_equal(silent, info["capped"])
        assert (block.interference_gain[0, ~silent][:, silent] > 0).all()  # others hear who sends all the same
        assert info["total_power_w"] == pytest.approx(6 * 0.5 * 0.1)
        handovers.append(info["handovers"])
        lost.append(silent)
    recent = np.array([sum(handovers[max(0, block - 2) : block + 1]) for block in range(100)])
    np.testing.assert_array_equal(np.array(lost), recent > 0)
    assert np.sum(handovers) > 5


@every_square
def test_rows_equal_single_environments_over_resets(env_id):
    envs, env = gym.make_vec(env_id, num_envs=3, episode_blocks=20, **WALK), gym.make(env_id, **WALK)
    rng = np.random.default_rng(0)
    envs.reset(seed=[0, 1, 2])
    for _ in range(9):  # the second row begins anew while the others are between two refreshes
        envs.step(envs.action_space.sample())
    observations, _ = envs.reset(seed=[None, 7, None], options={"reset_mask": np.array([False, True, False])})
    observation, _ = env.reset(seed=7)
    for _ in range(15):
        for name, values in observation.items():
            np.testing.assert_array_equal(observations[name][1], values, err_msg=name)
        actions = rng.random(envs.action_space.shape, np.float32)
        observations, rewards, _, _, infos = envs.step(actions)
        observation, reward, _, _, info = env.step(actions[1])
        assert rewards[1] == reward
        np.testing.assert_array_equal(infos["handovers"][1], info["handovers"])


@every_square
def test_observations_stay_in_their_space(env_id):
    env = gym.make(env_id, **WALK)
    observation, _ = env.reset(seed=1)
    for _ in range(40):
        assert env.observation_space.contains(observation)
        observation, reward, *_ = env.step(env.action_space.sample())
        assert np.isfinite(reward)


@pytest.mark.parametrize("env_id", PAPER_A_IDS + PAPER_B_IDS)
def test_networks_without_handovers_do_not_speak_of_them(env_id):
    env = gym.make(env_id, **SIX_USERS, **({"mobility": "random_waypoint"} if env_id in PAPER_A_IDS else {}))
    env.reset(seed=0)
    *_, info = env.step(env.action_space.sample())
    assert "handovers" not in info


def test_a_reset_may_go_on_with_users_who_walk():
    env = gym.make("MECUserCentric-v0", **SIX_USERS)
    env.reset(seed=0)
    walking = env.unwrapped.scenario.replace(
        **{name: WALK[name] for name in ("mobility", "speed_m_per_s", "block_s")}
    )
    env.reset(options={"scenario": walking})
    before_m = env.unwrapped.network.user_positions_m
    *_, info = env.step(env.action_space.sample())
    assert (env.unwrapped.network.user_positions_m != before_m).any(-1).all()
    assert info["handovers"].shape == (6,)
