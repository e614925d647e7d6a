"""The jax back end against what a back end has to do."""

from __future__ import annotations

import inspect
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import TABLE, jit, value_and_grad, vmap
from autograd.compiler.backends import Unsupported, choose
from autograd.compiler.backends.jax import devices
from autograd.compiler.program.program import Guard, Program
from autograd.compiler.trace.inlining import inlined

from ...back_ends import needs_jax, thorough
from ...own_primitives import declared
from .conformance import (
    ADDED_UP,
    BackEnd,
    Conformance,
    check_special_values,
    derivative_program,
    network_program,
)


def stepwise(program: Program, row_inputs: Any = None, sums: Any = None) -> Any:
    """One operation after the other, with the bits of each; what is written out is one."""
    from autograd.compiler.backends.jax.kernel import compile as compile_jax

    try:
        return compile_jax(program, row_inputs, sums, fused=False)
    except Unsupported as refusal:
        if not refusal.ops:
            raise
        return fused(program, row_inputs, sums)


def fused(program: Program, row_inputs: Any = None, sums: Any = None) -> Any:
    """As jit uses it."""
    return choose(program, row_inputs, sums, "jax", inlined).kernel


@needs_jax
@thorough
class TestSteps(Conformance):
    """All that every back end has to do, but for the roundings that XLA saves."""

    @pytest.fixture
    def back_end(self) -> BackEnd:
        return BackEnd(stepwise, flushes=True, added_up=ADDED_UP | {"logaddexp"}, examples=6)


pytestmark = needs_jax


@pytest.mark.parametrize("name", ["exp", "tanh", "pow", "where", "norm", "largest", "gamma",
                                  "mod", "floordiv", "rounded"])
def test_special_values_of_what_xla_compiles_as_one(name: str) -> None:
    check_special_values(BackEnd(fused, flushes=True), TABLE[name])


def test_the_tests_see_an_emitter_that_is_wrong_by_a_thousandth(
        monkeypatch: pytest.MonkeyPatch) -> None:
    from autograd.compiler.backends.jax.ops import EMITTERS

    back_end = BackEnd(stepwise, flushes=True)
    check_special_values(back_end, TABLE["tanh"])
    monkeypatch.setitem(EMITTERS, "tanh", lambda x: 1.001 * np.tanh(np.asarray(x)))
    with pytest.raises(AssertionError, match="tanh"):
        check_special_values(back_end, TABLE["tanh"])


def test_random_programs_fused_into_one_have_the_gradient() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    from autograd.strategies import expressions

    @hypothesis.settings(max_examples=8)
    @hypothesis.given(expressions())
    def check(expression: Any) -> None:
        program, _ = derivative_program(expression)
        kernel = fused(program)
        ag.gradcheck(expression.function, *expression.point,
                     gradient=lambda *point: tuple(kernel(np.array(point))[0][1:].tolist()))

    check()


# --- arrays, loops and straight code --------------------------------------------------------------

def mlp_program(sizes: list[int]) -> tuple[Program, int]:
    """The loss of one row of a network and its gradient; how many inputs differ by row."""
    from autograd import Value
    from autograd.compiler.trace.graph_to_program import graph_to_program
    from autograd.core.backward import adjoints

    rng = np.random.default_rng(0)
    x, weights = [Value(v) for v in rng.normal(size=sizes[0])], []
    layer: list[Any] = x
    for before, after in pairwise(sizes):
        rows = [[Value(v) for v in rng.normal(size=before + 1)] for _ in range(after)]
        weights += [w for row in rows for w in row]
        layer = [(ag.dot(row[:-1], layer) + row[-1]).tanh() for row in rows]
    loss = ag.logsumexp(layer) - layer[0]
    return graph_to_program([loss, *adjoints(loss, weights), *layer], [*x, *weights]), len(x)


