"""Padding: what is there stays, the rest is empty and masked, and actions find their way back."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from mec_cf_gym.agents import ElapsedTime, LogPowerAction, PaddedAgent
from mec_cf_gym.agents.curriculum.padding import NoPadding, Padding, paddings

SETTINGS = {
    "cell_free": ("MECCellFree-v0", {"num_users": 3, "num_subcarriers": 2}),
    "csi": ("MECCellFree-v0", {"num_users": 3, "num_subcarriers": 2, "num_aps": 5, "observation": "csi"}),
    "channel": ("MECCellFree-v0", {"num_users": 3, "num_subcarriers": 2, "num_aps": 5, "observation": "channel"}),
    "user_centric": ("MECUserCentric-v0", {"num_users": 5, "num_aps": 9, "user_drop": "uniform"}),
    "multi_cell": ("MECMultiCell-v0", {"num_users": 4, "antennas_per_base_station": 4}),
}


def made(name):
    env_id, fields = SETTINGS[name]
    return gym.make(env_id, **fields).unwrapped


def padded(env, subcarriers=0, users=2):
    codec = env.codec
    few_subcarriers, few_users = codec.shapes["power"]
    return Padding(
        env.observation_space, env.action_space, few_subcarriers + subcarriers, few_users + users
    ), few_users


@pytest.mark.parametrize("name", SETTINGS)
def test_observations_are_within_the_padded_space_and_hold_the_own_ones(name):
    env = made(name)
    padding, users = padded(env, subcarriers=1)
    observation_space, _ = padding.spaces()
    seen, _ = env.reset(seed=1)
    wide = padding.observation(seen)
    assert observation_space.contains(wide)
    assert wide["mask"].sum() == seen["signal"].size
    np.testing.assert_array_equal(wide["signal"][:-1, :users], seen["signal"])
    np.testing.assert_array_equal(wide["interference"][:-1, :users, :users], seen["interference"])
    np.testing.assert_array_equal(wide["task"][:users], seen["task"])
    for key in ("signal", "interference", "task"):
        assert (wide[key] == -1).sum() >= wide[key].size - seen[key].size
    if "csi" in seen:
        np.testing.assert_array_equal(wide["csi"][:-1, :, :users], seen["csi"])
    if "channel" in seen:
        np.testing.assert_array_equal(wide["channel"][:-1, :, :users], seen["channel"])
        assert (wide["channel"][-1] == 0).all()


@pytest.mark.parametrize("name", SETTINGS)
def test_an_action_is_the_same_allocation_with_and_without_padding(name):
    env = made(name)
    padding, users = padded(env, subcarriers=1)
    _, action_space = padding.spaces()
    env.reset(seed=1)
    action = action_space.sample()
    allocation = env.allocation(padding.action(action))
    rows = action.reshape(padding.action_shape)
    asked = rows[: len(allocation.power), :users]
    np.testing.assert_allclose(allocation.power, asked / np.maximum(asked.sum(0), 1), rtol=1e-6)
    if env.scenario.computing.local_computing:
        np.testing.assert_allclose(allocation.offload, rows[len(allocation.power) + 1, :users], rtol=1e-6)
    if allocation.computing is not None and "cloud_share" in env.codec.shapes:
        shares = rows[-1, :users] / max(1, rows[-1, :users].sum())
        np.testing.assert_allclose(allocation.computing.cloud_hz, shares * env.block.servers.cloud_hz, rtol=1e-6)


@settings(max_examples=20, deadline=None)
@given(
    users=st.integers(1, 4),
    subcarriers=st.integers(1, 3),
    more=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    lead=st.sampled_from([(), (2,), (2, 3)]),
)
def test_leading_axes_are_kept(users, subcarriers, more, lead):
    box = spaces.Box(-10, 10, (subcarriers, users))
    pairs = spaces.Box(-10, 10, (subcarriers, users, users))
    observation_space = spaces.Dict(
        {"signal": box, "interference": pairs, "task": spaces.Box(-10, 10, (users, 4))}
    )
    action_space = spaces.Box(0, 1, ((subcarriers + 1) * users,))
    padding = Padding(observation_space, action_space, subcarriers + more[0], users + more[1])
    wide_space, wide_actions = padding.spaces()
    seen = {name: np.zeros((*lead, *space.shape), np.float32) for name, space in observation_space.items()}
    wide = padding.observation(seen)
    assert {name: values.shape[len(lead) :] for name, values in wide.items()} == {
        name: space.shape for name, space in wide_space.items()
    }
    assert padding.action(np.zeros((*lead, *wide_actions.shape))).shape == (*lead, *action_space.shape)


def test_bounds_of_actions_follow_their_rows():
    env = LogPowerAction(made("cell_free"), split="as_is")
    padding = Padding(env.observation_space, env.action_space, 4, 5)
    _, actions = padding.spaces()
    np.testing.assert_array_equal(actions.low.reshape(5, 5), [[-40.0] * 5] * 4 + [[0.0] * 5])
    np.testing.assert_array_equal(actions.high.reshape(5, 5), [[0.0] * 5] * 4 + [[1.0] * 5])


def test_there_is_no_mask_where_all_have_one_size():
    env = made("cell_free")
    own = (env.observation_space, env.action_space)
    first, second = paddings([own, own])
    assert isinstance(first, NoPadding)
    assert second.spaces() == own
    seen, _ = env.reset(seed=0)
    assert set(first.observation(seen)) == set(seen)
    action = env.action_space.sample()
    np.testing.assert_array_equal(first.action(action), action)


def test_paddings_share_spaces_that_hold_the_most_users_and_the_most_subcarriers():
    envs = [gym.make("MECCellFree-v0", num_users=k, num_subcarriers=n) for k, n in [(3, 4), (6, 1), (2, 2)]]
    made_for = paddings([(env.observation_space, env.action_space) for env in envs])
    assert all(padding.spaces() == made_for[0].spaces() for padding in made_for)
    assert made_for[0].spaces()[0]["signal"].shape == (4, 6)


def test_an_agent_acts_without_padding_through_it():
    env = made("cell_free")
    padding, _ = padded(env)

    class Agent:
        def predict(self, observation, state=None, *, deterministic):
            assert deterministic
            assert observation["mask"].shape == (2, 5)
            return np.full((3 * 5,), 0.25), state

    action, _ = PaddedAgent(Agent(), padding).predict(env.reset(seed=0)[0])
    np.testing.assert_array_equal(action, np.full(3 * 3, 0.25))


@pytest.mark.parametrize(
    ("observation_space", "action_space", "name"),
    [
        (spaces.Box(0, 1, (3,)), spaces.Box(0, 1, (3,)), "observation_space"),
        (
            spaces.Dict(signal=spaces.Box(0, 1, (1, 3)), noise=spaces.Box(0, 1, (3,))),
            spaces.Box(0, 1, (3,)),
            "noise",
        ),
        (spaces.Dict(signal=spaces.Box(0, 1, (1, 3))), spaces.Discrete(3), "action_space"),
        (spaces.Dict(signal=spaces.Box(0, 1, (1, 3))), spaces.Box(0, 1, (4,)), "action_space"),
        (spaces.Dict(signal=spaces.Box(0, 1, (2, 3))), spaces.Box(0, 1, (3,)), "action_space"),
        (spaces.Dict(signal=spaces.Box(0, 1, (1, 9))), spaces.Box(0, 1, (9,)), "padded size"),
    ],
)
def test_other_spaces_are_refused_by_name(observation_space, action_space, name):
    with pytest.raises(ValueError, match=name):
        Padding(observation_space, action_space, 2, 4)


def test_an_action_of_another_shape_is_refused():
    padding, _ = padded(made("cell_free"))
    with pytest.raises(ValueError, match="action has shape"):
        padding.action(np.zeros(3))


def test_the_elapsed_time_is_the_same_for_any_number_of_users():
    env = ElapsedTime(gym.make("MECCellFreeDynamic-v0", num_users=2, num_aps=5, episode_blocks=4))
    padding = Padding(env.observation_space, env.action_space, 1, 3)
    seen, *_ = (env.reset(seed=0), env.step(env.action_space.sample()))[1]
    wide = padding.observation(seen)
    np.testing.assert_array_equal(wide["elapsed"], seen["elapsed"])
    assert padding.spaces()[0].contains(wide)
