"""Expressions written as people write them, from the templates in the table of primitives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import Formatter

from autograd.core.naming import step_names
from autograd.core.primitive import Primitive
from autograd.core.value import Operand, Value

# How tightly notation binds. A product may stand behind a product without brackets, a quotient not.
SUM, QUOTIENT, PRODUCT, SIGN, POWER, FUNCTION = 1.0, 2.0, 2.5, 3.0, 4.0, 9.0

GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu",
    "nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega", "Gamma", "Delta",
    "Theta", "Lambda", "Pi", "Sigma", "Phi", "Psi", "Omega"})

# A piece of notation and how tightly it binds.
Piece = tuple[str, float]


def plain(number: float, style: str = "text") -> str:
    """A number with up to six significant digits: 2 for 2.0, 1.5e-07 for 0.00000015."""
    text = f"{number:.6g}"
    if style == "latex":
        if "e" in text:
            mantissa, exponent = text.split("e")
            return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
        return text.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    return text


def typeset(name: str, style: str = "text") -> str:
    """A label; in LaTeX ``w0`` and ``w_0`` become w with an index, other words stay upright."""
    if style == "text":
        return name
    bare = name.rstrip("'")
    match = re.fullmatch(r"([A-Za-z]+?)_?(\d+(?:,\d+)*)", bare) or re.fullmatch(
        r"([A-Za-z]+)_([A-Za-z0-9]+)", bare)
    letters, index = match.groups() if match else (bare, "")
    if letters == "yhat":
        letters = r"\hat{y}"
    elif letters in GREEK:
        letters = rf"\{letters}"
    elif not re.fullmatch(r"[A-Za-z]", letters):
        letters = rf"\mathrm{{{_escaped(letters)}}}"
    return (f"{letters}_{{{index}}}" if index else letters) + "'" * (len(name) - len(bare))


def _escaped(label: str) -> str:
    """Any text as LaTeX takes it inside of ``\\mathrm``, where spaces would vanish."""
    special = {"\\": r"\backslash ", "~": r"\sim ", "^": r"\wedge ", " ": r"\ "}
    return "".join(special.get(c, rf"\{c}" if c in "_%&#${}" else c) for c in label)


def guarded(piece: Piece, precedence: float, first: bool = True) -> str:
    """A piece in brackets where it binds too loosely, or would put a sign behind a sign."""
    text, binds = piece
    if binds >= precedence and (first or not text.startswith("-")):
        return text
    return rf"\left({text}\right)" if r"\frac" in text else f"({text})"


def applied(op: Primitive, operands: Sequence[Piece], style: str) -> Piece:
    """An operation of the table on its operands, by the template of its row."""
    template = op.latex if style == "latex" else op.text
    if op.arity is None:
        return template.format(all=", ".join(text for text, _ in operands)), FUNCTION
    written, before = "", ""
    fields = list(Formatter().parse(template))
    for i, (literal, field, _, _) in enumerate(fields):
        before, after = literal.rstrip(), fields[i + 1][0].lstrip() if i + 1 < len(fields) else ""
        written += literal
        if field is not None:
            written += guarded(operands[int(field)], max(_before(before), _after(after)),
                               first=not before or before.endswith(_OPENERS))
    if style == "latex" and template.startswith(r"\frac"):
        return written, SIGN
    return written, FUNCTION if _is_call(template) else float(op.precedence)


_OPENERS = ("(", "[", "{", "|", ",", "<", ">", "=")
_CLOSERS = (")", "]", "}", "|", ",", "<", ">", "=", "\\right")


def _before(text: str) -> float:
    """How tightly an operand must bind behind a text of a template."""
    if not text or text.endswith(_OPENERS):
        return 0.0
    for sign, binds in (("**", POWER), ("^", POWER), ("/", SIGN), ("*", PRODUCT),
                        (r"\cdot", PRODUCT), ("-", QUOTIENT), ("+", SUM)):
        if text.endswith(sign):
            return binds
    return FUNCTION


def _after(text: str) -> float:
    """How tightly it must bind before a text."""
    if not text or text.startswith(_CLOSERS):
        return 0.0
    for sign, binds in (("**", POWER + 0.5), ("^", POWER + 0.5), ("/", QUOTIENT), ("*", QUOTIENT),
                        (r"\cdot", QUOTIENT), ("-", SUM), ("+", SUM)):
        if text.startswith(sign):
            return binds
    return FUNCTION


def _is_call(template: str) -> bool:
    """Whether it is a name and brackets around all the rest."""
    head, bracket, rest = template.partition("(")
    return bool(bracket) and " " not in head and rest.find(")") == len(rest) - 1


class Notation:
    """Writes nodes as they were computed, in terms of named nodes and constants.

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
                pieces[node] = self._applied(node.op, [
                    pieces[p] if isinstance(p, Value) else self._constant(p)
                    for p in node.parents])
        return pieces[operand][0]

    def _constant(self, number: float) -> Piece:
        return plain(number, self.style), SIGN if number < 0 else FUNCTION

    def _applied(self, op: Primitive, operands: list[Piece]) -> Piece:
        if op.name == "identity":
            return operands[0]
        if op.name == "where":
            operands = [_truth(operands[0], self.style), *operands[1:]]
        if op.name == "add" and operands[0][0] == "0":
            return operands[1]  # Python's sum() starts at 0
        if op.name == "mul":
            return self._product(operands[0], operands[1])
        if op.name == "dot":
            return self._dot(operands)
        return applied(op, operands, self.style)

    def _product(self, a: Piece, b: Piece) -> Piece:
        if a[0] == "1":
            return b
        if b[0] == "1":
            return a
        if a[0] == "-1" or b[0] == "-1":
            return f"-{guarded(b if a[0] == '-1' else a, QUOTIENT, first=False)}", SIGN
        left, right = guarded(a, QUOTIENT), guarded(b, PRODUCT, first=False)
        return beside(left, right, self.style), PRODUCT

    def _dot(self, operands: list[Piece]) -> Piece:
        half = len(operands) // 2
        terms = [self._product(a, b)[0] for a, b in
                 zip(operands[:half], operands[half:], strict=True)]
        signed = [f"({term})" if i and term.startswith("-") else term
                  for i, term in enumerate(terms)]
        return " + ".join(signed) if terms else "0", SUM


def _truth(condition: Piece, style: str) -> Piece:
    """The condition of a ``where``, which is known once it is recorded."""
    word = {"1": "true", "0": "false"}.get(condition[0])
    return condition if word is None else (
        rf"\mathrm{{{word}}}" if style == "latex" else word, FUNCTION)


def beside(left: str, right: str, style: str) -> str:
    """A product of two texts: 2(a - y), in LaTeX also 4 w, else with the sign between them."""
    times = r"\cdot" if style == "latex" else "*"
    if re.fullmatch(r"-?[\d.]+", left):
        if re.match(r"\((?!-?[\d.]+\))|\\left\(", right):
            return left + right
        if re.match(r"[A-Za-z]|\\(?!cdot)", right):
            return rf"{left} \, {right}" if right.startswith(r"\mathrm") else f"{left} {right}"
    return f"{left} {times} {right}"


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


def formula(node: Value, style: str = "text", names: Mapping[Value, str] | None = None) -> str:
    """The expression of a node in terms of the steps below it and constants.

    Args:
        node: what to write.
        style: "text" or "latex".
        names: what to call nodes; None takes :func:`step_names`.
    """
    chosen = step_names([node]) if names is None else names
    return Notation(chosen, style).of(node, expand=True)
