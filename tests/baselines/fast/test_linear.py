"""Small factorisations: equal to NumPy's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mec_cf_gym.baselines.fast.linear import cholesky, solve


@given(seed=st.integers(0, 2**31), size=st.integers(1, 15))
def test_factors_and_solutions_equal_numpys(seed, size):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, size)) + 3 * np.eye(size)
    matrix, right = root @ root.T, rng.normal(size=size)
    factor, solution = matrix.copy(), right.copy()
    assert cholesky(factor)
    np.testing.assert_allclose(np.triu(factor).T, np.linalg.cholesky(matrix), rtol=1e-8, atol=1e-10)
    solve(factor, solution)
    np.testing.assert_allclose(matrix @ solution, right, rtol=1e-6, atol=1e-8)


def test_a_matrix_that_is_not_positive_definite_is_noticed():
    assert not cholesky(np.array([[1.0, 2.0], [0.0, 1.0]]))
    assert not cholesky(np.array([[-1.0]]))
    assert not cholesky(np.array([[np.nan]]))
