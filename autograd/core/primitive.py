"""Primitive: one row of the table, and what it means to apply it."""

from __future__ import annotations

import builtins
import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from autograd.core import undefined
from autograd.core.arrays import bare, kept

Interval = tuple[float, float]
ALL: Interval = (-1e300, 1e300)

Condition = tuple[int, str, float]  # operand, relation (one of < <= > >= ==), number

# What Python raises outside a domain; the messages are ours, the types stay Python's.
DOMAIN_ERRORS = (ValueError, ZeroDivisionError, OverflowError)


def as_float(number: Any, what: str = "data") -> float:
    """Convert a real number (int, float, bool, Fraction, NumPy scalar) to a Python float.

    Raises:
        TypeError: for anything else; the message says what to write instead.
    """
    if isinstance(number, float | int):  # bool and np.float64 are among them
        return float(number)
    if isinstance(number, str | bytes):
        instead = (f"write float({number!r})" if _is_written_number(number) else
                   f"a name is a label: write Value(2.0, label={number!r})")
        raise TypeError(f"{what} must be a real number, not the text {number!r}; {instead}")
    if isinstance(number, complex | np.complexfloating):
        raise TypeError(f"{what} must be a real number, not the complex {number!r}; "
                        "write .real and .imag parts as two Values")
    if isinstance(number, np.ndarray) and number.ndim > 0:
        raise TypeError(f"{what} must be one real number, not an array of shape {number.shape} "
                        f"and dtype {number.dtype}; write autograd.values(array) "
                        "for an array of Values")
    if number.__class__ in value_class:
        raise TypeError(f"{what} must be a real number, not a Value; write v.data for its number, "
                        "or use v itself, which keeps the gradient")
    if isinstance(number, list | tuple | dict | set) or number is None:
        raise TypeError(f"{what} must be a real number, not {type(number).__name__} {number!r}; "
                        "write one Value for each number")
    try:
        return float(number)
    except (TypeError, ValueError):
        raise TypeError(f"{what} must be a real number, not {type(number).__name__}") from None


