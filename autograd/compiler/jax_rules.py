"""The primitives for JAX to differentiate: by the derivatives that stand in their rows.

JAX's own derivative of a formula is not always the row's: at a kink it takes another element of
the subdifferential, and where digits cancel it loses them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from autograd.compiler.backends.formulas import Emit
from autograd.compiler.backends.jax.lowering import elementwise
from autograd.compiler.backends.jax.ops import EMITTERS, REDUCERS
from autograd.compiler.program.program import Program
from autograd.compiler.program.steps import GATED
from autograd.compiler.trace.inlining import inlined
from autograd.compiler.trace.tracer import record
from autograd.core.primitive import find, lookup
from autograd.core.value import Value

Partials = Callable[..., Sequence[Any]]  # of (*operands, result)

# Their formulas have the derivatives of their rows.
_AS_WRITTEN = ("add", "sub", "mul", "neg", "identity", "where")


class _Emitters(dict[str, Emit]):
    """The operations by name, each made when it is asked for; rows of the user's own, too."""

    def __missing__(self, op: str) -> Emit:
        emit = EMITTERS[op] if op in EMITTERS else _written_out(op)
        if op not in _AS_WRITTEN and find(op) is not None:
            emit = _with_partials(emit, _PARTIALS.get(op) or partial(_recorded_partials, op),
                                  lookup(op).chooses or lookup(op).flat)
        self[op] = emit
        return emit


def _with_partials(emit: Emit, partials: Partials, chooses: bool = False) -> Emit:
    """An operation whose derivative by each operand is given.

    Args:
        emit, partials: the operation, and its derivatives.
        chooses: whether an operand by which the derivative is 0 counts nothing, also if its own
            is infinite.
    """
    operation: Any = jax.custom_jvp(emit)

    def jvp(operands: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        y = operation(*operands)
        total = jnp.zeros_like(y)
        slopes = partials(*operands, y)
        for slope, tangent in zip(slopes, tangents, strict=True):
            if not isinstance(tangent, SymbolicZero):
                total = total + _times(slope, tangent, chooses)
        return y, total

    operation.defjvp(jvp, symbolic_zeros=True)
    made: Emit = operation
    return made


def _times(slope: Any, tangent: Any, chooses: bool) -> Any:
    product = slope * tangent
    return jnp.where(slope != 0.0, product, jnp.zeros_like(product)) if chooses else product


def _reducer(emit: Emit, slopes: Callable[[Any, Any], Any], chooses: bool = False) -> Emit:
    """An operation on operands along a first axis, whose derivatives are given likewise."""
    operation: Any = jax.custom_jvp(emit)

    def jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Any, Any]:
        y = operation(*primals)
        return y, jnp.sum(_times(slopes(primals[0], y), tangents[0], chooses), axis=0)

    operation.defjvp(jvp)
    made: Emit = operation
    return made


# --- rules ----------------------------------------------------------------------------------------

def _recorded_partials(op: str, *operands_and_result: Any) -> list[Any]:
    return elementwise(_rule(op), operands_and_result, EMITTERS_WITH_RULES, REDUCERS_WITH_RULES)


@cache
def _rule(op: str) -> Program:
    """The derivatives of a row by its operands, as a program of the operands and the result.

    Raises:
        TypeError: for a rule that compares, whose other branches are not seen.
    """
    row = lookup(op)
    if row.orders:
        raise TypeError(f"JAX cannot differentiate {op}, whose rule depends on its order; take "
                        "the derivative with autograd.grad before to_jax()")
    point = [0.5 * (max(low, -1.0) + min(high, 2.0)) for low, high in row.safe]
    result = row.value(*point)

    def rule(*numbers: Any) -> list[Value]:
        found = [part(*numbers) for part in row.partials]
        return [x if x.__class__ is Value else Value(0.0 if x is None else x) for x in found]

    recording = record(rule, (*point, result), {})
    if recording.places:
        raise TypeError(f"the derivative of {op} compares numbers, which JAX cannot do while it "
                        "records; write it with where, maximum, minimum, sign or step of autograd")
    return recording.program


@cache
def _written_out(op: str) -> Emit:
    """The value of a row of the user's own, in terms of others.

    Raises:
        Unsupported: when it cannot be.
    """
    count = lookup(op).arity or 1
    program = inlined(Program(count, (), (op,), (tuple(range(count)),), (count,)), (op,))
    return lambda *operands: elementwise(program, operands)[0]


def _pow(a: Any, b: Any, y: Any) -> tuple[Any, Any]:
    by_base = jnp.where(
        (b == 0.0) & (a == 0.0), 0.0, jnp.where(
            b < 0.5, b * y / jnp.where(a == 0.0, jnp.where(b == 0.0, 1.0, a), a),
            b * _power(a, b - 1.0)))
    return by_base, jnp.where((a == 0.0) & (b > 0.0), 0.0, jnp.where(
        a > 0.0, y * EMITTERS_WITH_RULES["log"](jnp.where(a > 0.0, a, 1.0)), math.nan))


def _power(a: Any, b: Any) -> Any:
    return EMITTERS_WITH_RULES["pow"](a, b)


def _cosine(a: Any, b: Any, y: Any) -> tuple[Any, Any]:
    at_origin = (a == 0.0) & (b == 0.0)
    length = EMITTERS_WITH_RULES["hypot"](a, jnp.where(at_origin, 1.0, b))
    side = EMITTERS_WITH_RULES["cosine"](b, a)
    return (jnp.where(at_origin, 0.0, side / length * side),
            jnp.where(at_origin, 0.0, -y / length * side))


def _gaussian(x: Any, y: Any) -> tuple[Any]:
    root = EMITTERS_WITH_RULES["gaussian"](0.5 * x)
    return (jnp.where((y > 3e-308) | (x == 0.0), -2.0 * x * y,
                      -2.0 * x * root * root * root * root),)


def _norm(xs: Any, y: Any) -> Any:
    return jnp.where(y == 0.0, 0.0, xs / jnp.where(y == 0.0, 1.0, y))


def _logsumexp(xs: Any, y: Any) -> Any:
    weights = jnp.exp(xs - y)
    return weights / jnp.sum(weights, axis=0)


def _extreme(xs: Any, y: Any) -> Any:
    ties = jnp.where(xs == y, 1.0, 0.0)
    return ties / jnp.sum(ties, axis=0)


def _gated() -> Emit:
    """A number behind a gate, as ``gated_arms`` says."""
    operation: Any = jax.custom_jvp(
        lambda gate, x: jnp.broadcast_to(x, jnp.broadcast_shapes(jnp.shape(gate), jnp.shape(x))))

    def jvp(operands: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        y = operation(*operands)
        return y, jnp.where(operands[0] != 0.0, tangents[1], jnp.zeros_like(y))

    operation.defjvp(jvp)
    made: Emit = operation
    return made


_PARTIALS: dict[str, Partials] = {"pow": _pow, "cosine": _cosine, "gaussian": _gaussian}
EMITTERS_WITH_RULES: dict[str, Emit] = _Emitters({GATED: _gated()})
REDUCERS_WITH_RULES: dict[str, Emit] = {
    **REDUCERS, "norm": _reducer(REDUCERS["norm"], _norm),
    "logsumexp": _reducer(REDUCERS["logsumexp"], _logsumexp),
    "largest": _reducer(REDUCERS["largest"], _extreme, chooses=True),
    "smallest": _reducer(REDUCERS["smallest"], _extreme, chooses=True)}
