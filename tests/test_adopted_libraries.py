"""NumPy, SciPy and cmath in adopted code: arrays for Values, splines, integrals, complex parts."""

from __future__ import annotations

import cmath
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import integrate, interpolate
from scipy import special as scipy_special
from scipy.integrate import quad

from autograd import RecordingError, Value, adopt, grad, gradcheck, hessian, jit, value_and_grad
from autograd.core.arrays import ArrayOfValues

POINTS = np.linspace(0.0, 3.0, 9)
CURVE = interpolate.splrep(POINTS, np.sin(POINTS))
SURFACES = {degree: interpolate.bisplrep(*map(np.ravel, np.meshgrid(POINTS, POINTS)), np.ravel(
    np.sin(POINTS)[None, :] * np.cos(POINTS)[:, None]), kx=degree, ky=degree, s=0.0)
    for degree in (1, 3)}


def slope(function: Any, *point: float) -> np.ndarray[Any, Any]:
    """Central differences of plain floats."""
    h = 1e-6
    return np.array([(function(*(x + h * (i == j) for j, x in enumerate(point)))
                      - function(*(x - h * (i == j) for j, x in enumerate(point)))) / (2.0 * h)
                     for i in range(len(point))])


# --- arrays --------------------------------------------------------------------------------------

def residuals(x: Any) -> Any:
    f = np.zeros(3)
    for i in range(3):
        f[i] = x[i] * x[i] - x[0]
    g = np.array([x[0] * 2.0, 1.0, x[2]], dtype=float)
    h = np.empty((2, 2))
    h[0, 0] = x[1]
    return np.sum(f * g) + np.sum([np.ones(2) * x[1] for _ in range(2)]) + h[0, 0]


def test_arrays_that_are_made_beside_values_can_hold_them() -> None:
    point = np.array([1.5, -0.5, 2.0])
    expected = residuals(point)
    ours = adopt(residuals)
    value, gradient = value_and_grad(ours)(point)
    assert value == pytest.approx(expected, rel=1e-15)
    by_hand = slope(lambda *x: residuals(np.array(x)), *point)
    np.testing.assert_allclose(gradient, by_hand, rtol=1e-7)
    np.testing.assert_allclose(jit(value_and_grad(ours))(point)[1], gradient, rtol=1e-14)
    with pytest.raises(TypeError, match="dtype=object"):
        grad(residuals)(point)


def made(n: int, kind: Any = float) -> Any:
    return np.zeros(n, dtype=kind)


def test_other_arrays_are_numpys_own() -> None:
    ours = adopt(made)
    for kind in (float, int, np.float32, bool):
        assert type(ours(2, kind)) is np.ndarray and ours(2, kind).dtype == kind
    whole = adopt(lambda x: (x, np.zeros(2, dtype=int), np.array([1.0, 2.0])))
    _, counts, plain = whole(Value(1.0))
    assert counts.dtype == int and type(plain) is np.ndarray
    empty = adopt(lambda x: (np.empty(3), x)[0])(Value(1.0))
    assert isinstance(empty, ArrayOfValues) and empty.tolist() == [0.0] * 3


def test_values_among_the_attributes_of_an_object_count() -> None:
    def made(self: Any) -> Any:
        return np.zeros(2)

    assert isinstance(adopt(made)(SimpleNamespace(weights=[Value(1.0)])), ArrayOfValues)
    assert type(adopt(made)(SimpleNamespace(weights=[1.0]))) is np.ndarray


def test_lists_of_values_become_arrays_of_values() -> None:
    for function in (adopt(lambda x: np.array([x, 2.0])), adopt(lambda x: np.full(2, x)),
                     adopt(lambda x: np.asarray([[x], [x]])),
                     adopt(lambda x: np.array([x], dtype=np.float64))):
        assert isinstance(function(Value(3.0)), ArrayOfValues)
    for kind in (int, np.float32, complex):
        with pytest.raises(TypeError):
            adopt(lambda x, kind=kind: np.array([x], dtype=kind))(Value(3.0))


# --- SciPy ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("x", [0.3, 1.7, 3.4])
def test_a_spline_has_its_own_derivatives(x: float) -> None:
    ours = adopt(lambda x: interpolate.splev(x, CURVE) * x)
    assert float(ours(x)) == pytest.approx(float(interpolate.splev(x, CURVE)) * x, rel=1e-15)
    first, second = interpolate.splev(x, CURVE, 1), interpolate.splev(x, CURVE, 2)
    assert grad(ours)(x) == pytest.approx(x * first + interpolate.splev(x, CURVE), rel=1e-13)
    assert grad(grad(ours))(x) == pytest.approx(x * second + 2.0 * first, rel=1e-12)
    compiled = jit(value_and_grad(ours))
    assert compiled(x) == pytest.approx(value_and_grad(ours)(x), rel=1e-12)
    assert compiled(2.6) == pytest.approx(value_and_grad(ours)(2.6), rel=1e-12)
    by_points = adopt(lambda x: np.sum(interpolate.splev(x, CURVE)))
    np.testing.assert_allclose(grad(by_points)(np.array([x, 0.5 * x])),
                               interpolate.splev([x, 0.5 * x], CURVE, 1), rtol=1e-13)


