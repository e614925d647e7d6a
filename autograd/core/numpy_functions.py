"""NumPy's functions on arrays of Values: which of them are answered, and how.

Four tables: functions that are written here by the rules of the primitives (``OWN``); those that
move numbers about or are made of others, which NumPy may run as they are (``AS_THEY_ARE``); those
whose result is a place or a truth, which is decided by the numbers (``DECIDING``); and what to
write in place of the rest (``INSTEAD``). A function in none of them is an error, not a guess.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from autograd.core import contractions, numpy_protocol, orders
from autograd.core.arrays import ANSWERS, ArrayOfValues, bare, kept
from autograd.core.conditions import Condition, can_select, decided
from autograd.core.conditions import where as selected
from autograd.core.contractions import as_objects, total
from autograd.core.numpy_protocol import accumulated, axes_of, is_asked, over_axes
from autograd.core.primitive import TABLE, as_array_operand
from autograd.core.typing import Array
from autograd.core.value import UFUNCS, Value, refusal

Function = Callable[..., Any]
_NOTHING: Any = np._NoValue


def _ours(array: Any) -> Array:
    """An array-like as an array of Values."""
    return as_objects(array).view(ArrayOfValues)


def _into(result: Any, out: Any) -> Any:
    return result if out is None else numpy_protocol.written(result, out)


def _with_out(function: Function) -> Function:
    """A function whose result may go into an array."""
    return lambda *arguments, out=None, **options: _into(function(*arguments, **options), out)


# --- sums and their relatives ---------------------------------------------------------------------

def _reduction(ufunc: np.ufunc) -> Function:
    def function(a: Any, axis: Any = None, dtype: Any = None, out: Any = None,
                 keepdims: Any = False, initial: Any = _NOTHING, where: Any = True) -> Any:
        options = {} if out is None else {"out": out}
        return ufunc.reduce(np.asanyarray(a, dtype=object).view(ArrayOfValues), axis, dtype,
                            keepdims=is_asked(keepdims), initial=initial, where=where, **options)

    return function


def _extreme(ufunc: np.ufunc) -> Function:
    reduction = _reduction(ufunc)

    def function(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False,
                 initial: Any = _NOTHING, where: Any = True) -> Any:
        return reduction(a, axis, None, out, keepdims, initial, where)

    return function


def _accumulation(ufunc: np.ufunc) -> Function:
    def function(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        array = _ours(a)
        return _into(accumulated(ufunc, array.ravel() if axis is None else array,
                                 axis or 0, dtype), out)

    return function


def _cumulative(ufunc: np.ufunc, start: float) -> Function:
    def function(x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None,
                 include_initial: bool = False) -> Any:
        array = _ours(x)
        if axis is None and array.ndim > 1:
            raise ValueError("axis= says along which axis an array of several is accumulated")
        result = accumulated(ufunc, array, axis or 0, dtype)
        if include_initial:
            first = np.take(result, [0], axis or 0) * 0.0 + start
            result = np.concatenate([first, result], axis or 0)
        return _into(result, out)

    return function


def _mean_of(items: list[Any]) -> Any:
    if not items:
        raise ValueError("the mean of no numbers is not defined")
    return total(items) / float(len(items))


def _degrees(items: Sequence[Any], ddof: float) -> float:
    if len(items) <= ddof:
        raise ValueError(f"a variance with ddof={ddof} needs more than {ddof} numbers, "
                         f"not {len(items)}")
    return len(items) - ddof


def _variance_of(ddof: float) -> Callable[[list[Any]], Any]:
    return lambda apart: contractions.dot_of(apart, apart) / _degrees(apart, ddof)


def _deviation_of(ddof: float) -> Callable[[list[Any]], Any]:
    """The norm has the derivative 0 where all numbers are the same, and a square root none."""
    return lambda apart: TABLE["norm"].apply(tuple(apart)) / math.sqrt(_degrees(apart, ddof))


def _centred(function: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    """A function of the differences from the mean."""
    def centred(items: list[Any]) -> Any:
        mean = _mean_of(items)
        return function([x - mean for x in items])

    return centred


def _mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *,
          where: Any = True) -> Any:
    numpy_protocol.check_dtype("np.mean", dtype)
    return _into(over_axes(_mean_of, a, axis, keepdims, None, where), out)


def _spread(of: Callable[[float], Callable[[list[Any]], Any]], name: str) -> Function:
    def function(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0,
                 keepdims: Any = False, *, where: Any = True, mean: Any = _NOTHING,
                 correction: Any = _NOTHING) -> Any:
        numpy_protocol.check_dtype(name, dtype)
        apart = of(ddof if correction is _NOTHING else correction)
        if mean is _NOTHING:
            apart = _centred(apart)
        else:
            a = _ours(a) - mean
        if name.startswith("np.nan"):
            apart = _without_nan(apart)
        return _into(over_axes(apart, a, axis, keepdims, None, where), out)

    return function


def _without_nan(function: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    return lambda items: function([x for x in items if x == x])


def _of_numbers(function: Callable[[list[Any]], Any]) -> Function:
    def of_numbers(a: Any, axis: Any = None, dtype: Any = None, out: Any = None,
                   keepdims: Any = False, initial: Any = None, where: Any = True) -> Any:
        return _into(over_axes(_without_nan(function), a, axis, keepdims, initial, where), out)

    return of_numbers


def _extreme_of_numbers(name: str) -> Function:
    row = TABLE[name]
    found = _of_numbers(lambda items: row.apply(tuple(items)) if items else math.nan)
    return lambda a, axis=None, out=None, keepdims=False, initial=None, where=True: found(
        a, axis, None, out, keepdims, initial, where)


def _no_nan(function: Function, instead: float) -> Function:
    """A function of an array in which each nan is another number."""
    return lambda a, *arguments, **options: function(
        nan_to_num(a, nan=instead, posinf=math.inf, neginf=-math.inf), *arguments, **options)


def _average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *,
             keepdims: Any = False) -> Any:
    keepdims = is_asked(keepdims)
    array = _ours(a)
    if weights is None:
        result = _mean(array, axis, keepdims=keepdims)
        scale: Any = float(array.size) / max(np.size(result), 1)
    else:
        heights = _ours(weights)
        if heights.shape != array.shape:
            heights = np.moveaxis(np.broadcast_to(
                heights, np.moveaxis(array, axis, -1).shape, subok=True), -1, axis)
        scale = np.sum(heights, axis=axis, keepdims=keepdims)
        result = np.sum(array * heights, axis=axis, keepdims=keepdims) / scale
    return (result, scale + 0.0 * result) if returned else result


def _ptp(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    keepdims = is_asked(keepdims)
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


# --- covariance -----------------------------------------------------------------------------------

def _cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None,
         fweights: Any = None, aweights: Any = None, *, dtype: Any = None) -> Any:
    if fweights is not None or aweights is not None:
        raise refusal("np.cov of Values takes no weights; write (w * d) @ d.T / np.sum(w) of the "
                      "differences d from the mean")
    rows = _rows(m, rowvar)
    if y is not None:
        rows = np.concatenate([rows, _rows(y, rowvar)])
    apart = rows - np.mean(rows, axis=1, keepdims=True)
    degrees = rows.shape[1] - (ddof if ddof is not None else 0 if bias else 1)
    result = np.squeeze(apart @ apart.T / float(degrees))
    return result.item() if result.ndim == 0 else result


def _rows(m: Any, rowvar: bool) -> Array:
    array = _ours(m)
    array = array[None] if array.ndim < 2 else array
    return array if rowvar or array.shape[0] == 1 else array.T


def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, **options: Any) -> Any:
    covariance = _cov(x, y, rowvar)
    if np.ndim(covariance) == 0:
        return covariance / covariance
    deviation = np.sqrt(np.diagonal(covariance))
    return covariance / deviation[:, None] / deviation[None, :]


# --- along a line ---------------------------------------------------------------------------------

def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None,
            period: Any = None) -> Any:
    """np.interp; at a knot the slope of least size that lies between those of both sides."""
    knots, heights = _ours(xp), _ours(fp)
    if len(knots) != len(heights) or not len(knots):
        raise ValueError("np.interp needs as many heights as places, and at least one")
    if period is not None:
        x, knots = np.asanyarray(x) % period, knots % period
        order = np.argsort(knots)
        knots, heights = knots[order], heights[order]
        knots = np.concatenate([knots[-1:] - period, knots, knots[:1] + period])
        heights = np.concatenate([heights[-1:], heights, heights[:1]])
    line = _Line(knots.tolist(), heights.tolist(), left, right)
    result = np.frompyfunc(line.at, 1, 1)(bare(as_array_operand(x)))
    return result.view(ArrayOfValues) if isinstance(result, np.ndarray) else result


class _Line:
    """Straight pieces between knots."""

    def __init__(self, knots: list[Any], heights: list[Any], left: Any, right: Any) -> None:
        self.knots, self.heights = knots, heights
        self.left = heights[0] if left is None else left
        self.right = heights[-1] if right is None else right

    def slope(self, i: int) -> Any:
        """Of the piece from knot i to the next; two knots at one place are a jump."""
        width = self.knots[i + 1] - self.knots[i]
        return 0.0 if width == 0.0 else (self.heights[i + 1] - self.heights[i]) / width

    def at(self, x: Any) -> Any:
        """The height at x."""
        if x != x:
            return x
        low, high = 0, len(self.knots)  # the number of knots that are not above x
        while low < high:
            middle = (low + high) // 2
            if self.knots[middle] <= x:
                low = middle + 1
            else:
                high = middle
        if low == 0:
            return self.left
        i = low - 1
        if self.knots[i] == x:
            return self._at_knot(i, x)
        if low == len(self.knots):
            return self.right
        return self.heights[i] + self.slope(i) * (x - self.knots[i])

    def _at_knot(self, i: int, x: Any) -> Any:
        before = self.slope(i - 1) if i > 0 else 0.0
        behind = self.slope(i) if i + 1 < len(self.knots) else 0.0
        if before * behind <= 0.0:
            return self.heights[i]
        return self.heights[i] + (before if abs(before) < abs(behind) else behind) * (
            x - self.knots[i])


def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    heights = np.moveaxis(_ours(y), axis, -1)
    if x is None:
        pairs = heights[..., 1:] + heights[..., :-1]
        return np.sum(pairs, axis=-1) * (0.5 * dx)
    places = _ours(x)
    places = np.moveaxis(places, axis, -1) if places.ndim > 1 else places
    return np.sum((places[..., 1:] - places[..., :-1])
                  * (heights[..., 1:] + heights[..., :-1]), axis=-1) * 0.5


def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    array = _ours(f)
    axes = axes_of(array, axis)
    spacings = varargs * len(axes) if len(varargs) == 1 else varargs or (1.0,) * len(axes)
    if len(spacings) != len(axes):
        raise TypeError("np.gradient takes one spacing, or one for each axis")
    if edge_order != 1:
        raise refusal("np.gradient of Values takes edge_order=1 alone")
    results = [np.moveaxis(_slopes(np.moveaxis(array, one, 0), spacing), 0, one)
               for one, spacing in zip(axes, spacings, strict=True)]
    return results[0] if len(results) == 1 else tuple(results)


def _slopes(f: Array, spacing: Any) -> Array:
    """Along the first axis; in the middle of second order, also for uneven spacing."""
    if len(f) < 2:
        raise ValueError("np.gradient needs at least two numbers along an axis")
    result = np.empty_like(f)
    if np.ndim(spacing) == 0:
        result[1:-1] = (f[2:] - f[:-2]) / (2.0 * spacing)
        result[0], result[-1] = (f[1] - f[0]) / spacing, (f[-1] - f[-2]) / spacing
        return result
    if np.shape(spacing) != f.shape[:1]:
        raise ValueError(f"np.gradient: {np.size(spacing)} places are given for an axis of "
                         f"{len(f)} numbers")
    steps = np.diff(_ours(spacing)).reshape(-1, *(1,) * (f.ndim - 1))
    before, behind = steps[:-1], steps[1:]
    result[1:-1] = (f[2:] * (before / (behind * (before + behind)))
                    + f[1:-1] * ((behind - before) / (before * behind))
                    - f[:-2] * (behind / (before * (before + behind))))
    result[0] = (f[1] - f[0]) / steps[0]
    result[-1] = (f[-1] - f[-2]) / steps[-1]
    return result


def _unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2.0 * math.pi) -> Any:
    array = np.moveaxis(_ours(p), axis, -1)
    steps = np.diff(array)
    # How many periods a step is too long is a whole number, through which no gradient flows.
    turns = -np.ceil(steps / period - 0.5)
    if discont is not None:
        turns = np.where(np.abs(steps) < discont, 0.0, turns)
    result = array.copy()
    result[..., 1:] = array[..., 1:] + np.cumsum(turns, axis=-1) * period
    return np.moveaxis(result, -1, axis)


def _linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
              dtype: Any = None, axis: int = 0, **options: Any) -> Any:
    numpy_protocol.check_dtype("np.linspace", dtype)
    first, last = np.asanyarray(as_array_operand(start)), np.asanyarray(as_array_operand(stop))
    count = num - 1 if endpoint else num
    step = (_ours(last) - _ours(first)) / float(max(count, 1))
    step = np.asanyarray(as_array_operand(step))
    places = np.arange(num, dtype=float).reshape(-1, *(1,) * step.ndim)
    result = places * step.view(ArrayOfValues) + _ours(first)
    if endpoint and num > 1:
        result[-1] = last.item() if last.ndim == 0 else last
    result = np.moveaxis(result, 0, axis)
    if not retstep:
        return result
    return result, math.nan if count < 1 else step.item() if step.ndim == 0 else step


def _logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0,
              dtype: Any = None, axis: int = 0) -> Any:
    numpy_protocol.check_dtype("np.logspace", dtype)
    return np.power(base, _linspace(start, stop, num, endpoint, axis=axis))


def _geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None,
               axis: int = 0) -> Any:
    numpy_protocol.check_dtype("np.geomspace", dtype)
    result = np.exp(_linspace(np.log(start), np.log(stop), num, endpoint, axis=axis))
    moved = np.moveaxis(result, axis, 0)
    if num > 0:
        moved[0] = start
    if endpoint and num > 1:
        moved[-1] = stop
    return result


def _polyfit(x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None,
             cov: Any = False) -> Any:
    if full or cov:
        raise refusal("np.polyfit of Values takes neither full=True nor cov=True")
    places = np.asarray(x)
    if places.dtype.kind == "O":
        raise refusal("np.polyfit takes places x that are plain numbers; for others solve the "
                      "normal equations of np.vander(x, n)")
    weights = np.ones(len(places)) if w is None else np.asarray(w, dtype=float)
    return np.linalg.pinv(np.vander(places, deg + 1) * weights[:, None]) @ (
        _ours(y).T * weights).T


# --- number by number -----------------------------------------------------------------------------

def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None,
               neginf: Any = None) -> Any:
    """``np.nan_to_num``: what is not finite is another number, a constant."""
    largest = float(np.finfo(float).max)
    posinf, neginf = largest if posinf is None else posinf, -largest if neginf is None else neginf

    def finite(item: Any) -> Any:
        return nan if item != item else posinf if item == math.inf else (
            neginf if item == -math.inf else item)

    result = np.frompyfunc(finite, 1, 1)(bare(as_array_operand(x)))
    if isinstance(result, np.ndarray):
        result = result.view(ArrayOfValues)
        if not copy:
            x[...] = result
            return x
    return result


def _round(a: Any, decimals: int = 0, out: Any = None) -> Any:
    def rounded(item: Any) -> Any:
        return round(item, decimals) if item.__class__ is Value else float(round(item, decimals))

    return _into(_each(rounded, a), out)


def _each(function: Callable[[Any], Any], a: Any) -> Any:
    result = np.frompyfunc(function, 1, 1)(bare(as_array_operand(a)))
    return result.view(ArrayOfValues) if isinstance(result, np.ndarray) else result


def _of_row(name: str) -> Function:
    """A function that NumPy computes by steps of its own, and a row of the table at once."""
    def function(x: Any) -> Any:
        if name not in UFUNCS:
            raise _unanswered(f"np.{name}")
        return UFUNCS[name](np.asanyarray(x) if isinstance(x, list | tuple) else x)

    return function


def _truth_of_each(test: Callable[[Any], bool]) -> Function:
    def function(x: Any, out: Any = None) -> Any:
        result = np.frompyfunc(test, 1, 1)(bare(as_array_operand(x)))
        return result.astype(bool) if isinstance(result, np.ndarray) else np.bool_(result)

    return function


def _isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    def close(x: Any, y: Any) -> bool:
        if x != x or y != y:
            return bool(equal_nan and x != x and y != y)
        return bool(x == y or (abs(y) != math.inf and abs(x - y) <= atol + rtol * abs(y)))

    result = np.frompyfunc(close, 2, 1)(bare(as_array_operand(a)), bare(as_array_operand(b)))
    return result.astype(bool) if isinstance(result, np.ndarray) else np.bool_(result)


def _allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08,
              equal_nan: bool = False) -> bool:
    return bool(np.all(_isclose(a, b, rtol, atol, equal_nan)))


def _array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    first, second = as_objects(a1), as_objects(a2)
    return first.shape == second.shape and all(
        x == y or (equal_nan and x != x and y != y)
        for x, y in zip(first.flat, second.flat, strict=True))


def _array_equiv(a1: Any, a2: Any) -> bool:
    try:
        first, second = np.broadcast_arrays(as_objects(a1), as_objects(a2))
    except ValueError:
        return False
    return _array_equal(first, second)


def _truths(a: Any) -> Array:
    truths = np.frompyfunc(bool, 1, 1)(bare(as_array_operand(decided(a))))
    return np.asarray(truths).astype(bool)


def _of_truths(function: Function) -> Function:
    return lambda a, *arguments, **options: function(
        np.asarray(_truths(a)), *arguments, **options)


# --- choosing -------------------------------------------------------------------------------------

def _where(condition: Any, x: Any = _NOTHING, y: Any = _NOTHING) -> Any:
    if x is _NOTHING:
        return np.nonzero(np.asarray(_truths(condition)))
    if not isinstance(condition, Condition):
        condition = np.asarray(as_array_operand(condition))
        condition = _truths(condition) if condition.dtype.kind == "O" else condition
    result = selected(condition, x, y)
    if not isinstance(result, np.ndarray):
        return result
    return kept(result) if result.ndim else result.item()


def _select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    if len(condlist) != len(choicelist):
        raise ValueError("np.select needs as many choices as conditions")
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = _where(condition, choice, result)
    return result


def _piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *arguments: Any,
               **options: Any) -> Any:
    array = _ours(as_array_operand(x))
    is_one = not isinstance(condlist, list | tuple) and np.ndim(condlist) <= array.ndim
    conditions = [np.broadcast_to(np.asarray(_truths(c)), array.shape) for c in (
        [condlist] if is_one else condlist)]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(conditions, axis=0))
    if len(funclist) != len(conditions):
        raise ValueError("np.piecewise needs a function for each condition, or one more")
    result = _like(0.0)(array)
    for condition, function in zip(conditions, funclist, strict=True):
        part = array[condition]
        result[condition] = function(part, *arguments, **options) if callable(function) else (
            function)
    return result


# --- arrays that are filled later -----------------------------------------------------------------

def _like(number: float) -> Function:
    """An array of constants, in which Values find room."""
    def function(prototype: Any, dtype: Any = None, order: str = "K", subok: bool = True,
                 shape: Any = None, **options: Any) -> Any:
        shape = np.shape(prototype) if shape is None else shape
        if dtype is not None and np.dtype(dtype).kind not in "fO":
            return np.full(shape, number, dtype=dtype)
        return np.full(shape, number, dtype=object).view(ArrayOfValues)

    return function


def _full_like(a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True,
               shape: Any = None, **options: Any) -> Any:
    result = _like(0.0)(a, None, shape=shape)
    result[...] = as_array_operand(fill_value)
    return result if dtype is None or np.dtype(dtype).kind in "fO" else result.astype(dtype)


def _tri(keep_lower: bool) -> Function:
    def function(m: Any, k: int = 0) -> Any:
        array = _ours(m)
        array = np.stack([array] * len(array)) if array.ndim == 1 else array
        rows, columns = array.shape[-2:]
        mask = np.tri(rows, columns, k if keep_lower else k - 1, dtype=bool)
        return _where(mask if keep_lower else ~mask, array, 0.0)

    return function


def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    column = _ours(x)
    n = len(column) if N is None else N
    columns = [np.ones(len(column)), column][:n]
    columns += [column ** i for i in range(2, n)]
    result = np.stack(columns, axis=1) if columns else np.empty((len(column), 0))
    return kept(result if increasing else result[:, ::-1])


def _insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    result = np.insert(as_objects(arr), decided(obj), bare(as_array_operand(values)), axis)
    return result.view(ArrayOfValues)


def _matrix_power(a: Any, n: int) -> Any:
    """np.linalg.matrix_power; NumPy takes no stacks of matrices of objects."""
    power, plain = np.linalg.matrix_power._implementation, _ours(a)  # type: ignore[attr-defined]
    if plain.ndim < 3:
        return kept(power(plain, n))
    matrices = plain.reshape(-1, *plain.shape[-2:])
    if not len(matrices):
        return plain.copy()
    return np.stack([power(matrix, n) for matrix in matrices]).reshape(plain.shape)


def _pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    if not isinstance(mode, str) or mode not in _PADS:
        raise refusal(f"np.pad of Values takes the modes {', '.join(_PADS)}, not {mode!r}; for "
                      "others write np.concatenate")
    plain = as_objects(array)
    if mode == "constant":
        filling = options.pop("constant_values", 0.0)
        options["constant_values"] = np.asarray(filling, dtype=object)
    return np.pad(plain, pad_width, mode, **options).view(ArrayOfValues)  # type: ignore[call-overload]


_PADS = ("constant", "edge", "reflect", "symmetric", "wrap", "empty")


def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1,
           axis: int | None = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    first, second = np.moveaxis(_ours(a), axisa, -1), np.moveaxis(_ours(b), axisb, -1)
    widths = first.shape[-1], second.shape[-1]
    if not {*widths} <= {2, 3}:
        raise ValueError("np.cross needs vectors of two or three numbers")
    a1, a2, a3 = (*np.moveaxis(first, -1, 0), 0.0)[:3]
    b1, b2, b3 = (*np.moveaxis(second, -1, 0), 0.0)[:3]
    if widths == (2, 2):
        return a1 * b2 - a2 * b1
    parts = [a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1]
    shape = np.broadcast_shapes(*map(np.shape, parts))
    return np.moveaxis(np.stack([np.broadcast_to(_ours(as_array_operand(part)), shape, subok=True)
                                 for part in parts], axis=-1), -1, axisc)


def _kron(a: Any, b: Any) -> Any:
    first, second = _ours(as_array_operand(a)), _ours(as_array_operand(b))
    axes = max(first.ndim, second.ndim)
    first = first.reshape((1,) * (axes - first.ndim) + first.shape)
    second = second.reshape((1,) * (axes - second.ndim) + second.shape)
    product = np.multiply.outer(first, second)
    order = [i for pair in zip(range(axes), range(axes, 2 * axes), strict=True) for i in pair]
    shape = [m * n for m, n in zip(first.shape, second.shape, strict=True)]
    return product.transpose(order).reshape(shape)


def _bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    given = np.asarray(bare(x))
    if given.dtype.kind == "f":
        raise TypeError("np.bincount needs whole numbers as places, not floats")
    places = given.astype(int)
    if places.min(initial=0) < 0:
        raise ValueError("np.bincount needs places from 0 on")
    count = max(int(places.max(initial=-1)) + 1, minlength)
    heights = as_objects(weights).tolist()
    return _ours([total([w for p, w in zip(places.tolist(), heights, strict=True) if p == i])
                  for i in range(count)])


# --- lengths --------------------------------------------------------------------------------------

def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """np.linalg.norm, of all orders that need no singular values."""
    array = np.asanyarray(x)
    axes = axes_of(array, axis)
    if ord is None or (ord, len(axes)) in ((2, 1), ("fro", 2)):
        return over_axes(TABLE["norm"].__call__, array, axes, keepdims)
    if len(axes) == 1:
        return _norm_of_vectors(np.abs(_ours(array)), ord, axes, keepdims)
    if ord not in (1, -1, math.inf, -math.inf):
        return linalg_functions()["norm"](x, ord, axes, keepdims)
    extreme = np.max if ord > 0 else np.min
    first, last = axes if abs(ord) == 1 else axes[::-1]  # the largest sum of a column, or of a row
    result = extreme(np.sum(np.abs(_ours(array)), axis=first, keepdims=True), axis=last,
                     keepdims=True)
    return result if keepdims else result.squeeze(axes)[()]


def _norm_of_vectors(sizes: Array, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if ord in (math.inf, -math.inf):
        extreme = np.max if ord > 0 else np.min
        return extreme(sizes, axis=axes, keepdims=keepdims)
    if ord == 0:
        return np.sum((np.asarray(_truths(sizes))).astype(float), axis=axes, keepdims=keepdims)
    if ord == 1:
        return np.sum(sizes, axis=axes, keepdims=keepdims)
    power = float(ord)
    if power <= 1.0:
        return np.sum(sizes ** power, axis=axes, keepdims=keepdims) ** (1.0 / power)
    # The root has no derivative at 0, where all numbers are 0 and the norm has a kink: slope 0.
    total = _ours(np.sum(sizes ** power, axis=axes, keepdims=keepdims))
    is_zero = total == 0.0
    found = _where(is_zero, 0.0, _where(is_zero, 1.0, total) ** (1.0 / power))
    return found[()] if isinstance(found, np.ndarray) else found


def _vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    array = _ours(x)
    if axis is None:
        flat = _norm(array.ravel(), ord)
        return np.full((1,) * array.ndim, flat, dtype=object).view(ArrayOfValues) if (
            keepdims) else flat
    if isinstance(axis, tuple):
        axes = axes_of(array, axis)
        others = [i for i in range(array.ndim) if i not in axes]
        lined = array.transpose(*others, *axes).reshape([array.shape[i] for i in others] + [-1])
        result = _norm(lined, ord, -1)
        return np.expand_dims(result, tuple(sorted(axes))) if keepdims else result
    return _norm(array, ord, axis, keepdims)


# --- the tables -----------------------------------------------------------------------------------

def _named(name: str) -> Any:
    """A function of NumPy's, or None in a version that has not got it."""
    found: Any = np
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