def _is_written_number(text: str | bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_RESULT = r"\by\b"  # in the text of a derivative
_TOO_LARGE = "; an OverflowError where the result is too large for a float"


def as_array_operand(operand: Any) -> Any:
    """An operand of an operation on arrays; a Value among arrays is an array without axes."""
    if operand.__class__ not in value_class:
        return operand
    cell = np.empty((), dtype=object)
    cell[()] = operand
    return cell


@dataclass(frozen=True, eq=False, repr=False)
class Primitive:
    """One row of the table; call it as a function of floats, Values or arrays of them.

    Args:
        name: the name in the table, and of the function and the method.
        value: the function on floats; outside its domain it raises what Python's ``math`` raises.
        partials: for each operand a function of (\\*operands, result) that returns the local
            derivative; for an n-ary primitive one function of the same arguments that returns
            all of them. ``None`` in place of a number: the operand receives no adjoint.
        arity: the number of operands, or None where any number is allowed.
        domain: for people, the condition on the operands; empty if there is none.
        safe: for each operand an interval of points that are inside the domain and where value
            and derivative are finite; test strategies draw from it.
        kink: the signed distance of the operands from the nearest kink or jump, if there is one.
        symbol: what a drawing shows in the op's oval.
        text, latex: templates of the notation; ``{0}``, ``{1}`` are operands, ``{all}`` all.
        precedence: how tightly the notation binds: 1 sums, 2 products, 3 signs, 4 powers,
            9 functions.
        aliases: other names under which NumPy (and people) call it.
        gather: turns the arguments of a call into the tuple of operands.
        parameters: the names of a call's arguments; without them x, or a, b, c.
        summary: one sentence that says what it computes.
        derivative: for each operand the derivative as people write and learn it, in the names of
            the parameters and y for the result, as the command line reads it; for an operation of
            any number of operands that by each of them, x.
        slope: the same in words, for an operation of any number of operands.
        loses_digits: where this derivative, if it were computed as it is written, would lose
            digits, "where ..."; the partials then compute an equal form that does not.
        at_kink: what the derivative is at the kink, in words.
        raises: where the value raises an error: a condition on one operand each, of which one is
            enough; () says nowhere, None that nothing is known. Of an infinity beyond the number
            the value is defined again.
        exact: arithmetic, comparisons and sqrt alone: the same bits on every back end, so that
            it may be computed beforehand where all operands are constant.
        commutative: the order of the operands does not matter but for rounding.
        transparent: no operand that is inf or nan gives a finite result.
        orders: how many of the first operands are orders: plain numbers, by which there is no
            derivative.
        paired: the operands are two sequences, one behind the other.
        hidden: it serves other rows, and is no function of ``autograd`` or of the command line.
        stops: its result counts as a constant to derivatives, although it is none.
        chooses: it is one of its operands: one whose derivative is 0 was not chosen, and receives
            no adjoint at all, so that 0 * inf in it cannot turn into nan.
        flat: no operand receives an adjoint: it is constant between jumps, or counts as a constant.
        growth: the degree of a polynomial of the operands that its size does not exceed: 0 where
            it is bounded, None where it may overflow, or nothing is known.
        module: the module that has it, if that is not ``autograd``; then it is no method.
        scipy: the function of ``scipy.special`` that its value is; machine code calls that by its
            address.
        called: its value has loops of its own and cannot be written out in other operations;
            machine code calls it, too.
    """

    name: str
    value: Callable[..., float]
    partials: Any
    arity: int | None = 1
    domain: str = ""
    safe: tuple[Interval, ...] = (ALL,)
    kink: Callable[..., float] | None = None
    symbol: str = ""
    text: str = ""
    latex: str = ""
    precedence: int = 9
    aliases: tuple[str, ...] = ()
    gather: Callable[..., tuple[Any, ...]] | None = None
    parameters: tuple[str, ...] = ()
    summary: str = ""
    derivative: tuple[str, ...] = ()
    slope: str = ""
    loses_digits: str = ""
    at_kink: str = ""
    raises: tuple[Condition, ...] | None = None
    exact: bool = False
    commutative: bool = False
    transparent: bool = False
    orders: int = 0
    paired: bool = False
    hidden: bool = False
    stops: bool = False
    chooses: bool = False
    flat: bool = False
    growth: int | None = None
    module: str = ""
    scipy: str = ""
    called: bool = False

    def __post_init__(self) -> None:
        places = "{all}" if self.arity is None else ", ".join(f"{{{i}}}" for i in range(self.arity))
        if not self.symbol:
            object.__setattr__(self, "symbol", self.name)
        if not self.text:
            object.__setattr__(self, "text", f"{self.name}({places})")
        if not self.latex:
            name = self.name.replace("_", r"\_")
            latex = rf"\operatorname{{{{{name}}}}}\left({places}\right)"
            object.__setattr__(self, "latex", latex)
        if not self.parameters:
            names = ("*xs",) if self.arity is None else (
                ("x",) if self.arity == 1 else tuple("abcdefgh"[:self.arity]))
            object.__setattr__(self, "parameters", names)
        object.__setattr__(self, "__doc__", self._help())

    def _help(self) -> str:
        """What ``help()`` prints: the call, what it computes, where, its derivative."""
        call = f"{self.name}({', '.join(self.parameters)})"
        arrays = "" if self.gather else ", arrays an array, element by element"
        lines = [call, "", *([self.summary] if self.summary else []),
                 f"Floats give a float, Values a recorded Value{arrays}.", "",
                 f"Domain: {self.domain or 'every number'}"
                 f"{_TOO_LARGE if self.raises and not self.domain else ''}."]
        if slope := self.slope or self._written_derivative():
            lines.append(f"Derivative: {slope}"
                         f"{f', where y = {call}' if re.search(_RESULT, slope) else ''}.")
        if self.loses_digits:
            lines.append("It is computed in an equal form, which keeps its digits "
                         f"{self.loses_digits}.")
        if self.at_kink:
            lines.append(f"At a kink: {self.at_kink}.")
        if self.module:
            lines.append(f"It is a function of {self.module}, and no method.")
        if self.scipy:
            lines.append('Its value is SciPy\'s, an extra: pip install "chainrule[scipy]".')
        if self.arity in (1, 2) and not self.orders and not self.module:
            rest = "()" if self.arity == 1 else f"({self.parameters[1]})"
            lines.append("As a method of a Value: " + ", ".join(
                f"v.{name}{rest}" for name in (self.name, *self.aliases)) + ".")
        # Wrapping is slow, and most lines need none.
        return "\n".join(line if len(line) <= 88 else textwrap.fill(line, 88) for line in lines)

    def _written_derivative(self) -> str:
        if self.arity == 1:
            return "".join(self.derivative)
        return "; ".join(f"{slope} by {name}" for slope, name in
                         zip(self.derivative, self.parameters, strict=False))

    @property
    def __signature__(self) -> inspect.Signature:
        kinds = inspect.Parameter
        return inspect.Signature([
            kinds(name.lstrip("*"), kinds.VAR_POSITIONAL if name.startswith("*")
                  else kinds.POSITIONAL_ONLY) for name in self.parameters])

    @property
    def __name__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return lookup, (self.name,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Primitive:
        return self

    def __call__(self, *arguments: Any) -> Any:
        """Apply it: floats give a float, Values a recorded Value, arrays an array."""
        if self.arity == 1 and len(arguments) == 1 and arguments[0].__class__ is float:
            return self.evaluate(arguments)  # the backward pass comes this way all the time
        if self.orders:
            self._refuse_recorded_orders(arguments)
        if self.gather is not None:
            try:
                arguments = self.gather(*arguments)
            except TypeError:
                self._refuse_count(len(arguments))
                raise
        return self.apply(arguments)

    def _refuse_recorded_orders(self, arguments: Sequence[Any]) -> None:
        """Raise a TypeError where an order is a Value."""
        for name, order in zip(self.parameters, arguments[:self.orders], strict=False):
            if order.__class__ is value_class[0]:
                raise TypeError(f"{name} of {self.name} is an order, by which there is no "
                                f"derivative; write {name}.data, or a plain number, if none is "
                                "to flow through it")

    def _refuse_count(self, count: int) -> None:
        """Raise a TypeError if a call of so many arguments is none."""
        if count != len(self.parameters):
            calls = ["[a, b, c]"] if self.arity is None and not self.paired else self.parameters
            own = f"; Python's own is builtins.{self.name}" if hasattr(builtins, self.name) else ""
            raise TypeError(f"autograd.{self.name} takes {len(self.parameters)} argument(s), not "
                            f"{count}; write {self.name}({', '.join(calls)}){own}") from None

    def apply(self, operands: tuple[Any, ...]) -> Any:
        """Apply it to the tuple of operands; a Value among them records the result.

        Args:
            operands: floats, Values and arrays of them, as many as the arity.

        Raises:
            TypeError: for another number of operands, and for what is no real number.
            ValueError, ZeroDivisionError, OverflowError: outside the domain.
        """
        if self.arity is not None and len(operands) != self.arity:
            raise TypeError(f"{self.name} takes {self.arity} operands, not {len(operands)}")
        recording_class = value_class[0]
        recorder: Any = None
        for operand in operands:
            if operand.__class__ is recording_class:
                recorder = operand
            elif operand.__class__ is not float:
                return self._converted(operands)
        if recorder is not None:
            return recorder._record(self, operands)
        return self.evaluate(operands)

    def _converted(self, operands: tuple[Any, ...]) -> Any:
        if any(isinstance(operand, np.ndarray) and operand.ndim > 0 for operand in operands):
            return self._elementwise(operands)
        recording_class = value_class[0]
        return self.apply(tuple(
            operand if operand.__class__ is recording_class
            else as_float(operand, f"operand of {self.name}") for operand in operands))

    def _elementwise(self, operands: tuple[Any, ...]) -> Any:
        result = np.frompyfunc(self, len(operands), 1)(*map(as_array_operand, operands))
        recorded = any(item.__class__ is value_class[0] for item in result.flat)
        return kept(result) if recorded else bare(result).astype(float)

    def evaluate(self, operands: Sequence[float], names: Sequence[str] = ()) -> float:
        """The value on floats, with errors that name the op and its operands.

        Args:
            operands: floats, as many as the arity.
            names: of the operands, "" for one without, which the error shows.

        Raises:
            ValueError, ZeroDivisionError, OverflowError: what Python raises outside the domain.
        """
        try:
            return self.value(*operands)
        except DOMAIN_ERRORS as error:
            if undefined.is_ieee():
                return undefined.ieee_value(self, operands)
            raise self.domain_error(error, operands, names) from None

    def local_derivatives(self, operands: Sequence[Any], result: Any,
                          wanted: Sequence[bool]) -> Sequence[Any]:
        """The local derivatives for the wanted operands; None where there is no adjoint.

        Args:
            operands, result: floats, or Values to get the graph of the derivatives.
            wanted: for each operand whether its derivative is asked for; others give None.
        """
        if self.arity is None:
            derivatives: Sequence[Any] = self.partials(*operands, result)
            return derivatives
        return [partial(*operands, result) if wish else None
                for partial, wish in zip(self.partials, wanted, strict=True)]

    def domain_error(self, error: Exception, operands: Sequence[float],
                     names: Sequence[str] = (), subject: str = "") -> Exception:
        """The same type of error, saying which op failed, on what, and what it needs.

        Args:
            error: what the value has raised.
            operands: the floats that it was called with.
            names: of the operands, "" for one without.
            subject: what is not defined there, if it is not the operation itself.
        """
        names = list(names) or [""] * len(operands)
        shown = [f"{name} = {x!r}" if name else repr(x)
                 for name, x in zip(names[:8], operands[:8], strict=False)]
        listed = ", ".join(shown) + (", ..." if len(operands) > 8 else "")
        what = subject or self.name
        reason = "the result is too large for a float" if isinstance(error, OverflowError) else (
            f"it needs {self.domain}" if self.domain else str(error))
        return type(error)(f"{what} is not defined at ({listed}): {reason}"
                           if not isinstance(error, OverflowError)
                           else f"{what} overflows at ({listed}): {reason}")


def no_slope(*_: Any) -> Any:
    """The partial by an order."""
    raise TypeError("there is no derivative by an order")


TABLE: dict[str, Primitive] = {}
# Rows that stand in recorded programs alone, and that nobody calls.
OF_PROGRAMS: dict[str, Primitive] = {}
# Rows that ``autograd.special`` fills in when it is loaded: ask by library().
LIBRARY: dict[str, Primitive] = {}
value_class: list[Any] = []  # value.py puts Value here: the one class whose objects record


def library() -> dict[str, Primitive]:
    """The rows of ``autograd.special``, by name, loaded when somebody asks for one.

    They are no functions of ``autograd`` itself, where short names such as y0 and k1 are those of
    people's variables, and Values have no methods of these names.
    """
    import_module("autograd.special")  # which waits where another thread is about to load it
    return LIBRARY


def find(name: str) -> Primitive | None:
    """The primitive of that name, in the table or in the library; None where there is none."""
    return TABLE.get(name) or OF_PROGRAMS.get(name) or library().get(name)


def lookup(name: str) -> Primitive:
    """The primitive of that name.

    Raises:
        KeyError: when there is none, for example when a pickle holds a user's own primitive
            that this program has not declared.
    """
    row = find(name)
    if row is None:
        raise KeyError(f"no primitive is called {name!r}; if it is your own, declare it with "
                       "autograd.primitive(...) first")
    return row


def register(row: Primitive, table: dict[str, Primitive] = TABLE) -> Primitive:
    """Put a row into the table, or into the library, under its name."""
    if row.name in TABLE or row.name in LIBRARY:
        raise ValueError(f"a primitive called {row.name!r} exists already; choose another name")
    table[row.name] = row
    return row
