"""Batches of nested dataclasses are taken apart and put together; what is missing stays missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from mec_cf_gym.batches import flatten_rows, join_rows, put_rows, row_slices, stack_rows, take_rows


@dataclass(frozen=True)
class Leaf:
    AXES: ClassVar[Mapping[str, int]] = {"matrix": 2, "number": 0}

    matrix: np.ndarray  # (..., 2, 3)
    number: np.ndarray  # (...)
    name: str = "leaf"


@dataclass(frozen=True)
class Tree:
    vector: np.ndarray  # (..., 3)
    leaf: Leaf | None = None
    missing: Leaf | None = None


def draw_tree(rows, seed=0):
    rng = np.random.default_rng(seed)
    return Tree(rng.random((rows, 3)), Leaf(rng.random((rows, 2, 3)), rng.random(rows)))


def assert_same(tree, other):
    np.testing.assert_array_equal(tree.vector, other.vector)
    np.testing.assert_array_equal(tree.leaf.matrix, other.leaf.matrix)
    np.testing.assert_array_equal(tree.leaf.number, other.leaf.number)
    assert tree.leaf.name == "leaf"
    assert tree.missing is None


def test_single_rows_stack_to_the_batch():
    tree = draw_tree(4)
    assert_same(stack_rows([take_rows(tree, row) for row in range(4)]), tree)


def test_parts_of_a_batch_join_to_it():
    tree, mask = draw_tree(4), np.array([True, True, False, False])
    assert_same(join_rows([take_rows(tree, mask), take_rows(tree, ~mask)]), tree)


def test_put_rows_leaves_the_others_and_the_original_alone():
    tree, fresh, mask = draw_tree(4), draw_tree(2, seed=1), np.array([True, False, True, False])
    merged = put_rows(tree, mask, fresh)
    assert_same(take_rows(merged, mask), fresh)
    assert_same(take_rows(merged, ~mask), take_rows(tree, ~mask))
    assert_same(tree, draw_tree(4))


def test_none_has_no_rows():
    assert take_rows(None, 0) is None


def test_flattening_repeats_what_has_no_leading_axes():
    batch = draw_tree(6)
    tree = Tree(batch.vector.reshape(2, 3, 3), Leaf(batch.leaf.matrix[0], np.asarray(7.0)))
    flat = flatten_rows(tree, (2, 3))
    np.testing.assert_array_equal(flat.vector, batch.vector)
    np.testing.assert_array_equal(flat.leaf.matrix, np.tile(batch.leaf.matrix[0], (6, 1, 1)))
    assert flat.leaf.number.tolist() == [7.0] * 6
    assert flat.missing is None


@pytest.mark.parametrize(("rows", "bytes_per_row"), [(1, 1), (10, 2**17), (10, 2**30), (7, 10**5)])
def test_slices_cover_every_row_once(rows, bytes_per_row):
    covered = np.zeros(rows, int)
    for rows_at_once in row_slices(rows, bytes_per_row):
        covered[rows_at_once] += 1
    assert (covered == 1).all()
