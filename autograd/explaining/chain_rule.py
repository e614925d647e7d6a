"""The chain rule written out on the user's own graph, with the user's names and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd.core.backward import local_derivatives, local_graphs, times
from autograd.core.graph import refuse_stale, topological_order
from autograd.core.value import Operand, Value, recording
from autograd.explaining.notation import Notation, formula, plain, region, shared_names, typeset

MOST_PATHS, LONGEST_PATH = 8, 12


class Factor(NamedTuple):
    """The derivative of one named node by another, over all unnamed nodes between them."""

    upper: Value
    lower: Value
    derivative: Operand

    @property
    def number(self) -> float:
        return self.derivative.data if isinstance(self.derivative, Value) else self.derivative


def explain(y: Value, wrt: Any = None, max_rows: int = 80) -> Explanation:
    """Write out the chain rule for y on its own graph.

    Labelled nodes are the steps of the derivation; what lies unlabelled between them is written
    into one factor. Label what you want to see: ``z.label = "z"``. Nothing changes any ``grad``.

    Args:
        y: what is differentiated.
        wrt: by what: a Value or a list of Values; None takes all labelled leaves.
        max_rows: the longest table to print.

    Returns:
        An :class:`Explanation`: ``print`` it, show it in Jupyter, or take ``.latex()``.

    Raises:
        TypeError: when y or wrt is not a Value.
        ValueError: when y does not depend on wrt, or has no labelled leaf.
    """
    if y.__class__ is not Value:
        raise TypeError(f"explain(y) needs the Value that was computed, not {y!r}")
    order = topological_order(y)
    refuse_stale(order)
    if wrt is None:
        targets = [node for node in order if node.op is None and node.label]
        if not targets:
            raise ValueError("no leaf of the graph has a label; write wrt=x, or give leaves "
                             'labels: Value(2.0, "x")')
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
        names: what each named node is called.
        factors: the derivatives of named nodes by the named nodes next below them, in the order
            of the backward pass.
    """

    def __init__(self, y: Value, targets: list[Value], order: list[Value], max_rows: int) -> None:
        self.y, self.targets, self.order, self.max_rows = y, targets, order, max_rows
        self.names = shared_names([y])
        for i, target in enumerate(targets):
            self.names.setdefault(target, f"x{i + 1}")
        self.named = [node for node in order if node in self.names]
        self.factors = [factor for node in reversed(self.named) for factor in self._factors(node)]
        self.adjoints = self._adjoints()

    def _factors(self, upper: Value) -> list[Factor]:
        """d(upper)/d(lower) for each named node that upper reaches through unnamed ones."""
        if upper.op is None:
            return []
        adjoint: dict[Value, Any] = {upper: 1.0}
        found: list[Factor] = []
        with recording():
            for node in reversed(region(upper, self.names, expand=True)):
                if node is not upper and node in self.names:
                    found.append(Factor(upper, node, adjoint[node]))
                    continue
                if node.op is None or node not in adjoint:
                    continue
                for parent, local in zip(node.parents, local_graphs(node), strict=True):
                    if local is not None and isinstance(parent, Value):
                        share = times(adjoint[node], local)
                        adjoint[parent] = (adjoint[parent] + share if parent in adjoint
                                           else share)
        # Operands are written from left to right.
        place = {node: i for i, node in enumerate(self.named)}
        return sorted(found, key=lambda factor: place[factor.lower])

    def _adjoints(self) -> dict[Value, float]:
        found = {self.y: 1.0}
        for factor in self.factors:
            found[factor.lower] = (found.get(factor.lower, 0.0)
                                   + found.get(factor.upper, 0.0) * factor.number)
        return found

    # --- paths ------------------------------------------------------------------------------------

    def number_of_paths(self, target: Value) -> int:
        """How many paths lead through the graph from y to the target."""
        paths: dict[Value, int] = {target: 1}
        for node in self.order:
            if node is not target:
                paths[node] = sum(paths.get(p, 0) for p in node.parents if isinstance(p, Value))
        return paths[self.y]

    def chains(self, target: Value) -> list[list[Factor]] | None:
        """The paths over named nodes from y to the target; None when they are too many."""
        below: dict[Value, list[Factor]] = {}
        for factor in self.factors:
            below.setdefault(factor.upper, []).append(factor)
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
        parts = [self._definitions()]
        table_needed = False
        for target in self.targets:
            chains = self.chains(target)
            if chains is None:
                table_needed = True
                parts.append(self._total(target))
            else:
                parts.append("\n".join(self._lines(target, chains, "text")))
        if table_needed:
            parts.append(self._table())
        return "\n\n".join(part for part in parts if part)

    __repr__ = __str__

    def latex(self) -> str:
        """The derivation in LaTeX: an ``aligned`` block, without dollar signs."""
        rows: list[str] = []
        for target in self.targets:
            chains = self.chains(target)
            if chains is None:
                rows.append(rf"{self._ratio(self.y, target, 'latex')} &= "
                            rf"{plain(self.adjoints.get(target, 0.0), 'latex')} \quad\text{{(over "
                            rf"{self.number_of_paths(target)} paths)}}")
                continue
            first, *rest = self._lines(target, chains, "latex")
            rows.append(first.replace(" = ", " &= ", 1))
            rows += [f"&{line.strip()}" for line in rest]
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _definitions(self) -> str:
        lines = [f"{self.names[node]} = {self._formula(node)} = {plain(node.data)}"
                 for node in self.named if node.op is not None]
        return _capped(lines, self.max_rows, "definitions")

    def _formula(self, node: Value) -> str:
        return formula(node, "text", self.names)

    def _ratio(self, upper: Value, lower: Value, style: str) -> str:
        a, b = typeset(self.names[upper], style), typeset(self.names[lower], style)
        return rf"\frac{{d{a}}}{{d{b}}}" if style == "latex" else f"d{a}/d{b}"

    def _lines(self, target: Value, chains: list[list[Factor]], style: str) -> list[str]:
        """The derivation in four lines: names, formulas, numbers, result."""
        head = self._ratio(self.y, target, style)
        if target is self.y:
            return [f"{head} = 1"]
        if not chains:
            return [f"{head} = 0"]
        notation = Notation(self.names, style)
        dot = r" \cdot " if style == "latex" else " * "
        indent = " " * len(head) if style == "text" else ""

        def total(write: Any) -> str:
            return " + ".join(dot.join(write(f) for f in chain) for chain in chains)

        several = len(chains) > 1
        lines = [f"{head} = {total(lambda f: self._ratio(f.upper, f.lower, style))}",
                 f"{indent} = {total(lambda f: _factor(notation.of(f.derivative), several))}",
                 f"{indent} = {total(lambda f: _factor(plain(f.number, style), False))}",
                 f"{indent} = {plain(self.adjoints.get(target, 0.0), style)}"]
        if len(chains) == len(chains[0]) == 1:  # y itself next to the target: no chain to name
            only = notation.of(chains[0][0].derivative)
            lines = [f"{head} = {only}", lines[3]]
        return [line for i, line in enumerate(lines)
                if i == 0 or line.strip() != lines[i - 1].strip()]

    def _total(self, target: Value) -> str:
        return (f"{self._ratio(self.y, target, 'text')} = {plain(self.adjoints.get(target, 0.0))}, "
                f"the sum over {self.number_of_paths(target)} paths; node by node:")

    def _table(self) -> str:
        """The adjoints in the order of the backward pass, each as a sum of contributions."""
        shares: dict[Value, list[str]] = {}
        sums: dict[Value, list[str]] = {}
        y = self.names[self.y]
        notation = Notation(self.names)
        for factor in self.factors:
            upper = "1" if factor.upper is self.y else f"d{y}/d{self.names[factor.upper]}"
            symbol = _factor(notation.of(factor.derivative), True)
            shares.setdefault(factor.lower, []).append(
                symbol if upper == "1" else f"{upper} * {symbol}")
            sums.setdefault(factor.lower, []).append(
                f"{plain(self.adjoints.get(factor.upper, 0.0))} * {plain(factor.number)}")
        lines = [f"d{y}/d{y} = 1"]
        for node in reversed(self.named):
            if node in shares:
                written = " + ".join(shares[node])
                numbers = " + ".join(sums[node])
                lines.append(f"d{y}/d{self.names[node]} = {written} = {numbers} "
                             f"= {plain(self.adjoints[node])}")
        return _capped(lines, self.max_rows, "rows")

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
                listed = " + ".join(_factor(plain(share), False) for share in found[:8])
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


def _factor(text: str, several: bool) -> str:
    """A factor of a product: sums and signs in brackets."""
    depth = 0
    for i, character in enumerate(text):
        depth += character in "([{"
        depth -= character in ")]}"
        if depth == 0 and i and character in "+-" and text[i - 1] == " ":
            return f"({text})"
    return f"({text})" if text.startswith("-") else text


def _capped(lines: Sequence[str], most: int, what: str) -> str:
    if len(lines) <= most:
        return "\n".join(lines)
    half = most // 2
    return "\n".join([*lines[:half], f"... {len(lines) - 2 * half} more {what}; write max_rows="
                      f"{len(lines)} to see all ...", *lines[-half:]])
