"""Programs with loops in time as JAX functions: each loop that was unrolled is one ``lax.scan``.

Of the loops that are nested only the outermost become scans.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from autograd.compiler.backends.formulas import Emit
from autograd.compiler.backends.jax.lowering import (
    MOST_BLOCKS,
    Lowering,
    Outputs,
    added_up,
    all_hold,
    elementwise,
    places_of_inputs,
    whole,
)
from autograd.compiler.backends.jax.ops import EMITTERS, REDUCERS
from autograd.compiler.backends.jax.reading import Reader
from autograd.compiler.program.loop_rerolling import Loop, Rolled, Straight, Tape, roll, unrolled
from autograd.compiler.program.program import RELATIONS, Guard, Program
from autograd.core.typing import Array

SAVING = 3  # times fewer instructions, from which on loops are worth it
LONGEST_BODY = 2000  # instructions


class _Scan(NamedTuple):
    """A loop, as ``lax.scan`` takes it.

    Attributes:
        start, period, iterations: in instructions, and how many there are.
        body: the instructions as a program. Its inputs are what follows, in this order.
        fixed: the slots that are read in every iteration.
        moving: for each number that another slot is read for in each iteration, the slots.
        carried: for each number that an earlier iteration has computed the slot that the first
            one reads.
        following: what the next iteration reads in their place: an instruction of the body, or,
            as a number below 0, one of the carried.
    """

    start: int
    period: int
    iterations: int
    body: Program
    fixed: Array
    moving: list[Array]
    carried: Array
    following: list[int]


def in_loops(program: Program) -> tuple[Straight | _Scan, ...] | None:
    """The loops of a program with what is between them; None where that is no gain."""
    rolled = roll(Tape.of(replace(program, outputs=(), guards=())))
    parts: list[Straight | _Scan] = []
    size = 0
    for block in rolled.blocks:
        if isinstance(block, Loop) and block.period <= LONGEST_BODY:
            scan = _scan(rolled, block, program)
            parts.append(scan or Straight(block.start, block.stop))
            size += block.period if scan else block.stop - block.start
        else:
            parts.append(Straight(block.start, block.stop))
            size += block.stop - block.start
    return tuple(parts) if size * SAVING <= len(program) else None


def _scan(rolled: Rolled, loop: Loop, program: Program) -> _Scan | None:
    """A loop, if each iteration reads only what is known before it, or from earlier ones."""
    first, period, count = program.first, loop.period, loop.count
    start = first + loop.start
    stop = start + period * count
    reads = unrolled([loop], rolled.operands, rolled.tape.offsets).reshape(count, -1)
    moved = reads >= rolled.tape.n_slots
    reads[moved] = rolled.data[reads[moved] - rolled.tape.n_slots]
    fixed: dict[int, int] = {}
    moving: dict[bytes, Array] = {}
    carried: dict[int, int] = {}
    kinds: list[tuple[str, Any]] = []
    for column in reads.T:
        slot = int(column[0])
        if (column == slot).all() and slot < start:
            kinds.append(("fixed", fixed.setdefault(slot, len(fixed))))
        elif column.max() < start:
            moving.setdefault(column.tobytes(), column)
            kinds.append(("moving", list(moving).index(column.tobytes())))
        elif (np.diff(column) == period).all() and slot < start + period and column.max() < stop:
            if slot < start:
                for earlier in range(slot, start, period):  # what the next iterations read
                    carried.setdefault(earlier, len(carried))
            kinds.append(("carried" if slot < start else "own", slot))
        else:
            return None
    before = len(fixed) + len(moving)
    n_inputs = before + len(carried)
    constants = n_inputs
    places = iter([
        {"fixed": x, "moving": len(fixed) + x, "own": constants + x - start,
         "carried": before + carried.get(x, 0)}[kind] for kind, x in kinds])
    ops = program.ops[loop.start:loop.start + period]
    operands = tuple(tuple(next(places) for _ in program.operands[loop.start + i])
                     for i in range(period))
    following = [slot + period - start if slot + period >= start else -1 - carried[slot + period]
                 for slot in carried]
    body = Program(n_inputs, (), ops, operands, tuple(range(n_inputs, n_inputs + period)))
    return _Scan(loop.start, period, count, body, np.array([*fixed], dtype=np.int64),
                 [*moving.values()], np.array([*carried], dtype=np.int64), following)


class _Total(NamedTuple):
    """A loop that does nothing but add up: what it adds is known at once, of all iterations.

    Attributes:
        order: the instructions that hang on no sum, each after what it reads.
        chains: for each sum the number that is carried, and what is added to it in an iteration:
            inputs of the body, or its instructions.
    """

    order: list[int]
    chains: dict[int, list[int]]


def _total(scan: _Scan, kept: _Kept, checks: Sequence[_Check]) -> _Total | None:
    """How a loop adds up, if that is all that it does and only the sums of the end are read."""
    body, before = scan.body, len(scan.fixed) + len(scan.moving)
    known = set(range(before))
    order: list[int] = []
    size = -1
    while size < len(known):  # what is carried from a known instruction is known as well
        size = len(known)
        for i, operands in enumerate(body.operands, body.n_inputs):
            if i not in known and known.issuperset(operands):
                known.add(i)
                order.append(i - body.n_inputs)
        known.update(before + i for i, place in enumerate(scan.following)
                     if place >= 0 and body.n_inputs + place in known)
    chains = {i: _chain(body, before + i, place, known) for i, place in enumerate(scan.following)
              if before + i not in known}
    ends = {scan.following[i] for i in chains}
    summed = sum(len(chain or ()) for chain in chains.values())
    others = [*kept.each, *(check.place for check in checks),
              *(place for place in kept.last if place not in ends)]
    if None in chains.values() or summed + len(order) != scan.period or not chains or any(
            body.n_inputs + place not in known for place in others):
        return None
    return _Total(order, {i: chain for i, chain in chains.items() if chain is not None})


def _chain(body: Program, start: int, end: int, known: set[int]) -> list[int] | None:
    """What is added, one after the other, from a slot to an instruction; None for anything else."""
    added: list[int] = []
    now = start
    while now != body.n_inputs + end:
        users = [(i, op, operands) for i, (op, operands) in
                 enumerate(zip(body.ops, body.operands, strict=True), body.n_inputs)
                 if now in operands]
        if len(users) != 1 or end < 0:
            return None
        slot, op, (a, *others) = users[0]
        term = others[0] if a == now and others else a
        if op != "add" or term not in known:
            return None
        added.append(term)
        now = slot
    return added


class _Kept(NamedTuple):
    """The instructions of a loop whose results are read outside: of each iteration, or the last."""

    each: list[int]
    last: list[int]


class _Check(NamedTuple):
    """A guard that each iteration of a loop has on the same instruction.

    Attributes:
        place: the instruction, counted from the loop's beginning.
        guard: the guard of the first iteration; its right side is the same for all.
    """

    place: int
    guard: Guard


def _checks(scan: _Scan, first: int, guards: Sequence[Guard]) -> tuple[list[_Check], list[Guard]]:
    """The guards that a loop can look after itself, and the others."""
    start = first + scan.start
    stop = start + scan.period * scan.iterations
    groups: dict[Any, list[Guard]] = {}
    others: list[Guard] = []
    for guard in guards:
        if start <= guard.left < stop and guard.right < start:
            key = (guard.left - start) % scan.period, guard.relation, guard.right, guard.outcome
            groups.setdefault(key, []).append(guard)
        else:
            others.append(guard)
    checks = []
    for (place, *_), group in groups.items():
        if len({guard.left for guard in group}) == scan.iterations:
            checks.append(_Check(place, group[0]))
        else:
            others += group
    return checks, others


class Loops(Lowering):
    """A linear program with its loops as a pure function of JAX arrays.

    Args:
        program: the linear program.
        parts: what :func:`in_loops` gives for it.
        is_row, is_sum, by_rows, emitters, reducers: as for ``lowering.Steps``.
        free_sums: whether additions may be rounded in another order.
    """

    def __init__(self, program: Program, parts: Sequence[Straight | _Scan],
                 is_row: Sequence[bool], is_sum: Sequence[bool], by_rows: bool,
                 emitters: dict[str, Emit] = EMITTERS,
                 reducers: dict[str, Emit] = REDUCERS, free_sums: bool = False) -> None:
        self.program, self.parts, self.by_rows = program, parts, by_rows
        self.emitters, self.reducers = emitters, reducers
        self.is_row = np.array(is_row, dtype=bool)
        self.constants = np.array(program.constants, dtype=float)
        outputs, summed = np.array(program.outputs, dtype=np.int64), np.array(is_sum, dtype=bool)
        self.summed, self.returned = outputs[summed], outputs[~summed]
        self.summed_together = [np.arange(len(self.summed))] if len(self.summed) else []
        self.returned_together = _parts(len(self.returned))
        self.n_varying = program.n_slots
        self.guards: list[Guard] = list(program.guards)
        self._checks: dict[int, list[_Check]] = {}
        for i, part in enumerate(parts):
            if isinstance(part, _Scan):
                self._checks[i], self.guards = _checks(part, program.first, self.guards)
        self._is_read = self._marked()
        self._kept = {i: self._reads_of(part) for i, part in enumerate(parts)
                      if isinstance(part, _Scan)}
        self._totals = {i: _total(part, self._kept[i], self._checks[i])
                        for i, part in enumerate(parts) if isinstance(part, _Scan) and free_sums}
        self.take_in_blocks([np.arange(int((~self.is_row).sum()))])

    def _marked(self) -> Array:
        """Which slots are read outside of the loop that computes them."""
        program = self.program
        read = np.zeros(program.n_slots, dtype=bool)
        read[list(program.outputs)] = True
        for guard in self.guards:
            read[[guard.left, guard.right]] = True
        for part in self.parts:
            if isinstance(part, Straight):
                for operands in program.operands[part.start:part.stop]:
                    read[list(operands)] = True
            else:
                for slots in (part.fixed, part.carried, *part.moving):
                    read[slots] = True
        return read

    def _reads_of(self, scan: _Scan) -> _Kept:
        begin = self.program.first + scan.start
        is_read = self._is_read[begin:begin + scan.period * scan.iterations]
        is_read = is_read.reshape(scan.iterations, -1)
        earlier = is_read[:-1].any(axis=0)
        return _Kept(np.flatnonzero(earlier).tolist(),
                     np.flatnonzero(is_read[-1] & ~earlier).tolist())

    def take_in_blocks(self, blocks: Sequence[Array]) -> None:
        """See :meth:`Lowering.take_in_blocks`."""
        source, local = places_of_inputs(self.is_row, blocks, len(self.constants))
        sources, locals = [source], [local]
        at = 2 + len(blocks)
        for i, part in enumerate(self.parts):
            if isinstance(part, Straight):
                size = part.stop - part.start
                sources.append(np.arange(at, at + size))
                locals.append(np.zeros(size, dtype=np.int64))
            else:
                size = part.period
                sources.append(np.tile(np.arange(at, at + size), part.iterations))
                table = np.repeat(np.arange(part.iterations), size).reshape(part.iterations, size)
                table[:, self._kept[i].last] = 0
                locals.append(table.reshape(-1))
            at += size
        self.source, self.local = np.concatenate(sources), np.concatenate(locals)

    def in_blocks(self, blocks: Sequence[Any], rows: Any, mask: Any) -> Outputs:
        """See :meth:`Lowering.in_blocks`."""
        n = rows.shape[1] if self.by_rows else 1
        reader = Reader(self.source, self.local, [self.constants, rows, *blocks], n)
        holds = [jnp.ones(self._shape(reader), dtype=bool)]
        for i, part in enumerate(self.parts):
            if isinstance(part, Straight):
                self._straight(part, reader)
            else:
                run = self._scanned
                if (total := self._totals.get(i)) is not None:
                    run = partial(self._added_up, total)
                results, held = run(part, self._kept[i], self._checks[i], reader)
                reader.arrays += results
                holds.append(held)
        out = [whole(reader, self.returned[places], self.by_rows)
               for places in self.returned_together]
        sums = [added_up(reader, self.summed, mask)] if len(self.summed) else []
        ok = all_hold(self.guards, reader, self.by_rows)
        return Outputs(sums, out, functools.reduce(operator.and_, holds, ok))

    def _straight(self, part: Straight, reader: Reader) -> None:
        """Each instruction as an array of one number, or of one for each row."""
        program = self.program
        for i in range(part.start, part.stop):
            operands = program.operands[i]
            one = Program(len(operands), (), program.ops[i:i + 1],
                          (tuple(range(len(operands))),), (len(operands),))
            found = self._computed(one, [self._number(reader, slot) for slot in operands],
                                   apart=True)
            reader.append(found[0] if found[0].shape == self._shape(reader) else
                          jnp.broadcast_to(found[0], self._shape(reader)))

    def _scanned(self, scan: _Scan, kept: _Kept, checks: list[_Check],
                 reader: Reader) -> tuple[list[Any], Any]:
        """A loop: what its instructions give, and whether its guards hold.

        Returns:
            For each instruction its results along a first axis, None where nobody reads them;
            and one truth value, for each row if there are rows.
        """
        shape = self._shape(reader)
        fixed, moving, start = self._inputs_of(scan, reader)
        bounds = [self._number(reader, check.guard.right) for check in checks]

        def iteration(state: Any, now: list[Any]) -> tuple[Any, list[Any]]:
            carried, holds, _ = state
            found = [jnp.broadcast_to(x, shape) for x in
                     self._computed(scan.body, [*fixed, *now, *carried])]
            for check, bound in zip(checks, bounds, strict=True):
                relation = RELATIONS[check.guard.relation]
                holds &= jnp.equal(relation(found[check.place], bound), check.guard.outcome)
            after = [found[i] if i >= 0 else carried[-1 - i] for i in scan.following]
            return ((after, holds, [found[place] for place in apart]),
                    [found[place] for place in kept.each])

        # What is handed on to the next iteration anyway is not carried twice: XLA compiles a loop
        # of few numbers as one function, and one of many as a call for each of them.
        apart = [place for place in kept.last if place not in scan.following]
        begin = start, jnp.ones(shape, dtype=bool), [jnp.zeros(shape) for _ in apart]
        (final, holds, last), each = lax.scan(iteration, begin, moving, scan.iterations)
        results = dict(zip(kept.each, each, strict=True))
        found = dict(zip([*scan.following, *apart], [*final, *last], strict=True))
        results.update((place, found[place][None]) for place in kept.last)
        return [results.get(place) for place in range(scan.period)], holds

    def _inputs_of(self, scan: _Scan, reader: Reader) -> tuple[list[Any], list[Any], list[Any]]:
        """What is fixed, what moves along a first axis, and what the first iteration is handed."""
        shape = self._shape(reader)
        return ([self._number(reader, slot) for slot in scan.fixed.tolist()],
                [jnp.broadcast_to(jnp.asarray(reader.read(slots, self.by_rows)),
                                  (scan.iterations, *shape)) for slots in scan.moving],
                [jnp.broadcast_to(self._number(reader, slot), shape)
                 for slot in scan.carried.tolist()])

    def _added_up(self, total: _Total, scan: _Scan, kept: _Kept, checks: list[_Check],
                  reader: Reader) -> tuple[list[Any], Any]:
        """The same as :meth:`_scanned`, of all iterations at once."""
        body, before = scan.body, len(scan.fixed) + len(scan.moving)
        fixed, moving, start = self._inputs_of(scan, reader)
        whole_shape = (scan.iterations, *self._shape(reader))
        known = dict(enumerate([*fixed, *moving]))
        carried_from: dict[int, list[int]] = {}
        for i, place in enumerate(scan.following):
            if i not in total.chains:
                carried_from.setdefault(place, []).append(i)
        for place in total.order:
            operands = body.operands[place]
            one = Program(len(operands), (), body.ops[place:place + 1],
                          (tuple(range(len(operands))),), (len(operands),))
            found = self._computed(one, [known[x] for x in operands], apart=True)[0]
            now = known[body.n_inputs + place] = jnp.broadcast_to(found, whole_shape)
            for i in carried_from.get(place, ()):  # the next iteration reads it
                known[before + i] = jnp.concatenate([start[i][None], now[:-1]])
        results: dict[int, Any] = {}
        for i, terms in total.chains.items():
            added = functools.reduce(operator.add, [
                jnp.broadcast_to(known[term], whole_shape) for term in terms])
            results[scan.following[i]] = (start[i] + jnp.sum(added, axis=0))[None]
        results.update((place, known[body.n_inputs + place]) for place in kept.each)
        results.update((place, known[body.n_inputs + place][-1:]) for place in kept.last
                       if place not in results)
        holds = jnp.ones(self._shape(reader), dtype=bool)
        for check in checks:
            relation = RELATIONS[check.guard.relation]
            compared = relation(known[body.n_inputs + check.place],
                                self._number(reader, check.guard.right))
            holds &= jnp.all(jnp.equal(compared, check.guard.outcome), axis=0)
        return [results.get(place) for place in range(scan.period)], holds

    def _computed(self, program: Program, inputs: Sequence[Any],
                  apart: bool = False) -> list[Any]:
        return elementwise(program, inputs, self.emitters, self.reducers, apart)

    def _number(self, reader: Reader, slot: int) -> Any:
        """One number; what is constant is left so, see ``lowering.elementwise``."""
        return reader.read(np.array(slot), self.by_rows)

    def _shape(self, reader: Reader) -> tuple[int, ...]:
        return (reader.n,) if self.by_rows else ()


def _parts(count: int) -> list[Array]:
    """Outputs one by one, or all in one array where they are many."""
    if count > MOST_BLOCKS:
        return [np.arange(count)]
    return [np.array([i]) for i in range(count)]