_BY_NAME: dict[str, Function] = {
    "sum": _reduction(np.add), "prod": _reduction(np.multiply), "max": _extreme(np.maximum),
    "amax": _extreme(np.maximum), "min": _extreme(np.minimum), "amin": _extreme(np.minimum),
    "any": _of_truths(np.any), "all": _of_truths(np.all),
    "mean": _mean, "var": _spread(_variance_of, "np.var"), "std": _spread(_deviation_of, "np.std"),
    "average": _average, "ptp": _ptp, "cumsum": _accumulation(np.add),
    "cumprod": _accumulation(np.multiply), "cumulative_sum": _cumulative(np.add, 0.0),
    "cumulative_prod": _cumulative(np.multiply, 1.0),
    "nansum": _of_numbers(total), "nanprod": _of_numbers(numpy_protocol.product),
    "nanmean": _of_numbers(_mean_of), "nanvar": _spread(_variance_of, "np.nanvar"),
    "nanstd": _spread(_deviation_of, "np.nanstd"),
    "nanmax": _extreme_of_numbers("largest"), "nanmin": _extreme_of_numbers("smallest"),
    "nancumsum": _no_nan(_accumulation(np.add), 0.0),
    "nancumprod": _no_nan(_accumulation(np.multiply), 1.0),
    "nanmedian": orders.nanmedian, "nanquantile": orders.nanquantile,
    "nanpercentile": orders.nanpercentile,
    "median": orders.median, "quantile": orders.quantile, "percentile": orders.percentile,
    "sort": orders.sort, "partition": orders.partition, "searchsorted": orders.searchsorted,
    "digitize": orders.digitize,
    "dot": contractions.dot, "vdot": contractions.vdot, "inner": contractions.inner,
    "tensordot": contractions.tensordot, "einsum": contractions.einsum,
    "trace": contractions.trace, "convolve": contractions.convolve,
    "correlate": contractions.correlate, "cross": _cross, "kron": _kron,
    "cov": _cov, "corrcoef": _corrcoef, "interp": _interp, "trapezoid": _trapezoid,
    "trapz": _trapezoid, "gradient": _gradient, "polyfit": _polyfit, "unwrap": _unwrap,
    "linspace": _linspace, "logspace": _logspace, "geomspace": _geomspace, "nan_to_num": nan_to_num,
    "round": _round, "around": _round, "round_": _round,
    "fix": lambda x, out=None: _into(np.trunc(x), out),
    "sinc": _of_row("sinc"), "i0": _of_row("i0"),
    "isclose": _isclose, "allclose": _allclose, "array_equal": _array_equal,
    "array_equiv": _array_equiv, "isposinf": _truth_of_each(lambda x: x == math.inf),
    "isneginf": _truth_of_each(lambda x: x == -math.inf),
    "isreal": _truth_of_each(lambda x: True), "iscomplex": _truth_of_each(lambda x: False),
    "iscomplexobj": lambda x: False, "isrealobj": lambda x: True,
    "real": lambda val: val, "imag": lambda val: np.zeros(np.shape(val)),
    "real_if_close": lambda a, tol=100: a,
    "where": _where, "select": _select, "piecewise": _piecewise,
    "nonzero": _of_truths(np.nonzero), "flatnonzero": _of_truths(np.flatnonzero),
    "argwhere": _of_truths(np.argwhere), "count_nonzero": _of_truths(np.count_nonzero),
    "zeros_like": _like(0.0), "empty_like": _like(0.0), "ones_like": _like(1.0),
    "full_like": _full_like, "tril": _tri(True), "triu": _tri(False), "vander": _vander,
    "pad": _pad, "insert": _insert, "bincount": _bincount,
    "linalg.matrix_power": _matrix_power,
    "linalg.norm": _norm, "linalg.vector_norm": _vector_norm,
    "linalg.matrix_norm": lambda x, /, *, keepdims=False, ord="fro": _norm(
        x, ord, (-2, -1), keepdims),
    "linalg.trace": lambda x, /, *, offset=0, dtype=None: contractions.trace(x, offset, -2, -1),
    "linalg.cross": lambda a, b, /, *, axis=-1: _cross(a, b, axis=axis),
    "linalg.tensordot": lambda a, b, /, *, axes=2: contractions.tensordot(a, b, axes),
    "linalg.outer": lambda a, b, /: np.multiply.outer(_ours(a), _ours(b)),
    "linalg.matmul": lambda a, b, /: contractions.matmul(a, b),
    "linalg.vecdot": lambda a, b, /, *, axis=-1: contractions.vecdot(a, b, axis),
}
# Those of them whose result may go into an array, by the keyword out.
_WITH_OUT = ("dot", "trace", "ptp", "median", "quantile", "percentile", "nanmedian", "nanquantile",
             "nanpercentile")
