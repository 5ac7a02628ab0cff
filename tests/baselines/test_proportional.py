"""Servers divided in proportion to work."""

import gymnasium as gym
import numpy as np
import pytest

from mec_cf_gym.baselines import ExactMinMax, FullPower, ProportionalShares
from mec_cf_gym.evaluation import evaluate, load_policy

from ..settings import SIX_USERS


@pytest.mark.parametrize("env_id", ["MECUserCentric-v0", "MECMultiCell-v0"])
def test_shares_follow_the_cycles_of_tasks_and_use_every_server_up(env_id):
    env = gym.make_vec(env_id, num_envs=3, **SIX_USERS)
    env.reset(seed=0)
    block = env.unwrapped.block
    computing = ProportionalShares(FullPower()).solve(block).computing
    np.testing.assert_allclose(computing.ap_hz.sum(-1), block.servers.ap_hz * block.servers.serves.any(-1))
    per_cycle = np.where(block.servers.serves, computing.ap_hz / block.task_cycles[..., None, :], np.nan)
    served = block.servers.serves.any(-1)
    np.testing.assert_allclose(np.nanmin(per_cycle[served], -1), np.nanmax(per_cycle[served], -1))


def test_the_latency_is_what_the_environment_scores():
    env = gym.make("MECUserCentric-v0", **SIX_USERS)
    env.reset(seed=0)
    solution = ProportionalShares(ExactMinMax()).solve(env.unwrapped.block)
    action = env.unwrapped.encode(solution.power, solution.offload, solution.computing)
    assert env.step(action)[4]["max_latency_s"] == pytest.approx(solution.max_latency, rel=1e-5)


def test_it_beats_equal_shares_where_tasks_differ():
    names = ("full-power", "proportional", "exact", "proportional-exact")
    policies = {name: load_policy(name) for name in names}
    records = evaluate(policies, "MECUserCentric-v0", topologies=4, blocks=2, **SIX_USERS)
    mean = {name: np.mean([row.max_latency_ms for row in records if row.policy == name]) for name in policies}
    assert mean["proportional"] < mean["full-power"]
    assert mean["proportional-exact"] < min(mean["proportional"], mean["exact"])


def test_dedicated_servers_are_refused(blocks):
    with pytest.raises(ValueError, match="there must be servers to share"):
        ProportionalShares(FullPower()).solve(blocks(1))
