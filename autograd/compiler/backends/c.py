"""The C writer: programs as one function of C99, for embedding. It needs libm and nothing else.

What is promised: the bits of the eager engine for + - * /, sqrt, comparisons and what is chosen by
them, where the compiler computes doubles as they are written (``-ffp-contract=off``, and no
``-ffast-math``, which the text refuses); all other functions within 8 units in the last place of
it, given a libm that is itself that good (``gammaln`` below 0 beside its zeros: of 1); sums may be
rounded in another order. Outside a domain the results are what IEEE arithmetic gives, and the
function says so.

A short program is straight code. In a longer one the loops that Python unrolled are loops again,
and what is left is cut into functions of bounded size, since compilers take more than twice the
time for twice the length; these keep their numbers in memory that the caller hands over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from autograd.compiler.backends.c_functions import EMITTERS, FUNCTIONS, OF_NOTHING, PREFIX
from autograd.compiler.backends.interface import Rewrite
from autograd.compiler.backends.source_writer import SourceWriter, checked
from autograd.compiler.program.gated_arms import counting_on_conditions
from autograd.compiler.program.loop_rerolling import GUARD, OUTPUT, Block, Loop, Rolled, Tape, roll
from autograd.compiler.program.program import Program
from autograd.core.files import write_whole
from autograd.core.primitives import lookup

CHUNK = 1000  # instructions in one function; of several, a quarter each, for they also store
WIDE = 100  # operands of an instruction in straight code: compilers take long for a list of more
PER_LINE = 6  # constants
OTHER_BRANCH, OUTSIDE_DOMAIN, UNSURE = 1, 2, 4

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_KEYWORDS = """
    auto break case char const continue default do double else enum extern float for goto if inline
    int long register restrict return short signed sizeof static struct switch typedef union
    unsigned void volatile while alignas alignof bool constexpr false nullptr static_assert
    thread_local true typeof typeof_unqual and and_eq asm bitand bitor catch char8_t char16_t
    char32_t class co_await co_return co_yield compl concept const_cast consteval constinit decltype
    delete dynamic_cast explicit export friend mutable namespace new noexcept not not_eq operator or
    or_eq private protected public reinterpret_cast requires static_cast template this throw try
    typeid typename using virtual wchar_t xor xor_eq main errno assert offsetof unix linux i386"""
_OF_LIBM = """
    acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh drem erf erfc exp exp10 exp2
    expm1 fabs fdim finite floor fma fmax fmin fmod frexp gamma hypot ilogb isfinite isinf isnan
    isnormal j0 j1 jn ldexp lgamma llrint llround log log10 log1p log2 logb lrint lround modf nan
    nearbyint nextafter nexttoward pow pow10 remainder remquo rint round scalb scalbln scalbn
    signbit significand sin sincos sinh sqrt tan tanh tgamma trunc y0 y1 yn"""
_OF_LIBC = """
    abort abs access accept alloca asctime atexit atof atoi atol atoll bcmp bcopy bind bsearch bzero
    cabs cacos cacosh calloc carg casin casinh catan catanh ccos ccosh cexp cimag clearerr clock
    clog close conj connect cpow cproj creal csin csinh csqrt ctan ctanh ctime difftime div dup exit
    execv execvp exp2 fclose fdopen feof ferror fflush ffs fgetc fgetpos fgets fileno fopen fork
    fprintf fputc fputs fread free freopen fscanf fseek fsetpos ftell fwrite getc getchar getenv
    gets gettext gmtime imaxabs imaxdiv index labs ldiv link listen llabs lldiv localeconv localtime
    longjmp lseek malloc mblen mbtowc mktime nanosleep open pause perror pipe printf putc putchar
    puts qsort raise rand read realloc recv remove rename rewind rindex scanf select send setbuf
    setjmp setlocale setvbuf signal sleep snprintf socket sprintf srand sscanf stat stderr stdin
    stdout stpcpy strdup swprintf system time times tmpfile tmpnam ungetc unlink va_arg va_copy
    va_end va_start vfprintf vprintf vscanf vsnprintf vsprintf vsscanf wait wctomb write"""
_OF_STRINGS = """
    isalnum isalpha isascii isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper
    isxdigit memccpy memchr memcmp memcpy memmove memset strcat strchr strcmp strcoll strcpy strcspn
    strdup strerror strftime strlen strncat strncmp strncpy strndup strpbrk strrchr strspn strstr
    strtod strtof strtok strtol strtold strtoll strtoul strtoull strtoimax strtoumax strxfrm toascii
    tolower toupper towlower towupper wcscat wcscmp wcscpy wcslen wcsncpy wcstod wmemcpy"""
_TAKEN = frozenset({*_KEYWORDS.split(), *_OF_LIBC.split(), *_OF_STRINGS.split(), *(
    f"{name}{kind}" for name in _OF_LIBM.split() for kind in ("", "f", "l"))})
# Two underscores are C++'s, capitals are macros, names that end in _t types of POSIX.
_TAKEN_KINDS = re.compile(rf".*__.*|.*_t?|[A-Z][A-Z0-9_]+|I|{PREFIX}.*")


class CSource(NamedTuple):
    """What :func:`to_c` wrote.

    Attributes:
        name: of the function, and of the files.
        source: the text of ``name.c``, which includes the header.
        header: the text of ``name.h``, for C99 and for C++.
    """

    name: str
    source: str
    header: str

    def write(self, folder: str | os.PathLike[str]) -> tuple[Path, Path]:
        """Write ``name.c`` and ``name.h`` into a folder that exists; their paths, in this order.

        Args:
            folder: its path.

        Raises:
            OSError: where a file cannot be written; one that was there stays as it was.
        """
        paths = Path(folder) / f"{self.name}.c", Path(folder) / f"{self.name}.h"
        for path, text in zip(paths, (self.source, self.header), strict=True):
            write_whole(path, text.encode())
        return paths


def to_c(branches: Sequence[Program], name: str = "program",
         rewrite: Rewrite | None = None, chunk: int = CHUNK) -> CSource:
    """Write the programs of a function's branches as one function of C99.

    It is called as ``name(x, y)``, where ``x`` has a double for each input and ``y`` takes one for
    each output; they may overlap. It returns ``name_ok``, or

    - ``name_other_branch``: the guards of no program hold. ``y`` stays as it is.
    - ``name_outside_domain``: an instruction was outside of its domain, where the eager engine
      raises an error; ``y`` holds what IEEE arithmetic gives.

    Long programs take a third argument, ``memory``, with room for ``name_n_memory`` doubles that
    nobody else uses meanwhile. Nothing is kept from one call to the next.

    Args:
        branches: the programs, with equal numbers of inputs and of outputs. The first whose guards
            hold gives the result.
        name: what to call the function, and what the names of the header begin with.
        rewrite: writes primitives of the user's own out in others
            (``autograd.compiler.trace.inlining.inlined``); None refuses them.
        chunk: how many instructions to put into one function.

    Raises:
        ValueError: for a name that C, C++ or their libraries have taken, or that is none; for a
            program that is none, or programs that do not fit each other.
        KeyError: for an operation that is not in the table of primitives.
        Unsupported: for a primitive that C has no way to write; the message names it.
    """
    _check_name(name)
    if len({(branch.n_inputs, len(branch.outputs)) for branch in branches}) != 1:
        raise ValueError("the branches of a function have equal numbers of inputs and of outputs, "
                         "and there is at least one; these have "
                         f"{[(branch.n_inputs, len(branch.outputs)) for branch in branches]}")
    names = [f"{PREFIX}branch{place}" for place in range(len(branches))]
    writers = [_writer(branch, rewrite, name, own, chunk)
               for branch, own in zip(branches, names if len(names) > 1 else [name], strict=True)]
    texts = [writer.text() for writer in writers]
    n_memory = max(writer.n_memory for writer in writers)
    prelude: dict[str, None] = {}  # what several branches call is there once
    for writer, text in zip(writers, texts, strict=True):
        prelude.update(dict.fromkeys(writer.prelude(text)))
    order = {text: place for place, text in enumerate(FUNCTIONS.values())}
    functions = sorted(prelude, key=lambda text: order.get(text, len(order)))
    source = [_OPENING.format(name=name), *([_APART] if n_memory else []), *functions, *texts,
              *([_entry(name, writers, n_memory)] if len(writers) > 1 else [])]
    first = branches[0]
    return CSource(name, "\n".join(source),
                   _header(name, first.n_inputs, len(first.outputs), n_memory))


def _check_name(name: str) -> None:
    if (not isinstance(name, str) or not IDENTIFIER.fullmatch(name) or name in _TAKEN
            or _TAKEN_KINDS.fullmatch(name)):
        raise ValueError(f"{name!r} cannot be the name of a function of C: it is none, or C, C++ "
                         "or their libraries may have taken it; write a name of your own such as "
                         "'my_function'")


# --- the files ------------------------------------------------------------------------------------

_OPENING = """\
/* The numbers are those of the program that this was written from if doubles are computed as they
   are written; compile with -ffp-contract=off for the bits of + - * / as well. Link with -lm. */
