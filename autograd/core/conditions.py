"""Comparisons of arrays while a function is recorded: decided only where somebody asks.

``np.where(a > b, x, y)`` chooses between two numbers that are both computed; a replay can choose
anew, and need not take another branch. So a comparison of arrays that is being recorded is a
:class:`Condition`. What asks for its truths (``if``, ``a[mask]``, ``mask.any()``, any function of
NumPy's) gets them, and the recording is told, as of any comparison of Values; ``np.where`` and
products with arrays of Values do not ask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from autograd.core import primitives
from autograd.core.arrays import ANSWERS, ArrayOfValues, bare
from autograd.core.context import listeners_on
from autograd.core.primitive import as_array_operand
from autograd.core.typing import Array
from autograd.core.value import Value, data_of, listener_here

RELATIONS = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=",
             "equal": "==", "not_equal": "!="}
_TURNED = {"less": "greater", "less_equal": "greater_equal"}
_SELECT = primitives.TABLE["where"]
_LOGICAL = {"logical_and": np.logical_and, "bitwise_and": np.logical_and,
            "logical_or": np.logical_or, "bitwise_or": np.logical_or,
            "logical_not": np.logical_not, "invert": np.logical_not}


def can_select() -> bool:
    """Whether a recording is on that can choose between numbers by a condition."""
    if not listeners_on:
        return False
    listener = listener_here()
    return listener is not None and listener.selects


def selects_now() -> bool:
    """Like :func:`can_select`; the recording is told that another way is taken."""
    if not can_select():
        return False
    listener = listener_here()
    if listener is not None:
        listener.deviated()
    return True


def comparison(name: str, operands: tuple[Any, ...]) -> Any:
    """A comparison of arrays by its name in NumPy: truths, or while recording a condition."""
    plain = [bare(as_array_operand(decided(x))) for x in operands]
    if not selects_now():
        return _truths(name, plain)
    # They may be written to before somebody asks.
    plain = [x.copy() if isinstance(x, np.ndarray) else x for x in plain]
    return Condition(lambda: _truths(name, plain), lambda: _denials(name, *plain))


def _truths(name: str, operands: list[Any]) -> Any:
    with np.errstate(invalid="ignore"):
        return np.asarray(getattr(np, name)(*operands), dtype=bool)


def _denied(name: str, a: Any, b: Any) -> Any:
    """0 where a comparison holds, else another number, or nan: a Value, which no branch has made.

    An ordered comparison with nan does not hold; ``wins`` of nan is nan, which is not 0.
    """
    if a.__class__ is not Value and b.__class__ is not Value:
        return float(not getattr(np, name)(a, b))
    if name in _TURNED:
        name, a, b = _TURNED[name], b, a
    wins: Any = primitives.TABLE["wins"](a, b)
    if name in ("greater", "greater_equal"):
        return primitives.step((0.75 if name == "greater" else 0.25) - wins)
    unequal = primitives.absolute(wins - 0.5)
    return unequal if name == "equal" else _negated(unequal)


def _denials(name: str, a: Any, b: Any) -> Any:
    with np.errstate(invalid="ignore"):
        return np.frompyfunc(lambda x, y: _denied(name, x, y), 2, 1)(a, b)


def _chosen(denied: Any, a: Any, b: Any) -> Any:
    """a where nothing is denied, else b."""
    if denied.__class__ is not Value:
        return b if denied else a
    if a is b:
        return a
    return _SELECT.apply((denied, b, a))


def where_equal(a: Any, b: Any, x: Any, y: Any) -> Any:
    """x where two numbers are equal, else y: while recording no branch, eagerly by the numbers."""
    if not selects_now():
        return x if data_of(a) == data_of(b) else y
    listener = listener_here()
    if listener is not None:
        listener.selected()
    return _chosen(_denied("equal", a, b), x, y)


def _negated(denied: Any) -> Any:
    return _chosen(denied, 1.0, 0.0)


_CHOSEN = np.frompyfunc(_chosen, 3, 1)
_NOTHING = np.frompyfunc(lambda x: primitives.stopped(0.0 * x), 1, 1)
_COMBINED: dict[Any, Callable[..., Any]] = {
    np.logical_and: lambda a, b: _CHOSEN(a, b, 1.0),  # where a holds, b decides
    np.logical_or: lambda a, b: _CHOSEN(a, 0.0, b),
    np.logical_not: lambda a: _CHOSEN(a, 1.0, 0.0)}


class Condition(NDArrayOperatorsMixin):
    """An array of truths that nobody has asked for yet. It is no ndarray, but becomes one.

    Args:
        decide: computes the truths, of which the recording is told.
        deny: computes an array of Values and floats that are 0 where the condition holds.
    """

    def __init__(self, decide: Callable[[], Any], deny: Callable[[], Any]) -> None:
        self._decide: Callable[[], Any] | None = decide
        self._deny = deny
        self._truths: Any = None

    @property
    def is_decided(self) -> bool:
        """Whether the recording knows the outcome: then there is nothing left to choose."""
        return self._decide is None

    @property
    def truths(self) -> Any:
        """The truths, an array of bools."""
        if self._decide is not None:
            self._truths, self._decide = np.asarray(self._decide()), None
        return self._truths

    def denied(self) -> Array:
        """Values and floats, 0 where the condition holds."""
        listener = listener_here()
        if listener is not None:
            listener.selected()
        return np.asarray(self._deny(), dtype=object)

    def numbers(self) -> Any:
        """1 where it holds, else 0, as Values."""
        return np.asarray(_CHOSEN(self.denied(), 1.0, 0.0), dtype=object).view(ArrayOfValues)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        truths: Array = self.truths
        return truths if dtype is None else truths.astype(dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        logical = _LOGICAL.get(ufunc.__name__)
        if method == "__call__" and not options:
            if logical is not None and all(map(_is_truths, inputs)):
                return _combination(logical, inputs)
            if ufunc is np.multiply and any(
                    x.__class__ in (Value, ArrayOfValues) for x in inputs):
                return masked_product(*inputs)
        return getattr(ufunc, method)(*map(decided, inputs),
                                      **{key: decided(x) for key, x in options.items()})

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        return ANSWERS["function"](function, arguments, options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # of a protocol that an array of truths has not
            raise AttributeError(name)
        return getattr(self.truths, name)

    def __getitem__(self, place: Any) -> Any:
        return self.truths[decided(place)]

    def __setitem__(self, place: Any, truth: Any) -> None:
        self.truths[decided(place)] = truth
        self._deny = lambda: np.where(self._truths, 0.0, 1.0)

    def __len__(self) -> int:
        return len(self.truths)

    def __iter__(self) -> Any:
        return iter(self.truths)

    def __bool__(self) -> bool:
        return bool(self.truths)

    def __int__(self) -> int:
        return int(self.truths)

    def __float__(self) -> float:
        return float(self.truths)

    def __index__(self) -> int:
        return int(self.truths.__index__())

    def __contains__(self, truth: Any) -> bool:
        return truth in self.truths

    def __repr__(self) -> str:
        return repr(self.truths)

    def __reduce__(self) -> Any:
        return np.array, (self.truths,)

    def __copy__(self) -> Any:
        return self.truths.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.truths.copy()


def _is_open(x: Any) -> bool:
    return isinstance(x, Condition) and not x.is_decided


def masked_product(a: Any, b: Any) -> Any:
    """A product with Values. What a condition leaves out of them receives no adjoint."""
    condition, factors = (a, b) if _is_open(a) else (b, a)
    if not _is_open(condition):
        return np.multiply(decided(a), decided(b))
    factors = np.asarray(as_array_operand(decided(factors)), dtype=object)
    return _CHOSEN(condition.denied(), factors, _NOTHING(factors))


def _is_truths(x: Any) -> bool:
    return isinstance(x, Condition | bool | np.bool_) or (
        x.__class__ is np.ndarray and x.dtype.kind == "b")


def _combination(logical: np.ufunc, conditions: tuple[Any, ...]) -> Any:
    if not any(map(_is_open, conditions)):
        return logical(*map(decided, conditions))
    return Condition(lambda: logical(*map(decided, conditions)),
                     lambda: _COMBINED[logical](*map(_denied_of, conditions)))


def _denied_of(truths: Any) -> Array:
    """0 where there is truth, of a condition, or of truths that are known."""
    if _is_open(truths):
        return truths.denied()  # type: ignore[no-any-return]
    return np.where(decided(truths), 0.0, 1.0).astype(object)


def decided(item: Any) -> Any:
    """The truths of conditions, also within lists and tuples; anything else as it is."""
    if isinstance(item, Condition):
        return item.truths
    if item.__class__ in (list, tuple):
        return item.__class__(map(decided, item))
    return item


def where(condition: Any, x: Any, y: Any) -> Any:
    """``np.where`` of three: both are computed, and an element of one is chosen.

    No adjoint goes to what is not chosen. While recording, and where the condition is a comparison
    of arrays, the choice is made anew at each replay.
    """
    arms = [bare(as_array_operand(arm)) for arm in (x, y)]
    if _is_open(condition) and any(_has_values(arm) for arm in arms):
        return _CHOSEN(condition.denied(), *[np.asarray(arm, dtype=object) for arm in arms])
    return np.where(decided(condition), *arms)


def _has_values(arm: Any) -> bool:
    array = np.asarray(arm)
    return array.dtype.kind == "O" and Value in set(map(type, array.flat))
