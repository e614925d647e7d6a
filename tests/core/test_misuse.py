"""Calls that would lose a gradient, or that mean something else: what the messages say to write.

A message must be true for the call that was made, wherever that stands and however it is written.
"""

from __future__ import annotations

import array
import cmath
import linecache
import math
import random
import struct
import sys
from math import exp as exponential
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value

v, w = Value(2.0, "v"), Value(0.5, "w")

knows_places = pytest.mark.skipif(sys.version_info < (3, 11),
                                  reason="instructions know their columns from Python 3.11 on")


def message(source: str, **names: Any) -> str:
    """What a piece of code is answered with; from Python 3.11 on no source is to be found."""
    if sys.version_info < (3, 11):
        linecache.cache["<misuse>"] = len(source), None, source.splitlines(True), "<misuse>"
    with pytest.raises(TypeError) as caught:
        exec(compile(source, "<misuse>", "exec"),
             {"math": math, "cmath": cmath, "np": np, "ag": ag, "v": v, "w": w, **names})
    return str(caught.value)


@pytest.mark.parametrize(("call", "instead"), [
    ("math.exp(v)", "write v.exp() (or autograd.exp) to record it"),
    ("math.asin(w)", "write v.asin() (or autograd.asin) to record it"),
    ("math.fabs(v)", "write v.abs() (or autograd.abs) to record it"),
    ("math.hypot(v, 1.0)", "write autograd.hypot(...) to record it"),
    ("math.hypot(v, 1.0, w)", "write autograd.norm([...]) to record it"),
    ("math.pow(v, 2)", "write a ** b to record it"),
    ("math.pow(2, v)", "write a ** b to record it"),
    ("math.log(v)", "write v.log() (or autograd.log) to record it"),
    ("math.log(v, 2)", "write autograd.log(x) / autograd.log(base) to record it"),
    ("math.fsum([v, 1.0])", "write autograd.sum(values) to record it"),
    ("math.dist([v], [w])", "write autograd.norm([a - b for a, b in zip(p, q)]) to record it"),
    ("math.degrees(v)", "write v.degrees() (or autograd.degrees) to record it"),
    ("cmath.exp(v)", "write v.exp() (or autograd.exp) to record it"),
    ("math.fmod(v, 2)", "write autograd.fmod(...) to record it"),
    ("math.remainder(v, 2)", "write autograd.ieee_remainder(a, b) to record it"),
    ("math.gamma(v)", "write v.gamma() (or autograd.gamma) to record it"),
    ("math.isnan(v)", "write autograd.math.isnan(...) to record it"),
])
def test_functions_of_math_are_called_by_their_names(call: str, instead: str) -> None:
    name = call.partition("(")[0]
    text = message(call)
    assert text.startswith(f"{name} of a Value would lose the gradient silently")
    assert instead in text


@pytest.mark.parametrize("instead", [
    "v.exp()", "ag.exp(v)", "w.asin()", "v.abs()", "ag.hypot(v, 1.0)", "ag.norm([v, 1.0, w])",
    "v ** w", "ag.log(v) / ag.log(w)", "ag.sum([v, 1.0])", "v * (180.0 / math.pi)",
    "ag.norm([a - b for a, b in zip([v], [w])])", "ag.atan2(v, w)", "ag.dot([v], [w])",
    "ag.fmod(v, w)", "ag.math.modf(v)[0]", "ag.math.ldexp(v, 2)",
    "ag.ieee_remainder(v, w)", "math.trunc(v)",
])
def test_what_the_messages_say_to_write_is_recorded(instead: str) -> None:
    assert type(eval(instead)) is Value


@pytest.mark.parametrize("function", [math.exp, math.tanh, math.erf, math.log10])
def test_the_function_is_known_by_any_name(function: Any) -> None:
    with pytest.raises(TypeError, match=rf"^math\.{function.__name__} .* v\.{function.__name__}\("):
        function(v)
    with pytest.raises(TypeError, match=r"^math\.exp .* write v\.exp\(\)"):
        exponential(v)


