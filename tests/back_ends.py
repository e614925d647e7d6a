"""The back ends that compiled functions are tested on."""

import importlib.util

import pytest

BACK_ENDS = ["python", "numpy", pytest.param("llvm", marks=pytest.mark.skipif(
    importlib.util.find_spec("llvmlite") is None, reason="llvmlite is not installed"))]
