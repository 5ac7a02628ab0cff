"""What is remembered is found once for the same objects, and read-only."""

import numpy as np
import pytest

from mec_cf_gym.remembered import Remembered


def test_a_value_is_found_again_only_when_an_object_changes():
    calls = []
    doubled = Remembered(lambda one, other: calls.append(1) or (2 * one, other))
    one, other = np.ones(3), np.zeros(2)
    first = doubled(one, other)
    assert doubled(one, other) is first
    assert len(calls) == 1
    assert doubled(one.copy(), other) is not first
    assert doubled(one, other) is not first
    assert len(calls) == 3


def test_what_it_returns_cannot_be_written_into():
    value = Remembered(lambda one: 2 * one)(np.ones(3))
    with pytest.raises(ValueError, match="read-only"):
        value[0] = 0.0
