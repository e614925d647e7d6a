"""An interpreter in machine code: for long irregular programs, which take too long to compile.

It is one loop over a table of instructions; each is a number for the operation and the slots of
its operands, and writes the slot after the one that the instruction before it wrote. The loop
depends on no program, only on the width of the registers, so that its machine code comes from the
cache: a program costs the making of its table. The operations are written by the same emitters as
in compiled code, so the bits are the same; with rows, each instruction handles a register full.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autograd.compiler.backends.llvm.codegen import Writer
from autograd.compiler.backends.llvm.emitter import Emitter
from autograd.compiler.backends.llvm.nary_lowering import CALLED, CHAINS, emitter_of, lowered
from autograd.compiler.backends.llvm.ops import EMITTERS, STEPS
from autograd.compiler.program.loop_rerolling import GUARD, OUTPUT, SUMMED, Tape
from autograd.compiler.program.program import RELATIONS, Program
from autograd.core.primitive import lookup
from autograd.core.typing import Array

MOST = 3  # operands of one instruction
WORDS = 1 + MOST  # of a line of the table
_END, _SCALAR, _ROW, _CONSTANT = "end", "scalar", "row", "constant"


def instructions(called: Sequence[str] = ()) -> list[tuple[str, int]]:
    """What the interpreter can do, as (name, number of operands), in the order of its numbers.

    Args:
        called: the rows of the library among these, for which SciPy may have to be loaded.
    """
    special = [(_END, 0), (_SCALAR, 1), (_ROW, 1), (_CONSTANT, 1), (OUTPUT, 2), (SUMMED, 2)]
    guards = [(f"{GUARD} {relation} {outcome}", 2) for relation in RELATIONS
              for outcome in (True, False)]
    ops = []
    for op in (*EMITTERS, *CHAINS, *called):
        arity = lookup(op).arity
        step = 2 if lookup(op).paired else 1
        ops += [(op, n) for n in (range(0, MOST + 1, step) if arity is None else (arity,))]
    return [*special, *guards, *ops, *((name, step.arity) for name, step in STEPS.items())]


class InterpreterWriter(Writer):
    """Writes the interpreter's module, and the table of a program for it.

    Args:
        program, rows, sums, width, vector: as for the writer of compiled code.
    """

    reason = ("the program is interpreted: it is long, and not made of loops or arrays, so that "
              "LLVM would take too long for it")
    optimizes = True  # once for all programs

    def __init__(self, program: Program, rows: tuple[bool, ...] | None, sums: tuple[bool, ...],
                 width: int, vector: dict[str, str]) -> None:
        source, program = program, lowered(program, MOST)
        super().__init__(program, rows, sums, width, vector, 1)
        self.source, self.code_size = source, 0  # all programs share its code
        self.instructions = instructions(sorted(CALLED.intersection(program.different_ops)))
        tape = Tape.of(program, sums)
        self.n_memory = tape.n_slots
        self.tables = {"table": self._table(tape),
                       "constants": np.array(program.constants, float)}

    def _spills(self) -> dict[int, int]:
        return {}  # every slot has its place

    # --- the table --------------------------------------------------------------------------------

    def _table(self, tape: Tape) -> Array:
        """A line for each input, constant, instruction, output and guard, and one for the end."""
        numbers = {kind: number for number, kind in enumerate(self.instructions)}
        table = np.zeros((tape.n_slots + 1, WORDS), np.int32)
        for slot, row in enumerate(self.is_row):
            table[slot, :2] = numbers[(_ROW if row else _SCALAR, 1)], self.place[slot]
        table[tape.n_inputs:tape.first, 0] = numbers[(_CONSTANT, 1)]
        table[tape.n_inputs:tape.first, 1] = np.arange(tape.first - tape.n_inputs)
        lines = table[tape.first:-1]
        lines[:, 0] = np.array([numbers[kind] for kind in tape.kinds], np.int32)[tape.tokens]
        arities = np.diff(tape.offsets)
        for i in range(MOST):
            here = np.flatnonzero(arities > i)
            lines[here, 1 + i] = tape.operands[tape.offsets[here] + i]
        outputs = np.flatnonzero(lines[:, 2] < 0)
        lines[outputs, 2] = ~lines[outputs, 2]
        table[-1, 0] = numbers[(_END, 0)]
        return table

    # --- the module -------------------------------------------------------------------------------

    def module(self) -> str:
        """The whole module as text; it is the same for all programs of the same instructions."""
        e = Emitter(self.width, self.vector)
        cases = [f"case{number}:\n{self._case(e, *kind)}"
                 for number, kind in enumerate(self.instructions)]
        parts = ["@table = global ptr null", "@constants = global ptr null",
                 self._interpreter(e, cases), self._kernel(1), *sorted(e.declared),
                 self.ATTRIBUTES]
        return "\n".join(parts) + "\n"

    def _interpreter(self, e: Emitter, cases: Sequence[str]) -> str:
        targets = " ".join(f"i32 {number}, label %case{number}" for number in range(len(cases)))
        bodies = "\n".join(cases)
        words = "\n".join(f"  %word{i} = getelementptr i32, ptr %line, i64 {i}"
                          for i in range(1, WORDS))
        return f"""define internal void @chunk0({self.ARGUMENTS}) #0 {{
