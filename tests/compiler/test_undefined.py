"""undefined="nan": IEEE's answers in place of domain errors, eagerly and compiled."""

from __future__ import annotations

import math
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autograd
from autograd import grad, hessian, jit, value_and_grad, vmap
from tests.back_ends import back_ends

minimize = pytest.importorskip("scipy.optimize").minimize

# A function, the same of NumPy's floats, its derivative there, and points outside of its domain.
CASES: list[tuple[str, Callable[[Any], Any], Callable[[Any], Any], Callable[[Any], Any],
                  list[float]]] = [
    ("log", lambda x: autograd.log(x), np.log, lambda x: 1.0 / x, [0.0, -2.0]),
    ("log1p", lambda x: autograd.log1p(x), np.log1p, lambda x: 1.0 / (1.0 + x), [-1.0, -3.0]),
    ("sqrt", lambda x: autograd.sqrt(x), np.sqrt, lambda x: 0.5 / np.sqrt(x), [0.0, -1.0]),
    ("exp", lambda x: autograd.exp(x), np.exp, np.exp, [800.0]),
    ("division", lambda x: 3.0 / x, lambda x: 3.0 / x, lambda x: -3.0 / x / x, [0.0]),
    ("a power", lambda x: x ** 1.5, lambda x: x ** 1.5, lambda x: 1.5 * x ** 0.5,
     [-1.0, 1e300]),
    ("asin", lambda x: autograd.asin(x), np.arcsin, lambda x: 1.0 / np.sqrt(1.0 - x * x), [2.0]),
    ("acosh", lambda x: autograd.acosh(x), np.arccosh,
     lambda x: 1.0 / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0)), [0.5]),
    ("a sum", lambda x: autograd.log(x) + x * x, lambda x: np.log(x) + x * x,
     lambda x: 1.0 / x + 2.0 * x, [-1.0, 0.0])]
POINTS = [pytest.param(f, of_numpy, slope, x, id=f"{name} at {x}")
          for name, f, of_numpy, slope, points in CASES for x in points]


@pytest.mark.parametrize("backend", back_ends("llvm", "numpy", "python"))
@pytest.mark.parametrize(("f", "of_numpy", "slope", "x"), POINTS)
def test_outside_the_domain_value_and_gradient_are_those_of_ieee(
        f: Any, of_numpy: Any, slope: Any, x: float, backend: str) -> None:
    with np.errstate(all="ignore"):
        wanted = float(of_numpy(np.float64(x))), float(slope(np.float64(x)))
    assert not all(map(math.isfinite, wanted))
    for derivative in (value_and_grad(f, undefined="nan"),
                       value_and_grad(jit(f), undefined="nan"),
                       jit(value_and_grad(f, undefined="nan"), backend=backend)):
        for _ in range(2):  # the second call is a replay
            assert_array_equal(derivative(x), wanted)
        assert_array_equal(grad(f, undefined="nan")(x), wanted[1])


@pytest.mark.parametrize(("f", "x"), [(f, x) for _, f, _, _, points in CASES for x in points[:1]])
def test_without_the_option_the_errors_are_pythons(f: Any, x: float) -> None:
    for derivative in (value_and_grad(f), jit(value_and_grad(f)), value_and_grad(jit(f))):
        with pytest.raises((ValueError, ZeroDivisionError, OverflowError)):
            derivative(x)


def test_inside_the_domain_nothing_changes() -> None:
    for _, f, _, _, _ in CASES[:-3]:
        wanted = value_and_grad(f)(0.75)
        assert value_and_grad(f, undefined="nan")(0.75) == wanted
        assert jit(value_and_grad(f, undefined="nan"), backend="python")(0.75) == wanted


def test_a_compiled_function_takes_one_recording_for_both_sides() -> None:
    f = jit(value_and_grad(lambda x: autograd.log(x) * 2.0, undefined="nan"))
    assert f(2.0)[1] == 1.0
    assert math.isnan(f(-2.0)[0])
    assert f(4.0)[1] == 0.5
    assert f.n_recordings == 1


def test_square_and_product_overflow_alike() -> None:
    for f in (lambda x: x ** 2, lambda x: x * x):
        for option in ("raise", "nan"):
            assert value_and_grad(f, undefined=option)(1e200) == (math.inf, 2e200)
            assert jit(value_and_grad(f, undefined=option))(1e200) == (math.inf, 2e200)
    assert value_and_grad(lambda x: x ** 3)(-1e150)[0] == -math.inf
    assert value_and_grad(lambda x: x ** 4)(-1e150)[0] == math.inf


