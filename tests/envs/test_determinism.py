"""A seed fixes everything, in this process and in any other."""

import hashlib
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from ..settings import ENV_IDS, PAPER_A_IDS, SIX_USERS

FIELDS = {
    "fading": "gauss_markov",
    "speed_m_per_s": (1.0, 30.0),
    "task_bits": (500, 2000),
}
MOBILE = {"mobility": "random_waypoint", "snapshot_blocks": 2}


def rollout(env_id, seed):
    """Return a digest of all that an environment shows and pays over two episodes."""
    own = MOBILE if env_id in PAPER_A_IDS else MOBILE | SIX_USERS
    env = gym.make(env_id, episode_blocks=5, **FIELDS, **own)
    env.action_space.seed(seed)
    digest = hashlib.sha256()
    observation, _ = env.reset(seed=seed)
    for _ in range(10):
        for value in observation.values():
            digest.update(np.ascontiguousarray(value).tobytes())
        observation, reward, _, truncated, info = env.step(env.action_space.sample())
        digest.update(np.float64(reward).tobytes() + info["rate_bps"].tobytes())
        if truncated:
            observation, _ = env.reset()
    return digest.hexdigest()


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_two_instances_with_one_seed_agree(env_id):
    assert rollout(env_id, 5) == rollout(env_id, 5) != rollout(env_id, 6)


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_a_freshly_spawned_process_agrees(env_id):
    line = [sys.executable, "-m", "tests.envs.test_determinism", env_id]
    spawned = subprocess.run(line, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert spawned.stdout.strip() == rollout(env_id, 5)


def test_all_randomness_comes_from_np_random():
    env = gym.make("MECCellFree-v0", **FIELDS, **MOBILE).unwrapped
    env.reset(seed=1)
    env.np_random = np.random.default_rng(99)
    first, _ = env.reset()
    env.np_random = np.random.default_rng(99)
    again, _ = env.reset()
    np.testing.assert_array_equal(first["signal"], again["signal"])


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_global_random_numbers_are_not_touched(env_id):
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    rollout(env_id, 0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_unseeded_environments_differ_and_resets_draw_new_networks():
    env, other = gym.make("MECCellFree-v0"), gym.make("MECCellFree-v0")
    first, second, third = env.reset()[0], env.reset()[0], other.reset()[0]
    assert not np.array_equal(first["signal"], second["signal"])
    assert not np.array_equal(first["signal"], third["signal"])


def test_blocks_do_not_depend_on_actions():
    env, twin = gym.make("MECCellFree-v0"), gym.make("MECCellFree-v0")
    env.reset(seed=2), twin.reset(seed=2)
    for _ in range(3):
        seen = env.step(env.action_space.sample())[0]
        np.testing.assert_array_equal(
            seen["interference"], twin.step(twin.action_space.sample())[0]["interference"]
        )


if __name__ == "__main__":
    print(rollout(sys.argv[1], 5))
