"""Small factorisations: equal to NumPy's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.baselines.fast.linear import back_substitute, cholesky, forward_substitute, gram


@given(seed=st.integers(0, 2**31), size=st.integers(1, 12), width=st.integers(1, 9))
def test_factors_and_substitutions_equal_numpys(seed, size, width):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, size)) + 3 * np.eye(size)
    matrix, columns = root @ root.T, rng.normal(size=(size, width))
    factor, solved = matrix.copy(), columns.copy()
    assert cholesky(factor)
    np.testing.assert_allclose(np.tril(factor), np.linalg.cholesky(matrix), rtol=1e-8, atol=1e-10)
    forward_substitute(factor, solved)
    out = np.zeros((width, width))
    gram(solved, out)
    expected = columns.T @ np.linalg.solve(matrix, columns)
    np.testing.assert_allclose(np.tril(out), np.tril(expected), rtol=1e-6, atol=1e-8)
    back_substitute(factor, solved)
    np.testing.assert_allclose(matrix @ solved, columns, rtol=1e-6, atol=1e-8)


def test_a_matrix_that_is_not_positive_definite_is_noticed():
    assert not cholesky(np.array([[1.0, 0.0], [2.0, 1.0]]))
    assert not cholesky(np.array([[-1.0]]))
    assert not cholesky(np.array([[np.nan]]))
