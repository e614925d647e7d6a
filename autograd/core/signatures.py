"""What type checkers know of calls: of primitives, of operators and of derivatives.

Imported for type checkers alone: at run time one Primitive serves floats, Values and arrays.
"""

# mypy: disable-error-code="no-overload-impl, empty-body"

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, ParamSpec, Protocol, TypeAlias, TypeVar, overload

import numpy as np

from autograd.core.primitive import Primitive
from autograd.core.typing import Array
from autograd.core.value import Value

Truths: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
Real: TypeAlias = float | np.floating[Any] | np.integer[Any] | np.bool_ | Fraction | Decimal
Number: TypeAlias = Value | Real
Arm: TypeAlias = Number | Callable[[], Number]
Structure: TypeAlias = (list[Any] | tuple[Any, ...] | Mapping[Any, Any]
                        | Sequence[Number] | Sequence[Sequence[Number]] | Sequence[Array])

_P = ParamSpec("_P")
_K = TypeVar("_K")
_N = TypeVar("_N", bound=float)
_C_co = TypeVar("_C_co", covariant=True)


# --- primitives -----------------------------------------------------------------------------------

class Unary(Primitive):
    @overload
    def __call__(self, x: Value, /) -> Value: ...
    @overload
    def __call__(self, x: Array, /) -> Array: ...
    @overload
    def __call__(self, x: Real, /) -> float: ...


class Binary(Primitive):
    @overload
    def __call__(self, a: Array, b: Array | Number, /) -> Array: ...
    @overload
    def __call__(self, a: Number, b: Array, /) -> Array: ...
    @overload
    def __call__(self, a: Value, b: Number, /) -> Value: ...
    @overload
    def __call__(self, a: Real, b: Value, /) -> Value: ...
    @overload
    def __call__(self, a: Real, b: Real, /) -> float: ...


class NAry(Primitive):
    @overload
    def __call__(self, xs: Array, /) -> Any: ...
    @overload
    def __call__(self, xs: Iterable[Value], /) -> Value: ...
    @overload
    def __call__(self, xs: Iterable[Real], /) -> float: ...
    @overload
    def __call__(self, xs: Iterable[Number], /) -> Value | float: ...


class Dot(Primitive):
    @overload
    def __call__(self, a: Iterable[Value], b: Iterable[Number], /) -> Value: ...
    @overload
    def __call__(self, a: Iterable[Number], b: Iterable[Value], /) -> Value: ...
    @overload
    def __call__(self, a: Array, b: Iterable[Any], /) -> Any: ...
    @overload
    def __call__(self, a: Iterable[Any], b: Array, /) -> Any: ...
    @overload
    def __call__(self, a: Iterable[Real], b: Iterable[Real], /) -> float: ...
    @overload
    def __call__(self, a: Iterable[Number], b: Iterable[Number], /) -> Value | float: ...


class Where(Primitive):
    @overload
    def __call__(self, condition: object, a: Array, b: Arm, /) -> Array: ...
    @overload
    def __call__(self, condition: object, a: Arm, b: Array, /) -> Array: ...
    @overload
    def __call__(self, condition: object, a: Callable[[], Array], b: Arm, /) -> Any: ...
    @overload
    def __call__(self, condition: object, a: Arm, b: Callable[[], Array], /) -> Any: ...
    @overload
    def __call__(self, condition: object, a: Value, b: Arm, /) -> Value: ...
    @overload
    def __call__(self, condition: object, a: Arm, b: Value, /) -> Value: ...
    @overload
    def __call__(self, condition: object, a: Callable[[], Value], b: Callable[[], Value],
                 /) -> Value: ...
    @overload
    def __call__(self, condition: object, a: Real | Callable[[], Real],
                 b: Real | Callable[[], Real], /) -> float: ...
    @overload
    def __call__(self, condition: object, a: Arm, b: Arm, /) -> Value | float: ...


# --- operators ------------------------------------------------------------------------------------

