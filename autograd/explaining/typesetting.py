"""Sums of products as text or LaTeX, in names or in the numbers that the names stand for."""

from __future__ import annotations

from autograd.explaining.algebra import ONE, Applied, Atom, Bracket, Name, Product, Sum
from autograd.explaining.notation import (
    FUNCTION,
    POWER,
    PRODUCT,
    QUOTIENT,
    SIGN,
    SUM,
    Piece,
    applied,
    beside,
    guarded,
    plain,
    typeset,
)

# 1 / (2 y) reads better than 0.5 / y, but 0.001 / y better than 1 / (1000 y).
LARGEST_DIVISOR = 100.0


class Typesetter:
    """Writes sums of products.

    Args:
        style: "text" or "latex".
        in_numbers: write the numbers that names stand for, so that one sees what is computed.
    """

    def __init__(self, style: str = "text", in_numbers: bool = False) -> None:
        self.style, self.in_numbers = style, in_numbers

    def of(self, expression: Sum) -> str:
        """The text of a sum."""
        return self._sum(expression, numbers_last=True)[0]

    def factor(self, expression: Sum) -> str:
        """The text of a sum where it is a factor: with brackets around sums, quotients, signs."""
        return guarded(self._sum(expression, numbers_last=True), PRODUCT, first=False)

    def _sum(self, expression: Sum, numbers_last: bool = False) -> Piece:
        if not expression.terms:
            return "0", FUNCTION
        if len(expression.terms) == 1:
            return self._product(expression.terms[0])
        first, *rest = _in_reading_order(expression.terms, numbers_last)
        text = self._product(first)[0]
        for term in rest:
            size, _ = self._product(Product(abs(term.number), term.factors))
            sign = "-" if term.number < 0.0 else "+"
            text += f" {sign} ({size})" if size.startswith("-") else f" {sign} {size}"
        return text, SUM

    def _product(self, product: Product) -> Piece:
        above = [(base, exponent) for base, exponent in product.factors if not _is_below(exponent)]
        below = [(base, -exponent) for base, exponent in product.factors if _is_below(exponent)]
        number, divisor = abs(product.number), 1.0
        if below and number and (1.0 / number).is_integer() and 1.0 / number <= LARGEST_DIVISOR:
            number, divisor = 1.0, 1.0 / number
        text, binds = self._row(number, above)
        if below:
            text, binds = self._quotient((text, binds), self._row(divisor, below))
        if product.number < 0.0:
            return f"-{guarded((text, binds), QUOTIENT, first=False)}", SIGN
        return text, binds

    def _row(self, number: float, factors: list[tuple[Atom, Sum]]) -> Piece:
        """A number and factors side by side."""
        names_first = sorted(factors, key=lambda factor: not isinstance(factor[0], Name))
        pieces = [self._power(base, exponent) for base, exponent in names_first]
        if number != 1.0 or not pieces:
            pieces.insert(0, (plain(number, self.style), PRODUCT if number < 0.0 else FUNCTION))
        if len(pieces) == 1:
            return pieces[0]
        text = guarded(pieces[0], QUOTIENT, first=False)
        for piece in pieces[1:]:
            text = beside(text, guarded(piece, PRODUCT, first=False), self.style)
        return text, PRODUCT

    def _quotient(self, above: Piece, below: Piece) -> Piece:
        if self.style == "latex":
            return rf"\frac{{{above[0]}}}{{{below[0]}}}", SIGN
        return f"{guarded(above, QUOTIENT)} / {guarded(below, SIGN, first=False)}", QUOTIENT

    def _power(self, base: Atom, exponent: Sum) -> Piece:
        piece = self._atom(base)
        if exponent == ONE:
            return piece
        raised = guarded(piece, POWER + 0.5, first=False)
        if self.style == "latex":
            return f"{raised}^{{{self.of(exponent)}}}", POWER
        return f"{raised}**{guarded(self._sum(exponent), POWER, first=False)}", POWER

    def _atom(self, atom: Atom) -> Piece:
        if isinstance(atom, Sum):
            return self._sum(atom)
        if isinstance(atom, Name):
            if not self.in_numbers:
                return typeset(atom.text, self.style), FUNCTION
            return plain(atom.number, self.style), SIGN if atom.number < 0.0 else FUNCTION
        if isinstance(atom, Applied):
            return applied(atom.op, [self._sum(operand) for operand in atom.operands], self.style)
        assert isinstance(atom, Bracket)
        text = f"{self.of(atom.left)} {atom.relation} {self.of(atom.right)}"
        return rf"\left[{text}\right]" if self.style == "latex" else f"[{text}]", FUNCTION


def _is_below(exponent: Sum) -> bool:
    return exponent.number is not None and exponent.number < 0.0


def _in_reading_order(terms: tuple[Product, ...], numbers_last: bool) -> list[Product]:
    """6 x - 4, not -4 + 6 x; within brackets 1 + exp(x) stays as the user has it."""
    ordered = sorted(terms, key=lambda term: numbers_last and not term.factors)
    unsigned = next((i for i, term in enumerate(ordered) if term.number > 0.0), 0)
    return [ordered[unsigned], *ordered[:unsigned], *ordered[unsigned + 1:]]
