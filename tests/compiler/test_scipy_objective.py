"""f.scipy(): functions for scipy.optimize, against scipy's own derivatives and known solutions."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest

pytest.importorskip("scipy")

from scipy import optimize

import autograd as ag
from autograd import Value, jit
from tests.threads import in_threads

START = np.array([-1.2, 1.0, 0.5, 2.0, 0.8])


def rosenbrock(x: Any) -> Any:
    return sum(100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2 for i in range(len(x) - 1))


def shifted(x: Any, center: Any, scale: Any) -> Any:
    return sum(scale * (xi - ci) ** 4 + (xi - ci) ** 2 for xi, ci in zip(x, center, strict=True))


def residuals(x: Any, t: Any, y: Any) -> Any:
    return [x[0] * ag.exp(-x[1] * ti) + x[2] - yi for ti, yi in zip(t, y, strict=True)]


def counted(compiled: Any) -> list[int]:
    """Count the replays of a compiled function's value and derivatives from now on."""
    counts = [0]
    for known in compiled._known.values():
        for replay in known.replays:
            replay.point = _counting(replay.point, counts)
    return counts


def _counting(point: Any, counts: list[int]) -> Any:
    def counting(numbers: Any) -> Any:
        counts[0] += 1
        return point(numbers)

    return counting


def test_the_derivatives_are_scipys(backend: str) -> None:
    o = jit(rosenbrock, backend=backend).scipy()
    rng = np.random.default_rng(3)
    for _ in range(3):
        x, p = rng.uniform(-2.0, 2.0, 6), rng.uniform(-2.0, 2.0, 6)
        value, slope = o.fun_and_jac(x)
        assert type(value) is float
        assert value == o.fun(x) == pytest.approx(optimize.rosen(x), rel=1e-14)
        np.testing.assert_array_equal(o.jac(x), slope)
        np.testing.assert_allclose(slope, optimize.rosen_der(x), rtol=1e-13, atol=1e-12)
        np.testing.assert_allclose(o.hess(x), optimize.rosen_hess(x), rtol=1e-13, atol=1e-12)
        np.testing.assert_allclose(o.hessp(x, p), optimize.rosen_hess_prod(x, p), rtol=1e-12,
                                   atol=1e-11)


def test_lists_and_ints_will_do() -> None:
    o = jit(rosenbrock).scipy()
    assert o.fun([2, 3]) == 101.0
    np.testing.assert_array_equal(o.jac([2, 3]), optimize.rosen_der(np.array([2.0, 3.0])))
    np.testing.assert_array_equal(o.hess([2, 3]), optimize.rosen_hess(np.array([2.0, 3.0])))
    np.testing.assert_array_equal(o.hessp([2, 3], [1, 0]), o.hess([2, 3])[0])


# --- solvers --------------------------------------------------------------------------------------

@pytest.mark.parametrize(("method", "second"), [
    ("BFGS", ()), ("CG", ()), ("L-BFGS-B", ()), ("SLSQP", ()), ("TNC", ()),
    ("Newton-CG", ("hess",)), ("Newton-CG", ("hessp",)), ("trust-ncg", ("hess",)),
    ("trust-ncg", ("hessp",)), ("trust-krylov", ("hessp",)), ("trust-exact", ("hess",)),
    ("trust-constr", ("hess",)), ("trust-constr", ("hessp",))])
def test_minimize_finds_the_minimum(method: str, second: tuple[str, ...], backend: str) -> None:
    o = jit(rosenbrock, backend=backend).scipy()
    start = np.full(4, 0.6)
    options = {name: getattr(o, name) for name in second}
    for fun, jac in ((o.fun, o.jac), (o.fun_and_jac, True)):
        found = optimize.minimize(fun, start, method=method, jac=jac, tol=1e-9, **options)
        np.testing.assert_allclose(found.x, np.ones(4), atol=1e-3)


@pytest.mark.parametrize("method", ["BFGS", "Newton-CG", "trust-ncg", "trust-constr"])
def test_the_path_is_that_of_scipys_own_derivatives(method: str) -> None:
    o = jit(rosenbrock, backend="python").scipy()
    second = {} if method == "BFGS" else {"hess": o.hess}
    theirs = {} if method == "BFGS" else {"hess": optimize.rosen_hess}
    start = np.array([1.3, 0.7, 0.8])
    found = optimize.minimize(o.fun, start, method=method, jac=o.jac, **second)
    other = optimize.minimize(optimize.rosen, start, method=method, jac=optimize.rosen_der,
                              **theirs)
    assert found.nit == other.nit
    np.testing.assert_allclose(found.x, other.x, rtol=1e-6)


