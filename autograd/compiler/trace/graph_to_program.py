"""A graph of Values as a linear program: each node that is needed gets a slot."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from autograd.compiler.program.program import (
    Columns,
    Comparison,
    Guard,
    Program,
    Unsupported,
    bits_key,
)
from autograd.core.array_primitive import own_vjp
from autograd.core.call import Call
from autograd.core.primitives import Primitive, as_float, identity
from autograd.core.typing import Array
from autograd.core.value import Value

FEW = 8  # captured numbers, of whose order nothing hangs
CONSTANT, RESULT = 1 << 40, 1 << 41  # far above all slots


def graph_to_program(outputs: Sequence[Any], inputs: Sequence[Value],
                     comparisons: Iterable[Comparison] = (), since: int | None = None) -> Program:
    """The program that computes outputs from inputs, read off the graph of Values.

    Args:
        outputs: Values, or floats, which become constants.
        inputs: the Values whose numbers will be given; all other leaves are constants.
        comparisons: (relation, left, right, outcome) of Values or floats, to be guards.
        since: a clock; nodes that are older are constants, whatever they came from.

    Raises:
        TypeError: for an output that is neither Value nor number, or an input that is no Value.
        ValueError: for an input that is given twice.
    """
    return _Recorder(inputs, since).program(outputs, lambda *_: comparisons)


def captured_program(outputs: Sequence[Any], inputs: Sequence[Value],
                     comparisons: Callable[[list[Value], Container[Value]], Iterable[Comparison]],
                     since: int, until: float = math.inf) -> tuple[Program, list[Value]]:
    """Like :func:`graph_to_program`, but other leaves become inputs, too, behind those given.

    Args:
        outputs, inputs, since: as for :func:`graph_to_program`.
        comparisons: is told the nodes that the outputs need, in topological order and as a
            set, and gives the comparisons that are to be guards.
        until: when the graph was complete; a leaf that is younger was edited since, and is older.

    Returns:
        The program, and those leaves in the order of their inputs.
    """
    recorder = _Recorder(inputs, since, until, capture=True)
    return recorder.program(outputs, comparisons), recorder.captured


def _row_of_result(node: Value) -> Primitive:
    """What a program does with what a result of a function of arrays was computed from."""
    return own_vjp if node._left.function.only_by_vjp else identity


def _recorded(node: Value) -> Any:
    """What a result of a function of arrays was computed from, while it was recorded.

    Raises:
        Unsupported: for one that was computed on numbers alone.
    """
    if node._right is None:
        name = node._left.function.name
        raise Unsupported(f"the graph holds a result of {name}, a primitive of arrays, whose "
                          "operations were not recorded", (name,))
    return node._right


class _Recorder:
    """Gives slots to the nodes of a graph, and writes down what each reads.

    While the nodes are met, nobody knows how many inputs and constants there will be: the slots of
    constants are counted from CONSTANT, those of results from RESULT, until all are known.
    """

    def __init__(self, inputs: Sequence[Value], since: int | None, until: float = math.inf,
                 capture: bool = False) -> None:
        self.slots: dict[Any, int] = {}
        for position, node in enumerate(inputs):
            if node.__class__ is not Value:
                raise TypeError(f"input {position} must be a Value, not {node!r}")
            if node in self.slots:
                raise ValueError(f"input {position} is given twice")
            self.slots[node] = position
        self.n_given = len(inputs)
        self.since = -math.inf if since is None else since
        self.until = until
        self.capture = capture
        self.captured: list[Value] = []
        self.order: list[Value] = []  # the nodes to compute, each after its operands
        self.reads: list[int] = []  # their operands, one after the other
        self.counts: dict[int, int] = {}  # how many operands those have that have not two
        self.has_calls = False
        self.constants = _Constants()
        self.of_leaves: list[int] = []  # the constants that are leaves

    def program(self, outputs: Sequence[Any],
                decide: Callable[[list[Value], Container[Value]], Iterable[Comparison]]) -> Program:
        returned = [x if x.__class__ is Value else as_float(x, "an output") for x in outputs]
        self._walk(returned)
        comparisons = list(decide(self.order, self.slots))
        self._walk([x for _, left, right, _ in comparisons for x in (left, right)])
        ends = [self._slot(x) for x in returned]
        compared = [(self._slot(left), self._slot(right)) for _, left, right, _ in comparisons]
        reads = np.array(self.reads, dtype=np.int64)
        inputs = self._places_of_inputs(reads)
        # Leaves come first: they are constants that somebody has named, mostly.
        numbers = list(dict.fromkeys((*self.of_leaves, *range(len(self.constants.numbers)))))
        constants = np.empty(len(numbers), np.int64)
        constants[numbers] = np.arange(len(inputs), len(inputs) + len(numbers))
        first = len(inputs) + len(numbers)

        def final(slots: Array) -> Array:
            found: Array = slots + (first - RESULT)
            for start, places in ((CONSTANT, constants), (0, inputs)):
                here = np.flatnonzero((slots >= start) & (slots < start + len(places)))
                found[here] = places[slots[here] - start]
            return found

        rows = list(map(attrgetter("op"), self.order))
        if self.has_calls:
            rows = [row if node._left.__class__ is not Call else _row_of_result(node)
                    for row, node in zip(rows, self.order, strict=True)]
        counts = np.full(len(rows), 2)
        counts[list(self.counts)] = list(self.counts.values())
        place = {row: i for i, row in enumerate(dict.fromkeys(rows))}
        columns = Columns(
            tuple([row.name for row in place]),
            np.fromiter(map(place.__getitem__, rows), np.int64, len(rows)), counts, final(reads))
        guarded = final(np.array(compared, dtype=np.int64).reshape(-1)).reshape(-1, 2).tolist()
        return Program.of_columns(
            len(inputs), tuple([self.constants.numbers[i] for i in numbers]), columns,
            tuple(final(np.array(ends, dtype=np.int64)).tolist()),
            tuple(dict.fromkeys(Guard(relation, left, right, bool(outcome)) for
                                (relation, _, _, outcome), (left, right) in
                                zip(comparisons, guarded, strict=True))))

    def _slot(self, x: Any) -> int:
        return self.slots[x] if x.__class__ is Value else self.constants[x]

    def _walk(self, roots: Sequence[Any]) -> None:
        """Give slots to what the Values among the roots need, each after its operands.

        The walk is that of ``topological_order``, but it ends at inputs and at older nodes.
        """
        slots, constants, captured = self.slots, self.constants, self.captured
        stack: list[Value | None] = [x for x in reversed(roots) if x.__class__ is Value]
        push, pop, slot_of = stack.append, stack.pop, slots.get
        reads, done = self.reads, self.order.append
        since, until, capture = self.since, self.until, self.capture
        slot, next_captured = RESULT + len(self.order), self.n_given + len(captured)
        young: Any = None  # the Moment of the latest node that was not older
        a: Any  # what a node reads
        b: Any
        while True:  # not "while stack": the loops that Python 3.11 speeds up end in a plain jump
            if not stack:
                break
            node: Any = pop()
            if node is None:
                node = pop()
            elif node in slots:
                continue
            elif node.op is None:
                if capture and not since <= node._made.clock < until:
                    slots[node] = next_captured
                    next_captured += 1
                    captured.append(node)
                else:
                    self._constant(node)
                continue
            elif node._made is not young:
                if node._made.clock < since:  # a constant, whatever it came from
                    self._constant(node)
                    continue
                young = node._made
            left, right = node._left, node._right
            if left.__class__ is Value:
                a = slot_of(left)
                if a is None:
                    push(node)
                    push(None)
                    if right.__class__ is Value and right not in slots:
                        push(right)
                    push(left)
                    continue
            elif left.__class__ is tuple and (missing := [
                    x for x in left if x.__class__ is Value and x not in slots]):
                push(node)
                push(None)
                stack += reversed(missing)
                continue
            if right.__class__ is Value:
                b = slot_of(right)
                if b is None:
                    push(node)
                    push(None)
                    push(right)
                    continue
            if left.__class__ is not Value and left.__class__ is not float:
                self._read_others(node)
            else:
                if left.__class__ is float:
                    a = constants[left]
                if right.__class__ is Value:
                    reads += a, b
                elif right is None:
                    reads.append(a)
                    self.counts[slot - RESULT] = 1
                else:
                    reads += a, constants[right]
            slots[node] = slot
            slot += 1
            done(node)

    def _read_others(self, node: Any) -> None:
        """Write down what a node reads that has not one or two operands."""
        operands = node._left
        if operands.__class__ is Call:
            operands, self.has_calls = (_recorded(node),), True
        slots, constants = self.slots, self.constants
        self.reads += [slots[x] if x.__class__ is Value else constants[x] for x in operands]
        self.counts[len(self.order)] = len(operands)

    def _constant(self, node: Value) -> None:
        """Give a slot to a node that is a constant."""
        self.slots[node] = slot = self.constants[node._data]
        self.of_leaves.append(slot - CONSTANT)

    def _places_of_inputs(self, reads: Array) -> Array:
        """For each input the slot that it gets: those captured as nodes read them.

        The walk meets the first weights of a network's last layer, then all of the layers before,
        then the other weights of the last; so they stand layer by layer, as arrays.
        """
        given, n = self.n_given, self.n_given + len(self.captured)
        places = np.arange(n)
        if len(self.captured) >= FEW:
            met = reads[(reads >= given) & (reads < n)]
            where = np.full(n, -1)
            where[met[::-1]] = np.arange(len(met))[::-1]  # first, for what comes last stays
            # Behind them those that are only compared or returned.
            order = np.concatenate((met[where[met] == np.arange(len(met))],
                                    given + np.flatnonzero(where[given:] < 0)))
            places[order] = np.arange(given, n)
            self.captured[:] = [self.captured[i] for i in (order - given).tolist()]
        return places


class _Constants(dict[float, int]):
    """The slot of each constant, in the order in which they are met, by its bits."""

    def __init__(self) -> None:
        self.numbers: list[float] = []
        self._others: dict[Any, int] = {}  # zeros, whose sign counts, and nan

    def __missing__(self, number: float) -> int:
        key = bits_key(number)
        slot = CONSTANT + len(self.numbers)
        if key is number:
            self[number] = slot
        else:
            slot = self._others.setdefault(key, slot)
        if slot - CONSTANT == len(self.numbers):
            self.numbers.append(number)
        return slot
