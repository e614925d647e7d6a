"""A compiled function as scipy.optimize wants it: fun, jac, hess, hessp of one array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from autograd.compiler.trace.arguments import HoldsValues
from autograd.core.pytrees import as_array, flatten, rebuild, shape_of
from autograd.core.transforms import Trace, hessian, hvp, rows_of_jacobian
from autograd.core.typing import Array
from autograd.core.undefined import Undefined, checked, in_ieee


class Composable(Protocol):
    """What a compiled function has to offer; ``jit`` hands one over, and is not known here."""

    def __call__(self, *arguments: Any) -> Any:
        """Call it."""

    def __compose__(self, transform: Callable[..., Any], *options: Any) -> Composable:
        """The compiled derivative."""

    def taken_apart(self, arguments: tuple[Any, ...],
                    keywords: dict[str, Any]) -> tuple[Any, Any]:
        """What a call is made with but for the numbers, and the numbers."""

    def outside(self, key: Any) -> Any:
        """What the results of such calls hang on besides the arguments, as it is now."""


class Objective:
    """What ``f.scipy()`` returns: functions of (x, \\*args), differentiated by x.

    ``o = f.scipy(); scipy.optimize.minimize(o.fun, x0, jac=o.jac, hess=o.hess)``, or, with
    ``jac=True``, ``o.fun_and_jac``. For a function of several outputs, fun and jac serve
    ``least_squares`` and ``root``. Value and derivative come from one replay: jac at the point at
    which fun was called last costs nothing.

    Args:
        function: the compiled function.
        undefined: "raise" for Python's error where an operation is not defined, which ends a
            search; "nan" for inf and nan, as NumPy gives them, from which line searches go on.

    Raises:
        ValueError: for another ``undefined``.
    """

    def __init__(self, function: Composable, undefined: Undefined = "raise") -> None:
        self._function, self._undefined = function, checked(undefined)

        def derived(transform: Callable[..., Any], *options: Any) -> Composable:
            if undefined == "nan":
                transform, options = in_ieee, (transform, *options)
            return function.__compose__(transform, *options)

        self._both = derived(value_and_jacobian)
        self._hessian = derived(hessian, 0)
        self._product = derived(hessian_product)
        self._latest: tuple[Any, Any, Array] = (None, None, np.empty(0))

    def __reduce__(self) -> tuple[Any, ...]:
        return Objective, (self._function, self._undefined)

    def fun_and_jac(self, x: Any, *args: Any) -> tuple[Any, Array]:
        """The value (a number, or an array of outputs) and the gradient (or the Jacobian).

        Args:
            x: shape (n,).
            args: what else the function takes.

        Raises:
            TypeError: for Values among the arguments.
        """
        x = np.asarray(x, dtype=float)
        try:
            kind, numbers = self._both.taken_apart((x, *args), {})
        except HoldsValues:
            raise TypeError("scipy's functions take numbers, not Values; write v.data") from None
        asked = (kind, np.asarray(numbers, dtype=float).tobytes())
        outside = self._both.outside(kind)
        known, value, slope = self._latest  # read once: another thread may ask for another point
        if known != (asked, outside):
            value, slope = self._both(x, *args)
            slope = np.asarray(slope)
            if outside == self._both.outside(kind):  # no other thread has set anything meanwhile
                self._latest = (asked, outside), value, slope
        # copies: some solvers write into what they are given
        return (np.array(value) if shape_of(value) else value), slope.copy()

    def fun(self, x: Any, *args: Any) -> Any:
        """The value.

        Args:
            x: shape (n,).
            args: further arguments of the function.
        """
        return self.fun_and_jac(x, *args)[0]

    def jac(self, x: Any, *args: Any) -> Array:
        """The gradient, shape (n,), or the Jacobian, shape (m, n).

        Args:
            x, args: as for :meth:`fun`.
        """
        return self.fun_and_jac(x, *args)[1]

    def hess(self, x: Any, *args: Any) -> Array:
        """The matrix of second derivatives, shape (n, n).

        Args:
            x, args: as for :meth:`fun`.
        """
        return np.asarray(self._hessian(np.asarray(x, dtype=float), *args))

    def hessp(self, x: Any, p: Any, *args: Any) -> Array:
        """The product of that matrix with the vector p, shape (n,).

        Args:
            x, args: as for :meth:`fun`.
            p: shape (n,).
        """
        x, p = np.asarray(x, dtype=float), np.asarray(p, dtype=float)
        return np.asarray(self._product(x, *args, p))


def value_and_jacobian(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that returns (value, derivatives by the first argument) from one graph."""
    def both(*arguments: Any) -> tuple[Any, Any]:
        trace = Trace(function, 0, arguments, {})
        outputs = flatten(trace.result)
        flat = [item for row in rows_of_jacobian(outputs, trace) for item in row]
        slopes = trace.split(as_array(flat, (len(outputs), len(trace.leaves))), trace.result)
        return rebuild(trace.result, outputs), slopes

    return both


def hessian_product(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of (x, \\*args, p): the Hessian of (x, \\*args) by x, times p."""
    def product(x: Any, *others: Any) -> Any:
        *args, p = others
        return hvp(lambda x: function(x, *args), x, p)

    return product
