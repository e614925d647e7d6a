"""Training at machine speed: the loss of one row and its gradient recorded once, run over batches.

The recorded program is the graph that the eager engine would build; only the order of summation
over rows differs. The optimizer's rule is recorded, too, and with llvmlite many steps are one call
of machine code; without it the steps are NumPy's. What a recording could not repeat (a model that
draws random numbers, a loss of all answers at once) is left to the eager engine, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, NoReturn

import numpy as np

from autograd.compiler.backends import arrays
from autograd.compiler.backends import choice as backends
from autograd.compiler.backends.interface import Unsupported
from autograd.compiler.backends.llvm.nary_lowering import KNOWN
from autograd.compiler.backends.llvm.training_loop import Descent
from autograd.compiler.backends.training_steps import (
    GRADIENT_NOT_FINITE,
    LOSS_NOT_FINITE,
    OTHER_BRANCH,
    Steps,
)
from autograd.compiler.compiled import Compiled
from autograd.compiler.program.passes import with_inputs
from autograd.compiler.program.program import Program
from autograd.compiler.trace.arguments import signature
from autograd.compiler.trace.inlining import inlined
from autograd.compiler.trace.sameness import are_same
from autograd.compiler.trace.tracer import RecordingError
from autograd.core.backward import adjoints
from autograd.core.typing import Array
from autograd.core.value import Value, assign, describe, no_grad
from nn.kept_training import ClassContents, leave, taken
from nn.layers import MLP, Layer, Neuron
from nn.losses import Loss
from nn.module import Module
from nn.optimizers import Optimizer
from nn.recorded_rule import EagerOnly, RecordedRule, tried

Rows = Sequence[Sequence[float]]
Batches = Sequence[Sequence[int]]

REGISTERS = 4  # of rows at once in loops: 32 rows, the usual batch, on a processor with AVX-512
WORK = 500_000_000  # instructions on rows in one call: some 50 ms, after which Ctrl-C is heard


class OtherBranchError(Exception):
    """What was recorded does not hold any more: the eager engine has to go on."""


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
                     targets: Sequence[Any], l2: float, backend: str | None = None,
                     threads: int | None = None, mesh: Any = None) -> Training:
    """The training as compiled steps; one that the model has kept, where it is for the same.

    Args:
        model, loss, optimizer, l2, backend, threads, mesh: as fit takes them.
        rows, targets: plain numbers that were checked.

    Raises:
        EagerOnly: where the eager engine has to do it; the message says why.
        ImportError: when the back end is not installed.
    """
    kept = taken(model, Training)
    rule = (kept.rule if kept is not None and kept.rule.serves(optimizer, l2)
            else RecordedRule(optimizer, l2))
    row, data = recorded_rows(model, loss, optimizer, rows, targets,
                              None if kept is None else kept.row)
    asked = (backend, threads, mesh, backends.default(True))
    if kept is not None and row is kept.row and rule.program == kept.rule.program and (
            kept.asked == asked):
        kept.begin(rule, data, l2)
        kept.is_kept = True
        return kept
    training = _compiled(row, rule, data, l2, backend, threads, mesh)
    training.asked = asked
    return training


def _compiled(row: RowLoss, rule: RecordedRule, data: Array, l2: float, backend: str | None,
              threads: int | None, mesh: Any) -> Training:
    """What was recorded, by the back end that must do it, or the quickest that can."""
    if backend == "jax":
        try:
            return JaxTraining(row, rule, data, l2, mesh)
        except Unsupported as refusal:
            raise EagerOnly(str(refusal)) from refusal
    if backend == "numpy":
        return ArrayTraining(row, rule, data, l2, 'backend="numpy" was asked for')
    if backends.default(True) != "llvm":
        if backend == "llvm":
            raise ImportError(backends.NO_LLVM)
        return ArrayTraining(row, rule, data, l2, backends.NO_LLVM)
    try:
        return MachineTraining(row, rule, data, l2, threads)
    except Unsupported as refusal:
        return ArrayTraining(row, rule, data, l2, str(refusal))


def recorded_rows(model: Module, loss: Loss, optimizer: Optimizer, rows: Rows,
                  targets: Sequence[Any], kept: RowLoss | None = None) -> tuple[RowLoss, Array]:
    """The loss of one row as a program, and all rows with their targets as it takes them.

    Args:
        model, loss, optimizer, rows, targets: as for :func:`compile_training`.
        kept: an earlier program, to be used again if it is for the same.

    Returns:
        The program, and an array of shape (rows, inputs and targets).

    Raises:
        EagerOnly: where no recording can compute it; the message says why.
    """
    if type(loss).mean is not Loss.mean:
        raise EagerOnly("the loss is a function of all answers at once; write it as nn.Loss(...) "
                        "of one row")
    if type(model).zero_grad is not Module.zero_grad:
        raise EagerOnly(f"{type(model).__name__} overrides zero_grad(), which a compiled training "
                        "does not call")
    with tried("the loss of a row"):
        if loss.one_hot:  # one program for all classes
            with no_grad():
                n_classes = len(_flat(model(list(rows[0]))))
            of_class = np.eye(n_classes).tolist()
            targets = [target if isinstance(target, list) else of_class[target]
                       for target in targets]
        row = (kept if kept is not None and kept.serves(model, loss, optimizer, rows[0],
                                                        targets[0])
               else RowLoss(model, loss, optimizer, rows[0], targets[0]))
        data = np.array([[*given, *_flat(target)]
                         for given, target in zip(rows, targets, strict=True)], dtype=float)
        if data.shape[1] + len(row.others) != row.n_row_inputs:
            raise TypeError(f"a target must be a number or a list of numbers, not {targets[0]!r}")
    return row, data


class RowLoss:
    """The program of one row: its loss, the gradient, the answers.

    Attributes:
        program: its inputs are the row, its target, other Values that the model holds, and the
            parameters; its outputs the loss, one derivative for each parameter, the answers.
        model: whose loss it is.
        n_row_inputs: how many inputs are no parameters.
        several: whether the model gives a list of answers.
    """

    def __init__(self, model: Module, loss: Loss, optimizer: Optimizer, row: Sequence[float],
                 target: Any) -> None:
        parameters = list(optimizer.parameters)
        self.model = model
        self._made_of = (model, _formula(loss), *parameters)
        self._classes = ClassContents((Module, Neuron, Layer, MLP, Loss))
        self._signature = signature((list(row), target), [])

        def one_row(given: Any, wanted: Any) -> Any:
            answer = model(given)
            objective = loss.row(answer, wanted)
            return _as_values([objective, adjoints(objective, parameters), answer])

        self.compiled = Compiled(one_row, None, 1)
        found, _ = self.compiled.recorded(None, (list(row), target), {})
        self.compiled.notes.clear()  # a second copy of a long program, which nobody asks for
        self._places = found.places
        self.several = isinstance(found.results.skeleton[2], list)
        trained = set(parameters)
        self._others = captured = [leaf for leaf in found.captured if leaf not in trained]
        n_given = found.program.n_inputs - len(found.captured)
        self.n_row_inputs = n_given + len(captured)
        place = {leaf: n_given + i for i, leaf in enumerate([*captured, *parameters])}
        self.program = with_inputs(
            found.program, [*range(n_given), *(place[x] for x in found.captured)],
            self.n_row_inputs + len(parameters))

    @property
    def others(self) -> list[float]:
        """The numbers of those other Values, as they are now."""
        return [leaf.data for leaf in self._others]

    def serves(self, model: Module, loss: Loss, optimizer: Optimizer, row: Sequence[float],
               target: Any) -> bool:
        """Whether it would be recorded just so again, but for decisions by numbers."""
        return (are_same((model, _formula(loss), *optimizer.parameters), self._made_of)
                and signature((list(row), target), []) == self._signature
                and self._classes.are_same() and self.compiled.change() is None)

    def refuse(self) -> NoReturn:
        """Say that the recording does not hold for a row."""
        places = f", decided at {', '.join(self._places)}" if self._places else ""
        raise OtherBranchError(f"a row takes another branch than the first row{places}")


class Training:
    """Epochs of compiled steps; the model's parameters stay as they are until :meth:`write`.

    Attributes:
        engine: its name.
        reason: why it is not the quickest engine; empty if it is.
        asked: what fit was asked for, besides, and the quickest back end that was there.
        is_kept: whether an earlier training has left it: its decisions may be those of other
            numbers.
    """

    engine = ""
    reason = ""
    asked: tuple[Any, ...] = ()
    is_kept = False

    def __init__(self, row: RowLoss, rule: RecordedRule, data: Array, l2: float) -> None:
        self.row = row
        self._take(rule, data, l2)

    def begin(self, rule: RecordedRule, data: Array, l2: float) -> None:
        """Begin another training, with the parameters as they are.

        Args:
            rule: has the program of the one before.
            data: the rows with their targets, shape (rows, inputs and targets).
            l2: as for :func:`compile_training`.
        """
        self._take(rule, data, l2)

    def _take(self, rule: RecordedRule, data: Array, l2: float) -> None:
        self.rule, self.l2 = rule, l2
        self.optimizer = optimizer = rule.optimizer
        others = np.repeat([self.row.others], len(data), axis=0)
        self.data = np.hstack([data, others]).T
        self.numbers = np.array([p.data for p in optimizer.parameters])

    def end(self) -> None:
        """Write, and stay in the model for the next training."""
        self.write()
        self.data = np.empty((0, 0))
        leave(self.row.model, self)

    def epochs_at_once(self) -> int:
        """How many epochs may be handed to one call of :meth:`run`."""
        return 1

    def slower(self) -> str:
        """Why the latest epochs were not computed as quickly as they can be; "" if they were."""
        return self.reason

    def run(self, epochs: Sequence[Batches], done: list[Epochs]) -> None:
        """Visit all batches of some epochs, one step of the optimizer for each.

        Args:
            epochs: for each epoch the indices of the rows of each batch.
            done: the epochs that were finished are appended, also before an error.

        Raises:
            FloatingPointError: when the loss or a gradient is not finite; the steps before stay.
            OtherBranchError: when the recording does not hold; the epochs before stay.
        """
        raise NotImplementedError

    def _refuse_changes(self) -> None:
        if (name := self.row.compiled.change() or self.rule.change()) is not None:
            raise OtherBranchError(f"{name} has changed")

    def write(self) -> None:
        """Set the model's parameters to what was reached."""
        assign(self.optimizer.parameters, self.numbers.tolist())

    def _answers(self, columns: Array) -> Array:
        answers: Array = columns.T if self.row.several else columns[0]
        return answers


