"""Selected inversion gives the diagonal that dense inversion gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from skymatch_nb.core.factor import SymmetricFactor
from skymatch_nb.core.selected import diagonal_of_inverse


def inverse_diagonal(matrix):
    return SymmetricFactor(sparse.csc_array(matrix)).inverse_diagonal()


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 40), st.floats(0, 0.6), st.integers(0, 10**6))
def test_diagonal_is_that_of_the_dense_inverse(n, density, seed):
    """Random symmetric, diagonally dominant matrices of any pattern."""
    rng = np.random.default_rng(seed)
    upper = np.triu(np.where(rng.random((n, n)) < density, rng.uniform(-1, 1, (n, n)), 0.0), 1)
    matrix = upper + upper.T
    matrix += np.diag(np.abs(matrix).sum(axis=0) + rng.uniform(0.1, 1, n))
    np.testing.assert_allclose(inverse_diagonal(matrix), np.diag(np.linalg.inv(matrix)), rtol=1e-10)


def test_grid_of_many_supernodes():
    """The Laplacian of 30 x 30 groups with eight neighbours, grounded at its edges."""
    side = 30
    line = sparse.diags_array([np.ones(side - 1), np.ones(side), np.ones(side - 1)], offsets=[-1, 0, 1])
    matrix = sparse.kron(line, line) * -1.0
    matrix = matrix + sparse.eye_array(side**2) * 10.0
    dense = np.linalg.inv(matrix.toarray())
    np.testing.assert_allclose(inverse_diagonal(matrix), np.diag(dense), rtol=1e-11)


def test_complex_matrices_are_symmetric_not_hermitian():
    rng = np.random.default_rng(3)
    matrix = rng.normal(size=(12, 12)) + 1j * rng.normal(size=(12, 12))
    matrix = matrix + matrix.T + 40 * np.eye(12)
    np.testing.assert_allclose(inverse_diagonal(matrix), np.diag(np.linalg.inv(matrix)), rtol=1e-12)


def test_factor_that_lacks_a_place_of_fill_is_refused():
    """Two groups linked to a third that is eliminated first are linked to each other."""
    hollow = sparse.csc_array(np.array([[1.0, 0, 0], [0.5, 1, 0], [0.5, 0, 1]]))
    assert diagonal_of_inverse(hollow.indptr, hollow.indices, hollow.data, np.ones(3)) is None


@pytest.mark.parametrize("exponent", [0, 4, 8])
def test_weights_far_apart(exponent):
    """A chain whose links alternate between 1 and a power of ten: resistances add up."""
    n = 20
    weight = np.where(np.arange(n) % 2, 10.0**-exponent, 1.0)
    matrix = np.zeros((n, n))
    for k in range(n):
        matrix[k, k] += weight[k]
        if k:
            matrix[k - 1, k - 1] += weight[k]
            matrix[k, k - 1] = matrix[k - 1, k] = -weight[k]
    np.testing.assert_allclose(inverse_diagonal(matrix), np.cumsum(1 / weight), rtol=1e-6)
