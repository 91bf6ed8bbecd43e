"""The factor solves what dense algebra solves, one right-hand side or many."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from skymatch_nb.core.factor import SymmetricFactor, squares_of_rows


def random_matrix(rng, n, density):
    upper = np.triu(np.where(rng.random((n, n)) < density, rng.uniform(-1, 1, (n, n)), 0.0), 1)
    matrix = upper + upper.T
    return matrix + np.diag(np.abs(matrix).sum(axis=0) + rng.uniform(0.1, 1, n))


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 40), st.floats(0, 0.6), st.integers(1, 9), st.integers(0, 10**6))
def test_blocks_and_single_solutions_are_those_of_dense_algebra(n, density, width, seed):
    rng = np.random.default_rng(seed)
    matrix = random_matrix(rng, n, density)
    target = rng.normal(size=(n, width))
    before = target.copy()
    factor = SymmetricFactor(sparse.csc_array(matrix))
    expected = np.linalg.solve(matrix, target)
    np.testing.assert_allclose(factor.solve_block(target), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(factor.solve(target[:, 0]), expected[:, 0], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(target, before)


def test_pivots_off_the_diagonal_still_solve_but_give_no_diagonal():
    """Such a matrix is not positive definite; it never comes from weights."""
    factor = SymmetricFactor(sparse.csc_array(np.array([[0.0, 1.0], [1.0, 0.0]])))
    assert factor.solve_block(np.array([[3.0], [4.0]])).ravel().tolist() == [4.0, 3.0]
    assert factor.inverse_diagonal() is None


def test_singular_matrix_is_an_error():
    with pytest.raises(RuntimeError):
        SymmetricFactor(sparse.csc_array(np.array([[1.0, -1.0], [-1.0, 1.0]])))


@settings(deadline=None)
@given(st.integers(0, 10), st.integers(1, 10), st.integers(1, 5), st.integers(0, 10**6))
def test_squares_of_rows_are_those_of_the_product(nrows, n, width, seed):
    rng = np.random.default_rng(seed)
    rows = sparse.csr_array(np.where(rng.random((nrows, n)) < 0.4, rng.normal(size=(nrows, n)), 0.0))
    x = rng.normal(size=(n, width))
    found = squares_of_rows(rows.indptr, rows.indices, rows.data, x)
    np.testing.assert_allclose(found, ((rows.toarray() @ x) ** 2).sum(axis=0), atol=1e-12)
