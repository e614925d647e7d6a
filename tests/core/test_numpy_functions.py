"""NumPy's functions on arrays of Values: the numbers are NumPy's, the derivatives are right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import grad, jit, value_and_grad, vmap
from tests.core.numpy_table import TABLE

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
