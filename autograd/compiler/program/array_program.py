"""The array program: a linear program whose like instructions stand together as arrays.

A step computes many numbers by one primitive, and reads its operands by their slots. Where those
slots follow a pattern (a slice, a broadcast, a transpose, the two sides of a matrix product), the
pattern is all that is kept of them; where they do not, the slots stand in a table.
"""

from __future__ import annotations

import reprlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from autograd.compiler.program import saved
from autograd.compiler.program.program import (
    MOST_NUMBERS,
    BitForBit,
    Guard,
    Program,
    check_ends,
    check_start,
    ends_of,
    row_of,
)
from autograd.core.typing import Array

VERSION = 1  # of the JSON form
FAR = 1 << 62  # whole numbers below fit into an array
MOST_AXES = 27  # of an array with at least two numbers along each, and not too many for NumPy


@dataclass(frozen=True)
class Affine:
    """Slots that follow a pattern: ``start + strides[0] * i + strides[1] * j + ...``.

    Args:
        start: the first slot.
        strides: by how much the slot grows along each axis; 0 is a broadcast.
    """

    start: int
    strides: tuple[int, ...]

    def slots(self, shape: Sequence[int]) -> Array:
        """All slots of an array of this shape."""
        slots = np.full(tuple(shape), self.start, dtype=np.int64)
        for axis, (size, stride) in enumerate(zip(shape, self.strides, strict=True)):
            along = [1] * len(shape)
            along[axis] = size
            slots += (np.arange(size, dtype=np.int64) * stride).reshape(along)
        return slots

    def check(self, shape: Sequence[int], end: int, what: str) -> None:
        """Check that an array of this shape reads only slots below ``end``.

        Raises:
            ValueError: when it does not.
        """
        if len(self.strides) != len(shape):
            raise ValueError(f"{what} has {len(self.strides)} strides for {len(shape)} axes")
        _refuse_others((self.start, *self.strides), what)
        ends = [stride * (size - 1) for size, stride in zip(shape, self.strides, strict=True)]
        low = self.start + sum(x for x in ends if x < 0)
        high = self.start + sum(x for x in ends if x > 0)
        if prod(shape) and not 0 <= low <= high < end:
            raise _unwritten(what, low if low < 0 else high, end)


@dataclass(frozen=True, eq=False)
class Table:
    """Slots without a pattern, one by one."""

    table: Array

    def __eq__(self, other: object) -> bool:
        """Whether the slots are the same, in the same order."""
        if not isinstance(other, Table):
            return NotImplemented
        return np.array_equal(self.table.reshape(-1), other.table.reshape(-1))

    def __hash__(self) -> int:
        return hash(self.table.astype(np.int64).tobytes())

    def slots(self, shape: Sequence[int]) -> Array:
        """All slots of an array of this shape."""
        return self.table.reshape(tuple(shape))

    def check(self, shape: Sequence[int], end: int, what: str) -> None:
        """Check that there is a slot below ``end`` for each number of an array of this shape.

        Raises:
            ValueError: when there is not.
        """
        table = self.table
        if not isinstance(table, np.ndarray) or table.dtype.kind != "i":
            raise ValueError(f"{what} is no array of whole numbers")
        if table.size != prod(shape):
            raise ValueError(f"{what} has {table.size} slots for an array of {_by(shape)}")
        for slot in ((int(table.min()), int(table.max())) if table.size else ()):
            if not 0 <= slot < end:
                raise _unwritten(what, slot, end)


Slots = Affine | Table


