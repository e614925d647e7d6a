"""Training at machine speed: the loss of one row and its gradient recorded once, run over batches.

The recorded program is the graph that the eager engine would build; only the order of summation
over rows differs. The optimizer's rule is recorded, too, and with llvmlite many steps are one call
of machine code; without it the steps are NumPy's. What a recording could not repeat (a model that
draws random numbers, a loss of all answers at once) is left to the eager engine.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from autograd.compiler.backends import choice as backends
from autograd.compiler.backends.interface import Unsupported
from autograd.compiler.backends.llvm.training_loop import (
    GRADIENT_NOT_FINITE,
    LOSS_NOT_FINITE,
    OTHER_BRANCH,
    Descent,
    Steps,
)
from autograd.compiler.compiled import Compiled
from autograd.compiler.program.passes import simplified, with_inputs
from autograd.compiler.program.program import Program
from autograd.compiler.trace.graph_to_program import graph_to_program
from autograd.compiler.trace.tracer import RecordingError
from autograd.core.backward import adjoints
from autograd.core.primitives import DOMAIN_ERRORS
from autograd.core.typing import Array
from autograd.core.value import Value, describe, recording
from nn.losses import Loss, cross_entropy
from nn.module import Module
from nn.optimizers import SGD, Adam, Optimizer, write_all

Rows = Sequence[Sequence[float]]
Batches = Sequence[Sequence[int]]

REGISTERS = 4  # of rows at once in loops: 32 rows, the usual batch, on a processor with AVX-512
WORK = 500_000_000  # instructions on rows in one call: some 50 ms, after which Ctrl-C is heard


class OtherBranchError(Exception):
    """A row takes a branch that was not recorded: the eager engine has to go on."""


@dataclass(frozen=True)
class Epochs:
    """Some epochs that were done.

    Attributes:
        losses: of each epoch the mean of what was minimized.
        rates: the learning rate at its beginning.
        answers: of the model, in the order in which the rows were visited, all epochs in a row.
        order: the rows, in that order.
    """

    losses: list[float]
    rates: list[float]
    answers: Array
    order: Array


def compile_training(model: Module, loss: Loss, optimizer: Optimizer, rows: Rows,
                     targets: Sequence[Any], l2: float) -> Training | None:
    """The training as compiled steps; None where the eager engine has to do it.

    Args:
        model, loss, optimizer, l2: as fit takes them.
        rows, targets: plain numbers that were checked.
    """
    if type(loss) is not Loss or type(optimizer) not in (SGD, Adam):
        return None
    if loss is cross_entropy:  # one program for all classes
        with_classes = len(_flat(model(list(rows[0]))))
        targets = np.eye(with_classes)[list(targets)].tolist()
    drawn = random.getstate(), np.random.get_state()
    try:
        row = RowLoss(model, loss, optimizer, rows[0], targets[0])
    except (RecordingError, TypeError, *DOMAIN_ERRORS):
        random.setstate(drawn[0])  # the eager engine does it, or says what is wrong; from the
        np.random.set_state(drawn[1])  # same random numbers on as if nothing had been tried
        return None
    data = np.array([[*given, *_flat(target)] for given, target in zip(rows, targets, strict=True)])
    kind = MachineTraining if backends.default(True) == "llvm" else ArrayTraining
    try:
        return kind(row, optimizer, data, l2)
    except Unsupported:  # an activation of the user's own has no machine code
        return ArrayTraining(row, optimizer, data, l2)


class RowLoss:
    """The program of one row: its loss, the gradient, the answers.

    Attributes:
        program: its inputs are the row, its target, other Values that the model holds, and the
            parameters; its outputs the loss, one derivative for each parameter, the answers.
        others: the numbers of those other Values.
        n_row_inputs: how many inputs are no parameters.
        several: whether the model gives a list of answers.
    """

    def __init__(self, model: Module, loss: Loss, optimizer: Optimizer, row: Sequence[float],
                 target: Any) -> None:
        parameters = optimizer.parameters

        def one_row(given: Any, wanted: Any) -> Any:
            answer = model(given)
            objective = loss.row(answer, wanted)
            return _as_values([objective, adjoints(objective, parameters), answer])

        self.compiled = Compiled(one_row, None, 1)
        found = self.compiled.recorded(None, (list(row), target), {})
        self.several = isinstance(found.results.skeleton[2], list)
        trained = set(parameters)
        captured = [leaf for leaf in found.captured if leaf not in trained]
        self.others = [leaf.data for leaf in captured]
        n_given = found.program.n_inputs - len(found.captured)
        self.n_row_inputs = n_given + len(captured)
        place = {leaf: n_given + i for i, leaf in enumerate([*captured, *parameters])}
        self.program = with_inputs(
            found.program, [*range(n_given), *(place[x] for x in found.captured)],
            self.n_row_inputs + len(parameters))

    def is_unchanged(self) -> bool:
        """Whether the model still is what was recorded, but for the parameters' numbers."""
        return self.compiled.is_unchanged(None)


