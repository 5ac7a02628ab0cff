"""Theorem 1 of paper A: assigning all subcarriers to all users loses nothing, says a search over assignments."""

import dataclasses
import itertools

import numpy as np
import pytest

from mec_cf_gym.baselines import AssignmentSearch, BranchAndBound
from mec_cf_gym.baselines.assignment import ON, under

from ..conftest import draw_blocks

TINY = {"num_users": 2, "num_subcarriers": 2, "num_aps": 8}
TOLERANCE = 1e-3


@pytest.mark.parametrize("interference", ["physical", "printed"])
def test_no_assignment_is_better_than_all_links_on(interference):
    block = draw_blocks(3, **TINY, interference=interference)
    searched, all_on = AssignmentSearch(TOLERANCE).solve(block), BranchAndBound(TOLERANCE).solve(block)
    assert (all_on.max_latency <= searched.max_latency * (1 + TOLERANCE)).all()
    assert (searched.max_latency <= all_on.max_latency * (1 + TOLERANCE)).all()
    assert (searched.lower_bound <= all_on.max_latency).all()
    assert (searched.max_latency <= searched.lower_bound * (1 + 1.001 * TOLERANCE)).all()


def test_the_search_finds_what_trying_every_assignment_finds():
    (block,) = draw_blocks(1, 3, **TINY, interference="printed").rows()
    tried = []
    for links in itertools.product((0, 1), repeat=4):
        assignment = np.reshape(links, (2, 2)).astype(np.int8)
        tried.append(float(BranchAndBound(TOLERANCE).solve(under(block, assignment)).max_latency))
    found = AssignmentSearch(TOLERANCE).solve(block)
    assert found.max_latency == pytest.approx(min(tried), rel=2 * TOLERANCE)
    assert min(tried) < max(tried)


def test_links_that_are_off_carry_nothing_and_disturb_nobody():
    (block,) = draw_blocks(1, **TINY).rows()
    assignment = np.array([[ON, 0], [ON, ON]], np.int8)
    restricted = under(block, assignment)
    assert restricted.signal_gain[0, 1] == 0
    assert restricted.interference_gain[0, 0, 1] == 0
    assert (restricted.interference_gain[1] == block.interference_gain[1]).all()
    np.testing.assert_array_equal(under(block, np.ones((2, 2), np.int8)).signal_gain, block.signal_gain)


def test_large_networks_are_refused():
    (block,) = draw_blocks(1, num_users=5, num_subcarriers=2).rows()
    with pytest.raises(ValueError, match=r"num_users=5 is not allowed: num_subcarriers \* num_users"):
        AssignmentSearch().solve(dataclasses.replace(block, channel=None))