class Operator(Protocol):
    @overload
    def __call__(self, other: Array, /) -> Array: ...
    @overload
    def __call__(self, other: Number, /) -> Value: ...


class Comparison(Protocol):
    @overload
    def __call__(self, other: Array, /) -> Truths: ...
    @overload
    def __call__(self, other: Number, /) -> bool: ...


class Equality(Protocol):
    @overload
    def __call__(self, other: Array, /) -> Truths: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, other: object, /) -> bool: ...


def operator(method: Callable[[Value, Any], Any]) -> Operator: ...


def comparison(method: Callable[[Value, Any], Any]) -> Comparison: ...


def equality(method: Callable[[Value, Any], Any]) -> Equality: ...


# --- derivatives by the first argument: their structure is the argument's -------------------------

class Composing(Protocol[_C_co]):
    """A compiled function: the derivative of it is a compiled function, too."""

    def __compose__(self, transform: Callable[..., Any], /, *options: Any) -> _C_co: ...


class Gradient(Protocol[_P]):
    @overload
    def __call__(self, x: Value, /, *args: _P.args, **kwargs: _P.kwargs) -> Value | float: ...
    @overload
    def __call__(self, x: Array, /, *args: _P.args, **kwargs: _P.kwargs) -> Array: ...
    @overload
    def __call__(self, x: Real, /, *args: _P.args, **kwargs: _P.kwargs) -> float: ...
    @overload
    def __call__(self, x: list[_N], /, *args: _P.args, **kwargs: _P.kwargs) -> list[float]: ...
    @overload
    def __call__(self, x: dict[_K, _N], /, *args: _P.args,
                 **kwargs: _P.kwargs) -> dict[_K, float]: ...
    @overload
    def __call__(self, x: Structure, /, *args: _P.args, **kwargs: _P.kwargs) -> Any: ...


class ValueAndGradient(Protocol[_P]):
    @overload
    def __call__(self, x: Value, /, *args: _P.args,
                 **kwargs: _P.kwargs) -> tuple[Value | float, Value | float]: ...
    @overload
    def __call__(self, x: Array, /, *args: _P.args,
                 **kwargs: _P.kwargs) -> tuple[float, Array]: ...
    @overload
    def __call__(self, x: Real, /, *args: _P.args,
                 **kwargs: _P.kwargs) -> tuple[float, float]: ...
    @overload
    def __call__(self, x: list[_N], /, *args: _P.args,
                 **kwargs: _P.kwargs) -> tuple[float, list[float]]: ...
    @overload
    def __call__(self, x: dict[_K, _N], /, *args: _P.args,
                 **kwargs: _P.kwargs) -> tuple[float, dict[_K, float]]: ...
    @overload
    def __call__(self, x: Structure, /, *args: _P.args, **kwargs: _P.kwargs) -> tuple[Any, Any]: ...


class Jacobian(Protocol[_P]):
    @overload
    def __call__(self, x: Array | Structure, /, *args: _P.args, **kwargs: _P.kwargs) -> Array: ...
    @overload
    def __call__(self, x: Number, /, *args: _P.args, **kwargs: _P.kwargs) -> Any: ...


class Hessian(Protocol[_P]):
    @overload
    def __call__(self, x: Value, /, *args: _P.args, **kwargs: _P.kwargs) -> Value | float: ...
    @overload
    def __call__(self, x: Array | Structure, /, *args: _P.args, **kwargs: _P.kwargs) -> Array: ...
    @overload
    def __call__(self, x: Real, /, *args: _P.args, **kwargs: _P.kwargs) -> float: ...


Derivative: TypeAlias = Gradient[...] | ValueAndGradient[...] | Jacobian[...] | Hessian[...]

# A function that is declared to return Values takes numbers, too, once it is compiled.
OfValues: TypeAlias = Callable[..., Value | Sequence[Value] | Mapping[Any, Value]]

# What becomes an array, with one entry for each row.
RowResult: TypeAlias = Value | Real | Array
