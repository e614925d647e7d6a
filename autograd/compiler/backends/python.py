"""The Python back end: a program as Python source that can be read. It is the oracle of the others.

What is promised: wherever the eager engine gives a number, the same bits, for the same functions
of the table are called on the same floats. Where it raises, the result is what IEEE arithmetic
gives (1/0 is inf, log(-1) is nan); a primitive of one's own, about which nothing is known there,
gives nan. Only the sums over rows are NumPy's, which rounds after every pair.

The source is made from a checked program and from nothing else: slots are whole numbers, floats
are written by ``repr``, and of a primitive of one's own only the name is in it, as a string.
"""

from __future__ import annotations

import builtins
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.compiler.backends.interface import InMemory, Signature
from autograd.compiler.backends.numpy import EMITTERS as ON_ARRAYS
from autograd.compiler.backends.numpy import ieee_value, value_or_nan
from autograd.compiler.program.program import Guard, Program
from autograd.core.primitives import DOMAIN_ERRORS, lookup
from autograd.core.typing import Array

CHUNK = 1000  # instructions in one function; Python's compiler slows down on longer ones
READS = 10 * CHUNK  # operands, inputs and outputs in one function

# How a primitive is written; {all} are all operands. The others are functions of their own name if
# the table has always had them; a name of the user's own could be one that the source uses.
EMITTERS: dict[str, str] = {
    "add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "neg": "-{0}", "identity": "{0}"}


class Kernel(InMemory):
    """A compiled program; see :func:`compile`."""

    def __init__(self, program: Program, signature: Signature, chunk: int | None) -> None:
        self.program, self.signature = program, signature
        self._writer = _Writer(program, chunk or CHUNK)
        names = _functions(program)
        self._parts: list[Callable[..., Any]] = []
        for number, text in enumerate(self._writer.functions()):
            exec(builtins.compile(text, f"<program, part {number}>", "exec"), names)
            self._parts.append(names.pop(f"part{number}" if self._writer.is_split else "program"))
        self._run = self._run_parts if self._writer.is_split else self._parts[0]

    @property
    def source(self) -> str:
        """The Python source: one function, or, if the program is long, several in turn."""
        return "\n\n".join(self._writer.functions())

    def __call__(self, scalars: Any, rows: Any = None) -> tuple[Array, Array | None, Any]:
        """Run it, as ``interface`` says."""
        inputs, n = self.signature.inputs(scalars, rows)
        columns = [x.tolist() if x.ndim else itertools.repeat(float(x)) for x in inputs]
        outputs, ok = np.empty((len(self.program.outputs), n)), np.ones(n, dtype=bool)
        for i, *row in zip(range(n), *columns, strict=False):  # what is the same repeats for ever
            outputs[:, i], ok[i] = self._run(*row)
        return self.signature.results(outputs, ok)

    def point(self, numbers: Any) -> Array | None:
        """The outputs at one point, or None where a guard does not hold: a call with no checks.

        Args:
            numbers: a list or a float array with a number for each input.
        """
        outputs, ok = self._run(*(numbers if isinstance(numbers, list) else numbers.tolist()))
        return np.array(outputs, dtype=float) if ok else None

    def _run_parts(self, *inputs: float) -> tuple[list[float], bool]:
        program = self.program
        memory = [*inputs, *program.constants, *itertools.repeat(0.0, len(program))]
        held = [part(memory) for part in self._parts]
        return [memory[slot] for slot in program.outputs], all(held)


def compile(program: Program, row_inputs: Sequence[bool] | None = None,
            sums: Sequence[bool] | None = None, chunk: int | None = None) -> Kernel:
    """Compile a program to Python functions, as ``interface`` says; ``kernel.source`` is the text.

    Args:
        program, row_inputs, sums: see there.
        chunk: how many instructions to put into one function; None chooses.
    """
    return Kernel(program, Signature(program, row_inputs, sums), chunk)


def _functions(program: Program) -> dict[str, Any]:
    """The names that the source may use: the functions of the program's ops, inf and nan."""
    ops = sorted(set(program.ops))
    return {"__builtins__": {}, "inf": math.inf, "nan": math.nan,
            "own": {op: value_or_nan(lookup(op)) for op in ops if op not in ON_ARRAYS},
            **{op: _ieee(op) for op in ops if op in ON_ARRAYS}}


def _template(op: str) -> str:
    return EMITTERS.get(op, f"{op}({{all}})" if op in ON_ARRAYS else f"own[{op!r}]({{all}})")


def _ieee(op: str) -> Callable[..., float]:
    """The value of a built-in row; where it raises, what NumPy gives, and that is IEEE's."""
    row = lookup(op)
    value = row.value

    def function(*operands: float) -> float:
        try:
            return value(*operands)
        except DOMAIN_ERRORS:
            return ieee_value(row, operands)

    return function


class _Writer:
    """Writes the source of a program.

    A program of bounded size is one function, which takes the inputs and returns the outputs and
    whether all guards hold. A longer one is cut into parts; each reads what others have computed
    from ``memory``, a list with a place for every slot, and returns whether its guards hold.
    """

    def __init__(self, program: Program, chunk: int) -> None:
        for op in set(program.ops):
            lookup(op)  # whose error says what to do about an unknown one
        self.program, self.chunk = program.validate(), chunk
        reads = (program.n_inputs + len(program.outputs) + 2 * len(program.guards)
                 + sum(map(len, program.operands)))
        self.is_split = len(program) > chunk or reads > READS
        self.here: set[int] = set()  # slots that are variables in the function being written
        self.parts = list(self._cut()) if self.is_split else [range(len(program))]
        self.shared = self._shared() if self.is_split else set()

    def functions(self) -> Iterator[str]:
        """The source, function by function."""
        if not self.is_split:
            yield self._whole()
            return
        for number, part in enumerate(self.parts):
            yield self._part(number, part)
        guards = self.program.guards
        for number, start in enumerate(range(0, len(guards), self.chunk), len(self.parts)):
            self.here = set()
            yield (f"def part{number}(memory):\n"
                   f"    return {self._guards(guards[start:start + self.chunk])}\n")

    def _whole(self) -> str:
        program = self.program
        self.here = set(range(program.n_slots))
        inputs = ", ".join(map(program.name, range(program.n_inputs)))
        outputs = ", ".join(map(self._read, program.outputs))
        lines = [self._instruction(i) for i in range(len(program))]
        body = "\n    ".join([*lines, f"ok = {self._guards(program.guards)}",
                              f"return [{outputs}], ok"])
        return f"def program({inputs}):\n    {body}\n"

    def _part(self, number: int, part: range) -> str:
        self.here = set()
        lines = []
        for i in part:
            lines.append(self._instruction(i))
            self.here.add(self.program.first + i)
        body = "\n    ".join([*lines, "return True"])
        return f"def part{number}(memory):\n    {body}\n"

    def _instruction(self, i: int) -> str:
        program = self.program
        op, slot = program.ops[i], program.first + i
        operands = [self._read(x) for x in program.operands[i]]
        right = _template(op).format(*operands, all=", ".join(operands))
        place = f"memory[{slot}] = " if slot in self.shared else ""
        return f"{place}{program.name(slot)} = {right}"

    def _read(self, slot: int) -> str:
        program = self.program
        if program.n_inputs <= slot < program.first:
            return repr(program.constants[slot - program.n_inputs])
        return program.name(slot) if slot in self.here else f"memory[{slot}]"

    def _guards(self, guards: Sequence[Guard]) -> str:
        return " and ".join(f"({self._read(guard.left)} {guard.relation} "
                            f"{self._read(guard.right)}) is {guard.outcome}"
                            for guard in guards) or "True"

    def _cut(self) -> Iterator[range]:
        """The instructions of each part."""
        start = reads = 0
        for i, operands in enumerate(self.program.operands):
            if i - start >= self.chunk or (reads + len(operands) > READS and i > start):
                yield range(start, i)
                start, reads = i, 0
            reads += len(operands)
        yield range(start, len(self.program))

    def _shared(self) -> set[int]:
        """The results that another part reads, or the end."""
        program = self.program
        shared = {*program.outputs, *(slot for guard in program.guards
                                      for slot in (guard.left, guard.right))}
        for part in self.parts:
            start = program.first + part.start
            shared.update(slot for i in part for slot in program.operands[i] if slot < start)
        return shared
