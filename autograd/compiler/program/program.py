"""The linear program: a computation as data, in single-assignment order.

Every number has a slot. The inputs come first, then the constants, then the result of each
instruction in order, so that instruction ``i`` writes slot ``n_inputs + len(constants) + i`` and
reads only slots before its own.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np

from autograd.compiler.program import saved
from autograd.core.primitive import Primitive, find
from autograd.core.typing import Array

VERSION = 1  # of the JSON form
LONG = 40  # instructions that print shows as they are, for they fit on a screen
MOST_NUMBERS = 10 ** 8  # that a program from a file may have: more do not fit into memory
RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
    "!=": operator.ne}


class Guard(NamedTuple):
    """A comparison that was met while recording, and how it came out.

    A program is right only for inputs at which every guard comes out the same way.
    """

    relation: str
    left: int
    right: int
    outcome: bool

    def holds(self, left: float, right: float) -> bool:
        """Whether the comparison comes out as recorded for these numbers."""
        return RELATIONS[self.relation](left, right) is self.outcome


class Unsupported(Exception):
    """A back end cannot run a program that others can.

    Args:
        message: why.
        ops: the operations that it has no way to write; the values of these rows may be written
            in their place.
    """

    def __init__(self, message: str, ops: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.ops = ops


# A comparison between Values or constants, before it has slots.
Comparison = tuple[str, Any, Any, bool]


class Columns(NamedTuple):
    """Instructions as arrays, with no object for each: passes over millions of them work on these.

    Attributes:
        names: the ops, each once.
        codes: for each instruction the place of its op among the names.
        counts: for each instruction how many operands it has.
        slots: the operands of all instructions, one after the other.
    """

    names: tuple[str, ...]
    codes: Array
    counts: Array
    slots: Array

    @classmethod
    def of(cls, ops: Sequence[str], operands: Sequence[Sequence[int]]) -> Columns:
        """The columns of instructions."""
        names = tuple(dict.fromkeys(ops))
        place = {name: i for i, name in enumerate(names)}
        n = len(ops)
        counts = np.fromiter(map(len, operands), np.int64, n)
        return cls(names, np.fromiter(map(place.__getitem__, ops), np.int64, n), counts,
                   np.fromiter(chain.from_iterable(operands), np.int64, int(counts.sum())))

    @property
    def starts(self) -> Array:
        """For each instruction the place of its first operand among the slots."""
        starts: Array = np.cumsum(self.counts) - self.counts
        return starts

    def has(self, name: str) -> Array:
        """For each instruction whether its op is of this name."""
        code = self.names.index(name) if name in self.names else -1
        found: Array = self.codes == code
        return found

    def ops(self) -> tuple[str, ...]:
        """The name of each instruction's op."""
        return tuple(map(self.names.__getitem__, self.codes.tolist()))

    def operands(self) -> tuple[tuple[int, ...], ...]:
        """The slots that each instruction reads."""
        slots = iter(self.slots.tolist())
        if len(self.counts) and (self.counts == 2).all():
            return tuple(zip(slots, slots, strict=True))
        return tuple([tuple(islice(slots, count)) for count in self.counts.tolist()])


class BitForBit:
    """A program that equals another one of its class if it is the same, bit for bit.

    -0.0 is not 0.0, and nan is nan.
    """

    def _content(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BitForBit) or other.__class__ is not self.__class__:
            return NotImplemented
        return self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())


