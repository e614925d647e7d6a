"""Array programs as functions of JAX arrays, with one JAX operation for each step.

The last axis of what differs by row is that of the rows: a slot's rows stand side by side.
"""

from __future__ import annotations

import operator
import string
from collections.abc import Sequence
from itertools import starmap
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from autograd.compiler.backends.array_layout import Layout
from autograd.compiler.backends.formulas import Emit
from autograd.compiler.backends.jax.ops import EMITTERS, NAMES, REDUCERS
from autograd.compiler.backends.jax.reading import Reader
from autograd.compiler.program.array_program import Affine, ArrayProgram, Step, Table
from autograd.compiler.program.program import RELATIONS, Guard, Program, Unsupported
from autograd.core.primitives import lookup
from autograd.core.typing import Array

CONSTANTS = 0  # the place of their array among those that are read
FEW = 4  # operands that are added one by one
MOST_BLOCKS = 32  # of sums; more are computed as one
ADDITIONS, SIGNS = ("add", "sub"), ("neg", "identity")  # of constants, and what XLA sees through
SPLITTER = 2.0 ** 27 + 1.0
LOOSE = 16  # the same, where they would have to be brought together first


class Outputs(NamedTuple):
    """What a program computes.

    Attributes:
        sums: the outputs that are summed over the rows, shape (n_sums,), or several such arrays.
        out: the other outputs, shape (n_outputs,) or (n_outputs, n), or several such arrays.
        ok: whether all guards hold, shape () or (n,).
    """

    sums: Any
    out: Any
    ok: Any


def straight(program: Program) -> ArrayProgram:
    """A linear program as an array program with a step for each instruction."""
    def step(op: str, operands: tuple[int, ...]) -> Step:
        if op in REDUCERS or op == "dot":
            sides = 2 if op == "dot" else 1
            half = len(operands) // sides
            tables = [np.array(operands[i * half:(i + 1) * half], dtype=np.int64)
                      for i in range(sides)]
            return Step(op, (), tuple(map(_column, tables)), (half,))
        return Step(op, (), tuple(Affine(slot, ()) for slot in operands))

    return ArrayProgram(program.n_inputs, program.constants,
                        tuple(starmap(step, zip(program.ops, program.operands, strict=True))),
                        program.outputs, program.guards)


