"""Paper B's environments score what the paper writes: info and rewards recomputed by hand."""

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym import best_offload, gini, latency, power_fairness, rate, spectral_efficiency
from mec_cf_gym.network.servers import Servers
from mec_cf_gym.performance.outcome import LEAST_SERVER_HZ, needed_shares

from ..settings import PAPER_B_IDS

SMALL = {"num_aps": 16, "num_users": 6, "antennas_per_base_station": 32}
every_env = pytest.mark.parametrize("env_id", PAPER_B_IDS)
PER_USER = {
    "latency_s",
    "transmit_energy_j",
    "computing_energy_j",
    "local_latency_s",
    "offload_latency_s",
    "transmission_latency_s",
    "fronthaul_latency_s",
    "computing_latency_s",
    "rate_bps",
    "spectral_efficiency",
    "offload",
    "server_hz",
    "missed_users",
    "capped",
}
PER_BLOCK = {"max_latency_s", "gini", "total_power_w", "objective_w", "deadline_missed"}


def begin(env_id, seed=0, **fields):
    env = gym.make(env_id, **{**SMALL, **fields}).unwrapped
    env.reset(seed=seed)
    return env


def random_action(env, seed=0, least=0.2):
    return np.random.default_rng(seed).uniform(least, 1, env.action_space.shape).astype(np.float32)


@every_env
def test_the_latency_is_transmission_fronthaul_and_computing(env_id):
    env = begin(env_id, fronthaul_bps=1e9)
    for seed in range(3):
        block, action = env.block, random_action(env, seed)
        allocation = env.allocation(action)
        *_, info = env.step(action)
        bits, cycles = block.task_bits, 500 * block.task_bits
        fronthaul_s = 2 * 4 * 8 * bits / (info["spectral_efficiency"] * 1e9) * (env_id == "MECUserCentric-v0")
        np.testing.assert_allclose(info["transmission_latency_s"], bits / (20e6 * info["spectral_efficiency"]))
        np.testing.assert_allclose(info["fronthaul_latency_s"], fronthaul_s)
        np.testing.assert_allclose(info["computing_latency_s"], cycles / info["server_hz"])
        parts = [info[f"{part}_latency_s"] for part in ("transmission", "fronthaul", "computing")]
        np.testing.assert_allclose(info["latency_s"], np.sum(parts, axis=0))
        np.testing.assert_allclose(info["server_hz"], allocation.computing.total_hz)


@every_env
def test_info_is_what_the_package_computes_from_block_and_action(env_id):
    env = begin(env_id)
    block, action = env.block, random_action(env)
    power, offload = env.decode(action)
    *_, info = env.step(action)
    assert set(info) == PER_USER | PER_BLOCK
    assert all(info[name].shape == (6,) for name in PER_USER)
    assert all(np.shape(info[name]) == () for name in PER_BLOCK)
    np.testing.assert_array_equal(info["rate_bps"], rate(block, power))
    np.testing.assert_array_equal(info["spectral_efficiency"], spectral_efficiency(block, power))
    np.testing.assert_allclose(info["latency_s"], latency(block, power, offload, info["server_hz"]), rtol=1e-12)
    assert info["objective_w"] == pytest.approx(power_fairness(block, power))
    assert info["total_power_w"] == pytest.approx(0.1 * action[:6].sum())
    assert info["max_latency_s"] == info["latency_s"].max()
    assert info["gini"] == pytest.approx(gini(info["latency_s"]))
    assert (info["local_latency_s"] == 0).all()
    assert (info["offload"] == 1).all()
    assert (info["computing_energy_j"] == 0).all()
    np.testing.assert_allclose(info["transmit_energy_j"], 0.1 * action[:6] * info["transmission_latency_s"])