@dataclass(frozen=True, eq=False, repr=False)
class Program(BitForBit):
    """Instructions in single-assignment form.

    Args:
        n_inputs: the number of inputs; they have the slots 0 to n_inputs - 1.
        constants: the numbers of the next slots.
        ops: for each instruction the name of its row in the table of primitives.
        operands: for each instruction the slots that it reads, in order.
        outputs: the slots that are returned.
        guards: the comparisons that must come out as recorded.
    """

    n_inputs: int
    constants: tuple[float, ...]
    ops: tuple[str, ...]
    operands: tuple[tuple[int, ...], ...]
    outputs: tuple[int, ...]
    guards: tuple[Guard, ...] = ()

    @classmethod
    def of_columns(cls, n_inputs: int, constants: tuple[float, ...], columns: Columns,
                   outputs: tuple[int, ...], guards: tuple[Guard, ...] = ()) -> Program:
        """A program whose ops and operands are made when somebody asks for them."""
        program = object.__new__(cls)
        vars(program).update(n_inputs=n_inputs, constants=constants, columns=columns,
                             outputs=outputs, guards=guards)
        return program

    def __getattr__(self, name: str) -> Any:
        """What :meth:`of_columns` has not made."""
        if name not in ("ops", "operands") or "columns" not in vars(self):
            raise AttributeError(f"a program has no {name!r}")
        made = vars(self)[name] = getattr(self.columns, name)()
        return made

    @cached_property
    def columns(self) -> Columns:
        """The instructions as arrays."""
        return Columns.of(self.ops, self.operands)

    @property
    def n_operands(self) -> int:
        """How many operands all instructions have."""
        columns = vars(self).get("columns")
        return sum(map(len, self.operands)) if columns is None else len(columns.slots)

    @property
    def different_ops(self) -> set[str]:
        """The ops that instructions have."""
        columns = vars(self).get("columns")
        return set(self.ops if columns is None else columns.names)

    @property
    def first(self) -> int:
        """The slot of the first instruction's result."""
        return self.n_inputs + len(self.constants)

    @property
    def n_slots(self) -> int:
        """How many slots there are."""
        return self.n_inputs + len(self.constants) + len(self)

    def __len__(self) -> int:
        columns = vars(self).get("columns")
        return len(self.ops) if columns is None else len(columns.codes)

    def _content(self) -> tuple[Any, ...]:
        bits = struct.pack(f"<{len(self.constants)}d", *self.constants)
        return (self.n_inputs, bits, self.ops, self.operands, self.outputs, self.guards)

    # --- checking -------------------------------------------------------------------------------

    def validate(self) -> Program:
        """Check that every slot is written before it is read, and every op known.

        Returns:
            The program itself.

        Raises:
            ValueError: saying which instruction is wrong, and how.
        """
        check_start(self.n_inputs, self.constants)
        if len(self.ops) != len(self.operands):
            raise ValueError(f"there are {len(self.ops)} ops but {len(self.operands)} tuples of "
                             "operands")
        slot = self.first
        for op, operands in zip(self.ops, self.operands, strict=True):
            _check_instruction(slot, op, operands)
            slot += 1
        check_ends(self.outputs, self.guards, slot)
        return self

    # --- reading and writing --------------------------------------------------------------------

    def name(self, slot: int) -> str:
        """How the text form calls a slot: x0 an input, c3 a constant, v7 a result."""
        kind = "x" if slot < self.n_inputs else "c" if slot < self.first else "v"
        return f"{kind}{slot}"

    def __str__(self) -> str:
        """A line for each instruction; of a long program one for each array, if that is shorter."""
        if len(self) >= LONG:
            from autograd.compiler.program.array_recognition import find_arrays

            arrays = find_arrays(self)
            if 2 * len(arrays) <= len(self):
                return (f"{arrays}\n    # {len(self):,} instructions as {len(arrays):,} arrays; "
                        "listing() has a line for each instruction")
        return self.listing()

    def listing(self) -> str:
        """The text form with a line for each instruction."""
        return "\n".join(self._lines())

    def __repr__(self) -> str:
        return (f"<Program: {self.n_inputs} input(s), {len(self.constants)} constant(s), "
                f"{len(self.ops)} instruction(s), {len(self.guards)} guard(s), "
                f"{len(self.outputs)} output(s)>")

    def _lines(self) -> Iterable[str]:
        name = self.name
        yield f"program({', '.join(name(slot) for slot in range(self.n_inputs))}):"
        for slot, constant in enumerate(self.constants, self.n_inputs):
            yield f"    {name(slot)} = {constant!r}"
        for slot, (op, operands) in enumerate(zip(self.ops, self.operands, strict=True),
                                              self.first):
            yield f"    {name(slot)} = {op}({', '.join(map(name, operands))})"
        for guard in self.guards:
            yield (f"    guard {name(guard.left)} {guard.relation} {name(guard.right)} "
                   f"is {guard.outcome}")
        yield f"    return {', '.join(map(name, self.outputs))}"

    def to_json(self) -> str:
        """The program as text: data only; the floats are exact, in hexadecimal."""
        return saved.written("program", VERSION, self.constants, n_inputs=self.n_inputs,
                             ops=self.ops, operands=self.operands, outputs=self.outputs,
                             guards=self.guards)

    @classmethod
    def from_json(cls, text: str) -> Program:
        """Read what to_json wrote.

        Args:
            text: JSON; it is read as data, and nothing in it is run.

        Raises:
            ValueError: for anything else; the message says what is wrong.
        """
        return saved.read(text, "program", VERSION, lambda data: cls(
            data["n_inputs"], data["constants"], tuple(saved.listed(data["ops"])),
            tuple(map(tuple, saved.listed(data["operands"]))), *ends_of(data))).validate()


