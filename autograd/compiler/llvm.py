"""The LLVM back end: a program as machine code, for one point or for many rows at once.

Straight-line code is cut into functions of a bounded size, so that compiling stays linear; what
one function computes and a later one reads goes through memory. Of longer programs only the loops
are compiled that they were unrolled from; what is long and irregular is interpreted. Rows stand
side by side in one register; results that are summed over the rows stay in registers' memory until
the end.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import struct
import sys
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import cache
from .emitting import EMITTERS, LIBM, Emitter
from .program import Program
from .swapping import SwappingKernel

try:
    import llvmlite.binding as llvm
except ImportError:
    raise ImportError('the LLVM back end needs llvmlite; pip install "chainrule[fast]"') from None

SMALL = 8_000  # operands of a program that is worth LLVM's passes, whose time is not linear
ROLLED = 4_000  # operands of a program in which loops are looked for
MOST_CODE = 30_000  # instructions to compile; what is longer, without its loops, is interpreted
LONG = 4_000  # instructions to compile for which nobody should wait
CHUNK, LARGE_CHUNK = 1_000, 300  # instructions in one function of a small and of a large program
REACH = 64  # instructions after which an input that all rows share is read again
LARGE_RESULT = 8_192  # numbers; below, copying them is quicker than finding new memory
_RELATIONS = {"<": "olt", "<=": "ole", ">": "ogt", ">=": "oge", "==": "oeq", "!=": "une"}
_MVEC = {8: "_ZGVeN8", 4: "_ZGVdN4", 2: "_ZGVbN2"}  # 512, 256 and 128 bits
_TWO_OPERANDS = {"pow", "atan2", "hypot"}
_lock = threading.Lock()
_started: dict[str, Any] = {}

Array = np.ndarray[Any, Any]


def _machine() -> dict[str, Any]:
    """LLVM started once: the target machine, the width of its registers, libmvec's symbols."""
    with _lock:
        if not _started:
            llvm.initialize_native_target()
            llvm.initialize_native_asmprinter()
            features = llvm.get_host_cpu_features()
            width = 8 if features.get("avx512f") else 4 if features.get("avx2") else 2
            _started["machine"] = _target_machine()
            _started["width"] = width
            _started["vector"] = _vector_functions(width)
        return _started


def _target_machine() -> Any:
    # Position-independent code with far calls: the C library may lie anywhere.
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=2,
        reloc="pic", codemodel="jitdefault")


def _vector_functions(width: int) -> dict[str, str]:
    """The functions that libmvec has for a width; none where there is no libmvec."""
    try:
        library = ctypes.CDLL("libmvec.so.1")
    except OSError:
        return {}
    found = {}
    for name in LIBM:
        symbol = f"{_MVEC[width]}{'vv' if name in _TWO_OPERANDS else 'v'}_{name}"
        if hasattr(library, symbol):
            address = ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value
            llvm.add_symbol(symbol, address)
            found[name] = symbol
    return found


def _bind_libm() -> None:
    library = ctypes.CDLL("ucrtbase" if sys.platform == "win32"
                          else ctypes.util.find_library("m"))
    for name in LIBM:
        llvm.add_symbol(name, ctypes.cast(getattr(library, name), ctypes.c_void_p).value)


