"""Agents split tasks for the link of the block or the environment at hand, not for that of their training."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest

from mec_cf_gym import best_offload, latency
from mec_cf_gym.agents import AgentPolicy, LogPowerAction, LogPowerVectorAction, Validation, load
from mec_cf_gym.baselines import ExactMinMax
from mec_cf_gym.evaluation import evaluate

ENV_ID = "MECCellFree-v0"
SMALL = {"num_users": 3, "num_aps": 16, "num_subcarriers": 1}
SHARED = {"num_users": 5, "num_aps": 16, "local_computing": True}


def with_the_best_split(env, power):
    return latency(env.unwrapped.block, power, best_offload(env.unwrapped.block, power)).max()


@pytest.mark.parametrize(("bandwidth_hz", "gap"), [(2e8, 0.0015), (2e6, 0.0122)])
def test_agents_come_near_the_optimum_on_other_bandwidths(bandwidth_hz, gap):
    setting = {"num_users": 10, "num_subcarriers": 1, "bandwidth_hz": bandwidth_hz}
    policies = {"agent": load("cellfree-k10"), "exact": ExactMinMax()}
    records = evaluate(policies, ENV_ID, topologies=30, blocks=1, **setting)
    ours, exact = (
        np.array([r.max_latency_ms for r in records if r.policy == name]) for name in ("agent", "exact")
    )
    assert np.mean(ours / exact - 1) == pytest.approx(gap, abs=0.001)


@pytest.mark.parametrize("bandwidth_hz", [2e6, 2e8])
def test_a_validation_is_for_the_link_of_its_networks(bandwidth_hz):
    scenario = gym.make(ENV_ID, num_subcarriers=1, bandwidth_hz=bandwidth_hz).unwrapped.scenario
    assert Validation(ENV_ID, scenario, 10).gap(load("cellfree-k10")).mean < 0.03


@pytest.mark.parametrize(
    ("env_id", "fields", "changes"),
    [
        (ENV_ID, SMALL, {"bandwidth_hz": 2e8}),
        (ENV_ID, SMALL, {"bandwidth_hz": 2e6, "noise_dbm_per_hz": -160.0}),
        ("MECUserCentric-v0", SHARED, {"bandwidth_hz": 1e8, "block_samples": 10}),
        ("MECUserCentric-v0", SHARED, {"fronthaul_bps": 1e8, "deadline_s": 0.1}),
    ],
)
def test_after_a_reset_to_another_scenario_actions_earn_what_the_best_split_earns(env_id, fields, changes):
    env = LogPowerAction(gym.make(env_id, **fields))
    other = env.unwrapped.scenario.replace(**changes)
    env.reset(seed=0, options={"scenario": other})
    action = np.full(env.action_space.shape, -3.0)
    block = env.unwrapped.block
    if block.servers is not None:
        block = dataclasses.replace(block, server_hz=block.servers.equal_shares().total_hz)
    power = np.full((1, fields["num_users"]), 10**-0.3)
    expected = latency(block, power, best_offload(block.tuned(np.ones_like(power)), power)).max()
    *_, info = env.step(action)
    assert info["max_latency_s"] == pytest.approx(expected, rel=2e-3)
    rows = LogPowerVectorAction(gym.make_vec(env_id, num_envs=2, **fields))
    rows.reset(seed=[0, 1], options={"scenario": other})
    *_, infos = rows.step(np.stack([action] * 2))
    assert infos["max_latency_s"][0] == info["max_latency_s"]


@pytest.mark.parametrize("bandwidth_hz", [2e6, 2e8])
def test_predict_is_for_the_environment_that_an_agent_is_bound_to(bandwidth_hz):
    env = gym.make(ENV_ID, num_users=10, num_subcarriers=1)
    agent = load("cellfree-k10", env)
    other = env.unwrapped.scenario.replace(bandwidth_hz=bandwidth_hz)
    observation, _ = env.reset(seed=4, options={"scenario": other})
    action, _ = agent.predict(observation)
    best = with_the_best_split(env, env.unwrapped.decode(action)[0])
    unbound, _ = load("cellfree-k10").predict(observation)
    *_, info = env.step(action)
    assert info["max_latency_s"] == pytest.approx(best, rel=1e-4)
    assert np.abs(unbound[10:] - action[10:]).max() > 0.1  # for the bandwidth of its card
    np.testing.assert_array_equal(unbound[:10], action[:10])


def test_allocate_is_for_the_block_whatever_environment_the_policy_was_made_for():
    class HalfPower:
        def predict(self, observation, state=None, episode_start=None, deterministic=False):
            return np.full(3, -3.0), None

    policy = AgentPolicy(HalfPower(), LogPowerAction(gym.make(ENV_ID, **SMALL)))
    for bandwidth_hz in (2e6, 2e8):
        env = gym.make(ENV_ID, **SMALL, bandwidth_hz=bandwidth_hz)
        observation, _ = env.reset(seed=1)
        allocation = policy.allocate(observation, env.unwrapped.block)
        expected = best_offload(env.unwrapped.block, allocation.power)
        np.testing.assert_allclose(allocation.offload, expected, rtol=1e-4)


def test_users_who_compute_themselves_get_a_split_also_where_training_had_none():
    env = gym.make("MECUserCentric-v0", num_users=20, local_computing=True, local_hz=1e8)
    observation, _ = env.reset(seed=0)
    allocation = load("usercentric").allocate(observation, env.unwrapped.block)
    block = dataclasses.replace(env.unwrapped.block, server_hz=allocation.computing.total_hz)
    full = latency(block, allocation.power, np.ones(20)).max()
    assert latency(block, allocation.power, allocation.offload).max() < full
    action, _ = load("usercentric", env).predict(observation)
    np.testing.assert_allclose(env.unwrapped.allocation(action).offload, allocation.offload, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "env_id", "fields"),
    [
        ("cellfree-k10", "MECUserCentric-v0", {"num_aps": 16, "num_users": 5}),
        ("usercentric", ENV_ID, {}),
        ("usercentric", "MECUserCentric-v0", {"computing_control": "least", "num_aps": 16, "num_users": 5}),
        ("cellfree-k10", "CartPole-v1", {}),
    ],
)
def test_environments_that_an_agent_cannot_serve_are_refused(name, env_id, fields):
    env = gym.make(env_id, **fields)
    with pytest.raises(ValueError, match="is not allowed"):
        load(name, env)
    if env_id != "CartPole-v1" and "computing_control" not in fields:
        with pytest.raises(ValueError, match="is not allowed"):
            load(name).predict(env.reset(seed=0)[0])
