"""Compiled code runs where the package does: where nothing can be written; without numba the plain forms do."""

import sys

import numpy as np
import pytest
from numba.core import caching

from mec_cf_gym import Scenario, kernels
from mec_cf_gym.kernels.compilation import compiled
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.world import World


def double(value):
    return 2 * value


def test_where_nothing_can_be_written_functions_are_compiled_all_the_same(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])  # no place suits numba
    function = compiled(double)
    assert function(21) == 42
    assert len(function.signatures) == 1


@pytest.fixture
def without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    kernels.kernel.cache_clear()
    yield
    kernels.kernel.cache_clear()


def test_without_numba_there_are_no_kernels(without_numba):
    assert kernels.kernel("central", "central_vectors") is None


@pytest.fixture(scope="module")
def compiled_block():
    return first_block()


def first_block():
    scenario = Scenario.paper_b(num_aps=9, num_users=4, combiner="p_mmse")
    return World(scenario).begin(Streams.from_seeds([3, 4])).block


def test_without_numba_networks_are_the_same(compiled_block, without_numba):
    plain = first_block()
    for name in ("channel", "signal_gain", "interference_gain"):
        expected = getattr(plain, name)
        np.testing.assert_allclose(
            getattr(compiled_block, name), expected, rtol=1e-9, atol=1e-10 * np.abs(expected).max()
        )
