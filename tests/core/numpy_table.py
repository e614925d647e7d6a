"""NumPy's functions as people call them, each with a domain: what the tests of arrays go through.

A call takes a vector of four numbers and a matrix of three rows and four columns, and gives a
number, an array or several of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Call = Callable[[Any, Any], Any]
ANY, POSITIVE, UNIT, ABOVE_ONE = "any", "positive", "unit", "above one"
TABLE: dict[str, tuple[Call, str]] = {}


def _add(domain: str, **calls: Call) -> None:
    for name, call in calls.items():
        TABLE[name.rstrip("_").replace("__", ".")] = call, domain


TRAPEZOID = getattr(np, "trapezoid", None) or np.trapz  # type: ignore[attr-defined]
MASK = np.array([[True, False, True, False], [False, False, True, True], [True, True, True, False]])

# --- ufuncs ---------------------------------------------------------------------------------------
_add(ANY,
     add=lambda a, m: np.add(a, m), subtract=lambda a, m: np.subtract(m, a),
     multiply=lambda a, m: np.multiply(a, m), divide=lambda a, m: np.divide(m, 3.0 + a * a),
     true_divide=lambda a, m: np.true_divide(1.0, 3.0 + m * m),
     negative=lambda a, m: np.negative(m), positive=lambda a, m: np.positive(a),
     square=lambda a, m: np.square(m), reciprocal=lambda a, m: np.reciprocal(3.0 + a * a),
     absolute=lambda a, m: np.absolute(m), abs=lambda a, m: np.abs(m),
     fabs=lambda a, m: np.fabs(m), sign=lambda a, m: np.sign(m) * m,
     exp=lambda a, m: np.exp(m), exp2=lambda a, m: np.exp2(a), expm1=lambda a, m: np.expm1(m),
     sin=lambda a, m: np.sin(m), cos=lambda a, m: np.cos(m), tan=lambda a, m: np.tan(0.2 * m),
     arctan=lambda a, m: np.arctan(m), sinh=lambda a, m: np.sinh(m),
     cosh=lambda a, m: np.cosh(m), tanh=lambda a, m: np.tanh(m),
     arcsinh=lambda a, m: np.arcsinh(m), arctan2=lambda a, m: np.arctan2(m, 4.0 + a),
     hypot=lambda a, m: np.hypot(a, m), logaddexp=lambda a, m: np.logaddexp(a, m),
     logaddexp2=lambda a, m: np.logaddexp2(a, m), maximum=lambda a, m: np.maximum(a, m),
     minimum=lambda a, m: np.minimum(m, 0.1), fmax=lambda a, m: np.fmax(a, m),
     fmin=lambda a, m: np.fmin(a, m), clip=lambda a, m: np.clip(m, -0.7, 0.6),
     floor=lambda a, m: np.floor(3.0 * m) + m, ceil=lambda a, m: np.ceil(3.0 * m) + m,
     trunc=lambda a, m: np.trunc(3.0 * m) * m, rint=lambda a, m: np.rint(3.0 * m) * m,
     fix=lambda a, m: np.fix(3.0 * m) + m, round=lambda a, m: np.round(m, 1) * m,
     around=lambda a, m: np.around(10.0 * m) * a,
     mod=lambda a, m: np.mod(m, 0.7), remainder=lambda a, m: np.remainder(m, 2.0 + a * a),
     fmod=lambda a, m: np.fmod(m, 0.7), floor_divide=lambda a, m: np.floor_divide(m, 0.7) * m,
     divmod=lambda a, m: np.divmod(m, 0.7), modf=lambda a, m: np.modf(3.0 * m),
     copysign=lambda a, m: np.copysign(m, a), heaviside=lambda a, m: np.heaviside(m, 0.5) * m,
     ldexp=lambda a, m: np.ldexp(m, 3), deg2rad=lambda a, m: np.deg2rad(m),
     rad2deg=lambda a, m: np.rad2deg(m), radians=lambda a, m: np.radians(m),
     degrees=lambda a, m: np.degrees(m), conjugate=lambda a, m: np.conjugate(m),
     cbrt=lambda a, m: np.cbrt(2.0 + m * m), matmul=lambda a, m: m @ m.T @ m @ a,
     float_power=lambda a, m: np.float_power(2.0 + m * m, 1.5))
_add(POSITIVE,
     sqrt=lambda a, m: np.sqrt(m), log=lambda a, m: np.log(m), log2=lambda a, m: np.log2(m),
     log10=lambda a, m: np.log10(m), log1p=lambda a, m: np.log1p(m),
     power=lambda a, m: np.power(m, a))
_add(UNIT, arcsin=lambda a, m: np.arcsin(m), arccos=lambda a, m: np.arccos(m),
     arctanh=lambda a, m: np.arctanh(m))
_add(ABOVE_ONE, arccosh=lambda a, m: np.arccosh(m))

# --- truths and places ----------------------------------------------------------------------------
_add(ANY,
     isnan=lambda a, m: np.isnan(m) * m, isinf=lambda a, m: np.isinf(m) * m,
     isfinite=lambda a, m: np.isfinite(m) * m, signbit=lambda a, m: np.signbit(m) * m,
     isposinf=lambda a, m: np.isposinf(m) * m, isneginf=lambda a, m: np.isneginf(m) * m,
     isreal=lambda a, m: np.isreal(m) * m, iscomplex=lambda a, m: np.iscomplex(m) * m,
     isclose=lambda a, m: np.isclose(m, m + 1e-12) * m,
     allclose=lambda a, m: m * np.allclose(m, m + 1e-12),
     array_equal=lambda a, m: m * np.array_equal(m, m.copy()),
     array_equiv=lambda a, m: m * np.array_equiv(m, m.copy()),
     greater=lambda a, m: np.greater(m, a) * m, less=lambda a, m: np.less(m, a) * m,
     greater_equal=lambda a, m: np.greater_equal(m, a) * m,
     less_equal=lambda a, m: np.less_equal(m, a) * m, equal=lambda a, m: np.equal(m, m) * m,
     not_equal=lambda a, m: np.not_equal(m, a) * m,
     logical_and=lambda a, m: np.logical_and(m > 0, m < a) * m,
     logical_or=lambda a, m: np.logical_or(m > 0.5, m < a) * m,
     logical_not=lambda a, m: np.logical_not(m > 0) * m,
     logical_xor=lambda a, m: np.logical_xor(m > 0, m < a) * m,
     any=lambda a, m: np.any(m > 0) * m, all=lambda a, m: np.all(m > -9) * m,
     argmax=lambda a, m: m[np.argmax(m[:, 1])], argmin=lambda a, m: a[np.argmin(a)],
     argsort=lambda a, m: m[:, np.argsort(a)],
     argpartition=lambda a, m: np.sum(a[np.argpartition(a, 2)[:2]]),
     nonzero=lambda a, m: m[np.nonzero(m > 0)], flatnonzero=lambda a, m: a[np.flatnonzero(a > 0)],
     argwhere=lambda a, m: m * len(np.argwhere(m > 0)),
     count_nonzero=lambda a, m: m * np.count_nonzero(m > 0),
     searchsorted=lambda a, m: a * np.searchsorted(np.sort(a), 0.1),
     digitize=lambda a, m: a * np.digitize(a, [-0.5, 0.5]),
     lexsort=lambda a, m: a[np.lexsort((a,))],
     nanargmax=lambda a, m: a[np.nanargmax(a)], nanargmin=lambda a, m: a[np.nanargmin(a)])

# --- sums and statistics --------------------------------------------------------------------------
_add(ANY,
     sum=lambda a, m: np.sum(m * m, axis=0), prod=lambda a, m: np.prod(m, axis=1),
     mean=lambda a, m: np.mean(m * m, axis=1, keepdims=True),
     std=lambda a, m: np.std(m, axis=0), var=lambda a, m: np.var(m, axis=1, ddof=1),
     average=lambda a, m: np.average(m, axis=1, weights=a * a + 1.0),
     median=lambda a, m: np.median(m, axis=0), max=lambda a, m: np.max(m, axis=1),
     min=lambda a, m: np.min(m), amax=lambda a, m: np.amax(m, axis=0),
     amin=lambda a, m: np.amin(m, axis=0), ptp=lambda a, m: np.ptp(m, axis=1),
     percentile=lambda a, m: np.percentile(m, [10, 55.5], axis=1),
     quantile=lambda a, m: np.quantile(m, 0.3),
     cumsum=lambda a, m: np.cumsum(m * m, axis=1), cumprod=lambda a, m: np.cumprod(m),
     nansum=lambda a, m: np.nansum(m * m, axis=0), nanprod=lambda a, m: np.nanprod(m, axis=1),
     nanmean=lambda a, m: np.nanmean(m * m), nanstd=lambda a, m: np.nanstd(m, axis=0),
     nanvar=lambda a, m: np.nanvar(m, axis=0), nanmax=lambda a, m: np.nanmax(m),
     nanmin=lambda a, m: np.nanmin(m), nanmedian=lambda a, m: np.nanmedian(a),
     nanpercentile=lambda a, m: np.nanpercentile(a, 30.0),
     nanquantile=lambda a, m: np.nanquantile(a, 0.3),
     nancumsum=lambda a, m: np.nancumsum(m * m), nancumprod=lambda a, m: np.nancumprod(m, axis=0),
     cov=lambda a, m: np.cov(m), corrcoef=lambda a, m: np.corrcoef(m),
     sort=lambda a, m: np.sort(m, axis=0), partition=lambda a, m: np.partition(a, 2)[2],
     bincount=lambda a, m: np.bincount([0, 2, 2, 1], weights=a))

# --- products -------------------------------------------------------------------------------------
_add(ANY,
     dot=lambda a, m: np.dot(m, a), vdot=lambda a, m: np.vdot(m, m),
     inner=lambda a, m: np.inner(m, m), outer=lambda a, m: np.outer(a, m),
     tensordot=lambda a, m: np.tensordot(m, m, axes=([1], [1])),
     einsum=lambda a, m: np.einsum("ij,kj,j->ik", m, m, a), kron=lambda a, m: np.kron(a, m),
     cross=lambda a, m: np.cross(m[:, :3], a[:3]), trace=lambda a, m: np.trace(m @ m.T),
     convolve=lambda a, m: np.convolve(a, m[0, :3], "same"),
     correlate=lambda a, m: np.correlate(a, m[0, :3], "full"),
     linalg__norm=lambda a, m: np.linalg.norm(m, axis=1),
     linalg__multi_dot=lambda a, m: np.linalg.multi_dot([m, m.T, m]),
     linalg__matrix_power=lambda a, m: np.linalg.matrix_power(m[:, :3], 3),
     vander=lambda a, m: np.vander(a, 3), polyval=lambda a, m: np.polyval(a, m),
     polyadd=lambda a, m: np.polyadd(a, m[0, :2]), polysub=lambda a, m: np.polysub(a, m[0]),
     polymul=lambda a, m: np.polymul(a, m[0]), polyder=lambda a, m: np.polyder(a),
     polyint=lambda a, m: np.polyint(a))

# --- along a line ---------------------------------------------------------------------------------
_add(ANY,
     interp=lambda a, m: np.interp(m, [-1.0, 0.2, 1.3, 2.0], a),
     diff=lambda a, m: np.diff(m * m, axis=1), ediff1d=lambda a, m: np.ediff1d(m),
     gradient=lambda a, m: np.gradient(m, 0.5, axis=1),
     trapezoid=lambda a, m: TRAPEZOID(m, np.cumsum(a * a), axis=1),
     unwrap=lambda a, m: np.unwrap(9.0 * a), linspace=lambda a, m: np.linspace(a[0], a[1], 5),
     nan_to_num=lambda a, m: np.nan_to_num(m))
_add(POSITIVE, logspace=lambda a, m: np.logspace(a[0], a[1], 4),
     geomspace=lambda a, m: np.geomspace(a[0], a[1], 4))

# --- choosing and filling -------------------------------------------------------------------------
_add(ANY,
     where=lambda a, m: np.where(m > a, m * m, a),
     select=lambda a, m: np.select([m > 0.5, m > 0], [m, m * m], 3.0 * m),
     piecewise=lambda a, m: np.piecewise(a, [a > 0, a <= 0], [lambda x: x * x, lambda x: -x]),
     choose=lambda a, m: np.choose([0, 1, 2, 1], m), compress=lambda a, m: a.compress([1, 0, 1, 1]),
     extract=lambda a, m: np.extract(MASK, m), take=lambda a, m: np.take(m, [0, 2], axis=1),
     take_along_axis=lambda a, m: np.take_along_axis(m, np.argsort(MASK, axis=1), axis=1),
     put_along_axis=lambda a, m: _changed(m, lambda c: np.put_along_axis(
         c, np.array([[0, 1, 2, 0]]), a, axis=0)),
     put=lambda a, m: _changed(m, lambda c: np.put(c, [0, 5], a[:2])),
     place=lambda a, m: _changed(m, lambda c: np.place(c, MASK, a)),
     putmask=lambda a, m: _changed(m, lambda c: np.putmask(c, MASK, m * m)),
     copyto=lambda a, m: _changed(m, lambda c: np.copyto(c, m * m, where=MASK)),
     fill_diagonal=lambda a, m: _changed(m, lambda c: np.fill_diagonal(c, a[0])),
     zeros_like=lambda a, m: _changed(np.zeros_like(m), lambda c: c.__setitem__(1, a * a)),
     ones_like=lambda a, m: _changed(np.ones_like(m), lambda c: c.__setitem__((1, 2), a[0])),
     empty_like=lambda a, m: _changed(np.empty_like(a), lambda c: c.__setitem__(..., a * a)),
     full_like=lambda a, m: np.full_like(m, a[0]) * m,
     tril=lambda a, m: np.tril(m), triu=lambda a, m: np.triu(m, 1),
     diag=lambda a, m: np.diag(a) @ np.diag(a * a), diagonal=lambda a, m: np.diagonal(m),
     diagflat=lambda a, m: np.diagflat(a), pad=lambda a, m: np.pad(m, 1) * np.pad(m, 1, "edge"))


def _changed(array: Any, change: Callable[[Any], Any]) -> Any:
    array = array.copy()
    change(array)
    return array


# --- shapes ---------------------------------------------------------------------------------------
_add(ANY,
     reshape=lambda a, m: np.reshape(m, (2, 6)), ravel=lambda a, m: np.ravel(m),
     transpose=lambda a, m: np.transpose(m), moveaxis=lambda a, m: np.moveaxis(m, 0, 1),
     rollaxis=lambda a, m: np.rollaxis(m, 1), swapaxes=lambda a, m: np.swapaxes(m, 0, 1),
     expand_dims=lambda a, m: np.expand_dims(a, 0), squeeze=lambda a, m: np.squeeze(a[None]),
     broadcast_to=lambda a, m: np.broadcast_to(a, (3, 4)),
     broadcast_arrays=lambda a, m: np.broadcast_arrays(a, m)[0] * m,
     atleast_1d=lambda a, m: np.atleast_1d(a[0]), atleast_2d=lambda a, m: np.atleast_2d(a),
     atleast_3d=lambda a, m: np.atleast_3d(m), concatenate=lambda a, m: np.concatenate([a, m[0]]),
     stack=lambda a, m: np.stack([a, m[0]], axis=1), vstack=lambda a, m: np.vstack([a, m]),
     hstack=lambda a, m: np.hstack([a, m[1], [1.0]]), dstack=lambda a, m: np.dstack([m, m * m]),
     column_stack=lambda a, m: np.column_stack([a, m.T]),
     block=lambda a, m: np.block([[a], [m]]), split=lambda a, m: np.split(m, 2, axis=1)[1],
     array_split=lambda a, m: np.array_split(a, 3)[0], hsplit=lambda a, m: np.hsplit(m, 2)[0],
     vsplit=lambda a, m: np.vsplit(m, 3)[1], dsplit=lambda a, m: np.dsplit(m[None], 2)[1],
     tile=lambda a, m: np.tile(a, (2, 2)), repeat=lambda a, m: np.repeat(m, 2, axis=0),
     delete=lambda a, m: np.delete(m, 1, axis=0), insert=lambda a, m: np.insert(m, 1, a, axis=0),
     append=lambda a, m: np.append(a, m), resize=lambda a, m: np.resize(a, (3, 3)),
     flip=lambda a, m: np.flip(m), fliplr=lambda a, m: np.fliplr(m),
     flipud=lambda a, m: np.flipud(m), roll=lambda a, m: np.roll(m, 1, axis=1),
     rot90=lambda a, m: np.rot90(m), meshgrid=lambda a, m: np.meshgrid(a, m[0])[0],
     copy=lambda a, m: np.copy(m), ndim=lambda a, m: m * np.ndim(m),
     shape=lambda a, m: m * np.shape(m)[1], size=lambda a, m: m * np.size(m),
     real=lambda a, m: np.real(m), unique=lambda a, m: np.unique(a),
     apply_along_axis=lambda a, m: np.apply_along_axis(lambda row: row * row[0], 1, m),
     apply_over_axes=lambda a, m: np.apply_over_axes(np.sum, m, [0, 1]),
     trim_zeros=lambda a, m: np.trim_zeros(np.concatenate([[0.0], a, [0.0]])))
