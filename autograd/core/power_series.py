"""taylor(f, x, order): all derivatives of a function of one variable, by truncated power series.

Every node of the graph is a series in x. Those of + - * / and powers follow from those of their
operands; for any other operation y = h(u), y' = h'(u) u' gives k y_k as a sum over the series of u
and of h'(u), the partial derivative that stands in the row: an expression of other rows, which is a
series by the same rules (Griewank and Walther, "Evaluating Derivatives", 2nd ed., chapter 13).
Expressions that come again are one series: that of sin needs cos, that of cos -sin. So a
derivative of the order n costs n**2 for each of these.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd.core import primitives
from autograd.core.aliases import also_called
from autograd.core.backward import local_graphs
from autograd.core.call import Call
from autograd.core.graph import kink_distance
from autograd.core.primitive import Primitive
from autograd.core.pytrees import as_array, flatten, is_container, shape_of
from autograd.core.transforms import Trace, refuse_misuse, scalar
from autograd.core.typing import Array
from autograd.core.validation import whole
from autograd.core.value import Listener, Value, data_of, describe, listening, recording


@also_called()
def taylor(function: Callable[[Any], Any], x: Any, order: int) -> Array:
    """All derivatives of a function of one variable, up to an order, at a cost of order**2.

    Loops and branches are as the number x decides. A Value x, inside ``grad`` or ``jit``, gives
    Values.

    Args:
        function: of one number; returns a number, a sequence or an array of numbers.
        x: the number.
        order: of the last derivative, 0 or above.

    Returns:
        An array of shape (order + 1,) + (shape of the output): the value, then the first
        derivative, and so on. Divided by k! they are the coefficients of the Taylor series.

    Raises:
        TypeError: for more than one variable; for a primitive of arrays that cannot be written out
            in recorded operations, or whose vjp is not compared with its values (and for one that
            ``implicit`` has made).
        ValueError: where the function is on a kink or a jump: it has no derivatives there.
        ValueError, ZeroDivisionError, OverflowError: where it, or a derivative, is not defined.
    """
    refuse_misuse("taylor", function)
    order = whole(order, "order")
    if isinstance(x, np.ndarray) and x.ndim == 0:
        x = x.item()
    if is_container(x):
        raise TypeError("taylor takes a function of one number; for a direction write "
                        "taylor(lambda t: f(x + t * direction), 0.0, order)")
    with listening(_Writer()):
        trace = Trace(function, 0, (x,), {})
    outputs = [scalar(output) for output in flatten(trace.result)]
    expansion = _Expansion(trace.leaves[0], order, trace.is_closed(*outputs))
    with recording():
        columns = [expansion.derivatives(output) for output in expansion.expanded(outputs)]
    rows = [column[k] for k in range(order + 1) for column in columns]
    return as_array(rows, (order + 1, *shape_of(trace.result)))


class _Writer(Listener):
    """Asks primitives of arrays for what they compute in operations on numbers."""

    writes_programs = True


class _Series:
    """A node as a power series in the variable.

    Attributes:
        node: a Value that has its number.
        op, operands: what it is computed by; operands are series and floats.
        need: the last coefficient that somebody asks for.
        moves: whether it hangs on the variable; else there is one coefficient.
        coefficients: those that are known.
        slopes: the partial derivatives by the operands, once they are wanted.
    """

    __slots__ = ("coefficients", "moves", "need", "node", "op", "operands", "slopes")

    def __init__(self, node: Value, op: Primitive | None, operands: tuple[Any, ...], need: int,
                 number: Any) -> None:
        self.node, self.op, self.operands, self.need = node, op, operands, need
        self.moves: bool = any(map(_moves, operands))
        self.coefficients = [number]
        self.slopes: list[Any] | None = None


Operand = _Series | float


class _Expansion:
    """The series of all nodes, one coefficient after the other.

    Args:
        variable: the leaf that is the variable.
        order: the last coefficient that is wanted.
        is_closed: whether numbers say everything; else coefficients are Values.
    """

    def __init__(self, variable: Value, order: int, is_closed: bool) -> None:
        self.order, self.is_closed = order, is_closed
        self.known: dict[Value, Operand] = {}
        self.by_operands: dict[Any, _Series] = {}
        self.all: list[_Series] = []
        series = self._added(variable, None, (), order)
        series.moves = True
        series.coefficients += [1.0, *[0.0] * order][:order]

    def expanded(self, outputs: Sequence[Any]) -> list[Operand]:
        """The series of outputs, with all coefficients."""
        found = [self._series(output, self.order) for output in outputs]
        for k in range(1, self.order + 1):
            for series in self.all:  # which grows meanwhile, at k = 1
                if series.moves and series.op is not None and k <= series.need:
                    series.coefficients.append(self._coefficient(series, k))
        return found

    def derivatives(self, series: Operand) -> list[Any]:
        """Coefficients times factorials."""
        return [_at(series, k) * float(math.factorial(k)) if k > 1 else _at(series, k)
                for k in range(self.order + 1)]

    # --- from graphs to series -------------------------------------------------------------------

    def _series(self, root: Any, need: int) -> Operand:
        """The series of a node; those that are new are added, operands first."""
        if root.__class__ is not Value:
            return float(root)
        stack = [root]
        while stack:
            node = stack[-1]
            if node in self.known:
                stack.pop()
                continue
            operands = _operands_of(node)
            missing = [u for u in operands if u.__class__ is Value and u not in self.known]
            if missing:
                stack += reversed(missing)
            else:
                stack.pop()
                self.known[node] = self._of(node, operands, need)
        return self.known[root]

    def _of(self, node: Value, parents: Sequence[Any], need: int) -> Operand:
        """The series of a node whose operands are known; the same for the same operation."""
        operands = tuple(self.known[u] if u.__class__ is Value else u for u in parents)
        op = node.op
        if op is primitives.identity or _is_written_out(node):
            if op is not primitives.identity and _moves(operands[0]):
                _refuse_own_vjp(node)
            return operands[0]
        if op is None or op is primitives.stopped or not any(map(_moves, operands)):
            series = self._added(node, op, operands, need)
            series.moves = False
            return series
        _refuse_calls(node)
        if op is primitives.mul:
            operands = _merged_factors(operands)
            if isinstance(operands[0], float) and operands[0] == 1.0:
                rest: _Series = operands[1]
                return rest
        if op is primitives.pow and _moves(operands[1]):
            op, operands = primitives.exp, (self._exponent(node, need),)
        key = (op, *[id(u) if isinstance(u, _Series) else (u, math.copysign(1.0, u))
                     for u in operands])
        if key not in self.by_operands:
            self._refuse_kink(node)
            self.by_operands[key] = self._added(node, op, operands, need)
        return self.by_operands[key]

    def _added(self, node: Value, op: Primitive | None, operands: tuple[Any, ...],
               need: int) -> _Series:
        series = _Series(node, op, operands, need, node._data if self.is_closed else node)
        self.all.append(series)
        self.known[node] = series
        return series

    def _exponent(self, node: Value, need: int) -> Operand:
        """b log(a), of which a**b is the exponential."""
        base, exponent = node.parents
        return self._series(exponent * primitives.log(base), need)

    def _refuse_kink(self, node: Value) -> None:
        if node.op is not None and kink_distance(node) == 0.0:
            raise ValueError(f"{describe(node)} is on a kink or jump of {node.op.name}, where the "
                             "function has no derivatives; expand it beside that point")

    # --- coefficients ----------------------------------------------------------------------------

    def _coefficient(self, y: _Series, k: int) -> Any:
        op, operands = y.op, y.operands
        if op is primitives.mul:
            return _total(_products(operands[0], operands[1], k))
        if op is primitives.div:
            return self._of_quotient(y, k)
        if op in _LINEAR:
            return _LINEAR[op]([_at(u, k) for u in operands])
        if op is primitives.dot:
            half = len(operands) // 2
            return _total(term for a, b in zip(operands[:half], operands[half:], strict=True)
                          for term in _products(a, b, k))
        if op is primitives.pow and not _is_zero(_at(operands[0], 0)):
            return self._of_power(y, k)
        if op is primitives.exp:
            return _times(1.0 / k, _total(_weighted_products(operands[0], y, k)))
        return self._by_slopes(y, k)

    def _of_quotient(self, y: _Series, k: int) -> Any:
        u, v = y.operands
        rest = [_times(-1.0, term) for term in _products(y, v, k, last=k - 1)]
        return _total([_at(u, k), *rest]) / _at(v, 0)

    def _of_power(self, y: _Series, k: int) -> Any:
        """Of u**c, by u y' = c u' y."""
        u, c = y.operands
        power = _at(c, 0)
        terms = [_times(power * i - (k - i), _times(_at(u, i), _at(y, k - i)))
                 for i in range(1, k + 1) if not _is_nothing(_at(u, i))]
        return _total(terms) / (_at(u, 0) * float(k))

    def _by_slopes(self, y: _Series, k: int) -> Any:
        """Of y' = sum of partial derivatives times the operands' derivatives."""
        if y.slopes is None:
            y.slopes = self._slopes(y)
        terms: list[Any] = []
        for u, slope in zip(y.operands, y.slopes, strict=True):
            if slope is not None and isinstance(u, _Series) and u.moves:
                terms += _weighted_products(u, slope, k)
        return _times(1.0 / k, _total(terms))

    def _slopes(self, y: _Series) -> list[Any]:
        """The partial derivatives as series, whose last coefficient is one below."""
        node = y.node
        moving = {u for u in node.parents
                  if isinstance(u, Value) and _moves(self._series(u, y.need))}
        return [None if graph is None else self._series(graph, y.need - 1)
                for graph in local_graphs(node, moving)]


def _operands_of(node: Value) -> tuple[Any, ...]:
    """What a node is computed from; of a result of a function of arrays what was written out."""
    return (node._right,) if _is_written_out(node) else node.parents


def _is_written_out(node: Value) -> bool:
    return node._left.__class__ is Call and node._right is not None


def _refuse_own_vjp(node: Value) -> None:
    """Raise a TypeError where what was written out may have another derivative than the vjp."""
    function = node._left.function
    if function.only_by_vjp:
        raise TypeError(f"taylor expands what {function.name} computes, and only its vjp knows its "
                        "derivative (it is implicit, or was declared with check=False); write "
                        "grad(grad(f)) and so on")


def _refuse_calls(node: Value) -> None:
    """Raise a TypeError for a primitive of arrays of which no series are known."""
    call = node._left
    if call.__class__ is Call:
        raise TypeError(f"taylor needs {call.function.name} written out in operations on numbers, "
                        "and it cannot be called on Values; say with primitive(..., recorded=...) "
                        "how to compute it in Python and NumPy's functions")


def _merged_factors(operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """A constant factor first, that of a product among the operands taken into it.

    So 0.5 * (2 * u) is u, and the series of tanh needs itself again.
    """
    a, b = operands
    if b.__class__ is float:
        a, b = b, a
    if a.__class__ is float and isinstance(b, _Series) and b.op is primitives.mul:
        factor, rest = b.operands
        if factor.__class__ is float and _is_power_of_two(factor) and _is_power_of_two(a):
            return a * factor, rest
    return a, b


def _is_power_of_two(factor: float) -> bool:
    """Whether a factor changes no digit."""
    return math.isfinite(factor) and abs(math.frexp(factor)[0]) == 0.5 and (
        1e-100 < abs(factor) < 1e100)


# --- arithmetic of coefficients, which are floats or Values ---------------------------------------

def _moves(operand: Any) -> bool:
    return isinstance(operand, _Series) and operand.moves


def _at(operand: Operand, k: int) -> Any:
    """A coefficient."""
    if isinstance(operand, _Series):
        return operand.coefficients[k] if operand.moves or k == 0 else 0.0
    return operand if k == 0 else 0.0


def _is_nothing(coefficient: Any) -> bool:
    return coefficient.__class__ is float and coefficient == 0.0


def _is_zero(number: Any) -> bool:
    return bool(number == 0.0)


def _times(a: Any, b: Any) -> Any:
    return b if a.__class__ is float and a == 1.0 else a * b


def _products(a: Operand, b: Operand, k: int, last: int | None = None) -> list[Any]:
    """The terms a_i b_(k-i), i from 0 to k or to ``last``, without those of a constant 0."""
    terms = []
    for i in range((k if last is None else last) + 1):
        x, y = _at(a, i), _at(b, k - i)
        if not _is_nothing(x) and not _is_nothing(y):
            terms.append(x * y)
    return terms


def _weighted_products(u: Operand, p: Operand, k: int) -> list[Any]:
    """The terms i u_i p_(k-i), i from 1 to k."""
    terms = []
    for i in range(1, k + 1):
        x, y = _at(u, i), _at(p, k - i)
        if not _is_nothing(x) and not _is_nothing(y):
            terms.append(_times(float(i), x) * y)
    return terms


def _total(terms: Iterable[Any]) -> Any:
    """The sum; of floats rounded once."""
    terms = list(terms)
    if any(term.__class__ is Value for term in terms):
        return primitives.sum(terms)
    if all(map(math.isfinite, map(data_of, terms))):
        return math.fsum(terms)
    return float(sum(terms))


_LINEAR: dict[Any, Callable[[list[Any]], Any]] = {
    primitives.add: lambda terms: terms[0] + terms[1],
    primitives.sub: lambda terms: terms[0] - terms[1],
    primitives.neg: lambda terms: -terms[0],
    primitives.sum: _total,
}