#include "{name}.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __FAST_MATH__
#error "-ffast-math takes away nan and infinity, by which errors are seen"
#endif
"""

# Compilers that put all parts into one function would take long again.
_APART = """\
#if defined(__GNUC__) || defined(__clang__)
#define FN_APART __attribute__((noinline))
#else
#define FN_APART
#endif
"""

_HEADER = """\
#ifndef CHAINRULE_{name}_H
#define CHAINRULE_{name}_H

#ifdef __cplusplus
extern "C" {{
#endif

/* How many doubles x, y{and_memory} have. */
enum {{ {name}_n_inputs = {n_inputs}, {name}_n_outputs = {n_outputs}{memory} }};

/* What {name} returns. On another branch than those that were recorded, y stays as it is; outside
   of a domain, it takes what IEEE arithmetic gives. */
enum {{ {name}_ok = 0, {name}_other_branch = 1, {name}_outside_domain = 2 }};

/* x is read, y is written; they may overlap.{about_memory} */
int {name}({parameters});

#ifdef __cplusplus
}}
#endif

#endif
"""


def _parameters(n_memory: int) -> str:
    return "const double *x, double *y" + (", double *memory" if n_memory else "")


def _header(name: str, n_inputs: int, n_outputs: int, n_memory: int) -> str:
    return _HEADER.format(
        name=name, n_inputs=n_inputs, n_outputs=n_outputs, parameters=_parameters(n_memory),
        and_memory=" and memory" if n_memory else "",
        memory=f", {name}_n_memory = {n_memory}" if n_memory else "",
        about_memory="\n   What memory holds before is not read; two calls at the same time need "
                     "two of them." if n_memory else "")


def _entry(name: str, writers: Sequence[_Writer], n_memory: int) -> str:
    """The function that is called from outside: one branch after the other."""
    calls = [f"{writer.name}(x, y{', memory' if writer.n_memory else ''})" for writer in writers]
    return "\n".join([
        f"int {name}({_parameters(n_memory)})", "{", f"  int status = {calls[0]};",
        *(f"  if (status == {name}_other_branch) status = {call};" for call in calls[1:]),
        "  return status;", "}", ""])


# --- one branch -----------------------------------------------------------------------------------

class _Writer(SourceWriter):
    """Writes the function of one branch as straight code."""

    language = "C"
    emitters = EMITTERS
    functions = FUNCTIONS
    infinity, nan, comment = "INFINITY", "NAN", r"(?s)/\*.*?\*/"
    n_memory = 0

    def __init__(self, program: Program, rewrite: Rewrite | None, function: str,
                 name: str) -> None:
        super().__init__(rewrite)
        self.program = checked(program)
        self.function, self.name = function, name
        self.own_prefix = f"{PREFIX}{name.removeprefix(PREFIX)}"
        self.conditional = counting_on_conditions(program)
        self._read = {*program.outputs, *(slot for operands in program.operands
                                          for slot in operands),
                      *(slot for guard in program.guards for slot in guard[1:3])}

    def head(self) -> str:
        """The function's first line."""
        kind = "int" if self.name == self.function else "static int"
        return f"{kind} {self.name}({_parameters(self.n_memory)})"

    def text(self) -> str:
        """The function, after those that it is cut into."""
        program = self.program
        inputs = [f"  const double x{i} = x[{i}];" for i in range(program.n_inputs)
                  if i in self._read]
        unread = [f"  (void){program.name(slot)};" for slot in range(program.first, program.n_slots)
                  if slot not in self._read]
        outputs = [f"  y[{place}] = {self.read(program, slot)};"
                   for place, slot in enumerate(program.outputs)]
        return "\n".join([
            self.head(), "{", *([] if inputs else ["  (void)x;"]),
            *([] if outputs else ["  (void)y;"]), *inputs, *self.instructions(program), *unread,
            *self._guards(), *outputs, *self._domains(), f"  return {self.function}_ok;", "}", ""])

    def _guards(self) -> Iterator[str]:
        for relation, left, right, outcome in self.program.guards:
            broken = self.broken(relation, outcome, self.read(self.program, left),
                                 self.read(self.program, right))
            yield f"  if ({broken}) return {self.function}_other_branch;"

    def _domains(self) -> Iterator[str]:
        program = self.program
        unsure: list[str] = []
        for slot, (op, operands) in enumerate(zip(program.ops, program.operands, strict=True),
                                              program.first):
            names = [self.read(program, x) for x in operands]
            for condition in self.refusals(lookup(op), names, program.name(slot)):
                if slot in self.conditional:
                    unsure.append(f"    unsure |= {condition};")
                else:
                    yield f"  if ({condition}) return {self.function}_outside_domain;"
        if unsure:
            yield from ("  {", "    int unsure = 0;", *unsure)
            yield from self._unsure("unsure", "y")
            yield "  }"

    def _unsure(self, status: str, outputs: str) -> Iterator[str]:
        """What was not chosen may be undefined; where it was chosen, it shows in the outputs."""
        yield f"    for (long i = 0; {status} && i < {len(self.program.outputs)}; i++) {{"
        yield f"      if (!isfinite({outputs}[i])) return {self.function}_outside_domain;"
        yield "    }"

    def declaration(self, name: str, expression: str) -> str:
        return f"  const double {name} = {expression};"

    def listed(self, operands: Sequence[str]) -> str:
        return f"(const double[]){{{', '.join(operands)}}}"

    def long(self, op: str, operands: Sequence[str]) -> str | None:
        if op in OF_NOTHING and not operands:  # an array has one item at least
            return self.number(OF_NOTHING[op])
        if op == "sum" and len(operands) <= 4:
            return " + ".join(["0.0", *operands])
        if op == "dot" and len(operands) <= 8:
            half = len(operands) // 2
            products = (f"{a} * {b}" for a, b in zip(operands[:half], operands[half:], strict=True))
            return " + ".join(["0.0", *products])
        if op == "dot":
            half = len(operands) // 2
            return f"fn_dot({half}, {self.listed(operands[:half])}, {self.listed(operands[half:])})"
        return None

    def own_function(self, number: int, op: str, inputs: Sequence[str], lines: Sequence[str],
                     result: str) -> tuple[str, str]:
        name = f"{self.own_prefix}_own{number}"
        comment = re.sub(r"[^A-Za-z0-9_ .]", "_", op)
        arguments = ", ".join(f"double {x}" for x in inputs) or "void"
        return name, "\n".join([
            f"static double {name}({arguments}) /* {comment} */", "{", *lines,
            *(f"  (void){x};" for x in inputs), f"  return {result};", "}", ""])


