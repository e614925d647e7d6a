"""Compiled functions of a module, for processes that import it and get pickles of them."""

from __future__ import annotations

from typing import Any

import autograd as ag
from autograd import grad, hessian, jit, value_and_grad, vmap


@jit
def cubed(x: Any) -> Any:
    return x * x * x


@jit(backend="python", max_recordings=7, static_argnums=1)
def power(x: Any, n: int) -> Any:
    result = 1.0
    for _ in range(n):
        result = result * x
    return result


def bowl(x: Any) -> Any:
    return sum((xi - i) ** 2 * (1.0 + 0.5 * ag.sin(xi)) for i, xi in enumerate(x))


def line(w: Any, x: Any) -> Any:
    return w[0] * x + w[1]


def shifted(shift: float, x: Any) -> Any:
    return (x - shift) ** 2


@vmap
def rowwise(x: Any) -> Any:
    return x.exp() if x > 0.0 else 1.0 + x


class Spring:
    """A compiled method, and one that an object compiles for itself."""

    def __init__(self, stiffness: float) -> None:
        self.stiffness = stiffness
        self.force_now = jit(self.force)

    @jit
    def energy(self, x: Any) -> Any:
        return 0.5 * self.stiffness * x * x

    def force(self, x: Any) -> Any:
        return -self.stiffness * x


fast_bowl = jit(bowl)
slope_of_bowl = jit(value_and_grad(bowl))
curvature_of_bowl = jit(hessian(bowl))
by_rows = vmap(line, in_axes=(None, 0))
slope_by_rows = vmap(grad(line), in_axes=(None, 0), backend="numpy")
rows_of_compiled = vmap(cubed)