_DECIDING = ("argmax", "argmin", "argsort", "argpartition", "nanargmax", "nanargmin",
             "lexsort")
_AS_THEY_ARE = (
    "reshape", "ravel", "transpose", "permute_dims", "matrix_transpose", "moveaxis", "rollaxis",
    "swapaxes", "expand_dims", "squeeze", "broadcast_to", "broadcast_arrays", "atleast_1d",
    "atleast_2d", "atleast_3d", "concatenate", "concat", "stack", "vstack", "row_stack", "hstack",
    "dstack", "column_stack", "block", "split", "array_split", "hsplit", "vsplit", "dsplit",
    "unstack", "tile", "repeat", "delete", "append", "resize", "flip", "fliplr",
    "flipud", "roll", "rot90", "take", "take_along_axis", "put_along_axis", "put", "place",
    "putmask", "copyto", "choose", "compress", "extract", "diag", "diagonal", "diagflat",
    "fill_diagonal", "meshgrid", "ix_", "ndim", "shape", "size", "copy", "array_repr",
    "array_str", "array2string", "shares_memory", "may_share_memory", "result_type", "can_cast",
    "min_scalar_type", "apply_along_axis", "apply_over_axes", "astype", "tril_indices_from",
    "triu_indices_from", "diag_indices_from", "diff", "ediff1d", "outer", "clip", "unique",
    "polyval", "polyadd", "polysub", "polymul", "polyder", "polyint", "poly", "einsum_path",
    "trim_zeros", "save", "savez", "require", "isin", "in1d", "union1d",
    "intersect1d", "fft.fftshift", "fft.ifftshift", "linalg.diagonal", "linalg.matrix_transpose",
    "linalg.multi_dot", "lib.stride_tricks.sliding_window_view")
