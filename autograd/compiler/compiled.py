"""Compiled: what jit and vmap share: recordings, what the function captures, derived functions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial, update_wrapper
from typing import Any, NamedTuple, TypeVar

from autograd.compiler.backends import choice as backends
from autograd.compiler.backends.interface import Kernel
from autograd.compiler.profitability import STEADY, Candidate, Profit, is_branchy, waits
from autograd.compiler.program.array_program import ArrayProgram
from autograd.compiler.program.array_recognition import find_arrays
from autograd.compiler.program.program import Program
from autograd.compiler.recipes import Recipe, bound, derivative_of, reduced
from autograd.compiler.trace.arguments import Results, lift, objects_of
from autograd.compiler.trace.captured_state import Watch
from autograd.compiler.trace.ignored import standing_in, watched, without_stand_ins
from autograd.compiler.trace.inlining import inlined
from autograd.compiler.trace.outside import Lookout
from autograd.compiler.trace.plain import are_floats, copied, plain
from autograd.compiler.trace.tracer import Path, Recording, RecordingError, names_of, record
from autograd.core.primitives import DOMAIN_ERRORS
from autograd.core.undefined import in_ieee
from autograd.core.value import listening

C = TypeVar("C", bound="Compiled")
MOST_RECORDINGS = 100  # of one function, if nobody asks for more
CHECKED = 10_000  # instructions up to which a function is recorded twice, to see if it is the same
SHOWN = 5  # guards and places of a recording that are written out


class Note(NamedTuple):
    """One recording: why it was made, for which kind of arguments, what it holds and runs on."""

    reason: str
    key: Any
    recording: Recording
    backend: str = ""
    why_not_quicker: str = ""
    calls_before: int = 0  # it is compiled


class Known:
    """The recordings for one kind of arguments, and the Watch of what all of them hang on.

    Whoever records adds to the one that belongs to its own Watch: if another thread has found a
    change meanwhile and dropped it, the recording is dropped with it.
    """

    __slots__ = ("candidate", "replays", "watch")

    def __init__(self, watch: Watch, replays: list[Any]) -> None:
        self.watch = watch
        self.replays = replays  # the first one is tried first; never edited, but replaced
        self.candidate: Candidate | None = None  # a recording that is not compiled yet

    @property
    def recordings(self) -> list[Recording]:
        """All that is recorded, the latest first."""
        waiting = [] if self.candidate is None else [self.candidate.recording]
        return [*waiting, *(replay.recording for replay in self.replays)]


class Latest(NamedTuple):
    """How to replay the branch that was taken last, at one array of the same shape."""

    shape: tuple[int, ...]
    holds: Callable[[], bool]
    outputs: Callable[[Any], Any]
    build: Callable[[Any], Any]


class Compiled:
    """A function with its recordings.

    Attributes:
        function: the function itself.
        n_recordings: how often it was recorded so far.
        notes: each recording, and why it was made.
        derived: its derivatives, and what it is as a method of objects, compiled each by itself.
        recipe: how it was made, by which it is pickled.
        is_everywhere: whether it was made with ``undefined="nan"``, and raises no domain errors.
        profit: whether recordings pay; None where max_recordings says how many to make.
        mesh: the devices over which rows are spread; None for one device.
    """

    mesh: Any = None
    writes_checks = True  # at once, not when they are made often

    def __init__(self, function: Callable[..., Any], backend: str | None,
                 max_recordings: int | None, static: frozenset[int] = frozenset(),
                 ignore: tuple[str, ...] = ()) -> None:
        if not callable(function):
            raise TypeError(f"jit and vmap take a function, not {function!r}")
        update_wrapper(self, function)  # type: ignore[arg-type]
        self.function = function
        self.backend = backends.checked(backend)
        self.given_max_recordings = max_recordings
        self.max_recordings = MOST_RECORDINGS if max_recordings is None else max_recordings
        self.profit = Profit() if max_recordings is None else None
        self.static = static
        self.ignore = ignore
        self.n_recordings = 0
        self.notes: list[Note] = []
        self._known: dict[Any, Known] = {}
        self._latest: Latest | None = None
        self._reason = ""
        self._plain: Callable[..., Any] | None = None
        self.is_everywhere = in_ieee in derivative_of(function)[:1]
        self.derived: dict[Any, Any] = {}
        self.recipe = Recipe(type(self), function, backend, max_recordings, static, ignore)

    # --- recording -------------------------------------------------------------------------------

    def known(self, key: Any) -> Known | None:
        """The recordings that hold; all are dropped if what the function captures has changed."""
        known = self._known.get(key)
        if known is not None:
            for check in known.watch.quick:
                if not check():
                    self._reason = f"{known.watch.changed()} has changed"
                    self._known.clear()
                    self._latest = None
                    return None
        return known

    def change(self, key: Any = None) -> str | None:
        """The name of something that the function captures and that is not as it was, or None."""
        known = self._known.get(key)
        return None if known is None else known.watch.changed()

    def recorded(self, key: Any, arguments: tuple[Any, ...], keywords: dict[str, Any],
                 may_wait: bool = False) -> tuple[Recording, Known]:
        """What this call does, noted with the reason why it is recorded; and where it belongs.

        Args:
            key, arguments, keywords: of the call.
            may_wait: whether a branchy function becomes a candidate, which is recorded a second
                time when it is compiled.
        """
        reason = self._reason or ("another branch" if key in self._known else
                                  "another kind of arguments" if self._known else
                                  "the first call")
        watch = self._watch(arguments, keywords)
        _refuse_captured(watch)
        lookout = None if watch.is_pure else Lookout(watch.captures())
        is_alone = threading.active_count() == 1
        recording = self._record(watch, arguments, keywords, lookout, is_kept=True)
        is_alone &= threading.active_count() == 1
        is_sure = _refuse_readings(watch, lookout, is_alone)
        has_printed = lookout is not None and lookout.has_printed  # and would again
        waits = self._waits(recording, may_wait)
        is_once = has_printed or (
            not waits and is_sure and recording.is_longer(CHECKED))
        if is_once:
            _refuse_changes(watch)
        has_held = lookout is None and watch.holds()
        if not has_held:
            watch = self._watch(arguments, keywords)  # what was imported inside, or cached, too
        if lookout is not None:
            watch.add_libraries(lookout)
        if waits and not is_once and not has_held:
            self._plainly(arguments, keywords)  # what changes at each call is seen now
            _refuse_changes(watch)
        elif not waits and not is_once:
            self._refuse_another(watch, recording, arguments, keywords)
        known = self._settled(watch, self._known.get(key))
        if waits:
            known.candidate = Candidate(recording)
        self._known[key] = known
        self._reason = ""
        self.n_recordings += 1
        self.notes.append(Note(reason, key, recording))
        return recording, known

    def _waits(self, recording: Recording, may_wait: bool) -> bool:
        """Whether to compile a recording only once its branch has shown to be steady."""
        if self.profit is None:
            return False
        if may_wait:
            is_waiting = is_often = waits(recording)
        else:
            is_waiting, is_often = False, is_branchy(recording.program, recording.decisions)
        self.profit.recorded(is_often, is_waiting)
        return is_waiting

    def _record(self, watch: Watch, arguments: tuple[Any, ...], keywords: dict[str, Any],
                lookout: Lookout | None = None, is_kept: bool = False) -> Recording:
        """What this call does.

        Args:
            watch, arguments, keywords, lookout: of the call.
            is_kept: whether what it counts in ignored names stays counted.
        """
        if not self.ignore:
            return record(self.function, arguments, keywords, self.static, lookout)
        try:
            with standing_in(watch.ignored, RecordingError, is_kept) as guard:
                return record(watched(self.function, guard), arguments, keywords, self.static,
                              lookout)
        finally:
            without_stand_ins(self._watch(arguments, keywords).ignored)

    def may_record(self, key: Any) -> bool:
        """Whether a branch that is not known yet is recorded.

        Args:
            key: of what kind the arguments are.
        """
        return self.n_recordings < self.max_recordings and (
            self.profit is None or self.profit.may_record(is_branch=key in self._known))

    def confirm(self, known: Known, candidate: Candidate, arguments: tuple[Any, ...],
                keywords: dict[str, Any]) -> None:
        """Record a candidate a second time, to see whether it computes the same.

        Raises:
            RecordingError: if it does not, or changes what it captures.
        """
        self._refuse_another(known.watch, candidate.recording, arguments, keywords)
        if self.profit is not None:
            self.profit.compiled()

    def compiled(self, recording: Recording, row_inputs: Sequence[bool] | None = None,
                 sums: Sequence[bool] | None = None, backend: str | None = None,
                 reason: str = "", threads: int | None = None) -> Kernel:
        """A recording's kernel; the latest note keeps which back end runs it, and why that one.

        Args:
            recording, row_inputs, sums: what to compile, and how; see ``backends.interface``.
            backend: the back end that must do it; None takes the one that the user wants.
            reason: why it must.
            threads: at most so many compute the rows; None for one for each processor core.
        """
        choice = backends.choose(recording.program, row_inputs, sums, backend or self.backend,
                                 inlined, threads, self.mesh)
        for i, note in enumerate(self.notes):  # not the last one: other threads note, too
            if note.recording is recording:
                self.notes[i] = note._replace(backend=choice.backend,
                                              why_not_quicker=reason or choice.reason,
                                              calls_before=getattr(choice.kernel, "calls", 0))
        return choice.kernel

    def _watch(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Watch:
        """What the function reads besides the numbers among its arguments."""
        objects = objects_of((arguments, keywords))
        return Watch(partial(self.function, *objects) if objects else self.function, self.ignore)

    def _settled(self, watch: Watch, before: Known | None) -> Known:
        """The Watch of the latest recording, with the recordings before that hold as well."""
        replays = []
        if before is not None and before.watch.changed() is None:  # no other thread did anything
            watch.add_all_of_libraries(before.watch)
            replays = before.replays
        watch.settle(self.writes_checks)
        return Known(watch, replays)

    def _captures_values(self) -> bool:
        """Whether the function uses Values from outside, by which one could differentiate."""
        return next(Watch(self.function).values, None) is not None

    def _eager_graph(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """The call as a part of a graph: Values, that hang on what the function captures."""
        lifted = lift(arguments, keywords, names_of(self.function), self.static)
        return self.function(*lifted.arguments, **lifted.keywords)

    def watched(self) -> dict[str, Any]:
        """What another function's recording hangs on if it calls this one: no recordings."""
        return {name: part for name, part in vars(self).items()
                if not name.startswith("_")
                and name not in ("n_recordings", "notes", "derived", "recipe", "mesh", "profit")}

    def _refuse_another(self, watch: Watch, recording: Recording, arguments: tuple[Any, ...],
                        keywords: dict[str, Any]) -> None:
        """Record it again: a function that then computes something else cannot be replayed."""
        again = self._record(watch, arguments, keywords)
        _refuse_changes(watch)
        if not recording.is_same(again):
            raise RecordingError(
                "the function computes something else when it is called again with the same "
                "arguments; does it keep numbers from one call to the next, or hang on the "
                "order of a set? Do that outside, and pass the result as an argument"
                f"{_or_another_thread()}")

    def _compared(self, candidate: Candidate, arguments: tuple[Any, ...],
                  keywords: dict[str, Any]) -> tuple[Any, bool]:
        """The call by the eager engine, and whether it takes the branch of a candidate."""
        path = Path(candidate.recording.path)
        if not path.selects:
            result = self._plainly(arguments, keywords, path)
            return result, candidate.recording.path.is_same(path)
        with suppress(*DOMAIN_ERRORS):  # of what a selection leaves out; then it is a branch
            self._plainly(arguments, keywords, path)
        result = self._plainly(arguments, keywords)  # a selection may give other bits
        return result, candidate.recording.path.is_same(path)

    def _plainly(self, arguments: tuple[Any, ...], keywords: dict[str, Any],
                 path: Path | None = None) -> Any:
        """The call by the eager engine, which writes nothing down but the path, if any."""
        if self._plain is None:
            self._plain = plain(self.function, self.static)
        if path is None:
            returned = self._plain(*arguments, **keywords)
        else:
            with listening(path):
                returned = self._plain(*arguments, **keywords)
        if are_floats(returned):
            return copied(returned)
        results = Results(returned)
        return results.build(results.numbers)

    def _eagerly(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """The call without machine code; outside a domain it raises the eager engine's error."""
        if self.is_everywhere:  # it raises none
            return self._plainly(arguments, keywords)
        results = record(self.function, arguments, keywords, self.static).results
        return results.build(results.numbers)

    # --- methods ---------------------------------------------------------------------------------

    def _like(self, function: Callable[..., Any]) -> Compiled:
        """Another function, compiled with the same options."""
        raise NotImplementedError

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """A decorated method: one compiled function for each object."""
        if instance is None:
            return self
        key = ("a bound method", id(instance))
        if key not in self.derived:
            method = self._like(self.function.__get__(instance, type(instance)))
            method.recipe = Recipe(bound, self.recipe, instance)
            self.derived[key] = method
        return self.derived[key]

    # --- what it offers --------------------------------------------------------------------------

    def explain(self) -> str:
        """What was recorded, and why, in words."""
        return explanation(self)

    def program(self) -> Program:
        """The latest recording as data: what each replay computes, instruction by instruction.

        ``print`` shows it as arrays where that is much shorter; ``program.to_json()`` is text that
        ``Program.from_json`` of ``autograd.compiler.program`` reads.

        Raises:
            ValueError: before the first call.
        """
        if not self.notes:
            raise ValueError("nothing is recorded before the first call; call the function once")
        return self.notes[-1].recording.program

    def array_program(self) -> ArrayProgram:
        """The latest recording as data, with the arrays that the scalar code was written from.

        ``expand()`` of it is a linear program that computes the same bits.

        Raises:
            ValueError: before the first call.
        """
        return find_arrays(self.program())

    def source(self, language: str = "python") -> str:
        """The latest recording as source: what each replay computes.

        Args:
            language: "python", or "javascript": a script with a function ``program(x)`` of the
                list of all numbers, which returns those of the result, and is told apart from
                other branches by ``program(x).guard``; see ``backends.javascript``; or "arrays":
                the arrays that the scalar code was written from, as far as they are found again.

        Raises:
            ValueError: before the first call, or for another language.
            Unsupported: for a primitive of one's own that JavaScript has no way to write.
        """
        if language not in ("python", "javascript", "arrays"):
            raise ValueError(f"there is no source in {language!r}; choose 'python', 'javascript' "
                             "or 'arrays'")
        program = self.program()
        from autograd.compiler.backends import javascript, python

        if language == "arrays":
            return str(self.array_program())
        if language == "javascript":
            return javascript.to_javascript(program, rewrite=inlined)
        source: str = python.compile(program).source
        return source

    def __copy__(self: C) -> C:
        """Itself, as for any function; what is copied deeply has recordings of its own."""
        return self

    def __reduce__(self) -> str | tuple[Any, ...]:
        return reduced(self)

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", repr(self.function))
        return f"<{type(self).__name__.lower()} {name}: {self.n_recordings} recording(s)>"


def _refuse_captured(watch: Watch) -> None:
    if watch.iterators:
        raise RecordingError(f"the function captures the iterator {watch.iterators[0]}, whose next "
                             "item a replay would not take; pass the items as arguments")
    if watch.pointers:
        raise RecordingError(f"the function captures the ctypes pointer {watch.pointers[0]}, and "
                             "nobody sees when what it points to changes; pass the numbers as "
                             "arguments")
    if watch.handed_on:
        raise RecordingError(f"the function lets {watch.handed_on[0]} be called where nobody sees "
                             "whether it was; call it outside, and pass the result as an argument")


def _refuse_readings(watch: Watch, lookout: Lookout | None, is_alone: bool) -> bool:
    """Refuse what was read from outside; whether all of it was seen.

    Args:
        watch: as it was before the function was recorded.
        lookout: who looked at that, None for a function that cannot read anything.
        is_alone: whether no other thread was running, which may draw random numbers, too.
    """
    if lookout is not None and lookout.reading is not None:
        raise RecordingError(str(lookout.reading))
    name = watch.drawn(is_alone, is_seen=lookout is not None and lookout.has_seen_all)
    if name is not None:
        raise RecordingError(f"the function draws random numbers from {name}, and a replay would "
                             "repeat those of the recording; draw them outside and pass them as "
                             "arguments")
    return lookout is None or (lookout.has_seen_all and watch.drawn() is None)


def _refuse_changes(watch: Watch) -> None:
    if (name := watch.changed()) is not None:
        last = name.split(".")[-1]
        ignoring = (f", or, if it is a counter or the like, on which no result hangs, write "
                    f'jit(f, ignore=("{last}",))' if last.isidentifier() else "")
        raise RecordingError(f"the function changes {name}, which it does not own; a replay would "
                             "not do it again. Return what changes, and set it outside"
                             f"{ignoring}{_or_another_thread()}")


def _or_another_thread() -> str:
    """Nobody can tell who it was; to record again would let pass what differs only at first."""
    return "" if threading.active_count() == 1 else (
        " (if another thread changed something meanwhile, call it again)")


# --- explaining ----------------------------------------------------------------------------------

def explanation(compiled: Compiled, name: str | None = None) -> str:
    """One paragraph for each recording, and the same for each derivative that was called."""
    name = name or getattr(compiled.function, "__name__", "the function")
    lines = [f"{name}: {compiled.n_recordings} recording(s)"]
    for number, note in enumerate(compiled.notes, 1):
        lines += _paragraph(number, note)
    if compiled.n_recordings >= compiled.max_recordings:
        lines.append("That is as many as max_recordings allows: whatever else comes is computed "
                     "eagerly. Does the function read numbers with .data, or loop until a "
                     "tolerance is met, differently for every argument?")
    if compiled.profit is not None and compiled.profit.eager:
        lines.append(f"{compiled.profit.eager} call(s) were computed by the eager engine: they "
                     "take so many branches that to record each would take longer than it saves. "
                     "autograd.maximum, minimum and where choose without a branch")
    for (transform, options), derived in compiled.derived.items():
        if derived.n_recordings or derived.derived:
            transform = options[0] if transform is in_ieee else transform
            what = getattr(transform, "__name__", transform).replace("_", " ")
            lines.append(explanation(derived, f"{what} of {name}"))
    return "\n".join(lines)


def _paragraph(number: int, note: Note) -> list[str]:
    program, captured = note.recording.program, note.recording.captured
    lines = [f"{number}. {note.reason}: {len(program)} instruction(s), "
             f"{program.n_inputs - len(captured)} number(s) in, {len(program.outputs)} out"]
    if captured:
        names = ", ".join(leaf.label or "a Value" for leaf in captured[:SHOWN])
        more = ", ..." if len(captured) > SHOWN else ""
        lines.append(f"   reads at each call: {names}{more}")
    for guard in program.guards[:SHOWN]:
        lines.append(f"   holds while ({program.name(guard.left)} {guard.relation} "
                     f"{program.name(guard.right)}) is {guard.outcome}")
    if len(program.guards) > SHOWN:
        lines.append(f"   and {len(program.guards) - SHOWN} more condition(s)")
    if not note.backend and is_branchy(program, note.recording.decisions):
        lines.append(f"   is not compiled before {STEADY} calls in a row have taken this branch, "
                     "for it has many conditions")
    if note.backend:
        slower = f", because {note.why_not_quicker}" if note.why_not_quicker else ""
        later = (f", as machine code from call {note.calls_before + 1:,} on"
                 if note.calls_before else "")
        lines.append(f"   runs on the back end {note.backend}{later}{slower}")
    if note.recording.places:
        places = ", ".join(note.recording.places[:SHOWN])
        more = ", ..." if len(note.recording.places) > SHOWN else ""
        lines.append(f"   decided at {places}{more}")
    return lines
