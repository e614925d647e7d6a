"""The primitives in JAX, operation by operation as their value functions in the table.

XLA may compute a * b + c with one rounding, moves constants past each other, and on most devices
takes subnormal numbers for 0; beyond that the results are those that ``interface`` promises.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from autograd.compiler.backends.numpy import emitter_of
from autograd.compiler.program.program import RELATIONS
from autograd.compiler.program.steps import EITHER, KEEPING
from autograd.core.near_zero import CLOSE
from autograd.core.primitive import library
from autograd.core.primitives import LN2

Emit = Callable[..., Any]


def _sign(x: Any) -> Any:
    return jnp.where(x > 0.0, 1.0, jnp.where(x < 0.0, -1.0, x * 0.0))


def _step(x: Any) -> Any:
    return jnp.where(x > 0.0, 1.0, jnp.where(x <= 0.0, 0.0, x))


def _wins(a: Any, b: Any) -> Any:
    return jnp.where(a > b, 1.0, jnp.where(a < b, 0.0, jnp.where(a == b, 0.5, math.nan)))


def _abs(x: Any) -> Any:
    return jnp.where(x < 0.0, -x, x + 0.0)


def _relu(x: Any) -> Any:
    return jnp.where(x <= 0.0, 0.0, x)


def _maximum(a: Any, b: Any) -> Any:
    return jnp.where((a < b) | (b != b), b, a)


def _minimum(a: Any, b: Any) -> Any:
    return jnp.where((a > b) | (b != b), b, a)


def _where(condition: Any, a: Any, b: Any) -> Any:
    return jnp.where(condition != 0.0, a, b)


def _sigmoid(x: Any) -> Any:
    decay = jnp.exp(-jnp.abs(x))
    return jnp.where(x >= 0.0, 1.0, decay) / (1.0 + decay)


def _softplus(x: Any) -> Any:
    return jnp.log1p(jnp.exp(-jnp.abs(x))) + _relu(x)


def _logaddexp(a: Any, b: Any) -> Any:
    top, low = jnp.where(a < b, b, a), jnp.where(a < b, a, b)
    gap = jnp.where(a == b, 0.0, low - top)  # also of equal infinities
    rounding = (low - gap) - top
    decay = jnp.exp(gap)
    rounded = (jnp.abs(top) <= CLOSE) & (jnp.abs(rounding) < 1.0)
    more = jnp.log1p(jnp.where(rounded, decay + decay * rounding, decay))
    return jnp.where((a == b) & ~rounded, a + LN2, top + more)


def _cosine(a: Any, b: Any) -> Any:
    is_steep = jnp.abs(a) < jnp.abs(b)
    ratio = jnp.where(is_steep, a, b) / jnp.where(is_steep, jnp.abs(b), a)
    part = jnp.where(is_steep, ratio, jnp.where(a < 0.0, -1.0, 1.0))
    return jnp.where((a == 0.0) & ~is_steep, a * b, part / jnp.sqrt(1.0 + ratio * ratio))


def _one_minus_square(x: Any) -> Any:
    return (1.0 - x) * (1.0 + x)


def _gaussian(x: Any) -> Any:
    high = lax.reduce_precision(x, exponent_bits=11, mantissa_bits=25)  # its square is exact
    inside = jnp.exp(-high * high) * jnp.exp(-(x - high) * (x + high))
    return jnp.where(jnp.abs(x) < 30.0, inside, jnp.where(x == x, 0.0, x))


def _hypot(a: Any, b: Any) -> Any:
    return _norm(jnp.stack(jnp.broadcast_arrays(a, b)))


def _norm(xs: Any) -> Any:
    """The length of the vectors along the first axis."""
    sizes = jnp.abs(xs)
    top = jnp.max(sizes, axis=0, initial=0.0)
    scale = jnp.where(top > 2.0 ** 500, 2.0 ** -600, jnp.where(top < 2.0 ** -400, 2.0 ** 600, 1.0))
    back = jnp.where(top > 2.0 ** 500, 2.0 ** 600, jnp.where(top < 2.0 ** -400, 2.0 ** -600, 1.0))
    length = jnp.sqrt(jnp.sum((xs * scale) ** 2, axis=0)) * back
    return jnp.where(jnp.any(sizes == math.inf, axis=0), math.inf, length)


def _extreme(of_two: Emit, nothing: float) -> Emit:
    """The extreme along the first axis; of equal ones the first."""
    def extreme(xs: Any) -> Any:
        if not len(xs):
            return jnp.full(xs.shape[1:], nothing)
        while len(xs) > 1:
            rest = xs[len(xs) // 2 * 2:]
            xs = jnp.concatenate([of_two(xs[:-1:2], xs[1::2]), rest])
        return xs[0]

    return extreme


def _logsumexp(xs: Any) -> Any:
    if not len(xs):
        return jnp.full(xs.shape[1:], -math.inf)
    top = largest(xs)
    gaps = xs - top
    ones = jnp.sum(jnp.where(gaps == 0.0, 1.0, 0.0), axis=0) - 1.0
    total = ones + jnp.sum(jnp.where(gaps == 0.0, 0.0, jnp.exp(gaps)), axis=0)
    return jnp.where(jnp.abs(top) == math.inf, top, top + jnp.log1p(total))


def _mod(a: Any, b: Any) -> Any:
    rest = lax.rem(a, b)
    moved = jnp.where((rest != 0.0) & ((rest < 0.0) != (b < 0.0)), rest + b, rest)
    return jnp.where(rest == 0.0, jnp.copysign(0.0, b), moved)


def _floordiv(a: Any, b: Any) -> Any:
    rest = lax.rem(a, b)
    count = (a - rest) / b
    count = jnp.where((rest != 0.0) & ((rest < 0.0) != (b < 0.0)), count - 1.0, count)
    whole = lax.floor(count)
    near = jnp.where(count - whole > 0.5, whole + 1.0, whole)
    quotient = a / b
    divided = jnp.where(count == 0.0, jnp.copysign(0.0, quotient), near)
    return jnp.where(b == 0.0, quotient, divided)


def _exp2(x: Any) -> Any:
    return lax.pow(jnp.full_like(x, 2.0), x)


def _sinh(x: Any) -> Any:
    root = jnp.exp(0.5 * jnp.abs(x))  # e**|x| may be too large, its half not
    large = (0.5 * root) * root - (0.5 / root) / root
    return jnp.where(jnp.abs(x) < 1.0, lax.sinh(x), jnp.where(x < 0.0, -large, large))


def _cosh(x: Any) -> Any:
    root = jnp.exp(0.5 * jnp.abs(x))
    return (0.5 * root) * root + (0.5 / root) / root


def _either(x: Any, other: Any) -> Any:
    return jnp.where(x != x, other, x)


def _keep(relation: str, outcome: bool, x: Any, left: Any, right: Any) -> Any:
    return jnp.where(RELATIONS[relation](left, right) == outcome, x, math.nan)


def _on_host(op: str, *operands: Any) -> Any:
    """What XLA has no function for, to all digits: the host computes it, wherever the device is.

    Numbers go there and back as words of 32 bits: the thread that JAX calls the host in does not
    know that this one wants doubles, and would round them to floats.
    """
    def on_host(words: Any) -> Any:
        numbers = np.ascontiguousarray(words).view(float)[..., 0]
        found = emitter_of(op)(*np.moveaxis(numbers, -1, 0))
        return np.asarray(found)[..., None].view(np.uint32)

    numbers = jnp.stack(jnp.broadcast_arrays(*operands), -1).astype(float)
    words = lax.bitcast_convert_type(numbers, jnp.uint32)
    shape = jax.ShapeDtypeStruct((*numbers.shape[:-1], 2), jnp.uint32)
    given = jax.pure_callback(on_host, shape, words, vmap_method="broadcast_all")
    return lax.bitcast_convert_type(given, float)


largest, smallest = _extreme(_maximum, -math.inf), _extreme(_minimum, math.inf)

EMITTERS: dict[str, Emit] = {
    "add": lax.add, "sub": lax.sub, "mul": lax.mul, "div": lax.div, "neg": lax.neg,
    "identity": lambda x: x, "pow": lax.pow, "abs": _abs, "sign": _sign, "step": _step,
    "wins": _wins, "relu": _relu, "maximum": _maximum, "minimum": _minimum, "where": _where,
    "floor": lax.floor, "ceil": lax.ceil, "trunc": jnp.trunc, "rint": jnp.rint,
    "copysign": jnp.copysign, "fmod": lax.rem, "mod": _mod, "floordiv": _floordiv,
    "exp": lax.exp, "exp2": _exp2, "expm1": lax.expm1, "log": lax.log, "log2": jnp.log2,
    "log10": jnp.log10, "log1p": lax.log1p, "sqrt": lax.sqrt, "cbrt": lax.cbrt, "hypot": _hypot,
    "sin": lax.sin, "cos": lax.cos, "tan": lax.tan, "asin": lax.asin, "acos": lax.acos,
    "atan": lax.atan, "atan2": lax.atan2, "sinh": _sinh, "cosh": _cosh, "tanh": lax.tanh,
    "asinh": lax.asinh, "acosh": lax.acosh, "atanh": lax.atanh, "erf": lax.erf, "erfc": lax.erfc,
    "sigmoid": _sigmoid, "sigmoid_slope": lambda x: _sigmoid(x) * _sigmoid(-x),
    "softplus": _softplus, "logaddexp": _logaddexp, "cosine": _cosine,
    "share": lambda a, b: a / (a + b), "one_minus_square": _one_minus_square,
    "gaussian": _gaussian, EITHER: _either,
    **{name: partial(_keep, *kept) for name, kept in KEEPING.items()},
    **{op: partial(_on_host, op) for op in (
        "gamma", *(name for name, row in library().items() if row.scipy))},
}

# Of any number of operands, which lie along the first axis.
REDUCERS: dict[str, Emit] = {
    "sum": lambda xs: jnp.sum(xs, axis=0), "prod": lambda xs: jnp.prod(xs, axis=0),
    "norm": _norm, "logsumexp": _logsumexp, "largest": largest, "smallest": smallest,
}

NAMES = frozenset({"dot", *EMITTERS, *REDUCERS})  # of all operations that there are
