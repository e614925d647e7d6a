"""What each primitive is in LLVM's language, for one number or for several rows in a register.

The emitters follow the value functions of the table operation by operation, so that + - * /, sqrt,
comparisons and what they choose have the same bits. Where the eager engine raises, they give what
IEEE arithmetic gives.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

from autograd.compiler.program.steps import EITHER, KEEPING
from autograd.core.primitives import LN2

# How the functions of the C library are called, and their counterparts for rows in libmvec.
LIBM = {"exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "sin", "cos", "tan",
        "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc",
        "pow", "atan2", "hypot"}
# How LLVM writes Python's comparisons; all but != are false of nan.
FCMP = {"<": "olt", "<=": "ole", ">": "ogt", ">=": "oge", "==": "oeq", "!=": "une"}

# The words that a kernel is called with, in this order in one array: addresses and two counts.
KERNEL_WORDS = ("scalars", "rows", "sums", "out", "ok", "memory", "n", "stride")


class Emitter:
    """Writes instructions for numbers of one type.

    Args:
        width: how many rows stand side by side; 1 for plain numbers.
        vector_functions: the symbol of each function of libmvec.
        lanes: how many of the rows one register holds, and a function of libmvec takes.
    """

    def __init__(self, width: int = 1, vector_functions: dict[str, str] | None = None,
                 lanes: int | None = None) -> None:
        self.width = width
        self.lanes = lanes or width
        self.type = "double" if width == 1 else f"<{width} x double>"
        self.bool = "i1" if width == 1 else f"<{width} x i1>"
        self.suffix = "f64" if width == 1 else f"v{width}f64"
        self.vector_functions = vector_functions or {}
        self.lines: list[str] = []
        self.declared: set[str] = set()
        self._count = 0

    def name(self) -> str:
        """A fresh register."""
        self._count += 1
        return f"%t{self._count}"

    def add(self, text: str) -> str:
        """Append an instruction and return the register of its result."""
        result = self.name()
        self.lines.append(f"  {result} = {text}")
        return result

    def opaque(self, pointer: str) -> str:
        """The same pointer, of which the optimizer does not know that: it is read from anew."""
        return self.add(f'call ptr asm sideeffect "", "=r,0"(ptr {pointer})')

    def const(self, number: float) -> str:
        """A constant, in every lane."""
        bits = f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"
        if self.width == 1:
            return bits
        return "<" + ", ".join([f"double {bits}"] * self.width) + ">"

    def op(self, instruction: str, a: str, b: str) -> str:
        """A binary instruction: fadd, fsub, fmul, fdiv."""
        return self.add(f"{instruction} {self.type} {a}, {b}")

    def neg(self, a: str) -> str:
        return self.add(f"fneg {self.type} {a}")

    def compare(self, relation: str, a: str, b: str) -> str:
        """A comparison: olt, ole, ogt, oge, oeq, une, uno."""
        return self.add(f"fcmp {relation} {self.type} {a}, {b}")

    def where_holds(self, relation: str, outcome: bool, left: str, right: str, good: str,
                    bad: str) -> str:
        """good where the comparison comes out so, else bad."""
        holds = self.compare(FCMP[relation], left, right)
        return self.select(holds, good, bad) if outcome else self.select(holds, bad, good)

    def select(self, condition: str, a: str, b: str) -> str:
        return self.add(f"select {self.bool} {condition}, {self.type} {a}, {self.type} {b}")

    def intrinsic(self, name: str, *operands: str) -> str:
        """One of LLVM's own functions: fabs, sqrt, fma."""
        symbol = f"@llvm.{name}.{self.suffix}"
        types = ", ".join([self.type] * len(operands))
        self.declared.add(f"declare {self.type} {symbol}({types})")
        arguments = ", ".join(f"{self.type} {x}" for x in operands)
        return self.add(f"call {self.type} {symbol}({arguments})")

    def call(self, name: str, *operands: str) -> str:
        """A function of the C library: at once for all rows where libmvec has it, else in turn."""
        symbol = self.vector_functions.get(name) if self.width > 1 else name
        if symbol is not None and self.lanes < self.width:
            return self._call_by_registers(symbol, operands)
        if symbol is not None:
            types = ", ".join([self.type] * len(operands))
            self.declared.add(f"declare {self.type} @{symbol}({types})")
            arguments = ", ".join(f"{self.type} {x}" for x in operands)
            return self.add(f"call {self.type} @{symbol}({arguments})")
        self.declared.add(f"declare double @{name}({', '.join(['double'] * len(operands))})")
        result = "undef"
        for lane in range(self.width):
            lanes = [self.add(f"extractelement {self.type} {x}, i32 {lane}") for x in operands]
            arguments = ", ".join(f"double {x}" for x in lanes)
            one = self.add(f"call double @{name}({arguments})")
            result = self.add(f"insertelement {self.type} {result}, double {one}, i32 {lane}")
        return result

    def _call_by_registers(self, symbol: str, operands: Sequence[str]) -> str:
        """Call a function of libmvec for one register after the other."""
        kind = f"<{self.lanes} x double>"
        self.declared.add(f"declare {kind} @{symbol}({', '.join([kind] * len(operands))})")
        parts = [self.registers(operand) for operand in operands]
        results = [self.add(f"call {kind} @{symbol}({', '.join(f'{kind} {x}' for x in arguments)})")
                   for arguments in zip(*parts, strict=True)]
        width = self.lanes
        while len(results) > 1:
            mask = ", ".join(f"i32 {lane}" for lane in range(2 * width))
            results = [self.add(f"shufflevector <{width} x double> {a}, <{width} x double> {b}, "
                                f"<{2 * width} x i32> <{mask}>")
                       for a, b in zip(results[::2], results[1::2], strict=True)]
            width *= 2
        return results[0]

    def registers(self, number: str) -> list[str]:
        """The rows of a number, register by register."""
        if self.lanes == self.width:
            return [number]
        masks = [", ".join(f"i32 {lane}" for lane in range(first, first + self.lanes))
                 for first in range(0, self.width, self.lanes)]
        return [self.add(f"shufflevector {self.type} {number}, {self.type} undef, "
                         f"<{self.lanes} x i32> <{mask}>") for mask in masks]

    def add_to_sum(self, pointer: str, number: str, inside: str) -> None:
        """Add the rows that are inside to a sum in memory, which is one register wide."""
        kind = "double" if self.lanes == 1 else f"<{self.lanes} x double>"
        parts = self.registers(self.select(inside, number, self.const(0.0))
                               if self.lanes < self.width else number)
        while len(parts) > 1:
            parts = [self.add(f"fadd {kind} {a}, {b}")
                     for a, b in zip(parts[::2], parts[1::2], strict=True)]
        before = self.add(f"load {kind}, ptr {pointer}, align 8")
        after = self.add(f"fadd {kind} {before}, {parts[0]}")
        if self.lanes == self.width:  # one instruction, where registers have masks
            after = self.select(inside, after, before)
        self.lines.append(f"  store {kind} {after}, ptr {pointer}, align 8")


