"""The graph under one's hand: sliders at the leaves, both passes step by step, the chain rule.

The page computes by itself. It holds the graph as a table, and functions for the operations in
it; a slider that moves runs both passes over the table, in the order in which ``backward()`` does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd.compiler.trace.arguments import lift
from autograd.compiler.trace.tracer import names_of
from autograd.core.graph import refuse_stale, scope_of, topological_order
from autograd.core.naming import node_names
from autograd.core.primitives import DOMAIN_ERRORS, dot, where
from autograd.core.value import Value, listening, recording
from autograd.explaining.naive_backward import MOST_STEPS
from autograd.explaining.notation import Notation
from autograd.explaining.taught import Taught
from autograd.explaining.typesetting import Typesetter
from autograd.pages.layout import Arrow, Box, laid_out
from autograd.pages.operations import Decisions, Kind, Script
from autograd.pages.page import Page, asset

MAX_NODES = 500
DIRECTIONS = ("LR", "TB")

# Sizes in pixels, as live_graph.css has them.
LETTER = 7.5  # of a name, in the mean
LEAF, COMPUTED, CONSTANT = (164.0, 86.0), (112.0, 66.0), 24.0
WIDEST = 290.0
FACTOR = 62.0  # of the number on an edge


def live(y: Value | Callable[..., Any], *inputs: Any, max_nodes: int = MAX_NODES,
         direction: str = "", renderer: str = "", **named: Any) -> Page:
    """A page with the graph of y, whose leaves have sliders: the numbers follow the hand.

    Values, adjoints and the local derivatives on the edges are computed in the page. A node that
    one points at shows its line of the chain rule. Both passes play step by step, and switches
    show what goes wrong without topological order, or with ``=`` for ``+=``. An operation outside
    of its domain is shown as that, and a kink that is crossed is named.

    Of a Value the page knows the graph and no more. Give it the function, and it also knows the
    comparisons: a slider that crosses one makes the page say that another branch is due::

        live(y)                                  # a Value
        live(lambda x, w: (w * x).relu(), x=1.0, w=-2.0)
        live(f, [1.0, 2.0], 3.0)                 # f of a list and a number

    Args:
        y: the Value at the root of the graph, or a function that returns one.
        inputs: what the function is called with: numbers, lists, dictionaries, arrays of them.
            Each number becomes a leaf, which has the name of its argument.
        max_nodes: the largest graph to show.
        direction: "LR" (left to right) or "TB" (top to bottom); without it, as the window is
            wide or narrow.
        renderer: "dot" or "graphviz-pure" to insist on one for the layout.
        named: more inputs of the function, by their names.

    Returns:
        A :class:`Page`: ``.save("graph.html")`` writes it, Jupyter shows it.

    Raises:
        TypeError: when y is no Value and no function, the function returns no Value, or there
            are inputs for a Value.
        ValueError: for more than max_nodes nodes, and when a leaf was edited after its use.
        Unsupported: for a primitive of one's own that cannot be written as JavaScript.
        RendererError: without a renderer.
    """
    return _page("live", y, inputs, named, max_nodes, direction, renderer)


def step_through(y: Value | Callable[..., Any], *inputs: Any, max_nodes: int = MAX_NODES,
                 direction: str = "", renderer: str = "", **named: Any) -> Page:
    """The page of :func:`live`, opened where it plays the forward and the backward pass.

    Buttons, a slider and the arrow keys go through the steps. Each shows the node, its local
    derivatives, and the sums of the adjoints so far. No ``grad`` is set.

    Args:
        y, inputs, max_nodes, direction, renderer, named: as for :func:`live`.

    Returns:
        A :class:`Page`; ``#step=3`` behind its address opens it at a step.

    Raises:
        TypeError, ValueError, Unsupported, RendererError: as :func:`live` does.
    """
    return _page("step_through", y, inputs, named, max_nodes, direction, renderer)


def _page(caller: str, y: Any, inputs: tuple[Any, ...], named: dict[str, Any], max_nodes: int,
          direction: str, renderer: str) -> Page:
    if direction not in ("", *DIRECTIONS):
        raise ValueError(f'direction must be "LR" or "TB", not {direction!r}')
    decisions = Decisions()
    if y.__class__ is Value:
        if inputs or named:
            raise TypeError(f"{caller}(y) of a Value takes no inputs: its leaves are in the "
                            f"graph; write {caller}(f, x=1.0) with the function f that computes y")
        root = y
    elif callable(y):
        root = _called(caller, y, inputs, named, decisions)
    else:
        raise TypeError(f"{caller} needs a Value, or a function of numbers, not {y!r}")
    graph = _Graph(root, decisions.comparisons, caller, max_nodes)
    directions = (direction,) if direction else DIRECTIONS
    title = f"{graph.names[root]} and its gradient"
    return Page(title, body=asset("live_graph.html"), style=asset("live_graph.css"),
                script=graph.script.text + asset("live_graph.js"), height=700, data={
                    **graph.data, "stepping": caller == "step_through", "mostSteps": MOST_STEPS,
                    "layouts": {way: graph.layout(way, renderer) for way in directions}})


def _called(caller: str, function: Callable[..., Any], inputs: tuple[Any, ...],
            named: dict[str, Any], decisions: Decisions) -> Value:
    """What the function returns of fresh leaves, which have the names of its arguments."""
    with recording():
        lifted = lift(inputs, named, names_of(function))
        with listening(decisions):
            root = function(*lifted.arguments, **lifted.keywords)
    if not isinstance(root, Value):
        raise TypeError(f"{caller}(f, ...) needs a function that returns one Value, computed "
                        f"from its arguments; this one returns {root!r}")
    return root


class _Graph:
    """What the page is told of a graph.

    Attributes:
        order: the nodes: those under the root, in topological order, then those that are only
            compared with something.
        data: the tables of the page.
        script: the functions of its operations.
    """

    def __init__(self, root: Value, comparisons: Sequence[Any], caller: str,
                 max_nodes: int) -> None:
        self.drawn = topological_order(root)
        if len(self.drawn) > max_nodes:
            raise ValueError(
                f"the graph has {len(self.drawn)} nodes, which is more than max_nodes={max_nodes}; "
                f"show a part of it, for example {caller} of one row of a loss, or write a larger "
                "max_nodes")
        drawn = set(self.drawn)
        compared = [x for _, left, right, _ in comparisons for x in (left, right)
                    if isinstance(x, Value)]
        self.order = topological_order(root, *compared)
        refuse_stale(self.order)
        # A leaf that is only compared has a slider, too.
        self.shown = [node for node in self.order if node in drawn or node.op is None]
        self.names = node_names([root, *self.shown[len(self.drawn):]])
        self.place = {node: i for i, node in enumerate(self.order)}
        self.script = Script()
        self._kinds: dict[Any, Kind] = {}
        self._taught = Taught(self.names)
        nodes = [self._node(node) for node in self.order]
        self.data: dict[str, Any] = {
            "names": [self.names.get(node, "") for node in self.order], "nodes": nodes,
            "drawn": len(self.drawn), "shown": [self.place[node] for node in self.shown],
            "heights": [LEAF[1], COMPUTED[1], CONSTANT], "kinds": self._described(),
            "guards": [self._guard(comparison) for comparison in comparisons],
            "slopes": [self._slopes(node) for node in self.drawn],
            "arrows": [[self.place[p] if isinstance(p, Value) else None, i, position]
                       for i, node in enumerate(self.drawn)
                       for position, p in enumerate(node.parents)]}

    def _node(self, node: Value) -> list[Any]:
        """[its number] of a leaf; else [place of its kind, operands], constants as texts."""
        if node.op is None:
            return [node.data]
        return [self.script.place(self._kind(node)),
                [self.place[p] if isinstance(p, Value) else _text(p) for p in node.parents]]

    def _kind(self, node: Value) -> Kind:
        key = (node.op, tuple(repr(p) if isinstance(p, float) else "" for p in node.parents))
        if key not in self._kinds:
            self._kinds[key] = Kind.of(node)
        return self._kinds[key]

    def _described(self) -> list[dict[str, Any]]:
        """What the page knows of each kind of operation, in the script's order."""
        described = []
        for kind, table in zip(self.script.kinds, self.script.tables, strict=True):
            op = kind.op
            told = {"symbol": op.symbol, "text": op.text, "domain": op.domain, "atKink": op.at_kink,
                    "tight": op.precedence < 9,  # operands that have a sign are in brackets
                    "parameter": op.parameters[0] if op.arity == 1 else "",
                    "paired": op is dot,  # backward() hands on to pair after pair
                    "choice": op is where, "chooses": op.chooses}
            described.append({**table, **{name: fact for name, fact in told.items() if fact}})
        return described

    def _slopes(self, node: Value) -> list[list[Any]]:
        """[place of an operand, the derivative by it as it is taught], where that can be said."""
        if node.op is None:
            return []
        ways = self.script.tables[self.script.place(self._kind(node))]["slopes"]
        is_told = node.op.derivative and not any("where" in text for text in node.op.derivative)
        if not is_told and len(ways) > 1:
            return []  # the words would be those of one branch
        try:
            derivatives = self._taught.derivatives(node)
        except DOMAIN_ERRORS:
            return []
        found: dict[Value, Any] = {}
        for parent, derivative in zip(node.parents, derivatives, strict=True):
            if isinstance(parent, Value) and derivative is not None:
                found[parent] = found[parent] + derivative if parent in found else derivative
        return [[self.place[parent], Typesetter().of(derivative)]
                for parent, derivative in found.items()]

    def _guard(self, comparison: Any) -> list[Any]:
        relation, left, right, outcome = comparison
        notation = Notation(self.names)
        sides = [self.place[x] if isinstance(x, Value) else _text(x) for x in (left, right)]
        return [relation, *sides, outcome, f"{notation.of(left)} {relation} {notation.of(right)}"]

    def layout(self, direction: str, renderer: str) -> dict[str, Any]:
        """Where the page draws what; constants stand behind the nodes."""
        boxes: list[Box] = []
        arrows: list[Arrow] = []
        constants: list[Box] = []
        for node in self.shown:
            boxes.append(Box(f"n{self.place[node]}", *self._size(node), scope_of(node)))
            for parent in node.parents:
                if isinstance(parent, Value):
                    arrows.append(Arrow(f"n{self.place[parent]}", boxes[-1].name, FACTOR))
                else:
                    width = 12.0 + LETTER * len(_short(parent))
                    constants.append(Box(f"k{len(constants)}", width, CONSTANT, scope_of(node)))
                    arrows.append(Arrow(constants[-1].name, boxes[-1].name))
        found = laid_out([*boxes, *constants], arrows, direction, renderer)
        return found._asdict() | {"widths": [box.width for box in (*boxes, *constants)]}

    def _size(self, node: Value) -> tuple[float, float]:
        width, height = LEAF if node.op is None else COMPUTED
        beside = 127.0 if node.op is None else LETTER * len(node.op.symbol) + 22.0
        needed = LETTER * len(self.names[node]) + beside
        return min(max(width, math.ceil(needed)), WIDEST), height


def _text(x: float) -> str:
    """A constant among the operands, which are places."""
    return repr(x)


def _short(x: float) -> str:
    return f"{x:.6g}"


__all__ = ["MAX_NODES", "live", "step_through"]
