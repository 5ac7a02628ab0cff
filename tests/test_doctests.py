"""Examples in docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import mec_cf_gym


def modules_with_examples():
    names = [module.name for module in pkgutil.walk_packages(mec_cf_gym.__path__, "mec_cf_gym.")]
    modules = [importlib.import_module(name) for name in names]
    return [module for module in modules if any(test.examples for test in doctest.DocTestFinder().find(module))]


@pytest.mark.parametrize("module", modules_with_examples(), ids=lambda module: module.__name__)
def test_docstring_examples(module):
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0
