"""ArrayPrimitive: a function of arrays with derivatives of its own.

On numbers it is the function. On Values it computes numbers once, whatever the function is made
of, and its results are nodes that share a :class:`.call.Call`; their derivatives are those of the
vjp (vector-Jacobian product: the backward pass) and the jvp (the forward pass) that it was given.

Where a program is recorded, the function is called on Values as well, to see what it computes; the
derivatives stay its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pickle import PicklingError
from typing import Any

import numpy as np

from autograd.core import listeners
from autograd.core.call import Call, holds_values, numbers_of
from autograd.core.primitive import OF_PROGRAMS, Primitive, register, value_class
from autograd.core.value import (
    Value,
    new_node,
    numbers,
    program_writer,
    recording,
    refusal,
    refusals_apart,
)

# What functions raise that are not made for Values: C libraries have classes of their own.
UNFIT = Exception
SAME = 1e-6  # how far results on Values may be from those on numbers, relative to the largest


def _unknown_slope(x: Any, y: Any) -> Any:
    raise TypeError("JAX does not know the vjp of a primitive of arrays that was declared with "
                    "check=False or implicit, and its values may have another derivative; "
                    "differentiate here: jit(grad(f)).to_jax()")


# What programs hold in place of an identity where only the vjp knows the derivative.
own_vjp = register(Primitive(
    "own_vjp", lambda x: x, (_unknown_slope,), exact=True, transparent=True, raises=(),
    summary="The number itself, whose derivative is a vjp that no program holds.", hidden=True),
    OF_PROGRAMS)


def made_for_values(function: Callable[..., Any]) -> Callable[..., Any]:
    """A copy of a function of floats that takes Values; what adopts functions sets another one.

    Raises:
        TypeError: where there is none.
    """
    raise TypeError(f"{function!r} cannot be adopted")


def _said(error: BaseException) -> str:
    if isinstance(error, SystemError):  # C code went on with an exception in the air
        return "it hands Values to code that is written in C"
    return f"on Values it raises {type(error).__name__}: {error}"


class ArrayPrimitive:
    """A function of arrays with derivatives of its own; call it as the function.

    Args:
        function: takes arrays, numbers, and lists, tuples and dictionaries of them, by position;
            returns the same. Keywords are options, by which nothing is differentiated. What it
            returns counts as a function of its arguments alone.
        vjp: ``vjp(cotangents, results, *arguments, **options)``: the cotangents have the structure
            of the results (None in place of what is no float). It returns the gradient for each
            argument, in its structure, as a tuple; for one argument just that; None for an
            argument by which there is no derivative. It is called on numbers, and on Values where
            a derivative is recorded.
        jvp: ``jvp(tangents, results, *arguments, **options)``: the tangents are a tuple with one
            in the structure of each argument (None for an argument that is constant). It returns
            the tangents of the results.
        name: how drawings and errors call it; the function's own name if it is left out.
        recorded: what is called in its place on Values, where jit or vmap records a program: the
            same in Python and NumPy's functions, for a function that calls C. The function itself
            if it is left out.
        scale: of the arguments, gives a number that rounding errors of the results are relative
            to, where results may be the difference of large numbers; their own size otherwise.

    Raises:
        TypeError: for what is no function.
    """

    # No attributes but those of any function, which whoever wraps it takes over.
    __slots__ = ("__dict__", "__weakref__", "function", "jvp", "name", "only_by_vjp", "recorded",
                 "scale", "vjp", "why_not_differentiable")

    def __init__(self, function: Callable[..., Any], vjp: Callable[..., Any] | None = None,
                 jvp: Callable[..., Any] | None = None, name: str = "",
                 recorded: Callable[..., Any] | None = None,
                 scale: Callable[..., float] | None = None) -> None:
        for what, given in (("a primitive", function), ("vjp", vjp), ("jvp", jvp),
                            ("recorded", recorded)):
            if not callable(given) and (given is not None or what == "a primitive"):
                raise TypeError(f"{what} must be a function, not {given!r}")
        self.function, self.vjp, self.jvp = function, vjp, jvp
        self.recorded, self.scale = recorded or function, scale
        self.name = name or getattr(function, "__name__", type(function).__name__)
        for attribute in ("__module__", "__qualname__", "__doc__"):
            setattr(self, attribute, getattr(function, attribute, None))
        self.__name__ = self.name
        self.__wrapped__ = function
        self.why_not_differentiable = ""
        self.only_by_vjp = False  # whether what it computes may have another derivative

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """The function; Values among the arguments give Values."""
        if not any(map(holds_values, arguments)):
            return self.function(*arguments, **options)
        call = Call(self, arguments, options)
        call.gave(self.function(*call.on(numbers(call.inputs)), **options))
        self.called(call)
        if (listener := program_writer()) is not None:
            listener.deviated()
            self._record(call, listener)
        return call.filled(results_of(call))

    def called(self, call: Call) -> None:
        """Told of each call with Values, before there are results; for whoever checks it.

        Args:
            call: the function, its arguments and the Values among them.
        """

    def _record(self, call: Call, listener: Any) -> None:
        """Note what the results are computed from, for whoever records a program."""
        why, found = "", []
        try:
            found = self._on_values(self.recorded, call)
        except TypeError as error:  # it may be made for floats, as math is
            try:
                found = self._on_values(made_for_values(self.recorded), call)
            except UNFIT:
                why = _said(error)
        except UNFIT as error:
            why = _said(error)
        data = np.array(numbers(found))
        expected = np.array(call.numbers)
        if not why and (data.shape != expected.shape or not np.allclose(
                data, expected, rtol=SAME, atol=SAME * max(_size(expected), self._scale(call)),
                equal_nan=True)):
            why = f"of numbers it makes {_first(expected)}, of Values {_first(data)}"
        if why:
            listener.refuse(
                f"call {self.name}, which cannot be written out in recorded operations ({why}); "
                "call it outside of jit and vmap, or say with primitive(..., recorded=...) how to "
                "compute it in Python and NumPy's functions")
            return
        call.computed = tuple(found)
        if listener is not listeners.eavesdropper:  # or a thread's recording would change our bits
            call.numbers = tuple(data.tolist())  # those of a replay

    def _scale(self, call: Call) -> float:
        """What the rounding errors of the results are relative to, if that is not their size."""
        if self.scale is None:
            return 0.0
        return float(self.scale(*call.on(numbers(call.inputs)), **call.options))

    def _on_values(self, function: Callable[..., Any], call: Call) -> list[Any]:
        with refusals_apart():
            return numbers_of(function(*call.on(call.inputs), **call.options), self.name)

    def __reduce__(self) -> str:
        space = getattr(sys.modules.get(str(self.__module__)), "__dict__", {})
        for name, item in space.items():
            if item is self:
                return str(name)  # found by it where it stands in its module, as functions are
        raise PicklingError(f"{self!r} is stored by its name, and {self.__module__} has none for "
                            "it; give it one at the top of that module")

    def __deepcopy__(self, memo: dict[int, Any]) -> ArrayPrimitive:
        return self

    def __repr__(self) -> str:
        return f"<primitive {self.name} of arrays>"


def _size(array: Any) -> float:
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max()) if finite.size else 0.0


def _first(array: Any) -> str:
    return f"{array[:4].tolist()}{' ...' if array.size > 4 else ''}"


def results_of(call: Call, known: dict[int, Value] | None = None) -> list[Value]:
    """The nodes of a call's results; those that are known, and new ones beside them."""
    known, computed = known or {}, call.computed or (None,) * len(call.numbers)
    return [known[place] if place in known else
            new_node(number, Result(call, place), call, computed[place])
            for place, number in enumerate(call.numbers)]