def bits_key(number: float) -> float | bytes:
    """A key that is equal for equal bits: -0.0 is not 0.0, and nan is itself."""
    return number if number != 0.0 and number == number else struct.pack("<d", number)


# --- checking, also of array programs -------------------------------------------------------------

def ends_of(data: dict[str, Any]) -> tuple[tuple[int, ...], tuple[Guard, ...]]:
    """The outputs and guards that a file holds, still unchecked."""
    return (tuple(saved.listed(data["outputs"])),
            tuple(Guard(*guard) for guard in saved.listed(data["guards"])))


def check_start(n_inputs: Any, constants: Sequence[Any]) -> None:
    """Check the inputs and the constants of a program.

    Raises:
        ValueError: saying what is wrong.
    """
    if n_inputs.__class__ is not int or not 0 <= n_inputs <= MOST_NUMBERS:
        raise ValueError(f"n_inputs must be a whole number from 0 to {MOST_NUMBERS:,}, not "
                         f"{n_inputs!r}")
    for constant in constants:
        if constant.__class__ is not float:
            raise ValueError(f"constants must be floats, not {constant!r}")


def check_ends(outputs: Sequence[Any], guards: Sequence[Guard], end: int) -> None:
    """Check the outputs and guards of a program with so many slots.

    Raises:
        ValueError: saying what is wrong.
    """
    for output in outputs:
        check_slot(output, end, "an output")
    for guard in guards:
        if not isinstance(guard.relation, str) or guard.relation not in RELATIONS or (
                not isinstance(guard.outcome, bool)):
            raise ValueError(f"{guard} is no guard: its relation is one of "
                             f"{', '.join(RELATIONS)}, its outcome True or False")
        check_slot(guard.left, end, "a guard")
        check_slot(guard.right, end, "a guard")


def row_of(op: Any, what: str) -> Primitive:
    """The row of an operation.

    Raises:
        ValueError: when there is none.
    """
    row = find(op) if isinstance(op, str) else None
    if row is None:
        raise ValueError(f"{what}: no primitive is called {op!r}")
    return row


def check_slot(slot: Any, end: int, what: str) -> None:
    """Check that something reads a slot that is written by then.

    Raises:
        ValueError: when it does not.
    """
    if slot.__class__ is not int or not 0 <= slot < end:
        raise ValueError(f"{what} reads slot {slot!r}, but only the slots 0 to {end - 1} are "
                         "written by then")


def _check_instruction(slot: int, op: Any, operands: Any) -> None:
    row = row_of(op, f"slot {slot}")
    if row.arity is not None and row.arity != len(operands):
        raise ValueError(f"slot {slot}: {op} takes {row.arity} operands, not {len(operands)}")
    if row.paired and len(operands) % 2:
        raise ValueError(f"slot {slot}: {op} takes an even number of operands, not {len(operands)}")
    for operand in operands:
        check_slot(operand, slot, f"slot {slot} ({op})")
