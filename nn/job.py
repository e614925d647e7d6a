"""What fit is asked to do, checked before anything is changed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograd.core.typing import Array
from autograd.core.validation import as_float, not_negative
from autograd.core.value import no_grad
from nn.losses import LOSSES, Loss
from nn.module import Module
from nn.optimizers import OPTIMIZERS, Optimizer
from nn.own_loss import OwnLoss

BACK_ENDS = ("llvm", "numpy", "jax")

Rows = list[list[float]]


@dataclass
class Job:
    """A training whose every part was checked; see :func:`checked_job`."""

    model: Module
    rows: Rows
    targets: list[Any]
    loss: Loss
    optimizer: Optimizer
    l2: float
    validation: tuple[Rows, list[Any]] | None

    @cached_property
    def labels(self) -> Array:
        """The class of each row, for a loss that has classes."""
        return self.loss.labels(self.targets)


def checked_job(model: Any, X: Any, y: Any, loss: Any, optimizer: Any, l2: Any,
                learning_rate: Any, validation: Any) -> Job:
    """What fit is asked to do, in plain numbers, with all names looked up.

    Args:
        model, X, y, loss, optimizer, l2, learning_rate, validation: as fit takes them.

    Raises:
        TypeError, ValueError: for anything that does not fit.
    """
    if not isinstance(model, Module):
        raise TypeError(f"fit trains a Module, not {type(model).__name__}")
    checked_loss = _checked_loss(loss)
    rows, targets = _checked_data(model, X, y, checked_loss, "X", "y")
    if isinstance(checked_loss, OwnLoss):
        of_row = checked_loss.of_row(model, rows, flat_targets(y))
        if of_row is not None:
            checked_loss = of_row
            rows, targets = _checked_data(model, X, y, checked_loss, "X", "y")
    watched: tuple[Rows, list[Any]] | None = None
    if validation is not None:
        if not isinstance(validation, tuple | list) or len(validation) != 2:
            raise TypeError("validation is a pair (X, y)")
        watched = _checked_data(model, validation[0], validation[1], checked_loss,
                                "validation X", "validation y")
    return Job(model, rows, targets, checked_loss,
                _checked_optimizer(optimizer, model, learning_rate), not_negative(l2, "l2"),
                watched)


def _checked_loss(loss: Any) -> Loss:
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise ValueError(f"there is no loss {loss!r}; choose one of "
                             f"{', '.join(map(repr, LOSSES))}, or give a function of "
                             "(answers, targets)")
        return LOSSES[loss]
    if callable(loss):
        return OwnLoss(loss)
    raise TypeError(f"loss is a name or a function of (answers, targets), not {loss!r}")


def _checked_data(model: Module, X: Any, y: Any, loss: Loss, rows_name: str,
                  targets_name: str) -> tuple[Rows, list[Any]]:
    rows = checked_rows(X, rows_name)
    with no_grad():
        answer = model(rows[0])  # a wrong number of inputs is an error of the model
    outputs = len(answer) if isinstance(answer, list | tuple | np.ndarray) else None
    targets = flat_targets(y)
    if len(targets) != len(rows):
        raise ValueError(f"{rows_name} has {len(rows)} rows, but {targets_name} has "
                         f"{len(targets)} targets")
    return rows, loss.checked_targets(targets, len(rows), outputs)


def checked_rows(X: Any, name: str) -> Rows:
    if not _is_table(X):
        raise ValueError(f"{name} must be rows of numbers of one length, shape "
                         "(n, number of inputs); for a single input write [[x] for x in xs]")
    rows = [[as_float(number, f"{name}[{i}][{j}]") for j, number in enumerate(row)]
            for i, row in enumerate(X)]
    if not rows:
        raise ValueError(f"{name} has no rows")
    for i, row in enumerate(rows):
        for j, number in enumerate(row):
            if not math.isfinite(number):
                raise ValueError(f"{name}[{i}][{j}] is {number}; there must be no nan and no "
                                 "infinity in the data")
    return rows


def _is_table(X: Any) -> bool:
    if isinstance(X, np.ndarray):
        return X.ndim == 2
    return (isinstance(X, list | tuple)
            and all(isinstance(row, list | tuple | np.ndarray) for row in X)
            and len({len(row) for row in X}) <= 1)


def flat_targets(y: Any) -> list[Any]:
    """The targets; a column of shape (n, 1) counts as shape (n,)."""
    if isinstance(y, str | bytes | dict) or not hasattr(y, "__iter__"):
        raise TypeError(f"y must be a list with one target for each row, not {y!r}")
    if isinstance(y, np.ndarray) and y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    return list(y)


def _checked_optimizer(optimizer: Any, model: Module, learning_rate: Any) -> Optimizer:
    if isinstance(optimizer, Optimizer):
        if learning_rate is not None:
            raise ValueError("this optimizer has a learning rate already; give learning_rate to "
                             "the optimizer, or give the optimizer by name")
        if set(optimizer.parameters) != set(model.parameters()):
            raise ValueError("the optimizer's parameters are not those of the model; make it with "
                             "model.parameters()")
        return optimizer
    if not isinstance(optimizer, str) or optimizer not in OPTIMIZERS:
        raise ValueError(f"there is no optimizer {optimizer!r}; choose one of "
                         f"{', '.join(map(repr, OPTIMIZERS))}, or give an Optimizer")
    options = {} if learning_rate is None else {"learning_rate": learning_rate}
    return OPTIMIZERS[optimizer](model.parameters(), **options)


def check_devices(backend: Any, mesh: Any, compiled: bool, size: int) -> None:
    """Refuse a back end that is not there, and a mesh that does not fit."""
    if backend not in (None, *BACK_ENDS):
        raise ValueError(f"there is no back end {backend!r} for a training; choose one of "
                         f"{', '.join(map(repr, BACK_ENDS))}, or None for the quickest")
    if backend is not None and not compiled:
        raise ValueError(f"backend={backend!r} is about compiled steps; leave out compiled=False")
    if mesh is not None and backend != "jax":
        raise ValueError('a mesh is for JAX; write backend="jax" beside it')
    if backend == "jax":
        from autograd.compiler.backends.jax.devices import refuse_missing

        refuse_missing()
    if mesh is not None:
        from autograd.compiler.backends.jax.mesh import checked, refuse_rest

        refuse_rest(checked(mesh), size, " of a batch", "choose as batch_size")
