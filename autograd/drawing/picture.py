"""Groups of units as DOT: records with numbers and adjoints, operations, edges, scopes, rows."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Any

from autograd import palette
from autograd.core.backward import local_derivatives as local_derivatives_of
from autograd.core.value import NOT_COMPUTED
from autograd.drawing.columns import Row, rows, text_width
from autograd.drawing.folding import Group, Scope, Unit, role
from autograd.drawing.rendering import Drawing, escape, plain
from autograd.drawing.repeats import operand_groups

LONGEST_LINE = 24  # letters of a label
LONGEST_REFERENCE = 10  # letters of a label that stands for its node in another row

RECORD_SIZE, EDGE_SIZE, SCOPE_SIZE = 11, 9, 12  # letters, in points
RANK_GAP, NODE_GAP = 0.18, 0.18  # inches
FIELD_MARGIN = "0.055,0.04"

# Pixels that renderers add, at both sides together.
RECORD_MARGIN, OVAL_MARGIN, LABEL_MARGIN, LABELLED_GAP = 9.0, 15.0, 4.0, 6.0
REFERENCE_MARGIN, SCOPE_MARGIN, PAGE_MARGIN, ROW_MARGIN = 10.0, 11.0, 12.0, 32.0
ROUND = 1.42  # an oval around a text is wider than the text
NARROWEST_RECORD, NARROWEST_OVAL = 72.0, 38.0


class Picture:
    """One drawing in the making.

    Args:
        groups: what is drawn as one, in topological order.
        direction, locals_too, scopes, renderer: as for :func:`draw`.
        compact: write an operation into its record.
        wrap: where the ranks side by side are wider than a column, write operations into their
            records, and if that does not help, put the ranks below each other in several rows.
    """

    def __init__(self, groups: list[Group], direction: str = "LR", locals_too: bool = False,
                 scopes: bool = True, renderer: str = "", compact: bool = False,
                 wrap: bool = False) -> None:
        self.compact = compact
        self.down = direction == "TB"
        self.scopes = scopes
        self.group_of = {unit: group for group in groups for unit in group.units}
        self.texts_of = {unit: _texts_of_locals(unit) for unit in self.group_of
                         if locals_too and unit.kind and not self.group_of[unit].is_box}
        self.labels = Counter(group.label for group in groups)
        self.references: dict[Group, str] = {}
        self.edges: list[tuple[str, str, dict[str, str]]] = []

        placed = self._wrapped(groups) if wrap and not self.down else [[groups]]
        self.drawing = self._empty(direction, renderer)
        several = len(placed) > 1
        self.frames = list(map(_frame, range(len(placed)))) if several else [self.drawing]
        self.row_of = {group: i for i, row in enumerate(placed) for rank in row for group in rank}
        self.tags: set[str] = set()
        for i, frame in enumerate(self.frames):
            here = [group for group in groups if self.row_of[group] == i]
            self._records(frame, here, f"{i}_" if several else "")
        for group in groups:
            if len(group.units) == 1 and not group.is_box:
                self._edges_of_unit(group.first)
            else:
                self._edges_of_group(group)
        if wrap and not self.down:
            self._pin(placed)
        if several:
            for frame in reversed(self.frames):  # dot puts what comes first at the bottom
                self.drawing.subgraph(frame)
        for tail, head, options in self.edges:
            self.drawing.edge(tail, head, **options)

    def _empty(self, direction: str, renderer: str) -> Drawing:
        drawing = Drawing(renderer=renderer)
        drawing.attr(rankdir=direction, bgcolor=palette.PAPER, nodesep=str(NODE_GAP),
                     ranksep=str(RANK_GAP))
        drawing.attr("node", fontname="Helvetica", fontsize=str(RECORD_SIZE), color=palette.INK,
                     fontcolor=palette.INK)
        drawing.attr("edge", fontname="Helvetica", fontsize=str(EDGE_SIZE), color=palette.EDGE,
                     fontcolor=palette.BACKWARD_TEXT, arrowsize="0.7")
        return drawing

    def _pin(self, placed: list[Row]) -> None:
        """Keep the groups on their ranks; left alone, dot adds ranks where edges get shorter."""
        self.drawing.attr(newrank="true")  # ranks over the borders of clusters
        for frame, row in zip(self.frames, placed, strict=True):
            for rank in row:
                free = self._entangled(rank)
                names = [group.first.name for group in rank
                         if group.first.kind and group not in free]
                for suffix in ("",) if self.compact else ("op", ""):
                    with frame.subgraph() as same:
                        same.attr(rank="same")
                        for name in names:
                            same.node(name + suffix)

    def _entangled(self, rank: list[Group]) -> set[Group]:
        """Those that edges join to others of their rank, as in a circle of folded scopes."""
        here = set(rank)
        pairs = [(group, operand) for group in rank
                 for operand in operand_groups(group, self.group_of)
                 if operand in here and operand.first.kind]
        return {group for pair in pairs for group in pair}

    # --- rows ------------------------------------------------------------------------------------

    def _wrapped(self, groups: list[Group]) -> list[Row]:
        """The groups in rows that are no wider than a column, ovals only where there is one row."""
        gap = 96.0 * RANK_GAP
        before = max((self._width(group) for group in groups if not group.first.kind), default=0.0)
        placed = rows(groups, self._width, gap, PAGE_MARGIN + before)
        if placed[1:] and not self.compact:
            self.compact = True
            placed = rows(groups, self._width, gap, PAGE_MARGIN + before)
        if placed[1:]:  # then there are references at both ends
            reference = REFERENCE_MARGIN + max(text_width(text, RECORD_SIZE) for text in [
                "(10)", *(label for label in self.labels if self._is_short(label))])
            placed = rows(groups, self._width, gap,
                          PAGE_MARGIN + ROW_MARGIN + max(before, reference) + gap + reference)
        return placed

    def _width(self, group: Group) -> float:
        """About how many pixels a group adds to its rank, with its operation and edges."""
        unit = group.first
        text = max(text_width(line, RECORD_SIZE) for line in self._lines(group))
        width = max(text + RECORD_MARGIN, NARROWEST_RECORD)
        if self.scopes and unit.scope:
            width = max(width, text_width(unit.scope[-1], SCOPE_SIZE) + RECORD_MARGIN)
            width += SCOPE_MARGIN * max((_borders(unit.scope, operand.scope)
                                         for operand in unit.operands if isinstance(operand, Unit)),
                                        default=len(unit.scope))
        if unit.kind and not (self.compact or group.is_box):
            oval = ROUND * text_width(unit.symbol, RECORD_SIZE) + OVAL_MARGIN
            width += 96.0 * RANK_GAP + max(oval, NARROWEST_OVAL)
            width += LABELLED_GAP if self.texts_of else 0.0
        texts = [*self.texts_of.get(unit, []), *self._counts(group)]
        return width + max((text_width(text, EDGE_SIZE) + LABEL_MARGIN for text in texts),
                           default=0.0)

    def _counts(self, group: Group) -> list[str]:
        """Text as long as the numbers that stand on edges from groups of many units."""
        many = max((len(self.group_of[operand].units) for unit in group.units
                    for operand in unit.operands if isinstance(operand, Unit)), default=1)
        return [f"× {many:,}"] if many > 1 or len(group.units) > 1 else []

    def _arrow(self, source: Group, target: Group, head: str, **options: str) -> None:
        """An edge, or where it would lead to another row a reference to its start."""
        row = self.row_of[target]
        if self.row_of[source] == row:
            self.edges.append((source.first.name, head, options))
            return
        name = self._reference(source)
        if source.first.kind or name.startswith("("):
            out = f"{source.first.name}out"
            if out not in self.tags:
                self.edges.append((source.first.name, out, {"style": "dashed"}))
            self._tag(out, name, self.row_of[source])
        tag = f"{source.first.name}in{row}"
        self._tag(tag, name, row, shape="box" if not source.first.kind else "plaintext")
        self.edges.append((tag, head, {**options, "style": "dashed"}))

    def _reference(self, group: Group) -> str:
        """How another row names a group: by its label, or by a number where that would not do."""
        if group not in self.references:
            numbers = sum(text.startswith("(") for text in self.references.values())
            self.references[group] = (group.label if self._is_short(group.label)
                                      else f"({numbers + 1})")
        return self.references[group]

    def _is_short(self, label: str) -> bool:
        """Whether a label says in a few letters which group is meant."""
        return (0 < len(label) <= LONGEST_REFERENCE and "\n" not in label
                and not label.startswith("(") and self.labels[label] == 1)

    def _tag(self, name: str, text: str, row: int, shape: str = "plaintext") -> None:
        if name not in self.tags:
            self.tags.add(name)
            style = {"style": "filled,dashed,rounded", "fillcolor": palette.INPUT_FILL,
                     "color": palette.EDGE} if shape == "box" else {}
            self.frames[row].node(name, label=plain(text), shape=shape, height="0.2", width="0.2",
                                  margin="0.06,0.03", **style)

    # --- nodes -----------------------------------------------------------------------------------

    def _records(self, frame: Drawing, groups: list[Group], row: str) -> None:
        """Groups inside nested clusters, one for each scope, in the order of their first node."""
        members: dict[Scope, list[Group]] = {(): []}
        for group in groups:
            scope = _scope(group) if self.scopes else ()
            for length in range(len(scope) + 1):
                members.setdefault(scope[:length], [])
            members[scope].append(group)
        clusters: dict[Scope, Any] = {(): frame}
        for i, scope in enumerate(members):
            if scope:
                cluster = Drawing(name=f"cluster_{row}{i}")
                cluster.attr(label=plain(scope[-1]), peripheries="1", style="rounded",
                             color=palette.ASIDE, fontcolor=palette.ASIDE, fontname="Helvetica",
                             fontsize=str(SCOPE_SIZE))
                clusters[scope] = cluster
            for group in members[scope]:
                self._record(clusters[scope], group)
        siblings = list(members) if self.down else list(members)[::-1]  # dot starts at the bottom
        for scope in sorted(siblings, key=len, reverse=True):
            if scope:
                clusters[scope[:-1]].subgraph(clusters[scope])

    def _record(self, graph: Any, group: Group) -> None:
        unit = group.first
        unset = all(u.grad is NOT_COMPUTED for u in group.units) and not group.is_box
        options = {"color": palette.ASIDE, "fontcolor": palette.ASIDE} if unset else {}
        fill = palette.COMPUTED_FILL if self.compact else palette.PAPER
        if not unit.kind:
            fill = palette.INPUT_FILL
        if group.is_box:
            fill = palette.FOLDED_FILL
        style = "filled,dashed" if group.repeats else "filled,bold" if group.folded else "filled"
        fields = " | ".join(map(escape, self._lines(group)))
        graph.node(unit.name, label="{ " + fields + " }" if self.down else fields, shape="record",
                   margin=FIELD_MARGIN, style=style, fillcolor=fill, **options)
        if group.is_box or not unit.kind:
            return
        self._constants(graph, group)
        if not self.compact:
            graph.node(f"{unit.name}op", label=plain(unit.symbol), shape="oval", width="0.4",
                       height="0.3", margin="0.05,0.03", style="filled",
                       fillcolor=palette.COMPUTED_FILL)

    def _lines(self, group: Group) -> list[str]:
        """The fields of a record; they stand below each other."""
        if group.is_box:
            return _contents(group)
        fields = [_spelled(group.first)] if self.compact and group.first.kind else []
        fields += [_broken(group.label)] if group.label else []
        if len(group.units) > 1:
            fields.append(f"× {len(group.units):,}")
        return fields + _numbers(group)

    def _target(self, group: Group) -> str:
        """The name of the DOT node that the operands' edges lead to."""
        name = group.first.name
        return name if self.compact or group.is_box or not group.first.kind else f"{name}op"

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

    # --- edges -----------------------------------------------------------------------------------

    def _edges_of_unit(self, unit: Unit) -> None:
        if not unit.kind:
            return
        group, name = self.group_of[unit], unit.name
        target = self._target(group)
        if target != name:
            self.edges.append((target, name, {}))
        texts = self.texts_of.get(unit)
        shared: Counter[tuple[Group, int]] = Counter()
        for position, operand in enumerate(unit.operands):
            label = {"label": texts[position]} if texts else {}
            if isinstance(operand, float):
                self.edges.append((f"{name}c{position}", target, {}))
            elif operand is None:
                self._cut(f"{name}x{position}", group, **label)
            elif len((source := self.group_of[operand]).units) == 1 and not source.is_box:
                self._arrow(source, group, target, **label)
            else:
                shared[source, role(unit, position)] += 1
        for (source, _), count in shared.items():
            self._thick(source, group, count, 1)

    def _edges_of_group(self, group: Group) -> None:
        """The edges of a box: one for each group of operands and role, with their number."""
        name, target = group.first.name, self._target(group)
        if target != name:
            self.edges.append((target, name, {}))
        counts: Counter[tuple[Group | str, int]] = Counter()
        for unit in group.units:
            for position, operand in enumerate(unit.operands):
                place = 0 if group.is_box else role(unit, position)
                if isinstance(operand, Unit):
                    if self.group_of[operand] is not group:
                        counts[self.group_of[operand], place] += 1
                elif not group.is_box:
                    counts["..." if operand is None else "c", place] += 1
        for (source, place), count in counts.items():
            if isinstance(source, Group):
                self._thick(source, group, count, 0 if group.is_box else len(group.units))
            elif source == "c":
                self.edges.append((f"{name}c{place}", target, {}))
            else:
                self._cut(f"{name}x{place}", group)

    def _cut(self, name: str, target: Group, **options: str) -> None:
        """Stands for an operand that the depth cut off."""
        self.frames[self.row_of[target]].node(name, label="...", shape="plaintext",
                                              fontcolor=palette.CUT)
        self.edges.append((name, self._target(target), {"style": "dashed", **options}))

    def _thick(self, source: Group, target: Group, count: int, consumers: int) -> None:
        """An edge that stands for many; its label says how many, where the boxes do not."""
        label = ""
        if source.is_box or not consumers:
            label = f"× {count:,}" if count > 1 or source.folded or target.folded else ""
        elif consumers == 1:
            label = f"{count:,}" if count > 1 else ""
        elif count > consumers:
            each = count / consumers
            label = f"{each:,.0f} each" if each.is_integer() else f"{each:,.1f} each"
        options = {"label": label} if label else {}
        if count > 1:
            options["penwidth"] = "1.6"
        self._arrow(source, target, self._target(target), **options)


