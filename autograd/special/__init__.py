"""Special functions under SciPy's names, of numbers, Values and arrays: the library.

::

    from autograd import grad, special

    grad(special.j0)(2.0)          # -special.j1(2.0)

``scipy.special.j0(v)`` of a Value is the same function. ``help(special.j0)`` says where it is
defined and what its derivative is. The functions:

    j0 j1 jv (jn)  y0 y1 yv (yn)  i0 i1 iv  k0 k1 kv (kn)   Bessel's
    i0e i1e ive  k0e k1e kve                                exp(-abs(x)) I and exp(x) K
    expi exp1 expn                                          exponential integrals
    gammainc gammaincc betainc                              incomplete gamma and beta functions
    beta betaln  binom (comb)  factorial  perm  poch        beta function, binomial coefficients
    multigammaln                                            logarithm of the multivariate gamma
    lambertw                                                its two real branches
    ellipk ellipe  ellipkinc ellipeinc                      elliptic integrals
    dawsn  fresnel (fresnel_s, fresnel_c)  spence  exprel   other integrals
    hyp1f1 hyp2f1  zeta                                     hypergeometric functions, zeta

and those of ``autograd`` itself that SciPy has: gamma, gammaln (loggamma), digamma (psi),
polygamma; erf, erfc, erfcx, erfinv, erfcinv, ndtr, log_ndtr, ndtri; expit, logit, xlogy, xlog1py,
softmax, log_softmax, logsumexp, softplus; sinc, exp2, expm1, log1p, cbrt.

By the parameters of incomplete functions and the order v of Bessel's there are derivatives, too, to
the second order; the order n of expn and polygamma, and the parameters of hyp1f1 and hyp2f1, are
plain numbers. Values are SciPy's, the extra
``scipy``, but for lambertw, beta and what stands beside it; machine code calls SciPy's functions by
their address, C and JavaScript have no way to. Each module says how accurate its functions are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.core.composed import log_softmax, numbers_in, softmax
from autograd.core.gamma_functions import digamma, gamma, gammaln, polygamma
from autograd.core.normal import erfcinv, erfcx, erfinv, log_ndtr, ndtr, ndtri, sinc
from autograd.core.primitives import (
    cbrt,
    erf,
    erfc,
    exp2,
    expm1,
    log1p,
    logsumexp,
    softplus,
)
from autograd.core.primitives import sigmoid as expit
from autograd.core.special import logit, xlog1py, xlogy
from autograd.special.bessel import i0, i1, iv, j0, j1, jv, k0, k1, kv, y0, y1, yv
from autograd.special.beta_functions import beta, betaln, binom, factorial
from autograd.special.elliptic import ellipe, ellipeinc, ellipk, ellipkinc
from autograd.special.exponential_integrals import exp1, expi, expn
from autograd.special.hypergeometric import hyp1f1, hyp2f1, zeta
from autograd.special.incomplete import betainc, gammainc, gammaincc
from autograd.special.lambert import lambertw
from autograd.special.more_integrals import (
    dawsn,
    exprel,
    fresnel,
    fresnel_c,
    fresnel_s,
    spence,
)
from autograd.special.scaled_bessel import i0e, i1e, ive, k0e, k1e, kve


def loggamma(x: Any) -> Any:
    """The logarithm of the gamma function, which is a real number for x > 0 alone.

    Args:
        x: a number, a Value or an array of them.

    Raises:
        ValueError: for an x that is not above 0, where it is complex; gammaln is the logarithm of
            the absolute value.
    """
    for number in np.asarray(numbers_in(x), dtype=float).flat:
        if number <= 0.0:
            raise ValueError(f"loggamma is a real number for x > 0, not for {number!r}; write "
                             "gammaln(x) for the logarithm of the absolute value of gamma")
    return gammaln(x)


def perm(n: Any, k: Any) -> Any:
    """n (n - 1) ... (n - k + 1), the number of ways to arrange k of n things.

    Args:
        n, k: numbers, Values or arrays of them, 0 <= k <= n.

    Raises:
        ValueError: outside of the domain.
    """
    return binom(n, k) * factorial(k)


def poch(z: Any, m: Any) -> Any:
    """Pochhammer's symbol, gamma(z + m) / gamma(z).

    Args:
        z, m: numbers, Values or arrays of them, above 0.

    Raises:
        ValueError: outside of the domain.
    """
    return gamma(m) / beta(z, m)


def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the multivariate gamma function of dimension d.

    Args:
        a: a number, a Value or an array of them, above (d - 1) / 2.
        d: the dimension.

    Raises:
        ValueError: outside of the domain.
    """
    least = 0.5 * (d - 1)
    for number in np.asarray(numbers_in(a), dtype=float).flat:
        if not number > least:
            raise ValueError(f"multigammaln needs an a above (d - 1) / 2 = {least:g}, not "
                             f"{number:g}")
    total = 0.25 * d * (d - 1) * math.log(math.pi)
    for j in range(d):
        total = total + gammaln(a - 0.5 * j)
    return total


jn, yn, kn, psi, comb = jv, yv, kv, digamma, binom

__all__ = [
    "beta", "betainc", "betaln", "binom", "cbrt", "comb", "dawsn", "digamma", "ellipe",
    "ellipeinc", "ellipk", "ellipkinc", "erf", "erfc", "erfcinv", "erfcx", "erfinv", "exp1",
    "exp2", "expi", "expit", "expm1", "expn", "exprel", "factorial", "fresnel", "fresnel_c",
    "fresnel_s", "gamma", "gammainc", "gammaincc", "gammaln", "hyp1f1", "hyp2f1", "i0", "i0e",
    "i1", "i1e", "iv", "ive", "j0", "j1", "jn", "jv", "k0", "k0e", "k1", "k1e", "kn", "kv",
    "kve", "lambertw", "log1p", "log_ndtr", "log_softmax", "loggamma", "logit", "logsumexp",
    "multigammaln", "ndtr", "ndtri", "perm", "poch", "polygamma", "psi", "sinc", "softmax",
    "softplus", "spence", "xlog1py", "xlogy", "y0", "y1", "yn", "yv", "zeta",
]
