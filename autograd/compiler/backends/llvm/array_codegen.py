"""Machine code for array programs: a few loops, in which many rows stand side by side.

A block of rows goes through all steps before the next one. Sums of products keep several results
in registers while they go along their operands; products that are summed over the rows are matrix
products of two blocks. So the work is that of a matrix library, in code that needs none.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from autograd.compiler.backends.array_layout import Layout
from autograd.compiler.backends.interface import Unsupported
from autograd.compiler.backends.llvm.codegen import Writer, kernel_function
from autograd.compiler.backends.llvm.nary_lowering import emitter_of
from autograd.compiler.backends.llvm.structured import Code
from autograd.compiler.program.array_program import Affine, ArrayProgram, Slots, Step
from autograd.compiler.program.array_recognition import even_blocks
from autograd.compiler.program.program import Program
from autograd.core.typing import Array

UNROLLED = 512  # numbers without a pattern that are written one by one
MOST_OPERANDS = 64  # of an operation of any number of operands, other than sums

SCALAR, CONSTANT, SHARED, ROW, LINE = range(5)  # where numbers stand


@dataclass(frozen=True)
class _Source:
    """Numbers at places that grow evenly."""

    kind: int
    start: int
    strides: tuple[int, ...]


class ArrayWriter:
    """Writes the module of an array program: a function for each step, and one that calls them.

    Args:
        arrays: the program.
        source: the linear program that it computes.
        rows, sums: as for ``Writer``.
        lanes: how many rows a register holds.
        vector: the symbol of each function of libmvec.
        registers: how many registers of rows go through the loops side by side.

    Raises:
        Unsupported: where too much of it has no pattern.
    """

    def __init__(self, arrays: ArrayProgram, source: Program, rows: tuple[bool, ...],
                 sums: tuple[bool, ...], lanes: int, vector: dict[str, str],
                 registers: int = 4) -> None:
        self.program, self.source, self.sums, self.rows = arrays, source, sums, rows
        self.vector, self.register = vector, lanes
        self.width = registers * lanes
        self.tile = 4 if lanes >= 8 else 2  # results at once: there are 32 or 16 registers
        self.lanes = 1  # of each sum that a kernel leaves
        self.is_small, self.code_size = True, len(arrays)
        self.layout = layout = Layout(arrays, rows, sums)
        self.tables = {"constants": np.array(arrays.constants, float)}
        kinds = np.where(layout.varies, LINE, SHARED)
        kinds[:arrays.n_inputs] = np.where(rows, ROW, SCALAR)
        kinds[arrays.n_inputs:arrays.first] = CONSTANT
        self.kinds = kinds
        n_rows, n_scalars = sum(rows), len(rows) - sum(rows)
        base = np.array([0, n_scalars, n_scalars + len(arrays.constants), 0, n_rows])
        self.places = layout.offset - base[kinds]
        n_shared = int((kinds == SHARED).sum())
        self.first_line = -(-n_shared // self.width)  # shared results come first in memory
        longest = max((arrays.steps[i].shape[1 - self._side(arrays.steps[i])]
                       for i in layout.products), default=0)
        self.scratch = self.first_line + int((kinds == LINE)[layout.stored].sum())
        self.n_memory = self.scratch + -(-longest // self.width) * self.width
        self.declared: set[str] = set()

    # --- the module -------------------------------------------------------------------------------

    def module(self) -> str:
        """The whole module as text."""
        once: list[str] = []
        by_rows = [self._function("prologue", self._prologue)]
        for i, (step, start) in enumerate(zip(self.program.steps, self.program.starts(),
                                              strict=True)):
            if i in self.layout.products:
                write = self._product_writer(step, self.layout.products[i])
            else:
                write = self._step_writer(step, start)
            varies = bool(self.layout.varies[start])
            (by_rows if varies else once).append(
                self._function(f"step{i}", write, self.width if varies else 1))
        by_rows.append(self._function("results", self._results))
        names = [[text.split("@", 1)[1].split("(", 1)[0] for text in texts]
                 for texts in (once, by_rows)]
        parts = ["@constants = global ptr null", *once, *by_rows,
                 kernel_function(self.width, names[1], names[0]), *sorted(self.declared),
                 Writer.ATTRIBUTES]
        return "\n".join(parts) + "\n"

    def _function(self, name: str, write: Callable[[Code], None], width: int = 0) -> str:
        width = width or self.width
        e = Code(width, self.vector, self.register if width > 1 else None)
        write(e)
        self.declared |= e.declared
        body = "\n".join([*e.variables, *e.lines])
        return (f"define internal void @{name}({Writer.ARGUMENTS}) noinline #0 {{\nentry:\n"
                f"  %constants = load ptr, ptr @constants\n{body}\n  ret void\n}}")

    def _prologue(self, e: Code) -> None:
        if self.program.guards:
            self._store(e, e.const(1.0), e.at("%ok", "%i"))

    # --- where numbers stand ----------------------------------------------------------------------

    def _source(self, slots: Slots, shape: tuple[int, ...]) -> _Source | None:
        """Where the numbers of some slots stand, if that has a pattern."""
        if not isinstance(slots, Affine):
            return None
        table = slots.slots(shape)
        kinds = self.kinds[table].reshape(-1)
        places = self.places[table]
        if not kinds.size or (kinds != kinds[0]).any():
            return None
        strides = []
        for axis, size in enumerate(shape):
            steps = np.diff(places, axis=axis).reshape(-1)
            if size > 1 and (steps != steps[0]).any():
                return None
            strides.append(int(steps[0]) if steps.size else 0)
        return _Source(int(kinds[0]), int(places.reshape(-1)[0]), tuple(strides))

    def _one(self, slot: int) -> _Source:
        return _Source(int(self.kinds[slot]), int(self.places[slot]), ())

    def _pointer(self, e: Code, source: _Source, indices: Sequence[str]) -> str:
        place: str | int = source.start
        for stride, index in zip(source.strides, indices, strict=True):
            if stride:
                step = index if stride == 1 else e.whole("mul", index, stride)
                place = e.whole("add", step, place)
        if source.kind == ROW:
            return e.at("%rows", e.whole("add", e.whole("mul", place, "%stride"), "%i"))
        if source.kind == LINE:
            line = e.whole("add", place, self.first_line)
            return e.at("%memory", e.whole("mul", line, self.width))
        return e.at({SCALAR: "%scalars", CONSTANT: "%constants", SHARED: "%memory"}[source.kind],
                    place)

    def _load(self, e: Code, source: _Source, indices: Sequence[str] = ()) -> str:
        if source.kind == CONSTANT and not any(source.strides):
            return e.const(self.program.constants[source.start])
        pointer = self._pointer(e, source, indices)
        if source.kind in (ROW, LINE):
            return e.load(e.type, pointer)
        return _splat(e, e.load("double", pointer))

    @staticmethod
    def _store(e: Code, number: str, pointer: str) -> None:
        e.store(e.type, number, pointer)

    def _each(self, e: Code, columns: Array, is_slot: Sequence[bool],
              body: Callable[[list[_Source], list[str]], None]) -> None:
        """Write a body for each line of a table of slots and of other whole numbers.

        Args:
            columns: shape (n, k).
            is_slot: for each column whether it holds slots.
            body: is handed the source of each column (of other numbers: that they count from),
                and the registers of the counters.
        """
        for start, stop, shape, strides in even_blocks(columns):
            first = columns[start]
            patterns = [Affine(int(x), tuple(map(int, along)))
                        for x, along in zip(first, strides.T, strict=True)]
            sources = [self._source(x, shape) if flag else _Source(SCALAR, x.start, x.strides)
                       for x, flag in zip(patterns, is_slot, strict=True)]
            if all(source is not None for source in sources):
                with ExitStack() as loops:
                    counters = [loops.enter_context(e.counting(str(size))) for size in shape]
                    body([x for x in sources if x is not None], counters)
                continue
            if stop - start > UNROLLED:
                raise Unsupported("too many numbers stand in no pattern")
            for line in columns[start:stop].tolist():
                body([self._one(x) if flag else _Source(SCALAR, x, ())
                      for x, flag in zip(line, is_slot, strict=True)], [])

    @staticmethod
    def _index(e: Code, source: _Source, counters: Sequence[str]) -> str:
        """A whole number that counts along the loops."""
        place = str(source.start)
        for stride, counter in zip(source.strides, counters, strict=True):
            if stride:
                place = e.whole("add", e.whole("mul", counter, stride), place)
        return place

    # --- steps ------------------------------------------------------------------------------------

    def _step_writer(self, step: Step, start: int) -> Callable[[Code], None]:
        """Writes a step, all of whose results stand side by side."""
        strides = tuple(int(np.prod(step.shape[axis + 1:])) for axis in range(len(step.shape)))
        target = _Source(int(self.kinds[start]), int(self.places[start]), strides)
        sources = [self._source(slots, step.operand_shape(i))
                   for i, slots in enumerate(step.operands)]
        if any(source is None for source in sources):
            return lambda e: self._unrolled(e, step, start)
        known = [source for source in sources if source is not None]
        if step.op in ("dot", "sum") or (step.op == "add" and step.lengths):
            return lambda e: self._sums(e, step, known, target)
        if step.lengths:
            return lambda e: self._nary(e, step, known, target)
        return lambda e: self._elementwise(e, step, known, target)

    def _unrolled(self, e: Code, step: Step, start: int) -> None:
        if step.size > UNROLLED:
            raise Unsupported(f"{step.size} results of {step.op} read numbers in no pattern")
        for i, operands in enumerate(step.rows()):
            if len(operands) > 2 * MOST_OPERANDS:
                raise Unsupported(f"{step.op} reads {len(operands)} numbers in no pattern")
            numbers = [self._load(e, self._one(slot)) for slot in operands]
            result = (functools.reduce(lambda a, b: e.op("fadd", a, b), numbers)
                      if step.op == "add" else emitter_of(step.op)(e, numbers))
            self._store(e, result, self._pointer(e, self._one(start + i), ()))

    def _elementwise(self, e: Code, step: Step, sources: Sequence[_Source],
                     target: _Source) -> None:
        with ExitStack() as loops:
            counters = [loops.enter_context(e.counting(str(size))) for size in step.shape]
            numbers = [self._load(e, source, counters) for source in sources]
            self._store(e, emitter_of(step.op)(e, numbers), self._pointer(e, target, counters))

    def _nary(self, e: Code, step: Step, sources: Sequence[_Source], target: _Source) -> None:
        if sum(step.lengths) > MOST_OPERANDS:
            raise Unsupported(f"{step.op} of {sum(step.lengths)} operands")
        with ExitStack() as loops:
            counters = [loops.enter_context(e.counting(str(size))) for size in step.shape]
            numbers = [self._load(e, source, [*counters, str(k)])
                       for source, length in zip(sources, step.lengths, strict=True)
                       for k in range(length)]
            self._store(e, emitter_of(step.op)(e, numbers), self._pointer(e, target, counters))

    def _sums(self, e: Code, step: Step, sources: Sequence[_Source], target: _Source) -> None:
        """Sums, of products or of numbers: some results at once, along their operands."""
        sides = 2 if step.paired else 1
        segments = [(sources[sides * i:sides * i + sides], length)
                    for i, length in enumerate(step.lengths)]
        last = step.shape[-1] if step.shape else 1
        whole = last - last % self.tile
        with ExitStack() as loops:
            outer = [loops.enter_context(e.counting(str(size))) for size in step.shape[:-1]]
            for start, stop, tile in ((0, whole, self.tile), (whole, last, 1)):
                if stop == start:
                    continue
                with e.counting(str(stop - start), tile) as counted:
                    first = e.whole("add", counted, start)
                    inner = [e.whole("add", first, t) for t in range(tile)] if step.shape else []
                    self._tile(e, step.op, segments, target, [[*outer, j] for j in inner] or [[]])

    def _tile(self, e: Code, op: str, segments: Sequence[tuple[Sequence[_Source], int]],
              target: _Source, results: Sequence[list[str]]) -> None:
        nothing = e.const(-0.0 if op == "add" else 0.0)  # to which any number is added exactly
        totals = [e.variable(e.type, nothing) for _ in results]
        for sources, length in segments:
            with e.counting(str(length)) as k:
                shared = {source: self._load(e, source, [*results[0], k]) for source in sources
                          if len(source.strides) < 2 or source.strides[-2] == 0}
                for total, counters in zip(totals, results, strict=True):
                    numbers = [shared[source] if source in shared
                               else self._load(e, source, [*counters, k]) for source in sources]
                    before = e.load(e.type, total)
                    after = (e.intrinsic("fma", *numbers, before) if len(numbers) == 2
                             else e.op("fadd", before, numbers[0]))
                    self._store(e, after, total)
        for total, counters in zip(totals, results, strict=True):
            self._store(e, e.load(e.type, total), self._pointer(e, target, counters))

    # --- sums over the rows -----------------------------------------------------------------------

    @staticmethod
    def _side(step: Step) -> int:
        """Which operand of a product of two lists changes along the first axis of the result."""
        a = step.operands[0]
        assert isinstance(a, Affine)
        return 0 if a.strides[1] == 0 else 1

    def _product_writer(self, step: Step, places: Array) -> Callable[[Code], None]:
        side = self._side(step)
        left, right = (self._source(step.operands[i], step.shape) for i in (side, 1 - side))
        if left is None or right is None or not {left.kind, right.kind} <= {ROW, LINE} or (
                places.shape[1] > 1 and (np.diff(places, axis=1) != 1).any()):
            raise Unsupported("a product that is summed over the rows has no pattern")
        steps = np.diff(places[:, 0])
        if steps.size and (steps != steps[0]).any():
            raise Unsupported("a product that is summed over the rows has no pattern")
        goal = (int(places[0, 0]), int(steps[0]) if steps.size else 0)
        return lambda e: self._product(e, step.shape, left, right, goal)

    def _product(self, e: Code, shape: tuple[int, ...], left: _Source, right: _Source,
                 goal: tuple[int, int]) -> None:
        """Add the products of two blocks of rows, one of them transposed, to a matrix of sums."""
        m, n = shape
        padded = -(-n // self.width) * self.width
        live = self._live(e)
        scratch = e.at("%memory", self.scratch * self.width)
        with e.counting(str(n)) as j:
            source = self._pointer(e, right, ["0", j])
            target = e.at(scratch, j)
            with e.counting(live) as r:
                e.store("double", e.load("double", e.at(source, r)),
                        e.at(target, e.whole("mul", r, padded)))
        whole = m - m % self.tile
        for start, stop, tile in ((0, whole, self.tile), (whole, m, 1)):
            if stop > start:
                with e.counting(str(stop - start), tile) as counted:
                    first = e.whole("add", counted, start)
                    lines = [e.whole("add", first, t) for t in range(tile)]
                    with e.counting(str(padded), self.width) as column:
                        self._product_tile(e, left, scratch, padded, n, goal, lines, column, live)

    def _product_tile(self, e: Code, left: _Source, scratch: str, padded: int, n: int,
                      goal: tuple[int, int], lines: Sequence[str], column: str,
                      live: str) -> None:
        totals = [e.variable(e.type, e.const(0.0)) for _ in lines]
        pointers = [self._pointer(e, left, [line, "0"]) for line in lines]
        with e.counting(live) as r:
            place = e.whole("add", e.whole("mul", r, padded), column)
            other = e.load(e.type, e.at(scratch, place))
            for total, pointer in zip(totals, pointers, strict=True):
                number = _splat(e, e.load("double", e.at(pointer, r)))
                self._store(e, e.intrinsic("fma", number, other, e.load(e.type, total)), total)
        inside = _lanes_below(e, e.whole("sub", n, column))
        for total, line in zip(totals, lines, strict=True):
            place = e.whole("add", e.whole("mul", line, goal[1]), goal[0])
            self._add_masked(e, e.at("%sums", e.whole("add", place, column)),
                             e.load(e.type, total), inside)

    @staticmethod
    def _add_masked(e: Code, pointer: str, number: str, inside: str) -> None:
        kind, suffix = e.type, f"v{e.width}f64.p0"
        e.declared |= {
            f"declare {kind} @llvm.masked.load.{suffix}(ptr, i32, {e.bool}, {kind})",
            f"declare void @llvm.masked.store.{suffix}({kind}, ptr, i32, {e.bool})"}
        before = e.add(f"call {kind} @llvm.masked.load.{suffix}(ptr {pointer}, i32 8, "
                       f"{e.bool} {inside}, {kind} zeroinitializer)")
        after = e.op("fadd", before, number)
        e.lines.append(f"  call void @llvm.masked.store.{suffix}({kind} {after}, ptr {pointer}, "
                       f"i32 8, {e.bool} {inside})")

    def _live(self, e: Code) -> str:
        """How many rows of the block are rows, and not padding behind the last one."""
        left = e.whole("sub", "%n", "%i")
        less = e.add(f"icmp slt i64 {left}, {self.width}")
        return e.add(f"select i1 {less}, i64 {left}, i64 {self.width}")

    # --- results ----------------------------------------------------------------------------------

    def _results(self, e: Code) -> None:
        layout = self.layout
        for guard in sorted({guard[::3] for guard in self.program.guards}):
            self._guards(e, *guard)
        if len(layout.returned):
            lines = np.column_stack([layout.returned, np.arange(len(layout.returned))])
            self._each(e, lines, (True, False), lambda sources, counters: self._store(
                e, self._load(e, sources[0], counters), self._out(e, sources[1], counters)))
        kept = layout.stored[layout.summed] if len(layout.summed) else np.zeros(0, bool)
        if kept.any():
            columns = np.column_stack([layout.summed[kept], np.flatnonzero(kept)])
            live = self._live(e)
            inside = _lanes_below(e, live)

            def add_up(sources: list[_Source], counters: list[str]) -> None:
                number = self._load(e, sources[0], counters)
                self._add_up(e, number, inside, e.at("%sums", self._index(e, sources[1],
                                                                          counters)))

            self._each(e, columns, (True, False), add_up)

    def _out(self, e: Code, line: _Source, counters: Sequence[str]) -> str:
        place = e.whole("mul", self._index(e, line, counters), "%stride")
        return e.at("%out", e.whole("add", place, "%i"))

    @staticmethod
    def _add_up(e: Code, number: str, inside: str, pointer: str) -> None:
        """Add the rows of a number to a sum."""
        symbol = f"@llvm.vector.reduce.fadd.v{e.width}f64"
        e.declared.add(f"declare double {symbol}(double, {e.type})")
        rows = e.select(inside, number, e.const(0.0))
        total = e.add(f"call reassoc double {symbol}(double 0.0, {e.type} {rows})")
        before = e.load("double", pointer)
        e.store("double", e.add(f"fadd double {before}, {total}"), pointer)

    def _guards(self, e: Code, relation: str, outcome: bool) -> None:
        pairs = np.array([(guard.left, guard.right) for guard in self.program.guards
                          if guard[::3] == (relation, outcome)])
        so_far = e.variable(e.type, e.load(e.type, e.at("%ok", "%i")))

        def check(sources: list[_Source], counters: list[str]) -> None:
            left, right = (self._load(e, source, counters) for source in sources)
            holds = e.where_holds(relation, outcome, left, right, e.load(e.type, so_far),
                                  e.const(0.0))
            self._store(e, holds, so_far)

        self._each(e, pairs, (True, True), check)
        self._store(e, e.load(e.type, so_far), e.at("%ok", "%i"))


def _splat(e: Code, number: str) -> str:
    if e.width == 1:
        return number
    one = e.add(f"insertelement {e.type} undef, double {number}, i32 0")
    return e.add(f"shufflevector {e.type} {one}, {e.type} undef, "
                 f"<{e.width} x i32> zeroinitializer")


def _lanes_below(e: Code, count: str) -> str:
    """Which lanes have a number below a count."""
    kind = f"<{e.width} x i64>"
    one = e.add(f"insertelement {kind} undef, i64 {count}, i32 0")
    all_counts = e.add(f"shufflevector {kind} {one}, {kind} undef, "
                       f"<{e.width} x i32> zeroinitializer")
    lanes = ", ".join(f"i64 {lane}" for lane in range(e.width))
    return e.add(f"icmp slt {kind} <{lanes}>, {all_counts}")
