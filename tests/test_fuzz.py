"""The fuzz command finds nothing in some programs, and finds what is broken on purpose."""

from __future__ import annotations

import math

import pytest

from autograd.compiler.backends import numpy
from autograd.core.primitives import TABLE

from . import fuzz


def test_some_programs_agree_everywhere() -> None:
    findings = fuzz.run(1, lambda number: number >= 25)
    assert findings.disagreements == []
    assert findings.counts["jit on python"] > 20 and findings.counts["jit in threads"] > 20
    assert findings.counts["gradients against high precision"] > 50


def test_the_same_seed_draws_the_same_programs_with_branches_and_loops() -> None:
    def kinds(seed: int) -> list[str]:
        return [str(fuzz.drawn(fuzz.random.Random(f"{seed} {i}"))) for i in range(20)]

    assert kinds(3) == kinds(3) != kinds(4)
    assert "Branch(" in str(kinds(3)) and "Loop(" in str(kinds(3))


def test_a_wrong_emitter_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = numpy.EMITTERS["exp"]
    monkeypatch.setitem(numpy.EMITTERS, "exp", lambda x: right(x) * (1.0 + 1e-7))
    found = fuzz.run(2, lambda number: number >= 40).disagreements
    assert found and all("numpy" in text for text in found)


def test_a_wrong_derivative_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = (lambda x, y: 1.0001 * -math.sin(x) if isinstance(x, float) else -TABLE["sin"](x),)
    monkeypatch.setitem(TABLE["cos"].__dict__, "partials", wrong)
    assert any("cos" in text for text in fuzz.run(0, lambda number: number >= 40).disagreements)
