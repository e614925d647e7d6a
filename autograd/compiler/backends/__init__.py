"""Each back end turns a program into a kernel; ``interface`` says what a kernel is."""

from autograd.compiler.backends.choice import NAMES, checked, compile, default

__all__ = ["NAMES", "checked", "compile", "default"]
