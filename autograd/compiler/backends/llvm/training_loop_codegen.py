"""The code of the training loop. It is the same for every model, and kept on disk."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.compiler.backends.llvm.emitter import KERNEL_WORDS
from autograd.compiler.backends.llvm.structured import Code
from autograd.compiler.backends.training_steps import (
    DONE,
    GRADIENT_NOT_FINITE,
    LOSS_NOT_FINITE,
    OTHER_BRANCH,
)

SOME = 32  # parameters whose sums are taken while those before are moved: not one after the other

# What the loop reads, in this order, from an array of 64-bit words, and as what.
WORDS = {
    "loss": "ptr", "loss_arguments": "ptr", "rule": "ptr", "rule_arguments": "ptr",  # two kernels
    "n_steps": "i64", "counts": "ptr", "starts": "ptr",  # of the batches
    "order": "ptr", "data": "ptr", "n_inputs": "i64",  # the rows, one after the other
    "rows": "ptr", "out": "ptr", "ok": "ptr", "rows_stride": "i64", "padding": "i64",  # of a batch
    "scalars": "ptr", "n_scalars": "i64", "l2": "double",  # of the rule and the penalty
    "n_parameters": "i64", "stride": "i64",
    "answers": "ptr", "answers_stride": "i64", "n_answers": "i64", "objectives": "ptr"}


def training_loop(lanes: int, lanes_of_loss: int | None = None) -> str:
    """A module with ``descend(words, reached)``, which takes the steps and returns the status.

    Args:
        lanes: in how many numbers the kernel of the rule leaves each sum over rows.
        lanes_of_loss: in how many that of the loss does: as many, or 1; None for as many.
    """
    return _TrainingLoop(lanes, lanes_of_loss or lanes).module()


class _TrainingLoop(Code):
    """Writes the loop: each method is a part of a step."""

    def __init__(self, lanes: int, lanes_of_loss: int) -> None:
        super().__init__()
        self.lanes_of_sums, self.lanes_of_loss = lanes, lanes_of_loss
        self.words = {name: self.load(kind, self.at("%words", place, "i64"))
                      for place, (name, kind) in enumerate(WORDS.items())}

    def module(self) -> str:
        """The whole module as text."""
        self._steps()
        return "\n".join(["define i64 @descend(ptr %words, ptr %reached) {", "entry:",
                          *self.variables, *self.lines, "}", *sorted(self.declared), ""])

    def _steps(self) -> None:
        # The parameters with their memories, and where the next ones go: they change places.
        lines, moved = (self.variable("ptr", self.load("ptr", self._argument("rule", name)))
                        for name in ("rows", "out"))
        with self.counting(self.words["n_steps"]) as step:
            self.store("i64", step, "%reached")
            self._step(step, self.load("ptr", lines), self.load("ptr", moved))
            now, following = self.load("ptr", lines), self.load("ptr", moved)
            self.store("ptr", following, lines)
            self.store("ptr", now, moved)
        self.store("i64", self.words["n_steps"], "%reached")
        self.lines.append(f"  ret i64 {DONE}")

    def _step(self, step: str, lines: str, moved: str) -> None:
        w = self.words
        count, start = (self.load("i64", self.at(w[name], step, "i64"))
                        for name in ("counts", "starts"))
        with self.when(self.add(f"icmp ne ptr {w['order']}, null")):
            self._gather(self.at(w["order"], start, "i64"), count)
        rows = self.add(f"sitofp i64 {count} to double")
        self._evaluate(lines, count, rows)
        self._keep_answers(start, count)
        self._move(step, lines, moved)
        self._judge(step, rows)

    def _gather(self, order: str, count: str) -> None:
        """Put the rows of a batch side by side; the last one again, up to a whole register."""
        w = self.words
        last = self.whole("sub", count, 1)
        registers = self.whole("add", self.whole("sdiv", last, w["padding"]), 1)
        with self.counting(self.whole("mul", registers, w["padding"])) as j:
            inside = self.add(f"icmp slt i64 {j}, {last}")
            place = self.add(f"select i1 {inside}, i64 {j}, i64 {last}")
            row = self.load("i64", self.at(order, place, "i64"))
            source = self.at(w["data"], self.whole("mul", row, w["n_inputs"]))
            target = self.at(w["rows"], j)
            with self.counting(w["n_inputs"]) as k:
                number = self.load("double", self.at(source, k))
                self.store("double", number,
                           self.at(target, self.whole("mul", k, w["rows_stride"])))

    def _evaluate(self, lines: str, count: str, rows: str) -> None:
        """The loss of the batch with its slopes; all guards must hold."""
        w = self.words
        self._call("loss", scalars=self.at(lines, w["stride"]), rows=w["rows"], out=w["out"],
                   ok=w["ok"], n=count)
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

    def _move(self, step: str, lines: str, moved: str) -> None:
        """Move all parameters by the rule, some at a time."""
        w = self.words
        sums = self.at(self.load("ptr", self._argument("loss", "sums")), self.lanes_of_loss)
        scalars = self.at(w["scalars"], self.whole("mul", step, w["n_scalars"]))
        next_numbers = self.at(moved, w["stride"])
        with self.counting(w["n_parameters"], SOME) as first:
            left = self.whole("sub", w["n_parameters"], first)
            is_last = self.add(f"icmp slt i64 {left}, {SOME}")
            count = self.add(f"select i1 {is_last}, i64 {left}, i64 {SOME}")
            slopes = self.at(lines, first)
            with self.counting(count, self.lanes_of_sums) as k:
                parameter = self.whole("add", first, k)
                self._take_many(self.at(sums, self.whole("mul", parameter, self.lanes_of_loss)),
                                self.at(slopes, k))
            self._call("rule", scalars=scalars, rows=slopes, out=self.at(next_numbers, first),
                       n=count)

    def _judge(self, step: str, rows: str) -> None:
        """Keep the objective; it and all slopes must be finite."""
        w = self.words
        squares = self.load("ptr", self._argument("rule", "sums"))
        zero_slopes = self.at(squares, self.lanes_of_sums)
        loss = self._take_one(self.load("ptr", self._argument("loss", "sums")),
                              self.lanes_of_loss)
        penalty = self.op("fmul", w["l2"], self._take_one(squares, self.lanes_of_sums))
        objective = self.op("fadd", self.op("fdiv", loss, rows), penalty)
        self.store("double", objective, self.at(w["objectives"], step))
        self.return_unless(self.compare("oeq", self.op("fsub", objective, objective),
                                        self.const(0.0)), LOSS_NOT_FINITE)
        self.return_unless(self.compare("oeq", self._take_one(zero_slopes, self.lanes_of_sums),
                                        self.const(0.0)),
                           GRADIENT_NOT_FINITE)

    # --- kernels ----------------------------------------------------------------------------------

    def _argument(self, kernel: str, name: str) -> str:
        """The address of one of the words that a kernel is called with."""
        return self.at(self.words[f"{kernel}_arguments"], KERNEL_WORDS.index(name), "i64")

    def _call(self, kernel: str, **arguments: str) -> None:
        """Call a kernel with other words in the places that are named."""
        for name, word in arguments.items():
            self.store("i64" if name == "n" else "ptr", word, self._argument(kernel, name))
        self.lines.append(f"  call void {self.words[kernel]}(ptr "
                          f"{self.words[f'{kernel}_arguments']})")

    # --- sums in lanes ----------------------------------------------------------------------------

    def _take_one(self, pointer: str, lanes: int) -> str:
        """A sum, out of its lanes, in which 0 is left. They are added by halves."""
        number, half = self._taken(pointer, lanes), lanes
        while half > 1:
            half //= 2
            low, high = (self._shuffled(number, number, 2 * half, range(first, first + half))
                         for first in (0, half))
            number = self.add(f"fadd {_vector(half)} {low}, {high}")
        return self.add(f"extractelement {_vector(1)} {number}, i32 0")

    def _take_many(self, pointer: str, target: str) -> None:
        """As many sums as there are lanes, at once.

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

    def _taken(self, pointer: str, lanes: int) -> str:
        kind = _vector(lanes)
        number = self.load(kind, pointer)
        self.store(kind, "zeroinitializer", pointer)
        return number

    def _shuffled(self, a: str, b: str, width: int, places: Sequence[int]) -> str:
        mask = ", ".join(f"i32 {place}" for place in places)
        return self.add(f"shufflevector {_vector(width)} {a}, {_vector(width)} {b}, "
                        f"<{len(places)} x i32> <{mask}>")


def _vector(width: int) -> str:
    return f"<{width} x double>"
