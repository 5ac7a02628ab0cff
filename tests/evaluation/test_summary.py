"""Statistics of records, against hand-made ones."""

import math

import numpy as np
import pytest

from mec_cf_gym.evaluation import Record, summarise, table
from mec_cf_gym.evaluation.gap import bootstrap_interval
from mec_cf_gym.evaluation.report import plot_cdf


def record(policy, seed, block, latency_ms, **changes):
    fields = {
        "env": "E-v0",
        "policy": policy,
        "seed": seed,
        "block": block,
        "max_latency_ms": latency_ms,
        "mean_latency_ms": latency_ms / 2,
        "gini": 0.25,
        "deadline_missed": latency_ms > 0.5,
        "capped_users": 0,
        "energy_j": 0.0,
        "dropped_bits": 0.0,
        "is_dynamic": False,
        "total_power_w": 0.1,
        "objective_w": 0.1,
        "decision_ms": 1.0,
    }
    return Record(**{**fields, **changes})


RECORDS = [
    record("slow", 1, 0, 0.4),
    record("slow", 1, 1, 0.6),
    record("slow", 2, 0, 0.6, capped_users=2),
    record("fast", 1, 0, 0.2),
    record("fast", 1, 1, 0.4),
    record("fast", 2, 0, 0.2),
]


def test_means_gaps_and_misses():
    slow, fast = summarise(RECORDS, reference="fast")
    assert (slow.policy, slow.topologies, slow.blocks) == ("slow", 2, 3)
    assert slow.mean_ms == pytest.approx(1.6 / 3)
    assert slow.median_ms == 0.6
    assert slow.p95_ms == pytest.approx(np.percentile([0.4, 0.6, 0.6], 95))
    assert slow.gap == pytest.approx(((1.0 + 0.5) / 2 + 2.0) / 2)  # blocks first, then topologies
    assert slow.gap_low <= slow.gap <= slow.gap_high
    assert slow.deadline_misses == pytest.approx(2 / 3)
    assert slow.capped == pytest.approx(1 / 3)
    assert (fast.gap, fast.gap_low, fast.gap_high) == (0, 0, 0)


def test_the_interval_covers_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    intervals = [bootstrap_interval(rng.normal(3.0, 1.0, 30)) for _ in range(150)]
    covered = np.mean([low <= 3.0 <= high for low, high in intervals])
    assert 0.88 <= covered <= 0.99


def test_one_topology_has_no_interval():
    only = [r for r in RECORDS if r.seed == 1]
    assert math.isnan(summarise(only, reference="fast")[0].gap_low)


def test_a_reference_that_did_not_run_is_refused():
    with pytest.raises(ValueError, match="reference='exact'"):
        summarise(RECORDS, reference="exact")
    with pytest.raises(ValueError, match="no record of block 0 of seed 2"):
        summarise(RECORDS[:-1], reference="fast")


def test_the_table_is_markdown_with_a_row_a_policy():
    lines = table(summarise(RECORDS, reference="fast")).splitlines()
    assert lines[0].startswith("| environment")
    assert set(lines[1]) == set("|-")
    assert len(lines) == 4
    assert "+137.50%" in lines[2]
    assert "66.7%" in lines[2]


def test_the_figure_has_a_curve_a_policy_and_marks_the_deadline():
    (axis,) = plot_cdf(RECORDS, deadline_ms=0.5).axes
    slow, fast, deadline = axis.lines
    assert [line.get_label() for line in (slow, fast, deadline)] == ["slow", "fast", "deadline"]
    np.testing.assert_allclose(slow.get_xdata(), [0.4, 0.4, 0.6, 0.6])
    np.testing.assert_allclose(slow.get_ydata(), [0, 1 / 3, 2 / 3, 1])
