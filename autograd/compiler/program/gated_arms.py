"""What is not chosen: which numbers count on a condition alone, and derivatives that others take.

JAX, asked for the gradient of ``where(c, a, b)``, hands 0 to the arm that is not chosen, and goes
on: 0 times an infinite slope in there is nan, and reaches whatever the arm was computed from. So
each number that such an arm reads from outside passes a gate: the number as it is, with a
derivative that is 0 wherever the arm is not chosen, whatever comes out of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from autograd.compiler.program.passes import dead_code
from autograd.compiler.program.program import Program
from autograd.compiler.program.steps import GATED
from autograd.core.primitive import find

_PRODUCTS = ("mul", "dot", "prod")
# Of two operands, how ``wins`` tells that the first was chosen.
_TURNED = {"maximum": False, "minimum": True, "largest": False, "smallest": True}


class _Gate(NamedTuple):
    """Where a number counts: within an outer gate, where an operation of some slots is not 0.

    Attributes:
        op: "where" (of a condition; ``operands`` has its slot), "not" (the same, where it is 0),
            "wins" of two slots, "either" of the two gates in ``parts``, or "never" (of a factor
            of a constant 0).
        outer: the gate around it; None if there is none.
    """

    op: str
    operands: tuple[int, ...] = ()
    outer: _Gate | None = None
    parts: tuple[_Gate, ...] = ()


def counting_on_conditions(program: Program) -> frozenset[int]:
    """The slots that outputs hang on only by way of what may not be chosen."""
    return frozenset(slot for slot, gate in _gates(program).items() if gate is not None)


def gated(program: Program) -> Program:
    """The program with gates around what may not be chosen; itself where none is needed."""
    gates = _gates(program)
    if not any(gates[slot] is not None and _may_be_steep(op)
               for slot, op in enumerate(program.ops, program.first) if slot in gates):
        return program
    return dead_code(_Gating(program, gates).program())


def _may_be_steep(op: str) -> bool:
    row = find(op)
    return op not in _PRODUCTS and (row is None or row.growth is None)


def _gates(program: Program) -> dict[int, _Gate | None]:
    """The gate of each slot whose derivative is asked for; None for those that always count."""
    gates: dict[int, _Gate | None] = dict.fromkeys((*program.outputs, *range(program.n_inputs)))
    if not any(op == "where" or op in _TURNED for op in set(program.ops)):
        return gates
    zeros = {slot for slot, x in enumerate(program.constants, program.n_inputs) if x == 0.0}
    for i in range(len(program) - 1, -1, -1):
        slot = program.first + i
        if slot not in gates:
            continue
        op, operands = program.ops[i], program.operands[i]
        for place, operand in enumerate(operands):
            if op == "where" and place == 0:
                continue
            gate = _of_operand(op, operands, place, slot, gates[slot])
            if op == "stop_gradient" or (op == "mul" and operands[1 - place] in zeros):
                gate = _Gate("never")
            if operand not in gates or gates[operand] == gate:
                gates[operand] = gate
            else:
                before = gates[operand]
                gates[operand] = None if before is None or gate is None else (
                    _Gate("either", parts=(before, gate)))
    return gates


def _of_operand(op: str, operands: tuple[int, ...], place: int, slot: int,
                outer: _Gate | None) -> _Gate | None:
    if op == "where":
        return _Gate("where" if place == 1 else "not", operands[:1], outer)
    if op not in _TURNED:
        return outer
    other = slot if op in ("largest", "smallest") else operands[1 - place]
    sides = (operands[place], other)
    return _Gate("wins", sides[::-1] if _TURNED[op] else sides, outer)


class _Gating:
    """Writes a program twice: as it is, for conditions, and behind gates."""

    def __init__(self, program: Program, gates: dict[int, _Gate | None]) -> None:
        self.before, self.gates = program, gates
        zero = program.first
        self.constants = (*program.constants, 0.0, 1.0)
        self.zero, self.one = zero, zero + 1
        self.moved = list(range(program.first))
        self.ops: list[str] = []
        self.operands: list[tuple[int, ...]] = []
        self.held: dict[_Gate, int] = {}

    def program(self) -> Program:
        before = self.before
        for op, operands in zip(before.ops, before.operands, strict=True):
            self.moved.append(self._write(op, *[self.moved[x] for x in operands]))
        behind = dict(enumerate(self.moved))
        passed: dict[tuple[_Gate, int], int] = {}
        for slot, (op, operands) in enumerate(zip(before.ops, before.operands, strict=True),
                                              before.first):
            if slot not in self.gates:
                continue
            now = tuple(self.moved[x] if op == "where" and place == 0
                        else self._read(x, slot, op, behind, passed)
                        for place, x in enumerate(operands))
            if now != tuple(self.moved[x] for x in operands):
                behind[slot] = self._write(op, *now)
        return replace(
            before, constants=self.constants, ops=tuple(self.ops), operands=tuple(self.operands),
            outputs=tuple(behind[x] for x in before.outputs),
            guards=tuple(guard._replace(left=self.moved[guard.left], right=self.moved[guard.right])
                         for guard in before.guards))

    def _read(self, operand: int, slot: int, op: str, behind: dict[int, int],
              passed: dict[tuple[_Gate, int], int]) -> int:
        """An operand as an instruction reads it: through a gate where it does not stand behind."""
        gate, now = self.gates[slot], behind[operand]
        is_constant = self.before.n_inputs <= operand < self.before.first
        if (gate is None or is_constant or self.gates.get(operand) == gate
                or op in ("where", *_TURNED)):
            return now
        if (gate, now) not in passed:
            passed[gate, now] = self._write(GATED, self._holds(gate), now)
        return passed[gate, now]

    def _holds(self, gate: _Gate) -> int:
        """The slot of a number that is not 0 where a gate is open."""
        pending = [gate]
        while pending:
            now = pending[-1]
            needed = [x for x in (*now.parts, now.outer) if x is not None and x not in self.held]
            if needed:
                pending += needed
                continue
            self.held.setdefault(now, self._held(now))
            pending.pop()
        return self.held[gate]

    def _held(self, gate: _Gate) -> int:
        if gate.op == "never":
            return self.zero
        if gate.op == "either":
            one, other = (self.held[part] for part in gate.parts)
            return self._write("where", one, self.one, other)
        within = self.one if gate.outer is None else self.held[gate.outer]
        operands = [self.moved[x] for x in gate.operands]
        choice = self._write("wins", *operands) if gate.op == "wins" else operands[0]
        arms = (self.zero, within) if gate.op == "not" else (within, self.zero)
        return self._write("where", choice, *arms)

    def _write(self, op: str, *operands: int) -> int:
        self.ops.append(op)
        self.operands.append(operands)
        return self.before.first + 2 + len(self.ops) - 1
