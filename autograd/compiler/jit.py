"""jit: a function that is recorded once for each branch, and replayed at machine speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    Protocol,
    TypeVar,
    overload,
)

import numpy as np

from autograd.compiler.backends.interface import Kernel, Provisional, SeesFinite
from autograd.compiler.backends.jax import devices
from autograd.compiler.compiled import Compiled, Known, Latest
from autograd.compiler.recipes import Recipe, composed
from autograd.compiler.scipy_objective import Objective
from autograd.compiler.trace.arguments import HoldsValues, signature, static_signature
from autograd.compiler.trace.batched_results import outline
from autograd.compiler.trace.ignored import checked
from autograd.compiler.trace.inlining import inlined
from autograd.compiler.trace.standalone import standalone
from autograd.compiler.trace.tracer import Recording, is_recording
from autograd.core import value
from autograd.core.aliases import also_called
from autograd.core.context import listeners_on, switched_on
from autograd.core.graph import collector_at_rest
from autograd.core.linear_maps import vjp_of
from autograd.core.transforms import hvp_of, jvp_of
from autograd.core.typing import Array
from autograd.core.undefined import Undefined

if TYPE_CHECKING:
    from autograd.compiler.backends.c import CSource
    from autograd.core.signatures import Derivative, OfValues

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=Compiled)
D = TypeVar("D", bound="Derivative")
P = ParamSpec("P")
R = TypeVar("R")
Positions = int | tuple[int, ...]
_ARRAY, _FLOAT = np.ndarray, np.dtype(float)


class Replay:
    """A recording that was compiled for one point.

    Attributes:
        recording: the recording.
        captured: the leaves whose numbers each replay reads.
        build: makes what the function returns from the outputs.
        outputs: a function of the numbers among the arguments: the outputs, an array; None where
            they take another branch; False where not all are finite.
        is_final: whether that is the one for all calls to come.
    """

    outputs: Callable[[Any], Any]

    def __init__(self, recording: Recording, kernel: Kernel) -> None:
        self.recording = recording
        self.captured = recording.captured
        self.build = recording.results.build
        self._bind(kernel)
        self.is_final = True
        if isinstance(kernel, Provisional):
            self.is_final = False
            self.outputs = partial(self._provisionally, kernel, self.outputs)

    def _bind(self, kernel: Kernel) -> None:
        self._point: Callable[[Any], Any] = (
            kernel.finite_point if isinstance(kernel, SeesFinite) else _looking_at(
                kernel.point, len(self.recording.program.outputs)))
        self.outputs = self._with_captured if self.captured else self._point

    def _provisionally(self, kernel: Provisional, run: Callable[[Any], Any], numbers: Any) -> Any:
        outputs = run(numbers)
        if kernel.final is not None:
            self._bind(kernel.final)
            self.is_final = True
        return outputs

    def _with_captured(self, numbers: Any) -> Any:
        return self._point([*numbers, *[leaf._data for leaf in self.captured]])


def _looking_at(point: Callable[[Any], Array | None],
                count: int) -> Callable[[Any], Array | Literal[False] | None]:
    """A kernel's outputs at one point, or False where not all of so many are finite."""
    all_finite = bytes([1]) * count

    def finite_point(numbers: Any) -> Array | Literal[False] | None:
        outputs = point(numbers)
        if outputs is None or np.isfinite(outputs).tobytes() == all_finite:
            return outputs
        return False

    return finite_point


