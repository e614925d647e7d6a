"""A program as a user with type checkers writes it; test_types.py checks it and runs it.

What has to be an error stands in ``refused(...)``: the type checkers object to it, or else object
to the comment that expects an error, and at run time it is an error, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

import autograd
import nn
from autograd import (
    TABLE,
    Primitive,
    Value,
    compare_naive,
    dot,
    draw,
    exp,
    explain,
    grad,
    gradcheck,
    hessian,
    implicit,
    jacobian,
    jit,
    linearize,
    live,
    logsumexp,
    maximum,
    norm,
    primitive,
    primitives,
    sqrt,
    step_through,
    taylor,
    value_and_grad,
    values,
    vjp,
    vmap,
    where,
)
from autograd.checking.reports import Report
from autograd.compiler.vmap import Batched
from autograd.drawing.rendering import Drawing
from autograd.explaining.chain_rule import Explanation
from autograd.extend import ArrayPrimitive, unregister
from autograd.pages import Page

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value, kind):
        return value


Array = np.ndarray[Any, Any]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Truths = np.ndarray[Any, np.dtype[np.bool_]]


def refused(call: Callable[[], object]) -> None:
    """Assert that a call, which type checkers refuse, is an error."""
    try:
        call()
    except (TypeError, ValueError, AttributeError):
        return
    raise AssertionError("it runs")


def primitives_take_floats_values_and_arrays(v: Value, a: Floats, either: Value | float) -> None:
    assert_type(sqrt(2.0), float)
    assert_type(sqrt(2), float)
    assert_type(sqrt(np.float32(2.0)), float)
    assert_type(sqrt(Fraction(1, 4)), float)
    assert_type(sqrt(v), Value)
    assert_type(sqrt(a), Array)
    assert_type(sqrt(either), Value | float)
    assert_type(either * v + either, Value)
    assert_type(maximum(2.0, 3), float)
    assert_type(maximum(v, 3), Value)
    assert_type(maximum(3.0, v), Value)
    assert_type(maximum(a, v), Array)
    assert_type(maximum(v, a), Array)
    assert_type(autograd.sum([1.0, 2.0]), float)
    assert_type(logsumexp([v, v]), Value)
    assert_type(norm(sqrt(v) for _ in range(3)), Value)
    assert_type(dot([1.0, 2.0], [3, 4]), float)
    assert_type(dot([v, v], [3.0, 4.0]), Value)
    assert_type(dot([3.0, 4.0], [v, v]), Value)
    assert_type(primitives.tanh(0.5), float)
    refused(lambda: sqrt("x"))  # type: ignore  # pyright: ignore
    refused(lambda: sqrt([1.0]))  # type: ignore  # pyright: ignore
    refused(lambda: sqrt(1j))  # type: ignore  # pyright: ignore
    refused(lambda: sqrt(v, v))  # type: ignore  # pyright: ignore
    refused(lambda: maximum(v, "x"))  # type: ignore  # pyright: ignore
    refused(lambda: maximum(v))  # type: ignore  # pyright: ignore
    refused(lambda: autograd.sum(v))  # type: ignore  # pyright: ignore
    refused(lambda: dot([v], 1.0))  # type: ignore  # pyright: ignore


def where_takes_numbers_and_functions(v: Value) -> None:
    assert_type(where(v > 0.0, v, 0.0), Value)
    assert_type(where(v > 0.0, 1.0, 0), float)
    assert_type(where(v > 0.0, lambda: sqrt(v), v), Value)
    assert_type(where(v > 0.0, lambda: sqrt(v), lambda: exp(v)), Value)
    assert_type(where(v > 0.0, lambda: sqrt(v), 0.0), Value | float)
    refused(lambda: where(v < 0.0, v, "x"))  # type: ignore  # pyright: ignore
    refused(lambda: where(v > 0.0, v))  # type: ignore  # pyright: ignore


def operators_of_values(v: Value, a: Floats) -> None:
    assert_type(v + 1, Value)
    assert_type(2.0 * v, Value)
    assert_type(np.float64(2.0) * v, Value)
    assert_type(v ** 2 / v - 1, Value)
    assert_type(-abs(v), Value)
    assert_type(v + a, Array)
    assert_type(a * v, Array)
    assert_type(v < 1, bool)
    assert_type(v >= v, bool)
    assert_type(v == 1.0, bool)
    assert_type(v != v, bool)
    assert_type(v < a, Truths)
    assert_type(max(v, v * v), Value)
    assert_type(sorted([v, v]), list[Value])
    assert_type(v.exp().maximum(2.0), Value)
    assert_type(v.data, float)
    assert_type(values([1.0, 2.0]), Array)
    refused(lambda: v + "x")  # type: ignore  # pyright: ignore
    refused(lambda: "x" + v)  # type: ignore  # pyright: ignore
    refused(lambda: v < "x")  # type: ignore  # pyright: ignore
    refused(lambda: v.expp())  # type: ignore  # pyright: ignore
    refused(lambda: Value("3"))  # type: ignore  # pyright: ignore
    refused(lambda: math.exp(v))  # type: ignore  # pyright: ignore
    refused(lambda: float(v))  # type: ignore  # pyright: ignore


def half_square(x: float, scale: float = 1.0) -> float:
    return x * x * scale / 2.0


def weighted(w: list[Value], x: list[float]) -> Value:
    return dot(w, x)


def loss(w: Any, x: Any) -> Any:
    return w[0] * x + w[1]


def derivatives_have_the_form_of_the_argument() -> None:
    slope = grad(half_square)
    assert_type(slope(3.0), float)
    assert_type(slope(3, scale=2.0), float)
    assert_type(grad(slope)(3.0), float)
    assert_type(grad(lambda x: x * exp(x))(1.0), float)
    assert_type(grad(weighted)([1.0, 2.0], [3.0, 4.0]), list[float])
    assert_type(grad(weighted)(np.array([1.0, 2.0]), [3.0, 4.0]), Array)
    assert_type(grad(lambda p: p["a"] * p["b"])({"a": 1.0, "b": 2.0}), dict[str, float])
    assert_type(grad(loss)([1.0, 2.0], 3.0), list[float])
    assert_type(grad(half_square)(Value(3.0)), Value | float)
    assert_type(value_and_grad(half_square)(3.0), tuple[float, float])
    assert_type(value_and_grad(weighted)([1, 2], [3.0, 4.0]), tuple[float, list[float]])
    assert_type(hessian(half_square)(3.0), float)
    assert_type(hessian(loss)([1.0, 2.0], 3.0), Array)
    assert_type(jacobian(lambda x: [x[0] * x[1], x[1]])([1.0, 2.0]), Array)
    refused(lambda: slope("x"))  # type: ignore  # pyright: ignore
    refused(lambda: slope(3.0, scale="x"))  # type: ignore  # pyright: ignore
    refused(lambda: slope(3.0, 1.0, 1.0))  # type: ignore  # pyright: ignore
    refused(lambda: slope())  # type: ignore  # pyright: ignore
    refused(lambda: grad(3.0)(1.0))  # type: ignore  # pyright: ignore


@jit
def huber(x: float) -> float:
    return x * x / 2.0 if abs(x) < 1.0 else abs(x) - 0.5


@jit(backend="python", static_argnums=1)
def power(x: float, n: int) -> float:
    return x ** n


@jit
def of_values(x: Value) -> Value:
    return x.exp()


class Model:
    scale = 2.0

    @jit
    def cost(self, x: float) -> float:
        return self.scale * x * x


def compiled_functions_keep_their_signature() -> None:
    assert_type(huber(0.5), float)
    assert_type(huber.n_recordings, int)
    assert_type(huber.explain(), str)
    assert_type(huber.source(), str)
    assert_type(huber.scipy().hess([0.5]), Array)
    assert_type(power(2.0, 3), float)
    assert_type(of_values(1.0), Any)
    assert_type(Model().cost(3.0), float)
    assert_type(Model().cost.n_recordings, int)
    assert_type(jit(grad(half_square))(3.0), float)
    assert_type(jit(value_and_grad(weighted))([1.0, 2.0], [3.0, 4.0]), tuple[float, list[float]])
    assert_type(grad(huber).n_recordings, int)
    plain: Callable[[float], float] = huber
    assert_type(plain(2.0), float)
    refused(lambda: huber("x"))  # type: ignore  # pyright: ignore
    refused(lambda: huber(1.0, 2.0))  # type: ignore  # pyright: ignore
    refused(lambda: huber.recordings)  # type: ignore  # pyright: ignore
    refused(lambda: Model().cost("x"))  # type: ignore  # pyright: ignore
    refused(lambda: jit(3.0))  # type: ignore  # pyright: ignore


def mapped_functions_give_arrays() -> None:
    by_rows = vmap(half_square, in_axes=(0, None))
    assert_type(by_rows, Batched[Array])
    assert_type(by_rows([1.0, 2.0], 3.0), Array)
    assert_type(by_rows.n_recordings, int)
    assert_type(by_rows.explain(), str)
    assert_type(vmap(loss, in_axes=(None, 0)).n_recordings, int)
    assert_type(grad(by_rows).n_recordings, int)
    refused(lambda: vmap(3.0))  # type: ignore  # pyright: ignore
    refused(lambda: vmap(loss, in_axes="x"))  # type: ignore  # pyright: ignore


def what_is_loaded_later_has_types(v: Value) -> None:
    y = (v * v).exp()
    assert_type(explain(y), Explanation)
    assert_type(draw(y), Drawing)
    assert_type(gradcheck(half_square, 3.0), Report)
    assert_type(bool(gradcheck(half_square, 3.0)), bool)
    compare_naive(y)
    assert_type(live(y), Page)
    assert_type(live(half_square, 3.0), Page)
    assert_type(step_through(y), Page)
    refused(lambda: live("x"))  # type: ignore  # pyright: ignore
    refused(lambda: autograd.explian)  # type: ignore  # pyright: ignore
    refused(lambda: draw("x"))  # type: ignore  # pyright: ignore


@primitive(vjp=lambda g, y, x: 2.0 * g * x)
def own_square(x: Any) -> Any:
    return x * x


def linear_maps_and_functions_of_ones_own() -> None:
    assert_type(own_square, ArrayPrimitive)
    assert_type(primitive(half_square, vjp=lambda g, y, x: g * x), ArrayPrimitive)
    assert_type(primitive("typed_cube", lambda x: x * x * x, lambda x, y: 3.0 * x * x), Primitive)
    unregister(TABLE["typed_cube"])
    assert_type(implicit(lambda x, a: x * x - a, math.sqrt), ArrayPrimitive)
    value, pullback = vjp(half_square, 3.0)
    assert_type(pullback, Callable[[Any], Any])
    assert pullback(1.0) == 3.0 and linearize(half_square, 3.0)[1](2.0) == 6.0 and value == 4.5
    assert_type(grad(lambda x: (x * x, x), has_aux=True)(3.0), tuple[Any, Any])
    assert_type(value_and_grad(lambda x: (x * x, x), has_aux=True)(3.0), tuple[Any, Any])
    assert_type(taylor(lambda x: exp(x), 0.0, 3), Array)
    refused(lambda: primitive(half_square))  # type: ignore  # pyright: ignore
    refused(lambda: implicit(half_square))  # type: ignore  # pyright: ignore
    refused(lambda: taylor(half_square, 1.0))  # type: ignore  # pyright: ignore


def networks(v: Value) -> None:
    model = nn.MLP(2, [3, 1], seed=1)
    assert_type(model([1.0, v]), Value | list[Value])
    assert_type(model(np.array([1.0, 2.0])), Value | list[Value])
    assert_type(nn.Layer(2, 3)([1, 2]), Value | list[Value])
    assert_type(nn.Neuron(2)([1.0, 2.0]), Value)
    assert_type(nn.fit(model, [[0.0, 1.0]], [1.0], epochs=1, progress=False), nn.History)
    refused(lambda: model("ab"))  # type: ignore  # pyright: ignore
    refused(lambda: nn.fitt)  # type: ignore  # pyright: ignore


def main() -> None:
    v, a = Value(2.0, "v"), np.array([1.0, 2.0])
    primitives_take_floats_values_and_arrays(v, a, 4.0)
    where_takes_numbers_and_functions(v)
    operators_of_values(v, a)
    derivatives_have_the_form_of_the_argument()
    compiled_functions_keep_their_signature()
    mapped_functions_give_arrays()
    what_is_loaded_later_has_types(v)
    linear_maps_and_functions_of_ones_own()
    networks(v)


if __name__ == "__main__":
    main()
