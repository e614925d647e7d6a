"""fit: train a model on rows of numbers, with everything checked before anything changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from autograd.compiler.backends.threads import checked as checked_threads
from autograd.core import primitives
from autograd.core.aliases import also_called
from autograd.core.graph import collector_at_rest
from autograd.core.validation import as_float, not_negative, whole
from autograd.core.value import Value, no_grad, noting, refuse_lost_gradients
from autograd.progress import progress_bar
from nn.compiled_training import Epochs, OtherBranchError, Training, compile_training
from nn.job import Job, Rows, check_devices, checked_job, checked_rows, flat_targets
from nn.losses import Loss, cross_entropy
from nn.module import Module
from nn.optimizers import Optimizer
from nn.recorded_rule import EagerOnly
from nn.schedules import Schedule

Batches = Sequence[Sequence[int]]


@dataclass
class History:
    """What happened in a training, one entry for each whole epoch.

    Attributes:
        loss: the mean of what was minimized, l2 included, as the epoch met it (before the step
            that each batch led to).
        accuracy: the share of rows answered rightly, met likewise; empty when the targets are
            no classes.
        learning_rate: the rate at the beginning of the epoch.
        validation_loss: the loss (without l2) on the validation rows after the epoch.
        stopped: why it ended.
        engine: what computed the steps, the later ones if it changed: "llvm" (machine code),
            "numpy", "jax" or "eager".
        reason: why it was not the quickest engine, or from where on, and what to write instead;
            empty for the quickest.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    stopped: str = ""
    engine: str = ""
    reason: str = ""

    def __len__(self) -> int:
        return len(self.loss)

    def __repr__(self) -> str:
        last = f", loss {self.loss[0]:.4g} -> {self.loss[-1]:.4g}" if self.loss else ""
        right = f", accuracy {self.accuracy[-1]:.1%}" if self.accuracy else ""
        engine = f"; {self.engine}" if self.engine else ""
        return f"<History: {len(self)} epoch(s){last}{right}; {self.stopped}{engine}>"