@pytest.mark.parametrize(("call", "words"), [
    ("float(v)", "leave float() out and use the Value itself, which keeps the gradient, or write"),
    ("complex(v)", "or write v.data for the bare number"),
    ("int(v)", "or write int(v.data) for the bare number; its derivative is 0"),
])
def test_conversions_are_called_by_their_names(call: str, words: str) -> None:
    text = message(call)
    assert text.startswith(f"{call.partition('(')[0]}(v) would lose the gradient silently")
    assert words in text
    assert "math" not in text
    assert "exp" not in text


@pytest.mark.parametrize("index", ["[1, 2, 3][v]", "range(v)", "chr(v)"])
def test_a_value_is_no_index(index: str) -> None:
    assert "write int(v.data)" in message(index)


@pytest.mark.parametrize("store", [
    "a[0] = v", "a[:] = [v, w]", "a[0:1] = v", "a[0], x = v, 1.0", "for a[0] in [v]: pass"])
def test_an_array_of_numbers_holds_no_value(store: str) -> None:
    text = message(store, a=np.zeros(2))
    assert text.startswith("an array of plain numbers cannot hold a Value")
    assert "np.zeros(n, dtype=object)" in text
    objects = np.zeros(2, dtype=object)
    exec(store, {"a": objects, "v": v, "w": w})
    assert objects[0] is v


@pytest.mark.parametrize(("call", "name"), [
    ("np.float64(v)", "np.float64"), ("np.asarray(v, float)", "np.asarray"),
    ("np.full(2, v, dtype=float)", "np.full"), ("np.random.normal(v)", "np.random.normal"),
    ("np.array([v, w], dtype=float)", "np.array"),
])
@knows_places
def test_numpys_functions_are_called_by_their_names(call: str, name: str) -> None:
    text = message(call)
    assert text.startswith(f"{name}(...) would make plain numbers of Values")
    assert "dtype=object" in text


def test_texts_are_made_of_data() -> None:
    assert 'write f"{v:f}" or "%f" % v.data' in message("'%.2f' % v")
    assert f"{v:.2f}" == "2.00"


@pytest.mark.parametrize(("call", "names"), [
    ("array.array('d', [v])", {"array": array}), ("random.expovariate(v)", {"random": random}),
    ("pack(v)", {"pack": lambda x: array.array("d", [x])}),
    ("table['f'](v)", {"table": {"f": math.exp}}), ("get()(v)", {"get": lambda: math.exp}),
])
def test_what_is_not_known_is_not_guessed(call: str, names: dict[str, Any]) -> None:
    if call.startswith("random"):
        assert type(eval(call, {**names, "v": v})) is Value  # arithmetic alone
        return
    text = message(f"math.exp(1.0); {call}; math.tanh(1.0)", **names)
    assert "v.data for the bare number" in text
    assert "math" not in text
    assert "exp" not in text


def test_struct_has_a_message_of_its_own() -> None:
    with pytest.raises(struct.error, match="not a float"):
        struct.pack("d", v)


# --- where the call stands ------------------------------------------------------------------------

@knows_places
def test_of_several_calls_in_a_line_the_right_one_is_named() -> None:
    with pytest.raises(TypeError, match=r"^math\.tanh of"):
        _ = math.exp(1.0) + math.tanh(v) + math.sin(v)
    with pytest.raises(TypeError, match=r"^float\(v\) would"):
        _ = math.exp(float(v))
    with pytest.raises(TypeError, match=r"^math\.sin of"):
        _ = [math.cos(math.exp(1.0)), float(math.sin(v))]
    assert message("x = math.exp(1.0); math.sin(v); math.cos(v)").startswith("math.sin of")
    assert message("math.exp(1.0); float(v)").startswith("float(v) would")
    assert message("a[0] = v; math.exp(1.0)", a=np.zeros(1)).startswith("an array of plain")


