"""NumPy, SciPy and cmath as adopted code finds them: a few functions take Values, too.

``residuals = np.zeros(m)`` makes an array of plain numbers, into which no Value fits. Where the
function that calls it holds a Value in its variables, what is made here is an array of Values; in
all other calls it is NumPy's own. ``np.array`` and ``np.asarray`` keep the class that
``autograd.values`` gives, so that every rule for arrays of Values holds on what they return.

SciPy's splines and ``quad`` are written in C and Fortran, ``logsumexp`` and ``comb`` for arrays of
plain numbers; on Values they are differentiated by their own formulas, and so are some
distributions, by :mod:`autograd.adopted_statistics`. ``cmath`` on a Value is ``autograd.math``,
where what it gives is real.
"""

from __future__ import annotations

import builtins
import cmath
import contextlib
import functools
import importlib
import math as plain_math
import sys
from collections.abc import Callable
from itertools import islice
from types import BuiltinFunctionType, FrameType, FunctionType, ModuleType
from typing import Any

import numpy as plain

from autograd import adopted_statistics, math, special
from autograd.core.array_primitive import ArrayPrimitive
from autograd.core.arrays import ArrayOfValues
from autograd.core.composed import numbers_in
from autograd.core.primitive import DOMAIN_ERRORS
from autograd.core.value import Value, data_of, program_writer, refusal

LOOKED_AT = 8  # of the items of a list: how many are looked at for a Value
PANELS = (1, 2, 4, 8, 16, 32, 64)  # into which quad divides an interval, until it agrees
NODES, WEIGHTS = plain.polynomial.legendre.leggauss(20)
RTOL = 1e-11
STEPS = (0.25, 0.125, 0.0625, 0.03125)  # of the double exponential rule
REACH = 5.5  # of its nodes: the substitution makes of it 1e-166, or 1e166
CLOSE = 1e-10  # to a finer rule, relative


class _StandIn(ModuleType):
    """A module; what is not replaced is the original's.

    Args:
        name: of the original.
        replaced: by name, what is not the original's.
    """

    def __init__(self, name: str, replaced: dict[str, Any]) -> None:
        super().__init__(name)
        vars(self).update(replaced)

    def __getattr__(self, name: str) -> Any:
        full = f"{self.__name__}.{name}"
        if full in STAND_INS:
            importlib.import_module(full)
            return STAND_INS[full]
        return getattr(importlib.import_module(self.__name__), name)

    def __dir__(self) -> list[str]:
        return dir(importlib.import_module(self.__name__))


# --- NumPy ----------------------------------------------------------------------------------------

def _filled(original: Callable[..., Any], is_empty: bool = False) -> Callable[..., Any]:
    """np.zeros and its like, where Values may be written into what they make."""
    @functools.wraps(original)
    def made(*arguments: Any, **options: Any) -> Any:
        array = original(*arguments, **options)
        if array.dtype == object and _is_of_values(array):  # np.full(n, v)
            return array.view(ArrayOfValues)
        if array.dtype != float or not _holds_values(sys._getframe(1)):
            return array
        if is_empty:  # what lies in memory there is no number of anybody's
            array[...] = 0.0
        return array.astype(object).view(ArrayOfValues)

    return made


def _converted(original: Callable[..., Any]) -> Callable[..., Any]:
    """np.array and its like, which take Values as they are, also where floats are asked for."""
    @functools.wraps(original)
    def made(item: Any, *arguments: Any, **options: Any) -> Any:
        if not _is_of_values(item):
            return original(item, *arguments, **options)
        asked = arguments[0] if arguments else options.get("dtype")
        if asked is not None and plain.dtype(asked) not in (float, object):
            return original(item, *arguments, **options)  # an error, that says what to write
        options["dtype"] = object
        return original(item, *arguments[1:], **options).view(ArrayOfValues)

    return made


def _holds_values(frame: FrameType | None) -> bool:
    """Whether a variable of the function that calls is a Value, or has one in it."""
    while frame is not None and frame.f_code.co_name.startswith("<") and frame.f_back is not None:
        if any(map(_is_of_values, frame.f_locals.values())):
            return True
        frame = frame.f_back  # around a comprehension or a lambda
    if frame is None:
        return False
    variables = [*frame.f_locals.values()]
    attributes = getattr(frame.f_locals.get("self"), "__dict__", {})
    return any(map(_is_of_values, [*variables, *attributes.values()]))


