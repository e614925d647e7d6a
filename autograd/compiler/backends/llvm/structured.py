"""An emitter that writes loops and conditions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from autograd.compiler.backends.llvm.emitter import Emitter


class Code(Emitter):
    """An emitter of counters, addresses, loops and conditions."""

    def __init__(self, width: int = 1, vector_functions: dict[str, str] | None = None,
                 lanes: int | None = None) -> None:
        super().__init__(width, vector_functions, lanes)
        self.label = "entry"  # of the block that is being written
        self.variables: list[str] = []
        self._blocks = 0

    def whole(self, instruction: str, a: str | int, b: str | int) -> str:
        """An operation on whole numbers: add, sub, mul, sdiv."""
        return self.add(f"{instruction} i64 {a}, {b}")

    def at(self, pointer: str, place: str | int, kind: str = "double") -> str:
        """The address of one of the numbers, or of the words, that lie at a pointer."""
        return self.add(f"getelementptr {kind}, ptr {pointer}, i64 {place}")

    def load(self, kind: str, pointer: str) -> str:
        return self.add(f"load {kind}, ptr {pointer}, align 8")

    def store(self, kind: str, what: str | int, pointer: str) -> None:
        self.lines.append(f"  store {kind} {what}, ptr {pointer}, align 8")

    def variable(self, kind: str, start: str) -> str:
        """A place for something that changes; LLVM makes a register of it."""
        place = self.name()
        self.variables.append(f"  {place} = alloca {kind}")  # once, before all loops
        self.store(kind, start, place)
        return place

    @contextmanager
    def counting(self, stop: str, step: int = 1) -> Iterator[str]:
        """Inside is the body of a loop over 0, step, 2 * step, ... below stop."""
        before, following = self.label, self.name()
        head, body, following_count, done = self._labels()
        self._jump(head)
        i = self.add(f"phi i64 [ 0, %{before} ], [ {following}, %{following_count} ]")
        more = self.add(f"icmp slt i64 {i}, {stop}")
        self._branch(more, body, done)
        yield i
        self._jump(following_count)
        self.lines += [f"  {following} = add i64 {i}, {step}", f"  br label %{head}"]
        self._begin(done)

    @contextmanager
    def repeating(self) -> Iterator[str]:
        """Inside is the body of a loop without an end but :meth:`leave_unless`."""
        body, done, *_ = self._labels()
        self._jump(body)
        yield done
        self.lines.append(f"  br label %{body}")
        self._begin(done)

    def leave_unless(self, condition: str, loop: str) -> None:
        """Leave a loop of :meth:`repeating` where a condition does not hold."""
        on, *_ = self._labels()
        self._branch(condition, on, loop)

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """Inside is what happens under a condition."""
        body, done, *_ = self._labels()
        self._branch(condition, body, done)
        yield
        self._jump(done)

    def return_unless(self, condition: str, status: int) -> None:
        """End the function with a status where a condition does not hold."""
        on, end, *_ = self._labels()
        self.lines += [f"  br i1 {condition}, label %{on}, label %{end}", f"{end}:",
                       f"  ret i64 {status}"]
        self._begin(on)

    def _labels(self) -> list[str]:
        self._blocks += 1
        return [f"b{self._blocks}.{i}" for i in range(4)]

    def _begin(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.label = label

    def _jump(self, label: str) -> None:
        self.lines.append(f"  br label %{label}")
        self._begin(label)

    def _branch(self, condition: str, body: str, done: str) -> None:
        self.lines.append(f"  br i1 {condition}, label %{body}, label %{done}")
        self._begin(body)