@also_called({"lr": "learning_rate", "random_state": "seed"})
def fit(model: Module, X: Any, y: Any, loss: str | Loss | Callable[..., Any] = "mean_squared_error",
        optimizer: str | Optimizer = "sgd", epochs: int = 100, batch_size: int | None = None,
        seed: int = 0, l2: float = 0.0, learning_rate: float | Schedule | None = None,
        validation: tuple[Any, Any] | None = None, patience: int | None = None,
        tolerance: float = 0.0, progress: bool = True, compiled: bool = True,
        backend: str | None = None, threads: int | None = None, mesh: Any = None) -> History:
    """Train a model; the same seed gives the same bits.

    Args:
        model: any Module.
        X: the rows, shape (n, number of inputs), finite numbers.
        y: the targets, shape (n,), or (n, outputs) for several numbers a row. Classes for
            cross_entropy are the indices of the logits, or rows of 1 for the class and 0 for the
            others, or of probabilities.
        loss: a name ("mean_squared_error", "hinge", "binary_cross_entropy",
            "binary_cross_entropy_with_logits", "cross_entropy"), a Loss, or a function that returns
            a Value: of all answers and all targets of a batch, or of the answer to one row and its
            target, whose mean is taken. Which of them it is, it is called to see; one that takes
            both is a function of all.
        optimizer: "sgd", "adam", "adamw", "rmsprop", "adagrad", or an Optimizer of the model's
            parameters.
        epochs: how often all rows are visited.
        batch_size: rows between two steps of the optimizer; None takes all rows at once.
        seed: of the order in which batches visit the rows.
        l2: adds l2 times the sum of the squares of all parameters to the loss.
        learning_rate: for an optimizer given by name: a number, or a schedule over its steps.
        validation: (X, y) that are watched and not learned from.
        patience: stop after so many epochs without a smaller loss (on the validation rows if
            there are any).
        tolerance: a loss counts as smaller, for patience, if it is by more than this.
        progress: show a bar.
        compiled: record the loss of one row once and replay it over the batches, with the
            optimizer's rule as machine code where llvmlite is installed, with NumPy where it is
            not; the history is the same to rounding. Losses, optimizers and activations of your
            own take part: a Loss of one row, an Optimizer with a ``rule``, a primitive. False
            leaves every step to the eager engine, which also does what cannot be recorded: a loss
            of all answers at once, an optimizer that overrides ``step``, a model or a rule that
            draws random numbers, rows that take another branch than the first. The history's
            ``engine`` and ``reason`` say which it was, and why.
        backend: "llvm", "numpy" or "jax", which must do the compiled steps; None takes the
            quickest that is installed. What cannot be recorded is left to the eager engine by
            all of them.
        threads: at most so many share out machine code: the rows of a batch of some hundred rows or
            more, the neurons and weights of a network of some 30,000 parameters or more; None for
            one for each processor core. CHAINRULE_THREADS limits both. The history's bits do not
            depend on it.
        mesh: with "jax", a ``jax.sharding.Mesh`` with an axis "rows", over whose devices the rows
            of each batch are spread; as many to each. With ``jax.distributed`` every process
            calls fit with the same arguments, and gets the same history and parameters.

    Returns:
        The History. Ctrl-C returns what was reached; so does a loss or gradient that is no longer
        finite, with the parameters as they were before it.

    Raises:
        TypeError, ValueError: for anything that does not fit, before anything is changed.
        ImportError: when the back end is not installed.
    """
    job = checked_job(model, X, y, loss, optimizer, l2, learning_rate, validation)
    epochs, seed = whole(epochs, "epochs"), whole(seed, "seed")
    size = len(job.rows) if batch_size is None else min(whole(batch_size, "batch_size", 1),
                                                        len(job.rows))
    if patience is not None:
        patience = whole(patience, "patience", 1)
    tolerance = not_negative(tolerance, "tolerance")
    check_devices(backend, mesh, compiled, size)
    engine = _Engine(job, compiled, epochs, backend, checked_threads(threads), mesh)
    shuffler = np.random.default_rng(seed)
    history = History(stopped="all epochs are done")
    bar = progress_bar(total=epochs, desc="training", unit="epoch", disable=not progress)
    try:
        _run(job, engine, _batches_of_epochs(epochs, len(job.rows), size, shuffler), history,
             patience, tolerance, bar)
    except KeyboardInterrupt:
        history.stopped = f"interrupted in epoch {len(history) + 1}"
    except FloatingPointError as error:
        history.stopped = f"diverged in epoch {len(history) + 1}: {error}"
    finally:
        engine.end()
        history.engine, history.reason = engine.name, engine.reason
        bar.close()
    return history


class _Engine:
    """What computes the steps: compiled ones as long as they can be, then the eager engine.

    Attributes:
        name, reason: as a History tells them.
    """

    def __init__(self, job: Job, compiled: bool, epochs: int, backend: str | None,
                 threads: int | None, mesh: Any) -> None:
        self._job, self._backend, self._threads, self._mesh = job, backend, threads, mesh
        self._training: Training | None = None
        self.name, self.reason = "eager", "" if compiled else "compiled=False was asked for"
        if compiled and epochs:
            self._compile()

    def _compile(self) -> None:
        job, self._training = self._job, None
        try:
            with collector_at_rest():
                self._training = compile_training(job.model, job.loss, job.optimizer, job.rows,
                                                  job.targets, job.l2, self._backend,
                                                  self._threads, self._mesh)
            self.name, self.reason = self._training.engine, self._training.reason
        except EagerOnly as error:
            self.name, self.reason = "eager", str(error)

    def epochs_at_once(self) -> int:
        """How many epochs may be handed to one call of :meth:`run`."""
        return 1 if self._training is None else self._training.epochs_at_once()

    def run(self, epochs: Sequence[Batches], done: list[Epochs], so_far: int) -> None:
        """Visit all batches of some epochs; what was finished is appended, also before an error.

        Args:
            epochs: for each epoch the indices of the rows of each batch.
            done: an empty list.
            so_far: how many epochs were done before.
        """
        if self._training is not None:
            try:
                self._training.run(epochs, done)
                return
            except OtherBranchError as error:
                finished = sum(len(part.losses) for part in done)
                epochs = epochs[finished:]
                if self._training.is_kept and not so_far + finished:  # recorded for other numbers
                    self._compile()
                    self.run(epochs, done, so_far)
                    return
                self._leave(so_far + finished + 1, str(error))
        _run_eagerly(self._job, epochs, done)

    def _leave(self, epoch: int, why: str) -> None:
        """Hand what was reached to the eager engine, which goes on from there."""
        self.write()
        self._training = None
        self.reason = f"{self.name} up to epoch {epoch - 1}, then {why}" if epoch > 1 else why
        self.name = "eager"

    def write(self) -> None:
        """Set the model's parameters to what was reached."""
        if self._training is not None:
            self._training.write()

    def end(self) -> None:
        """The same, for the last time: what was compiled is left to the next training."""
        if self._training is not None:
            self._training.end()
            self._training = None


