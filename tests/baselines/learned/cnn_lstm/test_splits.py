"""Splits are disjoint, complete, apart in topologies if asked, and test alike; gaps are as defined."""

import numpy as np
import pytest

from mec_cf_gym.baselines import ExactMinMax, FullPower
from mec_cf_gym.baselines.learned.cnn_lstm.gaps import Gaps, measure_gaps
from mec_cf_gym.baselines.learned.cnn_lstm.splits import read_labelled, split_samples

from ....writing import WritesIntoTheBlock

SEEDS = np.repeat(np.arange(20), 10)


@pytest.mark.parametrize("protocol", ["random", "topologies"])
class TestBothProtocols:
    def test_the_parts_are_disjoint_complete_and_a_fifth_tests(self, protocol):
        split = split_samples(SEEDS, protocol, seed=1)
        together = np.concatenate((split.train, split.validation, split.test))
        np.testing.assert_array_equal(np.sort(together), np.arange(200))
        assert len(split.test) == 40
        assert len(split.validation) in (16, 20)
        for part in (split.train, split.validation, split.test):
            assert (np.diff(part) > 0).all()

    def test_a_seed_decides_everything_but_the_test(self, protocol):
        first, same, other = (split_samples(SEEDS, protocol, seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first.train, same.train)
        np.testing.assert_array_equal(first.test, other.test)
        assert not np.array_equal(first.validation, other.validation)

    def test_few_samples_are_some_of_the_many(self, protocol):
        many, few = (split_samples(SEEDS, protocol, samples=samples) for samples in (None, 30))
        assert (len(few.train), len(few.validation)) == (27, 3)
        assert set(few.train) <= set(many.train)
        assert set(few.validation) <= set(many.validation)
        np.testing.assert_array_equal(few.test, many.test)

    @pytest.mark.parametrize("samples", [9, 161])
    def test_how_few_is_checked(self, protocol, samples):
        with pytest.raises(ValueError, match=f"samples={samples} is not allowed: it must be from 10 to 160"):
            split_samples(SEEDS, protocol, samples=samples)

    def test_too_little_data_is_refused(self, protocol):
        with pytest.raises(ValueError, match="needs 10 at least"):
            split_samples(SEEDS[:9], protocol)


def test_topologies_are_apart_or_shared():
    def shared(protocol):
        split = split_samples(SEEDS, protocol)
        return set(SEEDS[split.test]) & set(SEEDS[np.concatenate((split.train, split.validation))])

    assert shared("topologies") == set()
    assert len(shared("random")) > 10


def test_labelled_samples_are_those_of_the_rows(store):
    rows = np.array([0, 3, 17, 40, 59])
    parts = list(read_labelled(store, rows))
    everything = slice(0, len(store))
    for name in ("signal_gain", "channel"):
        column = store.read({"channel": "channel_magnitude"}.get(name, name), everything)
        np.testing.assert_array_equal(np.concatenate([getattr(part.block, name) for part in parts]), column[rows])
    power = np.concatenate([part.labels.power for part in parts])
    np.testing.assert_array_equal(power, store.read("power", everything)[rows])
    np.testing.assert_array_equal(np.concatenate([part.seed for part in parts]), rows // 5)


def test_the_labels_own_solver_has_no_gap_and_others_have(store):
    rows = np.arange(0, 60, 2)
    exact, full = (
        measure_gaps(solver, read_labelled(store, rows), 1e-3) for solver in (ExactMinMax(), FullPower())
    )
    np.testing.assert_allclose(exact.gap, 0, atol=1e-5)
    assert full.gap.mean() > 0.002
    assert (full.gap > -1e-5).all()
    assert exact.summary()["samples"] == 30


def test_a_solver_that_writes_into_its_blocks_is_refused(store):
    with pytest.raises(ValueError, match="read-only"):
        measure_gaps(WritesIntoTheBlock(), read_labelled(store, np.arange(3)), 1e-3)


def test_the_summary_counts_topologies_alike():
    gaps = Gaps(np.array([0.1, 0.3, 1.0]), np.array([False, False, True]), np.array([5, 5, 2]))
    np.testing.assert_allclose(gaps.per_topology(), [1.0, 0.2])
    summary = gaps.summary()
    assert summary["gap_mean"] == pytest.approx(0.6)
    assert summary["gap_low"] == pytest.approx(0.2)
    assert summary["capped"] == pytest.approx(1 / 3)
    assert Gaps(gaps.gap[:2], gaps.capped[:2], gaps.seed[:2]).summary()["gap_low"] is None
