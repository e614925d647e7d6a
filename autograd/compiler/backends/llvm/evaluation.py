"""A program computed in Python, step by step, with the bits of its machine code.

Machine code pays only after some calls; before, the operations are computed here, by the same
emitters: where those write an instruction, they are given the number that it would compute. The
functions of the C library are called at the addresses at which machine code calls them.
"""

from __future__ import annotations

import ctypes
import math
import operator
import struct
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal

import numpy as np

from autograd.compiler.backends.interface import InMemory
from autograd.compiler.backends.llvm.emitter import Emitter
from autograd.compiler.backends.llvm.nary_lowering import CALLED, emitter_of
from autograd.compiler.backends.llvm.ops import FUNCTIONS
from autograd.compiler.backends.llvm.target import libm
from autograd.compiler.program.program import RELATIONS, Program
from autograd.core.typing import Array

Function = Callable[..., Any]
_UNKNOWN = CALLED | {"logaddexp"}  # which calls a function that is written as machine code


def is_known(program: Program) -> bool:
    """Whether the operations of a program can be computed here."""
    return _UNKNOWN.isdisjoint(program.different_ops)


def _divided(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        return math.nan if a == 0.0 or a != a else math.copysign(math.inf, a) * (
            math.copysign(1.0, b))


def _root(a: float) -> float:
    return math.sqrt(a) if a >= 0.0 else math.nan


def _is_nan(a: float, b: float) -> bool:
    return a != a or b != b


@cache
def _of_c(name: str, count: int) -> Function:
    """A function of the C library, of so many numbers."""
    address = ctypes.cast(getattr(libm(), name), ctypes.c_void_p).value
    assert address is not None
    function: Function = ctypes.PYFUNCTYPE(ctypes.c_double, *[ctypes.c_double] * count)(address)
    return function


_INSTRUCTIONS: dict[str, Function] = {
    "fadd": operator.add, "fsub": operator.sub, "fmul": operator.mul, "fdiv": _divided,
    "olt": operator.lt, "ole": operator.le, "ogt": operator.gt, "oge": operator.ge,
    "oeq": operator.eq, "une": operator.ne, "uno": _is_nan,
    "and": operator.and_, "or": operator.or_, "xor": operator.xor}
_INTRINSICS: dict[str, Function] = {"fabs": abs, "sqrt": _root}


class Evaluator:
    """Takes the place of an emitter; registers are numbers, and conditions truth values."""

    where_holds: Function = Emitter.where_holds

    def const(self, number: float) -> float:
        return number

    def op(self, instruction: str, a: float, b: float) -> Any:
        return _INSTRUCTIONS[instruction](a, b)

    def neg(self, a: float) -> float:
        return -a

    def compare(self, relation: str, a: float, b: float) -> Any:
        return _INSTRUCTIONS[relation](a, b)

    def logic(self, name: str, a: bool, b: bool) -> Any:
        return _INSTRUCTIONS[name](a, b)

    def select(self, condition: bool, a: Any, b: Any) -> Any:
        return a if condition else b

    def intrinsic(self, name: str, *operands: float) -> Any:
        function = _INTRINSICS.get(name) or _of_c(name, len(operands))
        return function(*operands)

    def call(self, name: str, *operands: float) -> Any:
        return _of_c(name, len(operands))(*operands)


_DIRECTLY: dict[str, Function] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "neg": operator.neg,
    "div": _divided, "abs": abs, "sqrt": _root}


@cache
def _function(op: str, count: int) -> Function:
    """What computes an operation of so many operands."""
    if op in _DIRECTLY:
        return _DIRECTLY[op]
    if op in FUNCTIONS:
        return _of_c(FUNCTIONS[op], count)
    evaluator, emit = Evaluator(), emitter_of(op)
    return lambda *operands: emit(evaluator, operands)  # type: ignore[arg-type]


_ONE, _MANY = -1, -2  # in place of a second operand


class EvaluatedKernel(InMemory):
    """A program for one point, as a list of functions to call.

    Args:
        program: whose operations :func:`is_known` knows.
    """

    def __init__(self, program: Program) -> None:
        self._count = program.n_inputs
        self._floats = struct.Struct(f"{self._count}d")
        self._constants, self._outputs = program.constants, program.outputs
        self._guards = [(RELATIONS[guard.relation], guard.left, guard.right, guard.outcome)
                        for guard in program.guards]
        self._steps: list[tuple[Function, Any, int]] = [
            (_function(op, 2), *x) if len(x) == 2 else (_function(op, 1), x[0], _ONE)
            if len(x) == 1 else (_function(op, len(x)), x, _MANY)
            for op, x in zip(program.ops, program.operands, strict=True)]

    def finite_point(self, numbers: Any) -> Array | Literal[False] | None:
        """The outputs at one point, None where a guard fails, False where not all are finite."""
        outputs = self.point(numbers)
        return outputs if outputs is None or np.isfinite(outputs).all() else False

    def point(self, numbers: Any) -> Array | None:
        """The outputs at one point, or None where a guard does not hold: a call with no checks.

        Args:
            numbers: a list or a float array with a number for each input.
        """
        outputs, holds = self._run(numbers)
        return outputs if holds else None

    def __call__(self, scalars: Any, rows: Any = None) -> tuple[Array, Any, Any]:
        """Run it, as ``interface`` says."""
        if np.shape(scalars) != (self._count,):
            raise ValueError(f"the program takes {self._count} scalars, not an array of shape "
                             f"{np.shape(scalars)}")
        outputs, holds = self._run(np.asarray(scalars, float))
        return outputs, None, holds

    def _run(self, numbers: Sequence[float] | Array) -> tuple[Array, bool]:
        if numbers.__class__ is list:  # of whole numbers, too, which would stay such
            at = [*self._floats.unpack(self._floats.pack(*numbers))]
        else:
            at = numbers.tolist()  # type: ignore[union-attr]
        at += self._constants
        put = at.append
        for function, a, b in self._steps:
            if b >= 0:
                put(function(at[a], at[b]))
            elif b == _ONE:
                put(function(at[a]))
            else:
                put(function(*[at[slot] for slot in a]))
        holds = all(relation(at[left], at[right]) is outcome
                    for relation, left, right, outcome in self._guards)
        return np.array([at[slot] for slot in self._outputs], dtype=float), holds
