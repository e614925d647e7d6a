"""Training at machine speed: the loss of one row and its gradient recorded once, run over batches.

The recorded program is the graph that the eager engine would build; only the order of summation
over rows differs. What cannot be recorded faithfully (a model or a loss of the user's own, whose
Python code may look at numbers) is left to the eager engine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.backward import adjoints
from autograd.value import Value, recording

from .layers import MLP, Layer, Neuron
from .losses import LOSSES, Loss, binary_cross_entropy, cross_entropy
from .module import Module
from .optimizers import Optimizer, write_all

Rows = Sequence[Sequence[float]]


def compile_epoch(model: Module, loss: Loss, optimizer: Optimizer, rows: Rows,
                  targets: Sequence[Any]) -> CompiledEpoch | None:
    """The training of one epoch as machine code; None where the eager engine has to do it.

    Args:
        model, loss, optimizer: as fit takes them.
        rows, targets: plain numbers that were checked.
    """
    if not _is_our_own(model) or loss not in LOSSES.values() or loss is binary_cross_entropy:
        return None  # binary_cross_entropy looks at the number of each probability
    try:
        from autograd.compiler import llvm
    except ImportError:
        return None
    try:
        return CompiledEpoch(model, loss, optimizer, rows, targets, llvm)
    except KeyError:  # an activation of the user's own has no machine code
        return None


def _is_our_own(model: Module) -> bool:
    if type(model) is MLP:
        return all(_is_our_own(layer) for layer in model.layers)
    if type(model) is Layer:
        return all(type(neuron) is Neuron for neuron in model.neurons)
    return type(model) is Neuron


class CompiledEpoch:
    """Visits all batches, one step of the optimizer for each; see :func:`compile_epoch`."""

    def __init__(self, model: Module, loss: Loss, optimizer: Optimizer, rows: Rows,
                 targets: Sequence[Any], llvm: Any) -> None:
        self.optimizer, self.n_rows = optimizer, len(rows)
        self.numbers = np.array([p.data for p in optimizer.parameters])
        answer = model(list(rows[0]))
        self.several = isinstance(answer, list)
        if loss is cross_entropy:  # one program for all classes
            classes = np.eye(len(answer))
            targets = [classes[target].tolist() for target in targets]
        self.data = np.array([[*row, *_flat(target)] for row, target in
                              zip(rows, targets, strict=True)], dtype=float).T
        self.kernel = self._compiled(model, loss, rows[0], targets[0], llvm)

    def _compiled(self, model: Module, loss: Loss, row: Sequence[float], target: Any,
                  llvm: Any) -> Any:
        """The program of one row: its loss, the answers, the gradient."""
        from autograd.compiler.program import Program

        parameters = self.optimizer.parameters
        with recording():
            x = [Value(number) for number in row]
            labels = [Value(number) for number in _flat(target)]
            answer = model(list(x))
            objective = loss.row(answer, labels if isinstance(target, list) else labels[0])
        answers = answer if isinstance(answer, list) else [answer]
        program = Program.record([objective, *answers, *adjoints(objective, parameters)],
                                 [*x, *labels, *parameters])
        by_row = len(x) + len(labels)
        return llvm.compile(program, (True,) * by_row + (False,) * len(parameters),
                            (False,) * (1 + len(answers)) + (True,) * len(parameters))

    def __call__(self, batches: Sequence[Sequence[int]], l2: float) -> tuple[float, list[Any]]:
        """Visit all batches; arguments, result and errors as in ``training.eager_epoch``.

        The parameters stay as they are until :meth:`write` is called.
        """
        answers: list[Any] = [None] * self.n_rows
        total = 0.0
        for batch in batches:
            numbers = self.numbers
            with np.errstate(all="ignore"):  # what is not finite is told below
                mean, slopes = self._gradient(numbers, np.asarray(batch), answers)
                objective = mean + (l2 * float(numbers @ numbers) if l2 else 0.0)
            if not math.isfinite(objective):
                raise FloatingPointError(f"the loss is {objective}; try a smaller learning rate")
            if l2:
                slopes = slopes + 2.0 * l2 * numbers
            self.numbers = self.optimizer.moved(numbers, slopes)
            total += objective * len(batch)
        return total / self.n_rows, answers

    def write(self) -> None:
        """Set the model's parameters to what was reached."""
        write_all(self.optimizer.parameters, self.numbers.tolist())

    def _gradient(self, numbers: Any, places: Any, answers: list[Any]) -> tuple[float, Any]:
        """The mean loss of some rows and its gradient; their answers go to their places."""
        slopes, out, _ = self.kernel(numbers, self.data[:, places])
        found = out[1:].T.tolist() if self.several else out[1].tolist()
        for place, answer in zip(places.tolist(), found, strict=True):
            answers[place] = answer
        losses = out[0]
        total = math.fsum(losses) if np.isfinite(losses).all() else float(losses.sum())
        return total / len(places), slopes / len(places)


def _flat(target: Any) -> list[float]:
    return target if isinstance(target, list) else [target]
