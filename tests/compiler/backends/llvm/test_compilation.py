"""What is the LLVM back end's own: code in pieces. tests/test_backends.py has what all share."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import autograd
from autograd import Value
from autograd.compiler.backends.llvm import compilation as llvm
from autograd.compiler.program.program import Guard, Program
from autograd.compiler.trace.graph_to_program import graph_to_program

from ..conformance import network_program


@pytest.mark.parametrize("chunk", [1, 2, 7, 50])
def test_splitting_into_functions_gives_the_same_bits(chunk: int) -> None:
    program, size = network_program()
    point = np.random.default_rng(0).normal(size=3 + size)
    whole, parts = llvm.compile(program), llvm.compile(program, chunk=chunk)
    assert whole(point)[0].tobytes() == parts(point)[0].tobytes()
    flags = (True,) * 3 + (False,) * size
    rows = np.random.default_rng(1).normal(size=(3, 13))
    assert (llvm.compile(program, flags)(point[3:], rows)[1].tobytes()
            == llvm.compile(program, flags, chunk=chunk)(point[3:], rows)[1].tobytes())


def test_a_primitive_without_an_emitter_is_named() -> None:
    with pytest.raises(KeyError, match="nobody"):
        llvm.compile(Program(1, (), ("nobody",), ((0,),), (1,)))


def test_a_long_chain_compiles_in_pieces() -> None:
    count = 20_000
    program = Program(1, (1e-3,), ("add",) * count,
                      tuple((0 if i == 0 else 1 + i, 1) for i in range(count)), (1 + count,))
    out, _, _ = llvm.compile(program, chunk=300)(np.array([1.0]))
    expected = 1.0
    for _ in range(count):
        expected += 1e-3
    assert out[0] == expected


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan])
def test_one_point_says_whether_all_outputs_are_finite(number: float, count: int) -> None:
    kernel = llvm.compile(Program(count, (), ("neg",) * count, tuple((i,) for i in range(count)),
                                  tuple(range(count, 2 * count))))
    point = np.full(count, -np.finfo(float).max)
    for numbers in (point, point.tolist(), 5e-324 * np.arange(count)):
        np.testing.assert_array_equal(kernel.finite_point(numbers), -np.array(numbers))
    for i in range(count):
        wrong = point.copy()
        wrong[i] = number
        assert kernel.finite_point(wrong) is False
        np.testing.assert_array_equal(kernel.point(wrong), -wrong)
    assert kernel.finite_point(point) is not False


def test_one_point_of_another_branch_is_none_also_where_it_is_not_finite() -> None:
    kernel = llvm.compile(Program(1, (0.0,), ("neg",), ((0,),), (2,), (Guard(">", 0, 1, True),)))
    assert kernel.finite_point([2.0]) == [-2.0]
    assert kernel.finite_point([-2.0]) is None
    assert kernel.finite_point([-np.inf]) is None
    assert kernel.finite_point([np.inf]) is False
    assert kernel.finite_point(np.array([3.0])) == [-3.0]
    with pytest.raises(struct.error):
        kernel.finite_point(["a"])
    assert kernel.finite_point([2.0]) == [-2.0]  # after an error, too


def test_results_of_one_point_are_not_shared() -> None:
    kernel = llvm.compile(Program(1, (), ("neg",), ((0,),), (1,)))
    results = [kernel.finite_point([number]) for number in (1.0, 2.0)]
    assert [float(result[0]) for result in results if result is not None and result is not False
            ] == [-1.0, -2.0]


def test_results_and_guards_in_no_order_are_read_off_a_list() -> None:
    n, draw = 1500, random.Random(0)
    inputs = [Value(draw.uniform(1.0, 2.0)) for _ in range(n)]
    order = draw.sample(range(n), n)
    squares = [x * x + 1.0 for x in inputs]
    outputs = [autograd.exp(squares[i]) for i in range(n)]
    program = graph_to_program([outputs[i] for i in order], inputs,
                               [(">", squares[i], inputs[j], True) for i, j in enumerate(order)])
    kernel = llvm.compile(program)
    assert kernel.assembly.count("\n") < n  # not a line or more for each
    found = kernel.point([x.data for x in inputs])
    assert found is not None
    np.testing.assert_allclose(found, [outputs[i].data for i in order], rtol=1e-15)
    other = [x.data for x in inputs]
    other[order[7]] = 100.0  # more than 1 + 2 * 2
    assert kernel.point(other) is None
