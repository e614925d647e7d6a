"""Array programs, run by NumPy and as machine code, against what every back end has to do."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value
from autograd.compiler.backends import arrays, python
from autograd.compiler.backends import numpy as linear
from autograd.compiler.backends.interface import Unsupported
from autograd.compiler.program.array_recognition import find_arrays
from autograd.compiler.program.program import Guard, Program
from autograd.compiler.trace.graph_to_program import graph_to_program
from autograd.compiler.trace.inlining import inlined
from tests.back_ends import needs_llvmlite

from .conformance import BackEnd, Conformance


def by_numpy(program: Program, row_inputs: Any = None, sums: Any = None) -> Any:
    return arrays.compile(program, row_inputs, sums, dense=0)


def by_machine(program: Program, row_inputs: Any = None, sums: Any = None,
               free_sums: bool = False) -> Any:
    """Array programs as machine code, however short they are."""
    from autograd.compiler.backends.llvm import compilation
    from autograd.compiler.backends.llvm.array_codegen import ArrayWriter
    from autograd.compiler.backends.llvm.kernel import Kernel
    from autograd.compiler.backends.llvm.target import host

    try:
        rows, flags = compilation._checked_flags(program, row_inputs, sums)
    except Unsupported as refusal:
        return by_machine(inlined(program, refusal.ops), row_inputs, sums, free_sums)
    machine = host()
    writer = ArrayWriter(find_arrays(program, rows, free_sums), program, rows, flags,
                         machine["width"], machine["vector"])
    return Kernel(writer, rows)


class TestByNumpy(Conformance):
    """All that every back end has to do, by arrays in NumPy."""

    @pytest.fixture
    def back_end(self) -> BackEnd:
        return BackEnd(by_numpy)


@needs_llvmlite
class TestByMachine(Conformance):
    """All that every back end has to do, by arrays in machine code."""

    @pytest.fixture
    def back_end(self) -> BackEnd:
        return BackEnd(by_machine)


# --- networks -------------------------------------------------------------------------------------

LOSSES: dict[str, Any] = {
    "squares": lambda out, target: sum((a - t) * (a - t) for a, t in zip(out, target, strict=True)),
    "cross entropy": lambda out, target: ag.logsumexp(out) - ag.dot(target, out),
    "hinge": lambda out, target: ag.relu(1.0 - out[0] * target[0]),
}


def network(sizes: list[int], activation: str, loss: str) -> tuple[Program, int, int]:
    """The loss of a row and its gradient, how many inputs differ by row, and how many do not."""
    model = nn.MLP(sizes[0], sizes[1:], activation=activation, seed=1)
    row = [Value(0.1 * i) for i in range(sizes[0])]
    target = [Value(0.3) for _ in range(sizes[-1])]
    out = model(row)
    weights = model.parameters()
    objective = LOSSES[loss](out if isinstance(out, list) else [out], target)
    outputs = [objective, *ag.core.backward.adjoints(objective, weights), *(
        out if isinstance(out, list) else [out])]
    return (graph_to_program(outputs, [*row, *target, *weights]), len(row) + len(target),
            len(weights))


NETWORKS = [([2, 2], "tanh", "hinge"), ([3, 8, 1], "relu", "squares"),
            ([5, 16, 16, 3], "tanh", "cross entropy"), ([40, 33, 10], "relu", "cross entropy"),
            ([1, 70, 1], "sigmoid", "squares"), ([3, 8, 1], "gelu", "squares"),
            ([7, 1, 9], "softplus", "cross entropy")]
MACHINES = [by_numpy, pytest.param(by_machine, marks=needs_llvmlite)]


@pytest.mark.parametrize("compile", MACHINES)
@pytest.mark.parametrize("free_sums", [False, True])
@pytest.mark.parametrize(("sizes", "activation", "loss"), NETWORKS)
def test_networks_agree_with_one_row_at_a_time(compile: Any, free_sums: bool, sizes: list[int],
                                               activation: str, loss: str) -> None:
    program, n_rows, n_weights = network(sizes, activation, loss)
    flags = (True,) * n_rows + (False,) * n_weights
    extra = len(program.outputs) - 1 - n_weights
    sums = (True,) * (1 + n_weights) + (False,) * extra
    kernel = (by_machine(program, flags, sums, free_sums) if compile is by_machine
              else arrays.compile(program, flags, sums, free_sums, dense=0))
    once = python.compile(program)
    rng = np.random.default_rng(0)
    for n in (1, 2, 31, 32, 33, 100):
        rows, weights = rng.normal(size=(n_rows, n)), rng.normal(size=n_weights)
        found, out, ok = kernel(weights, rows)
        points = [once(np.concatenate([row, weights])) for row in rows.T]
        assert ok.tolist() == [holds for *_, holds in points]
        each = np.array([outputs for outputs, *_ in points])
        np.testing.assert_allclose(out, each[:, 1 + n_weights:].T, rtol=1e-12, atol=1e-14)
        total = np.array([math.fsum(column) for column in each[:, :1 + n_weights].T])
        terms = np.abs(each[:, :1 + n_weights]).sum(axis=0)
        assert np.all(np.abs(found - total) <= 1e-12 * terms + 1e-300), n


@pytest.mark.parametrize("compile", MACHINES)
def test_the_same_rows_give_the_same_bits_again_and_whatever_stands_behind_them(
        compile: Any) -> None:
    program, n_rows, n_weights = network([5, 16, 3], "tanh", "cross entropy")
    flags = (True,) * n_rows + (False,) * n_weights
    kernel = compile(program, flags, (False,) * len(program.outputs))
    rng = np.random.default_rng(0)
    rows, weights = rng.normal(size=(n_rows, 50)), rng.normal(size=n_weights)
    _, out, _ = kernel(weights, rows)
    rows[:, 40:] = math.nan
    _, again, _ = kernel(weights, rows)
    assert np.array_equal(out[:, :32], again[:, :32])


@pytest.mark.parametrize("compile", MACHINES)
def test_nan_in_one_row_spoils_that_row_and_the_sums_alone(compile: Any) -> None:
    program, n_rows, n_weights = network([3, 8, 1], "tanh", "squares")
    flags = (True,) * n_rows + (False,) * n_weights
    kernel = compile(program, flags, (False,) + (True,) * n_weights + (False,))
    rng = np.random.default_rng(0)
    rows, weights = rng.normal(size=(n_rows, 9)), rng.normal(size=n_weights)
    rows[0, 4] = math.nan
    sums, out, _ = kernel(weights, rows)
    assert np.isnan(out[0]).tolist() == [i == 4 for i in range(9)]
    assert np.isnan(sums[:3]).any()


@pytest.mark.parametrize("compile", MACHINES)
def test_guards_are_told_by_the_row_at_which_they_fail(compile: Any) -> None:
    n = 20
    guards = tuple(Guard("<", i, n, True) for i in range(n))
    program = Program(n, (2.0,), ("mul",) * n, tuple((i, i) for i in range(n)),
                      tuple(range(n + 1, 2 * n + 1)), guards)
    rows = np.ones((n, 40))
    rows[3, 5], rows[19, 39] = 2.5, math.nan
    _, out, ok = compile(program, (True,) * n)(np.empty(0), rows)
    assert np.flatnonzero(~ok).tolist() == [5, 39]
    assert out[3, 5] == 6.25


@needs_llvmlite
def test_the_kernels_agree_where_slots_stand_in_no_pattern() -> None:
    rng = random.Random(0)
    n = 64
    ops, operands = [], []
    for i in range(600):
        ops.append(rng.choice(["add", "mul", "sub", "maximum", "dot", "sum"]))
        count = {"dot": 6, "sum": 5}.get(ops[-1], 2)
        operands.append(tuple(rng.randrange(max(0, i - 40), n + 1 + i) for _ in range(count)))
    outputs = tuple(range(n + 500, n + 601))
    program = Program(n, (0.5,), tuple(ops), tuple(operands), outputs)
    flags = tuple(i % 3 != 0 for i in range(n))
    sums = tuple(i % 2 == 0 for i in range(len(outputs)))
    points = np.random.default_rng(0).uniform(-0.1, 0.1, size=(sum(flags), 45))
    scalars = np.random.default_rng(1).uniform(-0.1, 0.1, size=n - sum(flags))
    expected = linear.compile(program, flags, sums)(scalars, points)
    for kernel in (by_numpy(program, flags, sums), by_machine(program, flags, sums)):
        for given, right in zip(kernel(scalars, points), expected, strict=True):
            np.testing.assert_allclose(given, right, rtol=1e-9, atol=1e-12)
    point = np.random.default_rng(2).uniform(-0.1, 0.1, size=n)
    np.testing.assert_allclose(by_machine(program).point(point), linear.compile(program)
                               .point(point), rtol=1e-9, atol=1e-12)


def mixture(parameters: Any, points: Any) -> Any:
    """The log likelihood of points under Gaussians with one width each, written in scalars."""
    dimensions, k = len(points[0]), len(parameters) // (len(points[0]) + 2)
    weights, widths = parameters[:k], parameters[k:2 * k]
    centres = [parameters[2 * k + dimensions * i:2 * k + dimensions * (i + 1)] for i in range(k)]
    total = 0.0
    for point in points:
        total = total + ag.logsumexp([
            weight + width - 0.5 * sum((ag.exp(width) * (x - c)) ** 2
                                       for x, c in zip(point, centre, strict=True))
            for weight, width, centre in zip(weights, widths, centres, strict=True)])
    return total - len(points) * ag.logsumexp(weights)


@needs_llvmlite
@pytest.mark.parametrize("n", [10, 63])
def test_loops_over_data_are_a_few_steps_and_their_gradient_is_right(n: int) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(n, 3)).round(1).tolist()  # numbers that come twice are data, too
    parameters = rng.normal(size=5 * 4)
    function = ag.value_and_grad(lambda p: mixture(p, points))
    compiled = ag.jit(function, backend="llvm")
    value, slope = compiled(parameters)
    expected_value, expected = function(parameters)
    assert value == pytest.approx(expected_value, rel=1e-13)
    np.testing.assert_allclose(slope, expected, rtol=1e-11, atol=1e-12)
    program = compiled.notes[-1].recording.program
    found = find_arrays(program)
    assert len(found) < 200 < len(program)
    kernel = by_machine(program)
    np.testing.assert_allclose(kernel.point(parameters), [value, *slope], rtol=1e-11, atol=1e-12)
