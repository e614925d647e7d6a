"""A graph of Values as a linear program: each node that is needed gets a slot."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any

from autograd.compiler.program.program import (
    Comparison,
    Guard,
    Program,
    Unsupported,
    bits_key,
)
from autograd.core.array_primitive import own_vjp
from autograd.core.call import Call
from autograd.core.primitives import Primitive, as_float, identity
from autograd.core.value import Value

FEW = 8  # captured numbers, of whose order nothing hangs


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


def _name_of_result(node: Value) -> str:
    """What a program does with what a result of a function of arrays was computed from."""
    row: Primitive = own_vjp if node._left.function.only_by_vjp else identity
    return row.name


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
    """Gives slots to the nodes of a graph."""

    def __init__(self, inputs: Sequence[Value], since: int | None, until: float = math.inf,
                 capture: bool = False) -> None:
        self.inputs: dict[Value, int] = {}
        for position, node in enumerate(inputs):
            if node.__class__ is not Value:
                raise TypeError(f"input {position} must be a Value, not {node!r}")
            if node in self.inputs:
                raise ValueError(f"input {position} is given twice")
            self.inputs[node] = position
        self.since = -math.inf if since is None else since
        self.until = until
        self.capture = capture
        self.captured: list[Value] = []
        self.order: list[Value] = []  # the nodes to compute, each after its operands
        self.leaves: list[Value] = []  # constants among the nodes
        self.seen: set[Value] = set(self.inputs)
        self.constants: dict[Any, int] = {}  # the place of each constant, by its bits
        self.numbers: list[float] = []

    def program(self, outputs: Sequence[Any],
                decide: Callable[[list[Value], Container[Value]], Iterable[Comparison]]) -> Program:
        returned = [x if x.__class__ is Value else as_float(x, "an output") for x in outputs]
        self._walk(returned)
        comparisons = list(decide(self.order, self.seen))
        compared = [x for _, left, right, _ in comparisons for x in (left, right)]
        self._walk(compared)
        self._sort_captured()
        order, leaves = self.order, self.leaves
        self._meet_constants(order, leaves, [*returned, *compared])
        first = len(self.inputs) + len(self.numbers)
        slots: dict[Value, int] = dict(self.inputs)
        slots.update((leaf, self._constant_slot(leaf._data)) for leaf in leaves
                     if leaf not in slots)
        slots.update(zip(order, range(first, first + len(order)), strict=True))

        def slot_of(x: Any) -> int:
            return slots[x] if x.__class__ is Value else self._constant_slot(x)

        constants = {key: len(self.inputs) + place for key, place in self.constants.items()}
        operands: list[tuple[int, ...]] = []
        append = operands.append
        for node in order:  # written out, for this is where the time goes
            left, right = node._left, node._right
            if left.__class__ is Value:
                a = slots[left]
            elif left.__class__ is tuple:
                append(tuple([slots[x] if x.__class__ is Value else constants.get(x) or slot_of(x)
                              for x in left]))
                continue
            elif left.__class__ is Call:
                append((slot_of(_recorded(node)),))
                continue
            else:
                a = constants.get(left) or slot_of(left)
            if right.__class__ is Value:
                append((a, slots[right]))
            elif right is None:
                append((a,))
            else:
                append((a, constants.get(right) or slot_of(right)))
        return Program(
            len(self.inputs), tuple(self.numbers),
            tuple([node.op.name if node._left.__class__ is not Call  # type: ignore[union-attr]
                   else _name_of_result(node) for node in order]),
            tuple(operands),
            tuple([slots[x] if x.__class__ is Value else slot_of(x) for x in returned]),
            tuple(dict.fromkeys(Guard(relation, slot_of(left), slot_of(right), bool(outcome))
                                for relation, left, right, outcome in comparisons)))

    def _walk(self, roots: Sequence[Any]) -> None:
        """Put into order what the Values among the roots need.

        The walk is that of ``topological_order``, but it ends at inputs and at older nodes.
        """
        seen = self.seen
        stack: list[Value | None] = [x for x in reversed(roots) if x.__class__ is Value]
        push, pop, done, see = stack.append, stack.pop, self.order.append, seen.add
        since, until, capture, inputs = self.since, self.until, self.capture, self.inputs
        end, captured = self.leaves.append, self.captured.append
        young: Any = None  # the Moment of the latest node that was not older
        while True:  # not "while stack": the loops that Python 3.11 speeds up end in a plain jump
            if not stack:
                break
            node = pop()
            if node is None:
                done(pop())  # type: ignore[arg-type]
            elif node not in seen:
                see(node)
                if node.op is None:
                    if capture and not since <= node._made.clock < until:
                        inputs[node] = len(inputs)
                        captured(node)
                    else:
                        end(node)
                    continue
                if node._made is not young:
                    if node._made.clock < since:  # a constant, whatever it came from
                        end(node)
                        continue
                    young = node._made
                left, right = node._left, node._right
                if left.__class__ is tuple:
                    push(node)
                    push(None)
                    for parent in reversed(left):
                        if parent.__class__ is Value and parent not in seen:
                            push(parent)
                elif left.__class__ is Value and left not in seen:
                    push(node)
                    push(None)
                    if right.__class__ is Value and right not in seen:
                        push(right)
                    push(left)
                elif right.__class__ is Value and right not in seen:
                    push(node)
                    push(None)
                    push(right)
                else:
                    done(node)

    def _sort_captured(self) -> None:
        """Number what is captured in the order in which nodes read it.

        The walk meets the first weights of a network's last layer, then all of the layers before,
        then the other weights of the last; so they stand layer by layer, as arrays.
        """
        if len(self.captured) < FEW:
            return
        loose = set(self.captured)
        read: dict[Value, None] = {}
        for node in self.order:
            for x in node._left if node._left.__class__ is tuple else (node._left, node._right):
                if x.__class__ is Value and x in loose:
                    loose.remove(x)
                    read[x] = None
            if not loose:
                break
        read.update(dict.fromkeys(self.captured))  # those that are only compared or returned
        first = len(self.inputs) - len(self.captured)
        self.captured[:] = read
        self.inputs.update(zip(read, range(first, len(self.inputs)), strict=True))

    def _meet_constants(self, order: list[Value], leaves: list[Value],
                        others: Sequence[Any]) -> None:
        """Give a place to each constant, in the order in which they are met."""
        meet, known = self._meet, self.constants
        for leaf in leaves:
            meet(leaf._data)
        for node in order:
            left, right = node._left, node._right
            if left.__class__ is float:
                if left not in known:
                    meet(left)
            elif left.__class__ is tuple:
                for x in left:
                    if x.__class__ is float and x not in known:
                        meet(x)
            if right.__class__ is float and right not in known:
                meet(right)
        for x in others:
            if x.__class__ is not Value:
                meet(x)

    def _meet(self, number: float) -> None:
        key = bits_key(number)
        if key not in self.constants:
            self.constants[key] = len(self.numbers)
            self.numbers.append(number)

    def _constant_slot(self, number: float) -> int:
        return len(self.inputs) + self.constants[bits_key(number)]