@knows_places
def test_a_call_may_go_on_for_several_lines() -> None:
    with pytest.raises(TypeError, match=r"^math\.hypot of"):
        math.hypot(
            math.exp(1.0),
            v,
        )
    with pytest.raises(TypeError, match=r"^math\.tanh of"):
        _ = (math.exp(1.0)
             + math.tanh(
                 v)
             + math.sin(1.0))
    with pytest.raises(TypeError, match=r"^math\.cosh of"):
        _ = [math.cosh(x)
             for x in (1.0, v)]


@knows_places
def test_calls_are_known_wherever_they_stand() -> None:
    def keywords(*, x: Any) -> Any:
        return np.array([x], dtype=float)

    class Model:
        def __init__(self) -> None:
            self.m = math

        def call(self, x: Any, f: Any = math.sinh) -> Any:
            return f(x)

    with pytest.raises(TypeError, match=r"^np\.array\(\.\.\.\) would"):
        keywords(x=v)
    with pytest.raises(TypeError, match=r"^math\.sinh of"):
        Model().call(v)
    with pytest.raises(TypeError, match=r"^math\.exp of"):
        sorted([v], key=lambda x: math.exp(x))
    with pytest.raises(TypeError, match=r"^\.exp\(\.\.\.\) would"):
        Model().m.exp(v)
    with pytest.raises(TypeError, match=r"^math\.exp of"):
        ag.grad(lambda x: math.exp(x))(1.0)
    with pytest.raises(TypeError, match=r"^math\.exp of"):
        ag.jit(lambda x: math.exp(x))(1.0)


def test_one_call_in_a_line_is_known_in_every_python() -> None:
    with pytest.raises(TypeError, match=r"^math\.exp of"):
        math.exp(v)
    with pytest.raises(TypeError, match=r"^float\(v\) would"):
        float(v)


# --- calls that mean something else ---------------------------------------------------------------

def square(x: Any) -> Any:
    return x * x


@pytest.mark.parametrize(("call", "words"), [
    (lambda: ag.grad(v * w, v), "write autograd.gradient(y, x), or y.backward() and then x.grad"),
    (lambda: ag.value_and_grad(v * w, v), "value_and_grad takes a function"),
    (lambda: ag.jacobian(v * w, v), "jacobian(f)(x)"),
    (lambda: ag.hessian(v * w, v), "write it as a function f, and hessian(f)(x)"),
    (lambda: ag.jvp(v * w, v, 1.0), "jvp(f, x, direction)"),
    (lambda: ag.hvp(v * w, v, 1.0), "hvp(f, x, direction)"),
    (lambda: ag.gradcheck(v * w, v), "write it as a function f, and gradcheck(f, x)"),
    (lambda: ag.gradcheck(2.0, v), "gradcheck takes a function, not 2.0"),
    (lambda: ag.check_gradients(v * w, [(0.0, 1.0)]), "check_gradients(f, domain)"),
    (lambda: ag.grad(3.0), "grad takes a function, not 3.0"),  # type: ignore[call-overload]
    (lambda: ag.grad(square, 3.0), "not 3.0; write grad(f)(x)"),  # type: ignore[call-overload]
    (lambda: ag.grad(square, v), "write grad(f)(x)"),  # type: ignore[call-overload]
    (lambda: ag.hessian(square, [0.0]), "argnums"),  # type: ignore[call-overload]
    (lambda: ag.grad(ag.jit(square), 1.5), "not 1.5; write grad(f)(x)"),
    (lambda: ag.gradient(square, v), "write autograd.grad(f)(x)"),
])
def test_transforms_take_functions(call: Any, words: str) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert words in str(caught.value)


def test_what_is_to_be_written_instead_of_a_gradient_of_values_is_right() -> None:
    x = Value(3.0)
    y = x * x
    assert ag.gradient(y, x).data == 6.0
    y.backward()
    assert x.grad == ag.grad(square)(3.0) == 6.0


@pytest.mark.parametrize("call", ["sum(1, 2)", "sum([1.0, 2.0], 3.0)", "sum()", "sum(v, w)"])
def test_the_sum_of_a_star_import_says_which_it_is(call: str) -> None:
    text = message(f"from autograd import *\n{call}")
    assert text.startswith("autograd.sum takes 1 argument(s), not ")
    assert text.endswith("; write sum([a, b, c]); Python's own is builtins.sum")


