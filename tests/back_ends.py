"""The back ends that compiled functions are tested on."""

from importlib.util import find_spec

import pytest

from autograd.compiler.backends import NAMES

needs_llvmlite = pytest.mark.skipif(find_spec("llvmlite") is None,
                                    reason="llvmlite is not installed")
needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")
thorough = pytest.mark.thorough  # is skipped unless --thorough is given
NEEDS = {"llvm": [needs_llvmlite], "jax": [needs_jax, thorough]}


def back_ends(*names):
    """The back ends of these names, as parameters of a test."""
    return [pytest.param(name, marks=NEEDS[name]) if name in NEEDS else name for name in names]


BACK_ENDS = back_ends(*NAMES)
