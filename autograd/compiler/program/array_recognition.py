"""Finds the arrays that scalar code was written from: a pass from a linear to an array program.

1. Where the order of sums is free, additions of products that nobody else reads become one
   ``dot``, other chains of additions one ``sum``.
2. Instructions of the same primitive with as many operands, at the same distance from the end,
   form a group.
3. The slots that a group reads are compared along the group: where they grow evenly, along one or
   several axes, the group is an array of that shape, and its operands are slices of others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd.compiler.program.array_program import Affine, ArrayProgram, Slots, Step, Table
from autograd.compiler.program.program import Program
from autograd.core.primitives import TABLE
from autograd.core.typing import Array

SHORT = 8  # numbers; blocks below are joined, and read by a table


def find_arrays(program: Program, varies: Sequence[bool] | None = None,
                free_sums: bool = False) -> ArrayProgram:
    """The array program of a linear program.

    Args:
        program: any program.
        varies: for each input whether it differs by row; what differs and what does not is kept
            apart. None for a program that is run on one point.
        free_sums: whether to make sums of additions, whose rounding then is in no promised order.
    """
    ops, operands, alive = (_fused(program) if free_sums else
                            (program.ops, program.operands, range(len(program))))
    levels = _levels_from_the_end(program, operands, alive)
    varying = _varying(program, operands, varies)
    groups: dict[tuple[Any, ...], list[int]] = {}
    for i in alive:
        read = tuple([varying[x] for x in operands[i]]) if len(operands[i]) < 4 else ()
        groups.setdefault((-levels[i], ops[i], len(operands[i]), varying[program.first + i], read),
                          []).append(i)
    new = np.arange(program.n_slots, dtype=np.int64)
    steps: list[Step] = []
    at = program.first
    for key in sorted(groups):
        members = groups[key]
        reads = new[np.array([operands[i] for i in members], dtype=np.int64).reshape(
            len(members), -1)]
        new[np.array(members) + program.first] = np.arange(at, at + len(members))
        at += len(members)
        steps += _steps(key[1], reads)
    guards = tuple(guard._replace(left=int(new[guard.left]), right=int(new[guard.right]))
                   for guard in program.guards)
    return ArrayProgram(program.n_inputs, program.constants, tuple(steps),
                        tuple(new[np.array(program.outputs, dtype=np.int64)].tolist()), guards)


# --- sums and products ----------------------------------------------------------------------------

def _fused(program: Program) -> tuple[list[str], list[tuple[int, ...]], list[int]]:
    """The instructions with chains of additions as one, and those that are still there."""
    first = program.first
    ops, operands = list(program.ops), list(program.operands)
    uses = np.bincount(np.fromiter((x for xs in operands for x in xs), dtype=np.int64),
                       minlength=program.n_slots)
    for slot in (*program.outputs, *(x for guard in program.guards
                                     for x in (guard.left, guard.right))):
        uses[slot] += 2
    once = (uses == 1).tolist()
    dead: set[int] = set()
    terms: dict[int, list[int]] = {}
    for i, op in enumerate(ops):
        if op != "add":
            continue
        found: list[int] = []
        for x in operands[i]:
            if x >= first and once[x] and x - first in terms:
                found += terms.pop(x - first)
                dead.add(x - first)
            else:
                found.append(x)
        terms[i] = found
    for i, found in terms.items():
        if all(x >= first and once[x] and ops[x - first] == "mul" for x in found):
            dead.update(x - first for x in found)
            factors = [operands[x - first] for x in found]
            ops[i], operands[i] = "dot", (*(a for a, _ in factors), *(b for _, b in factors))
        elif len(found) > 2:
            ops[i], operands[i] = "sum", tuple(found)
    return ops, operands, [i for i in range(len(ops)) if i not in dead]


def _levels_from_the_end(program: Program, operands: Sequence[tuple[int, ...]],
                         alive: Sequence[int]) -> list[int]:
    """For each instruction how many at least come after it, one reading the other."""
    levels = [0] * program.n_slots
    first = program.first
    for i in reversed(alive):
        after = levels[first + i] + 1
        for x in operands[i]:
            if levels[x] < after:
                levels[x] = after
    return levels[first:]


def _varying(program: Program, operands: Sequence[tuple[int, ...]],
             varies: Sequence[bool] | None) -> list[bool]:
    flags = list(varies or [False] * program.n_inputs) + [False] * len(program.constants)
    for xs in operands:
        flags.append(any([flags[x] for x in xs]))
    return flags


# --- patterns -------------------------------------------------------------------------------------

def _steps(op: str, reads: Array) -> Iterator[Step]:
    """The steps of a group.

    Args:
        op: its primitive.
        reads: the slots that each of its instructions reads, shape (n, operands).
    """
    row = TABLE.get(op)  # an operation of a program that was rewritten has none
    if row is not None and row.arity is None:
        yield _nary_step(op, reads, 2 if row.paired else 1)
        return
    pattern = _pattern(reads)
    if pattern is not None:
        yield _step(op, reads, *pattern)
        return
    loose: list[int] = []
    for start, stop, shape, strides in even_blocks(reads):
        if stop - start < SHORT:
            loose += range(start, stop)
            continue
        if loose:
            yield _loose_step(op, reads[loose])
            loose = []
        yield _step(op, reads[start:stop], shape, strides)
    if loose:
        yield _loose_step(op, reads[loose])


def _step(op: str, reads: Array, shape: tuple[int, ...], strides: Array) -> Step:
    return Step(op, shape, tuple(Affine(int(start), tuple(map(int, along)))
                                 for start, along in zip(reads[0], strides.T, strict=True)))


def _loose_step(op: str, reads: Array) -> Step:
    return Step(op, (len(reads),), tuple(_affine_or_table(column) for column in reads.T))


def _affine_or_table(column: Array) -> Slots:
    """One operand of a group without a common pattern."""
    steps = np.diff(column)
    if len(steps) == 0 or (steps == steps[0]).all():
        return Affine(int(column[0]), (int(steps[0]) if len(steps) else 0,))
    return Table(column.copy())


def _nary_step(op: str, reads: Array, sides: int) -> Step:
    """A group whose operands are many: the axis of the operands is cut into segments."""
    n, count = len(reads), reads.shape[1] // sides
    table = reads.reshape(n, sides, count)
    along = table.transpose(2, 0, 1).reshape(count, -1)
    segments = list(_segments(along))
    if len(segments) > max(4, count // 4):
        segments = [(0, count)]
    starts = np.hstack([table[:, :, start] for start, _ in segments]) if count else reads
    pattern = _pattern(starts) or ((n,), None)
    operands: list[Slots] = []
    for i, (start, stop) in enumerate(segments):
        part = table[:, :, start:stop]
        for side in range(sides):
            strides = None if pattern[1] is None else pattern[1][:, sides * i + side]
            operands.append(_operand(part[:, side], strides))
    return Step(op, pattern[0], tuple(operands), tuple(stop - start for start, stop in segments))


def _operand(part: Array, strides: Array | None) -> Slots:
    """The slots of one side of a segment, shape (n, length)."""
    steps = np.diff(part, axis=1)
    if strides is None or (steps.size and (steps != steps[0, 0]).any()):
        return Table(part.copy())
    last = int(steps[0, 0]) if steps.size else 0
    return Affine(int(part[0, 0]), (*map(int, strides), last))


def _segments(along: Array) -> Iterator[tuple[int, int]]:
    """Stretches of rows that grow evenly."""
    start, count = 0, len(along)
    steps = np.diff(along, axis=0)
    same = (steps[1:] == steps[:-1]).all(axis=1) if count > 2 else np.zeros(0, dtype=bool)
    breaks = np.append(np.flatnonzero(~same), len(same))
    while start < count:
        if start == count - 1:
            yield start, count
            return
        last = int(breaks[np.searchsorted(breaks, start)]) + 1 if start < len(same) else start + 1
        yield start, last + 1
        start = last + 1


def _pattern(reads: Array) -> tuple[tuple[int, ...], Array] | None:
    """The shape of an array, and the strides of each column along its axes; None without one."""
    n = len(reads)
    if n == 1:
        return (), np.zeros((0, reads.shape[1]), dtype=np.int64)
    steps = np.diff(reads, axis=0)
    other = (steps != steps[0]).any(axis=1)
    inner = int(np.argmax(other)) + 1 if other.any() else n
    if inner == n:
        return (n,), steps[:1]
    if n % inner:
        return None
    blocks = reads.reshape(n // inner, inner, -1)
    if (blocks - blocks[:, :1] != blocks[0] - blocks[0, :1]).any():
        return None
    outer = _pattern(blocks[:, 0])
    if outer is None:
        return None
    return (*outer[0], inner), np.vstack([outer[1], steps[:1]])


def even_blocks(reads: Array) -> Iterator[tuple[int, int, tuple[int, ...], Array]]:
    """Stretches of a group that have a pattern: start, stop, shape, strides."""
    runs = list(_segments(reads))
    i = 0
    while i < len(runs):
        start, stop = runs[i]
        length = stop - start
        end = i + 1
        while end < len(runs) and runs[end][1] - runs[end][0] == length:
            end += 1
        pattern = None
        while end > i + 1:
            candidate = reads[start:runs[end - 1][1]]
            pattern = _pattern(candidate)
            if pattern is not None:
                break
            end -= 1 if end - i < 16 else (end - i) // 2
        if pattern is None:
            end = i + 1
            pattern = _pattern(reads[start:stop])
        assert pattern is not None  # a run has one
        yield start, runs[end - 1][1], *pattern
        i = end
