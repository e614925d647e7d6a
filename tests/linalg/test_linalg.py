"""np.linalg of Values: values as NumPy's, derivatives of the first and second order, under jit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value, grad, hessian, hvp, jit, linalg, value_and_grad, values, vmap

WEIGHTS = np.random.default_rng(7).normal(size=(8, 8))


def matrix(m: int, n: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(m, n))


def positive(n: int) -> Any:
    a = matrix(n, n)
    return a @ a.T + n * np.eye(n)


def weighed(*parts: Any) -> Any:
    """A sum with another weight for each number."""
    total: Any = 0.0
    for part in map(np.asanyarray, parts):
        weights = WEIGHTS[:part.shape[0], :part.shape[1]] if part.ndim == 2 else (
            WEIGHTS[0, :part.size].reshape(part.shape))
        total = total + np.sum(part * weights)
    return total


def squared(parts: Any) -> list[Any]:
    """Without the signs of vectors, which are free."""
    return [np.asanyarray(part) ** 2 for part in parts]


CASES: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "solve": (lambda a: weighed(np.linalg.solve(a, a[:, 0] * a[0])), matrix(4, 4)),
    "solve_many": (lambda a: weighed(np.linalg.solve(a, a[:, :2] ** 2)), matrix(4, 4)),
    "inv": (lambda a: weighed(np.linalg.inv(a)), matrix(4, 4)),
    "det": (np.linalg.det, matrix(4, 4)),
    "slogdet": (lambda a: np.linalg.slogdet(a)[0] * np.linalg.slogdet(a)[1], matrix(4, 4)),
    "cholesky": (lambda a: weighed(np.linalg.cholesky(a)), positive(4)),
    "qr_tall": (lambda a: weighed(*np.linalg.qr(a)), matrix(5, 3)),
    "qr_square": (lambda a: weighed(*np.linalg.qr(a)), matrix(4, 4)),
    "qr_wide": (lambda a: weighed(*np.linalg.qr(a)), matrix(3, 5)),
    "qr_r": (lambda a: weighed(np.linalg.qr(a, mode="r")), matrix(4, 3)),
    "eigh": (lambda a: weighed(*squared(np.linalg.eigh(a))), positive(4)),
    "eigh_upper": (lambda a: weighed(*squared(np.linalg.eigh(a, UPLO="U"))), positive(3)),
    "eigvalsh": (lambda a: weighed(np.linalg.eigvalsh(a)), positive(3)),
    "svd_tall": (lambda a: weighed(*squared(np.linalg.svd(a, full_matrices=False))), matrix(5, 3)),
    "svd_wide": (lambda a: weighed(*squared(np.linalg.svd(a, full_matrices=False))), matrix(2, 4)),
    "svd_square": (lambda a: weighed(*squared(np.linalg.svd(a))), matrix(3, 3)),
    "svdvals": (lambda a: weighed(np.linalg.svd(a, compute_uv=False)), matrix(3, 4)),
    "pinv_tall": (lambda a: weighed(np.linalg.pinv(a)), matrix(5, 3)),
    "pinv_wide": (lambda a: weighed(np.linalg.pinv(a)), matrix(2, 4)),
    "lstsq": (lambda a: weighed(*np.linalg.lstsq(a, a[:, 0] ** 2, rcond=None)[:2]), matrix(5, 3)),
    "nuclear": (lambda a: np.linalg.norm(a, "nuc"), matrix(4, 3)),
    "spectral": (lambda a: np.linalg.norm(a, 2) + np.linalg.norm(a, -2), matrix(4, 3)),
    "cond": (np.linalg.cond, matrix(3, 3)),
    "power": (lambda a: weighed(np.linalg.matrix_power(a, -3)), matrix(3, 3)),
    "tensors": (lambda a: weighed(np.linalg.tensorinv(a.reshape(2, 2, 4), 2).reshape(4, 4),
                                  np.linalg.tensorsolve(a.reshape(2, 2, 2, 2), a[:2, :2])),
                matrix(4, 4)),
    "stacks": (lambda a: weighed(np.linalg.inv(np.stack([a, a @ a]))[:, 0],
                                 np.linalg.solve(np.stack([a, a.T]), a[0])), matrix(3, 3)),
    "one": (lambda a: np.linalg.inv(a)[0, 0] * np.linalg.det(a) ** 2
            * np.linalg.eigh(a * a)[0][0] * np.linalg.svd(a)[1][0], matrix(1, 1)),
}


def central(f: Callable[[Any], Any], a: Any, step: float = 1e-5) -> Any:
    """Differences of the fourth order, for an array of the shape of a."""
    found = np.zeros(a.shape)
    for place in np.ndindex(a.shape):
        unit = np.zeros(a.shape)
        unit[place] = step
        found[place] = (8.0 * (f(a + unit) - f(a - unit))
                        - (f(a + 2.0 * unit) - f(a - 2.0 * unit))) / (12.0 * step)
    return found


def assert_close(found: Any, truth: Any, tolerance: float) -> None:
    scale = np.max(np.abs(truth))
    assert scale > 1e-5
    assert np.max(np.abs(np.asarray(found, dtype=float) - truth)) <= tolerance * scale


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives_of_both_orders(name: str) -> None:
    f, a = CASES[name]
    plain, by_values = f(a), value_and_grad(f)(a)
    assert by_values[0] == pytest.approx(plain, rel=1e-12)
    assert_close(by_values[1], central(f, a), 1e-7)
    direction = matrix(*a.shape, seed=3)
    truth = central(lambda t: np.sum(np.asarray(grad(f)(a + t[0] * direction)) * WEIGHTS[
        :a.shape[0], :a.shape[1]]), np.zeros(1))
    assert_close(np.sum(hvp(f, (a,), (direction,)) * WEIGHTS[:a.shape[0], :a.shape[1]]), truth[0],
                 1e-6)


@pytest.mark.parametrize("backend", ["python", "llvm"])
@pytest.mark.parametrize("name", CASES)
def test_it_is_recorded_once_and_right_elsewhere(name: str, backend: str) -> None:
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    f, a = CASES[name]
    compiled = jit(value_and_grad(f), backend=backend)
    for factor in (1.0, 1.05, 0.93):
        b = a * (1.0 + (factor - 1.0) * np.abs(a))
        value, slopes = compiled(b)
        expected, truth = value_and_grad(f)(b)
        assert value == pytest.approx(expected, rel=1e-10)
        assert_close(slopes, truth, 1e-10)
    assert compiled.n_recordings == 1


def test_pivots_are_chosen_without_a_branch() -> None:
    a = matrix(4, 4)
    compiled = jit(lambda a: np.linalg.inv(a))
    for order in ([0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]):
        assert np.asarray(compiled(a[order]), dtype=float) == pytest.approx(
            np.linalg.inv(a[order]), rel=1e-11)
    assert compiled.n_recordings == 1


def test_rows_of_matrices() -> None:
    stack = np.stack([matrix(3, 3, seed) for seed in range(5)])
    found = vmap(lambda a: np.linalg.det(a) + np.linalg.inv(a)[0, 1])(stack)
    assert found == pytest.approx(np.linalg.det(stack) + np.linalg.inv(stack)[:, 0, 1], rel=1e-11)


def test_a_singular_matrix_has_a_determinant_with_a_derivative() -> None:
    a = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]])
    cofactors = np.array([[np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) * (-1) ** (i + j)
                           for j in range(3)] for i in range(3)])
    assert_close(grad(np.linalg.det)(a), cofactors, 1e-13)
    assert_close(jit(grad(np.linalg.det), backend="python")(a), cofactors, 1e-13)


@pytest.mark.parametrize("singular", [
    [[1.0, 2.0], [2.0, 4.0]], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]],
    [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 6.0, 9.0]], np.zeros((3, 3)),
    [[2.0, 0.1, 0.3, 0.7], [0.2, 1.5, 0.9, 0.4], [2.2, 1.6, 1.2, 1.1], [0.5, 0.6, 0.8, 0.2]]])
def test_the_determinant_of_a_singular_matrix_has_derivatives_of_second_order(
        singular: Any) -> None:
    a, n = np.array(singular), len(singular)
    expected = np.zeros((n, n, n, n))  # of rows i, k and columns j, l: a minor of order n - 2
    for i, j, k, m in np.ndindex(expected.shape):
        if i != k and j != m:
            rest = np.delete(np.delete(a, [i, k], 0), [j, m], 1)
            sign = (-1) ** (i + j + k + m + (i > k) + (j > m))
            expected[i, j, k, m] = sign * (np.linalg.det(rest) if n > 2 else 1.0)
    for second in (hessian(np.linalg.det), jit(hessian(np.linalg.det), backend="python")):
        np.testing.assert_allclose(second(a), expected, rtol=1e-12, atol=1e-13)
    regular = a + np.eye(n)
    compiled = jit(np.linalg.det, backend="python")
    assert compiled(a) == pytest.approx(np.linalg.det(a), abs=1e-13)
    assert compiled(regular) == pytest.approx(np.linalg.det(regular), rel=1e-12)
    assert compiled(a) == pytest.approx(0.0, abs=1e-13)


def test_of_a_large_singular_matrix_the_error_says_what_to_write() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="up to 12 rows"):
        hessian(np.linalg.det)(np.ones((13, 13)))


def test_the_singular_values_of_least_squares_are_differentiated_and_replayed() -> None:
    a, b = matrix(5, 3), matrix(5, 3)[:, 0]

    def sizes(a: Any) -> Any:
        found = np.linalg.lstsq(a, b, rcond=None)[3]
        return found @ np.array([1.0, 2.0, 4.0]) + np.sum(found * found) + found[0] + len(found)

    def plain(a: Any) -> Any:
        found = np.linalg.svd(a, compute_uv=False)
        return found @ np.array([1.0, 2.0, 4.0]) + np.sum(found * found) + found[0] + len(found)

    fast = jit(value_and_grad(sizes), backend="python")
    for point in (a, 1.3 * a + 0.1):
        value, slope = value_and_grad(plain)(point)
        for found in (value_and_grad(sizes)(point), fast(point)):
            assert found[0] == pytest.approx(value, rel=1e-12)
            assert_close(found[1], slope, 1e-10)


def test_a_compiled_rank_is_that_of_each_call() -> None:
    def weighed_rank(a: Any) -> Any:
        return np.linalg.matrix_rank(a, tol=1.0) * a[0, 0]

    fast = jit(weighed_rank, backend="python")
    for a in (np.diag([2.0, 3.0]), np.diag([2.0, 0.5]), np.diag([2.0, 4.0])):
        assert fast(a) == weighed_rank(a)
    assert fast(np.diag([2.0, 0.5])) == 2.0


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda a: np.linalg.inv(a), np.linalg.LinAlgError, "Singular"),
    (lambda a: np.linalg.slogdet(a)[1], np.linalg.LinAlgError, "singular"),
    (lambda a: np.linalg.cholesky(-a), np.linalg.LinAlgError, "positive definite"),
    (lambda a: np.linalg.inv(a[:1]), np.linalg.LinAlgError, "square"),
    (lambda a: np.linalg.inv(a[0]), np.linalg.LinAlgError, "takes a matrix"),
    (lambda a: np.linalg.solve(a, a[:1]), np.linalg.LinAlgError, "does not fit"),
    (lambda a: np.linalg.svd(a[:1]), ValueError, "full_matrices=False"),
    (lambda a: np.linalg.qr(a, mode="complete"), ValueError, "complete"),
    (lambda a: np.linalg.norm(a, 3), ValueError, "no order 3"),
    (lambda a: np.linalg.eig(a), TypeError, "eigh"),
])
def test_errors_say_what_is_wrong(call: Any, error: Any, words: str) -> None:
    singular = values(np.array([[1.0, 2.0], [2.0, 4.0]]))
    with pytest.raises(error, match=words):
        call(singular)


def test_vectors_of_equal_eigenvalues_have_no_derivative_but_what_ignores_them_has() -> None:
    a = np.diag([2.0, 2.0, 5.0])
    with pytest.raises(ValueError, match="equal eigenvalues have no derivative"):
        grad(lambda a: np.linalg.eigh(a)[1][0, 1])(a)
    assert_close(grad(lambda a: np.sum(np.linalg.eigvalsh(a)))(a), np.eye(3), 1e-14)
    with pytest.raises(ValueError, match="equal singular values have no derivative"):
        grad(lambda a: np.linalg.svd(a)[0][0, 1])(a)


def test_a_call_is_one_node_for_each_result() -> None:
    a = values(matrix(6, 6))
    x = np.linalg.solve(a, np.ones(6))
    assert len(ag.topological_order(*x.tolist())) == 36 + 6


def test_numbers_give_numbers_and_ranks_are_plain() -> None:
    a = matrix(3, 3)
    assert linalg.inv(a).dtype == float
    assert linalg.inv(a) == pytest.approx(np.linalg.inv(a))
    assert linalg.slogdet(a).logabsdet == pytest.approx(np.linalg.slogdet(a)[1])
    assert np.linalg.matrix_rank(values(a)) == 3
    v = Value(2.0)
    y = np.linalg.det(np.array([[v, 1.0], [3.0, v]]).view(type(values([1.0]))))
    y.backward()
    assert (y.data, v.grad) == pytest.approx((1.0, 4.0))


# What is recorded holds for the matrix that was there: another rank, another triangle of zeros.
OF_ANY_RANK: dict[str, Callable[[Any], Any]] = {
    "pinv": lambda a: weighed(np.linalg.pinv(a)),
    "pinv by a cutoff": lambda a: weighed(np.linalg.pinv(a, 0.3)),
    "lstsq": lambda a: weighed(np.linalg.lstsq(a, np.arange(3.0), rcond=None)[0]),
    "residuals": lambda a: np.sum(np.linalg.lstsq(a[:, :2], np.arange(3.0), rcond=None)[1]),
    "rank of lstsq": lambda a: a[0, 0] * np.linalg.lstsq(a, np.arange(3.0), rcond=None)[2],
    "singular values of lstsq": lambda a: weighed(
        np.linalg.lstsq(a[:2], np.arange(2.0), rcond=None)[3]),
    "rank": lambda a: a[0, 0] * np.linalg.matrix_rank(a),
    "rank by a tolerance": lambda a: a[0, 0] * np.linalg.matrix_rank(a, tol=1.0),
    "ranks": lambda a: np.sum(a[0, 0] * np.linalg.matrix_rank(np.stack([a, a.T @ a]))),
    "qr": lambda a: weighed(*np.linalg.qr(a)),
}


@pytest.mark.parametrize("name", OF_ANY_RANK)
def test_a_replay_on_a_matrix_of_another_rank_or_shape_is_what_a_call_is(name: str) -> None:
    f, upper = OF_ANY_RANK[name], np.triu(matrix(3, 3)) + np.eye(3)
    of_rank_2 = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]])
    compiled, slopes = (jit(g, backend="python") for g in (f, grad(f)))
    for a in (matrix(3, 3), upper, matrix(3, 3, 1), 2.0 * np.eye(3), of_rank_2):
        if a is not of_rank_2 or name not in ("qr", "singular values of lstsq"):
            assert compiled(a) == pytest.approx(float(f(a)), rel=1e-9, abs=1e-12)
            assert np.asarray(slopes(a), dtype=float) == pytest.approx(
                np.asarray(grad(f)(a), dtype=float), rel=1e-8, abs=1e-8)


def test_singular_values_of_lstsq_have_derivatives() -> None:
    a = matrix(4, 3)

    def largest(a: Any) -> Any:
        return np.linalg.lstsq(a, np.arange(4.0), rcond=None)[3][0]

    assert_close(grad(largest)(a), central(largest, a), 1e-7)


def test_a_determinant_of_rows_of_many_sizes_has_an_accurate_derivative() -> None:
    sizes, a = np.array([2.0 ** -40, 1.0, 2.0 ** 40]), matrix(3, 3)
    scaled = sizes[:, None] * a * sizes[::-1]
    found = np.asarray(grad(np.linalg.det)(scaled)) * sizes[:, None] * sizes[::-1]
    assert_close(found, grad(np.linalg.det)(a), 1e-13)
