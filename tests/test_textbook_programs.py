"""Programs in plain math and NumPy, of the kinds that others write: differentiated and compiled."""

from __future__ import annotations

import pytest

from autograd import adopt, jit, value_and_grad
from tests.foreign.judging import judged
from tests.foreign.textbook import PROGRAMS

REFUSED = {"bilinear table": "a Value is not an index"}  # that math.floor gives


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_is_differentiated_and_compiled(name: str) -> None:
    function, point = PROGRAMS[name]
    ours = adopt(function)
    outcome = judged(name, lambda x: function(*x), lambda x: ours(*x), point)
    if name in REFUSED:
        assert outcome.verdict == "refused" and REFUSED[name] in outcome.why
        return
    assert outcome.verdict == "right", outcome.why
    eager = value_and_grad(lambda x: ours(*x))
    fast = jit(value_and_grad(lambda x: ours(*x)), backend="python")
    for factor in (1.0, 1.0001, 1.0):
        value, gradient = eager([factor * x for x in point])
        found, slopes = fast([factor * x for x in point])
        assert found == pytest.approx(value, rel=1e-12)
        assert slopes == pytest.approx(gradient, rel=1e-10, abs=1e-12 * max(map(abs, gradient)))
