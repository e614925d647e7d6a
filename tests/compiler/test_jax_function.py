"""Compiled functions as JAX functions: they compose with JAX's transforms, and are exported."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import TABLE, Value, grad, jit
from autograd.core.primitives import DOMAIN_ERRORS

from ..own_primitives import declared

jax = pytest.importorskip("jax", reason='JAX is not installed; pip install "chainrule[jax]"')
jnp = jax.numpy


@pytest.fixture(autouse=True)
def _double_precision() -> Any:
    from autograd.compiler.backends.jax.devices import double_precision

    with double_precision():
        yield


def mixed(x: Any, parts: dict[str, Any]) -> dict[str, Any]:
    return {"sum": ag.sin(x[0]) * x[1] ** parts["k"], "list": [x[0] * 2.0, 1.0, parts["name"]],
            "array": np.array([x[0], x[1] * parts["pair"][0], 3.0])}


def plain(result: Any) -> Any:
    """Floats in place of arrays."""
    return jax.tree.map(lambda leaf: leaf if isinstance(leaf, str) else np.asarray(leaf).tolist(),
                        result)


def test_structures_go_in_and_come_out() -> None:
    f = jit(mixed)
    parts = {"k": 3.0, "name": "a", "pair": (0.5, 2.0)}
    g = f.to_jax()
    given = g(jnp.array([1.0, 2.0]), parts)
    assert isinstance(given["sum"], jax.Array)
    assert given["array"].shape == (3,)
    expected = f(np.array([1.0, 2.0]), parts)
    assert plain(given)["list"] == expected["list"]
    assert float(given["sum"]) == pytest.approx(expected["sum"], rel=1e-14)
    np.testing.assert_allclose(given["array"], expected["array"])
    assert plain(g([1.0, 2.0], {**parts, "k": jnp.array(3.0)}))["list"] == expected["list"]


def test_jit_vmap_and_grad_of_jax_compose() -> None:
    def loss(w: Any, x: Any) -> Any:
        return ag.softplus(ag.dot(w, x)) + ag.norm(w)

    f = jit(loss)
    w, xs = np.array([0.3, -0.7, 1.1]), np.random.default_rng(0).normal(size=(5, 3))
    f(w, xs[0])
    g = f.to_jax()
    slopes = jax.jit(jax.vmap(jax.grad(g, argnums=(0, 1)), in_axes=(None, 0)))(w, xs)
    for i, x in enumerate(xs):
        for given, expected in zip(slopes, grad(loss, argnums=(0, 1))(w, x), strict=True):
            np.testing.assert_allclose(given[i], expected, rtol=1e-12)
    hessian = jax.hessian(g)(w, xs[0])
    np.testing.assert_allclose(hessian, ag.hessian(lambda v: loss(v, xs[0]))(w), rtol=1e-10,
                               atol=1e-14)


def test_shard_map_composes() -> None:
    from jax.sharding import PartitionSpec as P

    g = jit(lambda x: ag.tanh(x) * 2.0).to_jax()
    g(1.0)
    if not hasattr(jax, "shard_map"):
        pytest.skip("this JAX has no jax.shard_map")
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("rows",))
    spread = jax.shard_map(jax.vmap(g), mesh=mesh, in_specs=P("rows"), out_specs=P("rows"))
    xs = jnp.linspace(-1.0, 1.0, 6)
    np.testing.assert_allclose(jax.jit(spread)(xs), 2.0 * np.tanh(xs), rtol=1e-14)


POINTS = [-2.5, -0.7, -0.3, 0.0, 0.3, 0.9, 1.0, 1.7, 40.0]


@pytest.mark.parametrize("row", [row for row in TABLE.values()
                                 if row.arity in (1, 2) and not row.orders],
                         ids=lambda row: row.name)
def test_jax_differentiates_by_the_rules_of_the_rows(row: Any) -> None:
    """Also at kinks, where JAX's own derivative of a formula may be another one."""
    from autograd.compiler.jax_rules import EMITTERS_WITH_RULES

    operation = EMITTERS_WITH_RULES[row.name]
    compared = 0
    for a in POINTS:
        for b in POINTS if row.arity == 2 else (None,):
            point = (a,) if b is None else (a, b)
            for i in range(row.arity):
                expected = rule_at(row, point, i)
                if expected is None:
                    continue
                given = float(jax.grad(operation, argnums=i)(*point))
                assert given == pytest.approx(expected, rel=1e-13, abs=1e-300), (point, i)
                compared += 1
    assert compared >= 2


def rule_at(row: Any, point: tuple[float, ...], i: int) -> float | None:
    """The derivative of a row by an operand; None where it, or the value, is not defined."""
    try:
        slope = row.partials[i](*point, float(row.value(*point)))
    except DOMAIN_ERRORS:
        return None
    return 0.0 if slope is None else float(slope)


@pytest.mark.parametrize("name", ["sum", "prod", "norm", "logsumexp", "largest", "smallest"])
@pytest.mark.parametrize("point", [[0.3, -0.7, 2.0], [2.0, 2.0, -1.0], [0.0, 0.0, 0.0]], ids=str)
def test_jax_differentiates_reductions_by_the_rules_of_the_rows(name: str,
                                                                point: list[float]) -> None:
    from autograd.compiler.jax_rules import REDUCERS_WITH_RULES

    row = TABLE[name]
    expected = [float(x) for x in row.partials(*point, float(row.value(*point)))]
    given = jax.grad(REDUCERS_WITH_RULES[name])(jnp.array(point))
    np.testing.assert_allclose(given, expected, rtol=1e-13, atol=1e-16)


