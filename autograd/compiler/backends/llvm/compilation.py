"""The LLVM back end: a program as machine code, for one point or for many rows at once.

Straight-line code is cut into functions of a bounded size, so that compiling stays linear; what
one function computes and a later one reads goes through memory. Of longer programs only the loops
are compiled that they were unrolled from; what is long and irregular is interpreted. Rows stand
side by side in one register; results that are summed over the rows stay in registers' memory until
the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from autograd.compiler.backends.interface import Signature, Unsupported
from autograd.compiler.backends.llvm.array_codegen import ArrayWriter
from autograd.compiler.backends.llvm.codegen import CHUNK, LARGE_CHUNK, SMALL, Writer
from autograd.compiler.backends.llvm.deferred import DeferredKernel, calls_before
from autograd.compiler.backends.llvm.evaluation import EvaluatedKernel, is_known
from autograd.compiler.backends.llvm.interpreter import InterpreterWriter
from autograd.compiler.backends.llvm.kernel import Kernel
from autograd.compiler.backends.llvm.loop_codegen import RolledWriter
from autograd.compiler.backends.llvm.nary_lowering import KNOWN
from autograd.compiler.backends.llvm.powers import powers_written_out
from autograd.compiler.backends.llvm.target import host
from autograd.compiler.backends.llvm.tiered import SwappingKernel
from autograd.compiler.program.array_recognition import find_few_arrays
from autograd.compiler.program.program import Program
from autograd.core.primitives import lookup

ROLLED = 4_000  # operands of a program in which loops are looked for
DENSE = 20  # instructions that a step of an array program must stand for, one with another
MOST_STEPS = 400  # of an array program; each takes LLVM some milliseconds
MOST_CODE = 30_000  # instructions to compile; what is longer, without its loops, is interpreted
LONG = 4_000  # instructions to compile for which nobody should wait
ARRAYS_BEFORE = 300  # calls of quick code for arrays before LLVM takes its time for it
MOST_EVALUATED = 30_000  # instructions; beyond, one call in Python takes as long as compiling loops


def _writer(program: Program, rows: tuple[bool, ...] | None, sums: tuple[bool, ...], width: int,
            vector: dict[str, str], chunk: int | None, registers: int,
            free_sums: bool = False) -> Writer | ArrayWriter:
    """The writer for a program: of straight code, arrays, loops, or of a table to interpret."""
    size = program.n_operands
    if chunk is not None or size <= ROLLED:
        return Writer(powers_written_out(program, roots=True), rows, sums, width, vector,
                      chunk or (CHUNK if size <= SMALL else LARGE_CHUNK))
    program = powers_written_out(program, roots=False)
    return (_array_writer(program, rows, sums, vector, free_sums)
            or _linear_writer(program, rows, sums, width, vector, registers))


def _array_writer(program: Program, rows: tuple[bool, ...] | None, sums: tuple[bool, ...],
                  vector: dict[str, str], free_sums: bool) -> ArrayWriter | None:
    """The writer for a long program that is made of arrays; None for another one."""
    most = min(len(program) // DENSE, MOST_STEPS)
    arrays = find_few_arrays(program, most, rows, free_sums)
    if arrays is not None:
        with suppress(Unsupported):
            return ArrayWriter(arrays, program, rows, sums, host()["width"], vector)
    return None


def _linear_writer(program: Program, rows: tuple[bool, ...] | None, sums: tuple[bool, ...],
                   width: int, vector: dict[str, str], registers: int) -> Writer:
    """The writer for a long program without arrays: of its loops, or of a table to interpret."""
    writer = RolledWriter(program, rows, sums, width, vector, registers if rows else 1)
    if writer.code_size <= MOST_CODE:
        return writer
    return InterpreterWriter(program, rows, sums, width, vector)


def compile(program: Program, row_inputs: Sequence[bool] | None = None,
            sums: Sequence[bool] | None = None, chunk: int | None = None,
            registers: int = 1, free_sums: bool = False) -> Kernel:
    """Compile a program to machine code, as ``interface`` says.

    Args:
        program, row_inputs, sums: see there; the kernel also takes rows as a list of
            n_row_inputs arrays.
        chunk: how many instructions to put into one function; None chooses by size.
        registers: how many registers of rows a loop takes at once, a power of 2: with many rows,
            several make less of the traffic with sums and scalars, with few rows they idle.
        free_sums: whether additions that only another one reads may be rounded in another order.
    """
    rows, flags = _checked_flags(program, row_inputs, sums)
    machine = host()
    lanes = 1 if rows is None else machine["width"]
    return Kernel(_writer(program, rows, flags, lanes, machine["vector"], chunk, registers,
                          free_sums), rows)


def compile_soon(program: Program, row_inputs: Sequence[bool] | None = None,
                 sums: Sequence[bool] | None = None) -> Kernel | SwappingKernel:
    """Compile a program without keeping anybody waiting.

    A program that takes LLVM long is interpreted until its machine code is there, with the same
    bits. Arguments and errors are those of :func:`compile`.
    """
    rows, flags = _checked_flags(program, row_inputs, sums)
    machine = host()
    lanes = 1 if rows is None else machine["width"]
    return _soon(_writer(program, rows, flags, lanes, machine["vector"], None, 1), rows)


def compile_when_it_pays(program: Program, row_inputs: Sequence[bool] | None = None,
                         sums: Sequence[bool] | None = None
                         ) -> Kernel | SwappingKernel | DeferredKernel:
    """Compile a program once it has been called so often that this pays.

    Before, a program for one point is computed in Python, with the same bits, or, if it is made of
    arrays, by code for which LLVM takes a tenth of the time. Others are compiled soon. Arguments
    and errors are those of :func:`compile`.
    """
    rows, flags = _checked_flags(program, row_inputs, sums)
    if rows is not None:
        return compile_soon(program, row_inputs, sums)
    is_long = program.n_operands > ROLLED
    program = powers_written_out(program, roots=not is_long)
    if is_long:
        writer = _array_writer(program, None, flags, host()["vector"], False)
        if writer is not None:  # whose functions of the C library have other last bits
            return DeferredKernel(Kernel(writer, None, is_quick=True),
                                  lambda: Kernel(writer, None), ARRAYS_BEFORE)

    def make() -> Kernel | SwappingKernel:
        write = partial(_linear_writer, registers=1) if is_long else partial(
            _writer, chunk=None, registers=1)
        return _soon(write(program, None, flags, 1, host()["vector"]), None)

    if len(program) > MOST_EVALUATED or not is_known(program):
        return make()
    return DeferredKernel(EvaluatedKernel(program), make, calls_before(len(program)))


def _soon(writer: Writer | ArrayWriter, rows: tuple[bool, ...] | None) -> Kernel | SwappingKernel:
    """The kernel of a writer, which is interpreted first if LLVM takes long."""
    if isinstance(writer, ArrayWriter) or writer.code_size <= LONG:
        return Kernel(writer, rows)
    interpreter = InterpreterWriter(writer.source, rows, writer.sums, writer.lanes, writer.vector)
    return SwappingKernel(Kernel(interpreter, rows), lambda: Kernel(writer, rows))


def _checked_flags(program: Program, row_inputs: Sequence[bool] | None,
                   sums: Sequence[bool] | None) -> tuple[tuple[bool, ...] | None,
                                                         tuple[bool, ...]]:
    signature = Signature(program, row_inputs, sums)
    if unknown := tuple(sorted(program.different_ops - KNOWN)):
        for op in unknown:
            lookup(op)  # whose error says what to do about one that is not in the table
        raise Unsupported(f"there is no machine code for {', '.join(unknown)}", unknown)
    return signature.is_row if signature.by_rows else None, signature.is_sum
