"""Passes: functions from program to program that make it shorter and change no bit of a result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from autograd.compiler.program.program import Guard, Program, bits_key
from autograd.core.primitives import DOMAIN_ERRORS, lookup


def simplified(program: Program) -> Program:
    """All passes, one after the other."""
    return dead_code(common_subexpressions(fold_constants(program)))


def dead_code(program: Program) -> Program:
    """Leave out instructions and constants that no output and no guard needs."""
    needed = {*program.outputs, *(slot for guard in program.guards
                                  for slot in (guard.left, guard.right))}
    for i in range(len(program.ops) - 1, -1, -1):
        if program.first + i in needed:
            needed.update(program.operands[i])
    return _rebuilt(program, (slot for slot in range(program.n_inputs, program.n_slots)
                              if slot in needed), {})


def common_subexpressions(program: Program) -> Program:
    """Compute once what is computed twice: the same operation on the same operands.

    ``identity`` is its operand.
    """
    same: dict[int, int] = {}  # a slot, and the earlier slot that holds the same number
    seen: dict[object, int] = {}
    for slot, number in enumerate(program.constants, program.n_inputs):
        same[slot] = seen.setdefault(bits_key(number), slot)
    results: dict[object, int] = {}
    for slot, (op, operands) in enumerate(zip(program.ops, program.operands, strict=True),
                                          program.first):
        now = tuple([same.get(x, x) for x in operands])
        same[slot] = now[0] if op == "identity" else results.setdefault((op, now), slot)
    return _rebuilt(program, (slot for slot, first in same.items() if slot == first), same)


def fold_constants(program: Program) -> Program:
    """Replace instructions whose operands are all constants by their numbers.

    Only where every back end computes the same bits, and where the operation is defined: an error
    stays for the run that needs it. A guard between constants is decided, and left out.
    """
    numbers: dict[int, float] = dict(enumerate(program.constants, program.n_inputs))
    folded: list[float] = []
    place: dict[int, int] = {}  # a folded instruction, and its place among the new constants
    for slot, (op, operands) in enumerate(zip(program.ops, program.operands, strict=True),
                                          program.first):
        if all(x in numbers for x in operands) and (row := lookup(op)).exact:
            try:
                numbers[slot] = row.value(*(numbers[x] for x in operands))
            except DOMAIN_ERRORS:
                continue
            place[slot] = len(folded)
            folded.append(numbers[slot])
    undecided = tuple(
        guard for guard in program.guards
        if not (guard.left in numbers and guard.right in numbers
                and guard.holds(numbers[guard.left], numbers[guard.right])))
    program = replace(program, guards=undecided)
    return _with_constants(program, folded, place) if folded else program


def _with_constants(program: Program, folded: list[float], place: dict[int, int]) -> Program:
    moved: dict[int, int] = {}
    slot_now = program.first + len(folded)
    for slot in range(program.first, program.n_slots):
        if slot in place:
            moved[slot] = program.first + place[slot]
        else:
            moved[slot] = slot_now
            slot_now += 1
    kept = [i for i in range(len(program.ops)) if program.first + i not in place]
    return _renumbered(program, (*program.constants, *folded), kept, moved)


def with_inputs(program: Program, places: Sequence[int], n_inputs: int) -> Program:
    """The program with its inputs in another order, and perhaps with more, which it does not read.

    Args:
        program: any program.
        places: for each of its inputs the place among the new ones.
        n_inputs: how many new ones there are.
    """
    shift = n_inputs - program.n_inputs
    moved = {slot: slot + shift for slot in range(program.n_inputs, program.n_slots)}
    moved.update(enumerate(places))
    return replace(_renumbered(program, program.constants, list(range(len(program.ops))), moved),
                   n_inputs=n_inputs)


def _rebuilt(program: Program, kept_slots: Iterable[int], same: dict[int, int]) -> Program:
    """The program with some of its constants and instructions, others read from equal slots."""
    kept = sorted(kept_slots)
    position = {slot: program.n_inputs + i for i, slot in enumerate(kept)}
    moved: dict[int, int] = {}
    for slot in range(program.n_inputs, program.n_slots):
        kept_one = same.get(slot, slot)
        if kept_one < program.n_inputs:
            moved[slot] = kept_one
        elif kept_one in position:
            moved[slot] = position[kept_one]
    constants = tuple(program.constants[slot - program.n_inputs] for slot in kept
                      if slot < program.first)
    return _renumbered(program, constants,
                       [slot - program.first for slot in kept if slot >= program.first], moved)


def _renumbered(program: Program, constants: tuple[float, ...], kept: list[int],
                moved: dict[int, int]) -> Program:
    def now(slot: int) -> int:
        return moved.get(slot, slot)

    return Program(
        program.n_inputs, constants, tuple(program.ops[i] for i in kept),
        tuple(tuple(map(now, program.operands[i])) for i in kept),
        tuple(map(now, program.outputs)),
        tuple(Guard(g.relation, now(g.left), now(g.right), g.outcome) for g in program.guards))