class _RolledWriter(_Writer):
    """Writes the function of a long branch: loops, and parts of bounded length.

    Each number has its place in memory, that of its slot, behind the inputs. The parts and the
    loops set bits of ``status``; guards come before domains where both are met.
    """

    def __init__(self, program: Program, rewrite: Rewrite | None, function: str,
                 name: str, chunk: int) -> None:
        super().__init__(program, rewrite, function, name)
        self.chunk = max(1, chunk // 4)
        self.rolled: Rolled = roll(Tape.of(program))
        self.tape = self.rolled.tape
        self.n_memory = program.n_slots + len(program.outputs)
        self._table = f"{self.own_prefix}_table"
        self._parts: list[str] = []
        self._places: dict[str, tuple[int, list[int]]] = {}  # of an instruction's operands

    def text(self) -> str:
        body = list(self._blocks(self.rolled.blocks, ()))
        program, function = self.program, self.function
        return "\n".join([
            *self._data(), *self._parts, self.head(), "{",
            f"  double *out = memory + {program.n_slots};", "  int status = 0;",
            *_copied("memory", "x", program.n_inputs), *body,
            f"  if (status & {OTHER_BRANCH}) return {function}_other_branch;",
            *_copied("y", "out", len(program.outputs)),
            *([f"  if (status & {OUTSIDE_DOMAIN}) return {function}_outside_domain;", "  {",
               *self._unsure("status", "out"), "  }", f"  return {function}_ok;"]
              if self.conditional else
              [f"  return status ? {function}_outside_domain : {function}_ok;"]), "}", ""])

    def _data(self) -> Iterator[str]:
        """The constants that loops read one after the other."""
        constants, n_inputs = self.program.constants, self.program.n_inputs
        numbers = [self.number(constants[slot - n_inputs]) for slot in self.rolled.data.tolist()]
        if numbers:
            lines = (", ".join(numbers[i:i + PER_LINE]) for i in range(0, len(numbers), PER_LINE))
            yield f"static const double {self._table}[] = {{\n  " + ",\n  ".join(lines) + "};\n"

    def _blocks(self, blocks: Sequence[Block], loops: tuple[Loop, ...]) -> Iterator[str]:
        indent = "  " * (len(loops) + 1)
        for block in blocks:
            if isinstance(block, Loop):
                i = f"i{len(loops)}"
                yield f"{indent}for (long {i} = 0; {i} < {block.count}; {i}++) {{"
                yield from self._blocks(block.body, (*loops, block))
                yield f"{indent}}}"
                continue
            for start, stop in self._cut(block.start, block.stop):
                part = self._part(start, stop, loops)
                indices = "".join(f", i{depth}" for depth in range(len(loops)))
                yield f"{indent}status |= {part}(out, memory{indices});"

    def _cut(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Pieces of so many operands as ``chunk`` instructions have, but one instruction each."""
        offsets = self.tape.offsets
        while start < stop:
            most = int(offsets[start]) + 2 * self.chunk
            end = int(np.searchsorted(offsets, most, side="right")) - 1
            end = min(max(end, start + 1), start + self.chunk, stop)
            yield start, end
            start = end

    def _part(self, start: int, stop: int, loops: tuple[Loop, ...]) -> str:
        """Write a function of straight code; its name."""
        name = f"{self.own_prefix}_part{len(self._parts)}"
        indices = "".join(f", long i{depth}" for depth in range(len(loops)))
        lines = [line for at in range(start, stop) for line in self._instruction(at, start, loops)]
        self._parts.append("\n".join([
            f"static FN_APART int {name}(double *out, double *memory{indices})", "{",
            "  int status = 0;", "  (void)out, (void)memory;",
            *(f"  (void)i{depth};" for depth in range(len(loops))),
            *lines, "  return status;", "}", ""]))
        return name

    def _instruction(self, at: int, start: int, loops: tuple[Loop, ...]) -> Iterator[str]:
        op, _ = self.tape.kinds[self.tape.tokens[at]]
        first = int(self.tape.offsets[at])
        slots = self.rolled.operands[first:int(self.tape.offsets[at + 1])].tolist()
        strides = [[int(loop.strides[first + k - self.tape.offsets[loop.start]]) for loop in loops]
                   for k in range(len(slots))]
        if op == OUTPUT:
            place = _index(-1 - slots[1], [-stride for stride in strides[1]])
            yield f"  out[{place}] = {self._operand(slots[0], strides[0], start, at, loops)};"
            return
        operands = [self._operand(slot, along, start, at, loops)
                    for slot, along in zip(slots, strides, strict=True)]
        self._places = dict(zip(operands, zip(slots, strides, strict=True), strict=True))
        if op.startswith(GUARD):
            _, relation, outcome = op.split()
            broken = self.broken(relation, outcome == "True", *operands)
            yield f"  status |= {broken};"
            return
        slot = self.tape.first + at
        name = self.program.name(slot)
        yield f"  const double {name} = {self.expression(op, operands)};"
        yield f"  memory[{_index(slot, [loop.period for loop in loops])}] = {name};"
        bit = UNSURE if self._is_conditional(at, loops) else OUTSIDE_DOMAIN
        for condition in self.refusals(lookup(op), operands, name):
            yield f"  status |= {bit} * ({condition});"

    def _is_conditional(self, at: int, loops: Sequence[Loop]) -> bool:
        """Whether an instruction counts on a condition alone, in every iteration."""
        if not self.conditional:
            return False
        slots = np.array([self.tape.first + at])
        for loop in loops:
            slots = np.add.outer(slots, loop.period * np.arange(loop.count))
        return self.conditional.issuperset(slots.ravel().tolist())

    def listed(self, operands: Sequence[str]) -> str:
        """Numbers side by side in memory are an array already."""
        places = [self._places.get(operand) for operand in operands]
        first = places[0]
        if first is None or any(place != (first[0] + k, first[1])
                                for k, place in enumerate(places)):
            return super().listed(operands)
        start, stop = first[0], first[0] + len(operands)
        is_in_memory = stop <= self.program.n_inputs or (
            self.program.first <= start and stop <= self.tape.n_slots)
        return f"memory + {_index(*first)}" if is_in_memory else super().listed(operands)

    def _operand(self, slot: int, strides: Sequence[int], start: int, at: int,
                 loops: Sequence[Loop]) -> str:
        program, tape = self.program, self.tape
        if slot >= tape.n_slots:
            return f"{self._table}[{_index(slot - tape.n_slots, strides)}]"
        if program.n_inputs <= slot < program.first and not any(strides):
            return self.number(program.constants[slot - program.n_inputs])
        is_here = start <= slot - tape.first < at
        if is_here and all(stride == loop.period
                           for stride, loop in zip(strides, loops, strict=True)):
            return program.name(slot)
        return f"memory[{_index(slot, strides)}]"


def _writer(program: Program, rewrite: Rewrite | None, function: str, name: str,
            chunk: int) -> _Writer:
    operands = sum(map(len, program.operands)) // 2  # two for each instruction, as a rule
    length = max(len(program), operands) + len(program.guards) + len(program.outputs)
    if length <= chunk and max(map(len, program.operands), default=0) <= WIDE:
        return _Writer(program, rewrite, function, name)
    return _RolledWriter(program, rewrite, function, name, chunk)


def _copied(target: str, source: str, count: int) -> list[str]:
    return [f"  memcpy({target}, {source}, {count} * sizeof *{source});"] if count else [
        f"  (void){target}, (void){source};"]


def _index(start: int, strides: Sequence[int]) -> str:
    """A place that moves on with each iteration of the loops around it."""
    moves = (f" {'-' if stride < 0 else '+'} {abs(stride)} * i{depth}"
             for depth, stride in enumerate(strides) if stride)
    return f"{start}{''.join(moves)}"