Emit = Callable[[Emitter, Sequence[str]], str]


def _function(name: str) -> Emit:
    return lambda e, x: e.call(name, *x)


def _binary(instruction: str) -> Emit:
    return lambda e, x: e.op(instruction, x[0], x[1])


def _sign(e: Emitter, x: Sequence[str]) -> str:
    zero = e.const(0.0)
    below = e.select(e.compare("olt", x[0], zero), e.const(-1.0), e.op("fmul", x[0], zero))
    return e.select(e.compare("ogt", x[0], zero), e.const(1.0), below)


def _step(e: Emitter, x: Sequence[str]) -> str:
    zero = e.const(0.0)
    below = e.select(e.compare("ole", x[0], zero), zero, x[0])
    return e.select(e.compare("ogt", x[0], zero), e.const(1.0), below)


def _relu(e: Emitter, x: Sequence[str]) -> str:
    zero = e.const(0.0)
    return e.select(e.compare("ole", x[0], zero), zero, x[0])


def _wins(e: Emitter, x: Sequence[str]) -> str:
    a, b = x
    tie = e.select(e.compare("oeq", a, b), e.const(0.5), e.const(float("nan")))
    below = e.select(e.compare("olt", a, b), e.const(0.0), tie)
    return e.select(e.compare("ogt", a, b), e.const(1.0), below)


def _extreme(relation: str) -> Emit:
    def emit(e: Emitter, x: Sequence[str]) -> str:
        a, b = x
        other = e.add(f"or {e.bool} {e.compare(relation, a, b)}, {e.compare('uno', b, b)}")
        return e.select(other, b, a)

    return emit


def _where(e: Emitter, x: Sequence[str]) -> str:
    return e.select(e.compare("une", x[0], e.const(0.0)), x[1], x[2])


def _sigmoid(e: Emitter, x: Sequence[str]) -> str:
    one = e.const(1.0)
    decay = e.call("exp", e.neg(e.intrinsic("fabs", x[0])))
    total = e.op("fadd", one, decay)
    above = e.compare("oge", x[0], e.const(0.0))
    return e.op("fdiv", e.select(above, one, decay), total)


def _sigmoid_slope(e: Emitter, x: Sequence[str]) -> str:
    return e.op("fmul", _sigmoid(e, x), _sigmoid(e, [e.neg(x[0])]))


def _softplus(e: Emitter, x: Sequence[str]) -> str:
    decay = e.call("exp", e.neg(e.intrinsic("fabs", x[0])))
    return e.op("fadd", e.call("log1p", decay), _relu(e, x))


def _logaddexp(e: Emitter, x: Sequence[str]) -> str:
    a, b = x
    gap = e.intrinsic("fabs", e.op("fsub", a, b))
    top = e.select(e.compare("olt", a, b), b, a)
    apart = e.op("fadd", top, e.call("log1p", e.call("exp", e.neg(gap))))
    return e.select(e.compare("oeq", a, b), e.op("fadd", a, e.const(LN2)), apart)


