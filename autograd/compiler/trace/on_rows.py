"""A function of floats as a function of Values: ``math`` in it is replaced by the table's rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from types import BuiltinFunctionType, CellType, CodeType, FunctionType
from typing import Any

import numpy as np

from autograd.core.primitives import TABLE, Primitive
from autograd.core.value import Value

_NAMED_OTHERWISE = {"fabs": "abs", "fsum": "sum", "lgamma": "gammaln"}
_CONSTANTS = {name: getattr(math, name) for name in ("pi", "e", "tau", "inf", "nan")}
_TESTS: dict[str, Callable[[Any], bool]] = {
    "isnan": lambda x: x != x, "isinf": lambda x: abs(x) == math.inf,
    "isfinite": lambda x: x - x == 0.0}


class NotPython(Exception):
    """A function that is not written in Python, and is no row of the table."""


class _Math:
    """What stands in the place of the module."""

    def __getattr__(self, name: str) -> Any:
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        return _row_for(getattr(math, name))


def on_rows(function: Any) -> Callable[..., Any]:
    """The same function, of Values.

    Args:
        function: of floats, in Python, NumPy's ufuncs and ``math``. The functions that it calls
            are replaced likewise; the original is not changed.

    Raises:
        NotPython: for a function that cannot be looked into.
    """
    replaced: Callable[..., Any] = _Replacing().function(function)
    return replaced


class _Replacing:
    """Replaces a function and those that it calls, each once: they may call each other."""

    def __init__(self) -> None:
        self.done: dict[FunctionType, FunctionType] = {}

    def function(self, function: Any) -> Any:
        if isinstance(function, FunctionType):
            return self.done[function] if function in self.done else self._copied(function)
        if isinstance(function, Primitive | np.ufunc):
            return function
        if isinstance(function, BuiltinFunctionType) and function.__module__ == "math":
            return _row_for(function)
        raise NotPython(f"{getattr(function, '__name__', function)!r} is not written in Python")

    def _copied(self, function: FunctionType) -> FunctionType:
        namespace = {**function.__globals__, "float": _Float}
        cells = [CellType() for _ in function.__closure__ or ()]
        copied = FunctionType(function.__code__, namespace, function.__name__,
                              function.__defaults__, tuple(cells))
        copied.__kwdefaults__ = function.__kwdefaults__
        copied.__dict__.update(function.__dict__)
        self.done[function] = copied
        for name in _names(function.__code__):
            if name in function.__globals__:
                namespace[name] = self._other(function.__globals__[name])
        for cell, before in zip(cells, function.__closure__ or (), strict=True):
            cell.cell_contents = self._other(before.cell_contents)
        return copied

    def _other(self, found: Any) -> Any:
        """What stands for something that a function reads from outside."""
        if found is math:
            return _Math()
        if isinstance(found, FunctionType):
            return self.function(found)
        if isinstance(found, BuiltinFunctionType) and found.__module__ == "math":
            return _row_for(found)
        return found


def _names(code: CodeType) -> Iterable[str]:
    """The global names that code may read, that of functions inside it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _row_for(function: Callable[..., Any]) -> Callable[..., Any]:
    """The row that computes what a function of ``math`` does."""
    name = function.__name__
    if name in _TESTS:
        return _TESTS[name]
    if name == "hypot":  # the row takes two operands, the function any number
        return lambda *xs: TABLE["hypot" if len(xs) == 2 else "norm"].apply(xs)
    row = TABLE.get(_NAMED_OTHERWISE.get(name, name))

    def refuse(*_: Any) -> Any:
        raise NotImplementedError(f"there is no row for math.{name}")

    return row or refuse


class _FloatType(type):
    def __instancecheck__(cls, item: Any) -> bool:
        return item.__class__ is Value or isinstance(item, float)

    def __call__(cls, number: Any = 0.0) -> Any:
        return number if number.__class__ is Value else float(number)


class _Float(metaclass=_FloatType):
    """What stands in the place of ``float``: a Value is one."""
