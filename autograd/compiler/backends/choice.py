"""The choice of a back end for a program, and the reason where it is not the quickest one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from autograd.compiler.backends.interface import Compile, Kernel, OnThreads, Rewrite, Unsupported
from autograd.compiler.backends.jax import devices
from autograd.compiler.program.program import Program


def _at(module: str, name: str = "compile") -> Callable[[], Compile]:
    """Loads a back end's module when it is asked for: llvmlite takes a while, and is an extra."""
    def load() -> Compile:
        found: Compile = getattr(import_module(f"autograd.compiler.backends.{module}"), name)
        return found

    return load


def _at_jax() -> Compile:
    devices.refuse_missing()
    return _at("jax.kernel")()


BACK_ENDS: dict[str, Callable[[], Compile]] = {
    "llvm": _at("llvm.compilation", "compile_soon"), "numpy": _at("arrays"),
    "python": _at("python"), "jax": _at_jax}
NAMES = tuple(BACK_ENDS)
WHEN_IT_PAYS = _at("llvm.compilation", "compile_when_it_pays")  # llvm, if nobody asks for it
NO_LLVM = 'llvmlite is not installed; pip install "chainrule[fast]"'


class Choice(NamedTuple):
    """A compiled program, the back end that runs it, and why that is not the quickest, if not."""

    kernel: Kernel
    backend: str
    reason: str = ""


@cache
def _has_llvm() -> bool:
    return find_spec("llvmlite") is not None


def default(by_rows: bool) -> str:
    """The quickest back end that is installed, for one point or for rows."""
    return "llvm" if _has_llvm() else _general(by_rows)


def _general(by_rows: bool) -> str:
    """The quickest of those that run every program."""
    return "numpy" if by_rows else "python"


def checked(backend: str | None) -> str | None:
    """The name of a back end.

    Raises:
        ValueError: when there is none of that name.
    """
    if backend is not None and backend not in BACK_ENDS:
        raise ValueError(f"there is no back end {backend!r}; choose one of "
                         f"{', '.join(map(repr, BACK_ENDS))}, or None for the quickest")
    return backend


def choose(program: Program, row_inputs: Sequence[bool] | None = None,
           sums: Sequence[bool] | None = None, backend: str | None = None,
           rewrite: Rewrite | None = None, threads: int | None = None,
           mesh: Any = None) -> Choice:
    """Compile a program by the quickest back end that can run it.

    Args:
        program, row_inputs, sums: what to compile, and how; see ``interface``.
        backend: the name of one that must do it; None takes the quickest.
        rewrite: writes a program without operations that a back end has no way to write, or
            raises Unsupported; None gives up.
        threads: at most so many compute the rows; None for one for each processor core.
        mesh: the devices over which the back end jax spreads rows; None for one device.

    Raises:
        Unsupported: when the one that must do it cannot.
        ValueError, KeyError: for flags that do not fit, and operations that are not in the table.
        ImportError: when the one that must do it is not installed.
    """
    choice = _chosen(program, row_inputs, sums, backend, rewrite, mesh)
    if isinstance(choice.kernel, OnThreads):
        choice.kernel.threads = threads
    return choice


MOST_NESTED = 4  # operations that are written out in others, which are written out, ...


def _chosen(program: Program, row_inputs: Sequence[bool] | None, sums: Sequence[bool] | None,
            backend: str | None, rewrite: Rewrite | None, mesh: Any) -> Choice:
    by_rows = row_inputs is not None

    def attempt(load: Callable[[], Compile]) -> Kernel:
        compile = load()
        if mesh is not None:
            compile = partial(compile, mesh=mesh)  # type: ignore[call-arg]  # of jax alone
        try:
            return compile(program, row_inputs, sums)
        except Unsupported as refusal:
            written_out, ops = program, refusal.ops
            for _ in range(MOST_NESTED if rewrite is not None else 0):
                if not ops:
                    break
                written_out = rewrite(written_out, ops)  # type: ignore[misc]
                try:
                    return compile(written_out, row_inputs, sums)
                except Unsupported as inner:
                    ops = inner.ops  # what the value of one is made of may have to be, too
            raise refusal from None  # which names what the user has written

    if backend is not None:
        asked = "" if backend == default(by_rows) else f"backend={backend!r} was asked for"
        kernel = attempt(BACK_ENDS[backend])
        return Choice(kernel, backend, asked or _slower(kernel))
    general = _general(by_rows)
    reason = NO_LLVM
    if _has_llvm():
        try:
            kernel = attempt(WHEN_IT_PAYS)
            return Choice(kernel, "llvm", _slower(kernel))
        except Unsupported as refusal:
            reason = str(refusal)
    return Choice(BACK_ENDS[general]()(program, row_inputs, sums), general, reason)


def _slower(kernel: Kernel) -> str:
    """Why a kernel of the quickest back end is not as quick as others of it; "" if it is."""
    return str(getattr(kernel, "reason", ""))


def compile(program: Program, row_inputs: Sequence[bool] | None = None,
            sums: Sequence[bool] | None = None, backend: str | None = None) -> Kernel:
    """The kernel of :func:`choose`."""
    return choose(program, row_inputs, sums, backend).kernel
