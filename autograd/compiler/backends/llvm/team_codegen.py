"""The code by which threads share out work. It is the same for every program.

Work is a function, the task, that is called once for each of some pieces; each piece has a ticket.
A thread draws a ticket, does the piece, and draws the next one. What the pieces are depends on no
thread: so no bit depends on how many threads there are, nor on which of them did what.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence

from autograd.compiler.backends.llvm.structured import Code

# What the functions read from an array of 64-bit words. The last four change while they run.
WORDS = ("share",  # a function that has a task done by all
         "yield",  # a function that lets other threads run
         "task", "context",  # a function of the context, the piece and a thread's memory
         "count",  # of the pieces
         "tickets", "left", "over")
POINTERS = {"share", "yield", "task", "context"}

SPINS = 500  # looks at a word, some 20 us, before a waiting thread lets others run
PATIENCE = 2_000  # looks after which a thread that waits for work had better sleep
ALL = 2**62  # tickets: as many as there are

# What a processor is told in a loop that waits: it saves power, and leaves the loop sooner.
_X86, _ARM = "@llvm.x86.sse2.pause()", "@llvm.aarch64.hint(i32 1)"
_PAUSES = {"x86_64": _X86, "AMD64": _X86, "aarch64": _ARM, "arm64": _ARM}

# A function that has the pieces of a task done by a team; by one thread where there is none, or
# nothing to share.
EACH_PIECE = f"""define internal void @each_piece(ptr %team, ptr %context, ptr %task, i64 %count) {{
entry:
  %is_alone = icmp eq ptr %team, null
  %is_one = icmp slt i64 %count, 2
  %is_whole = or i1 %is_alone, %is_one
  br i1 %is_whole, label %loop, label %together
together:
  %share_at = getelementptr i64, ptr %team, i64 {WORDS.index("share")}
  %share = load ptr, ptr %share_at, align 8
  call void %share(ptr %team, ptr %task, ptr %context, i64 %count, ptr null)
  ret void
loop:
  %piece = phi i64 [ 0, %entry ], [ %next, %loop ]
  call void %task(ptr %context, i64 %piece, ptr null)
  %next = add i64 %piece, 1
  %more = icmp slt i64 %next, %count
  br i1 %more, label %loop, label %done
done:
  ret void
}}
"""


class Function(Code):
    """Writes a function that reads words from arrays of them.

    Args:
        head: its result, name and arguments.
        names: of the words at ``%words``, in their order.
        pointers: those of them that are addresses.
    """

    def __init__(self, head: str, names: Sequence[str] = (),
                 pointers: frozenset[str] | set[str] = frozenset()) -> None:
        super().__init__()
        self.head, self.names, self.pointers = head, names, pointers

    @property
    def text(self) -> str:
        """The whole function."""
        return "\n".join([f"define {self.head} {{", "entry:", *self.variables, *self.lines, "}"])

    def place(self, name: str) -> str:
        """The address of a word."""
        return self.at("%words", self.names.index(name), "i64")

    def word(self, name: str) -> str:
        """What a word says."""
        return self.load("ptr" if name in self.pointers else "i64", self.place(name))

    def set(self, name: str, what: str) -> None:
        """Have a word say something else."""
        self.store("ptr" if name in self.pointers else "i64", what, self.place(name))

    def tell(self, name: str, number: str) -> None:
        """Set a word that other threads look at."""
        self.lines.append(f"  store atomic i64 {number}, ptr {self.place(name)} release, align 8")

    def returning(self, status: str = "") -> Function:
        """The function, which ends here."""
        self.lines.append(f"  ret {f'i64 {status}' if status else 'void'}")
        return self


class _Function(Function):
    """One of the functions below."""

    def __init__(self, head: str) -> None:
        super().__init__(head, WORDS, POINTERS)

    def look(self, name: str) -> str:
        """A word that other threads change; what they wrote before it is there, too."""
        return self.add(f"load atomic i64, ptr {self.place(name)} acquire, align 8")

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


def functions() -> list[Function]:
    """The functions, all of which take the address of the words.

    ``offer(words, task, context, count)`` makes the tickets; ``work(words, memory, most)`` draws up
    to so many and returns whether there may be more; ``wait(words)`` does so until all pieces are
    done. ``share(words, task, context, count, memory)`` is all three. Meanwhile other threads are
    in ``help(words, memory)``, which returns 0 when all is over and 1 when there was nothing to do
    for long. Each thread hands a memory of its own to the task.
    """
    return [_offer(), _one_piece(), _work(), _help(), _wait(), _share()]


def _offer() -> Function:
    f = _Function("void @offer(ptr %words, ptr %task, ptr %context, i64 %count)")
    for name in ("task", "context", "count"):
        f.set(name, f"%{name}")
    f.tell("left", "%count")
    f.tell("tickets", "%count")  # last: who draws one finds everything else
    return f.returning()


def _one_piece() -> Function:
    """Draws a ticket and does its piece; returns whether there was one."""
    f = _Function("i64 @one_piece(ptr %words, ptr %memory)")
    # Whoever comes too late draws 0 or less, and has read nothing that is being changed.
    f.return_unless(f.add(f"icmp sgt i64 {f.look('tickets')}, 0"), 0)
    ticket = f.count_down("tickets")
    f.return_unless(f.add(f"icmp sgt i64 {ticket}, 0"), 0)
    piece = f.whole("sub", f.word("count"), ticket)
    f.lines.append(f"  call void {f.word('task')}(ptr {f.word('context')}, i64 {piece}, "
                   "ptr %memory)")
    f.count_down("left")
    return f.returning("1")


def _work() -> Function:
    f = _Function("i64 @work(ptr %words, ptr %memory, i64 %most)")
    with f.counting("%most"):
        done = f.add("call i64 @one_piece(ptr %words, ptr %memory)")
        f.return_unless(f.add(f"icmp ne i64 {done}, 0"), 0)
    return f.returning("1")


def _help() -> Function:
    f = _Function("i64 @help(ptr %words, ptr %memory)")
    turns = f.variable("i64", "0")
    with f.repeating() as loop:
        f.return_unless(f.add(f"icmp eq i64 {f.look('over')}, 0"), 0)
        done = f.add("call i64 @one_piece(ptr %words, ptr %memory)")
        with f.when(f.add(f"icmp ne i64 {done}, 0")):
            f.store("i64", "0", turns)
        with f.when(f.add(f"icmp eq i64 {done}, 0")):
            f.rest(turns)
        f.leave_unless(f.add(f"icmp slt i64 {f.load('i64', turns)}, {PATIENCE}"), loop)
    return f.returning("1")


def _wait() -> Function:
    f = _Function("void @wait(ptr %words)")
    turns = f.variable("i64", "0")
    with f.repeating() as loop:
        f.leave_unless(f.add(f"icmp sgt i64 {f.look('left')}, 0"), loop)
        f.rest(turns)
    return f.returning()


def _share() -> Function:
    f = _Function("void @share(ptr %words, ptr %task, ptr %context, i64 %count, ptr %memory)")
    f.lines.append("  call void @offer(ptr %words, ptr %task, ptr %context, i64 %count)")
    f.add(f"call i64 @work(ptr %words, ptr %memory, i64 {ALL})")
    f.lines.append("  call void @wait(ptr %words)")
    return f.returning()
