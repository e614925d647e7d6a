"""Import paths of earlier releases, and of others: ``autograd.primitives`` is ``core.primitives``.

A module asked for by its former path is the module itself, not a copy of it, so that pickles,
``isinstance`` and tables mean the same thing under both names.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.abc import Loader
else:  # importlib.abc loads 15 modules, and its classes add nothing that is needed here
    Loader = object

AUTOGRAD = {
    "arrays": "core.numpy_protocol", "backward": "core.backward", "copying": "core.copying",
    "graph": "core.graph", "primitives": "core.primitives", "row": "core.primitive",
    "structures": "core.pytrees", "transforms": "core.transforms", "value": "core.value",
    "custom": "extend",
    "examining": "checking.error_analysis", "oracles": "checking.finite_differences",
    "precise": "checking.high_precision", "properties": "checking.properties",
    "reports": "checking.reports",
    "folding": "drawing.folding", "rendering": "drawing.rendering", "stepping": "pages.live_graph",
    "drawing.stepping": "pages.live_graph",
    "mistakes": "explaining.naive_backward", "notation": "explaining.notation",
    "canvas": "plotting.axes", "landscapes": "plotting.loss_landscape",
    "surfaces": "plotting.surfaces",
    "compiler.batching": "compiler.vmap", "compiler.jitting": "compiler.jit",
    "compiler.objective": "compiler.scipy_objective", "compiler.explaining": "compiler.compiled",
    "compiler.arguments": "compiler.trace.arguments",
    "compiler.domains": "compiler.trace.domain_guards",
    "compiler.gathering": "compiler.trace.batched_results",
    "compiler.recording": "compiler.trace.tracer",
    "compiler.rows": "compiler.trace.batched_arguments",
    "compiler.watching": "compiler.trace.captured_state",
    "compiler.passes": "compiler.program.passes",
    "compiler.rolling": "compiler.program.loop_rerolling",
    "compiler.numpy": "compiler.backends.numpy", "compiler.python": "compiler.backends.python",
    "compiler.llvm": "compiler.backends.llvm.compilation",
    "compiler.cache": "compiler.backends.llvm.code_cache",
    "compiler.descending": "compiler.backends.llvm.training_loop",
    "compiler.emitting": "compiler.backends.llvm.ops",
    "compiler.interpreting": "compiler.backends.llvm.interpreter",
    "compiler.looping": "compiler.backends.llvm.loop_codegen",
    "compiler.lowering": "compiler.backends.llvm.nary_lowering",
    "compiler.swapping": "compiler.backends.llvm.tiered",
}


class _FormerPaths(Loader):
    """Finds modules by their former paths; asked last, when no file has the name."""

    def __init__(self) -> None:
        self.now: dict[str, str] = {}
        self.elsewhere: dict[str, Callable[[], Mapping[str, str]]] = {}  # by package

    def find_spec(self, fullname: str, path: Sequence[str] | None,
                  target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname not in self.now and (
                modules := self.elsewhere.get(fullname.partition(".")[0])) is not None:
            self._refuse(fullname, modules())
        return ModuleSpec(fullname, self) if fullname in self.now else None

    def _refuse(self, fullname: str, modules: Mapping[str, str]) -> None:
        """Say what to write instead of a module that there is elsewhere."""
        if fullname in modules and not _is_asked_for_a_name():
            raise ModuleNotFoundError(f"No module named {fullname!r}; {modules[fullname]}",
                                      name=fullname)

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = import_module(self.now[module.__name__])


_finder = _FormerPaths()


def _is_asked_for_a_name() -> bool:
    """Whether ``from package import name`` looks for a module, as it does before it gives up."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name == "_handle_fromlist":
            return True
        frame = frame.f_back
    return False


def register_elsewhere(package: str, modules: Callable[[], Mapping[str, str]]) -> None:
    """Let imports of modules that there are elsewhere, as ``autograd.numpy``, say what to write.

    Args:
        package: below which they would be.
        modules: gives their names, and what to write; called when one is not found.
    """
    _finder.elsewhere[package] = modules


def register(package: str, now: Mapping[str, str]) -> None:
    """Let former paths of a package's modules lead to present ones, both without its name."""
    _finder.now.update({f"{package}.{old}": f"{package}.{new}" for old, new in now.items()})
    if _finder not in sys.meta_path:
        sys.meta_path.append(_finder)