class ArrayTraining(Training):
    """One batch after the other, by whatever back end is there; the optimizer's steps in NumPy."""

    engine = "numpy"

    def __init__(self, row: RowLoss, rule: RecordedRule, data: Array, l2: float,
                 reason: str) -> None:
        super().__init__(row, rule, data, l2)
        self.reason = reason
        n = len(self.numbers)
        extra = len(row.program.outputs) - 1 - n
        self.kernel = arrays.compile(
            row.program, (True,) * row.n_row_inputs + (False,) * n,
            (True,) * (1 + n) + (False,) * extra, free_sums=True)

    def _take(self, rule: RecordedRule, data: Array, l2: float) -> None:
        super()._take(rule, data, l2)
        self.data = np.ascontiguousarray(self.data)

    def run(self, epochs: Sequence[Batches], done: list[Epochs]) -> None:
        """See :meth:`Training.run`."""
        for batches in epochs:
            self._refuse_changes()
            rate = self._scalars()[0]
            before = self.numbers, self.optimizer.steps, self.optimizer.memory()
            total, answers = 0.0, []
            try:
                for batch in batches:
                    mean, found = self._step(batch)
                    total += mean * len(batch)
                    answers.append(found)
                self._refuse_changes()  # also those that the schedule has made
            except OtherBranchError:  # the eager engine begins the epoch anew
                self.numbers, steps, memory = before
                self.optimizer.advance(steps - self.optimizer.steps, memory)
                raise
            order = np.concatenate([np.asarray(batch) for batch in batches])
            done.append(Epochs([total / len(order)], [rate], np.concatenate(answers), order))

    def _step(self, batch: Sequence[int]) -> tuple[float, Array]:
        numbers = self.numbers
        sums, out, holds = self.kernel(numbers, self.data[:, batch])
        assert out is not None  # for rows there are outputs of each
        if not holds.all():
            self.row.refuse()
        with np.errstate(all="ignore"):  # what is not finite is told below
            mean = sums[0] / len(batch) + self.l2 * float(numbers @ numbers)
            slopes = sums[1:] / len(batch) + 2.0 * self.l2 * numbers
        if not math.isfinite(mean):
            raise FloatingPointError(f"the loss is {mean}; try a smaller learning rate")
        self.numbers = self.optimizer.moved(numbers, slopes, self._scalars())
        return float(mean), self._answers(out)

    def _scalars(self) -> tuple[float, ...]:
        try:
            return self.rule.scalars(self.optimizer.steps)
        except RecordingError as error:
            raise OtherBranchError(str(error)) from error


