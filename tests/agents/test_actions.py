"""Learners act in dB, and the environment receives the ratios, splits and shares that they stand for."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym import best_offload
from mec_cf_gym.agents import LogPower, LogPowerAction, LogPowerVectorAction

from ..settings import ENV_IDS, SMALL

SHARED = {"MECUserCentric-v0": {}, "MECMultiCell-v0": {"local_computing": True}}


def allocation(env, action):
    """Return what the environment makes of a learner's action."""
    seen, _ = env.reset(seed=0)
    return env.unwrapped.allocation(env.log_power.plain(np.asarray(action, np.float32), seen))


@given(st.lists(st.floats(-40, 0), min_size=3, max_size=3))
def test_powers_are_in_db_below_the_budget(powers_db):
    env = LogPowerAction(gym.make("MECCellFree-v0", num_subcarriers=1, **SMALL))
    np.testing.assert_allclose(allocation(env, powers_db).power[0], 10 ** (np.array(powers_db) / 10), rtol=1e-5)


def test_the_closed_form_split_is_the_best_for_the_powers_within_the_budget():
    env = LogPowerAction(gym.make("MECCellFree-v0", num_subcarriers=2, **SMALL))
    assert env.action_space.shape == (6,)
    taken = allocation(env, np.zeros(6))  # twice the budget: scaled back onto it
    np.testing.assert_allclose(taken.power, 0.5)
    np.testing.assert_allclose(taken.offload, best_offload(env.unwrapped.block, taken.power), rtol=1e-5)


def test_a_learned_split_is_passed_on_as_it_is():
    env = LogPowerAction(gym.make("MECCellFree-v0", num_subcarriers=1, **SMALL), split="as_is")
    assert env.action_space.shape == (6,)
    np.testing.assert_allclose(allocation(env, [0, -10, -20, 0.25, 0.5, 1]).offload, [0.25, 0.5, 1])


@pytest.mark.parametrize("env_id", SHARED)
def test_weights_divide_every_server_among_the_users_it_serves(env_id):
    env = LogPowerAction(gym.make(env_id, **SMALL, **SHARED[env_id]))
    assert env.action_space.shape == (6,)
    computing = allocation(env, [0, 0, 0, 0, -10, -20]).computing
    servers = env.unwrapped.block.servers
    weight = np.array([1, 0.1, 0.01])
    expected = servers.divided(np.broadcast_to(weight, servers.serves.shape), weight)
    np.testing.assert_allclose(computing.ap_hz, expected.ap_hz, rtol=1e-4)
    np.testing.assert_allclose(computing.cloud_hz, expected.cloud_hz, rtol=1e-4)


def test_equal_weights_are_equal_shares_also_for_the_best_split():
    env = LogPowerAction(gym.make("MECUserCentric-v0", local_computing=True, **SMALL))
    taken = allocation(env, np.full(6, -5.0))
    block = env.unwrapped.block
    np.testing.assert_allclose(taken.computing.total_hz, block.servers.equal_shares().total_hz, rtol=1e-4)
    np.testing.assert_allclose(taken.offload, best_offload(block, np.full((1, 3), 10**-0.5)), rtol=1e-2)


@pytest.mark.filterwarnings(
    "ignore:.*is different from the unwrapped version"
)  # it is the wrapper that is checked
@pytest.mark.filterwarnings("ignore:.*symmetric and normalized space")  # RescaleAction does that
@pytest.mark.parametrize("env_id", ENV_IDS)
@pytest.mark.parametrize("split", ["closed_form", "as_is"])
def test_it_keeps_gymnasiums_contract_and_the_vector_form_is_the_same(env_id, split):
    single = LogPowerAction(gym.make(env_id, **SMALL, episode_blocks=3), split=split)
    check_env(single, skip_render_check=True)
    vector = LogPowerVectorAction(gym.make_vec(env_id, num_envs=2, **SMALL, episode_blocks=3), split=split)
    assert vector.single_action_space == single.action_space
    single.reset(seed=5)
    vector.reset(seed=[5, 6])
    for _ in range(3):
        actions = vector.action_space.sample()
        seen, reward, _, truncated, _ = single.step(actions[0])
        observations, rewards, _, truncations, _ = vector.step(actions)
        assert (reward, truncated) == (rewards[0], truncations[0])
        np.testing.assert_array_equal(observations["signal"][0], seen["signal"])


@pytest.mark.parametrize("vector", [False, True])
def test_writing_into_an_observation_does_not_change_what_the_next_action_does(vector):
    def made():
        if vector:
            return LogPowerVectorAction(gym.make_vec("MECCellFree-v0", num_envs=2, **SMALL))
        return LogPowerAction(gym.make("MECCellFree-v0", **SMALL))

    outcomes = []
    for spoilt in (False, True):
        env = made()
        seen, _ = env.reset(seed=0)
        for block in range(2):
            if spoilt:
                for values in seen.values():
                    values *= 0.3
                seen.pop("task")
            seen, *_, info = env.step(np.full(env.action_space.shape, -3.0 * block))
            outcomes.append(info["offload"])
    np.testing.assert_array_equal(outcomes[:2], outcomes[2:])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"least_db": 0.0}, "least_db=0.0"),
        ({"least_db": -1e3}, "least_db=-1000.0"),
        ({"split": "best"}, "split='best'"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, named):
    with pytest.raises(ValueError, match=named):
        LogPower(gym.make("MECCellFree-v0").unwrapped.scenario, **arguments)
