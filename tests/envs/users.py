"""Environments whose users are agents, small and quick to play, and actions for all of them."""

import numpy as np

from mec_cf_gym import parallel_env

from ..settings import SMALL

SHORT = SMALL | {"num_subcarriers": 1, "episode_blocks": 4}


def make(env_id="MECCellFree-v0", **fields):
    return parallel_env(env_id, **{**SHORT, **fields})


def random_actions(env, rng):
    return {agent: rng.random(env.action_space(agent).shape, np.float32) for agent in env.agents}
