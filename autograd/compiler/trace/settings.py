"""Settings: what C code and libraries compute by, though it is in no variable to be watched."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any

_OF_MODULES: dict[str, Callable[[Any], Any]] = {
    "datetime": lambda _: (time.tzname, time.timezone),
    "decimal": lambda decimal: repr(decimal.getcontext()),
    "locale": lambda locale: locale.setlocale(locale.LC_ALL),
    "mpmath": lambda mpmath: (mpmath.mp.prec, mpmath.iv.prec),
    "sys": lambda sys: (sys.getrecursionlimit(), sys.getswitchinterval()),
    "time": lambda _: (time.tzname, time.timezone)}
_OF_NUMPY: tuple[tuple[frozenset[str], Callable[[Any], Any]], ...] = (
    (frozenset({"geterr", "errstate"}), lambda numpy: numpy.geterr()),
    (frozenset({"array2string", "array_repr", "array_str", "get_printoptions"}),
     lambda numpy: numpy.get_printoptions()))


def settings_of(packages: Collection[str], names: Collection[str]) -> Iterator[
        tuple[str, Callable[[], Any]]]:
    """What a function may compute by: names, and functions that give the settings as they are.

    Args:
        packages: of the modules and objects that it reaches.
        names: that its code mentions.
    """
    for package, setting in _OF_MODULES.items():
        if package in packages and package in sys.modules:
            yield _of(package, setting)
    for words, setting in _OF_NUMPY:
        if not words.isdisjoint(names):
            yield _of("numpy", setting)


def _of(package: str, setting: Callable[[Any], Any]) -> tuple[str, Callable[[], Any]]:
    module = sys.modules[package]
    return f"the settings of {package}", lambda: setting(module)
