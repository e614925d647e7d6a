"""The short way for few rows gives what the general way gives, or leaves the call to it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value, grad, value_and_grad, vmap
from autograd.compiler import vmap as vmapping
from autograd.compiler.backends.llvm import blocks
from autograd.compiler.trace import few_rows as module

pytest.importorskip("llvmlite")
RNG = np.random.default_rng(0)


def structures(w: Any, x: Any, y: Any) -> Any:
    return {"a": [w[0] * x, "text", None], "b": (ag.values(np.zeros(2)) + y[:2] * x, w[1] + y[0])}


CASES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "numbers": (vmap(lambda x, y: x * y + 1.0), (RNG.normal(size=7), RNG.normal(size=7))),
    "lists": (vmap(lambda x, y: x * y + 1.0), ([1.0, 2.5, -0.0], [3.0, 0.25, 1.0])),
    "one row": (vmap(lambda x: x.sin()), (np.array([0.5]),)),
    "rows of arrays": (vmap(lambda x: ag.sum(x) * x[0]), (RNG.normal(size=(9, 5)),)),
    "rows of tables": (vmap(lambda x: ag.sum(x[1]) * x[0, 1]), (RNG.normal(size=(9, 2, 3)),)),
    "a part of an array": (vmap(lambda x: x[0] - x[1]), (RNG.normal(size=(20, 6))[::2, 1:4:2],)),
    "structures": (vmap(structures, in_axes=(None, 0, 0)),
                   ([1.0, 2], RNG.normal(size=8), RNG.normal(size=(8, 3)))),
    "gradients by row": (vmap(value_and_grad(lambda x: ag.norm(x))), (RNG.normal(size=(10, 4)),)),
    "summed gradients": (value_and_grad(vmap(lambda w, x, y: (w @ x - y) ** 2,
                                             in_axes=(None, 0, 0))),
                         (np.ones(3), RNG.normal(size=(17, 3)), RNG.normal(size=17))),
    "gradients of both": (grad(vmap(lambda w, x: (w[0] * x[0] * x[1]).tanh() * w[1],
                                    in_axes=(None, 0)), (0, 1)),
                          ([0.5, 2.0], RNG.normal(size=(5, 2)))),
    "the same for all rows": (vmap(lambda w, x: w * w, in_axes=(None, 0)), (3.0, np.ones(4))),
}


def same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert list(a) == list(b)
        a, b = list(a.values()), list(b.values())
    if isinstance(a, list | tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            same(one, other)
    elif isinstance(a, np.ndarray):
        assert (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())
    else:
        assert a == b


@pytest.mark.parametrize("kind", CASES)
def test_results_are_those_of_the_general_way(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function, arguments = CASES[kind]
    function(*arguments)
    short: list[bool] = []
    few = vmapping.RowsReplay.few

    def noted(self: Any, rows: Any) -> Any:
        found = few(self, rows)
        short.append(found is not None)
        return found

    monkeypatch.setattr(vmapping.RowsReplay, "few", noted)
    quick = function(*arguments)
    assert short == [True]
    monkeypatch.setattr(vmapping, "few_rows", lambda *_: None)
    same(quick, function(*arguments))
    assert short == [True]


def test_sums_of_rows_that_are_cut_have_the_bits_of_the_general_way(
        monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORTH_IT", "BLOCK", "SUMS"):
        monkeypatch.setattr(blocks, name, 1)
    function = value_and_grad(vmap(lambda w, x: (w[0] * x).sin() / w[1], in_axes=(None, 0)))
    arguments = [0.7, 3.0], RNG.normal(size=1000)
    function(*arguments)
    quick = function(*arguments)
    monkeypatch.setattr(vmapping, "few_rows", lambda *_: None)
    same(quick, function(*arguments))


@pytest.mark.parametrize("arguments", [
    (np.ones((3, 2), dtype=int),), (np.ones((20_000, 2)),), (np.ones((3, 2)).T.tolist(),),
    (np.ma.masked_array(np.ones((3, 2))),), (np.ones((0, 2)),), (np.ones(()),),
    ([Value(1.0), Value(2.0)],)])
def test_other_arguments_are_left_to_the_general_way(arguments: Any) -> None:
    assert module.few_rows(arguments, (0,)) is None
    assert module.few_rows((np.ones((3, 2)),), (1,)) is None
    assert module.few_rows((np.ones(3), np.ones(4)), (0, 0)) is None


def test_rows_without_numbers_are_rows() -> None:
    f = vmap(lambda x, y: y * 2.0)
    for _ in range(2):
        assert f(np.ones((3, 0, 2)), np.ones(3)).tolist() == [2.0, 2.0, 2.0]


def test_branches_domains_and_changes_are_seen_on_the_short_way() -> None:
    scale = [2.0]
    f = vmap(lambda x: x.log() * scale[0] if x < 3.0 else x * scale[0])
    for _ in range(3):
        np.testing.assert_allclose(f(np.array([1.0, 2.0])), [0.0, 2.0 * math.log(2.0)], rtol=1e-15)
    np.testing.assert_allclose(f(np.array([1.0, 5.0])), [0.0, 10.0])
    for _ in range(3):
        with pytest.raises(ValueError, match="row 1"):
            f(np.array([1.0, -2.0]))
    g = vmap(lambda x: x.log() * scale[0])
    assert g(np.array([1.0])).tolist() == g(np.array([1.0])).tolist() == [0.0]
    with pytest.raises(ValueError, match="row 1"):
        g(np.array([1.0, 0.0]))
    scale[0] = 3.0
    assert g(np.array([math.e])).tolist() == [3.0 * math.log(math.e)]
    assert g.n_recordings == 2


def test_infinities_that_are_right_come_through() -> None:
    f = vmap(lambda x: x * 2.0)
    for _ in range(3):
        assert f(np.array([1.0, math.inf])).tolist() == [2.0, math.inf]


def test_values_from_outside_and_shared_values_are_read_at_each_call() -> None:
    w = Value(2.0)
    f = vmap(lambda v, x: v * x * w, in_axes=(None, 0))
    for number in (2.0, 3.0, 4.0):
        w.data = number
        assert f(10.0, np.array([1.0, 2.0])).tolist() == [10.0 * number, 20.0 * number]
    with_values = f(Value(1.0), np.array([1.0, 2.0]))
    assert [v.data for v in with_values] == [4.0, 8.0]


def test_results_belong_to_the_caller() -> None:
    f = vmap(lambda x: [x * 2.0, x + 1.0])
    first = [f(np.array([1.0, 2.0])) for _ in range(2)][1]
    f(np.array([5.0, 6.0]))
    first[0][0] = 7.0
    assert first[0].tolist() == [7.0, 4.0] and first[1].tolist() == [2.0, 3.0]
