"""Recording: one call of a Python function as a linear program, with guards for every decision.

While the function runs on Values, every comparison becomes a guard, and so does every bare number
that it reads with ``.data``. What no replay could do again (edits, draws of random numbers,
``backward()``) is an error that says what to write instead.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import primitives, value
from ..graph import topological_order
from ..value import Value, _node, describe, recording, tick
from .arguments import Lifted, Results, lift
from .passes import simplified
from .program import Comparison, Program

LARGE = 300_000  # instructions; larger programs are replayed as they are
_PACKAGE = str(Path(__file__).parents[1])


class RecordingError(ValueError):
    """The function does something that a replay of its recording would not do again."""


@dataclass(frozen=True)
class Recording:
    """One branch of a function.

    Attributes:
        program: what the branch computes; its inputs are the numbers among the arguments, then
            the captured Values.
        captured: the leaves from outside that the function used; each replay reads their numbers.
        results: builds what the function returned from the program's outputs.
        places: for each guard of the function the line of Python that made the decision.
    """

    program: Program
    captured: tuple[Value, ...]
    results: Results
    places: tuple[str, ...]


def record(function: Callable[..., Any], arguments: tuple[Any, ...],
           keywords: dict[str, Any], static: frozenset[int] = frozenset()) -> Recording:
    """Call the function on fresh Values and write down what it computes.

    Args:
        function: any function of numbers, sequences, arrays, dictionaries of them.
        arguments, keywords: what it is called with; every int and float in them is an input.
        static: the positions of arguments that are handed over as they are.

    Raises:
        RecordingError: for what no replay could repeat.
        ValueError, ZeroDivisionError, OverflowError: outside a domain, as the eager engine does.
    """
    scribe = _Scribe(tick().clock)
    with recording():
        lifted = lift(arguments, keywords, names_of(function), static)
    with scribe.at_work(), recording():
        returned = function(*lifted.arguments, **lifted.keywords)
    lifted.refuse_changes(RecordingError)
    results = Results(returned)
    return scribe.recording(lifted, results)


def names_of(function: Callable[..., Any]) -> list[str]:
    """The names of the positional parameters, as far as they can be known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


class _Scribe:
    """Notes what a function decides while it runs; a value.Recorder."""

    def __init__(self, since: int) -> None:
        self.since = since
        self.comparisons: list[Comparison] = []
        self.places: dict[str, None] = {}

    @contextmanager
    def at_work(self) -> Iterator[None]:
        before, outer_hook = value.recorder, value.comparison_hook
        value.recorder, value.comparison_hook = self, self.compared
        try:
            yield
        finally:
            value.recorder, value.comparison_hook = before, outer_hook

    def compared(self, relation: str, a: Value, b: Any, outcome: bool) -> None:
        """A comparison came out so: any replay in which it does not takes another branch."""
        self.comparisons.append((relation, a, b, outcome))
        self.places.setdefault(_place())

    def read(self, node: Value) -> None:
        """A bare number was read: what follows from it holds for this number alone."""
        if node.op is None and node._made.clock >= self.since and not node.label:
            return  # a constant of the function's own
        number = node._data
        relation, right = ("==", number) if number == number else ("!=", node)
        self.compared(relation, node, right, True)
        if number == 0.0:  # 0.0 == -0.0, but 1/x tells them apart
            inverse = _node(float("inf"), primitives.div, 1.0, node)
            self.compared(">", inverse, 0.0, str(number) == "0.0")

    def edited(self, node: Value) -> None:
        """A leaf is about to be set."""
        if node._made.clock < self.since or node.label:
            self.refuse(f"it sets the number of {describe(node)}; return the new number, and set "
                        "it outside")

    def refuse(self, what: str) -> None:
        raise RecordingError(f"a function that is recorded once and replayed cannot do this: "
                             f"{what}")

    def recording(self, lifted: Lifted, results: Results) -> Recording:
        captured = self._captured(lifted.leaves, results.computed)
        program = Program.record(results.computed, [*lifted.leaves, *captured],
                                 self.comparisons, self.since)
        if len(program) <= LARGE:
            program = simplified(program)
        return Recording(program, tuple(captured), results, tuple(self.places))

    def _captured(self, inputs: Sequence[Value], computed: Sequence[Value]) -> list[Value]:
        """The older leaves that the program reads, in the order of the graph."""
        compared = [x for _, left, right, _ in self.comparisons for x in (left, right)
                    if x.__class__ is Value]
        roots = [*computed, *compared]
        young = {node for node in topological_order(*roots)
                 if node.op is not None and node._made.clock >= self.since}
        met = dict.fromkeys(roots)
        for node in topological_order(*roots):
            if node in young:
                met.update((p, None) for p in node.parents if p.__class__ is Value)
        return [x for x in met if x.op is None and x._made.clock < self.since]


def _place() -> str:
    """The line of Python outside this package that is being executed."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