@pytest.mark.parametrize(("call", "words"), [
    ("ag.prod(2, 3)", "write prod([a, b, c])"), ("ag.dot([v])", "write dot(a, b)"),
    ("ag.where(v > 0, v)", "write where(condition, a, b)"),
    ("ag.sum(3)", "a sequence of numbers is wanted, such as [a, b, c], not 3"),
    ("ag.dot(v, w)", "a sequence of numbers is wanted"),
])
def test_functions_of_many_numbers_say_how_they_are_called(call: str, words: str) -> None:
    assert words in message(call)


def test_methods_are_called_by_their_names() -> None:
    with pytest.raises(TypeError, match=r"^Value\.exp\(\) takes 1 positional argument"):
        v.exp(2)  # type: ignore[call-arg]


def test_an_error_inside_of_a_sequence_stays_what_it_is() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        ag.sum(1.0 + None for _ in range(2))  # type: ignore[operator]


@pytest.mark.parametrize(("call", "words"), [
    ("np.array([v], dtype=object).astype(float)", "leave it out: an array of Values"),
    ("np.zeros(2).fill(v)", "dtype=object"),
    ("autograd.sum(map(float, [v]))", "autograd.sum(...) would lose the gradient"),
    ("np.random.default_rng(0).normal(v, 1.0)", ".normal(...) would lose the gradient"),
])
def test_methods_that_ask_for_a_number_are_named(call: str, words: str) -> None:
    with pytest.raises(TypeError) as error:
        eval(call, {"np": np, "v": Value(2.0), "autograd": ag})
    assert words in str(error.value)
    assert "what calls it" not in str(error.value)


def test_a_hat_is_no_power() -> None:
    with pytest.raises(TypeError, match=r"\^ is no power; write v \*\* 2"):
        Value(2.0) ^ 2
    with pytest.raises(TypeError, match=r"\^ is no power; write 2 \*\* v"):
        2 ^ Value(2.0)


def test_gradcheck_takes_arguments_one_by_one() -> None:
    with pytest.raises(TypeError, match=r"write gradcheck\(f, 2\.0, 3\.0\)"):
        ag.gradcheck(lambda x, y: x * y, (2.0, 3.0))
    assert ag.gradcheck(lambda pair: pair[0] * pair[1], (2.0, 3.0))


@pytest.mark.parametrize("transform", [ag.grad, ag.jit, lambda f: ag.jit(ag.grad(f))])
@pytest.mark.parametrize("function", [
    lambda v: np.exp(np.array([v, 1.0])).sum(), lambda v: np.isnan(np.array([v])).any() * v,
    lambda v: np.linalg.inv(np.array([[v, 1.0], [0.0, 1.0]]))[0, 0]])
def test_an_array_of_objects_is_explained(transform: Any, function: Any) -> None:
    with pytest.raises(TypeError, match=r"np\.array\(\[v, w\]\).*np\.stack.*autograd\.adopt"):
        transform(function)(2.0)
    assert np.isfinite(transform(ag.adopt(function))(2.0))
    assert ag.grad(lambda v: np.exp(np.stack([v, 1.0])).sum())(2.0) == np.exp(2.0)


def test_other_errors_stay_as_they_are() -> None:
    error = TypeError("of the function's own")

    def fails(x: Any) -> Any:
        raise error

    with pytest.raises(TypeError) as caught:
        ag.grad(fails)(2.0)
    assert caught.value is error


def test_solvers_of_scipy_say_what_to_write() -> None:
    integrate = pytest.importorskip("scipy.integrate")
    for call, words in ((lambda v: integrate.odeint(lambda y, t: -y, v, [0.0, 1.0]), "Runge-Kutta"),
                        (lambda v: integrate.quad(math.exp, 0.0, v), "autograd.adopt")):
        with pytest.raises(TypeError, match=words):
            call(Value(2.0))
