"""The NumPy back end: one loop over the instructions, each on the arrays of many rows at once.

What is the same for every row stays one number until it meets rows. The rows go through in
blocks that fit into the processor's cache, and an array is freed after it was read last.

What is promised: the bits of the eager engine for + - * /, sqrt, comparisons and what is chosen by
them (abs, sign, step, wins, relu, maximum, minimum, largest, smallest, where), for rounding and
remainders, and for what is made of these (prod, one_minus_square, cosine, share). All other
functions are right to 8 units in the last place. ``sum``, ``dot``, ``norm`` and ``logsumexp`` round
after every operand, where the eager engine may round once, so that their error grows with the
number of operands; and so do the sums over rows. Where the eager engine raises, the result is what
IEEE arithmetic gives.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiler.backends.formulas import Emit, formulas, gaussian
from autograd.compiler.backends.interface import Signature
from autograd.compiler.program.program import RELATIONS, Program
from autograd.core.near_zero import SMALLEST, log_of_sum
from autograd.core.primitives import DOMAIN_ERRORS, Primitive, lookup
from autograd.core.rounding import halves
from autograd.core.typing import Array
from autograd.special import from_scipy

BLOCK = 8192  # rows at a time: a few arrays of this length stay in the cache of one core


class Kernel:
    """A compiled program; see :func:`compile`."""

    def __init__(self, program: Program, signature: Signature) -> None:
        self.signature = signature
        self.program = program
        emitters = {op: emitter_of(op) for op in set(program.ops)}
        self._constants = [np.float64(number) for number in program.constants]
        self._steps = [(emitters[op], operands, dead) for op, operands, dead in
                       zip(program.ops, program.operands, _last_reads(program), strict=True)]

    def __call__(self, scalars: Any, rows: Any = None) -> tuple[Array, Array | None, Any]:
        """Run it, as ``interface`` says."""
        inputs, n = self.signature.inputs(scalars, rows)
        outputs, ok = np.empty((len(self.program.outputs), n)), np.ones(n, dtype=bool)
        with np.errstate(all="ignore"):
            for start in range(0, n, BLOCK):
                block = slice(start, start + BLOCK)
                self._run([x[block] if x.ndim else x for x in inputs], outputs[:, block],
                          ok[block])
        return self.signature.results(outputs, ok)

    def point(self, numbers: Any) -> Array | None:
        """The outputs at one point, or None where a guard does not hold: a call with no checks.

        Args:
            numbers: a list or a float array with a number for each input.
        """
        outputs, ok = np.empty((len(self.program.outputs), 1)), np.ones(1, dtype=bool)
        with np.errstate(all="ignore"):
            self._run(list(np.array(numbers, dtype=float)), outputs, ok)
        return outputs[:, 0] if ok[0] else None

    def _run(self, inputs: list[Any], outputs: Array, ok: Array) -> None:
        """Run all instructions on one block of rows, and fill in outputs and guards."""
        numbers = [*inputs, *self._constants]
        for emit, operands, dead in self._steps:
            numbers.append(emit(*[numbers[slot] for slot in operands]))
            for slot in dead:
                numbers[slot] = None
        for row, slot in zip(outputs, self.program.outputs, strict=True):
            row[:] = numbers[slot]
        for guard in self.program.guards:
            holds = RELATIONS[guard.relation](numbers[guard.left], numbers[guard.right])
            ok &= holds == guard.outcome


def compile(program: Program, row_inputs: Sequence[bool] | None = None,
            sums: Sequence[bool] | None = None) -> Kernel:
    """Prepare a program to run on arrays, as ``interface`` says."""
    return Kernel(program, Signature(program, row_inputs, sums))


def _last_reads(program: Program) -> list[tuple[int, ...]]:
    """For each instruction the slots that nothing after it reads."""
    needed = {*program.outputs, *(slot for guard in program.guards
                                  for slot in (guard.left, guard.right))}
    dead: list[tuple[int, ...]] = []
    for i in range(len(program.ops) - 1, -1, -1):
        touched = {program.first + i, *program.operands[i]}
        dead.append(tuple(touched - needed))
        needed |= touched
    return dead[::-1]


def value_or_nan(row: Primitive) -> Callable[..., float]:
    """The value of a row of one's own, of which nothing is known outside its domain: nan there.

    What SciPy computes is what SciPy gives, everywhere.
    """
    if row.scipy:
        return from_scipy.unchecked(row.scipy)

    def value(*operands: float) -> float:
        try:
            return row.value(*operands)
        except DOMAIN_ERRORS:
            return math.nan

    return value


def ieee_value(row: Primitive, operands: Sequence[float]) -> float:
    """What IEEE arithmetic gives where the value of a row raises; nan, of a row of one's own."""
    emit = EMITTERS.get(row.name)
    if emit is None:
        return math.nan
    with np.errstate(all="ignore"):
        return float(emit(*map(np.float64, operands)))


