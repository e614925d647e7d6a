"""A compiled function as scipy.optimize wants it: fun, jac, hess, hessp of one array."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..structures import as_array, flatten, rebuild, shape_of
from ..transforms import Trace, hessian, hvp_of, rows_of_jacobian

if TYPE_CHECKING:
    from .jitting import Jitted

Array = np.ndarray[Any, Any]


class Objective:
    """What ``f.scipy()`` returns: functions of (x, \\*args), differentiated by x.

    ``o = f.scipy(); scipy.optimize.minimize(o.fun, x0, jac=o.jac, hess=o.hess)``, or, with
    ``jac=True``, ``o.fun_and_jac``. For a function of several outputs, fun and jac serve
    ``least_squares`` and ``root``. Value and derivative come from one replay: jac at the point at
    which fun was called last costs nothing.
    """

    def __init__(self, function: Jitted) -> None:
        self._both = function.__compose__(value_and_jacobian)
        self._hessian = function.__compose__(hessian)
        self._product = function.__compose__(hvp_of)
        self._latest: tuple[Any, Any] | None = None

    def fun_and_jac(self, x: Any, *args: Any) -> tuple[Any, Array]:
        """The value (a number, or an array of outputs) and the gradient (or the Jacobian).

        Args:
            x: shape (n,).
            args: what else the function takes.
        """
        x = np.asarray(x, dtype=float)
        asked = (x.tobytes(), x.shape, *map(id, args))
        if self._latest is None or self._latest[0] != asked or args:
            value, slope = self._both(x, *args)
            plain = np.asarray(value) if isinstance(value, list | tuple | np.ndarray) else value
            self._latest = (asked, (plain, np.asarray(slope)))
        value, slope = self._latest[1]
        return value, slope.copy()  # some solvers write into what they are given

    def fun(self, x: Any, *args: Any) -> Any:
        """The value."""
        return self.fun_and_jac(x, *args)[0]

    def jac(self, x: Any, *args: Any) -> Array:
        """The gradient, shape (n,), or the Jacobian, shape (m, n)."""
        return self.fun_and_jac(x, *args)[1]

    def hess(self, x: Any, *args: Any) -> Array:
        """The matrix of second derivatives, shape (n, n)."""
        return np.asarray(self._hessian(np.asarray(x, dtype=float), *args))

    def hessp(self, x: Any, p: Any, *args: Any) -> Array:
        """The product of that matrix with the vector p, shape (n,)."""
        primals = (np.asarray(x, dtype=float), *args)
        rest = [np.zeros(shape_of(a)) if shape_of(a) else 0.0 for a in args]
        product = self._product(primals, (np.asarray(p, dtype=float), *rest))
        return np.asarray(product[0])


def value_and_jacobian(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that returns (value, derivatives by the first argument) from one graph."""
    def both(*arguments: Any) -> tuple[Any, Any]:
        trace = Trace(function, 0, arguments, {})
        outputs = flatten(trace.result)
        flat = [item for row in rows_of_jacobian(outputs, trace) for item in row]
        shape = shape_of(trace.result)
        slopes = trace.split(as_array(flat, (*shape, len(trace.leaves))), 1, shape)
        return rebuild(trace.result, outputs), slopes

    return both