class Training:
    """Epochs of compiled steps; the model's parameters stay as they are until :meth:`write`."""

    def __init__(self, row: RowLoss, optimizer: Optimizer, data: Array, l2: float) -> None:
        self.row, self.optimizer, self.l2 = row, optimizer, l2
        others = np.repeat([row.others], len(data), axis=0)
        self.data = np.hstack([data, others]).T
        self.numbers = np.array([p.data for p in optimizer.parameters])

    is_left = False  # for the eager engine

    def leave(self) -> None:
        """Hand what was reached to the eager engine, which goes on from there."""
        self.write()
        self.is_left = True

    def epochs_at_once(self) -> int:
        """How many epochs may be handed to one call of :meth:`run`."""
        return 1

    def run(self, epochs: Sequence[Batches], done: list[Epochs]) -> None:
        """Visit all batches of some epochs, one step of the optimizer for each.

        Args:
            epochs: for each epoch the indices of the rows of each batch.
            done: the epochs that were finished are appended, also before an error.

        Raises:
            FloatingPointError: when the loss or a gradient is not finite; the steps before stay.
            OtherBranchError: when the recording does not hold; the epochs before stay.
        """
        if not self.row.is_unchanged():
            raise OtherBranchError
        self._run(epochs, done)

    def _run(self, epochs: Sequence[Batches], done: list[Epochs]) -> None:
        raise NotImplementedError

    def write(self) -> None:
        """Set the model's parameters to what was reached."""
        write_all(self.optimizer.parameters, self.numbers.tolist())

    def _answers(self, columns: Array) -> Array:
        answers: Array = columns.T if self.row.several else columns[0]
        return answers


class ArrayTraining(Training):
    """One batch after the other, by whatever back end is there; the optimizer's steps in NumPy."""

    def __init__(self, row: RowLoss, optimizer: Optimizer, data: Array, l2: float) -> None:
        super().__init__(row, optimizer, data, l2)
        self.data = np.ascontiguousarray(self.data)
        n = len(optimizer.parameters)
        extra = len(row.program.outputs) - 1 - n
        self.kernel = backends.compile(
            row.program, (True,) * row.n_row_inputs + (False,) * n,
            (True,) * (1 + n) + (False,) * extra)

    def _run(self, epochs: Sequence[Batches], done: list[Epochs]) -> None:
        for batches in epochs:
            rate = self.optimizer.learning_rate
            before = (self.numbers, self.optimizer.state_dict())
            total, answers = 0.0, []
            try:
                for batch in batches:
                    mean, found = self._step(batch)
                    total += mean * len(batch)
                    answers.append(found)
            except OtherBranchError:  # the eager engine begins the epoch anew
                self.numbers = before[0]
                self.optimizer.load_state_dict(before[1])
                raise
            order = np.concatenate([np.asarray(batch) for batch in batches])
            done.append(Epochs([total / len(order)], [rate], np.concatenate(answers), order))

    def _step(self, batch: Sequence[int]) -> tuple[float, Array]:
        numbers = self.numbers
        sums, out, holds = self.kernel(numbers, self.data[:, batch])
        if not holds.all():
            raise OtherBranchError
        with np.errstate(all="ignore"):  # what is not finite is told below
            mean = sums[0] / len(batch) + self.l2 * float(numbers @ numbers)
            slopes = sums[1:] / len(batch) + 2.0 * self.l2 * numbers
        if not math.isfinite(mean):
            raise FloatingPointError(f"the loss is {mean}; try a smaller learning rate")
        self.numbers = self.optimizer.moved(numbers, slopes)
        return float(mean), self._answers(out)


