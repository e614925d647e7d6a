"""SciPy's functions as values of rows: by name in Python, by array in NumPy, by address elsewhere.

The three are the same code of SciPy's, so that the numbers are the same bits on the back ends
python, numpy and llvm. SciPy is an extra, and is loaded when one of its functions is first wanted.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

Condition = Callable[..., bool]  # of the operands


@cache
def ufunc(name: str) -> Any:
    """The function of ``scipy.special`` of that name, of numbers and arrays.

    Raises:
        ImportError: where SciPy is missing, or has no such function; the message names the extra.
    """
    found = getattr(_module("scipy.special", name), name, None)
    if found is None:
        raise _too_old(name)
    return found


@cache
def unchecked(name: str) -> Callable[..., float]:
    """The same, of floats alone: inf and nan, and no error, where it is not defined."""
    function = ufunc(name)
    return lambda *operands: float(function(*operands))


def checked(name: str, is_pole: Condition = lambda *_: False) -> Callable[..., float]:
    """The value of a row: the same with Python's errors.

    Args:
        name: the name of the function in SciPy.
        is_pole: of the operands of which it is infinite, whether that is no overflow.
    """
    def value(*operands: float) -> float:
        result = unchecked(name)(*operands)
        return result if result - result == 0.0 else _not_finite(result, operands, is_pole)

    value.__name__ = name
    return value


def _not_finite(result: float, operands: Sequence[float], is_pole: Condition) -> float:
    if any(x != x for x in operands):
        return math.nan
    if result == result and any(map(math.isinf, operands)):
        return result
    if result != result or is_pole(*operands):
        raise ValueError("math domain error")
    raise OverflowError("math range error")


def address(name: str, count: int) -> int:
    """Where the machine code of a function of so many doubles lies; an int follows them.

    Raises:
        ImportError: where SciPy is missing, or exports no such function.
    """
    exported = _module("scipy.special.cython_special", name).__pyx_capi__
    signature = f"double ({'double, ' * count}int __pyx_skip_dispatch)".encode()
    for symbol in (name, f"__pyx_fuse_0{name}", f"__pyx_fuse_1{name}"):
        capsule = exported.get(symbol)
        if capsule is not None and _GET_NAME(capsule) == signature:
            return int(_GET_POINTER(capsule, signature))
    raise _too_old(name)


_GET_NAME = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(
    ("PyCapsule_GetName", ctypes.pythonapi))
_GET_POINTER = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi))


def _module(path: str, name: str) -> Any:
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("scipy"):
            raise
        raise ImportError(f"{name} is computed by SciPy, which is not installed; "
                          'pip install "chainrule[scipy]"') from None


def _too_old(name: str) -> ImportError:
    version = import_module("scipy").__version__
    return ImportError(f"SciPy {version} has no {name}; pip install --upgrade scipy")
