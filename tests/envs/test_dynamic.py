"""Queues, servers and batteries in the vector environment: rows keep their own, over resets and for long."""

import gc
import sys

import gymnasium as gym
import numpy as np
import pytest

from ..settings import SIX_USERS
from ..settings import SMALL as NETWORK
from .test_vector import assert_row_equals

SMALL = NETWORK | {"episode_blocks": 4, "arrivals": "bernoulli"}
BURSTS = {"arrivals": "bursts", "tasks_per_s": (3e3, 6e3), "burst_s": 2e-3, "burst_share": 0.7}
CASES = [
    ("MECCellFreeDynamic-v0", SMALL | {"tasks_per_s": 1500.0, "harvest": "two_state", "queue_bits": 2e3}),
    ("MECCellFreeDynamic-v0", SMALL | BURSTS | {"drop_price_ms": 1.0}),
    ("MECUserCentricDynamic-v0", SIX_USERS | {"episode_blocks": 4, "tasks_per_s": 300.0, "battery_j": 1e-4}),
]


def half(envs):
    """Return actions that serve some of the bits, so that others wait."""
    return np.full(envs.action_space.shape, 0.3, np.float32)


@pytest.mark.parametrize(("env_id", "fields"), CASES)
def test_every_row_has_the_backlog_of_the_single_environment_with_its_seed(env_id, fields):
    envs, env = gym.make_vec(env_id, num_envs=5, **fields), gym.make(env_id, **fields)
    waited = 0.0
    for row in (0, 4):
        observations, _ = envs.reset(seed=100)
        observation, _ = env.reset(seed=100 + row)
        for _ in range(4):
            assert_row_equals(observations, row, observation)
            observations, rewards, _, _, infos = envs.step(half(envs))
            observation, reward, _, _, info = env.step(half(env))
            assert rewards[row] == reward
            assert_row_equals(infos, row, info)
            waited += info["backlog_latency_s"].sum()
        observations, *_ = envs.step(half(envs))
        assert_row_equals(observations, row, env.reset()[0])
    assert waited > 0


@pytest.mark.parametrize(("env_id", "fields"), CASES)
def test_a_partial_reset_empties_queues_and_fills_batteries_of_its_rows_alone(env_id, fields):
    envs, single = gym.make_vec(env_id, num_envs=3, **fields), gym.make(env_id, **fields)
    undisturbed = gym.make_vec(env_id, num_envs=3, **fields)
    for each in (envs, undisturbed):
        each.reset(seed=0)
        for _ in range(2):
            each.step(half(each))
    kept, mask = envs.unwrapped.block.backlog, np.array([False, True, False])
    observations, _ = envs.reset(seed=50, options={"reset_mask": mask})
    fresh = envs.unwrapped.block.backlog
    assert kept.waiting_bits.sum(-1).all()
    assert not fresh.waiting_bits[mask].any() and not fresh.queue_curve_bits[mask].any()
    assert (fresh.battery_j[mask] == fresh.prospects.battery_limit_j).all()
    for name in ("queue_bits", "server_bits", "battery_j", "bursting", "charging", "queue_curve_bits"):
        np.testing.assert_array_equal(getattr(fresh, name)[~mask], getattr(kept, name)[~mask], err_msg=name)
    assert_row_equals(observations, 1, single.reset(seed=51)[0])
    for _ in range(4):  # the others end first, and begin again while this row goes on
        observations, rewards, _, _, infos = envs.step(half(envs))
        beside, _, _, _, infos_beside = undisturbed.step(half(undisturbed))
        observation, reward, _, _, info = single.step(half(single))
        assert_row_equals(observations, 1, observation)
        assert_row_equals(infos, 1, info)
        assert rewards[1] == reward
        for name in observations:
            np.testing.assert_array_equal(observations[name][~mask], beside[name][~mask])
        np.testing.assert_array_equal(infos["arriving_bits"][~mask], infos_beside["arriving_bits"][~mask])


def test_ten_thousand_steps_take_no_more_memory_than_a_thousand():
    envs = gym.make_vec("MECCellFreeDynamic-v0", num_envs=2, num_users=1, num_aps=4, episode_blocks=50)
    envs.reset(seed=0)
    actions = half(envs)

    def held(steps):
        for _ in range(steps):
            envs.step(actions)
        gc.collect()
        return sys.getallocatedblocks(), envs.unwrapped.block.backlog.queue_curve_bits.nbytes

    (objects, curve_bytes), (objects_later, curve_bytes_later) = held(1000), held(9000)
    assert objects_later - objects < 900  # not even an object in ten steps
    assert curve_bytes_later == curve_bytes
