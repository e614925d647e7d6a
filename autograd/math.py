"""The standard module ``math``, of floats and of Values: ``from autograd import math``.

Every name that ``math`` has in the Python that runs is here. Of floats, and of whatever else holds
no Value, each function is that of ``math``, to the bit and to the error. Of Values it records, and
outside its domain it raises what the primitives raise. What tests a number (``isnan``, ``isclose``)
compares, so that a compiled function knows of it. Functions of whole numbers, and those whose
derivative nobody needs (``ulp``, ``nextafter``), refuse a Value and say so.
"""

from __future__ import annotations

import builtins
import math as _math
import sys
from collections.abc import Callable, Iterable
from typing import Any, Protocol, SupportsFloat, SupportsIndex, overload

from autograd.core import primitives
from autograd.core.primitive import TABLE, Primitive
from autograd.core.value import Value, refusal

_Real = SupportsFloat | SupportsIndex


class _Unary(Protocol):
    @overload
    def __call__(self, x: Value, /) -> Value: ...
    @overload
    def __call__(self, x: _Real, /) -> float: ...


class _Binary(Protocol):
    @overload
    def __call__(self, x: Value, y: Value | _Real, /) -> Value: ...
    @overload
    def __call__(self, x: _Real, y: Value, /) -> Value: ...
    @overload
    def __call__(self, x: _Real, y: _Real, /) -> float: ...


def _has_value(items: Iterable[Any]) -> bool:
    return any(item.__class__ is Value for item in items)


def _unary(name: str, of_value: Callable[[Value], Value]) -> _Unary:
    of_floats = getattr(_math, name)
    if isinstance(of_value, Primitive):
        of_value = getattr(Value, of_value.name)  # its method, which is quicker

    def function(x: Any, /) -> Any:
        return of_value(x) if x.__class__ is Value else of_floats(x)

    return _named(name, function)  # type: ignore[no-any-return]


def _binary(name: str, row: Primitive) -> _Binary:
    of_floats = getattr(_math, name)

    def function(x: Any, y: Any, /) -> Any:
        if x.__class__ is Value or y.__class__ is Value:
            return row(x, y)
        return of_floats(x, y)

    return _named(name, function)  # type: ignore[no-any-return]


def _named(name: str, function: Any) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"math.{name}, also of Values.\n\n{getattr(_math, name).__doc__}"
    return function


def _refusing(name: str) -> Any:
    """A function of math's that no Value can enter."""
    of_floats = getattr(_math, name)

    def function(*arguments: Any, **keywords: Any) -> Any:
        if _has_value((*arguments, *keywords.values())):
            raise refusal(f"math.{name} has no derivative here; write v.data for the bare number, "
                          "int(v.data) where it is to be whole, through which no gradient flows")
        return of_floats(*arguments, **keywords)

    return _named(name, function)


pi, e, tau, inf, nan = _math.pi, _math.e, _math.tau, _math.inf, _math.nan

# --- one operand, and two -------------------------------------------------------------------------

acos = _unary("acos", primitives.acos)
acosh = _unary("acosh", primitives.acosh)
asin = _unary("asin", primitives.asin)
asinh = _unary("asinh", primitives.asinh)
atan = _unary("atan", primitives.atan)
atanh = _unary("atanh", primitives.atanh)
cos = _unary("cos", primitives.cos)
cosh = _unary("cosh", primitives.cosh)
degrees = _unary("degrees", lambda x: x * (180.0 / pi))
erf = _unary("erf", primitives.erf)
erfc = _unary("erfc", primitives.erfc)
exp = _unary("exp", primitives.exp)
expm1 = _unary("expm1", primitives.expm1)
fabs = _unary("fabs", primitives.absolute)
log10 = _unary("log10", primitives.log10)
log1p = _unary("log1p", primitives.log1p)
log2 = _unary("log2", primitives.log2)
radians = _unary("radians", lambda x: x * (pi / 180.0))
sin = _unary("sin", primitives.sin)
sinh = _unary("sinh", primitives.sinh)
sqrt = _unary("sqrt", primitives.sqrt)
tan = _unary("tan", primitives.tan)
tanh = _unary("tanh", primitives.tanh)
if sys.version_info >= (3, 11):
    cbrt = _unary("cbrt", primitives.cbrt)
    exp2 = _unary("exp2", primitives.exp2)

atan2 = _binary("atan2", primitives.atan2)
copysign = _binary("copysign", primitives.copysign)
fmod = _binary("fmod", primitives.fmod)
pow = _binary("pow", primitives.pow)
remainder = _binary("remainder", primitives.ieee_remainder)

floor, ceil, trunc = _math.floor, _math.ceil, _math.trunc  # a Value answers them itself


@overload
def log(x: Value, base: Value | _Real = ..., /) -> Value: ...
@overload
def log(x: _Real, base: Value, /) -> Value: ...
@overload
def log(x: _Real, base: _Real = ..., /) -> float: ...
def log(x: Any, *base: Any) -> Any:
    """math.log, also of Values: the logarithm of x to a base, or the natural one."""
    if x.__class__ is not Value and not _has_value(base):
        return _math.log(x, *base)
    if not base:
        return primitives.log(x)
    if len(base) > 1:
        raise TypeError(f"log expected at most 2 arguments, got {1 + len(base)}")
    return primitives.log(x) / primitives.log(base[0])


def modf(x: Any, /) -> tuple[Any, Any]:
    """math.modf, also of a Value: what is behind the point of x, and what is before it."""
    if x.__class__ is not Value:
        return _math.modf(x)
    return primitives.fmod(x, 1.0), primitives.trunc(x)