def _frame(row: int) -> Drawing:
    """What keeps a row together; nobody sees it."""
    frame = Drawing(name=f"cluster_row_{row}")
    frame.attr(peripheries="0", margin="4")
    return frame


def _scope(group: Group) -> Scope:
    """The scope that a group is drawn in: what all of its units have in common."""
    if group.folded:
        return group.folded[:-1]
    if not group.repeats:
        return group.first.scope
    scope = group.first.scope
    for unit in group.units:
        scope = scope[:_shared(scope, unit.scope)]
    return scope


def _shared(one: Scope, other: Scope) -> int:
    """How many of their outermost names two scopes have in common."""
    differing = (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differing, min(len(one), len(other)))


def _borders(one: Scope, other: Scope) -> int:
    """How many frames an edge from one scope to the other crosses."""
    return len(one) + len(other) - 2 * _shared(one, other)


def _contents(group: Group) -> list[str]:
    """What a box says: what it stands for, how many nodes, and of which kinds."""
    kinds = Counter(_spelled(unit) if unit.kind else "leaves" for unit in group.units)
    if not group.repeats:
        return ["/".join(group.folded), f"{len(group.units):,} nodes", _listed(kinds)]
    if len(kinds) == 1 and len(group.units) == group.repeats:
        names = [_spelled(group.first), _broken(group.label)]
        return [*filter(None, names), f"× {group.repeats:,} more", *_numbers(group)]
    each = Counter({kind: count // group.repeats for kind, count in kinds.items()})
    return [f"× {group.repeats:,} more", f"{sum(each.values()):,} nodes each", _listed(each)]


def _numbers(group: Group) -> list[str]:
    """Numbers and adjoints; those that the last pass did not reach are counted."""
    grads = [unit.grad for unit in group.units if unit.grad is not NOT_COMPUTED]
    missing = len(group.units) - len(grads)
    without = f", {missing:,} without" if missing else ""
    return [f"data {_range([unit.data for unit in group.units])}",
            f"grad {_range(grads)}{without}" if grads else "grad -"]


def _listed(kinds: Counter[str]) -> str:
    lines = [f"{count:,} {kind}" for kind, count in kinds.most_common(6)]
    return "\n".join([*lines, "..."] if len(kinds) > 6 else lines)


def _spelled(unit: Unit) -> str:
    return "dot" if unit.kind == "dot" else unit.symbol  # a lone centred point is easily missed


def _broken(label: str) -> str:
    """A label in lines of bearable length; no letter is lost."""
    return "\n".join(part for line in label.split("\n")
                     for part in textwrap.wrap(line, LONGEST_LINE, drop_whitespace=False,
                                               replace_whitespace=False) or [""])


def _range(numbers: Sequence[float]) -> str:
    low, high = min(numbers), max(numbers)
    return number(low) if low == high or len(numbers) == 1 else f"{number(low)} … {number(high)}"


def _texts_of_locals(unit: Unit) -> list[str]:
    """What stands on the edges to a unit's operation: the local derivatives."""
    locals_ = (unit.locals or ()) if unit.node is None else local_derivatives_of(unit.node)
    return ["none" if local is None else f"d = {number(local)}" for local in locals_]


def number(x: float) -> str:
    """A number for a picture: four decimals, or three in powers of ten where that hides it."""
    if x == 0.0 or 1e-3 <= abs(x) < 1e6:
        return f"{x:.4f}"
    return f"{x:.3e}"


__all__ = ["Picture", "number"]
