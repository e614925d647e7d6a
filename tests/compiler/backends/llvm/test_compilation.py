"""What is the LLVM back end's own: code in pieces. tests/test_backends.py has what all share."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from autograd.compiler.backends.llvm import compilation as llvm
from autograd.compiler.program.program import Program

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