def frexp(x: Any, /) -> tuple[Any, int]:
    """math.frexp, also of a Value x: the mantissa, a Value, and the exponent, an int.

    The exponent is read off the bare number: a recording holds for numbers with the same one.
    """
    if x.__class__ is not Value:
        return _math.frexp(x)
    exponent = _math.frexp(x.data)[1]
    return ldexp(x, -exponent), exponent


_MOST = 1000  # of 2 this power and its inverse are floats without loss


def ldexp(x: Any, i: Any, /) -> Any:
    """math.ldexp, also of a Value x: x times 2 to the power i, an int."""
    if x.__class__ is not Value and i.__class__ is not Value:
        return _math.ldexp(x, i)
    if not isinstance(i, int):
        raise TypeError("Expected an int as second argument to ldexp.")
    rest = min(max(i, -4 * _MOST), 4 * _MOST)
    while abs(rest) > _MOST:
        x, rest = x * 2.0 ** _math.copysign(_MOST, rest), rest - int(_math.copysign(_MOST, rest))
    return x * 2.0**rest


# --- any number of operands -----------------------------------------------------------------------

def hypot(*coordinates: Any) -> Any:
    """math.hypot, also of Values: the length of the vector of these coordinates."""
    if not _has_value(coordinates):
        return _math.hypot(*coordinates)
    if len(coordinates) == 2:
        return primitives.hypot(*coordinates)
    return primitives.norm(coordinates)


def dist(p: Iterable[Any], q: Iterable[Any], /) -> Any:
    """math.dist, also of Values: the distance of the points p and q."""
    p, q = tuple(p), tuple(q)
    if not _has_value(p + q):
        return _math.dist(p, q)
    if len(p) != len(q):
        raise ValueError("both points must have the same number of dimensions")
    return primitives.norm([a - b for a, b in zip(p, q, strict=True)])


def fsum(seq: Iterable[Any], /) -> Any:
    """math.fsum, also of Values: the sum of the numbers in seq, rounded once."""
    items = list(seq)
    return primitives.sum(items) if _has_value(items) else _math.fsum(items)


def prod(iterable: Iterable[Any], /, *, start: Any = 1) -> Any:
    """math.prod, also of Values: the product of start and the numbers in iterable."""
    items = list(iterable)
    if not _has_value([*items, start]):
        return _math.prod(items, start=start)
    return primitives.prod(items if start.__class__ is int and start == 1 else [start, *items])


if sys.version_info >= (3, 12):

    def sumprod(p: Iterable[Any], q: Iterable[Any], /) -> Any:
        """math.sumprod, also of Values: the sum of the products of the sequences p and q."""
        p, q = list(p), list(q)
        if not _has_value(p + q):
            return _math.sumprod(p, q)
        if len(p) != len(q):
            raise ValueError("Inputs are not the same length")
        return primitives.dot(p, q)


if sys.version_info >= (3, 13):

    def fma(x: Any, y: Any, z: Any, /) -> Any:
        """math.fma; of Values x * y + z, which is rounded twice."""
        return x * y + z if _has_value((x, y, z)) else _math.fma(x, y, z)


# --- tests, which compare -------------------------------------------------------------------------

def isnan(x: Any, /) -> bool:
    """math.isnan, also of a Value: whether x is nan."""
    return bool(x != x) if x.__class__ is Value else _math.isnan(x)


def isinf(x: Any, /) -> bool:
    """math.isinf, also of a Value: whether x is inf or -inf."""
    return bool(abs(x) == inf) if x.__class__ is Value else _math.isinf(x)


def isfinite(x: Any, /) -> bool:
    """math.isfinite, also of a Value: whether x is neither inf, -inf nor nan."""
    return bool(x - x == 0.0) if x.__class__ is Value else _math.isfinite(x)


def isclose(a: Any, b: Any, *, rel_tol: Any = 1e-09, abs_tol: Any = 0.0) -> bool:
    """math.isclose, also of Values: whether a and b differ by little.

    Args:
        a, b: the numbers.
        rel_tol: the allowed difference by the larger of abs(a) and abs(b).
        abs_tol: the allowed difference.

    Raises:
        ValueError: for a negative tolerance.
    """
    if not _has_value((a, b, rel_tol, abs_tol)):
        return _math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)
    if rel_tol < 0.0 or abs_tol < 0.0:
        raise ValueError("tolerances must be non-negative")
    if a == b:
        return True
    if isinf(a) or isinf(b):
        return False
    allowed = builtins.max(rel_tol * abs(a), rel_tol * abs(b), abs_tol)
    return bool(abs(a - b) <= allowed)


# --- the rest -------------------------------------------------------------------------------------

def _rest(name: str) -> Any:
    """A function that has no definition above: a row of its name, or one that refuses Values."""
    row = next((row for row in TABLE.values() if name in (row.name, *row.aliases)), None)
    return _unary(name, row) if row is not None and row.arity == 1 else _refusing(name)


gamma, lgamma = _rest("gamma"), _rest("lgamma")
comb, factorial, gcd, isqrt = _rest("comb"), _rest("factorial"), _rest("gcd"), _rest("isqrt")
lcm, nextafter, perm, ulp = _rest("lcm"), _rest("nextafter"), _rest("perm"), _rest("ulp")

__all__ = [name for name in dir(_math) if not name.startswith("_")]
globals().update((name, _rest(name)) for name in __all__ if name not in globals())
