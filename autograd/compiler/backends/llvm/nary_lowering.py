"""Lowering: operations of many operands as chains of steps that read at most three.

The steps are pseudo-operations of the machine code back end. A chain does the same operations in
the same order as the emitter of the whole operation, so that the bits are the same; but it is
regular, so that it can be a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd.compiler.backends.llvm.ops import EMITTERS, Emit, Emitter, chains_of_dot
from autograd.compiler.program.program import Guard, Program, bits_key


def _nan_to_zero(e: Emitter, x: Sequence[str]) -> str:
    return e.select(e.compare("uno", x[0], x[0]), e.const(0.0), x[0])


def _norm_end(e: Emitter, x: Sequence[str]) -> str:
    """The norm from the largest size, the sum of squared ratios, and the largest but nan."""
    top, total, widest = x
    length = e.op("fmul", top, e.intrinsic("sqrt", total))
    flat = e.select(e.compare("oeq", top, e.const(0.0)), top, length)
    return e.select(e.compare("oeq", widest, e.const(float("inf"))), e.const(float("inf")), flat)


def _logsumexp_end(e: Emitter, x: Sequence[str]) -> str:
    """logsumexp from the largest operand and the sum of exponentials."""
    top, total = x
    finite = e.op("fadd", top, e.call("log", total))
    endless = e.compare("oeq", e.intrinsic("fabs", top), e.const(float("inf")))
    return e.select(endless, top, finite)


STEPS: dict[str, Emit] = {
    "fma": lambda e, x: e.intrinsic("fma", x[0], x[1], x[2]),
    "nan_to_zero": _nan_to_zero, "norm_end": _norm_end, "logsumexp_end": _logsumexp_end,
}


def emitter_of(op: str) -> Emit:
    """The emitter of an operation or of a step."""
    return EMITTERS[op] if op in EMITTERS else STEPS[op]


def lowered(program: Program, most: int) -> Program:
    """The program with operations of more than ``most`` operands written as chains of steps.

    Args:
        program: what to lower.
        most: how many operands an operation may keep; at least 3.

    Returns:
        A program that computes the same bits; it may hold steps, which only the machine code back
        end knows. The program itself when nothing is too wide.
    """
    if max(map(len, program.operands), default=0) <= most:
        return program
    return _Lowering(program, most).program()


class _Lowering:
    """Writes the new instructions one after the other."""

    def __init__(self, old: Program, most: int) -> None:
        self.old, self.most = old, most
        self.constants = {bits_key(number): old.n_inputs + i
                          for i, number in enumerate(old.constants)}
        self.numbers = list(old.constants)
        self.zero, self.one = self._constant(0.0), self._constant(1.0)
        self.first = old.n_inputs + len(self.numbers)
        self.ops: list[str] = []
        self.operands: list[tuple[int, ...]] = []
        self.moved = list(range(old.first))  # the new slot of each old one

    def _constant(self, number: float) -> int:
        key = bits_key(number)
        if key not in self.constants:
            self.constants[key] = self.old.n_inputs + len(self.numbers)
            self.numbers.append(number)
        return self.constants[key]

    def program(self) -> Program:
        """The new program."""
        moved = self.moved
        for op, operands in zip(self.old.ops, self.old.operands, strict=True):
            now = [moved[slot] for slot in operands]
            chain = _CHAINS.get(op) if len(now) > self.most else None
            moved.append(self.add(op, *now) if chain is None else chain(self, now))
        return Program(
            self.old.n_inputs, tuple(self.numbers), tuple(self.ops), tuple(self.operands),
            tuple(moved[slot] for slot in self.old.outputs),
            tuple(Guard(g.relation, moved[g.left], moved[g.right], g.outcome)
                  for g in self.old.guards))

    def add(self, op: str, *operands: int) -> int:
        """Append an instruction and return its slot."""
        self.ops.append(op)
        self.operands.append(operands)
        return self.first + len(self.ops) - 1

    def each(self, op: str, slots: Sequence[int]) -> list[int]:
        """One instruction for each operand."""
        return [self.add(op, slot) for slot in slots]

    def fold(self, op: str, start: int, slots: Sequence[int]) -> int:
        """op(op(start, first), second) and so on."""
        for slot in slots:
            start = self.add(op, start, slot)
        return start

    def dot(self, slots: Sequence[int]) -> int:
        half = len(slots) // 2
        totals = [self.zero] * chains_of_dot(half)
        for i, (a, b) in enumerate(zip(slots[:half], slots[half:], strict=True)):
            totals[i % len(totals)] = self.add("fma", a, b, totals[i % len(totals)])
        return self.fold("add", totals[0], totals[1:])

    def norm(self, slots: Sequence[int]) -> int:
        sizes = self.each("abs", slots)
        top = self.fold("maximum", sizes[0], sizes[1:])
        ratios = [self.add("div", size, top) for size in sizes]
        squares = [self.add("mul", ratio, ratio) for ratio in ratios]
        total = self.fold("add", self.zero, squares)
        numbers = self.each("nan_to_zero", sizes)
        widest = self.fold("maximum", numbers[0], numbers[1:])
        return self.add("norm_end", top, total, widest)

    def logsumexp(self, slots: Sequence[int]) -> int:
        top = self.fold("maximum", slots[0], slots[1:])
        gaps = [self.add("sub", slot, top) for slot in slots]
        total = self.fold("add", self.zero, self.each("exp", gaps))
        return self.add("logsumexp_end", top, total)


_CHAINS: dict[str, Callable[[_Lowering, Sequence[int]], int]] = {
    "sum": lambda low, slots: low.fold("add", low.zero, slots),
    "prod": lambda low, slots: low.fold("mul", low.one, slots),
    "dot": _Lowering.dot, "norm": _Lowering.norm, "logsumexp": _Lowering.logsumexp,
}
