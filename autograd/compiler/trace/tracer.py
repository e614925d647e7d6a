"""Recording: one call of a Python function as a linear program, with guards for every decision.

While the function runs on Values, every comparison becomes a guard, and so does every bare number
that it reads with ``.data``, and every error of an operation outside its domain, whether it was
raised and caught or stayed away. What no replay could do again (edits, draws of random numbers,
``backward()``) is an error that says what to write instead.
"""

from __future__ import annotations

import inspect
import math
import os
import pathlib
import sys
import weakref
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import CodeType
from typing import Any, NamedTuple

from autograd.compiler.program.passes import simplified
from autograd.compiler.program.program import RELATIONS, Comparison, Program
from autograd.compiler.trace.arguments import Lifted, Results, lift
from autograd.compiler.trace.code_names import has_any, instructions_of
from autograd.compiler.trace.domain_guards import conditions_of, may_raise, shown_by
from autograd.compiler.trace.graph_to_program import captured_program
from autograd.compiler.trace.outside import Lookout
from autograd.compiler.trace.same_graphs import are_alike, are_same
from autograd.core import listeners, primitives
from autograd.core.conditions import Condition, decided
from autograd.core.context import here, listeners_on
from autograd.core.gates import is_gated
from autograd.core.graph import collector_at_rest, topological_order
from autograd.core.misuse import explained
from autograd.core.primitives import DOMAIN_ERRORS, Primitive
from autograd.core.pytrees import leaves_of, mapped
from autograd.core.undefined import is_ieee
from autograd.core.value import (
    Listener,
    Operand,
    Value,
    data_of,
    describe,
    listening,
    new_node,
    recording,
    refuse_lost_gradients,
    taking_indices,
    tick,
)

LARGE = 300_000  # instructions; larger programs are replayed as they are
_PACKAGE = str(pathlib.Path(__file__).parents[2])


class RecordingError(ValueError):
    """The function does something that a replay of its recording would not do again."""


class Recording:
    """One branch of a function.

    Its program is written when it is first asked for: that takes longer than the call itself, and
    not every recording is replayed. Until then it holds the graph.

    Args:
        graph: what the function has computed.
        results: builds what the function returned from the program's outputs.
        places: for each guard of the function the line of Python that made the decision.
        path: what it decided, one thing after the other.
        has_selected: whether a choice by ``np.where`` is an operation: where what is left out has
            an infinite slope, the slope of the whole is nan, while the eager engine has a number.

    Attributes:
        decisions: how many comparisons the function made; other guards are those of domains.
    """

    def __init__(self, graph: Graph, results: Results, places: tuple[str, ...],
                 path: Path, has_selected: bool = False) -> None:
        self.results, self.places, self.path = results, places, path
        self.has_selected = has_selected
        self.decisions = len(graph.comparisons)
        self._graph: Graph | None = graph
        self._written: tuple[Program, tuple[Value, ...]] | None = None

    @property
    def program(self) -> Program:
        """What the branch computes, of the numbers among the arguments, then those captured."""
        return self._write()[0]

    @property
    def captured(self) -> tuple[Value, ...]:
        """The leaves from outside that the function used; each replay reads their numbers."""
        return self._write()[1]

    @property
    def graph(self) -> Graph | None:
        """What the program will be written from; None once it is."""
        return self._graph

    def _write(self) -> tuple[Program, tuple[Value, ...]]:
        graph = self._graph
        if graph is not None:  # threads that come at one time write the same
            self._written = graph.written()
            self._graph = None
        assert self._written is not None
        return self._written

    def is_same(self, other: Recording) -> bool:
        """Whether both compute the same from the same, and return it in the same places."""
        if self.results.outline() != other.results.outline():
            return False
        ours, theirs = self._graph, other._graph
        if ours is not None and theirs is not None and are_same(ours, theirs):
            return True  # without a program of the other one
        return (self.program == other.program
                and len(self.captured) == len(other.captured)
                and all(map(are_alike, self.captured, other.captured)))

    def is_longer(self, length: int) -> bool:
        """Whether the program has more instructions than so many."""
        graph = self._graph
        if graph is not None and graph.is_surely_short(length):
            return False  # without writing it
        return len(self.program) > length