class MachineTraining(Training):
    """Many epochs in one call: the loss, the gradient and the optimizer's rule as machine code."""

    def __init__(self, row: RowLoss, optimizer: Optimizer, data: Array, l2: float) -> None:
        super().__init__(row, optimizer, data, l2)
        memory = optimizer.memory()
        self.names = list(memory)
        self.descent = Descent(
            row.program, row.n_row_inputs, rule_program(optimizer, l2), len(memory), self.numbers,
            np.array(list(memory.values())).reshape(len(memory), len(self.numbers)), REGISTERS)

    def epochs_at_once(self) -> int:
        """So many that a call takes some 50 ms and its answers some megabytes."""
        n = int(self.data.shape[1])
        work = n * (len(self.row.program) + 1)
        return max(1, min(WORK // work, 1_000_000 // (n * (1 + self.descent.n_extra)), 1000))

    def _run(self, epochs: Sequence[Batches], done: list[Epochs]) -> None:
        plan = _Plan(epochs, self.data.shape[1])
        shared, failure = self._shared(plan)
        steps = self._steps(plan, shared)
        if steps.status == OTHER_BRANCH:  # the eager engine begins that epoch anew
            self.descent.restore(self.numbers, [*self.optimizer.memory().values()])
            whole = plan.steps_of_whole_epochs(steps.reached)
            steps = replace(self._steps(plan, shared[:whole]), status=OTHER_BRANCH)
        self._take_over(steps.reached)
        done += self._epochs(plan, steps, [rate for _, rate, *_ in shared])
        self._refuse(steps)
        if failure is not None:
            raise failure

    def _steps(self, plan: _Plan, shared: list[tuple[float, ...]]) -> Steps:
        count = len(shared)
        return self.descent.run(self.data, None if plan.is_whole else plan.order,
                                plan.counts[:count], np.array(shared), self.l2)

    def _shared(self, plan: _Plan) -> tuple[list[tuple[float, ...]], Exception | None]:
        """For each step the numbers that the rule takes: a row's share, the rate, others.

        A schedule that fails in a later step does so after the steps before.
        """
        shared: list[tuple[float, ...]] = []
        scalars = self.optimizer.scalars
        try:
            for step, count in enumerate(plan.counts.tolist(), self.optimizer.steps):
                shared.append((1.0 / count, *scalars(step)))
        except Exception as error:
            if not shared:
                raise
            return shared, error
        return shared, None

    def _take_over(self, steps: int) -> None:
        self.numbers = self.descent.numbers
        self.optimizer.advance(steps, dict(zip(self.names, self.descent.memories, strict=True)))

    def _epochs(self, plan: _Plan, steps: Steps, rates: list[float]) -> list[Epochs]:
        """The epochs that were finished."""
        whole = plan.steps_of_whole_epochs(steps.reached)
        if not whole:
            return []
        firsts = plan.firsts[:int(np.searchsorted(plan.firsts, whole))]
        n = self.data.shape[1]
        totals = np.add.reduceat(steps.objectives[:whole] * plan.counts[:whole], firsts)
        visited = len(firsts) * n
        return [Epochs((totals / n).tolist(), [rates[first] for first in firsts],
                       self._answers(steps.out[:, :visited]), plan.order[:visited])]

    def _refuse(self, steps: Steps) -> None:
        """Say why the steps stopped, if they did."""
        if steps.status == OTHER_BRANCH:
            raise OtherBranchError
        if steps.status == LOSS_NOT_FINITE:
            raise FloatingPointError(f"the loss is {steps.objectives[steps.reached]}; try a "
                                     "smaller learning rate")
        if steps.status == GRADIENT_NOT_FINITE:
            slopes = self.descent.slopes
            first = int(np.argmin(np.isfinite(slopes)))
            raise FloatingPointError(
                f"the gradient of {describe(self.optimizer.parameters[first])} is "
                f"{slopes[first]}; try a smaller learning rate")


class _Plan:
    """The batches of some epochs in one row.

    Attributes:
        counts: how many rows each batch has.
        order: the rows, one batch after the other.
        is_whole: whether every batch is all rows in their own order.
        firsts: the first step of each epoch.
    """

    def __init__(self, epochs: Sequence[Batches], n_rows: int) -> None:
        sizes = [len(batches) for batches in epochs]
        self.firsts = np.cumsum([0, *sizes[:-1]])
        self._ends = np.cumsum(sizes)
        self.counts = np.array([len(batch) for batches in epochs for batch in batches])
        self.is_whole = max(sizes) == 1
        if self.is_whole:
            self.order = np.tile(np.arange(n_rows), len(epochs))
        else:
            self.order = np.array(list(chain.from_iterable(chain.from_iterable(epochs))))

    def steps_of_whole_epochs(self, steps: int) -> int:
        """How many of the steps belong to epochs that they finish."""
        finished = int(np.searchsorted(self._ends, steps, side="right"))
        return int(self._ends[finished - 1]) if finished else 0


def rule_program(optimizer: Optimizer, l2: float) -> Program:
    """The optimizer's rule for one parameter, as ``Descent`` takes it."""
    memory = {name: Value(0.5) for name in optimizer.memory()}
    shared = [Value(1.0), *(Value(number) for number in optimizer.scalars(optimizer.steps))]
    number, total = Value(0.5), Value(0.5)
    with recording():
        slope = total * shared[0]
        if l2:
            slope = slope + 2.0 * l2 * number
        moved, remembered = optimizer.rule(number, slope, memory, shared[1:])
        outputs = [moved, *remembered.values(), number * number, 0.0 * slope]
    return simplified(graph_to_program(outputs, [total, number, *memory.values(), *shared]))


def _as_values(structure: Any) -> Any:
    """What is constant is an output of the program, too."""
    if isinstance(structure, list | tuple):
        return [_as_values(item) for item in structure]
    return structure if structure.__class__ is Value else Value(structure)


def _flat(target: Any) -> list[Any]:
    return list(target) if isinstance(target, list | tuple) else [target]


