"""The code by which threads share out a kernel's rows. It is the same for every program.

The rows are cut into blocks; each block has the sums of its own. Whoever draws a block copies its
rows to their place and calls the kernel for them. When all are done, the sums of the blocks are
added up in the order of the blocks. So no bit depends on how many threads there are, nor on which
of them did what.
"""

from __future__ import annotations

from autograd.compiler.backends.llvm.emitter import KERNEL_WORDS
from autograd.compiler.backends.llvm.team_codegen import ALL, Function

# What the functions read from an array of 64-bit words, after the words of a kernel's call. The
# second and the last change while they run.
WORDS = (*KERNEL_WORDS,
         "block", "n_blocks",  # the rows of a block
         "kernel", "width",  # its address, and how many rows go through it side by side
         "partial", "n_sums",  # the sums of each block, and how many numbers they are
         "columns", "n_columns",  # addresses of the rows' numbers, and the bytes between two of
                                  # them; no columns where the rows are in their place
         "n_checked",  # how many lines of results are looked through for inf and nan
         "found")  # whether any was found
POINTERS = {"scalars", "rows", "sums", "out", "ok", "memory", "team", "kernel", "partial",
            "columns"}

LANES = 8  # numbers that are added up at once


def functions() -> list[Function]:
    """The functions, which take the address of the words; they use those of ``team_codegen``.

    ``begin(words)`` offers the blocks to the team, ``finish(words)`` waits until all are done and
    adds up their sums. ``spread(words)`` does all, and is called as a kernel is. ``block(words,
    index, memory)`` is the task.
    """
    return [_block(), _begin(), _finish(), _spread()]


class _Function(Function):
    """One of the functions below."""

    def __init__(self, head: str) -> None:
        super().__init__(head, WORDS, POINTERS)


def _begin() -> Function:
    f = _Function("void @begin(ptr %words)")
    n, block = f.word("n"), f.word("block")
    up = f.whole("sub", f.whole("add", n, block), 1)
    count = f.whole("sdiv", up, block)
    f.set("n_blocks", count)
    f.lines.append(f"  call void @offer(ptr {f.word('team')}, ptr @block, ptr %words, i64 {count})")
    return f.returning()


def _block() -> Function:
    f = _Function("void @block(ptr %words, i64 %index, ptr %memory)")
    start = f.whole("mul", "%index", f.word("block"))
    rest = f.whole("sub", f.word("n"), start)
    is_last = f.add(f"icmp slt i64 {rest}, {f.word('block')}")
    count = f.add(f"select i1 {is_last}, i64 {rest}, i64 {f.word('block')}")
    _copy_rows(f, start, count)
    n_sums = f.word("n_sums")
    sums = f.at(f.word("partial"), f.whole("mul", "%index", n_sums))
    clear = "@llvm.memset.p0.i64"
    f.declared.add(f"declare void {clear}(ptr, i8, i64, i1)")
    f.lines.append(f"  call void {clear}(ptr {sums}, i8 0, i64 {f.whole('mul', n_sums, 8)}, i1 0)")
    arguments = f.name()
    f.variables.append(f"  {arguments} = alloca [{len(KERNEL_WORDS)} x i64], align 8")
    changed = {"sums": sums, "memory": "%memory", "n": count, "team": "null",
               **{name: f.at(f.word(name), start) for name in ("rows", "out", "ok")}}
    for i, name in enumerate(KERNEL_WORDS):
        f.store("ptr" if name in POINTERS else "i64", changed.get(name) or f.word(name),
                f.at(arguments, i, "i64"))
    f.lines.append(f"  call void {f.word('kernel')}(ptr {arguments})")
    _look_through(f, start, count)
    return f.returning()