def record(function: Callable[..., Any], arguments: tuple[Any, ...],
           keywords: dict[str, Any], static: frozenset[int] = frozenset(),
           lookout: Lookout | None = None) -> Recording:
    """Call the function on fresh Values and write down what it computes.

    Args:
        function: any function of numbers, sequences, arrays, dictionaries of them.
        arguments, keywords: what it is called with; every int and float in them is an input.
        static: the positions of arguments that are handed over as they are.
        lookout: who notes what the function reads from outside, if anybody is to.

    Raises:
        RecordingError: for what no replay could repeat.
        ValueError, ZeroDivisionError, OverflowError: outside a domain, as the eager engine does.
    """
    scribe = _Scribe(tick().clock, selects=True)
    try:
        found = _recorded(scribe, function, arguments, keywords, static, lookout)
        if not scribe.has_selected or all(map(math.isfinite, found.results.numbers)):
            return found
    except TypeError as error:
        if (other := explained(error)) is not error:
            raise other from error
        raise
    except DOMAIN_ERRORS as error:
        if isinstance(error, RecordingError) or not scribe.has_selected:
            raise
    # Of what a selection leaves out something is not defined, or it is infinite, and 0 times it
    # nan; then the choice is a branch.
    return _recorded(_Scribe(tick().clock), function, arguments, keywords, static, lookout)


def _recorded(scribe: _Scribe, function: Callable[..., Any], arguments: tuple[Any, ...],
              keywords: dict[str, Any], static: frozenset[int],
              lookout: Lookout | None) -> Recording:
    overheard = _Scribe(scribe.since)
    _overheard.add(overheard)
    with recording():
        lifted = lift(arguments, keywords, names_of(function), static)
    refusals: list[str] = []
    with listening(scribe), recording(refusals), taking_indices(), collector_at_rest():
        call = function if lookout is None else partial(lookout.call, function)
        returned = call(*lifted.arguments, **lifted.keywords)
        refuse_lost_gradients(refusals)
        scribe.take_over(overheard, lifted.leaves)
        lifted.refuse_changes(RecordingError)
        if any(isinstance(leaf, Condition) for leaf in leaves_of(returned)):
            returned = mapped(returned, decided)  # who returns truths asks for them
        return scribe.recording(lifted, Results(returned))


def is_recording() -> bool:
    """Whether a function is being recorded here; one of another thread does not count."""
    listener = here().listener if listeners_on else None
    while listener is not None and not isinstance(listener, _Scribe | Path):
        listener = listener.outer
    return listener is not None