_ABOUT_NUMBERS = "is computed from the bare numbers, and has no derivative; write it with " \
                 "np.array([v.data for v in x]), through which no gradient flows"
INSTEAD: dict[str, str] = {
    "histogram": _ABOUT_NUMBERS, "histogram2d": _ABOUT_NUMBERS, "histogramdd": _ABOUT_NUMBERS,
    "histogram_bin_edges": _ABOUT_NUMBERS, "setdiff1d": _ABOUT_NUMBERS, "setxor1d": _ABOUT_NUMBERS,
    "savetxt": "takes plain numbers; write np.array([v.data for v in x])",
    "fft": "would be complex numbers; write the sums with np.cos and np.sin: x @ np.cos(angles) "
           "and x @ np.sin(angles) are its real and imaginary parts",
    "angle": "is of complex numbers; write np.arctan2(y, x) of the two parts",
    "roots": "is of complex numbers; solve for a real root, and differentiate that",
    "linalg.eig": "would be complex numbers; for a symmetric matrix write np.linalg.eigh",
    "linalg.eigvals": "would be complex numbers; for a symmetric matrix write np.linalg.eigvalsh",
}

# Functions of np.linalg by their names there, such as "inv", once ``linalg_functions`` was asked.
LINALG: dict[str, Function] = {}
OWN: dict[Any, Function] = {
    found: _with_out(function) if name in _WITH_OUT else function
    for name, function in _BY_NAME.items() if (found := _named(name)) is not None}
