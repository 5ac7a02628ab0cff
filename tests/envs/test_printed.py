"""Paper A as printed, in the environments: spaces hold, policies decide, rewards are of the gains as printed."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from mec_cf_gym.agents import load
from mec_cf_gym.evaluation import load_policy
from mec_cf_gym.performance.latencies import latency

from ..settings import PAPER_A_IDS

READINGS = [
    {"interference": interference, "receiver_noise": noise}
    for interference in ("physical", "printed")
    for noise in ("physical", "printed")
]
pytestmark = [
    pytest.mark.parametrize("env_id", PAPER_A_IDS),
    pytest.mark.parametrize("fields", READINGS, ids=lambda fields: "-".join(fields.values())),
]


@pytest.mark.parametrize("observation", ["gains", "csi"])
def test_observations_are_within_their_space(env_id, fields, observation):
    env = gym.make(env_id, num_users=4, num_aps=9, observation=observation, **fields)
    check_env(env.unwrapped, skip_render_check=True)
    for seed in range(5):
        assert env.observation_space.contains(env.reset(seed=seed)[0])


@pytest.mark.parametrize("policy", ["exact", "fractional-power", "magnitude-only", "magnitude", "equivariant"])
def test_policies_are_judged_by_the_gains_of_the_reading(env_id, fields, policy):
    env = gym.make(env_id, num_users=4, num_aps=9, num_subcarriers=1, **fields).unwrapped
    observation, _ = env.reset(seed=3)
    allocation = load_policy(policy).allocate(observation, env.block)
    expected_s = latency(env.block, allocation.power, allocation.offload)
    others = 1 - np.eye(4)
    as_printed = np.allclose(env.block.interference_gain, others * env.block.signal_gain[:, None])
    assert as_printed == (fields["interference"] == "printed")
    _, reward, *_ = env.step(env.encode(allocation.power, allocation.offload))
    assert reward == pytest.approx(-1e3 * expected_s.max(), rel=1e-5)


def test_agents_act(env_id, fields):
    env = gym.make(env_id, num_users=10, num_subcarriers=1, **fields)
    observation, _ = env.reset(seed=1)
    action, _ = load("cellfree-k10" if env_id == "MECCellFree-v0" else "cellular-n1").predict(observation)
    assert np.isfinite(env.step(action)[1])
