"""The oracle with digits to spare: operations and graphs evaluated again in high precision.

With mpmath installed, a plain central difference in 60 to 900 digits is right to the last bit of
a float. Nothing here knows a derivative rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from autograd.checking.finite_differences import EPS, Estimate, local_difference
from autograd.checking.precise_library import OF_LIBRARY
from autograd.checking.precise_special import SPECIAL
from autograd.core.primitives import DOMAIN_ERRORS, Primitive
from autograd.core.value import Operand, Value, numbers


def has_mpmath() -> bool:
    """Whether mpmath can be imported."""
    return find_spec("mpmath") is not None


@lru_cache(maxsize=8)
def _context(digits: int) -> Any:
    import mpmath

    context = mpmath.mp.clone()  # the user's own precision stays as it is
    context.dps = digits
    return context


def _mp_logsumexp(m: Any, *xs: Any) -> Any:
    top = max(xs)
    return top + m.log(m.fsum(m.exp(x - top) for x in xs))


def _mp_softplus(m: Any, x: Any) -> Any:
    return max(x, m.zero) + m.log1p(m.exp(-abs(x)))


def _mp_sigmoid(m: Any, x: Any) -> Any:
    return 1 / (1 + m.exp(-x))


def _mp_wins(m: Any, a: Any, b: Any) -> Any:
    return m.one if a > b else m.zero if a < b else m.one / 2


def _mp_mod(m: Any, a: Any, b: Any) -> Any:
    return a % b  # exact, however large the quotient is


def _mp_remainder(m: Any, a: Any, b: Any) -> Any:
    rest, whole = abs(a) % abs(b), abs(b)
    is_odd = (abs(a) - rest) % (2 * whole) != 0
    return m.sign(a) * (rest - whole if 2 * rest > whole or (2 * rest == whole and is_odd)
                        else rest)


# The value of each primitive in high precision: written anew, not derived from the table's rows.
MP_VALUES: dict[str, Callable[..., Any]] = {
    "add": lambda m, a, b: a + b,
    "sub": lambda m, a, b: a - b,
    "mul": lambda m, a, b: a * b,
    "div": lambda m, a, b: a / b,
    "neg": lambda m, x: -x,
    "identity": lambda m, x: x, "stop_gradient": lambda m, x: x,
    "pow": lambda m, a, b: m.power(a, b),
    "sign": lambda m, x: m.sign(x),
    "step": lambda m, x: m.one if x > 0 else m.zero,
    "wins": _mp_wins,
    "abs": lambda m, x: abs(x),
    "relu": lambda m, x: max(x, m.zero),
    "maximum": lambda m, a, b: max(a, b),
    "minimum": lambda m, a, b: min(a, b),
    "where": lambda m, c, a, b: a if c else b,
    "floor": lambda m, x: m.floor(x),
    "ceil": lambda m, x: m.ceil(x),
    "trunc": lambda m, x: m.sign(x) * m.floor(abs(x)),
    "rint": lambda m, x: m.nint(x),
    "rounded": lambda m, x, scale: m.nint(x * scale) / scale,
    "mod": _mp_mod,
    "floordiv": lambda m, a, b: m.nint((a - _mp_mod(m, a, b)) / b),
    "fmod": lambda m, a, b: m.sign(a) * _mp_mod(m, abs(a), abs(b)),
    "ieee_remainder": _mp_remainder,
    "copysign": lambda m, a, b: abs(a) if b >= 0 else -abs(a),
    "exp": lambda m, x: m.exp(x),
    "exp2": lambda m, x: m.power(2, x),
    "expm1": lambda m, x: m.expm1(x),
    "log": lambda m, x: m.log(x),
    "log2": lambda m, x: m.log(x) / m.ln2,
    "log10": lambda m, x: m.log(x) / m.ln10,
    "log1p": lambda m, x: m.log1p(x),
    "sigmoid": _mp_sigmoid,
    "sigmoid_slope": lambda m, x: _mp_sigmoid(m, x) * _mp_sigmoid(m, -x),
    "softplus": _mp_softplus,
    "logaddexp": _mp_logsumexp,
    "sqrt": lambda m, x: m.sqrt(x),
    "cbrt": lambda m, x: m.sign(x) * m.cbrt(abs(x)),
    "hypot": lambda m, a, b: m.sqrt(a * a + b * b),
    "cosine": lambda m, a, b: a / m.sqrt(a * a + b * b) if a or b else m.zero,
    "share": lambda m, a, b: a / (a + b),
    "one_minus_square": lambda m, x: 1 - x * x,
    "sin": lambda m, x: m.sin(x),
    "cos": lambda m, x: m.cos(x),
    "tan": lambda m, x: m.tan(x),
    "asin": lambda m, x: m.asin(x),
    "acos": lambda m, x: m.acos(x),
    "atan": lambda m, x: m.atan(x),
    "atan2": lambda m, a, b: m.atan2(a, b),
    "sinh": lambda m, x: m.sinh(x),
    "cosh": lambda m, x: m.cosh(x),
    "tanh": lambda m, x: m.tanh(x),
    "asinh": lambda m, x: m.asinh(x),
    "acosh": lambda m, x: m.acosh(x),
    "atanh": lambda m, x: m.atanh(x),
    "gaussian": lambda m, x: m.exp(-x * x),
    "erf": lambda m, x: m.erf(x),
    "erfc": lambda m, x: m.erfc(x),
    "sum": lambda m, *xs: m.fsum(xs),
    "prod": lambda m, *xs: m.fprod(xs),
    "dot": lambda m, *xs: m.fdot(zip(xs[:len(xs) // 2], xs[len(xs) // 2:], strict=True)),
    "norm": lambda m, *xs: m.sqrt(m.fsum(x * x for x in xs)),
    "largest": lambda m, *xs: max(xs),
    "smallest": lambda m, *xs: min(xs),
    "logsumexp": _mp_logsumexp,
    **SPECIAL,
    **OF_LIBRARY,
}


def _mp_value(context: Any, op: Primitive, operands: Sequence[Any]) -> Any:
    """The value in high precision; None where rounding has pushed it out of the domain."""
    try:
        result = MP_VALUES[op.name](context, *operands)
    except DOMAIN_ERRORS:
        return None
    return result if isinstance(result, context.mpf) else None  # complex: out of the domain


def local_derivative(op: Primitive, operands: Sequence[float], position: int) -> Estimate:
    """The derivative of one operation by one operand, by the best oracle that there is."""
    if op.name in MP_VALUES and has_mpmath():
        for digits in (60, 200, 900):  # saturated functions hide their slope behind many nines
            estimate = _precise_local(op, operands, position, digits)
            if estimate is None:
                break
            if estimate.error <= max(1e-12 * abs(estimate.value), 1e-320):
                return estimate
    return local_difference(op, operands, position)


def _precise_local(op: Primitive, operands: Sequence[float], position: int,
                   digits: int) -> Estimate | None:
    context = _context(digits)
    exact = [context.mpf(x) for x in operands]
    scale = abs(exact[position]) or min(1.0, _room([op.kink(*operands)] if op.kink else []))

    def evaluate(displacement: Any) -> list[Any] | None:
        moved = list(exact)
        moved[position] += displacement
        result = _mp_value(context, op, moved)
        return None if result is None else [result]

    found = _precise_slopes(context, evaluate, context.mpf(10) ** (-digits // 3) * scale)
    return None if found is None else found[0]


def _precise_slopes(m: Any, evaluate: Callable[[Any], list[Any] | None],
                    step: Any) -> list[Estimate] | None:
    """Central differences in high precision; None when a step leaves the domain.

    Args:
        m: the context, whose precision the evaluations have.
        evaluate: the outputs at a displacement.
        step: small enough for its square to be negligible beside any slope but a tiny one.
    """
    quotients, noise = _precise_quotients(m, evaluate, step)
    if quotients is None:
        return None
    if step < 1e-10 and all(abs(quotient) > 1e-8 for quotient in quotients):
        return [Estimate(float(q), float(n) + EPS * abs(float(q)))
                for q, n in zip(quotients, noise, strict=True)]
    # x**3 at 0 has the quotient step**2, and at 1e20 the step is as long as a wave of sin.
    wider, _ = _precise_quotients(m, evaluate, 2 * step)
    if wider is None:
        return None
    return [Estimate(float((4 * q - w) / 3), float(abs(q - w) + n) + EPS * abs(float(q)))
            for q, w, n in zip(quotients, wider, noise, strict=True)]


def _precise_quotients(m: Any, evaluate: Callable[[Any], list[Any] | None],
                       step: Any) -> tuple[list[Any] | None, list[Any]]:
    low = evaluate(-step)
    high = None if low is None else evaluate(step)
    if low is None or high is None:
        return None, []
    last_digits = m.mpf(10) ** (2 - m.dps) / step
    return ([(b - a) / (2 * step) for a, b in zip(low, high, strict=True)],
            [max(abs(a), abs(b)) * last_digits for a, b in zip(low, high, strict=True)])


def _room(margins: Sequence[float]) -> float:
    """How far a number that is 0 may move: to the nearest kink."""
    return min((abs(margin) for margin in margins if margin == margin and margin != 0.0),
               default=1.0)


class PreciseGraph:
    """A recorded graph, evaluated again with 100 digits.

    Args:
        order: its nodes in topological order, without those that receive no adjoint.
    """

    DIGITS = 100

    def __init__(self, order: Sequence[Value]) -> None:
        self.context = _context(self.DIGITS)
        self.order = order
        self.base: dict[Value, Any] = {}
        self.defined = self._evaluate(self.base, set(order))
        self.room = min(1.0, _room([node.op.kink(*numbers(node.parents)) for node in order
                                    if node.op is not None and node.op.kink is not None]))

    @staticmethod
    def missing(order: Sequence[Value]) -> list[str]:
        """The operations for which alone a graph cannot be evaluated, by name."""
        ops = {node.op.name for node in order if node.op is not None}
        return sorted(ops - MP_VALUES.keys()) if has_mpmath() else []

    @classmethod
    def can_evaluate(cls, order: Sequence[Value]) -> bool:
        """Whether mpmath is there and every op of the graph has a value in high precision."""
        return has_mpmath() and not cls.missing(order)

    def _evaluate(self, results: dict[Value, Any], wanted: set[Value]) -> bool:
        """Fill in the numbers of the wanted nodes; False when one is out of the domain."""
        for node in self.order:
            if node not in wanted:
                continue
            if node.op is None:
                results.setdefault(node, self.context.mpf(node.data))
                continue
            operands = [self._number(parent, results) for parent in node.parents]
            result = _mp_value(self.context, node.op, operands)
            if result is None:
                return False
            results[node] = result
        return True

    def _number(self, operand: Operand, results: dict[Value, Any]) -> Any:
        if not isinstance(operand, Value):
            return self.context.mpf(operand)
        known = results.get(operand)
        if known is None:
            known = self.base.get(operand)  # an arm that was not taken is in neither
        return self.context.mpf(operand.data) if known is None else known

    def derivatives(self, leaf: Value, dependents: set[Value], outputs: Sequence[Any],
                    noise: Sequence[float]) -> list[Estimate] | None:
        """The derivatives of outputs by a leaf: the leaf is moved, the graph evaluated again.

        Args:
            leaf: the leaf that moves.
            dependents: the nodes that depend on it, itself included.
            outputs: Values of the graph, or floats.
            noise: the rounding error of each output in double precision.

        Returns:
            An estimate for each output; None when a step leaves the domain, or when the leaf is
            not in the graph.
        """
        if not self.defined or leaf not in self.base:
            return None
        m = self.context

        def evaluate(displacement: Any) -> list[Any] | None:
            results: dict[Value, Any] = {leaf: self.base[leaf] + displacement}
            if not self._evaluate(results, dependents):
                return None
            return [results.get(output, m.zero) if output.__class__ is Value else m.zero
                    for output in outputs]

        step = m.mpf(10) ** -30 * (abs(self.base[leaf]) or self.room)
        slopes = _precise_slopes(m, evaluate, step)
        if slopes is None:
            return None
        # Cancellation inside the graph magnifies the last digits as it does in floats.
        last_digits = float(m.mpf(10) ** (2 - self.DIGITS) / step / EPS)
        return [Estimate(slope.value, slope.error + rounding * last_digits)
                for slope, rounding in zip(slopes, noise, strict=True)]
