"""Arrays of Values: NumPy's functions on them follow the rules of the primitives."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value, grad, jit, value_and_grad, vmap
from autograd.core.arrays import ArrayOfValues

TIED = np.array([0.0, 1.0, 1.0])
THIRD = 1.0 / 3.0
ROOT = math.sqrt(0.5)

# A function of an array, its gradient at TIED by the rule, and how many nodes sit on a kink.
RULED: dict[str, tuple[Callable[[Any], Any], list[float], int]] = {
    "maximum": (lambda x: np.maximum(x, 1.0).sum(), [0.0, 0.5, 0.5], 2),
    "maximum of a number": (lambda x: np.maximum(0, x).sum(), [0.5, 1.0, 1.0], 1),
    "minimum": (lambda x: np.minimum(1.0, x).sum(), [1.0, 0.5, 0.5], 2),
    "fmax": (lambda x: np.fmax(x, 1.0).sum(), [0.0, 0.5, 0.5], 2),
    "fmin": (lambda x: np.fmin(x, [0.0, math.nan, 2.0]).sum(), [0.5, 1.0, 1.0], 1),
    "clip": (lambda x: np.clip(x, 0.0, 1.0).sum(), [0.5, 0.5, 0.5], 3),
    "clip of a Value": (lambda x: np.clip(x[1], 0.0, 1.0) + np.clip(x[0], 0.0, None),
                        [0.5, 0.5, 0.0], 2),
    "clip of a Value by bounds": (lambda x: np.clip(x[2], x[0], x[1]) + x[0].clip(max=7.0),
                                  [1.0, 0.5, 0.5], 1),
    "clip of a Value by arrays": (lambda x: np.clip(x[1], np.array([1.0, 0.0]), [5.0, 1.0]).sum(),
                                  [0.0, 1.0, 0.0], 2),
    "clip, a method": (lambda x: x.clip(0.0, None).sum(), [0.5, 1.0, 1.0], 1),
    "abs": (lambda x: np.abs(x).sum(), [0.0, 1.0, 1.0], 1),
    "fabs": (lambda x: np.fabs(x).sum(), [0.0, 1.0, 1.0], 1),
    "sign": (lambda x: np.sign(x) @ x, [0.0, 1.0, 1.0], 1),
    "max": (lambda x: np.max(x), [0.0, 0.5, 0.5], 1),
    "max, a method": (lambda x: x.max(), [0.0, 0.5, 0.5], 1),
    "max of all": (lambda x: np.max(x * [1.0, 0.0, 0.0]), [THIRD, 0.0, 0.0], 1),
    "max with another": (lambda x: np.max(x, initial=1.0), [0.0, THIRD, THIRD], 1),
    "max of some": (lambda x: np.max(x, where=np.array([True, True, False]), initial=1.0),
                    [0.0, 0.5, 0.0], 1),
    "min": (lambda x: np.min(-x), [0.0, -0.5, -0.5], 1),
    "max along an axis": (lambda x: np.max(np.stack([x, x, x * 0.0]), axis=0).sum(),
                          [2.0 * THIRD, 1.0, 1.0], 3),
    "max along both": (lambda x: np.max(np.stack([x, x]), axis=(0, 1)), [0.0, 0.5, 0.5], 1),
    "max that keeps the axes": (
        lambda x: (np.stack([x, x]) - np.max(np.stack([x, x]), axis=1, keepdims=True)).sum(),
        [2.0, -1.0, -1.0], 2),
    "nanmax": (lambda x: np.nanmax(x), [0.0, 0.5, 0.5], 1),
    "ptp": (lambda x: np.ptp(x), [-1.0, 0.5, 0.5], 1),
    "reduce": (lambda x: np.maximum.reduce(x), [0.0, 0.5, 0.5], 1),
    "accumulate": (lambda x: np.maximum.accumulate(x).sum(), [1.0, 1.5, 0.5], 1),
    "outer": (lambda x: np.maximum.outer(x, x).sum(), [1.0, 4.0, 4.0], 5),
    "out": (lambda x: np.maximum(x, 1.0, out=x * 1.0).sum(), [0.0, 0.5, 0.5], 2),
    "norm": (lambda x: np.linalg.norm(x), [0.0, ROOT, ROOT], 0),
    "norm at the origin": (lambda x: np.linalg.norm(x * 0.0), [0.0, 0.0, 0.0], 1),
    "norm of rows": (lambda x: np.linalg.norm(np.stack([x, x * 0.0]), axis=1).sum(),
                     [0.0, ROOT, ROOT], 1),
    "norm of a matrix": (lambda x: np.linalg.norm(np.outer(x, [0.0, 1.0])), [0.0, ROOT, ROOT], 0),
    "largest size": (lambda x: np.linalg.norm(x, np.inf), [0.0, 0.5, 0.5], 2),
    "smallest size": (lambda x: np.linalg.norm(x, -np.inf), [0.0, 0.0, 0.0], 1),
    "sum of sizes": (lambda x: np.linalg.norm(x, 1), [0.0, 1.0, 1.0], 1),
    "largest row": (lambda x: np.linalg.norm(np.stack([x, 2.0 * x[::-1]]), np.inf),
                    [0.0, 2.0, 2.0], 2),
    "largest column": (lambda x: np.linalg.norm(np.outer([1.0, 2.0], x), 1), [0.0, 1.5, 1.5], 3),
    "after indexing": (lambda x: np.maximum(x[1:], x[:2]).sum(), [0.0, 1.5, 0.5], 1),
    "after @": (lambda x: np.maximum(x @ np.eye(3), 1.0).sum(), [0.0, 0.5, 0.5], 2),
    "after dot": (lambda x: np.max(np.dot(np.eye(3), x)), [0.0, 0.5, 0.5], 1),
    "after tensordot": (lambda x: np.max(np.tensordot(np.eye(3), x, 1)), [0.0, 0.5, 0.5], 1),
    "after where": (lambda x: np.maximum(np.where([True, False, True], x, 1.0), 1.0).sum(),
                    [0.0, 0.0, 0.5], 1),
    "after concatenate": (lambda x: np.max(np.concatenate([x, x])), [0.0, 0.5, 0.5], 1),
    "after sort": (lambda x: np.maximum(np.sort(x), 1.0).sum(), [0.0, 0.5, 0.5], 4),
    "after exp": (lambda x: np.max(ag.log(np.exp(x))), [0.0, 0.5, 0.5], 1),
    "after asanyarray": (lambda x: np.maximum(np.asanyarray(x), 1.0).sum(), [0.0, 0.5, 0.5], 2),
    "of a Value times an array": (lambda x: np.maximum(x[0] * np.ones(3), 0.0).sum(),
                                  [1.5, 0.0, 0.0], 3),
    "in place": (lambda x: _in_place(x * 1.0).max(), [0.0, 0.5, 0.5], 1),
}


def _in_place(x: Any) -> Any:
    x += 1.0
    return x


@pytest.mark.parametrize("name", RULED)
def test_numpy_follows_the_rule_for_kinks(name: str) -> None:
    f, gradient, n_kinks = RULED[name]
    value, given = value_and_grad(f)(TIED)
    assert value == pytest.approx(float(f(TIED)), rel=1e-15)
    assert given.tolist() == pytest.approx(gradient, rel=1e-15)
    assert len(f(ag.values(TIED)).kinks()) == n_kinks


@pytest.mark.parametrize("name", RULED)
def test_compiled_numpy_follows_it_too(name: str, backend: str) -> None:
    f, gradient, _ = RULED[name]
    compiled = jit(grad(f), backend=backend)
    for _ in range(2):
        assert compiled(TIED).tolist() == pytest.approx(gradient, rel=1e-15)
    along = vmap(grad(f), in_axes=1, backend=backend)(np.stack([TIED, TIED], axis=1))
    assert along.tolist() == [pytest.approx(gradient, rel=1e-15)] * 2


@pytest.mark.parametrize(("numpy", "ours"), [
    (lambda x: np.max(x), lambda x: ag.maximum(x[0], x[1])),
    (lambda x: np.min(x), lambda x: ag.minimum(x[0], x[1])),
    (lambda x: np.linalg.norm(x), lambda x: ag.norm(x)),
    (lambda x: np.abs(x)[1] + np.sign(x)[0], lambda x: abs(x[1]) + ag.TABLE["sign"](x[0]))])
@pytest.mark.parametrize("point", [[0.0, 0.0], [2.0, 2.0], [-1.0, 3.0], [math.nan, 1.0]])
@pytest.mark.filterwarnings("ignore:invalid value encountered in absolute")
def test_numpy_gives_what_the_primitives_give(numpy: Any, ours: Any, point: list[float]) -> None:
    given, expected = (value_and_grad(f)(np.array(point)) for f in (numpy, ours))
    assert np.array_equal(given[0], expected[0], equal_nan=True)
    assert np.array_equal(given[1], expected[1], equal_nan=True)


def test_arrays_of_values_stay_arrays_of_values() -> None:
    x = ag.values([[1.0, 2.0], [3.0, 4.0]])
    kinds = [x, x[0], x.T, x.copy(), x * 2.0, 2.0 * x, -x, x @ x, x @ [1.0, 2.0], np.exp(x),
             ag.exp(x), Value(2.0) * np.ones(2), np.ones(2) ** Value(2.0), x + Value(1.0),
             Value(1.0) - x, np.stack([x, x]), np.where([True, False], x, -x), x.reshape(4),
             np.max(x, axis=0), np.linalg.norm(x, axis=1), np.sum(x, axis=0), np.outer(x, x),
             np.maximum(Value(1.0), np.ones(2)), copy.copy(x), copy.deepcopy(x),
             pickle.loads(pickle.dumps(x)), *np.split(x, 2), *np.broadcast_arrays(x, 1.0)[:1],
             ag.gradient((x * x).sum(), x)]
    assert {type(kind) for kind in kinds} == {ArrayOfValues}
    assert all(isinstance(item, Value) for kind in kinds for item in kind.flat)
    assert type(x[0, 0]) is type(np.sum(x)) is type(x.max()) is Value


def test_arrays_of_numbers_stay_arrays_of_numbers() -> None:
    x = ag.values([1.0, 2.0])
    assert (x > 1.0).dtype == bool and np.argmax(x) == 1 and x.shape == (2,)
    assert type(x > 1.0) in (np.ndarray, ArrayOfValues)
    assert type(grad(lambda x: np.max(x))(TIED)) is np.ndarray
    assert type(jit(lambda x: np.maximum(x, 1.0))(TIED)) is np.ndarray
    assert type(vmap(lambda x: np.maximum(x, 1.0))(TIED[None])) is np.ndarray


def test_a_derivative_through_numpy_differentiates_again() -> None:
    def f(x: Any) -> Any:
        return np.linalg.norm(x) + np.max(x * x) + np.maximum(x, 0.5).sum() ** 2

    def with_primitives(x: Any) -> Any:
        largest = ag.maximum(ag.maximum(x[0] ** 2, x[1] ** 2), x[2] ** 2)
        return ag.norm(x) + largest + sum(ag.maximum(item, 0.5) for item in x) ** 2

    point = np.array([0.3, 0.7, -2.0])
    expected = ag.hessian(with_primitives)(point)
    assert ag.hessian(f)(point) == pytest.approx(expected, rel=1e-12)
    assert jit(ag.hessian(f))(point) == pytest.approx(expected, rel=1e-12)


def test_an_empty_maximum_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        np.max(ag.values([]))
    assert np.max(np.empty((0, 2), dtype=object).view(ArrayOfValues), axis=1).shape == (0,)


def test_what_has_no_sides_is_numpys_own() -> None:
    x = ag.values([3.0, 1.0, 2.0])
    assert [v.data for v in np.sort(x)] == [1.0, 2.0, 3.0]
    assert np.argsort(x).tolist() == [1, 2, 0]
    assert repr(x).startswith("ArrayOfValues([Value(data=3.0")
    assert x.astype(float)[0] is x[0]  # a Value is a float with a gradient
    with pytest.raises(TypeError, match="lose the gradient"):
        x.astype(int)


def _interpolated(x: Any) -> Any:
    left = np.floor(x).astype(int)
    table = np.array([1.0, 4.0, 9.0, 16.0])
    return np.sum((1.0 - (x - left)) * table[left] + (x - left) * table[left + 1])


def test_whole_numbers_as_an_index() -> None:
    """np.floor(x).astype(int) in an interpolation; a recording holds for its interval."""
    compiled = ag.jit(_interpolated)
    for x, value, slopes in (([0.25, 1.5], 1.75 + 6.5, [3.0, 5.0]),
                             ([0.75, 1.25], 3.25 + 5.25, [3.0, 5.0]),
                             ([2.5, 0.5], 12.5 + 2.5, [7.0, 3.0])):
        assert ag.value_and_grad(_interpolated)(np.array(x))[0] == value
        assert ag.grad(_interpolated)(np.array(x)).tolist() == slopes
        assert compiled(np.array(x)) == value
        assert ag.grad(compiled)(np.array(x)).tolist() == slopes
    counts = np.ceil(ag.values([1.5, -0.5])).astype(np.int32)
    assert counts.dtype == np.int32 and counts.tolist() == [2, 0]


def test_values_of_values_says_how_to_make_an_array_of_them() -> None:
    v = Value(1.0)
    with pytest.raises(TypeError, match=r"np\.stack\(\[v, w\]\)"):
        ag.values([v, 2.0])
    assert np.stack([v, v])[0] is v