def _is_of_values(item: Any, depth: int = 3) -> bool:
    """Whether something is a Value, or a list or an array that begins with some."""
    if item.__class__ is Value or isinstance(item, ArrayOfValues):
        return True
    if isinstance(item, plain.ndarray):
        return item.dtype == object and any(x.__class__ is Value for x in item.flat)
    if isinstance(item, list | tuple) and depth:
        return any(_is_of_values(part, depth - 1) for part in islice(item, LOOKED_AT))
    return False


_NUMPY = {name: item for name, item in vars(plain).items()
          if name not in ("__name__", "__getattr__", "__dir__")}
_NUMPY.update((name, _filled(_NUMPY[name])) for name in ("zeros", "ones", "full"))
_NUMPY["empty"] = _filled(plain.empty, is_empty=True)
_NUMPY.update((name, _converted(_NUMPY[name]))
              for name in ("array", "asarray", "ascontiguousarray"))


# --- SciPy ----------------------------------------------------------------------------------------

def _splev(x: Any, tck: Any, der: int = 0, ext: int = 0) -> Any:
    """scipy.interpolate.splev: the derivative of a spline is the spline of the next ``der``."""
    from scipy.interpolate import splev

    if not _is_of_values(x):
        return splev(x, tck, der, ext)
    if der > tck[2]:  # of a polynomial of that degree
        return 0.0 * x

    def spline(point: Any) -> Any:
        found = splev(point, tck, der, ext)
        return float(found) if plain.ndim(found) == 0 else found

    return ArrayPrimitive(spline, vjp=lambda g, _, point: g * _splev(point, tck, der + 1, ext),
                          recorded=None if ext else functools.partial(_piecewise, tck, der),
                          name="splev")(x)


def _piecewise(tck: Any, der: int, x: Any) -> Any:
    """The same spline as a polynomial, whose piece a compiled function decides by comparisons."""
    from scipy.interpolate import PPoly

    if plain.ndim(x):
        return plain.array([_piecewise(tck, der, item) for item in plain.ravel(x)],
                           dtype=object).reshape(plain.shape(x))
    pieces = PPoly.from_spline(tck)
    for _ in range(der):
        pieces = pieces.derivative()
    inner = plain.unique(pieces.x)[1:-1].tolist()
    low, high = 0, len(inner)
    while low < high:  # bisection
        middle = (low + high) // 2
        if x < inner[middle]:
            high = middle
        else:
            low = middle + 1
    start = inner[low - 1] if low else float(pieces.x[0])
    piece = int(plain.searchsorted(pieces.x, start, side="right")) - 1
    total: Any = 0.0
    for coefficient in pieces.c[:, piece].tolist():
        total = total * (x - start) + coefficient
    return total


def _bisplev(x: Any, y: Any, tck: Any, dx: int = 0, dy: int = 0) -> Any:
    """scipy.interpolate.bisplev at one point, likewise."""
    from scipy.interpolate import bisplev

    if not _is_of_values(x) and not _is_of_values(y):
        return bisplev(x, y, tck, dx, dy)
    if plain.ndim(x) or plain.ndim(y):
        raise refusal("scipy.interpolate.bisplev of Values takes one point, not a grid of them; "
                      "call it for each point")
    def surface(first: Any, second: Any) -> Any:
        if dx < max(tck[3], 1) and dy < max(tck[4], 1):  # FITPACK has no derivatives beyond
            return float(bisplev(first, second, tck, dx, dy))
        return _patch(tck, (dx, dy), first, second)

    def slopes(g: Any, _: Any, first: Any, second: Any) -> tuple[Any, Any]:
        return (g * _surface_slope(first, second, tck, (dx + 1, dy), 0),
                g * _surface_slope(first, second, tck, (dx, dy + 1), 1))

    return ArrayPrimitive(surface, vjp=slopes, name="bisplev",
                          recorded=functools.partial(_patch, tck, (dx, dy)))(x, y)


def _surface_slope(x: Any, y: Any, tck: Any, orders: tuple[int, int], axis: int) -> Any:
    """A partial derivative of a spline in two variables.

    Args:
        x, y: the point.
        tck: the knots, the coefficients and the degrees.
        orders: of the derivative by each variable.
        axis: by which it is one order higher than what was differentiated.
    """
    knots, degree, position = tck[axis], tck[3 + axis], data_of((x, y)[axis])
    if not knots[degree] <= position <= knots[-degree - 1]:
        return 0.0  # outside FITPACK takes the nearest point of the edge
    if x.__class__ is Value or y.__class__ is Value:
        return _bisplev(x, y, tck, *orders)
    return _patch(tck, orders, x, y)


