"""A back end of one's own, in a few lines, held to what every back end has to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from autograd import jit
from autograd.compiler.backends import BACK_ENDS
from autograd.compiler.backends.interface import Signature
from autograd.compiler.backends.numpy import emitter_of
from autograd.compiler.program.program import Program

from .conformance import BackEnd, Conformance


class ToyKernel:
    """One row after the other, one instruction after the other."""

    def __init__(self, program: Program, signature: Signature) -> None:
        self.program, self.signature = program, signature

    def __call__(self, scalars: Any, rows: Any = None) -> Any:
        inputs, n = self.signature.inputs(scalars, rows)
        outputs, ok = np.empty((len(self.program.outputs), n)), np.empty(n, dtype=bool)
        for i in range(n):
            outputs[:, i], ok[i] = self._run([x[i] if np.ndim(x) else x for x in inputs])
        return self.signature.results(outputs, ok)

    def point(self, numbers: Any) -> Any:
        outputs, holds = self._run(numbers)
        return np.array(outputs) if holds else None

    def _run(self, numbers: Any) -> tuple[list[float], bool]:
        slots = [np.float64(x) for x in (*numbers, *self.program.constants)]
        with np.errstate(all="ignore"):
            for op, operands in zip(self.program.ops, self.program.operands, strict=True):
                slots.append(np.float64(emitter_of(op)(*[slots[x] for x in operands])))
        holds = [guard.holds(float(slots[guard.left]), float(slots[guard.right]))
                 for guard in self.program.guards]
        return [float(slots[x]) for x in self.program.outputs], all(holds)


def toy(program: Program, row_inputs: Sequence[bool] | None = None,
        sums: Sequence[bool] | None = None) -> ToyKernel:
    for op in program.ops:
        emitter_of(op)  # whose error says what to do about an unknown one
    return ToyKernel(program, Signature(program, row_inputs, sums))


class TestToy(Conformance):
    """All that every back end has to do."""

    @pytest.fixture
    def back_end(self) -> BackEnd:
        return BackEnd(toy)


def test_it_can_be_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACK_ENDS, "toy", lambda: toy)
    f = jit(lambda x: x * x + 1.0, backend="toy")
    assert (f(3.0), f(-2.0), f.n_recordings) == (10.0, 5.0, 1)
    assert "runs on the back end toy" in f.explain()