@pytest.mark.parametrize("method", ["BFGS", "Newton-CG", "trust-ncg"])
def test_further_arguments(method: str, backend: str) -> None:
    f = jit(shifted, backend=backend)
    o = f.scipy()
    second = {"BFGS": {}, "Newton-CG": {"hessp": o.hessp}, "trust-ncg": {"hess": o.hess}}[method]
    for center, scale in (([1.0, -2.0], 3.0), ((0.5, 0.25), 1)):
        found = optimize.minimize(o.fun, np.zeros(2), args=(center, scale), method=method,
                                  jac=o.jac, **second)
        np.testing.assert_allclose(found.x, center, atol=1e-4)


def test_arguments_that_are_not_numbers() -> None:
    def regular(x: Any, n: int, kind: str) -> Any:
        return sum(xi**2 if kind == "square" else abs(xi) for xi in x[:n]) + x[-1] ** 4

    o = jit(regular, static_argnums=1).scipy()
    x, p = np.array([0.5, -2.0, 1.0]), np.array([1.0, 2.0, 3.0])
    assert o.fun(x, 2, "square") == 5.25
    assert o.fun(x, 1, "abs") == 1.5
    np.testing.assert_array_equal(o.jac(x, 2, "square"), [1.0, -4.0, 4.0])
    np.testing.assert_array_equal(o.hess(x, 1, "square"), np.diag([2.0, 0.0, 12.0]))
    np.testing.assert_array_equal(o.hessp(x, p, 2, "square"), [2.0, 4.0, 36.0])
    np.testing.assert_array_equal(o.hessp(x, p, 2, "abs"), [0.0, 0.0, 36.0])


def test_least_squares(backend: str) -> None:
    truth = np.array([2.5, 1.3, 0.5])
    t = np.linspace(0.0, 3.0, 20)
    y = truth[0] * np.exp(-truth[1] * t) + truth[2]
    o = jit(residuals, backend=backend).scipy()
    for method in ("trf", "lm", "dogbox"):
        found = optimize.least_squares(o.fun, [1.0, 1.0, 0.0], jac=o.jac, args=(t, y),
                                       method=method)
        np.testing.assert_allclose(found.x, truth, rtol=1e-6)
    jacobian = o.jac(truth, t, y)
    expected = np.stack([np.exp(-truth[1] * t), -truth[0] * t * np.exp(-truth[1] * t),
                         np.ones(20)], axis=1)
    np.testing.assert_allclose(jacobian, expected, rtol=1e-13)


def test_root(backend: str) -> None:
    def circle_and_line(v: Any) -> Any:
        return np.array([v[0] ** 2 + v[1] ** 2 - 4.0, v[0] - v[1]])

    o = jit(circle_and_line, backend=backend).scipy()
    for fun, jac in ((o.fun, o.jac), (o.fun_and_jac, True)):
        found = optimize.root(fun, [1.0, 0.5], jac=jac, tol=1e-12)
        np.testing.assert_allclose(found.x, [math.sqrt(2.0)] * 2, rtol=1e-12)


def test_a_function_with_branches(backend: str) -> None:
    def huber(x: Any) -> Any:
        return sum(xi * xi / 2.0 if abs(xi - 3.0) < 1.0 else abs(xi - 3.0) for xi in x)

    o = jit(huber, backend=backend).scipy()
    np.testing.assert_array_equal(o.jac(np.array([0.0, 2.5, 9.0])), [-1.0, 2.5, 1.0])
    np.testing.assert_array_equal(o.jac(np.array([2.5, 0.0, 9.0])), [2.5, -1.0, 1.0])


# --- one replay -----------------------------------------------------------------------------------

def test_value_and_gradient_come_from_one_replay() -> None:
    o = jit(rosenbrock).scipy()
    o.fun(START)
    counts = counted(o._both)
    x = START + 1.0
    assert o.fun(x) == pytest.approx(optimize.rosen(x), rel=1e-14)
    np.testing.assert_allclose(o.jac(x), optimize.rosen_der(x), rtol=1e-12)
    o.fun_and_jac(x.copy())
    assert counts == [1]
    o.jac(x + 1.0)
    o.fun(x + 1.0)
    assert counts == [2]
    o.fun(x)
    assert counts == [3]  # only the latest point is kept


def test_a_solver_needs_one_replay_for_each_point() -> None:
    o = jit(shifted).scipy()
    arguments = (np.zeros(3), np.array([1.0, -2.0, 0.5]), 2.0)
    o.fun(*arguments)
    counts = counted(o._both)
    found = optimize.minimize(o.fun, arguments[0], args=arguments[1:], jac=o.jac, method="BFGS")
    assert found.nfev == found.njev
    assert counts[0] <= found.nfev


def test_points_that_are_equal_may_be_different() -> None:
    o = jit(lambda x: ag.atan2(x[0], -1.0)).scipy()
    assert o.fun(np.array([0.0])) == math.pi
    assert o.fun(np.array([-0.0])) == -math.pi


