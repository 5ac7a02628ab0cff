"""Rewards of users as agents: shared, or of one's own latency and drops."""

import numpy as np
import pytest

from ..settings import ENV_IDS, PAPER_B_IDS
from .users import make, random_actions

every_env = pytest.mark.parametrize("env_id", ENV_IDS)
paper_b_env = pytest.mark.parametrize("env_id", PAPER_B_IDS)


@pytest.mark.parametrize(
    ("reward", "of_latency_ms"), [("max_latency", lambda ms: -ms), ("log_latency", lambda ms: -np.log(ms))]
)
@every_env
def test_individual_ones_are_of_ones_own_latency(env_id, reward, of_latency_ms):
    if "Dynamic" in env_id and reward == "log_latency":
        with pytest.raises(ValueError, match=r"reward='log_latency' .* ages of a dynamic world may be zero"):
            make(env_id, rewards="individual", reward=reward)
        return
    env = make(env_id, rewards="individual", reward=reward)
    env.reset(seed=0)
    actions = random_actions(env, np.random.default_rng(0))
    _, rewards, _, _, infos = env.step(actions)
    for agent, info in infos.items():
        assert rewards[agent] == pytest.approx(of_latency_ms(1e3 * info["latency_s"]))
    shared = make(env_id, reward=reward)
    shared.reset(seed=0)
    assert set(shared.step(actions)[1].values()) == {min(rewards.values())}


def test_individual_ones_in_a_dynamic_world_are_of_ones_own_backlog_and_drops():
    fields = {"rewards": "individual", "queue_bits": 2e3, "tasks_per_s": 20000.0, "arrivals": "poisson"}
    env = make("MECCellFreeDynamic-v0", **fields)
    env.reset(seed=0)
    dropped = 0.0
    for _ in range(3):
        _, rewards, _, _, infos = env.step(random_actions(env, np.random.default_rng(0)))
        for agent, info in infos.items():
            own = -1e3 * info["backlog_latency_s"] - 10.0 * info["dropped_bits"] / 1e3
            assert rewards[agent] == pytest.approx(own)
            dropped += info["dropped_bits"]
    assert dropped > 0


@paper_b_env
def test_paper_bs_objective_is_shared_only(env_id):
    env = make(env_id, reward="power_fairness")
    env.reset(seed=0)
    _, rewards, *_ = env.step(random_actions(env, np.random.default_rng(0)))
    assert len(set(rewards.values())) == 1
    with pytest.raises(ValueError, match=r"rewards='individual' .* reward='power_fairness' is of all users"):
        make(env_id, reward="power_fairness", rewards="individual")


def test_a_reset_to_another_scenario_cannot_make_individual_ones_meaningless():
    env = make(rewards="individual")
    before = env.reset(seed=0)[0]
    joint = env.base.scenario.replace(reward="power_fairness")
    with pytest.raises(ValueError, match="rewards='individual'"):
        env.reset(seed=1, options={"scenario": joint})
    np.testing.assert_array_equal(env.reset(seed=0)[0]["user_0"], before["user_0"])


def test_more_power_never_costs_the_user_itself_anything():
    """With individual rewards full power is every agent's best answer, whatever the others do."""
    env = make(rewards="individual", num_users=5)
    earned = []
    for power in (0.01, 0.1, 1.0):
        env.reset(seed=0)
        actions = {agent: [0.5, 1.0] for agent in env.agents} | {"user_2": [power, 1.0]}
        earned.append(env.step(actions)[1]["user_2"])
    assert earned == sorted(earned)
    assert earned[0] < earned[-1]