def names_of(function: Callable[..., Any]) -> list[str]:
    """The names of the positional parameters, as far as they can be known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


class _Scribe(Listener):
    """Notes what a function decides while it runs."""

    writes_programs = True

    def __init__(self, since: int, selects: bool = False) -> None:
        self.since = since
        self.selects = selects
        self.path = Path()
        self.comparisons: list[Comparison] = []
        self.places: dict[str, None] = {}
        self.delicate: list[tuple[Value, bool]] = []  # that raised no error; if it were caught
        self.gated: list[Value] = []  # which the eager engine computes on a condition alone
        self.refusal: RecordingError | None = None
        self.has_selected = False

    def selected(self) -> None:
        """A condition has become a row."""
        self.has_selected = True

    def deviated(self) -> None:
        """A plain call takes another way."""
        self.path.deviated()

    def compared(self, relation: str, a: Value, b: Any, outcome: bool) -> None:
        """A comparison came out so: any replay in which it does not takes another branch."""
        self.path.compared(relation, a, b, outcome)
        self._guard(relation, a, b, outcome)

    def _guard(self, relation: str, a: Value, b: Any, outcome: bool) -> None:
        self.comparisons.append((relation, a, b, outcome))
        self.places[_place()] = None

    def computed(self, node: Value) -> None:
        """An operation raised no error: a replay in which it would takes another branch."""
        if node.op is not None and may_raise(node.op):
            if is_gated():
                self.gated.append(node)
            elif not is_ieee():
                self.delicate.append((node, _is_in_try()))

    def failed(self, primitive: Primitive, operands: tuple[Operand, ...]) -> None:
        """An error is raised: where it is not, the function goes another way."""
        self.path.failed(primitive, operands)
        for position, relation, bound in primitive.raises or ():
            operand = operands[position]
            if operand.__class__ is Value and RELATIONS[relation](operand._data, bound):
                end = math.copysign(math.inf, operand._data)  # there it may be defined again
                self._guard(relation, operand, bound, True)
                self._guard("==", operand, end, operand._data == end)
                return
        self._read_all(operands)

    def _read_all(self, operands: tuple[Operand, ...]) -> None:
        for operand in operands:
            if operand.__class__ is Value:
                self._guard_number(operand)

    def read(self, node: Value) -> None:
        """A bare number was read: what follows from it holds for this number alone."""
        self.path.read(node)
        self._guard_number(node)

    def _guard_number(self, node: Value) -> None:
        if node.op is None and node._made.clock >= self.since and not node.label:
            return  # a constant of the function's own
        number = node._data
        relation, right = ("==", number) if number == number else ("!=", node)
        self._guard(relation, node, right, True)
        if number == 0.0:  # 0.0 == -0.0, but 1/x tells them apart
            inverse = new_node(float("inf"), primitives.div, 1.0, node)
            self._guard(">", inverse, 0.0, str(number) == "0.0")

    def edited(self, node: Value) -> None:
        """A leaf is about to be set."""
        self.refuse(f"it sets the number of {describe(node)}; make a new Value inside the "
                    "function, or return the new number and set it outside")

    def refuse(self, what: str) -> None:
        """What no replay could do again; it stays an error if the function catches it."""
        self.refusal = RecordingError(
            f"a function that is recorded once and replayed cannot do this: {what}")
        raise self.refusal

    def recording(self, lifted: Lifted, results: Results) -> Recording:
        """What was noted.

        Raises:
            RecordingError: the first refusal, which the function itself has caught.
        """
        if self.refusal is not None:
            raise self.refusal
        computed = tuple(results.computed)
        results.forget_graph()
        graph = Graph(computed, tuple(lifted.leaves), tuple(self.comparisons),
                      tuple(self.delicate), tuple(self.gated), self.since, tick().clock)
        return Recording(graph, results, tuple(self.places), self.path, self.has_selected)

    def take_over(self, overheard: _Scribe, inputs: Sequence[Value]) -> None:
        """What other threads do with the inputs, this function has told them to do."""
        ours = set(inputs)

        def is_ours(*nodes: Any) -> bool:
            return not ours.isdisjoint(
                topological_order(*[node for node in nodes if node.__class__ is Value]))

        theirs = [c for c in overheard.comparisons if is_ours(c[1], c[2])]
        self.comparisons += theirs
        self.path.is_whole &= not theirs
        self.delicate += [(node, True) for node, _ in overheard.delicate if is_ours(node)]
        self.gated += filter(is_ours, overheard.gated)

    def guard_domains(self, computed: Sequence[Value], order: Sequence[Value],
                      needed: Container[Value]) -> None:
        """Guards for the errors that no result would show by being inf or nan, or that decide."""
        if self.delicate:
            shown = shown_by(computed, order, needed)
            for node, is_caught in self.delicate:
                if is_caught or node not in shown:
                    self._guard_domain(node)
        if self.gated:
            shown = shown_by(computed, order, needed, where_chosen=True)
            for node in self.gated:
                if node not in shown and node in needed:
                    self._guard_domain(node)

    def _guard_domain(self, node: Value) -> None:
        assert node.op is not None
        operands, conditions = node.parents, conditions_of(node)
        if conditions is None and math.isfinite(node._data):
            nothing = new_node(0.0, primitives.mul, node, 0.0)  # but nan, if the node is not finite
            self.comparisons.append(("==", nothing, 0.0, True))
        elif conditions is None or any(
                RELATIONS[relation](data_of(operands[position]), bound)
                for position, relation, bound in conditions):
            self._read_all(operands)  # an infinity, of which it is defined
        else:
            self.comparisons += [(relation, operands[position], bound, False)
                                 for position, relation, bound in conditions
                                 if isinstance(operands[position], Value)]


class Path(Listener):
    """What a call decides, one thing after the other: all calls that do so take one branch.

    Args:
        like: the path of a recording. Where that took another way than a plain call does, a call
            that is to be compared with it has to go that way, too.

    Attributes:
        decided: outcomes of comparisons, and numbers that were read.
        has_deviated: whether a plain call takes another way, whose results may have other bits.
        is_whole: whether no other thread has decided anything.
    """

    def __init__(self, like: Path | None = None) -> None:
        self.decided: list[object] = []
        self.has_deviated, self.is_whole = False, True
        self.selects = self.writes_programs = like is not None and like.has_deviated

    def is_same(self, other: Path) -> bool:
        """Whether both are known to lead to the same branch."""
        return self.is_whole and other.is_whole and self.decided == other.decided

    def deviated(self) -> None:
        self.has_deviated = True

    def compared(self, relation: str, a: Value, b: Any, outcome: bool) -> None:
        is_number = relation == "==" and outcome and b.__class__ is float  # int(v) tells it so
        self.decided.append((b,) if is_number else outcome)

    def read(self, node: Value) -> None:
        self.decided.append(node._data.hex())

    def failed(self, primitive: Primitive, operands: tuple[Operand, ...]) -> None:
        self.decided.append(primitive.name)

    def computed(self, node: Value) -> None:
        """No decision."""

    def selected(self) -> None:
        """No decision."""

    def edited(self, node: Value) -> None:
        """The eager engine's affair."""

    def refuse(self, what: str) -> None:
        """The eager engine does it."""


