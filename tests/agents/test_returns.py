"""What counts in training: gains over a reference, pairs of rows on the same networks, and episodes that end."""

import gymnasium as gym
import numpy as np
import pytest

from mec_cf_gym.agents.returns import AgainstReference, FiniteHorizon, Pairs
from mec_cf_gym.baselines import DriftPlusPenalty

ENV_ID, SMALL = "MECCellFreeDynamic-v0", {"num_users": 2, "num_aps": 8, "episode_blocks": 12}


def native(rows=3):
    return gym.make_vec(ENV_ID, num_envs=rows, **SMALL)


def costs_of(decide, env, blocks, seed):
    """Return the costs of blocks, ``(blocks, rows)``, in plain environments."""
    base = env.unwrapped
    base.reset(seed=seed)
    return np.array([-base.apply(decide(base.block))[1] for _ in range(blocks)])


def reference(block):
    return DriftPlusPenalty().allocate({}, block)


def test_who_plays_as_the_reference_does_earns_nothing():
    env = AgainstReference(native())
    env.reset(seed=3)
    for _ in range(20):  # through an autoreset
        _, reward, *_ = env.step(env.unwrapped.codec.encode(reference(env.unwrapped.block)))
        np.testing.assert_allclose(reward, 0, atol=1e-4)


def test_rewards_are_gains_over_the_reference_in_the_same_block():
    def full(block):
        return np.ones((3, 4), np.float32)

    env = AgainstReference(native())
    env.reset(seed=3)
    earned = np.array([env.step(full(None))[1] for _ in range(12)])
    own = costs_of(lambda block: env.unwrapped.codec.decode(full(block)), native(), 12, 3)
    other = costs_of(reference, native(), 12, 3)
    assert np.abs(other - own).max() > 1e-3
    np.testing.assert_allclose(earned, other - own, atol=1e-5)


def test_a_new_episode_has_a_new_reference_in_the_rows_that_begin_it():
    env = AgainstReference(native())
    env.reset(seed=3)
    env.step(np.ones((3, 4)))
    env.reset(seed=[9, None, None], options={"reset_mask": np.array([True, False, False])})
    again = AgainstReference(native())
    again.reset(seed=[9, 10, 11])
    rewards = [each.step(np.ones((3, 4)))[1][0] for each in (env, again)]
    assert rewards[0] == pytest.approx(rewards[1])


def test_the_environment_plays_on_as_without_it():
    env, plain = AgainstReference(native()), native()
    env.reset(seed=3)
    plain.reset(seed=3)
    for _ in range(15):
        actions = plain.action_space.sample()
        np.testing.assert_array_equal(env.step(actions)[0]["queue"], plain.step(actions)[0]["queue"])


def test_truncations_become_terminations():
    env = FiniteHorizon(native())
    env.reset(seed=0)
    ends = [env.step(env.action_space.sample())[2:4] for _ in range(12)]
    assert [terminated.all() for terminated, _ in ends] == [False] * 11 + [True]
    assert not any(truncated.any() for _, truncated in ends)


def test_rows_of_a_pair_meet_the_same_blocks_whatever_is_done_in_them():
    env = Pairs(native(4))
    env.reset(seed=0)
    for _ in range(15):  # through an autoreset
        env.step(env.action_space.sample())
        block = env.unwrapped.block
        np.testing.assert_array_equal(block.signal_gain[:2], block.signal_gain[2:])
        np.testing.assert_array_equal(block.backlog.bursting[:2], block.backlog.bursting[2:])
        assert (block.signal_gain[0] != block.signal_gain[1]).all()


def test_seeds_are_those_of_the_first_rows():
    env, plain = Pairs(native(4)), native(2)
    for seed in (5, [5, 6, 7, 8]):
        seen, _ = env.reset(seed=seed)
        expected, _ = plain.reset(seed=5)
        np.testing.assert_array_equal(seen["signal"][:2], expected["signal"])
        np.testing.assert_array_equal(seen["signal"][2:], expected["signal"])


def test_pairs_need_an_even_number_of_rows():
    with pytest.raises(ValueError, match="num_envs=3"):
        Pairs(native(3))