def elementwise(program: Program, inputs: Sequence[Any], emitters: dict[str, Emit] = EMITTERS,
                reducers: dict[str, Emit] = REDUCERS, apart: bool = False) -> list[Any]:
    """The outputs of a short program for numbers, or arrays of one shape, as inputs.

    Args:
        program, inputs, emitters, reducers: what to compute.
        apart: whether the inputs may be sums with constants.
    """
    slots = [*inputs, *program.constants]
    shifted = [apart] * len(slots)
    wide: set[int] = set()  # products by which numbers are split, and those less the number
    rests: dict[int, int] = {}
    powers: set[int] = set()
    for op, operands in zip(program.ops, program.operands, strict=True):
        numbers = [slots[slot] for slot in operands]
        is_shifted = any(shifted[slot] for slot in operands)
        adds = op in ADDITIONS and any(map(_is_constant, numbers))
        parts = [_apart(x) if adds and is_shifted else jnp.asarray(x) for x in numbers]
        shifted.append(adds or (op in SIGNS and is_shifted))
        if op == "dot":
            pairs = zip(parts[:len(parts) // 2], parts[len(parts) // 2:], strict=True)
            slots.append(sum(starmap(operator.mul, pairs), jnp.zeros(())))
        elif op in reducers:
            slots.append(reducers[op](jnp.stack(jnp.broadcast_arrays(*parts))))
        else:
            if op == "mul" and powers.issuperset(operands):
                parts[0] = lax.optimization_barrier(parts[0])
            found = emitters[op](*_alike(parts))
            if op == "exp":
                powers.add(len(slots))
            if op == "mul" and any(map(_is_splitter, numbers)):
                wide.add(len(slots))
            elif op == "sub" and operands[0] in wide:
                if rests.get(operands[1]) == operands[0]:
                    found = _high_half(found)
                rests[len(slots)] = operands[0]
            slots.append(found)
    return [slots[slot] for slot in program.outputs]


def _is_constant(number: Any) -> bool:
    return isinstance(number, float | np.ndarray | np.generic)


def _apart(number: Any) -> Any:
    """An operand of an addition; XLA does not see that it is a constant.

    It would move constants that are added past each other: (x + c) - c, which rounds x to whole
    numbers where c is 2**52, would be x.
    """
    return lax.optimization_barrier(jnp.asarray(number)) if _is_constant(number) else number


def _is_splitter(number: Any) -> bool:
    """Whether it is the constant of Veltkamp's splitting, by which rows have more digits."""
    return _is_constant(number) and bool(np.size(number)) and bool(
        (np.asarray(number) == SPLITTER).all())


def _high_half(number: Any) -> Any:
    """The first 26 digits. XLA takes c - (c - x) for x, which is right of numbers, not of floats.
    """
    return lax.reduce_precision(number, exponent_bits=11, mantissa_bits=25)


def _column(slots: Array) -> Table:
    return Table(slots.reshape(1, -1))


def refuse_unknown(ops: Sequence[str]) -> None:
    """Refuse operations that there is no JAX operation for.

    Raises:
        KeyError: for one that is not in the table of primitives.
        Unsupported: for others; rows of the user's own may be written out.
    """
    unknown = [op for op in dict.fromkeys(ops) if op not in NAMES]
    for op in unknown:
        lookup(op)
    if unknown:
        raise Unsupported(f"JAX has no operation for {', '.join(unknown)}, and nobody has said "
                          "how to write it with others", tuple(unknown))


class Lowering:
    """A program as a pure function of JAX arrays.

    Attributes:
        by_rows: whether there are rows.
        summed_together: which outputs that are summed over the rows come as one array each.
        returned_together: the same for the other outputs.
        n_varying: how many numbers there are of each row.
    """

    by_rows: bool
    summed_together: list[Array]
    returned_together: list[Array]
    n_varying: int

    def take_in_blocks(self, blocks: Sequence[Array]) -> None:
        """Take the inputs that are the same for all rows in several arrays.

        Args:
            blocks: for each array, which of those inputs are in it.
        """
        raise NotImplementedError

    def in_blocks(self, blocks: Sequence[Any], rows: Any, mask: Any) -> Outputs:
        """Run it on inputs in several arrays; its sums come in several, too.

        Args:
            blocks: the inputs that are the same for all rows, as :meth:`take_in_blocks` was told.
            rows, mask: as for a call.

        Returns:
            In ``sums`` an array for each of ``summed_together``, in ``out`` one for each of
            ``returned_together``.
        """
        raise NotImplementedError

    def __call__(self, scalars: Any, rows: Any = None, mask: Any = None) -> Outputs:
        """Run it.

        Args:
            scalars: the inputs that are the same for all rows, shape (n_scalars,).
            rows: the other inputs, shape (n_row_inputs, n).
            mask: which rows count in sums, shape (n,); None for all of them.
        """
        found = self.in_blocks([scalars], rows, mask)
        return Outputs(_joined(found.sums, self.summed_together, 1),
                       self.joined_out(found.out, 1 if rows is None else rows.shape[1]), found.ok)

    def joined_out(self, out: Sequence[Any], n: int) -> Any:
        """The outputs of :meth:`in_blocks` that are not summed, as one array."""
        return _joined(out, self.returned_together, n)


class Steps(Lowering):
    """An array program as a pure function of JAX arrays.

    Args:
        program: the array program.
        is_row: for each input whether it differs by row.
        is_sum: for each output whether it is summed over the rows.
        by_rows: whether there are rows at all.
        emitters: the operations, by the names of the primitives of a fixed arity.
        reducers: those of any number of operands.
    """

    def __init__(self, program: ArrayProgram, is_row: Sequence[bool], is_sum: Sequence[bool],
                 by_rows: bool, emitters: dict[str, Emit] = EMITTERS,
                 reducers: dict[str, Emit] = REDUCERS) -> None:
        self.program, self.by_rows = program, by_rows
        self.emitters, self.reducers = emitters, reducers
        self.layout = Layout(program, is_row, is_sum)
        self.constants = np.array(program.constants, dtype=float)
        self.is_row = np.array(is_row, dtype=bool)
        layout = self.layout
        stored = np.flatnonzero(layout.stored[layout.summed])
        self.summed_together = [
            *(stored[places] for places in self._by_step(layout.summed[stored], FEW)),
            *(places.reshape(-1) for places in layout.products.values())]
        self.returned_together = self._by_step(layout.returned)
        self.n_varying = layout.n_varying
        self.take_in_blocks([np.arange(int((~self.is_row).sum()))])

    def take_in_blocks(self, blocks: Sequence[Array]) -> None:
        """See :meth:`Lowering.take_in_blocks`."""
        sizes = [step.size for step in self.program.steps]
        source, local = places_of_inputs(self.is_row, blocks, len(self.constants))
        self._n_blocks = len(blocks)
        first = 2 + len(blocks)
        self.source = np.concatenate([source, np.repeat(np.arange(len(sizes)) + first, sizes)])
        self.local = np.concatenate([local, *map(np.arange, sizes)]).astype(np.int64)

    def _by_step(self, slots: Array, least: int = 1) -> list[Array]:
        """The places of slots in groups: those that one step computes, which come as one array.

        Args:
            slots: any slots.
            least: how large groups must be, one with another; else all are one.
        """
        program = self.program
        sizes = [step.size for step in program.steps]
        step_of = np.concatenate([np.zeros(program.first, dtype=np.int64),
                                  np.repeat(np.arange(len(sizes)) + 1, sizes)])[slots]
        steps = np.unique(step_of)
        if len(steps) > min(MOST_BLOCKS, len(slots) // least):
            return [np.arange(len(slots))]
        return [np.flatnonzero(step_of == step) for step in steps]

    def in_blocks(self, blocks: Sequence[Any], rows: Any, mask: Any) -> Outputs:
        """See :meth:`Lowering.in_blocks`."""
        n = rows.shape[1] if self.by_rows else 1
        reader = Reader(self.source, self.local, [self.constants, rows, *blocks], n)
        products: dict[int, Any] = {}
        for i, (start, step) in enumerate(self.program.placed()):
            if i in self.layout.products:
                products[i] = _product(step, reader, mask)
                reader.arrays.append(None)  # nobody reads it
            else:
                reader.arrays.append(self._computed(step, reader, bool(self.layout.varies[start])))
        out = [whole(reader, self.layout.returned[places], self.by_rows)
               for places in self.returned_together]
        stored = self.summed_together[:len(self.summed_together) - len(products)]
        sums = [added_up(reader, self.layout.summed[places], mask) for places in stored]
        sums += [found.reshape(-1) for found in products.values()]
        return Outputs(sums, out, all_hold(self.program.guards, reader, self.by_rows))

    # --- steps ----------------------------------------------------------------------------------

    def _computed(self, step: Step, reader: Reader, by_rows: bool) -> Any:
        """A step's numbers, shape (size,) or (size, n)."""
        if step.op == "dot":
            found = _dot(step, reader, by_rows)
        elif step.op == "sum" or (step.op == "add" and step.lengths):
            found = _sum(step, reader, by_rows)
        elif step.op in self.reducers:
            found = self.reducers[step.op](_first_axis(step, reader, by_rows))
        else:
            parts = [reader.read(slots.slots(step.shape), by_rows) for slots in step.operands]
            if step.op in ADDITIONS and self._adds_to_sums(step, reader):
                parts = [_apart(part) for part in parts]
            if step.op == "mul" and self._multiplies_powers(step, reader):
                parts[0] = lax.optimization_barrier(parts[0])
            found = self.emitters[step.op](*_alike(parts))
            if step.op == "sub" and self._splits(step, reader):
                found = _high_half(found)
        whole = (*step.shape, reader.n) if by_rows else step.shape
        found = jnp.broadcast_to(found, whole)
        return found.reshape(step.size, *whole[len(step.shape):])


    def _adds_to_sums(self, step: Step, reader: Reader) -> bool:
        """Whether an addition of constants reads another one."""
        read = {int(x) for slots in step.operands for x in
                np.unique(reader.source[slots.slots(step.shape)])}
        first = 2 + self._n_blocks
        return CONSTANTS in read and any(
            x >= first and self.program.steps[x - first].op in (*ADDITIONS, *SIGNS) for x in read)


    def _splits(self, step: Step, reader: Reader) -> bool:
        """Whether a difference is the high half of Veltkamp's splitting, c x - (c x - x)."""
        product, rest = self._source(step, 0, reader), self._source(step, 1, reader)
        if product is None or rest is None or product.op != "mul" or rest.op != "sub":
            return False
        return self._source(rest, 0, reader) is product and any(
            not reader.source[slots.slots(product.shape)].any()
            and _is_splitter(reader.read(slots.slots(product.shape), False))
            for slots in product.operands)

    def _multiplies_powers(self, step: Step, reader: Reader) -> bool:
        """Whether a step is exp(a) * exp(b), which XLA would take for exp(a + b).

        That loses as many digits as a and b have before the point.
        """
        return all((source := self._source(step, place, reader)) is not None
                   and source.op == "exp" for place in range(2))

    def _source(self, step: Step, place: int, reader: Reader) -> Step | None:
        """The step that computes an operand of another one; None where it is not one alone."""
        found = np.unique(reader.source[step.operands[place].slots(step.shape)])
        first = 2 + self._n_blocks
        is_step = len(found) == 1 and found[0] >= first
        return self.program.steps[int(found[0]) - first] if is_step else None


def places_of_inputs(is_row: Array, blocks: Sequence[Array], n_constants: int) -> tuple[Array,
                                                                                        Array]:
    """In which array inputs and constants stand, and where: constants, rows, then the blocks."""
    source = np.ones(len(is_row) + n_constants, dtype=np.int64)
    local = np.concatenate([np.cumsum(is_row) - 1, np.arange(n_constants)]).astype(np.int64)
    source[len(is_row):] = 0
    shared = np.flatnonzero(~is_row)
    for i, block in enumerate(blocks, 2):
        source[shared[block]], local[shared[block]] = i, np.arange(len(block))
    return source, local


def all_hold(guards: Sequence[Guard], reader: Reader, by_rows: bool) -> Any:
    """Whether all guards hold, for each row if there are rows."""
    groups: dict[tuple[str, bool], list[tuple[int, int]]] = {}
    for guard in guards:
        groups.setdefault((guard.relation, guard.outcome), []).append((guard.left, guard.right))
    ok = jnp.ones((reader.n,) if by_rows else (), dtype=bool)
    for (relation, outcome), pairs in groups.items():
        for left, right in _sides(reader, np.array(pairs)):
            holds = RELATIONS[relation](jnp.asarray(reader.read(left, by_rows)),
                                        jnp.asarray(reader.read(right, by_rows)))
            ok &= jnp.all(jnp.equal(holds, outcome), axis=0)
    return ok


def _sides(reader: Reader, pairs: Array) -> list[tuple[Array, Array]]:
    """Pairs of slots in groups that are compared as arrays; both sides of each group."""
    of = reader.source[pairs]
    kinds = np.unique(of, axis=0)
    if len(kinds) > MOST_BLOCKS:
        return [(pairs[:, 0], pairs[:, 1])]
    groups = [pairs[(of == kind).all(axis=1)] for kind in kinds]
    return [(group[:, 0], group[:, 1]) for group in groups]


def _joined(parts: Sequence[Any], together: Sequence[Array], n: int) -> Any:
    """Several arrays as one, each number at its place."""
    if not parts:
        return jnp.zeros(0)
    count = sum(map(len, together))
    source, local = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for i, places in enumerate(together):
        source[places], local[places] = i, np.arange(len(places))
    return whole(Reader(source, local, [*parts], n), np.arange(count), parts[0].ndim == 2)


def added_up(reader: Reader, slots: Array, mask: Any) -> Any:
    found = whole(reader, slots, True)
    return jnp.sum(found if mask is None else jnp.where(mask, found, 0.0), axis=1)


def whole(reader: Reader, slots: Array, by_rows: bool) -> Any:
    """Slots in one row, all of their shape: (size,) or (size, n)."""
    shape = (len(slots), reader.n) if by_rows else (len(slots),)
    return jnp.broadcast_to(jnp.asarray(reader.read(slots, by_rows)), shape)


def _alike(parts: Sequence[Any]) -> Sequence[Any]:
    if len({np.shape(part) for part in parts}) > 1:
        return list(jnp.broadcast_arrays(*parts))
    return [jnp.asarray(part) for part in parts]


def _first_axis(step: Step, reader: Reader, by_rows: bool) -> Any:
    """All operands of a step, along a first axis."""
    axis = len(step.shape)
    tail = (reader.n,) if by_rows else ()
    parts = [jnp.broadcast_to(reader.read(slots.slots(step.operand_shape(i)), by_rows),
                              (*step.operand_shape(i), *tail))
             for i, slots in enumerate(step.operands)]
    return jnp.moveaxis(jnp.concatenate(parts, axis), axis, 0)


def _sum(step: Step, reader: Reader, by_rows: bool) -> Any:
    axis = len(step.shape)
    total: Any = 0.0
    for i, operand in enumerate(step.operands):
        slots = operand.slots(step.operand_shape(i))
        if _is_loose(reader, slots):
            for k in range(slots.shape[axis]):
                total = total + _apart(reader.read(slots[..., k], by_rows))
        else:
            found = _apart(reader.read(slots, by_rows))
            whole = jnp.sum(found, axis=axis)
            total = total + (whole if found.shape[axis] == slots.shape[axis] else
                             slots.shape[axis] * whole)
    return jnp.asarray(total)


def _is_loose(reader: Reader, slots: Array) -> bool:
    count = slots.shape[-1]
    return count <= FEW or (count <= LOOSE
                            and len(np.unique(reader.source[slots])) > 1)


def _dot(step: Step, reader: Reader, by_rows: bool) -> Any:
    """Sums of products; matrix products where each side has an axis that the other has not."""
    total: Any = 0.0
    for i, (a, b) in enumerate(zip(step.operands[::2], step.operands[1::2], strict=True)):
        shape = step.operand_shape(2 * i)
        left, right = a.slots(shape), b.slots(shape)
        if _is_loose(reader, left) or _is_loose(reader, right):
            for k in range(shape[-1]):
                total = total + (reader.read(left[..., k], by_rows)
                                 * reader.read(right[..., k], by_rows))
        else:
            total = total + _contracted(reader.read(left, by_rows), reader.read(right, by_rows),
                                        len(step.shape), shape[-1])
    return jnp.asarray(total)


def _contracted(left: Any, right: Any, axis: int, count: int) -> Any:
    """The products of two arrays, summed along an axis, on which one of them may have size 1."""
    letters = string.ascii_letters[:left.ndim]
    mine, other = ({name for name, size in zip(letters, x.shape, strict=True) if size > 1}
                   for x in (left, right))
    summed = letters[axis]
    if summed not in mine | other:
        return jnp.squeeze(left * right, axis) * count
    if not (mine - other and other - mine) and (mine & other) - {summed}:
        return jnp.sum(left * right, axis=axis)
    if summed not in mine & other:
        return jnp.sum(left, axis=axis) * jnp.sum(right, axis=axis)
    shared = [name for name in letters if name in mine | other and name != summed]
    spec = "".join(name for name in letters if name in mine), "".join(
        name for name in letters if name in other)
    found = jnp.einsum(f"{spec[0]},{spec[1]}->{''.join(shared)}",
                       left.reshape([s for s in left.shape if s > 1]),
                       right.reshape([s for s in right.shape if s > 1]), precision="highest")
    sizes = [max(a, b) for k, (a, b) in enumerate(zip(left.shape, right.shape, strict=True))
             if k != axis]
    return found.reshape(sizes)


def _product(step: Step, reader: Reader, mask: Any) -> Any:
    """The products of each pair of two lists of numbers, summed over the rows."""
    sides = [reader.read(slots.slots(step.shape), True) for slots in step.operands]
    if isinstance(step.operands[0], Affine) and step.operands[0].strides[0] == 0:
        sides.reverse()  # the one that changes along the rows of the result comes first
    a, b = sides[0][:, 0], sides[1][0]
    a, b = (jnp.broadcast_to(x, (len(x), reader.n)) for x in (a, b))
    if mask is not None:
        a, b = jnp.where(mask, a, 0.0), jnp.where(mask, b, 0.0)
    return jnp.einsum("in,jn->ij", a, b, precision="highest")