def test_a_spline_that_does_not_go_on_outside() -> None:
    for x in (-0.5, 0.5, 3.5):
        ours = adopt(lambda x: interpolate.splev(x, CURVE, ext=1) + 0.0 * x)
        inside = 0.0 < x < 3.0
        assert grad(ours)(x) == (pytest.approx(float(interpolate.splev(x, CURVE, 1)), rel=1e-13)
                                 if inside else 0.0)
    with pytest.raises(RecordingError, match="splev"):
        jit(adopt(lambda x: interpolate.splev(x, CURVE, ext=1) * x))(0.5)


@pytest.mark.parametrize("degree", [1, 3])
@pytest.mark.parametrize("point", [(0.4, 2.2), (1.9, 0.1), (3.5, 1.0), (1.0, -0.5)])
def test_a_spline_of_two_variables(degree: int, point: tuple[float, float]) -> None:
    def plain(x: Any, y: Any) -> Any:
        return interpolate.bisplev(x, y, SURFACES[degree])

    found = grad(adopt(plain), argnums=(0, 1))(*point)
    np.testing.assert_allclose(found, slope(plain, *point), rtol=1e-6, atol=1e-8)
    compiled = jit(grad(adopt(plain), argnums=(0, 1)), backend="python")
    for x, y in (point, (0.5 * point[0] + 0.1, point[1]), point):
        np.testing.assert_allclose(compiled(x, y), grad(adopt(plain), argnums=(0, 1))(x, y),
                                   rtol=1e-10, atol=1e-12)


def test_second_derivatives_of_a_spline_of_two_variables() -> None:
    tck = SURFACES[3]
    second = hessian(adopt(lambda p: interpolate.bisplev(p[0], p[1], tck)))([0.4, 2.2])
    expected = [[float(interpolate.bisplev(0.4, 2.2, tck, *orders)) for orders in row]
                for row in (((2, 0), (1, 1)), ((1, 1), (0, 2)))]
    np.testing.assert_allclose(second, expected, rtol=1e-10)
    ours = jit(hessian(adopt(lambda p: interpolate.bisplev(p[0], p[1], tck))), backend="python")
    np.testing.assert_allclose(ours([0.4, 2.2]), expected, rtol=1e-10)
    with pytest.raises(TypeError, match="one point"):
        adopt(lambda x: interpolate.bisplev([x, x], 1.0, tck))(Value(1.0))


def area(a: Any, b: Any, c: Any) -> Any:
    return integrate.quad(lambda x: math.exp(-c * x * x) * x, a, b)[0]


def test_an_integral_by_its_limits_and_by_what_stands_in_it() -> None:
    point = (0.2, 1.7, 0.8)
    ours = adopt(area)
    value, (first, second, inside) = value_and_grad(ours, argnums=(0, 1, 2))(*point)
    assert value == pytest.approx(area(*point), rel=1e-11)

    def antiderivative(x: float, c: float) -> float:
        return -math.exp(-c * x * x) / (2.0 * c)

    assert value == pytest.approx(antiderivative(1.7, 0.8) - antiderivative(0.2, 0.8), rel=1e-11)
    assert first == pytest.approx(-0.2 * math.exp(-0.8 * 0.04), rel=1e-10)
    assert second == pytest.approx(1.7 * math.exp(-0.8 * 2.89), rel=1e-10)
    exact = sum(sign * math.exp(-0.8 * x * x) * (x * x / 1.6 + 1.0 / (2.0 * 0.64))
                for sign, x in ((1.0, 1.7), (-1.0, 0.2)))
    assert inside == pytest.approx(exact, rel=1e-9)
    assert gradcheck(ours, *point)


def test_an_integral_without_values_is_scipys_own() -> None:
    ours = adopt(lambda b: quad(math.exp, 0.0, b))
    assert ours(1.5) == quad(math.exp, 0.0, 1.5)
    assert grad(lambda b: ours(b)[0])(1.5) == pytest.approx(math.exp(1.5), rel=1e-12)


OPEN_OR_STEEP = {  # integrals to infinity, or with an end that is not smooth; and what they are
    "normal": (lambda s: integrate.quad(lambda x: math.exp(-x * x / (2.0 * s * s)), -math.inf,
                                        math.inf)[0],
               lambda s: math.sqrt(2.0 * math.pi) * s),
    "left": (lambda s: integrate.quad(lambda x: math.exp(s * x), -math.inf, 1.0)[0],
             lambda s: math.exp(s) / s),
    "gamma": (lambda s: integrate.quad(lambda x: x ** (s - 1.0) * math.exp(-x), 0.0, math.inf)[0],
              math.gamma),
    "circle": (lambda s: integrate.quad(lambda x: math.sqrt(s * s - x * x), -s, s)[0],
               lambda s: math.pi * s * s / 2.0),
    "root": (lambda s: integrate.quad(lambda x: s * s / math.sqrt(x), 0.0, 2.0)[0],
             lambda s: 2.0 * math.sqrt(2.0) * s * s)}