def _run(job: Job, engine: _Engine, plans: Iterator[Batches], history: History,
         patience: int | None, tolerance: float, bar: Any) -> None:
    """All epochs, some at a time where nothing has to be looked at in between."""
    watched = patience is not None or job.validation is not None
    at_once = 1 if watched else engine.epochs_at_once()
    while epochs := list(islice(plans, at_once)):
        before = len(history)
        try:
            _run_epochs(job, engine, epochs, history)
        finally:
            bar.update(len(history) - before)
        bar.set_postfix_str(_progress(history), refresh=False)
        if patience is not None and _is_stuck(history, patience, tolerance):
            history.stopped = f"no smaller loss for {patience} epoch(s)"
            return


def _run_epochs(job: Job, engine: _Engine, epochs: Sequence[Batches], history: History) -> None:
    """Some epochs, and their entries in the history."""
    done: list[Epochs] = []
    try:
        engine.run(epochs, done, len(history))
    finally:
        _enter(job, done, history)
    if job.validation is not None:
        engine.write()
        history.validation_loss.append(_loss_on(job, *job.validation))


def _run_eagerly(job: Job, epochs: Sequence[Batches], done: list[Epochs]) -> None:
    for batches in epochs:
        rate = job.optimizer.learning_rate
        loss, answers = eager_epoch(job.model, job.loss, job.optimizer, job.rows, job.targets,
                                    batches, job.l2)
        done.append(Epochs([loss], [rate], np.array(answers, dtype=float), np.arange(len(answers))))


def _enter(job: Job, done: Sequence[Epochs], history: History) -> None:
    """The entries of some epochs in the history."""
    for epochs in done:
        history.loss += epochs.losses
        history.learning_rate += epochs.rates
        if job.loss.classify is not None:
            right = job.loss.classify(epochs.answers) == job.labels[epochs.order]
            history.accuracy += right.reshape(len(epochs.losses), -1).mean(axis=1).tolist()


def eager_epoch(model: Module, loss: Loss, optimizer: Optimizer, rows: Rows, targets: list[Any],
                batches: Sequence[Sequence[int]], l2: float) -> tuple[float, list[Any]]:
    """Visit all batches, one step of the optimizer for each.

    Args:
        model, loss, optimizer: as fit takes them.
        rows, targets: plain numbers that were checked.
        batches: the indices of the rows of each batch.
        l2: the factor of the sum of the squares of all parameters.

    Returns:
        The mean loss over the rows, and the answer to each row, as plain numbers, both as they
        were before the step.

    Raises:
        FloatingPointError: when the loss or a gradient is not finite; the steps before it stay.
        TypeError: when the model or the loss asked a Value for its bare number, also if it caught
            that error: no gradient would be right.
    """
    parameters = optimizer.parameters
    answers: list[Any] = [None] * len(rows)
    total = 0.0
    for batch in batches:
        refusals: list[str] = []
        with noting(refusals):
            given = [model(rows[i]) for i in batch]
            objective = loss.mean(given, [targets[i] for i in batch])
        refuse_lost_gradients(refusals)
        if l2:
            objective = objective + l2 * primitives.dot(parameters, parameters)
        number = _finite(objective)
        model.zero_grad()
        objective.backward()
        optimizer.step()
        total += number * len(batch)
        for i, answer in zip(batch, given, strict=True):
            answers[i] = _plain(answer)
    return total / len(rows), answers


