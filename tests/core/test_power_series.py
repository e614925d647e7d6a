"""taylor: all derivatives to an order, against high precision, nested derivatives and formulas."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import TABLE, Value, grad, implicit, jit, primitive, taylor
from autograd.core.power_series import _Expansion
from autograd.core.transforms import Trace
from autograd.core.value import recording

from ..own_primitives import declared


def truth(function, x, order):
    with mpmath.workdps(80):
        coefficients = mpmath.taylor(function, mpmath.mpf(x), order)
        return np.array([float(c * mpmath.factorial(k)) for k, c in enumerate(coefficients)])


PAIRS = {
    "tanh(x sin x)": (lambda x: ag.tanh(x * ag.sin(x)), lambda x: mpmath.tanh(x * mpmath.sin(x))),
    "exp": (lambda x: ag.exp(-x * x), lambda x: mpmath.exp(-x * x)),
    "log": (lambda x: ag.log(x) / x, lambda x: mpmath.log(x) / x),
    "power": (lambda x: x**2.5 + x**-3, lambda x: x ** mpmath.mpf("2.5") + x**-3),
    "tower": (lambda x: x**x, lambda x: x**x),
    "base": (lambda x: 2.0**x, lambda x: mpmath.mpf(2) ** x),
    "atan": (lambda x: ag.atan(x) * ag.cos(x), lambda x: mpmath.atan(x) * mpmath.cos(x)),
    "asinh": (ag.asinh, mpmath.asinh),
    "erf": (ag.erf, mpmath.erf),
    "gamma": (ag.gamma, mpmath.gamma),
    "softplus": (ag.softplus, lambda x: mpmath.log(1 + mpmath.exp(x))),
    "norm": (lambda x: ag.norm([x, x * x, 1.0]), lambda x: mpmath.sqrt(x * x + x**4 + 1)),
    "dot": (lambda x: ag.dot([x, 2.0], [ag.sin(x), x * x]),
            lambda x: x * mpmath.sin(x) + 2 * x * x),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("x", [0.7, 1.3])
def test_twenty_derivatives_to_ten_digits(name, x):
    ours, precise = PAIRS[name]
    order = 19 if name == "gamma" else 20  # polygamma ends there
    np.testing.assert_allclose(taylor(ours, x, order), truth(precise, x, order), rtol=1e-10)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.3, 1.9), st.integers(0, 12))
def test_at_any_point_to_any_order(x, order):
    ours, precise = PAIRS["tanh(x sin x)"]
    np.testing.assert_allclose(taylor(ours, x, order), truth(precise, x, order),
                               rtol=1e-9, atol=1e-9)


def safe_point(row):
    low, high = row.safe[-1]
    return 0.5 * (max(low, -1.0) + min(high, 2.0)) + 0.07


SMOOTH = [row for row in TABLE.values()
          if row.arity == 1 and not row.stops and set(row.derivative) != {"0"}]


@pytest.mark.parametrize("row", SMOOTH, ids=lambda row: row.name)
def test_the_first_derivatives_of_every_row_are_those_of_nested_gradients(row):
    x = safe_point(row)
    nested, f = [], row
    for _ in range(4):
        nested.append(f(x))
        f = grad(f)
    np.testing.assert_allclose(taylor(row, x, 3), nested, rtol=1e-9, atol=1e-9)


def size(function, x, order):
    trace = Trace(function, 0, (x,), {})
    expansion = _Expansion(trace.leaves[0], order, True)
    with recording():
        expansion.expanded([trace.result])
    return len(expansion.all)


@pytest.mark.parametrize("row", SMOOTH, ids=lambda row: row.name)
def test_the_number_of_series_does_not_grow_with_the_order(row):
    chain = {"gamma": 1, "gammaln": 1, "digamma": 1}.get(row.name, 0)  # a polygamma an order
    x = safe_point(row)
    assert size(row, x, 16) == size(row, x, 10) + 6 * chain


def test_polynomials_are_exact_also_at_zero():
    assert taylor(lambda x: x**3 - 2.0 * x + 1.0, 0.0, 5).tolist() == [
        1.0, -2.0, 0.0, 6.0, 0.0, 0.0]
    assert taylor(lambda x: 4.0, 1.0, 2).tolist() == [4.0, 0.0, 0.0]
    assert taylor(lambda x: x, 3.0, 0).tolist() == [3.0]
    assert taylor(lambda x: [x * x, np.array([x])[0]], 3.0, 2).tolist() == [
        [9.0, 3.0], [6.0, 1.0], [2.0, 0.0]]


def test_loops_and_branches_go_the_way_of_the_number():
    def f(x):
        y = x
        for _ in range(3):
            y = ag.sin(y) + x if y > 0.5 else y * y
        return ag.where(x > 0.0, y, -y) + abs(x) + ag.maximum(x, 0.1)

    nested, g = [], f
    for _ in range(5):
        nested.append(g(0.8))
        g = grad(g)
    np.testing.assert_allclose(taylor(f, 0.8, 4), nested, rtol=1e-12)


@pytest.mark.parametrize("f", [abs, ag.relu, lambda x: ag.maximum(x, -x), np.floor, np.sign,
                               lambda x: ag.norm([x, x])])
def test_a_kink_or_a_jump_has_no_derivatives(f):
    with pytest.raises(ValueError, match="is on a kink or jump of"):
        taylor(f, 0.0, 2)
    assert len(taylor(f, 0.3, 2)) == 3


def test_where_a_derivative_does_not_exist():
    assert taylor(lambda x: x**2.5, 0.0, 2).tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(ZeroDivisionError):
        taylor(lambda x: x**2.5, 0.0, 3)
    with pytest.raises(ZeroDivisionError):
        taylor(ag.sqrt, 0.0, 1)


def test_primitives_of_ones_own():
    with declared("own_swish", lambda x: x / (1.0 + math.exp(-x)),
                  lambda x, y: y + ag.sigmoid(x) * (1.0 - y)) as row:
        np.testing.assert_allclose(
            taylor(row, 0.4, 15), truth(lambda x: x / (1 + mpmath.exp(-x)), 0.4, 15), rtol=1e-11)
    own = primitive(lambda x: np.array([x[0] * x[1], x[0] ** 3]),
                    vjp=lambda g, y, x: np.array([g[0] * x[1] + 3.0 * g[1] * x[0] ** 2,
                                                  g[0] * x[0]]))
    found = taylor(lambda t: np.sum(own(np.array([t, ag.sin(t)]))), 0.5, 6)
    np.testing.assert_allclose(
        found, truth(lambda t: t * mpmath.sin(t) + t**3, 0.5, 6), rtol=1e-12)


def test_a_primitive_in_c_is_refused_by_name_where_it_moves():
    root = implicit(lambda x, a: x * x - a, math.sqrt)
    fixed = root(Value(4.0))
    assert taylor(lambda x: x * x * fixed, 3.0, 1)[1].data == 12.0
    with pytest.raises(TypeError, match=r"taylor expands what sqrt computes"):
        taylor(root, 4.0, 2)


def test_where_only_the_vjp_knows_the_derivative_it_is_refused_by_name():
    def steps(a):
        x = 2.0
        for _ in range(3):
            x = 0.5 * (x + a / x)
        return x

    for own in (implicit(lambda x, a: x * x - a, steps),
                primitive(lambda x: x * x, vjp=lambda g, y, x: g, check=False)):
        with pytest.raises(TypeError, match="only its vjp knows its derivative"):
            taylor(own, 4.0, 3)
        assert taylor(lambda x, own=own: x * own(4.0), 3.0, 1)[1] == own(4.0)


def test_arrays_of_numpy():
    def array(items):
        return ag.values(np.zeros(np.shape(items))) * 0.0 + np.array(items, dtype=object)

    def f(x):
        a = array([[2.0 + x, 1.0], [0.3, 3.0 + x * x]])
        b = np.linalg.solve(a, array([1.0, x]))
        return np.sum(np.where(b > 0.2, b**2, np.exp(b))) + np.linalg.det(a)

    nested, g = [], f
    for _ in range(5):
        nested.append(g(0.7))
        g = grad(g)
    given, expected = ([v.data if isinstance(v, Value) else v for v in part]
                       for part in (taylor(f, 0.7, 4), nested))
    np.testing.assert_allclose(given, expected, rtol=1e-11)


def test_taylor_differentiates_and_compiles():
    f = PAIRS["tanh(x sin x)"][0]
    expected = taylor(f, 0.7, 6)
    compiled = jit(lambda x: taylor(f, x, 5))
    np.testing.assert_allclose(compiled(0.7), expected[:6], rtol=1e-12)
    np.testing.assert_allclose(compiled(0.9), taylor(f, 0.9, 5), rtol=1e-12)
    assert compiled.n_recordings == 1
    np.testing.assert_allclose(ag.jacobian(lambda x: taylor(f, x, 5))(0.7), expected[1:],
                               rtol=1e-11)
    np.testing.assert_allclose(taylor(lambda x: taylor(f, x, 2)[2], 0.7, 4), expected[2:],
                               rtol=1e-11)
    w = Value(2.0, "w")
    taylor(lambda x: ag.exp(w * x), 0.5, 3)[3].backward()
    assert w.grad == pytest.approx((12.0 + 8.0 * 0.5) * math.exp(1.0))


def test_what_is_stopped_is_constant():
    assert taylor(lambda x: x * ag.stop_gradient(x * x), 2.0, 2).tolist() == [8.0, 4.0, 0.0]


def test_wrong_calls():
    with pytest.raises(TypeError, match=r"taylor\(lambda t: f\(x \+ t \* direction\)"):
        taylor(np.sum, [1.0, 2.0], 2)
    with pytest.raises(ValueError, match="order must be at least 0"):
        taylor(ag.sin, 1.0, -1)
    with pytest.raises(TypeError, match="order must be a whole number"):
        taylor(ag.sin, 1.0, 2.5)