@pytest.mark.parametrize("name", OPEN_OR_STEEP)
def test_an_integral_to_infinity_or_to_a_steep_end(name: str) -> None:
    plain, exact = OPEN_OR_STEEP[name]
    ours, h = adopt(plain), 1e-3
    for s in (1.7, 2.3):
        expected = (8.0 * (exact(s + h) - exact(s - h)) - exact(s + 2.0 * h)
                    + exact(s - 2.0 * h)) / (12.0 * h)
        for f in (ours, jit(ours, backend="python")):
            value, first = value_and_grad(f)(s)
            assert value == pytest.approx(exact(s), rel=1e-9)
            assert first == pytest.approx(expected, rel=1e-8)


def test_a_recorded_integral_holds_as_long_as_its_rule_is_fine_enough() -> None:
    ours = adopt(lambda b: integrate.quad(lambda x: math.exp(-0.01 * x * x) * math.cos(5.0 * x),
                                          0.0, b)[0])
    fast = jit(value_and_grad(ours), backend="python")
    for b in (0.1, 0.2, 3.0, 30.0, 0.15):
        assert fast(b) == pytest.approx(value_and_grad(ours)(b), rel=1e-9)
    assert fast.n_recordings > 1


def test_an_integral_that_no_rule_of_smooth_ones_reaches_is_refused() -> None:
    ours = adopt(lambda c: integrate.quad(lambda x: abs(x - c), 0.0, 2.0)[0])
    with pytest.raises(TypeError, match="smooth between the limits; split it"):
        grad(ours)(0.7)


# --- cmath ---------------------------------------------------------------------------------------

def test_complex_functions_where_they_are_real() -> None:
    ours = adopt(lambda x: cmath.sqrt(x) + cmath.exp(x) + cmath.atanh(0.1 * x))
    assert grad(ours)(2.0) == pytest.approx(
        0.5 / math.sqrt(2.0) + math.exp(2.0) + 0.1 / (1.0 - 0.04), rel=1e-14)
    assert adopt(lambda x: cmath.sqrt(x))(-4.0) == 2j


@pytest.mark.parametrize(("function", "x"), [(cmath.sqrt, -2.0), (cmath.log, -3.0),
                                             (cmath.atanh, 2.5), (cmath.atanh, -1.5)])
def test_the_parts_of_a_complex_result(function: Any, x: float) -> None:
    def both(x: Any) -> Any:
        found = function(x)
        return found.real + 2.0 * found.imag

    plain = both(x)
    ours = adopt(both)
    value, found = value_and_grad(ours)(x)
    assert value == pytest.approx(plain, rel=1e-14)
    assert found == pytest.approx(slope(both, x)[0], rel=1e-7)
    whole = adopt(lambda x: function(x) * 2.0)
    with pytest.raises(TypeError, match=r"\.real and \.imag"):
        grad(whole)(x)
    with pytest.raises(TypeError, match="complex number"):
        grad(adopt(lambda x: cmath.acos(x)))(2.0)


# --- special functions that are no ufuncs ---------------------------------------------------------

@pytest.mark.parametrize("function", [
    lambda x: scipy_special.logsumexp(x) * x[0],
    lambda x: scipy_special.logsumexp(x.reshape(1, 3), axis=1, keepdims=True)[0, 0],
    lambda x: scipy_special.logsumexp(x + 800.0, b=np.array([1.0, 2.0, -0.5])),
    lambda x: scipy_special.logsumexp(x.reshape(3, 1), axis=0, b=2.0, keepdims=True)[0, 0],
    lambda x: scipy_special.log_softmax(x) @ np.arange(3.0),
    lambda x: scipy_special.softmax(x) @ np.arange(3.0),
    lambda x: scipy_special.polygamma(1, x[1]), lambda x: scipy_special.comb(5.0 + x[1], 2),
    lambda x: scipy_special.factorial(x[0] + 1.0)])
def test_special_functions_in_python_are_differentiated(function: Any) -> None:
    ours, x = adopt(function), np.array([0.3, 1.2, -0.7])
    assert float(ours(x)) == pytest.approx(float(function(x)), rel=1e-14)
    assert value_and_grad(ours)(x)[0] == pytest.approx(float(function(x)), rel=1e-13)
    slopes = slope(lambda *x: float(function(np.array(x))), *x)
    for derivative in (grad(ours), jit(grad(ours))):
        np.testing.assert_allclose(derivative(x), slopes, rtol=1e-6, atol=1e-8)


def test_logsumexp_refuses_what_it_cannot_return() -> None:
    ours = adopt(lambda x: scipy_special.logsumexp(x, return_sign=True)[0])
    with pytest.raises(TypeError, match="return_sign"):
        grad(ours)(np.array([1.0, 2.0]))
