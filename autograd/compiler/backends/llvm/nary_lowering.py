"""Operations of any number of operands, as chains of steps that read at most three.

Each chain is written once, for whoever can append a step: the emitter of straight code, or a
program in which wide operations are replaced by their steps, so that those can be a loop. The
steps and their order are the same, so the bits are the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from autograd.compiler.backends.llvm.emitter import Emitter
from autograd.compiler.backends.llvm.ops import EMITTERS, STEPS, Emit, called
from autograd.compiler.program.program import Columns, Guard, Program, bits_key
from autograd.core.primitive import library
from autograd.core.typing import Array


class Chain(Protocol):
    """Whoever appends steps: operands and results are registers, or slots of a program."""

    def constant(self, number: float) -> Any:
        """A constant."""

    def add(self, op: str, *operands: Any) -> Any:
        """Append an operation and return its result."""


def _each(chain: Chain, op: str, operands: Sequence[Any]) -> list[Any]:
    return [chain.add(op, operand) for operand in operands]


def _fold(chain: Chain, op: str, start: Any, operands: Sequence[Any]) -> Any:
    """op(op(start, first), second) and so on."""
    for operand in operands:
        start = chain.add(op, start, operand)
    return start


def _dot(chain: Chain, operands: Sequence[Any]) -> Any:
    half = len(operands) // 2
    # Each step of a sum waits for the one before it; a long sum would be all waiting.
    totals = [chain.constant(0.0)] * (4 if half >= 32 else 1)
    for i, (a, b) in enumerate(zip(operands[:half], operands[half:], strict=True)):
        totals[i % len(totals)] = chain.add("fma", a, b, totals[i % len(totals)])
    return _fold(chain, "add", totals[0], totals[1:])


def _norm(chain: Chain, operands: Sequence[Any]) -> Any:
    sizes = _each(chain, "abs", operands)
    if len(sizes) < 2:
        return sizes[0] if sizes else chain.constant(0.0)
    top = _fold(chain, "maximum", sizes[0], sizes[1:])
    ratios = [chain.add("div", size, top) for size in sizes]
    squares = [chain.add("mul", ratio, ratio) for ratio in ratios]
    total = _fold(chain, "add", chain.constant(0.0), squares)
    numbers = _each(chain, "nan_to_zero", sizes)
    widest = _fold(chain, "maximum", numbers[0], numbers[1:])
    return chain.add("norm_end", top, total, widest)


def _extreme(op: str, of_none: float) -> Callable[[Chain, Sequence[Any]], Any]:
    return lambda chain, operands: (_fold(chain, op, operands[0], operands[1:]) if operands
                                    else chain.constant(of_none))


def _logsumexp(chain: Chain, operands: Sequence[Any]) -> Any:
    if not operands:
        return chain.constant(float("-inf"))
    top = _fold(chain, "maximum", operands[0], operands[1:])
    gaps = [chain.add("sub", operand, top) for operand in operands]
    # Of the exponentials that are 1, one is left out: others may be too small to be seen beside it.
    total = _fold(chain, "add", chain.constant(-1.0), _each(chain, "is_zero", gaps))
    others = [chain.add("unless_zero", gap, chain.add("exp", gap)) for gap in gaps]
    total = _fold(chain, "add", total, others)
    return chain.add("logsumexp_end", top, total)


CHAINS: dict[str, Callable[[Chain, Sequence[Any]], Any]] = {
    "sum": lambda chain, operands: _fold(chain, "add", chain.constant(0.0), operands),
    "prod": lambda chain, operands: _fold(chain, "mul", chain.constant(1.0), operands),
    "dot": _dot, "norm": _norm, "logsumexp": _logsumexp,
    "largest": _extreme("maximum", -math.inf), "smallest": _extreme("minimum", math.inf),
}
CALLED = frozenset(name for name, row in library().items() if row.scipy or row.called)
KNOWN = frozenset((*EMITTERS, *STEPS, *CHAINS, *CALLED))  # what there is machine code for


class _Emitted:
    """A chain as machine code."""

    def __init__(self, emitter: Emitter) -> None:
        self.emitter = emitter

    def constant(self, number: float) -> str:
        return self.emitter.const(number)

    def add(self, op: str, *operands: str) -> str:
        return emitter_of(op)(self.emitter, operands)


def emitter_of(op: str) -> Emit:
    """The emitter of an operation or of a step."""
    if op in EMITTERS:
        return EMITTERS[op]
    if op in STEPS:
        return STEPS[op].emit
    if op in CALLED:
        return called(op)
    chain = CHAINS[op]
    return lambda e, x: chain(_Emitted(e), x)


def lowered(program: Program, most: int) -> Program:
    """The program with operations of more than ``most`` operands written as chains of steps.

    Args:
        program: what to lower.
        most: how many operands an operation may keep; at least 3.

    Returns:
        A program that computes the same bits; it may hold steps, which only the machine code back
        end knows. The program itself when nothing is too wide.
    """
    wide = np.flatnonzero(program.columns.counts > most).tolist()
    return _Lowering(program, wide).program() if wide else program


class _Lowering:
    """A program some of whose instructions are chains of others.

    Args:
        old: what is written anew.
        wide: the places of the instructions that become chains, if their ops have one.
    """

    def __init__(self, old: Program, wide: Sequence[int]) -> None:
        self.old = old
        self.constants = {bits_key(number): old.n_inputs + i
                          for i, number in enumerate(old.constants)}
        self.numbers = list(old.constants)
        for number in (0.0, 1.0, -1.0):  # all that wide operations begin with
            self.constant(number)
        self.first = old.n_inputs + len(self.numbers)
        columns = old.columns
        self.wide = [i for i in wide if columns.names[columns.codes[i]] in CHAINS]
        self.ops: list[str] = []  # of the chains
        self.operands: list[tuple[int, ...]] = []
        self.slot = self.first  # of the next result

    def constant(self, number: float) -> int:
        key = bits_key(number)
        if key not in self.constants:
            self.constants[key] = self.old.n_inputs + len(self.numbers)
            self.numbers.append(number)
        return self.constants[key]

    def program(self) -> Program:
        """The new program."""
        old, columns = self.old, self.old.columns
        starts, first = columns.starts, old.first
        moved = np.arange(old.n_slots)  # the new slot of each old one
        done = 0
        for i in self.wide:
            moved[first + done:first + i] = np.arange(self.slot, self.slot + i - done)
            self.slot += i - done
            operands = moved[columns.slots[starts[i]:starts[i] + columns.counts[i]]].tolist()
            moved[first + i] = CHAINS[columns.names[columns.codes[i]]](self, operands)
            done = i + 1
        moved[first + done:] = np.arange(self.slot, self.slot + len(old) - done)
        return Program.of_columns(
            old.n_inputs, tuple(self.numbers), self._columns(moved),
            tuple(moved[list(old.outputs)].tolist()),
            tuple(Guard(g.relation, int(moved[g.left]), int(moved[g.right]), g.outcome)
                  for g in old.guards))

    def _columns(self, moved: Array) -> Columns:
        """The instructions that have stayed, and between them the chains."""
        columns, chains = self.old.columns, Columns.of(self.ops, self.operands)
        stays = np.ones(len(columns.codes), dtype=bool)
        stays[self.wide] = False
        n = int(np.count_nonzero(stays)) + len(self.ops)
        is_old = np.zeros(n, dtype=bool)
        is_old[moved[self.old.first:][stays] - self.first] = True
        names = tuple(dict.fromkeys((*columns.names, *chains.names)))
        codes, counts = np.empty(n, np.int64), np.empty(n, np.int64)
        codes[is_old] = columns.codes[stays]
        codes[~is_old] = np.array([names.index(name) for name in chains.names],
                                  dtype=np.int64)[chains.codes]
        counts[is_old], counts[~is_old] = columns.counts[stays], chains.counts
        is_old_slot = np.repeat(is_old, counts)
        slots = np.empty(len(is_old_slot), np.int64)
        slots[is_old_slot] = moved[columns.slots[np.repeat(stays, columns.counts)]]
        slots[~is_old_slot] = chains.slots
        return Columns(names, codes, counts, slots)

    def add(self, op: str, *operands: int) -> int:
        """Append an instruction and return its slot."""
        self.ops.append(op)
        self.operands.append(operands)
        self.slot += 1
        return self.slot - 1
