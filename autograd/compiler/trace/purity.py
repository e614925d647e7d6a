"""Purity: whether all that a function can reach is known to look at its operands alone.

Looking at every call costs three times the time of the function, and most functions only compute.
What is not known here is looked at; nothing else hangs on this list.
"""

from __future__ import annotations

import sys
import sysconfig
import types
from collections.abc import Iterable
from typing import Any

# Folders of installed packages; a virtual environment may see those of another one, too.
LIBRARIES = tuple({
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    *(path for path in sys.path if path.endswith(("site-packages", "dist-packages")))})
OURS = (__name__.split(".")[0], "nn")


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# Modules whose functions and classes read nothing but what they are given, ...
_MODULES = words(
    "__future__ _abc _bisect _collections _collections_abc _contextvars _functools _heapq "
    "_operator _struct _weakref abc array autograd bisect builtins cmath collections contextlib "
    "contextvars copy copyreg dataclasses enum fractions functools heapq itertools keyword math "
    "nn numbers numpy operator re string struct types typing typing_extensions weakref")
# ... but for what has one of these names.
_NAMES = words(
    "open input print eval exec compile __import__ breakpoint help globals locals vars "
    "__builtins__ random load loadtxt genfromtxt fromfile fromregex memmap DataSource datetime64 "
    "ctypeslib testing f2py distutils show_config strategies modules MLP Layer Neuron datasets "
    "save open_memmap read_array npyio recfromtxt recfromcsv fromtextfile")


def is_pure_module(name: Any) -> bool:
    """Whether what a module offers only computes, but for some names."""
    return str(name).split(".")[0] in _MODULES and not str(name).startswith("numpy.random")


def are_pure_names(names: Iterable[str]) -> bool:
    """Whether none of the names that code mentions may be one that reads from outside."""
    return _NAMES.isdisjoint(names)


def is_library(item: Any) -> bool:
    """Whether a function, class or module is of Python, of an installed package, or ours."""
    if isinstance(item, types.ModuleType):
        name = item.__name__
    elif isinstance(item, types.FunctionType):  # functools.wraps gives it another's __module__
        name = item.__globals__.get("__name__", "")
    else:
        name = item.__module__
    top = str(name).split(".")[0]
    if top.startswith("_cython_"):  # the classes of all that Cython has compiled
        return True
    if top in OURS or top in sys.stdlib_module_names:
        return top != "__main__"
    path = getattr(sys.modules.get(str(name)), "__file__", None)
    return path is not None and path.startswith(LIBRARIES)


def package_of(cls: type) -> str:
    """The package that a class comes from."""
    return str(cls.__module__).split(".")[0]  # classes made by Cython may have no text there
