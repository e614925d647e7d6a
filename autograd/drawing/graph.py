"""Pictures of expression graphs: numbers and adjoints in records, operations in ovals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from autograd import palette
from autograd.core.backward import local_derivatives as local_derivatives_of
from autograd.core.graph import refuse_stale, topological_order
from autograd.core.validation import whole
from autograd.core.value import NOT_COMPUTED, Value
from autograd.drawing.folding import (
    Group,
    Scope,
    Unit,
    all_units,
    collapse_chains,
    folded_scopes,
    grouped,
    make_units,
    role,
)
from autograd.drawing.rendering import Drawing, RendererError, escape, plain

MAX_SHOWN = 100  # nodes of a graph that a notebook draws by itself


def draw(y: Value | Sequence[Value], direction: str = "LR", local_derivatives: bool = False,
         max_nodes: int = 500, depth: int | None = None, scopes: bool = True,
         renderer: str = "", *, merge: bool | None = None, fold: bool | Collection[str] = False,
         unfold: Collection[str] = (), unfold_dots: bool = False) -> Drawing:
    """The expression graph as a picture, operands left, result right.

    A record shows label, number and adjoint; the adjoint of a node that no ``backward()`` has
    reached reads "grad -" in grey, which is not the same as 0. Leaves are blue, constants bare.

    A large graph becomes readable with ``merge=True``: parts that repeat, such as the rows of a
    loss or the neurons of a layer, are drawn once with their number ("× 100") and the range of
    their values, and a chain of additions as one Σ. With ``fold``, a name scope becomes one box
    with its counts, and the arrows that cross its border.

    ``autograd.live(y)`` is a page of the same graph, whose leaves have sliders.

    Args:
        y: a Value, or several.
        direction: "LR" (left to right) or "TB" (top to bottom).
        local_derivatives: write on each edge the derivative of the consumer by the operand.
        max_nodes: the largest number of records to draw.
        depth: draw only the nodes at most this many operations away from y.
        scopes: draw a frame around the nodes of each name scope.
        renderer: "dot" or "graphviz-pure" to insist on one.
        merge: draw parts that repeat once; None means where scopes are folded.
        fold: the scopes to draw as one box, by name ("layer 1") or path ("net/layer 1"); True
            means all.
        unfold: the scopes to leave open; alone, it folds all others.
        unfold_dots: draw each dot as its products and their sum.

    Returns:
        A :class:`Drawing`: ``.render("graph.svg")`` writes it, Jupyter shows it, ``.source`` is
        its DOT text, the same for the same program in every run.

    Raises:
        TypeError: when y is not a Value.
        ValueError: for no Value at all, for more than max_nodes records, for a scope that does not
            exist, and when a leaf was edited after its use.
    """
    roots = checked_roots(y)
    if direction not in ("LR", "TB"):
        raise ValueError(f'direction must be "LR" or "TB", not {direction!r}')
    order = topological_order(*roots)
    refuse_stale(order)
    kept = set(order) if depth is None else _near(roots, depth)
    merging = bool(fold or unfold) if merge is None else merge
    if not (merging or fold or unfold):
        _refuse(len(kept), max_nodes)  # before any work on a graph of a million nodes
    units = all_units(make_units(order, kept, unfold_dots).values())
    if merging:
        units = collapse_chains(units)
    folded = folded_scopes((unit.scope for unit in units), fold, unfold)
    groups = grouped(units, folded, merging)
    _refuse(len(groups), max_nodes)
    return Picture(groups, direction, local_derivatives, scopes, renderer, merging).drawing


def checked_roots(y: Value | Sequence[Value]) -> list[Value]:
    """The Values to draw.

    Raises:
        TypeError: when one is not a Value.
        ValueError: when there is none.
    """
    if y.__class__ is not Value and not hasattr(y, "__iter__"):
        raise TypeError(f"draw needs a Value or several, not {y!r}")
    roots = [y] if isinstance(y, Value) else list(y)
    if not roots:
        raise ValueError("draw needs at least one Value, not an empty sequence")
    for root in roots:
        if root.__class__ is not Value:
            raise TypeError(f"draw needs Values, not {root!r}")
    return roots


def _refuse(count: int, max_nodes: int) -> None:
    if count > max_nodes:
        raise ValueError(f"the graph has {count} nodes, which is more than max_nodes={max_nodes}; "
                         "write merge=True to draw parts that repeat once, fold=True to draw "
                         "scopes as boxes, depth=3 to draw what is near the result, or a larger "
                         "max_nodes if you can read it")


def _near(roots: Sequence[Value], depth: int) -> set[Value]:
    kept, level = set(roots), list(roots)
    for _ in range(whole(depth, "depth")):
        below: dict[Value, None] = {p: None for node in level for p in node.parents
                                    if isinstance(p, Value) and p not in kept}
        kept.update(below)
        level = list(below)
    return kept


class Picture:
    """One drawing in the making.

    Args:
        groups: what is drawn as one, in topological order.
        direction, locals_too, scopes, renderer: as for :func:`draw`.
        compact: write an operation into its record, whose fields stand below each other.
    """

    def __init__(self, groups: list[Group], direction: str = "LR", locals_too: bool = False,
                 scopes: bool = True, renderer: str = "", compact: bool = False) -> None:
        self.compact = compact
        self.down = direction == "TB"
        self.group_of = {unit: group for group in groups for unit in group.units}
        self.locals_too = locals_too
        self.drawing = Drawing(renderer=renderer)
        self.drawing.attr(rankdir=direction, bgcolor="white", nodesep="0.25", ranksep="0.4")
        self.drawing.attr("node", fontname="Helvetica", fontsize="11", color=palette.INK,
                          fontcolor=palette.INK)
        self.drawing.attr("edge", fontname="Helvetica", fontsize="10", color=palette.EDGE,
                          fontcolor=palette.BACKWARD_TEXT, arrowsize="0.7")
        if scopes:
            self._by_scope(groups)
        else:
            for group in groups:
                self._record(self.drawing, group)
        for group in groups:
            if len(group.units) == 1 and not group.folded:
                self._edges_of_unit(group.first)
            else:
                self._edges_of_group(group)

    def _by_scope(self, groups: list[Group]) -> None:
        """Groups inside nested clusters, one for each scope, in the order of their first node."""
        members: dict[Scope, list[Group]] = {(): []}
        for group in groups:
            scope = group.folded[:-1] if group.folded else group.first.scope
            for length in range(len(scope) + 1):
                members.setdefault(scope[:length], [])
            members[scope].append(group)
        clusters: dict[Scope, Any] = {(): self.drawing}
        for i, scope in enumerate(members):
            if scope:
                cluster = Drawing(name=f"cluster_{i}")
                cluster.attr(label=plain(scope[-1]), style="rounded", color=palette.ASIDE,
                             fontcolor=palette.ASIDE, fontname="Helvetica", fontsize="12")
                clusters[scope] = cluster
            for group in members[scope]:
                self._record(clusters[scope], group)
        for scope in sorted(members, key=len, reverse=True):
            if scope:
                clusters[scope[:-1]].subgraph(clusters[scope])

    # --- nodes ----------------------------------------------------------------------------------

    def _record(self, graph: Any, group: Group) -> None:
        unit, many = group.first, len(group.units)
        if group.folded:
            graph.node(unit.name, label=self._fields(_contents(group), stacked=True),
                       shape="record", style="filled,bold", fillcolor=palette.FOLDED_FILL)
            return
        unset = all(u.grad is NOT_COMPUTED for u in group.units)
        fields = [escape(_spelled(unit))] if self.compact and unit.kind else []
        fields += [escape(group.label)] if group.label else []
        if many > 1:
            fields.append(f"× {many:,}")
        fields.append(f"data {_range([u.data for u in group.units])}")
        fields.append("grad -" if unset else f"grad {_range([u.grad for u in group.units])}")
        options = {"color": palette.ASIDE, "fontcolor": palette.ASIDE} if unset else {}
        fill = palette.COMPUTED_FILL if self.compact else "white"
        graph.node(unit.name, label=self._fields(fields, self.compact), shape="record",
                   style="filled", fillcolor=fill if unit.kind else palette.INPUT_FILL, **options)
        if unit.kind:
            self._constants(graph, group)
        if unit.kind and not self.compact:
            graph.node(f"{unit.name}op", label=plain(unit.symbol), shape="oval", width="0.4",
                       height="0.3", margin="0.05,0.03", style="filled",
                       fillcolor=palette.COMPUTED_FILL)

    def _fields(self, fields: list[str], stacked: bool) -> str:
        """The label of a record: along the direction of the drawing, or one below the other."""
        joined = " | ".join(fields)
        return joined if stacked and not self.down else "{ " + joined + " }"

    def _op(self, unit: Unit) -> str:
        """The name of the DOT node that the operands' edges lead to."""
        return unit.name if self.compact else f"{unit.name}op"

    def _constants(self, graph: Any, group: Group) -> None:
        found: dict[int, set[float]] = {}
        for unit in group.units:
            for position, operand in enumerate(unit.operands):
                if isinstance(operand, float):
                    place = position if len(group.units) == 1 else role(unit, position)
                    found.setdefault(place, set()).add(operand)
        for place, numbers in found.items():
            text = number(numbers.pop()) if len(numbers) == 1 else f"{len(numbers):,} constants"
            graph.node(f"{group.first.name}c{place}", label=text, shape="plaintext", height="0.2",
                       margin="0.03,0.02")

    # --- edges ----------------------------------------------------------------------------------

    def _edges_of_unit(self, unit: Unit) -> None:
        name = unit.name
        if not unit.kind:
            return
        op = self._op(unit)
        if op != name:
            self.drawing.edge(op, name)
        locals_ = _locals(unit) if self.locals_too else None
        shared: Counter[tuple[Group, int]] = Counter()
        for position, operand in enumerate(unit.operands):
            label = {}
            if isinstance(operand, float):
                self.drawing.edge(f"{name}c{position}", op)
                continue
            if locals_ is not None:
                local = locals_[position]
                label = {"label": "none" if local is None else f"d = {number(local)}"}
            if operand is None:
                self._cut(f"{name}x{position}", op, **label)
                continue
            source = self.group_of[operand]
            if len(source.units) == 1 and not source.folded:
                self.drawing.edge(source.first.name, op, **label)
            else:
                shared[source, role(unit, position)] += 1
        for (source, _), count in shared.items():
            self._thick(source, op, count, 1)

    def _edges_of_group(self, group: Group) -> None:
        """The edges of a box: one for each group of operands and role, with their number."""
        name = group.first.name
        target = name if group.folded else self._op(group.first)
        if target != name and group.first.kind:
            self.drawing.edge(target, name)
        counts: Counter[tuple[Group | str, int]] = Counter()
        for unit in group.units:
            for position, operand in enumerate(unit.operands):
                place = 0 if group.folded else role(unit, position)
                if isinstance(operand, Unit):
                    if self.group_of[operand] is not group:
                        counts[self.group_of[operand], place] += 1
                elif not group.folded:
                    counts["..." if operand is None else "c", place] += 1
        for (source, place), count in counts.items():
            if isinstance(source, Group):
                self._thick(source, target, count, 0 if group.folded else len(group.units))
            elif source == "c":
                self.drawing.edge(f"{name}c{place}", target)
            else:
                self._cut(f"{name}x{place}", target)

    def _cut(self, name: str, target: str, **options: str) -> None:
        """Stands for an operand that the depth cut off."""
        self.drawing.node(name, label="...", shape="plaintext", fontcolor=palette.CUT)
        self.drawing.edge(name, target, style="dashed", **options)

    def _thick(self, source: Group, target: str, count: int, consumers: int) -> None:
        """An edge that stands for many; its label says how many, where the boxes do not."""
        options = {}
        if source.folded or not consumers:
            options["label"] = f"× {count:,}"
        elif consumers == 1:
            options["label"] = f"{count:,}" if count > 1 else ""
        elif count > consumers:
            each = count / consumers
            options["label"] = f"{each:,.0f} each" if each.is_integer() else f"{each:,.1f} each"
        if count > 1:
            options["penwidth"] = "1.6"
        self.drawing.edge(source.first.name, target,
                          **{key: text for key, text in options.items() if text})


def _contents(group: Group) -> list[str]:
    """What a folded scope's box says: its name, how many nodes, and of which kinds."""
    kinds = Counter(_spelled(unit) if unit.kind else "leaves" for unit in group.units)
    lines = [f"{count:,} {escape(kind)}" for kind, count in kinds.most_common(6)]
    if len(kinds) > 6:
        lines.append("...")
    return [escape("/".join(group.folded)), f"{len(group.units):,} nodes", "\\n".join(lines)]


def _spelled(unit: Unit) -> str:
    return "dot" if unit.kind == "dot" else unit.symbol  # a lone centred point is easily missed


def _range(numbers: Sequence[float]) -> str:
    low, high = min(numbers), max(numbers)
    return number(low) if low == high or len(numbers) == 1 else f"{number(low)} … {number(high)}"


def _locals(unit: Unit) -> Sequence[float | None]:
    if unit.node is None:
        return unit.locals or ()
    return local_derivatives_of(unit.node)


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
        except (RendererError, ValueError):  # without a renderer; a leaf was edited after its use
            return bundle  # the text says what there is; draw(value) says what is wrong
    return bundle