class Result(Primitive):
    """The operation of one result of a call: the row of a node, as others have one of the table."""

    call: Call
    place: int
    arity = None
    parameters = ("*xs",)
    safe = ((-1.0, 1.0),)

    def __init__(self, call: Call, place: int) -> None:
        self.__dict__.update(call=call, place=place)

    @property
    def index(self) -> str:
        """How to write the place of the result behind the name; "" for a single one."""
        return self.call.place(self.place)

    @property
    def name(self) -> str:
        """Never that of a row of the table."""
        return f"{self.call.function.name}{self.index or '[]'}"

    @property
    def symbol(self) -> str:
        """What a drawing shows."""
        return f"{self.call.function.name}{self.index}"

    @property
    def text(self) -> str:
        """The template of the notation."""
        return f"{_braced(self.call.function.name)}({{all}}){_braced(self.index)}"

    @property
    def latex(self) -> str:
        """The template of the notation in formulas."""
        name = rf"\operatorname{{{{{_escaped(self.call.function.name)}}}}}"
        return rf"{name}\left({{all}}\right){_subscript(self.index)}"

    def value(self, *operands: float) -> float:
        """The result for other operands."""
        results = self.call.function.function(*self.call.on(operands), **self.call.options)
        number: float = numbers_of(results, self.call.function.name)[self.place]
        return number

    def partials(self, *operands_and_result: Any) -> list[Any]:
        """The derivatives by all operands."""
        return list(self.local_derivatives(operands_and_result[:-1], operands_and_result[-1], ()))

    def local_derivatives(self, operands: Sequence[Any], result: Any,
                          wanted: Sequence[bool]) -> Sequence[Any]:
        """A row of the Jacobian: the vjp of one result."""
        unit = [0.0] * len(self.call.numbers)
        unit[self.place] = 1.0
        if result.__class__ is value_class[0]:
            return pulled_back_recorded(self.call, unit, {self.place: result})
        if tuple(operands) == tuple(numbers(self.call.inputs)):
            return pulled_back(self.call, unit)
        moved = self.call.copied(tuple(operands))
        moved.gave(moved.function.function(*moved.on(operands), **moved.options))
        return pulled_back(moved, unit)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Result) and (
            self.call.function, self.place, len(self.call.inputs), len(self.call.numbers)) == (
            other.call.function, other.place, len(other.call.inputs), len(other.call.numbers))

    def __hash__(self) -> int:
        return hash((self.call.function, self.place))

    def __reduce__(self) -> tuple[Any, ...]:
        return Result, (self.call, self.place)


