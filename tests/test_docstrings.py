"""What ``help()`` shows of the public names: every parameter is explained."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import typing
from collections.abc import Callable, Iterator
from types import FunctionType, SimpleNamespace
from typing import Any

import pytest

import autograd
import nn
from autograd import Primitive, Value, extend, linalg, special
from autograd import math as math_of_values
from autograd.checking.reports import Report
from autograd.compiler.backends.c import CSource
from autograd.compiler.scipy_objective import Objective
from autograd.core.value import UFUNCS
from autograd.drawing.rendering import Drawing
from autograd.explaining.chain_rule import Explanation
from autograd.explaining.naive_backward import Comparison
from autograd.pages.page import Page

# What people import from, and what they are given.
PACKAGES = (autograd, extend, linalg, nn, special)
GIVEN = SimpleNamespace(
    __name__="given", CSource=CSource, Comparison=Comparison, Drawing=Drawing,
    Explanation=Explanation, Objective=Objective, Page=Page, Report=Report,
    circles=nn.datasets.circles, line=nn.datasets.line, moons=nn.datasets.moons,
    spirals=nn.datasets.spirals, constant=nn.schedules.constant, cosine=nn.schedules.cosine,
    exponential=nn.schedules.exponential, linear=nn.schedules.linear, stairs=nn.schedules.stairs)


def public(package: Any) -> Iterator[tuple[str, Any]]:
    """(name, callable) of the package's functions and classes, and of the methods they define."""
    for name in getattr(package, "__all__", [name for name in vars(package) if name[0] != "_"]):
        thing = getattr(package, name)
        if isinstance(thing, Primitive) or not callable(thing):
            continue  # a row writes its help itself: tests/core/test_primitives.py
        is_object = not isinstance(thing, type | FunctionType)  # such as a loss
        yield name, type(thing).__call__ if is_object else thing
        for method, raw in vars(thing).items() if inspect.isclass(thing) else ():
            is_row = thing is Value and method in UFUNCS
            if isinstance(raw, FunctionType) and not method.startswith("_") and not is_row:
                yield f"{name}.{method}", raw


def parameters_of(thing: Callable[..., Any]) -> set[str]:
    """The names that a call may give; of an overloaded function those of all its overloads."""
    if thing is Primitive:  # its rows have signatures, as an attribute of that name
        thing = Primitive.__init__
    overloads = getattr(typing, "get_overloads", lambda function: ())(inspect.unwrap(thing))
    variadic = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    found = set()
    for signature in map(inspect.signature, overloads or (thing,)):
        found |= {p.name for p in signature.parameters.values() if p.name != "self"
                  and p.annotation != "None"  # stands there to say that there is none
                  and not (thing is extend.primitive and p.kind in variadic)}  # Python 3.10
    return found


def explained(text: str | None) -> set[str]:
    """The names in front of the colons of the sections Args and Attributes."""
    sections = re.findall(r"^(?:Args|Attributes):\n((?:(?:    .*)?(?:\n|$))+)", text or "",
                          flags=re.MULTILINE)
    entries = re.findall(r"^    (\w[\w, ]*):", "\n".join(sections), flags=re.MULTILINE)
    return {name for entry in entries for name in entry.split(", ")}


def is_explained(name: str, thing: Any, package: Any) -> set[str]:
    """What is explained there, or at the method that it stands for in a base class."""
    found = explained(inspect.getdoc(thing))
    owner, _, method = name.partition(".")
    for base in getattr(package, owner).__mro__ if method else ():
        found |= explained(inspect.getdoc(vars(base).get(method)))
    return found


@pytest.mark.parametrize("package", [*PACKAGES, GIVEN], ids=lambda package: package.__name__)
def test_every_parameter_is_explained(package: Any) -> None:
    missing = {}
    for name, thing in public(package):
        assert inspect.getdoc(thing), f"{name} has no docstring"
        if isinstance(thing, type) and issubclass(thing, Exception) and (
                thing.__init__ is ValueError.__init__):
            continue  # takes a message, like every error
        if left := parameters_of(thing) - is_explained(name, thing, package):
            missing[name] = sorted(left)
    assert not missing


@pytest.mark.parametrize("package", [*PACKAGES, GIVEN], ids=lambda package: package.__name__)
def test_every_error_that_a_function_raises_itself_is_named(package: Any) -> None:
    for name, thing in public(package):
        function = inspect.unwrap(thing.__init__ if inspect.isclass(thing) else thing)
        if isinstance(function, FunctionType) and function.__code__.co_filename != "<string>":
            tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
            calls = [line.exc.func for line in ast.walk(tree)
                     if isinstance(line, ast.Raise) and isinstance(line.exc, ast.Call)]
            for error in {call.id for call in calls if isinstance(call, ast.Name)}:
                assert error in (inspect.getdoc(thing) or "") or not error[0].isupper() or (
                    error == "NotImplementedError"), (name, error)


def test_math_names_its_parameters() -> None:
    for name in math_of_values.__all__:
        function = getattr(math_of_values, name)
        if callable(function):
            text = inspect.getdoc(function) or ""
            # A function of math's own has the standard text, which may say [start, end].
            for parameter in parameters_of(function) - {"arguments", "keywords"}:
                assert re.search(rf"\b{parameter}\b", text), (name, parameter)


def test_that_test_sees_a_gap() -> None:
    def half(x: float, factor: float) -> float:
        """The half.

        Args:
            x: a number.
                factor: of a line that goes on.
        """
        return x / 2.0

    assert parameters_of(half) == {"x", "factor"}
    assert explained(inspect.getdoc(half)) == {"x"}


def test_help_of_a_loss_has_its_formula() -> None:
    assert "max(0, 1 - label * score)" in (inspect.getdoc(nn.hinge) or "")
    texts = {inspect.getdoc(loss) for loss in (*nn.LOSSES.values(), nn.Loss)}
    assert len(texts) == 1 + len(nn.LOSSES)
