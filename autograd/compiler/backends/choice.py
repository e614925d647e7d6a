"""The choice of a back end: each turns a program into a kernel that is called in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from autograd.compiler.program.program import Program

NAMES = ("llvm", "numpy", "python")


@cache
def default(by_rows: bool) -> str:
    """The quickest back end that is installed, for one point or for rows."""
    if find_spec("llvmlite") is not None:
        return "llvm"
    return "numpy" if by_rows else "python"


def checked(backend: str | None) -> str | None:
    """The name of a back end.

    Raises:
        ValueError: when there is none of that name.
    """
    if backend is not None and backend not in NAMES:
        raise ValueError(f"there is no back end {backend!r}; choose one of "
                         f"{', '.join(map(repr, NAMES))}, or None for the quickest")
    return backend


def compile(program: Program, row_inputs: Sequence[bool] | None = None,
            sums: Sequence[bool] | None = None, backend: str | None = None) -> Any:
    """Compile a program; arguments and result as of ``autograd.compiler.llvm.compile``.

    Args:
        program, row_inputs, sums: what to compile, and how; see there.
        backend: "llvm", "numpy" or "python"; None takes the quickest that knows every operation
            of the program (those of the user's own run on the other two).
    """
    by_rows = row_inputs is not None
    name = backend or default(by_rows)
    module = import_module(".llvm.compilation" if name == "llvm" else f".{name}", __package__)
    try:
        return (module.compile_soon if name == "llvm" else module.compile)(
            program, row_inputs, sums)
    except KeyError:
        if backend is not None:
            raise
    name = "numpy" if by_rows else "python"
    return import_module(f".{name}", __package__).compile(program, row_inputs, sums)
