"""vmap: rows on every back end, against a Python loop over the rows and the eager engine."""

from __future__ import annotations

import functools
import math
import tracemalloc
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import (
    RecordingError,
    Value,
    grad,
    hessian,
    hvp,
    jacobian,
    jit,
    jvp,
    value_and_grad,
    vmap,
)
from autograd.core.pytrees import flatten

from ..back_ends import back_ends

Point = namedtuple("Point", "x y")


def assert_rows(given: Any, expected: list[Any]) -> None:
    """Assert that structures of arrays hold what a list of the rows' results holds."""
    first = expected[0]
    if isinstance(first, dict):
        assert type(given) is dict
        assert list(given) == list(first)
        for key in first:
            assert_rows(given[key], [row[key] for row in expected])
    elif isinstance(first, list | tuple):
        assert type(given) is type(first)
        assert len(given) == len(first)
        for i, part in enumerate(given):
            assert_rows(part, [row[i] for row in expected])
    elif first is None or isinstance(first, str):
        assert given == first
    else:
        stacked = np.array(expected)
        if stacked.dtype != bool:
            stacked = stacked.astype(float)
        assert isinstance(given, np.ndarray)
        assert given.dtype == stacked.dtype
        assert given.shape == stacked.shape
        np.testing.assert_allclose(given, stacked, rtol=1e-13, atol=1e-15)


def assert_numbers(given: Any, expected: Any) -> None:
    """Assert the same structure around the same numbers, to rounding."""
    if isinstance(expected, tuple | list):
        assert type(given) is type(expected)
        for one, other in zip(given, expected, strict=True):
            assert_numbers(one, other)
    elif isinstance(expected, dict):
        assert list(given) == list(expected)
        assert_numbers(list(given.values()), list(expected.values()))
    else:
        assert np.shape(given) == np.shape(expected)
        np.testing.assert_allclose(given, expected, rtol=1e-12, atol=1e-13)


# --- rows -----------------------------------------------------------------------------------------

def smooth(x: Any) -> Any:
    return ag.sin(x) * x + 0.1


XS = np.linspace(-2.0, 3.0, 7)
TABLE = np.arange(21.0).reshape(7, 3) / 7.0


@pytest.mark.parametrize("rows", [XS, XS.tolist(), tuple(XS), np.arange(7), XS.astype(np.float32),
                                  XS[::-1], np.repeat(XS, 2)[::2], list(np.arange(7)),
                                  XS.astype(object), range(7)],
                         ids=lambda rows: type(rows).__name__)
def test_rows_of_numbers(rows: Any, backend: str) -> None:
    f = vmap(smooth, backend=backend)
    for _ in range(2):
        assert_rows(f(rows), [smooth(float(x)) for x in rows])
    assert f.n_recordings == 1


ROWS: list[tuple[Callable[[Any], Any], Any]] = [
    (lambda v: v * 2.0, TABLE),  # arrays: * is by element
    (lambda v: v @ v, TABLE),
    (lambda v: v * 2.0, np.asfortranarray(TABLE)),
    (lambda v: v * 2.0, list(TABLE)),  # a list of arrays
    (lambda v: v[0] * v[1], TABLE.tolist()),
    (lambda v: v[0] * v[1], [tuple(row) for row in TABLE.tolist()]),
    (lambda v: v + v, TABLE.tolist()),  # lists: + joins them
    (lambda p: p.x / (1.0 + p.y), [Point(*row[:2]) for row in TABLE.tolist()]),
    (lambda d: d["a"] * d["b"][1], [{"a": row[0], "b": row[1:]} for row in TABLE.tolist()]),
    (lambda v: v[0] * v[1][0] + v[1][1], [[row[0], row[1:]] for row in TABLE.tolist()]),
    (lambda m: m.T @ m, np.arange(42.0).reshape(7, 3, 2)),
    (lambda m: m[0][1] * m[2][0], np.arange(42.0).reshape(7, 3, 2).tolist()),
    (lambda v: v[0] * v[1], np.arange(21).reshape(7, 3)),
    (lambda v: v.sum(), np.arange(7.0).reshape(7, 1)),
    (lambda v: 1.0, np.zeros((7, 0))),
    (lambda v: v[1] * 2.0 if v[0] else v[1], [[True, x] for x in XS.tolist()]),
    (lambda v: v[1] * 2.0 if v[0] == "a" else v[1], [("a", x) for x in XS.tolist()]),
]


@pytest.mark.parametrize("number", range(len(ROWS)))
def test_rows_of_structures(number: int, backend: str) -> None:
    function, rows = ROWS[number]
    f = vmap(function, backend=backend)
    for _ in range(2):
        assert_rows(f(rows), [function(row) for row in rows])
    assert f.n_recordings == 1


def test_dictionaries_of_rows(backend: str) -> None:
    def line(d: Any) -> Any:
        return {"y": d["w"] * d["x"][0] + d["x"][1], "w": d["w"]}

    rows = {"x": TABLE[:, :2].tolist(), "w": XS}
    expected = [line({"x": x, "w": w}) for x, w in zip(rows["x"], rows["w"], strict=True)]
    f = vmap(line, backend=backend)
    assert_rows(f(rows), expected)
    slopes = vmap(grad(lambda d: d["w"] ** 2 * d["x"][0]), backend=backend)(rows)
    assert_numbers(slopes["w"], 2.0 * XS * TABLE[:, 0])