entry:
  %table = load ptr, ptr @table
  %constants = load ptr, ptr @constants
  %ok_here = getelementptr double, ptr %ok, i64 %i
  store {e.type} {e.const(1.0)}, ptr %ok_here, align 8
  br label %dispatch
dispatch:
  %line = phi ptr [ %table, %entry ], [ %next_line, %following ]
  %result = phi ptr [ %memory, %entry ], [ %next_result, %following ]
  %op = load i32, ptr %line
{words}
  switch i32 %op, label %impossible [ {targets} ]
{bodies}
following:
  %next_line = getelementptr i32, ptr %line, i64 {WORDS}
  %next_result = getelementptr double, ptr %result, i64 {self.width}
  br label %dispatch
impossible:
  unreachable
}}"""

    def _case(self, e: Emitter, name: str, arity: int) -> str:
        """What one instruction does."""
        if name == _END:
            return "  ret void"
        e.lines = []
        if name in _SPECIAL:
            _SPECIAL[name](self, e)
        elif name.startswith(GUARD):
            self._guard(e, name)
        else:
            self._put(e, emitter_of(name)(e, [self._get(e, i) for i in range(1, arity + 1)]))
        return "\n".join([*e.lines, "  br label %following"])

    def _word(self, e: Emitter, i: int) -> str:
        word = e.add(f"load i32, ptr %word{i}")
        return e.add(f"zext i32 {word} to i64")

    def _get(self, e: Emitter, i: int) -> str:
        """The number in the slot that a word of the line names."""
        pointer = e.add(f"getelementptr {e.type}, ptr %memory, i64 {self._word(e, i)}")
        return e.add(f"load {e.type}, ptr {pointer}, align 8")

    def _put(self, e: Emitter, number: str, pointer: str = "%result") -> None:
        e.lines.append(f"  store {e.type} {number}, ptr {pointer}, align 8")

    def _broadcast(self, e: Emitter, base: str) -> None:
        pointer = e.add(f"getelementptr double, ptr {base}, i64 {self._word(e, 1)}")
        self._put(e, self._splat(e, e.add(f"load double, ptr {pointer}, align 8")))

    def _row(self, e: Emitter) -> None:
        pointer = self._row_pointer(e, "%rows", self._word(e, 1))
        self._put(e, e.add(f"load {e.type}, ptr {pointer}, align 8"))

    def _output(self, e: Emitter) -> None:
        number, place = self._get(e, 1), self._word(e, 2)
        if self.width > 1:
            self._put(e, number, self._row_pointer(e, "%out", place))
        else:
            self._put(e, number, e.add(f"getelementptr double, ptr %sums, i64 {place}"))

    def _sum(self, e: Emitter) -> None:
        number = self._get(e, 1)
        pointer = e.add(f"getelementptr {e.type}, ptr %sums, i64 {self._word(e, 2)}")
        e.add_to_sum(pointer, number, self._inside(e) if self.width > 1 else "true")

    def _guard(self, e: Emitter, name: str) -> None:
        _, relation, outcome = name.rsplit(" ", 2)
        so_far = e.add(f"load {e.type}, ptr %ok_here, align 8")
        self._put(e, e.where_holds(relation, outcome == "True", self._get(e, 1),
                                   self._get(e, 2), so_far, e.const(0.0)), "%ok_here")


_SPECIAL: dict[str, Callable[[InterpreterWriter, Emitter], None]] = {
    _SCALAR: lambda writer, e: writer._broadcast(e, "%scalars"),
    _CONSTANT: lambda writer, e: writer._broadcast(e, "%constants"),
    _ROW: InterpreterWriter._row, OUTPUT: InterpreterWriter._output,
    SUMMED: InterpreterWriter._sum,
}
