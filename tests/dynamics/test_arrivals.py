"""Arrivals: means, variances and correlation of the numbers of tasks, and recordings."""

import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.dynamics import ARRIVALS
from mec_cf_gym.random_streams import Streams

USERS, BLOCK_S = 20, 0.5e-3
TABLE = ((0, 2), (1, 0), (3, 1))


def model_of(arrivals, num_users=USERS, **fields):
    return ARRIVALS[arrivals](Scenario.paper_a_dynamic(arrivals=arrivals, num_users=num_users, **fields))


def play(model, blocks, seeds=range(32), start=0):
    """Return numbers of tasks and whether users are in a burst, ``(blocks, rows, K)`` both."""
    streams = Streams.from_seeds(seeds)
    rates, bursting = model.rates(streams), model.begin(streams)
    tasks, states = [], []
    for clock in range(start, start + blocks):
        states.append(bursting)
        drawn, bursting = model.draw(bursting, rates, np.full(len(streams), clock), streams)
        tasks.append(drawn)
    return np.array(tasks), np.array(states)


@pytest.mark.parametrize(
    ("arrivals", "per_s", "variance"),
    [
        ("bernoulli", 600.0, lambda mean: mean * (1 - mean)),
        ("poisson", 600.0, lambda mean: mean),
        ("poisson", 20_000.0, lambda mean: mean),
        (
            "bursts",
            600.0,
            lambda mean: mean + mean**2 * (1 / 0.25 - 1),
        ),  # E[N^2] = l + l^2 in bursts, l = mean / share
    ],
)
def test_numbers_have_the_mean_and_the_variance_of_their_law(arrivals, per_s, variance):
    model = model_of(arrivals, tasks_per_s=per_s, burst_share=0.25, burst_s=4 * BLOCK_S)
    tasks, _ = play(model, 200)
    mean = per_s * BLOCK_S
    assert tasks.mean() == pytest.approx(mean, rel=0.02)
    assert tasks.var() == pytest.approx(variance(mean), rel=0.05)
    np.testing.assert_array_equal(tasks, np.round(tasks))


@pytest.mark.parametrize("arrivals", ["bernoulli", "poisson"])
def test_arrivals_without_memory_are_uncorrelated_and_know_no_bursts(arrivals):
    model = model_of(arrivals, tasks_per_s=600.0)
    tasks, bursting = play(model, 200)
    centred = tasks - tasks.mean()
    assert (centred[1:] * centred[:-1]).mean() / tasks.var() == pytest.approx(0, abs=0.015)
    assert not bursting.any()
    assert (model.burst_gain, model.burst_ends, model.burst_begins) == (1, 0, 0)


def test_tasks_of_bursts_come_in_bursts_only_and_are_correlated_as_these():
    model = model_of("bursts", tasks_per_s=600.0, burst_share=0.25, burst_s=4 * BLOCK_S)
    tasks, bursting = play(model, 200)
    assert not tasks[~bursting].any()
    assert tasks[bursting].mean() == pytest.approx(model.burst_gain * 600.0 * BLOCK_S, rel=0.02)
    assert bursting.mean() == pytest.approx(0.25, abs=0.01)
    mean, decay = 600.0 * BLOCK_S, 1 - model.burst_ends - model.burst_begins
    for lag in (1, 3):
        covariance = (tasks[lag:] * tasks[:-lag]).mean() - mean**2
        assert covariance == pytest.approx((mean / 0.25) ** 2 * 0.25 * 0.75 * decay**lag, rel=0.1)


def test_bursts_without_end_are_poisson():
    always = model_of("bursts", tasks_per_s=600.0, burst_share=1.0)
    tasks, bursting = play(always, 200)
    assert bursting.all() and always.burst_gain == 1
    assert tasks.var() == pytest.approx(600.0 * BLOCK_S, rel=0.05)


def test_rates_are_drawn_once_for_each_user_and_network():
    rates = model_of("poisson", tasks_per_s=(100.0, 900.0)).rates(Streams.from_seeds(range(50)))
    assert rates.shape == (50, USERS) and (rates >= 100).all() and (rates <= 900).all()
    assert rates.mean() == pytest.approx(500, rel=0.05) and rates.std() == pytest.approx(800 / 12**0.5, rel=0.05)


class TestTrace:
    def test_it_plays_its_columns_round_and_round(self):
        tasks, _ = play(model_of("trace", num_users=2, arrivals_table=TABLE), 4, seeds=[1], start=2)
        assert tasks[:, 0].tolist() == [[3, 1], [0, 2], [1, 0], [3, 1]]

    def test_its_rates_are_its_means(self):
        rates = model_of("trace", num_users=2, arrivals_table=TABLE).rates(Streams.from_seeds([1, 2]))
        np.testing.assert_allclose(rates, np.array([[4 / 3, 1.0]] * 2) / BLOCK_S)

    def test_one_column_is_of_all_users(self):
        tasks, _ = play(model_of("trace", arrivals_table=(5, 6)), 2, seeds=[1])
        assert (tasks[0] == 5).all() and (tasks[1] == 6).all()


@pytest.mark.parametrize("arrivals", ARRIVALS)
def test_a_row_alone_is_the_row_of_a_batch(arrivals):
    model = model_of(arrivals, tasks_per_s=(100.0, 900.0), arrivals_table=(1, 2, 4))
    together, alone = play(model, 20, seeds=[3, 4, 5]), play(model, 20, seeds=[4])
    for many, one in zip(together, alone, strict=True):
        np.testing.assert_array_equal(many[:, 1], one[:, 0])
