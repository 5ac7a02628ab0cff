"""Decision times on a batch: measured for policies that take one, left out for the others."""

import dataclasses
import math

import numpy as np

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import CNNLSTM, EqualSplit
from mec_cf_gym.evaluation import runner, summarise
from mec_cf_gym.evaluation.tasks import Task
from mec_cf_gym.evaluation.timing import BATCH, Cost, batch_decision_ms

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


def test_where_tasks_queue_up_something_waits_in_the_batch():
    scenario = Scenario.paper_a_dynamic(num_users=2, num_aps=4, episode_blocks=20)
    policy = Waiting()
    assert batch_decision_ms("MECCellFreeDynamic-v0", scenario, policy) > 0
    assert all(waiting_bits.any(-1).mean() > 0.3 for waiting_bits in policy.waiting_bits)
    shortest = scenario.replace(episode_blocks=1)
    assert batch_decision_ms("MECCellFreeDynamic-v0", shortest, EqualSplit()) > 0


class Waiting(EqualSplit):
    """Notes the bits that wait in the blocks it decides for."""

    def __init__(self):
        self.waiting_bits = []

    def allocate(self, observation, block):
        self.waiting_bits.append(block.backlog.waiting_bits)
        return super().allocate(observation, block)


def task_for(policy):
    return Task(
        name="E",
        env="MECCellFree-v0",
        scenario=SMALL,
        policies=(policy,),
        reference=policy,
        topologies=1,
        blocks=1,
    )


def test_a_policy_that_refuses_batches_has_no_time(monkeypatch):
    monkeypatch.setattr(runner, "_policy", lambda name: OneAtATime())
    assert np.isnan(runner.time_batch(task_for("one"), "one"))


def test_the_cost_of_training_is_what_the_card_says():
    policy = EqualSplit()
    assert math.isnan(Cost.of_training(policy).training_s)
    policy.card = {"training": {"training_s": 12.5, "steps": 3000}}
    assert (Cost.of_training(policy).training_s, Cost.of_training(policy).training_steps) == (12.5, 3000)


def test_the_card_of_a_policy_with_many_weights_is_that_of_the_task(monkeypatch):
    monkeypatch.setattr(runner, "LONGEST_BATCH_S", 0.0)
    for num_users in (10, 20):
        scenario = Scenario.paper_a(num_users=num_users, num_aps=64, num_subcarriers=4)
        task = dataclasses.replace(task_for("cnn-lstm"), scenario=scenario)
        ((_, found),) = [runner.costs(task, summarise(runner.run_unit(task, task.units[0]), "cnn-lstm"))]
        assert found["cnn-lstm"].training_s == CNNLSTM.load(f"paper-a-k{num_users}").card["training"]["training_s"]