def test_errors_of_ones_own_still_come() -> None:
    def f(x: Any) -> Any:
        if x < 0.0:
            raise ValueError("negative")
        return autograd.log(x)

    assert value_and_grad(f, undefined="nan")(0.0) == (-math.inf, math.inf)
    with pytest.raises(ValueError, match="negative"):
        value_and_grad(f, undefined="nan")(-1.0)


def test_the_option_ends_with_the_call() -> None:
    value_and_grad(lambda x: autograd.log(x), undefined="nan")(-1.0)
    with pytest.raises(ValueError, match="log is not defined"):
        autograd.log(autograd.Value(-1.0))
    with pytest.raises(ValueError, match="log is not defined"):
        autograd.log(-1.0)


def test_another_option_is_an_error() -> None:
    for made in (lambda: value_and_grad(abs, undefined="inf"),
                 lambda: grad(abs, undefined=None),
                 lambda: jit(abs).scipy(undefined=0)):
        with pytest.raises(ValueError, match="'raise'"):
            made()


def test_derivatives_of_higher_order_take_it() -> None:
    second = grad(grad(lambda x: autograd.log(x)), undefined="nan")
    assert second(0.0) == -math.inf
    assert second(2.0) == -0.25
    assert jit(second)(0.0) == -math.inf


def test_rows_that_are_undefined_are_nan_and_others_are_not() -> None:
    def f(w: Any) -> Any:
        return w[0] ** 0.5 + autograd.log(w[1])

    rows = np.array([[1.0, 1.0], [-1.0, 1.0], [4.0, 2.0]])
    for derivative in (vmap(value_and_grad(f, undefined="nan")),
                       value_and_grad(vmap(f), undefined="nan")):
        values, slopes = derivative(rows)
        assert_array_equal(np.isnan(values), [False, True, False])
        assert_array_equal(slopes, [[0.5, 1.0], [math.nan, 1.0], [0.25, 0.5]])


def far(x: Any) -> Any:
    return autograd.log(x[0]) + x[1] ** 0.5


def test_it_is_pickled() -> None:
    for function in (jit(value_and_grad(far, undefined="nan")),
                     value_and_grad(jit(far), undefined="nan"),
                     jit(far).scipy(undefined="nan").fun_and_jac):
        again = pickle.loads(pickle.dumps(function))
        value, slope = again(np.array([-1.0, 4.0]))
        assert math.isnan(value)
        assert_array_equal(slope, [-1.0, 0.25])


def test_all_of_scipys_functions_answer() -> None:
    objective = jit(far).scipy(undefined="nan")
    x = np.array([2.0, -4.0])
    assert math.isnan(objective.fun(x))
    assert_array_equal(objective.jac(x), [0.5, math.nan])
    assert_array_equal(objective.hess(x)[0], [-0.25, 0.0])
    assert_array_equal(objective.hessp(x, np.array([1.0, 0.0]))[0], -0.25)
    assert_allclose(objective.hess(np.array([2.0, 4.0])), hessian(far)(np.array([2.0, 4.0])))


# --- line searches --------------------------------------------------------------------------------

def barrier(x: Any, a: Any, b: Any) -> Any:
    """Exponentials that overflow, powers of them, and logarithms undefined where x < -20."""
    return (autograd.sum([(autograd.exp(w * t) + 1.0) ** 1.5 for w, t in zip(b, x, strict=True)])
            - autograd.dot(a, x) - autograd.sum([autograd.log(t + 20.0) for t in x]))


def in_numpy(x: Any, a: Any, b: Any) -> tuple[Any, Any]:
    power, rest = np.exp(b * x), x + 20.0
    value = np.sum((power + 1.0) ** 1.5) - np.dot(a, x) - np.sum(np.log(rest))
    return value, 1.5 * np.sqrt(power + 1.0) * b * power - a - 1.0 / rest


def test_two_hundred_searches_end_where_those_with_numpy_end() -> None:
    draw = np.random.default_rng(0)
    compiled = jit(barrier).scipy(undefined="nan").fun_and_jac
    raising = jit(barrier).scipy().fun_and_jac
    ended = stepped_out = went_on = 0
    for run in range(200):
        n = 2 + run % 3
        others = draw.uniform(0.1, 3.0, n), draw.uniform(0.2, 2.0, n)
        start = draw.uniform(-6.0, 6.0, n)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = minimize(in_numpy, start, others, method="BFGS", jac=True)
            found = minimize(compiled, start, others, method="BFGS", jac=True)
        assert found.success == wanted.success
        assert_allclose(found.x, wanted.x, rtol=1e-4)
        ended += wanted.success
        try:
            minimize(raising, start, others, method="BFGS", jac=True)
        except (ValueError, ZeroDivisionError, OverflowError):
            stepped_out += 1
            went_on += wanted.success
    assert ended > 150
    assert stepped_out > 5  # these searches need it
    assert went_on > 2
