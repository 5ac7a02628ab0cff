"""Cells measure what solvers choose, not what they write into their blocks."""

import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.baselines.reproduce.measure import Cell, measure_unit
from mec_cf_gym.baselines.reproduce.paper_a.schemes import Latencies

from ...writing import WritesIntoTheBlock


def test_a_solver_that_writes_into_its_blocks_is_refused(monkeypatch):
    cell = Cell("cell", "writer", Scenario.paper_a(num_users=3, num_aps=8), Latencies)
    monkeypatch.setattr(Cell, "load", lambda self: WritesIntoTheBlock())
    with pytest.raises(ValueError, match="read-only"):
        measure_unit(cell, range(2), 2, slice(0, 4))
