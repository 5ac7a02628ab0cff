"""An agent runs as a policy through the wrappers it was trained behind."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import FlattenObservation, FrameStackObservation, RescaleAction

from mec_cf_gym.agents import AgentPolicy, LogPowerAction, MeanGains
from mec_cf_gym.evaluation import evaluate


class Agent:
    """Answers every observation with the same action and remembers what it saw."""

    def __init__(self, action):
        self.action = action

    def predict(self, observation, *, deterministic):
        assert deterministic
        self.seen = observation
        return self.action, None


def make_env():
    return gym.make("MECCellFree-v0", num_users=3, num_subcarriers=1)


def test_observations_and_actions_pass_through_the_wrappers():
    env = FlattenObservation(RescaleAction(make_env(), np.float32(-1), np.float32(1)))
    agent = Agent(np.array([-1, 0, 1, 0, 0.5, 1], np.float32))
    policy = AgentPolicy(agent, env)
    observation, _ = env.unwrapped.reset(seed=0)
    allocation = policy.allocate(observation, env.unwrapped.block)
    np.testing.assert_allclose(allocation.power, [[0, 0.5, 1]])
    np.testing.assert_allclose(allocation.offload, [0.5, 0.75, 1])
    np.testing.assert_array_equal(agent.seen, env.reset(seed=0)[0])


def test_it_does_what_the_wrapped_environment_does_in_db_and_with_a_memory():
    def make():
        env = gym.make("MECCellFreeDelayed-v0", num_users=3)
        return RescaleAction(LogPowerAction(MeanGains(env)), np.float32(-1), np.float32(1))

    agent, env = Agent(np.array([-1, 0, 1], np.float32)), make()
    policy = AgentPolicy(agent, make())
    seen, _ = env.reset(seed=3)
    plain = gym.make("MECCellFreeDelayed-v0", num_users=3)
    observation, _ = plain.reset(seed=3)
    for _ in range(3):
        allocation = policy.allocate(observation, plain.unwrapped.block)
        np.testing.assert_allclose(agent.seen["signal"], seen["signal"], atol=1e-6)
        seen, reward, *_ = env.step(agent.action)
        observation, expected, *_ = plain.step(plain.unwrapped.encode(allocation.power, allocation.offload))
        assert reward == pytest.approx(expected, rel=1e-5)
    policy.reset(0)
    policy.allocate(observation, plain.unwrapped.block)
    np.testing.assert_allclose(agent.seen["signal"], observation["signal"], atol=1e-6)


def test_it_runs_in_an_evaluation():
    agent = Agent(np.full(6, 0.5, np.float32))
    records = evaluate(
        {"agent": AgentPolicy(agent, make_env())}, topologies=2, blocks=2, num_users=3, num_subcarriers=1
    )
    assert len(records) == 4
    assert set(agent.seen) == {"signal", "interference", "task"}


def test_wrappers_that_cannot_be_repeated_are_refused():
    env = FrameStackObservation(FlattenObservation(make_env()), 3)
    observation, _ = env.unwrapped.reset(seed=0)
    with pytest.raises(ValueError, match="a wrapper of env changes it"):
        AgentPolicy(Agent(np.zeros(6)), env).allocate(observation, env.unwrapped.block)


def test_foreign_environments_are_refused():
    with pytest.raises(ValueError, match="environment of mec_cf_gym"):
        AgentPolicy(Agent(None), gym.make("CartPole-v1"))


def test_shares_of_servers_are_those_of_the_block():
    env = gym.make("MECUserCentric-v0", num_aps=16, num_users=6)
    agent = Agent(np.full(env.action_space.shape, 0.25, np.float32))
    env.reset(seed=0)
    block = env.unwrapped.block
    policy = AgentPolicy(agent, gym.make("MECUserCentric-v0", num_aps=16, num_users=6))  # never reset
    computing = policy.allocate(env.unwrapped.reset(seed=0)[0], block).computing
    np.testing.assert_allclose(computing.cloud_hz, block.servers.cloud_hz / 6)
    assert computing.ap_hz[~block.servers.serves].max() == 0
