"""The vector environment: one row equals the single environment, resets are partial, autoreset is declared."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode

from mec_cf_gym import Scenario

from ..settings import PAPER_A_IDS, PAPER_B_IDS, SIX_USERS

PLAIN = {"num_aps": 16, "num_users": 4, "num_subcarriers": 2}
DYNAMIC = {
    "fading": "gauss_markov",
    "mobility": "random_waypoint",
    "speed_m_per_s": (5.0, 300.0),
    "block_s": 0.01,
    "radius_m": 30.0,
    "task_bits": (500.0, 2000.0),
    "local_hz": (0.5e9, 2e9),
    "csi_error_variance": 0.1,
    "observation": "csi",
}


SNAPSHOTS = SIX_USERS | {"pilot_samples": 3}
FADING_SNAPSHOTS = SNAPSHOTS | {
    "fading": "gauss_markov",
    "speed_m_per_s": (5.0, 300.0),
    "computing_control": "least",
    "local_computing": True,
    "user_drop": "uniform",
    "observation": "csi",
    "deadline_s": (0.1, 0.5),
}
CASES = [
    *((env_id, fields) for env_id in PAPER_A_IDS for fields in (PLAIN, PLAIN | DYNAMIC)),
    *((env_id, fields) for env_id in PAPER_B_IDS for fields in (SNAPSHOTS, FADING_SNAPSHOTS)),
]


def assert_row_equals(batch, row, single):
    for key, value in single.items():
        np.testing.assert_array_equal(batch[key][row], value, err_msg=key)


@pytest.mark.parametrize(("env_id", "fields"), CASES)
@pytest.mark.parametrize("num_envs", [1, 64])
def test_every_row_equals_the_single_environment_with_its_seed(env_id, num_envs, fields):
    envs = gym.make_vec(env_id, num_envs=num_envs, episode_blocks=4, **fields)
    env = gym.make(env_id, episode_blocks=4, **fields)
    for row in {0, num_envs // 3, num_envs - 1}:
        observations, _ = envs.reset(seed=100)
        observation, _ = env.reset(seed=100 + row)
        rng = np.random.default_rng(row)
        for _ in range(4):
            assert_row_equals(observations, row, observation)
            actions = rng.random(envs.action_space.shape, np.float32)
            observations, rewards, _, truncations, infos = envs.step(actions)
            observation, reward, _, truncated, info = env.step(actions[row])
            assert rewards[row] == reward
            assert truncations[row] == truncated
            assert_row_equals(infos, row, info)
        assert truncated
        observations, rewards, *_ = envs.step(actions)
        observation, _ = env.reset()
        assert_row_equals(observations, row, observation)
        assert rewards[row] == 0


def test_seeds_may_be_given_row_by_row():
    envs = gym.make_vec("MECCellFree-v0", num_envs=3)
    by_list, _ = envs.reset(seed=[5, 9, 6])
    assert envs.np_random_seed == (5, 9, 6)
    first, _ = envs.reset(seed=5)
    assert envs.np_random_seed == (5, 6, 7)
    np.testing.assert_array_equal(by_list["signal"][[0, 2]], first["signal"][[0, 1]])


def test_a_partial_reset_leaves_the_other_rows_as_they_are():
    envs = gym.make_vec("MECCellFree-v0", num_envs=4, episode_blocks=3)
    envs.reset(seed=0)
    before, *_ = envs.step(envs.action_space.sample())
    mask = np.array([True, False, True, False])
    after, _ = envs.reset(seed=50, options={"reset_mask": mask})
    np.testing.assert_array_equal(after["signal"][~mask], before["signal"][~mask])
    expected, _ = gym.make("MECCellFree-v0").reset(seed=52)
    assert_row_equals(after, 2, expected)
    truncations = [envs.step(envs.action_space.sample())[3].tolist() for _ in range(3)]
    assert truncations == [[False] * 4, [False, True, False, True], [True, False, True, False]]


@pytest.mark.parametrize("env_id", PAPER_B_IDS)
@pytest.mark.parametrize("fields", [{}, {"server": "dedicated"}], ids=["shared", "dedicated"])
def test_a_partial_reset_of_snapshots(env_id, fields):
    fields = SNAPSHOTS | fields
    envs = gym.make_vec(env_id, num_envs=3, episode_blocks=3, **fields).unwrapped
    envs.reset(seed=0)
    envs.step(envs.action_space.sample())
    kept, mask = envs.block, np.array([False, True, False])
    observations, _ = envs.reset(seed=50, options={"reset_mask": mask})
    single = gym.make(env_id, episode_blocks=3, **fields)
    assert_row_equals(observations, 1, single.reset(seed=51)[0])
    np.testing.assert_array_equal(envs.block.receiver.channel[~mask], kept.receiver.channel[~mask])
    assert (envs.block.receiver.channel[mask] != kept.receiver.channel[mask]).any()
    assert (envs.block.servers is None) == (fields.get("server") == "dedicated")
    for _ in range(3):  # the others end first, and begin again while this row goes on
        actions = envs.action_space.sample()
        observations, rewards, *_ = envs.step(actions)
        observation, reward, *_ = single.step(actions[1])
        assert_row_equals(observations, 1, observation)
        assert rewards[1] == reward


def test_rows_out_of_step_autoreset_one_by_one():
    envs = gym.make_vec("MECCellFree-v0", num_envs=2, episode_blocks=2)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    envs.reset(seed=0)
    envs.step(envs.action_space.sample())
    envs.reset(options={"reset_mask": np.array([False, True])})
    *_, truncations, _ = envs.step(envs.action_space.sample())
    assert truncations.tolist() == [True, False]
    positions_m = envs.unwrapped.network.user_positions_m.copy()
    _, rewards, _, truncations, infos = envs.step(envs.action_space.sample())
    assert (rewards[0], rewards[1] < 0) == (0.0, True)
    assert infos["_latency_s"].tolist() == [False, True]
    assert truncations.tolist() == [False, True]
    moved = (envs.unwrapped.network.user_positions_m != positions_m).any((1, 2))
    assert moved.tolist() == [True, False]


def test_blocks_handed_out_are_never_written_to_again():
    envs = gym.make_vec("MECCellFree-v0", num_envs=2, episode_blocks=2)
    envs.reset(seed=0)
    block = envs.unwrapped.block
    kept = block.signal_gain.copy(), block.channel.copy()
    for _ in range(5):
        envs.step(envs.action_space.sample())
    envs.reset(seed=3, options={"reset_mask": np.array([True, False])})
    np.testing.assert_array_equal(block.signal_gain, kept[0])
    np.testing.assert_array_equal(block.channel, kept[1])


class TestScenarioOption:
    def test_it_takes_effect_at_the_reset_and_stays(self):
        env = gym.make("MECCellFree-v0", num_users=3, episode_blocks=1)
        env.reset(seed=0)
        harder = env.unwrapped.scenario.replace(radius_m=5000.0, combiner="zf", fading="gauss_markov")
        env.reset(seed=0, options={"scenario": harder})
        assert env.unwrapped.scenario == harder
        assert np.linalg.norm(env.unwrapped.network.user_positions_m, axis=-1).max() > 1000
        env.reset()
        assert env.unwrapped.scenario == harder

    def test_the_id_keeps_its_deployment(self):
        env = gym.make("MECCellular-v0", scenario=Scenario.paper_a())
        env.reset(seed=0, options={"scenario": Scenario.paper_a(radius_m=10.0)})
        assert env.unwrapped.scenario.layout.deployment == "cellular"

    @pytest.mark.parametrize(
        "change", [{"num_users": 4}, {"num_aps": 9}, {"num_subcarriers": 2}, {"observation": "csi"}]
    )
    def test_other_shapes_are_refused_and_nothing_changes(self, change):
        env = gym.make("MECCellFree-v0", num_users=3)
        env.reset(seed=0)
        before = env.unwrapped.scenario
        with pytest.raises(ValueError, match=next(iter(change))):
            env.reset(seed=1, options={"scenario": before.replace(**change)})
        assert env.unwrapped.scenario == before
        env.step(env.action_space.sample())

    def test_a_vector_environment_changes_it_in_all_rows_at_once(self):
        envs = gym.make_vec("MECCellFree-v0", num_envs=2)
        envs.reset(seed=0)
        wider = envs.unwrapped.scenario.replace(radius_m=3000.0)
        with pytest.raises(ValueError, match="reset_mask"):
            envs.reset(options={"scenario": wider, "reset_mask": np.array([True, False])})
        envs.reset(options={"scenario": wider})
        assert envs.unwrapped.scenario == wider


def test_the_first_reset_draws_all_rows():
    envs = gym.make_vec("MECCellFree-v0", num_envs=2)
    with pytest.raises(ResetNeeded):
        envs.step(envs.action_space.sample())
    with pytest.raises(ResetNeeded):
        envs.reset(options={"reset_mask": np.array([True, False])})
