"""Passes: functions from program to program that make it shorter and change no bit of a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from autograd.compiler.program.program import Guard, Program, bits_key
from autograd.core.primitives import DOMAIN_ERRORS, lookup


def simplified(program: Program) -> Program:
    """All passes in one: constants folded, equal expressions merged, what is not needed left out.
    """
    return _Rewriting(program, fold=True, merge=True).program(prune=True)


def dead_code(program: Program) -> Program:
    """Leave out instructions and constants that no output and no guard needs."""
    return _Rewriting(program).program(prune=True)


def common_subexpressions(program: Program) -> Program:
    """Compute once what is computed twice: the same operation on the same operands.

    ``identity`` is its operand.
    """
    return _Rewriting(program, merge=True).program()


def fold_constants(program: Program) -> Program:
    """Replace instructions whose operands are all constants by their numbers.

    Only where every back end computes the same bits, and where the operation is defined: an error
    stays for the run that needs it. A guard between constants is decided, and left out.
    """
    return _Rewriting(program, fold=True).program()


def with_inputs(program: Program, places: Sequence[int], n_inputs: int) -> Program:
    """The program with its inputs in another order, and perhaps with more, which it does not read.

    Args:
        program: any program.
        places: for each of its inputs the place among the new ones.
        n_inputs: how many new ones there are.
    """
    shift = n_inputs - program.n_inputs
    if not shift and list(places) == list(range(n_inputs)):
        return program
    now = [*places, *range(program.n_inputs + shift, program.n_slots + shift)]
    return _moved(replace(program, n_inputs=n_inputs), now)


class _Rewriting:
    """One walk over a program, in which each instruction is kept, folded or found to be known.

    Slots keep their numbers, and folded constants get numbers behind all of them, until it is
    known which are left.

    Args:
        program: any program.
        fold, merge: as :func:`fold_constants` and :func:`common_subexpressions` say.
    """

    def __init__(self, program: Program, fold: bool = False, merge: bool = False) -> None:
        self.before = program
        self.same = list(range(program.n_slots))  # for each slot the one that holds its number
        self.numbers = dict(enumerate(program.constants, program.n_inputs))
        self.kept: list[int] = []  # slots of instructions, and what these read now
        self.operands: list[tuple[int, ...]] = []
        self._by_bits: dict[object, int] = {}
        if merge:
            for slot, number in list(self.numbers.items()):
                first = self._by_bits.setdefault(bits_key(number), slot)
                if first != slot:
                    self.same[slot] = first
                    del self.numbers[slot]
        self._walk(fold, merge)
        self.guards = program.guards
        if fold:
            self.guards = tuple(guard for guard in program.guards if not self._is_decided(guard))

    def _walk(self, fold: bool, merge: bool) -> None:
        same, numbers = self.same, self.numbers
        known: dict[tuple[str, tuple[int, ...]], int] = {}
        slot = self.before.first
        for op, operands in zip(self.before.ops, self.before.operands, strict=True):
            now = tuple([same[x] for x in operands])
            if fold and (not now or now[0] in numbers) and all(x in numbers for x in now) and (
                    self._folded(slot, op, now, merge)):
                pass
            elif merge and op == "identity":
                same[slot] = now[0]
            elif merge and (first := known.setdefault((op, now), slot)) != slot:
                same[slot] = first
            else:
                self.kept.append(slot)
                self.operands.append(now)
            slot += 1

    def _folded(self, slot: int, op: str, operands: tuple[int, ...], merge: bool) -> bool:
        """Make a constant of an instruction that reads constants, if that changes no bit."""
        row = lookup(op)
        if not row.exact:
            return False
        try:
            number = row.value(*[self.numbers[x] for x in operands])
        except DOMAIN_ERRORS:
            return False
        place = self.before.n_slots + slot
        if merge:
            place = self._by_bits.setdefault(bits_key(number), place)
        self.numbers.setdefault(place, number)
        self.same[slot] = place
        return True

    def _is_decided(self, guard: Guard) -> bool:
        left, right = self.same[guard.left], self.same[guard.right]
        return left in self.numbers and right in self.numbers and (
            guard.holds(self.numbers[left], self.numbers[right]))

    def program(self, prune: bool = False) -> Program:
        """What is left, with consecutive slots.

        Args:
            prune: whether to leave out what no output and no guard needs.
        """
        before, same = self.before, self.same
        ends = [same[x] for x in chain(before.outputs, *((g.left, g.right) for g in self.guards))]
        if prune:
            self._prune(ends)
        now = list(range(before.n_inputs)) + [0] * (2 * before.n_slots - before.n_inputs)
        constants = sorted(self.numbers)
        for place, slot in enumerate(chain(constants, self.kept), before.n_inputs):
            now[slot] = place
        first = before.first
        n = len(before.outputs)
        return _moved(Program(
            before.n_inputs, tuple([self.numbers[slot] for slot in constants]),
            tuple([before.ops[slot - first] for slot in self.kept]), tuple(self.operands),
            tuple(ends[:n]), tuple([
                guard._replace(left=left, right=right) for guard, left, right in
                zip(self.guards, ends[n::2], ends[n + 1::2], strict=True)])), now)

    def _prune(self, ends: Sequence[int]) -> None:
        needed = bytearray(2 * self.before.n_slots)
        for slot in ends:
            needed[slot] = 1
        left: list[int] = []
        for i in range(len(self.kept) - 1, -1, -1):
            if needed[self.kept[i]]:
                left.append(i)
                for x in self.operands[i]:
                    needed[x] = 1
        left.reverse()
        self.kept = [self.kept[i] for i in left]
        self.operands = [self.operands[i] for i in left]
        self.numbers = {slot: number for slot, number in self.numbers.items() if needed[slot]}


def _moved(program: Program, now: Sequence[int]) -> Program:
    """The program with every slot that it reads replaced by another."""
    place = now.__getitem__
    return replace(
        program, operands=tuple([tuple(map(place, xs)) for xs in program.operands]),
        outputs=tuple(map(place, program.outputs)),
        guards=tuple([Guard(g.relation, place(g.left), place(g.right), g.outcome)
                      for g in program.guards]))
