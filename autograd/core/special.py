"""The rest of the table: angles, activations and special functions.

The value of each row is arithmetic, the functions of ``math`` and loops of a fixed length: so
every back end writes it out from here, and none needs a version of its own.

A name that SciPy has too means the same function: ``scipy.special.logit(v)`` of a Value, and of
an array of Values, reaches the row.
"""

# In lambdas at the top of a cycle of imports, mypy does not know yet that a Value has operators.
# mypy: disable-error-code="operator"

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd.core.primitives import (
    Interval,
    exp,
    log,
    log1p,
    relu,
    sigmoid,
    sigmoid_slope,
    softplus,
    step,
    tanh,
)
from autograd.core.primitives import absolute as _abs
from autograd.core.primitives import table_row as _row

if TYPE_CHECKING:
    from autograd.core.signatures import Unary

# --- angles ---------------------------------------------------------------------------------------

_RADIAN, _DEGREE = math.pi / 180.0, 180.0 / math.pi
_MODERATE: Interval = (-1e150, 1e150)

radians = _row("radians", lambda x: x * _RADIAN, lambda x, y: _RADIAN, aliases=("deg2rad",),
               summary="An angle of x degrees, in radians.",
               derivative=("pi / 180",),
               exact=True, transparent=True, raises=())
degrees = _row("degrees", lambda x: x * _DEGREE, lambda x, y: _DEGREE, aliases=("rad2deg",),
               safe=(_MODERATE,),
               summary="An angle of x radians, in degrees.",
               derivative=("180 / pi",),
               exact=True, transparent=True, raises=())


# --- logarithms of probabilities ------------------------------------------------------------------

def _logit(x: float) -> float:
    if x <= 0.0 or x >= 1.0:
        raise ValueError("math domain error")
    if 0.25 < x < 0.75:
        return -math.log1p((1.0 - 2.0 * x) / x)  # 1 - 2x is exact, and 0 at the zero
    return math.log(x / (1.0 - x))


def _xlogy(a: float, b: float) -> float:
    if a == 0.0:
        return 0.0 if b == b else b
    if a != a:
        return a
    if b == 1.0 and math.fabs(a) == math.inf:
        raise ValueError("math domain error")  # infinity times 0
    return a * math.log(b)


def _xlog1py(a: float, b: float) -> float:
    if a == 0.0:
        return 0.0 if b == b else b
    if a != a:
        return a
    if b == 0.0 and math.fabs(a) == math.inf:
        raise ValueError("math domain error")
    return a * math.log1p(b)


logit = _row("logit", _logit, lambda x, y: 1.0 / x + 1.0 / (1.0 - x), domain="0 < x < 1",
             safe=((1e-300, 1.0 - 1e-15),),
             summary="log(x / (1 - x)), the inverse of the logistic function.",
             derivative=("1 / (x * (1 - x))",),
             raises=((0, "<=", 0.0), (0, ">=", 1.0)))
xlogy = _row("xlogy", _xlogy, lambda a, b, y: log(b), lambda a, b, y: a / b,
             domain="b > 0, or a = 0 (its derivative by a: b > 0)",
             safe=((-1e100, 1e100), (1e-100, 1e100)),
             summary="a * log(b), and 0 where a is 0.",
             derivative=("log(b)", "a / b"))
xlog1py = _row("xlog1py", _xlog1py, lambda a, b, y: log1p(b), lambda a, b, y: a / (1.0 + b),
               domain="b > -1, or a = 0 (its derivative by a: b > -1)",
               safe=((-1e100, 1e100), (-1.0 + 1e-15, 1e100)),
               summary="a * log(1 + b), with all its digits near b = 0, and 0 where a is 0.",
               derivative=("log(1 + b)", "a / (1 + b)"))


# --- activations ----------------------------------------------------------------------------------
# Their partials choose by step and relu, rows with one rule for kinks, and not by a comparison: a
# network is recorded once, whatever the signs in it.

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805
_LEAK = 0.01


