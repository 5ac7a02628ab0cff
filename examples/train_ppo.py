"""PPO of Stable-Baselines3 for about a minute, then an honest look at it: unseen networks, against ICA.

A minute is not enough to come near ICA: powers span decades, and an MLP on plain power ratios learns slowly.

Run: python examples/train_ppo.py [--steps 200000]
"""

import argparse

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import RescaleAction
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

from mec_cf_gym.agents import AgentPolicy
from mec_cf_gym.baselines import EqualSplit, ExactMinMax, RandomPower
from mec_cf_gym.evaluation import evaluate, seeds, summarise, table

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--steps", type=int, default=200_000, help="environment steps to train for")
steps = parser.parse_args().steps

SETTING = {"num_users": 5, "num_subcarriers": 1}


def make_env() -> gym.Env:
    """Return the environment as PPO likes it: actions in [-1, 1]."""
    return RescaleAction(gym.make("MECCellFree-v0", **SETTING), np.float32(-1), np.float32(1))


envs = make_vec_env(make_env, n_envs=8, seed=seeds("train", 1)[0])
# blocks are independent given the topology, a contextual bandit: gamma = 0
model = PPO("MultiInputPolicy", envs, gamma=0.0, n_steps=256, batch_size=256, seed=0, device="cpu")
model.learn(steps, progress_bar=True)

policies = {
    "random": RandomPower(),
    "equal": EqualSplit(),
    "ppo": AgentPolicy(model, make_env()),
    "exact": ExactMinMax(),
}
records = evaluate(policies, "MECCellFree-v0", topologies=50, blocks=4, **SETTING)
print(table(summarise(records, reference="exact")))
