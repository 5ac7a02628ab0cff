"""Decision times on a batch: measured for policies that take one, left out for the others."""

import math

import numpy as np

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import EqualSplit
from mec_cf_gym.evaluation import benchmark
from mec_cf_gym.evaluation.timing import BATCH, batch_decision_ms

SMALL = Scenario.paper_a(num_users=2, num_aps=4)


class Watched(EqualSplit):
    """Notes the batches it decides for."""

    def __init__(self):
        self.batches = []

    def allocate(self, observation, block):
        self.batches.append((block.batch_shape, len(observation["signal"])))
        return super().allocate(observation, block)


class OneAtATime(EqualSplit):
    """Refuses batches."""

    def allocate(self, observation, block):
        if block.batch_shape:
            raise ValueError("one block at a time")
        return super().allocate(observation, block)


def test_a_policy_decides_for_a_whole_batch():
    policy = Watched()
    decision_ms = batch_decision_ms("MECCellFree-v0", SMALL, policy)
    assert 0 < decision_ms < math.inf
    assert set(policy.batches) == {((BATCH,), BATCH)}


def test_a_policy_that_refuses_batches_has_no_time(monkeypatch):
    monkeypatch.setattr(benchmark, "_policy", lambda name: OneAtATime())
    assert np.isnan(benchmark.time_batch(SMALL, "MECCellFree-v0", "one"))
