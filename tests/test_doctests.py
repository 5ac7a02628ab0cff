"""Examples in docstrings run."""

import doctest

import pytest

import mec_cf_gym.evaluation
import mec_cf_gym.scenario


@pytest.mark.parametrize(
    "module", [mec_cf_gym.scenario, mec_cf_gym.evaluation], ids=lambda module: module.__name__
)
def test_docstring_examples(module):
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0