@pytest.mark.parametrize("sizes", [[3, 4, 2], [6, 16, 8, 3], [8, 1, 5]])
@pytest.mark.parametrize("n", [1, 5])
def test_a_network_by_its_arrays_gives_what_numpy_gives_by_instructions(sizes: list[int],
                                                                        n: int) -> None:
    from autograd.compiler.backends import numpy as linear
    from autograd.compiler.backends.jax.kernel import lowered
    from autograd.compiler.backends.jax.lowering import Steps

    program, n_rows = mlp_program(sizes)
    n_weights = program.n_inputs - n_rows
    flags = (True,) * n_rows + (False,) * n_weights
    sums = (True,) * (1 + n_weights) + (False,) * sizes[-1]
    assert isinstance(lowered(program, flags, sums), Steps)
    rng = np.random.default_rng(1)
    weights, rows = rng.normal(size=n_weights), rng.normal(size=(n_rows, n))
    expected = linear.compile(program, flags, sums)(weights, rows)
    given = fused(program, flags, sums)(weights, rows)
    np.testing.assert_allclose(given[0], expected[0], rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(given[1], expected[1], rtol=1e-12)
    assert given[2].tolist() == [True] * n


def pendulum(angle: Any, speed: Any, steps: int = 60) -> Any:
    """The energy after some steps of 0.05 s."""
    for _ in range(steps):
        speed = speed - 0.05 * ag.sin(angle)
        angle = angle + 0.05 * speed
    return speed * speed - ag.cos(angle)


def fibonacci(a: Any, b: Any, steps: int = 150) -> Any:
    """Two iterations back, and a number of its own for each."""
    for i in range(steps):
        a, b = b, ag.tanh(0.3 * a + b) * (1.0 + 0.01 * (i % 7))
    return a * b


def cumulated(a: Any, b: Any) -> Any:
    """A loop over what another loop has computed, backwards, and a third over both."""
    first = [a]
    for _ in range(100):
        first.append(ag.sin(first[-1]) + b)
    total = b
    for x in reversed(first):
        total = 0.9 * total + x * x
    for x, y in zip(first, first[::-1], strict=True):
        total = total + 0.01 * x * y
    return total


@pytest.mark.parametrize("function", [pendulum, fibonacci, cumulated])
def test_loops_in_time_are_scans_and_right(function: Any) -> None:
    from autograd.compiler.backends.jax.loops import Loops, _Scan

    both = value_and_grad(function, argnums=(0, 1))
    compiled = jit(both, backend="jax")
    expected, slopes = both(0.7, -0.2)
    value, given = compiled(0.7, -0.2)
    assert value == pytest.approx(expected, rel=1e-12)
    assert given == pytest.approx(slopes, rel=1e-10)
    outputs = next(iter(compiled._known.values())).replays[0].outputs
    lowering = inspect.getclosurevars(outputs).nonlocals["point"].__self__.lowering
    assert isinstance(lowering, Loops)
    assert any(isinstance(part, _Scan) for part in lowering.parts)
    rows = vmap(both, in_axes=(0, None), backend="jax")(np.array([0.7, 0.1, -0.4]), -0.2)
    singly = [both(x, -0.2) for x in (0.7, 0.1, -0.4)]
    np.testing.assert_allclose(rows[0], [value for value, _ in singly], rtol=1e-12)
    np.testing.assert_allclose(np.array(rows[1]).T, [slope for _, slope in singly], rtol=1e-10)


def test_a_long_program_without_loops_or_arrays_is_refused(
        monkeypatch: pytest.MonkeyPatch) -> None:
    from autograd.compiler.backends.jax import kernel

    monkeypatch.setattr(kernel, "LONGEST", 100)
    rng = np.random.default_rng(0)
    ops = rng.choice(["add", "sub", "mul", "sin", "exp", "tanh"], size=900).tolist()
    operands = tuple(tuple(rng.integers(max(0, i - 40), i + 2, size=TABLE[op].arity).tolist())
                     for i, op in enumerate(ops))
    program = Program(2, (), tuple(ops), operands, (901,))
    with pytest.raises(Unsupported, match="without a loop"):
        fused(program)


WHOLE = 2.0 ** 52


def nearest(x: Any) -> Any:
    """The nearest whole number."""
    return (x + WHOLE) - WHOLE


def nearest_in_one_sum(x: Any) -> Any:
    """The same, as an addition of three numbers."""
    return (x + WHOLE) + -WHOLE


def often_nearest(x: Any) -> Any:
    """In a loop."""
    for _ in range(150):
        x = nearest(x * 1.01) + 0.3 * x.sin()
    return x


@pytest.mark.parametrize("function", [nearest, nearest_in_one_sum, often_nearest])
def test_constants_are_not_moved_past_each_other(function: Any) -> None:
    points = [0.3, 1.7, 2.5, -3.4]
    expected = [function(ag.Value(x)).data for x in points]
    f = jit(function, backend="jax")
    assert [f(x) for x in points] == pytest.approx(expected, rel=1e-12)
    assert vmap(function, backend="jax")(points).tolist() == pytest.approx(expected, rel=1e-12)


# --- rows -----------------------------------------------------------------------------------------

def test_groups_of_rows_of_many_sizes_are_padded_and_their_sums_right() -> None:
    program, size = network_program()
    kernel = fused(program, (True,) * 3 + (False,) * size, (False,) + (True,) * size)
    from autograd.compiler.backends import numpy as linear

    reference = linear.compile(program, (True,) * 3 + (False,) * size, (False,) + (True,) * size)
    rng = np.random.default_rng(2)
    weights = rng.normal(size=size)
    for n in (3, 5, 9, 17, 30, 31):
        rows = rng.normal(size=(3, n))
        for given, expected in zip(kernel(weights, rows)[:2], reference(weights, rows)[:2],
                                   strict=True):
            np.testing.assert_allclose(given, expected, rtol=1e-11, atol=1e-15)
    assert kernel._run._cache_size() < 6  # sizes share programs


def test_blocks_of_rows_give_what_all_of_them_give(monkeypatch: pytest.MonkeyPatch) -> None:
    program, size = network_program()
    flags, sums = (True,) * 3 + (False,) * size, (False,) + (True,) * size
    rng = np.random.default_rng(3)
    weights, rows = rng.normal(size=size), rng.normal(size=(3, 50))
    kernel = fused(program, flags, sums)
    whole = kernel(weights, rows)
    kernel.block = 16
    for given, expected in zip(kernel(weights, rows), whole, strict=True):
        np.testing.assert_allclose(given, expected, rtol=1e-12)


def test_rows_that_leave_their_branch_get_the_right_answer() -> None:
    def bent(x: Any, w: Any) -> Any:
        if x > 1.0:
            return w * x * x
        return ag.log(x) * w if x > 0.0 else w - x

    xs = np.array([0.5, 2.0, -1.0, 3.0, 0.25, 1.0, -4.0])
    f = vmap(bent, in_axes=(0, None), backend="jax")
    expected = [bent(x, 0.7) for x in xs.tolist()]
    np.testing.assert_allclose(f(xs, 0.7), np.array(expected, dtype=float), rtol=1e-14)
    assert f.n_recordings == 3
    with pytest.raises(ValueError, match="row 1"):
        vmap(lambda x: ag.log(x), backend="jax")(np.array([1.0, -1.0]))


def test_guards_of_constants_and_of_shared_numbers_hold_for_all_rows() -> None:
    program = Program(2, (2.0,), ("mul",), ((0, 1),), (3,),
                      (Guard("<", 1, 2, True), Guard("<", 0, 2, True), Guard("<", 2, 2, False)))
    kernel = fused(program, (True, False))
    assert kernel(np.array([1.0]), np.array([[1.0, 5.0]]))[2].tolist() == [True, False]
    assert kernel(np.array([3.0]), np.array([[1.0, 5.0]]))[2].tolist() == [False, False]


def test_a_primitive_of_ones_own_runs_in_jax() -> None:
    with declared("inverse", lambda x: 1.0 / x, lambda x, y: -y * y) as inverse:
        f = jit(value_and_grad(lambda x: inverse(x.sin())), backend="jax")
        y = 1.0 / math.sin(0.3)
        assert f(0.3) == pytest.approx((y, -y * y * math.cos(0.3)), rel=1e-13)
        assert "runs on the back end jax" in f.explain()


# --- precision, devices, installation -------------------------------------------------------------

def test_it_computes_in_double_precision_and_leaves_the_configuration_alone() -> None:
    import jax
    import jax.numpy as jnp

    before = jax.config.jax_enable_x64
    f = jit(lambda x: x + 1e-12, backend="jax")
    assert f(1.0) == 1.0 + 1e-12
    assert jax.config.jax_enable_x64 == before
    assert jnp.ones(2).dtype == (np.float64 if before else np.float32)
    assert f(2.0) == 2.0 + 1e-12


def test_a_device_without_double_precision_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import jax

    class Single:
        """Rounds to single precision."""

        process_index = 0

        def __str__(self) -> str:
            return "Single:0"

    monkeypatch.setattr(jax, "device_put", lambda x, device: np.float32(x))
    with pytest.raises(ValueError, match=r"Single:0 has no double precision.*JAX_PLATFORMS=cpu"):
        devices.refuse_single_precision(Single())


def test_a_kernel_is_neither_pickled_nor_copied() -> None:
    import pickle

    with pytest.raises(TypeError, match="Kernel"):
        pickle.dumps(fused(Program(1, (), ("exp",), ((0,),), (1,))))


# XLA merges exp(a) * exp(b), takes c - (c - x) for x, and its log1p loses digits around -0.4.
PRECISE: dict[str, Any] = {
    "log1p": np.linspace(-0.99, 3.0, 200), "log_ndtr": np.linspace(-40.0, 9.0, 200),
    "log_ndtr near its bend": np.linspace(0.05, 0.6, 200), "ndtr": np.linspace(-30.0, 8.0, 200),
    "erfcx": np.linspace(-5.0, 50.0, 200), "gelu": np.linspace(-30.0, 8.0, 200),
    "gammaln": np.linspace(0.1, 0.9, 200)}


@pytest.mark.parametrize("name", PRECISE)
def test_special_functions_keep_the_digits_of_the_eager_engine(name: str) -> None:
    row, points = TABLE[name.split()[0]], PRECISE[name]
    given = vmap(row, backend="jax")(points)
    expected = np.array([row(float(x)) for x in points])
    assert (np.abs(given - expected) <= 8.0 * np.spacing(np.abs(expected))).all()


def test_a_product_of_powers_is_no_power_of_a_sum() -> None:
    down, up = np.linspace(-400.0, -300.0, 200), np.sqrt(np.linspace(80000.0, 90000.0, 200))
    given = vmap(lambda a, b: ag.exp(a) * ag.exp(b), in_axes=(0, 0), backend="jax")(down, up)
    expected = np.exp(down) * np.exp(up)
    assert (np.abs(given - expected) <= 6.0 * np.spacing(expected)).all()


def test_a_loop_that_only_adds_up_is_one_sum() -> None:
    from autograd.compiler.backends.jax.kernel import lowered
    from autograd.compiler.backends.jax.loops import Loops

    def swinging(x: Any) -> Any:
        angle, speed = x[0], x[1]
        for _ in range(200):
            speed = speed - 0.01 * (x[2] * ag.sin(angle) + x[3] * speed)
            angle = angle + 0.01 * speed
        return angle

    compiled = jit(value_and_grad(swinging), backend="jax")
    x = np.array([1.2, 0.3, 9.81, 0.15])
    value, slope = compiled(x)
    expected = value_and_grad(swinging)(x)
    np.testing.assert_allclose([value, *slope], [expected[0], *expected[1]], rtol=1e-12)
    kernel = lowered(compiled.program(), None)
    assert isinstance(kernel, Loops)
    assert any(kernel._totals.values())
