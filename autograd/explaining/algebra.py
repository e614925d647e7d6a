"""Sums of products in their simplest writing: 4 w, not 2 * 2 * w; 1 - t, not -(t - 1).

Derivatives are put together from these, so that constants are folded, like terms added and equal
factors joined, as people do on paper. The numbers beside them come from the engine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from autograd.core.primitive import Primitive

HIGHEST_POWER = 64.0  # of a product that is raised factor by factor


@dataclass(frozen=True)
class Name:
    """What has a name, and the number that it stands for; two names are two things."""

    text: str
    number: float


@dataclass(frozen=True)
class Applied:
    """A function of the table that is no arithmetic, on its operands."""

    op: Primitive
    operands: tuple[Sum, ...]


@dataclass(frozen=True)
class Bracket:
    """Iverson's bracket: 1 where the relation holds, else 0."""

    left: Sum
    relation: str
    right: Sum


@dataclass(frozen=True)
class Product:
    """A number times factors, each of them a base and its exponent."""

    number: float
    factors: tuple[tuple[Atom, Sum], ...] = ()


@dataclass(frozen=True)
class Sum:
    """A sum of products, no two of which differ in their number alone; () is 0."""

    terms: tuple[Product, ...] = ()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:  # asked for at every level of what is nested
        return hash(self.terms)

    @property
    def number(self) -> float | None:
        """The number that it is, None if it is more than a number."""
        if not self.terms:
            return 0.0
        return self.terms[0].number if len(self.terms) == 1 and not self.terms[0].factors else None

    def __add__(self, other: Sum) -> Sum:
        numbers: dict[tuple[tuple[Atom, Sum], ...], float] = {}
        for term in (*self.terms, *other.terms):
            numbers[term.factors] = numbers.get(term.factors, 0.0) + term.number
        return Sum(tuple(Product(number, factors) for factors, number in numbers.items()
                         if number != 0.0))

    def __neg__(self) -> Sum:
        return constant(-1.0) * self

    def __sub__(self, other: Sum) -> Sum:
        return self + other.term_by_term_negated()

    def term_by_term_negated(self) -> Sum:
        """b - a for a - b."""
        return Sum(tuple(Product(-term.number, term.factors) for term in self.terms))

    def __mul__(self, other: Sum) -> Sum:
        if not self.terms or not other.terms:
            return Sum()
        a, b = self._as_product(), other._as_product()
        powers = dict(a.factors)
        for base, exponent in b.factors:
            powers[base] = powers[base] + exponent if base in powers else exponent
        return _product(a.number * b.number, powers)

    def __truediv__(self, other: Sum) -> Sum:
        return self * other ** constant(-1.0)

    def __pow__(self, exponent: Sum) -> Sum:
        n, product = exponent.number, self._as_product()
        if n == 0.0:
            return constant(1.0)
        if n is not None and n.is_integer() and abs(n) <= HIGHEST_POWER:
            try:
                number = product.number ** n
            except (OverflowError, ZeroDivisionError):
                number = math.inf
            if math.isfinite(number) and number != 0.0:
                return _product(number, {base: inner * exponent
                                         for base, inner in product.factors})
        return Sum((Product(1.0, ((self._as_atom(), exponent),)),))

    def _as_product(self) -> Product:
        """It as one term; several are a factor in brackets."""
        return self.terms[0] if len(self.terms) == 1 else Product(1.0, ((self, ONE),))

    def _as_atom(self) -> Atom:
        if len(self.terms) == 1 and self.terms[0].number == 1.0:
            factors = self.terms[0].factors
            if len(factors) == 1 and factors[0][1] == ONE:
                return factors[0][0]
        return self


Atom: TypeAlias = Name | Applied | Bracket | Sum


def constant(number: float) -> Sum:
    """A number as a sum."""
    return Sum((Product(number),)) if number != 0.0 else Sum()


ONE = constant(1.0)


def of(atom: Atom) -> Sum:
    """Something that is not taken apart, as a sum."""
    return Sum((Product(1.0, ((atom, ONE),)),))


def _product(number: float, powers: Mapping[Atom, Sum]) -> Sum:
    factors: dict[Atom, Sum] = {}
    for base, exponent in powers.items():
        if exponent.number == 0.0:
            continue
        if number < 0.0 and exponent.number in (1.0, -1.0) and _reads_better_negated(base):
            assert isinstance(base, Sum)
            number, base = -number, base.term_by_term_negated()
        factors[base] = factors[base] + exponent if base in factors else exponent
    if number == 1.0 and len(factors) == 1:
        [(base, exponent)] = factors.items()
        if isinstance(base, Sum) and exponent == ONE:
            return base
    return Sum((Product(number, tuple(factors.items())),))


def _reads_better_negated(base: Atom) -> bool:
    """Of -(t - 1), where 1 - t is the same; -(a + b) stays."""
    if not isinstance(base, Sum) or len(base.terms) < 2:
        return False
    return 2 * sum(term.number < 0.0 for term in base.terms) >= len(base.terms)