def test_what_is_stopped_is_a_constant_to_jax() -> None:
    f = jit(lambda x: x * ag.stop_gradient(x * x))
    f(2.0)
    assert float(jax.grad(f.to_jax())(2.0)) == 4.0


def test_a_vjp_that_is_not_compared_with_the_values_is_none_of_jax() -> None:
    checked = ag.primitive(lambda x: x**3, vjp=lambda g, y, x: 3.0 * g * x * x)
    f = jit(lambda x: checked(x) * 2.0)
    f(2.0)
    assert float(jax.grad(f.to_jax())(2.0)) == 24.0
    straight = ag.primitive(lambda x: x**3, vjp=lambda g, y, x: g, check=False)
    f, slope = jit(lambda x: straight(x) * 2.0), jit(grad(lambda x: straight(x) * 2.0))
    assert (f(2.0), slope(2.0)) == (16.0, 2.0)
    assert (float(f.to_jax()(2.0)), float(slope.to_jax()(2.0))) == (16.0, 2.0)
    with pytest.raises(TypeError, match=r"differentiate here: jit\(grad\(f\)\).to_jax"):
        jax.grad(f.to_jax())(2.0)


def test_the_derivative_that_a_row_of_ones_own_declares_is_taken() -> None:
    """At its kink, where that of the formula is another one."""
    step = TABLE["step"]
    with declared("vee", lambda x: abs(x), lambda x, y: 2.0 * step(x) - 1.0,
                  kink=lambda x: x) as vee:
        f = jit(lambda x: vee(x) + x)
        for x in (0.7, -0.7, 0.0):
            assert float(f.to_jax()(x)) == pytest.approx(abs(x) + x)
            assert float(jax.grad(f.to_jax())(x)) == grad(f)(x) == (2.0 if x > 0.0 else 0.0)


def bent(x: Any) -> Any:
    return x * x if x > 0.0 else ag.exp(x)


def test_every_recorded_branch_is_there_and_where_none_holds_the_result_is_nan() -> None:
    f = jit(bent)
    f(1.0)
    xs = jnp.array([-1.0, 2.0])
    values = jax.vmap(f.to_jax())(xs)
    assert math.isnan(values[0]) and values[1] == 4.0
    f(-1.0)
    np.testing.assert_allclose(jax.vmap(f.to_jax())(xs), [math.exp(-1.0), 4.0], rtol=1e-15)
    np.testing.assert_allclose(jax.vmap(jax.grad(f.to_jax()))(xs), [math.exp(-1.0), 4.0],
                               rtol=1e-15)


def test_a_call_with_numbers_records_another_branch() -> None:
    f = jit(bent)
    g = f.to_jax()
    assert [float(g(x)) for x in (2.0, -1.0)] == pytest.approx([4.0, math.exp(-1.0)], rel=1e-15)
    assert f.n_recordings == 2


def test_while_jax_traces_there_must_be_a_recording() -> None:
    f = jit(bent)
    with pytest.raises(ValueError, match="bent was not called with such arguments yet"):
        jax.jit(f.to_jax())(1.0)
    f(1.0)
    assert float(jax.jit(f.to_jax())(3.0)) == 9.0
    with pytest.raises(ValueError, match="not called with such arguments"):
        jax.jit(f.to_jax())(jnp.ones(2))


def test_in_single_precision_there_is_an_error_that_names_the_flag() -> None:
    g = jit(lambda x: x * x).to_jax()
    try:
        from jax.experimental import disable_x64
    except ImportError:
        def disable_x64() -> Any:
            return jax.enable_x64(False)
    with disable_x64(), pytest.raises(ValueError, match='"jax_enable_x64", True'):
        g(1.0)


def test_what_is_captured_is_as_it_was_when_jax_traced() -> None:
    scale = Value(2.0, "scale")
    f = jit(lambda x: scale * x)
    f(1.0)
    traced = jax.jit(f.to_jax())
    assert float(traced(3.0)) == 6.0
    scale.data = 5.0
    assert float(traced(3.0)) == 6.0
    assert float(jax.jit(f.to_jax())(3.0)) == 15.0


def test_static_arguments_stand_as_they_are() -> None:
    def power(x: Any, n: int) -> Any:
        for _ in range(n):
            x = x * 1.5
        return x

    f = jit(power, static_argnums=1)
    f(2.0, 3)
    assert float(f.to_jax()(2.0, 3)) == 2.0 * 1.5 ** 3


def test_loops_in_time_are_differentiated() -> None:
    def pendulum(angle: Any, speed: Any) -> Any:
        for _ in range(100):
            speed = speed - 0.05 * ag.sin(angle)
            angle = angle + 0.05 * speed
        return speed * speed - ag.cos(angle)

    f = jit(pendulum)
    f(0.7, 0.1)
    text = str(jax.make_jaxpr(f.to_jax())(0.7, 0.1))
    assert "scan" in text
    slopes = jax.grad(f.to_jax(), argnums=(0, 1))(0.7, 0.1)
    np.testing.assert_allclose(slopes, grad(pendulum, argnums=(0, 1))(0.7, 0.1), rtol=1e-10)


def test_export_gives_bytes_that_jax_reads() -> None:
    pytest.importorskip("flatbuffers")
    f = jit(lambda x, p: [ag.sin(x[0]) * x[1], p["k"] * 2.0])
    blob = f.export(np.array([1.0, 2.0]), {"k": 3.0})
    assert isinstance(blob, bytes)
    read = jax.export.deserialize(blob)
    assert "stablehlo" in read.mlir_module()
    given = read.call(jnp.array([0.5, 4.0]), {"k": jnp.array(1.5)})
    assert [float(x) for x in given] == pytest.approx([math.sin(0.5) * 4.0, 3.0], rel=1e-15)
