"""The two mistakes that everybody makes once, run beside the right backward pass."""

from __future__ import annotations

from dataclasses import dataclass

from autograd.core.backward import local_derivatives
from autograd.core.graph import refuse_stale, topological_order
from autograd.core.naming import node_names, step_names
from autograd.core.value import Value
from autograd.explaining.chain_rule import float_adjoints
from autograd.explaining.notation import plain

MOST_STEPS = 100_000  # the naive recursion walks every path, and there may be 2**60 of them


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """The adjoints of a graph by the right pass and by two wrong ones.

    Attributes:
        order: the nodes in the order of the backward pass, the root first.
        right: d(root)/d(node).
        unordered: the same by recursion without topological order: each node hands its adjoint
            on as soon as something reaches it.
        overwritten: the same with ``=`` in place of ``+=``.
        steps: how many edges the recursion walked.
        finished: whether it came to its end.
    """

    order: list[Value]
    right: dict[Value, float]
    unordered: dict[Value, float]
    overwritten: dict[Value, float]
    steps: int
    finished: bool

    def first_wrong(self, adjoints: dict[Value, float]) -> Value | None:
        """The first node of the backward pass that is wrong; None if all are right.

        Args:
            adjoints: ``unordered`` or ``overwritten``.
        """
        for node in self.order:
            if abs(adjoints[node] - self.right[node]) > 1e-9 * abs(self.right[node]):
                return node
        return None

    def __str__(self) -> str:
        names = node_names(self.order[0])
        rows = [("node", "right", "no order", "= for +=")]
        marks = {self.first_wrong(self.unordered), self.first_wrong(self.overwritten)}
        shown = {*step_names(self.order[0]), *marks}
        for node in self.order:
            if node in shown:
                rows.append((names[node] + (" <-- first wrong" if node in marks else ""),
                             plain(self.right[node]), plain(self.unordered[node]),
                             plain(self.overwritten[node])))
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        table = [f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  "
                 f"{row[3]:>{widths[3]}}" for row in rows]
        return "\n".join([*table, "", self._verdict("without topological order", self.unordered,
                                                    names),
                          self._verdict("with = in place of +=", self.overwritten, names)])

    __repr__ = __str__

    def _verdict(self, mistake: str, adjoints: dict[Value, float],
                 names: dict[Value, str]) -> str:
        node = self.first_wrong(adjoints)
        if node is None:
            # A leaf hands nothing on, so it is only for the other mistake that one will do.
            needed = "a computed node" if adjoints is self.unordered else "a node"
            return (f"{mistake}: all adjoints are right here. The graph is too simple for the "
                    f"mistake to show: it needs {needed} that is used twice.")
        walked = "" if self.finished or adjoints is not self.unordered else (
            f" (given up after {self.steps} steps: it walks every path)")
        return (f"{mistake}: the first wrong adjoint is that of {names[node]}: "
                f"{plain(adjoints[node])}, right is {plain(self.right[node])}{walked}")


def compare_naive(y: Value) -> Comparison:
    """Run the naive recursion and ``=`` for ``+=`` beside the right pass, on the user's graph.

    Nothing changes any ``grad``. Both mistakes are switches of ``autograd.live(y)``, too.

    Args:
        y: the root.

    Returns:
        A :class:`Comparison`; print it.

    Raises:
        TypeError: when y is not a Value.
    """
    if y.__class__ is not Value:
        raise TypeError(f"compare_naive(y) needs the Value that was computed, not {y!r}")
    order = topological_order(y)
    refuse_stale(order)
    locals_ = {node: [(p, local) for p, local in
                      zip(node.parents, local_derivatives(node), strict=True)
                      if isinstance(p, Value) and local is not None] for node in order}
    unordered, steps, finished = _without_order(y, order, locals_)
    backwards = order[::-1]
    return Comparison(backwards, float_adjoints(order), unordered,
                      _overwriting(backwards, locals_), steps, finished)


Locals = dict[Value, list[tuple[Value, float]]]


def _without_order(y: Value, order: list[Value],
                   locals_: Locals) -> tuple[dict[Value, float], int, bool]:
    """Each node adds to an operand and at once lets the operand hand on all that it has."""
    adjoints = dict.fromkeys(order, 0.0)
    adjoints[y] = 1.0
    steps = 0
    stack = [iter(locals_[y])]
    owners = [y]
    while stack and steps < MOST_STEPS:
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
            owners.pop()
            continue
        parent, local = step
        adjoints[parent] += adjoints[owners[-1]] * local
        steps += 1
        stack.append(iter(locals_[parent]))
        owners.append(parent)
    return adjoints, steps, not stack


def _overwriting(backwards: list[Value], locals_: Locals) -> dict[Value, float]:
    adjoints = dict.fromkeys(backwards, 0.0)
    adjoints[backwards[0]] = 1.0
    for node in backwards:
        for parent, local in locals_[node]:
            adjoints[parent] = adjoints[node] * local
    return adjoints
