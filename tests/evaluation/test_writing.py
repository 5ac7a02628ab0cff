"""A policy that writes into its block is refused; one that writes into what it sees changes nothing."""

import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import EqualSplit
from mec_cf_gym.evaluation import evaluate
from mec_cf_gym.evaluation.timing import batch_decision_ms

from ..settings import ENV_IDS, SMALL
from ..writing import WritesIntoTheBlock, WritesIntoTheObservation

every_env = pytest.mark.parametrize("env_id", ENV_IDS)


@every_env
def test_a_policy_that_writes_into_its_block_is_refused(env_id):
    with pytest.raises(ValueError, match="read-only"):
        evaluate({"writer": WritesIntoTheBlock()}, env_id, topologies=1, blocks=1, **SMALL)


@every_env
def test_one_that_writes_into_observations_changes_no_record_and_nothing_that_others_see(env_id):
    policies = {"before": Watcher(), "writer": WritesIntoTheObservation(), "after": Watcher()}
    records = evaluate(policies, env_id, topologies=2, blocks=3, num_subcarriers=1, **SMALL)
    scores = {
        name: [(r.max_latency_ms, r.gini, r.total_power_w) for r in records if r.policy == name]
        for name in policies
    }
    assert scores["before"] == scores["writer"] == scores["after"]
    same(policies["before"].seen, policies["writer"].seen)
    same(policies["before"].seen, policies["after"].seen)


class Watcher(EqualSplit):
    """Notes what it sees."""

    def __init__(self):
        self.seen = []

    def allocate(self, observation, block):
        self.seen.append({name: array.copy() for name, array in observation.items()})
        return super().allocate(observation, block)


def same(some, others):
    assert len(some) == len(others)
    for one, other in zip(some, others, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


def test_batches_that_are_timed_are_the_same_for_every_policy():
    scenario = Scenario.paper_a(num_users=2, num_aps=4)
    with pytest.raises(ValueError, match="read-only"):
        batch_decision_ms("MECCellFree-v0", scenario, WritesIntoTheBlock())
    writer, watcher = WritesIntoTheObservation(), Watcher()
    for policy in (writer, watcher):
        assert batch_decision_ms("MECCellFree-v0", scenario, policy) > 0
    same(writer.seen, watcher.seen)
    same(writer.seen[:1], writer.seen[-1:])
