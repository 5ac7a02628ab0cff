"""Every policy meets the same blocks, on seeds that nobody trains on."""

import gymnasium as gym
import numpy as np
import pytest

from mec_cf_gym import Allocation, gini
from mec_cf_gym.baselines import EqualSplit, RandomPower
from mec_cf_gym.evaluation import SPLITS, available_policies, evaluate, load_policy, run_episode, seeds


class Spy(EqualSplit):
    """Remembers the blocks it saw."""

    def __init__(self):
        self.seen = []

    def allocate(self, observation, block):
        self.seen.append(block.signal_gain)
        return super().allocate(observation, block)


def test_policies_meet_common_random_numbers():
    spies = {"first": Spy(), "second": Spy()}
    records = evaluate(spies, topologies=2, blocks=3, num_users=3)
    np.testing.assert_array_equal(spies["first"].seen, spies["second"].seen)
    assert len(np.unique(spies["first"].seen)) == np.size(spies["first"].seen)
    scores = {name: [r.max_latency_ms for r in records if r.policy == name] for name in spies}
    assert scores["first"] == scores["second"]


def test_records_are_what_the_environment_reports():
    env, policy = gym.make("MECCellular-v0", num_users=4), EqualSplit()
    records = list(run_episode(env, "equal", policy, 9, 3))
    env.reset(seed=9)
    for index, record in enumerate(records):
        solution = policy.solve(env.unwrapped.block)
        env.step(env.unwrapped.encode(solution.power, solution.offload))
        assert (record.env, record.policy, record.seed, record.block) == ("MECCellular-v0", "equal", 9, index)
        assert record.max_latency_ms == pytest.approx(1e3 * solution.max_latency, rel=1e-6)
        assert record.gini == pytest.approx(float(gini(solution.latency)), rel=1e-5)
        assert record.deadline_missed == (record.max_latency_ms > 0.5)
        assert record.decision_ms > 0


def test_random_policies_reproduce():
    first = evaluate({"random": RandomPower()}, topologies=3, blocks=2)
    again = evaluate({"random": RandomPower(5)}, topologies=3, blocks=2)
    assert [r.max_latency_ms for r in first] == [r.max_latency_ms for r in again]


def test_splits_are_disjoint_and_within_what_libraries_take():
    train, validation, test, league = SPLITS.values()
    assert train.stop <= validation.start < validation.stop <= test.start
    assert test.stop <= league.start < league.stop <= 2**32
    assert seeds("test", 3) == range(test.start, test.start + 3)
    with pytest.raises(ValueError, match="split='dev'"):
        seeds("dev", 1)
    with pytest.raises(ValueError, match="count=0"):
        seeds("test", 0)


def test_policies_are_found_by_name():
    solvers = {"full-power", "equal", "random", "greedy", "water-filling", "exact", "ica", "fast"}
    one_subcarrier = {"exact", "exact-power", "sca", "outdated-exact", "averaged-exact"}
    tiny = {"assignment", "branch-and-bound"}
    shared_servers = {"proportional", "proportional-exact", "rl-usercentric", "rl-multicell"}
    queues = {"myopic", "drift-plus-penalty", "lookahead", "optimal-single"}
    learned = {"cnn-lstm", "equivariant", "magnitude", "magnitude-only", "information-limit"}
    assert solvers | one_subcarrier | tiny | queues | learned | {"fractional-power", "predicted-exact"} <= set(
        available_policies()
    )
    queued_agents = {"rl-dynamic", "rl-dynamic-single"}
    assert queued_agents <= set(available_policies())
    for name in available_policies():
        policy = load_policy(name)
        if name == "rl-usercentric-dynamic":
            env = gym.make("MECUserCentricDynamic-v0", num_users=6, num_aps=16)
        elif name in shared_servers:
            env = gym.make("MECUserCentric-v0", num_users=6, num_aps=16)
        elif name in tiny:
            env = gym.make("MECCellFree-v0", num_users=2, num_subcarriers=2)
        elif name in queues | queued_agents:
            env = gym.make("MECCellFreeDynamic-v0", num_users=1)
        elif name in ("predicted-exact", "rl-delayed-clarke"):
            env = gym.make("MECCellFreeDelayed-v1")
        else:
            env = gym.make("MECCellFree-v0", num_subcarriers=1 if name in one_subcarrier else 4)
        observation, _ = env.reset(seed=0)
        assert isinstance(policy.allocate(observation, env.unwrapped.block), Allocation)


def test_unknown_policies_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"policy='best' is not allowed: the installed policies are .*ica"):
        load_policy("best")


def test_wrappers_that_would_change_the_allocation_are_refused():
    env = gym.wrappers.RescaleAction(gym.make("MECCellFree-v0"), np.float32(-1), np.float32(1))
    with pytest.raises(ValueError, match="would change what the policy allocates"):
        next(run_episode(env, "equal", EqualSplit(), 0, 1))


def test_foreign_environments_are_refused():
    with pytest.raises(ValueError, match="environment of mec_cf_gym"):
        next(run_episode(gym.make("CartPole-v1"), "equal", EqualSplit(), 0, 1))