def _look_through(f: Function, start: str, count: str) -> None:
    """Tell whether there is inf or nan in a block's results, while they are near."""
    zeros = [(f"<{LANES} x double>", "zeroinitializer"), ("double", f.const(0.0))]
    totals = [f.variable(kind, zero) for kind, zero in zeros]
    whole = f.whole("mul", f.whole("sdiv", count, LANES), LANES)
    with f.counting(f.word("n_checked")) as line:
        numbers = f.at(f.at(f.word("out"), f.whole("mul", line, f.word("stride"))), start)
        for (kind, zero), total, first, stop, step in (
                (zeros[0], totals[0], "0", whole, LANES), (zeros[1], totals[1], whole, count, 1)):
            with f.counting(f.whole("sub", stop, first), step) as i:
                number = f.load(kind, f.at(numbers, f.whole("add", i, first)))
                nothing = f.add(f"fmul {kind} {number}, {zero}")  # or else nan
                f.store(kind, f.add(f"fadd {kind} {f.load(kind, total)}, {nothing}"), total)
    kind, symbol = zeros[0][0], f"@llvm.vector.reduce.fadd.v{LANES}f64"
    f.declared.add(f"declare double {symbol}(double, {kind})")
    both = f.add(f"call double {symbol}(double {f.load('double', totals[1])}, "
                 f"{kind} {f.load(kind, totals[0])})")
    with f.when(f.compare("une", both, f.const(0.0))):
        f.tell("found", "1")


def _copy_rows(f: Function, start: str, count: str) -> None:
    """Put the rows of a block in their place; the last one again, up to a whole register."""
    width, copy = f.word("width"), "@llvm.memcpy.p0.p0.i64"
    f.declared.add(f"declare void {copy}(ptr, ptr, i64, i1)")
    up = f.whole("add", count, f.whole("sub", width, 1))
    padded = f.whole("mul", f.whole("sdiv", up, width), width)
    last = f.whole("sub", count, 1)
    with f.counting(f.word("n_columns")) as column:
        entry = f.at(f.word("columns"), f.whole("mul", column, 2), "i64")
        apart = f.load("i64", f.at(entry, 1, "i64"))
        source = f.at(f.load("ptr", entry), f.whole("mul", start, apart), "i8")
        line = f.at(f.word("rows"), f.whole("mul", column, f.word("stride")))
        target = f.at(line, start)
        is_dense = f.add(f"icmp eq i64 {apart}, 8")
        with f.when(is_dense):
            f.lines.append(f"  call void {copy}(ptr {target}, ptr align 1 {source}, "
                           f"i64 {f.whole('mul', count, 8)}, i1 0)")
        with f.when(f.add(f"icmp ne i64 {apart}, 8")), f.counting(count) as i:
            number = _from_anywhere(f, source, f.whole("mul", i, apart))
            f.store("double", number, f.at(target, i))
        with f.counting(f.whole("sub", padded, count)) as i:
            number = _from_anywhere(f, source, f.whole("mul", last, apart))
            f.store("double", number, f.at(target, f.whole("add", count, i)))


def _from_anywhere(f: Function, source: str, offset: str) -> str:
    """A number so many bytes behind an address that need not be a multiple of 8."""
    return f.add(f"load double, ptr {f.at(source, offset, 'i8')}, align 1")


def _finish() -> Function:
    f = _Function("void @finish(ptr %words)")
    f.lines.append(f"  call void @wait(ptr {f.word('team')})")
    n_sums = f.word("n_sums")
    whole = f.whole("mul", f.whole("sdiv", n_sums, LANES), LANES)
    with f.counting(f.word("n_blocks")) as block:
        part = f.at(f.word("partial"), f.whole("mul", block, n_sums))
        for kind, start, stop, step in ((f"<{LANES} x double>", "0", whole, LANES),
                                        ("double", whole, n_sums, 1)):
            with f.counting(f.whole("sub", stop, start), step) as counted:
                place = f.whole("add", counted, start)
                total, one = (f.at(x, place) for x in (f.word("sums"), part))
                both = f.add(f"fadd {kind} {f.load(kind, total)}, {f.load(kind, one)}")
                f.store(kind, both, total)
    return f.returning()


def _spread() -> Function:
    f = _Function("void @spread(ptr %words)")
    n, block = f.word("n"), f.word("block")
    is_one = f.add(f"icmp sle i64 {n}, {block}")
    with f.when(is_one):
        f.lines.append(f"  call void {f.word('kernel')}(ptr %words)")
    with f.when(f.add(f"icmp sgt i64 {n}, {block}")):
        f.lines.append("  call void @begin(ptr %words)")
        f.add(f"call i64 @work(ptr {f.word('team')}, ptr {f.word('memory')}, i64 {ALL})")
        f.lines.append("  call void @finish(ptr %words)")
    return f.returning()
