"""NumPy's functions on arrays of Values: the numbers are NumPy's, the derivatives are right."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd import Value, grad, jit, topological_order, value_and_grad, values, vmap
from autograd.core.numpy_functions import (
    AS_THEY_ARE,
    DECIDING,
    LINALG,
    OWN,
    function_of_arrays,
)
from tests.core.numpy_table import MASK, TABLE

# No two are equal, none is where a function of the table has a kink or a jump.
VECTOR = np.array([0.31, -0.83, 1.27, 0.62])
MATRIX = np.array([[0.43, -1.16, 0.71, 0.23], [-0.37, 0.91, 1.41, -0.57],
                   [1.13, 0.37, -0.29, 0.83]])
DOMAINS: dict[str, Callable[[Any], Any]] = {
    "any": lambda x: x, "positive": lambda x: np.exp(0.5 * x), "unit": lambda x: np.tanh(0.5 * x),
    "above one": lambda x: 1.0 + np.exp(x)}


def as_number(name: str) -> Callable[[Any, Any], Any]:
    """A call of the table as a function to one number, in which all of its results count."""
    call, domain = TABLE[name]

    def function(a: Any, m: Any) -> Any:
        result = call(DOMAINS[domain](a), DOMAINS[domain](m))
        parts = result if isinstance(result, tuple | list) else [result]
        total: Any = 0.0
        for part in parts:
            for place, number in enumerate(np.asarray(part).ravel().tolist()):
                total = total + (1.0 + 0.37 * np.sin(1.0 + place)) * number
        return total

    return function


def slopes(f: Callable[[Any, Any], Any], a: Any, m: Any) -> np.ndarray[Any, Any]:
    """The gradient by central differences of fourth order."""
    point = np.concatenate([a, m.ravel()])
    step, result = 1e-3, []
    for i in range(len(point)):
        def at(k: float, i: int = i) -> Any:
            moved = point.copy()
            moved[i] += k * step
            return f(moved[:4], moved[4:].reshape(3, 4))

        result.append((8.0 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12.0 * step))
    return np.array(result)


def flat(gradient: Any) -> np.ndarray[Any, Any]:
    return np.concatenate([np.ravel(part) for part in gradient])


@pytest.mark.parametrize("name", TABLE)
def test_values_and_gradients_of_numpy_functions(name: str) -> None:
    f = as_number(name)
    value, gradient = value_and_grad(f, argnums=(0, 1))(VECTOR, MATRIX)
    assert float(value) == pytest.approx(float(f(VECTOR, MATRIX)), rel=1e-12, abs=1e-12)
    expected = slopes(f, VECTOR, MATRIX)
    assert flat(gradient) == pytest.approx(expected, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("name", TABLE)
def test_numpy_functions_compile(name: str) -> None:
    f = as_number(name)
    compiled = jit(value_and_grad(f, argnums=(0, 1)), backend="python")
    for factor in (1.0, 0.93, -0.8):  # the second in other places, the third on other branches
        a, m = factor * VECTOR, factor * MATRIX
        value, gradient = compiled(a, m)
        expected = value_and_grad(f, argnums=(0, 1))(a, m)
        assert float(value) == pytest.approx(float(expected[0]), rel=1e-13, abs=1e-13)
        assert flat(gradient) == pytest.approx(flat(expected[1]), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", TABLE)
def test_numpy_functions_take_rows(name: str) -> None:
    f = as_number(name)
    by_both = grad(f, argnums=(0, 1))
    of_vectors, of_matrices = vmap(by_both, backend="numpy")(
        np.stack([VECTOR, -0.8 * VECTOR]), np.stack([MATRIX, -0.8 * MATRIX]))
    for row, factor in enumerate((1.0, -0.8)):
        expected = by_both(factor * VECTOR, factor * MATRIX)
        assert flat([of_vectors[row], of_matrices[row]]) == pytest.approx(
            flat(expected), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", TABLE)
def test_numpy_functions_differentiate_twice(name: str) -> None:
    f = as_number(name)

    def slope(a: Any, m: Any) -> Any:
        by_a, by_m = grad(f, argnums=(0, 1))(a, m)
        weights = np.cos(np.arange(12.0)).reshape(3, 4)
        return np.sum(by_a * weights[0]) + np.sum(by_m * weights)

    given = grad(slope, argnums=(0, 1))(VECTOR, MATRIX)
    assert flat(given) == pytest.approx(slopes(slope, VECTOR, MATRIX), rel=1e-7, abs=1e-7)


# --- every way to call them -----------------------------------------------------------------------

def data(result: Any) -> Any:
    """The numbers of what a function gave."""
    if isinstance(result, Value):
        return result.data
    if isinstance(result, np.ndarray) and result.dtype == object:
        return np.array([getattr(x, "data", x) for x in result.flat]).reshape(result.shape)
    return result


def arrays(*shape: int) -> st.SearchStrategy[Any]:
    return hnp.arrays(float, shape, elements=st.floats(-3.0, 3.0, width=32))


def same(call: Callable[..., Any], *given: Any, rel: float = 1e-12) -> None:
    """A call gives NumPy's numbers, of NumPy's shape."""
    expected, found = call(*given), call(*map(values, given))
    assert np.shape(found) == np.shape(expected)
    assert data(found) == pytest.approx(np.asarray(expected), rel=rel, abs=1e-12)


@given(arrays(2, 3, 4), st.sampled_from([None, 0, 1, 2, -1, (0, 2), (1,), (0, 1, 2)]),
       st.booleans(), st.sampled_from(["sum", "prod", "mean", "std", "var", "max", "min", "ptp",
                                       "median"]))
def test_reductions_along_any_axes(a: Any, axis: Any, keepdims: bool, name: str) -> None:
    same(lambda x: getattr(np, name)(x, axis=axis, keepdims=keepdims), a)
    if name not in ("ptp", "median"):
        mask = np.arange(24).reshape(2, 3, 4) % 5 > 0
        initial = {"initial": 5.0} if name in ("sum", "prod", "max", "min") else {}
        same(lambda x: getattr(np, name)(x, axis=axis, where=mask, **initial), a)
        same(lambda x: getattr(x, name)(axis, keepdims=keepdims), a)


SHAPES = [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((4, 2, 3), (3, 2)),
          ((2, 3), (4, 3, 2)), ((4, 2, 3), (4, 3, 5)), ((2, 1, 2, 3), (4, 3, 2)), ((1, 1), (1, 1)),
          ((0, 3), (3, 2)), ((2, 0), (0, 2)), ((2, 1), (1, 3))]


@pytest.mark.parametrize(("first", "second"), SHAPES)
def test_matrix_products_of_any_shapes(first: Any, second: Any) -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=first), rng.normal(size=second)
    same(lambda x, y: x @ y, a, b)
    same(lambda x, y: np.dot(x, y), a, b)
    same(lambda x: x @ b, a)
    same(lambda y: a @ y, b)
    if len(first) > 1 and len(second) > 1:
        same(lambda x, y: np.tensordot(x, y, axes=([-1], [-2])), a, b)
        same(lambda x, y: np.inner(x, np.swapaxes(y, -1, -2)), a, b)


@pytest.mark.parametrize(("subscripts", "shapes"), [
    ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk", [(2, 3), (3, 4)]), ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]), ("ij->ji", [(2, 3)]), ("ij->", [(2, 3)]), ("ij->j", [(2, 3)]),
    ("i,i", [(3,), (3,)]), ("i,j->ij", [(2,), (3,)]), ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]),
    ("...ij,...jk->...ik", [(2, 2, 3), (2, 3, 2)]), ("...i,...i", [(2, 3), (3,)]),
    ("ij,j,k->ik", [(2, 3), (3,), (2,)]), ("ij,kj,kl,l->i", [(2, 3), (2, 3), (2, 2), (2,)]),
    ("iij,j->ij", [(2, 2, 3), (3,)]), ("ij,ij->", [(2, 3), (2, 3)]), ("ij,k->k", [(2, 3), (2,)]),
    ("i->", [(0,)]), ("ij,jk->ik", [(2, 0), (0, 2)]), ("ijk,ilm,njm,nlk->", [(2, 2, 2)] * 4)])
def test_einsum_of_any_subscripts(subscripts: str, shapes: list[Any]) -> None:
    rng = np.random.default_rng(2)
    given = [rng.normal(size=shape) for shape in shapes]
    same(lambda *x: np.einsum(subscripts, *x), *given)
    if subscripts == "ij,jk->ik":
        same(lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [0, 2]), *given)


def test_einsum_refuses_what_does_not_fit() -> None:
    x = values(np.ones((2, 3)))
    for call, words in [(lambda: np.einsum("ij,jk", x, x), "'j' is 3 long in one"),
                        (lambda: np.einsum("ijk->i", x), "of 3 axes"),
                        (lambda: np.einsum("ij,j", x), "of 2 operands, not 1"),
                        (lambda: x @ x, r"\(2, 3\) and \(2, 3\) do not fit"),
                        (lambda: np.tensordot(x, x, 1), "do not fit")]:
        with pytest.raises(ValueError, match=words):
            call()


@given(st.integers(1, 6), st.integers(1, 6), st.sampled_from(["full", "same", "valid"]))
def test_convolutions_of_any_lengths(n: int, m: int, mode: str) -> None:
    rng = np.random.default_rng(n + 10 * m)
    a, b = rng.normal(size=n), rng.normal(size=m)
    same(lambda x, y: np.convolve(x, y, mode), a, b)
    same(lambda x, y: np.correlate(x, y, mode), a, b)


METHODS = ["linear", "lower", "higher", "midpoint", "nearest", "hazen", "weibull", "inverted_cdf",
           "median_unbiased", "normal_unbiased", "interpolated_inverted_cdf",
           "averaged_inverted_cdf", "closest_observation"]


@given(st.integers(1, 40), st.floats(0.0, 1.0), st.sampled_from(METHODS))
def test_quantiles_by_any_method(n: int, q: float, method: str) -> None:
    a = np.random.default_rng(n).normal(size=(n, 2))
    same(lambda x: np.quantile(x, q, axis=0, method=method), a)
    same(lambda x: np.quantile(x, [q, 0.5], axis=0, method=method), a)
    same(lambda x: np.percentile(x, 100.0 * q, method=method), a)


def test_quantiles_pass_nan_on_or_leave_it_out() -> None:
    a = np.array([[1.0, math.nan, 3.0], [4.0, 2.0, 9.0]])
    x = values(a)
    assert np.array_equal(data(np.median(x, axis=1)), np.median(a, axis=1), equal_nan=True)
    for name in ("nanmedian", "nanmean", "nansum", "nanstd", "nanmax", "nanprod"):
        same(lambda x, name=name: getattr(np, name)(x, axis=1), a)
    same(lambda x: np.nanpercentile(x, [20, 70], axis=1), a)
    assert np.nanargmin(x[0]) == 0 and np.argmax(x[0]) == 1
    assert data(np.sort(x)).tolist()[1] == [2.0, 4.0, 9.0]


@given(arrays(5), st.lists(st.integers(-3, 3), min_size=1, max_size=5, unique=True), st.booleans())
def test_interp_between_and_beyond_knots(a: Any, knots: list[int], is_cyclic: bool) -> None:
    places = np.sort(np.array(knots, dtype=float))
    heights = np.cos(places)
    same(lambda x: np.interp(x, places, heights), a)
    same(lambda x: np.interp(x, places, heights, left=-9.0, right=9.0), a)
    same(lambda x, y: np.interp(x, places, y), a, heights)
    if is_cyclic:
        same(lambda x: np.interp(x, places, heights, period=6.5), a, rel=1e-9)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
def test_paddings(mode: Any) -> None:
    same(lambda x: np.pad(x, ((1, 2), (2, 0)), mode), MATRIX)


@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors")
@pytest.mark.parametrize("call", [
    lambda x: np.average(x, axis=0), lambda x: np.average(x, weights=np.arange(12.0).reshape(3, 4)),
    lambda x: np.average(x, axis=1, weights=[1.0, 2.0, 3.0, 4.0], returned=True)[1],
    lambda x: np.cov(x, rowvar=False), lambda x: np.cov(x[0]), lambda x: np.cov(x, bias=True),
    lambda x: np.cov(x[0], x[1]), lambda x: np.corrcoef(x[0], x[1]),
    lambda x: np.gradient(x), lambda x: np.gradient(x, [0.0, 1.0, 4.0], axis=0),
    lambda x: np.diff(x, 2), lambda x: np.diff(x, prepend=0.0), lambda x: np.cumsum(x, axis=0),
    lambda x: np.cumsum(x), lambda x: x.cumprod(axis=1), lambda x: np.add.reduceat(x, [0, 2]),
    lambda x: np.trace(x, 1), lambda x: np.cross(x[:, :2], x[:, 2:]), lambda x: np.kron(x, x[0]),
    lambda x: np.cross(x[:, :3], x[:, 1:], axis=0), lambda x: np.cross(x[:, :2], [1.0, 2.0, 3.0]),
    lambda x: np.linspace(x[0], x[1], 4), lambda x: np.linspace(0.0, x[0, 0], 3, endpoint=False),
    lambda x: np.linspace(x[0], x[1], 3, axis=1), lambda x: np.round(10.0 * x, -1),
    lambda x: np.round(x, 2), lambda x: x.round(), lambda x: np.tril(x, -1),
    lambda x: np.triu(x[0]), lambda x: np.vander(x[0], increasing=True),
    lambda x: np.linalg.norm(x, 3, axis=0), lambda x: np.linalg.norm(x, 0, axis=1),
    lambda x: np.linalg.norm(x, "fro"), lambda x: np.linalg.norm(x[0], -1),
    lambda x: np.add.outer(x, x[0]), lambda x: np.polyfit([0.0, 1.0, 2.0, 4.0], x.T, 2),
    lambda x: np.polyfit([0.0, 1.0, 2.0, 4.0], x[0], 1, w=[1.0, 2.0, 1.0, 1.0]),
    lambda x: np.nan_to_num(x / 0.5), lambda x: np.unwrap(5.0 * x, axis=0),
    lambda x: np.unwrap(x, discont=2.0, period=3.0), lambda x: np.trapezoid(x, dx=0.5, axis=0)
    if hasattr(np, "trapezoid") else np.trapz(x, dx=0.5, axis=0),  # type: ignore[attr-defined]
    lambda x: np.multiply(x, 2.0, where=x > 0, out=x * 0.0), lambda x: np.sum(x, 0, out=x[0] * 0.0),
    lambda x: np.std(x, ddof=1), lambda x: x.var(axis=0, ddof=1), lambda x: x.dot(x.T),
    lambda x: np.where(MASK, x, x[0]), lambda x: np.insert([1.0, 2.0], 1, x[0]),
    lambda x: np.searchsorted(np.sort(x[0]), x[1]), lambda x: np.sort(x, axis=None),
    lambda x: np.bincount([0, 1, 1, 3], x[0], 6), lambda x: np.logaddexp.reduce(x, axis=1),
    lambda x: np.exp(np.concatenate([x[0], [1.0, 2]])), lambda x: np.matmul(x, [1, 2, 3, 4]),
    lambda x: operator.imatmul(x[:, :3].copy(), x[:, 1:]),
    lambda x: np.matmul(x, x, axes=[(0, 1), (1, 0), (1, 0)]),
    lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 2)).mean(axis=(2, 3)),
    lambda x: np.add.at(z := x.copy(), ([0, 0], [1, 1]), [x[0, 0], 2.0]) or z])
def test_calls_in_all_their_forms(call: Callable[[Any], Any]) -> None:
    found = call(values(MATRIX))
    for one, expected in zip(*(x if isinstance(x, tuple | list) else [x] for x in
                               (found, call(MATRIX))), strict=True):
        assert np.shape(one) == np.shape(expected)
        assert data(one) == pytest.approx(np.asarray(expected), rel=1e-12, abs=1e-12)


# --- kinks ----------------------------------------------------------------------------------------

@pytest.mark.parametrize(("call", "point", "gradient"), [
    (np.std, [2.0, 2.0, 2.0], [0.0, 0.0, 0.0]), (np.median, [1.0, 1.0, 5.0], [0.5, 0.5, 0.0]),
    (lambda x: np.sort(x)[0], [3.0, 1.0, 1.0], [0.0, 0.5, 0.5]),
    (np.median, [1.0, 1.0, 1.0], [1 / 3, 1 / 3, 1 / 3]),
    (np.median, [2.0, 1.0, 1.0, 1.0, 0.0, 1.0], [0.0, 0.25, 0.25, 0.25, 0.0, 0.25]),
    (lambda x: np.sort(x) @ [1.0, 2.0, 4.0, 7.0, 9.0], [5.0, 1.0, 5.0, 1.0, 1.0],
     [8.0, 7 / 3, 8.0, 7 / 3, 7 / 3]),
    (lambda x: np.percentile(x, 30), [1.0, 0.0, 1.0, 1.0], [0.3, 0.1, 0.3, 0.3]),
    (lambda x: np.sort(x) @ [1.0, 2.0, 4.0, 8.0], [1.0, math.inf, 1.0, 1.0],
     [7 / 3, 8.0, 7 / 3, 7 / 3]),
    (lambda x: np.percentile(x, 100), [3.0, 1.0, 3.0], [0.5, 0.0, 0.5]),
    (lambda x: np.interp(x, [0.0, 1.0, 2.0], [0.0, 2.0, 3.0]).sum(), [1.0, 0.0, 1.5],
     [1.0, 0.0, 1.0]),
    (lambda x: np.interp(x, [0.0, 1.0, 2.0], [0.0, 2.0, 1.0]).sum(), [1.0, 2.0, 5.0],
     [0.0, 0.0, 0.0]),
    (lambda x: np.clip(x, 0.0, 1.0).sum(), [0.0, 0.5, 1.0], [0.5, 1.0, 0.5]),
    (lambda x: np.logaddexp.reduce(x), [0.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]),
    (lambda x: np.nan_to_num(np.stack([x[0], math.inf * x[1], x[2]]))[0], [1.0, 1.0, 1.0],
     [1.0, 0.0, 0.0]),
    (lambda x: np.linalg.norm(x - 1.0), [1.0, 1.0, 1.0], [0.0, 0.0, 0.0])])
def test_kinks_have_one_rule(call: Callable[[Any], Any], point: Any, gradient: Any) -> None:
    for derivative in (grad(call), jit(grad(call), backend="python")):
        assert derivative(np.array(point)) == pytest.approx(gradient, rel=1e-15)


# --- fewer nodes ----------------------------------------------------------------------------------

@pytest.mark.parametrize(("call", "n_nodes"), [
    (np.sum, 1), (np.prod, 1), (np.mean, 2), (np.max, 1), (np.linalg.norm, 1),
    (lambda x: x @ x, 1), (lambda x: np.eye(12) @ x, 12), (lambda x: np.einsum("i,i", x, x), 1),
    (lambda x: x.reshape(3, 4) @ x.reshape(4, 3), 9), (np.var, 16), (np.std, 16),
    (lambda x: np.trace(x.reshape(2, 6)[:, :2]), 1), (lambda x: np.convolve(x, x, "valid"), 1)])
def test_sums_of_products_are_one_node_a_number(call: Callable[[Any], Any], n_nodes: int) -> None:
    x = values(np.arange(12.0) - 4.3)
    graph = topological_order(*np.ravel(call(x)).tolist())
    assert len([node for node in graph if node.op is not None]) == n_nodes


# --- what is not answered -------------------------------------------------------------------------

def test_what_is_not_answered_says_so_by_its_name() -> None:
    x = values(np.ones((2, 2)))
    for call, words in [
            (lambda: np.fft.fft(x), r"^np\.fft\.fft of Values .* np\.cos"),
            (lambda: np.roots(x[0]), r"^np\.roots of Values"),
            (lambda: np.histogram(x), r"^np\.histogram of Values is computed from the bare"),
            (lambda: np.sort_complex(x), r"^np\.sort_complex is not supported .*v\.data"),
            (lambda: np.spacing(x), r"^np\.spacing cannot be recorded"),
            (lambda: np.bitwise_and(x, x), r"^np\.bitwise_and cannot be recorded"),
            (lambda: np.linalg.eigvals(x), r"^np\.linalg\.eigvals of Values .*linalg\.eigvalsh"),
            (lambda: np.sum(x, dtype=int), r"np\.add\.reduce\(\.\.\., dtype=<class 'int'>\)"),
            (lambda: np.add(x, 1.0, out=np.ones((2, 2))), r"np\.zeros_like"),
            (lambda: np.pad(x, 1, "mean"), r"^np\.pad of Values takes the modes constant")]:
        with pytest.raises(TypeError, match=words):
            call()


def test_every_function_of_numpy_is_answered_or_refused() -> None:
    for function in vars(np).values():
        if hasattr(function, "_implementation") and function not in (
                OWN.keys() | AS_THEY_ARE | DECIDING.keys()):
            with pytest.raises(TypeError, match=r"^np\.\w+ "):
                function_of_arrays(function, (values([1.0]),), {})


def test_linear_algebra_may_be_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    x = values([[2.0]])
    with pytest.raises(TypeError, match=r"^np\.linalg\.inv is not supported"):
        monkeypatch.delitem(LINALG, "inv", raising=False)
        np.linalg.inv(x)
    monkeypatch.setitem(LINALG, "inv", lambda a: 1.0 / a)
    assert np.linalg.inv(x)[0, 0].data == 0.5


def test_single_values_follow_the_same_rules() -> None:
    v, w = Value(0.0), Value(2.5)
    for call, expected in [
            (lambda: np.maximum(v, 0.0), 0.0), (lambda: np.clip(w, -1, 1), 1.0),
            (lambda: np.float64(2.0) * w, 5.0), (lambda: np.sum(w), 2.5), (lambda: np.mean(w), 2.5),
            (lambda: np.interp(w, [0.0, 5.0], [1.0, 2.0]), 1.5),
            (lambda: np.where(w > 1, w, v), 2.5),
            (lambda: np.round(w), 2.0), (lambda: np.floor(w), 2.0), (lambda: np.mod(w, 2.0), 0.5),
            (lambda: np.nan_to_num(w), 2.5), (lambda: np.linspace(v, w, 2)[1], 2.5),
            (lambda: np.stack([v, w])[1], 2.5), (lambda: np.dot(w, 2.0), 5.0),
            (lambda: np.heaviside(w, 0.5), 1.0), (lambda: np.ldexp(w, 1), 5.0)]:
        result = call()
        assert isinstance(result, Value) and result.data == expected
    assert np.maximum(v, 0.0).kinks()
    assert np.isclose(w, 2.5) and not np.isnan(w) and np.allclose([v], 0.0) and np.ndim(w) == 0


def test_arrays_that_are_filled_later_take_values() -> None:
    def f(x: Any) -> Any:
        y = np.zeros_like(x)
        for i in range(len(x)):
            y[i] = x[i] ** 2
        z = np.ones_like(x, dtype=float)
        z[0] = y[1]
        return np.sum(y * z)

    expected = [2.0 * 3.0 * 16.0, 9.0 * 2.0 * 4.0 + 2.0 * 4.0]
    assert grad(f)(np.array([3.0, 4.0])).tolist() == expected
    assert jit(grad(f))(np.array([3.0, 4.0])).tolist() == expected


def test_a_list_beside_a_value_is_an_array_as_beside_a_number_of_numpys() -> None:
    def f(x: Any) -> Any:
        return np.sum((x[0] - [3, 5, 2]) ** 2 + ([1.0, 2.0, 3.0] + x[1]) / 2.0)

    assert f(values([1.0, 2.0])).data == f(np.array([1.0, 2.0]))
    assert grad(f)(np.array([1.0, 2.0])).tolist() == [-14.0, 1.5]
    with pytest.raises(TypeError, match="one Value for each number"):
        _ = [0.0] * Value(3.0)  # three of them, or three times 0?


def test_a_value_goes_into_an_array_by_insert() -> None:
    def f(x: Any) -> Any:
        return np.insert(x, 1, x[0] * x[2]) @ np.arange(1.0, 5.0)

    x = np.array([0.5, -1.0, 2.0])
    assert f(values(x)).data == f(x)
    np.testing.assert_allclose(grad(f)(x), [1.0 + 2.0 * x[2], 3.0, 4.0 + 2.0 * x[0]])


@pytest.mark.parametrize("n", [1, 3, -2])
def test_powers_of_stacks_of_matrices(n: int) -> None:
    def f(a: Any) -> Any:
        return (np.linalg.matrix_power(np.stack([a, a @ a + 1.0]), n) * weights).sum()

    a = np.array([[2.0, 0.3], [-0.4, 1.5]])
    weights = np.arange(1.0, 9.0).reshape(2, 2, 2)
    assert f(values(a)).data == pytest.approx(f(a), rel=1e-14)
    h = 1e-6
    slopes = [[(f(a + h * e) - f(a - h * e)) / (2.0 * h) for e in row]
              for row in np.eye(4).reshape(2, 2, 2, 2)]
    for slope in (grad(f), jit(grad(f))):
        np.testing.assert_allclose(slope(a), slopes, rtol=1e-7, atol=1e-7)
    assert np.linalg.matrix_power(values(np.ones((0, 2, 2))), 3).shape == (0, 2, 2)


@pytest.mark.parametrize("test", [
    np.isnan, np.isfinite, np.isinf, np.signbit, np.logical_not,
    lambda v: np.isclose(v, 2.0), lambda v: np.greater(v, 1.0), lambda v: np.equal(1.0, v),
    lambda v: np.logical_and(v, 0.0), lambda v: np.float64(1.0) < v])
def test_truths_about_one_value_are_numpys(test: Any) -> None:
    """~ of Python's False is -1, which counts as true."""
    found, expected = test(Value(2.0)), test(np.float64(2.0))
    assert isinstance(found, np.bool_)
    assert found == expected and (~found).any() == ~expected