@dataclass(frozen=True)
class Step:
    """Numbers that are computed by one primitive.

    Args:
        op: the name of its row.
        shape: of the results, which get consecutive slots in row-major order.
        operands: for a primitive of a fixed arity one for each operand, of the shape of the
            results. Else for each segment of the operands one, of the shape of the results and
            one axis more; for ``dot`` two, the factors left and right.
        lengths: how many operands (for ``dot`` pairs of them) each segment has; empty for a fixed
            arity. ``add`` may have segments as well, and then adds up from the left.
    """

    op: str
    shape: tuple[int, ...]
    operands: tuple[Slots, ...]
    lengths: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """How many numbers it computes."""
        return prod(self.shape)

    @property
    def paired(self) -> bool:
        """Whether each segment has factors on two sides."""
        return len(self.operands) == 2 * len(self.lengths) > 0

    def operand_shape(self, position: int) -> tuple[int, ...]:
        """The shape of an operand's slots."""
        if not self.lengths:
            return self.shape
        return (*self.shape, self.lengths[position // 2 if self.paired else position])

    def check(self, start: int) -> None:
        """Check that the shapes fit the primitive, and that what it reads is written before.

        Args:
            start: the slot of its first result.

        Raises:
            ValueError: saying what is wrong. Nothing of the size of the arrays is made before.
        """
        what = f"the step at slot {start}"
        row = row_of(self.op, what)
        what = f"{what} ({self.op})"
        if len(self.shape) > MOST_AXES:
            raise ValueError(f"{what} has {len(self.shape)} axes; at most {MOST_AXES} make sense")
        _refuse_others((*self.shape, *self.lengths), f"the shape of {what}")
        if not all(1 <= size <= MOST_NUMBERS for size in self.shape) or not all(
                0 <= length <= MOST_NUMBERS for length in self.lengths):
            raise ValueError(f"{what} has the shape {_by(self.shape)} and segments of the lengths "
                             f"{[*self.lengths]}; sizes are from 1 to {MOST_NUMBERS:,}, lengths "
                             "from 0")
        if row.arity is None or (self.op == "add" and self.lengths):
            count = len(self.lengths) * (2 if row.paired else 1)
            if self.op == "add" and sum(self.lengths) < 2:
                raise ValueError(f"{what} adds up {sum(self.lengths)} numbers; it takes 2 or more")
        elif self.lengths:
            raise ValueError(f"{what} has segments, but takes {row.arity} operands")
        else:
            count = row.arity
        if len(self.operands) != count:
            raise ValueError(f"{what} takes {count} arrays of operands, not {len(self.operands)}")
        if self.n_read > MOST_NUMBERS:
            raise ValueError(f"{what} has the shape {_by(self.shape)} and reads {self.n_read:,} "
                             f"numbers; at most {MOST_NUMBERS:,} fit into memory")
        for i, slots in enumerate(self.operands):
            slots.check(self.operand_shape(i), start, f"operand {i} of {what}")

    @property
    def n_read(self) -> int:
        """How many numbers all its operands have, or its results if these are more."""
        return self.size * max(1, sum(self.operand_shape(i)[-1] if self.lengths else 1
                                      for i in range(len(self.operands))))

    def rows(self) -> Iterator[tuple[int, ...]]:
        """The operands of each number in turn, as a linear program has them."""
        tables = [slots.slots(self.operand_shape(i)).reshape(self.size, -1)
                  for i, slots in enumerate(self.operands)]
        if self.paired:
            tables = tables[::2] + tables[1::2]
        yield from map(tuple, np.hstack(tables).tolist() if tables else [()] * self.size)


@dataclass(frozen=True, eq=False, repr=False)
class ArrayProgram(BitForBit):
    """Steps in the order in which they run.

    Args:
        n_inputs: the number of inputs; they have the slots 0 to n_inputs - 1.
        constants: the numbers of the next slots.
        steps: what is computed; each step's results have the next slots.
        outputs: the slots that are returned.
        guards: the comparisons that must come out as recorded.
    """

    n_inputs: int
    constants: tuple[float, ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]
    guards: tuple[Guard, ...] = ()

    @property
    def first(self) -> int:
        """The slot of the first step's first result."""
        return self.n_inputs + len(self.constants)

    @property
    def n_slots(self) -> int:
        """How many slots there are."""
        return self.first + sum(step.size for step in self.steps)

    def placed(self) -> Iterator[tuple[int, Step]]:
        """The steps in order, each with the slot of its first result."""
        start = self.first
        for step in self.steps:
            yield start, step
            start += step.size

    def __len__(self) -> int:
        return len(self.steps)

    def _content(self) -> tuple[Any, ...]:
        bits = struct.pack(f"<{len(self.constants)}d", *self.constants)
        return self.n_inputs, bits, self.steps, self.outputs, self.guards

    def expand(self) -> Program:
        """The linear program, one instruction for each number."""
        ops: list[str] = []
        operands: list[tuple[int, ...]] = []
        moved = list(range(self.first))  # the slot of each number in the linear program
        for step in self.steps:
            here: list[int] = []
            for row in step.rows():
                rows = [tuple(moved[x] for x in row)]
                if step.op == "add" and step.lengths:
                    rows = _chain(rows[0], self.first + len(ops))
                ops += [step.op] * len(rows)
                operands += rows
                here.append(self.first + len(ops) - 1)
            moved += here
        return Program(self.n_inputs, self.constants, tuple(ops), tuple(operands),
                       tuple(moved[x] for x in self.outputs),
                       tuple(guard._replace(left=moved[guard.left], right=moved[guard.right])
                             for guard in self.guards))

    # --- checking -------------------------------------------------------------------------------

    def validate(self) -> ArrayProgram:
        """Check that every slot is written before it is read, every op known, every shape right.

        Nothing of the size of the arrays is made: a file of a line may claim any size.

        Returns:
            The program itself.

        Raises:
            ValueError: saying which step is wrong, and how.
        """
        check_start(self.n_inputs, self.constants)
        end, n_read = self.first, 0
        for start, step in self.placed():
            step.check(start)
            end, n_read = start + step.size, n_read + step.n_read
            if max(end, n_read) > MOST_NUMBERS:
                raise ValueError(f"the program has {end:,} numbers and reads {n_read:,} up to the "
                                 f"step at slot {start}; at most {MOST_NUMBERS:,} fit into memory")
        check_ends(self.outputs, self.guards, end)
        return self

    # --- reading and writing --------------------------------------------------------------------

    def to_json(self) -> str:
        """The program as text: data only; the floats are exact, in hexadecimal.

        An operand with a pattern is written as [start, [stride, ...]], one without as the list of
        its slots.
        """
        return saved.written("array program", VERSION, self.constants, n_inputs=self.n_inputs,
                             steps=[_step_data(step) for step in self.steps],
                             outputs=self.outputs, guards=self.guards)

    @classmethod
    def from_json(cls, text: str) -> ArrayProgram:
        """Read what to_json wrote.

        Args:
            text: JSON; it is read as data, and nothing in it is run.

        Raises:
            ValueError: for anything else; the message says what is wrong.
        """
        return saved.read(text, "array program", VERSION, lambda data: cls(
            data["n_inputs"], data["constants"],
            tuple(map(_step_of, saved.listed(data["steps"]))), *ends_of(data))).validate()

    def __repr__(self) -> str:
        return (f"<ArrayProgram: {self.n_inputs} input(s), {len(self.constants)} constant(s), "
                f"{len(self.steps)} step(s), {len(self.guards)} guard(s), "
                f"{len(self.outputs)} output(s)>")

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        names = _Names(self)
        yield f"array program({names.range(0, self.n_inputs)}):"
        for start, step in self.placed():
            operands = [names.slots(slots, step.operand_shape(i))
                        for i, slots in enumerate(step.operands)]
            if step.paired:
                operands = [f"{a} · {b}" for a, b in zip(operands[::2], operands[1::2],
                                                         strict=True)]
            yield (f"    {names.range(start, start + step.size)}: {_by(step.shape)} = "
                   f"{step.op}({', '.join(operands)})")
        for guard in self.guards:
            yield (f"    guard {names.one(guard.left)} {guard.relation} "
                   f"{names.one(guard.right)} is {guard.outcome}")
        yield f"    return {names.list(self.outputs)}"


def _chain(operands: Sequence[int], slot: int) -> list[tuple[int, ...]]:
    """Additions of two numbers each, from the left, of which the first writes a slot."""
    return [(operands[0], operands[1]),
            *((slot + i, x) for i, x in enumerate(operands[2:]))]


# --- checking and saving --------------------------------------------------------------------------

def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "1"


def _refuse_others(numbers: Sequence[Any], what: str) -> None:
    for x in numbers:
        if x.__class__ is not int or not -FAR < x < FAR:
            raise ValueError(f"{what} has {reprlib.repr(x)}, which is no whole number that a slot "
                             "or a size can be")


def _unwritten(what: str, slot: int, end: int) -> ValueError:
    return ValueError(f"{what} reads slot {slot}, but only the slots 0 to {end - 1} are written "
                      "by then")


def _step_data(step: Step) -> dict[str, Any]:
    return {"op": step.op, "shape": step.shape, "lengths": step.lengths,
            "operands": [[slots.start, slots.strides] if isinstance(slots, Affine)
                         else slots.table.reshape(-1).tolist() for slots in step.operands]}


def _step_of(data: Any) -> Step:
    if not isinstance(data, dict):
        raise TypeError(f"{data!r} is no step")
    return Step(data["op"], tuple(saved.listed(data["shape"])),
                tuple(map(_slots_of, saved.listed(data["operands"]))),
                tuple(saved.listed(data["lengths"])))


def _slots_of(data: Any) -> Slots:
    items = saved.listed(data)
    if len(items) == 2 and isinstance(items[1], list):
        return Affine(items[0], tuple(items[1]))
    _refuse_others(items, "a table of slots")
    return Table(np.array(items, dtype=np.int64))


# --- the text form --------------------------------------------------------------------------------

class _Names:
    """How the text form calls slots."""

    def __init__(self, program: ArrayProgram) -> None:
        self.program = program

    def one(self, slot: int) -> str:
        program = self.program
        if program.n_inputs <= slot < program.first:
            return repr(program.constants[slot - program.n_inputs])
        return f"{'x' if slot < program.n_inputs else 'v'}{slot}"

    def range(self, start: int, stop: int) -> str:
        if stop - start < 2:
            return self.one(start) if stop > start else ""
        return f"{self.one(start)}..{stop - 1}"

    def slots(self, slots: Slots, shape: tuple[int, ...]) -> str:
        if isinstance(slots, Table):
            return f"[{self.list(slots.table.reshape(-1).tolist())}]"
        if not any(slots.strides):
            return self.one(slots.start)
        return f"{self.one(slots.start)}[{', '.join(map(str, slots.strides))}]"

    def list(self, slots: Sequence[int]) -> str:
        parts = []
        for start, stop in _runs(slots):
            parts.append(self.range(start, stop))
            if len(parts) > 8:
                return ", ".join([*parts[:8], "..."])
        return ", ".join(parts)


def _runs(slots: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Stretches of consecutive slots."""
    start = stop = None
    for slot in slots:
        if slot == stop and start is not None:
            stop += 1
            continue
        if start is not None and stop is not None:
            yield start, stop
        start, stop = slot, slot + 1
    if start is not None and stop is not None:
        yield start, stop
