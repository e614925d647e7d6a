"""grad, value_and_grad, jacobian, hessian, jvp, hvp."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value, grad, hessian, hvp, jacobian, jvp, value_and_grad


def cubic(x: Any) -> Any:
    return x**3 - 2 * x


def bowl(v: Any) -> Any:
    return v[0] ** 2 * v[1] + ag.exp(v[1])


def test_a_float_gives_a_float() -> None:
    result = grad(cubic)(2)
    assert type(result) is float
    assert result == 10.0
    assert value_and_grad(cubic)(2.0) == (4.0, 10.0)


def test_nesting_to_any_depth() -> None:
    f: Any = lambda x: x**7
    expected = [128.0, 448.0, 1344.0, 3360.0, 6720.0, 10080.0, 10080.0, 5040.0, 0.0]
    for depth in range(len(expected)):
        assert f(2.0) == expected[depth], depth
        f = grad(f)


@pytest.mark.parametrize("f", [lambda x: x**3, lambda x: x * x * x, lambda x: abs(x) * x * x,
                               lambda x: ag.sin(x) - x, lambda x: x**2 * ag.exp(x) - x**2])
def test_higher_orders_are_right_at_zero(f: Any) -> None:
    assert grad(f)(0.0) == 0.0
    assert grad(grad(f))(0.0) == 0.0


@pytest.mark.parametrize("f", [
    lambda x: x * grad(lambda y: x + y)(1.0),
    lambda x: x * grad(lambda y: x + y)(x),
    lambda x: grad(lambda y: x * y)(3.0),
    lambda x: jvp(lambda y: x * y, 3.0, 1.0)[1],
])
def test_inner_and_outer_derivatives_are_not_confused(f: Any) -> None:
    assert grad(f)(2.0) == 1.0


def test_mixed_modes_nest() -> None:
    f = lambda x: ag.sin(x) * x**2
    second = grad(grad(f))(0.7)
    assert jvp(grad(f), 0.7, 1.0)[1] == pytest.approx(second, rel=1e-14)
    assert grad(lambda x: jvp(f, x, 1.0)[1])(0.7) == pytest.approx(second, rel=1e-14)
    assert hessian(f)(0.7) == pytest.approx(second, rel=1e-14)
    assert grad(lambda x: hessian(f)(x))(0.7) == pytest.approx(grad(grad(grad(f)))(0.7), rel=1e-13)


def test_values_from_outside_give_values() -> None:
    w = Value(3.0, "w")
    slope = grad(lambda x: w * x * x)(2.0)
    assert isinstance(slope, Value)
    assert slope.data == 12.0
    slope.backward()
    assert w.grad == 4.0


def test_values_made_inside_do_not_matter() -> None:
    assert grad(lambda x: Value(3.0) * x + Value(1.0))(2.0) == 3.0


def test_structures_come_back_as_they_went_in() -> None:
    f = lambda v: v["a"] * v["b"][0] + v["b"][1].sum()
    slopes = grad(f)({"a": 2.0, "b": (3.0, np.ones((2, 2)))})
    assert slopes["a"] == 3.0
    assert slopes["b"][0] == 2.0
    assert type(slopes["b"]) is tuple
    assert np.array_equal(slopes["b"][1], np.ones((2, 2)))
    assert grad(bowl)([3.0, 0.0]) == [0.0, 10.0]
    assert grad(bowl)(np.array([3.0, 0.0])).tolist() == [0.0, 10.0]
    assert grad(bowl)(np.array([3, 0])).dtype == float


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (2, 1, 2)])
def test_arrays_of_any_shape(shape: tuple[int, ...]) -> None:
    X = np.arange(1.0, 1.0 + np.prod(shape, dtype=int)).reshape(shape)
    assert np.array_equal(grad(lambda X: ag.sum(X * X) if shape else X * X)(
        X if shape else float(X)), 2 * X)
    assert np.shape(grad(lambda X: np.sum(np.exp(X)))(X)) == shape


def test_argnums() -> None:
    f = lambda a, b, c: a * b**2 + c
    assert grad(f, 1)(2.0, 3.0, 1.0) == 12.0
    assert grad(f, (0, 2))(2.0, 3.0, 1.0) == (9.0, 1.0)
    assert grad(f, -1)(2.0, 3.0, 1.0) == 1.0
    assert grad(lambda x, power=2: x**power)(3.0, power=3) == 27.0
    assert grad(lambda x, name: x if name == "a" else -x)(3.0, "b") == -1.0
    with pytest.raises(TypeError, match="argnums=3"):
        grad(f, 3)(2.0, 3.0, 1.0)


def test_a_function_that_does_not_use_its_argument_has_gradient_zero() -> None:
    assert grad(lambda x: 3.0)(2.0) == 0.0
    assert grad(lambda v: v[0] * 2.0)([1.0, 5.0]) == [2.0, 0.0]


@pytest.mark.parametrize(("f", "message"), [
    (lambda x: [x, x], r"jacobian\(f\)"), (lambda x: None, "returned None"),
    (lambda x: "x", "text"), (lambda x: np.array([x, x]), r"jacobian\(f\)"),
])
def test_grad_of_what_is_not_one_number_is_an_error(f: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        grad(f)(1.0)


def test_jacobian_has_the_shape_of_output_and_argument() -> None:
    f = lambda v: [v[0] * v[1], v[1] * v[2], v[0]]
    assert np.array_equal(jacobian(f)([2.0, 3.0, 5.0]), [[3, 2, 0], [0, 5, 3], [1, 0, 0]])
    A = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(jacobian(lambda x: A @ x)(np.ones(3)), A)
    assert jacobian(lambda X: X * 2.0)(np.ones((2, 3))).shape == (2, 3, 2, 3)
    assert jacobian(cubic)(2.0) == 10.0
    both = jacobian(lambda a, b: [a * b, a], (0, 1))(2.0, 3.0)
    assert [part.tolist() for part in both] == [[3.0, 1.0], [2.0, 0.0]]


def test_hessian_is_symmetric_and_right() -> None:
    H = hessian(bowl)(np.array([3.0, 0.5]))
    expected = np.array([[1.0, 6.0], [6.0, np.exp(0.5)]])
    assert np.allclose(H, expected, rtol=1e-14, atol=0)
    blocks = hessian(lambda a, b: a**2 * b, (0, 1))(3.0, 5.0)
    assert blocks == ((10.0, 6.0), (6.0, 0.0))
    assert hessian(lambda X: ag.sum(X**3))(np.ones((2, 2))).shape == (2, 2, 2, 2)


def test_products_with_the_hessian_agree_with_the_matrix() -> None:
    x, v = np.array([3.0, 0.5]), np.array([0.7, -2.0])
    product = hvp(bowl, x, v)
    assert product == pytest.approx(hessian(bowl)(x) @ v, rel=1e-14)
    value, tangent = jvp(bowl, x, v)
    assert value == bowl(x)
    assert tangent == pytest.approx(grad(bowl)(x) @ v, rel=1e-14)
    with pytest.raises(ValueError, match="2 numbers and tangents 3"):
        jvp(bowl, x, np.ones(3))


def test_jvp_keeps_the_structure_of_outputs() -> None:
    outputs, tangents = jvp(lambda a, b: [a * b, {"sum": a + b}], (2.0, 3.0), (1.0, 0.0))
    assert outputs == [6.0, {"sum": 5.0}]
    assert tangents == [3.0, {"sum": 1.0}]


def test_hidden_branches_follow_the_numbers() -> None:
    f = lambda x: x**2 if x > 0 else -x
    assert (grad(f)(3.0), grad(f)(-3.0)) == (6.0, -1.0)
    assert grad(lambda v: max(v) * sorted(v)[0])([1.0, 5.0, 3.0]) == [5.0, 1.0, 0.0]


def test_scipy_minimizes_value_and_grad_as_it_stands() -> None:
    optimize = pytest.importorskip("scipy.optimize")

    def rosenbrock(x: Any) -> Any:
        return sum(100.0 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairwise(x))

    found = optimize.minimize(value_and_grad(rosenbrock), np.zeros(4), jac=True)
    assert found.x == pytest.approx(np.ones(4), rel=1e-4)
    newton = optimize.minimize(
        value_and_grad(rosenbrock), np.zeros(3), jac=True, method="trust-ncg",
        hess=lambda x: hessian(rosenbrock)(x))
    assert newton.x == pytest.approx(np.ones(3), rel=1e-6)


def test_leaves_of_the_caller_keep_their_grad() -> None:
    w = Value(2.0)
    (w * 3.0).backward()
    grad(lambda x: x * w)(1.0)
    hessian(lambda x: x * x * w)(1.0)
    assert w.grad == 3.0
