"""Harvests: means, variances and states of the energies, and recordings."""

import numpy as np
import pytest
from scipy import stats

from mec_cf_gym import Scenario
from mec_cf_gym.dynamics import HARVESTS
from mec_cf_gym.random_streams import Streams

USERS, BLOCK_S, MEAN_J = 20, 0.5e-3, 2e-6


def model_of(harvest, **fields):
    fields = {"num_users": USERS, "harvest_w": MEAN_J / BLOCK_S} | fields
    return HARVESTS[harvest](Scenario.paper_a_dynamic(harvest=harvest, **fields))


def play(model, blocks, seeds=range(32)):
    """Return energies in joules and whether harvests are on, ``(blocks, rows, K)`` both."""
    streams = Streams.from_seeds(seeds)
    charging, energies, states = model.begin(streams), [], []
    for clock in range(blocks):
        states.append(charging)
        drawn_j, charging = model.draw(charging, np.full(len(streams), clock), streams)
        energies.append(drawn_j)
    return np.array(energies), np.array(states)


@pytest.mark.parametrize(
    ("harvest", "spread"),
    [("constant", 0.0), ("exponential", 1.0), ("two_state", (1 / 0.4 - 1) ** 0.5)],
)
def test_energies_have_the_mean_and_the_spread_of_their_law(harvest, spread):
    model = model_of(harvest, harvest_share=0.4, harvest_on_s=4 * BLOCK_S)
    energies, _ = play(model, 200)
    assert energies.min() >= 0
    assert energies.mean() == pytest.approx(MEAN_J, rel=0.02)
    assert energies.std() == pytest.approx(spread * MEAN_J, rel=0.02, abs=1e-12)
    assert model.harvest_j == pytest.approx(MEAN_J)


def test_exponential_energies_have_their_law_and_no_memory():
    energies, _ = play(model_of("exponential"), 100)
    assert stats.kstest(energies.ravel()[:20_000] / MEAN_J, stats.expon.cdf).pvalue > 1e-3
    centred = energies - energies.mean()
    assert (centred[1:] * centred[:-1]).mean() / energies.var() == pytest.approx(0, abs=0.02)


def test_a_two_state_harvest_is_a_fixed_energy_while_it_is_on_and_nothing_else():
    model = model_of("two_state", harvest_share=0.4, harvest_on_s=4 * BLOCK_S)
    energies, charging = play(model, 200)
    np.testing.assert_array_equal(energies, np.where(charging, model.charging_j, 0.0))
    assert model.charging_j == pytest.approx(MEAN_J / 0.4)
    ends = (charging[:-1] & ~charging[1:]).sum() / charging[:-1].sum()
    begins = (~charging[:-1] & charging[1:]).sum() / (~charging[:-1]).sum()
    assert (ends, begins) == pytest.approx((model.charge_ends, model.charge_begins), rel=0.03)


@pytest.mark.parametrize("harvest", ["constant", "exponential", "trace"])
def test_other_harvests_are_always_on(harvest):
    model = model_of(harvest, harvest_table=(1e-3, 2e-3))
    _, charging = play(model, 5)
    assert charging.all() and (model.charge_ends, model.charge_begins) == (0, 0)
    assert model.charging_j == model.harvest_j


def test_a_trace_is_of_powers():
    model = model_of("trace", num_users=2, harvest_table=((1.0, 3.0), (2.0, 2.0)))
    energies, _ = play(model, 3, seeds=[1])
    np.testing.assert_allclose(energies[:, 0], BLOCK_S * np.array([[1, 3], [2, 2], [1, 3]]))
    assert model.harvest_j == pytest.approx(2.0 * BLOCK_S)


@pytest.mark.parametrize("harvest", HARVESTS)
def test_a_row_alone_is_the_row_of_a_batch(harvest):
    model = model_of(harvest, harvest_table=(1e-3, 2e-3))
    together, alone = play(model, 20, seeds=[3, 4, 5]), play(model, 20, seeds=[4])
    for many, one in zip(together, alone, strict=True):
        np.testing.assert_array_equal(many[:, 1], one[:, 0])
