"""What is not chosen, and is infinite or has an infinite slope: 0 * inf in it reaches nothing.

Of np.where, maximum and their like the eager engine hands no adjoint to what is not chosen.
Recordings hold the adjoints of all sides; they have the eager engine's numbers wherever they run:
on every back end, in C, in JavaScript, and as functions of JAX, which differentiates them itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import grad, hessian, jit, jvp, value_and_grad, vmap
from autograd.compiler.backends.javascript import to_javascript
from autograd.compiler.trace.standalone import standalone

from ..back_ends import BACK_ENDS, needs_jax
from ..c_compiler import load, needs_cc
from ..node import node, run

AWAY = np.array([1.25, 3.0])  # here everything is finite

# A function, a point at which something that is not chosen has no finite slope, the gradient there.
KINDS: dict[str, tuple[Callable[[Any], Any], list[float], list[float]]] = {
    "a power that overflows": (
        lambda x: np.where(x < 100.0, x * x, x ** 400).sum(), [10.0, 2.0], [20.0, 4.0]),
    "a slope that overflows": (
        lambda x: np.where(x < 100.0, x * x, x ** 400).sum(), [5.89, 2.0], [11.78, 4.0]),
    "products that overflow": (
        lambda x: np.where(x < 1e200, x, x * x * x).sum(), [1e120, 2.0], [1.0, 1.0]),
    "a root at 0": (
        lambda x: np.where(x > 0.0, np.sqrt(x), 3.0 * x).sum(), [0.0, 4.0], [3.0, 0.25]),
    "a cube root at 0": (
        lambda x: np.where(x > 0.0, np.cbrt(x), 3.0 * x).sum(), [0.0, 1.0], [3.0, 1.0 / 3.0]),
    "a power below 1 at 0": (
        lambda x: np.where(x > 0.0, x ** 0.5, 3.0 * x).sum(), [0.0, 4.0], [3.0, 0.25]),
    "asin at 1": (
        lambda x: np.where(x < 4.0, np.arcsin(0.25 * x), x).sum(), [4.0, 0.0], [1.0, 0.25]),
    "a mask": (lambda x: ((x > 0.0) * np.sqrt(x)).sum(), [0.0, 4.0], [0.0, 0.25]),
    "nested": (
        lambda x: np.where(x > 0.0, np.where(x > 1.0, np.sqrt(x), 2.0 * x), 3.0 * x).sum(),
        [0.0, 4.0], [3.0, 0.25]),
    "nested, the outer one taken": (
        lambda x: np.where(x < 9.0, np.where(x > 1.0, np.sqrt(x), 2.0 * x), x ** 500).sum(),
        [0.0, 4.0], [2.0, 0.25]),
    "a number of two arms": (
        lambda x: _of_two_arms(x, np.sqrt(x)), [0.0, 4.0], [3.0, 0.75 + 3.0]),
    "a number of an arm and of its condition": (
        lambda x: _of_condition(x, np.sqrt(x)), [0.0, 4.0], [3.0, 0.25]),
    "inside of another function": (
        lambda x: ag.sum([ag.exp(v) for v in np.where(x > 0.0, np.sqrt(x), 2.0 * x)]),
        [0.0, 4.0], [2.0, 0.25 * np.exp(2.0)]),
    "a norm at the origin times a root": (
        lambda x: np.where(x > 1.0, np.sqrt(x @ x) * x, x).sum(), [0.0, 0.0], [1.0, 1.0]),
    "minimum of a power": (
        lambda x: np.minimum(x * x, x ** 400).sum(), [10.0, 2.0], [20.0, 4.0]),
    "maximum beside a root": (
        lambda x: np.maximum(x + 1.0, np.sqrt(x)).sum(), [0.0, 4.0], [1.0, 1.0]),
    "the largest of three": (
        lambda x: sum(np.max(np.stack([v + 1.0, v ** 0.25, 0.5 * v])) for v in x),
        [0.0, 4.0], [1.0, 1.0]),
    "the smallest of three": (
        lambda x: sum(np.min(np.stack([v, v ** 400, v + 5.0])) for v in x),
        [10.0, 2.0], [1.0, 1.0]),
    "clipped": (
        lambda x: np.clip(np.cbrt(x), 0.5, 1.5).sum(), [0.0, 1.0], [0.0, 1.0 / 3.0]),
    "sorted": (
        lambda x: np.sort(np.stack([np.sqrt(x[0]), x[0] + 1.0, x[1]]))[-2:].sum(), [0.0, 4.0],
        [1.0, 1.0]),
}

# The same where the values themselves are not defined, which undefined="nan" allows.
UNDEFINED: dict[str, tuple[Callable[[Any], Any], list[float], list[float]]] = {
    "log of 0": (
        lambda x: np.where(x > 0.0, np.log(x), 3.0 * x).sum(), [0.0, 4.0], [3.0, 0.25]),
    "log below 0": (
        lambda x: np.where(x > 0.0, np.log(x), 3.0 * x).sum(), [-1.0, 4.0], [3.0, 0.25]),
    "division by 0": (
        lambda x: np.where(x != 0.0, 1.0 / x, 3.0 * x).sum(), [0.0, 4.0], [3.0, -0.0625]),
    "sin(x) / x": (
        lambda x: np.where(x == 0.0, 1.0, np.sin(x) / x).sum(), [0.0, np.pi],
        [0.0, -1.0 / np.pi]),
    "exp that overflows": (
        lambda x: np.where(x > 100.0, x, np.exp(x)).sum(), [1000.0, 0.0], [1.0, 1.0]),
    "softplus by hand": (
        lambda x: np.where(x > 30.0, x, np.log(1.0 + np.exp(x))).sum(), [1000.0, 0.0], [1.0, 0.5]),
    "a quotient in both arms": (
        lambda x: np.where(x > 2.0, 1.0 / (x - 2.0), x / (x - 4.0)).sum(), [2.0, 4.0],
        [-1.0, -0.25]),
}
ALL = {**{name: (*case, "raise") for name, case in KINDS.items()},
       **{name: (*case, "nan") for name, case in UNDEFINED.items()}}
each_kind = pytest.mark.parametrize("name", ALL)


def _of_two_arms(x: Any, root: Any) -> Any:
    return np.where(x > 1.0, root, x).sum() + np.where(x > 2.0, 2.0 * root, 2.0 * x).sum() + (
        np.where(x > 3.0, x, 0.0)).sum() * 3.0


def _of_condition(x: Any, root: Any) -> Any:
    return np.where(root > 1.0, root, 3.0 * x).sum()


@pytest.fixture(autouse=True)
def _no_warnings() -> Any:
    with np.errstate(all="ignore"):  # as of any numbers of NumPy that are undefined
        yield


def close(given: Any, wanted: Any) -> bool:
    np.testing.assert_allclose(given, wanted, rtol=1e-12)
    return True


@each_kind
def test_the_eager_gradient(name: str) -> None:
    f, at, wanted, undefined = ALL[name]
    assert close(grad(f, undefined=undefined)(np.array(at)), wanted)


@each_kind
@pytest.mark.parametrize("backend", BACK_ENDS)
def test_replays(name: str, backend: str) -> None:
    f, at, wanted, undefined = ALL[name]
    x = np.array(at)
    for first in (AWAY, x):
        compiled = jit(grad(f, undefined=undefined), backend=backend)
        compiled(first)
        assert close(compiled(x), wanted)
        assert close(compiled(AWAY), grad(f, undefined=undefined)(AWAY))
    rows = vmap(grad(f, undefined=undefined), backend=backend)(np.stack([AWAY, x, AWAY, x]))
    assert close(rows[1::2], [wanted, wanted])


@each_kind
def test_one_recording_serves_both(name: str) -> None:
    f, at, wanted, undefined = ALL[name]
    compiled = jit(grad(f, undefined=undefined), backend="python")
    compiled(AWAY)
    known = compiled.known(compiled.taken_apart((AWAY,), {})[0])
    found = known.replays[0].outputs(np.array(at))
    assert found is not False and found is not None  # no way round by the eager engine
    assert close(found, wanted)


@each_kind
@needs_cc
def test_c(name: str) -> None:
    f, at, wanted, undefined = ALL[name]
    compiled = jit(grad(f, undefined=undefined))
    compiled(AWAY)
    for chunk in (1000, 4):
        source = _written(compiled, chunk)
        found = load(source)(at)
        assert close(found.y, wanted)
        assert found.status == "ok"


def _written(compiled: Any, chunk: int) -> Any:
    from autograd.compiler.backends.c import to_c
    from autograd.compiler.trace.inlining import inlined

    known = compiled.known(compiled.taken_apart((AWAY,), {})[0])
    return to_c([standalone(known.recordings[0])], "chosen", inlined, chunk)


@each_kind
@pytest.mark.skipif(node() is None, reason="Node is not installed")
def test_javascript(name: str) -> None:
    f, at, wanted, undefined = ALL[name]
    compiled = jit(grad(f, undefined=undefined))
    compiled(AWAY)
    known = compiled.known(compiled.taken_apart((AWAY,), {})[0])
    program = standalone(known.recordings[0])
    (found,) = run(to_javascript(program), [at])
    assert close(found.y, wanted)
    assert found.guard == found.outside == -1


@needs_cc
def test_what_was_chosen_and_is_undefined_is_still_told() -> None:
    compiled = jit(grad(lambda x: np.where(x > 0.0, 3.0 * x, np.sqrt(x)).sum()))
    compiled(AWAY)
    for chunk in (1000, 4):
        assert load(_written(compiled, chunk))([0.0, 1.0]).status == "outside_domain"
    with pytest.raises(ZeroDivisionError, match="sqrt"):
        compiled(np.array([0.0, 1.0]))


@each_kind
@needs_jax
@pytest.mark.parametrize("transform", ["grad", "jacfwd", "hessian"])
def test_jax_differentiates_it(name: str, transform: str) -> None:
    import jax

    f, at, wanted, undefined = ALL[name]
    if undefined == "nan":  # outside of the domain there is no branch
        def f(x: Any, plain: Any = f) -> Any:
            return value_and_grad(plain, undefined="nan")(x)[0]
    with jax.enable_x64(True):
        compiled = jit(f)
        compiled(AWAY)
        if transform == "hessian":
            found = jax.jit(jax.hessian(compiled.to_jax()))(np.array(at))
            assert np.isfinite(found).all()
            return
        found = jax.jit(getattr(jax, transform)(compiled.to_jax()))(np.array(at))
        assert close(found, wanted)
        compiled = jit(grad(f, undefined=undefined))
        compiled(AWAY)
        assert close(jax.jit(compiled.to_jax())(np.array(at)), wanted)


@each_kind
def test_second_derivatives_and_tangents(name: str) -> None:
    f, at, wanted, undefined = ALL[name]
    if undefined == "nan":
        pytest.skip("hessian and jvp have no option undefined")
    x = np.array(at)
    compiled = jit(hessian(f), backend="python")
    eager = hessian(f)(x)
    assert np.isfinite(eager).all()
    compiled(AWAY)
    assert close(compiled(x), eager)
    direction = np.array([1.0, -2.0])
    tangents = jit(lambda x: jvp(f, x, direction)[1], backend="python")
    tangents(AWAY)
    assert close(tangents(x), np.dot(wanted, direction))


def test_a_sum_of_an_arm_and_of_something_else_keeps_an_infinite_slope() -> None:
    def f(x: Any) -> Any:
        return np.where(x > 1.0, np.sqrt(x), 3.0 * x).sum() + np.sqrt(x).sum()

    for compiled in (grad(f), jit(grad(f), backend="python")):
        with pytest.raises(ZeroDivisionError, match="sqrt"):
            compiled(np.array([0.0, 4.0]))


@needs_jax
def test_where_no_branch_holds_derivatives_are_nan_too() -> None:
    import jax

    with jax.enable_x64(True):
        f = jit(lambda x: x * x if x > 0.0 else -x)
        f(2.0)
        g = f.to_jax()
        assert float(jax.jit(jax.grad(g))(3.0)) == 6.0
        assert np.isnan(jax.jit(g)(-3.0)) and np.isnan(jax.jit(jax.grad(g))(-3.0))
