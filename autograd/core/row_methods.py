"""The methods of Values that the table of primitives installs, for type checkers alone."""

from __future__ import annotations

from collections.abc import Callable

from autograd.core.signatures import Operator
from autograd.core.value import Value


class RowMethods:
    """A method for each row of one and of two operands; ``help(Value.exp)`` says what it does."""

    exp: Callable[[], Value]
    exp2: Callable[[], Value]
    expm1: Callable[[], Value]
    log: Callable[[], Value]
    log2: Callable[[], Value]
    log10: Callable[[], Value]
    log1p: Callable[[], Value]
    sqrt: Callable[[], Value]
    cbrt: Callable[[], Value]
    sin: Callable[[], Value]
    cos: Callable[[], Value]
    tan: Callable[[], Value]
    asin: Callable[[], Value]
    acos: Callable[[], Value]
    atan: Callable[[], Value]
    sinh: Callable[[], Value]
    cosh: Callable[[], Value]
    tanh: Callable[[], Value]
    asinh: Callable[[], Value]
    acosh: Callable[[], Value]
    atanh: Callable[[], Value]
    arcsin: Callable[[], Value]
    arccos: Callable[[], Value]
    arctan: Callable[[], Value]
    arcsinh: Callable[[], Value]
    arccosh: Callable[[], Value]
    arctanh: Callable[[], Value]
    sigmoid: Callable[[], Value]
    relu: Callable[[], Value]
    softplus: Callable[[], Value]
    gaussian: Callable[[], Value]
    sigmoid_slope: Callable[[], Value]
    one_minus_square: Callable[[], Value]
    floor: Callable[[], Value]
    ceil: Callable[[], Value]
    trunc: Callable[[], Value]
    rint: Callable[[], Value]
    erf: Callable[[], Value]
    erfc: Callable[[], Value]
    gamma: Callable[[], Value]
    gammaln: Callable[[], Value]
    lgamma: Callable[[], Value]
    digamma: Callable[[], Value]
    psi: Callable[[], Value]
    radians: Callable[[], Value]
    deg2rad: Callable[[], Value]
    degrees: Callable[[], Value]
    rad2deg: Callable[[], Value]
    expit: Callable[[], Value]
    logit: Callable[[], Value]
    silu: Callable[[], Value]
    elu: Callable[[], Value]
    selu: Callable[[], Value]
    leaky_relu: Callable[[], Value]
    mish: Callable[[], Value]
    hardtanh: Callable[[], Value]
    softsign: Callable[[], Value]
    erfcx: Callable[[], Value]
    ndtr: Callable[[], Value]
    log_ndtr: Callable[[], Value]
    ndtri: Callable[[], Value]
    erfinv: Callable[[], Value]
    erfcinv: Callable[[], Value]
    gelu: Callable[[], Value]
    sinc: Callable[[], Value]
    sign: Callable[[], Value]
    step: Callable[[], Value]
    abs: Callable[[], Value]
    absolute: Callable[[], Value]
    fabs: Callable[[], Value]
    neg: Callable[[], Value]
    negative: Callable[[], Value]
    identity: Callable[[], Value]
    positive: Callable[[], Value]
    add: Operator
    sub: Operator
    subtract: Operator
    mul: Operator
    multiply: Operator
    div: Operator
    divide: Operator
    true_divide: Operator
    pow: Operator
    power: Operator
    mod: Operator
    remainder: Operator
    floordiv: Operator
    floor_divide: Operator
    fmod: Operator
    ieee_remainder: Operator
    copysign: Operator
    rounded: Operator
    xlogy: Operator
    xlog1py: Operator
    wins: Operator
    maximum: Operator
    minimum: Operator
    logaddexp: Operator
    hypot: Operator
    atan2: Operator
    arctan2: Operator
