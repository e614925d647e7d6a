"""Straight-line code: a program as a module of functions of a bounded size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograd.compiler.backends.llvm.emitter import KERNEL_WORDS, Emitter
from autograd.compiler.backends.llvm.nary_lowering import emitter_of
from autograd.compiler.backends.llvm.team_codegen import EACH_PIECE
from autograd.compiler.program.program import Program
from autograd.core.typing import Array

SMALL = 8_000  # operands of a small program
CHUNK, LARGE_CHUNK = 1_000, 300  # instructions in one function of a small and of a large program
REACH = 64  # instructions after which an input that all rows share is read again


class Writer:
    """Writes the module: one function for each chunk, and one that calls them.

    Attributes:
        optimizes: whether LLVM's passes pay. A program is simplified already, and they would take
            as long as all the rest, for code that is as fast without.
        unrolls: whether these are to unroll loops.
    """

    optimizes = False
    unrolls = True
    ARGUMENTS = ("ptr noalias %scalars, ptr noalias %rows, ptr noalias %sums, ptr noalias %out, "
                 "ptr noalias %ok, ptr noalias %memory, i64 %i, i64 %n, i64 %stride")
    ATTRIBUTES = ('attributes #0 = { nounwind "prefer-vector-width"="512" '
                  '"min-legal-vector-width"="512" }')

    def __init__(self, program: Program, rows: tuple[bool, ...] | None, sums: tuple[bool, ...],
                 width: int, vector: dict[str, str], chunk: int) -> None:
        self.program, self.width, self.chunk = program, width, chunk
        self.source = program  # a writer may write another program that computes the same
        self.lanes = width
        self.code_size = len(program)  # instructions to compile
        self.vector = vector
        self.is_row = rows or (False,) * program.n_inputs
        counters = [0, 0]
        self.place = []  # of each input among the scalars or among the rows
        for row in self.is_row:
            self.place.append(counters[row])
            counters[row] += 1
        self.sums, self.by_rows = sums, rows is not None
        self.first = program.first
        self.added: dict[int, list[int]] = {}  # to which sums an instruction's result is added
        summed = [slot for slot, flag in zip(program.outputs, sums, strict=True) if flag]
        for place, slot in enumerate(summed):
            if slot >= self.first:
                self.added.setdefault(slot, []).append(place)
        self.spilled = self._spills()
        self.n_memory = len(self.spilled)
        self.declared: set[str] = set()
        self.read: dict[int, str] = {}  # what all rows share, as far as it is at hand
        self.scalars = "%scalars"  # the register from which to read it
        self.tables: dict[str, Array] = {}  # what a module's global pointers of that name point to
        self.pieces: dict[str, tuple[int, int]] = {}  # of functions that a team may share out
        self.preset: tuple[int, Array] | None = None  # what of memory is to hold which numbers

    def _chunk_of(self, slot: int) -> int:
        return (slot - self.first) // self.chunk

    def _spills(self) -> dict[int, int]:
        """The place in memory of each result that another chunk reads."""
        spilled: dict[int, int] = {}
        for i, operands in enumerate(self.program.operands):
            here = i // self.chunk
            for slot in operands:
                if slot >= self.first and self._chunk_of(slot) != here:
                    spilled.setdefault(slot, len(spilled))
        last = self._last_chunk()
        guards = [slot for guard in self.program.guards for slot in (guard.left, guard.right)]
        outputs = [slot for slot, summed in zip(self.program.outputs, self.sums, strict=True)
                   if not (summed and slot in self.added)]
        for slot in (*outputs, *guards):
            if slot >= self.first and self._chunk_of(slot) != last:
                spilled.setdefault(slot, len(spilled))
        return spilled

    def _last_chunk(self) -> int:
        return max(0, len(self.program) - 1) // self.chunk

    def module(self) -> str:
        """The whole module as text."""
        count = self._last_chunk() + 1
        functions = [self._function(i) for i in range(count)]
        parts = [*functions, self._kernel(count), *sorted(self.declared), self.ATTRIBUTES]
        return "\n".join(parts) + "\n"

    def _function(self, index: int) -> str:
        e = Emitter(self.width, self.vector)
        known: dict[int, str] = {}
        start = index * self.chunk
        stop = min(start + self.chunk, len(self.program))
        inside = self._inside(e) if any(self.sums) else ""
        self._forget_scalars(e)
        for i in range(start, stop):
            slot = self.first + i
            operands = [self._load(e, known, x) for x in self.program.operands[i]]
            known[slot] = emitter_of(self.program.ops[i])(e, operands)
            if slot in self.spilled:
                self._store(e, known[slot], "%memory", self.spilled[slot] * self.width)
            for place in self.added.get(slot, ()):  # here, so that no register waits until the end
                e.add_to_sum(self._pointer(e, "%sums", place * self.width), known[slot], inside)
            if (i + 1) % REACH == 0:
                self._forget_scalars(e)
        if index == self._last_chunk():
            self._finish(e, known, inside)
        self.declared |= e.declared
        body = "\n".join(e.lines)
        return f"define internal void @chunk{index}({self.ARGUMENTS}) #0 {{\n{body}\n  ret void\n}}"

    def _forget_scalars(self, e: Emitter) -> None:
        """Read what all rows share anew from here on.

        A weight is used going forward and again, much later, going backward. Kept in between, it
        would fill a register's width of the stack: a store, and eight times the cache.
        """
        self.read = {}
        self.scalars = e.opaque("%scalars")

    def _load(self, e: Emitter, known: dict[int, str], slot: int) -> str:
        n_inputs = self.program.n_inputs
        if slot < n_inputs and not self.is_row[slot]:
            known = self.read
        if slot not in known:
            if slot >= self.first:
                pointer = self._pointer(e, "%memory", self.spilled[slot] * self.width)
                known[slot] = e.add(f"load {e.type}, ptr {pointer}, align 8")
            elif slot >= n_inputs:
                known[slot] = e.const(self.program.constants[slot - n_inputs])
            elif self.is_row[slot]:
                pointer = self._row_pointer(e, "%rows", self.place[slot])
                known[slot] = e.add(f"load {e.type}, ptr {pointer}, align 8")
            else:
                pointer = self._pointer(e, self.scalars, self.place[slot])
                known[slot] = self._splat(e, e.add(f"load double, ptr {pointer}, align 8"))
        return known[slot]

    def _splat(self, e: Emitter, number: str) -> str:
        if self.width == 1:
            return number
        one = e.add(f"insertelement {e.type} undef, double {number}, i32 0")
        return e.add(f"shufflevector {e.type} {one}, {e.type} undef, "
                     f"<{self.width} x i32> zeroinitializer")

    def _pointer(self, e: Emitter, base: str, offset: int) -> str:
        return e.add(f"getelementptr double, ptr {base}, i64 {offset}")

    def _row_pointer(self, e: Emitter, base: str, line: int | str) -> str:
        offset = e.add(f"mul i64 %stride, {line}")
        place = e.add(f"add i64 {offset}, %i")
        return e.add(f"getelementptr double, ptr {base}, i64 {place}")

    def _store(self, e: Emitter, number: str, base: str, offset: int) -> None:
        pointer = self._pointer(e, base, offset)
        e.lines.append(f"  store {e.type} {number}, ptr {pointer}, align 8")

    def _finish(self, e: Emitter, known: dict[int, str], inside: str) -> None:
        """Outputs, the sums of what is no result, and guards, at the end of the last chunk."""
        n_sums = n_out = 0
        for output, summed in zip(self.program.outputs, self.sums, strict=True):
            if summed:
                if output not in self.added:
                    pointer = self._pointer(e, "%sums", n_sums * self.width)
                    e.add_to_sum(pointer, self._load(e, known, output), inside)
                n_sums += 1
                continue
            number = self._load(e, known, output)
            if self.by_rows:
                pointer = self._row_pointer(e, "%out", n_out)
                e.lines.append(f"  store {e.type} {number}, ptr {pointer}, align 8")
            else:
                self._store(e, number, "%sums", n_out)
            n_out += 1
        self._guards(e, known)

    def _inside(self, e: Emitter) -> str:
        """Which lanes are rows, and not padding behind the last one."""
        left = e.add("sub i64 %n, %i")
        one = e.add(f"insertelement <{self.width} x i64> undef, i64 {left}, i32 0")
        all_left = e.add(f"shufflevector <{self.width} x i64> {one}, <{self.width} x i64> undef, "
                         f"<{self.width} x i32> zeroinitializer")
        lanes = ", ".join(f"i64 {lane}" for lane in range(self.width))
        return e.add(f"icmp slt <{self.width} x i64> <{lanes}>, {all_left}")

    def _guards(self, e: Emitter, known: dict[int, str]) -> None:
        if not self.program.guards:
            return
        ok = e.const(1.0)
        for guard in self.program.guards:
            ok = e.where_holds(guard.relation, guard.outcome, self._load(e, known, guard.left),
                               self._load(e, known, guard.right), ok, e.const(0.0))
        pointer = e.add("getelementptr double, ptr %ok, i64 %i")
        e.lines.append(f"  store {e.type} {ok}, ptr {pointer}, align 8")

    def _kernel(self, count: int) -> str:
        return kernel_function(self.width, [f"chunk{i}" for i in range(count)])


def kernel_function(width: int, by_rows: Sequence[str], once: Sequence[str] = (),
                    pieces: Mapping[str, int] | None = None) -> str:
    """The function that a kernel is called by.

    Args:
        width: how many rows go through at once.
        by_rows: the names of the functions to call for each of these.
        once: the names of those to call before.
        pieces: how many pieces those have that a team may share out, see :func:`in_pieces`.
    """
    counts = pieces or {}

    def calls(names: Sequence[str], place: str) -> str:
        return "\n".join(
            f"  call void @each_piece(ptr %team, ptr %context, ptr @{name}.piece, "
            f"i64 {counts[name]})" if name in counts
            else f"  call void @{name}({_PASSED}, i64 {place}, i64 %n, i64 %stride)"
            for name in names)

    return f"""{EACH_PIECE if counts else ""}define void @kernel(ptr %arguments) #0 {{
