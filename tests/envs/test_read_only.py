"""What policies and users are handed is read-only: they are judged by what is, not by what they wrote."""

import copy
import dataclasses

import gymnasium as gym
import numpy as np
import pytest

from ..settings import SMALL, sent

SHORT = SMALL | {"num_users": 4, "episode_blocks": 2}
ENVIRONMENTS = ["MECCellFree-v0", "MECUserCentric-v0", "MECMultiCell-v0", "MECCellFreeDelayed-v0"]


def arrays(tree):
    """Yield the arrays of dataclasses, dicts and tuples."""
    if isinstance(tree, np.ndarray):
        yield tree
    elif isinstance(tree, tuple):
        for part in tree:
            yield from arrays(part)
    elif isinstance(tree, dict):
        for part in tree.values():
            yield from arrays(part)
    elif dataclasses.is_dataclass(tree):
        for field in dataclasses.fields(tree):
            yield from arrays(getattr(tree, field.name))


def writeable(tree):
    return [array.shape for array in arrays(tree) if array.flags.writeable and array.ndim > 0]


@pytest.mark.parametrize("env_id", ENVIRONMENTS)
def test_blocks_networks_and_infos_of_the_vector_environment(env_id):
    env = gym.make_vec(env_id, num_envs=3, **SHORT).unwrapped
    env.reset(seed=0)
    for _ in range(4):  # beyond the end of the episodes
        *_, info = env.step(env.action_space.sample())
        assert not writeable(env.block) and not writeable(env.network) and not writeable(info)
    env.reset(options={"reset_mask": np.array([True, False, False])})
    assert not writeable(env.block) and not writeable(env.network)


@pytest.mark.parametrize("env_id", ENVIRONMENTS)
def test_blocks_and_networks_of_the_single_environment(env_id):
    env = gym.make(env_id, **SHORT).unwrapped
    env.reset(seed=0)
    assert not writeable(env.block) and not writeable(env.network)
    with pytest.raises(ValueError, match="read-only"):
        env.block.signal_gain[:] *= 2
    *_, info = env.step(env.action_space.sample())
    with pytest.raises(ValueError, match="read-only"):
        info["latency_s"][0] = 0.0


@pytest.mark.parametrize("env_id", ENVIRONMENTS)
@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
def test_blocks_and_networks_of_copies(env_id, make):
    env = make(env_id, **SMALL)
    sent(env).reset(seed=0)  # also of one that has drawn no network yet
    env.reset(seed=0)
    for copied in (copy.deepcopy(env), sent(env)):
        assert not writeable(copied.unwrapped.block) and not writeable(copied.unwrapped.network)


@pytest.mark.parametrize("env_id", ENVIRONMENTS)
def test_writing_into_an_observation_changes_nothing(env_id):
    touched, untouched = (gym.make(env_id, **SHORT) for _ in range(2))
    seen, _ = touched.reset(seed=0)
    untouched.reset(seed=0)
    for array in seen.values():
        array[:] = 0
    action = np.full(touched.action_space.shape, 0.3, np.float32)
    (first, reward, *_), (second, expected, *_) = touched.step(action), untouched.step(action)
    assert reward == expected
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