def _braced(index: str) -> str:
    return index.replace("{", "{{").replace("}", "}}")


def _escaped(name: str) -> str:
    return _braced(name).replace("_", r"\_").replace("<", r"\langle ").replace(">", r"\rangle ")


def _subscript(index: str) -> str:
    return rf"_{{{{{_braced(index)[1:-1]}}}}}" if index else ""


# --- derivatives ----------------------------------------------------------------------------------

def pulled_back(call: Call, cotangents: Sequence[float]) -> list[Any]:
    """The vjp on numbers: for each operand the adjoint, None for none."""
    function = call.function
    results, arguments = call.filled(call.numbers), call.on(numbers(call.inputs))
    found = _vjp_of(function)(call.cotangents(cotangents), results, *arguments, **call.options)
    adjoints = call.gradients(found)
    if any(x.__class__ is Value for x in adjoints):
        raise TypeError(f"the vjp of {function.name} uses Values from outside, by which its "
                        "derivative would be lost; pass them as arguments")
    return adjoints


def pulled_back_recorded(call: Call, cotangents: Sequence[Any],
                         known: dict[int, Value]) -> list[Any]:
    """The vjp on Values, as a graph.

    Args:
        call: whose.
        cotangents: of the results, floats and Values.
        known: those of the results' nodes that there are.
    """
    vjp = _vjp_of(call.function)

    def rule(given: Sequence[Any], results: Sequence[Any], operands: Sequence[Any]) -> list[Any]:
        return call.gradients(vjp(call.cotangents(given), call.filled(results),
                                  *call.on(operands), **call.options))

    return _on_values(call, "vjp", rule, cotangents, known)


def pushed_forward(call: Call, tangents: Sequence[Any], known: dict[int, Value]) -> list[Any]:
    """The tangents of a call's results along those of its operands, as graphs."""
    jvp = call.function.jvp
    if jvp is None:
        return _transposed(call, tangents, known)

    def rule(given: Sequence[Any], results: Sequence[Any], operands: Sequence[Any]) -> list[Any]:
        return call.tangents(jvp(tuple(call.tangents_of(given)), call.filled(results),
                                 *call.on(operands), **call.options))

    return _on_values(call, "jvp", rule, tangents, known)


def _on_values(call: Call, what: str, rule: Callable[..., list[Any]], given: Sequence[Any],
               known: dict[int, Value]) -> list[Any]:
    """A rule on Values; one that is for numbers alone becomes a primitive without derivatives."""
    with recording():
        results = results_of(call, known)
        try:
            with refusals_apart():
                return rule(given, results, call.inputs)
        except UNFIT as error:
            why = f"{type(error).__name__}: {error}"
        numeric = ArrayPrimitive(lambda *operands: [0.0 if x is None else x
                                                    for x in rule(*operands)],
                                 name=f"the {what} of {call.function.name}")
        numeric.why_not_differentiable = (
            f"; {call.function.name} has no second derivative, because its {what} raises {why} on "
            "Values: write it with autograd's and NumPy's functions, or primitives of your own")
        found: list[Any] = numeric(list(given), results, list(call.inputs))
        return found


def _transposed(call: Call, tangents: Sequence[Any], known: dict[int, Value]) -> list[Any]:
    """J t from the vjp alone: each result's row of the Jacobian, times t."""
    found: list[Any] = []
    with recording():
        for place in range(len(call.numbers)):
            unit = [0.0] * len(call.numbers)
            unit[place] = 1.0
            total: Any = 0.0
            for slope, tangent in zip(pulled_back_recorded(call, unit, known), tangents,
                                      strict=True):
                if slope is not None and not (tangent.__class__ is float and tangent == 0.0):
                    total = total + slope * tangent
            found.append(total)
    return found


def _vjp_of(function: Any) -> Callable[..., Any]:
    """The vjp that differentiates a function.

    Raises:
        TypeError: where there is none.
    """
    if function.vjp is None:
        raise refusal(f"{function.name} has no derivative: it was given no vjp"
                      f"{function.why_not_differentiable}")
    vjp: Callable[..., Any] = function.vjp
    return vjp


__all__ = ["ArrayPrimitive", "Result", "pulled_back", "pulled_back_recorded", "pushed_forward",
           "results_of"]
