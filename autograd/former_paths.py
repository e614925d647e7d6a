"""Import paths of earlier releases: ``autograd.primitives`` is ``autograd.core.primitives``.

A module asked for by its former path is the module itself, not a copy of it, so that pickles,
``isinstance`` and tables mean the same thing under both names.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
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

    def find_spec(self, fullname: str, path: Sequence[str] | None,
                  target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in self.now else None

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = import_module(self.now[module.__name__])


_finder = _FormerPaths()


def register(package: str, now: Mapping[str, str]) -> None:
    """Let former paths of a package's modules lead to present ones, both without its name."""
    _finder.now.update({f"{package}.{old}": f"{package}.{new}" for old, new in now.items()})
    if _finder not in sys.meta_path:
        sys.meta_path.append(_finder)
