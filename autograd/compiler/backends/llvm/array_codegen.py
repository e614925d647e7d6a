"""Machine code for array programs: a few loops, in which many rows stand side by side.

A block of rows goes through all steps before the next one. Sums of products keep several results
in registers while they go along their operands; products that are summed over the rows are matrix
products of two blocks. So the work is that of a matrix library, in code that needs none. At one
point, and for what all rows share, neighbours along the last axis of a step stand side by side.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.compiler.backends.array_layout import Layout
from autograd.compiler.backends.interface import Unsupported
from autograd.compiler.backends.llvm.codegen import Writer, in_pieces, kernel_function
from autograd.compiler.backends.llvm.nary_lowering import emitter_of
from autograd.compiler.backends.llvm.structured import Code
from autograd.compiler.program.array_program import Affine, ArrayProgram, Slots, Step, Table
from autograd.compiler.program.array_recognition import even_blocks
from autograd.compiler.program.program import Program
from autograd.core.typing import Array

PIECE = 500_000  # operands of a part of a step that one thread does: some 15 us
TURNED = 10  # operands that take as long as putting one number elsewhere
IN_CACHE = 112  # operands of a sum, a register of rows each, that stay in the nearest cache
AT_ONCE = 16  # sums of plain numbers side by side: each addition waits for the one before
UNROLLED = 512  # numbers without a pattern that are written one by one
MOST_PATTERNS = 16  # of results, or of guards, each of which is a loop
MOST_OPERANDS = 64  # of an operation of any number of operands, other than sums

SCALAR, CONSTANT, SHARED, ROW, LINE = range(5)  # where numbers stand


@dataclass(frozen=True)
class _Source:
    """Numbers at places that grow evenly."""

    kind: int
    start: int
    strides: tuple[int, ...]


@dataclass(frozen=True)
class _Listed:
    """Numbers at places that a table lists."""

    table: str
    strides: tuple[int, ...]  # within the table


Part = tuple[str, str]  # of an axis: where it begins and ends, whole numbers or their registers


class _Code(Code):
    """Writes a step.

    ``axis`` is the one along which its lanes lie, None where they are rows. ``part`` is what it
    does of its first axis, None for all of it.
    """

    axis: int | None = None
    part: Part | None = None


class ArrayWriter:
    """Writes the module of an array program: a function for each step, and one that calls them.

    Args:
        arrays: the program.
        source: the linear program that it computes.
        rows, sums: as for ``Writer``; rows may be None, for one point.
        lanes: how many rows a register holds.
        vector: the symbol of each function of libmvec.
        registers: how many registers of rows go through the loops side by side.

    Raises:
        Unsupported: where too much of it has no pattern.
    """

    optimizes = True
    unrolls = False  # an iteration is long enough, and LLVM would take ten times as long

    def __init__(self, arrays: ArrayProgram, source: Program, rows: tuple[bool, ...] | None,
                 sums: tuple[bool, ...], lanes: int, vector: dict[str, str],
                 registers: int = 4) -> None:
        self.program, self.source, self.sums, self.rows = arrays, source, sums, rows
        self.vector, self.register = vector, lanes
        self.width = registers * lanes if rows is not None else 1
        self.tile = 4 if lanes >= 8 else 2  # results at once: there are 32 or 16 registers
        self.lanes = 1  # of each sum that a kernel leaves
        self.code_size = len(arrays)
        self.layout = layout = Layout(arrays, rows or (False,) * arrays.n_inputs, sums)
        self.tables: dict[str, Array] = {"constants": np.array(arrays.constants, float)}
        self.pieces: dict[str, tuple[int, int]] = {}  # the size, and how much of it a thread does
        self.preset: tuple[int, Array] | None = None  # as of Writer
        if rows is None:  # all in one memory, each at its slot
            self.kinds = np.full(len(layout.varies), SHARED)
            self.places = np.arange(len(layout.varies))
            self.n_memory, self.first_line, self.scratch = len(layout.varies), 0, 0
            self.preset = arrays.n_inputs, self.tables["constants"]
        else:
            self._place_rows(rows)
        self.declared: set[str] = set()

    def _place_rows(self, rows: tuple[bool, ...]) -> None:
        arrays, layout = self.program, self.layout
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

    # --- the module -------------------------------------------------------------------------------

    def module(self) -> str:
        """The whole module as text."""
        once: list[str] = []
        by_rows: list[str] = []
        if self.rows is None:
            once.append(self._function("prologue", self._copy_inputs))
        elif self.program.guards:
            by_rows.append(self._function("prologue", lambda e: self._store(
                e, e.const(1.0), e.at("%ok", "%i")), self.width))
        for i, (start, step) in enumerate(self.program.placed()):
            if i in self.layout.products:
                by_rows += self._product_functions(i, step, self.layout.products[i])
            elif self.layout.varies[start]:
                by_rows.append(self._function_of_step(i, step, start))
            else:
                once += self._along_an_axis(i, step, start)
        by_rows.append(self._function("results", self._results, self.width))
        names = [[text.split("@", 1)[1].split("(", 1)[0] for text in texts]
                 for texts in (once, by_rows)]
        tables = [f"@{name} = global ptr null" for name in self.tables]
        tasks = [in_pieces(name, size, grain) for name, (size, grain) in self.pieces.items()]
        counts = {name: -(-size // grain) for name, (size, grain) in self.pieces.items()}
        parts = [*tables, *once, *by_rows, *tasks,
                 kernel_function(self.width, names[1], names[0], counts),
                 *sorted(self.declared), Writer.ATTRIBUTES]
        return "\n".join(parts) + "\n"

    def _function(self, name: str, write: Callable[[_Code], None], width: int = 1,
                  axis: int | None = None, part: Part | None = None) -> str:
        e = _Code(width, self.vector, self.register if width > 1 else None)
        e.axis, e.part = axis, part
        write(e)
        self.declared |= e.declared
        body = "\n".join([*e.variables, *e.lines])
        more = f", i64 {part[0]}, i64 {part[1]}" if part else ""
        return (f"define internal void @{name}({Writer.ARGUMENTS}{more}) noinline #0 {{\nentry:\n"
                f"{body}\n  ret void\n}}")

    def _function_of_rows(self, name: str, write: Callable[[_Code], None], size: int,
                          operands: int) -> str:
        """A function of many rows, which threads share out where that pays.

        Args:
            name: its name.
            write: writes it, or a part of it.
            size: of the axis along which it can be cut; 0 where it cannot.
            operands: of one of so many parts, for each row.
        """
        grain = -(-PIECE // max(1, operands * self.width * self.tile)) * self.tile
        if size < 2 * grain:
            return self._function(name, write, self.width)
        self.pieces[name] = (size, grain)
        return self._function(name, write, self.width, part=("%first", "%last"))

    def _function_of_step(self, i: int, step: Step, start: int) -> str:
        reach = sum(step.lengths) if step.lengths else len(step.operands)
        axis = step.shape[0] if step.shape and self._sources(step) else 0
        return self._function_of_rows(f"step{i}", self._step_writer(step, start), axis,
                                      max(1, reach * step.size // max(1, axis)))

    def _along_an_axis(self, i: int, step: Step, start: int) -> list[str]:
        """The functions of a step that is the same for all rows: for whole registers, the rest."""
        lanes, last = self.register, step.shape[-1] if step.shape else 1
        whole = last - last % lanes
        functions = []
        for name, first, stop, width in ((f"step{i}", 0, whole, lanes),
                                         (f"step{i}.rest", whole, last, 1)):
            if first < stop:
                functions.append(self._function(
                    name, self._step_writer(step, start, (first, stop)), width,
                    len(step.shape) - 1 if width > 1 else None))
        return functions

    def _copy_inputs(self, e: _Code) -> None:
        """Put the inputs into memory, where the constants and the results stand as well."""
        copy = "@llvm.memcpy.p0.p0.i64"
        e.declared.add(f"declare void {copy}(ptr, ptr, i64, i1)")
        e.lines.append(f"  call void {copy}(ptr %memory, ptr %scalars, "
                       f"i64 {8 * self.program.n_inputs}, i1 0)")

    # --- where numbers stand ----------------------------------------------------------------------

    def _source(self, slots: Slots, shape: tuple[int, ...]) -> _Source | _Listed | None:
        """Where the numbers of some slots stand; None if that has no pattern and needs one."""
        table = slots.slots(shape)
        kinds, places = self.kinds[table].reshape(-1), self.places[table]
        if not kinds.size:
            return _Source(SCALAR, 0, (0,) * len(shape))
        strides = []
        for axis, size in enumerate(shape):
            steps = np.diff(places, axis=axis).reshape(-1)
            if size > 1 and (steps != steps[0]).any():
                return self._listed(places) if self.rows is None else None
            strides.append(int(steps[0]) if steps.size else 0)
        if (kinds != kinds[0]).any():
            return None
        return _Source(int(kinds[0]), int(places.reshape(-1)[0]), tuple(strides))

    def _listed(self, places: Array) -> _Listed:
        name = f"places{len(self.tables)}"
        self.tables[name] = np.ascontiguousarray(places, dtype=np.int64)
        strides = tuple(int(stride) // 8 for stride in self.tables[name].strides)
        return _Listed(name, strides)

    def _one(self, slot: int) -> _Source:
        return _Source(int(self.kinds[slot]), int(self.places[slot]), ())

    @staticmethod
    def _place(e: _Code, start: int, strides: Sequence[int], indices: Sequence[str]) -> str | int:
        """A whole number that grows along the loops."""
        place: str | int = start
        for stride, index in zip(strides, indices, strict=True):
            if stride:
                step = index if stride == 1 else e.whole("mul", index, stride)
                place = e.whole("add", step, place)
        return place

    def _counted(self, e: _Code, source: _Source, indices: Sequence[str]) -> str | int:
        return self._place(e, source.start, source.strides, indices)

    def _pointer(self, e: _Code, source: _Source, indices: Sequence[str]) -> str:
        place = self._counted(e, source, indices)
        if source.kind == ROW:
            return e.at("%rows", e.whole("add", e.whole("mul", place, "%stride"), "%i"))
        if source.kind == LINE:
            line = e.whole("add", place, self.first_line)
            return e.at("%memory", e.whole("mul", line, self.width))
        base = e.load("ptr", "@constants") if source.kind == CONSTANT else (
            "%scalars" if source.kind == SCALAR else "%memory")
        return e.at(base, place)

    def _load(self, e: _Code, source: _Source | _Listed, indices: Sequence[str] = ()) -> str:
        if isinstance(source, _Listed):
            return self._gather(e, source, indices)
        if not any(source.strides) and (number := self._constant(source)) is not None:
            return e.const(number)
        pointer = self._pointer(e, source, indices)
        if source.kind in (ROW, LINE):
            return e.load(e.type, pointer)
        if e.width == 1 or e.axis is None or not source.strides or not source.strides[e.axis]:
            return _splat(e, e.load("double", pointer))
        stride = source.strides[e.axis]
        if stride == 1:
            return e.load(e.type, pointer)
        return _joined(e, [e.load("double", e.at(pointer, lane * stride))
                           for lane in range(e.width)])

    def _constant(self, source: _Source) -> float | None:
        """The number of a source that is one constant."""
        place = source.start - (self.program.n_inputs if self.rows is None else 0)
        is_constant = source.kind == CONSTANT or (
            self.rows is None and 0 <= place < len(self.program.constants))
        return self.program.constants[place] if is_constant else None

    def _gather(self, e: _Code, source: _Listed, indices: Sequence[str]) -> str:
        place = self._place(e, 0, source.strides, indices)
        first = e.at(e.load("ptr", f"@{source.table}"), place, "i64")
        stride = 0 if e.axis is None else source.strides[e.axis]
        return _joined(e, [
            e.load("double", e.at("%memory", e.load("i64", e.at(first, lane * stride, "i64"))))
            for lane in range(e.width)])

    @staticmethod
    def _store(e: _Code, number: str, pointer: str) -> None:
        e.store(e.type, number, pointer)

    def _each(self, e: _Code, columns: Array, is_slot: Sequence[bool],
              body: Callable[[list[Any], list[str]], None]) -> None:
        """Write a body for each line of a table of slots and of other whole numbers.

        At one point, many patterns are read off a list: each would be a loop for LLVM to compile.

        Args:
            columns: shape (n, k).
            is_slot: for each column whether it holds slots.
            body: is handed the source of each column (of other numbers: that they count from),
                and the registers of the counters.
        """
        blocks = list(even_blocks(columns))
        if self.rows is None and len(blocks) > MOST_PATTERNS:
            n = len(columns)
            listed = [self._source(Table(column), (n,)) if flag else _evenly(column)
                      for column, flag in zip(columns.T, is_slot, strict=True)]
            if None not in listed:
                with self._loops(e, (n,), (0, n)) as counters:
                    body(listed, counters)
                return
        for start, stop, shape, strides in blocks:
            first = columns[start]
            patterns = [Affine(int(x), tuple(map(int, along)))
                        for x, along in zip(first, strides.T, strict=True)]
            sources = [self._source(x, shape) if flag else _Source(SCALAR, x.start, x.strides)
                       for x, flag in zip(patterns, is_slot, strict=True)]
            known = [source for source in sources if isinstance(source, _Source)]
            if len(known) == len(sources):
                with self._loops(e, shape, (0, shape[-1] if shape else 1)) as counters:
                    body(known, counters)
                continue
            if stop - start > UNROLLED:
                raise Unsupported("too many numbers stand in no pattern")
            for line in columns[start:stop].tolist():
                body([self._one(x) if flag else _Source(SCALAR, x, ())
                      for x, flag in zip(line, is_slot, strict=True)], [])

    # --- steps ------------------------------------------------------------------------------------

    def _step_writer(self, step: Step, start: int,
                     last: tuple[int, int] | None = None) -> Callable[[_Code], None]:
        """Writes a step, all of whose results stand side by side.

        Args:
            step: what to compute.
            start: the slot of its first result.
            last: the part of its last axis to do; None for all of it.
        """
        strides = tuple(int(np.prod(step.shape[axis + 1:])) for axis in range(len(step.shape)))
        target = _Source(int(self.kinds[start]), int(self.places[start]), strides)
        part = last or (0, step.shape[-1] if step.shape else 1)
        known = self._sources(step)
        if known is None:
            if last is not None and last[0]:
                return lambda e: None  # done with the part before
            return lambda e: self._unrolled(e, step, start)
        if step.op in ("dot", "sum") or (step.op == "add" and step.lengths):
            return lambda e: self._sums(e, step, known, target, part)
        if step.lengths:
            return lambda e: self._nary(e, step, known, target, part)
        return lambda e: self._elementwise(e, step, known, target, part)

    def _sources(self, step: Step) -> list[_Source | _Listed] | None:
        """Where the operands stand; None if those of one are in no pattern."""
        sources = [self._source(slots, step.operand_shape(i))
                   for i, slots in enumerate(step.operands)]
        known = [source for source in sources if source is not None]
        return known if len(known) == len(sources) else None

    def _unrolled(self, e: _Code, step: Step, start: int) -> None:
        if step.size > UNROLLED:
            raise Unsupported(f"{step.size} results of {step.op} read numbers in no pattern")
        for i, operands in enumerate(step.rows()):
            if len(operands) > 2 * MOST_OPERANDS:
                raise Unsupported(f"{step.op} reads {len(operands)} numbers in no pattern")
            numbers = [self._load(e, self._one(slot)) for slot in operands]
            result = (functools.reduce(lambda a, b: e.op("fadd", a, b), numbers)
                      if step.op == "add" else emitter_of(step.op)(e, numbers))
            self._store(e, result, self._pointer(e, self._one(start + i), ()))

    @contextmanager
    def _loops(self, e: _Code, shape: tuple[int, ...], last: tuple[str | int, str | int],
               step: int = 1) -> Iterator[list[str]]:
        """Inside is the body of loops over an array; of its last axis over a part, in steps."""
        with ExitStack() as loops:
            counters = []
            for axis, size in enumerate(shape[:-1]):
                part = e.part if e.part and not axis else (0, size)
                counters.append(loops.enter_context(self._between(e, part)))
            if shape:
                counters.append(loops.enter_context(self._between(e, last, step)))
            yield counters

    @staticmethod
    @contextmanager
    def _between(e: _Code, ends: tuple[str | int, str | int], step: int = 1) -> Iterator[str]:
        """Inside is the body of a loop from one whole number to another."""
        first, stop = ends
        with e.counting(str(e.whole("sub", stop, first) if first else stop), step) as counted:
            yield e.whole("add", counted, first) if first else counted

    @staticmethod
    def _tiles(e: _Code, ends: tuple[str | int, str | int], size: int, tile: int
               ) -> Iterator[tuple[tuple[str | int, str | int], int]]:
        """What is done so many at a time, and the rest, which is done one by one.

        Args:
            ends: of the part to do. Where it does not go to the end, it has no rest.
            size: how much there is of it in all.
            tile: how many at a time.
        """
        first, stop = ends
        rest = e.whole("srem", stop, tile) if isinstance(stop, str) and size % tile else size % tile
        whole = e.whole("sub", stop, rest) if rest else stop
        if size >= tile:
            yield (first, whole), tile
        if size % tile:
            yield (whole, stop), 1

    @staticmethod
    def _last(e: _Code, step: Step, last: tuple[int, int]) -> tuple[str | int, str | int]:
        """What a function does of the last axis."""
        return e.part if e.part and len(step.shape) == 1 else last

    @staticmethod
    def _stride_of_lanes(e: _Code) -> int:
        return e.width if e.axis is not None else 1

    def _elementwise(self, e: _Code, step: Step, sources: Sequence[_Source | _Listed],
                     target: _Source, last: tuple[int, int]) -> None:
        part = self._last(e, step, last)
        with self._loops(e, step.shape, part, self._stride_of_lanes(e)) as counters:
            numbers = [self._load(e, source, counters) for source in sources]
            self._store(e, emitter_of(step.op)(e, numbers), self._pointer(e, target, counters))

    def _nary(self, e: _Code, step: Step, sources: Sequence[_Source | _Listed], target: _Source,
              last: tuple[int, int]) -> None:
        if sum(step.lengths) > MOST_OPERANDS:
            raise Unsupported(f"{step.op} of {sum(step.lengths)} operands")
        part = self._last(e, step, last)
        with self._loops(e, step.shape, part, self._stride_of_lanes(e)) as counters:
            numbers = [self._load(e, source, [*counters, str(k)])
                       for source, length in zip(sources, step.lengths, strict=True)
                       for k in range(length)]
            self._store(e, emitter_of(step.op)(e, numbers), self._pointer(e, target, counters))

    def _sums(self, e: _Code, step: Step, sources: Sequence[_Source | _Listed], target: _Source,
              last: tuple[int, int]) -> None:
        """Sums, of products or of numbers: some results at once, along their operands.

        The operands of many long sums are taken a stretch at a time, as many as stay near.
        """
        sides = 2 if step.paired else 1
        segments = [(sources[sides * i:sides * i + sides], length)
                    for i, length in enumerate(step.lengths)]
        lanes = self._stride_of_lanes(e)
        size = last[1] - last[0]
        tile = 1
        if step.shape and e.width == 1:
            tile = size if size <= AT_ONCE else AT_ONCE // 2
        elif lanes == 1 and step.shape:
            tile = self.tile
        near = IN_CACHE if e.width > 1 and len(step.shape) == 1 and size >= 4 * tile else 0
        for place, (stretches, times) in enumerate(_stretches(segments, near)):
            with e.counting(str(times)) as turn:
                further = e.whole("mul", turn, near) if times > 1 else 0
                for part, count in self._tiles(e, self._last(e, step, last), size, tile * lanes):
                    with self._loops(e, step.shape, part, count) as counters:
                        results = [counters] if not step.shape else [
                            [*counters[:-1], e.whole("add", counters[-1], t)]
                            for t in range(count // lanes)]
                        self._tile(e, step.op, stretches, further, target, results,
                                   not place)

    def _tile(self, e: _Code, op: str, stretches: Sequence[_Stretch], further: str | int,
              target: _Source, results: Sequence[list[str]], is_first: bool) -> None:
        """Add up some results; those of stretches before stand where the results are to stand."""
        nothing = e.const(-0.0 if op == "add" else 0.0)  # to which any number is added exactly
        places = [self._pointer(e, target, counters) for counters in results]
        totals = [e.variable(e.type, nothing if is_first else e.load(e.type, place))
                  for place in places]
        for sources, first, stop in stretches:
            with e.counting(str(stop - first)) as counted:
                k = e.whole("add", counted, e.whole("add", further, first))
                shared = {source: self._load(e, source, [*results[0], k]) for source in sources
                          if len(source.strides) < 2 or source.strides[-2] == 0}
                for total, counters in zip(totals, results, strict=True):
                    numbers = [shared[source] if source in shared
                               else self._load(e, source, [*counters, k]) for source in sources]
                    before = e.load(e.type, total)
                    after = (e.intrinsic("fma", *numbers, before) if len(numbers) == 2
                             else e.op("fadd", before, numbers[0]))
                    self._store(e, after, total)
        for total, place in zip(totals, places, strict=True):
            self._store(e, e.load(e.type, total), place)

    # --- sums over the rows -----------------------------------------------------------------------

    @staticmethod
    def _side(step: Step) -> int:
        """Which operand of a product of two lists changes along the first axis of the result."""
        a = step.operands[0]
        assert isinstance(a, Affine)
        return 0 if a.strides[1] == 0 else 1

    def _product_functions(self, i: int, step: Step, places: Array) -> list[str]:
        """Add the products of two blocks of rows, one of them transposed, to a matrix of sums."""
        side = self._side(step)
        left, right = (self._source(step.operands[i], step.shape) for i in (side, 1 - side))
        steps = np.diff(places[:, 0])
        is_even = (np.diff(places, axis=1) == 1).all() and (steps == steps[:1]).all()
        if not isinstance(left, _Source) or not isinstance(right, _Source) or not is_even or (
                not {left.kind, right.kind} <= {ROW, LINE}):
            raise Unsupported("a product that is summed over the rows has no pattern")
        goal = (int(places[0, 0]), int(steps[0]) if steps.size else 0)
        m, n = step.shape
        return [
            self._function_of_rows(f"step{i}.turn", lambda e: self._turn(e, n, right), n, TURNED),
            self._function_of_rows(f"step{i}",
                                   lambda e: self._product(e, step.shape, left, goal), m, n)]

    def _turn(self, e: _Code, n: int, right: _Source) -> None:
        """Put the numbers of a block of rows side by side, as many of a row as there are rows.

        So a few lines of the result at a time read what lies together.
        """
        live = self._live(e)
        scratch = e.at("%memory", self.scratch * self.width)
        with self._between(e, e.part or (0, n)) as j:
            source = self._pointer(e, right, ["0", j])
            inside = e.whole("srem", j, self.width)
            block = e.whole("mul", e.whole("sub", j, inside), self.width)
            target = e.at(scratch, e.whole("add", block, inside))
            with e.counting(live) as r:
                e.store("double", e.load("double", e.at(source, r)),
                        e.at(target, e.whole("mul", r, self.width)))

    def _product(self, e: _Code, shape: tuple[int, ...], left: _Source,
                 goal: tuple[int, int]) -> None:
        m, n = shape
        padded = -(-n // self.width) * self.width
        live = self._live(e)
        scratch = e.at("%memory", self.scratch * self.width)
        with e.counting(str(padded), self.width) as column:
            block = e.at(scratch, e.whole("mul", column, self.width))
            inside = _lanes_below(e, e.whole("sub", n, column))
            for ends, tile in self._tiles(e, e.part or (0, m), m, self.tile):
                with self._between(e, ends, tile) as first:
                    lines = [e.whole("add", first, t) for t in range(tile)]
                    places = [e.whole("add", e.whole("mul", line, goal[1]),
                                      e.whole("add", column, goal[0])) for line in lines]
                    self._product_tile(e, [self._pointer(e, left, [line, "0"]) for line in lines],
                                       block, places, inside, live)

    def _product_tile(self, e: _Code, pointers: Sequence[str], block: str, places: Sequence[str],
                      inside: str, live: str) -> None:
        totals = [e.variable(e.type, e.const(0.0)) for _ in pointers]
        with e.counting(live) as r:
            other = e.load(e.type, e.at(block, e.whole("mul", r, self.width)))
            for total, pointer in zip(totals, pointers, strict=True):
                number = _splat(e, e.load("double", e.at(pointer, r)))
                self._store(e, e.intrinsic("fma", number, other, e.load(e.type, total)), total)
        for total, place in zip(totals, places, strict=True):
            self._add_masked(e, e.at("%sums", place), e.load(e.type, total), inside)

    @staticmethod
    def _add_masked(e: _Code, pointer: str, number: str, inside: str) -> None:
        kind, suffix = e.type, f"v{e.width}f64.p0"
        e.declared |= {
            f"declare {kind} @llvm.masked.load.{suffix}(ptr, i32, {e.bool}, {kind})",
            f"declare void @llvm.masked.store.{suffix}({kind}, ptr, i32, {e.bool})"}
        before = e.add(f"call {kind} @llvm.masked.load.{suffix}(ptr {pointer}, i32 8, "
                       f"{e.bool} {inside}, {kind} zeroinitializer)")
        after = e.op("fadd", before, number)
        e.lines.append(f"  call void @llvm.masked.store.{suffix}({kind} {after}, ptr {pointer}, "
                       f"i32 8, {e.bool} {inside})")

    def _live(self, e: _Code) -> str:
        """How many rows of the block are rows, and not padding behind the last one."""
        left = e.whole("sub", "%n", "%i")
        less = e.add(f"icmp slt i64 {left}, {self.width}")
        return e.add(f"select i1 {less}, i64 {left}, i64 {self.width}")

    # --- results ----------------------------------------------------------------------------------

    def _results(self, e: _Code) -> None:
        layout = self.layout
        if self.rows is None and self.program.guards:
            e.store("double", e.const(1.0), "%ok")
        for guard in sorted({guard[::3] for guard in self.program.guards}):
            self._guards(e, *guard)
        if len(layout.returned):
            lines = np.column_stack([layout.returned, np.arange(len(layout.returned))])
            self._each(e, lines, (True, False), lambda sources, counters: self._store(
                e, self._load(e, sources[0], counters), self._out(e, sources[1], counters)))
        kept = layout.stored[layout.summed] if len(layout.summed) else np.zeros(0, bool)
        if kept.any():
            columns = np.column_stack([layout.summed[kept], np.flatnonzero(kept)])
            inside = _lanes_below(e, self._live(e))

            def add_up(sources: list[_Source], counters: list[str]) -> None:
                number = self._load(e, sources[0], counters)
                self._add_up(e, number, inside, e.at("%sums", self._counted(e, sources[1],
                                                                            counters)))

            self._each(e, columns, (True, False), add_up)

    def _out(self, e: _Code, line: _Source, counters: Sequence[str]) -> str:
        if self.rows is None:
            return e.at("%sums", self._counted(e, line, counters))
        place = e.whole("mul", self._counted(e, line, counters), "%stride")
        return e.at("%out", e.whole("add", place, "%i"))

    @staticmethod
    def _add_up(e: _Code, number: str, inside: str, pointer: str) -> None:
        """Add the rows of a number to a sum."""
        symbol = f"@llvm.vector.reduce.fadd.v{e.width}f64"
        e.declared.add(f"declare double {symbol}(double, {e.type})")
        rows = e.select(inside, number, e.const(0.0))
        total = e.add(f"call reassoc double {symbol}(double 0.0, {e.type} {rows})")
        before = e.load("double", pointer)
        e.store("double", e.add(f"fadd double {before}, {total}"), pointer)

    def _guards(self, e: _Code, relation: str, outcome: bool) -> None:
        # All must hold, in whatever order: sorted, they stand in fewer patterns.
        pairs = np.unique([(guard.left, guard.right) for guard in self.program.guards
                           if guard[::3] == (relation, outcome)], axis=0)
        so_far = e.variable(e.type, e.load(e.type, e.at("%ok", "%i")))

        def check(sources: list[_Source], counters: list[str]) -> None:
            left, right = (self._load(e, source, counters) for source in sources)
            holds = e.where_holds(relation, outcome, left, right, e.load(e.type, so_far),
                                  e.const(0.0))
            self._store(e, holds, so_far)

        self._each(e, pairs, (True, True), check)
        self._store(e, e.load(e.type, so_far), e.at("%ok", "%i"))


def _evenly(numbers: Array) -> _Source | None:
    """Whole numbers that grow evenly; None for others."""
    steps = np.diff(numbers)
    if (steps != steps[0]).any():
        return None
    return _Source(SCALAR, int(numbers[0]), (int(steps[0]),))


_Stretch = tuple[Sequence[_Source | _Listed], int, int]


def _stretches(segments: Sequence[tuple[Sequence[_Source | _Listed], int]], near: int
               ) -> Iterator[tuple[list[_Stretch], int]]:
    """The operands of sums, as many at a time as stay near.

    Args:
        segments: the operands, one after the other: where they stand, and how many there are.
        near: how many these are; 0 for all at once.

    Yields:
        Stretches of segments, and how many such there are, one behind the other.
    """
    together: list[_Stretch] = []
    for sources, length in segments:
        start = 0
        if near and length > 2 * near:
            together.append((sources, 0, near))
            yield together, 1
            middle = (length - 1) // near - 1
            if middle:
                yield [(sources, near, 2 * near)], middle
            together, start = [], near * (middle + 1)
        together.append((sources, start, length))
    yield together, 1


def _joined(e: _Code, numbers: Sequence[str]) -> str:
    """Numbers side by side in a register."""
    if e.width == 1:
        return numbers[0]
    result = "undef"
    for lane, number in enumerate(numbers):
        result = e.add(f"insertelement {e.type} {result}, double {number}, i32 {lane}")
    return result


def _splat(e: _Code, number: str) -> str:
    if e.width == 1:
        return number
    one = e.add(f"insertelement {e.type} undef, double {number}, i32 0")
    return e.add(f"shufflevector {e.type} {one}, {e.type} undef, "
                 f"<{e.width} x i32> zeroinitializer")


def _lanes_below(e: _Code, count: str) -> str:
    """Which lanes have a number below a count."""
    kind = f"<{e.width} x i64>"
    one = e.add(f"insertelement {kind} undef, i64 {count}, i32 0")
    all_counts = e.add(f"shufflevector {kind} {one}, {kind} undef, "
                       f"<{e.width} x i32> zeroinitializer")
    lanes = ", ".join(f"i64 {lane}" for lane in range(e.width))
    return e.add(f"icmp slt {kind} <{lanes}>, {all_counts}")
