"""The chain rule written out on the user's own graph, with the user's names and numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from autograd.core.backward import local_derivatives
from autograd.core.graph import kinks, refuse_stale, topological_order
from autograd.core.naming import LONGEST, step_names
from autograd.core.value import Value, recording
from autograd.explaining.algebra import ONE, Sum, constant
from autograd.explaining.notation import formula, plain, region, typeset
from autograd.explaining.taught import Taught
from autograd.explaining.typesetting import Typesetter

MOST_PATHS, LONGEST_PATH = 8, 12
MOST_GIVEN = 12  # leaves that are listed with their numbers


class Factor(NamedTuple):
    """The derivative of one named node by another, over all unnamed nodes between them.

    Attributes:
        upper, lower: what is differentiated, and by what.
        number: the derivative, as the engine computes it.
        written: the same as it is taught, in the names of other nodes.
    """

    upper: Value
    lower: Value
    number: float
    written: Sum


def explain(y: Value, wrt: Any = None, max_rows: int = 80) -> Explanation:
    """Write out the chain rule for y on its own graph.

    Labelled nodes are the steps of the derivation; label what you want to see: ``z.label = "z"``.
    What lies unlabelled between them is written into one factor as long as it is arithmetic; what
    is used twice or put into a function is a step with a name of its own: v1, v2, ... as in
    :func:`autograd.node_names`. Derivatives are written as they are taught, tanh' as 1 - y**2;
    where the engine computes another form, which keeps its digits, that stands below.
    A derivative along one way alone is written with ∂. Nothing changes any ``grad``.

    Args:
        y: what is differentiated.
        wrt: by what: a Value or a list of Values; None takes all labelled leaves, or all leaves
            where none has a label.
        max_rows: the longest table to print.

    Returns:
        An :class:`Explanation`: ``print`` it, show it in Jupyter, or take ``.latex()``. Its methods
        ``why_one()``, ``why_sums()`` and ``why_order()`` answer what a learner asks, on this graph.

    Raises:
        TypeError: when y or wrt is not a Value.
        ValueError: when y does not depend on wrt, or when a leaf was edited after its use.
    """
    if y.__class__ is not Value:
        raise TypeError(f"explain(y) needs the Value that was computed, not {y!r}")
    order = topological_order(y)
    refuse_stale(order)
    if wrt is None:
        leaves = [node for node in order if node.op is None]
        targets = [leaf for leaf in leaves if leaf.label] or leaves
    else:
        targets = [wrt] if wrt.__class__ is Value else list(wrt)
    inside = set(order)
    for target in targets:
        if target.__class__ is not Value:
            raise TypeError(f"wrt must be a Value or a list of Values, not {target!r}")
        if target not in inside:
            raise ValueError(f"y was not computed from {target!r}, so there is no chain to it")
    return Explanation(y, targets, order, max_rows)


class Explanation:
    """The chain rule from y down to each Value asked for.

    Attributes:
        y, targets: what is differentiated, and by what.
        order: all nodes of the graph, in topological order.
        max_rows: the longest table to print.
        names: what each named node is called.
        factors: the derivatives of named nodes by the named nodes next below them, in the order
            of the backward pass.
    """

    def __init__(self, y: Value, targets: list[Value], order: list[Value], max_rows: int) -> None:
        self.y, self.targets, self.order, self.max_rows = y, targets, order, max_rows
        self.names = step_names([y], also=targets)
        self.named = [node for node in order if node in self.names]
        self._taught = Taught(self.names)
        # Operands are written from left to right.
        place = {node: i for i, node in enumerate(self.named)}
        self.factors = [factor for node in reversed(self.named) for factor in sorted(
            factors_of(node, self.names, self._taught), key=lambda factor: place[factor.lower])]
        self._below: dict[Value, list[Factor]] = {}
        for factor in self.factors:
            self._below.setdefault(factor.upper, []).append(factor)
        self.adjoints = self._adjoints()

    def _adjoints(self) -> dict[Value, float]:
        found = {self.y: 1.0}
        for factor in self.factors:
            found[factor.lower] = (found.get(factor.lower, 0.0)
                                   + found.get(factor.upper, 0.0) * factor.number)
        return found

    # --- paths ------------------------------------------------------------------------------------

    def number_of_paths(self, target: Value) -> int:
        """How many paths lead through the graph from y to the target.

        Args:
            target: a node of the graph.
        """
        paths: dict[Value, int] = {target: 1}
        for node in self.order:
            if node is not target:
                paths[node] = sum(paths.get(p, 0) for p in node.parents if isinstance(p, Value))
        return paths[self.y]

    def chains(self, target: Value) -> list[list[Factor]] | None:
        """The paths over named nodes from y to the target; None when they are too many.

        Args:
            target: one of the targets.
        """
        below = self._below
        reaching = {target: 1}
        for node in self.named:
            if node is not target:
                reaching[node] = sum(reaching.get(f.lower, 0) for f in below.get(node, ()))
        if reaching[self.y] > MOST_PATHS:
            return None
        chains: list[list[Factor]] = []
        stack: list[list[Factor]] = [[f] for f in reversed(below.get(self.y, ()))]
        while stack:
            chain = stack.pop()
            lower = chain[-1].lower
            if lower is target:
                chains.append(chain)
            elif len(chain) > LONGEST_PATH:
                return None
            else:
                stack.extend([*chain, f] for f in reversed(below.get(lower, ()))
                             if reaching.get(f.lower))
        return [chain for chain in chains if chain[-1].lower is target]

    # --- writing ----------------------------------------------------------------------------------

    def __str__(self) -> str:
        parts = ["\n".join([*self._given("text"), *self._definitions("text")])]
        table_needed = False
        for target in self.targets:
            chains = self.chains(target)
            table_needed |= chains is None
            parts.append(f"{self._total(target, 'text')}" if chains is None else
                         "\n".join(self._lines(target, chains, "text")))
        if table_needed:
            parts.append("\n".join(self._table("text")))
        parts += ["\n".join(self._kinks("text")), "\n".join(self._other_forms("text"))]
        return "\n\n".join(part for part in parts if part)

    __repr__ = __str__

    def latex(self) -> str:
        """The same in LaTeX: an ``aligned`` block, without dollar signs."""
        rows = [*self._given("latex"), *self._definitions("latex")]
        table_needed = False
        for target in self.targets:
            chains = self.chains(target)
            table_needed |= chains is None
            rows += ([self._total(target, "latex")] if chains is None else
                     self._lines(target, chains, "latex"))
        if table_needed:
            rows += self._table("latex")
        rows += [*self._kinks("latex"), *self._other_forms("latex")]
        return "\\begin{aligned}\n" + " \\\\\n".join(map(_aligned, rows)) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _given(self, style: str) -> list[str]:
        """The numbers of the leaves, in one line."""
        leaves = [node for node in self.named if node.op is None]
        listed = [f"{typeset(self.names[leaf], style)} = {plain(leaf.data, style)}"
                  for leaf in leaves[:MOST_GIVEN]]
        if len(leaves) > MOST_GIVEN:
            listed.append(r"\ldots" if style == "latex" else f"... {len(leaves)} in all")
        if style == "latex":
            return [r",\quad ".join(listed)] if listed else []
        return [f"given {', '.join(listed)}"] if listed else []

    def _definitions(self, style: str) -> list[str]:
        """What each named node is, and its number."""
        return _capped([node for node in self.named if node.op is not None], lambda node: (
            f"{typeset(self.names[node], style)} = {formula(node, style, self.names)} = "
            f"{plain(node.data, style)}"), self.max_rows, "definitions", style)

    def _ratio(self, upper: Value, lower: Value, style: str, d: str = "d") -> str:
        a, b = typeset(self.names[upper], style), typeset(self.names[lower], style)
        return _fraction(a, b, style, d)

    def _ratio_of(self, factor: Factor, style: str) -> str:
        """A factor of a chain by name: with ∂ where there are other ways from upper to lower."""
        return self._ratio(factor.upper, factor.lower, style,
                           "∂" if self._is_partial(factor) else "d")

    def _is_partial(self, factor: Factor) -> bool:
        stack = [other.lower for other in self._below[factor.upper] if other is not factor]
        seen: set[Value] = set()
        while stack:
            node = stack.pop()
            if node is factor.lower:
                return True
            if node not in seen:
                seen.add(node)
                stack.extend(other.lower for other in self._below.get(node, ()))
        return False

    def _lines(self, target: Value, chains: list[list[Factor]], style: str) -> list[str]:
        """The derivation: the chain in names, as formulas, in numbers, and the result."""
        head, result = self._ratio(self.y, target, style), self.adjoints.get(target, 0.0)
        names, numbers = Typesetter(style), Typesetter(style, in_numbers=True)

        def total(write: Callable[[Factor], str]) -> str:
            return " + ".join(_times(map(write, chain), style) for chain in chains)

        if target is self.y:
            sides = ["1"]
        elif not chains:
            sides = ["0"]
        elif len(chains) == len(chains[0]) == 1:  # y itself next to the target: no chain to name
            written = chains[0][0].written
            sides = [names.of(written), numbers.of(written), plain(result, style)]
        else:
            sides = [total(lambda f: self._ratio_of(f, style)),
                     total(lambda f: names.factor(f.written)),
                     total(lambda f: names.factor(constant(f.number))),
                     plain(result, style)]
        indent = " " * len(head) if style == "text" else ""
        return [f"{indent if i else head} = {side}" for i, side in enumerate(_unrepeated(sides))]

    def _total(self, target: Value, style: str) -> str:
        """The result for a target that too many paths lead to."""
        derivative = (f"{self._ratio(self.y, target, style)} = "
                      f"{plain(self.adjoints.get(target, 0.0), style)}")
        count = self.number_of_paths(target)
        return (rf"{derivative} \quad\text{{(over {count} paths)}}" if style == "latex" else
                f"{derivative}, the sum over {count} paths, node by node below")

    def _table(self, style: str) -> list[str]:
        """The adjoints in the order of the backward pass, each as a sum of contributions."""
        received: dict[Value, list[Factor]] = {}
        for factor in self.factors:
            received.setdefault(factor.lower, []).append(factor)
        def line(node: Value) -> str:
            if node is self.y:
                return f"{self._ratio(node, node, style)} = 1"
            shares = [self._share(factor, style, len(received[node]) == 1)
                      for factor in received[node]]
            return " = ".join(_unrepeated([
                self._ratio(self.y, node, style), " + ".join(names for names, _ in shares),
                " + ".join(numbers for _, numbers in shares), plain(self.adjoints[node], style)]))

        nodes = [node for node in reversed(self.named) if node is self.y or node in received]
        return _capped(nodes, line, self.max_rows, "rows", style)

    def _share(self, factor: Factor, style: str, is_only: bool) -> tuple[str, str]:
        """What a node receives from one that uses it, in names and in numbers."""
        write, number = Typesetter(style), constant(factor.number)
        if factor.upper is self.y:
            text = write.of if is_only else write.factor
            return text(factor.written), text(number)
        adjoint = constant(self.adjoints.get(factor.upper, 0.0))
        return (_times([self._ratio(self.y, factor.upper, style), write.factor(factor.written)],
                       style),
                _times([write.factor(adjoint), write.factor(number)], style))

    def _kinks(self, style: str) -> list[str]:
        """Which nodes sit on a kink, and what their derivative is taken to be there."""
        write = Typesetter(style)
        lines = []
        for node in kinks(self.y, tolerance=0.0):
            assert node.op is not None
            rule = f"is at a kink, where one derivative is chosen: {node.op.at_kink}"
            name = write.of(self._taught.expression(node))
            lines.append(rf"{name} &\quad\text{{{_plain_text(rule)}}}" if style == "latex" else
                         f"{name} {rule}")
        return lines

    def _other_forms(self, style: str) -> list[str]:
        """Where the engine computes another form than the one that is taught: both, and why."""
        first = {node.op.name: node for node in self.order if node.op and node.op.loses_digits}
        lines = [line for node in first.values() if (line := self._other_form(node, style))]
        if not lines:
            return []
        head = "the engine computes an equal form:"
        return [rf"&\text{{{head}}}" if style == "latex" else head, *lines]

    def _other_form(self, node: Value, style: str) -> str:
        write = Typesetter(style)
        with recording():
            taught, computed = self._taught.derivatives(node), self._taught.computed(node)
        for parent, one, other in zip(node.parents, taught, computed, strict=True):
            if one is None or other is None or one == other:
                continue
            upper, lower = (write.of(self._taught.expression(x)) for x in (node, parent))
            line = f"{_fraction(upper, lower, style)} = {write.of(one)} = {write.of(other)}"
            if len(line) > LONGEST:
                return ""
            return line if style == "latex" else (
                f"{line}, which keeps its digits {self._taught.loses_digits(node)}")
        return ""

    # --- the three questions of a learner ---------------------------------------------------------

    def why_one(self) -> str:
        """Why the root starts at 1."""
        y, now = self.names[self.y], self.y.data
        return (f"Why does the root start at 1? The adjoint of a node is d{y}/d(node): how much "
                f"{y} changes when the node changes by a little. For {y} itself that is "
                f"d{y}/d{y} = 1: if {y} goes from {plain(now)} to {plain(now)} + 0.001, {y} "
                "changes by 0.001, 1 times as much. Every other adjoint is this 1, multiplied on "
                "its way down by local derivatives.")

    def why_sums(self) -> str:
        """Why contributions add up."""
        adjoints = float_adjoints(self.order)
        y = self.names[self.y]
        shares: dict[Value, list[float]] = {}
        for node in reversed(self.order):
            for parent, local in zip(node.parents, local_derivatives(node), strict=True):
                if isinstance(parent, Value) and local is not None:
                    shares.setdefault(parent, []).append(adjoints[node] * local)
        for node in self.named:
            found = shares.get(node, [])
            if len(found) > 1:
                name = self.names[node]
                listed = " + ".join(Typesetter().factor(constant(share)) for share in found[:8])
                more = " + ..." if len(found) > 8 else ""
                return (f"Why do contributions add up? {name} is used {len(found)} times. When it "
                        f"changes, {y} changes along every way at once, so the shares add: "
                        f"d{y}/d{name} = {listed}{more} = {plain(adjoints[node])}.")
        return ("Why do contributions add up? A node that is used several times moves the result "
                "along several ways at once. In this graph every named node is used once, so "
                "there is nothing to add; try x * x + x.")

    def why_order(self) -> str:
        """Why the order is reverse topological."""
        names = [self.names[node] for node in reversed(self.named) if node.op is not None]
        shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        return ("Why this order? A node may hand its adjoint down only when all nodes that use it "
                "have handed theirs to it; before that its sum is not complete. Reverse "
                f"topological order is the order in which that always holds. Here: {shown}. "
                "compare_naive(y) shows what happens without it.")


def factors_of(upper: Value, names: Mapping[Value, str], taught: Taught) -> list[Factor]:
    """d(upper)/d(lower) for each named node that upper reaches through unnamed ones.

    Args:
        upper: what is differentiated; it may have a name or not.
        names: where the walk ends.
        taught: writes the derivatives, in the same names.
    """
    if upper.op is None:
        return []
    written, numbers = {upper: ONE}, {upper: 1.0}
    order = region(upper, names, expand=True)
    for node in reversed(order):
        if node in written and node.op is not None and (node is upper or node not in names):
            _hand_down(node, taught, written, numbers)
    return [Factor(upper, node, numbers[node], written[node]) for node in order
            if node in names and node is not upper and node in written]


def _hand_down(node: Value, taught: Taught, written: dict[Value, Sum],
               numbers: dict[Value, float]) -> None:
    """Add what a node hands to its operands, as it is taught and in numbers."""
    if written[node] == constant(0.0):
        return  # constant, also where the derivative of what it multiplies does not exist
    with recording():
        slopes = taught.derivatives(node)
    for parent, slope, number in zip(node.parents, slopes, local_derivatives(node), strict=True):
        if isinstance(parent, Value) and slope is not None and number is not None:
            written[parent] = written.get(parent, constant(0.0)) + written[node] * slope
            numbers[parent] = numbers.get(parent, 0.0) + numbers[node] * number


def derivative_formulas(y: Value, names: Mapping[Value, str]) -> dict[Value, str]:
    """The derivative of y by each named node that it depends on, in those names and constants.

    Args:
        y: what is differentiated.
        names: what to call the nodes that are not taken apart, such as the leaves.
    """
    return {factor.lower: Typesetter().of(factor.written)
            for factor in factors_of(y, names, Taught(names))}


def float_adjoints(order: Sequence[Value]) -> dict[Value, float]:
    """d(root)/d(node) for each node of a topological order whose last node is the root.

    Unlike ``backward()`` it changes no ``grad``.
    """
    adjoints = dict.fromkeys(order, 0.0)
    adjoints[order[-1]] = 1.0
    for node in reversed(order):
        for parent, local in zip(node.parents, local_derivatives(node), strict=True):
            if isinstance(parent, Value) and local is not None:
                adjoints[parent] += adjoints[node] * local
    return adjoints


def _fraction(upper: str, lower: str, style: str, d: str = "d") -> str:
    if style == "text":
        upper, lower = (x if re.fullmatch(r"[\w']+", x) else f"({x})" for x in (upper, lower))
        return f"{d}{upper}/{d}{lower}"
    d = {"∂": r"\partial "}.get(d, d)
    upper, lower = (rf"\,{x}" if x.startswith(r"\mathrm") else
                    x if re.fullmatch(r"[\w{}\\']+", x) else rf"\left({x}\right)"
                    for x in (upper, lower))
    return rf"\frac{{{d}{upper}}}{{{d}{lower}}}"


def _times(factors: Iterable[str], style: str) -> str:
    return (r" \cdot " if style == "latex" else " * ").join(factors)


def _unrepeated(sides: list[str]) -> list[str]:
    """The sides of an equation, without those that say the same as the one before."""
    return [side for i, side in enumerate(sides) if i == 0 or side != sides[i - 1]]


def _plain_text(text: str) -> str:
    """A text as it stands inside of LaTeX's ``\\text``."""
    return re.sub(r"([_%&#$])", r"\\\1", text)


def _aligned(row: str) -> str:
    """A line of a derivation as a row of an ``aligned`` block; its first = stands below others."""
    if r" &\quad" in row or row.startswith("&"):
        return row
    left, equals, right = row.partition("= ")
    return f"{left.strip()} &{equals}{right}" if left.strip() else f"&{equals}{right}"


def _capped(nodes: list[Value], line: Callable[[Value], str], most: int, what: str,
            style: str) -> list[str]:
    """A line for each node, or for the first and last of too many."""
    if len(nodes) <= most:
        return [line(node) for node in nodes]
    half = most // 2
    left_out = (f"... {len(nodes) - 2 * half} more {what}; write max_rows={len(nodes)} "
                "to see all ...")
    return [*map(line, nodes[:half]),
            rf"&\text{{{_plain_text(left_out)}}}" if style == "latex" else left_out,
            *map(line, nodes[len(nodes) - half:])]
