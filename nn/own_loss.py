"""A user's function as a loss: of all answers at once, or of one row, whichever it takes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.core.value import Value, noting
from nn.losses import Loss, finite
from nn.module import Module

# What arithmetic on a list of answers raises, and on the answer to one row.
REFUSALS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)


class OwnLoss(Loss):
    """A user's function of (answers, targets) in place of the mean of a loss of rows."""

    def __init__(self, function: Callable[..., Any]) -> None:
        name = getattr(function, "__name__", "loss")
        super().__init__(name, function, finite, scores="any")

    def mean(self, answers: Sequence[Any], targets: Sequence[Any]) -> Any:
        """What the user's function returns."""
        return self.row(answers, targets)

    def of_row(self, model: Module, rows: Sequence[Sequence[float]],
               targets: Sequence[Any]) -> Loss | None:
        """The loss of one row that the function is, if it does not take all rows at once.

        It is called with the answers to the first two rows, and if that fails with the answer to
        the first. A random number that it draws is drawn again in the training.

        Args:
            model: what is trained.
            rows: plain numbers that were checked.
            targets: as the user gave them; whole numbers stay such, for they may be indices.
        """
        drawn = random.getstate(), np.random.get_state()
        try:
            answers = [model(row) for row in rows[:2]]
            few = [finite(target, f"y[{i}]") for i, target in enumerate(targets[:2])]
            takes_all, refused = _is_loss(self.row, answers, few)
            if takes_all or refused:
                return None
            takes_one, refused = _is_loss(self.row, answers[0], _number_or_index(targets[0]))
        finally:
            random.setstate(drawn[0])
            np.random.set_state(drawn[1])
        if not takes_one and not refused:
            return None  # whatever is wrong with it is said in the training
        return Loss(self.name, self.row, _number_or_index, scores="any")


def _is_loss(function: Callable[..., Any], answer: Any, target: Any) -> tuple[bool, bool]:
    """Whether a function gives a Value, and whether it asked a Value for its bare number."""
    refusals: list[str] = []
    try:
        with noting(refusals):
            cost = function(answer, target)
    except REFUSALS:
        return False, bool(refusals)
    return cost.__class__ is Value, False


def _number_or_index(target: Any, place: str = "y[0]", outputs: int | None = None) -> Any:
    """A target for the loss of one row: with floats nothing could be indexed."""
    checked = finite(target, place, outputs)
    whole = isinstance(target, int | np.integer) and not isinstance(target, bool)
    return int(target) if whole else checked