class Graph(NamedTuple):
    """What a function has computed, while no program is written.

    Attributes:
        computed: the Values that it returned.
        inputs: those of the numbers among its arguments.
        comparisons: what it compared.
        delicate: the nodes that raised no error, each with whether it would have been caught.
        gated: those that may be undefined wherever they are not chosen.
        since, until: when it began, and when it had ended; leaves made or edited at another time
            are from outside.
    """

    computed: tuple[Value, ...]
    inputs: tuple[Value, ...]
    comparisons: tuple[Comparison, ...]
    delicate: tuple[tuple[Value, bool], ...]
    gated: tuple[Value, ...]
    since: int
    until: int

    def written(self) -> tuple[Program, tuple[Value, ...]]:
        """The program, and the leaves from outside that it reads after the inputs."""
        def all_comparisons(order: list[Value], needed: Container[Value]) -> list[Comparison]:
            scribe = _Scribe(self.since)
            scribe.comparisons += self.comparisons
            scribe.delicate += self.delicate
            scribe.gated += self.gated
            scribe.guard_domains(self.computed, order, needed)
            return scribe.comparisons

        with recording():  # guards of domains may need nodes
            program, captured = captured_program(self.computed, self.inputs, all_comparisons,
                                                 self.since, self.until)
        if len(program) <= LARGE:
            program = simplified(program)
        return program, tuple(captured)

    def decides(self, often: int) -> bool:
        """Whether it compares so many different things."""
        seen: set[Any] = set()
        for relation, left, right, _ in self.comparisons:
            seen.add((relation, id(left), id(right) if right.__class__ is Value else right))
            if len(seen) >= often:
                return True
        return False

    def is_surely_short(self, length: int) -> bool:
        """Whether the program will have no more instructions than so many, guards included."""
        decided = [x for _, left, right, _ in self.comparisons for x in (left, right)
                   if x.__class__ is Value]
        undefined = [node for node, _ in self.delicate] + [*self.gated]
        room = length - len(decided) - sum(1 + len(node.parents) for node in undefined)
        return room > 0 and not self.is_longer(room, decided + undefined)

    def is_longer(self, length: int, others: Sequence[Value] = ()) -> bool:
        """Whether so many nodes were computed, for the results and for others."""
        seen: set[Value] = set()
        pending: list[Any] = [*self.computed, *others]
        push, pop, see, since = pending.append, pending.pop, seen.add, self.since
        while pending and len(seen) <= length:
            node = pop()
            if node.op is None or node in seen or node._made.clock < since:
                continue
            see(node)
            left, right = node._left, node._right
            if left.__class__ is Value:
                push(left)
            elif left.__class__ is not float:
                pending += [x for x in node.parents if x.__class__ is Value]
                continue
            if right.__class__ is Value:
                push(right)
        return len(seen) > length


