"""The code by which threads share out a kernel's rows. It is the same for every program.

The rows are cut into blocks; each block has a ticket, and the sums of its own. A thread draws a
ticket, copies the block's rows to their place, calls the kernel for them, and draws the next one.
When all are done, the sums of the blocks are added up in the order of the blocks. So no bit depends
on how many threads there are, nor on which of them did what.
"""

from __future__ import annotations

import platform

from autograd.compiler.backends.llvm.emitter import KERNEL_WORDS
from autograd.compiler.backends.llvm.structured import Code

# What the functions read from an array of 64-bit words, after the words of a kernel's call. The
# last four change while they run.
WORDS = (*KERNEL_WORDS,
         "kernel", "width",  # its address, and how many rows go through it side by side
         "block", "n_blocks",  # the rows of a block
         "partial", "n_sums",  # the sums of each block, and how many numbers they are
         "columns", "n_columns",  # addresses of the rows' numbers, and the bytes between two of
                                  # them; no columns where the rows are in their place
         "n_checked",  # how many lines of results are looked through for inf and nan
         "yield",  # a function that lets other threads run
         "tickets", "left", "over", "found")  # whether any was found
POINTERS = {"scalars", "rows", "sums", "out", "ok", "memory", "kernel", "partial", "columns",
            "yield"}

SPINS = 500  # looks at a word, some 20 us, before a waiting thread lets others run
PATIENCE = 2_000  # looks after which a thread that waits for work had better sleep
ALL = 2**62  # tickets: as many as there are
LANES = 8  # numbers that are added up at once

# What a processor is told in a loop that waits: it saves power, and leaves the loop sooner.
_X86, _ARM = "@llvm.x86.sse2.pause()", "@llvm.aarch64.hint(i32 1)"
_PAUSES = {"x86_64": _X86, "AMD64": _X86, "aarch64": _ARM, "arm64": _ARM}


def sharing() -> str:
    """A module of these functions, all of which take the address of the words.

    ``begin(words)`` makes the tickets; ``work(words, memory, most)`` draws up to so many and
    returns whether there may be more; ``finish(words)`` waits until all blocks are done and adds up
    their sums. ``spread(words)`` is all three, and is called as a kernel is. Meanwhile other
    threads are in ``help(words, memory)``, which returns 0 when all is over and 1 when there was
    nothing to do for long. Each thread has a memory of its own.
    """
    functions = [_begin(), _one_block(), _work(), _help(), _finish(), _spread()]
    declared = sorted({line for f in functions for line in f.declared})
    return "\n".join([*(f.text for f in functions), *declared, ""])


class _Function(Code):
    """Writes one of the functions."""

    def __init__(self, head: str) -> None:
        super().__init__()
        self.head = head

    @property
    def text(self) -> str:
        return "\n".join([f"define {self.head} {{", "entry:", *self.variables, *self.lines, "}"])

    def place(self, name: str) -> str:
        """The address of a word."""
        return self.at("%words", WORDS.index(name), "i64")

    def word(self, name: str) -> str:
        return self.load("ptr" if name in POINTERS else "i64", self.place(name))

    def look(self, name: str) -> str:
        """A word that other threads change; what they wrote before it is there, too."""
        return self.add(f"load atomic i64, ptr {self.place(name)} acquire, align 8")

    def tell(self, name: str, number: str) -> None:
        """Set a word that other threads look at."""
        self.lines.append(f"  store atomic i64 {number}, ptr {self.place(name)} release, align 8")

    def count_down(self, name: str) -> str:
        """Make a word less by 1; what it was."""
        return self.add(f"atomicrmw sub ptr {self.place(name)}, i64 1 acq_rel")

    def rest(self, turns: str) -> None:
        """Wait a moment, after so many moments already."""
        turn = self.load("i64", turns)
        self.store("i64", self.whole("add", turn, 1), turns)
        if pause := _PAUSES.get(platform.machine()):
            self.declared.add(f"declare void {pause.replace('i32 1', 'i32')}")
            self.lines.append(f"  call void {pause}")
        with self.when(self.add(f"icmp sgt i64 {turn}, {SPINS}")):
            self.add(f"call i32 {self.word('yield')}()")

    def returning(self, status: str = "") -> _Function:
        self.lines.append(f"  ret {f'i64 {status}' if status else 'void'}")
        return self