entry:
{_loads()}
  %context = alloca [2 x ptr], align 8
  %rows_at = getelementptr ptr, ptr %context, i64 1
  store ptr %arguments, ptr %context, align 8
{calls(once, "0")}
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  store i64 %i, ptr %rows_at, align 8
{calls(by_rows, "%i")}
  %next = add i64 %i, {width}
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}}"""


def in_pieces(name: str, size: int, grain: int) -> str:
    """A task for a team: so many of the results of a function, which takes the first and the last.

    Args:
        name: of the function.
        size: how many results there are, along an axis.
        grain: how many of them a piece has.
    """
    return f"""define internal void @{name}.piece(ptr %context, i64 %piece, ptr %unused) #0 {{
  %arguments = load ptr, ptr %context, align 8
  %rows_at = getelementptr ptr, ptr %context, i64 1
  %i = load i64, ptr %rows_at, align 8
{_loads()}
  %first = mul i64 %piece, {grain}
  %end = add i64 %first, {grain}
  %is_inside = icmp slt i64 %end, {size}
  %last = select i1 %is_inside, i64 %end, i64 {size}
  call void @{name}({_PASSED}, i64 %i, i64 %n, i64 %stride, i64 %first, i64 %last)
  ret void
}}"""


def point_function() -> str:
    """The function that computes one point and says in what it ended.

    It reads one word more than a kernel: how many outputs there are. Its result is OTHER_BRANCH,
    FINITE or NOT_FINITE; where the bits of an exponent are all set, a number is inf or nan.
    """
    exponent = 0x7FF << 52
    return f"""define i64 @point(ptr %arguments) #0 {{