def _patch(tck: Any, orders: tuple[int, int], x: Any, y: Any) -> Any:
    """A derivative of a spline in two variables, whose patch is decided by comparisons.

    The products of B-splines by de Boor's recursion, on differences of the coefficients (de Boor,
    A Practical Guide to Splines, 1978, chapter X).
    """
    coefficients = plain.asarray(tck[2], dtype=float).reshape(
        len(tck[0]) - tck[3] - 1, len(tck[1]) - tck[4] - 1)
    factors, places = [], []
    for axis, position in enumerate((x, y)):
        knots, degree = plain.asarray(tck[axis], dtype=float), int(tck[3 + axis])
        moved = plain.moveaxis(coefficients, axis, 0)
        for _ in range(orders[axis]):
            if degree == 0:
                return 0.0
            widths = (knots[degree + 1:-1] - knots[1:-degree - 1]) / degree
            with plain.errstate(divide="ignore", invalid="ignore"):
                moved = plain.where(widths[:, None] > 0.0,
                                    (moved[1:] - moved[:-1]) / widths[:, None], 0.0)
            knots, degree = knots[1:-1], degree - 1
        coefficients = plain.moveaxis(moved, 0, axis)
        place, found = _basis(position, knots.tolist(), degree)
        factors.append(found)
        places.append(slice(place, place + degree + 1))
    total: Any = 0.0
    for row, first in zip(coefficients[tuple(places)].tolist(), factors[0], strict=True):
        inner: Any = 0.0
        for coefficient, second in zip(row, factors[1], strict=True):
            inner = inner + coefficient * second
        total = total + first * inner
    return total


def _basis(x: Any, knots: list[float], degree: int) -> tuple[int, list[Any]]:
    """The B-splines that are not 0 at a point: the index of the first, and their values."""
    low, high = degree, len(knots) - degree - 2
    if x < knots[low]:
        x = knots[low]
    elif x > knots[high + 1]:
        x = knots[high + 1]
    while low < high:  # bisection
        middle = (low + high + 1) // 2
        if x < knots[middle]:
            high = middle - 1
        else:
            low = middle
    found: list[Any] = [1.0]
    for k in range(1, degree + 1):
        before, found = found, [0.0] * (k + 1)
        for j, item in enumerate(before):
            left, right = knots[low - k + 1 + j], knots[low + 1 + j]
            share = item / (right - left)
            found[j] = found[j] + share * (right - x)
            found[j + 1] = found[j + 1] + share * (x - left)
    return low - degree, found


def _quad(function: Callable[..., Any], a: Any, b: Any, args: Any = (), *more: Any,
          **options: Any) -> Any:
    """scipy.integrate.quad: on Values the sum of a rule that agrees with it.

    Of smooth functions it is Gauss's, of 20 nodes in each of as many panels as it takes; towards
    infinity, and where an end is not smooth, the double exponential one (Takahasi and Mori 1974).
    Nodes move with the limits.
    """
    from scipy.integrate import quad

    given = args if isinstance(args, tuple) else (args,)
    met: list[bool] = [a.__class__ is Value or b.__class__ is Value]

    def integrand(x: Any) -> Any:
        return function(x, *given)

    def plainly(x: float) -> Any:
        found = integrand(x)
        met[0] |= found.__class__ is Value
        return data_of(found)

    low, high = data_of(a), data_of(b)
    result = quad(plainly, low, high, (), *more, **options)
    if not met[0]:
        return result
    for rule, sizes in ((_gauss, PANELS), (_double_exponential, STEPS)):
        if rule is _gauss and not (plain_math.isfinite(low) and plain_math.isfinite(high)):
            continue
        for size in sizes:
            with contextlib.suppress(*DOMAIN_ERRORS):
                terms = rule(plainly, low, high, size)
                total, whole = sum(terms), sum(map(abs, terms))
                if abs(total - result[0]) <= max(RTOL * whole, 0.1 * result[1] * (
                        rule is _double_exponential)) and _agree(
                            terms, rule(plainly, low, high, _finer(size)), whole, 0.1 * CLOSE):
                    if rule is _double_exponential:  # which squares the error
                        size = _finer(size)
                    return (_by_rule(rule, integrand, a, b, size), *result[1:])
    raise refusal("scipy.integrate.quad of Values takes an integrand that is smooth between the "
                  "limits; split it where it is not, or write the integral as a sum")


