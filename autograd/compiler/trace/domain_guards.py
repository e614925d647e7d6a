"""Domains: where operations raise, and which results do not show that an operand was not finite.

A replay computes as IEEE 754 says: 1/0 is inf there, where Python raises. What reaches a result as
inf or nan is found out at the end; what disappears on the way, as in exp(-1/x), has to be checked.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from typing import Any

from autograd.core.primitives import TABLE, Primitive, div
from autograd.core.value import Value

Condition = tuple[int, str, float]  # operand, relation, number

_LARGEST = 709.782712893384  # the largest operand of which exp is not too large for a float
_LARGEST_HYPERBOLIC = 710.4758600739439  # of which sinh and cosh are not

# A row raises where one of its conditions holds; but of an infinity exp, sinh and so on are right.
CONDITIONS: dict[str, tuple[Condition, ...]] = {
    "div": ((1, "==", 0.0),),
    "exp": ((0, ">", _LARGEST),), "exp2": ((0, ">=", 1024.0),), "expm1": ((0, ">", _LARGEST),),
    "log": ((0, "<=", 0.0),), "log2": ((0, "<=", 0.0),), "log10": ((0, "<=", 0.0),),
    "log1p": ((0, "<=", -1.0),), "sqrt": ((0, "<", 0.0),), "acosh": ((0, "<", 1.0),),
    **dict.fromkeys(("sin", "cos", "tan"), ((0, "==", math.inf), (0, "==", -math.inf))),
    **dict.fromkeys(("asin", "acos"), ((0, "<", -1.0), (0, ">", 1.0))),
    **dict.fromkeys(("sinh", "cosh"), ((0, "<", -_LARGEST_HYPERBOLIC),
                                       (0, ">", _LARGEST_HYPERBOLIC))),
    "atanh": ((0, "<=", -1.0), (0, ">=", 1.0)),
}

# Rows of which no operand that is inf or nan gives a finite result.
TRANSPARENT = frozenset({
    "add", "sub", "mul", "neg", "identity", "abs", "sqrt", "cbrt", "hypot", "norm", "log", "log2",
    "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "sinh", "cosh", "asinh", "acosh",
    "atanh", "one_minus_square", "sum", "prod", "dot"})

# Rows that never raise. Of those in neither table (pow, and the user's own) nothing is known.
_TOTAL = (TRANSPARENT - CONDITIONS.keys()) | {
    "where", "maximum", "minimum", "wins", "sign", "step", "relu", "sigmoid", "sigmoid_slope",
    "softplus", "logaddexp", "logsumexp", "tanh", "atan", "atan2", "gaussian", "erf", "erfc"}

_TRANSPARENT = frozenset(TABLE[name] for name in TRANSPARENT)


def may_raise(row: Primitive) -> bool:
    """Whether there are operands of which the operation is not defined, or overflows."""
    return row.name not in _TOTAL


def shown_by(results: Sequence[Value], order: Sequence[Value],
             needed: Container[Value]) -> Container[Any]:
    """The nodes that are finite wherever all results are.

    Args:
        results: computed nodes, or leaves.
        order: the nodes that they were computed from, in topological order.
        needed: these nodes as a set.
    """
    if _TRANSPARENT.issuperset({node.op for node in order}):
        return needed
    shown: set[Any] = set(results)
    see = shown.add
    for node in reversed(order):
        op = node.op
        if op is None or node not in shown:
            continue
        left, right = node._left, node._right
        if op in _TRANSPARENT:
            if left.__class__ is tuple:
                shown.update(left)
            else:
                see(left)
            if right.__class__ is Value:
                see(right)
        elif op is div:
            see(left)  # 1/inf hides the divisor
    return shown
