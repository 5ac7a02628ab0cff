"""Two states: how long each lasts, how often it is on, and how it is correlated."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.dynamics import TwoStates
from mec_cf_gym.random_streams import Streams

ROWS, USERS = 64, 50


def play(process, blocks, seeds=range(ROWS)):
    """Return whether it is on, ``(blocks, rows, users)``."""
    streams = Streams.from_seeds(seeds)
    on = [process.begin(streams, USERS)]
    for _ in range(blocks - 1):
        on.append(process.advance(on[-1], streams))
    return np.array(on)


@given(on_s=st.floats(1.0, 100.0), share=st.floats(0.01, 1.0))
def test_the_stationary_law_has_the_share(on_s, share):
    process = TwoStates(on_s, share, block_s=1.0)
    assert 0 <= process.ends <= 1 and 0 <= process.begins <= 1
    flow_out, flow_in = share * process.ends, (1 - share) * process.begins
    assert flow_out == pytest.approx(flow_in, abs=1e-12)


@given(on_s=st.floats(1.0, 100.0), share=st.floats(0.01, 0.49))
def test_a_time_on_lasts_as_long_as_it_says_on_average(on_s, share):
    assert 1 / TwoStates(on_s, share, block_s=1.0).ends == pytest.approx(on_s)


def test_a_time_off_is_a_block_at_least_and_the_share_still_holds():
    process = TwoStates(2.0, 0.9, block_s=1.0)  # would be off for 2/9 of a block
    assert process.begins == 1.0
    assert process.ends == pytest.approx(1 / 9)


def test_it_is_on_for_its_share_in_every_block_from_the_first():
    on = play(TwoStates(10.0, 0.3, block_s=1.0), 40)
    spread = np.sqrt(0.3 * 0.7 / (ROWS * USERS))
    assert (abs(on.mean((1, 2)) - 0.3) < 4.5 * spread).all()


def test_correlation_decays_geometrically():
    process = TwoStates(10.0, 0.3, block_s=1.0)
    on = play(process, 60) - 0.3
    decay = 1 - process.ends - process.begins
    for lag in (1, 2, 5, 10):
        measured = (on[lag:] * on[:-lag]).mean() / (0.3 * 0.7)
        assert measured == pytest.approx(decay**lag, abs=0.03)


def test_times_on_and_off_have_their_means():
    on = play(TwoStates(5.0, 0.25, block_s=1.0), 400, seeds=range(8))
    lengths = {True: [], False: []}
    for user in on.reshape(len(on), -1).T:
        for state, group in itertools.groupby(user):
            lengths[bool(state)].append(len([*group]))
    assert np.mean(lengths[True]) == pytest.approx(5.0, rel=0.05)
    assert np.mean(lengths[False]) == pytest.approx(15.0, rel=0.05)


def test_always_on():
    assert play(TwoStates(1.0, 1.0, block_s=1.0), 10).all()


def test_a_row_alone_is_the_row_of_a_batch():
    process = TwoStates(5.0, 0.5, block_s=1.0)
    together, alone = play(process, 20, seeds=[3, 4, 5]), play(process, 20, seeds=[4])
    np.testing.assert_array_equal(together[:, 1], alone[:, 0])