def _by_rule(rule: Callable[..., list[Any]], integrand: Callable[[Any], Any], a: Any, b: Any,
             size: Any) -> Any:
    """The integral; a recording holds as long as a finer rule agrees."""
    terms = rule(integrand, a, b, size)
    if program_writer() is not None:
        finer, whole = rule(integrand, a, b, _finer(size)), math.fsum(map(abs, terms))
        if not _agree(terms, finer, whole, CLOSE):  # a comparison, of which a recording knows
            raise ArithmeticError("two rules for an integral do not agree")
    return math.fsum(terms)


def _finer(size: Any) -> Any:
    return 2 * size if isinstance(size, int) else 0.5 * size


def _agree(terms: list[Any], finer: list[Any], whole: Any, share: float) -> bool:
    """Whether two rules agree, and nothing is cut off at the ends."""
    return bool(abs(math.fsum(terms) - math.fsum(finer)) <= share * whole
                and abs(terms[0]) + abs(terms[-1]) <= (share * whole if isinstance(
                    terms, _Tailed) else 2.0 * whole))


class _Tailed(list[Any]):
    """The terms of a sum that is cut off where they are negligible."""


def _gauss(function: Callable[..., Any], a: Any, b: Any, panels: int) -> list[Any]:
    half = (b - a) * (0.5 / panels)
    terms = []
    for panel in range(panels):
        middle = a + half * (2.0 * panel + 1.0)
        terms += [weight * function(middle + half * node) * half
                  for node, weight in zip(NODES.tolist(), WEIGHTS.tolist(), strict=True)]
    return terms


def _double_exponential(function: Callable[..., Any], a: Any, b: Any, step: float) -> list[Any]:
    """The terms of a trapezoidal sum, after a substitution by which they fall off at both ends."""
    sides = []
    for sign in (-1.0, 1.0):
        terms: list[Any] = []
        for i in range(0 if sign > 0.0 else 1, int(REACH / step)):
            x, slope = _substituted(sign * i * step, a, b)
            if slope == 0.0 or data_of(x) in (data_of(a), data_of(b)):  # rounded to an end
                break
            try:
                terms.append(function(x) * slope * step)
            except OverflowError:  # far out, where the terms before are negligible
                break
        sides.append(terms)
    return _Tailed([*sides[0][::-1], *sides[1]])


def _substituted(t: float, a: Any, b: Any) -> tuple[Any, Any]:
    """The place of a number between the limits, and the derivative of that."""
    u, rise = 0.5 * plain_math.pi * plain_math.sinh(t), 0.5 * plain_math.pi * plain_math.cosh(t)
    is_open = data_of(a) == -plain_math.inf, data_of(b) == plain_math.inf
    if all(is_open):
        return plain_math.sinh(u), rise * plain_math.cosh(u)
    if is_open[1]:
        return a + plain_math.exp(u), rise * plain_math.exp(u)
    if is_open[0]:
        return b - plain_math.exp(-u), rise * plain_math.exp(-u)
    share = 1.0 / (1.0 + plain_math.exp(2.0 * abs(u)))
    x = a + (b - a) * share if t < 0.0 else b - (b - a) * share
    return x, (b - a) * (2.0 * rise * share * (1.0 - share))


# --- SciPy's special functions in Python, which never ask what they were given -------------------

def _special(name: str) -> Callable[..., Any]:
    """A function of scipy.special in Python; of Values that of autograd.special."""
    @functools.wraps(getattr(special, name))
    def made(*arguments: Any, **options: Any) -> Any:
        if any(map(_is_of_values, (*arguments, *options.values()))):
            return getattr(special, name)(*arguments, **options)
        return getattr(importlib.import_module("scipy.special"), name)(*arguments, **options)

    return made