RESULTS: list[Callable[[Any], Any]] = [
    lambda x: (x, [x * 2.0, {"a": x / 3.0}]),
    lambda x: Point(x, (x * x,)),
    lambda x: np.array([[x, 1.0], [0.0, x * x]]),
    lambda x: [x * np.array([1.0, 2.0]), 3],
    lambda x: {"constant": 2.5, "text": "a", "none": None, "truth": True, "x": x},
    lambda x: np.array([1.0, 2.0]),
    lambda x: np.array([x > 0.0, True]),
    lambda x: 4,
    lambda x: x > 0.0,
    lambda x: (x > 1.0, x < 0.0, x),
    lambda x: [],
]


@pytest.mark.parametrize("number", range(len(RESULTS)))
def test_structures_of_results(number: int, backend: str) -> None:
    function = RESULTS[number]
    f = vmap(function, backend=backend)
    for _ in range(2):
        assert_rows(f(XS), [function(float(x)) for x in XS])


@pytest.mark.parametrize("n", [*range(1, 18), 31, 33, 64, 100])
def test_any_number_of_rows(n: int, backend: str) -> None:
    f = vmap(lambda x, w: (smooth(x) * w, x + w), in_axes=(0, None), backend=backend)
    xs = np.linspace(-1.0, 2.0, n)
    assert_rows(f(xs, 0.7), [(smooth(x) * 0.7, x + 0.7) for x in xs.tolist()])
    total = grad(vmap(lambda w, x: smooth(x) * w, in_axes=(None, 0), backend=backend))(0.7, xs)
    assert total == pytest.approx(math.fsum(map(smooth, xs.tolist())), rel=1e-13)


def test_the_same_function_of_different_numbers_of_rows() -> None:
    f = vmap(smooth)
    for n in (5, 1, 17, 8, 5):
        assert_rows(f(XS[:1].repeat(n)), [smooth(float(XS[0]))] * n)
    assert f.n_recordings == 1


def test_results_belong_to_the_caller(backend: str) -> None:
    for n in (5, 20_000):  # copied, and handed out as they are
        f = vmap(lambda x: (x * 2.0, 1.0), backend=backend) if n == 5 else vmap(
            lambda x: (x * 2.0, 1.0), backend="numpy" if backend == "python" else backend)
        xs = np.arange(float(n))
        first = f(xs)
        first[0][:] = first[1][:] = -1.0
        second, third = f(xs), f(xs + 1.0)
        np.testing.assert_array_equal(second[0], xs * 2.0)
        np.testing.assert_array_equal(second[1], np.ones(n))
        np.testing.assert_array_equal(third[0], xs * 2.0 + 2.0)
        np.testing.assert_array_equal(xs, np.arange(float(n)))


# --- in_axes --------------------------------------------------------------------------------------

@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_rows_may_lie_along_any_axis(axis: int, backend: str) -> None:
    cube = np.arange(24.0).reshape(2, 3, 4) / 7.0
    f = vmap(lambda m: m[0] * m[1] - m[0, 0], in_axes=axis, backend=backend)
    assert_rows(f(cube), [m[0] * m[1] - m[0, 0] for m in np.moveaxis(cube, axis, 0)])
    g = vmap(lambda m: m[0][1] * m[1][0], in_axes=axis, backend=backend)
    lists = np.moveaxis(cube, axis, 0).tolist()
    assert_rows(g(cube.tolist()), [m[0][1] * m[1][0] for m in lists])
    joined = vmap(lambda m: m[0] + m[1], in_axes=axis, backend=backend)
    assert_rows(joined(cube.tolist()), [m[0] + m[1] for m in lists])


CUBE = np.arange(27.0).reshape(3, 3, 3) / 7.0  # in which a transposed derivative has its shape, too


def cubic(w: Any, m: Any) -> Any:
    return w[0] * m[0][1] ** 3 * m[1][2] + w[1] * m[2][0] ** 2 * m[1][2]


def slopes_along(axis: int) -> Any:
    """The derivatives by CUBE of cubic, row by row, put together again by hand."""
    rows = np.moveaxis(CUBE, axis, 0)
    return np.moveaxis(np.array([grad(cubic, 1)([0.7, -1.3], m) for m in rows]), 0, axis)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_a_derivative_by_what_differs_by_row_has_its_shape(axis: int, backend: str) -> None:
    f = vmap(cubic, in_axes=(None, axis), backend=backend)
    w, expected = [0.7, -1.3], slopes_along(axis)
    by_weights = grad(f)(w, CUBE)
    assert_numbers(grad(f, 1)(w, CUBE), expected)
    assert_numbers(grad(f, 1)(w, CUBE.tolist()), expected)
    assert_numbers(grad(f, -1)(w, CUBE), expected)
    assert_numbers(value_and_grad(f, 1)(w, CUBE)[1], expected)
    first, second = grad(f, (0, 1))(w, CUBE)
    assert first == by_weights and np.array_equal(second, grad(f, 1)(w, CUBE))


@pytest.mark.parametrize("axis", [1, -1])
def test_products_with_second_derivatives_have_the_shapes_of_the_arguments(
        axis: int, backend: str) -> None:
    f, w = vmap(cubic, in_axes=(None, axis), backend=backend), [0.7, -1.3]
    rows, along = np.moveaxis(CUBE, axis, 0), (w, CUBE[::-1])
    products = [hvp(cubic, (w, m), (w, t)) for m, t in
                zip(rows, np.moveaxis(along[1], axis, 0), strict=True)]
    by_weights, by_rows = hvp(f, (w, CUBE), along)
    assert_numbers(by_rows, np.moveaxis(np.array([p[1] for p in products]), 0, axis))
    assert_numbers(by_weights, np.sum([p[0] for p in products], axis=0))
    by_both = jacobian(grad(f, 1), 0)(w, CUBE)
    each = np.array([jacobian(grad(cubic, 1), 0)(w, m) for m in rows])
    assert_numbers(by_both, np.moveaxis(each, 0, axis if axis > 0 else 2))


