"""jit: a function that is recorded once for each branch, and replayed at machine speed."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import value
from . import backends
from .arguments import HoldsValues, signature
from .explaining import Note, explanation
from .recording import Recording, RecordingError, record
from .watching import Watch

if TYPE_CHECKING:
    from .objective import Objective

CHECKED = 10_000  # instructions up to which a function is recorded twice, to see if it is the same


class Replay:
    """A recording that was compiled; called with numbers, it gives the results or None.

    None says that the numbers take another branch.
    """

    def __init__(self, recording: Recording, backend: str | None) -> None:
        self.recording = recording
        self.kernel = backends.compile(recording.program, backend=backend)
        self.captured = recording.captured
        self.build = recording.results.build
        self._all_finite = bytes([1]) * len(recording.program.outputs)

    def __call__(self, numbers: Any) -> Any:
        """The outputs as an array, or None where a guard does not hold."""
        if self.captured:
            numbers = [*numbers, *[leaf._data for leaf in self.captured]]
        return self.kernel.point(numbers)

    def is_finite(self, outputs: Any) -> bool:
        """Whether all outputs are finite."""
        return np.isfinite(outputs).tobytes() == self._all_finite


class Jitted:
    """What :func:`jit` returns: call it like the function.

    Attributes:
        function: the function itself.
        n_recordings: how often it was recorded so far.
    """

    def __init__(self, function: Callable[..., Any], backend: str | None,
                 static: frozenset[int], max_recordings: int) -> None:
        if not callable(function):
            raise TypeError(f"jit takes a function, not {function!r}")
        update_wrapper(self, function)
        self.function = function
        self.backend = backends.checked(backend)
        self.static = static
        self.max_recordings = max_recordings
        self.n_recordings = 0
        self.notes: list[Note] = []
        self._replays: dict[Any, list[Replay]] = {}
        self._watch: Watch | None = None
        self._derived: dict[Any, Any] = {}

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if value.recorder is not None:  # a part of something that is being recorded
            return self.function(*arguments, **keywords)
        try:
            key, numbers = self._taken_apart(arguments, keywords)
        except HoldsValues:  # a part of a graph
            return self.function(*arguments, **keywords)
        replays = self._replays.get(key)
        if replays is None or not self._is_unchanged():
            return self._first(key, numbers, arguments, keywords)
        for position, replay in enumerate(replays):
            outputs = replay(numbers)
            if outputs is not None:
                if position:  # the branch that was taken last is tried first
                    replays.insert(0, replays.pop(position))
                if not replay.is_finite(outputs):
                    return self._eagerly(arguments, keywords)
                return replay.build(outputs)
        return self._first(key, numbers, arguments, keywords)

    def _taken_apart(self, arguments: tuple[Any, ...],
                     keywords: dict[str, Any]) -> tuple[Any, Any]:
        """What the call was made with but for the numbers, and the numbers."""
        if len(arguments) == 1 and not keywords and not self.static:
            first = arguments[0]
            if first.__class__ is np.ndarray and first.dtype == np.float64:
                return (np.ndarray, first.shape), first.ravel()
            numbers: list[float] = []
            return signature(first, numbers), numbers
        numbers = []
        static = self.static
        key = [(type(a), a) if i in static else signature(a, numbers)
               for i, a in enumerate(arguments)]
        if keywords:
            key += [(name, signature(item, numbers)) for name, item in keywords.items()]
        return tuple(key), numbers

    def _is_unchanged(self) -> bool:
        """Whether all that the function captures is as it was; else its recordings are dropped."""
        watch = self._watch
        if watch is not None:
            for check in watch.quick:
                if not check():
                    self._forget(f"{watch.changed()} has changed")
                    return False
        return True

    def _forget(self, reason: str) -> None:
        self._replays.clear()
        self._watch = None
        self._reason = reason

    _reason = ""

    def _first(self, key: Any, numbers: Any, arguments: tuple[Any, ...],
               keywords: dict[str, Any]) -> Any:
        """Record what this call does, unless that was done too often, and run it."""
        if self.n_recordings >= self.max_recordings:
            return self._eagerly(arguments, keywords)
        reason = self._reason or ("another branch" if key in self._replays else
                                  "another kind of arguments" if self._replays else
                                  "the first call")
        recording = self._recorded(arguments, keywords)
        self._reason = ""
        replay = Replay(recording, self.backend)
        self._replays.setdefault(key, []).insert(0, replay)
        self.n_recordings += 1
        self.notes.append(Note(reason, key, recording))
        outputs = replay(numbers)
        if outputs is None or not replay.is_finite(outputs):
            return self._eagerly(arguments, keywords)
        return replay.build(outputs)

    def _recorded(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Recording:
        """A recording of a function that does the same when it is called again."""
        watch = Watch(self.function)
        if watch.iterators:
            raise RecordingError(f"the function captures the iterator {watch.iterators[0]}, whose "
                                 "next item a replay would not take; pass the items as arguments")
        recording = record(self.function, arguments, keywords, self.static)
        _refuse_side_effects(watch)
        if len(recording.program) <= CHECKED:
            with contextlib.redirect_stdout(io.StringIO()):
                again = record(self.function, arguments, keywords, self.static)
            if again.program != recording.program:
                raise RecordingError(
                    "the function computes something else when it is called again with the same "
                    "arguments; does it draw random numbers, look at the clock or read a file? "
                    "Do that outside, and pass the result as an argument")
        if self._watch is None:
            self._watch = watch
        return recording

    def _eagerly(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """The call without machine code; outside a domain it raises the eager engine's error."""
        recording = record(self.function, arguments, keywords, self.static)
        return recording.results.build(np.array([v._data for v in recording.results.computed]))

    # --- what it offers -----------------------------------------------------------------------------

    def __compose__(self, transform: Callable[..., Any], *options: Any) -> Jitted:
        """The compiled derivative: transforms of a compiled function come here."""
        key = (transform, options)
        if key not in self._derived:
            self._derived[key] = Jitted(transform(self.function, *options), self.backend,
                                        self.static, self.max_recordings)
        derived: Jitted = self._derived[key]
        return derived

    def explain(self) -> str:
        """What was recorded, and why, in words."""
        return explanation(self)

    def source(self) -> str:
        """The latest recording as Python source: what each replay computes.

        Raises:
            ValueError: before the first call.
        """
        if not self.notes:
            raise ValueError("nothing is recorded before the first call; call the function once")
        from . import python

        source: str = python.compile(self.notes[-1].recording.program).source
        return source

    def scipy(self, sparse: bool = False) -> Objective:
        """fun, jac, hess and hessp for scipy.optimize; see :class:`objective.Objective`."""
        from .objective import Objective

        return Objective(self, sparse)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else _bound(self, instance)

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", repr(self.function))
        return f"<jit of {name}: {self.n_recordings} recording(s)>"


