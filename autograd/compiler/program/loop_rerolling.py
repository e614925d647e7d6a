"""Re-rolling: the loops that a straight-line program was unrolled from, found again.

A run of instructions is a loop when its ops repeat with some period and every operand slot
advances by a constant of its own from one period to the next: 0 for an input that stands still,
the period for what the iteration before computed, a negative number for forward values that the
backward pass reads in reverse. What does not repeat, the irregular ends above all, stays straight.

All work is done on whole arrays, so that its cost is linear in the number of instructions.
Repetitions are looked for with hashes; each loop is then checked number by number.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from autograd.compiler.program.program import Program
from autograd.core.typing import Array

LEAST_SAVING = 32  # instructions that a loop must save to be worth its overhead
LARGE_BODY = 768  # instructions of a body in which loops are looked for again
FEWEST = 3  # iterations: any two periods are an equal distance apart
OUTPUT, SUMMED, GUARD = "output", "summed output", "guard"  # pseudo-instructions of a tape
_GRAMS = (1, 4, 16, 64)  # lengths of the windows whose repetitions suggest a period
_PER_GRAM = 6  # periods that one length of window suggests by each measure
_DEPTH = 3  # how often gaps between loops are searched again
_MIX = np.uint64(0x9E3779B97F4A7C15)



@dataclass(frozen=True)
class Tape:
    """A program as arrays; its outputs and guards are pseudo-instructions.

    An output reads a slot and a place among the outputs of its kind, which is written as a number
    below 0: -1 is the first place. The place advances in loops as slots do.

    Args:
        n_inputs: the number of inputs.
        first: the slot of the first instruction's result.
        kinds: what the numbers in tokens stand for: the op (and the number of its operands).
        tokens: for each instruction the position of its kind.
        operands: the slots that are read, of all instructions one after the other.
        offsets: where each instruction's operands begin; one more at the end.
    """

    n_inputs: int
    first: int
    kinds: tuple[tuple[str, int], ...]
    tokens: Array
    operands: Array
    offsets: Array

    @classmethod
    def of(cls, program: Program, sums: Sequence[bool] = ()) -> Tape:
        """The tape of a program.

        Args:
            program: what to convert.
            sums: for each output whether it is summed over rows; empty for no sums.
        """
        columns, n = program.columns, len(program)
        flags = np.array(sums or (False,) * len(program.outputs), dtype=bool)
        outputs = np.array(program.outputs, dtype=np.int64)
        ranks = np.where(flags, np.cumsum(flags) - 1, np.cumsum(~flags) - 1)
        numbers = _Numbering({name: i for i, name in enumerate(columns.names)})
        ends = [*(numbers[SUMMED if flag else OUTPUT] for flag in flags.tolist()),
                *(numbers[f"{GUARD} {guard.relation} {guard.outcome}"] for guard in program.guards)]
        guarded = [(guard.left, guard.right) for guard in program.guards]
        codes = np.concatenate((columns.codes, np.array(ends, dtype=np.int64)))
        arities = np.concatenate((columns.counts, np.full(len(ends), 2)))
        operands = np.concatenate((columns.slots, np.stack((outputs, ~ranks), axis=1).reshape(-1),
                                   np.array(guarded, dtype=np.int64).reshape(-1)))
        # A sum follows the instruction that it adds up, so that no memory is needed in between.
        follows = flags & (outputs >= program.first)
        if follows.any():
            here = np.where(follows, outputs - program.first, n)
            order = np.argsort(np.concatenate((np.arange(n), here, np.full(len(guarded), n))),
                               kind="stable")
            codes, operands, arities = _reordered(codes, operands, arities, order, program.first)
        offsets = np.concatenate(([0], np.cumsum(arities)))
        both = codes + len(numbers) * arities  # small numbers, so that they need no sorting
        pairs = np.flatnonzero(np.bincount(both))
        place = np.zeros(int(both.max(initial=0)) + 1, np.int64)
        place[pairs] = np.arange(len(pairs))
        tokens = place[both]
        names = list(numbers)
        kinds = tuple((names[pair % len(names)], int(pair // len(names))) for pair in pairs)
        return cls(program.n_inputs, program.first, kinds, tokens, operands, offsets)

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def n_slots(self) -> int:
        """How many slots there are; the pseudo-instructions have slots of no meaning."""
        return self.first + len(self.tokens)


def _reordered(codes: Array, operands: Array, arities: Array, order: Array,
               first: int) -> tuple[Array, Array, Array]:
    """Instructions in another order, reading the slots that results have then."""
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    starts = np.cumsum(arities) - arities
    arities = arities[order]
    within = np.arange(len(operands)) - np.repeat(np.cumsum(arities) - arities, arities)
    operands = operands[np.repeat(starts[order], arities) + within]
    computed = operands >= first
    operands[computed] = first + place[operands[computed] - first]
    return codes[order], operands, arities


class _Numbering(dict[str, int]):
    """Numbers names in the order in which they are met."""

    def __missing__(self, name: str) -> int:
        self[name] = number = len(self)
        return number


class Straight(NamedTuple):
    """Instructions that are executed once: those of the tape from start to stop."""

    start: int
    stop: int


@dataclass(frozen=True)
class Loop:
    """A run of ``count`` iterations; the first is the instructions from start to start + period.

    Args:
        start, period, count: in instructions, and in iterations.
        strides: by how much each operand of the first iteration advances with each iteration.
        body: the blocks of the first iteration; loops among them are nested.
    """

    start: int
    period: int
    count: int
    strides: Array
    body: tuple[Block, ...]

    @property
    def stop(self) -> int:
        """The instruction after the last iteration."""
        return self.start + self.period * self.count


Block = Straight | Loop


@dataclass(frozen=True)
class Rolled:
    """A tape with its loops.

    Args:
        tape: the instructions.
        blocks: loops and straight pieces, in order, covering all instructions.
        operands: the tape's operands, but where a loop reads a constant of its own in each
            iteration, its first iteration reads the slots from n_slots on, in order of use.
        data: the constant's slot that each of those slots stands for.
    """

    tape: Tape
    blocks: tuple[Block, ...]
    operands: Array
    data: Array

    @property
    def code_size(self) -> int:
        """The number of instructions to compile."""
        return sum(block.stop - block.start for block in _leaves(self.blocks))

    def expand(self) -> Tape:
        """The tape again, from the loops alone."""
        tape = self.tape
        tokens = _spread(self.blocks, tape.tokens, np.arange(len(tape) + 1), 0)
        arities = _spread(self.blocks, np.diff(tape.offsets), np.arange(len(tape) + 1), 0)
        operands = unrolled(self.blocks, self.operands, tape.offsets)
        moved = operands >= tape.n_slots
        operands[moved] = self.data[operands[moved] - tape.n_slots]
        offsets = np.concatenate(([0], np.cumsum(arities)))
        return Tape(tape.n_inputs, tape.first, tape.kinds, tokens, operands, offsets)


def _leaves(blocks: Sequence[Block]) -> Iterable[Straight]:
    for block in blocks:
        if isinstance(block, Loop):
            yield from _leaves(block.body)
        else:
            yield block


def _spread(blocks: Sequence[Block], numbers: Array, offsets: Array, origin: int) -> Array:
    """What is stored for first iterations, repeated for all; numbers begin at offset origin."""
    parts = [np.empty(0, np.int64)]
    for block in blocks:
        if isinstance(block, Loop):
            parts.append(np.tile(_spread(block.body, numbers, offsets, origin), block.count))
        else:
            parts.append(numbers[offsets[block.start] - origin:offsets[block.stop] - origin])
    return np.concatenate(parts)


def unrolled(blocks: Sequence[Block], operands: Array, offsets: Array) -> Array:
    """The operands of all iterations."""
    parts = [np.empty(0, np.int64)]
    for block in blocks:
        if isinstance(block, Loop):
            base = unrolled(block.body, operands, offsets)
            strides = _spread(block.body, block.strides, offsets, offsets[block.start])
            parts.append((base + np.arange(block.count)[:, None] * strides).ravel())
        else:
            parts.append(operands[offsets[block.start]:offsets[block.stop]])
    return np.concatenate(parts)


# --- looking for loops --------------------------------------------------------------------------

def roll(tape: Tape) -> Rolled:
    """Find the loops of a tape.

    Returns:
        The tape with its loops; ``expand`` gives the same tape again. Programs without loops come
        back as one straight block.
    """
    search = _Search(tape)
    blocks = search.blocks(search.region(0, len(tape), ()), 0)
    data = np.concatenate(search.data) if search.data else np.empty(0, np.int64)
    return Rolled(tape, tuple(blocks), search.operands, data)


class _Region(NamedTuple):
    """Instructions among which loops are looked for.

    Args:
        start, stop: the instructions.
        tokens: hashes that are equal for equal ops, arities, and strides of enclosing loops.
        places: hashes of the operands that are linear in them.
        outer: the enclosing loops' strides, of the region's operands.
    """

    start: int
    stop: int
    tokens: Array
    places: Array
    outer: tuple[Array, ...]


class _Search:
    """The search through one tape."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.operands = tape.operands.copy()
        self.data: list[Array] = []
        self.n_data = 0
        most = int(np.diff(tape.offsets).max(initial=0))
        random = np.random.default_rng(0)  # the same hashes, and the same loops, in every run
        self.weights = random.integers(1, 2**63, most + 1, dtype=np.uint64) * np.uint64(2) + (
            np.uint64(1))

    # --- regions ---------------------------------------------------------------------------------

    def region(self, start: int, stop: int, outer: tuple[Array, ...]) -> _Region:
        """Instructions with their hashes."""
        operands = self._operands(start, stop)
        movable = self._movable(operands)
        tokens = self.tape.tokens[start:stop].astype(np.uint64) * _MIX
        tokens += self._linear(start, stop, movable)
        for level, strides in enumerate(outer):
            tokens += self._linear(start, stop, strides) * np.uint64(2 * level + 3)
        places = self._linear(start, stop, np.where(movable, 0, operands))
        return _Region(start, stop, tokens, places, outer)

    def part(self, region: _Region, start: int, stop: int) -> _Region:
        """A piece of a region."""
        here = slice(start - region.start, stop - region.start)
        offsets, origin = self.tape.offsets, self.tape.offsets[region.start]
        outer = tuple(strides[offsets[start] - origin:offsets[stop] - origin]
                      for strides in region.outer)
        return _Region(start, stop, region.tokens[here], region.places[here], outer)

    def _operands(self, start: int, stop: int) -> Array:
        operands: Array = self.operands[self.tape.offsets[start]:self.tape.offsets[stop]]
        return operands

    def _movable(self, operands: Array) -> Array:
        """Which operands are constants: a loop may find them wherever it likes."""
        movable: Array = (operands >= self.tape.n_inputs) & (operands < self.tape.first)
        return movable

    def _linear(self, start: int, stop: int, numbers: Array) -> Array:
        """For each instruction a sum of its operands' numbers, by weights, modulo 2**64."""
        offsets = self.tape.offsets[start:stop + 1] - self.tape.offsets[start]
        place = np.arange(len(numbers)) - np.repeat(offsets[:-1], np.diff(offsets))
        total = np.zeros(len(numbers) + 1, np.uint64)
        np.cumsum(numbers.astype(np.uint64) * self.weights[place], out=total[1:])
        sums: Array = total[offsets[1:]] - total[offsets[:-1]]
        return sums

    # --- loops -----------------------------------------------------------------------------------

    def blocks(self, region: _Region, depth: int) -> list[Block]:
        """Cut a region into loops and straight pieces."""
        if region.stop - region.start < 2 * LEAST_SAVING or depth > _DEPTH:
            return _straight(region.start, region.stop)
        found: list[Block] = []
        position = region.start
        for start, period, count in _chosen(region):
            loop = self._loop(region, start, period, count)
            if loop is not None:
                found += self._gap(region, position, start, depth)
                found.append(loop)
                position = loop.stop
        if not found:
            return _straight(region.start, region.stop)
        return found + self._gap(region, position, region.stop, depth)

    def _gap(self, region: _Region, start: int, stop: int, depth: int) -> list[Block]:
        # A gap that is small beside the region is not worth a search of its own.
        if (stop - start) * 100 < region.stop - region.start:
            return _straight(start, stop)
        return self.blocks(self.part(region, start, stop), depth + 1)

    def _loop(self, region: _Region, start: int, period: int, count: int) -> Loop | None:
        """The loop, if it is one: hashes may be equal by chance."""
        tape, run = self.tape, self.part(region, start, start + period * count)
        if not _rows_equal(tape.tokens[run.start:run.stop], count):
            return None
        operands = self._operands(run.start, run.stop).reshape(count, -1)
        movable = self._movable(operands)
        if not all(_rows_equal(numbers, count) for numbers in (movable, *run.outer)):
            return None
        own = movable[0] & (operands != operands[0]).any(axis=0)
        strides = operands[1] - operands[0]
        if not (np.diff(operands[:, ~own], axis=0) == strides[~own]).all():
            return None
        strides[own] = np.count_nonzero(own)
        self._tabulate(start, operands[:, own], own)
        if period <= LARGE_BODY:
            body = _straight(start, start + period)
        else:
            first = self.part(run, start, start + period).outer
            body = self.blocks(self.region(start, start + period, (*first, strides)), 0)
        return Loop(start, period, count, strides, tuple(body))

    def _tabulate(self, start: int, constants: Array, own: Array) -> None:
        """Put the constants that differ by iteration one after the other."""
        if not constants.size:
            return
        self.data.append(constants.ravel())
        first = self.tape.n_slots + self.n_data
        self.n_data += constants.size
        places = self.tape.offsets[start] + np.flatnonzero(own)
        self.operands[places] = first + np.arange(len(places))


