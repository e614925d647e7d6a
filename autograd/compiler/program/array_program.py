"""The array program: a linear program whose like instructions stand together as arrays.

A step computes many numbers by one primitive, and reads its operands by their slots. Where those
slots follow a pattern (a slice, a broadcast, a transpose, the two sides of a matrix product), the
pattern is all that is kept of them; where they do not, the slots stand in a table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from autograd.compiler.program.program import Guard, Program
from autograd.core.typing import Array


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


@dataclass(frozen=True, eq=False)
class Table:
    """Slots without a pattern, one by one."""

    table: Array

    def slots(self, shape: Sequence[int]) -> Array:
        """All slots of an array of this shape."""
        return self.table.reshape(tuple(shape))


Slots = Affine | Table


@dataclass(frozen=True, eq=False)
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

    def rows(self) -> Iterator[tuple[int, ...]]:
        """The operands of each number in turn, as a linear program has them."""
        tables = [slots.slots(self.operand_shape(i)).reshape(self.size, -1)
                  for i, slots in enumerate(self.operands)]
        if self.paired:
            tables = tables[::2] + tables[1::2]
        yield from map(tuple, np.hstack(tables).tolist() if tables else [()] * self.size)


@dataclass(frozen=True, eq=False)
class ArrayProgram:
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

    def starts(self) -> list[int]:
        """For each step the slot of its first result."""
        starts, at = [], self.first
        for step in self.steps:
            starts.append(at)
            at += step.size
        return starts

    def __len__(self) -> int:
        return len(self.steps)

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

    # --- reading --------------------------------------------------------------------------------

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        names = _Names(self)
        yield f"array program({names.range(0, self.n_inputs)}):"
        for start, step in zip(self.starts(), self.steps, strict=True):
            operands = [names.slots(slots, step.operand_shape(i))
                        for i, slots in enumerate(step.operands)]
            if step.paired:
                operands = [f"{a} · {b}" for a, b in zip(operands[::2], operands[1::2],
                                                         strict=True)]
            shape = " x ".join(map(str, step.shape)) or "1"
            yield (f"    {names.range(start, start + step.size)}: {shape} = "
                   f"{step.op}({', '.join(operands)})")
        for guard in self.guards:
            yield (f"    guard {names.one(guard.left)} {guard.relation} "
                   f"{names.one(guard.right)} is {guard.outcome}")
        yield f"    return {names.list(self.outputs)}"


def _chain(operands: Sequence[int], slot: int) -> list[tuple[int, ...]]:
    """Additions of two numbers each, from the left, of which the first writes a slot."""
    return [(operands[0], operands[1]),
            *((slot + i, x) for i, x in enumerate(operands[2:]))]


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