def _cosine(e: Emitter, x: Sequence[str]) -> str:
    a, b = x
    zero, one, size = e.const(0.0), e.const(1.0), e.intrinsic("fabs", b)
    is_steep = e.compare("olt", e.intrinsic("fabs", a), size)
    divisor = e.select(is_steep, size, a)
    ratio = e.op("fdiv", e.select(is_steep, a, b), divisor)
    sign = e.select(e.compare("olt", a, zero), e.const(-1.0), one)
    root = e.intrinsic("sqrt", e.op("fadd", one, e.op("fmul", ratio, ratio)))
    away = e.op("fdiv", e.select(is_steep, ratio, sign), root)
    return e.select(e.compare("oeq", divisor, zero), e.op("fmul", a, b), away)


def _share(e: Emitter, x: Sequence[str]) -> str:
    return e.op("fdiv", x[0], e.op("fadd", x[0], x[1]))


def _one_minus_square(e: Emitter, x: Sequence[str]) -> str:
    one = e.const(1.0)
    return e.op("fmul", e.op("fsub", one, x[0]), e.op("fadd", one, x[0]))


def _gaussian(e: Emitter, x: Sequence[str]) -> str:
    scaled = e.op("fmul", e.const(134217729.0), x[0])
    high = e.op("fsub", scaled, e.op("fsub", scaled, x[0]))
    low = e.op("fsub", x[0], high)
    first = e.call("exp", e.op("fmul", e.neg(high), high))
    second = e.call("exp", e.op("fmul", e.neg(low), e.op("fadd", x[0], high)))
    inside = e.compare("olt", e.intrinsic("fabs", x[0]), e.const(30.0))
    outside = e.select(e.compare("oeq", x[0], x[0]), e.const(0.0), x[0])
    return e.select(inside, e.op("fmul", first, second), outside)


EMITTERS: dict[str, Emit] = {
    **{name: _function(name) for name in LIBM},
    "add": _binary("fadd"), "sub": _binary("fsub"), "mul": _binary("fmul"),
    "div": _binary("fdiv"),
    "neg": lambda e, x: e.neg(x[0]),
    "identity": lambda e, x: x[0],
    "abs": lambda e, x: e.intrinsic("fabs", x[0]),
    "sqrt": lambda e, x: e.intrinsic("sqrt", x[0]),
    "sign": _sign, "step": _step, "wins": _wins, "relu": _relu,
    "maximum": _extreme("olt"), "minimum": _extreme("ogt"), "where": _where,
    "sigmoid": _sigmoid, "sigmoid_slope": _sigmoid_slope, "softplus": _softplus,
    "logaddexp": _logaddexp, "cosine": _cosine, "share": _share,
    "one_minus_square": _one_minus_square, "gaussian": _gaussian,
}


def _norm_end(e: Emitter, x: Sequence[str]) -> str:
    """The norm from the largest size, the sum of squared ratios, and the largest but nan."""
    top, total, widest = x
    length = e.op("fmul", top, e.intrinsic("sqrt", total))
    flat = e.select(e.compare("oeq", top, e.const(0.0)), top, length)
    return e.select(e.compare("oeq", widest, e.const(float("inf"))), e.const(float("inf")), flat)


def _logsumexp_end(e: Emitter, x: Sequence[str]) -> str:
    """logsumexp from the largest operand and the sum of exponentials but for its own."""
    top, total = x
    finite = e.op("fadd", top, e.call("log1p", total))
    endless = e.compare("oeq", e.intrinsic("fabs", top), e.const(float("inf")))
    return e.select(endless, top, finite)


def _is_zero(e: Emitter, x: Sequence[str]) -> str:
    return e.select(e.compare("oeq", x[0], e.const(0.0)), e.const(1.0), e.const(0.0))


def _unless_zero(e: Emitter, x: Sequence[str]) -> str:
    """The second operand, but 0 where the first is."""
    return e.select(e.compare("oeq", x[0], e.const(0.0)), e.const(0.0), x[1])


def _keep(relation: str, outcome: bool) -> Emit:
    return lambda e, x: e.where_holds(relation, outcome, x[1], x[2], x[0], e.const(float("nan")))


class Step(NamedTuple):
    """An operation that is no row of the table: what programs are rewritten to."""

    arity: int
    emit: Emit


STEPS: dict[str, Step] = {
    "fma": Step(3, lambda e, x: e.intrinsic("fma", x[0], x[1], x[2])),
    "nan_to_zero": Step(1, lambda e, x: e.select(e.compare("uno", x[0], x[0]), e.const(0.0), x[0])),
    "norm_end": Step(3, _norm_end), "logsumexp_end": Step(2, _logsumexp_end),
    "is_zero": Step(1, _is_zero), "unless_zero": Step(2, _unless_zero),
    EITHER: Step(2, lambda e, x: e.select(e.compare("uno", x[0], x[0]), x[1], x[0])),
    **{name: Step(3, _keep(*kept)) for name, kept in KEEPING.items()},
}