def test_any_and_all_of_one_value() -> None:
    assert np.any(Value(2.0)) and np.all(Value(2.0)) and not np.any(Value(0.0))


def test_a_norm_of_any_order_has_the_slope_0_at_the_origin() -> None:
    def norm(x: Any) -> Any:
        return np.linalg.norm(x, 3)

    assert grad(norm)(np.zeros(2)).tolist() == [0.0, 0.0]
    assert jit(grad(norm))(np.zeros(2)).tolist() == [0.0, 0.0]
    x = np.array([1.0, -2.0])
    assert grad(norm)(x) == pytest.approx(np.sign(x) * x * x / 9.0 ** (2.0 / 3.0), rel=1e-14)
    rows = grad(lambda x: np.sum(np.linalg.norm(x, 3, axis=1)))(np.array([[0.0, 0.0], [0.0, 3.0]]))
    assert rows.tolist() == [[0.0, 0.0], [0.0, 1.0]]


# Options that change the numbers or their shape, also those that few people write.
@pytest.mark.parametrize("call", [
    *(lambda m, f=f: f(m, axis=0, keepdims=1) for f in (
        np.sum, np.prod, np.max, np.min, np.mean, np.std, np.ptp, np.median, np.average,
        np.nansum, np.nanmax)),
    lambda m: np.quantile(m, [0.3, 0.6], axis=1, keepdims=1),
    *((lambda m: np.var(m, axis=0, mean=np.zeros((1, 4))), lambda m: np.std(m, mean=0.3),
       lambda m: np.nanvar(m, correction=1), lambda m: np.nanstd(m, 1, mean=m[:, :1], ddof=1))
      if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else ()),
    lambda m: np.nanmax(m, axis=(), where=np.abs(m) > 0.5, initial=-1.0),
    lambda m: np.nanmin(m, axis=0, where=m > 2.0, initial=7.0),
    lambda m: np.subtract.reduce(m, initial=2.0), lambda m: np.divide.reduce(m, 0, initial=2.0),
    lambda m: np.add.reduceat(m, [], axis=0).sum(),
    lambda m: np.einsum(m, [0, 27]), lambda m: np.einsum(m, [30, 2]),
    lambda m: np.linspace(m, 2.0, 1, retstep=True)[0],
    lambda m: np.geomspace(m ** 2, 2.0, 0).sum(),
    lambda m: np.interp([-0.5, 0.5, 1.5, 1.0], [0.0, 1.0, 1.0, 2.0], m[0]),
    lambda m: np.digitize(m, np.sort(m[0])),
    lambda m: np.piecewise(m[0], np.array([m[0] < 0.0, m[0] > 0.3]), [1.0, lambda x: x ** 2]),
])
def test_no_option_is_left_out(call: Callable[[Any], Any]) -> None:
    expected, found = np.asarray(call(MATRIX)), np.asarray(call(values(MATRIX)))
    assert found.shape == expected.shape
    assert data(found) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda m: np.add.reduceat(m, [1, -1]), IndexError, "place -1 is out of bounds"),
    (lambda m: np.subtract.reduce(m, axis=None), ValueError, "takes one axis"),
    (lambda m: np.gradient(m[0], [1.0, 2.0, 3.0]), ValueError, "3 places .* of 4 numbers"),
    (lambda m: np.bincount([0, -1, 1, 2], weights=m[0]), ValueError, "from 0 on"),
    (lambda m: np.bincount([0, 1.5, 1, 2], weights=m[0]), TypeError, "whole numbers"),
    (lambda m: np.einsum("...i->i", m), ValueError, "before the arrow alone"),
    (lambda m: np.logspace(m, 2.0, 4, dtype=int), TypeError, "dtype"),
    (lambda m: np.geomspace(m ** 2, 2.0, 4, dtype=int), TypeError, "dtype"),
    (lambda m: np.std(m, axis=0, ddof=3), ValueError, "more than 3 numbers, not 3"),
])
def test_what_numpy_refuses_is_refused(call: Callable[[Any], Any], error: type[Exception],
                                       message: str) -> None:
    with pytest.raises(error, match=message):
        call(values(MATRIX))
