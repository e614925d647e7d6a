"""Each back end turns a program into a kernel; ``interface`` says what a kernel is."""

from autograd.compiler.backends.choice import (
    BACK_ENDS,
    NAMES,
    Choice,
    checked,
    choose,
    compile,
    default,
)
from autograd.compiler.backends.interface import Kernel, Unsupported

__all__ = [
    "BACK_ENDS", "NAMES", "Choice", "Kernel", "Unsupported", "checked", "choose", "compile",
    "default",
]
