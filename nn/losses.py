"""Losses: each is one row that knows its formula, its labels, and how answers become classes.

A loss is called with the answers of a model and the targets, row by row, and gives their mean.

To add a loss, write what one row costs, in arithmetic and autograd's functions. ``nn.fit`` then
compiles it like those below; as ``nn.Loss("absolute_error", absolute_error, check)`` it may also
say what a target must be, and how answers become classes::

    def absolute_error(answer, target):
        return abs(answer - target)

    nn.fit(model, X, y, loss=absolute_error)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

import numpy as np

from autograd.core import primitives
from autograd.core.primitives import as_float
from autograd.core.typing import Array
from autograd.core.value import Value


def finite(target: Any, place: str, outputs: int | None = None) -> Any:
    """A target of any shape, as a float or lists of floats: the ``check`` of a :class:`Loss`.

    Args:
        target: of one row.
        place: what an error calls it, such as "y[3]".
        outputs: how many answers the model gives a row; any number of them will do.

    Raises:
        TypeError, ValueError: for what is no finite number.
    """
    if isinstance(target, list | tuple | np.ndarray) and np.ndim(target) > 0:
        return [finite(item, f"{place}[{i}]") for i, item in enumerate(target)]
    return _number(target, place)


def _number(target: Any, place: str, outputs: int | None = None) -> float:
    number = as_float(target.item() if isinstance(target, np.ndarray) and target.size == 1
                      else target, place)
    if not math.isfinite(number):
        raise ValueError(f"{place} is {number}")
    return number


@dataclass(frozen=True, repr=False, eq=False)
class Loss:
    """One loss; ``loss(answers, targets)`` is its mean over the rows.

    Args:
        name: what ``fit(loss=...)`` calls it.
        row: the loss of one row, a function of (answer, target) on Values or floats.
        check: turns a target into what ``row`` takes, or raises; a function of
            (target, place, outputs), where outputs is the number of logits or None for one answer.
            Without it a target is a finite number, or a list of them.
        scores: whether an answer is one number ("one"), a list of logits ("many") or either
            ("any").
        classify: the classes of an array of answers; None where targets are no classes.
        one_hot: whether a target is the index of a logit, and ``row`` also takes a list in its
            place: 1 for that logit, 0 for the others. Only so is it compiled for all classes;
            ``check`` may then let such lists through, too.
        threshold: above which a score counts to the upper of two classes; None where there are
            not just two.
    """

    name: str
    row: Callable[[Any, Any], Any]
    check: Callable[[Any, str, int | None], Any] = finite
    scores: str = "one"
    classify: Callable[[Array], Array] | None = None
    one_hot: bool = False
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.row.__doc__:  # help(nn.hinge) says what hinge is, not only what all losses are
            object.__setattr__(self, "__doc__", (
                f"{self.name}(answers, targets) is the mean over the rows; of one row:\n\n"
                f"{cleandoc(self.row.__doc__)}\n\n"
                "For the arguments see :meth:`Loss.__call__`."))

    def __call__(self, answers: Sequence[Any], targets: Sequence[Any]) -> Any:
        """The mean loss: a Value, or a float if all answers are floats.

        Args:
            answers: what the model gave for each row: Values or floats, or lists of them.
            targets: as many labels or numbers.

        Raises:
            TypeError, ValueError: for no answers, other lengths, and targets outside what the
                loss takes.
        """
        answers = _as_list(answers, "the answers")
        outputs = _common_outputs(answers)
        return self.mean(answers, self.checked_targets(targets, len(answers), outputs))

    def checked_targets(self, targets: Any, rows: int, outputs: int | None) -> list[Any]:
        """The targets as the plain numbers (or lists of numbers) that ``mean`` takes.

        Args:
            targets: as the user gave them.
            rows: how many there must be.
            outputs: how many answers the model gives a row, None for a single number.

        Raises:
            TypeError, ValueError: that names the first target that the loss does not take.
        """
        targets = _as_list(targets, "y")
        if rows == 0:
            raise ValueError(f"{self.name} needs at least one row")
        if len(targets) != rows:
            raise ValueError(f"there are {rows} rows but {len(targets)} targets")
        if self.scores == "one" and outputs is not None:
            raise ValueError(f"{self.name} takes one score a row, but the model gives {outputs}")
        if self.scores == "many" and outputs is None:
            raise ValueError(f"{self.name} takes a list of logits a row, one for each class, but "
                             "the model gives a single number; two classes with one score take "
                             "hinge or binary_cross_entropy_with_logits")
        return [self.check(target, f"y[{i}]", outputs) for i, target in enumerate(targets)]

    def mean(self, answers: Sequence[Any], targets: Sequence[Any]) -> Any:
        """The mean over the rows, of targets that were checked.

        Args:
            answers: as for a call of the loss.
            targets: what :meth:`checked_targets` gave for them.
        """
        row = self.row
        losses = [row(answer, target) for answer, target in zip(answers, targets, strict=True)]
        return primitives.sum(losses) / float(len(losses))

    def accuracy(self, answers: Any, targets: Any) -> float:
        """The share of rows whose class is the target.

        Args:
            answers: plain numbers, shape (n,) or (n, classes).
            targets: the labels, shape (n,), or what else the loss takes.

        Raises:
            ValueError: for a loss whose targets are no classes, and for targets that it does not
                take.
        """
        if self.classify is None:
            raise ValueError(f"{self.name} has no classes, hence no accuracy")
        classes = self.classify(np.asarray(answers, dtype=float))
        return float(np.mean(classes == self.labels(targets)))

    def labels(self, targets: Sequence[Any]) -> Array:
        """What ``classify`` should give; for a row of probabilities the likeliest class.

        Args:
            targets: as ``row`` takes them.
        """
        if self.one_hot:
            targets = [np.argmax(t) if np.ndim(t) else t for t in targets]
        return np.asarray(targets, dtype=float)

    def __reduce_ex__(self, protocol: Any) -> Any:
        if globals().get(self.name) is self:  # for pickle finds no function inside of a function
            return self.name
        return super().__reduce_ex__(protocol)

    def __repr__(self) -> str:
        return f"<loss {self.name}>"


# --- what targets may be ------------------------------------------------------------------------

def _numbers(target: Any, place: str, outputs: int | None) -> Any:
    if outputs is None:
        return _number(target, place)
    if not isinstance(target, list | tuple | np.ndarray) or len(target) != outputs:
        raise ValueError(f"the model gives {outputs} numbers a row, but {place} is {target!r}")
    return [_number(item, f"{place}[{i}]") for i, item in enumerate(target)]


def _label(loss: str, allowed: tuple[float, float], repair: str) -> Callable[..., float]:
    def check(target: Any, place: str, outputs: int | None) -> float:
        label = _number(target, place)
        if label not in allowed:
            raise ValueError(f"{loss} takes the labels {allowed[0]:g} and {allowed[1]:g}, but "
                             f"{place} is {label:g}; {repair}")
        return label

    return check


def _class_or_weights(target: Any, place: str, outputs: int | None) -> int | list[float]:
    """The index of a class; of a row of probabilities that are not 0 and 1 the row."""
    if isinstance(target, list | tuple | np.ndarray) and np.size(target) != 1:
        weights: list[float] = finite(target, place)
        total = sum(weights) if np.ndim(target) == 1 else 0.0
        if len(weights) != outputs or abs(total - 1.0) > 1e-6 or min(weights) < 0.0:
            raise ValueError(
                f"cross_entropy takes the index of a class, or a row of {outputs} numbers, one for "
                "each logit, that are 0 or more and whose sum is 1: 1 for the class and 0 for the "
                f"others, or probabilities; {place} is {target!r}")
        if sorted(weights)[-2:] == [0.0, 1.0]:
            return weights.index(1.0)
        return [weight / total for weight in weights]
    label = _number(target, place)
    if not label.is_integer() or not 0 <= label < (outputs or 0):
        raise ValueError(f"cross_entropy takes the labels 0 to {(outputs or 0) - 1}, one for each "
                         f"of the {outputs} logits, but {place} is {label:g}")
    return int(label)


# --- the loss of one row ------------------------------------------------------------------------

def _squared_error(answer: Any, target: Any) -> Any:
    """(answer - target)**2; for a list of answers the mean of theirs."""
    if not isinstance(answer, list | tuple):
        difference = answer - target
        return difference * difference
    squares = [_squared_error(a, t) for a, t in zip(answer, target, strict=True)]
    return primitives.sum(squares) / float(len(squares))


def _hinge(score: Any, label: float) -> Any:
    """max(0, 1 - label * score), for the labels -1 and 1."""
    return primitives.relu(1.0 - label * score)


def _log_loss(probability: Any, label: Any) -> Any:
    """-log(p) for the label 1 and -log(1 - p) for 0; the answer p is a probability."""
    if not 0.0 <= probability <= 1.0:
        number = probability.data if probability.__class__ is Value else probability
        raise ValueError(f"binary_cross_entropy takes probabilities from 0 to 1, not {number!r}; "
                         "for logits write binary_cross_entropy_with_logits")
    if label.__class__ is Value:  # recorded: one formula for both labels, with the same bits
        other = 1.0 - label
        return -primitives.log(label * probability + other) - primitives.log1p(-other * probability)
    return -(primitives.log(probability) if label else primitives.log1p(-probability))


def _logistic_loss(logit: Any, label: float) -> Any:
    """-log(sigmoid(s)) for the label 1 and -log(1 - sigmoid(s)) for 0; the answer s is a logit.

    It is computed as softplus(-s) and softplus(s), which do not overflow.
    """
    return primitives.softplus((1.0 - 2.0 * label) * logit)


def _softmax_loss(logits: Any, label: Any) -> Any:
    """logsumexp(logits) - logits[label], which is -log(softmax(logits)[label]).

    The label is the index of a logit. A list of weights w, one for each logit, stands for
    logsumexp(logits) - dot(w, logits).
    """
    chosen = primitives.dot(label, logits) if isinstance(label, list) else logits[label]
    return primitives.logsumexp(logits) - chosen


def _above(threshold: float, low: float) -> Callable[[Array], Array]:
    return lambda answers: np.where(answers > threshold, 1.0, low)


mean_squared_error = Loss("mean_squared_error", _squared_error, _numbers, scores="any")
hinge = Loss("hinge", _hinge,
             _label("hinge", (-1.0, 1.0), "for labels 0 and 1 write 2 * y - 1"),
             classify=_above(0.0, -1.0), threshold=0.0)
binary_cross_entropy = Loss(
    "binary_cross_entropy", _log_loss,
    _label("binary_cross_entropy", (0.0, 1.0), "for labels -1 and 1 write (y + 1) / 2"),
    classify=_above(0.5, 0.0), threshold=0.5)
binary_cross_entropy_with_logits = Loss(
    "binary_cross_entropy_with_logits", _logistic_loss,
    _label("binary_cross_entropy_with_logits", (0.0, 1.0),
           "for labels -1 and 1 write (y + 1) / 2"),
    classify=_above(0.0, 0.0), threshold=0.0)
cross_entropy = Loss("cross_entropy", _softmax_loss, _class_or_weights, scores="many",
                     classify=lambda logits: np.argmax(logits, axis=1).astype(float), one_hot=True)

LOSSES: dict[str, Loss] = {loss.name: loss for loss in (
    mean_squared_error, hinge, binary_cross_entropy, binary_cross_entropy_with_logits,
    cross_entropy)}


def _as_list(items: Any, what: str) -> list[Any]:
    if isinstance(items, str | bytes | dict) or not hasattr(items, "__len__"):
        raise TypeError(f"{what} must be a list with one entry for each row, not {items!r}")
    return list(items)


def _common_outputs(answers: Sequence[Any]) -> int | None:
    """The number of answers in each row; None where a row has a single number."""
    sizes = {len(a) if isinstance(a, list | tuple | np.ndarray) else None for a in answers}
    if len(sizes) > 1:
        raise ValueError(f"the rows of answers have different lengths: {sizes}")
    return sizes.pop() if sizes else None
