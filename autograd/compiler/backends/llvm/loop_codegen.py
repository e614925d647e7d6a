"""Machine code for re-rolled programs: loops of a few instructions instead of the long run.

Every slot has its place in one memory, so that a loop's operands are at addresses that advance by
constants. Within an iteration numbers stay in registers, and so does what the next iteration
reads; only what is read from elsewhere is stored. Operations are written by the same emitters in
the same order as for straight code, so the bits are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from autograd.compiler.backends.llvm.codegen import Writer
from autograd.compiler.backends.llvm.emitter import Emitter
from autograd.compiler.backends.llvm.nary_lowering import emitter_of, lowered
from autograd.compiler.program.loop_rerolling import (
    GUARD,
    OUTPUT,
    SUMMED,
    Block,
    Loop,
    Straight,
    Tape,
    roll,
)
from autograd.compiler.program.program import Program
from autograd.core.typing import Array

PIECE = 1_000  # instructions of straight code in one function
MOST_HOISTED = 16  # registers that are filled before a loop; there are 16 or 32
WIDE = 64  # operands that an operation may have without becoming a chain of steps


class _Access(NamedTuple):
    """The slots that an operand reads: one for each iteration of the loops around it.

    Args:
        slot: what the first iteration of all loops reads.
        strides: for each loop, from the outermost on, by how much the slot advances; loops
            inside the last that matters are left out.
    """

    slot: int
    strides: tuple[int, ...]


Path = tuple[Loop, ...]  # the loops around an instruction, from the outermost on


class RolledWriter(Writer):
    """Writes the module of a re-rolled program: one function for each loop or straight piece."""

    def __init__(self, program: Program, rows: tuple[bool, ...] | None, sums: tuple[bool, ...],
                 width: int, vector: dict[str, str], registers: int = 1) -> None:
        source, program = program, lowered(program, WIDE)
        super().__init__(program, rows, sums, width * registers, vector, PIECE)
        self.source, self.lanes = source, width
        self.rolled = rolled = roll(Tape.of(program, sums))
        self.tape, self.code_size = rolled.tape, rolled.code_size
        self.n_memory = self.tape.n_slots
        self.tables = {"data": np.array(program.constants, float)[rolled.data - program.n_inputs]}
        self.needed = np.zeros(self.tape.n_slots, bool)  # slots that are read from memory
        self.stored: set[int] = set()
        self.input_runs = _input_runs(self.is_row)
        self.known: dict[_Access, str] = {}
        self.bases: dict[str, str] = {}  # the registers from which to read inputs
        self.counters: list[str] = []  # the registers that count the iterations of open loops
        self.label, self.n_labels = "", 0
        self.inside = ""  # the register that says which lanes are rows

    def _spills(self) -> dict[int, int]:
        return {}  # every slot has its place

    def module(self) -> str:
        """The whole module as text."""
        blocks = list(_pieces(self.rolled.blocks))
        for block in blocks:  # once to see what is read from memory, and so must be stored
            self._block_function(0, block)
        self._store_needed(blocks, self.needed[self.first:], 0)
        functions = [self._prologue(), *(self._block_function(i, block)
                                         for i, block in enumerate(blocks, 1))]
        parts = ["@data = global ptr null", *functions, self._kernel(len(functions)),
                 *sorted(self.declared), self.ATTRIBUTES]
        return "\n".join(parts) + "\n"

    def _store_needed(self, blocks: Sequence[Block], needed: Array, origin: int) -> None:
        """Note which instructions write a slot that is needed, in any iteration."""
        for block in blocks:
            here: Array = needed[block.start - origin:block.stop - origin]
            if isinstance(block, Loop):
                in_any = np.any(here.reshape(block.count, -1), axis=0)
                self._store_needed(block.body, np.asarray(in_any), block.start)
            else:
                self.stored.update((block.start + np.flatnonzero(here)).tolist())

    # --- functions --------------------------------------------------------------------------------

    def _define(self, index: int, e: Emitter) -> str:
        self.declared |= e.declared
        body = "\n".join(e.lines)
        return (f"define internal void @chunk{index}({self.ARGUMENTS}) noinline #0 {{\nentry:\n"
                "  %data = load ptr, ptr @data\n"
                f"{body}\n  ret void\n}}")

    def _prologue(self) -> str:
        """Copies the inputs that loops read as if they were results, and resets ok."""
        e = self._fresh()
        if self.program.guards:
            self._store_ok(e, e.const(1.0))
        for start, stop in self.input_runs:
            if self.needed[start:stop].any():
                self._copy_inputs(e, _Access(start, (1,)), stop - start)
        return self._define(0, e)

    def _copy_inputs(self, e: Emitter, inputs: _Access, count: int) -> None:
        def body() -> None:
            self._write(e, inputs, self._input(e, inputs))

        self._counted(e, count, body)

    def _block_function(self, index: int, block: Block) -> str:
        e = self._fresh()
        if SUMMED in self._ops(block):
            self.inside = self._inside(e)
        self._block(e, block, ())
        return self._define(index, e)

    def _fresh(self) -> Emitter:
        self.known = {}
        self.bases = {"%rows": "%rows", "%scalars": "%scalars"}
        self.label = "entry"
        return Emitter(self.width, self.vector, self.lanes)

    def _ops(self, block: Block) -> set[str]:
        last = block.start + block.period if isinstance(block, Loop) else block.stop
        return {self.tape.kinds[token][0]
                for token in set(self.tape.tokens[block.start:last].tolist())}

    # --- blocks -----------------------------------------------------------------------------------

    def _block(self, e: Emitter, block: Block, path: Path) -> None:
        if isinstance(block, Loop):
            self._loop(e, block, path)
        else:
            for i in range(block.start, block.stop):
                self._instruction(e, i, path)

    def _loop(self, e: Emitter, loop: Loop, path: Path) -> None:
        outside = self.known.copy()
        bases = self.bases.copy()
        inner = (*path, loop)
        is_crowded = not self._hoist(e, loop, path)
        carried = self._carried(e, loop, path)
        registers = [e.name() for _ in carried]

        def body() -> list[str]:
            if is_crowded:  # or the optimizer would hoist, and keep it all in the stack
                self.bases = {base: e.opaque(base) for base in ("%rows", "%scalars")}
            for register, access in zip(registers, carried, strict=True):
                self.known[access] = register
            for block in loop.body:
                self._block(e, block, inner)
            return [self.known[_Access(access.slot + loop.period, access.strides)]
                    for access in carried]

        self._counted(e, loop.count, body, registers, list(carried.values()))
        self.known, self.bases = outside, bases

    def _counted(self, e: Emitter, count: int, body: Callable[[], Sequence[str] | None],
                 registers: Sequence[str] = (), initial: Sequence[str] = ()) -> None:
        """A loop around what body writes; body returns what the registers hold afterwards."""
        self.n_labels += 1
        head, done, before = f"head{self.n_labels}", f"done{self.n_labels}", self.label
        counter, following = e.name(), e.name()
        e.lines += [f"  br label %{head}", f"{head}:"]
        place = len(e.lines)
        self.counters.append(counter)
        self.label = head
        final = body() or ()
        latch = self.label
        self.counters.pop()
        phis = [f"  {counter} = phi i64 [ 0, %{before} ], [ {following}, %{latch} ]"]
        for register, start, end in zip(registers, initial, final, strict=True):
            phis.append(f"  {register} = phi {e.type} [ {start}, %{before} ], "
                        f"[ {end}, %{latch} ]")
        e.lines[place:place] = phis
        e.lines.append(f"  {following} = add nuw nsw i64 {counter}, 1")
        more = e.add(f"icmp ult i64 {following}, {count}")
        e.lines += [f"  br i1 {more}, label %{head}, label %{done}", f"{done}:"]
        self.label = done

    def _hoist(self, e: Emitter, loop: Loop, path: Path) -> bool:
        """Load before a loop what stands still in it and is written before it, if it is not much.

        Returns:
            Whether it was done.
        """
        still = {access: inner[:len(path)] for access, inner in self._accesses(loop, path)
                 if access not in self.known and len(access.strides) <= len(path)
                 and self._is_before(access, loop, path)}
        if len(still) * self.width > MOST_HOISTED * self.lanes:
            return False
        for access, outer in still.items():
            self._value(e, access, outer)
        return True

    def _is_before(self, access: _Access, loop: Loop, path: Path) -> bool:
        """Whether an access reads what was written before the loop, in all outer iterations."""
        if access.slot >= self.tape.n_slots:
            return True
        return access.slot < self.first + loop.start and all(
            stride <= outer.period
            for stride, outer in zip(access.strides, path, strict=False))

    def _carried(self, e: Emitter, loop: Loop, path: Path) -> dict[_Access, str]:
        """What an iteration reads of the one before; and what the first iteration reads."""
        inner = (*path, loop)
        periods = tuple(each.period for each in inner)
        direct = {i for block in loop.body if isinstance(block, Straight)
                  for i in range(block.start, block.stop)}
        carried: dict[_Access, str] = {}
        for access, _ in self._accesses(loop, path):
            written = access.slot - self.first + loop.period
            if access.strides == periods and written in direct and access not in carried:
                carried[access] = self._value(e, _stripped(access.slot, periods[:-1]), path)
        return carried

    def _accesses(self, loop: Loop, path: Path) -> Iterator[tuple[_Access, Path]]:
        """All that a loop's body reads, with the loops around it."""
        inner = (*path, loop)
        for block in loop.body:
            if isinstance(block, Loop):
                yield from self._accesses(block, inner)
            else:
                for i in range(block.start, block.stop):
                    for access in self._operands(i, inner):
                        yield access, inner

    # --- instructions -----------------------------------------------------------------------------

    def _operands(self, i: int, path: Path) -> list[_Access]:
        """What an instruction reads; the place of an output, below 0, is not among it."""
        offsets = self.tape.offsets
        return [self._access(i, place, path) for place in range(offsets[i], offsets[i + 1])
                if self.rolled.operands[place] >= 0]

    def _access(self, i: int, place: int, path: Path) -> _Access:
        offsets = self.tape.offsets
        return _stripped(int(self.rolled.operands[place]),
                         tuple(int(loop.strides[place - offsets[loop.start]]) for loop in path))

    def _instruction(self, e: Emitter, i: int, path: Path) -> None:
        op = self.tape.kinds[self.tape.tokens[i]][0]
        operands = [self._value(e, access, path) for access in self._operands(i, path)]
        if op in (OUTPUT, SUMMED):
            self._output(e, i, op, operands[0], path)
        elif op.startswith(GUARD):
            _, relation, outcome = op.rsplit(" ", 2)
            self._guard(e, relation, outcome == "True", operands)
        else:
            result = _Access(self.first + i, tuple(loop.period for loop in path))
            self.known[result] = emitter_of(op)(e, operands)
            if i in self.stored:
                self._write(e, result, self.known[result])

    def _output(self, e: Emitter, i: int, op: str, number: str, path: Path) -> None:
        place = self._access(i, self.tape.offsets[i] + 1, path)
        where = _Access(~place.slot, tuple(-stride for stride in place.strides))
        if op == SUMMED:
            e.add_to_sum(self._at(e, "%sums", where, self.lanes), number, self.inside)
            return
        if self.by_rows:
            line = self._index(e, where, 1)
            pointer = self._row_pointer(e, "%out", line)
        else:
            pointer = self._at(e, "%sums", where, 1)
        e.lines.append(f"  store {e.type} {number}, ptr {pointer}, align 8")

    def _guard(self, e: Emitter, relation: str, outcome: bool, operands: Sequence[str]) -> None:
        pointer = e.add("getelementptr double, ptr %ok, i64 %i")
        so_far = e.add(f"load {e.type}, ptr {pointer}, align 8")
        left, right = operands
        self._store_ok(e, e.where_holds(relation, outcome, left, right, so_far, e.const(0.0)))

    def _store_ok(self, e: Emitter, ok: str) -> None:
        pointer = e.add("getelementptr double, ptr %ok, i64 %i")
        e.lines.append(f"  store {e.type} {ok}, ptr {pointer}, align 8")

    # --- numbers ----------------------------------------------------------------------------------

    def _value(self, e: Emitter, access: _Access, path: Path) -> str:
        """The register that holds what an access reads now."""
        if access not in self.known:
            self.known[access] = self._loaded(e, access, path)
        return self.known[access]

    def _loaded(self, e: Emitter, access: _Access, path: Path) -> str:
        slot, tape = access.slot, self.tape
        if slot >= tape.n_slots:
            data = _Access(slot - tape.n_slots, access.strides)
            pointer = self._at(e, "%data", data, 1)
            return self._splat(e, e.add(f"load double, ptr {pointer}, align 8"))
        if tape.n_inputs <= slot < tape.first and not access.strides:
            return e.const(self.program.constants[slot - tape.n_inputs])
        low, high = _span(access, path)
        if any(start <= low and high < stop for start, stop in self.input_runs):
            return self._input(e, access)
        self._need(access, path)
        pointer = self._at(e, "%memory", access, self.width)
        return e.add(f"load {e.type}, ptr {pointer}, align 8")

    def _input(self, e: Emitter, access: _Access) -> str:
        """Inputs that are all scalars or all rows, and stand there in the same order."""
        where = _Access(self.place[access.slot], access.strides)
        if self.is_row[access.slot]:
            pointer = self._row_pointer(e, self.bases["%rows"], self._index(e, where, 1))
            return e.add(f"load {e.type}, ptr {pointer}, align 8")
        pointer = self._at(e, self.bases["%scalars"], where, 1)
        return self._splat(e, e.add(f"load double, ptr {pointer}, align 8"))

    def _need(self, access: _Access, path: Path) -> None:
        slots = np.array(access.slot)
        for stride, loop in zip(access.strides, path, strict=False):
            slots = slots[..., None] + stride * np.arange(loop.count)
        self.needed[slots] = True

    def _write(self, e: Emitter, access: _Access, number: str) -> None:
        pointer = self._at(e, "%memory", access, self.width)
        e.lines.append(f"  store {e.type} {number}, ptr {pointer}, align 8")

    def _at(self, e: Emitter, base: str, access: _Access, scale: int) -> str:
        return e.add(f"getelementptr double, ptr {base}, i64 {self._index(e, access, scale)}")

    def _index(self, e: Emitter, access: _Access, scale: int) -> str:
        """The number of a slot in the iterations that are running, times a scale."""
        index = str(access.slot * scale)
        for stride, counter in zip(access.strides, self.counters, strict=False):
            if stride:
                step = e.add(f"mul nsw i64 {counter}, {stride * scale}")
                index = e.add(f"add nsw i64 {step}, {index}")
        return index


def _stripped(slot: int, strides: tuple[int, ...]) -> _Access:
    while strides and strides[-1] == 0:
        strides = strides[:-1]
    return _Access(slot, strides)


def _span(access: _Access, path: Path) -> tuple[int, int]:
    """The lowest and the highest slot of an access."""
    reach = [stride * (loop.count - 1)
             for stride, loop in zip(access.strides, path, strict=False)]
    return (access.slot + sum(min(0, x) for x in reach),
            access.slot + sum(max(0, x) for x in reach))


def _pieces(blocks: Sequence[Block]) -> Iterator[Block]:
    """The blocks, with long straight ones cut."""
    for block in blocks:
        if isinstance(block, Loop):
            yield block
        else:
            for start in range(block.start, block.stop, PIECE):
                yield Straight(start, min(start + PIECE, block.stop))


def _input_runs(is_row: Sequence[bool]) -> list[tuple[int, int]]:
    """Pieces of the inputs in which all are rows or all are scalars."""
    edges = np.flatnonzero(np.diff(np.asarray(is_row, np.int8))) + 1
    bounds = [0, *edges.tolist(), len(is_row)]
    return [(a, b) for a, b in pairwise(bounds) if b > a]
