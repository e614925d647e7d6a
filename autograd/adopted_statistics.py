"""Functions of ``scipy.stats`` that SciPy writes in Python, for adopted code.

On arrays of Values their bodies fail (they fill arrays of floats, or go by complex numbers), so
they are computed here by their formulas; without Values they are SciPy's own. The densities are
those in Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions", 2nd ed., chapters
13 and 28, and in Kotz, Balakrishnan and Johnson, "Continuous Multivariate Distributions", 2nd ed.,
chapter 45.
"""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import special
from autograd.core.arrays import ArrayOfValues
from autograd.core.value import Value, data_of

HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
SINGULAR = 1e6 * np.finfo(float).eps  # to SciPy, relative to the largest eigenvalue


class Distribution:
    """A distribution of ``scipy.stats``; some methods of it take Values.

    Args:
        name: in ``scipy.stats``.
        methods: by name, the formulas on Values.
    """

    def __init__(self, name: str, methods: dict[str, Callable[..., Any]]) -> None:
        self._name, self._methods = name, methods
        for method, formula in methods.items():
            setattr(self, method, self._either(method, formula))

    def _either(self, method: str, formula: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            if has_values(*arguments, *options.values()):
                return formula(*map(_array, arguments),
                               **{name: _array(item) for name, item in options.items()})
            return getattr(self._original(), method)(*arguments, **options)

        return called

    def _original(self) -> Any:
        return getattr(importlib.import_module("scipy.stats"), self._name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._original()(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._original(), name)


def has_values(*items: Any) -> bool:
    """Whether one of some arguments is a Value, an array of them or a list with one in it."""
    return any(item.__class__ is Value or isinstance(item, ArrayOfValues) or (
        isinstance(item, np.ndarray) and item.dtype == object and has_values(*item.flat)) or (
        isinstance(item, list | tuple) and has_values(*item)) for item in items)


def _array(item: Any) -> Any:
    """An argument as an array whose functions are ours, a Value as it is."""
    if item.__class__ is Value or isinstance(item, str | bool) or item is None:
        return item
    if has_values(item):
        return np.array(item, dtype=object).view(ArrayOfValues)
    return np.asarray(item, dtype=float)


def _normal(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = (x - loc) / scale
    return -0.5 * z * z - HALF_LOG_TWO_PI - np.log(scale)


def _student(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = (x - loc) / scale
    return (special.gammaln(0.5 * (df + 1.0)) - special.gammaln(0.5 * df)
            - 0.5 * np.log(math.pi * df) - 0.5 * (df + 1.0) * np.log1p(z * z / df) - np.log(scale))


def _multivariate(x: Any, mean: Any = None, cov: Any = 1.0,
                  allow_singular: Any = False) -> Any:
    """The logarithm of the normal density of each row of x, by Cholesky's factor.

    A regular covariance has the same density, whether a singular one is allowed or not.
    """
    matrix = np.asanyarray(cov)
    size = max(np.size(mean) if mean is not None else 1,
               matrix.shape[0] if matrix.ndim else 1)
    if matrix.ndim < 2:
        matrix = matrix * np.eye(size)
    points = np.asanyarray(x)
    if points.ndim < 2:
        points = np.reshape(points, (-1, 1) if size == 1 else (1, -1))
    if points.shape[-1] != size or matrix.shape != (size, size):
        raise ValueError(f"multivariate_normal: x has {points.shape[-1]} columns, the mean "
                         f"{size} items and the covariance the shape {matrix.shape}")
    matrix = _array(matrix)
    _check_regular(matrix)
    factor = np.linalg.cholesky(matrix)
    away = np.reshape(points - (0.0 if mean is None else mean), (-1, size))
    scaled = np.linalg.solve(factor, away.T)
    found = (-0.5 * np.sum(scaled * scaled, axis=0) - size * HALF_LOG_TWO_PI
             - np.sum(np.log(np.diag(factor))))
    return np.squeeze(np.reshape(found, points.shape[:-1]))[()]


def _check_regular(matrix: Any) -> None:
    """Refuse a covariance of which SciPy leaves eigenvalues out."""
    found = np.linalg.eigvalsh(np.vectorize(data_of, otypes=[float])(matrix))
    if found[0] <= SINGULAR * found[-1]:
        raise np.linalg.LinAlgError("multivariate_normal of Values takes a positive definite "
                                    "covariance; add a small number to its diagonal")


DISTRIBUTIONS = {
    "norm": Distribution("norm", {
        "logpdf": _normal, "pdf": lambda *given, **options: np.exp(_normal(*given, **options)),
        "cdf": lambda x, loc=0.0, scale=1.0: special.ndtr((x - loc) / scale),
        "sf": lambda x, loc=0.0, scale=1.0: special.ndtr((loc - x) / scale),
        "logcdf": lambda x, loc=0.0, scale=1.0: special.log_ndtr((x - loc) / scale),
        "logsf": lambda x, loc=0.0, scale=1.0: special.log_ndtr((loc - x) / scale)}),
    "t": Distribution("t", {
        "logpdf": _student, "pdf": lambda *given, **options: np.exp(_student(*given, **options))}),
    "multivariate_normal": Distribution("multivariate_normal", {
        "logpdf": _multivariate,
        "pdf": lambda *given, **options: np.exp(_multivariate(*given, **options))}),
}


def counterpart(item: Any) -> Distribution | None:
    """What stands for a distribution of ``scipy.stats``; None for anything else."""
    names = vars(sys.modules.get("scipy.stats", math))
    return next((found for name, found in DISTRIBUTIONS.items() if names.get(name) is item), None)


__all__ = ["DISTRIBUTIONS", "counterpart"]
