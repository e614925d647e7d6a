"""Linear algebra of Values: NumPy's functions, with derivatives by their own formulas.

``np.linalg.inv(a)`` of an array of Values comes here; ``autograd.linalg.inv`` is the same for
arrays of floats and of Values. On numbers LAPACK computes, and one node stands for the whole call;
where a program is recorded, the algorithm is written out in operations without a branch.

- **Stacks**: leading axes hold matrices, as in NumPy.
- **Symmetric matrices**: ``cholesky`` and ``eigh`` read one triangle, and the derivative is by the
  numbers of this triangle.
- **Signs** of eigenvectors and singular vectors are free. Eagerly they are LAPACK's; compiled code
  keeps the sign of the largest component that it was recorded with.
- **Equal** eigenvalues or singular values have vectors without a derivative: a ValueError, unless
  nothing depends on them.
"""

from __future__ import annotations

from autograd.core.numpy_functions import LINALG
from autograd.linalg.factorizations import cholesky, eigh, eigvalsh, qr, svd, svdvals
from autograd.linalg.least_squares import cond, lstsq, matrix_rank, norm, pinv
from autograd.linalg.systems import det, inv, slogdet, solve, tensorinv, tensorsolve

__all__ = ["cholesky", "cond", "det", "eigh", "eigvalsh", "inv", "lstsq", "matrix_rank", "norm",
           "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensorinv", "tensorsolve"]

LINALG.update({name: globals()[name] for name in __all__})
