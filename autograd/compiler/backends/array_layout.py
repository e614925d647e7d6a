"""Where the numbers of an array program stand when it is run on many rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograd.compiler.program.array_program import Affine, ArrayProgram, Slots, Step
from autograd.core.typing import Array


class Layout:
    """What is the same for all rows stands in one vector, what differs by row in a table.

    In each, the inputs come first, in their order. Products of two numbers of which only the sum
    over the rows is wanted (the gradients of weights) are not stored at all.

    Args:
        program: the array program.
        is_row: for each input whether it differs by row.
        is_sum: for each output whether it is summed over the rows.

    Attributes:
        summed, returned: the slots of the outputs that are summed, and of the others.
        varies: for each slot whether it differs by row.
        stored: for each slot whether it stands anywhere.
        offset: for each slot its place in the vector, or its line in the table.
        n_shared, n_varying: how long these are.
        products: the steps that are not stored, with the places of their results among the sums.
    """

    def __init__(self, program: ArrayProgram, is_row: Sequence[bool],
                 is_sum: Sequence[bool]) -> None:
        self.program = program
        flags = np.array(is_sum, dtype=bool)
        self.n_sums, self.n_out = int(flags.sum()), int((~flags).sum())
        outputs = np.array(program.outputs, dtype=np.int64).reshape(-1)
        self.summed, self.returned = outputs[flags], outputs[~flags]
        n_slots = program.n_slots
        self.varies = np.zeros(n_slots, dtype=bool)
        self.varies[:program.n_inputs] = is_row
        self._mark_varying()
        self.products = self._summed_products()
        stored = np.ones(n_slots, dtype=bool)
        for place, (start, step) in enumerate(program.placed()):
            if place in self.products:
                stored[start:start + step.size] = False
        self.offset = np.where(self.varies, np.cumsum(self.varies & stored),
                               np.cumsum(~self.varies)) - 1
        self.stored = stored
        self.n_shared, self.n_varying = int((~self.varies).sum()), int((self.varies & stored).sum())

    def _mark_varying(self) -> None:
        program = self.program
        for start, step in program.placed():
            for i, slots in enumerate(step.operands):
                if self.varies[_some(slots, step.operand_shape(i))].any():
                    self.varies[start:start + step.size] = True

    def _summed_products(self) -> dict[int, Array]:
        """The steps of which only sums over the rows are wanted, each with their places there."""
        program = self.program
        n_slots = len(self.varies)
        read = np.zeros(n_slots, dtype=bool)
        for step in program.steps:
            for i, slots in enumerate(step.operands):
                read[_some(slots, step.operand_shape(i))] = True
        read[self.returned] = True
        for guard in program.guards:
            read[[guard.left, guard.right]] = True
        times = np.bincount(self.summed, minlength=n_slots)
        place = np.full(n_slots, -1, dtype=np.int64)
        place[self.summed] = np.arange(len(self.summed))
        found: dict[int, Array] = {}
        for i, (start, step) in enumerate(program.placed()):
            mine = slice(start, start + step.size)
            if (step.op == "mul" and len(step.shape) == 2 and self.varies[start]
                    and not read[mine].any() and (times[mine] == 1).all()
                    and _is_outer(step)):
                found[i] = place[mine].reshape(step.shape)
        return found


def _some(slots: Slots, shape: tuple[int, ...]) -> Array:
    return slots.slots(shape).reshape(-1)


def _is_outer(step: Step) -> bool:
    """Whether one factor changes along the rows of the result alone, the other along columns."""
    a, b = step.operands
    return (isinstance(a, Affine) and isinstance(b, Affine)
            and (a.strides[1] == b.strides[0] == 0 or a.strides[0] == b.strides[1] == 0))
