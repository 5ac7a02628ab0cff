"""Myopic, drift plus penalty, lookahead and the genie: what each promises, and their order."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import DriftPlusPenalty, ExactMinMax, FastMinMax, Lookahead, Myopic, genie_bound
from mec_cf_gym.dynamic_world import world_of
from mec_cf_gym.evaluation import load_policy, seeds
from mec_cf_gym.performance.latencies import best_latency
from mec_cf_gym.performance.rates import rate
from mec_cf_gym.random_streams import Streams

NAMES = ("myopic", "drift-plus-penalty", "lookahead")
every_policy = pytest.mark.parametrize("name", NAMES)


def play(scenario, policy, seeds_of_rows):
    """Return the costs of networks in ms, ``(rows,)``, and the states of all blocks."""
    world, streams = world_of(scenario), Streams.from_seeds(seeds_of_rows)
    state, states, cost_ms = world.begin(streams), [], []
    policy.reset(0)
    for _ in range(scenario.episode.episode_blocks):
        states.append(state)
        outcome = world.outcome(state, policy.allocate({}, state.block))
        cost_ms.append(1e3 * outcome.backlog_latency_s.max(-1) + outcome.price_of_drops_ms)
        state = world.advance(state, streams, outcome)
    return np.mean(cost_ms, axis=0), states


@every_policy
@pytest.mark.parametrize("env_id", ["MECCellFreeDynamic-v0", "MECUserCentricDynamic-v0"])
def test_they_decide_in_both_environments(name, env_id):
    env, policy = gym.make(env_id, num_users=4, num_aps=16).unwrapped, load_policy(name)
    observation, _ = env.reset(seed=0)
    for _ in range(8):
        allocation = policy.allocate(observation, env.block)
        observation, reward, *_ = env.step(env.codec.encode(allocation, env.block.servers))
        assert np.isfinite(reward)


@every_policy
def test_they_refuse_a_static_world(name):
    env = gym.make("MECCellFree-v0", num_users=3, num_subcarriers=1).unwrapped
    observation, _ = env.reset(seed=0)
    with pytest.raises(ValueError, match="backlog=None is not allowed: the block is of a static world"):
        load_policy(name).allocate(observation, env.block)


@every_policy
def test_a_row_alone_is_the_row_of_a_batch(name, dynamic_blocks):
    block, policy = dynamic_blocks(4), load_policy(name)
    together = policy.allocate({}, block)
    for row, single in enumerate(block.rows()):
        alone = policy.allocate({}, single)
        np.testing.assert_array_equal(alone.power, together.power[row])
        np.testing.assert_array_equal(alone.cpu_share, together.cpu_share[row])


@pytest.mark.parametrize("users", [1, 2, 4])
def test_myopic_powers_are_the_static_optimum_for_what_waits(dynamic_blocks, users):
    block = dynamic_blocks(6, num_users=users)
    queue_bits = block.backlog.queue_bits + 1.0
    block = dataclasses.replace(block, backlog=dataclasses.replace(block.backlog, queue_bits=queue_bits))
    static = dataclasses.replace(block, task_bits=queue_bits, backlog=None)
    power = Myopic().allocate({}, block).power
    found_s = best_latency(static, rate(static, power)).max(-1)
    np.testing.assert_allclose(found_s, ExactMinMax().solve(static).max_latency, rtol=1e-4)


@pytest.mark.parametrize("users", [1, 3])
def test_nobody_falls_below_the_genie_and_foresight_beats_the_myopic_optimum(users):
    scenario = Scenario.paper_a_dynamic(num_users=users, num_aps=16, episode_blocks=40)
    own = list(seeds("validation", 6))
    costs = {name: play(scenario, load_policy(name), own)[0] for name in NAMES}
    bounds = np.array([genie_bound(play(scenario, load_policy("myopic"), [seed])[1]) for seed in own])
    for cost_ms in costs.values():
        assert (bounds <= cost_ms * (1 + 1e-6) + 1e-6).all()
    assert bounds.mean() > 0
    for name in NAMES[1:]:
        assert costs[name].mean() < costs["myopic"].mean()


def test_the_genies_bound_does_not_depend_on_who_played():
    scenario = Scenario.paper_a_dynamic(num_users=2, num_aps=16, episode_blocks=20, queue_bits=8e3)
    bounds = [genie_bound(play(scenario, load_policy(name), [3])[1]) for name in NAMES]
    np.testing.assert_allclose(bounds, bounds[0], rtol=1e-9)


def test_bad_parameters_are_named():
    with pytest.raises(ValueError, match="price=0 is not allowed"):
        DriftPlusPenalty(price=0)
    with pytest.raises(ValueError, match="horizon=0 is not allowed"):
        Lookahead(horizon=0)
    with pytest.raises(ValueError, match="reserve=1 is not allowed"):
        Lookahead(reserve=1)


def test_on_several_subcarriers_the_myopic_policy_clears_queues_as_fast_as_the_fast_solver(dynamic_blocks):
    block = dynamic_blocks(3, num_subcarriers=2)
    queue_bits = block.backlog.queue_bits
    power = Myopic().allocate({}, block).power
    waits = queue_bits > 0
    assert waits.any()
    assert not waits.all()
    assert (power.sum(-2)[~waits] == 0).all()
    static = dataclasses.replace(block, task_bits=np.maximum(queue_bits, 1e-3), backlog=None)
    found_s = np.where(waits, best_latency(static, rate(static, power)), 0).max(-1)
    np.testing.assert_allclose(found_s, FastMinMax().solve(static).max_latency, rtol=1e-2)
