"""An operation of your own on numbers, in one row, checked before it is believed."""

from __future__ import annotations

import inspect
import keyword
import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd.checking.finite_differences import EPS, TINY, local_difference
from autograd.checking.reports import GradientError
from autograd.core import primitives
from autograd.core.primitive import find
from autograd.core.primitives import DOMAIN_ERRORS, TABLE, Interval, Primitive
from autograd.core.undefined import undefined_as_nan
from autograd.core.validation import interval
from autograd.core.value import UFUNCS, Value, install
from autograd.parsing import Expression

# Where to try a row that does not say where it is safe: the first interval that is.
CANDIDATES: tuple[Interval, ...] = (
    (-2.0, 2.0), (0.1, 2.0), (0.1, 0.9), (-0.9, 0.9), (1.1, 3.0), (-2.0, -0.1))
POINTS = 24
N_ARY_SIZE = 3  # with how many operands a primitive of any number of them is tried
RTOL = 1e-6
TAUGHT_ATOL = 1e-9


def new_row(name: str, value: Callable[..., float],
            partials: Callable[..., Any] | Sequence[Callable[..., Any]],
            domain: str = "", safe: Any = None, kink: Callable[..., float] | None = None,
            latex: str = "", text: str = "", aliases: Sequence[str] = (),
            derivative: str | Sequence[str] = ()) -> Primitive:
    """Add a row to the table; its arguments are those of :func:`autograd.primitive`."""
    names = (name, *aliases)
    _refuse_names(names)
    arity = _arity(value)
    functions = _functions(partials, arity, name)
    row = Primitive(
        name, _on_floats(value), functions if arity is not None else functions[0], arity,
        domain=domain, kink=kink, latex=latex, text=text, aliases=tuple(aliases),
        derivative=_texts(derivative, arity, name))
    object.__setattr__(row, "safe", _checked_safe(row, safe))
    primitives.register(row)
    try:
        install(row)
    except BaseException:
        del TABLE[name]
        raise
    return row


def unregister(row: Primitive) -> None:
    """Take a row of one's own out of the table, and its methods from Value.

    Args:
        row: what ``primitive`` returned.

    Raises:
        ValueError: for a row that is not in the table.
    """
    if TABLE.get(row.name) is not row:
        raise ValueError(f"{row!r} is not in the table")
    del TABLE[row.name]
    for name in (row.name, *row.aliases):
        if UFUNCS.get(name) is row:
            del UFUNCS[name]
            delattr(Value, name)


def _refuse_names(names: Sequence[str]) -> None:
    for name in names:
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(f"a primitive's name must be a Python identifier, not {name!r}")
        if find(name) is not None or name in UFUNCS or hasattr(Value, name):
            raise ValueError(f"the name {name!r} is taken; choose another")
    if len(set(names)) < len(names):
        raise ValueError(f"the names {', '.join(names)} repeat")


