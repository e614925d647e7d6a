"""Which recordings are compiled at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from autograd import jit, logsumexp, value_and_grad
from tests.back_ends import needs_llvmlite


def in_domains(x: Sequence[Any]) -> Any:
    """Its derivative has exponentials that may overflow: conditions, which nearly always hold."""
    total = 0.0
    for i in range(10):
        total = total + logsumexp([x[0] * float(j - i) + x[1] for j in range(5)])
    return total


def in_branches(x: Sequence[Any]) -> Any:
    total = 0.0
    for i in range(20):
        term = x[0] * float(i) - x[1]
        total = total + (term * term if term > 0.0 else term * 3.0)
    return total


@pytest.mark.parametrize("backend", [None, pytest.param("llvm", marks=needs_llvmlite)])
def test_conditions_of_domains_are_no_branches(backend: str | None) -> None:
    function = jit(value_and_grad(in_domains), backend=backend)
    for x in ([0.3, 0.7], [-2.0, 5.0]):
        value, slopes = function(x)
        expected, by_hand = value_and_grad(in_domains)(x)
        assert value == pytest.approx(expected, rel=1e-12)
        assert slopes == pytest.approx(by_hand, rel=1e-12)
    assert function.n_recordings == 1
    text = str(function.explain())
    assert "condition(s)" in text and "runs on the back end" in text
    assert "eager" not in text


def test_many_comparisons_wait_until_they_are_steady() -> None:
    function = jit(value_and_grad(in_branches))
    assert function([0.3, 0.7])[0] == pytest.approx(in_branches([0.3, 0.7]), rel=1e-12)
    assert "is not compiled before" in str(function.explain())
