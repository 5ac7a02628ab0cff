"""Each row draws from its own generator."""

import numpy as np
import pytest
from scipy import stats

from mec_cf_gym.random_streams import Streams

DRAWS = {
    "uniform": lambda streams: streams.uniform(2.0, 5.0, (3, 4)),
    "interval": lambda streams: streams.interval((2.0, 5.0), (6,)),
    "normal": lambda streams: streams.normal((3, 4)),
    "complex_normal": lambda streams: streams.complex_normal((3, 4)),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_rows_draws_do_not_depend_on_its_neighbours(draw):
    together = draw(Streams.from_seeds([7, 8, 9]))
    alone = draw(Streams.from_seeds([8]))
    np.testing.assert_array_equal(together[1], alone[0])


def test_selected_streams_go_on_where_they_are():
    streams, twin = Streams.from_seeds([1, 2]), Streams.from_seeds([1, 2])
    first = streams.select(np.array([False, True])).normal((5,))
    np.testing.assert_array_equal(first[0], twin.normal((5,))[1])
    assert not np.array_equal(streams.normal((5,))[1], first[0])


def test_distributions():
    streams = Streams.from_seeds([3])
    uniform = streams.uniform(2.0, 5.0, (20_000,)).ravel()
    normal = streams.complex_normal((20_000,)).ravel()
    assert stats.kstest(uniform, stats.uniform(2, 3).cdf).pvalue > 1e-3
    for part in (normal.real, normal.imag):
        assert stats.kstest(part, stats.norm(scale=np.sqrt(0.5)).cdf).pvalue > 1e-3


def test_a_fixed_number_is_not_drawn():
    streams, twin = Streams.from_seeds([3]), Streams.from_seeds([3])
    assert (streams.interval(4.0, (5,)) == 4.0).all()
    np.testing.assert_array_equal(streams.normal((2,)), twin.normal((2,)))


def test_a_branch_is_seeded_and_leaves_the_streams_alike_however_much_is_drawn_from_it():
    first, second = Streams.from_seeds([1, 2]), Streams.from_seeds([1, 2])
    branch, twin = first.branch(), second.branch()
    np.testing.assert_array_equal(branch.normal((1000,))[:, :5], twin.normal((5,)))
    np.testing.assert_array_equal(first.normal((3,)), second.normal((3,)))
    assert not np.isin(first.branch().normal((5,)), second.normal((5,))).any()
