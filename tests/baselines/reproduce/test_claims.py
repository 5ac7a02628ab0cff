"""Verdicts on synthetic numbers: the interval decides, not the mean."""

import math

import numpy as np
import pytest

from mec_cf_gym.baselines.reproduce.claims import (
    claims_table,
    judge,
    not_measured,
    verdict,
    verdict_within,
    weakest,
)
from mec_cf_gym.evaluation.gap import Estimate, bootstrap_interval
from mec_cf_gym.evaluation.report import markdown


def finding(mean, spread=0.1, **options):
    values = mean + spread * np.linspace(-1, 1, 21)
    return judge("claim", 10, "below", "quantity", values, **{"unit": "ms", **options})


@pytest.mark.parametrize(
    ("low", "high", "limit", "expected"),
    [
        (-2.0, -1.0, 0.0, "yes"),
        (1.0, 2.0, 0.0, "no"),
        (-1.0, 1.0, 0.0, "undecided"),
        (0.005, 0.009, 0.01, "yes"),
        (0.005, 0.011, 0.01, "undecided"),
        (math.nan, math.nan, 0.0, "undecided"),
    ],
)
def test_the_whole_interval_has_to_be_on_one_side(low, high, limit, expected):
    assert verdict(Estimate(0.0, low, high), limit) == expected


def test_a_finding_has_the_mean_of_the_topologies_and_its_interval():
    values = np.array([0.1, 0.2, 0.6])
    found = judge("claim", 10, "below", "quantity", values, unit="%")
    assert found.mean == pytest.approx(0.3)
    assert (found.low, found.high) == bootstrap_interval(values)
    assert [finding(-1).holds, finding(0).holds, finding(1).holds] == ["yes", "undecided", "no"]
    assert finding(0.15, limit=0.2, spread=0.01).holds == "yes"


def test_one_topology_decides_nothing():
    found = judge("claim", 10, "below", "quantity", np.array([-1.0]), unit="ms")
    assert found.holds == "undecided"
    assert found.to_dict()["low"] is None
    assert "-1.0000 ms [n/a, n/a]" in claims_table([found])


def test_the_weakest_finding_is_the_one_nearest_to_failing():
    clear, close, unclear, failed = finding(-2), finding(-1), finding(0.02), finding(0.015, spread=0.001)
    assert weakest([clear, close]) is close
    assert weakest([close, unclear, clear]) is unclear
    assert failed.holds == "no"
    assert failed.high < unclear.high
    assert weakest([unclear, failed]) is failed


def test_the_table_says_what_was_measured_and_what_was_not():
    text = claims_table([finding(-1), not_measured("other", 20, "within 1 %", "no weights")])
    assert "| claim   |  10 | below      | quantity: -1.0000 ms [" in text
    assert "| other   |  20 | within 1 % | no weights" in text
    assert text.count("not measured") == 1
    assert not_measured("other", 20, "within 1 %", "no weights").to_dict()["mean"] is None


def test_estimates_are_written_with_their_units():
    found = Estimate(0.0123, -0.01, 0.03)
    assert found.text("%") == "+1.23% [-1.00%, +3.00%]"
    assert found.text("ms") == "+0.0123 ms [-0.0100, +0.0300]"
    assert found.text() == "0.0123 [-0.0100, 0.0300]"


def test_tables_without_rows_have_a_head():
    assert markdown([], ("a", "b")).splitlines()[0].replace(" ", "") == "|a|b|"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (30, 40, "yes"),
        (31, 39, "yes"),
        (41, 45, "no"),
        (10, 29, "no"),
        (29, 35, "undecided"),
        (math.nan,) * 2 + ("undecided",),
    ],
)
def test_a_range_holds_the_whole_interval_or_none_of_it(low, high, expected):
    assert verdict_within(Estimate(35.0, low, high), 30, 40) == expected


def test_a_statistic_is_resampled_over_topologies_with_all_its_samples_together():
    values = np.random.default_rng(1).normal(1.0, 0.2, (100, 3))
    mean = Estimate.of_statistic(lambda sample: float(sample.mean()), values)
    usual = Estimate.of(values.mean(1))
    assert mean.mean == pytest.approx(usual.mean)
    assert (mean.low, mean.high) == pytest.approx((usual.low, usual.high), abs=0.005)
    ratio = Estimate.of_statistic(lambda one, other: float(one.sum() / other.sum()), 2 * values, values)
    assert (ratio.mean, ratio.low, ratio.high) == pytest.approx((2, 2, 2))
    alone = Estimate.of_statistic(lambda sample: float(sample.mean()), values[:1])
    assert math.isnan(alone.low)
    assert alone.text("mW") == f"{alone.mean:.3g} mW [n/a, n/a]"