DECIDING: dict[Any, Function] = {found: orders.deciding(found) for name in _DECIDING
                                 if (found := _named(name)) is not None}
AS_THEY_ARE: frozenset[Any] = frozenset(
    found for name in _AS_THEY_ARE if (found := _named(name)) is not None)


def function_of_arrays(function: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What NumPy asks for when a function that is no ufunc meets an array of Values, or a Value.

    Raises:
        TypeError: for a function that is not answered; the message says what to write.
    """
    own = OWN.get(function)
    if own is not None:
        return own(*arguments, **options)
    if function in AS_THEY_ARE:
        return kept(function._implementation(*_settled(arguments), **_settled_options(options)))
    own = DECIDING.get(function) or _of_linalg(function)
    if own is not None:
        return own(*_settled(arguments), **_settled_options(options))
    if not _has_arrays(arguments, options):  # a Condition alone
        return function(*_settled(arguments), **_settled_options(options))
    raise _unanswered(_full_name(function))


def _settled(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(map(decided, arguments)) if can_select() else arguments


def _settled_options(options: dict[str, Any]) -> dict[str, Any]:
    return {key: decided(item) for key, item in options.items()} if can_select() else options


def _has_arrays(arguments: tuple[Any, ...], options: dict[str, Any]) -> bool:
    """Whether there is an array of Values, or a Value, among what a function was given."""
    def has(item: Any) -> bool:
        return item.__class__ in (Value, ArrayOfValues) or (
            item.__class__ in (list, tuple) and any(map(has, item)))

    return any(map(has, (*arguments, *options.values())))


def _of_linalg(function: Any) -> Function | None:
    if _module(function) != "numpy.linalg":
        return None
    return linalg_functions().get(function.__name__)


def linalg_functions() -> dict[str, Function]:
    """Those of ``autograd.linalg``, which is loaded when somebody asks for one."""
    if not LINALG:
        import_module("autograd.linalg")
    return LINALG


def _module(function: Any) -> str:
    return str(getattr(function, "__module__", "numpy"))


def _full_name(function: Any) -> str:
    """How people write a function: np.linalg.inv."""
    return f"{_module(function)}.{function.__name__}".replace("numpy.", "np.", 1)


def _unanswered(name: str) -> TypeError:
    """The error for a function that nobody has taught to take Values."""
    short = name.removeprefix("np.")
    instead = INSTEAD.get(short) or INSTEAD.get(short.split(".")[0])
    if instead is not None:
        return refusal(f"{name} of Values {instead}")
    return refusal(f"{name} is not supported on arrays of Values: it would compare or convert "
                   "them, and perhaps lose a derivative; write it with functions that are "
                   "(np.sum, np.where, @, np.sort, ...) or number by number; for its value alone "
                   "give it np.array([v.data for v in x])")


ANSWERS["function"] = function_of_arrays