class Jitted(Compiled, Generic[F]):
    """What :func:`jit` returns: call it like the function."""

    writes_checks = False

    def _called(self, *arguments: Any, **keywords: Any) -> Any:
        latest = self._latest
        if latest is not None and not switched_on and not keywords and len(arguments) == 1:
            first, (shape, holds, at, build) = arguments[0], latest
            if first.__class__ is _ARRAY and first.dtype is _FLOAT and first.shape == shape:
                if holds() and (outputs := at(first)).__class__ is _ARRAY:
                    if (profit := self.profit) is not None:
                        profit.replays += 1
                    return build(outputs)
                self._latest = None
        if listeners_on and is_recording():  # a part of what is being recorded
            return self.function(*arguments, **keywords)
        try:
            key, numbers = self.taken_apart(arguments, keywords)
        except HoldsValues:  # a part of a graph
            return self.function(*arguments, **keywords)
        if switched_on and value.is_transforming() and self._captures_values():  # of a graph, too
            return self._eager_graph(arguments, keywords)
        known = self.known(key)
        if known is not None:
            replays = known.replays
            for replay in replays:
                outputs = replay.outputs(numbers)
                if outputs is False:
                    return self._eagerly(arguments, keywords)
                if outputs is not None:
                    if (profit := self.profit) is not None:
                        profit.replays += 1
                    if replay is not replays[0]:  # the branch that was taken last is tried first
                        known.replays = [replay, *(r for r in known.replays if r is not replay)]
                    elif replay.is_final:
                        if not known.watch.is_written_out:
                            known.watch.write_out()
                        if numbers.__class__ is _ARRAY and numbers is arguments[0]:
                            self._latest = Latest(numbers.shape, known.watch.all_quick,
                                              replay.outputs, replay.build)
                    return replay.build(outputs)
            if known.candidate is not None and self.profit is not None:
                if self.profit.may_look(known.candidate.held):
                    return self._looked(known, key, numbers, arguments, keywords)
                if known.candidate.held:  # so far it is steady
                    return self._unrecorded(arguments, keywords)
        return self._unknown(key, numbers, arguments, keywords)

    if TYPE_CHECKING:
        __call__: F  # it has the signature of the function
    else:
        __call__ = _called

    def _unknown(self, key: Any, numbers: Any, arguments: tuple[Any, ...],
                 keywords: dict[str, Any]) -> Any:
        """A call that takes a branch which is not compiled."""
        if self.may_record(key):
            return self._first(key, numbers, arguments, keywords)
        if self.n_recordings >= self.max_recordings:
            return self._eagerly(arguments, keywords)
        return self._unrecorded(arguments, keywords)

    def _unrecorded(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """A call that the eager engine computes, for a recording would not pay."""
        if self.profit is not None:
            self.profit.eager += 1
        return self._plainly(arguments, keywords)

    def _looked(self, known: Known, key: Any, numbers: Any, arguments: tuple[Any, ...],
                keywords: dict[str, Any]) -> Any:
        """A call that may take the branch of the candidate, which is compiled once it is steady."""
        candidate, profit = known.candidate, self.profit
        assert candidate is not None and profit is not None
        result, holds = self._compared(candidate, arguments, keywords)
        profit.looked(holds)
        candidate.held = candidate.held + 1 if holds else 0
        if not holds and self.may_record(key):
            return self._first(key, numbers, arguments, keywords)
        if not holds or not profit.may_compile(candidate.held):
            profit.eager += 1
            return result
        with collector_at_rest():
            self.confirm(known, candidate, arguments, keywords)
        known.candidate = None
        return self._compiled_now(candidate.recording, known, numbers, arguments, keywords)

    def record_branch(self, *arguments: Any, **keywords: Any) -> None:
        """Record the branch that a call takes, if it is not known, whether or not that pays."""
        key, numbers = self.taken_apart(arguments, keywords)
        known = self.known(key)
        if known is None or all(replay.outputs(numbers) is None for replay in known.replays):
            self._first(key, numbers, arguments, keywords, may_wait=False)

    def _first(self, key: Any, numbers: Any, arguments: tuple[Any, ...],
               keywords: dict[str, Any], may_wait: bool = True) -> Any:
        """Record the branch that a call takes, and replay it."""
        with collector_at_rest():
            recording, known = self.recorded(key, arguments, keywords, may_wait)
            if known.candidate is not None and known.candidate.recording is recording:
                return recording.results.build(recording.results.numbers)
            return self._compiled_now(recording, known, numbers, arguments, keywords)

    def _compiled_now(self, recording: Recording, known: Known, numbers: Any,
                      arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Compile a recording, and replay it."""
        with collector_at_rest():
            replay = Replay(recording, self.compiled(recording))
        outputs = replay.outputs(numbers)
        if outputs is None:  # rounded otherwise, a number that was read with .data is another one
            replay = Replay(recording, self.compiled(  # Python's has the bits of the recording
                recording, backend="python", reason="a decision hangs on the last bits of a "
                "function that other back ends round otherwise"))
            outputs = replay.outputs(numbers)
        known.replays = [replay, *known.replays]
        return self._result(replay, outputs, arguments, keywords)

    def _result(self, replay: Replay, outputs: Any, arguments: tuple[Any, ...],
                keywords: dict[str, Any]) -> Any:
        if outputs is None or outputs is False:
            return self._eagerly(arguments, keywords)
        return replay.build(outputs)

    def taken_apart(self, arguments: tuple[Any, ...],
                     keywords: dict[str, Any]) -> tuple[Any, Any]:
        """What the call was made with but for the numbers, and the numbers."""
        if len(arguments) == 1 and not keywords and not self.static:
            first = arguments[0]
            if first.__class__ is _ARRAY and (first.dtype is _FLOAT or first.dtype == _FLOAT):
                shape = first.shape
                return (_ARRAY, shape), first if len(shape) == 1 else first.ravel()
            numbers: list[float] = []
            return signature(first, numbers), numbers
        numbers = []
        static = self.static
        key = [static_signature(a, i) if i in static else signature(a, numbers)
               for i, a in enumerate(arguments)]
        if keywords:
            key += [(name, signature(item, numbers)) for name, item in keywords.items()]
        return tuple(key), numbers

    def __compose__(self, transform: Callable[..., Any], *options: Any) -> Jitted[Any]:
        """The compiled derivative: transforms of a compiled function come here."""
        key = (transform, options)
        if key not in self.derived:
            # Functions of (primals, tangents) have other arguments, and differentiate by all.
            static = frozenset[int]() if transform in (hvp_of, jvp_of, vjp_of) else self.static
            made: Jitted[Any] = Jitted(transform(self.function, *options), self.backend,
                                       self.given_max_recordings, static, self.ignore)
            made.recipe = Recipe(composed, self.recipe, transform, *options)
            self.derived[key] = made
        derived: Jitted[Any] = self.derived[key]
        return derived

    def outside(self, key: Any) -> Any:
        """What the results of such calls hang on besides the arguments, as it is now."""
        known = self.known(key)
        if known is None:
            return object()  # equal to nothing
        numbers = [leaf._data for replay in known.replays for leaf in replay.captured]
        # The recordings, for another thread may have seen a change, and dropped them; bytes, by
        # which -0.0 is not 0.0.
        return known, np.array(numbers).tobytes()

    def _like(self, function: Callable[..., Any]) -> Jitted[Any]:
        return Jitted(function, self.backend, self.given_max_recordings, self.static,
                      self.ignore)

    if TYPE_CHECKING:
        @overload
        def __get__(self, instance: None, owner: type | None = None) -> Jitted[F]: ...
        @overload
        def __get__(self: Jitted[Callable[Concatenate[Any, P], R]], instance: object,
                    owner: type | None = None) -> Jitted[Callable[P, R]]: ...
        def __get__(self, instance: Any, owner: type | None = None) -> Any: ...

    def to_c(self, name: str) -> CSource:
        """The function as C99 without dependencies, for embedding: all its recorded branches.

        They are those for arguments of the latest kind. ``to_c("f").write(folder)`` writes ``f.c``
        and ``f.h``; in C, ``status = f(x, y)`` reads the numbers among the arguments, in order,
        from ``x``, and writes those of the result into ``y``, truth values as 1 and 0. The status
        is ``f_ok``; ``f_other_branch`` where no recorded branch is taken: record it by a call
        that takes it, and write the function again; or ``f_outside_domain``, where a call raises
        an error. Values from outside are written with the numbers that they have now.

        Args:
            name: what to call the function in C.

        Returns:
            The texts ``source`` and ``header``, and ``write``; see ``backends.c``.

        Raises:
            ValueError: before the first call; after something that the function captures has
                changed; for branches that return different structures; for a name that C or C++
                have taken.
            Unsupported: for a primitive of one's own that C has no way to write.
        """
        from autograd.compiler.backends.c import to_c

        if not self.notes:
            raise ValueError("nothing is recorded before the first call; call the function once")
        key = self.notes[-1].key
        changed = self.change(key)
        known = self.known(key)
        if known is None or not known.recordings:
            raise ValueError(f"{changed or 'something that the function captures'} has changed "
                             "since it was recorded; call the function once more")
        recordings = known.recordings
        if any(outline(recording.results.skeleton) != outline(recordings[0].results.skeleton)
               for recording in recordings):
            raise ValueError("the function returns different structures on different branches, "
                             "which C could not tell apart; return the same one on each")
        return to_c([standalone(recording) for recording in recordings], name, rewrite=inlined)

    def scipy(self, undefined: Undefined = "raise") -> Objective:
        """fun, jac, hess and hessp for scipy.optimize; see :class:`.scipy_objective.Objective`.

        Args:
            undefined: "nan" lets a search go on that steps to where an operation is not defined.
        """
        return Objective(self, undefined)

    def to_jax(self) -> Callable[..., Any]:
        """The function as a pure function of JAX arrays.

        It takes and returns structures like those of the function itself, with JAX's arrays (of
        shape () for a number) in them, and composes with ``jax.jit``, ``vmap``, ``grad`` and
        ``shard_map``. It is what was recorded for arguments of that structure; numbers that were
        not recorded yet are, at a call with numbers. Where no recorded branch holds, the results
        are nan. Values that the function captures are constants, as they were when JAX traced it.

        Raises:
            ImportError: when JAX is not installed.
            ValueError: when called, where JAX computes in single precision, and while JAX traces
                for arguments of a structure that the function was never called with.
            Unsupported: when called, for a program that is too long for XLA.
        """
        devices.refuse_missing()
        from autograd.compiler.jax_function import JaxFunction

        return JaxFunction(self)

    def export(self, *arguments: Any, **keywords: Any) -> bytes:
        """The function as StableHLO, in the bytes of ``jax.export``.

        Args:
            arguments, keywords: an example; the exported function takes arrays of these shapes,
                and has all branches that were recorded for them so far.

        Returns:
            What ``jax.export.deserialize`` reads: ``deserialize(blob).call(*arguments)``.

        Raises:
            ImportError: when JAX is not installed.
            ValueError, TypeError: as a call with these arguments does.
        """
        devices.refuse_missing()
        from autograd.compiler.jax_function import exported

        return exported(self, arguments, keywords)


class Decorator(Protocol):
    """What :func:`jit` returns without a function."""

    @overload
    def __call__(self, function: D, /) -> Jitted[D]: ...
    @overload
    def __call__(self, function: OfValues, /) -> Jitted[Any]: ...
    @overload
    def __call__(self, function: F, /) -> Jitted[F]: ...


@overload
def jit(function: None = None, *, backend: str | None = None, static_argnums: Positions = (),
        max_recordings: int | None = None, ignore: str | Sequence[str] = ()) -> Decorator: ...
@overload
def jit(function: C, *, backend: str | None = None, static_argnums: Positions = (),
        max_recordings: int | None = None, ignore: str | Sequence[str] = ()) -> C: ...
@overload
def jit(function: D, *, backend: str | None = None, static_argnums: Positions = (),
        max_recordings: int | None = None, ignore: str | Sequence[str] = ()) -> Jitted[D]: ...
@overload
def jit(function: OfValues, *, backend: str | None = None, static_argnums: Positions = (),
        max_recordings: int | None = None, ignore: str | Sequence[str] = ()) -> Jitted[Any]: ...
@overload
def jit(function: F, *, backend: str | None = None, static_argnums: Positions = (),
        max_recordings: int | None = None, ignore: str | Sequence[str] = ()) -> Jitted[F]: ...
@also_called({}, {
    "static_argnames": "write static_argnums=, the positions of those arguments",
    "donate_argnums": "leave it out: arguments are read, and their memory stays with the caller",
    "inline": "leave it out: what a compiled function calls is a part of it",
    "nopython": "leave it out", "cache": "leave it out: machine code is kept on disk anyhow"})
def jit(function: Any = None, *, backend: str | None = None, static_argnums: Positions = (),
        max_recordings: int | None = None, ignore: str | Sequence[str] = ()) -> Any:
    """Compile a function of numbers: recorded at its first call, replayed from then on.

    Ordinary Python control flow works: every comparison that the function makes while it is
    recorded is checked at every replay, and a call that would take another branch is recorded
    anew. So is a call after a variable, list or attribute that the function captures has changed.
    Values from outside (a model's parameters) are read at each replay. While it is recorded, the
    function sees Values in place of its numbers; a number that it reads with ``.data``, or prints,
    is checked at each replay, too, and what else it prints, it prints then and not again.

    ``int(v)`` is an index, or a number of rounds: there is one recording for each.

    ``jit(grad(f))`` and ``grad(jit(f))`` are the same: the compiled gradient.
    A decorated method is compiled for each object, and keeps it alive. A profile hook looks at the
    first call for clocks, files, sockets and fresh random numbers, unless all that the function
    mentions is known to be pure; it does not see into threads that the function starts. A function
    of up to 10,000 instructions that prints nothing is recorded twice, to see whether it computes
    the same: a memory of its own, in a cache written in C, could go unnoticed in a longer one.

    Args:
        function: takes numbers, sequences, arrays and dictionaries of them; returns the same.
            Without it, jit is a decorator with options: ``@jit(backend="python")``.
        backend: "llvm", "numpy", "python" or "jax"; None takes the quickest of the first three
            that is installed. With llvm it computes the first calls step by step, with the same
            bits, and makes machine code when there were so many that this pays; ``explain()``
            says when. "llvm" makes it at the first call.
        static_argnums: the positions of arguments that are no inputs, such as a number of steps;
            they are handed over as they are, and each new one is recorded.
        max_recordings: from then on what is not recorded yet is computed eagerly. None records up
            to 100 branches, as long as that pays: a function that takes another one at nearly
            every call is computed by the eager engine, which takes less time than to record it,
            and a long program with many conditions is compiled only when calls in a row have
            taken the same branch. Both are decided by counts: every run gives the same bits.
        ignore: the names of variables and attributes that the function changes and a replay may
            leave out, such as a counter: "nfev" for any of this name, or "self.count.nfev".
            They hold numbers, or lists that are appended to.

    Returns:
        A function of the same arguments that returns floats, with the attributes ``n_recordings``,
        ``explain()``, ``source()``, ``to_c()``, ``scipy()``, ``to_jax()`` and ``export()``. Called
        with Values, it is the function itself, so that it can be a part of any graph.

    Raises:
        TypeError: for what is no function, or is compiled already with other options; when
            called, for arguments that are neither numbers, structures of them nor hashable, and
            for a function that asks a Value for a bare number, even if it catches that error.
        RecordingError: when called, for a function that no replay could repeat: it draws random
            numbers, reads the clock, a file or the like, changes what it captures, captures a
            pointer, or computes something else each time; and where a result or a decision
            hangs on what ``ignore`` names.
        ValueError, ZeroDivisionError, OverflowError: when called, outside a domain; the same
            error as without jit.
    """
    if function is None:
        return lambda f: jit(f, backend=backend, static_argnums=static_argnums,
                             max_recordings=max_recordings, ignore=ignore)
    positions = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    if any(position < 0 for position in positions):
        raise ValueError(f"static_argnums={static_argnums} must count from 0")
    if isinstance(function, Compiled):  # another compiled function only if something else is asked
        if positions or ignore or backend not in (None, function.backend):
            raise TypeError(f"{function!r} is compiled already; give the options to the first jit "
                            "or vmap")
        return function
    return Jitted(function, backend, max_recordings, frozenset(positions), checked(ignore))
