"""Names for the nodes of a graph: the labels that people gave, and v1, v2, ... for the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from autograd.core.graph import topological_order
from autograd.core.value import Value

LONGEST = 160  # characters of an expression before a part without a label becomes a step

# What people write out inside of other expressions.
ARITHMETIC = frozenset({"add", "sub", "mul", "div", "neg", "identity", "pow", "dot", "sum", "prod",
                        "where"})


def node_names(y: Value | Iterable[Value]) -> dict[Value, str]:
    """What to call each node of a graph: the same in texts and on pages.

    A label is the name; nodes of one label are told apart by primes. A root without a label is y,
    or f where something else is labelled y. What else is computed is v1, v2, ...: first the steps
    that ``explain`` shows, then what it writes out, each in the order of the computation. Leaves
    without a label are x1, x2, ... Names that are labels are left out::

        node_names((w * x + b).tanh())    # w, x, b; the sum is v1, the product v2, the root y

    Args:
        y: the root of the graph, or several.

    Returns:
        A name for each node, in topological order; no two are the same.

    Raises:
        TypeError: when y is not a Value.
    """
    roots = _roots(y)
    order = topological_order(*roots)
    steps = _steps(order, set(roots))
    names = _given_names(order, roots)
    taken = set(names.values())
    computed = [node for node in order if node.op is not None]
    for prefix, nodes in (("v", [node for node in computed if node in steps]), ("v", computed),
                          ("x", order)):
        number = 1
        for node in nodes:
            if node not in names:
                while f"{prefix}{number}" in taken:
                    number += 1
                names[node] = f"{prefix}{number}"
                taken.add(names[node])
    return {node: names[node] for node in order}


def step_names(y: Value | Iterable[Value], also: Iterable[Value] = ()) -> dict[Value, str]:
    """The nodes that are steps of a derivation, with the names that :func:`node_names` gives them.

    These are the roots and what has a label; and of what is computed without a label: what is used
    more than once, what is put into a function and is more than 2 x or 1 - a, what comes out of
    such a function, a long base or divisor, and what would be too long to be read. All else is
    written out.

    Args:
        y: the root of the graph, or several.
        also: nodes that are steps in any case.
    """
    names = node_names(y)
    steps = _steps(list(names), {*_roots(y), *also})
    return {node: name for node, name in names.items() if node in steps}


def _roots(y: Value | Iterable[Value]) -> list[Value]:
    roots = [y] if isinstance(y, Value) else list(y)
    for root in roots:
        if root.__class__ is not Value:
            raise TypeError(f"names are given to Values, not to {root!r}")
    return roots


def _given_names(order: Sequence[Value], roots: Sequence[Value]) -> dict[Value, str]:
    """The names of what has a label, and of the roots."""
    labels = {node.label for node in order if node.label}
    free = set(labels)  # the first node of a label has it without a prime
    root_name = next((name for name in ("y", "f") if name not in labels), "output")
    tops = set(roots)
    names: dict[Value, str] = {}
    for node in order:
        if node.label in free:
            free.remove(node.label)
            names[node] = node.label
        elif node.label or node in tops:
            name = node.label or root_name
            while name in labels:
                name += "'"
            labels.add(name)
            names[node] = name
    return names


class _Written(NamedTuple):
    """How much there is to read in an expression.

    Attributes:
        length: about how many characters.
        operations: how many of them; of a name or a number none.
        names: how many stand in it.
        holds_function: whether one of the operations is more than arithmetic.
    """

    length: int = 6
    operations: int = 0
    names: int = 0
    holds_function: bool = False

    @property
    def is_simple(self) -> bool:
        """Whether it can stand inside of a function: x, 2 x, 1 - a."""
        return self.names <= 1 and self.operations <= 2 and not self.holds_function

    @property
    def is_short(self) -> bool:
        """Whether it can stand inside of a power or below a fraction, which repeat it."""
        return self.names <= 4 and self.operations <= 4


_REPEATED = {"pow": 0, "div": 1}  # the operand that the derivative repeats
_NUMBER, _NAME = _Written(), _Written(names=1)


def _steps(order: Sequence[Value], in_any_case: set[Value]) -> set[Value]:
    """The nodes of an order that are steps, as :func:`step_names` says."""
    uses = Counter(parent for node in order for parent in node.parents
                   if isinstance(parent, Value))
    steps = {node for node in order if node.label} | in_any_case
    written: dict[Value, _Written] = {}
    for node in order:
        operands = [(parent, _NUMBER if not isinstance(parent, Value) else
                     _NAME if parent in steps else written[parent]) for parent in node.parents]
        is_function = node.op is not None and node.op.name not in ARITHMETIC
        if is_function:
            unclear = [parent for parent, operand in operands
                       if isinstance(parent, Value) and not operand.is_simple]
            steps.update(unclear)
            if unclear or sum(operand.names > 0 for _, operand in operands) > 1:
                steps.add(node)
        elif node.op is not None and node.op.name in _REPEATED:
            parent, operand = operands[_REPEATED[node.op.name]]
            if isinstance(parent, Value) and not operand.is_short:
                steps.add(parent)
        written[node] = _Written(
            8 + sum(operand.length for _, operand in operands),
            (node.op is not None) + sum(operand.operations for _, operand in operands),
            sum(operand.names for _, operand in operands),
            is_function or any(operand.holds_function for _, operand in operands))
        if node.op is not None and (uses[node] > 1 or written[node].length > LONGEST):
            steps.add(node)
    return steps
