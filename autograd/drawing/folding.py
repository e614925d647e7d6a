"""Making large graphs small enough to read: sums of chains, scopes as boxes, repeated parts once.

A drawing is made of units, one for each node. Folding joins units into groups: those of a folded
scope, and those that are alike. Two units are alike when they have the same operation, scope and
label (numbers in labels apart), operands that are alike, and consumers that are alike: a hundred
rows of one loss are one row drawn once. Two loops over the topological order find that out.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Union

from autograd.core.graph import scope_of
from autograd.core.primitives import TABLE
from autograd.core.value import Value, grad_of

Scope = tuple[str, ...]
SHORTEST_CHAIN = 4  # terms; a + b + c is easier to read as it stands


@dataclass(eq=False)
class Unit:
    """A node as it is drawn: one of the graph, or the product or sum that a dot consists of.

    An operand is another unit, a float for a constant, or None where the drawing is cut off.
    ``locals`` are local derivatives that are known without asking the node's primitive.
    """

    name: str
    kind: str  # the primitive's name; "" for a leaf, "chain" for a collapsed chain of additions
    symbol: str
    label: str
    scope: Scope
    data: float
    grad: float
    operands: list[Operand] = field(default_factory=list)
    node: Value | None = None
    locals: list[float | None] | None = None


Operand = Union[Unit, float, None]  # noqa: UP007 - evaluated at run time


@dataclass(eq=False)
class Group:
    """Units that are drawn as one: all of a folded scope, some that are alike, a loop's middle."""

    units: list[Unit]
    folded: Scope = ()  # the scope that this box stands for, () for another group
    repeats: int = 0  # the iterations that this box stands for, 0 for another group

    @property
    def is_box(self) -> bool:
        """Whether it stands for a whole part of the graph."""
        return bool(self.folded or self.repeats)

    @property
    def first(self) -> Unit:
        """The unit that lends the group its name, operation and scope."""
        return self.units[0]

    @property
    def label(self) -> str:
        """The common label; numbers that differ among the units read ``*``."""
        labels = [unit.label for unit in self.units]
        if len(set(labels)) == 1:
            return labels[0]
        split = [re.split(r"(\d+)", label) for label in labels]
        if len({len(parts) for parts in split}) > 1:
            return ""
        return "".join(parts[0] if len(set(parts)) == 1 else "*"
                       for parts in zip(*split, strict=True))


def make_units(order: Sequence[Value], kept: Collection[Value],
               unfold_dots: bool = False) -> dict[Value, Unit]:
    """A unit for each kept node, named by the node's place in the whole order."""
    units: dict[Value, Unit] = {}
    for place, node in enumerate(order):
        if node not in kept:
            continue
        unit = Unit(f"n{place}", node.op.name if node.op else "", node.op.symbol if node.op else "",
                    node.label, scope_of(node), node.data, grad_of(node), node=node)
        unit.operands = [units.get(p) if isinstance(p, Value) else p for p in node.parents]
        if unfold_dots and unit.kind == "dot":
            _unfold_dot(unit)
        units[node] = unit
    return units


def _unfold_dot(unit: Unit) -> None:
    """Turn the unit of a dot into a sum of products; each product has the dot's own adjoint."""
    assert unit.node is not None
    numbers = [p.data if isinstance(p, Value) else p for p in unit.node.parents]
    half = len(numbers) // 2
    products: list[Operand] = []
    for i in range(half):
        left, right = numbers[i], numbers[i + half]
        products.append(Unit(f"{unit.name}p{i}", "mul", "*", "", unit.scope, left * right,
                             unit.grad, [unit.operands[i], unit.operands[i + half]],
                             locals=[right, left]))
    unit.kind, unit.symbol, unit.node = "sum", "Σ", None
    unit.operands, unit.locals = products, [1.0] * half


def all_units(units: Iterable[Unit]) -> list[Unit]:
    """The units and the products that dots among them were unfolded to, operands first."""
    listed: dict[Unit, None] = {}
    for unit in units:
        for operand in unit.operands:
            if isinstance(operand, Unit):
                listed.setdefault(operand)
        listed[unit] = None
    return list(listed)


def collapse_chains(units: list[Unit]) -> list[Unit]:
    """Write chains of additions, such as Python's ``sum`` makes, as one Σ of all their terms."""
    uses = Counter(operand for unit in units for operand in unit.operands
                   if isinstance(operand, Unit))
    size: dict[Unit, int] = {}  # how many terms an addition has with those that flow into it
    inner: set[Unit] = set()
    for unit in units:
        if unit.kind != "add":
            continue
        size[unit] = 0
        for operand in unit.operands:
            if isinstance(operand, Unit) and operand in size and uses[operand] == 1 \
                    and not operand.label and operand.scope == unit.scope:
                inner.add(operand)
                size[unit] += size[operand]
            elif not _is_zero(operand):
                size[unit] += 1
    gone: set[Unit] = set()
    for unit in units:
        if size.get(unit, 0) >= SHORTEST_CHAIN and unit not in inner:
            unit.operands = _terms(unit, inner, gone)
            unit.kind, unit.symbol, unit.node = "chain", "Σ", None
            unit.locals = [1.0] * len(unit.operands)
    return [unit for unit in units if unit not in gone]


def _is_zero(operand: Operand) -> bool:
    return isinstance(operand, float) and operand == 0.0  # what sum() starts with


