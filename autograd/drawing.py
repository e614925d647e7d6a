"""Pictures of expression graphs: numbers and adjoints in records, operations in ovals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .backward import local_derivatives as local_derivatives_of
from .graph import scope_of, topological_order
from .rendering import Drawing, RendererError, escape
from .value import NOT_COMPUTED, Value

MAX_SHOWN = 100  # nodes of a graph that a notebook draws by itself
INK, GREY, OP_FILL, LEAF_FILL, CUT = "#222222", "#777777", "#fff2cc", "#e8f0fe", "#999999"


def draw(y: Value | Sequence[Value], direction: str = "LR", local_derivatives: bool = False,
         max_nodes: int = 500, depth: int | None = None, scopes: bool = True,
         renderer: str = "") -> Drawing:
    """The expression graph as a picture, operands left, result right.

    A record shows label, number and adjoint; the adjoint of a node that no ``backward()`` has
    reached reads "grad -" in grey, which is not the same as 0. Leaves are blue, constants bare.

    Args:
        y: a Value, or several.
        direction: "LR" (left to right) or "TB" (top to bottom).
        local_derivatives: write on each edge the derivative of the consumer by the operand.
        max_nodes: the largest graph to draw.
        depth: draw only the nodes at most this many operations away from y.
        scopes: draw a frame around the nodes of each name scope.
        renderer: "dot" or "graphviz-pure" to insist on one.

    Returns:
        A :class:`Drawing`: ``.render("graph.svg")`` writes it, Jupyter shows it, ``.source`` is
        its DOT text, the same for the same program in every run.

    Raises:
        TypeError: when y is not a Value.
        ValueError: for a graph of more than max_nodes nodes.
    """
    roots = [y] if y.__class__ is Value else list(y)  # type: ignore[arg-type]
    for root in roots:
        if root.__class__ is not Value:
            raise TypeError(f"draw needs Values, not {root!r}")
    if direction not in ("LR", "TB"):
        raise ValueError(f'direction must be "LR" or "TB", not {direction!r}')
    order = topological_order(*roots)
    kept = set(order) if depth is None else _near(roots, depth)
    shown = [node for node in order if node in kept]
    if len(shown) > max_nodes:
        raise ValueError(f"the graph has {len(shown)} nodes, which is more than max_nodes="
                         f"{max_nodes}; write depth=3 to draw what is near the result, or a "
                         "larger max_nodes if you can read it")
    return _Picture(order, shown, direction, local_derivatives, scopes, renderer).drawing


def _near(roots: Sequence[Value], depth: int) -> set[Value]:
    if depth < 0:
        raise ValueError(f"depth must not be negative, but is {depth}")
    kept, level = set(roots), list(roots)
    for _ in range(depth):
        level = [p for node in level for p in node.parents
                 if isinstance(p, Value) and p not in kept and not kept.add(p)]  # type: ignore[func-returns-value]
    return kept


class _Picture:
    """One drawing in the making."""

    def __init__(self, order: list[Value], shown: list[Value], direction: str, locals_too: bool,
                 scopes: bool, renderer: str) -> None:
        # Names count along the whole order: they stay when a depth is cut off.
        self.name = {node: f"n{i}" for i, node in enumerate(order)}
        self.locals_too = locals_too
        self.drawing = Drawing(renderer=renderer)
        self.drawing.attr(rankdir=direction, bgcolor="white", nodesep="0.25", ranksep="0.4")
        self.drawing.attr("node", fontname="Helvetica", fontsize="11", color=INK, fontcolor=INK)
        self.drawing.attr("edge", fontname="Helvetica", fontsize="10", color="#555555",
                          fontcolor="#b3470b", arrowsize="0.7")
        if scopes:
            self._by_scope(shown)
        else:
            for node in shown:
                self._node(self.drawing, node)
        kept = set(shown)
        for node in shown:
            self._edges(node, kept)

    def _by_scope(self, shown: list[Value]) -> None:
        """Nodes inside nested clusters, one for each scope, in the order of their first node."""
        members: dict[tuple[str, ...], list[Value]] = {(): []}
        for node in shown:
            scope = scope_of(node)
            for length in range(len(scope) + 1):
                members.setdefault(scope[:length], [])
            members[scope].append(node)
        clusters: dict[tuple[str, ...], Any] = {(): self.drawing}
        for i, scope in enumerate(members):
            if scope:
                cluster = Drawing(name=f"cluster_{i}")
                cluster.attr(label=scope[-1], style="rounded", color=GREY, fontcolor=GREY,
                             fontname="Helvetica", fontsize="12")
                clusters[scope] = cluster
            for node in members[scope]:
                self._node(clusters[scope], node)
        for scope in sorted(members, key=len, reverse=True):
            if scope:
                clusters[scope[:-1]].subgraph(clusters[scope])

    def _node(self, graph: Any, node: Value) -> None:
        name = self.name[node]
        unset = node.grad is NOT_COMPUTED
        fields = [escape(node.label)] if node.label else []
        fields += [f"data {number(node.data)}", "grad -" if unset else f"grad {number(node.grad)}"]
        graph.node(name, label="{ " + " | ".join(fields) + " }", shape="record", style="filled",
                   fillcolor="white" if node.op else LEAF_FILL,
                   **({"color": GREY, "fontcolor": GREY} if unset else {}))
        if node.op is None:
            return
        graph.node(f"{name}op", label=node.op.symbol, shape="oval", width="0.4", height="0.3",
                   margin="0.05,0.03", style="filled", fillcolor=OP_FILL)
        for position, parent in enumerate(node.parents):
            if not isinstance(parent, Value):
                graph.node(f"{name}c{position}", label=number(parent), shape="plaintext",
                           height="0.2", margin="0.03,0.02")

    def _edges(self, node: Value, kept: set[Value]) -> None:
        name = self.name[node]
        if node.op is None:
            return
        self.drawing.edge(f"{name}op", name)
        locals_ = local_derivatives_of(node) if self.locals_too else None
        for position, parent in enumerate(node.parents):
            label = {}
            if locals_ is not None and parent.__class__ is Value:
                local = locals_[position]
                label = {"label": "none" if local is None else f"d = {number(local)}"}
            if not isinstance(parent, Value):
                self.drawing.edge(f"{name}c{position}", f"{name}op")
            elif parent in kept:
                self.drawing.edge(self.name[parent], f"{name}op", **label)
            else:  # cut off by the depth
                cut = f"{name}x{position}"
                self.drawing.node(cut, label="...", shape="plaintext", fontcolor=CUT)
                self.drawing.edge(cut, f"{name}op", style="dashed", **label)


def number(x: float) -> str:
    """A number for a picture: four decimals, or three in powers of ten where that hides it."""
    if x == 0.0 or 1e-3 <= abs(x) < 1e6:
        return f"{x:.4f}"
    return f"{x:.3e}"


def mimebundle(value: Value) -> dict[str, Any]:
    """What Jupyter shows for a Value: its text, and its graph if that is small."""
    bundle: dict[str, Any] = {"text/plain": repr(value)}
    if value.op is not None and len(topological_order(value)) <= MAX_SHOWN:
        try:
            bundle["image/svg+xml"] = draw(value)._repr_svg_()
        except RendererError:
            return bundle  # the text says what there is; draw(value) says what is missing
    return bundle
