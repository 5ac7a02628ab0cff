"""Benchmarks of dynamic worlds: the same luck for every policy, and gaps of whole episodes."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest

from mec_cf_gym.baselines import FullPower, Myopic
from mec_cf_gym.evaluation import load_policy, run_episode
from mec_cf_gym.evaluation.benchmark import start_of
from mec_cf_gym.evaluation.gap import Gap
from mec_cf_gym.evaluation.summary import summarise

ENV_ID = "MECCellFreeDynamic-v0"
SMALL = {"num_users": 3, "num_aps": 16, "episode_blocks": 20}
FULL = {"queue_bits": 5e3, "arrivals": "poisson", "tasks_per_s": 8000.0}
"""So many tasks that some are dropped."""


@pytest.fixture(scope="module")
def records():
    env = gym.make(ENV_ID, **SMALL, **FULL)
    policies = {name: load_policy(name) for name in ("drift-plus-penalty", "myopic", "full-power")}
    return [
        record
        for seed in range(3)
        for name, policy in policies.items()
        for record in run_episode(env, name, policy, seed, 20)
    ]


def test_records_are_what_the_reward_counts(records):
    env = gym.make(ENV_ID, **SMALL, **FULL)
    observation, _ = env.reset(seed=1)
    policy, of_it = Myopic(), [record for record in records if record.policy == "myopic" and record.seed == 1]
    for record in of_it:
        allocation = policy.allocate(observation, env.unwrapped.block)
        observation, reward, *_, info = env.step(env.unwrapped.codec.encode(allocation))
        assert record.max_latency_ms == pytest.approx(-reward)
        assert record.energy_j == pytest.approx((info["transmit_energy_j"] + info["computing_energy_j"]).sum())
        assert record.is_dynamic
    assert sum(record.dropped_bits for record in of_it) > 0


def test_policies_meet_the_same_channels_tasks_and_harvests():
    played = []
    for policy in (FullPower(), Myopic()):
        env = gym.make(ENV_ID, **SMALL, harvest="two_state")
        observation, _ = env.reset(seed=4)
        blocks = []
        for _ in range(10):
            block = env.unwrapped.block
            observation, *_, info = env.step(env.unwrapped.codec.encode(policy.allocate(observation, block)))
            blocks.append(
                (block.signal_gain, info["arriving_bits"], block.backlog.charging, block.backlog.bursting)
            )
        played.append(blocks)
    for one, other in zip(*played, strict=True):
        for ours, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_the_gap_is_that_of_the_sums_over_episodes(records):
    summaries = {summary.policy: summary for summary in summarise(records, "drift-plus-penalty")}
    totals = {
        name: sum(record.max_latency_ms for record in records if record.policy == name) for name in summaries
    }
    for name, summary in summaries.items():
        assert summary.gap == pytest.approx(totals[name] / totals["drift-plus-penalty"] - 1)
        assert summary.gap_low <= summary.gap <= summary.gap_high


def test_networks_in_which_nothing_waits_do_not_matter():
    gap = Gap.of_episodes([0.0, 1.0, 2.0], [0.0, 1.1, 2.2])
    assert (gap.mean, gap.median, gap.largest) == pytest.approx((0.1, 0.1, 0.1))
    assert np.isnan(Gap.of_episodes([0.0, 0.0], [0.0, 0.0]).mean)


def test_static_records_are_not_dynamic():
    env = gym.make("MECCellFree-v0", num_users=2, num_subcarriers=1)
    (record,) = run_episode(env, "full-power", FullPower(), 0, 1)
    assert not record.is_dynamic and record.dropped_bits == 0 and record.energy_j > 0


@pytest.mark.parametrize("env_id", [ENV_ID, "MECUserCentricDynamic-v0"])
def test_a_benchmark_starts_from_the_ids_numbers_and_policies(env_id):
    start = start_of([env_id])
    assert start.reference == "drift-plus-penalty"
    assert start.blocks == start.scenario.episode.episode_blocks
    assert start.scenario.is_dynamic
    dataclasses.replace(start, topologies=2).check()