entry:
  call void @kernel(ptr %arguments)
  %at_sums = getelementptr i64, ptr %arguments, i64 {KERNEL_WORDS.index("sums")}
  %sums = load ptr, ptr %at_sums, align 8
  %at_ok = getelementptr i64, ptr %arguments, i64 {KERNEL_WORDS.index("ok")}
  %ok_pointer = load ptr, ptr %at_ok, align 8
  %ok = load double, ptr %ok_pointer, align 8
  %holds = fcmp une double %ok, 0.0
  %at_count = getelementptr i64, ptr %arguments, i64 {len(KERNEL_WORDS)}
  %count = load i64, ptr %at_count, align 8
  %any = icmp sgt i64 %count, 0
  br i1 %any, label %loop, label %done
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %found = phi i64 [ 0, %entry ], [ %finds, %loop ]
  %place = getelementptr i64, ptr %sums, i64 %i
  %bits = load i64, ptr %place, align 8
  %exponent = and i64 %bits, {exponent}
  %is_last = icmp eq i64 %exponent, {exponent}
  %one = zext i1 %is_last to i64
  %finds = or i64 %found, %one
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %count
  br i1 %more, label %loop, label %done
done:
  %not_finite = phi i64 [ 0, %entry ], [ %finds, %loop ]
  %ended = add i64 %not_finite, {FINITE}
  %result = select i1 %holds, i64 %ended, i64 {OTHER_BRANCH}
  ret i64 %result
}}
"""


def _loads() -> str:
    return "\n".join(
        f"  %at_{name} = getelementptr i64, ptr %arguments, i64 {place}\n"
        f"  %{name} = load {'i64' if name in ('n', 'stride') else 'ptr'}, ptr %at_{name}"
        for place, name in enumerate(KERNEL_WORDS))


OTHER_BRANCH, FINITE, NOT_FINITE = range(3)  # in what the computation of one point ends
_PASSED = ", ".join(f"ptr %{name}" for name in KERNEL_WORDS[:6])
