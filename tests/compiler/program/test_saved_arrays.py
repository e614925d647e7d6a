"""Array programs as data: validated, compared, saved and loaded; what is damaged is refused."""

from __future__ import annotations

import copy
import json
import math
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value, jit, value_and_grad, vmap
from autograd.compiler.program import ArrayProgram, Guard, Program
from autograd.compiler.program.array_program import Affine, Step, Table
from autograd.compiler.program.array_recognition import find_arrays
from autograd.compiler.program.program import MOST_NUMBERS
from autograd.compiler.trace.graph_to_program import graph_to_program
from autograd.core.backward import adjoints

from .test_array_program import assert_same_bits, layers


def assert_saved(found: ArrayProgram) -> None:
    again = ArrayProgram.from_json(found.to_json())
    assert again == found and hash(again) == hash(found)
    assert str(again) == str(found)
    assert again.expand() == found.expand()


def test_random_programs_are_saved_and_loaded() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    from autograd.strategies import expressions

    @hypothesis.settings(max_examples=40)
    @hypothesis.given(expressions(n_inputs=3, max_nodes=25), hypothesis.strategies.booleans())
    def check(expression: Any, free_sums: bool) -> None:
        inputs = [Value(x) for x in expression.point]
        y = expression.function(*inputs)
        program = graph_to_program([y, *adjoints(y, inputs)], inputs, [("<", y, 2.0, True)])
        found = find_arrays(program, None, free_sums).validate()
        assert_saved(found)
        assert_same_bits(found.expand(), ArrayProgram.from_json(found.to_json()),
                         [np.array(expression.point)])

    check()


@pytest.mark.parametrize("sizes", [[6, 8, 4], [6, 8, 12, 4], [20, 30, 10]])
@pytest.mark.parametrize("free_sums", [False, True])
def test_networks_are_saved_and_loaded(sizes: list[int], free_sums: bool) -> None:
    program, n_rows = layers(sizes)
    found = find_arrays(program, [i < n_rows for i in range(program.n_inputs)], free_sums)
    assert_saved(found.validate())
    assert len(found.to_json()) < len(program.to_json()) / 2


def test_the_text_is_a_line_for_each_operand_and_keeps_every_float() -> None:
    program = Program(1, (math.nan, -0.0, 5e-324), ("add", "mul"), ((0, 1), (2, 3)), (4, 5),
                      (Guard(">=", 4, 2, False),))
    found = find_arrays(program)
    data = json.loads(found.to_json())
    assert (data["format"], data["version"]) == ("chainrule array program", 1)
    again = ArrayProgram.from_json(found.to_json())
    assert list(map(repr, again.constants)) == list(map(repr, found.constants))


def test_equality_is_that_of_bits_and_of_each_slot() -> None:
    step = Step("neg", (2,), (Table(np.array([1, 0])),))
    program = ArrayProgram(2, (0.0,), (step,), (3, 4))
    same = Step("neg", (2,), (Table(np.array([[1, 0]], dtype=np.int32)),))
    assert program == replace(program, steps=(same,))
    assert hash(program) == hash(replace(program, steps=(same,)))
    for other in (replace(program, constants=(-0.0,)), replace(program, outputs=(4, 3)),
                  replace(program, steps=(replace(step, operands=(Table(np.array([1, 1])),)),)),
                  replace(program, steps=(replace(step, operands=(Affine(1, (-1,)),)),)),
                  "a program"):
        assert program != other
    assert copy.deepcopy(program) == program == pickle.loads(pickle.dumps(program))


# --- damage ---------------------------------------------------------------------------------------

GOOD = ArrayProgram(4, (1.0, 2.0), (
    Step("mul", (2,), (Affine(0, (1,)), Affine(4, (0,)))),
    Step("dot", (2,), (Affine(0, (1, 1)), Table(np.array([6, 7, 7, 6])), Affine(4, (0, 1)),
                       Affine(0, (0, 1))), (2, 2)),
    Step("add", (), (Affine(6, (1,)), Affine(2, (1,))), (2, 2)),
    Step("sum", (3,), ()),
), (10, 5), (Guard("<", 8, 4, True),))


def changed(step: int = 0, **changes: Any) -> str:
    data = json.loads(GOOD.to_json())
    data["steps"][step].update(changes)
    return json.dumps(data)


