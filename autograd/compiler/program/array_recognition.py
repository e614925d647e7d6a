"""Finds the arrays that scalar code was written from: a pass from a linear to an array program.

1. Chains of additions become one addition of many numbers; where the order of sums is free,
   additions of products become one ``dot``.
2. Instructions of the same primitive with as many operands form a group if they are at the same
   distance from the end, or from the start: whichever gives fewer groups.
3. The slots that a group reads are compared along the group: where they grow evenly, along one or
   several axes, the group is an array of that shape, and its operands are slices of others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

import numpy as np

from autograd.compiler.program.array_program import Affine, ArrayProgram, Slots, Step, Table
from autograd.compiler.program.program import Columns, Program
from autograd.core.primitive import find
from autograd.core.typing import Array

LONGEST_PERIOD = 64
SHORT = 8  # numbers; blocks below are joined, and read by a table
SHORT_LIST = 3  # operands, of each of which it matters whether it differs by row
WAVE = 128  # instructions that take as long, one by one, as a level of them all at once
MOST_SORTED = 4  # operands by which a group is sorted to find a pattern


def find_arrays(program: Program, varies: Sequence[bool] | None = None,
                free_sums: bool = False) -> ArrayProgram:
    """The array program of a linear program.

    Args:
        program: any program.
        varies: for each input whether it differs by row; what differs and what does not is kept
            apart. None for a program that is run on one point.
        free_sums: whether to make sums of additions, whose rounding then is in no promised order.
    """
    found = find_few_arrays(program, len(program), varies, free_sums)
    assert found is not None  # there is no step without an instruction
    return found


def find_few_arrays(program: Program, most: int, varies: Sequence[bool] | None = None,
                    free_sums: bool = False) -> ArrayProgram | None:
    """The array program of a linear program, or None if it has more than so many steps.

    That is seen before the work is done: a long chain needs a step for each link.

    Args:
        program, varies, free_sums: as for :func:`find_arrays`.
        most: how many steps it may have.
    """
    fused, alive = _fused(program, free_sums)
    reads = _Reads(fused)
    levels = (_ByWaves if most * WAVE < len(program) else _OneByOne)(program, reads, alive, most)
    from_end = levels.from_the_end()
    if from_end is None:
        return None
    from_start, varying = levels.from_the_start(varies)
    codes = _codes(program, fused, reads, varying)
    groups = min((_grouped(codes, alive, levels) for levels in (from_end, from_start)), key=len)
    if len(groups) > most:
        return None
    ops = fused.names
    numbering = _Numbering(program)
    steps: list[Step] = []
    for members in groups:
        first = members[0]
        table = numbering.read(reads.table(members, reads.counts[first]))
        op = ops[fused.codes[first]]
        chosen, same = _in_order(table, op)
        for step, order in _steps(op, table[chosen], varies is None):
            numbering.write(members[chosen][order])
            steps.append(step)
        numbering.repeat(members, members[same])
        if len(steps) > most:
            return None
    # What is not computed may be a constant, which gets its slot only now.
    outputs = numbering.each(np.array(program.outputs, dtype=np.int64))
    ends = numbering.final(numbering.each(np.array(
        [(guard.left, guard.right) for guard in program.guards], dtype=np.int64).reshape(-1)))
    guards = tuple(guard._replace(left=left, right=right) for guard, (left, right) in
                   zip(program.guards, ends.reshape(-1, 2).tolist(), strict=True))
    return ArrayProgram(program.n_inputs, tuple(numbering.constants),
                        tuple(_renumbered(step, numbering) for step in steps),
                        tuple(numbering.final(outputs).tolist()), guards)


class _Numbering:
    """New slots: inputs stay where they are, results get theirs group by group.

    Constants get theirs when they are read: those of a whole column, the data of a loop, side by
    side. How many there are is known at the end; until then they count from far below 0, and
    results from far above.
    """

    BELOW, ABOVE, FAR = -(1 << 50), 1 << 50, 1 << 40

    def __init__(self, program: Program) -> None:
        self.program = program
        self.constants: list[float] = []
        self._values = np.array(program.constants, dtype=float)
        self._known: dict[int, int] = {}  # of single constants, by their bits
        self._new = np.arange(program.n_slots, dtype=np.int64)
        self._next = self.ABOVE

    def read(self, slots: Array) -> Array:
        """The new slots that a group reads, shape (n, operands)."""
        program = self.program
        is_constant = (slots >= program.n_inputs) & (slots < program.first)
        found = self._new[slots]
        for column in np.flatnonzero(is_constant.any(axis=0)):
            here = is_constant[:, column]
            old = slots[here, column] - program.n_inputs
            bits = self._values[old].view(np.int64)
            if here.all() and (bits != bits[0]).any():
                start = self.BELOW + len(self.constants)
                self.constants += self._values[old].tolist()
                found[:, column] = np.arange(start, start + len(old))
            else:
                places, first, which = np.unique(old, return_index=True, return_inverse=True)
                single = np.empty(len(places), np.int64)
                for i in np.argsort(first).tolist():  # in the order in which they are read
                    single[i] = self._single(int(places[i]))
                found[here, column] = single[which]
        return found

    def write(self, instructions: Array) -> None:
        """Give these instructions, in this order, the next slots."""
        count = len(instructions)
        self._new[instructions + self.program.first] = np.arange(self._next, self._next + count)
        self._next += count

    def repeat(self, instructions: Array, others: Array) -> None:
        """Give instructions the slots of others, which compute the same."""
        self._new[instructions + self.program.first] = self._new[others + self.program.first]

    def each(self, slots: Array) -> Array:
        """The new slots of these, shape (n,)."""
        found: Array = self._new[slots]
        for i in np.flatnonzero((slots >= self.program.n_inputs) & (slots < self.program.first)):
            found[i] = self._single(int(slots[i]) - self.program.n_inputs)
        return found

    def _single(self, place: int) -> int:
        bits = int(self._values[place:place + 1].view(np.int64)[0])
        if bits not in self._known:
            self._known[bits] = self.BELOW + len(self.constants)
            self.constants.append(float(self._values[place]))
        return self._known[bits]

    def final(self, slot: Any) -> Any:
        """The slot, or slots, when all constants are known."""
        n = self.program.n_inputs
        results = slot - self.ABOVE + n + len(self.constants)
        return np.where(slot < 0, slot - self.BELOW + n, np.where(slot < n, slot, results))


def _renumbered(step: Step, numbering: _Numbering) -> Step:
    """The step with the final slots. From one kind of slots to another no pattern leads."""
    operands: list[Slots] = []
    for i, slots in enumerate(step.operands):
        if isinstance(slots, Affine) and all(abs(x) < numbering.FAR for x in slots.strides):
            operands.append(replace(slots, start=int(numbering.final(slots.start))))
        else:
            operands.append(Table(numbering.final(slots.slots(step.operand_shape(i)))))
    return replace(step, operands=tuple(operands))


class _Reads:
    """The slots that instructions read, of all of them in one array, one after the other."""

    def __init__(self, columns: Columns) -> None:
        self.counts, self.slots = columns.counts, columns.slots
        self._starts = columns.starts

    def table(self, members: Array, count: int) -> Array:
        """What instructions with so many operands read, shape (n, count)."""
        found: Array = self.slots[self._starts[members][:, None] + np.arange(count)]
        return found

    def of(self, members: Array) -> Array:
        """What instructions read, of all of them in one array, one after the other."""
        found: Array = self.slots[spread(self._starts[members], self.counts[members])]
        return found


def spread(starts: Array, counts: Array) -> Array:
    """start, start + 1, ... for each start, so many of them, one after the other."""
    ends = np.cumsum(counts)
    places: Array = np.repeat(starts - ends + counts, counts)
    places += np.arange(len(places))
    return places


def _codes(program: Program, fused: Columns, reads: _Reads, varying: Array) -> Array:
    """For each instruction a number that is equal for instructions that may stand in one array.

    These have the same primitive, as many operands, and differ by row in the same places. The
    numbers grow with these, in that order.
    """
    rank = np.argsort(np.argsort(np.array(fused.names)))
    most = int(reads.counts.max(initial=0)) + 1
    codes = (rank[fused.codes] * most + reads.counts) * 2 + varying[program.first:]
    codes <<= SHORT_LIST
    for count in range(1, SHORT_LIST + 1):
        here = np.flatnonzero(reads.counts == count)
        flags = varying[reads.table(here, count)]
        codes[here] += flags @ (1 << np.arange(count)[::-1])
    return codes


def _grouped(codes: Array, alive: Array, levels: Array) -> list[Array]:
    """The instructions of each level that are alike, ordered by their levels."""
    level = levels[alive]
    if not len(level):
        return []
    keys = (level - level.min()) * (int(codes.max()) + 1) + codes[alive]
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    return np.split(alive[order], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1)


# --- sums and products ----------------------------------------------------------------------------

def _fused(program: Program, free_sums: bool) -> tuple[Columns, Array]:
    """The instructions with chains of additions as one, and the places of those still there.

    An addition of more than two numbers adds them up from the left, as the chain did.
    """
    columns, first = program.columns, program.first
    is_add = columns.has("add")
    adds = np.flatnonzero(is_add)
    summands = columns.slots[columns.starts[adds][:, None] + np.arange(2)]
    once = _read_once(program)
    joins = _of_results(is_add, once, first)[summands]  # the other addition becomes a part
    if not free_sums:
        return _chained(program, adds, summands, joins[:, 0])
    is_term = np.zeros(program.n_slots, dtype=bool)
    is_term[summands[joins]] = True
    single = _of_results(columns.has("mul"), once, first)
    wanted = joins.any(axis=1) | is_term[adds + first] | single[summands].all(axis=1)
    dead: list[int] = []
    terms: dict[int, list[int]] = {}
    for i, (a, b), (joins_a, joins_b) in zip(
            adds[wanted].tolist(), summands[wanted].tolist(), joins[wanted].tolist(), strict=True):
        found = [a]
        if joins_a:
            dead.append(a - first)
            found = terms.pop(a - first)  # a long one grows
        if joins_b:
            dead.append(b - first)
            found = found + terms.pop(b - first)
        else:
            found.append(b)
        terms[i] = found
    return _with_terms(program, terms, dead, single)


def _chained(program: Program, adds: Array, summands: Array, joins: Array
             ) -> tuple[Columns, Array]:
    """The instructions with chains of additions as one, from the left.

    Args:
        program: the instructions.
        adds: the places of its additions.
        summands: what each adds up, shape (n, 2).
        joins: for each whether the first of these is an addition that nobody else reads.
    """
    columns, first = program.columns, program.first
    place = np.zeros(len(program), np.int64)
    place[adds] = np.arange(len(adds))
    before = np.arange(len(adds))  # the link before in the chain; the first one's is itself
    before[joins] = place[summands[joins, 0] - first]
    is_part = np.zeros(len(adds), dtype=bool)
    is_part[before[joins]] = True
    touched = joins | is_part
    links = joins.astype(np.int64)  # how many there are up to where one has got
    while ((further := before[before]) != before).any():  # twice as far each time
        links += links[before]
        before = further
    last = np.zeros(len(adds), np.int64)  # of the chain, by its first
    ends = np.flatnonzero(touched & ~is_part)
    last[before[ends]] = ends
    counts = columns.counts.copy()
    counts[adds[ends]] = links[ends] + 2
    changed = np.zeros(len(program), dtype=bool)
    changed[adds[ends]] = True
    starts = np.cumsum(counts) - counts
    slots = np.empty(int(counts.sum()), np.int64)
    slots[~np.repeat(changed, counts)] = columns.slots[~np.repeat(changed, columns.counts)]
    here = starts[adds[last[before]]]
    slots[(here + links + 1)[touched]] = summands[touched, 1]
    begins = np.flatnonzero(touched & ~joins)
    slots[here[begins]] = summands[begins, 0]
    alive = np.ones(len(program), dtype=bool)
    alive[adds[is_part]] = False
    return Columns(columns.names, columns.codes, counts, slots), np.flatnonzero(alive)


def _of_results(chosen: Array, once: Array, first: int) -> Array:
    """For each slot whether it is the result of one of the chosen instructions, and read once."""
    found: Array = once.copy()
    found[:first] = False
    found[first:] &= chosen
    return found


def _with_terms(program: Program, terms: dict[int, list[int]], dead: list[int],
                single: Array) -> tuple[Columns, Array]:
    """The instructions with additions of so many terms, or of products, as one.

    Args:
        program: the instructions as they were.
        terms: for additions what they add up.
        dead: the additions that are parts of these.
        single: for each slot whether it is a product that one addition alone reads.
    """
    columns, first = program.columns, program.first
    names, codes = tuple(dict.fromkeys((*columns.names, "dot"))), columns.codes.copy()
    dot, is_product = names.index("dot"), single.tolist()
    starts, slots = columns.starts.tolist(), columns.slots.tolist()
    for i, found in list(terms.items()):
        if all(map(is_product.__getitem__, found)):
            dead += [x - first for x in found]
            places = [starts[x - first] for x in found]
            codes[i] = dot
            terms[i] = [*[slots[x] for x in places], *[slots[x + 1] for x in places]]
    changed = np.array(sorted(terms), dtype=np.int64)
    is_changed = np.zeros(len(program), dtype=bool)
    is_changed[changed] = True
    counts = columns.counts.copy()
    counts[changed] = [len(terms[i]) for i in changed.tolist()]
    written = np.repeat(is_changed, counts)
    read = np.empty(len(written), np.int64)
    read[~written] = columns.slots[~np.repeat(is_changed, columns.counts)]
    read[written] = np.fromiter(chain.from_iterable(terms[i] for i in changed.tolist()), np.int64)
    alive = np.ones(len(program), dtype=bool)
    alive[dead] = False
    return Columns(names, codes, counts, read), np.flatnonzero(alive)


def _read_once(program: Program) -> Array:
    """For each slot whether one instruction reads it, once, and nobody else."""
    uses = np.bincount(program.columns.slots, minlength=program.n_slots)
    uses[[*program.outputs, *(x for guard in program.guards
                              for x in (guard.left, guard.right))]] = 2
    found: Array = uses == 1
    return found


class _Levels:
    """At which level instructions are needed, or ready.

    Args:
        program: their program.
        reads: the slots that they read.
        alive: the places of those that are computed.
        most: how many levels are of use.
    """

    def __init__(self, program: Program, reads: _Reads, alive: Array, most: int) -> None:
        self.program, self.reads, self.alive, self.most = program, reads, alive, most

    def from_the_end(self) -> Array | None:
        """For each instruction the level below 0 at which it is needed: 0 is the last one.

        None if there are more levels than are of use.
        """
        raise NotImplementedError

    def from_the_start(self, varies: Sequence[bool] | None) -> tuple[Array, Array]:
        """For each instruction the level at which it is ready to be computed.

        Args:
            varies: for each input whether it differs by row, or None for one point.

        Returns:
            The levels; and for each slot whether its number differs by row.
        """
        raise NotImplementedError

    def _flags(self, varies: Sequence[bool] | None) -> Array:
        varying = np.zeros(self.program.n_slots, dtype=bool)
        if varies is not None:
            varying[:len(varies)] = varies
        return varying


class _OneByOne(_Levels):
    """Levels found for one instruction after the other: where many levels have few of them."""

    def __init__(self, program: Program, reads: _Reads, alive: Array, most: int) -> None:
        super().__init__(program, reads, alive, most)
        slots = iter(reads.of(alive).tolist())
        self.operands = [(i, list(islice(slots, count))) for i, count in
                         zip(alive.tolist(), reads.counts[alive].tolist(), strict=True)]

    def from_the_end(self) -> Array | None:
        levels = [0] * self.program.n_slots
        first, lowest = self.program.first, -self.most
        for i, operands in reversed(self.operands):
            before = levels[first + i] - 1
            for x in operands:
                if levels[x] > before:
                    levels[x] = before
            if before < lowest:
                return None
        return np.array(levels[first:], dtype=np.int64)

    def from_the_start(self, varies: Sequence[bool] | None) -> tuple[Array, Array]:
        varying = self._flags(varies).tolist()
        levels = [0] * self.program.n_slots
        first, level_of, varies_at = self.program.first, levels.__getitem__, varying.__getitem__
        for i, operands in self.operands:
            levels[first + i] = 1 + max(map(level_of, operands), default=0)
            if varies is not None:
                varying[first + i] = any(map(varies_at, operands))
        return np.array(levels[first:], dtype=np.int64), np.array(varying, dtype=bool)


class _ByWaves(_Levels):
    """Levels found for all instructions of one at once: where there are many."""

    def from_the_end(self) -> Array | None:
        first, reads, alive = self.program.first, self.reads, self.alive
        levels = np.zeros(len(self.program), np.int64)
        slots = reads.of(alive)
        waiting = np.bincount(slots[slots >= first] - first, minlength=len(levels))
        ready, level = alive[waiting[alive] == 0], 0
        while len(ready):
            if 1 - level > self.most:
                return None
            levels[ready] = level
            level -= 1
            slots = reads.of(ready)
            ready = _released(waiting, slots[slots >= first] - first)
        return levels

    def from_the_start(self, varies: Sequence[bool] | None) -> tuple[Array, Array]:
        first, reads, alive = self.program.first, self.reads, self.alive
        levels, varying = np.zeros(len(self.program), np.int64), self._flags(varies)
        slots, readers = reads.of(alive), np.repeat(alive, reads.counts[alive])
        results, readers = slots[slots >= first] - first, readers[slots >= first]
        waiting = np.bincount(readers, minlength=len(levels))
        counts = np.bincount(results, minlength=len(levels))
        readers, starts = readers[np.argsort(results, kind="stable")], np.cumsum(counts) - counts
        ready, level = alive[waiting[alive] == 0], 1
        while len(ready):
            levels[ready] = level
            level += 1
            if varies is not None:
                flags = varying[reads.of(ready)]
                varying[first + np.repeat(ready, reads.counts[ready])[flags]] = True
            ready = _released(waiting, readers[spread(starts[ready], counts[ready])])
        return levels, varying


def _released(waiting: Array, told: Array) -> Array:
    """Count down what is waiting, once for each time that it is told.

    Returns:
        The places of those that wait for nothing more, each once.
    """
    np.subtract.at(waiting, told, 1)
    ready: Array = told[waiting[told] == 0]
    waiting[ready] = -np.arange(len(ready))  # nobody will tell them again
    once: Array = ready[waiting[ready] == -np.arange(len(ready))]
    return once


# --- order ----------------------------------------------------------------------------------------

def _in_order(reads: Array, op: str) -> tuple[Array, Array]:
    """Which instructions of a group to compute, in which order, so that few patterns do.

    As they come, unless that is no pattern, and far fewer do without those that compute the same,
    and sorted by what one of their operands is.

    Returns:
        Those to compute; and for each instruction of the group one of these that computes the same.
    """
    everything = np.arange(len(reads))
    if len(reads) < 2 * SHORT or _pattern(reads) is not None or (
            not _is_nary(op, reads) and _period(reads)):
        return everything, everything
    same = _first_alike(reads)
    chosen = np.flatnonzero(same == everything)
    orders = [chosen[np.lexsort(np.roll(reads[chosen, :MOST_SORTED], -column - 1, axis=1).T)]
              for column in range(min(reads.shape[1], MOST_SORTED))]  # the last key is the first
    best = min((chosen, *orders), key=lambda order: _breaks(reads[order]))
    if 4 * _breaks(reads[best]) > _breaks(reads):
        return everything, everything
    return best, same


def _first_alike(lines: Array) -> Array:
    """For each line the first one that holds the same."""
    order = np.lexsort(lines.T)
    ordered = lines[order]
    begins = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    found = np.empty_like(order)
    found[order] = order[begins][np.cumsum(begins) - 1]
    return found


def _breaks(reads: Array) -> int:
    """In how many places the lines of a group do not go on evenly."""
    steps = np.diff(reads, axis=0)
    return int((steps[1:] != steps[:-1]).any(axis=1).sum())


# --- patterns -------------------------------------------------------------------------------------

def _steps(op: str, reads: Array, longest_last: bool) -> Iterator[tuple[Step, Array]]:
    """The steps of a group, each with its instructions in the order of its results.

    Args:
        op: its primitive.
        reads: the slots that each of its instructions reads, shape (n, operands).
        longest_last: whether to turn each array so that its longest axis is the last.
    """
    if _is_nary(op, reads):
        row = find(op)
        sides = 2 if row is not None and row.paired else 1
        for start, stop in _long_stretches(reads):
            yield _turned(_nary_step(op, reads[start:stop], sides), np.arange(start, stop),
                          longest_last)
        return
    if (period := _period(reads)) > 1:
        for first in range(period):
            part = reads[first::period]
            found = _pattern(part)
            assert found is not None
            yield _turned(_step(op, part, *found), np.arange(first, len(reads), period),
                          longest_last)
        return
    loose: list[int] = []
    for start, stop, shape, strides in even_blocks(reads):
        if stop - start < min(SHORT, len(reads)):
            loose += range(start, stop)
            continue
        if loose:
            yield _loose_step(op, reads[loose]), np.array(loose)
            loose = []
        yield _turned(_step(op, reads[start:stop], shape, strides), np.arange(start, stop),
                      longest_last)
    if loose:
        yield _loose_step(op, reads[loose]), np.array(loose)


def _is_nary(op: str, reads: Array) -> bool:
    """Whether the operands of a group are many, along an axis of their own."""
    row = find(op)  # None for a step of a written-out primitive, which has a fixed arity
    return (row is not None and row.arity is None) or (op == "add" and reads.shape[1] > 2)


def _long_stretches(reads: Array) -> list[tuple[int, int]]:
    """A group cut where its pattern changes, if that is seldom."""
    if len(reads) < 2 * SHORT or _breaks(reads) * SHORT > len(reads):
        return [(0, len(reads))]
    found = [(start, stop) for start, stop, *_ in even_blocks(reads)]
    return found if len(found) * SHORT <= len(reads) else [(0, len(reads))]


def _period(reads: Array) -> int:
    """After how many lines of a group, which has no pattern, the same kind of line comes again.

    A loop whose body has several instructions of one kind leaves them in turn; each kind alone
    has a pattern. 0 if there is none.
    """
    if _pattern(reads) is not None:
        return 0
    for period in range(2, min(LONGEST_PERIOD, len(reads) // SHORT) + 1):
        if len(reads) % period == 0 and all(
                _pattern(reads[first::period]) is not None for first in range(period)):
            return period
    return 0


def _turned(step: Step, order: Array, longest_last: bool) -> tuple[Step, Array]:
    """The step with its axes in the order of their lengths, and the order of its results."""
    axes = sorted(range(len(step.shape)), key=lambda axis: step.shape[axis])
    if not longest_last or axes == list(range(len(axes))):
        return step, order
    more = [len(axes)] if step.lengths else []

    def turn(slots: Slots, shape: tuple[int, ...]) -> Slots:
        if isinstance(slots, Affine):
            return Affine(slots.start, tuple(slots.strides[axis] for axis in (*axes, *more)))
        return Table(slots.slots(shape).transpose(*axes, *more))

    operands = tuple(turn(slots, step.operand_shape(i)) for i, slots in enumerate(step.operands))
    turned = replace(step, shape=tuple(step.shape[axis] for axis in axes), operands=operands)
    return turned, order.reshape(step.shape).transpose(axes).reshape(-1)


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
    along = table.transpose(2, 0, 1).reshape(count, n * sides)
    segments = list(_segments(along))
    if len(segments) > max(4, count // 4):
        segments = [(0, count)]
    starts = np.hstack([reads[:, :0], *(table[:, :, start] for start, _ in segments)])
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
    """Stretches of a group that have a pattern: start, stop, shape, strides.

    Two lines alone are no pattern: any two numbers grow evenly.
    """
    pattern = _pattern(reads)
    if pattern is not None and len(reads) != 2:
        yield 0, len(reads), *pattern
        return
    start, steps = 0, np.diff(reads, axis=0)
    breaks = [*(np.flatnonzero((steps[1:] != steps[:-1]).any(axis=1)) + 1).tolist(), len(steps)]
    at = 0  # of the first break that is not before the start
    begins = [*_beginnings(steps), len(reads)]
    place = 0  # of the first line not before the start with which a pattern may begin
    alone = np.zeros((0, reads.shape[1]), dtype=np.int64)
    while start < len(reads):
        while begins[place] < start:
            place += 1
        for i in range(start, begins[place]):
            yield i, i + 1, (), alone
        start = begins[place]
        if start == len(reads):
            return
        while at < len(breaks) and breaks[at] <= start:
            at += 1
        stop = breaks[at] + 1
        while (longer := _repeated(reads, start, stop - start)) > stop:  # one axis after the other
            stop = longer
        if stop - start < 3:
            stop = start + 1
        found = _pattern(reads[start:stop])
        assert found is not None
        yield start, stop, *found
        start = stop


def _beginnings(steps: Array) -> list[int]:
    """The lines with which a pattern of three lines or more may begin, by the steps to the next.

    The next step, or the one after that, is the same again.
    """
    begins = np.zeros(len(steps), dtype=bool)
    for distance in (1, 2):
        begins[:-distance] |= (steps[distance:] == steps[:-distance]).all(axis=1)
    found: list[int] = np.flatnonzero(begins).tolist()
    return found


def _repeated(reads: Array, start: int, length: int) -> int:
    """Where a run that begins at a line, and those like it at even distances, come to an end."""
    inner = reads[start:start + length] - reads[start]
    stop = start + length
    distance = None
    while stop + length <= len(reads):
        here = reads[stop:stop + length]
        jump = here[0] - reads[stop - length]
        if (here - here[0] != inner).any() or (distance is not None and (jump != distance).any()):
            break
        distance, stop = jump, stop + length
    return stop
