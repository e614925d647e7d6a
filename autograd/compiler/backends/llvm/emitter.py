"""Writes LLVM's instructions for one number or for several rows in a register."""

from __future__ import annotations

import struct
from collections.abc import Sequence

# How LLVM writes Python's comparisons; all but != are false of nan.
FCMP = {"<": "olt", "<=": "ole", ">": "ogt", ">=": "oge", "==": "oeq", "!=": "une"}

# The words that a kernel is called with, in this order in one array: addresses and two counts. The
# last one is 0 where one thread alone is to compute.
KERNEL_WORDS = ("scalars", "rows", "sums", "out", "ok", "memory", "n", "stride", "team")


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

    def logic(self, name: str, a: str, b: str) -> str:
        """A condition made of two: and, or, xor."""
        return self.add(f"{name} {self.bool} {a}, {b}")

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

    def call(self, name: str, *operands: str, flag: bool = False) -> str:
        """A function of the C library: at once for all rows where libmvec has it, else in turn.

        Args:
            name: its symbol.
            operands: its numbers.
            flag: whether an int follows them, as in functions that Cython exports; it is 0.
        """
        # LLVM must not guess at what pow is with a known base or exponent: the bits would hang on
        # whether its passes run.
        keeps = " nobuiltin" if name == "pow" else ""
        symbol = None if flag else self.vector_functions.get(name) if self.width > 1 else name
        if symbol is not None and self.lanes < self.width:
            return self._call_by_registers(symbol, operands)
        if symbol is not None:
            types = ", ".join([self.type] * len(operands))
            self.declared.add(f"declare {self.type} @{symbol}({types})")
            arguments = ", ".join(f"{self.type} {x}" for x in operands)
            return self.add(f"call {self.type} @{symbol}({arguments}){keeps}")
        kinds, last = (["i32"], ["i32 0"]) if flag else ([], [])
        types = ", ".join(["double"] * len(operands) + kinds)
        self.declared.add(f"declare double @{name}({types})")
        if self.width == 1:
            arguments = ", ".join([*(f"double {x}" for x in operands), *last])
            return self.add(f"call double @{name}({arguments}){keeps}")
        result = "undef"
        for lane in range(self.width):
            lanes = [self.add(f"extractelement {self.type} {x}, i32 {lane}") for x in operands]
            arguments = ", ".join([*(f"double {x}" for x in lanes), *last])
            one = self.add(f"call double @{name}({arguments}){keeps}")
            result = self.add(f"insertelement {self.type} {result}, double {one}, i32 {lane}")
        return result

    def call_back(self, name: str, *operands: str) -> str:
        """A function of Python, row by row; where an exception ends it, the result is nan.

        It writes its result to a place in memory as the last that it does: what a call would
        return that did not come to its end, by Ctrl-C for one, is any number.
        """
        within = f"{name}_within"
        result = self.call(within, *operands, flag=True)
        kinds = ", ".join(["double"] * len(operands))
        self.declared.discard(f"declare double @{within}({kinds}, i32)")
        given = ", ".join(f"double %x{i}" for i in range(len(operands)))
        self.declared.add(f"declare void @{name}({kinds}, ptr)")
        self.declared.add(f"""define internal double @{within}({given}, i32 %unused) noinline {{
  %place = alloca double, align 8
  store double 0x7FF8000000000000, ptr %place, align 8
  call void @{name}({given}, ptr %place)
  %result = load double, ptr %place, align 8
  ret double %result
}}""")
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
