"""Actions and allocations translate into each other."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym import best_offload, latency
from mec_cf_gym.batches import take_rows
from mec_cf_gym.network.servers import Shares

from ..settings import PAPER_B_IDS, SIX_USERS

ENV = gym.make("MECCellFree-v0", num_users=3, num_subcarriers=2).unwrapped
ENV.reset(seed=0)


@given(st.integers(0, 2**32))
def test_encode_and_decode_are_inverse_on_allocations_within_the_budgets(seed):
    rng = np.random.default_rng(seed)
    power, offload = rng.dirichlet(np.ones(3), 3)[:, :2].T, rng.random(3)
    action = ENV.encode(power, offload)
    assert ENV.action_space.contains(action)
    decoded_power, decoded_offload = ENV.decode(action)
    np.testing.assert_allclose(decoded_power, power, atol=1e-7)
    np.testing.assert_allclose(decoded_offload, offload, atol=1e-7)


def test_powers_come_first_subcarrier_by_subcarrier_then_offload_ratios():
    action = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    power, offload = ENV.decode(action)
    np.testing.assert_allclose(power, [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    np.testing.assert_allclose(offload, [0.7, 0.8, 0.9])


@given(st.integers(0, 2**32))
def test_a_user_over_budget_is_scaled_back_onto_it(seed):
    action = np.random.default_rng(seed).random(9)
    power, _ = ENV.decode(action)
    asked = action[:6].reshape(2, 3)
    total = asked.sum(0)
    np.testing.assert_allclose(power.sum(0), np.minimum(total, 1))
    np.testing.assert_allclose(power * np.maximum(total, 1), asked)


def test_without_local_computing_everything_is_offloaded():
    env = gym.make("MECCellFree-v0", num_users=3, local_computing=False).unwrapped
    env.reset(seed=0)
    assert (env.decode(env.action_space.sample())[1] == 1).all()


def test_the_reward_is_the_latency_of_the_decoded_allocation():
    env = gym.make("MECCellFree-v0").unwrapped
    env.reset(seed=0)
    for _ in range(5):
        block, action = env.block, env.action_space.sample()
        power, offload = env.decode(action)
        _, reward, _, _, info = env.step(action)
        np.testing.assert_allclose(info["latency_s"], latency(block, power, offload), rtol=1e-12)
        assert reward == pytest.approx(-1e3 * info["latency_s"].max())


def test_encode_checks_its_arguments():
    with pytest.raises(ValueError, match=r"power has shape \(3, 2\); its last axes must be \(2, 3\)"):
        ENV.encode(np.zeros((3, 2)), np.zeros(3))
    with pytest.raises(ValueError, match=r"offload\[1\]=2.0"):
        ENV.encode(np.zeros((2, 3)), np.array([0, 2, 0]))


def test_best_offload_makes_the_best_action_for_given_powers():
    block, power = ENV.block, np.full((2, 3), 0.5)
    best = ENV.encode(power, best_offload(block, power))
    worse = ENV.encode(power, np.full(3, 0.3))
    first = latency(block, *ENV.decode(best)).max()
    assert first < latency(block, *ENV.decode(worse)).max()


VARIANTS = [
    {},
    {"computing_control": "least"},
    {"local_computing": True},
    {"local_computing": True, "computing_control": "least"},
    {"server": "dedicated", "local_computing": True},
]


@pytest.fixture(params=PAPER_B_IDS)
def shared_env(request):
    env = gym.make(request.param, **SIX_USERS).unwrapped
    env.reset(seed=0)
    return env


class TestSharedServers:
    @pytest.mark.parametrize("env_id", PAPER_B_IDS)
    @pytest.mark.parametrize("fields", VARIANTS, ids=lambda fields: "-".join(fields) or "default")
    def test_an_action_within_the_budgets_survives_the_round_trip(self, env_id, fields):
        env = gym.make(env_id, **SIX_USERS, **fields).unwrapped
        for seed in range(5):
            env.reset(seed=seed)
            allocation = env.allocation(env.action_space.sample())
            action = env.encode(allocation.power, allocation.offload, allocation.computing)
            assert env.action_space.contains(action)
            again = env.allocation(action)
            np.testing.assert_allclose(again.power, allocation.power, atol=1e-6)
            np.testing.assert_allclose(again.offload, allocation.offload, atol=1e-6)
            if env.scenario.computing.server == "dedicated" or env.scenario.computing.computing_control == "least":
                assert allocation.computing is None
            else:
                np.testing.assert_allclose(again.computing.ap_hz, allocation.computing.ap_hz, rtol=1e-5)
                np.testing.assert_allclose(again.computing.cloud_hz, allocation.computing.cloud_hz, rtol=1e-5)

    def test_shares_follow_the_powers_ap_by_ap_and_the_clouds_are_last(self):
        env = gym.make("MECUserCentric-v0", **SIX_USERS).unwrapped
        env.reset(seed=0)
        servers, action = env.block.servers, np.random.default_rng(0).uniform(0, 1 / 6, 6 + 16 * 6 + 6)
        computing = env.allocation(action).computing
        for ap, user in np.ndindex(16, 6):
            asked_hz = action[6 + 6 * ap + user] * servers.ap_hz[ap]
            assert computing.ap_hz[ap, user] == pytest.approx(asked_hz if servers.serves[ap, user] else 0)
        np.testing.assert_allclose(computing.cloud_hz, action[-6:] * 100e9)

    def test_servers_over_budget_are_scaled_back_onto_it(self, shared_env):
        servers = shared_env.block.servers
        computing = shared_env.allocation(np.ones(shared_env.action_space.shape)).computing
        np.testing.assert_allclose(computing.ap_hz, servers.equal_shares().ap_hz)
        np.testing.assert_allclose(computing.cloud_hz, servers.equal_shares().cloud_hz)

    def test_shares_for_users_that_an_ap_does_not_serve_are_ignored(self, shared_env):
        serves = shared_env.block.servers.serves
        action = np.full(shared_env.action_space.shape, 0.5)
        wasted = action.copy()
        wasted[6 : 6 + serves.size][~serves.ravel()] = 1.0
        np.testing.assert_array_equal(
            shared_env.allocation(wasted).computing.total_hz, shared_env.allocation(action).computing.total_hz
        )

    def test_equal_shares_are_the_default(self, shared_env):
        action = shared_env.encode(np.ones((1, 6)), np.ones(6))
        total_hz = shared_env.block.servers.equal_shares().total_hz
        np.testing.assert_allclose(shared_env.allocation(action).computing.total_hz, total_hz, rtol=1e-6)

    def test_a_batch_of_powers_shares_the_servers_of_one_network(self, shared_env):
        power = np.random.default_rng(0).random((3, 1, 6))
        actions = shared_env.encode(power, np.ones((3, 6)))
        assert actions.shape == (3, *shared_env.action_space.shape)
        np.testing.assert_array_equal(actions[1], shared_env.encode(power[1], np.ones(6)))

    def test_what_is_asked_wrongly_is_named(self, shared_env):
        sites = len(shared_env.block.servers.ap_hz)
        equal, power, offload = shared_env.block.servers.equal_shares(), np.ones((1, 6)), np.ones(6)
        with pytest.raises(
            ValueError, match=rf"ap_share has shape \(3, 2\); its last axes must be \({sites}, 6\)"
        ):
            shared_env.encode(power, offload, Shares(np.ones((3, 2)), equal.cloud_hz))
        for value in (np.nan, np.inf, -1e9, 1e12):
            with pytest.raises(ValueError, match=r"ap_share\[2, 1\]=.* it must be a finite number in \[0, 1\]"):
                ap_hz = equal.ap_hz.copy()
                ap_hz[2, 1] = value
                shared_env.encode(power, offload, Shares(ap_hz, equal.cloud_hz))

    def test_the_clouds_shares_are_checked_too(self):
        env = gym.make("MECUserCentric-v0", **SIX_USERS).unwrapped
        env.reset(seed=0)
        equal = env.block.servers.equal_shares()
        with pytest.raises(ValueError, match=r"cloud_share has shape \(5,\); its last axes must be \(6,\)"):
            env.encode(np.ones((1, 6)), np.ones(6), Shares(equal.ap_hz, np.ones(5)))
        with pytest.raises(ValueError, match=r"cloud_share\[0\]=2.0"):
            env.encode(np.ones((1, 6)), np.ones(6), Shares(equal.ap_hz, np.full(6, 200e9)))

    @pytest.mark.parametrize("make", [gym.make, gym.make_vec])
    def test_there_are_no_servers_to_divide_before_the_first_reset(self, make):
        env = make("MECUserCentric-v0", **SIX_USERS).unwrapped
        with pytest.raises(ResetNeeded):
            env.encode(np.ones((1, 6)), np.ones(6))
        with pytest.raises(ResetNeeded):
            env.step(np.ones(env.action_space.shape))
        power, _ = env.decode(np.ones(env.action_space.shape))
        assert (power == 1).all()

    def test_rows_of_the_vector_environment_are_encoded_together(self, shared_env):
        envs = gym.make_vec(shared_env.spec.id, num_envs=3, **SIX_USERS).unwrapped
        envs.reset(seed=0)
        power, offload = np.random.default_rng(0).random((3, 1, 6)), np.ones((3, 6))
        computing = envs.block.servers.divided(
            np.random.default_rng(1).random(envs.block.servers.serves.shape), offload
        )
        actions = envs.encode(power, offload, computing)
        assert envs.action_space.contains(actions)
        one = shared_env.encode(power[0], offload[0], take_rows(computing, 0))
        np.testing.assert_array_equal(actions[0], one)


def test_computing_that_is_no_shares_is_refused_by_name():
    env = gym.make("MECUserCentric-v0", num_aps=16, num_users=4).unwrapped
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"computing=.* it must be Shares"):
        env.encode(np.ones((1, 4)), np.ones(4), np.ones(4))
