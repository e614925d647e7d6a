"""The linear program: recorded, printed, compared, validated, saved and loaded."""

from __future__ import annotations

import json
import math
import pickle

import pytest

import autograd
from autograd import Value
from autograd.compiler.program.program import Columns, Guard, Program
from autograd.compiler.trace.graph_to_program import graph_to_program


def _example() -> Program:
    x, y = Value(3.0), Value(2.0)
    z = autograd.sin(x) * y
    return graph_to_program([z + 1.0, x], [x, y], [("<", z, 5.0, True)])


def test_record_numbers_inputs_constants_and_instructions() -> None:
    program = _example()
    assert program.n_inputs == 2
    assert program.constants == (1.0, 5.0)
    assert program.ops == ("sin", "mul", "add")
    assert program.operands == ((0,), (4, 1), (5, 2))
    assert program.outputs == (6, 0)
    assert program.guards == (Guard("<", 5, 3, True),)


def test_printed_as_single_assignments() -> None:
    assert str(_example()).splitlines() == [
        "program(x0, x1):", "    c2 = 1.0", "    c3 = 5.0", "    v4 = sin(x0)",
        "    v5 = mul(v4, x1)", "    v6 = add(v5, c2)", "    guard v5 < c3 is True",
        "    return v6, x0"]


def test_leaves_that_are_not_inputs_are_constants() -> None:
    x, w = Value(3.0), Value(7.0)
    assert graph_to_program([x * w], [x]).constants == (7.0,)


def test_input_may_be_a_computed_node_and_what_it_came_from_is_left_out() -> None:
    x = Value(3.0)
    y = autograd.exp(x)
    program = graph_to_program([y * y], [y])
    assert program.ops == ("mul",) and program.operands == ((0, 0),)


def test_an_output_that_is_a_number_is_a_constant() -> None:
    program = graph_to_program([4, Value(2.0)], [])
    assert [program.constants[slot] for slot in program.outputs] == [4.0, 2.0]


def test_zero_and_minus_zero_are_two_constants_and_nan_is_one() -> None:
    program = graph_to_program([0.0, -0.0, math.nan, math.nan], [])
    assert list(map(repr, program.constants)) == ["0.0", "-0.0", "nan"]
    assert program.outputs == (0, 1, 2, 2)


def test_equality_is_that_of_bits() -> None:
    assert _example() == _example() and hash(_example()) == hash(_example())
    assert Program(0, (0.0,), (), (), (0,)) != Program(0, (-0.0,), (), (), (0,))
    assert Program(0, (math.nan,), (), (), (0,)) == Program(0, (float("nan"),), (), (), (0,))
    assert _example() != "a program"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 0.1, 1e308])
def test_json_keeps_every_float(number: float) -> None:
    program = Program(1, (number,), ("add",), ((0, 1),), (2,), (Guard(">=", 0, 1, False),))
    again = Program.from_json(program.to_json())
    assert again == program
    assert repr(again.constants[0]) == repr(number)


def test_decimals_are_read_as_decimals() -> None:
    data = json.loads(_example().to_json())
    data["constants"] = ["1.5", "10"]
    assert Program.from_json(json.dumps(data)).constants == (1.5, 10.0)


def _damaged(**changes: object) -> str:
    return json.dumps({**json.loads(_example().to_json()), **changes})


@pytest.mark.parametrize(("text", "message"), [
    ("{", "not JSON"),
    ("[" * 100_000, "not JSON"),
    ("[]", "not a program"),
    (_damaged(version=99), "version 99"),
    (_damaged(format="pickle"), "not a program"),
    (_damaged(ops=["sin", "mul", "system"]), "no primitive is called 'system'"),
    (_damaged(ops=["sin", "mul"]), "2 ops but 3"),
    (_damaged(operands=[[0], [6, 1], [5, 2]]), "reads slot 6"),
    (_damaged(operands=[[-1], [4, 1], [5, 2]]), "reads slot -1"),
    (_damaged(operands=[[0.5], [4, 1], [5, 2]]), "reads slot 0.5"),
    (_damaged(operands=[[0, 1], [4, 1], [5, 2]]), "sin takes 1 operands"),
    (_damaged(operands=5), "damaged"),
    (_damaged(outputs=[7]), "an output reads slot 7"),
    (_damaged(guards=[["<", 0, 99, True]]), "a guard reads slot 99"),
    (_damaged(guards=[["is", 0, 1, True]]), "no guard"),
    (_damaged(guards=[["<", 0]]), "damaged"),
    (_damaged(constants=["one", "two"]), "damaged"),
    (_damaged(constants=["1.8p+0", "2"]), "'1.8p"),
    (_damaged(constants="12"), "no list"),
    (_damaged(guards=[[["<"], 0, 1, True]]), "no guard"),
    (_damaged(n_inputs=-1), "n_inputs"),
    (_damaged(n_inputs=None), "n_inputs"),
])
def test_bad_files_are_a_clear_value_error(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Program.from_json(text)


def test_a_missing_field_is_named() -> None:
    data = json.loads(_example().to_json())
    del data["outputs"]
    with pytest.raises(ValueError, match="outputs"):
        Program.from_json(json.dumps(data))


def test_record_refuses_what_is_not_a_value() -> None:
    with pytest.raises(TypeError, match="input 1"):
        graph_to_program([], [Value(1.0), 2.0])  # type: ignore[list-item]
    x = Value(1.0)
    with pytest.raises(ValueError, match="twice"):
        graph_to_program([], [x, x])
    with pytest.raises(TypeError, match="an output"):
        graph_to_program(["x"], [])


def test_a_million_instructions_are_recorded_without_recursion() -> None:
    x = Value(1.0)
    y = x
    for _ in range(1_000_000):
        y = y + x
    program = graph_to_program([y], [x])
    assert len(program) == 1_000_000
    assert program.operands[-1] == (999_999, 0)


def test_a_program_of_columns_is_that_of_its_instructions() -> None:
    ops, operands = ("sin", "mul", "sum", "sum"), ((0,), (4, 1), (4, 5, 2), ())
    written = Program(2, (1.0, 5.0), ops, operands, (7, 0), (Guard("<", 5, 3, True),))
    columns = Columns.of(ops, operands)
    assert columns.names == ("sin", "mul", "sum") and columns.counts.tolist() == [1, 2, 3, 0]
    found = Program.of_columns(2, (1.0, 5.0), columns, (7, 0), written.guards)
    assert len(found) == 4 and found.n_slots == 8 and found.n_operands == 6
    assert found.different_ops == written.different_ops == {"sin", "mul", "sum"}
    again = pickle.loads(pickle.dumps(found))
    for program in (found, again):
        assert program == written and program.operands == operands and program.ops == ops
        assert program.validate().to_json() == written.to_json()
    with pytest.raises(AttributeError, match="'opps'"):
        found.opps  # noqa: B018 - what it raises is the test