def _arity(value: Callable[..., Any]) -> int | None:
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        raise TypeError("the number of operands is read from the signature of value, and this "
                        "one has none; write value=lambda x: ...") from None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    count = sum(1 for p in parameters if p.default is p.empty
                and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    if count == 0:
        raise TypeError("value takes no operand; write value=lambda x: ...")
    return count


def _functions(partials: Any, arity: int | None, name: str) -> tuple[Callable[..., Any], ...]:
    functions = (partials,) if callable(partials) else tuple(partials)
    expected = 1 if arity is None else arity
    if len(functions) != expected:
        raise TypeError(f"{name} has {expected} operand(s) and needs as many partials, "
                        f"not {len(functions)}" if arity is not None else
                        f"{name} takes any number of operands and needs one function that returns "
                        "the list of all partials")
    if arity is not None:
        for position, function in enumerate(functions):
            _refuse_signature(function, arity + 1, f"partial {position} of {name}")
    return functions


def _texts(derivative: str | Sequence[str], arity: int | None, name: str) -> tuple[str, ...]:
    """The derivative as it is taught: expressions in the operands and y.

    Raises:
        ValueError: for another number of them, or for what is no such expression.
    """
    texts = (derivative,) if isinstance(derivative, str) else tuple(derivative)
    if texts and len(texts) != (arity or 1):
        raise ValueError(f"derivative must be {arity or 1} text(s) for {name}, not {len(texts)}")
    known = {"y", *("x" if arity in (None, 1) else "abcdefgh"[:arity])}
    for text in texts:
        if unknown := set(Expression(text).names) - known:
            raise ValueError(f"the derivative {text!r} of {name} names {', '.join(unknown)}; it "
                             f"is written in {', '.join(sorted(known))}")
    return texts


def _refuse_signature(function: Callable[..., Any], count: int, what: str) -> None:
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        operands = ", ".join("abcdefgh"[:count - 1]) if count > 2 else "x"
        raise TypeError(f"{what} must take the operands and the result: write "
                        f"lambda {operands}, y: ...") from None
    except ValueError:
        pass  # a built-in without a signature is tried below


def _on_floats(value: Callable[..., Any]) -> Callable[..., float]:
    def on_floats(*operands: float) -> float:
        result = value(*operands)
        # NumPy's functions return NumPy's floats.
        return result if result.__class__ is float else primitives.as_float(
            result, "what the value function returns")

    on_floats.__name__ = getattr(value, "__name__", "value")
    on_floats.__wrapped__ = value  # type: ignore[attr-defined]
    return on_floats


# --- the check ------------------------------------------------------------------------------------

def _checked_safe(row: Primitive, safe: Any) -> tuple[Interval, ...]:
    """The intervals of the operands, after the partials were checked in them."""
    if safe is not None:
        intervals = _intervals(safe, row)
        for point in _points(row, intervals):
            _check_point(row, point)
        return intervals
    failure: Exception | None = None
    for candidate in CANDIDATES:
        intervals = (candidate,) * (row.arity or 1)
        try:
            for point in _points(row, intervals):
                _check_point(row, point)
            return intervals
        except DOMAIN_ERRORS as error:
            failure = error
    raise ValueError(f"no interval was found in which {row.name} and its partials are defined; "
                     f"say where with safe=(low, high) ({failure})")


def _intervals(safe: Any, row: Primitive) -> tuple[Interval, ...]:
    one = len(safe) == 2 and all(isinstance(x, int | float) for x in safe)
    pairs = [safe] * (row.arity or 1) if one else list(safe)
    if len(pairs) != (row.arity or 1):
        raise ValueError(f"safe must be one interval (low, high), or {row.arity or 1} of them")
    intervals = tuple(interval(pair, "safe") for pair in pairs)
    if any(low == high for low, high in intervals):
        raise ValueError(f"safe must hold more than one point, not {safe!r}")
    return intervals


def _points(row: Primitive, intervals: tuple[Interval, ...]) -> Iterator[tuple[float, ...]]:
    """Points inside the intervals, the same in every run."""
    source = random.Random(0)
    if row.arity is None:
        intervals = intervals * N_ARY_SIZE
    for _ in range(POINTS):
        yield tuple(_inside(low, high, source) for low, high in intervals)


def _inside(low: float, high: float, source: random.Random) -> float:
    """A point of an interval; of one that spans many powers of ten, spread over those."""
    share = source.uniform(0.01, 0.99)
    if low > 0.0 and high / low > 1e3:
        return low * (high / low) ** share if math.isfinite(high / low) else 1.0
    if high - low > 1e6:  # infinite steps and overflowing squares prove nothing
        low, high = max(low, -1e3), min(high, 1e3)
    return low + share * (high - low)


def _check_point(row: Primitive, point: tuple[float, ...]) -> None:
    y = row.evaluate(point)
    if not math.isfinite(y):
        raise ValueError(f"{row.name} is {y!r} at {point}, which safe says is safe")
    if row.kink is not None and abs(row.kink(*point)) <= 8.0 * EPS * max(map(abs, point)):
        return
    claims = _claims(row, point, y)
    _check_graph(row, point, y, claims)
    _check_texts(row, point, y, claims)
    for position, claim in enumerate(claims):
        if claim is None:
            continue
        truth = local_difference(row, point, position)
        tolerance = RTOL * abs(truth.value) + truth.error + TINY
        if not abs(claim - truth.value) <= tolerance:
            raise GradientError(
                f"partial {position} of {row.name} is wrong at ({', '.join(map(repr, point))}): it "
                f"is given as {claim!r}, expected is {truth.value!r}\n  they differ by "
                f"{abs(claim - truth.value):.6g}; allowed is {tolerance:.3g} = rtol * |expected| "
                f"({RTOL:g} * {abs(truth.value):.6g}) + the oracle's own error "
                f"({truth.error:.1e})\n  expected comes from central differences of the value; "
                "nothing was added", f"operand {position}", claim, truth.value, tolerance,
                row.name, point)


def _check_texts(row: Primitive, point: tuple[float, ...], y: float,
                 claims: Sequence[float | None]) -> None:
    """The derivative as it is taught must be what the partials compute."""
    texts = row.derivative * (len(point) if row.arity is None else 1)
    for position, (text, claim) in enumerate(zip(texts, claims, strict=False)):
        names = {"x": point[position]} if row.arity in (None, 1) else dict(
            zip(row.parameters, point, strict=True))
        taught = _taught(Expression(text), {**names, "y": y})
        # What is taught may cancel, as 1 - y**2 does; a wrong text is wrong where nothing cancels.
        tolerance = 0.0 if claim is None else RTOL * abs(claim) + TAUGHT_ATOL
        if claim is not None and not abs(taught - claim) <= tolerance:
            raise GradientError(
                f"the derivative {text!r} of {row.name} is {taught!r} at "
                f"({', '.join(map(repr, point))}), where partial {position} is {claim!r}; nothing "
                "was added", f"operand {position}", taught, claim, tolerance, row.name, point)


def _taught(text: Expression, names: dict[str, float]) -> float:
    try:
        return float(text(names))
    except OverflowError:  # 1 / x**2 is 0 where x**2 is too large
        with undefined_as_nan():
            return float(text(names))


def _claims(row: Primitive, point: tuple[float, ...], y: float) -> list[float | None]:
    try:
        claims = list(row.local_derivatives(point, y, [True] * len(point)))
    except DOMAIN_ERRORS as error:
        raise row.domain_error(error, point, subject=f"a partial of {row.name}") from None
    if len(claims) != len(point):
        raise TypeError(f"the partials of {row.name} must be {len(point)} for {len(point)} "
                        f"operands, not {len(claims)}")
    return [None if claim is None else primitives.as_float(claim, f"partial {i} of {row.name}")
            for i, claim in enumerate(claims)]


def _check_graph(row: Primitive, point: tuple[float, ...], y: float,
                 claims: Sequence[float | None]) -> None:
    """The partials must run on Values as well, and give the same numbers."""
    operands, result = [Value(x) for x in point], Value(y)
    try:
        graphs = row.local_derivatives(operands, result, [True] * len(point))
    except (TypeError, AttributeError) as error:
        raise TypeError(
            f"the partials of {row.name} work on floats but not on Values, so no second "
            f"derivative can be recorded; write them with autograd's functions (autograd.exp(x), "
            f"not math.exp(x)): {error}") from error
    for position, (graph, claim) in enumerate(zip(graphs, claims, strict=True)):
        number = graph.data if graph.__class__ is Value else graph
        if (number is None) != (claim is None) or (
                number is not None and claim is not None and claim == claim
                and not math.isclose(number, claim, rel_tol=1e-9)):
            raise TypeError(f"partial {position} of {row.name} gives {claim!r} on floats, but "
                            f"{number!r} on Values, at {point}")