def test_other_arguments_are_another_point() -> None:
    o = jit(shifted).scipy()
    x, center = np.array([1.0, 2.0]), np.array([0.0, 0.0])
    assert o.fun(x, center, 1.0) == 22.0
    assert o.fun(x, center, 2.0) == 39.0
    center[:] = x  # the same array with other numbers
    assert o.fun(x, center, 2.0) == 0.0
    np.testing.assert_array_equal(o.jac(x, center, 2.0), [0.0, 0.0])


def test_what_the_function_captures_may_change_between_calls() -> None:
    w, factor = Value(2.0, "w"), 1.0
    o = jit(lambda x: factor * w * x[0] ** 2).scipy()
    x = np.array([3.0])
    assert (o.fun(x), o.jac(x)[0]) == (18.0, 12.0)
    w.data = 5.0
    assert (o.jac(x)[0], o.fun(x)) == (30.0, 45.0)
    factor = 2.0
    assert (o.jac(x)[0], o.fun(x)) == (60.0, 90.0)
    np.testing.assert_array_equal(o.hess(x), [[20.0]])


@pytest.mark.parametrize("kind", [list, np.array])
def test_what_solvers_write_into_spoils_nothing(kind: Any, backend: str) -> None:
    o = jit(lambda *arguments: kind(residuals(*arguments)), backend=backend).scipy()
    x, t, y = np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0]), np.array([0.5, 0.7])
    value, slope = o.fun_and_jac(x, t, y)
    before = value.copy(), slope.copy()
    for result in (value, slope, o.fun(x, t, y), o.jac(x, t, y)):
        result[:] = math.nan
    np.testing.assert_array_equal(o.fun(x, t, y), before[0])
    np.testing.assert_array_equal(o.jac(x, t, y), before[1])
    p = jit(rosenbrock, backend=backend).scipy()
    for matrix in (p.hess, lambda x: p.hessp(x, START)):
        first = matrix(START)
        kept = first.copy()
        first[:] = math.nan
        np.testing.assert_array_equal(matrix(START), kept)
    np.testing.assert_array_equal(START, [-1.2, 1.0, 0.5, 2.0, 0.8])


def test_a_point_that_the_solver_moves_in_place() -> None:
    o = jit(rosenbrock).scipy()
    x = START.copy()
    first = o.jac(x)
    x += 1.0
    np.testing.assert_allclose(o.jac(x), optimize.rosen_der(x), rtol=1e-12)
    np.testing.assert_allclose(first, optimize.rosen_der(START), rtol=1e-12)


# --- errors ---------------------------------------------------------------------------------------

def test_outside_a_domain_the_error_is_the_eager_engines(backend: str) -> None:
    o = jit(lambda x: ag.log(x[0]) + x[1], backend=backend).scipy()
    o.fun(np.array([1.0, 1.0]))
    for function in (o.fun, o.jac, o.hess):
        with pytest.raises(ValueError, match="log is not defined at"):
            function(np.array([-1.0, 1.0]))


def test_values_are_no_arguments() -> None:
    o = jit(shifted).scipy()
    with pytest.raises(TypeError, match="scipy's functions take numbers, not Values"):
        o.fun(np.array([1.0]), [Value(1.0)], 2.0)


def test_the_hessian_is_of_one_output() -> None:
    o = jit(residuals).scipy()
    with pytest.raises(TypeError, match="must return one number"):
        o.hess(np.ones(3), [1.0], [2.0])


def test_threads_that_share_an_objective_get_their_own_answers(backend: str) -> None:
    o = jit(rosenbrock, backend=backend).scipy()
    points = [START + 0.25 * i for i in range(4)]
    expected = [(o.fun(x), o.jac(x).tolist()) for x in points]
    assert len({value for value, _ in expected}) == 4

    def ask(number: int) -> None:
        for _ in range(1500):
            value, slope = o.fun_and_jac(points[number])
            assert (value, slope.tolist()) == expected[number]

    in_threads(*[partial(ask, number) for number in range(4)])


def test_what_is_set_during_a_call_is_not_taken_for_what_it_computed_with() -> None:
    weight = Value(1.0, "weight")
    compiled = jit(lambda x: weight * x[0])
    o = compiled.scipy()
    assert o.fun([3.0]) == o.fun([3.0]) == 3.0
    both = o._both

    class Overtaken:
        """Another thread sets the weight after the replay, before its caller goes on."""

        def __getattr__(self, name: str) -> Any:
            return getattr(both, name)

        def __call__(self, *arguments: Any) -> Any:
            result = both(*arguments)
            weight.data = 2.0
            return result

    o._both = Overtaken()
    assert o.fun([5.0]) == 5.0
    o._both = both
    assert o.fun([5.0]) == 10.0


def test_a_zero_that_changes_its_sign_is_another_number() -> None:
    weight = Value(0.0, "weight")
    o = jit(lambda x: ag.atan2(weight, x[0])).scipy()
    assert [o.fun([-1.0]), o.fun([-1.0])] == [math.pi, math.pi]
    weight.data = -0.0
    assert o.fun([-1.0]) == -math.pi