def _rows_equal(numbers: Array, count: int) -> bool:
    rows = numbers.reshape(count, -1)
    return bool((rows == rows[0]).all())


def _straight(start: int, stop: int) -> list[Block]:
    return [Straight(start, stop)] if stop > start else []


def _chosen(region: _Region) -> list[tuple[int, int, int]]:
    """Loops that do not overlap, as (start, period, count), those first that save the most."""
    least = max(LEAST_SAVING, len(region.tokens) // 1000)
    queue: list[tuple[int, int, int, int]] = []  # (minus the saving, period, start, count)
    for period, (starts, counts) in _runs_by_period(region.tokens, region.places).items():
        saved = (counts - 1) * period
        for i in np.flatnonzero(saved >= least):
            queue.append((-int(saved[i]), period, int(starts[i]), int(counts[i])))
    heapq.heapify(queue)
    taken: list[tuple[int, int, int]] = []  # (start, stop, period), sorted
    while queue:
        _, period, start, count = heapq.heappop(queue)
        free = _free(taken, start, start + period * count)
        fits = (free[1] - free[0]) // period
        if fits == count:
            taken.insert(bisect_left(taken, (start,)), (start, start + period * count, period))
        elif fits >= FEWEST and (fits - 1) * period >= least:
            heapq.heappush(queue, (-(fits - 1) * period, period, free[0], fits))
    return [(region.start + start, period, (stop - start) // period)
            for start, stop, period in taken]


def _free(taken: list[tuple[int, int, int]], start: int, stop: int) -> tuple[int, int]:
    """The longest piece between start and stop that nothing has taken."""
    i = bisect_left(taken, (start,))
    position = max(start, taken[i - 1][1]) if i else start
    best = (position, position)
    while i < len(taken) and taken[i][0] < stop:
        best = max(best, (position, taken[i][0]), key=_length)
        position = taken[i][1]
        i += 1
    return max(best, (position, stop), key=_length)


def _length(piece: tuple[int, int]) -> int:
    return piece[1] - piece[0]


def _runs_by_period(tokens: Array, places: Array) -> dict[int, tuple[Array, Array]]:
    """For each period that the ops suggest, its runs; and for those that the runs suggest."""
    found: dict[int, tuple[Array, Array]] = {}
    pending = _candidates(tokens)
    for _ in range(3):  # loops in loops in loops
        further: set[int] = set()
        for period in sorted(pending):
            found[period] = _runs(tokens, places, period)
            starts = found[period][0]
            if len(starts) >= FEWEST:
                further |= _commonest(np.diff(starts), 2)
        pending = further - set(found)
    return found


def _runs(tokens: Array, places: Array, period: int) -> tuple[Array, Array]:
    """Where runs of a period start, and how many iterations they have."""
    if FEWEST * period > len(tokens):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    same = tokens[period:] == tokens[:-period]
    step = places[period:] - places[:-period]
    regular = same[:-period] & same[period:]
    regular &= step[period:] == step[:-period]
    edges = np.flatnonzero(np.diff(regular.view(np.int8), prepend=0, append=0))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    long = lengths >= (FEWEST - 2) * period
    return starts[long], lengths[long] // period + 2


def _candidates(tokens: Array) -> set[int]:
    """Periods: the distances from windows of ops to where the same ops come again."""
    found: set[int] = set()
    hashes, length = tokens * _MIX, 1
    for wanted in _GRAMS:
        while length < wanted and len(hashes) > length:
            hashes = (hashes[:-length] ^ (hashes[:-length] >> np.uint64(29))) * _MIX + (
                hashes[length:])
            length *= 2
        found |= _distances(hashes)
    # The same ops may come on other operands in between: a loop's body that looks like several.
    return found | {m * period for period in sorted(found)[:_PER_GRAM] for m in (2, 3, 4)}


def _distances(hashes: Array) -> set[int]:
    """The commonest distances between equal hashes that follow each other."""
    short = (hashes * _MIX >> np.uint64(48)).astype(np.uint16)  # sorted in linear time
    order = np.argsort(short, kind="stable")
    equal = hashes[order[1:]] == hashes[order[:-1]]
    return _commonest((order[1:] - order[:-1])[equal], _PER_GRAM)


def _commonest(distances: Array, most: int) -> set[int]:
    """The most frequent numbers, and those that stand for the most instructions."""
    distances = distances[distances > 0]
    if not len(distances):
        return set()
    counts = np.bincount(distances)
    reach = counts * np.arange(len(counts))
    reach[counts < FEWEST - 1] = 0
    return {int(i) for measure in (counts, reach) for i in np.argsort(-measure)[:most]
            if measure[i] > 0}
