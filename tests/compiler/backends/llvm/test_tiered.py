"""Programs that take long to compile are interpreted meanwhile, with the same bits."""

from __future__ import annotations

import random
import threading
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from autograd.compiler.backends import choice as backends
from autograd.compiler.backends.llvm import compilation as llvm
from autograd.compiler.backends.llvm.tiered import SwappingKernel
from autograd.compiler.program.program import Program

UNARY, BINARY = ("sin", "tanh", "neg", "relu"), ("add", "mul", "sub", "maximum")


def tangled(count: int) -> Program:
    """A random program without loops."""
    rng = random.Random(1)
    ops, operands = [], []
    for slot in range(3, 3 + count):
        op = rng.choice(UNARY + BINARY)
        ops.append(op)
        operands.append(tuple(rng.randrange(max(0, slot - 40), slot)
                              for _ in range(1 if op in UNARY else 2)))
    return Program(3, (), tuple(ops), tuple(operands), (count + 2, count - 50, count // 2))


def test_a_long_program_is_interpreted_until_it_is_compiled(
        monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, made = threading.Event(), llvm.Kernel

    def slowly(writer: Any, rows: Any) -> Any:
        if not type(writer).__name__.startswith("Interpreter"):
            assert go_on.wait(60.0)
        return made(writer, rows)

    monkeypatch.setattr(llvm, "Kernel", slowly)
    kernel = backends.compile(tangled(llvm.LONG + 500))
    assert isinstance(kernel, SwappingKernel)
    point = [0.3, -0.7, 1.1]
    before, first = kernel.point(point), kernel.kernel
    go_on.set()
    kernel.wait()
    assert kernel.kernel is not first
    assert kernel.point(point).tobytes() == before.tobytes()
    assert kernel(np.array(point))[0].tobytes() == before.tobytes()
    assert np.isfinite(before).all()


def test_rows_are_interpreted_too() -> None:
    kernel = backends.compile(tangled(llvm.LONG + 500), (True, True, False),
                              (False, True, False))
    rows = np.random.default_rng(0).normal(size=(2, 19))
    before = kernel(np.array([0.4]), rows)
    kernel.wait()
    after = kernel(np.array([0.4]), rows)
    assert after[0].tobytes() == before[0].tobytes()
    assert after[1].tobytes() == before[1].tobytes()


def test_a_short_program_is_compiled_at_once() -> None:
    assert isinstance(backends.compile(tangled(100)), llvm.Kernel)


def test_a_child_tells_an_error_that_the_parent_has_met() -> None:
    def fails() -> Any:
        raise RuntimeError("LLVM has given up")

    kernel = SwappingKernel(lambda scalars, rows: "result", fails)
    with pytest.raises(RuntimeError, match="given up"):
        kernel.wait()
    kernel.forked()
    with pytest.raises(RuntimeError, match="given up"):
        kernel(np.zeros(1))


def test_an_error_of_the_compiler_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> Any:
        raise RuntimeError("LLVM has given up")

    kernel = SwappingKernel(lambda scalars, rows: "result", fails)
    with pytest.raises(RuntimeError, match="given up"):
        kernel.wait()
    with pytest.raises(RuntimeError, match="given up"):
        kernel(np.zeros(1))
