"""Special functions under SciPy's names, of numbers, Values and arrays: the library.

::

    from autograd import grad, special

    grad(special.j0)(2.0)          # -special.j1(2.0)

``scipy.special.j0(v)`` of a Value is the same function. ``help(special.j0)`` says where it is
defined and what its derivative is. The functions:

    j0 j1 jv (jn)  y0 y1 yv (yn)  i0 i1 iv  k0 k1 kv (kn)   Bessel's
    i0e i1e  k0e k1e                                        exp(-abs(x)) I and exp(x) K
    expi exp1 expn                                          exponential integrals
    gammainc gammaincc betainc                              incomplete gamma and beta functions
    beta betaln  binom (comb)  factorial                    beta function, binomial coefficients
    lambertw                                                its two real branches
    ellipk ellipe                                           complete elliptic integrals

and those of ``autograd`` itself that SciPy has: gamma, gammaln, digamma (psi), polygamma; erf,
erfc, erfcx, erfinv, erfcinv, ndtr, log_ndtr, ndtri; expit, logit, xlogy, xlog1py, softmax,
log_softmax, logsumexp, softplus; sinc, exp2, expm1, log1p, cbrt.

By the parameters of incomplete functions and the order v of Bessel's there are derivatives, too, to
the second order; the order n of expn and polygamma is a plain number. Values are SciPy's, the extra
``scipy``, but for lambertw, beta and what stands beside it; machine code calls SciPy's functions by
their address, C and JavaScript have no way to. Each module says how accurate its functions are.
"""

from __future__ import annotations

from autograd.core.composed import log_softmax, softmax
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
from autograd.special.elliptic import ellipe, ellipk
from autograd.special.exponential_integrals import exp1, expi, expn
from autograd.special.incomplete import betainc, gammainc, gammaincc
from autograd.special.lambert import lambertw
from autograd.special.scaled_bessel import i0e, i1e, k0e, k1e

jn, yn, kn, psi, comb = jv, yv, kv, digamma, binom

__all__ = [
    "beta", "betainc", "betaln", "binom", "cbrt", "comb", "digamma", "ellipe", "ellipk",
    "erf", "erfc", "erfcinv", "erfcx", "erfinv", "exp1", "exp2", "expi", "expit", "expm1",
    "expn", "factorial", "gamma", "gammainc", "gammaincc", "gammaln", "i0", "i0e", "i1",
    "i1e", "iv", "j0", "j1", "jn", "jv", "k0", "k0e", "k1", "k1e", "kn", "kv", "lambertw",
    "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp", "ndtr", "ndtri", "polygamma",
    "psi", "sinc", "softmax", "softplus", "xlog1py", "xlogy", "y0", "y1", "yn", "yv",
]
