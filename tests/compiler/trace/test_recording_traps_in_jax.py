"""The traps of recording once more, with each function compiled by the back end jax."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from autograd import jit

from ...back_ends import needs_jax, thorough
from . import test_recording_traps as traps
from .test_recording_traps import *  # noqa: F403 - all of its tests

pytestmark = [needs_jax, thorough]


@pytest.fixture(autouse=True)
def _by_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile by jax, and compare ten digits: XLA rounds elsewhere."""
    plain = traps._plain

    def rounded(structure: Any) -> Any:
        found = plain(structure)
        return float(f"{found:.10g}") + 0.0 if isinstance(found, float) else found

    monkeypatch.setattr(traps, "plainly", functools.partial(jit, backend="jax"))
    monkeypatch.setattr(traps, "_plain", rounded)
