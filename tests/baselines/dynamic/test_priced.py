"""The priced step against a general optimiser, its limits, and its batches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from mec_cf_gym import rate
from mec_cf_gym.allocation import Allocation
from mec_cf_gym.baselines.dynamic.best_response import serve_rows
from mec_cf_gym.baselines.dynamic.priced import priced_allocation
from mec_cf_gym.batches import take_rows
from mec_cf_gym.performance.service import service_of


def gain_of(block, allocation, worth, price):
    """Return worth of the bits that leave, less the price of energy, of single blocks."""
    service = service_of(block, allocation, rate(block, allocation.power), block.server_hz)
    return (worth * service.left_bits - price * service.energy_j).sum(-1)


def of_entries(entries):
    """Return the allocation of three users whose powers and CPU shares are some entries in [0, 1]."""
    power = entries[:-3].reshape(-1, 3)
    return Allocation(power / np.maximum(1, power.sum(0)), np.ones(3), cpu_share=entries[-3:])


def service(block, allocation):
    return service_of(block, allocation, rate(block, allocation.power), block.server_hz)


@pytest.mark.parametrize("price", [1e5, 1e7])
@pytest.mark.parametrize("subcarriers", [1, 2])
def test_no_general_optimiser_does_better(dynamic_blocks, price, subcarriers):
    for block in dynamic_blocks(4, num_subcarriers=subcarriers).rows():
        worth, prices = np.array([1.0, 0.5, 2.0]), np.full(3, price)
        found = gain_of(block, priced_allocation(block, worth, prices), worth, prices)
        best = -np.inf
        for start in range(6):
            x0 = np.random.default_rng(start).random(3 * subcarriers + 3)
            result = minimize(
                lambda x, block=block, terms=(worth, prices): (
                    -gain_of(block, of_entries(np.clip(x, 0, 1)), *terms) / 1e3
                ),
                x0,
                bounds=[(0, 1)] * len(x0),
                method="Powell",
            )
            best = max(best, -1e3 * result.fun)
        assert found >= best - 2e-3 * abs(best)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), log_price=st.floats(-3, 12))
def test_nobody_serves_more_than_waits_or_spends_more_than_is_stored(seed, log_price):
    rng = np.random.default_rng(seed)
    rows, subcarriers, users = 2, 2, 3
    signal = 10 ** rng.uniform(-2, 4, (rows, subcarriers, users))
    interference = 10 ** rng.uniform(-4, 2, (rows, subcarriers, users, users)) * (1 - np.eye(users))
    queue, battery = rng.uniform(0, 1e4, (rows, users)), rng.uniform(0, 1e-5, (rows, users))
    local_bits, local_j, power_j = (np.full((rows, users), value) for value in (750.0, 1.35e-6, 5e-6))
    worth, price = rng.random((rows, users)), np.full((rows, users), 10.0**log_price)
    power, share = serve_rows(
        signal, interference, 125.0, queue, battery, worth, price, local_bits, local_j, power_j
    )
    assert (power >= 0).all() and (power.sum(1) <= 1 + 1e-9).all() and (share >= 0).all() and (share <= 1).all()
    energy = local_j * share**3 + power_j * power.sum(1)
    assert (energy <= battery * (1 + 1e-6) + 1e-18).all()
    assert (share * local_bits <= queue * (1 + 1e-6) + 1e-6).all()


def test_an_empty_queue_and_a_bit_without_worth_are_not_served(dynamic_blocks):
    block = dynamic_blocks(8)
    worth = np.array([1.0, 0.0, 1.0])
    allocation = priced_allocation(block, worth, np.full(3, 1e6))
    idle = (block.backlog.queue_bits == 0) | (worth == 0)
    assert idle.any() and not allocation.power[:, 0][idle].any()


@pytest.mark.parametrize("log_ratio", [0.5, 2.0])
def test_dearer_energy_is_spent_less(dynamic_blocks, log_ratio):
    block = dynamic_blocks(6)
    spent_j = [
        service(block, priced_allocation(block, np.ones(3), np.full(3, price))).energy_j.sum(-1)
        for price in (1e6, 1e6 * 10**log_ratio)
    ]
    assert (spent_j[1] <= spent_j[0] * (1 + 1e-9)).all() and spent_j[1].sum() < spent_j[0].sum()


def test_without_a_price_and_a_battery_all_that_can_be_is_served(dynamic_blocks):
    block = dynamic_blocks(4, num_users=1, battery_j=np.inf)
    allocation = priced_allocation(block, np.ones(1), np.zeros(1))
    full = service(block, Allocation(np.ones((4, 1, 1)), np.ones((4, 1))))
    np.testing.assert_allclose(service(block, allocation).left_bits, full.left_bits, rtol=1e-6)


def test_a_row_alone_is_the_row_of_a_batch(dynamic_blocks):
    block, worth, price = dynamic_blocks(4), np.ones((4, 3)), np.full((4, 3), 1e6)
    together = priced_allocation(block, worth, price)
    for row, single in enumerate(block.rows()):
        alone = priced_allocation(single, worth[row], price[row])
        np.testing.assert_array_equal(alone.power, take_rows(together, row).power)
        np.testing.assert_array_equal(alone.cpu_share, together.cpu_share[row])
