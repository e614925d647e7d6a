"""The primitives in JAX, operation by operation as their value functions in the table.

XLA may compute a * b + c with one rounding, moves constants past each other, and on most devices
takes subnormal numbers for 0; beyond that the results are those that ``interface`` promises.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from autograd.compiler.backends.formulas import Emit, formulas, gaussian
from autograd.compiler.backends.numpy import emitter_of
from autograd.compiler.program.program import RELATIONS
from autograd.compiler.program.steps import EITHER, KEEPING
from autograd.core.coefficients import GAMMALN, STIRLING
from autograd.core.primitive import library
from autograd.core.rounding import WHOLE

FORMULAS = formulas(jnp)


def _abs(x: Any) -> Any:
    return jnp.where(x < 0.0, -x, x + 0.0)


def _gaussian(x: Any) -> Any:
    # Veltkamp's splitting would be rounded elsewhere.
    return gaussian(jnp, x, lax.reduce_precision(x, exponent_bits=11, mantissa_bits=25))


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


def _exp2(x: Any) -> Any:
    return lax.pow(jnp.full_like(x, 2.0), x)


def _sinh(x: Any) -> Any:
    root = jnp.exp(0.5 * jnp.abs(x))  # e**|x| may be too large, its half not
    large = (0.5 * root) * root - (0.5 / root) / root
    return jnp.where(jnp.abs(x) < 1.0, lax.sinh(x), jnp.where(x < 0.0, -large, large))


def _cosh(x: Any) -> Any:
    root = jnp.exp(0.5 * jnp.abs(x))
    return (0.5 * root) * root + (0.5 / root) / root


# --- rounding and remainders ----------------------------------------------------------------------

def _copysign(a: Any, b: Any) -> Any:
    return jnp.where(jnp.signbit(b), -jnp.abs(a), jnp.abs(a))


def _mod(a: Any, b: Any) -> Any:
    rest = lax.rem(a, b)
    return jnp.where(rest == 0.0, _copysign(jnp.zeros_like(b), b),
                     jnp.where((b < 0.0) != (rest < 0.0), rest + b, rest))


def _floordiv(a: Any, b: Any) -> Any:
    rest = lax.rem(a, b)
    is_below = (rest != 0.0) & ((b < 0.0) != (rest < 0.0))
    count = (a - rest) / b - jnp.where(is_below, 1.0, 0.0)
    whole = jnp.floor(count)
    found = jnp.where(count - whole > 0.5, whole + 1.0, whole)
    zero = _copysign(jnp.zeros_like(count), a / b)
    return jnp.where(b == 0.0, a / b, jnp.where(count == 0.0, zero, found))


def _halves(x: Any) -> tuple[Any, Any]:
    """A number as the sum of two of at most 26 digits, whose products are exact."""
    high = lax.reduce_precision(x, exponent_bits=11, mantissa_bits=25)
    high = jnp.where(jnp.abs(134217729.0 * x) < math.inf, high, math.nan)  # as by splitting
    return high, x - high


def _rounded(x: Any, scale: Any) -> Any:
    scaled = lax.mul(x, scale)
    (high, low), (top, rest) = _halves(x), _halves(scale)
    lost = ((high * top - scaled) + high * rest + low * top) + low * rest
    nearest = jnp.rint(scaled)
    off = scaled - nearest
    step, sign = FORMULAS["step"], FORMULAS["sign"]
    is_tie = step(jnp.abs(off) - 0.49999999999999994)
    found = _copysign((nearest + is_tie * step(off * lost) * sign(off)) / scale, x)
    return jnp.where(jnp.abs(scaled) < 2.0 * WHOLE, found, x + 0.0 / scale)


# --- the gamma function ---------------------------------------------------------------------------

def _series(x: Any, factors: Sequence[float]) -> Any:
    """x * factors[0] + x**2 * factors[1] + ..."""
    total = jnp.zeros_like(x)
    for factor in reversed(factors):
        total = (total + factor) * x
    return total


def _gamma(x: Any) -> Any:
    """Below 0 by the reflection formula, DLMF 5.5.3."""
    size = jnp.where(x < -0.5, -x, x)
    above = jnp.where(size < 10.0, _gamma_near(size), _gamma_far(size))
    whole = jnp.rint(x)
    sine = jnp.sin(math.pi * (x - whole))
    is_odd = jnp.rint(0.5 * whole) != 0.5 * whole
    below = math.pi / (jnp.where(is_odd, -sine, sine) * size) / above
    below = jnp.where((x == whole) | (x <= -WHOLE), math.nan, below)
    return jnp.where(x < -0.5, below, above)


def _gamma_near(x: Any) -> Any:
    """From -0.5 to 10: by the logarithm on [1.5, 2.5], and recurrence."""
    x = jnp.clip(x, -0.5, 10.0)
    whole = jnp.rint(x)
    found = jnp.exp(_series(x - whole, GAMMALN))
    for k in range(1, 9):
        found = found * jnp.where(whole - 2.0 >= k, x - k, 1.0)
    return found / jnp.where(whole < 0.5, x + 1.0, 1.0) / jnp.where(whole < 1.5, x, 1.0)


def _gamma_far(x: Any) -> Any:
    """From 10 on: Stirling's series, DLMF 5.11.3."""
    root = lax.pow(x, 0.5 * x - 0.25)  # the whole power would be too large before the result is
    found = (root * (jnp.exp(-x) * math.sqrt(2.0 * math.pi))
             * jnp.exp(_series(1.0 / x / x, STIRLING) * x) * root)
    return jnp.where(x > 171.7, math.inf, found)


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


largest = _extreme(FORMULAS["maximum"], -math.inf)
smallest = _extreme(FORMULAS["minimum"], math.inf)

EMITTERS: dict[str, Emit] = {
    "add": lax.add, "sub": lax.sub, "mul": lax.mul, "div": lax.div, "neg": lax.neg,
    "pow": lax.pow, "abs": _abs, **FORMULAS,
    "floor": lax.floor, "ceil": lax.ceil, "trunc": jnp.trunc, "rint": jnp.rint, "mod": _mod,
    "floordiv": _floordiv, "fmod": lax.rem, "copysign": _copysign, "rounded": _rounded,
    "exp": lax.exp, "exp2": _exp2, "expm1": lax.expm1, "log": lax.log, "log2": jnp.log2,
    "log10": jnp.log10, "log1p": lax.log1p, "sqrt": lax.sqrt, "cbrt": lax.cbrt, "hypot": _hypot,
    "sin": lax.sin, "cos": lax.cos, "tan": lax.tan, "asin": lax.asin, "acos": lax.acos,
    "atan": lax.atan, "atan2": lax.atan2, "sinh": _sinh, "cosh": _cosh, "tanh": lax.tanh,
    "asinh": lax.asinh, "acosh": lax.acosh, "atanh": lax.atanh, "erf": lax.erf, "erfc": lax.erfc,
    "gamma": _gamma, "gaussian": _gaussian, EITHER: _either,
    **{name: partial(_keep, *kept) for name, kept in KEEPING.items()},
    **{name: partial(_on_host, name) for name, row in library().items()
       if row.scipy or row.called},
}

# Of any number of operands, which lie along the first axis.
REDUCERS: dict[str, Emit] = {
    "sum": lambda xs: jnp.sum(xs, axis=0), "prod": lambda xs: jnp.prod(xs, axis=0),
    "norm": _norm, "logsumexp": _logsumexp, "largest": largest, "smallest": smallest,
}

NAMES = frozenset({"dot", *EMITTERS, *REDUCERS})  # of all operations that there are
