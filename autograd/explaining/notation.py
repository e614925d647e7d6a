"""Expressions written as people write them, from the templates in the table of primitives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from autograd.core.graph import topological_order
from autograd.core.value import Operand, Value

# How tightly notation binds. A product may stand behind a product without brackets, a quotient not.
SUM, QUOTIENT, PRODUCT, SIGN, POWER, FUNCTION = 1.0, 2.0, 2.5, 3.0, 4.0, 9.0
LONGEST = 160  # characters of an expression before an unnamed part gets a name

# A piece of notation and how tightly it binds.
Piece = tuple[str, float]


def plain(number: float, style: str = "text") -> str:
    """A number with up to six significant digits: 2 for 2.0, 1.5e-07 for 0.00000015."""
    text = f"{number:.6g}"
    if style == "latex" and "e" in text:
        mantissa, exponent = text.split("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
    return text


def typeset(name: str, style: str = "text") -> str:
    """A label; in LaTeX ``w0`` and ``w_0`` become w with an index, other texts stay upright."""
    if style == "text":
        return name
    match = re.fullmatch(r"([A-Za-z]+?)_?(\d+(?:,\d+)*)", name) or re.fullmatch(
        r"([A-Za-z]+)_([A-Za-z0-9]+)", name)
    letters, index = match.groups() if match else (name, "")
    if letters == "yhat":
        letters = r"\hat{y}"
    elif not re.fullmatch(r"[A-Za-z]", letters):
        escaped = re.sub(r"([_%&#$])", r"\\\1", letters)
        letters = rf"\mathrm{{{escaped}}}"
    return f"{letters}_{{{index}}}" if index else letters


class Notation:
    """Writes nodes in terms of named nodes and constants.

    Args:
        names: what to call the nodes that have a name; they are not taken apart.
        style: "text" for a terminal, "latex" to typeset.
    """

    def __init__(self, names: Mapping[Value, str], style: str = "text") -> None:
        if style not in ("text", "latex"):
            raise ValueError(f'style must be "text" or "latex", not {style!r}')
        self.names, self.style = names, style

    def of(self, operand: Operand, expand: bool = False) -> str:
        """The expression of an operand.

        Args:
            operand: a Value or a constant.
            expand: take the operand itself apart even if it has a name.
        """
        if not isinstance(operand, Value):
            return plain(operand, self.style)
        pieces: dict[Value, Piece] = {}
        for node in region(operand, self.names, expand):
            if node in self.names and not (expand and node is operand):
                pieces[node] = (typeset(self.names[node], self.style), FUNCTION)
            elif node.op is None:
                pieces[node] = self._constant(node.data)
            else:
                pieces[node] = self._applied(node, pieces)
        return pieces[operand][0]

    def _constant(self, number: float) -> Piece:
        return plain(number, self.style), SIGN if number < 0 else FUNCTION

    def _applied(self, node: Value, pieces: Mapping[Value, Piece]) -> Piece:
        op = node.op
        assert op is not None
        operands = [pieces[p] if isinstance(p, Value) else self._constant(p)
                    for p in node.parents]
        if op.name == "identity":
            return operands[0]
        if op.name == "mul":
            return self._turned_around(node, pieces) or self._product(operands[0], operands[1])
        if op.name == "dot":
            return self._dot(operands)
        template = op.latex if self.style == "latex" else op.text
        if op.arity is None:
            return template.format(all=", ".join(text for text, _ in operands)), FUNCTION
        if self.style == "latex" and op.name == "div":
            return template.format(*(text for text, _ in operands)), FUNCTION
        if op.precedence == FUNCTION:
            return template.format(*(text for text, _ in operands)), FUNCTION
        binds = float(op.precedence)
        if op.name == "neg":
            return f"-{_guarded(operands[0], QUOTIENT, first=False)}", SIGN
        texts = [_guarded(piece, binds + (1.0 if position > 0 and op.name in ("sub", "div") else
                                          0.5 if binds == POWER and position == 0 else 0.0),
                          first=position == 0)
                 for position, piece in enumerate(operands)]
        return template.format(*texts), binds

    def _product(self, a: Piece, b: Piece) -> Piece:
        if a[0] == "1":
            return b
        if b[0] == "1":
            return a
        if a[0] == "-1" or b[0] == "-1":
            return f"-{_guarded(b if a[0] == '-1' else a, QUOTIENT, first=False)}", SIGN
        left, right = _guarded(a, QUOTIENT), _guarded(b, PRODUCT, first=False)
        if re.fullmatch(r"-?[\d.]+", left) and right.startswith("("):
            return left + right, PRODUCT  # 2(a - y)
        return f"{left} {self.times} {right}", PRODUCT

    def _turned_around(self, node: Value, pieces: Mapping[Value, Piece]) -> Piece | None:
        """-1 times c(p - q) is c(q - p)."""
        a, b = node.parents
        other = a if b.__class__ is float and b == -1.0 else (
            b if a.__class__ is float and a == -1.0 else None)
        if not isinstance(other, Value) or other in self.names or other.op is None:
            return None
        factor: Operand = 1.0
        if other.op.name == "mul" and other.parents[0].__class__ is float:
            factor, inner = other.parents
        else:
            inner = other
        if (not isinstance(inner, Value) or inner in self.names or inner.op is None
                or inner.op.name != "sub"):
            return None
        p, q = (pieces[x] if isinstance(x, Value) else self._constant(x) for x in inner.parents)
        difference = (f"{q[0]} - {_guarded(p, SUM + 1)}", SUM)
        assert not isinstance(factor, Value)
        return self._product(self._constant(factor), difference)

    def _dot(self, operands: list[Piece]) -> Piece:
        half = len(operands) // 2
        terms = [self._product(a, b)[0] for a, b in
                 zip(operands[:half], operands[half:], strict=True)]
        return " + ".join(terms) if terms else "0", SUM

    @property
    def times(self) -> str:
        """The sign of multiplication."""
        return r"\cdot" if self.style == "latex" else "*"


def region(root: Value, names: Mapping[Value, str], expand: bool) -> list[Value]:
    """The nodes under a root down to the named ones, each after its operands.

    Args:
        root: the last node.
        names: where to stop.
        expand: go through the root even if it has a name.
    """
    order: list[Value] = []
    seen: set[Value] = set()
    stack: list[tuple[Value, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in names or (expand and node is root):
                stack.extend((p, False) for p in reversed(node.parents) if isinstance(p, Value))
    return order


def _guarded(piece: Piece, precedence: float, first: bool = True) -> str:
    """A piece in brackets where it binds too loosely, or would put a sign behind a sign."""
    text, binds = piece
    return text if binds >= precedence and (first or not text.startswith("-")) else f"({text})"


def shared_names(roots: Iterable[Value], prefix: str = "v") -> dict[Value, str]:
    """Names for a graph's nodes: the labels, and v1, v2, ... for what is used more than once.

    An unlabelled node whose expression has grown long is named too, so nothing explodes. Two
    nodes of one label are told apart by primes.
    """
    roots = list(roots)
    order = topological_order(*roots)
    uses: dict[Value, int] = {}
    for node in order:
        for parent in node.parents:
            if isinstance(parent, Value):
                uses[parent] = uses.get(parent, 0) + 1
    names: dict[Value, str] = {}
    taken = {node.label for node in order if node.label}
    lengths: dict[Value, int] = {}
    counter = 0
    given: set[str] = set()
    for root in roots:
        if not root.label:
            names[root] = _unique("y" if "y" not in taken else "output", given)
    for node in order:
        length = 8 + sum(lengths[p] if isinstance(p, Value) else 6 for p in node.parents)
        if node in names:
            lengths[node] = len(names[node])
            continue
        if node.label:
            names[node] = _unique(node.label, given)
        elif node.op is not None and (uses.get(node, 0) > 1 or length > LONGEST):
            counter += 1
            while f"{prefix}{counter}" in taken:
                counter += 1
            names[node] = f"{prefix}{counter}"
        lengths[node] = len(names[node]) if node in names else length
    return names


def _unique(label: str, given: set[str]) -> str:
    while label in given:
        label += "'"
    given.add(label)
    return label


def formula(node: Value, style: str = "text", names: Mapping[Value, str] | None = None) -> str:
    """The expression of a node in terms of labelled nodes, shared nodes and constants.

    Args:
        node: what to write.
        style: "text" or "latex".
        names: what to call nodes; None takes the labels, and v1, v2, ... for shared ones.
    """
    chosen: Any = shared_names([node]) if names is None else names
    return Notation(chosen, style).of(node, expand=True)
