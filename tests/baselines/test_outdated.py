"""The exact solver on outdated gains: what it believes, what it forgets, and that memory helps."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest

from mec_cf_gym import Policy, best_offload
from mec_cf_gym.baselines import ExactMinMax, OutdatedExact
from mec_cf_gym.envs.observation import ratio_of
from mec_cf_gym.evaluation import evaluate, load_policy

ENV_ID = "MECCellFreeDelayed-v0"
SMALL = {"num_users": 4, "num_aps": 16}


def episode(blocks, env_id=ENV_ID, **fields):
    """Return the observations and blocks of an episode."""
    env = gym.make(env_id, **(SMALL | fields))
    observation, _ = env.reset(seed=1)
    found = []
    for _ in range(blocks):
        found.append((observation, env.unwrapped.block))
        observation, *_ = env.step(env.action_space.sample())
    return found


def gains_of(observation):
    return ratio_of(observation["signal"]), ratio_of(observation["interference"])


def optimum(block, signal_gain, interference_gain):
    believed = dataclasses.replace(block, signal_gain=signal_gain, interference_gain=interference_gain)
    power = ExactMinMax().solve(believed).power
    return power, best_offload(believed, power)


def test_without_memory_it_is_the_optimum_for_the_last_gains():
    policy = OutdatedExact()
    for observation, block in episode(3):
        decided = policy.allocate(observation, block)
        power, offload = optimum(block, *gains_of(observation))
        np.testing.assert_allclose(decided.power, power, rtol=1e-6)
        np.testing.assert_allclose(decided.offload, offload, rtol=1e-6)


def test_with_memory_it_is_the_optimum_for_the_mean():
    policy, seen = OutdatedExact(freshness=0.0), episode(4)
    for observation, block in seen:
        decided = policy.allocate(observation, block)
    signals, interferences = zip(*(gains_of(observation) for observation, _ in seen), strict=True)
    power, _ = optimum(block, np.mean(signals, axis=0), np.mean(interferences, axis=0))
    np.testing.assert_allclose(decided.power, power, rtol=1e-6)


def test_an_exponent_draws_powers_towards_full_power():
    (observation, block), *_ = episode(1)
    trusted = OutdatedExact().allocate(observation, block).power
    np.testing.assert_allclose(OutdatedExact(0.5).allocate(observation, block).power, np.sqrt(trusted))
    assert (OutdatedExact(0.0).allocate(observation, block).power == 1).all()


def test_a_reset_forgets():
    policy, seen = OutdatedExact(freshness=0.0), episode(2)
    first = policy.allocate(*seen[0]).power
    assert (policy.allocate(*seen[1]).power != OutdatedExact().allocate(*seen[1]).power).any()
    policy.reset(0)
    np.testing.assert_array_equal(policy.allocate(*seen[0]).power, first)


@pytest.mark.parametrize("env_id", ["MECCellFreeDelayed-v0", "MECUserCentric-v0"])
def test_current_channels_change_nothing(env_id):
    """Not even the receiver of paper B's blocks, which knows them."""
    (observation, block), (_, later) = episode(2, env_id, csi_delay_blocks=2)
    later = dataclasses.replace(later, task_bits=block.task_bits)
    assert (later.signal_gain != block.signal_gain).any()
    decided = OutdatedExact().allocate(observation, block)
    again = OutdatedExact().allocate(observation, later)
    np.testing.assert_array_equal(decided.power, again.power)
    np.testing.assert_array_equal(decided.offload, again.offload)


def test_a_batch_is_decided_as_its_rows_are():
    envs, env = gym.make_vec(ENV_ID, num_envs=3, **SMALL), gym.make(ENV_ID, **SMALL)
    together, alone = OutdatedExact(0.7, 0.2), OutdatedExact(0.7, 0.2)
    observations, _ = envs.reset(seed=0)
    observation, _ = env.reset(seed=2)
    for _ in range(3):
        allocations = together.allocate(observations, envs.unwrapped.block)
        allocation = alone.allocate(observation, env.unwrapped.block)
        np.testing.assert_allclose(allocations.power[2], allocation.power, rtol=1e-8)
        observations, *_ = envs.step(envs.action_space.sample())
        observation, *_ = env.step(env.action_space.sample())


@pytest.mark.parametrize("name", ["exponent", "freshness"])
@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan])
def test_parameters_outside_their_range_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}={value}.*must be in"):
        OutdatedExact(**{name: value})


def test_memory_helps_in_the_delayed_environment():
    """On validation networks; docs/sequential.md has the test networks."""
    names = ("outdated-exact", "averaged-exact")
    policies = {name: load_policy(name) for name in names}
    assert all(isinstance(policy, Policy) for policy in policies.values())
    records = evaluate(policies, ENV_ID, topologies=10, blocks=30, split="validation")
    latency_ms = {name: [r.max_latency_ms for r in records if r.policy == name] for name in names}
    per_network = np.reshape(latency_ms["outdated-exact"], (10, 30)) / np.reshape(
        latency_ms["averaged-exact"], (10, 30)
    )
    assert per_network.mean() > 1.03
