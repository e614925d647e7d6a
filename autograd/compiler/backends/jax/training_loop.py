"""Many steps of gradient descent in one call of a JAX function.

The loop over the batches runs on the device: the loss of a batch with its gradient, and the rule
that moves the parameters, on all of them at once. It stops before the first step that fails.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from autograd.compiler.backends.interface import InMemory
from autograd.compiler.backends.jax.devices import double_precision, refuse_single_precision
from autograd.compiler.backends.jax.kernel import lowered
from autograd.compiler.backends.jax.lowering import elementwise, refuse_unknown
from autograd.compiler.backends.jax.mesh import Spread, checked
from autograd.compiler.backends.training_steps import (
    DONE,
    GRADIENT_NOT_FINITE,
    LOSS_NOT_FINITE,
    OTHER_BRANCH,
    Steps,
)
from autograd.compiler.program.program import Program
from autograd.core.typing import Array


class _Batches(NamedTuple):
    """What is handed to the loop; only the first ``n`` of the steps are taken.

    Attributes:
        rows: the rows of each batch, shape (steps, inputs, rows), or where every batch is all
            rows (inputs, rows).
        data, order: in place of rows, all rows, shape (rows, inputs), and which of them each
            batch has, shape (steps, rows).
        counts: how many rows of each batch count; None if all do.
        shared: for each step 1 over the number of its rows, and the scalars of the rule.
    """

    n: Any
    rows: Any
    data: Any
    order: Any
    counts: Any
    shared: Any


class _State(NamedTuple):
    """Where the loop is: the step, the parameters with their memories, what was found so far.

    A step that fails is not counted, but it has moved the parameters: to keep the old ones would
    take a choice for each of them in each step.
    """

    step: Any
    status: Any
    numbers: list[Any]
    memories: list[list[Any]]
    objectives: Any
    answers: Any


class Descent(InMemory):
    """Steps of gradient descent, compiled by XLA.

    Args:
        loss, n_row_inputs, rule, n_memories, numbers, memories: as for the ``Descent`` of the
            back end llvm.
        mesh: the devices over which the rows of each batch are spread; None for one device.

    Attributes:
        numbers: the parameters that were reached, shape (n,).
        memories: what is remembered of them, shape (n_memories, n).
        n_extra: how many numbers the loss's program gives for each row beside its sums.

    Raises:
        Unsupported: for operations that JAX has not, and programs of too many steps.
        TypeError, ValueError: for a mesh without an axis for rows, and for devices without
            double precision.
    """

    def __init__(self, loss: Program, n_row_inputs: int, rule: Program, n_memories: int,
                 numbers: Array, memories: Array, mesh: Any = None) -> None:
        refuse_unknown((*loss.ops, *rule.ops))
        refuse_single_precision()
        checked_mesh = checked(mesh)
        self._spread = None if checked_mesh is None else Spread(checked_mesh)
        n = len(numbers)
        self.n_extra = len(loss.outputs) - 1 - n
        flags = (True,) * n_row_inputs + (False,) * n
        self._loss = lowered(loss, flags, (True,) * (1 + n) + (False,) * self.n_extra)
        self._rule = rule
        # The parameters in the arrays in which their gradients come; the loss is the first sum.
        self._blocks = [places[places > 0] - 1 for places in self._loss.summed_together]
        self._loss.take_in_blocks(self._blocks)
        self._run = jax.jit(self._descend, static_argnums=3, out_shardings=(
            None if self._spread is None else self._spread.everywhere))
        self._slopes = jax.jit(self._first_slopes, out_shardings=(
            None if self._spread is None else self._spread.everywhere))
        self._capacity: dict[Any, int] = {}
        self._latest: _Batches | None = None
        self._reached = 0
        self._data: tuple[Any, Any] = None, None
        self.restore(numbers, memories)

    def restore(self, numbers: Array, memories: Any) -> None:
        """Go on from other parameters, and from what is remembered of them."""
        self.numbers = np.array(numbers, dtype=float)
        self.memories = np.array([*memories], dtype=float).reshape(-1, len(self.numbers))

    def forget_rows(self) -> None:
        """Free what the device holds of the rows."""
        self._data, self._latest = (None, None), None

    @property
    def slopes(self) -> Array:
        """The sums of the step that failed, shape (n,)."""
        with double_precision():
            found = self._slopes(self._reached, self._in_blocks(self.numbers), self._latest)
            return self._of_blocks(found)

    def run(self, data: Array, order: Array | None, counts: Array, shared: Array,
            l2: float) -> Steps:
        """Take one step for each batch, or fewer: up to the first that fails.

        Args:
            data, order, counts, shared, l2: as for the ``Descent`` of the back end llvm.
        """
        if not len(counts):
            return Steps(0, DONE, np.empty(0), np.empty((self.n_extra, 0)))
        with double_precision():
            batches = self._batches(data, order, counts, shared)
            memories = [self._in_blocks(memory) for memory in self.memories]
            found = self._run(batches, self._in_blocks(self.numbers), memories, float(l2))
            self._latest, self._reached = batches, int(found.step)
            objectives, answers, status = found.objectives, found.answers, int(found.status)
            if status != DONE:  # the step that failed has moved the parameters: up to it again
                before = batches._replace(n=self._reached)
                found = self._run(before, self._in_blocks(self.numbers), memories, float(l2))
            self.restore(self._of_blocks(found.numbers),
                         [self._of_blocks(memory) for memory in found.memories])
            answers, objectives = np.asarray(answers), np.asarray(objectives)
        return Steps(self._reached, status, objectives[:len(counts)], _side_by_side(answers, counts))

    def _in_blocks(self, numbers: Array) -> list[Any]:
        return [self._everywhere(numbers[block]) for block in self._blocks]

    def _of_blocks(self, found: list[Any]) -> Array:
        numbers = np.empty(sum(map(len, self._blocks)))
        for block, part in zip(self._blocks, found, strict=True):
            numbers[block] = np.asarray(part)
        return numbers

    # --- what is handed over ----------------------------------------------------------------------

    def _batches(self, data: Array, order: Array | None, counts: Array, shared: Array) -> _Batches:
        n, size = len(counts), int(counts.max())
        # The same arrays for fewer steps, lest XLA compiles for each number of them.
        capacity = max(n, self._capacity.get((order is None, size), 0))
        self._capacity[order is None, size] = capacity
        scalars = np.zeros((capacity, shared.shape[1]))
        scalars[:n] = shared
        if order is None:
            return _Batches(n, self._rows(data, 1), None, None, None, self._everywhere(scalars))
        table = np.zeros((capacity, size), dtype=np.int32)
        kept = np.arange(size) < np.concatenate([counts, np.zeros(capacity - n, int)])[:, None]
        table[kept] = order
        table[:n] = np.where(kept[:n], table[:n], table[:n, :1])  # a row that is there anyway
        padded = None
        if (counts != size).any():
            padded = self._everywhere(np.pad(counts, (0, capacity - n)))
        if self._spread is None:
            return _Batches(n, None, self._by_row(data), table, padded, scalars)
        rows = self._rows(data[:, table].transpose(1, 0, 2), 2)
        return _Batches(n, rows, None, None, padded, self._everywhere(scalars))

    def _by_row(self, data: Array) -> Any:
        """All rows on the device, one after the other; moved there once."""
        if self._data[0] is not data:
            self._data = data, jnp.asarray(np.ascontiguousarray(data.T))
        return self._data[1]

    def _rows(self, array: Array, axis: int) -> Any:
        return array if self._spread is None else self._spread.rows(array, axis)

    def _everywhere(self, array: Array) -> Any:
        return array if self._spread is None else self._spread.whole(array)

    # --- in JAX -----------------------------------------------------------------------------------

    def _descend(self, batches: _Batches, numbers: list[Any], memories: list[list[Any]],
                 l2: float) -> _State:
        steps = batches.shared.shape[0]
        size = (batches.rows if batches.order is None else batches.order).shape[-1]
        start = _State(jnp.int32(0), jnp.int32(DONE), numbers, memories,
                       jnp.zeros(steps), jnp.zeros((steps, self.n_extra, size)))

        def goes_on(state: _State) -> Any:
            return (state.step < batches.n) & (state.status == DONE)

        found: _State = lax.while_loop(
            goes_on, lambda state: self._step(batches, state, l2),
            jax.tree.map(jnp.asarray, start))
        return found

    def _step(self, batches: _Batches, state: _State, l2: float) -> _State:
        found = self._at(batches, state.step, state.numbers)
        shared = batches.shared[state.step]
        objective, is_finite = found.total * shared[0], jnp.array(True)
        moved = []
        for slopes, number, *memory in zip(found.slopes, state.numbers, *state.memories,
                                           strict=True):
            *following, square, zero = elementwise(self._rule, [slopes, number, *memory, *shared])
            moved.append(following)
            # No sum: XLA adds in several rounds, but asks for all in one with what it asks about.
            is_finite &= jnp.all(zero == 0.0)
            if l2:
                objective += l2 * jnp.sum(square)
        status = jnp.where(
            ~found.holds, OTHER_BRANCH, jnp.where(
                ~jnp.isfinite(objective), LOSS_NOT_FINITE, jnp.where(
                    is_finite, DONE, GRADIENT_NOT_FINITE))).astype(jnp.int32)
        numbers, *memories = map(list, zip(*moved, strict=True))
        return _State(state.step + (status == DONE), status, numbers, memories,
                      state.objectives.at[state.step].set(objective),
                      state.answers.at[state.step].set(found.out))

    def _at(self, batches: _Batches, step: Any, numbers: list[Any]) -> _Found:
        """The loss, the gradient and the answers of a batch."""
        if batches.order is not None:
            rows = jnp.take(batches.data, batches.order[step], axis=0, mode="clip").T
        elif batches.rows.ndim == 2:
            rows = batches.rows
        else:
            rows = batches.rows[step]
        mask = None
        if batches.counts is not None:
            mask = jnp.arange(rows.shape[1]) < batches.counts[step]
        found = self._loss.in_blocks(numbers, jnp.asarray(rows), mask)
        together = self._loss.summed_together
        total = sum(part[0] for part, places in zip(found.sums, together, strict=True)
                    if places[0] == 0)
        slopes = [part[int(places[0] == 0):] for part, places in
                  zip(found.sums, together, strict=True)]
        return _Found(total, slopes, self._loss.joined_out(found.out, rows.shape[1]),
                      jnp.all(found.ok))

    def _first_slopes(self, step: Any, numbers: list[Any], batches: _Batches) -> list[Any]:
        return self._at(batches, step, numbers).slopes


def _side_by_side(answers: Array, counts: Array) -> Array:
    """The answers of batches, shape (steps, n_extra, rows), as one table without the padding."""
    n, size = len(counts), answers.shape[2]
    if (counts == size).all():
        return answers[:n].transpose(1, 0, 2).reshape(answers.shape[1], n * size)
    kept = [answers[i, :, :count] for i, count in enumerate(counts.tolist())]
    return np.concatenate(kept, axis=1)


class _Found(NamedTuple):
    total: Any
    slopes: list[Any]
    out: Any
    holds: Any