def _terms(head: Unit, inner: set[Unit], gone: set[Unit]) -> list[Operand]:
    terms: list[Operand] = []
    stack = list(reversed(head.operands))
    while stack:
        operand = stack.pop()
        if isinstance(operand, Unit) and operand in inner:
            gone.add(operand)
            stack.extend(reversed(operand.operands))
        elif not _is_zero(operand):
            terms.append(operand)
    return terms


def scopes_named(names: Iterable[str], scopes: Iterable[Scope], what: str) -> set[Scope]:
    """The scopes that have one of the names: the last name of a scope, or its path with slashes.

    Raises:
        ValueError: for a name that no scope has; it lists those that exist.
    """
    known = {scope[:n]: None for scope in scopes for n in range(1, len(scope) + 1)}
    found: set[Scope] = set()
    for name in names:
        matching = {s for s in known if name in (s[-1], "/".join(s))}
        if not matching:
            there = ", ".join(repr("/".join(s)) for s in list(known)[:20]) or "none"
            raise ValueError(f"{what}: no scope is named {name!r}; the scopes here: {there}")
        found |= matching
    return found


def folded_scopes(scopes: Iterable[Scope], fold: bool | Collection[str],
                  unfold: Collection[str]) -> set[Scope]:
    """The scopes to draw as one box each; a scope inside an unfolded one is folded by itself."""
    scopes = list(scopes)
    if fold is True or (unfold and not fold):
        folded = {scope[:n] for scope in scopes for n in range(1, len(scope) + 1)}
    else:
        folded = scopes_named(_names(fold, "fold") if fold else (), scopes, "fold")
    for scope in scopes_named(_names(unfold, "unfold"), scopes, "unfold"):
        folded -= {scope[:n] for n in range(1, len(scope) + 1)}
    return folded


def _names(names: bool | Collection[str], what: str) -> list[str]:
    if isinstance(names, str):
        return [names]
    if isinstance(names, bool) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"{what} takes names of scopes, for example {what}=['layer 1'], "
                        f"not {names!r}")
    return list(names)


def grouped(units: list[Unit], folded: set[Scope], merge: bool) -> list[Group]:
    """The groups to draw, in the order of their first units.

    Args:
        units: in topological order.
        folded: scopes that are one group each.
        merge: whether units that are alike become one group.
    """
    boxes = {unit: _box(unit.scope, folded) for unit in units}
    keys: dict[Unit, Hashable] = ({u: boxes[u] or u for u in units} if not merge
                                  else _alike(units, boxes))
    return collected(units, keys, boxes)


def collected(units: Iterable[Unit], keys: Mapping[Unit, Hashable],
              boxes: Mapping[Unit, Scope] | None = None) -> list[Group]:
    """The groups of units that have the same key, in the order of their first units."""
    groups: dict[Hashable, Group] = {}
    for unit in units:
        key = keys[unit]
        if key in groups:
            groups[key].units.append(unit)
        else:
            groups[key] = Group([unit], boxes[unit] if boxes else ())
    return list(groups.values())


def _box(scope: Scope, folded: set[Scope]) -> Scope:
    """The outermost folded scope around a scope, () if there is none."""
    return next((scope[:n] for n in range(1, len(scope) + 1) if scope[:n] in folded), ())


def _alike(units: list[Unit], boxes: dict[Unit, Scope]) -> dict[Unit, Hashable]:
    """A key for each unit; units that are alike have the same one."""
    numbered: dict[Hashable, int] = {}
    shape: dict[Unit, int] = {}
    for unit in units:  # operands first: what the unit was made from
        key: Hashable = boxes[unit] or (unit.kind, unit.scope, re.sub(r"\d+", "#", unit.label),
                                        _shape_of_operands(unit, shape))
        shape[unit] = numbered.setdefault(key, len(numbered))
    used: dict[Unit, set[Hashable]] = defaultdict(set)
    keys: dict[Unit, Hashable] = {}
    for unit in reversed(units):  # consumers first: what it is used for
        key = boxes[unit] or (shape[unit], frozenset(used[unit]))
        keys[unit] = numbered.setdefault(key, len(numbered))
        for position, operand in enumerate(unit.operands):
            if isinstance(operand, Unit):
                used[operand].add((keys[unit], 0 if boxes[unit] else role(unit, position)))
    return keys


def role(unit: Unit, position: int) -> int:
    """Operands of one role are interchangeable: all of a sum, the first factors of a dot."""
    if unit.kind == "dot":
        return position * 2 // len(unit.operands)
    return 0 if _is_commutative(unit) else position


def _is_commutative(unit: Unit) -> bool:
    """Whether it is a sum or the like of many operands; two of them keep their places."""
    row = TABLE.get(unit.kind)
    return unit.kind == "chain" or (row is not None and row.arity is None and row.commutative)


def _shape_of_operands(unit: Unit, shape: dict[Unit, int]) -> Hashable:
    shapes = [shape[o] if isinstance(o, Unit) else -1 if o is None else -2
              for o in unit.operands]
    if unit.kind == "dot":
        half = len(shapes) // 2
        return frozenset(Counter(zip(shapes[:half], shapes[half:], strict=True)).items())
    if _is_commutative(unit):
        return frozenset(Counter(shapes).items())
    return tuple(shapes)


__all__ = [
    "Group", "Operand", "Scope", "Unit", "all_units", "collapse_chains", "collected",
    "folded_scopes", "grouped", "make_units", "role", "scopes_named",
]
