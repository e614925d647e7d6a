"""implicit(residual, solver): derivatives of what a solver finds, without those of its steps.

Where residual(x, a) = 0 defines x(a), dx/da = -(d residual/dx)^-1 d residual/da: how the solver has
found x does not matter (Griewank and Walther, "Evaluating Derivatives", 2nd ed., chapter 15).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd.core import primitives
from autograd.core.aliases import also_called
from autograd.core.array_primitive import ArrayPrimitive
from autograd.core.call import is_differentiable
from autograd.core.linear_maps import vjp
from autograd.core.linear_systems import solve_system
from autograd.core.pytrees import as_array, flatten, leaves_of, rebuild
from autograd.core.transforms import jacobian, jvp
from autograd.core.typing import Array
from autograd.core.value import Value, numbers, program_writer

RTOL = 1e-4


@also_called()
def implicit(residual: Callable[..., Any], solver: Callable[..., Any], *,
             rtol: float = RTOL) -> ArrayPrimitive:
    """The solver as a function with derivatives, of all orders.

    ::

        kepler = autograd.implicit(
            lambda E, e, M: E - e * np.sin(E) - M,
            lambda e, M: scipy.optimize.brentq(lambda E: E - e * math.sin(E) - M, 0.0, 7.0))
        autograd.grad(kepler, (0, 1))(0.3, 1.2)

    A fixed point x = g(x, a) is the root of ``lambda x, a: g(x, a) - x``. Under ``jit`` and
    ``vmap`` the solver must be one that can be recorded (Python and NumPy's functions); else that
    is an error that names it.

    Args:
        residual: ``residual(x, *arguments)``, in autograd's or NumPy's functions, returns as many
            numbers as x has; they are 0 at the solution.
        solver: ``solver(*arguments)`` returns the solution x, a number or a structure of numbers.
            It is called with numbers, and may be anything: SciPy, C, a loop. Keywords are handed
            to both.
        rtol: how far a Newton step from the solution may go, relative to its largest number (or
            to 1): farther is no solution.

    Returns:
        A function of the solver's arguments.

    Raises:
        ValueError: when differentiated, where the residual is not 0, or has no inverse derivative
            (a multiple root), or another number of numbers than x.
        TypeError: when differentiated, for a residual that uses Values from outside; pass these
            as arguments.
        RecordingError: under jit or vmap, for a solver that cannot be recorded.
    """
    for what, given in (("residual", residual), ("solver", solver)):
        if not callable(given):
            raise TypeError(f"implicit takes two functions, residual and solver; {what} is "
                            f"{given!r}")
    # Not methods of an object of ours: a compiled function watches what these hold.
    solution = ArrayPrimitive(solver, vjp=partial(_vjp, residual, rtol),
                              jvp=partial(_jvp, residual, rtol))
    solution.only_by_vjp = True  # where the steps have come to rest, their derivatives need not
    return solution


def _vjp(residual: Callable[..., Any], rtol: float, *given: Any, **options: Any) -> Any:
    return _Theorem(residual, rtol).vjp(*given, **options)


def _jvp(residual: Callable[..., Any], rtol: float, *given: Any, **options: Any) -> Any:
    return _Theorem(residual, rtol).jvp(*given, **options)


class _Theorem:
    """The derivative rules of a root of the residual."""

    def __init__(self, residual: Callable[..., Any], rtol: float) -> None:
        self.residual, self.rtol = residual, rtol
        self.name = getattr(residual, "__name__", "residual")

    def vjp(self, cotangent: Any, x: Any, *arguments: Any, **options: Any) -> Any:
        """The adjoint equation: one linear system with the transposed matrix."""
        matrix = self._matrix(x, arguments, options)
        weights = solve_system(matrix.T, -_flat(cotangent))
        moving = [i for i, argument in enumerate(arguments) if is_differentiable(argument)]
        pullback = vjp(self._of_arguments(x, arguments, options, moving),
                       tuple(arguments[i] for i in moving))[1]
        gradients: list[Any] = [None] * len(arguments)
        for i, gradient in zip(moving, pullback(list(weights)), strict=True):
            gradients[i] = gradient
        return gradients[0] if len(gradients) == 1 else tuple(gradients)

    def jvp(self, tangents: tuple[Any, ...], x: Any, *arguments: Any, **options: Any) -> Any:
        """One linear system with the matrix."""
        matrix = self._matrix(x, arguments, options)
        moving = [i for i, tangent in enumerate(tangents) if tangent is not None]
        change = jvp(self._of_arguments(x, arguments, options, moving),
                     tuple(arguments[i] for i in moving), tuple(tangents[i] for i in moving))[1]
        return rebuild(x, list(solve_system(matrix, -_flat(change))))

    def _of_arguments(self, x: Any, arguments: tuple[Any, ...], options: dict[str, Any],
                      moving: Sequence[int]) -> Callable[..., list[Any]]:
        """The residual at x as a function of those arguments that are differentiated."""
        def function(*moved: Any) -> list[Any]:
            replaced = list(arguments)
            for i, argument in zip(moving, moved, strict=True):
                replaced[i] = argument
            return flatten(self.residual(x, *replaced, **options))

        return function

    def _matrix(self, x: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> Array:
        """The derivative of the residual by x, square and with an inverse.

        Raises:
            ValueError, TypeError: see :func:`implicit`.
        """
        flat = flatten(x)

        def function(items: Any) -> list[Any]:
            return flatten(self.residual(rebuild(x, list(items)), *arguments, **options))

        at_x = function(flat)
        self._refuse_outside(at_x, (flat, arguments))
        if len(at_x) != len(flat):
            raise ValueError(f"{self.name} must return as many numbers as the solution has, "
                             f"{len(flat)}, not {len(at_x)}")
        matrix: Array = np.asanyarray(jacobian(function)(flat))
        self._refuse_no_root(matrix, at_x, flat)
        return matrix

    def _refuse_outside(self, at_x: Sequence[Any], given: Any) -> None:
        if any(leaf.__class__ is Value for leaf in at_x) and not any(
                leaf.__class__ is Value for leaf in leaves_of(given)):
            raise TypeError(f"{self.name} uses Values that are not among its arguments, and the "
                            "solution has no derivative by them; pass them as arguments")

    def _refuse_no_root(self, matrix: Array, at_x: Sequence[Any], flat: Sequence[Any]) -> None:
        """Raise an error where Newton's method would go on."""
        x, rest = numbers(flat), np.array(numbers(at_x))
        try:
            step = np.linalg.solve(np.array(numbers(list(matrix.flat))).reshape(matrix.shape), rest)
        except np.linalg.LinAlgError:
            raise ValueError(f"the derivative of {self.name} by the solution has no inverse at "
                             f"{x[:4]}: it is a multiple root, where the solution has no "
                             "derivative") from None
        reach = self.rtol * max(1.0, *map(abs, x))
        if not np.abs(step).max() <= reach:
            raise ValueError(f"the solver has found no root of {self.name}: at {x[:4]} it is "
                             f"{rest[:4].tolist()}, and Newton's method would go "
                             f"{np.abs(step).max():.3g} farther; let it solve more accurately, or "
                             "give a larger rtol")
        if program_writer() is not None:  # a replay has another solution
            reach = self.rtol * primitives.largest([1.0, *map(abs, flat)])
            for way in solve_system(matrix, _flat(at_x)):
                if not abs(way) <= reach:
                    raise ValueError(f"the solver has found no root of {self.name}")


def _flat(structure: Any) -> Array:
    items = flatten(structure)
    return as_array(items, (len(items),))