def test_derivatives_by_dictionaries_and_lists_of_rows_have_their_shapes(backend: str) -> None:
    f = vmap(lambda d: cubic(d["w"], d["m"]), in_axes=1, backend=backend)
    arguments = {"m": CUBE, "w": np.arange(6.0).reshape(2, 3)}
    rows = [{"m": CUBE[:, i], "w": arguments["w"][:, i]} for i in range(3)]
    slopes = [grad(lambda d: cubic(d["w"], d["m"]))(row) for row in rows]
    given = grad(f)(arguments)
    for name in ("m", "w"):
        assert_numbers(given[name], np.stack([slope[name] for slope in slopes], axis=1))
    g = vmap(lambda v: v[0] * v[0] * v[1], backend=backend)
    for rows in (TABLE[:, :2].tolist(), [tuple(row) for row in TABLE[:, :2].tolist()]):
        assert_numbers(grad(g)(rows), np.stack(
            [2.0 * TABLE[:, 0] * TABLE[:, 1], TABLE[:, 0] ** 2], axis=1))


def test_a_derivative_of_a_vmapped_derivative_sees_the_same_shape() -> None:
    f, w = vmap(cubic, in_axes=(None, 1)), [0.7, -1.3]

    def weighted(m: Any) -> Any:
        return (grad(f, 1)(w, m) * CUBE).sum()

    expected = hvp(lambda m: f(w, m).sum(), CUBE, CUBE)
    assert_numbers(grad(weighted)(CUBE), expected)
    assert_numbers(ag.jit(grad(weighted))(CUBE), expected)


@pytest.mark.parametrize("axes", [(0, None, 1), (0, None, -1)])
def test_each_argument_has_an_axis_of_its_own(axes: Any, backend: str) -> None:
    def model(x: Any, w: Any, v: Any) -> Any:
        return w["a"] * x + w["b"][0] * v[1]

    weights = {"a": 0.3, "b": [0.7]}
    f = vmap(model, in_axes=axes, backend=backend)
    expected = [model(x, weights, v) for x, v in zip(XS.tolist(), TABLE, strict=True)]
    assert_rows(f(XS, weights, TABLE.T), expected)


def test_shared_arguments_may_change_without_a_recording(backend: str) -> None:
    f = vmap(lambda x, w, k: w[0] * x + w[1] * k, in_axes=(0, None, None), backend=backend)
    for w in ([1.0, 2.0], [0.3, -0.7]):
        for k in (2, 0.5):
            assert_rows(f(XS, w, k), [w[0] * x + w[1] * k for x in XS.tolist()])
    assert f.n_recordings == 1


def test_keywords_are_shared(backend: str) -> None:
    def model(x: Any, *, scale: Any = 2.0, shift: Any = (0.0,), kind: str = "sum") -> Any:
        return x * scale + shift[0] if kind == "sum" else x

    f = vmap(model, backend=backend)
    assert_rows(f(XS), [model(x) for x in XS.tolist()])
    assert_rows(f(XS, scale=3.0, shift=[0.5]), [model(x, scale=3.0, shift=[0.5]) for x in XS])
    assert_rows(f(XS, kind="none"), XS.tolist())
    assert_rows(f(XS, scale=5.0, shift=[0.7]), [model(x, scale=5.0, shift=[0.7]) for x in XS])
    assert f.n_recordings == 3


def test_captured_values_are_read_at_each_call(backend: str) -> None:
    w = Value(2.0, "w")
    f = vmap(lambda x: w * x, backend=backend)
    np.testing.assert_array_equal(f(XS), 2.0 * XS)
    w.data = 3.0
    np.testing.assert_array_equal(f(XS), 3.0 * XS)
    assert f.n_recordings == 1


def test_a_captured_number_that_changes_is_recorded_anew(backend: str) -> None:
    factor = 2.0
    f = vmap(lambda x: factor * x, backend=backend)
    np.testing.assert_array_equal(f(XS), 2.0 * XS)
    factor = 3.0
    np.testing.assert_array_equal(f(XS), 3.0 * XS)
    assert f.n_recordings == 2


def test_what_all_rows_share_beside_numbers_may_change(backend: str) -> None:
    class Settings:
        factor = 2.0

    chosen = Settings()
    f = vmap(lambda x, options: x * options.factor, in_axes=(0, None), backend=backend)
    np.testing.assert_array_equal(f(XS, chosen), XS * 2.0)
    chosen.factor = 5.0
    np.testing.assert_array_equal(f(XS, chosen), XS * 5.0)


# --- branches -------------------------------------------------------------------------------------

def pieces(x: Any) -> Any:
    for k in range(-3, 4):
        if x < k:
            return x * k + 0.1
    return x * x


def test_rows_that_take_different_branches(backend: str) -> None:
    xs = np.linspace(-5.0, 5.0, 41)
    f = vmap(pieces, backend=backend)
    for order in (xs, xs[::-1], np.concatenate([xs[::2], xs[1::2]])):
        assert_rows(f(order), [pieces(x) for x in order.tolist()])
    assert f.n_recordings == 8
    assert_rows(vmap(grad(pieces), backend=backend)(xs), [grad(pieces)(x) for x in xs.tolist()])