class Kernel:
    """A compiled program; see :func:`compile`."""

    def __init__(self, writer: _Writer, rows: tuple[bool, ...] | None) -> None:
        machine = _machine()
        program, sums = writer.source, writer.sums
        self.rows = rows
        self.lanes, self.width = writer.lanes, writer.width
        self.assembly = writer.module()
        self.n_sums, self.n_memory = sum(sums), writer.n_memory
        self.n_outputs = len(program.outputs)
        self.n_row_inputs = sum(rows) if rows else 0
        self.n_scalars = program.n_inputs - self.n_row_inputs
        self._engine = _engine(self.assembly, machine["machine"], writer.is_small)
        self._tables = writer.tables  # the machine code reads them as long as it lives
        for name, table in self._tables.items():
            place = self._engine.get_global_value_address(name)
            ctypes.c_void_p.from_address(place).value = table.ctypes.data
        self.address: int = self._engine.get_function_address("kernel")
        # One pointer to all arguments: ctypes takes longer for eight of them than a small program.
        self._function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.address)
        self._pack = struct.Struct(f"{self.n_scalars}d").pack_into
        self._has_guards = bool(program.guards)
        self._buffers: _Buffers | None = None
        self._calling = threading.Lock()  # one call at a time may use the buffers

    def __call__(self, scalars: Array, rows: Array | Sequence[Array] | None = None
                 ) -> tuple[Array, Any, Any]:
        """Run it; arguments and results as in :func:`compile`."""
        n = 1
        if self.rows is not None:
            if isinstance(rows, list) and len(rows) == self.n_row_inputs > 0:
                n = len(rows[0])
            elif not isinstance(rows, np.ndarray) or rows.ndim != 2 or (
                    len(rows) != self.n_row_inputs):
                raise ValueError(f"the program takes rows of shape ({self.n_row_inputs}, n), not "
                                 f"{np.shape(rows) if rows is not None else None}")
            else:
                n = rows.shape[1]
        if np.shape(scalars) != (self.n_scalars,):
            raise ValueError(f"the program takes {self.n_scalars} scalars, not an array of shape "
                             f"{np.shape(scalars)}")
        with self._calling:
            if self._buffers is None or self._buffers.n != n:
                self._buffers = _Buffers(self, n)
            buffers = self._buffers
            buffers.scalars[:] = scalars
            if rows is not None and n:
                buffers.fill(rows)
                buffers.renew()
            if n:
                self._function(buffers.address)
            return buffers.results(self)

    def point(self, numbers: Any) -> Array | None:
        """The outputs at one point, or None where a guard does not hold: a call with no checks.

        Args:
            numbers: a list or a float array with a number for each input.
        """
        with self._calling:
            buffers = self._buffers
            if buffers is None:
                buffers = self._buffers = _Buffers(self, 1)
            if numbers.__class__ is list:
                self._pack(buffers.scalars.data, 0, *numbers)
            else:
                buffers.scalars[:] = numbers
            self._function(buffers.address)
            if self._has_guards and not buffers.ok[0]:
                return None
            outputs: Array = buffers.sums.copy()
            return outputs