def _logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False,
               **options: Any) -> Any:
    """scipy.special.logsumexp, which looks for complex numbers on its way."""
    if not _is_of_values(a) and not _is_of_values(b):
        from scipy.special import logsumexp

        return logsumexp(a, axis=axis, b=b, keepdims=keepdims, **options)
    if options:
        raise refusal(f"scipy.special.logsumexp of Values takes no {', '.join(options)}")
    a = plain.array(a, dtype=object).view(ArrayOfValues)
    if b is None:
        return plain.logaddexp.reduce(a, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]
    largest = plain.max(numbers_in(a).astype(float), axis=axis, keepdims=True)
    shift = plain.where(plain.isfinite(largest), largest, 0.0)
    total = plain.log(plain.sum(b * plain.exp(a - shift), axis=axis, keepdims=keepdims))
    return total + (shift if keepdims else plain.squeeze(shift, axis=axis))


# --- cmath ----------------------------------------------------------------------------------------

def _real(name: str) -> Callable[..., Any]:
    """A function of cmath that is that of math, where a Value has a real result."""
    original, real = getattr(cmath, name), getattr(math, name)

    @functools.wraps(original)
    def made(*arguments: Any) -> Any:
        if not any(x.__class__ is Value for x in arguments):
            return original(*arguments)
        try:
            return real(*arguments)
        except ValueError:
            parts = _PARTS.get(name)
            if parts is not None and len(arguments) == 1:
                return _Complex(*parts(*arguments))
            shown = ", ".join(f"{data_of(x):g}" for x in arguments)
            raise refusal(f"cmath.{name}({shown}) is a complex number, which no Value is") from None

    return made


class _Complex:
    """A complex result on a Value, of which the real and the imaginary part may be taken.

    Args:
        real, imag: the parts.
    """

    def __init__(self, real: Any, imag: Any) -> None:
        self.real, self.imag = real, imag

    def _refuse(self, *_: Any) -> Any:
        raise refusal("a Value is a real number, and cmath gives a complex one here, of which only "
                      ".real and .imag can be taken")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _refuse
    __rtruediv__ = __pow__ = __rpow__ = __neg__ = __abs__ = __complex__ = __float__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __bool__ = _refuse
    __hash__ = None  # type: ignore[assignment]


# Outside of the real domain of a function of a real number: the real and the imaginary part.
_PARTS: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "sqrt": lambda x: (0.0, math.sqrt(-x)),
    "log": lambda x: (math.log(-x), plain_math.pi),
    "atanh": lambda x: (0.5 * math.log(abs((1.0 + x) / (1.0 - x))),
                        cmath.atanh(data_of(x)).imag),
}


STAND_INS: dict[str, Any] = {
    "numpy": _StandIn("numpy", _NUMPY),
    "cmath": _StandIn("cmath", {name: _real(name) for name in dir(cmath)
                                if not name.startswith("_") and hasattr(math, name)
                                and callable(getattr(cmath, name))}),
    "scipy": _StandIn("scipy", {}),
    "scipy.interpolate": _StandIn("scipy.interpolate", {"splev": _splev, "bisplev": _bisplev}),
    "scipy.integrate": _StandIn("scipy.integrate", {"quad": _quad}),
    "scipy.special": _StandIn("scipy.special", {"logsumexp": _logsumexp, **{
        name: _special(name) for name in ("comb", "factorial", "log_softmax", "multigammaln",
                                          "perm", "polygamma", "softmax")}}),
    "scipy.stats": _StandIn("scipy.stats", adopted_statistics.DISTRIBUTIONS),
}


def imported(name: str, is_root_wanted: bool) -> ModuleType | None:
    """What stands for a module in adopted code; None for a module that is used as it is.

    Args:
        name: its full name.
        is_root_wanted: whether it is the package that the statement binds, as ``import a.b`` does.
    """
    root = name.partition(".")[0]
    if name != root and root in STAND_INS:
        builtins.__import__(name)
    found: ModuleType | None = STAND_INS.get(root if is_root_wanted else name)
    return found


def counterpart(item: Any) -> Any:
    """What stands for a function or a module of these libraries; None for what is used as it is.

    Args:
        item: anything.
    """
    if isinstance(item, ModuleType):
        name = item.__name__
        return STAND_INS.get(name) if sys.modules.get(name) is item else None
    if not isinstance(item, BuiltinFunctionType | FunctionType):
        return adopted_statistics.counterpart(item)
    own = item.__name__
    for name, stand_in in STAND_INS.items():
        if item is getattr(sys.modules.get(name), own, None):
            found = vars(stand_in).get(own)
            return None if found is item else found
    return None


__all__ = ["STAND_INS", "counterpart", "imported"]
