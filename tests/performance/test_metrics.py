"""Fairness and distributions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym import cdf_points, gini, percentiles

positive = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=12)


@given(positive)
def test_gini_equals_its_definition(values):
    x = np.array(values)
    expected = np.abs(x[:, None] - x).sum() / (2 * x.size * x.sum())
    assert gini(x) == pytest.approx(expected, abs=1e-12)


@given(positive, st.floats(1e-3, 1e3))
def test_gini_ignores_scale_and_order_and_lies_within_its_bounds(values, scale):
    x = np.array(values)
    assert gini(scale * x[::-1]) == pytest.approx(float(gini(x)), abs=1e-9)
    assert -1e-12 <= gini(x) <= 1 - 1 / x.size + 1e-12


def test_gini_of_extremes():
    assert gini([3.0, 3.0, 3.0]) == pytest.approx(0)
    assert gini([0.0, 0.0, 0.0, 8.0]) == pytest.approx(3 / 4)
    assert gini([0.0, 0.0]) == 0


def test_gini_works_on_batches():
    x = np.random.default_rng(0).random((3, 4, 5))
    assert gini(x).shape == (3, 4)
    assert gini(x)[2, 1] == pytest.approx(float(gini(x[2, 1])))


def test_percentiles_and_cdf():
    values = np.arange(101.0)[::-1].reshape(1, -1)
    assert percentiles(values, (5, 50, 95)) == {5: 5.0, 50: 50.0, 95: 95.0}
    ordered, share = cdf_points(values)
    assert (np.diff(ordered) > 0).all()
    assert share[0] == pytest.approx(1 / 101)
    assert share[-1] == 1