def test_branches_that_only_some_rows_take_later(backend: str) -> None:
    f = vmap(lambda x: x if x > 0.0 else -2.0 * x, backend=backend)
    np.testing.assert_array_equal(f([1.0, 2.0]), [1.0, 2.0])
    assert f.n_recordings == 1
    np.testing.assert_array_equal(f([1.0, -2.0, 3.0]), [1.0, 4.0, 3.0])
    np.testing.assert_array_equal(f([-1.0, -2.0]), [2.0, 4.0])
    assert f.n_recordings == 2


def test_sums_over_rows_that_take_different_branches(backend: str) -> None:
    def loss(w: Any, x: Any) -> Any:
        return w * x if x > 0.0 else w * w * x if x > -1.0 else 3.0

    xs = np.linspace(-2.0, 2.0, 23)
    both = value_and_grad(vmap(loss, in_axes=(None, 0), backend=backend))
    for w in (0.7, -1.3):
        for _ in range(2):
            values, slope = both(w, xs)
            assert_rows(values, [loss(w, x) for x in xs.tolist()])
            expected = math.fsum(grad(loss)(w, x) for x in xs.tolist())
            assert slope == pytest.approx(expected, rel=1e-13)


def test_a_constant_is_summed_over_the_rows_of_its_branch(backend: str) -> None:
    f = grad(vmap(lambda w, x: 5.0 * w if x > 0.0 else w - 2.0 if x < -1.0 else 1.0,
                  in_axes=(None, 0), backend=backend))
    assert f(0.3, [1.0, -2.0, 2.0, -0.5, 3.0]) == 16.0


def test_nan_rows_are_a_branch_like_any_other(backend: str) -> None:
    f = vmap(lambda x: 1.0 if x < 0.0 else 2.0 if x >= 0.0 else 3.0, backend=backend)
    given = f([math.nan, 1.0, -1.0, math.nan])
    np.testing.assert_array_equal(given, [3.0, 2.0, 1.0, 3.0])
    g = vmap(lambda x: x * 2.0 if x > 0.0 else x, backend=backend)
    np.testing.assert_array_equal(g([1.0, math.nan, -math.inf]), [2.0, math.nan, -math.inf])


@given(xs=st.lists(st.floats(-4.0, 4.0) | st.sampled_from([math.inf, -math.inf, -0.0, 1.0]),
                   min_size=1, max_size=20))
def test_random_rows_find_their_branches(backend: str, xs: list[float]) -> None:
    def nested(x: Any) -> Any:
        if abs(x) < 1.0:
            return x * 3.0 if x > 0.5 else max(x, 0.0) - 1.0
        return sorted([x, 2.0, -2.0])[1]

    given = vmap(nested, backend=backend)(xs)
    np.testing.assert_array_equal(given, [nested(x) for x in xs])


def test_at_most_max_recordings_are_kept(backend: str) -> None:
    f = vmap(pieces, backend=backend, max_recordings=3)
    xs = np.linspace(-5.0, 5.0, 21)
    for _ in range(2):
        assert_rows(f(xs), [pieces(x) for x in xs.tolist()])
    assert f.n_recordings == 3
    total = grad(vmap(lambda w, x: w * pieces(x), (None, 0), backend=backend, max_recordings=2))
    assert total(0.3, xs) == pytest.approx(math.fsum(map(pieces, xs.tolist())), rel=1e-13)


def test_a_number_read_with_data_holds_for_its_row_alone(backend: str) -> None:
    f = vmap(lambda x: x.data * x if isinstance(x, Value) else x * x, backend=backend,
             max_recordings=4)
    np.testing.assert_array_equal(f(XS), XS * XS)
    assert f.n_recordings == 4
    assert "max_recordings" in f.explain()


def test_a_number_that_is_rounded_otherwise_is_left_to_the_eager_engine(backend: str) -> None:
    def read(x: Any) -> Any:  # the eager engine sums exactly, back ends may add one by one
        total = ag.sum([1e-16, x, 1e-16])
        return total.data * x if isinstance(total, Value) else total * x

    xs = [1.1, 1.3, 1.9]
    f = vmap(read, backend=backend)
    np.testing.assert_array_equal(f(xs), [read(x) for x in xs])
    assert f.n_recordings == 3


# --- derivatives ----------------------------------------------------------------------------------

def model(w: Any, x: Any) -> Any:
    """One row's loss: shared weights, a row of two numbers."""
    return ag.tanh(w[0] * x[0] + w[1] * x[1]) ** 2 + w[1] * x[0]


WEIGHTS = np.array([0.3, -0.7])
PAIRS = np.array([[0.1, 0.9], [1.2, -0.4], [-0.7, 0.3], [2.0, 1.0], [0.5, 0.5]])


