"""The jax back end against what a back end has to do."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("jax", reason='JAX is not installed; pip install "chainrule[jax]"')

from autograd.compiler.backends.jax.kernel import compile as compile_jax  # noqa: E402
from autograd.compiler.program.program import Program, Unsupported  # noqa: E402
from autograd.compiler.trace.inlining import inlined  # noqa: E402

from .conformance import ADDED_UP, BackEnd, Conformance  # noqa: E402


def stepwise(program: Program, row_inputs: Any = None, sums: Any = None) -> Any:
    """One operation after the other, with the bits of each."""
    try:
        return compile_jax(program, row_inputs, sums, fused=False)
    except Unsupported as refusal:
        if not refusal.ops:
            raise
        return compile_jax(inlined(program, refusal.ops), row_inputs, sums, fused=False)


class TestSteps(Conformance):
    """All that every back end has to do, without the roundings that XLA saves."""

    @pytest.fixture
    def back_end(self) -> BackEnd:
        return BackEnd(stepwise, flushes=True, added_up=ADDED_UP | {"logaddexp"}, examples=6)