class ValueScribe(_Scribe):
    """Notes the decisions of a primitive's value function, and whether one of its rows failed."""

    def __init__(self) -> None:
        super().__init__(tick().clock)
        self.has_failed = False

    def computed(self, node: Value) -> None:
        """What raises an error is nan in compiled code; no guard is wanted."""

    def failed(self, primitive: Primitive, operands: tuple[Operand, ...]) -> None:
        self.has_failed = True

    def read(self, node: Value) -> None:
        self.refuse("it reads .data")


@contextmanager
def heard() -> Iterator[ValueScribe]:
    """Inside, a value function may be called on Values."""
    scribe = ValueScribe()
    with listening(scribe), recording():
        yield scribe


class _Overheard(Listener):
    """Hands on what threads do in which nobody listens, to all that record just now.

    A function that is recorded may have started them. What they edit, print or refuse is their own
    affair.
    """

    writes_programs = True

    def __init__(self) -> None:
        self._scribes: set[weakref.ref[_Scribe]] = set()

    def add(self, scribe: _Scribe) -> None:
        """Tell a scribe from now on, as long as it lives."""
        self._scribes.add(weakref.ref(scribe, self._scribes.discard))

    def forget(self) -> None:
        """In a child process: the threads that were recording have stayed in the parent."""
        self._scribes.clear()

    @property
    def scribes(self) -> list[_Scribe]:
        """Those that live. A set of weak references must not be walked while threads add to it."""
        alive = [reference() for reference in list(self._scribes)]
        return [scribe for scribe in alive if scribe is not None]

    def compared(self, relation: str, a: Value, b: Any, outcome: bool) -> None:
        for scribe in self.scribes:
            scribe.compared(relation, a, b, outcome)

    def read(self, node: Value) -> None:
        for scribe in self.scribes:
            scribe.read(node)

    def computed(self, node: Value) -> None:
        for scribe in self.scribes:
            scribe.computed(node)

    def failed(self, primitive: Primitive, operands: tuple[Operand, ...]) -> None:
        for scribe in self.scribes:
            scribe.failed(primitive, operands)

    def edited(self, node: Value) -> None:
        """Its own affair."""

    def refuse(self, what: str) -> None:
        """Its own affair."""


_overheard = _Overheard()
listeners.eavesdropper = _overheard
if hasattr(os, "register_at_fork"):  # what other threads record goes on in the parent alone
    os.register_at_fork(after_in_child=_overheard.forget)


def _is_in_try() -> bool:
    """Whether a function that has not returned yet could catch an error; from the recording on."""
    frame, end = sys._getframe(2), record.__code__
    while frame.f_back is not None and (code := frame.f_code) is not end:
        known = _catching.get(id(code))
        if known is None or known[0] is not code:
            if len(_catching) >= MOST_KNOWN:
                _catching.clear()
            known = _catching[id(code)] = code, bool(
                _FILES[code.co_filename]) and _handles_errors(code)
        if known[1]:
            return True
        frame = frame.f_back
    return False


MOST_KNOWN = 4096  # pieces of code
_catching: dict[int, tuple[CodeType, bool]] = {}  # by identity, for the hash of code takes long


def _handles_errors(code: CodeType) -> bool:
    return has_any(code, "SETUP_FINALLY", "SETUP_WITH", "PUSH_EXC_INFO") and any(
        name in ("SETUP_FINALLY", "SETUP_WITH", "PUSH_EXC_INFO")
        for name, _, _ in instructions_of(code))


def _place() -> str:
    """The line of Python outside this package that is being executed."""
    frame = sys._getframe(2)
    while frame.f_back is not None and not _FILES[frame.f_code.co_filename]:
        frame = frame.f_back
    path = frame.f_code.co_filename
    return f"{_FILES[path] or pathlib.Path(path).name}:{frame.f_lineno}"


class _Files(dict[str, str]):
    """The name of each file, found once, and without a call that a profile hook would look at."""

    def __missing__(self, path: str) -> str:
        """The name without folders, "" for a file of this package."""
        self[path] = "" if path.startswith(_PACKAGE) else pathlib.Path(path).name
        return self[path]


_FILES = _Files()