def damaged(**changes: Any) -> str:
    return json.dumps({**json.loads(GOOD.to_json()), **changes})


def without(field: str, step: int | None = None) -> str:
    data = json.loads(GOOD.to_json())
    del (data if step is None else data["steps"][step])[field]
    return json.dumps(data)


def test_the_example_is_right_as_it_stands() -> None:
    assert_saved(GOOD.validate())
    expanded = GOOD.expand().validate()
    assert expanded.ops == ("mul", "mul", "dot", "dot", "add", "add", "add", "sum", "sum", "sum")


@pytest.mark.parametrize(("text", "message"), [
    ("{", "not JSON"), ("[" * 100_000, "not JSON"), (b"\xff", "not JSON"), (None, "not JSON"),
    ('{"a": 1, "a": 2}', "'a' stands in it twice"),
    ("[]", "not an array program"),
    (Program(0, (), (), (), ()).to_json(), "not an array program"),
    (damaged(version=2), "version 2"), (damaged(version=True), "version True"),
    # wrong indices, forward references
    (changed(operands=[[0, [1]], [6, [0]]]), "operand 1 of the step at slot 6.*reads slot 6"),
    (changed(operands=[[0, [1]], [4, [-5]]]), "reads slot -1"),
    (changed(operands=[[5, [1]], [4, [0]]]), "reads slot 6, but only the slots 0 to 5"),
    (changed(operands=[[0, 6], [4, [0]]]), "operand 0 .* reads slot 6"),
    (changed(operands=[[-1, 0], [4, [0]]]), "reads slot -1"),
    (changed(operands=[[0.5, [1]], [4, [0]]]), "0.5, which is no whole number"),
    (changed(operands=[[True, [1]], [4, [0]]]), "True, which is no whole number"),
    (changed(operands=[[0, [None]], [4, [0]]]), "None, which is no whole number"),
    (changed(operands=[[0, True], [4, [0]]]), "True, which is no whole number"),
    (changed(operands=[[0, 2 ** 70], [4, [0]]]), "no whole number"),
    (changed(operands=[[0, [10 ** 3000]], [4, [0]]]), "no whole number"),
    (damaged(outputs=[14]), "an output reads slot 14"),
    (damaged(outputs=[True]), "an output reads slot True"),
    (damaged(guards=[["<", 0, 99, True]]), "a guard reads slot 99"),
    (damaged(guards=[["is", 0, 1, True]]), "no guard"),
    (damaged(guards=[["<", 0]]), "damaged"),
    # wrong shapes
    (changed(shape=[7]), "operand 0 .* reads slot 6"),
    (changed(shape=[2, 1]), "1 strides for 2 axes"),
    (changed(step=1, shape=[3]), "4 slots for an array of 3 x 2"),
    (changed(operands=[[0, [1]]]), "mul.* takes 2 arrays of operands, not 1"),
    (changed(lengths=[1]), "has segments, but takes 2 operands"),
    (changed(step=1, lengths=[2]), "takes 2 arrays of operands, not 4"),
    (changed(step=1, lengths=[3, 1]), "operand"),
    (changed(step=2, lengths=[1, 0]), "adds up 1 numbers"),
    (changed(step=2, op="sum", lengths=[2]), "takes 1 arrays of operands, not 2"),
    (changed(shape=[0]), "sizes are from 1"), (changed(shape=[-2]), "sizes are from 1"),
    (changed(step=2, lengths=[2, -2]), "lengths from 0"),
    (changed(step=3, shape=[1] * 40), "40 axes"),
    # sizes
    (changed(shape=[math.nan]), "nan, which is no whole number"),
    (changed(shape=[math.inf]), "inf, which is no whole number"),
    (changed(shape=["2"]), "'2', which is no whole number"),
    (changed(step=3, shape=[10 ** 12]), "sizes are from 1 to"),
    (changed(step=3, shape=[10 ** 5, 10 ** 5]), "at most 100,000,000 fit"),
    (changed(step=3, shape=[MOST_NUMBERS]), "at most 100,000,000 fit"),
    (changed(step=2, operands=[[6, [0]], [2, [0]]], lengths=[10 ** 8, 10 ** 8]), "at most"),
    (changed(step=2, operands=[[6, [0]], [2, [0]]], lengths=[10 ** 30, 1]), "no whole number"),
    (damaged(n_inputs=10 ** 9), "n_inputs"), (damaged(n_inputs=-1), "n_inputs"),
    (damaged(n_inputs=True), "n_inputs"), (damaged(n_inputs=None), "n_inputs"),
    # what is no such thing
    (changed(op="system"), "the step at slot 6: no primitive is called 'system'"),
    (changed(op=["mul"]), "no primitive is called"),
    (changed(operands=5), "no list"), (changed(operands=["01"]), "no list"),
    (changed(operands=[[0, "1"], [4, [0]]]), "'1', which is no whole number"),
    (damaged(steps={}), "no list"), (damaged(steps=[3]), "3 is no step"),
    (damaged(constants=["one", "2"]), "damaged"), (damaged(constants=[1.0, 2.0]), "damaged"),
    (without("steps"), "lacks 'steps'"), (without("shape", 1), "lacks 'shape'"),
    (without("outputs"), "lacks 'outputs'"),
], ids=lambda part: str(part)[:40])
def test_bad_files_are_a_clear_value_error(text: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ArrayProgram.from_json(text)


@pytest.mark.parametrize("slots", [
    Table(np.array([0.0, 1.0])), Table([0, 1]),  # type: ignore[arg-type]
    Table(np.array([0, 1, 2])), Affine(0, ())])
def test_programs_that_somebody_made_are_validated_too(slots: Any) -> None:
    good = Step("neg", (2,), (Affine(0, (1,)),))
    ArrayProgram(2, (), (good,), (3,)).validate()
    with pytest.raises(ValueError, match="operand 0 of the step at slot 2"):
        ArrayProgram(2, (), (replace(good, operands=(slots,)),), (3,)).validate()


def test_any_byte_that_is_changed_is_refused_or_a_program_that_expands() -> None:
    text, rng = GOOD.to_json(), np.random.default_rng(0)
    loaded = 0
    for _ in range(400):
        at, new = int(rng.integers(len(text))), str(rng.choice(list("0123456789-[],")))
        try:
            found = ArrayProgram.from_json(text[:at] + new + text[at + 1:])
        except ValueError:
            continue
        if found.n_slots < 1000:
            loaded += 1
            found.expand().validate()
    assert 0 < loaded < 400


# --- ways to get it -------------------------------------------------------------------------------

def test_compiled_functions_give_their_programs() -> None:
    model = nn.MLP(2, [16, 16, 1], activation="relu", seed=0)
    f = jit(lambda x: model(x))
    for ask in (f.program, f.array_program, f.source):
        with pytest.raises(ValueError, match="before the first call"):
            ask()
    f([1.0, 2.0])
    program, arrays = f.program(), f.array_program()
    assert (len(program), len(arrays)) == (65, 5)
    assert f.source("arrays") == str(arrays)
    point = np.array([1.0, 2.0, *(p.data for p in f.notes[-1].recording.captured)])
    assert_same_bits(program, arrays, [point])
    rows = vmap(lambda w, x: ag.tanh(w * x), in_axes=(None, 0))
    rows(0.5, [1.0, 2.0])
    assert rows.program().ops == ("mul", "tanh")


def test_what_a_network_captures_stands_layer_by_layer() -> None:
    model = nn.MLP(3, [5, 4, 2], activation="tanh", seed=0)
    f = jit(value_and_grad(lambda x: model(x)[0]))
    f([1.0, 2.0, 3.0])
    captured = [p.label for p in f.notes[-1].recording.captured]
    assert captured == [p.label for p in model.parameters()[:-5]]  # the last neuron is not asked
    dots = [step for step in f.array_program().steps if step.op == "dot" and step.paired]
    assert all(isinstance(slots, Affine) for step in dots for slots in step.operands)


def test_print_shows_arrays_where_that_is_shorter() -> None:
    model = nn.MLP(2, [16, 16, 1], activation="relu", seed=0)
    f = jit(lambda x: model(x))
    f([1.0, 2.0])
    text = str(f.program())
    assert text.startswith(str(f.array_program()))
    assert text.splitlines()[-1].strip() == (
        "# 65 instructions as 5 arrays; listing() has a line for each instruction")
    assert len(f.program().listing().splitlines()) == 67 + len(f.program().constants)
    chain = jit(lambda x: sum((ag.sin(x * (i + 0.5)) ** i for i in range(1, 4)), x))
    chain(0.3)
    assert str(chain.program()) == chain.program().listing()
