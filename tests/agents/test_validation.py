"""Agents are compared with a reference on networks of their own split, the same ones every time."""

import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.agents import Validation
from mec_cf_gym.agents.reference import reference_for
from mec_cf_gym.agents.training.command import blocks_of
from mec_cf_gym.baselines import DriftPlusPenalty, ExactMinMax
from mec_cf_gym.baselines import FullPower as FullPowerPolicy
from mec_cf_gym.baselines.fast.solver import FastMinMax
from mec_cf_gym.evaluation import evaluate, seeds
from mec_cf_gym.evaluation.summary import summarise

from ..writing import WritesIntoTheObservation

SCENARIO = Scenario.paper_a(num_users=3, num_subcarriers=1, num_aps=8)


class Oracle:
    """Knows the block, and does what the exact solver does."""

    def __init__(self, validation):
        self.env = validation.env.unwrapped

    def predict(self, observation, state=None):
        solution = ExactMinMax().solve(self.env.block)
        return self.env.encode(solution.power, solution.offload), state


class FullPower:
    def predict(self, observation, state=None):
        self.calls = (state or 0) + 1
        return np.ones((len(observation["signal"]), 6)), self.calls


def test_the_reference_itself_has_no_gap():
    validation = Validation("MECCellFree-v0", SCENARIO, networks=4, blocks=2)
    gap = validation.gap(Oracle(validation))
    assert gap.mean == pytest.approx(0, abs=1e-5)
    assert gap.p95 == pytest.approx(0, abs=1e-5)


def test_others_have_one_and_it_repeats():
    validation = Validation("MECCellFree-v0", SCENARIO, networks=4, blocks=3)
    agent = FullPower()
    gap = validation.gap(agent)
    assert gap.low < gap.mean < gap.high
    assert gap.mean > 0.05
    assert gap == validation.gap(agent)
    assert agent.calls == 3  # what it remembers begins anew


def test_networks_are_the_first_of_the_split():
    assert Validation("MECCellFree-v0", SCENARIO, networks=3, split="test").seeds == list(seeds("test", 3))
    with pytest.raises(ValueError, match="split='other'"):
        Validation("MECCellFree-v0", SCENARIO, split="other")


def test_the_reference_is_exact_where_an_exact_solver_exists():
    assert isinstance(reference_for(SCENARIO), ExactMinMax)
    assert isinstance(reference_for(Scenario.paper_a()), FastMinMax)


class WritesIntoTheBlock(FullPower):
    def __init__(self, validation):
        self.env = validation.env.unwrapped

    def predict(self, observation, state=None):
        self.env.block.signal_gain[...] *= 2
        return super().predict(observation, state)


def test_an_agent_cannot_write_into_blocks():
    validation = Validation("MECCellFree-v0", SCENARIO, networks=2)
    with pytest.raises(ValueError, match="read-only"):
        validation.gap(WritesIntoTheBlock(validation))


def test_an_agent_that_writes_into_observations_changes_nothing():
    validation = Validation("MECCellFree-v0", SCENARIO, networks=2, blocks=3)
    expected = validation.gap(FullPower())
    agent = WritesIntoTheObservation()
    assert validation.gap(agent) == validation.gap(agent) == validation.gap(FullPower()) == expected
    for first, again in zip(agent.seen[:3], agent.seen[3:], strict=True):
        np.testing.assert_array_equal(first["signal"], again["signal"])


QUEUES = Scenario.paper_a_dynamic(num_users=3, num_aps=8)


class Playing:
    """Decides as a policy does that knows the block."""

    def __init__(self, validation, policy):
        self.env, self.policy = validation.env.unwrapped, policy

    def predict(self, observation, state=None):
        allocation = self.policy.allocate(observation, self.env.block)
        return self.env.codec.encode(allocation, self.env.servers), state


def test_in_dynamic_worlds_the_reference_plays_whole_episodes_of_its_own():
    validation = Validation("MECCellFreeDynamic-v0", QUEUES, networks=4, blocks=30)
    itself = validation.gap(Playing(validation, DriftPlusPenalty()))
    assert itself.mean == pytest.approx(0, abs=1e-4)  # actions are single precision
    spendthrift = validation.gap(Playing(validation, FullPowerPolicy()))
    assert spendthrift.low > 0.05
    assert spendthrift == validation.gap(Playing(validation, FullPowerPolicy()))


def test_gaps_in_dynamic_worlds_are_those_of_records():
    networks, blocks = 3, 20
    validation = Validation("MECCellFreeDynamic-v0", QUEUES, networks, blocks)
    judged = validation.gap(Playing(validation, FullPowerPolicy()))
    policies = {"drift": DriftPlusPenalty(), "full": FullPowerPolicy()}
    records = evaluate(
        policies,
        "MECCellFreeDynamic-v0",
        topologies=networks,
        blocks=blocks,
        split="validation",
        scenario=QUEUES,
    )
    summary = next(row for row in summarise(records, "drift") if row.policy == "full")
    assert summary.gap == pytest.approx(judged.mean, rel=1e-3)


def test_agents_are_judged_on_whole_episodes_where_actions_have_consequences():
    assert blocks_of(QUEUES, 1) == QUEUES.episode.episode_blocks
    assert blocks_of(SCENARIO, 5) == 5