def _refuse_side_effects(watch: Watch) -> None:
    if (name := watch.drawn()) is not None:
        raise RecordingError(f"the function draws random numbers from {name}, and a replay would "
                             "repeat those of the recording; draw them outside and pass them as "
                             "arguments")
    if (name := watch.changed()) is not None:
        raise RecordingError(f"the function changes {name}, which it does not own; a replay would "
                             "not do it again. Return what changes, and set it outside")


def _bound(jitted: Jitted, instance: Any) -> Jitted:
    """A method decorated with jit: one compiled function for each object."""
    store = jitted._derived
    key = ("bound to", id(instance))
    if key not in store:
        method = jitted.function.__get__(instance, type(instance))
        store[key] = Jitted(method, jitted.backend, jitted.static, jitted.max_recordings)
    bound: Jitted = store[key]
    return bound


def jit(function: Callable[..., Any] | None = None, *, backend: str | None = None,
        static_argnums: int | tuple[int, ...] = (), max_recordings: int = 100) -> Any:
    """Compile a function of numbers: recorded at its first call, replayed from then on.

    Ordinary Python control flow works: every comparison that the function makes while it is
    recorded is checked at every replay, and a call that would take another branch is recorded
    anew. So is a call after a variable, list or attribute that the function captures has changed.
    Values from outside (a model's parameters) are read at each replay.

    ``jit(grad(f))`` and ``grad(jit(f))`` are the same: the compiled gradient.

    Args:
        function: takes numbers, sequences, arrays and dictionaries of them; returns the same.
            Without it, jit is a decorator with options: ``@jit(backend="python")``.
        backend: "llvm", "numpy" or "python"; None takes the quickest that is installed.
        static_argnums: the positions of arguments that are no inputs, such as a number of steps;
            they are handed over as they are, and each new one is recorded.
        max_recordings: from then on what is not recorded yet is computed eagerly.

    Returns:
        A function of the same arguments that returns floats, with the attributes ``n_recordings``,
        ``explain()``, ``source()`` and ``scipy()``. Called with Values, it is the function itself,
        so that it can be a part of any graph.

    Raises:
        RecordingError: when called, for a function that no replay could repeat: it draws random
            numbers, changes what it captures, or computes something else each time.
        ValueError, ZeroDivisionError, OverflowError: when called, outside a domain; the same
            error as without jit.
    """
    if function is None:
        return lambda f: jit(f, backend=backend, static_argnums=static_argnums,
                             max_recordings=max_recordings)
    if getattr(function, "__compose__", None) is not None:
        return function  # compiled already
    positions = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    return Jitted(function, backend, frozenset(positions), max_recordings)