def _begin() -> _Function:
    f = _Function("void @begin(ptr %words)")
    n, block = f.word("n"), f.word("block")
    up = f.whole("sub", f.whole("add", n, block), 1)
    count = f.whole("sdiv", up, block)
    f.store("i64", count, f.place("n_blocks"))
    f.tell("left", count)
    f.tell("tickets", count)  # last: who draws one finds everything else
    return f.returning()


def _one_block() -> _Function:
    """Draws a ticket and computes its block; returns whether there was one."""
    f = _Function("i64 @one_block(ptr %words, ptr %memory)")
    # Whoever comes too late draws 0 or less, and has read nothing that is being changed.
    f.return_unless(f.add(f"icmp sgt i64 {f.look('tickets')}, 0"), 0)
    ticket = f.count_down("tickets")
    f.return_unless(f.add(f"icmp sgt i64 {ticket}, 0"), 0)
    index = f.whole("sub", f.word("n_blocks"), ticket)
    start = f.whole("mul", index, f.word("block"))
    rest = f.whole("sub", f.word("n"), start)
    is_last = f.add(f"icmp slt i64 {rest}, {f.word('block')}")
    count = f.add(f"select i1 {is_last}, i64 {rest}, i64 {f.word('block')}")
    _copy_rows(f, start, count)
    n_sums = f.word("n_sums")
    sums = f.at(f.word("partial"), f.whole("mul", index, n_sums))
    clear = "@llvm.memset.p0.i64"
    f.declared.add(f"declare void {clear}(ptr, i8, i64, i1)")
    f.lines.append(f"  call void {clear}(ptr {sums}, i8 0, i64 {f.whole('mul', n_sums, 8)}, i1 0)")
    arguments = f.name()
    f.variables.append(f"  {arguments} = alloca [{len(KERNEL_WORDS)} x i64], align 8")
    changed = {"sums": sums, "memory": "%memory", "n": count,
               **{name: f.at(f.word(name), start) for name in ("rows", "out", "ok")}}
    for i, name in enumerate(KERNEL_WORDS):
        f.store("ptr" if name in POINTERS else "i64", changed.get(name) or f.word(name),
                f.at(arguments, i, "i64"))
    f.lines.append(f"  call void {f.word('kernel')}(ptr {arguments})")
    _look_through(f, start, count)
    f.count_down("left")
    return f.returning("1")


def _look_through(f: _Function, start: str, count: str) -> None:
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


def _copy_rows(f: _Function, start: str, count: str) -> None:
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


def _from_anywhere(f: _Function, source: str, offset: str) -> str:
    """A number so many bytes behind an address that need not be a multiple of 8."""
    return f.add(f"load double, ptr {f.at(source, offset, 'i8')}, align 1")


def _work() -> _Function:
    f = _Function("i64 @work(ptr %words, ptr %memory, i64 %most)")
    with f.counting("%most"):
        done = f.add("call i64 @one_block(ptr %words, ptr %memory)")
        f.return_unless(f.add(f"icmp ne i64 {done}, 0"), 0)
    return f.returning("1")


def _help() -> _Function:
    f = _Function("i64 @help(ptr %words, ptr %memory)")
    turns = f.variable("i64", "0")
    with f.repeating() as loop:
        f.return_unless(f.add(f"icmp eq i64 {f.look('over')}, 0"), 0)
        done = f.add("call i64 @one_block(ptr %words, ptr %memory)")
        with f.when(f.add(f"icmp ne i64 {done}, 0")):
            f.store("i64", "0", turns)
        with f.when(f.add(f"icmp eq i64 {done}, 0")):
            f.rest(turns)
        f.leave_unless(f.add(f"icmp slt i64 {f.load('i64', turns)}, {PATIENCE}"), loop)
    return f.returning("1")


def _finish() -> _Function:
    f = _Function("void @finish(ptr %words)")
    turns = f.variable("i64", "0")
    with f.repeating() as loop:
        f.leave_unless(f.add(f"icmp sgt i64 {f.look('left')}, 0"), loop)
        f.rest(turns)
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


def _spread() -> _Function:
    f = _Function("void @spread(ptr %words)")
    n, block = f.word("n"), f.word("block")
    is_one = f.add(f"icmp sle i64 {n}, {block}")
    with f.when(is_one):
        f.lines.append(f"  call void {f.word('kernel')}(ptr %words)")
    with f.when(f.add(f"icmp sgt i64 {n}, {block}")):
        f.lines.append("  call void @begin(ptr %words)")
        f.add(f"call i64 @work(ptr %words, ptr {f.word('memory')}, i64 {ALL})")
        f.lines.append("  call void @finish(ptr %words)")
    return f.returning()
