"""What people write who come from other libraries: it works, or the error says what to write."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autograd
import nn
from autograd import (
    Value,
    descend,
    elementwise_grad,
    grad,
    hessian,
    jacobian,
    jit,
    live_descent,
    make_vjp,
    no_grad,
    value_and_grad,
    vmap,
)
from autograd.core.aliases import also_called
from autograd.core.habits import INSTEAD, MODULES
from nn.datasets import circles, line, moons, spirals

# --- keywords -------------------------------------------------------------------------------------


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian, elementwise_grad])
def test_argnum_is_argnums(transform: Any) -> None:
    def f(a: Any, b: Any) -> Any:
        return a * b * b

    assert transform(f, argnum=1)(2.0, 3.0) == transform(f, argnums=1)(2.0, 3.0)
    assert transform(f, argnum=1)(2.0, 3.0) != transform(f)(2.0, 3.0)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: Value(1.0, requires_grad=True),  # type: ignore[arg-type]
     "Value has no requires_grad; every Value records"),
    (lambda: Value(1.0, name="x"), "Value has no name; write label="),  # type: ignore[arg-type]
    (lambda: Value(1.0, unknown=2), "Value has no unknown$"),  # type: ignore[arg-type]
    (lambda: Value(1.0).backward(retain_graph=True),  # type: ignore[call-arg]
     "backward has no retain_graph; leave it out: a graph can be walked any number"),
    (lambda: grad(abs, create_graph=True), r"grad has no create_graph; leave it out; write grad\("),
    (lambda: jit(abs, fullgraph=True), "jit has no fullgraph; leave it out"),
    (lambda: vmap(abs, randomness="same"), "vmap has no randomness"),
    (lambda: autograd.gradcheck(abs, 1.0, eps=1e-6), "gradcheck has no eps; leave it out: steps"),
    (lambda: autograd.softmax([1.0], dim=-1), "softmax has no dim; write NumPy's function"),
    (lambda: nn.MLP(2, [1], nonlin=False), "MLP has no nonlin; write activation="),
    (lambda: nn.SGD([Value(1.0)], 0.1, nesterov=True), "SGD has no nesterov; write an optimizer"),
    (lambda: nn.fit(nn.MLP(2, [1]), [[1.0, 2.0]], [1.0], verbose=0),  # type: ignore[call-arg]
     "fit has no verbose; write progress=False")])
def test_keywords_of_elsewhere_say_what_to_write(call: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        call()


def test_keywords_that_a_function_has_are_its_own() -> None:
    @also_called({"lr": "rate"}, {"momentum": "leave it out"})
    def own(rate: float = 0.0, *, eps: float = 1.0, **rest: float) -> tuple[float, float, int]:
        return rate, eps, len(rest)

    assert own(lr=2.0, eps=3.0, dtype=4.0) == (2.0, 3.0, 1)
    with pytest.raises(TypeError, match="own has no momentum; leave it out"):
        own(momentum=0.9)


def test_attributes_of_elsewhere_say_what_to_write() -> None:
    model = nn.MLP(2, [1])
    for item, name, words in ((Value(1.0), "shape", r"np.shape\(v\)"), (model, "train", "leave it"),
                              (model, "forward", r"model\(x\)"), (Value(1.0), "at", "values")):
        with pytest.raises(AttributeError, match=f"has no {name}; .*{words}"):
            getattr(item, name)
        assert not hasattr(item, name)

    class Own(nn.Module):
        def forward(self, x: Any) -> Any:
            return 2.0 * x

    assert Own().forward(2.0) == 4.0
    assert np.shape(Value(1.0)) == () and np.size(Value(1.0)) == 1


def test_names_of_python_and_numpy_and_misspelt_ones() -> None:
    for name, words in (("max", r"Python's own max\(\)"), ("square", r"np\.square of an array"),
                        ("jacobien", r"did you mean jacobian\?")):
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'; .*{words}"):
            getattr(autograd, name)


def test_a_parameter_under_both_names_is_an_error() -> None:
    for options in ({"argnum": 0, "argnums": 1}, {"argnums": 1, "argnum": 0}):
        with pytest.raises(TypeError, match="grad was given argnums and argnum"):
            grad(abs, **options)


def test_optimizers_take_lr_and_eps() -> None:
    for made in (nn.SGD, nn.Adam, nn.AdamW, nn.RMSprop, nn.Adagrad):
        assert made([Value(1.0)], lr=0.25).learning_rate == 0.25
    assert nn.Adam([Value(1.0)], eps=1e-3).epsilon == 1e-3
    with pytest.raises(TypeError, match="SGD was given learning_rate and lr"):
        nn.SGD([Value(1.0)], learning_rate=0.1, lr=0.1)


@pytest.mark.parametrize("data", [moons, circles, spirals, line])
def test_data_sets_take_the_names_of_scikit_learn(data: Any) -> None:
    for ours, theirs in zip(data(n=6, seed=3), data(n_samples=6, random_state=3), strict=True):
        assert_array_equal(ours, theirs)


def test_fit_takes_lr_and_random_state() -> None:
    def trained(**options: Any) -> Any:
        model = nn.MLP(1, [2, 1], seed=0)
        X, y = line(6)
        return nn.fit(model, X, y, epochs=2, progress=False, batch_size=2, **options).loss

    assert trained(lr=0.01, random_state=3) == trained(learning_rate=0.01, seed=3)


def test_a_descent_takes_lr() -> None:
    def square(x: Any) -> Any:
        return x * x

    ours, theirs = descend(square, 1.0, rate=0.25), descend(square, 1.0, lr=0.25)
    assert_array_equal(ours.points, theirs.points)
    page = live_descent(square, 1.0, lr=0.25)
    assert page.html == live_descent(square, 1.0, rate=0.25).html
    assert page.html != live_descent(square, 1.0).html
    with pytest.raises(TypeError, match="descend was given rate and lr"):
        descend(square, 1.0, rate=0.1, lr=0.1)


def test_vmap_takes_in_dims_and_says_what_out_axes_are() -> None:
    rows = np.arange(6.0).reshape(2, 3)
    assert_array_equal(vmap(np.sum, in_dims=1)(rows), rows.sum(axis=0))
    with pytest.raises(TypeError, match=r"vmap has no out_axes.*moveaxis"):
        vmap(np.sum, out_axes=1)
    with pytest.raises(TypeError, match=r"jit has no static_argnames.*static_argnums"):
        jit(abs, static_argnames=("n",))


def test_other_keywords_are_pythons_error() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'argnumber'"):
        grad(abs, argnumber=1)  # type: ignore[call-overload]


def test_a_decorated_function_keeps_its_name_and_signature() -> None:
    @also_called({"b": "a"})
    def f(a: int = 1) -> int:
        """Words."""
        return a

    assert (f(), f(2), f(a=3), f(b=4), f.__name__, f.__doc__) == (1, 2, 3, 4, "f", "Words.")


# --- functions ------------------------------------------------------------------------------------

def test_elementwise_grad_is_the_derivative_of_each_item() -> None:
    x = np.array([[0.1, -0.2], [0.3, 2.0]])
    for derivative in (elementwise_grad(np.tanh), elementwise_grad(jit(np.tanh)),
                       jit(elementwise_grad(np.tanh))):
        assert_allclose(derivative(x), 1.0 - np.tanh(x) ** 2, rtol=1e-14)
    second = elementwise_grad(elementwise_grad(np.tanh))
    assert_allclose(second(x), -2.0 * np.tanh(x) * (1.0 - np.tanh(x) ** 2), rtol=1e-13)
    assert elementwise_grad(lambda a: a * a)(3.0) == 6.0


def test_make_vjp_gives_the_pullback_and_the_value() -> None:
    pullback, value = make_vjp(lambda a, x: [a * x[0], x[0] * x[1]], argnum=1)(2.0, [3.0, 5.0])
    assert value == [6.0, 15.0]
    assert pullback([1.0, 0.0]) == [2.0, 0.0]
    assert pullback([0.0, 1.0]) == [5.0, 3.0]


def test_item_is_the_number() -> None:
    assert Value(2.5).item() == 2.5
    assert type(Value(2.5).item()) is float
    f = jit(lambda x: x * x.item())  # what is read is checked at each replay
    assert (f(2.0), f(3.0)) == (4.0, 9.0)


def test_detach_is_a_constant_to_derivatives_and_follows_replays() -> None:
    def f(x: Any) -> Any:
        return x * x.detach()

    for derivative in (grad(f), jit(grad(f)), grad(jit(f))):
        assert [derivative(3.0), derivative(4.0)] == [3.0, 4.0]
    x = Value(3.0)
    (x * x.detach()).backward()
    assert x.grad == 3.0


# --- dictionaries ---------------------------------------------------------------------------------

P = {"a": 2.0, "b": np.array([3.0, 4.0])}


def outputs(p: Any) -> Any:
    return {"u": p["a"] * p["b"][0], "v": [p["a"] * p["a"], p["b"][1]]}


@pytest.mark.parametrize("compiled", [False, True])
def test_jacobian_keeps_dictionaries(compiled: bool) -> None:
    result = (jit(jacobian(outputs)) if compiled else jacobian(outputs))(P)
    assert list(result) == ["u", "v"]
    assert result["u"]["a"] == 3.0
    assert_array_equal(result["u"]["b"], [2.0, 0.0])
    assert_array_equal(result["v"]["a"], [4.0, 0.0])
    assert_array_equal(result["v"]["b"], [[0.0, 0.0], [0.0, 1.0]])


@pytest.mark.parametrize("compiled", [False, True])
def test_hessian_keeps_dictionaries(compiled: bool) -> None:
    def f(p: Any) -> Any:
        return p["a"] * p["b"][0] * p["b"][1]

    result = (jit(hessian(f)) if compiled else hessian(f))(P)
    assert result["a"]["a"] == 0.0
    assert_array_equal(result["a"]["b"], [4.0, 3.0])
    assert_array_equal(result["b"]["a"], [4.0, 3.0])
    assert_array_equal(result["b"]["b"], [[0.0, 2.0], [2.0, 0.0]])


def test_dictionaries_inside_of_others_and_beside_other_arguments() -> None:
    def f(p: Any, q: Any) -> Any:
        return p["layers"][0]["w"] * q[0] + q[1] * q[1]

    p = {"layers": [{"w": 5.0}]}
    first, second = jacobian(f, (0, 1))(p, [2.0, 3.0])
    assert first == {"layers": [{"w": 2.0}]}
    assert_array_equal(second, [5.0, 6.0])
    (pp, pq), (qp, qq) = hessian(f, (0, 1))(p, [2.0, 3.0])
    assert pp == {"layers": [{"w": {"layers": [{"w": 0.0}]}}]}
    assert_array_equal(pq["layers"][0]["w"], [1.0, 0.0])
    assert_array_equal(qp["layers"][0]["w"], [1.0, 0.0])
    assert_array_equal(qq, [[0.0, 0.0], [0.0, 2.0]])


def test_lists_and_arrays_are_one_array_as_ever() -> None:
    assert_array_equal(jacobian(lambda x: [x[0] * x[1], x[1]])([2.0, 3.0]),
                       [[3.0, 2.0], [0.0, 1.0]])
    assert jacobian(lambda x: np.outer(x, x))(np.ones(2)).shape == (2, 2, 2)


# --- training by hand -----------------------------------------------------------------------------

@pytest.mark.parametrize("sign", ["+", "-"])
def test_a_parameter_set_in_no_grad_is_an_error_that_says_data(sign: str) -> None:
    p = Value(2.0, label="p")
    (p * p).backward()
    with no_grad(), pytest.raises(TypeError, match=rf"'p'.*write p\.data \{sign}="):
        if sign == "-":
            p -= 0.1 * p.grad
        else:
            p += -0.1 * p.grad
    assert p.data == 2.0


def test_other_sums_in_no_grad_are_sums() -> None:
    p = Value(2.0)
    (p * p).backward()
    with no_grad():
        total = p * 2.0
        total += 1.0
        total -= p
        act = p
        act += Value(1.0)
        fresh = Value(1.0)
        fresh += 2.0
    assert (total.data, act.data, fresh.data, p.data) == (3.0, 3.0, 3.0, 2.0)


def test_outside_of_no_grad_they_record() -> None:
    a = b = Value(2.0)
    a += 1.0
    a -= 0.5 * b
    a.backward()
    assert (a.data, b.data, b.grad) == (2.0, 2.0, 0.5)
    a += np.ones(2)
    assert [x.data for x in a] == [3.0, 3.0]


def test_the_backward_pass_by_hand() -> None:
    x1, x2, w1, w2 = Value(2.0), Value(0.0), Value(-3.0), Value(1.0)
    bias = Value(6.8813735870195432)
    x1w1, x2w2 = x1 * w1, x2 * w2
    both = x1w1 + x2w2
    n = both + bias
    o = n.tanh()
    o.grad = 1.0
    for node in (o, n, both, x2w2, x1w1):
        node._backward()
    assert_allclose([x1.grad, w1.grad, x2.grad, w2.grad], [-1.5, 1.0, 0.5, 0.0], rtol=1e-12)
    assert_allclose([n.grad, bias.grad, both.grad], 0.5, rtol=1e-12)


def test_by_hand_it_adds_up() -> None:
    a = Value(3.0)
    b = a + a
    b.grad = 1.0
    b._backward()
    assert a.grad == 2.0
    square = a * a
    square.grad = 1.0
    square._backward()
    assert a.grad == 8.0
    Value(1.0)._backward()  # of a leaf there is nothing to hand on


def test_by_hand_stale_nodes_and_recordings_are_errors() -> None:
    a = Value(3.0)
    b = a * a
    a.data = 4.0
    with pytest.raises(ValueError, match="edited"):
        b._backward()
    with pytest.raises(autograd.RecordingError, match="_backward"):
        jit(lambda x: (x * x)._backward())(1.0)


# --- names that there are elsewhere ---------------------------------------------------------------

@pytest.mark.parametrize(("package", "name"), [(package, name) for package in INSTEAD
                                               for name in INSTEAD[package]])
def test_names_from_elsewhere_say_what_to_write(package: str, name: str) -> None:
    module, instead = importlib.import_module(package), INSTEAD[package][name]
    assert not hasattr(module, name)
    with pytest.raises(AttributeError) as asked:
        getattr(module, name)
    with pytest.raises(ImportError) as imported:
        exec(f"from {package} import {name}", {})
    assert str(asked.value).endswith(instead)
    assert str(imported.value).endswith(instead)


@pytest.mark.parametrize("module", MODULES)
def test_modules_from_elsewhere_say_what_to_write(module: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named '.*'; \w+") as error:
        importlib.import_module(module)
    assert str(error.value).endswith(tuple(MODULES.values()))
    assert importlib.util.find_spec("autograd.nothing") is None


@pytest.mark.parametrize(("name", "words"), [
    ("requires_grad", "no_grad"), ("numpy", "v.data"), ("zero_grad", "v.grad = 0.0"),
    ("subs", "write a function"), ("grad_fn", "v.parents"), ("name", "v.label")])
def test_attributes_from_elsewhere_say_what_to_write(name: str, words: str) -> None:
    value = Value(1.0)
    with pytest.raises(AttributeError, match=f"a Value has no {name}; .*{words}"):
        getattr(value, name)
    assert not hasattr(value, name)


def test_a_name_in_place_of_a_number() -> None:
    with pytest.raises(TypeError, match=r"Value\(2\.0, label='x'\)"):
        Value("x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"write float\('3'\)"):
        Value("3")  # type: ignore[arg-type]