def summed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The sum over all rows, by the eager engine: what a derivative of vmap differentiates."""
    return lambda w, rows: sum(function(w, row) for row in rows)


@pytest.mark.parametrize("transform", [grad, jacobian])
def test_gradients_by_shared_arguments_are_sums(transform: Any, backend: str) -> None:
    mapped = vmap(model, in_axes=(None, 0), backend=backend)
    given = grad(mapped)(WEIGHTS, PAIRS)
    assert_numbers(given, grad(summed(model))(WEIGHTS, PAIRS))
    given = transform(mapped)(WEIGHTS, PAIRS)
    rows = [transform(model)(WEIGHTS, row) for row in PAIRS]
    assert_numbers(given, np.sum(rows, axis=0) if transform is grad else np.array(rows))


def test_gradients_by_row_arguments_are_each_rows_own(backend: str) -> None:
    mapped = vmap(model, in_axes=(None, 0), backend=backend)
    assert_numbers(grad(mapped, argnums=1)(WEIGHTS, PAIRS),
                   grad(summed(model), argnums=1)(WEIGHTS, PAIRS))
    assert_numbers(grad(mapped, argnums=-1)(WEIGHTS, PAIRS),
                   grad(summed(model), argnums=1)(WEIGHTS, PAIRS))


@pytest.mark.parametrize("argnums", [(0, 1), (1, 0), (0,), (-1, 0)])
def test_both_kinds_of_arguments_at_once(argnums: Any, backend: str) -> None:
    mapped = vmap(model, in_axes=(None, 0), backend=backend)
    values, slopes = value_and_grad(mapped, argnums=argnums)(WEIGHTS, PAIRS)
    assert_rows(values, [model(WEIGHTS, row) for row in PAIRS])
    assert_numbers(slopes, grad(summed(model), argnums=argnums)(WEIGHTS, PAIRS))


def test_all_rows_of_all_arguments(backend: str) -> None:
    slopes = grad(vmap(lambda a, b: a * b * b, backend=backend), argnums=(0, 1))(XS, XS + 1.0)
    assert_numbers(slopes, ((XS + 1.0) ** 2, 2.0 * XS * (XS + 1.0)))


def test_structures_of_shared_weights(backend: str) -> None:
    def loss(w: Any, x: Any) -> Any:
        return (w["layer"][0] @ x + w["bias"]) ** 2

    weights = {"layer": [WEIGHTS], "bias": 0.2}
    values, slopes = value_and_grad(vmap(loss, (None, 0), backend=backend))(weights, PAIRS)
    assert_rows(values, [loss(weights, row) for row in PAIRS])
    assert_numbers(slopes, grad(summed(loss))(weights, PAIRS))


def test_the_hessian_by_shared_arguments_is_a_sum(backend: str) -> None:
    mapped = vmap(model, in_axes=(None, 0), backend=backend)
    expected = hessian(summed(model))(WEIGHTS, PAIRS)
    assert_numbers(hessian(mapped)(WEIGHTS, PAIRS), expected)
    assert_numbers(jacobian(grad(mapped))(WEIGHTS, PAIRS), expected)
    assert_numbers(grad(grad(vmap(lambda w, x: w**3 * x, (None, 0), backend=backend)))(
        0.5, XS), 3.0 * math.fsum(XS))
    parts = hessian(vmap(lambda a, b, x: a * a * b * x, (None, None, 0), backend=backend),
                    argnums=(0, 1))(0.3, 0.7, XS)
    total = math.fsum(XS)
    assert_numbers(parts, ((1.4 * total, 0.6 * total), (0.6 * total, 0.0)))


def test_derivatives_of_derivatives_by_rows(backend: str) -> None:
    mapped = vmap(lambda w, x: w * x**3, in_axes=(None, 0), backend=backend)
    assert_numbers(grad(grad(mapped, argnums=1), argnums=1)(0.5, XS), 3.0 * XS)
    assert_numbers(grad(grad(mapped), argnums=1)(0.5, XS), 3.0 * XS**2)
    assert_numbers(grad(grad(mapped, argnums=1))(0.5, XS), math.fsum(3.0 * XS**2))


@pytest.mark.parametrize("transform", [hessian, jacobian])
def test_blocks_are_refused(transform: Any) -> None:
    mapped = vmap(model, in_axes=(None, 0))
    name = transform.__name__
    with pytest.raises(TypeError, match=rf"matrix of blocks.*write vmap\({name}\(f\)\)"):
        transform(mapped, argnums=1)
    with pytest.raises(TypeError, match="matrix of blocks"):
        transform(mapped, argnums=(0, 1))


def test_hessian_vector_products(backend: str) -> None:
    mapped = vmap(model, in_axes=(None, 0), backend=backend)
    tangents = (np.array([1.0, -2.0]), PAIRS[::-1] * 0.3)
    expected = hvp(summed(model), (WEIGHTS, PAIRS), tangents)
    assert_numbers(hvp(mapped, (WEIGHTS, PAIRS), tangents), expected)
    single = vmap(lambda x: x**3, backend=backend)
    assert_numbers(hvp(single, XS, np.ones(7)), 6.0 * XS)


def test_derivatives_along_a_direction(backend: str) -> None:
    mapped = vmap(model, in_axes=(None, 0), backend=backend)
    direction, directions = np.array([1.0, -2.0]), PAIRS[::-1] * 0.3
    given = jvp(mapped, (WEIGHTS, PAIRS), (direction, directions))
    expected = [jvp(model, (WEIGHTS, row), (direction, own))
                for row, own in zip(PAIRS, directions, strict=True)]
    assert_rows(given, expected)
    values, slopes = jvp(vmap(smooth, backend=backend), XS, np.ones(7))
    assert_rows((values, slopes), [value_and_grad(smooth)(x) for x in XS.tolist()])
    # The gradient by the shared weights is one sum; so is its derivative along a direction.
    given = jvp(grad(mapped), (WEIGHTS, PAIRS), (direction, np.zeros_like(PAIRS)))
    assert_numbers(given, jvp(grad(summed(model)), (WEIGHTS, PAIRS),
                              (direction, np.zeros_like(PAIRS))))


TRANSFORMED: list[Callable[..., Any]] = [
    grad(model), value_and_grad(model), value_and_grad(model, argnums=(1, 0)), hessian(model),
    jacobian(lambda w, x: [w[0] * x[1], x[0] / (2.0 + w[1]), 1.0]),
    functools.partial(lambda f, w, x: jvp(f, (w, x), (x, w)), model),
    functools.partial(lambda f, w, x: hvp(f, (w, x), (x, w)), model),
    lambda w, x: grad(lambda t: model(w, x * t))(0.7),
]


@pytest.mark.parametrize("number", range(len(TRANSFORMED)))
def test_vmap_of_transforms_is_a_result_for_each_row(number: int, backend: str) -> None:
    transformed = TRANSFORMED[number]
    given = vmap(transformed, in_axes=(None, 0), backend=backend)(WEIGHTS, PAIRS)
    assert_rows(given, [transformed(WEIGHTS, row) for row in PAIRS])


@pytest.mark.parametrize("transform", [grad, value_and_grad, hessian])
def test_vmap_of_compiled_functions(transform: Any, backend: str) -> None:
    expected = [transform(smooth)(x) for x in XS.tolist()]
    for function in (transform(jit(smooth)), jit(transform(smooth))):
        assert_rows(vmap(function, backend=backend)(XS), expected)
        assert function.n_recordings == 0


def test_vmap_takes_over_the_options_of_jit() -> None:
    f = jit(lambda x, n: sum(x**k for k in range(n)), backend="numpy", static_argnums=1)
    mapped = vmap(f, in_axes=(0, None))
    assert mapped.backend == "numpy"
    for n in (3, 4):
        assert_rows(mapped(XS, n), [f(x, n) for x in XS.tolist()])
    assert mapped.n_recordings == 2
    assert_rows(grad(mapped)(XS, 3), [grad(f)(x, 3) for x in XS.tolist()])
    assert_rows(vmap(f)(XS, 3), [f(x, 3) for x in XS.tolist()])  # what is static has no rows


def test_jit_of_a_mapped_function_is_itself() -> None:
    mapped = vmap(smooth, backend="numpy")
    assert jit(mapped) is mapped
    with pytest.raises(TypeError, match="compiled already"):
        jit(mapped, backend="llvm")


def test_a_compiled_function_that_maps(backend: str) -> None:
    def loss(w: Any, xs: Any) -> Any:
        return vmap(lambda x: model(w, x))(xs).sum()

    f = jit(loss, backend=backend)
    for scale in (1.0, 0.7):
        w = WEIGHTS * scale
        assert f(w, PAIRS) == pytest.approx(math.fsum(model(w, row) for row in PAIRS), rel=1e-13)
        assert_numbers(grad(f)(w, PAIRS), grad(summed(model))(w, PAIRS))
    assert f.n_recordings == grad(f).n_recordings == 1


def test_vmap_of_vmap(backend: str) -> None:
    table = vmap(vmap(smooth), backend=backend)
    assert_rows(table(TABLE), [np.array([smooth(x) for x in row]) for row in TABLE.tolist()])
    outer = vmap(vmap(lambda a, b: a * b, in_axes=(None, 0)), in_axes=(0, None), backend=backend)
    np.testing.assert_array_equal(outer(XS, XS), np.outer(XS, XS))
    np.testing.assert_array_equal(outer(XS.tolist(), XS.tolist()), np.outer(XS, XS))


def test_a_mapped_function_calls_a_mapped_function(backend: str) -> None:
    f = vmap(lambda v: vmap(lambda x: x * v[0])(v).sum(), backend=backend)
    assert_rows(f(TABLE), [(row * row[0]).sum() for row in TABLE])


# --- a part of a graph ----------------------------------------------------------------------------

def test_gradients_flow_through_a_mapped_function() -> None:
    w = Value(0.3, "w")
    ys = vmap(lambda x: x * w * w + 1.0, in_axes=0)(XS.tolist())
    np.testing.assert_allclose(ys, XS * 0.09 + 1.0, rtol=1e-15)  # captured: read, no graph
    ys = vmap(lambda x, w: x * w * w + 1.0, in_axes=(0, None))(XS, w)
    assert ys.shape == (7,)
    assert all(isinstance(y, Value) for y in ys)
    ys.sum().backward()
    assert w.grad == pytest.approx(0.6 * math.fsum(XS), rel=1e-14)


def test_rows_of_arrays_are_pythons_floats_in_a_graph() -> None:
    with pytest.raises(ZeroDivisionError):  # NumPy's would give inf
        vmap(lambda x, w: w * (1.0 / x), in_axes=(0, None))(np.array([0.0]), Value(1.0))


@pytest.mark.parametrize("kind", [list, tuple, lambda rows: np.array(list(rows), dtype=object)])
def test_rows_of_values(kind: Any) -> None:
    leaves = [Value(x) for x in XS.tolist()]
    ys = vmap(smooth)(kind(leaves))
    sum(ys).backward()
    assert [leaf.grad for leaf in leaves] == [grad(smooth)(x) for x in XS.tolist()]
    mixed = vmap(smooth)(kind([1.0, leaves[0], 2.0]))
    assert [isinstance(y, Value) for y in mixed] == [False, True, False]
    nested = vmap(lambda v: v[0] * v[1])([[1.0, leaves[0]], [2.0, leaves[1]]])
    assert all(isinstance(y, Value) for y in nested)


@pytest.mark.parametrize("number", range(len(RESULTS)))
def test_structures_of_values(number: int) -> None:
    function = RESULTS[number]
    given = vmap(lambda x, w: function(x * w), in_axes=(0, None))(XS, Value(1.0))
    leaves = [x for x in flatten_all(given) if isinstance(x, np.ndarray)]
    expected = [x for x in flatten_all(vmap(function)(XS)) if isinstance(x, np.ndarray)]
    for leaf, other in zip(leaves, expected, strict=True):
        assert leaf.shape == other.shape
        numbers = [x.data if isinstance(x, Value) else x for x in leaf.flat]
        np.testing.assert_array_equal(np.array(numbers, dtype=float).reshape(leaf.shape), other)


def flatten_all(structure: Any) -> list[Any]:
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, list | tuple):
        return [leaf for part in structure for leaf in flatten_all(part)]
    return [structure]


def test_a_mapped_function_inside_of_a_gradient(backend: str) -> None:
    mapped = vmap(model, in_axes=(None, 0), backend=backend)
    given = grad(lambda w: mapped(w, PAIRS).sum())(WEIGHTS)
    assert_numbers(given, grad(summed(model))(WEIGHTS, PAIRS))
    assert mapped.n_recordings == 0
    given = hessian(lambda w: sum(mapped(w, PAIRS)))(WEIGHTS)
    assert_numbers(given, hessian(summed(model))(WEIGHTS, PAIRS))


def test_a_gradient_of_rows_inside_of_a_gradient() -> None:
    mapped = grad(vmap(model, in_axes=(None, 0)))
    given = grad(lambda w: mapped(w, PAIRS)[0])(WEIGHTS)
    assert_numbers(given, hessian(summed(model))(WEIGHTS, PAIRS)[0])


# --- domains, infinity and nan --------------------------------------------------------------------

@pytest.mark.parametrize(("function", "xs", "row"), [
    (lambda x: ag.log(x), [1.0, 2.0, 0.0, -1.0], 2),
    (lambda x: 1.0 / x, [0.0, 1.0], 0),
    (lambda x: ag.exp(x), [1.0, 800.0], 1),
    (lambda x: (x, ag.sqrt(x)), [4.0, 1.0, 0.0, -1.0, -2.0], 3),
    (lambda x: ag.log(x + 2.0) if x < 0.0 else ag.log(x - 1.0), [2.0, 1.0, -3.0], 1),
    (lambda x: ag.log(x + 2.0) if x < 0.0 else ag.log(x - 1.0), [2.0, -3.0, 1.0], 1),
])
def test_an_error_names_the_row(function: Any, xs: list[float], row: int, backend: str) -> None:
    with pytest.raises((ValueError, ZeroDivisionError, OverflowError)) as expected:
        function(Value(xs[row], "x"))
    f = vmap(function, backend=backend)
    good = [x for i, x in enumerate(xs) if i != row and x > 0.0 and x < 700.0] + [3.0]
    for _ in range(2):
        with pytest.raises(expected.type) as error:
            f(xs)
        assert str(error.value) == f"row {row}: {expected.value}"
        if len(xs) != 3:
            assert_rows(f(good), [function(x) for x in good])


def test_an_error_in_a_sum_names_the_row(backend: str) -> None:
    f = grad(vmap(lambda w, x: w * ag.log(x), in_axes=(None, 0), backend=backend))
    assert f(2.0, [1.0, math.e]) == pytest.approx(1.0)
    with pytest.raises(ValueError, match=r"row 1: log is not defined"):
        f(2.0, [1.0, -3.0, 2.0])


def test_an_error_at_the_limit_of_recordings_names_the_row() -> None:
    f = vmap(lambda x: ag.log(x) if x < 1.0 else x, max_recordings=1)
    with pytest.raises(ValueError, match=r"row 2: log is not defined at \(x = -1.0\)"):
        f([2.0, 0.5, -1.0])


def test_infinity_and_nan_go_through_where_the_eager_engine_lets_them(backend: str) -> None:
    f = vmap(lambda x, w: (x * w, x + 1.0), in_axes=(0, None), backend=backend)
    xs = [1.0, math.inf, -math.inf, math.nan]
    for w in (2.0, math.inf):
        given = f(xs, w)
        np.testing.assert_array_equal(given[0], [x * w for x in xs])
        np.testing.assert_array_equal(given[1], [x + 1.0 for x in xs])
    total = grad(vmap(lambda w, x: w * x, (None, 0), backend=backend))
    assert total(1.0, [1.0, math.inf]) == math.inf
    assert math.isnan(total(1.0, [math.inf, -math.inf]))


def test_many_rows_that_are_rightly_nan_are_not_evaluated_again(
        monkeypatch: pytest.MonkeyPatch) -> None:
    f = grad(vmap(lambda w, x: ag.sin(w * x) / x if x != 0.0 else w, in_axes=(None, 0)),
             argnums=(0, 1))
    f(0.5, [1.0, 0.0])
    monkeypatch.setattr(f, "_eagerly", None)
    total, own = f(0.5, [math.nan, 1.0] * 500)
    assert math.isnan(total)
    np.testing.assert_array_equal(np.isnan(own), [True, False] * 500)


# --- errors ---------------------------------------------------------------------------------------

def test_no_rows() -> None:
    for nothing in ([], np.zeros((0, 3)), np.zeros(0)):
        with pytest.raises(ValueError, match="at least one row"):
            vmap(smooth)(nothing)
    with pytest.raises(ValueError, match="at least one row"):
        grad(lambda w: vmap(smooth)([]))(1.0)


@pytest.mark.parametrize(("axes", "arguments", "message"), [
    (0, (), "positional argument that differs by row"),
    (None, (1.0,), "positional argument that differs by row"),
    ((0,), ([1.0], [2.0]), r"in_axes has 1 entries, but .* 2 positional"),
    (0, ([1.0, 2.0], [1.0]), "argument 0 has 2, argument 1 has 1"),
    (0, ({"a": [1.0, 2.0], "b": [1.0]},), "argument 0 has 2, argument 0 has 1"),
    (0, (3.0,), "argument 0 .* an array or a list .* not float; .* write None"),
    ((0, 0), ([1.0], 2.0), "argument 1 .* write None"),
    (0, (np.array(3.0),), "argument 0 .* not ndarray"),
    (1, ([1.0, 2.0],), r"argument 0 has the shape \(2,\) and no axis 1"),
    (-3, (np.zeros((2, 2)),), r"shape \(2, 2\) and no axis -3"),
    (1, ([[1.0], [2.0, 3.0]],), "rows of different lengths"),
    (0, ([[1.0], [2.0, 3.0]],), "rows 0 and 1 of argument 0 differ in more than their numbers"),
    (0, ([1.0, "a"],), "argument 0 differ"),
    (0, ([[True, 1.0], [False, 1.0]],), "argument 0 differ"),
    (0, ([True, False],), "argument 0 .* truth values"),
    (0, (np.array([True, False]),), "argument 0 .* truth values"),
    ((0, None), ([1.0], {1.0}), "hashable, not set"),
])
def test_arguments_without_rows(axes: Any, arguments: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        vmap(lambda *a: a[0], in_axes=axes)(*arguments)


@pytest.mark.parametrize("axes", ["0", 1.0, True, [0, None], (0, "a")])
def test_axes_are_whole_numbers(axes: Any) -> None:
    with pytest.raises(TypeError, match="in_axes must be an int, None or a tuple"):
        vmap(smooth, in_axes=axes)


def test_what_cannot_be_mapped() -> None:
    with pytest.raises(TypeError, match="take a function, not 3"):
        vmap(3)
    with pytest.raises(ValueError, match="no back end 'cuda'"):
        vmap(smooth, backend="cuda")
    with pytest.raises(TypeError, match="argnums asks for argument 5, but in_axes has 2"):
        grad(vmap(model, in_axes=(None, 0)), argnums=5)


@pytest.mark.parametrize("function", [
    lambda x: x if x > 0.0 else [x], lambda x: "a" if x > 0.0 else "b",
    lambda x: np.array([x]) if x > 0.0 else np.array([x, x]),
    lambda x: True if x > 0.0 else x, lambda x: {"a": x} if x > 0.0 else {"b": x},
    lambda x: None if x > 0.0 else 1.0])
def test_results_of_different_structures(function: Any) -> None:
    for f in (vmap(function), vmap(function, max_recordings=1)):
        with pytest.raises(TypeError, match="different structures for different rows"):
            f([1.0, -1.0])
    with pytest.raises(TypeError, match="different structures for different rows"):
        vmap(lambda x, w: function(x * w), in_axes=(0, None))([1.0, -1.0], Value(1.0))


def test_what_no_replay_could_repeat_is_an_error_without_a_row() -> None:
    seen: list[Any] = []

    def keeping(x: Any) -> Any:
        seen.append(x)
        return x

    with pytest.raises(RecordingError, match=r"^the function changes seen"):
        vmap(keeping)([1.0])


# --- methods, many rows ---------------------------------------------------------------------------

class Line:
    def __init__(self, slope: float) -> None:
        self.slope = slope

    @vmap
    def at(self, x: Any) -> Any:
        return self.slope * x


def test_methods_are_mapped_for_each_object() -> None:
    one, other = Line(2.0), Line(3.0)
    np.testing.assert_array_equal(one.at(XS), 2.0 * XS)
    np.testing.assert_array_equal(other.at(XS), 3.0 * XS)
    one.slope = 5.0
    np.testing.assert_array_equal(one.at(XS), 5.0 * XS)
    assert other.at.n_recordings == 1


def test_explain_and_repr() -> None:
    f = vmap(smooth)
    assert repr(f) == "<batched smooth: 0 recording(s)>"
    f(XS)
    assert "1. the first call: 3 instruction(s)" in f.explain()
    assert "sin" in f.source()


@pytest.mark.parametrize("backend", back_ends("llvm", "numpy"))
def test_a_hundred_thousand_rows(backend: str) -> None:
    def smoothed(w: Any, x: Any) -> Any:
        return ag.tanh(w * x) if x > 0.0 else w * x

    n = 100_000
    xs = np.sin(np.arange(n) * 0.1) * 3.0
    both = value_and_grad(vmap(smoothed, in_axes=(None, 0), backend=backend), argnums=(0, 1))
    both(0.7, xs[:100])
    tracemalloc.start()
    values, (shared, own) = both(0.7, xs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    positive = xs > 0.0
    slope = np.where(positive, 1.0 - np.tanh(0.7 * xs) ** 2, 1.0)
    np.testing.assert_allclose(values, np.where(positive, np.tanh(0.7 * xs), 0.7 * xs), rtol=1e-13)
    np.testing.assert_allclose(own, 0.7 * slope, rtol=1e-11)
    assert shared == pytest.approx(math.fsum(slope * xs), rel=1e-11)
    assert peak < 40 * xs.nbytes  # a few arrays, no objects for each row
    assert len(flatten(values)) == n
