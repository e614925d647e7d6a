"""Values and NumPy's universal functions: np.exp, np.maximum, np.add.reduce and their like.

NumPy's functions that are no ufuncs stand in ``numpy_functions``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.core import contractions, primitives
from autograd.core.arrays import ANSWERS, ArrayOfValues, bare, kept
from autograd.core.conditions import RELATIONS, Condition, comparison, decided, masked_product
from autograd.core.contractions import total
from autograd.core.misuse import of_whole_numbers
from autograd.core.primitive import Primitive, as_array_operand
from autograd.core.pytrees import as_array
from autograd.core.typing import Array
from autograd.core.value import UFUNCS, Value, refusal, whole_number

Handler = Callable[..., Any]
LN2 = primitives.LN2
_NOTHING: Any = np._NoValue


def values(array: Any, label: str = "") -> Array:
    """A NumPy array of new leaves, one for each number of an array.

    NumPy's functions record on it, and follow the rules of the primitives: at a tie np.maximum and
    np.max share the derivative, np.linalg.norm has the derivative 0 at the origin; np.sum and @
    make one node for each number of the result. An array that you make with ``np.array([v, w])`` is
    an array of any objects to NumPy, which compares them and takes a side.

    Args:
        array: an array-like of real numbers, of any shape.
        label: a name; leaves are labelled ``label[i,j]``.

    Returns:
        An :class:`.arrays.ArrayOfValues` of the same shape.

    Raises:
        TypeError: for numbers that are not real, and for Values: ``np.stack`` makes an array of
            them.
    """
    numbers = np.asarray(array)
    if numbers.dtype == object and any(item.__class__ is Value for item in numbers.flat):
        raise TypeError("values makes new leaves of plain numbers; write np.stack([v, w]) for an "
                        "array of Values that there are already")
    result = np.empty(numbers.shape, dtype=object).view(ArrayOfValues)
    for index in np.ndindex(numbers.shape):
        place = f"[{','.join(map(str, index))}]" if index else ""
        result[index] = Value(numbers[index], label=f"{label}{place}" if label else "")
    return result


# --- of single numbers ----------------------------------------------------------------------------

def _has_sign(x: Any) -> bool:
    if x.__class__ is not Value:
        return bool(np.signbit(x))
    return x < 0.0 or (x == 0.0 and math.copysign(1.0, x.data) < 0.0)


# By these a library looks what it was given; as comparisons, of which a recording knows.
_ASKING: dict[str, Callable[[Any], bool]] = {
    "isnan": lambda x: x != x, "isinf": lambda x: x == math.inf or x == -math.inf,
    "isfinite": lambda x: -math.inf < x < math.inf,
    "signbit": _has_sign}
_TRUTHS: dict[str, Callable[..., bool]] = {
    "logical_not": lambda a: not a, "logical_and": lambda a, b: bool(a) and bool(b),
    "logical_or": lambda a, b: bool(a) or bool(b),
    "logical_xor": lambda a, b: bool(a) != bool(b)}


def _fmax(a: Any, b: Any) -> Any:
    return b if a != a else a if b != b else primitives.maximum(a, b)


def _fmin(a: Any, b: Any) -> Any:
    return b if a != a else a if b != b else primitives.minimum(a, b)


def _clip(x: Any, low: Any, high: Any) -> Any:
    x = x if low is None else primitives.maximum(x, low)
    return x if high is None else primitives.minimum(x, high)


def clipped(value: Any, low: Any, high: Any) -> Any:
    """A Value between two bounds, which may be arrays, or None."""
    result: Any = value
    if low is not None:
        result = np.maximum(result, low)
    return result if high is None else np.minimum(result, high)


def _power(a: Any, b: Any) -> Any:
    if a.__class__ is Value or b.__class__ is Value:
        return a ** b
    return primitives.pow(a, b)  # where Python would drift into complex numbers


def _heaviside(x: Any, at_zero: Any) -> Any:
    return primitives.step(x) + (1.0 - abs(primitives.sign(x))) * at_zero


def _ldexp(x: Any, exponent: Any) -> Any:
    return x * 2.0 ** exponent


# Functions of NumPy's that are made of rows.
_MADE_OF_ROWS: dict[str, Callable[..., Any]] = {
    "fmax": _fmax, "fmin": _fmin, "clip": _clip, "power": _power, "float_power": _power,
    "logaddexp2": lambda a, b: primitives.logaddexp(a * LN2, b * LN2) / LN2,
    "heaviside": _heaviside, "ldexp": _ldexp, "conjugate": lambda x: x,
    "divmod": lambda a, b: divmod(a, b),
    "modf": lambda x: (x - primitives.trunc(x), primitives.trunc(x)),
}
# NumPy computes these on objects as Python does on each of them, which is quickest.
_PYTHONS_OWN = frozenset(("add", "subtract", "multiply", "divide", "true_divide", "negative",
                          "positive", "square", "absolute", "floor_divide", "remainder",
                          "reciprocal"))


def _of_numbers(name: str) -> Callable[..., Any] | None:
    """A function of Values and floats, by its name in NumPy or in SciPy."""
    own = _MADE_OF_ROWS.get(name) or _ASKING.get(name) or UFUNCS.get(name) or _TRUTHS.get(name)
    if isinstance(own, Primitive) and own.arity == 1:
        return _quick(own)
    return own


def _quick(row: Primitive) -> Callable[[Any], Any]:
    """A row of one operand; of Values by its method, which is quicker."""
    method = getattr(Value, row.name)
    return lambda x: method(x) if x.__class__ is Value else row(x)


# --- of arrays ------------------------------------------------------------------------------------

def _operand(x: Any) -> Any:
    if x.__class__ is ArrayOfValues:
        return x.view(np.ndarray)
    return x if x.__class__ in (np.ndarray, float, int) else as_array_operand(bare(decided(x)))


def _of_arrays(ufunc: np.ufunc) -> Handler | None:
    """A ufunc on arrays of Values, without options."""
    name = ufunc.__name__
    if name in _PRODUCTS:
        return _PRODUCTS[name]
    if name in RELATIONS:
        return lambda *operands: comparison(name, operands)
    if name == "multiply":
        return lambda *operands: _ours(masked_product(*[
            x if isinstance(x, Condition) else _operand(x) for x in operands]))
    if name in _PYTHONS_OWN:
        return lambda *operands: _ours(ufunc(*map(_operand, operands)))
    function = _of_numbers(name)
    if function is None:
        return (lambda *operands: _ours(ufunc(*map(_operand, operands)))) if _is_of_objects(
            ufunc) else None
    loop = np.frompyfunc(function, ufunc.nin, ufunc.nout)
    if gives_truths(ufunc):
        return lambda *operands: _truths(loop, operands)
    row = UFUNCS.get(name)
    if name in _MADE_OF_ROWS or (isinstance(row, Primitive) and row.kink is not None):
        return lambda *operands: _quietly(loop, operands)  # a comparison with nan is no error
    return lambda *operands: _ours(loop(*map(_operand, operands)))


def _ours(result: Any) -> Any:
    if result.__class__ is np.ndarray:
        return result.view(ArrayOfValues)
    return tuple(map(_ours, result)) if result.__class__ is tuple else result


def _truths(loop: np.ufunc, operands: Sequence[Any]) -> Any:
    with np.errstate(invalid="ignore"):  # a comparison with nan is no error
        result = loop(*map(_operand, operands))
    # NumPy's bool: of Python's, ~False is -1, which counts as true.
    return result.astype(bool) if result.__class__ is np.ndarray else np.bool_(result)


def _quietly(loop: np.ufunc, operands: Sequence[Any]) -> Any:
    with np.errstate(all="ignore"):
        return _ours(loop(*map(_operand, operands)))


def _is_of_objects(ufunc: np.ufunc) -> bool:
    """Whether it was made of a Python function, by np.frompyfunc or np.vectorize."""
    return all(set(kinds) <= set("O->") for kinds in ufunc.types)


_PRODUCTS: dict[str, Handler] = {
    "matmul": contractions.matmul, "vecdot": contractions.vecdot,
    "matvec": contractions.matvec, "vecmat": contractions.vecmat}
_handlers: dict[np.ufunc, Handler] = {}  # filled as they are met
# A program's own rows may go again.
_LASTING = frozenset((*UFUNCS, *_MADE_OF_ROWS, *_ASKING, *_TRUTHS, *_PRODUCTS))


def handler_of(ufunc: np.ufunc) -> Handler:
    """What computes a ufunc on arrays of Values.

    Raises:
        TypeError: when nothing does.
    """
    handler = _handlers.get(ufunc)
    if handler is None:
        handler = _of_arrays(ufunc)
        if handler is None:
            raise refusal(f"{full_name(ufunc)} cannot be recorded: it has no derivative here; "
                          "write it with autograd's functions, or declare it with "
                          "autograd.primitive(...); v.data and np.array([v.data for v in x]) are "
                          "bare numbers, through which no gradient flows")
        if ufunc.__name__ in _LASTING:
            _handlers[ufunc] = handler
    return handler


def full_name(ufunc: np.ufunc) -> str:
    """How people write a ufunc: np.exp, scipy.special.jv."""
    name = ufunc.__name__
    return f"np.{name}" if hasattr(np, name) else f"scipy.special.{name}"


def ufunc_of_arrays(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...],
                    options: dict[str, Any]) -> Any:
    """What NumPy asks for when one of its functions meets an array of Values, or a Value."""
    if method == "__call__":
        handler = _handlers.get(ufunc) or handler_of(ufunc)
        if not options:
            return handler(*inputs)
        return _with_options(handler, ufunc, inputs, options)
    return _METHODS[method](ufunc, *inputs, **options)


# How NumPy would cast, which does not concern objects.
_OF_NO_CONCERN = frozenset(("casting", "subok", "order"))


def _with_options(handler: Handler, ufunc: np.ufunc, inputs: Sequence[Any],
                  options: dict[str, Any]) -> Any:
    if not gives_truths(ufunc):
        check_dtype(f"np.{ufunc.__name__}", options.get("dtype"))
    out, mask = options.get("out"), options.get("where", True)
    rest = {key: option for key, option in options.items()
            if key not in _OF_NO_CONCERN and key not in ("out", "where", "dtype")}
    if (axes := rest.pop("axes", None)) is not None:
        handler = _along_axes(handler, axes)
    if mask is not True:
        result = _where_asked(handler, ufunc, inputs, mask, out)
    else:
        result = handler(*inputs, **rest)
    if out is None:
        return result
    results = result if ufunc.nout > 1 else (result,)
    stored = tuple(written(one, into) for one, into in zip(results, out, strict=True))
    return stored if ufunc.nout > 1 else stored[0]


def _along_axes(handler: Handler, axes: Sequence[Any]) -> Handler:
    """A product of matrices or vectors, each of which lies along axes of its own, as in a @= b."""
    places = [axis if isinstance(axis, tuple) else (axis,) for axis in axes]

    def last(place: tuple[int, ...]) -> range:
        return range(-len(place), 0)

    def product_of(*inputs: Any) -> Any:
        result = handler(*[np.moveaxis(contractions.as_objects(x), place, last(place))
                           for x, place in zip(inputs, places, strict=False)])
        if len(places) == len(inputs) or not places[-1]:
            return result
        return np.moveaxis(result, last(places[-1]), places[-1])

    return product_of


def gives_truths(ufunc: np.ufunc) -> bool:
    """Whether its results are True and False."""
    name = ufunc.__name__
    return name in _ASKING or name in _TRUTHS or name in RELATIONS


def check_dtype(name: str, dtype: Any) -> None:
    """Refuse a dtype that would be of plain numbers."""
    if dtype is not None and np.dtype(dtype).kind not in "fO":
        raise refusal(f"{name}(..., dtype={dtype!r}) would lose the gradient; leave out dtype=")


def _where_asked(handler: Handler, ufunc: np.ufunc, inputs: Sequence[Any], mask: Any,
                 out: Any) -> Any:
    """Computed only where a mask says so; elsewhere stands what stood in out."""
    arrays = np.broadcast_arrays(bare(np.asarray(decided(mask))), *map(_operand, inputs),
                                 subok=False)
    mask = arrays[0].astype(bool)
    result = np.zeros(mask.shape, dtype=object)
    if out is not None and out[0] is not None:
        result[...] = bare(out[0])
    result[mask] = bare(handler(*[x[mask] for x in arrays[1:]]))
    return result.view(ArrayOfValues)


def written(result: Any, out: Any) -> Any:
    """The array that a result was written into; refused is one of plain numbers."""
    if out is None:
        return result
    if not isinstance(out, np.ndarray):
        raise refusal("out= takes an array; a Value is not changed in place")
    found = bare(as_array_operand(result))
    if out.dtype.kind != "O" and np.asarray(found).dtype.kind == "O" and any(
            item.__class__ is Value for item in np.ravel(found)):
        raise refusal("a Value cannot go into an array of numbers in place; write a = a + v, or "
                      "make the array with np.zeros(n, dtype=object), np.zeros_like of an array "
                      "of Values or autograd.values")
    out[...] = as_array_operand(result)
    return out


def apply_ufunc(value: Value, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...],
                options: dict[str, Any]) -> Any:
    """What NumPy asks for when one of its functions meets a Value, and no array of them.

    Returns:
        A Value, or an array of them where an array takes part (bools for comparisons).

    Raises:
        TypeError: for functions that have no primitive, and for results that would have to go
            into an array of plain numbers.
    """
    if method == "reduce" and inputs[0] is value:
        handler_of(ufunc)  # or an error
        return value  # np.sum of one number
    if method != "__call__" or options or not all(
            x.__class__ is Value or np.ndim(x) == 0 for x in inputs):
        return ufunc_of_arrays(ufunc, method, inputs, options)
    if ufunc is np.isnan and (message := of_whole_numbers()):
        raise refusal(message)
    function = _functions.get(ufunc)
    if function is None:
        found = _of_numbers(ufunc.__name__)
        if found is None:
            return ufunc_of_arrays(ufunc, method, inputs, options)
        function = found
        if ufunc.__name__ in _LASTING:
            _functions[ufunc] = function
    result = function(*[x.item() if isinstance(x, np.ndarray | np.generic) else x for x in inputs])
    return np.bool_(result) if result.__class__ is bool else result


_functions: dict[np.ufunc, Callable[..., Any]] = {}


def over_array(primitive: Primitive, a: Any, b: Any) -> Any:
    """An operator between a Value and an array, element by element."""
    return kept(_loop_of_two(primitive)(_operand(a), _operand(b)))


@lru_cache(maxsize=64)
def _loop_of_two(primitive: Primitive) -> Any:
    return np.frompyfunc(primitive, 2, 1)


# --- along axes -----------------------------------------------------------------------------------

def is_asked(option: Any) -> bool:
    """Whether an option such as ``keepdims`` is on: NumPy takes 1 and np.True_, too."""
    return option is not _NOTHING and bool(option)


def over_axes(function: Callable[[list[Any]], Any], array: Any, axis: Any, keepdims: bool = False,
              initial: Any = None, where: Any = True) -> Any:
    """A function of any number of numbers, on those along an axis.

    Args:
        function: of a list of numbers and Values.
        array: of numbers and Values.
        axis: one, a tuple of several, or None for all.
        keepdims: whether these axes stay, with the length 1.
        initial: another operand, before those in the array.
        where: which of the array's numbers take part, an array of bools.
    """
    plain = bare(np.asanyarray(array))
    keepdims = is_asked(keepdims)
    also = [] if initial is None or initial is _NOTHING else [initial]
    if not (where is True or where is _NOTHING):
        return _over_some(function, plain, axis, keepdims, also, where)
    if axis is None and not keepdims:  # the most frequent one
        return function([*also, *plain.ravel().tolist()] if also else plain.ravel().tolist())
    axes = axes_of(plain, axis)
    outer, groups = _groups(plain, axes)
    result = as_array([function([*also, *group]) for group in groups], outer)
    return _reduced(result, axes, keepdims)


def _groups(plain: Array, axes: tuple[int, ...]) -> tuple[tuple[int, ...], list[list[Any]]]:
    moved = np.moveaxis(plain, axes, range(-len(axes), 0)) if len(axes) < plain.ndim else plain
    outer, inner = moved.shape[:plain.ndim - len(axes)], moved.shape[plain.ndim - len(axes):]
    return outer, moved.reshape(math.prod(outer), math.prod(inner)).tolist()


def _reduced(result: Array, axes: tuple[int, ...], keepdims: bool) -> Any:
    if keepdims:
        return np.expand_dims(result, tuple(sorted(axes)))
    return result.item() if result.ndim == 0 else result


def _over_some(function: Callable[[list[Any]], Any], plain: Array, axis: Any, keepdims: bool,
               also: list[Any], where: Any) -> Any:
    axes = axes_of(plain, axis)
    outer, groups = _groups(plain, axes)
    masks = _groups(np.broadcast_to(bare(np.asarray(decided(where))), plain.shape), axes)[1]
    return _reduced(as_array([
        function([*also, *(x for x, asked in zip(group, mask, strict=True) if asked)])
        for group, mask in zip(groups, masks, strict=True)], outer), axes, keepdims)


def axes_of(array: Array, axis: Any) -> tuple[int, ...]:
    """The axes that an argument ``axis`` names, from 0 on; without any all of them.

    Raises:
        ValueError: when the array has no such axis.
    """
    if axis is None:
        return tuple(range(array.ndim))
    given = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    for one in given:
        if not -array.ndim <= one < array.ndim:
            raise ValueError(f"axis {one} is out of bounds for an array of {array.ndim} axes")
    return tuple(one % array.ndim for one in given)


def _of_row(row: Primitive) -> Callable[[list[Any]], Any]:
    return lambda items: row.apply(tuple(items))


def product(items: Sequence[Any]) -> Any:
    """The product of some numbers and Values, as one node."""
    if len(items) > 2:
        return primitives.TABLE["prod"].apply(tuple(items))
    return items[0] * items[1] if len(items) == 2 else items[0] if items else 1.0


def _any(items: list[Any]) -> bool:
    return any(bool(item) for item in items)


def _all(items: list[Any]) -> bool:
    return all(bool(item) for item in items)


_REDUCED: dict[str, Callable[[list[Any]], Any]] = {
    "add": total, "multiply": product,
    "maximum": _of_row(primitives.TABLE["largest"]),
    "minimum": _of_row(primitives.TABLE["smallest"]),
    "logaddexp": _of_row(primitives.TABLE["logsumexp"]),
    "logical_or": _any, "logical_and": _all}


_IN_ANY_ORDER = frozenset(("hypot", "fmax", "fmin", "logaddexp2", "logical_xor"))


def _reduce(ufunc: np.ufunc, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None,
            keepdims: bool = False, initial: Any = _NOTHING, where: Any = True) -> Any:
    """``np.add.reduce`` and its like, and with them np.sum, np.max, np.any."""
    name = ufunc.__name__
    _check_reduced_dtype(name, dtype)
    function = _REDUCED.get(name)
    if function is None:
        function = _folded(handler_of(ufunc))
        if name not in _IN_ANY_ORDER and len(axes_of(np.asanyarray(array), axis)) > 1:
            raise ValueError(f"np.{name}.reduce takes one axis: another order of the numbers has "
                             "another result")
    result = over_axes(function, array, axis, keepdims, initial, where)
    if name.startswith("logical") and isinstance(result, np.ndarray):
        result = result.astype(bool)
    return result if out is None else written(result, out[0])


def _check_reduced_dtype(name: str, dtype: Any) -> None:
    if dtype is not None and not name.startswith("logical"):
        check_dtype(f"np.{name}.reduce", dtype)


def _folded(handler: Handler) -> Callable[[list[Any]], Any]:
    def fold(items: list[Any]) -> Any:
        if not items:
            raise ValueError("a reduction of no numbers has no result")
        result = items[0]
        for item in items[1:]:
            result = handler(result, item)
        return result

    return fold


def accumulated(ufunc: np.ufunc, array: Any, axis: int = 0, dtype: Any = None,
                out: Any = None) -> Any:
    """``np.add.accumulate`` and its like: what np.cumsum is made of."""
    check_dtype(f"np.{ufunc.__name__}.accumulate", dtype)
    handler = handler_of(ufunc)
    plain = np.moveaxis(bare(np.asanyarray(array, dtype=object)), axis, 0)
    result = plain.copy()
    for i in range(1, len(plain)):
        result[i] = handler(result[i - 1], plain[i])
    result = np.moveaxis(result, 0, axis).view(ArrayOfValues)
    return result if out is None else written(result, out[0])


def _outer(ufunc: np.ufunc, a: Any, b: Any, **options: Any) -> Any:
    first, second = np.asanyarray(a), np.asanyarray(b)
    return ufunc(first.reshape(first.shape + (1,) * second.ndim), second, **options)


def _at(ufunc: np.ufunc, array: Any, places: Any, *operands: Any) -> None:
    """``np.add.at``: one after the other, so that a place may be met twice."""
    if bare(array).dtype != object:
        raise refusal(f"np.{ufunc.__name__}.at: a Value cannot go into an array of numbers in "
                      "place; make it with np.zeros_like of an array of Values")
    function: Any = _of_numbers(ufunc.__name__) or handler_of(ufunc)
    np.frompyfunc(function, ufunc.nin, 1).at(
        bare(array), decided(places), *map(_operand, operands))


def _reduceat(ufunc: np.ufunc, array: Any, places: Any, axis: int = 0, dtype: Any = None,
              out: Any = None) -> Any:
    check_dtype(f"np.{ufunc.__name__}.reduceat", dtype)
    plain = np.moveaxis(np.asanyarray(array), axis, 0)
    starts = np.asarray(places, dtype=int).tolist()
    for start in starts:
        if not 0 <= start < len(plain):
            raise IndexError(f"np.{ufunc.__name__}.reduceat: place {start} is out of bounds for "
                             f"{len(plain)} numbers")
    if not starts:
        return np.moveaxis(plain[:0], 0, axis)
    ends = [*starts[1:], len(plain)]
    parts = [ufunc.reduce(plain[a:b], axis=0) if a < b else plain[a]
             for a, b in zip(starts, ends, strict=True)]
    result = np.moveaxis(np.stack(parts), 0, axis)
    return result if out is None else written(result, out[0])


_METHODS: dict[str, Callable[..., Any]] = {
    "reduce": _reduce, "accumulate": accumulated, "outer": _outer, "at": _at,
    "reduceat": _reduceat}

ANSWERS["ufunc"] = ufunc_of_arrays
ANSWERS["value"] = apply_ufunc
ANSWERS["whole number"] = whole_number
