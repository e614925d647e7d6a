"""The code of the training loop. It is the same for every model, and kept on disk."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.compiler.backends.llvm.emitter import KERNEL_WORDS
from autograd.compiler.backends.llvm.structured import Code
from autograd.compiler.backends.llvm.team_codegen import EACH_PIECE
from autograd.compiler.backends.training_steps import (
    DONE,
    GRADIENT_NOT_FINITE,
    LOSS_NOT_FINITE,
    OTHER_BRANCH,
)

SOME = 32  # parameters whose sums are taken while those before are moved: not one after the other
MOVED = 8192  # parameters of a block, which one thread moves: some 15 us
GATHERED = 64  # rows, and inputs, that one thread puts side by side: some 5 us

# What the loop reads, in this order, from an array of 64-bit words, and as what. The last three
# change from step to step.
WORDS = {
    "loss": "ptr", "loss_arguments": "ptr", "rule": "ptr", "rule_arguments": "ptr",  # two kernels
    "rule_memory": "i64",  # numbers of memory of a block of parameters
    "n_steps": "i64", "counts": "ptr", "starts": "ptr",  # of the batches
    "order": "ptr", "data": "ptr", "n_inputs": "i64",  # the rows, one after the other
    "rows": "ptr", "out": "ptr", "ok": "ptr", "rows_stride": "i64", "padding": "i64",  # of a batch
    "scalars": "ptr", "n_scalars": "i64", "l2": "double",  # of the rule and the penalty
    "n_parameters": "i64", "stride": "i64",
    "answers": "ptr", "answers_stride": "i64", "n_answers": "i64", "objectives": "ptr",
    "team": "ptr",  # of threads, or 0
    "lines": "ptr", "moved": "ptr",  # the parameters with their memories, and the next ones
    "step": "i64"}


def training_loop(lanes: int, lanes_of_loss: int | None = None) -> str:
    """A module with ``descend(words, reached)``, which takes the steps and returns the status.

    Args:
        lanes: in how many numbers the kernel of the rule leaves each sum over rows.
        lanes_of_loss: in how many that of the loss does: as many, or 1; None for as many.
    """
    parts = [kind(lanes, lanes_of_loss or lanes) for kind in (_Gather, _Move, _Descend)]
    declared = sorted({line for part in parts for line in part.declared})
    return "\n".join([EACH_PIECE, *(part.text for part in parts), *declared, ""])


class _Function(Code):
    """Writes a function of the words."""

    head: str

    def __init__(self, lanes: int, lanes_of_loss: int) -> None:
        super().__init__()
        self.lanes_of_sums, self.lanes_of_loss = lanes, lanes_of_loss
        self.words = {name: self.load(kind, self.place(name)) for name, kind in WORDS.items()}
        self.write()

    @property
    def text(self) -> str:
        """The whole function."""
        return "\n".join([f"define {self.head} {{", "entry:", *self.variables, *self.lines, "}"])

    def write(self) -> None:
        raise NotImplementedError

    def place(self, name: str) -> str:
        """The address of a word."""
        return self.at("%words", [*WORDS].index(name), "i64")

    def least(self, a: str | int, b: str | int) -> str:
        """The lesser of two whole numbers."""
        return self.add(f"select i1 {self.add(f'icmp slt i64 {a}, {b}')}, i64 {a}, i64 {b}")

    def cut(self, size: str, piece: int) -> str:
        """How many pieces there are of so much."""
        return self.whole("sdiv", self.whole("add", size, piece - 1), piece)

    def batch(self, step: str) -> list[str]:
        """How many rows a step takes, and which is the first."""
        return [self.load("i64", self.at(self.words[name], step, "i64"))
                for name in ("counts", "starts")]

    def padded(self, count: str) -> str:
        """So many rows, in whole registers."""
        padding = self.words["padding"]
        last = self.whole("sub", count, 1)
        return self.whole("mul", padding,
                          self.whole("add", self.whole("sdiv", last, padding), 1))

    # --- kernels ----------------------------------------------------------------------------------

    def argument(self, kernel: str, name: str) -> str:
        """The address of one of the words that a kernel is called with."""
        return self.at(self.words[f"{kernel}_arguments"], KERNEL_WORDS.index(name), "i64")

    # --- sums in lanes ----------------------------------------------------------------------------

    def take_many(self, pointer: str, target: str) -> None:
        """As many sums as there are lanes, at once; 0 is left in their place.

        The halves of two sums share a register, then the quarters of four, and so on.
        """
        width = half = self.lanes_of_sums
        if self.lanes_of_loss == 1:
            self.store(_vector(width), self._taken(pointer, width), target)
            return
        numbers = [self._taken(self.at(pointer, i * width), width) for i in range(width)]
        while half > 1:
            half //= 2
            halves = [[place for place in range(2 * width) if (place // half) % 2 == which]
                      for which in (0, 1)]
            numbers = [self.add(f"fadd {_vector(width)} {self._shuffled(a, b, width, halves[0])}, "
                                f"{self._shuffled(a, b, width, halves[1])}")
                       for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
        self.store(_vector(width), numbers[0], target)

    def take_one(self, pointer: str, lanes: int) -> str:
        """A sum, out of its lanes, in which 0 is left."""
        return self.added(self._taken(pointer, lanes), lanes)

    def added(self, number: str, lanes: int) -> str:
        """The lanes of a number, added by halves."""
        half = lanes
        while half > 1:
            half //= 2
            low, high = (self._shuffled(number, number, 2 * half, range(first, first + half))
                         for first in (0, half))
            number = self.add(f"fadd {_vector(half)} {low}, {high}")
        return self.add(f"extractelement {_vector(1)} {number}, i32 0")

    def _taken(self, pointer: str, lanes: int) -> str:
        kind = _vector(lanes)
        number = self.load(kind, pointer)
        self.store(kind, "zeroinitializer", pointer)
        return number

    def _shuffled(self, a: str, b: str, width: int, places: Sequence[int]) -> str:
        mask = ", ".join(f"i32 {place}" for place in places)
        return self.add(f"shufflevector {_vector(width)} {a}, {_vector(width)} {b}, "
                        f"<{len(places)} x i32> <{mask}>")


class _Gather(_Function):
    """Puts some inputs of some rows of a batch side by side."""

    head = "internal void @gather(ptr %words, i64 %piece, ptr %unused)"

    def write(self) -> None:
        w = self.words
        count, start = self.batch(w["step"])
        order = self.at(w["order"], start, "i64")
        across = self.cut(w["n_inputs"], GATHERED)
        row = self.whole("mul", self.whole("sdiv", "%piece", across), GATHERED)
        column = self.whole("mul", self.whole("srem", "%piece", across), GATHERED)
        rows = self.least(GATHERED, self.whole("sub", self.padded(count), row))
        columns = self.least(GATHERED, self.whole("sub", w["n_inputs"], column))
        last = self.whole("sub", count, 1)
        target = self.at(self.at(w["rows"], self.whole("mul", column, w["rows_stride"])), row)
        with self.counting(rows) as j:  # the last one again, up to a whole register
            place = self.least(self.whole("add", row, j), last)
            number = self.load("i64", self.at(order, place, "i64"))
            source = self.at(self.at(w["data"], self.whole("mul", number, w["n_inputs"])), column)
            with self.counting(columns) as k:
                self.store("double", self.load("double", self.at(source, k)),
                           self.at(self.at(target, self.whole("mul", k, w["rows_stride"])), j))
        self.lines.append("  ret void")


class _Move(_Function):
    """Moves a block of parameters by the rule, some at a time."""

    head = "internal void @move(ptr %words, i64 %block, ptr %unused)"

    def write(self) -> None:
        w = self.words
        begin = self.whole("mul", "%block", MOVED)
        arguments, sums = self._arguments()
        for lanes in (0, self.lanes_of_sums):
            self.store(_vector(self.lanes_of_sums), "zeroinitializer", self.at(sums, lanes))
        slopes_of_loss = self.at(self.load("ptr", self.argument("loss", "sums")),
                                 self.lanes_of_loss)
        places = {name: self.at(arguments, KERNEL_WORDS.index(name), "i64")
                  for name in ("rows", "out", "n")}
        next_numbers = self.at(w["moved"], w["stride"])
        end = self.least(w["n_parameters"], self.whole("add", begin, MOVED))
        with self.counting(self.whole("sub", end, begin), SOME) as counted:
            first = self.whole("add", begin, counted)
            count = self.least(SOME, self.whole("sub", end, first))
            slopes = self.at(w["lines"], first)
            with self.counting(count, self.lanes_of_sums) as k:
                place = self.whole("mul", self.whole("add", first, k), self.lanes_of_loss)
                self.take_many(self.at(slopes_of_loss, place), self.at(slopes, k))
            for name, kind, word in (("rows", "ptr", slopes), ("n", "i64", count),
                                     ("out", "ptr", self.at(next_numbers, first))):
                self.store(kind, word, places[name])
            self.lines.append(f"  call void {w['rule']}(ptr {arguments})")
        self.lines.append("  ret void")

    def _arguments(self) -> tuple[str, str]:
        """The words that the rule is called with for this block, and its sums."""
        w = self.words
        arguments = self.name()
        self.variables.append(f"  {arguments} = alloca [{len(KERNEL_WORDS)} x i64], align 8")
        sums = self.at(self.load("ptr", self.argument("rule", "sums")),
                       self.whole("mul", "%block", 2 * self.lanes_of_sums))
        memory = self.at(self.load("ptr", self.argument("rule", "memory")),
                         self.whole("mul", "%block", w["rule_memory"]))
        scalars = self.at(w["scalars"], self.whole("mul", w["step"], w["n_scalars"]))
        own = {"scalars": scalars, "sums": sums, "memory": memory}
        for place, name in enumerate(KERNEL_WORDS):
            word = own.get(name) or self.load("ptr", self.argument("rule", name))
            self.store("ptr", word, self.at(arguments, place, "i64"))
        return arguments, sums


class _Descend(_Function):
    """The loop: each method is a part of a step."""

    head = "i64 @descend(ptr %words, ptr %reached)"

    def write(self) -> None:
        w = self.words
        with self.counting(w["n_steps"]) as step:
            self.store("i64", step, "%reached")
            self.store("i64", step, self.place("step"))
            self._step(step)
            # The parameters and where the next ones go change places.
            now, following = (self.load("ptr", self.place(name)) for name in ("lines", "moved"))
            self.store("ptr", following, self.place("lines"))
            self.store("ptr", now, self.place("moved"))
        self.store("i64", w["n_steps"], "%reached")
        self.lines.append(f"  ret i64 {DONE}")

    def _step(self, step: str) -> None:
        w = self.words
        count, start = self.batch(step)
        with self.when(self.add(f"icmp ne ptr {w['order']}, null")):
            self._each_piece("gather", self.whole(
                "mul", self.cut(self.padded(count), GATHERED),
                self.cut(w["n_inputs"], GATHERED)))
        rows = self.add(f"sitofp i64 {count} to double")
        self._evaluate(self.load("ptr", self.place("lines")), count, rows)
        self._keep_answers(start, count)
        blocks = self.cut(w["n_parameters"], MOVED)
        self._each_piece("move", blocks)
        self._judge(step, rows, blocks)

    def _each_piece(self, task: str, count: str) -> None:
        self.lines.append(f"  call void @each_piece(ptr {self.words['team']}, ptr %words, "
                          f"ptr @{task}, i64 {count})")

    def _evaluate(self, lines: str, count: str, rows: str) -> None:
        """The loss of the batch with its slopes; all guards must hold."""
        w = self.words
        for name, word in (("scalars", self.at(lines, w["stride"])), ("rows", w["rows"]),
                           ("out", w["out"]), ("ok", w["ok"]), ("n", count)):
            self.store("i64" if name == "n" else "ptr", word, self.argument("loss", name))
        self.lines.append(f"  call void {w['loss']}(ptr {w['loss_arguments']})")
        holding = self.variable("double", self.const(0.0))
        with self.counting(count) as i:
            one = self.load("double", self.at(w["ok"], i))
            so_far = self.load("double", holding)
            self.store("double", self.add(f"fadd reassoc double {so_far}, {one}"), holding)
        self.return_unless(self.compare("oeq", self.load("double", holding), rows), OTHER_BRANCH)

    def _keep_answers(self, start: str, count: str) -> None:
        w = self.words
        copy = "@llvm.memcpy.p0.p0.i64"
        self.declared.add(f"declare void {copy}(ptr, ptr, i64, i1)")
        size = self.whole("mul", count, 8)
        with self.counting(w["n_answers"]) as a:
            source = self.at(w["out"], self.whole("mul", a, w["rows_stride"]))
            line = self.at(w["answers"], self.whole("mul", a, w["answers_stride"]))
            target = self.at(line, start)
            self.lines.append(f"  call void {copy}(ptr {target}, ptr {source}, i64 {size}, i1 0)")

    def _judge(self, step: str, rows: str, blocks: str) -> None:
        """Keep the objective; it and all slopes must be finite."""
        w = self.words
        squares, zero_slopes = self._sums_of_rule(blocks)
        loss = self.take_one(self.load("ptr", self.argument("loss", "sums")), self.lanes_of_loss)
        penalty = self.op("fmul", w["l2"], squares)
        objective = self.op("fadd", self.op("fdiv", loss, rows), penalty)
        self.store("double", objective, self.at(w["objectives"], step))
        self.return_unless(self.compare("oeq", self.op("fsub", objective, objective),
                                        self.const(0.0)), LOSS_NOT_FINITE)
        self.return_unless(self.compare("oeq", zero_slopes, self.const(0.0)), GRADIENT_NOT_FINITE)

    def _sums_of_rule(self, blocks: str) -> list[str]:
        """Both sums over the parameters: those of the blocks, in their order."""
        lanes = self.lanes_of_sums
        kind = _vector(lanes)
        sums = self.load("ptr", self.argument("rule", "sums"))
        totals = [self.variable(kind, self.load(kind, self.at(sums, start)))
                  for start in (0, lanes)]
        with self.counting(self.whole("sub", blocks, 1)) as before:
            block = self.at(sums, self.whole("mul", self.whole("add", before, 1), 2 * lanes))
            for total, start in zip(totals, (0, lanes), strict=True):
                one = self.load(kind, self.at(block, start))
                self.store(kind, self.add(f"fadd {kind} {self.load(kind, total)}, {one}"), total)
        return [self.added(self.load(kind, total), lanes) for total in totals]


def _vector(width: int) -> str:
    return f"<{width} x double>"
