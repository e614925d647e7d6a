"""The operations of a graph as JavaScript: of each the value, the local derivatives, the kink.

A page holds a graph as a table of operations and operands, and a few functions for each *kind* of
operation, which the back end ``javascript`` writes. A partial derivative that asks for the numbers
of its operands, as that of a power does, is written once for each way through it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

from autograd.compiler.backends.javascript import to_javascript_object
from autograd.compiler.program.program import Comparison, Program, Unsupported
from autograd.compiler.trace.graph_to_program import graph_to_program
from autograd.compiler.trace.inlining import boundaries, inlined, points
from autograd.compiler.trace.on_rows import NotPython, on_rows
from autograd.core.array_primitive import Result
from autograd.core.primitive import DOMAIN_ERRORS, Primitive
from autograd.core.primitives import where
from autograd.core.value import Listener, Value, listening, recording

MOST_POINTS, MOST_WAYS = 400, 24

# Of a node's operands those that vary; a constant is its number, or None where nobody asks for it.
VARIES = "varies"


class Kind(NamedTuple):
    """What nodes have in common that are computed by the same functions of the page.

    Args:
        op: the row of the table.
        operands: for each VARIES, or what there is to know of a constant.
    """

    op: Primitive
    operands: tuple[float | str | None, ...]

    @classmethod
    def of(cls, node: Value) -> Kind:
        """The kind of a computed node."""
        assert node.op is not None
        if isinstance(node.op, Result):
            name = node.op.call.function.name
            raise Unsupported(f"a page computes operations on numbers, and {name} is a primitive "
                              "of arrays; show a graph without it, or draw(y)", (name,))
        kind = cls(node.op, tuple(VARIES if isinstance(p, Value) else None for p in node.parents))
        # The condition of a choice is asked, though by an operation instead of a comparison.
        if None in kind.operands and (node.op is where or len(kind.slopes()) > 1):
            return cls(node.op, tuple(VARIES if isinstance(p, Value) else p
                                      for p in node.parents))
        return kind

    def slopes(self) -> list[Way]:
        """The ways through the local derivatives, which are given for the operands that vary."""
        return ways(self.op, len(self.operands), self._slopes)

    def _slopes(self, *operands: Any) -> list[Any]:
        given = tuple(fixed if isinstance(fixed, float) else operand
                      for operand, fixed in zip(operands, self.operands, strict=True))
        return list(self.op.local_derivatives(given, self.op.apply(given),
                                              [operand == VARIES for operand in self.operands]))

    def kink(self) -> list[Way]:
        """The ways through the distance from the kink; none where it cannot be looked into."""
        if self.op.kink is None:
            return []
        try:
            kink = on_rows(self.op.kink)
            return ways(self.op, len(self.operands), lambda *operands: [kink(*operands)])
        except (NotPython, TypeError, AttributeError):  # it is written for floats alone
            return []


class Way(NamedTuple):
    """One way through a function of an operation's operands.

    Args:
        program: its guards say where it is taken.
        places: which of the function's results its outputs are; the others are None. None itself
            says that the function raises an error.
    """

    program: Program
    places: list[int] | None


def ways(row: Primitive, count: int, function: Callable[..., list[Any]]) -> list[Way]:
    """The ways that are found through a function of an operation's operands.

    It is called at points inside and outside of the domain, on both sides of its comparisons.

    Args:
        row: the operation.
        count: how many operands it has.
        function: gives numbers, as graphs, or None.

    Returns:
        The ways, of which never two are taken.
    """
    found: dict[tuple[bool, ...], Way] = {}
    waiting = list(points(row, count))
    tried: set[str] = set()
    while waiting and len(tried) < MOST_POINTS and len(found) < MOST_WAYS:
        point = waiting.pop(0)
        if repr(point) in tried:
            continue
        tried.add(repr(point))
        way = _way(function, [Value(x, "operand") for x in point])
        outcomes = tuple(guard.outcome for guard in way.program.guards)
        if way.places is not None and not outcomes:
            return [way]  # it asks for no number: there is no other
        if outcomes not in found:
            waiting[:0] = boundaries(way.program, point)
        if outcomes not in found or found[outcomes].places is None:
            found[outcomes] = way
    # What ends in an error before others part is nan there by its operations.
    return [way for outcomes, way in found.items()
            if not any(outcomes == other[:len(outcomes)] != other for other in found)]


def _way(function: Callable[..., list[Any]], operands: list[Value]) -> Way:
    decisions, results, places = Decisions(), [], None
    with listening(decisions), recording(), contextlib.suppress(*DOMAIN_ERRORS):
        results = function(*operands)
        places = [place for place, result in enumerate(results) if result is not None]
    return Way(graph_to_program([results[place] for place in places or ()], operands,
                                decisions.comparisons), places)


class Decisions(Listener):
    """Keeps the comparisons that it is told of; a number that was read is compared with itself."""

    def __init__(self) -> None:
        self.comparisons: list[Comparison] = []

    def compared(self, relation: str, a: Value, b: Any, outcome: bool) -> None:
        self.comparisons.append((relation, a, b, outcome))

    def read(self, node: Value) -> None:
        if node.op is not None or node.label:  # else a constant of the function's own
            self.comparisons.append(("==", node, node._data, True))


class Script:
    """Writes the functions for kinds of operations.

    Attributes:
        kinds: the kinds that were asked for, in the order of the tables.
        tables: for each kind the functions to call: ``value`` one name; ``slopes`` a list of
            [name, places], the ways; ``kink`` names likewise.
    """

    def __init__(self) -> None:
        self.tables: list[dict[str, Any]] = []
        self.kinds: list[Kind] = []
        self._places: dict[Any, int] = {}
        self._names: dict[Program, str] = {}

    def place(self, kind: Kind) -> int:
        """The place of a kind in the tables."""
        key = (kind.op, repr(kind.operands))  # -0.0 is not 0.0
        if key not in self._places:
            count = len(kind.operands)
            value = Program(count, (), (kind.op.name,), (tuple(range(count)),), (count,))
            table = {"value": self._function(value),
                     "slopes": [[self._function(way.program), way.places]
                                for way in kind.slopes()],
                     "kink": [self._function(way.program) for way in kind.kink()]}
            self._places[key] = len(self.tables)
            self.kinds.append(kind)
            self.tables.append(table)
        return self._places[key]

    @property
    def text(self) -> str:
        """A script that declares ``functions``, an object with each under its name.

        Raises:
            Unsupported: when JavaScript has no way to write one; the message names the primitive.
        """
        programs = {name: program for program, name in self._names.items()}
        return to_javascript_object(programs, "functions", inlined)

    def _function(self, program: Program) -> str:
        """The name of the function that computes a program."""
        if program not in self._names:
            self._names[program] = f"f{len(self._names)}"
        return self._names[program]


__all__ = ["VARIES", "Decisions", "Kind", "Script", "Way", "ways"]
