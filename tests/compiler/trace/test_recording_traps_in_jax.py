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


def ten_digits(structure: Any) -> Any:
    """A structure of numbers as XLA may round them; 0.0 is -0.0."""
    if isinstance(structure, float):
        return float(f"{structure:.10g}") + 0.0
    if isinstance(structure, list):
        return [ten_digits(item) for item in structure]
    if isinstance(structure, dict):
        return {key: ten_digits(item) for key, item in structure.items()}
    return structure


def alike(a: Any, b: Any) -> bool:
    return repr(ten_digits(traps._plain(a))) == repr(ten_digits(traps._plain(b)))


@pytest.fixture(autouse=True)
def _by_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traps, "plainly", functools.partial(jit, backend="jax"))
    monkeypatch.setattr(traps, "alike", alike)