def accuracy(model: Module, X: Any, y: Any, threshold: float | None = None) -> float:
    """The share of rows whose class the model answers rightly.

    Args:
        model: gives one score a row, or one logit for each class.
        X: the rows, shape (n, number of inputs).
        y: the classes: -1 and 1, 0 and 1, or for logits their indices, or rows as cross_entropy
            takes them.
        threshold: the score from which a row counts to the upper of two classes. None means 0 for
            the classes -1 and 1; for 0 and 1 it means 1/2 if all scores are from 0 to 1, else 0.

    Raises:
        TypeError, ValueError: for rows and classes that do not fit.
    """
    rows = checked_rows(X, "X")
    answers = model.predict(rows)
    targets = flat_targets(y)
    if len(targets) != len(rows):
        raise ValueError(f"there are {len(rows)} rows but {len(targets)} targets")
    if answers.ndim == 2 and all(np.ndim(target) for target in targets):
        checked = cross_entropy.checked_targets(targets, len(rows), answers.shape[1])
        return cross_entropy.accuracy(answers, checked)
    labels = np.array([as_float(label, f"y[{i}]") for i, label in enumerate(targets)])
    if answers.ndim == 2:
        return float(np.mean(np.argmax(answers, axis=1) == labels))
    names = set(labels.tolist())
    if not (names <= {-1.0, 1.0} or names <= {0.0, 1.0}):
        raise ValueError("the classes of a model with one score are -1 and 1, or 0 and 1, not "
                         f"{sorted(names)[:5]}")
    if threshold is None:
        is_probability = -1.0 not in names and bool(np.all((answers >= 0) & (answers <= 1)))
        threshold = 0.5 if is_probability else 0.0
    return float(np.mean((answers > threshold) == (labels > 0.0)))


def _finite(objective: Any) -> float:
    if objective.__class__ is not Value or objective.op is None:
        raise TypeError(f"the loss must be a Value computed from the model's answers, not "
                        f"{objective!r}")
    number: float = objective.data
    if not math.isfinite(number):
        raise FloatingPointError(f"the loss is {number}; try a smaller learning rate")
    return number


def _plain(answer: Any) -> Any:
    if isinstance(answer, list | tuple | np.ndarray):
        return [_plain(item) for item in answer]
    return answer.data if answer.__class__ is Value else answer


def _loss_on(job: Job, rows: Rows, targets: list[Any]) -> float:
    with no_grad():
        return float(_plain(job.loss.mean([job.model(row) for row in rows], targets)))


def _batches_of_epochs(epochs: int, n: int, size: int,
                       shuffler: np.random.Generator) -> Iterator[Batches]:
    """The rows in batches, for each epoch; in their own order where one batch takes all of them."""
    whole = [list(range(n))]
    for _ in range(epochs):
        if size == n:
            yield whole
        else:
            order = shuffler.permutation(n).tolist()
            yield [order[start:start + size] for start in range(0, n, size)]


def _is_stuck(history: History, patience: int, tolerance: float) -> bool:
    watched = history.validation_loss or history.loss
    return (len(watched) > patience
            and min(watched[-patience:]) >= min(watched[:-patience]) - tolerance)


def _progress(history: History) -> str:
    parts = [f"loss {history.loss[-1]:.4f}"]
    if history.validation_loss:
        parts.append(f"validation {history.validation_loss[-1]:.4f}")
    if history.accuracy:
        parts.append(f"accuracy {history.accuracy[-1]:.0%}")
    return ", ".join(parts)


__all__ = ["History", "accuracy", "eager_epoch", "fit"]
