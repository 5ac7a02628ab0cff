"""Recordings: rows of a table, round and round."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.recordings import Recording


@given(length=st.integers(1, 7), clock=st.lists(st.integers(0, 2**41), min_size=1, max_size=5))
def test_after_the_last_block_the_first_follows(length, clock):
    table = tuple((float(10 * row), float(10 * row + 1)) for row in range(length))
    shown = Recording(table, 2).at(np.array(clock))
    assert shown.tolist() == [[10 * (t % length), 10 * (t % length) + 1] for t in clock]


def test_a_single_column_is_of_all_users():
    shown = Recording(((1.0,), (4.0,)), 3).at(np.array([0, 1, 2]))
    assert shown.tolist() == [[1, 1, 1], [4, 4, 4], [1, 1, 1]]
