"""Module: whatever has parameters, and what can be done with all of them at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd.core.aliases import attributes_elsewhere
from autograd.core.attributes import MISSING, attributes_of, unseen_slots
from autograd.core.typing import Array
from autograd.core.value import NOT_COMPUTED, Value, assign, no_grad
from nn.storage import Entry, checked_state, read_state, write_state


class Module:
    """The base of neurons, layers, networks and models of your own.

    A subclass keeps its parameters in attributes: leaf Values, other Modules, and lists, tuples,
    dictionaries or arrays of them. It defines ``__call__``, which takes one row.
    """

    # The last slot is for the compiled training that ``fit`` leaves to the next one. It goes with
    # the module, and stands among no attributes that a module of your own may walk over.
    __slots__ = ("__dict__", "__weakref__", "_kept_training")

    def __getstate__(self) -> Any:
        """The attributes, for copies and pickles: a training that is kept is none of them."""
        space = dict(vars(self))
        slots = {name: part for name, part in attributes_of(self).items()
                 if name not in space and part is not MISSING}
        return (space, slots) if slots else space

    def __call__(self, x: Any) -> Any:
        """The answer for one row: a Value, or a list of them."""
        raise NotImplementedError(f"{type(self).__name__} does not define __call__(self, x)")

    def parameters(self) -> list[Value]:
        """All parameters, each once, in the order in which the attributes were made."""
        return [value for _, held in _holders(self) for value in
                (held if held.__class__ is list else (held,))]

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """(name, parameter) for each parameter; the name is the path of attributes to it."""
        for name, held in _holders(self):
            if isinstance(held, list):
                yield from ((f"{name}.{i}", value) for i, value in enumerate(held))
            else:
                yield name, held

    def zero_grad(self) -> None:
        """Forget the gradients: they read 0, and the next ``backward()`` starts from 0."""
        for parameter in self.parameters():
            parameter.grad = NOT_COMPUTED

    def state_dict(self) -> dict[str, Entry]:
        """The numbers of all parameters: name -> float, or list of floats for a list of Values.

        Raises:
            ValueError: when two of them have the same name.
        """
        return {name: [value.data for value in held] if isinstance(held, list) else held.data
                for name, held in _by_name(self).items()}

    def load_state_dict(self, state: Any) -> None:
        """Set all parameters, or, if anything is wrong with the state, none.

        Args:
            state: what ``state_dict()`` of a module of the same shape gave.

        Raises:
            TypeError: when it is not a dictionary of numbers.
            ValueError: that names the missing, the unexpected and the mis-sized entries.
        """
        holders = _by_name(self)
        sizes = {name: len(held) if isinstance(held, list) else None
                 for name, held in holders.items()}
        checked = checked_state(state, sizes, f"this {type(self).__name__}")
        leaves: list[Value] = []
        numbers: list[float] = []
        for name, entry in checked.items():
            held = holders[name]
            leaves += held if isinstance(held, list) else [held]
            numbers += entry if isinstance(entry, list) else [entry]
        assign(leaves, numbers)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to a file of numbers only (JSON, every bit kept).

        The file is whole at any moment, whoever else saves to it. A symbolic link is replaced.

        Args:
            path: of the file; one that is there is replaced.

        Raises:
            OSError: when the file cannot be written; a file that was there stays as it was.
            ValueError: when two parameters have the same name.
        """
        write_state(path, "parameters", self.state_dict())

    def load(self, path: str | os.PathLike[str]) -> None:
        """Set the parameters from a file that ``save`` wrote; on any error nothing changes.

        Args:
            path: of the file.

        Raises:
            OSError: when the file cannot be read.
            ValueError: when it is damaged, foreign, or of a module of another shape.
        """
        self.load_state_dict(read_state(path, "parameters"))

    def predict(self, X: Any) -> Array:
        """The answers for many rows, as plain numbers; nothing is recorded.

        Args:
            X: rows, shape (n, number of inputs).

        Returns:
            Shape (n,) for one answer a row, (n, m) for m of them.

        Raises:
            ValueError: when X is not two-dimensional, or its rows have a wrong length.
        """
        if len(shape := np.shape(X)) != 2:
            raise ValueError(f"predict takes rows, an array of shape (n, number of inputs), not of "
                             f"shape {shape}; write predict([x]) for one row x")
        with no_grad():
            return np.array([_numbers(self(row)) for row in X], dtype=float)


kept_training: Any = Module.__dict__["_kept_training"]  # whatever a class makes of setattr
unseen_slots.add(kept_training)


def _numbers(answer: Any) -> Any:
    if isinstance(answer, list | tuple | np.ndarray):
        return [_numbers(item) for item in answer]
    return answer.data if answer.__class__ is Value else answer


def _by_name(module: Module) -> dict[str, Any]:
    """What _holders finds, by its names."""
    found: dict[str, Any] = {}
    for name, held in _holders(module):
        if name in found:  # {"a.b": v, "a": {"b": w}} or {1: v, "1": w}
            raise ValueError(f"two parameters of this {type(module).__name__} are called {name!r}, "
                             "and one would take the other's numbers; give them other names")
        found[name] = held
    return found


def _holders(module: Module) -> Iterator[tuple[str, Any]]:
    """(name, Value or list of Values) for all that a module and its parts hold, each Value once."""
    return _walk(vars(module), "", set())


def _walk(items: dict[Any, Any], prefix: str, seen: set[Any]) -> Iterator[tuple[str, Any]]:
    for key, item in items.items():
        if item.__class__ is Value:
            if item.op is None and item not in seen:
                seen.add(item)
                yield f"{prefix}{key}", item
        elif isinstance(item, Module):
            if id(item) not in seen:
                seen.add(id(item))
                yield from _walk(vars(item), f"{prefix}{key}.", seen)
        elif isinstance(item, dict):
            yield from _walk(item, f"{prefix}{key}.", seen)
        elif isinstance(item, list | tuple | np.ndarray):
            flat = list(item.flat) if isinstance(item, np.ndarray) else item
            if all([x.__class__ is Value for x in flat]):  # noqa: C419 - a list is quicker here
                held = [x for x in dict.fromkeys(flat) if x.op is None and x not in seen]
                seen.update(held)
                if held:
                    yield f"{prefix}{key}", held
            else:
                yield from _walk(dict(enumerate(flat)), f"{prefix}{key}.", seen)


attributes_elsewhere(Module, "a Module", {
    "train eval": "leave it out: a Module computes the same in training and after it",
    "forward predict": "call the model with one row: model(x), or autograd.vmap(model)(rows)",
    "fit compile": "write nn.fit(model, X, y, loss=..., optimizer=...)",
    "to cuda cpu half double float": 'leave it out; nn.fit(..., backend="jax") runs elsewhere',
    "summary": "print the model, or write nn.draw(model)",
    "register_parameter register_buffer add_module": "write self.name = Value(...)",
    "apply": "write a loop over model.parameters()",
    "children modules layers_": "the parts are attributes of the model: model.layers"})
