"""The exponential integrals; DLMF 6.2 and 8.19.

Values are SciPy's, within 8 units in the last place; those of expi within 150, beside its zero,
0.3725, of the terms that cancel there (of 1). The derivatives have closed forms, right to 4 (of
their terms), those of expn, its values, to 12.
"""

from __future__ import annotations

from typing import Any

from autograd.core.primitive import no_slope
from autograd.core.primitives import exp
from autograd.special.library import scipy_row


def _slope_of_order(n: float, x: Any, y: Any) -> Any:
    return -y * (1.0 + 1.0 / x) if n == 0.0 else -expn(n - 1.0, x)


def _at_zero(*operands: float) -> bool:
    return operands[-1] == 0.0


exp1 = scipy_row("exp1", lambda x, y: -exp(-x) / x, safe=((1e-300, 700.0),), is_pole=_at_zero,
                 domain="x > 0", latex=r"E_1\left({0}\right)",
                 summary="The integral of exp(-t) / t from x to infinity.",
                 derivative=("-exp(-x) / x",))
expi = scipy_row("expi", lambda x, y: exp(x) / x, safe=((1e-300, 700.0),), is_pole=_at_zero,
                 domain="an x other than 0", latex=r"\operatorname{{Ei}}\left({0}\right)",
                 summary="The integral of exp(t) / t from minus infinity to x, its principal "
                         "value.",
                 derivative=("exp(x) / x",))
expn: Any = scipy_row("expn", no_slope, _slope_of_order, orders=1, parameters=("n", "x"),
                      safe=((0.0, 20.0), (1e-10, 700.0)), is_pole=_at_zero,
                      domain="a whole order n >= 0, and x >= 0 (x > 0 for an n below 2, and for "
                             "its derivative below 3)",
                      latex=r"E_{{{0}}}\left({1}\right)",
                      summary="The integral of exp(-x t) / t**n for t from 1 to infinity.",
                      slope="-expn(n - 1, x) by x, none by n")
