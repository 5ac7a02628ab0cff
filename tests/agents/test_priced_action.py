"""Learners act in worths and prices, and the environment receives the powers and speeds that these stand for."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from mec_cf_gym import Scenario
from mec_cf_gym.agents import PricedAction, PricedVectorAction, Prices
from mec_cf_gym.agents.priced_action import bits_per_j
from mec_cf_gym.baselines.dynamic.drift import drift_prices
from mec_cf_gym.baselines.dynamic.priced import priced_allocation, shares_by_worth

IDS = ("MECCellFreeDynamic-v0", "MECUserCentricDynamic-v0")
SMALL = {"num_users": 3, "num_aps": 9}


def busy(env_id=IDS[0], blocks=20, **fields):
    """Return an environment with a backlog, its observation and its block."""
    env = PricedAction(gym.make(env_id, **SMALL, **fields))
    seen, _ = env.reset(seed=0)
    for _ in range(blocks):
        seen, *_ = env.step(np.full(env.action_space.shape, 5.0))
    return env, seen, env.unwrapped.block


@pytest.mark.parametrize("env_id", IDS)
def test_what_observations_show_is_the_block(env_id):
    env, seen, block = busy(env_id)
    found = env.prices.block(seen, block.link)
    assert (block.backlog.queue_bits > 0).any()
    for name in ("queue_bits", "server_bits", "battery_j", "new_bits", "bursting", "charging"):
        values, expected = getattr(found.backlog, name), getattr(block.backlog, name)
        mean_bits = block.backlog.prospects.mean_bits
        np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-3 * mean_bits.max())
    np.testing.assert_allclose(found.backlog.prospects.mean_bits, block.backlog.prospects.mean_bits, rtol=1e-5)
    np.testing.assert_allclose(found.signal_gain, block.signal_gain, rtol=1e-3)
    np.testing.assert_allclose(found.fairness.user_power_w, block.fairness.user_power_w)
    assert found.effective_capacitance == block.effective_capacitance


def test_an_action_prices_energy_in_bits_and_bits_over_what_waits():
    env, seen, block = busy()
    action_db = np.array([0.0, 3.0, -3.0, -6.0, 0.0, 6.0])
    factor = 10 ** (action_db / 10)
    worth = drift_prices(block)[0] * factor[:3]
    expected = priced_allocation(block, worth, worth * bits_per_j(block) * factor[3:])
    taken = env.unwrapped.allocation(env.prices.plain(action_db, seen))
    np.testing.assert_allclose(taken.power, expected.power, rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(taken.cpu_share, expected.cpu_share, rtol=2e-3, atol=1e-4)
    assert (taken.cpu_share > 0).any()


def test_joules_are_counted_in_the_bits_that_the_last_one_computes():
    _, _, block = busy()
    speed_hz, step_hz = block.local_hz, 1e-6 * block.local_hz

    def energy_w(hz):
        return block.effective_capacitance * hz**3

    bits_per_s = step_hz / block.cycles_per_bit
    watts = (energy_w(speed_hz + step_hz) - energy_w(speed_hz - step_hz)) / 2
    np.testing.assert_allclose(bits_per_j(block), bits_per_s / watts, rtol=1e-6)
    without_cpu = dataclasses.replace(block, local_hz=0 * block.local_hz)
    np.testing.assert_allclose(
        bits_per_j(without_cpu) * block.fairness.user_power_w, block.data_bandwidth_hz, rtol=1e-12
    )


def test_weights_divide_shared_servers_among_the_cycles_that_wait():
    env, seen, block = busy(IDS[1])
    assert env.action_space.shape == (6,)  # worths and weights: batteries are no limit
    action_db = np.array([0.0, 0.0, 0.0, -10.0, 0.0, 10.0])
    taken = env.unwrapped.allocation(env.prices.plain(action_db, seen))
    expected = shares_by_worth(block, drift_prices(block)[0] * 10 ** (action_db[3:] / 10))
    assert (block.backlog.server_bits > 0).any()
    np.testing.assert_allclose(taken.computing.total_hz, expected.total_hz, rtol=1e-3, atol=1e3)


def test_a_dearer_joule_is_spent_less():
    env, seen, _ = busy()
    spent = []
    for price_db in (-10.0, 0.0, 10.0):
        taken = env.unwrapped.allocation(env.prices.plain(np.r_[np.zeros(3), np.full(3, price_db)], seen))
        spent.append(taken.power.sum() + taken.cpu_share.sum())
    assert spent[0] > spent[1] > spent[2]


@pytest.mark.filterwarnings("ignore:.*is different from the unwrapped version")
@pytest.mark.filterwarnings("ignore:.*symmetric and normalized space")  # RescaleAction does that
@pytest.mark.parametrize("env_id", IDS)
def test_it_keeps_gymnasiums_contract_and_the_vector_form_is_the_same(env_id):
    single = PricedAction(gym.make(env_id, **SMALL, episode_blocks=3))
    check_env(single, skip_render_check=True)
    vector = PricedVectorAction(gym.make_vec(env_id, num_envs=2, **SMALL, episode_blocks=3))
    assert vector.single_action_space == single.action_space
    single.reset(seed=5)
    vector.reset(seed=[5, 6])
    for _ in range(3):
        actions = vector.action_space.sample()
        seen, reward, _, truncated, _ = single.step(actions[0])
        observations, rewards, _, truncations, _ = vector.step(actions)
        assert (reward, truncated) == (rewards[0], truncations[0])
        np.testing.assert_array_equal(observations["queue"][0], seen["queue"])


@pytest.mark.parametrize(
    ("scenario", "arguments", "named"),
    [
        (Scenario.paper_a(), {}, "arrivals='every_block'"),
        (Scenario.paper_a_dynamic(user_power_dbm=(5.0, 10.0)), {}, "user_power_dbm"),
        (Scenario.paper_a_dynamic(), {"range_db": 0.0}, r"range_db=0\.0"),
        (Scenario.paper_a_dynamic(), {"range_db": np.nan}, "range_db=nan"),
    ],
)
def test_what_it_cannot_serve_is_refused_by_name(scenario, arguments, named):
    with pytest.raises(ValueError, match=named):
        Prices(scenario, **arguments)
