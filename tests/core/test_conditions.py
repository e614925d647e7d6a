"""Comparisons of arrays in a recording: np.where chooses anew at each replay, the rest decides."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import grad, hessian, jit, value_and_grad, vmap

POINTS = [np.array(x) for x in ([0.5, -1.5, 2.0], [-0.5, 1.5, -2.0], [0.0, 1.0, -1.0],
                                [3.0, 3.0, 3.0], [-4.0, -0.25, -0.0])]

# Each is recorded once, whatever the signs.
CHOOSING: dict[str, Callable[[Any], Any]] = {
    "greater": lambda x: np.where(x > 0, x * x, -x).sum(),
    "less": lambda x: np.where(x < 1.0, np.sin(x), 2.0 * x).sum(),
    "greater or equal": lambda x: np.where(x >= 1.0, x, 0.0) @ x,
    "less or equal": lambda x: np.where(x[0] <= x, x, x * x).sum(),
    "equal": lambda x: np.where(x == 3.0, x * x, x).sum(),
    "not equal": lambda x: np.where(x != 0.0, x * x, 5.0).sum(),
    "of two arrays": lambda x: np.where(x > x[::-1], x, x[::-1]) @ np.arange(3.0),
    "and": lambda x: np.where((x > -1.0) & (x < 1.0), x * x, x).sum(),
    "or": lambda x: np.where((x < -1.0) | (x > 1.0), x * x, x).sum(),
    "with truths": lambda x: np.where((x > 0) & np.array([True, False, True]), x * x, x).sum(),
    "or truths": lambda x: np.where(np.array([True, False, True]) | (x < 0), x * x, x).sum(),
    "not": lambda x: np.where(~(x > 0), x * x, x).sum(),
    "times a mask": lambda x: ((x > 0) * x).sum() + (x * (x < 0) * 3.0).sum(),
    "select": lambda x: np.select([x > 1.0, x > 0.0], [x * x, x], -x).sum(),
    "constants": lambda x: (np.where(x > 0, 1.0, 2.0 * x[0]) * x).sum(),
    "nested": lambda x: np.where(x > 0, np.where(x > 1.0, x * x, x), 0.1 * x).sum(),
    "maximum": lambda x: np.maximum(x, 0.0).sum() + np.max(x) + np.min(x),
    "clip": lambda x: np.clip(x, -1.0, 1.0) @ x,
    "sort": lambda x: np.sort(x) @ np.arange(3.0),
    "median": lambda x: np.median(x) + np.percentile(x, 30.0),
    "heaviside": lambda x: (np.heaviside(x, 0.5) * x).sum(),
}

# Somebody asks: another branch is recorded.
ASKING: dict[str, Callable[[Any], Any]] = {
    "indexing": lambda x: (x[x > 0] ** 2).sum() + x[0],
    "indexing numbers": lambda x: np.arange(3.0)[x > 0].sum() * x[0],
    "if any": lambda x: (x * x).sum() if np.any(x > 1.0) else x.sum(),
    "if all, a method": lambda x: (x * x).sum() if (x > 0).all() else x.sum(),
    "counting": lambda x: np.sum(x > 0) * x[0] + (x > 1.0).sum() * x[1],
    "count_nonzero": lambda x: np.count_nonzero(x > 0) * x[0],
    "a loop": lambda x: sum((v if up else 2.0 * v) for v, up in zip(x, x > 0, strict=True)),
    "an item": lambda x: x[0] if (x > 0)[1] else x[2],
    "asarray": lambda x: np.where(np.asarray(x > 0), x, 2.0 * x).sum(),
    "nonzero": lambda x: x[np.nonzero(x > 0)].sum() + x[0],
    "where of one": lambda x: x[np.where(x > 0)].sum() + x[0],
    "a list": lambda x: sum(v for v, t in zip(x, (x > 0).tolist(), strict=True) if t) + x[0],
    "times numbers": lambda x: ((x > 0) * np.arange(3.0)).sum() * x[0],
    "astype": lambda x: ((x > 0).astype(float) @ np.arange(3.0)) * x[0],
    "written to": lambda x: np.where(_with_first(x > 0), x * x, x).sum(),
    "in place": lambda x: _set_where(x, x < 0).sum(),
    "xor": lambda x: np.where((x > 0) ^ (x > 1.0), x * x, x).sum(),
    "logical reduce": lambda x: x[0] * float(np.logical_and.reduce(x > -2.0)),
    "compress": lambda x: np.compress(x > 0, x).sum() + x[0],
    "bool": lambda x: x[1] if x[:1] > 0 else x[2],
    "isnan": lambda x: np.where(np.isnan(x), 0.0, x).sum(),
}


def _with_first(mask: Any) -> Any:
    mask[0] = True
    return mask


def _set_where(x: Any, mask: Any) -> Any:
    x = x.copy()
    x[mask] = 0.0
    return x


@pytest.mark.parametrize("name", [*CHOOSING, *ASKING])
def test_replays_take_the_way_of_the_eager_engine(name: str, backend: str) -> None:
    f = {**CHOOSING, **ASKING}[name]
    compiled, derivative = jit(f, backend=backend), jit(grad(f), backend=backend)
    curved = jit(grad(lambda x: grad(f)(x) @ np.array([1.0, 2.0, 3.0])), backend=backend)
    for x in POINTS:
        value, gradient = value_and_grad(f)(x)
        assert compiled(x) == pytest.approx(float(f(x)), rel=1e-14)
        assert value == pytest.approx(float(f(x)), rel=1e-14)
        assert derivative(x).tolist() == pytest.approx(gradient.tolist(), rel=1e-14)
        second = grad(lambda x: grad(f)(x) @ np.array([1.0, 2.0, 3.0]))(x)
        assert curved(x).tolist() == pytest.approx(second.tolist(), rel=1e-13)
    rows = vmap(grad(f), backend=backend)(np.stack(POINTS))
    assert rows == pytest.approx(np.stack([grad(f)(x) for x in POINTS]), rel=1e-14)


def test_an_infinite_slope_of_what_is_left_out_counts_nothing(backend: str) -> None:
    def f(x: Any) -> Any:
        return np.where(x < 100.0, x * x, x ** 400).sum()

    points = np.array([[1.0, 2.0], [1.0, 10.0], [-10.0, 1.0]])  # 10**400 is too large for a float
    compiled, hessian_of = jit(grad(f), backend=backend), jit(hessian(f), backend=backend)
    for x in points:
        assert compiled(x).tolist() == (2.0 * x).tolist()
        assert hessian_of(x).tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert vmap(grad(f), backend=backend)(points).tolist() == (2.0 * points).tolist()
    by_rows = vmap(lambda x, row: np.where(x * row < 100.0, x * row, (x * row) ** 400).sum(),
                   in_axes=(None, 0), backend=backend)
    assert grad(by_rows)(np.ones(2), points).tolist() == points.sum(axis=0).tolist()
    first = jit(grad(f), backend=backend)
    assert first(points[1]).tolist() == [2.0, 20.0]


@pytest.mark.parametrize("name", CHOOSING)
def test_a_choice_is_no_branch(name: str) -> None:
    compiled = jit(value_and_grad(CHOOSING[name]), backend="python")
    for x in POINTS:
        compiled(x)
    assert compiled.n_recordings == 1


def test_nan_fails_every_comparison_but_one(backend: str) -> None:
    relations = [np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal]

    def f(x: Any) -> Any:
        return np.stack([np.where(relation(x, 1.0), 1.0 + 0.0 * x[0], 2.0)
                         for relation in relations]
                        + [np.where((x > 1.0) | (x[0] == x[0]), x[0], 7.0),
                           np.where(~(x > 1.0) & (x < 9.0), x[0], 7.0)])

    compiled = jit(f, backend=backend)
    for point in ([3.0, 0.0], [3.0, math.nan], [3.0, 1.0]):
        assert np.array_equal(compiled(np.array(point)), f(np.array(point)))
    assert compiled.n_recordings == 1


def test_no_adjoint_enters_an_arm_that_is_not_chosen() -> None:
    def f(x: Any) -> Any:
        return np.where(x > 0, np.sqrt(x), 0.0 * x).sum()

    expected = [0.25, 0.0, 0.5]
    compiled = jit(grad(f), backend="python")
    for point in ([4.0, 9.0, 1.0], [4.0, 0.0, 1.0]):  # the root has no derivative at 0
        given = compiled(np.array(point))
        assert given.tolist() == grad(f)(np.array(point)).tolist()
    assert given.tolist() == expected
    first = jit(grad(f), backend="python")
    assert first(np.array([4.0, 0.0, 1.0])).tolist() == expected


def test_truths_that_are_returned_are_decided() -> None:
    compiled = jit(lambda x: {"mask": x > 0, "sum": x.sum()}, backend="python")
    for x in POINTS:
        result = compiled(x)
        assert result["mask"].dtype == bool and result["mask"].tolist() == (x > 0).tolist()
    rows = vmap(lambda x: (x > 0, x), backend="numpy")(np.stack(POINTS))
    assert np.array_equal(rows[0], np.stack(POINTS) > 0)


def test_eager_comparisons_are_truths() -> None:
    x = ag.values([1.0, -1.0])
    assert type(x > 0) is np.ndarray and (x > 0).tolist() == [True, False]
    assert np.less(0, x).tolist() == [True, False] and (x == x[0]).tolist() == [True, False]
    assert np.where(x > 0, x, 0.0)[0] is x[0]