def emitter_of(op: str) -> Emit:
    """How an operation is done on arrays; of one's own, row by row."""
    if op in EMITTERS:
        return EMITTERS[op]
    row = lookup(op)
    return from_scipy.ufunc(row.scipy) if row.scipy else each(value_or_nan(row))


def each(function: Callable[..., float]) -> Emit:
    """Apply a function of Python floats to each number of arrays in turn."""
    def emit(*operands: Any) -> Any:
        shape = np.broadcast_shapes(*map(np.shape, operands))
        if not shape:
            return np.float64(function(*map(float, operands)))
        columns = [np.broadcast_to(x, shape).ravel().tolist() for x in operands]
        found = [function(*numbers) for numbers in zip(*columns, strict=True)]
        return np.array(found, dtype=float).reshape(shape)

    return emit


# --- the primitives, operation by operation as their value functions in the table ---------------

_FORMULAS = formulas(np)


def _logaddexp(a: Any, b: Any) -> Any:
    result = _FORMULAS["logaddexp"](a, b)
    top = np.where(a < b, b, a)
    near = (0.5 * top < result) & (result < -2.0 * top) & (top <= -SMALLEST)
    if np.any(near):
        low = np.where(a < b, a, b)
        pairs = zip(top[near].tolist(), low[near].tolist(), strict=True)
        result[near] = [log_of_sum(larger, [smaller]) for larger, smaller in pairs]
    return result


def _gaussian(x: Any) -> Any:
    return gaussian(np, x, halves(x)[0])


def _gamma(x: float) -> float:
    """As the C library's tgamma where Python's raises."""
    try:
        return lookup("gamma").value(x)
    except OverflowError:
        return math.copysign(math.inf, x)
    except ValueError:
        return math.copysign(math.inf, x) if x == 0.0 else math.nan


def _fold(function: Callable[[Any, Any], Any], start: float) -> Emit:
    return lambda *xs: functools.reduce(function, xs, np.float64(start))


def _dot(*xs: Any) -> Any:
    half = len(xs) // 2
    return functools.reduce(operator.add, map(operator.mul, xs[:half], xs[half:]),
                            np.float64(0.0))


def _logsumexp(*xs: Any) -> Any:
    if not xs:
        return np.float64(-math.inf)
    top = functools.reduce(_FORMULAS["maximum"], xs)
    gaps = [x - top for x in xs]
    ones = functools.reduce(operator.add, (np.where(gap == 0.0, 1.0, 0.0) for gap in gaps))
    others = (np.where(gap == 0.0, 0.0, np.exp(gap)) for gap in gaps)
    total = functools.reduce(operator.add, others, ones - 1.0)
    return np.where(np.abs(top) == math.inf, top, top + np.log1p(total))


EMITTERS: dict[str, Emit] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "neg": operator.neg, "pow": np.power, "abs": np.abs, **_FORMULAS,
    "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "rint": np.rint,
    "mod": np.remainder, "floordiv": np.floor_divide, "fmod": np.fmod, "copysign": np.copysign,
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2,
    "log10": np.log10, "log1p": np.log1p, "sqrt": np.sqrt, "cbrt": np.cbrt, "hypot": np.hypot,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "atan2": np.arctan2, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "erf": each(math.erf), "erfc": each(math.erfc), "gamma": each(_gamma),  # NumPy has none
    "logaddexp": _logaddexp, "gaussian": _gaussian,
    "sum": _fold(operator.add, 0.0), "prod": _fold(operator.mul, 1.0), "dot": _dot,
    "norm": _fold(np.hypot, 0.0), "logsumexp": _logsumexp,
    "largest": _fold(_FORMULAS["maximum"], -math.inf),
    "smallest": _fold(_FORMULAS["minimum"], math.inf),
}
