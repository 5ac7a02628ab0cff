"""Small environments with their wrappers, models of Stable-Baselines3 for them, and what they decide."""

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import RescaleAction
from stable_baselines3 import PPO

from mec_cf_gym.agents import LogPowerAction, MeanGains

ENV_ID = "MECCellFree-v0"
SETTING = {"num_users": 2, "num_subcarriers": 1, "num_aps": 9, "episode_blocks": 5}
PPO_SETTINGS = {"n_steps": 16, "batch_size": 16, "n_epochs": 1, "seed": 0, "device": "cpu"}


def plain():
    return gym.make(ENV_ID, **SETTING)


def decibels(env=None, least_db=-40.0):
    env = LogPowerAction(env or plain(), least_db)
    return RescaleAction(env, np.float32(-1), np.float32(1))


def with_memory():
    return decibels(MeanGains(plain()))


def ppo(env, policy="MultiInputPolicy"):
    return PPO(policy, env, **PPO_SETTINGS)


def decided(policy, blocks=3, seed=3):
    """Return the allocations of a policy in an episode of the plain environment, and its observations."""
    env = plain()
    observation, _ = env.reset(seed=seed)
    policy.reset(seed)
    allocations, observations = [], []
    for _ in range(blocks):
        observations.append(observation)
        allocations.append(policy.allocate(observation, env.unwrapped.block))
        observation, *_ = env.step(env.unwrapped.encode(allocations[-1].power, allocations[-1].offload))
    return allocations, observations


def block_of(seed):
    env = plain()
    env.reset(seed=seed)
    return env.unwrapped.block