class _Buffers:
    """The memory of a kernel for n rows, made once: finding addresses takes longer than a call."""

    def __init__(self, kernel: Kernel, n: int) -> None:
        width = kernel.width
        self.n, self.stride = n, max(1, -(-n // width)) * width
        by_rows = kernel.rows is not None
        self.scalars = _aligned(kernel.n_scalars)
        self.rows = _aligned(kernel.n_row_inputs * self.stride).reshape(-1, self.stride)
        self.sums = _aligned(kernel.n_sums * kernel.lanes if by_rows else kernel.n_outputs)
        self.out = _aligned((kernel.n_outputs - kernel.n_sums) * self.stride if by_rows else 0)
        self.ok = _aligned(self.stride)
        self.ok[:] = 1.0
        self.memory = _aligned(kernel.n_memory * width)
        addresses = [x.ctypes.data for x in (self.scalars, self.rows, self.sums, self.out,
                                             self.ok, self.memory)]
        self.arguments = np.array([*addresses, n, self.stride], dtype=np.int64)
        self.address = self.arguments.ctypes.data

    def fill(self, rows: Array | Sequence[Array]) -> None:
        """Copy the rows in; the lanes behind the end compute the last row again."""
        if isinstance(rows, np.ndarray):
            self.rows[:, :self.n] = rows
        else:
            for line, column in zip(self.rows, rows, strict=True):
                line[:self.n] = column
        self.rows[:, self.n:] = self.rows[:, self.n - 1:self.n]
        self.sums[:] = 0.0

    def renew(self) -> None:
        """Make room for a large result that is handed out without a copy."""
        if self.out.size > LARGE_RESULT:
            self.out = _aligned(self.out.size)
            self.arguments[3] = self.out.ctypes.data

    def results(self, kernel: Kernel) -> tuple[Array, Any, Any]:
        """What the call has left, in arrays of its own."""
        if kernel.rows is None:
            return self.sums.copy(), None, bool(self.ok[0])
        if not self.n:
            self.sums[:] = 0.0
        out = self.out.reshape(kernel.n_outputs - kernel.n_sums, self.stride)[:, :self.n]
        if out.size <= LARGE_RESULT:
            out = out.copy()
        with np.errstate(invalid="ignore", over="ignore"):  # nan and inf are results, too
            sums = self.sums.reshape(kernel.n_sums, kernel.lanes).sum(axis=1)
        return sums, out, self.ok[:self.n] != 0.0


def _aligned(count: int) -> Array:
    """Uninitialized numbers at an address that every register can be loaded from."""
    raw = np.empty(count + 8)
    shift = (-raw.ctypes.data // 8) % 8
    return raw[shift:shift + count]


def _engine(assembly: str, machine: Any, optimize: bool) -> Any:
    """An execution engine that holds the machine code, from the cache where it is kept."""
    with _lock:
        if "libm" not in _started:
            _bind_libm()
            _started["libm"] = True
        name = cache.name_of(assembly, ".".join(map(str, llvm.llvm_version_info)), machine.triple,
                             llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())
        code = cache.load(name)
        if code is None:
            code = _compiled(assembly, machine, optimize)
            cache.store(name, code)
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine())
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        return engine


def _compiled(assembly: str, machine: Any, optimize: bool) -> bytes:
    module = llvm.parse_assembly(assembly)
    module.verify()
    if optimize:
        options = llvm.create_pipeline_tuning_options(speed_level=2)
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
    code: bytes = machine.emit_object(module)
    return code


def _writer(program: Program, rows: tuple[bool, ...] | None, sums: tuple[bool, ...], width: int,
            vector: dict[str, str], chunk: int | None, registers: int) -> _Writer:
    """The writer for a program: of straight code, of loops, or of a table to interpret."""
    size = sum(map(len, program.operands))
    if chunk is None and size > ROLLED:
        from .interpreting import InterpreterWriter  # these two import this module
        from .looping import RolledWriter

        writer = RolledWriter(program, rows, sums, width, vector, registers if rows else 1)
        if writer.code_size <= MOST_CODE:
            return writer
        return InterpreterWriter(program, rows, sums, width, vector)
    return _Writer(program, rows, sums, width, vector,
                   chunk or (CHUNK if size <= SMALL else LARGE_CHUNK))


class _Writer:
    """Writes the module: one function for each chunk, and one that calls them."""

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
        self.is_small = sum(map(len, program.operands)) <= SMALL
        self.tables: dict[str, Array] = {}  # what a module's global pointers of that name point to

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
        return max(0, len(self.program.ops) - 1) // self.chunk

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
        stop = min(start + self.chunk, len(self.program.ops))
        inside = self._inside(e) if any(self.sums) else ""
        self._forget_scalars(e)
        for i in range(start, stop):
            slot = self.first + i
            operands = [self._load(e, known, x) for x in self.program.operands[i]]
            known[slot] = EMITTERS[self.program.ops[i]](e, operands)
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
            holds = e.compare(_RELATIONS[guard.relation], self._load(e, known, guard.left),
                              self._load(e, known, guard.right))
            bad, good = e.const(0.0), ok
            ok = e.select(holds, good, bad) if guard.outcome else e.select(holds, bad, good)
        pointer = e.add("getelementptr double, ptr %ok, i64 %i")
        e.lines.append(f"  store {e.type} {ok}, ptr {pointer}, align 8")

    def _kernel(self, count: int) -> str:
        arguments = ("ptr %scalars, ptr %rows, ptr %sums, ptr %out, ptr %ok, ptr %memory, "
                     "i64 %i, i64 %n, i64 %stride")
        calls = "\n".join(f"  call void @chunk{i}({arguments})" for i in range(count))
        names = ("scalars", "rows", "sums", "out", "ok", "memory", "n", "stride")
        loads = "\n".join(
            f"  %at_{name} = getelementptr i64, ptr %arguments, i64 {place}\n"
            f"  %{name} = load {'i64' if name in ('n', 'stride') else 'ptr'}, ptr %at_{name}"
            for place, name in enumerate(names))
        return f"""define void @kernel(ptr %arguments) #0 {{
entry:
{loads}
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
{calls}
  %next = add i64 %i, {self.width}
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}}"""


def compile(program: Program, row_inputs: Sequence[bool] | None = None,
            sums: Sequence[bool] | None = None, chunk: int | None = None,
            registers: int = 1) -> Kernel:
    """Compile a program to machine code.

    Args:
        program: what to compile.
        row_inputs: for each input whether it differs by row; None compiles for one point.
        sums: for each output whether it is summed over the rows.
        chunk: how many instructions to put into one function; None chooses by size.
        registers: how many registers of rows a loop takes at once, a power of 2: with many rows,
            several make less of the traffic with sums and scalars, with few rows they idle.

    Returns:
        ``kernel(scalars, rows) -> (scalar_outputs, row_outputs, ok)``. Scalars are all inputs that
        are the same for all rows, shape (n_scalars,); rows has the shape (n_row_inputs, n_rows), or
        is a list of n_row_inputs arrays.
        For one point scalar_outputs holds all outputs, row_outputs is None and ok a bool: whether
        all guards hold. For rows scalar_outputs holds the sums, row_outputs the other outputs,
        shape (n_outputs, n_rows), and ok is a bool for each row. Nothing raises: outside a domain
        the results are what IEEE arithmetic gives, inf or nan.

    Raises:
        ValueError: for flags that do not fit the program.
        KeyError: for a primitive that has no emitter, such as a user's own.
    """
    rows, flags = _checked_flags(program, row_inputs, sums)
    machine = _machine()
    lanes = 1 if rows is None else machine["width"]
    return Kernel(_writer(program, rows, flags, lanes, machine["vector"], chunk, registers), rows)


def compile_soon(program: Program, row_inputs: Sequence[bool] | None = None,
                 sums: Sequence[bool] | None = None) -> Kernel | SwappingKernel:
    """Compile a program without keeping anybody waiting.

    A program that takes LLVM long is interpreted until its machine code is there, with the same
    bits. Arguments and errors are those of :func:`compile`.
    """
    rows, flags = _checked_flags(program, row_inputs, sums)
    machine = _machine()
    lanes = 1 if rows is None else machine["width"]
    writer = _writer(program, rows, flags, lanes, machine["vector"], None, 1)
    if writer.code_size <= LONG:
        return Kernel(writer, rows)
    from .interpreting import InterpreterWriter

    interpreter = InterpreterWriter(program, rows, flags, lanes, machine["vector"])
    return SwappingKernel(Kernel(interpreter, rows), lambda: Kernel(writer, rows))


def _checked_flags(program: Program, row_inputs: Sequence[bool] | None,
                   sums: Sequence[bool] | None) -> tuple[tuple[bool, ...] | None,
                                                         tuple[bool, ...]]:
    if row_inputs is not None and len(row_inputs) != program.n_inputs:
        raise ValueError(f"row_inputs has {len(row_inputs)} flags for {program.n_inputs} inputs")
    flags = tuple(sums) if sums is not None else (False,) * len(program.outputs)
    if len(flags) != len(program.outputs):
        raise ValueError(f"sums has {len(flags)} flags for {len(program.outputs)} outputs")
    if any(flags) and row_inputs is None:
        raise ValueError("sums are over rows; say with row_inputs which inputs differ by row")
    missing = sorted(set(program.ops) - set(EMITTERS))
    if missing:
        raise KeyError(f"the LLVM back end does not know {', '.join(missing)}; the python back "
                       "end runs every primitive")
    return tuple(row_inputs) if row_inputs is not None else None, flags