def _decay(x: float) -> float:
    """exp(-|x|), the part of the logistic function that neither overflows nor cancels."""
    return math.exp(-math.fabs(x))


def _silu(x: float) -> float:
    decay = _decay(x)
    if x >= 0.0:
        return x / (1.0 + decay)
    return x * decay / (1.0 + decay) if x > -800.0 else x * 0.0 if x > -math.inf else -0.0


def _elu(x: float) -> float:
    return x if x > 0.0 else math.expm1(x)


def _selu(x: float) -> float:
    return _SELU_SCALE * x if x > 0.0 else _SELU_SCALE * _SELU_ALPHA * math.expm1(x)


def _mish(x: float) -> float:
    if x == -math.inf:
        return -0.0
    return x * math.tanh(math.log1p(_decay(x)) + (0.0 if x <= 0.0 else x))


def _mish_slope(x: Any, y: Any) -> Any:
    soft = softplus(x)
    return tanh(soft) + 4.0 * x * sigmoid_slope(2.0 * soft) * sigmoid(x)


def _softsign(x: float) -> float:
    size = math.fabs(x)
    return x / (1.0 + size) if size < 1e300 else 1.0 if x > 0.0 else -1.0 if x < 0.0 else x


def _hardtanh(x: float) -> float:
    return 1.0 if x > 1.0 else -1.0 if x < -1.0 else x


silu = _row("silu", _silu, lambda x, y: sigmoid(x) * (1.0 + x * sigmoid(-x)),
            symbol="SiLU",
            summary="x * sigmoid(x), also called swish.",
            derivative=("sigmoid(x) * (1 + x * (1 - sigmoid(x)))",),
            loses_digits="where sigmoid(x) is nearly 1",
            raises=(), growth=1)
elu = _row("elu", _elu, lambda x, y: exp(-relu(-x)), symbol="ELU",
           summary="The exponential linear unit: x, or exp(x) - 1 where x is negative.",
           derivative=("where(x > 0, 1, exp(x))",),
           raises=())
selu = _row("selu", _selu,
            lambda x, y: _SELU_SCALE * (
                (1.0 - step(-x)) + step(-x) * _SELU_ALPHA * exp(-relu(-x))),
            kink=lambda x: x, symbol="SELU",
            summary="The scaled exponential linear unit of self-normalizing networks (Klambauer "
                    "et al. 2017).",
            derivative=("where(x > 0, 1.0507009873554805, "
                        "1.0507009873554805 * 1.6732632423543772 * exp(x))",),
            at_kink="at x = 0 the smaller one, 1.0507",
            raises=())
leaky_relu = _row("leaky_relu", lambda x: x if x > 0.0 else _LEAK * x,
                  lambda x, y: _LEAK + (1.0 - _LEAK) * step(x), kink=lambda x: x,
                  symbol="LeakyReLU",
                  summary="x, or 0.01 * x where x is negative.",
                  derivative=("where(x > 0, 1, 0.01)",),
                  at_kink="0.01 at x = 0",
                  exact=True, raises=(), growth=1)
mish: Unary = _row("mish", _mish, _mish_slope, symbol="Mish",
                   summary="x * tanh(softplus(x)) (Misra 2019).",
                   derivative=("tanh(softplus(x)) + x * (1 - tanh(softplus(x))**2) * sigmoid(x)",),
                   loses_digits="where x is large",
                   raises=())
hardtanh = _row("hardtanh", _hardtanh, lambda x, y: step(1.0 - x) * step(1.0 + x),
                kink=lambda x: x - 1.0 if x > 0.0 else x + 1.0,
                summary="x between -1 and 1, and the bound that it is beyond elsewhere.",
                derivative=("where(x > -1, where(x < 1, 1, 0), 0)",),
                at_kink="0 at x = 1 and x = -1",
                exact=True, raises=(), growth=0)
softsign = _row("softsign", _softsign,
                lambda x, y: 1.0 / (1.0 + _abs(x)) / (1.0 + _abs(x)),
                summary="x / (1 + |x|).",
                derivative=("1 / (1 + abs(x))**2",),
                raises=(), growth=0)