class LoopTraining(Training):
    """Many epochs in one call: the loss, the gradient and the optimizer's rule in one loop.

    Attributes:
        descent: the loop.
    """

    descent: Any

    def _take(self, rule: RecordedRule, data: Array, l2: float) -> None:
        super()._take(rule, data, l2)
        self.names = list(self.optimizer.memory())

    def begin(self, rule: RecordedRule, data: Array, l2: float) -> None:
        """See :meth:`Training.begin`."""
        super().begin(rule, data, l2)
        self.descent.restore(self.numbers, self._memories())

    def _memories(self) -> Array:
        memory = self.optimizer.memory()
        return np.array(list(memory.values())).reshape(len(memory), len(self.numbers))

    def epochs_at_once(self) -> int:
        """So many that a call takes some 50 ms and its answers some megabytes."""
        n = int(self.data.shape[1])
        work = n * (len(self.row.program) + 1)
        answers: int = n * (1 + self.descent.n_extra)
        return max(1, min(WORK // work, 1_000_000 // answers, 1000))

    def run(self, epochs: Sequence[Batches], done: list[Epochs]) -> None:
        """See :meth:`Training.run`."""
        plan = _Plan(epochs, self.data.shape[1])
        scalars, failure = self._scalars(plan)
        self._refuse_changes()  # also those that the schedule has made
        steps = self._steps(plan, scalars)
        if steps.status == OTHER_BRANCH:  # the eager engine begins that epoch anew
            self.descent.restore(self.numbers, [*self.optimizer.memory().values()])
            whole = plan.steps_of_whole_epochs(steps.reached)
            steps = replace(self._steps(plan, scalars[:whole]), status=OTHER_BRANCH)
        self._take_over(steps.reached)
        done += self._epochs(plan, steps, [rate for rate, *_ in scalars])
        self._refuse(steps)
        if failure is not None:
            raise failure

    def _scalars(self, plan: _Plan) -> tuple[list[tuple[float, ...]], Exception | None]:
        """For each step the numbers that all parameters share; and what ends the steps early.

        A schedule that fails in a later step does so after the steps before. Where the scalars
        cannot be known ahead, the eager engine begins that epoch.
        """
        found: list[tuple[float, ...]] = []
        failure: Exception | None = None
        try:
            for scalars in islice(self.rule.scalars_from(self.optimizer.steps), len(plan.counts)):
                found.append(scalars)
        except RecordingError as error:
            failure = OtherBranchError(str(error))
        except Exception as error:
            return found, error
        if len(set(map(len, found))) > 1:
            failure = OtherBranchError("the scalars of different steps are not equally many")
        if failure is not None:
            found = found[:plan.steps_of_whole_epochs(len(found))]
        return found, failure

    def _steps(self, plan: _Plan, scalars: list[tuple[float, ...]]) -> Steps:
        counts = plan.counts[:len(scalars)]
        shared = np.column_stack([1.0 / counts, scalars]) if scalars else np.empty((0, 0))
        steps: Steps = self.descent.run(self.data, None if plan.is_whole else plan.order, counts,
                                        shared, self.l2)
        return steps

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
            self.row.refuse()
        if steps.status == LOSS_NOT_FINITE:
            raise FloatingPointError(f"the loss is {steps.objectives[steps.reached]}; try a "
                                     "smaller learning rate")
        if steps.status == GRADIENT_NOT_FINITE:
            slopes = self.descent.slopes
            first = int(np.argmin(np.isfinite(slopes)))
            raise FloatingPointError(
                f"the gradient of {describe(self.optimizer.parameters[first])} is "
                f"{slopes[first]}; try a smaller learning rate")


class MachineTraining(LoopTraining):
    """The loop as machine code."""

    engine = "llvm"

    def __init__(self, row: RowLoss, rule: RecordedRule, data: Array, l2: float,
                 threads: int | None = None) -> None:
        super().__init__(row, rule, data, l2)
        self.descent = Descent(
            _written_out(row.program, KNOWN), row.n_row_inputs, _written_out(rule.program, KNOWN),
            len(self.names), self.numbers, self._memories(), REGISTERS, threads)
        self.reason = self.descent.reason

    def slower(self) -> str:
        """See :meth:`Training.slower`; fewer threads than there could be are a reason, too."""
        limit = self.descent.limit
        return self.reason or (f"one thread computes the batches: {limit}" if limit else "")


class JaxTraining(LoopTraining):
    """The loop in JAX, for the devices that it finds, or those of a mesh."""

    engine = "jax"

    def __init__(self, row: RowLoss, rule: RecordedRule, data: Array, l2: float,
                 mesh: Any = None) -> None:
        from autograd.compiler.backends.jax import training_loop
        from autograd.compiler.backends.jax.ops import NAMES

        super().__init__(row, rule, data, l2)
        self.reason = 'backend="jax" was asked for'
        self.descent = training_loop.Descent(
            _written_out(row.program, NAMES), row.n_row_inputs, _written_out(rule.program, NAMES),
            len(self.names), self.numbers, self._memories(), mesh)

    def end(self) -> None:
        """See :meth:`Training.end`."""
        self.descent.forget_rows()
        super().end()


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


def _written_out(program: Program, known: Collection[str]) -> Program:
    """A program of operations that a back end knows; the user's own are written out.

    Raises:
        Unsupported: when the value of one cannot be.
    """
    unknown = program.different_ops.difference(known)
    return inlined(program, unknown) if unknown else program


def _formula(loss: Loss) -> Any:
    """What tells a loss of a row from another; a function has another Loss in each training."""
    return loss.row if type(loss) is Loss else loss


def _as_values(structure: Any) -> Any:
    """What is constant is an output of the program, too."""
    if isinstance(structure, list | tuple):
        return [item if item.__class__ is Value else _as_values(item) for item in structure]
    return structure if structure.__class__ is Value else Value(structure)


def _flat(target: Any) -> list[Any]:
    return list(target) if isinstance(target, list | tuple) else [target]