@every_env
def test_missed_deadlines_and_both_rewards(env_id):
    ours, papers = (
        begin(env_id, reward=name, deadline_s=(0.05, 0.3)) for name in ("max_latency", "power_fairness")
    )
    missed = []
    for seed in range(5):
        block, action = ours.block, random_action(ours, seed)
        _, reward, _, _, info = ours.step(action)
        late = info["latency_s"] > block.deadline_s
        np.testing.assert_array_equal(info["missed_users"], late)
        assert info["deadline_missed"] == late.any()
        assert reward == pytest.approx(-1e3 * info["latency_s"].max())
        penalty_w = (1 + np.log(info["latency_s"] / block.deadline_s))[late].sum()
        assert papers.step(action)[1] == pytest.approx(-info["objective_w"] - penalty_w)
        missed.append(late)
    assert 0 < np.mean(missed) < 1


@every_env
@given(seed=st.integers(0, 2**32), corner=st.sampled_from([0.0, 0.5, 1.0]))
def test_every_action_has_finite_rewards_and_info(env_id, seed, corner):
    rng = np.random.default_rng(seed)
    env = begin(env_id, seed % 5, reward=rng.choice(["max_latency", "power_fairness"]), local_computing=True)
    action = (rng.random(env.action_space.shape) < corner).astype(np.float32)
    observation, reward, _, _, info = env.step(action)
    assert np.isfinite(reward)
    assert all(np.isfinite(value).all() for value in info.values())
    assert env.observation_space.contains(observation)


@every_env
def test_who_gets_no_rate_or_no_computing_is_capped_and_reported(env_id):
    env = begin(env_id, least_spectral_efficiency=0.01)
    block, action = env.block, np.ones(env.action_space.shape, np.float32)
    action[0] = 0  # user 0 has no power, and user 1 no share of any server
    action[6:].reshape(-1, 6)[:, 1] = 0
    *_, info = env.step(action)
    assert info["capped"].tolist() == [True, True, False, False, False, False]
    assert (info["rate_bps"][0], info["server_hz"][1]) == (0, 0)
    assert info["transmission_latency_s"][0] == pytest.approx(block.task_bits[0] / (0.01 * 20e6))
    assert info["computing_latency_s"][1] == pytest.approx(500 * block.task_bits[1] / LEAST_SERVER_HZ)
    assert info["missed_users"][:2].all()


class TestLeastComputing:
    @every_env
    def test_the_action_is_only_the_powers(self, env_id):
        env = begin(env_id, computing_control="least")
        assert env.action_space.shape == (6,)
        power, offload = env.decode(np.arange(6) / 10)
        np.testing.assert_allclose(power, [np.arange(6) / 10])
        assert (offload == 1).all()

    @every_env
    def test_deadlines_are_met_exactly_where_budgets_allow(self, env_id):
        env, met = begin(env_id, computing_control="least", deadline_s=(0.3, 0.6), task_bits=(1e6, 2e6)), []
        for seed in range(5):
            block, action = env.block, random_action(env, seed, least=0.8)
            *_, info = env.step(action)
            if not info["deadline_missed"]:
                np.testing.assert_allclose(info["latency_s"], block.deadline_s, rtol=1e-6)
            met.append(not info["deadline_missed"])
        assert any(met)

    @every_env
    def test_it_is_given_within_the_budgets(self, env_id):
        env = begin(env_id, computing_control="least", ap_hz=2e8, cloud_hz=1e9)  # much too little
        block, action = env.block, random_action(env)
        power, offload = env.decode(action)
        shares = needed_shares(block, rate(block, power), offload)
        assert (shares.ap_hz.sum(-1) <= block.servers.ap_hz * (1 + 1e-9)).all()
        assert shares.cloud_hz.sum() <= block.servers.cloud_hz * (1 + 1e-9)
        *_, info = env.step(action)
        np.testing.assert_allclose(info["server_hz"], shares.total_hz)
        assert info["deadline_missed"]

    def test_the_same_computing_can_be_asked_for_by_shares(self):
        least, shares = begin("MECUserCentric-v0", computing_control="least"), begin("MECUserCentric-v0")
        block, power = shares.block, np.full((1, 6), 0.5)
        computing = needed_shares(block, rate(block, power), np.ones(6))
        asked = shares.step(shares.encode(power, np.ones(6), computing))[4]
        given = least.step(least.encode(power, np.ones(6)))[4]
        np.testing.assert_allclose(asked["server_hz"], given["server_hz"], rtol=1e-6)
        np.testing.assert_array_equal(asked["missed_users"], given["missed_users"])
        assert not given["deadline_missed"]


