"""What a user sees: its own link, the strongest links to others in order, its task, and nothing else."""

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym import Scenario
from mec_cf_gym.envs.contract import Contract
from mec_cf_gym.envs.local import LocalObservation, joint_action
from mec_cf_gym.envs.observation import BOUND, OBSERVATIONS

from ..settings import ENV_IDS

N, K, J = 2, 5, 2
OTHERS = N * J
"""Entries of one kind that are about others."""


def local(num_interferers=J, **fields):
    scenario = Scenario.paper_a(**{"num_users": K, "num_subcarriers": N, **fields})
    return LocalObservation(Contract(scenario), num_interferers)


@st.composite
def observations(draw, users=K, levels=6):
    """Few different values, so that many are equal."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def some(*shape):
        return rng.integers(-4, levels, shape).astype(np.float32) / 4

    return {"signal": some(N, users), "interference": some(N, users, users), "task": some(users, 4)}


def permuted(observation, order):
    return {
        "signal": observation["signal"][:, order],
        "interference": observation["interference"][:, order][:, :, order],
        "task": observation["task"][order],
    }


@given(observations())
def test_it_holds_what_the_docs_say(observation):
    signal, interference = observation["signal"], observation["interference"]
    seen = local().observe(observation)
    assert seen.dtype == np.float32
    assert seen.shape == (K, *local().space().shape)
    for k in range(K):
        own, error, heard, their, harmed, victims, task = np.split(
            seen[k], np.cumsum([N, N, OTHERS, OTHERS, OTHERS, OTHERS])
        )
        np.testing.assert_array_equal(own, signal[:, k])
        np.testing.assert_array_equal(error, interference[:, k, k])
        np.testing.assert_array_equal(task, observation["task"][k])
        for n in range(N):
            others = [j for j in range(K) if j != k]
            by_gain = sorted(((interference[n, k, j], signal[n, j]) for j in others), reverse=True)[:J]
            by_harm = sorted(((interference[n, j, k], signal[n, j]) for j in others), reverse=True)[:J]
            part = slice(n * J, (n + 1) * J)
            assert list(zip(heard[part], their[part], strict=True)) == by_gain
            assert list(zip(harmed[part], victims[part], strict=True)) == by_harm


@given(observations(), st.permutations(range(K)))
def test_permuting_users_permutes_what_they_see(observation, order):
    seen = local().observe(observation)
    np.testing.assert_array_equal(local().observe(permuted(observation, order)), seen[list(order)])


@given(observations(), observations(), st.integers(0, K - 1))
def test_a_user_sees_nothing_of_links_and_tasks_that_are_not_its_own(observation, other, user):
    """Between other users anything may change."""
    changed = {name: values.copy() for name, values in other.items()}
    changed["signal"] = observation["signal"]
    changed["interference"][:, user] = observation["interference"][:, user]
    changed["interference"][:, :, user] = observation["interference"][:, :, user]
    changed["task"][user] = observation["task"][user]
    np.testing.assert_array_equal(local().observe(changed)[user], local().observe(observation)[user])


@given(observations(users=2))
def test_absent_users_look_like_users_without_a_gain(observation):
    """So one policy serves any number of users, down to one."""
    seen = local(num_users=2, num_interferers=3).observe(observation)
    more = {
        "signal": np.pad(observation["signal"], [(0, 0), (0, 2)], constant_values=-1),
        "interference": np.pad(observation["interference"], [(0, 0), (0, 2), (0, 2)], constant_values=-1),
        "task": np.pad(observation["task"], [(0, 2), (0, 0)]),
    }
    np.testing.assert_array_equal(local(num_users=4, num_interferers=3).observe(more)[:2], seen)
    assert local(num_users=1).space() == local().space()


@pytest.mark.parametrize("observation", ["gains", "csi", "channel"])
@pytest.mark.parametrize("env_id", ENV_IDS)
def test_batches_are_seen_row_by_row_and_within_bounds(env_id, observation):
    fields = {"num_users": 4, "num_aps": 16, "antennas_per_base_station": 8, "observation": observation}
    envs = gym.make_vec(env_id, num_envs=3, **fields)
    seen, _ = envs.reset(seed=0)
    view = LocalObservation(envs.unwrapped.contract, 2)
    of_batch = view.observe(seen)
    assert of_batch.shape == (3, 4, view.num_entries)
    assert (np.abs(of_batch) <= BOUND).all()
    for row in range(3):
        np.testing.assert_array_equal(
            view.observe({name: values[row] for name, values in seen.items()}), of_batch[row]
        )


def test_channels_come_last():
    env = gym.make("MECCellFree-v0", num_users=4, num_aps=16, num_subcarriers=2, observation="csi")
    seen, _ = env.reset(seed=0)
    of_users = LocalObservation(env.unwrapped.contract, 3).observe(seen)
    np.testing.assert_array_equal(of_users[2, -32:], seen["csi"][:, :, 2].ravel())
    np.testing.assert_array_equal(of_users[2, -36:-32], seen["task"][2])


def test_complex_channels_come_last_too_real_and_imaginary_parts_in_turn():
    env = gym.make("MECCellFree-v0", num_users=4, num_aps=16, num_subcarriers=2, observation="channel")
    seen, _ = env.reset(seed=0)
    local = LocalObservation(env.unwrapped.contract, 3)
    of_users = local.observe(seen)
    assert of_users.shape == (4, *local.space().shape)
    np.testing.assert_array_equal(of_users[2, -64:], seen["channel"][:, :, 2].ravel())
    np.testing.assert_array_equal(of_users[2, -68:-64], seen["task"][2])


def test_joint_actions_are_the_environments():
    env = gym.make("MECCellFree-v0", num_users=3, num_subcarriers=2).unwrapped
    power, offload = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]), np.array([0.7, 0.8, 0.9])
    of_users = np.vstack([power, offload]).T
    decoded = env.decode(joint_action(of_users))
    np.testing.assert_allclose(decoded[0], power)
    np.testing.assert_allclose(decoded[1], offload)
    batch = joint_action(np.stack([of_users, 1 - of_users]))
    np.testing.assert_array_equal(batch, [joint_action(of_users), joint_action(1 - of_users)])


def test_observations_that_show_no_gains_are_refused(monkeypatch):
    class Nothing:
        def __init__(self, scenario):
            pass

        def space(self):
            return gym.spaces.Dict()

    monkeypatch.setitem(OBSERVATIONS, "nothing", Nothing)
    with pytest.raises(ValueError, match=r"observation='nothing' .* shows the gains"):
        local(observation="nothing")
