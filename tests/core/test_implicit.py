"""implicit: the derivative of what SciPy, or a loop, has found."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import (
    RecordingError,
    grad,
    hessian,
    hvp,
    implicit,
    jacobian,
    jit,
    jvp,
    value_and_grad,
    vmap,
)

optimize = pytest.importorskip("scipy.optimize")

KEPLER = implicit(
    lambda E, e, M: E - e * np.sin(E) - M,
    lambda e, M: optimize.brentq(lambda E: E - e * math.sin(E) - M, -1.0, 40.0, xtol=1e-14))


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 0.9), st.floats(0.1, 6.0))
def test_kepler_by_brentq(e, M):
    E = KEPLER(e, M)
    d = 1.0 - e * math.cos(E)
    by_e, by_m = grad(KEPLER, (0, 1))(e, M)
    assert by_e == pytest.approx(math.sin(E) / d, rel=1e-10)
    assert by_m == pytest.approx(1.0 / d, rel=1e-10)
    second = hessian(lambda x: KEPLER(x[0], x[1]))(np.array([e, M]))
    assert second[1, 1] == pytest.approx(-e * math.sin(E) / d**3, rel=1e-9, abs=1e-11)
    assert second[0, 1] == pytest.approx(second[1, 0], rel=1e-9, abs=1e-11)
    third = grad(grad(grad(lambda m: KEPLER(0.0, m + 0.1 * m * m))))(M)
    assert third == pytest.approx(0.0, abs=1e-9)  # E = M where e = 0


def system(x, a):
    return [x[0] ** 2 + a["k"] * x[1] - a["b"][0], x[1] ** 3 + x[0] - a["b"][1]]


def by_root(a):
    return optimize.root(lambda x: system(x, a), np.array([1.0, 1.0]), tol=1e-13).x


def by_newton(a):
    x = [1.0, 1.0]
    for _ in range(8):
        f, g = system(x, a)
        p, q, r, s = 2.0 * x[0], a["k"], 1.0, 3.0 * x[1] ** 2
        d = p * s - q * r
        x = [x[0] - (s * f - q * g) / d, x[1] - (p * g - r * f) / d]
    return np.array(x)


POINT = {"k": 0.5, "b": np.array([2.0, 2.5])}
ROOT, NEWTON = implicit(system, by_root), implicit(system, by_newton)


def scalar_of(solver):
    return lambda k, b: np.sum(solver({"k": k, "b": b}) ** 3)


@pytest.mark.parametrize("transform", [grad, hessian, lambda f, i: grad(lambda *a: np.sum(
    hessian(f, i)(*a)), i)])
def test_a_system_by_scipys_root_differentiates_as_its_newton_steps(transform):
    for argnum in (0, 1):
        np.testing.assert_allclose(transform(scalar_of(ROOT), argnum)(*POINT.values()),
                                   transform(scalar_of(by_newton), argnum)(*POINT.values()),
                                   rtol=1e-7)


def test_forward_mode():
    f, g = scalar_of(ROOT), scalar_of(by_newton)
    along = (1.0, np.array([0.5, -2.0]))
    np.testing.assert_allclose(jvp(f, tuple(POINT.values()), along),
                               jvp(g, tuple(POINT.values()), along), rtol=1e-9)
    np.testing.assert_allclose(hvp(f, tuple(POINT.values()), along)[1],
                               hvp(g, tuple(POINT.values()), along)[1], rtol=1e-8)


def test_a_solver_in_python_compiles_with_the_derivative_of_the_theorem():
    f, plain = scalar_of(NEWTON), scalar_of(by_newton)
    arguments = tuple(POINT.values())
    for transform in (grad, hessian):
        compiled = jit(transform(f, 1))
        np.testing.assert_allclose(compiled(*arguments), transform(plain, 1)(*arguments), rtol=1e-8)
        np.testing.assert_allclose(compiled(0.6, POINT["b"]),
                                   transform(plain, 1)(0.6, POINT["b"]), rtol=1e-8)
    ks = np.array([0.3, 0.5, 0.7])
    np.testing.assert_allclose(vmap(grad(f), in_axes=(0, None))(ks, POINT["b"]),
                               [grad(plain)(k, POINT["b"]) for k in ks], rtol=1e-8)


def test_a_solver_of_scipy_is_refused_by_jit_by_name():
    with pytest.raises(RecordingError, match="call by_root"):
        jit(grad(scalar_of(ROOT)))(*POINT.values())


def test_a_change_of_what_the_residual_captures_is_recorded_anew():
    scale = [1.0]

    def steps(a):
        x = a
        for _ in range(6):
            x = 0.5 * (x + a / x)
        return x

    root = implicit(lambda x, a: scale[0] * (x * x - a) + (1.0 - scale[0]) * (x - 2.0), steps)
    slope = jit(grad(root), max_recordings=3)
    assert slope(4.0) == pytest.approx(0.25, rel=1e-12)
    scale[0] = 0.5
    assert slope(4.0) == pytest.approx(0.2, rel=1e-12) and slope.n_recordings == 2


def test_a_fixed_point():
    def iterate(a):
        x = 0.5
        for _ in range(200):
            x = math.cos(a * x)
        return x

    fixed = implicit(lambda x, a: np.cos(a * x) - x, iterate)
    x = fixed(0.9)
    slope = -math.sin(0.9 * x) * x / (1.0 + 0.9 * math.sin(0.9 * x))
    assert grad(fixed)(0.9) == pytest.approx(slope, rel=1e-12)
    assert ag.gradcheck(lambda a: fixed(a) * 2.0, 0.9)


def test_an_optimum_is_a_root_of_the_gradient():
    def loss(w, data, penalty):
        return np.sum((w[0] * data + w[1] - data**2) ** 2) + penalty * np.sum(w * w)

    def fitted(data, penalty):
        return optimize.minimize(ag.value_and_grad(loss), np.zeros(2), (data, penalty), jac=True,
                                 tol=1e-12).x

    best = implicit(grad(loss), fitted)
    data = np.array([0.0, 1.0, 2.0])
    matrix = np.array([[data @ data, data.sum()], [data.sum(), 3.0]])
    closed = lambda p: np.linalg.solve(matrix + p * np.eye(2), [data @ data**2, (data**2).sum()])
    slope = jacobian(lambda p: best(data, p))(0.5)
    np.testing.assert_allclose(slope, (closed(0.5 + 1e-5) - closed(0.5 - 1e-5)) / 2e-5, rtol=1e-7)


# --- what SciPy's integrators compute -------------------------------------------------------------

def test_quad_as_a_primitive_of_its_limits_and_a_parameter():
    from scipy.integrate import quad

    def integrand(t, a):
        return np.exp(-a * t * t)

    def integral_vjp(g, y, low, high, a):
        by_a = slope_integral(low, high, a)
        return -g * integrand(low, a), g * integrand(high, a), g * by_a

    @ag.primitive(vjp=lambda g, y, low, high, a: (
        g * low**2 * integrand(low, a), -g * high**2 * integrand(high, a),
        g * quad(lambda t: t**4 * math.exp(-a * t * t), low, high)[0]))
    def slope_integral(low, high, a):
        return quad(lambda t: -t * t * math.exp(-a * t * t), low, high)[0]

    integral = ag.primitive(lambda low, high, a: quad(integrand, low, high, (a,))[0],
                            vjp=integral_vjp)

    def closed(low, high, a):
        root = ag.sqrt(a)
        return 0.5 * math.sqrt(math.pi) / root * (ag.erf(root * high) - ag.erf(root * low))

    for i in range(3):
        assert grad(integral, i)(0.2, 1.5, 0.7) == pytest.approx(grad(closed, i)(0.2, 1.5, 0.7))
        assert grad(grad(integral, i), i)(0.2, 1.5, 0.7) == pytest.approx(
            grad(grad(closed, i), i)(0.2, 1.5, 0.7))


def odeint(rate):
    """y(T) of y' = rate(y, p), y(0) = y0, as a function of y0, p and T, with all derivatives.

    The vjp solves the adjoint equation backwards, by the same primitive: Chen and others, "Neural
    ordinary differential equations" (2018), algorithm 1.
    """
    from scipy.integrate import solve_ivp

    def vjp(g, end, y0, p, T):
        n = len(y0)

        def backwards(state, p):
            y, a = state[:n], state[n:2 * n]
            by_y, by_p = ag.vjp(rate, (y, p))[1](a)
            return np.concatenate([-rate(y, p), by_y, by_p])

        start = odeint(backwards)(np.concatenate([end, g, np.zeros(len(p))]), p, T)
        return start[n:2 * n], start[2 * n:], g @ rate(end, p)

    @ag.primitive(vjp=vjp, check=False)
    def flow(y0, p, T):
        return solve_ivp(lambda _, y: rate(y, p), (0.0, T), y0, rtol=1e-8, atol=1e-9).y[:, -1]

    return flow


def test_odeint_as_a_primitive_by_the_adjoint_equation():
    def rate(y, p):
        return np.array([y[1], -p[0] * np.sin(y[0]) - p[1] * y[1]])

    def steps(y0, p, T):
        y, h = y0, T / 50.0
        for _ in range(50):
            a = rate(y, p)
            b = rate(y + 0.5 * h * a, p)
            c = rate(y + 0.5 * h * b, p)
            y = y + h / 6.0 * (a + 2.0 * b + 2.0 * c + rate(y + h * c, p))
        return y[0]

    flow = odeint(rate)
    y0, p = np.array([1.0, 0.3]), np.array([2.0, 0.1])
    found = grad(lambda y0, p, T: flow(y0, p, T)[0], (0, 1, 2))(y0, p, 0.8)
    for a, b in zip(found, jit(grad(steps, (0, 1, 2)))(y0, p, 0.8), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    along = np.array([1.0, 0.5])
    np.testing.assert_allclose(hvp(lambda y: flow(y, p, 0.8)[0], y0, along),
                               hvp(lambda y: steps(y, p, 0.8), y0, along), rtol=1e-5)


# --- what is refused ------------------------------------------------------------------------------

def test_what_is_no_root_is_refused():
    wrong = implicit(lambda x, a: x * x - a, lambda a: 1.01 * math.sqrt(a))
    with pytest.raises(ValueError, match=r"the solver has found no root of <lambda>"):
        grad(wrong)(4.0)
    loose = implicit(lambda x, a: x * x - a, lambda a: 1.01 * math.sqrt(a), rtol=0.1)
    assert grad(loose)(4.0) == pytest.approx(1.0 / 4.04)


def test_a_replay_that_finds_no_root_is_refused():
    def steps(a):
        x = 2.0
        for _ in range(4):
            x = 0.5 * (x + a / x)
        return x

    slope = jit(grad(implicit(lambda x, a: x * x - a, steps)))
    assert slope(4.0) == 0.25 and slope(5.0) == pytest.approx(0.5 / math.sqrt(5.0), rel=1e-9)
    assert slope.n_recordings == 1
    with pytest.raises(ValueError, match="the solver has found no root"):
        slope(1e6)


def test_a_multiple_root_is_refused():
    double = implicit(lambda x, a: (x - a) ** 2, lambda a: a)
    with pytest.raises(ValueError, match="multiple root"):
        grad(double)(2.0)


def test_another_number_of_equations_is_refused():
    with pytest.raises(ValueError, match="as many numbers as the solution has, 1, not 2"):
        grad(implicit(lambda x, a: [x - a, x], lambda a: a))(2.0)
    with pytest.raises(TypeError, match="residual is 3"):
        implicit(3, math.sqrt)


def test_a_residual_with_values_from_outside_is_refused():
    w = ag.Value(2.0, "w")
    hidden = implicit(lambda x, a: x * w - a, lambda a: a / w.data)
    with pytest.raises(TypeError, match="uses Values that are not among its arguments"):
        grad(hidden)(3.0)


def test_a_solver_of_floats_and_math_is_compiled() -> None:
    def newton(e: Any, M: Any) -> Any:
        E = M
        for _ in range(50):
            step = (E - e * math.sin(E) - M) / (1.0 - e * math.cos(E))
            E = E - step
            if abs(step) < 1e-15:
                break
        return E

    anomaly = implicit(lambda E, e, M: E - e * np.sin(E) - M, newton)
    fast = jit(value_and_grad(anomaly, (0, 1)), backend="python")
    for point in ((0.3, 1.2), (0.1, 2.0), (0.31, 1.21), (0.3, 1.2)):
        value, slopes = fast(*point)
        expected, expected_slopes = value_and_grad(anomaly, (0, 1))(*point)
        assert value == pytest.approx(expected, rel=1e-14)
        assert slopes == pytest.approx(expected_slopes, rel=1e-13)
    by_c = implicit(lambda x, a: x * x - a,
                    lambda a: optimize.brentq(lambda x: x * x - a, 0.0, 9.0))
    with pytest.raises(RecordingError, match=r"written in C|float"):
        jit(grad(by_c))(2.0)
