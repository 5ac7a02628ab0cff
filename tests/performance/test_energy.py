"""Energy of a block, against numbers that were worked out by hand."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym import Allocation, CoherenceBlock, Scenario
from mec_cf_gym.block.block import Fairness
from mec_cf_gym.performance.outcome import outcome_of
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World


def hand_made(**fields):
    """One user: 3 bit/s/Hz on each of two subcarriers of 1 MHz, 1000 bits of 500 cycles each, 2 GHz, 0.1 W."""
    each = np.ones(1)
    block = CoherenceBlock(
        signal_gain=np.full((2, 1), 7 / 0.25),
        interference_gain=np.zeros((2, 1, 1)),
        task_bits=1000 * each,
        cycles_per_bit=500 * each,
        local_hz=2e9 * each,
        server_hz=5e9 * each,
        subcarrier_bandwidth_hz=1e6,
        fairness=Fairness(0.1 * each, np.zeros(1)),
        effective_capacitance=1e-28,
    )
    return dataclasses.replace(block, **fields)


HALF_POWER = np.full((2, 1), 0.25)


def test_sending_takes_power_for_the_time_on_the_uplink_and_each_cycle_kappa_times_speed_squared():
    outcome = outcome_of(hand_made(), Allocation(HALF_POWER, np.array([0.6])), 1e-3)
    assert outcome.transmission_latency_s == pytest.approx(600 / 6e6)  # 0.1 ms
    assert outcome.transmit_energy_j == pytest.approx(0.1 * 0.5 * 1e-4)  # 50 mW: 5 uJ
    assert outcome.computing_energy_j == pytest.approx(1e-28 * 4e18 * 0.4 * 5e5)  # 0.4 nJ a cycle: 80 uJ


@pytest.mark.parametrize(("offload", "of_sending", "of_computing"), [(0.0, False, True), (1.0, True, False)])
def test_what_is_not_done_takes_none(offload, of_sending, of_computing):
    outcome = outcome_of(hand_made(), Allocation(HALF_POWER, np.array([offload])), 1e-3)
    assert (outcome.transmit_energy_j > 0, outcome.computing_energy_j > 0) == (of_sending, of_computing)


def test_a_user_without_power_takes_no_energy_to_send_although_it_counts_with_the_least_rate():
    outcome = outcome_of(hand_made(), Allocation(np.zeros((2, 1)), np.array([1.0])), 1e-3)
    assert outcome.capped.all() and outcome.transmit_energy_j == 0


def test_a_block_that_does_not_say_what_powers_its_users_have_does_not_know_the_energy_for_sending():
    outcome = outcome_of(hand_made(fairness=None), Allocation(HALF_POWER, np.array([0.6])), 1e-3)
    assert np.isnan(outcome.transmit_energy_j).all() and np.isfinite(outcome.computing_energy_j).all()


@given(seed=st.integers(0, 1000), factor=st.floats(0.1, 10.0))
def test_energy_of_computing_grows_with_kappa_and_the_square_of_speed(seed, factor):
    def computing_j(**fields):
        scenario = Scenario.paper_a(num_aps=4, num_users=3, num_subcarriers=1, **fields)
        world = World(scenario)
        state = world.begin(Streams.from_seeds([seed]))
        outcome = world.judge(state.block, Allocation(np.ones((1, 1, 3)), np.full((1, 3), 0.3)))
        return outcome.computing_energy_j

    np.testing.assert_allclose(computing_j(effective_capacitance=factor * 1e-28), factor * computing_j())
    np.testing.assert_allclose(computing_j(local_hz=factor * 1e9), factor**2 * computing_j())


@pytest.mark.parametrize("env_id", ["MECCellFree-v0", "MECUserCentric-v0", "MECCellFreeDynamic-v0"])
class TestRewards:
    def step(self, env_id, **fields):
        env = gym.make(env_id, num_users=4, num_aps=16, burst_share=1.0, **fields)
        env.reset(seed=1)
        for _ in range(3):
            _, reward, *_, info = env.step(np.full(env.action_space.shape, 0.4, np.float32))
        return reward, info

    def test_energy_is_minus_the_sum_of_all_users_in_mj(self, env_id):
        reward, info = self.step(env_id, reward="energy")
        spent_j = (info["transmit_energy_j"] + info["computing_energy_j"]).sum()
        assert spent_j > 0 and reward == pytest.approx(-1e3 * spent_j)

    def test_latency_energy_adds_it_to_the_largest_latency_at_its_price(self, env_id):
        reward, info = self.step(env_id, reward="latency_energy", energy_weight_ms_per_j=7e5)
        spent_j = (info["transmit_energy_j"] + info["computing_energy_j"]).sum()
        assert reward == pytest.approx(-1e3 * info["max_latency_s"] - 7e5 * spent_j)

    def test_without_a_weight_it_is_max_latency(self, env_id):
        (both, _), (latency, _) = (
            self.step(env_id, reward=reward, energy_weight_ms_per_j=0.0)
            for reward in ("latency_energy", "max_latency")
        )
        assert both == latency


def test_drops_have_their_price_beside_energy():
    full = {"queue_bits": 100.0, "arrivals": "poisson", "tasks_per_s": 1e4, "drop_price_ms": 3.0}
    env = gym.make("MECCellFreeDynamic-v0", num_users=4, num_aps=16, reward="latency_energy", **full)
    env.reset(seed=1)
    _, reward, *_, info = env.step(np.zeros(env.action_space.shape, np.float32))
    assert info["drop_cost_ms"].sum() == pytest.approx(3.0 * info["dropped_bits"].sum() / 1e3) != 0
    assert reward == pytest.approx(-info["drop_cost_ms"].sum())  # nothing is old yet, and nobody does anything
