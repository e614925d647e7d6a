"""vjp, linearize, stop_gradient and has_aux: eagerly, compiled and by rows."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import (
    Value,
    grad,
    hessian,
    jacobian,
    jit,
    jvp,
    linearize,
    stop_gradient,
    value_and_grad,
    vjp,
    vmap,
)

X = np.array([0.5, -1.0, 2.0])
T = np.array([1.0, 0.25, -3.0])


def curve(x, k=2.0):
    return [np.sin(x[0]) * x[1] ** 2, k * x[2] * x[0]]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-2.0, 2.0), min_size=5, max_size=5))
def test_the_pullback_is_the_transpose_of_the_pushforward(numbers):
    tangents, cotangents = np.array(numbers[:3]), numbers[3:]
    value, pullback = vjp(curve, X)
    same, pushforward = linearize(curve, X)
    assert value == same == curve(X)
    matrix = jacobian(curve)(X)
    np.testing.assert_allclose(pullback(cotangents), cotangents @ matrix, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(pushforward(tangents), matrix @ tangents, rtol=1e-12, atol=1e-13)
    assert pushforward(tangents) == jvp(curve, X, tangents)[1]


def test_the_function_is_called_once():
    calls = []
    _, pullback = vjp(lambda x: calls.append(1) or x * x, 3.0)
    assert [pullback(1.0), pullback(2.0), len(calls)] == [6.0, 12.0, 1]
    _, pushforward = linearize(lambda x: calls.append(1) or x * x, 3.0)
    assert [pushforward(1.0), pushforward(2.0), len(calls)] == [6.0, 12.0, 2]


def test_primals_in_a_tuple_give_a_tuple():
    value, pullback = vjp(lambda a, b: {"y": a * b["k"]}, (2.0, {"k": 3.0}))
    assert value == {"y": 6.0} and pullback({"y": 10.0}) == (30.0, {"k": 20.0})
    assert linearize(lambda a, b: a * b, (2.0, 3.0))[1]((1.0, 1.0)) == 5.0


@pytest.mark.parametrize("wrap", [lambda f: f, jit])
def test_they_nest_and_compile(wrap):
    f = wrap(curve)
    value, pullback = vjp(f, X)
    np.testing.assert_allclose(value, curve(X))
    np.testing.assert_allclose(pullback([1.0, 2.0]), np.array([1.0, 2.0]) @ jacobian(curve)(X))
    np.testing.assert_allclose(linearize(f, X)[1](T), jacobian(curve)(X) @ T)
    slope = wrap(grad(lambda x: np.sum(vjp(curve, x)[1]([1.0, x[0]]))))
    expected = grad(lambda x: np.sum(jacobian(lambda z: curve(z))(x).T @ np.array([1.0, x[0]])))
    np.testing.assert_allclose(slope(X), expected(X))
    assert wrap(lambda x, t: linearize(lambda z: z**3, x)[1](t))(2.0, 5.0) == 60.0


def test_rows():
    rows = np.stack([X, T])
    found = vmap(lambda x: vjp(curve, x)[1]([1.0, 2.0]))(rows)
    np.testing.assert_allclose(found, [vjp(curve, x)[1]([1.0, 2.0]) for x in rows])
    with pytest.raises(TypeError, match=r"write vmap\(lambda x, cotangent"):
        vjp(vmap(curve), rows)


def test_a_cotangent_of_zero_asks_for_no_derivative():
    def f(x):
        return [ag.where(x > 0.0, 1.0, 2.0) * x, ag.sqrt(x)]

    assert vjp(f, 0.0)[1]([3.0, 0.0]) == 6.0
    with pytest.raises(ZeroDivisionError):
        vjp(f, 0.0)[1]([3.0, 1.0])


def test_the_sizes_must_agree():
    with pytest.raises(ValueError, match="3 cotangents for 2 numbers"):
        vjp(curve, X)[1](T)
    with pytest.raises(ValueError, match="1 tangents for 3 numbers"):
        linearize(curve, X)[1](1.0)


# --- stop_gradient --------------------------------------------------------------------------------

def half_stopped(x):
    return x[0] * stop_gradient(x)[1] + np.sum(stop_gradient({"a": [x, None]})["a"][0])


@pytest.mark.parametrize("wrap", [lambda f: f, jit])
def test_what_is_stopped_is_a_constant_to_every_derivative(wrap):
    assert wrap(half_stopped)(X) == X[0] * X[1] + X.sum()
    np.testing.assert_array_equal(wrap(grad(half_stopped))(X), [-1.0, 0.0, 0.0])
    assert not wrap(hessian(half_stopped))(X).any()
    assert wrap(lambda x: jvp(half_stopped, x, T)[1])(X) == -1.0
    moved = X + 1.0
    assert wrap(half_stopped)(moved) == moved[0] * moved[1] + moved.sum()


def test_a_compiled_function_follows_what_is_stopped():
    f = jit(grad(lambda x: x * stop_gradient(x * x)))
    assert [f(2.0), f(3.0), f.n_recordings] == [4.0, 9.0, 1]
    rows = vmap(grad(lambda x: x * stop_gradient(x * x)))(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(rows, [1.0, 4.0, 9.0])


@pytest.mark.parametrize("backend", ["python", "numpy", "llvm"])
def test_every_back_end_computes_what_is_stopped(backend):
    assert jit(lambda x: stop_gradient(x * 3.0) + x, backend=backend)(2.0) == 8.0


def test_what_is_stopped_need_not_have_a_derivative():
    def f(x):
        return ag.sqrt(stop_gradient(x)) + 2.0 * x

    assert grad(f)(0.0) == 2.0 and jit(grad(f))(0.0) == 2.0


def test_numbers_pass():
    assert stop_gradient(2.0) == 2.0 and stop_gradient(None) is None
    x = Value(2.0)
    y = stop_gradient(x) * x
    y.backward()
    assert x.grad == 2.0 and ag.gradient(y, x).data == 2.0


# --- has_aux --------------------------------------------------------------------------------------

def with_aux(x, k=2.0):
    y = np.sum(x * x) * k
    return y, {"y": y, "x": x, "name": "aux", "n": 3}


@pytest.mark.parametrize("wrap", [lambda t: t(with_aux, has_aux=True),
                                  lambda t: jit(t(with_aux, has_aux=True)),
                                  lambda t: t(jit(with_aux), has_aux=True)])
def test_what_is_beside_the_result_is_handed_on(wrap):
    y = 2.0 * (X @ X)
    for transform, expected in ((grad, 4.0 * X), (jacobian, 4.0 * X), (hessian, 4.0 * np.eye(3))):
        derivative, aux = wrap(transform)(X)
        np.testing.assert_allclose(derivative, expected)
        assert isinstance(aux["y"], float) and aux["y"] == y and aux["name"] == "aux"
        assert aux["x"].dtype == float and aux["n"] == 3
        np.testing.assert_array_equal(aux["x"], X)
    (value, aux), gradient = wrap(value_and_grad)(X)
    assert value == aux["y"] == y
    np.testing.assert_allclose(gradient, 4.0 * X)


def test_a_compiled_derivative_with_aux_is_pickled():
    f = pickle.loads(pickle.dumps(jit(grad(with_aux, has_aux=True))))
    np.testing.assert_allclose(f(X)[0], 4.0 * X)
    f = pickle.loads(pickle.dumps(grad(jit(with_aux), has_aux=True)))
    assert f(X)[1]["name"] == "aux"


def test_aux_of_rows():
    rows = np.stack([X, T])
    f = lambda x: (np.sum(x * x), 2.0 * x[0])
    for found in (vmap(grad(f, has_aux=True))(rows), grad(vmap(f), has_aux=True)(rows)):
        np.testing.assert_allclose(found[0], 2.0 * rows)
        np.testing.assert_allclose(found[1], 2.0 * rows[:, 0])
    weights = grad(vmap(lambda w, x: (w * x, w), in_axes=(None, 0)), has_aux=True)
    total, aux = weights(2.0, [1.0, 3.0])
    assert total == 4.0 and aux.tolist() == [2.0, 2.0]


def test_aux_keeps_an_outer_derivative():
    outer = grad(lambda x: grad(lambda z: (z * x, z * x * x), has_aux=True)(x)[1])
    assert outer(2.0) == 12.0


def test_aux_is_a_pair():
    with pytest.raises(TypeError, match="returns a pair"):
        grad(lambda x: x * x, has_aux=True)(2.0)