class TestDedicatedServers:
    """Paper A's servers on paper B's networks."""

    @every_env
    def test_the_action_is_paper_as(self, env_id):
        env = begin(env_id, server="dedicated", server_hz=5e9, local_computing=True)
        assert env.action_space.shape == (12,)
        assert env.block.servers is None
        block, action = env.block, random_action(env)
        power, offload = env.decode(action)
        np.testing.assert_allclose(offload, action[6:])
        *_, info = env.step(action)
        assert (info["server_hz"] == 5e9).all()
        np.testing.assert_allclose(info["latency_s"], latency(block, power, offload))
        assert env.observation_space["task"].shape == (6, 4)

    def test_the_fronthaul_still_takes_its_time(self):
        env = begin("MECUserCentric-v0", server="dedicated")
        *_, info = env.step(random_action(env))
        np.testing.assert_allclose(
            info["fronthaul_latency_s"], 2 * 4 * 8 * 20e6 / 10e9 * info["transmission_latency_s"]
        )


class TestJointPowerSplitAndComputing:
    """One step beyond both papers: users compute a part themselves."""

    @every_env
    def test_offload_ratios_follow_the_powers(self, env_id):
        env = begin(env_id, local_computing=True)
        sites, cloud = (16, 1) if env_id == "MECUserCentric-v0" else (4, 0)
        assert env.action_space.shape == (6 + 6 + 6 * (sites + cloud),)
        action = random_action(env)
        power, offload = env.decode(action)
        np.testing.assert_allclose(power[0], action[:6])
        np.testing.assert_allclose(offload, action[6:12])

    @every_env
    @pytest.mark.parametrize("control", ["shares", "least"])
    def test_the_latency_is_the_longer_of_both_parts(self, env_id, control):
        env = begin(env_id, local_computing=True, local_hz=(2e9, 8e9), computing_control=control)
        block, action = env.block, random_action(env)
        power, offload = env.decode(action)
        *_, info = env.step(action)
        local_s = (1 - offload) * 500 * block.task_bits / block.local_hz
        np.testing.assert_allclose(info["local_latency_s"], local_s)
        np.testing.assert_allclose(info["latency_s"], np.maximum(local_s, info["offload_latency_s"]))
        np.testing.assert_allclose(info["latency_s"], latency(block, power, offload, info["server_hz"]))
        np.testing.assert_allclose(info["transmission_latency_s"], offload * block.task_bits / info["rate_bps"])

    @every_env
    def test_a_split_is_better_than_offloading_everything(self, env_id):
        env = begin(env_id, local_computing=True, local_hz=5e9)
        block, power = env.block, np.ones((1, 6))
        split_s = latency(block, power, best_offload(block, power))
        assert (split_s < latency(block, power, np.ones(6))).all()
        *_, info = env.step(env.encode(power, best_offload(block, power)))
        np.testing.assert_allclose(info["latency_s"], split_s, rtol=1e-6)

    @every_env
    def test_who_keeps_everything_needs_neither_link_nor_server(self, env_id):
        env = begin(env_id, local_computing=True, computing_control="least")
        _, _, _, _, info = env.step(np.zeros(env.action_space.shape, np.float32))
        assert (info["server_hz"] == 0).all()
        assert not info["capped"].any()
        assert (info["offload_latency_s"] == 0).all()


@every_env
def test_a_random_policy_of_equal_shares_uses_up_all_servers(env_id):
    env = begin(env_id)
    servers: Servers = env.block.servers
    *_, info = env.step(env.encode(np.ones((1, 6)), np.ones(6)))
    used = servers.serves.any(-1)
    assert info["server_hz"].sum() == pytest.approx((servers.ap_hz * used).sum() + servers.cloud_hz, rel=1e-5)
    np.testing.assert_allclose(info["server_hz"], env.network.server_hz, rtol=1e-5)
