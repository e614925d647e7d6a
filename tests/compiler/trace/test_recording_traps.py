"""The traps of recording, one test each: the answer is the plain function's, or the error is clear.

A recording is straight-line arithmetic; the function that it was made from is Python, which may
read, change, draw, print and decide. For each way in which a replay could miss that there is a test
here. The oracle is the same function, called without jit.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import heapq
import importlib
import itertools
import logging
import math
import os
import pickle
import random
import secrets
import sys
import textwrap
import threading
import time
import types
import weakref
from array import array
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import RecordingError, Value, grad, jit, value_and_grad
from autograd.core.context import switched_on
from autograd.core.primitives import DOMAIN_ERRORS, TABLE

from ...own_primitives import declared

# The same function compiled in the plainest way: what is tested is the recording.
plainly = functools.partial(jit, backend="python")

RATE = 2.0
TABLE_OF_RATES = {"slow": 1.0, "fast": 3.0}
SETTINGS = types.SimpleNamespace(rate=2.0)
COUNT = [0]


def outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a call gives: its result, or the kind of its error and what it says after the names."""
    try:
        return function(*arguments)
    except DOMAIN_ERRORS as error:
        return type(error), str(error).rpartition(": ")[2]


def alike(a: Any, b: Any) -> bool:
    """The same numbers, nan being itself and 0.0 not -0.0, in the same structure."""
    return repr(_plain(a)) == repr(_plain(b))


def _plain(structure: Any) -> Any:
    """A structure with floats for Values, and lists for arrays."""
    if isinstance(structure, Value):
        return structure.data
    if isinstance(structure, np.ndarray | np.generic):
        return _plain(structure.tolist())
    if isinstance(structure, list | tuple):
        return [_plain(item) for item in structure]
    if isinstance(structure, dict):
        return {key: _plain(item) for key, item in structure.items()}
    return structure


def agrees(function: Callable[..., Any], compiled: Any, *arguments: Any) -> None:
    """A compiled function gives at these arguments what the plain one gives."""
    given, expected = outcome(compiled, *arguments), outcome(function, *arguments)
    assert alike(given, expected), f"{given} instead of {expected} at {arguments}"


def agrees_after(function: Callable[..., Any], *changes: Callable[[], Any]) -> Any:
    """A compiled function of one number agrees before the changes, and after each of them."""
    compiled = plainly(function)
    for change in (lambda: None, *changes):
        change()
        for x in (1.5, -0.5, 1.5):
            agrees(function, compiled, x)
    assert compiled.n_recordings > 1
    return compiled


def refused(function: Callable[..., Any], words: str, *arguments: Any) -> None:
    """A compiled function says that it cannot be replayed, and why; the engine stays usable."""
    with pytest.raises(RecordingError, match=words):
        plainly(function)(*(arguments or (1.5,)))
    assert not switched_on
    agrees(lambda x: x + 1.0, plainly(lambda x: x + 1.0), 2.0)


# --- captured variables ---------------------------------------------------------------------------

def test_a_global_is_bound_to_another_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recording holds the old number."""
    agrees_after(lambda x: x * RATE, lambda: monkeypatch.setitem(globals(), "RATE", 5.0),
                 lambda: monkeypatch.setitem(globals(), "RATE", 2.0))


def test_a_global_turns_from_a_zero_to_a_negative_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """0.0 == -0.0, but the results are not the same."""
    monkeypatch.setitem(globals(), "RATE", 0.0)
    agrees_after(lambda x: x * RATE, lambda: monkeypatch.setitem(globals(), "RATE", -0.0))


def test_a_global_turns_from_a_number_to_a_truth_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """1.0 == True, but the function may tell them apart."""
    monkeypatch.setitem(globals(), "RATE", 1.0)
    agrees_after(lambda x: x * 2.0 if RATE is True else x,
                 lambda: monkeypatch.setitem(globals(), "RATE", True))


def test_a_global_that_is_nan_does_not_change() -> None:
    """nan != nan would look like a change at every call, and record at every call."""
    rate = math.nan
    f = plainly(lambda x: x if rate != rate else -x)
    assert [f(1.0), f(2.0)] == [1.0, 2.0] and f.n_recordings == 1


def test_a_nonlocal_variable_is_bound_anew() -> None:
    """The cell of a closure holds another number."""
    rate = 2.0

    def change() -> None:
        nonlocal rate
        rate = 7.0

    agrees_after(lambda x: x * rate, change)


def test_a_variable_gets_its_value_after_the_first_call() -> None:
    """The cell was empty; the function caught the error."""
    if math.pi < 3.0:
        late = 1.0

    def f(x: Any) -> Any:
        try:
            return x * late
        except NameError:
            return x

    def change() -> None:
        nonlocal late
        late = 3.0

    agrees_after(f, change)


def test_a_built_in_function_is_hidden_by_a_global(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name was not there when the function was recorded."""
    agrees_after(lambda x: abs(x),
                 lambda: monkeypatch.setitem(globals(), "abs", lambda x: x * x))


def test_a_helper_function_reads_a_global(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function itself does not mention the variable."""
    agrees_after(lambda x: helper(x) + 1.0,
                 lambda: monkeypatch.setitem(globals(), "RATE", 5.0))


def helper(x: Any) -> Any:
    return x * RATE


def test_a_helper_function_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The global is bound to another function."""
    agrees_after(lambda x: helper(x),
                 lambda: monkeypatch.setitem(globals(), "helper", lambda x: x - 1.0))


def test_the_body_of_a_helper_function_is_replaced() -> None:
    """A notebook's autoreload puts new code into the old function object."""
    def inner(x: Any) -> Any:
        return x * 2.0

    def change() -> None:
        inner.__code__ = (lambda x: x * 9.0).__code__

    agrees_after(lambda x: inner(x), change)


def test_a_default_is_replaced() -> None:
    """Defaults are attributes of the function."""
    def inner(x: Any, rate: float = 2.0) -> Any:
        return x * rate

    def change() -> None:
        inner.__defaults__ = (9.0,)

    agrees_after(lambda x: inner(x), change)


def test_a_default_is_a_list_that_changes() -> None:
    """A mutable default is captured like any other list."""
    rates = [2.0]

    def f(x: Any, rates: list[float] = rates, *, more: dict[str, float] = TABLE_OF_RATES) -> Any:
        return x * rates[0] + more["slow"]

    agrees_after(f, lambda: rates.__setitem__(0, 5.0))


def test_an_attribute_of_a_function_changes() -> None:
    """Functions carry variables, too."""
    def inner(x: Any) -> Any:
        return x * inner.rate  # type: ignore[attr-defined]

    inner.rate = 2.0  # type: ignore[attr-defined]
    agrees_after(lambda x: inner(x), lambda: setattr(inner, "rate", 5.0))


def test_an_attribute_of_the_compiled_function_itself_changes() -> None:
    """Decorated, the function reads the attribute of what jit returned."""
    @plainly
    def f(x: Any) -> Any:
        return x * f.rate

    f.rate = 2.0
    assert f(1.5) == 3.0
    f.rate = 5.0
    assert f(1.5) == 7.5
    assert f.n_recordings == 2


def test_a_lambda_in_a_list_reads_its_own_variable() -> None:
    """All lambdas of a loop share one cell."""
    rate = 1.0
    functions = [lambda x: x * rate, lambda x: x + rate]

    def change() -> None:
        nonlocal rate
        rate = 4.0

    agrees_after(lambda x: functions[0](x) + functions[1](x), change,
                 lambda: functions.reverse())


def test_a_name_is_looked_up_by_getattr_or_globals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of the variable stands in a text."""
    module = sys.modules[__name__]
    agrees_after(lambda x: x * globals()["RATE"] + getattr(module, "RATE"),  # noqa: B009
                 lambda: monkeypatch.setitem(globals(), "RATE", 5.0))


# --- modules --------------------------------------------------------------------------------------

@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module of the user's own, not imported yet; it holds RATE = 2.0."""
    name = "settings_of_a_trap"
    (tmp_path / f"{name}.py").write_text(
        "RATE = 2.0\ndef scaled(x):\n    return x * RATE\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    sys.modules.pop(name, None)


def test_a_variable_of_another_module_changes(settings: str) -> None:
    """It is no global of the function's own module."""
    module = importlib.import_module(settings)
    agrees_after(lambda x: x * module.RATE, lambda: setattr(module, "RATE", 5.0))


def test_a_function_of_another_module_reads_a_variable_there(settings: str) -> None:
    """Neither the function nor its module mentions the variable."""
    module = importlib.import_module(settings)
    agrees_after(lambda x: module.scaled(x), lambda: setattr(module, "RATE", 5.0))


def test_a_module_is_handed_to_a_helper(settings: str) -> None:
    """The function that reads the variable knows the module by another name."""
    module = importlib.import_module(settings)

    def scaled_by(x: Any, source: Any) -> Any:
        return x * source.RATE

    agrees_after(lambda x: scaled_by(x, module), lambda: setattr(module, "RATE", 5.0))


def test_a_module_is_an_argument(settings: str) -> None:
    """The argument is the same module at each call, with another variable."""
    module = importlib.import_module(settings)
    f = plainly(lambda x, source: x * source.RATE)
    assert f(3.0, module) == 6.0
    module.RATE = 5.0
    assert f(3.0, module) == 15.0


def test_a_global_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is a value; a name that is gone is an error, which decides."""
    monkeypatch.setitem(globals(), "OPTIONAL", None)

    def f(x: Any) -> Any:
        try:
            return x if OPTIONAL is None else -x  # type: ignore[name-defined]
        except NameError:
            return 2.0 * x

    agrees_after(f, lambda: monkeypatch.delitem(globals(), "OPTIONAL"))


def test_a_module_is_imported_inside(settings: str) -> None:
    """Before the first call there is no module to look at."""
    namespace: dict[str, Any] = {"__name__": __name__}
    exec(textwrap.dedent(f"""
        def f(x):
            import {settings} as module
            from {settings} import RATE
            return x * module.RATE + RATE
        """), namespace)
    agrees_after(namespace["f"], lambda: setattr(sys.modules[settings], "RATE", 5.0))


def test_a_variable_is_bound_to_another_module(settings: str) -> None:
    """Modules are values, too."""
    module: Any = importlib.import_module(settings)

    def change() -> None:
        nonlocal module
        module = types.SimpleNamespace(RATE=8.0)

    agrees_after(lambda x: x * module.RATE, change)


def test_a_constant_of_a_library_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries are trusted in their functions, not in their numbers."""
    agrees_after(lambda x: x * math.pi, lambda: monkeypatch.setattr(math, "pi", 3.0))


def test_an_environment_variable_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """os.environ is a captured dictionary."""
    monkeypatch.setenv("RATE_OF_A_TRAP", "2.0")
    for function in (lambda x: x * float(os.environ["RATE_OF_A_TRAP"]),
                     lambda x: x * float(os.getenv("RATE_OF_A_TRAP", ""))):
        agrees_after(function, lambda: monkeypatch.setenv("RATE_OF_A_TRAP", "5.0"),
                     lambda: monkeypatch.setenv("RATE_OF_A_TRAP", "2.0"))


# --- captured containers --------------------------------------------------------------------------

@pytest.mark.parametrize("make", [list, deque, array], ids=lambda make: make.__name__)
def test_a_sequence_is_edited_in_place(make: Any) -> None:
    """The variable is bound to the same object."""
    numbers = array("d", [2.0, 3.0]) if make is array else make([2.0, 3.0])
    agrees_after(lambda x: x * numbers[0] + sum(numbers),
                 lambda: numbers.__setitem__(0, 5.0), lambda: numbers.append(1.0),
                 numbers.reverse, numbers.pop)


def test_a_list_in_a_list_in_a_tuple_is_edited() -> None:
    """A tuple cannot change, but what it holds can."""
    nested = ([[2.0]],)
    agrees_after(lambda x: x * nested[0][0][0], lambda: nested[0][0].__setitem__(0, 5.0))


def test_a_bytearray_is_edited() -> None:
    """Memory without attributes or items to walk over."""
    numbers = bytearray([2, 3])
    agrees_after(lambda x: x * numbers[0], lambda: numbers.__setitem__(0, 5))


@pytest.mark.parametrize("make", [dict, OrderedDict, Counter, types.MappingProxyType, ChainMap,
                                  lambda d: defaultdict(float, d)])
def test_a_dictionary_is_edited(make: Any) -> None:
    """A view or a subclass shows what the dictionary below it holds."""
    rates = {"a": 2.0, "b": 3.0}
    seen = make(rates)
    target = rates if isinstance(seen, types.MappingProxyType | ChainMap) else seen
    agrees_after(lambda x: x * seen["a"] + sum(seen.values()),
                 lambda: target.__setitem__("a", 5.0), lambda: target.__setitem__("c", 1.0),
                 lambda: target.pop("b"))


def test_a_dictionary_is_put_into_another_order() -> None:
    """It is equal to what it was, but a loop over it is not."""
    rates = {"a": 2.0, "b": 3.0}

    def f(x: Any) -> Any:
        for rate in rates.values():
            x = x * x - rate
        return x

    agrees_after(f, lambda: rates.__setitem__("a", rates.pop("a")))


def test_a_set_is_edited() -> None:
    """Sets have no items to assign."""
    names = {"a"}
    agrees_after(lambda x: x if "b" in names else -x, lambda: names.add("b"),
                 lambda: names.discard("b"))


def test_an_object_in_a_set_changes() -> None:
    """The set holds the same object."""
    part = types.SimpleNamespace(rate=2.0)
    Part = type("Part", (), {"__init__": lambda self: setattr(self, "rate", 2.0)})
    part = Part()
    parts = {part}
    agrees_after(lambda x: x * sum(p.rate for p in parts), lambda: setattr(part, "rate", 5.0))


def test_an_array_is_edited_in_place() -> None:
    """Also through a view, also of the whole."""
    numbers = np.array([2.0, 3.0, 4.0])
    view = numbers[:2]
    agrees_after(lambda x: x * numbers[0] + view[1], lambda: view.__setitem__(0, 5.0),
                 lambda: np.multiply(numbers, 2.0, out=numbers), lambda: numbers.sort(),
                 lambda: numbers.fill(0.0), lambda: numbers.fill(-0.0))


def test_an_array_gets_another_shape_in_place() -> None:
    """Its bytes stay what they were."""
    numbers = np.arange(6.0)
    agrees_after(lambda x: x * len(numbers), lambda: numbers.resize((2, 3), refcheck=False))


def test_a_frozen_array_is_made_writeable_again() -> None:
    """An array that nobody can write into need not be compared; this one can be."""
    numbers = np.arange(3.0)
    numbers.flags.writeable = False

    def change() -> None:
        numbers.flags.writeable = True
        numbers[1] = 8.0

    agrees_after(lambda x: x * numbers[1], change)


def test_an_array_of_objects_is_edited() -> None:
    """Its bytes are addresses."""
    numbers = np.array([2.0, Value(3.0)], dtype=object)
    f = plainly(lambda x: x * numbers[0] + numbers[1])
    assert f(1.5) == 6.0
    numbers[0] = 5.0
    assert f(1.5) == 10.5


def test_the_attribute_of_a_subclass_of_list_changes() -> None:
    """It is a list, and more than its items."""
    class Rates(list[float]):
        scale = 1.0

    rates = Rates([2.0])
    agrees_after(lambda x: x * rates[0] * rates.scale, lambda: setattr(rates, "scale", 3.0),
                 lambda: rates.__setitem__(0, 4.0))


# --- captured objects and classes -----------------------------------------------------------------

class Model:
    """An object with state of every kind."""

    scale = 1.0

    def __init__(self) -> None:
        self.rate = 2.0
        self.parts = [3.0]

    def __call__(self, x: Any) -> Any:
        return x * self.rate * self.scale + self.parts[0] + self.fixed() + self.named() + self.twice

    @staticmethod
    def fixed() -> Any:
        return RATE

    @classmethod
    def named(cls) -> Any:
        return cls.scale

    @property
    def twice(self) -> float:
        return 2.0 * self.rate

    @functools.cached_property
    def cached(self) -> float:
        return 3.0 * self.rate

    def method(self, x: Any) -> Any:
        return self(x) - self.rate


def changes_of(model: Model) -> list[Callable[[], Any]]:
    return [lambda: setattr(model, "rate", 5.0), lambda: model.parts.append(1.0),
            lambda: model.parts.__setitem__(0, 9.0),
            lambda: setattr(model, "scale", 4.0),  # now hides the attribute of the class
            lambda: delattr(model, "scale"),
            lambda: setattr(model, "parts", [7.0])]


def test_an_attribute_of_an_object_with_call_changes() -> None:
    """The function is an object."""
    model = Model()
    agrees_after(model, *changes_of(model))


def test_an_attribute_of_the_object_of_a_method_changes() -> None:
    """The function is bound to an object."""
    model = Model()
    agrees_after(model.method, *changes_of(model))


def test_an_attribute_of_a_captured_object_changes() -> None:
    """The object is a variable of the function's."""
    model = Model()
    agrees_after(lambda x: model(x) + model.twice, *changes_of(model))


def test_an_attribute_of_a_class_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The object itself is as it was."""
    model = Model()
    agrees_after(model, lambda: monkeypatch.setattr(Model, "scale", 7.0),
                 lambda: monkeypatch.setattr(Model, "twice", property(lambda self: 1.0)),
                 lambda: monkeypatch.setattr(Model, "fixed", staticmethod(lambda: 6.0)),
                 lambda: monkeypatch.setattr(Model, "named", lambda self: 8.0))


def test_a_static_method_reads_a_global(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function below a staticmethod or classmethod is one step further away."""
    agrees_after(Model(), lambda: monkeypatch.setitem(globals(), "RATE", 5.0))


def test_a_subclass_gets_an_attribute_that_hides_its_base() -> None:
    """Nothing that was there has changed."""
    class Base:
        rate = 2.0

    class Derived(Base):
        pass

    model = Derived()
    agrees_after(lambda x: x * model.rate, lambda: setattr(Derived, "rate", 5.0),
                 lambda: setattr(Base, "rate", 6.0), lambda: delattr(Derived, "rate"))


def test_an_object_gets_another_class() -> None:
    """The object and its attributes are as they were."""
    class One:
        def apply(self, x: Any) -> Any:
            return x

    class Two:
        def apply(self, x: Any) -> Any:
            return x * 2.0

    model: Any = One()
    agrees_after(lambda x: model.apply(x), lambda: setattr(model, "__class__", Two))


def test_an_attribute_appears() -> None:
    """The function asked for it, and it was not there."""
    settings = types.SimpleNamespace()
    agrees_after(lambda x: x * getattr(settings, "rate", 1.0),
                 lambda: setattr(settings, "rate", 5.0))


def test_slots_change_and_appear() -> None:
    """Slots are in no dictionary, and private ones have another name there."""
    class Slotted:
        __slots__ = ("__hidden", "late", "rate")

        def __init__(self) -> None:
            self.rate = 2.0
            self.__hidden = 3.0

        def hide(self, number: float) -> None:
            self.__hidden = number

        def __call__(self, x: Any) -> Any:
            return x * self.rate + self.__hidden + getattr(self, "late", 0.0)

    model = Slotted()
    agrees_after(model, lambda: setattr(model, "rate", 5.0), lambda: model.hide(9.0),
                 lambda: setattr(model, "late", 4.0))


def test_a_data_class_in_a_data_class_changes() -> None:
    """Objects hang on objects."""
    @dataclass
    class Inner:
        rate: float = 2.0

    @dataclass
    class Outer:
        inner: Inner = field(default_factory=Inner)

    outer = Outer()
    agrees_after(lambda x: x * outer.inner.rate, lambda: setattr(outer.inner, "rate", 5.0),
                 lambda: setattr(outer, "inner", Inner(7.0)))


def test_a_descriptor_or_a_metaclass_reads_a_global(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attribute of an object can be computed in three places; none is the object."""
    class Descriptor:
        def __get__(self, instance: Any, owner: Any = None) -> float:
            return RATE

    class Meta(type):
        @property
        def above(cls) -> float:
            return RATE

    class Described(metaclass=Meta):
        below = Descriptor()
        twice = functools.partialmethod(lambda self, x, k: x * k * RATE, k=2.0)

    described = Described()
    for function in (lambda x: x * described.below, lambda x: x * Described.above,
                     lambda x: described.twice(x)):
        monkeypatch.setitem(globals(), "RATE", 2.0)
        agrees_after(function, lambda: monkeypatch.setitem(globals(), "RATE", 5.0))


def test_an_enumeration_is_bound_to_another_member() -> None:
    """Members are objects that are told apart by identity."""
    class Kind(Enum):
        PLUS = 1
        MINUS = 2

    kind = Kind.PLUS

    def change() -> None:
        nonlocal kind
        kind = Kind.MINUS

    agrees_after(lambda x: x if kind is Kind.PLUS else -x, change)


def test_an_object_behind_a_weak_reference_or_a_context_variable_changes() -> None:
    """Neither has attributes to walk over."""
    model, variable = Model(), ContextVar("rate", default=2.0)
    reference = weakref.ref(model)
    agrees_after(lambda x: x * reference().rate + variable.get(),  # type: ignore[union-attr]
                 lambda: setattr(model, "rate", 5.0), lambda: variable.set(7.0))


def test_a_cached_property_is_computed_inside() -> None:
    """The first call leaves an attribute behind, and later calls find it."""
    model = Model()
    agrees_after(lambda x: x * model.cached, lambda: setattr(model, "cached", 5.0),
                 lambda: setattr(model, "rate", 7.0), lambda: model.__dict__.pop("cached"))


# --- ways to wrap a function ----------------------------------------------------------------------

def test_the_arguments_of_a_partial_function_change() -> None:
    """They are bound outside of the function."""
    rates = [2.0]
    bound = functools.partial(lambda rates, x, more: x * rates[0] + more, rates, more=1.0)
    agrees_after(bound, lambda: rates.__setitem__(0, 5.0),
                 lambda: bound.keywords.__setitem__("more", 4.0))


def test_a_decorated_function_reads_a_variable() -> None:
    """functools.wraps makes the decorator's function look like the user's."""
    rate = 2.0

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(x: Any) -> Any:
            return function(x) + rate

        return wrapper

    @decorated
    def f(x: Any) -> Any:
        return x * rate

    def change() -> None:
        nonlocal rate
        rate = 5.0

    agrees_after(f, change)


def test_a_dispatching_or_vectorized_function_reads_a_global(
        monkeypatch: pytest.MonkeyPatch) -> None:
    """A library's object stands between the function and the user's own code."""
    @functools.singledispatch
    def dispatched(x: Any) -> Any:
        return x * RATE

    vectorized = np.vectorize(lambda x: x * RATE, otypes=[object])
    in_a_table = {"double": lambda x: x * RATE}
    for function in (dispatched, lambda x: vectorized([x])[0], lambda x: in_a_table["double"](x)):
        monkeypatch.setitem(globals(), "RATE", 2.0)
        agrees_after(function, lambda: monkeypatch.setitem(globals(), "RATE", 5.0))


def test_a_cached_helper_gives_what_it_gave() -> None:
    """lru_cache keeps plain numbers for ever: the same with and without jit."""
    rate = [2.0]

    @functools.lru_cache
    def cached(n: int) -> float:
        return n * rate[0]

    agrees_after(lambda x: x * cached(2), lambda: rate.__setitem__(0, 5.0))


def test_a_cached_helper_that_holds_values_is_refused() -> None:
    """The second call would find the first call's Value, which no replay computes."""
    weight = Value(2.0, label="w")

    @functools.lru_cache
    def cached(n: int) -> Any:
        return weight * n

    refused(lambda x: x * cached(2), "computes something else")


def test_a_memory_of_ones_own_is_refused() -> None:
    """It would hold Values of the recording."""
    memory: dict[int, Any] = {}

    def f(x: Any) -> Any:
        if 1 not in memory:
            memory[1] = x * 2.0
        return memory[1]

    refused(f, "computes something else")


def test_a_recursive_function_is_recorded_once_for_each_depth() -> None:
    """A decorated function that calls itself captures its own recordings."""
    @plainly
    def power(x: Any, n: Any) -> Any:
        return 1.0 if n < 0.5 else x * power(x, n - 1)

    assert [power(2.0, 3), power(3.0, 3), power(3.0, 3), power(2.0, 2)] == [8.0, 27.0, 27.0, 4.0]
    assert power.n_recordings == 2


def test_a_compiled_function_in_a_compiled_function() -> None:
    """What the inner one captures is captured by the outer one; its recordings are not."""
    rate = 2.0
    inner = plainly(lambda x: x * rate if x > 0.0 else -x)
    outer = plainly(lambda x: inner(x) + 1.0)

    def change() -> None:
        nonlocal rate
        rate = 5.0

    for x in (1.5, -1.5, 1.5):
        assert outer(x) == inner.function(x) + 1.0
        assert inner(x) == inner.function(x)
    assert outer.n_recordings == 2
    change()
    assert outer(1.5) == 8.5


def test_a_function_in_an_argument_changes() -> None:
    """The argument is the same function; what it reads is not."""
    rate = 2.0

    def scaled(x: Any) -> Any:
        return x * rate

    f = plainly(lambda function, x: function(x))
    assert f(scaled, 1.5) == 3.0
    rate = 5.0
    assert f(scaled, 1.5) == 7.5
    assert f(lambda x: x - 1.0, 1.5) == 0.5


def test_an_object_in_an_argument_changes() -> None:
    """The argument is the same object, with another attribute."""
    model = Model()
    f = plainly(lambda models, x: models["a"][0](x))
    for change in (lambda: None, *changes_of(model)):
        change()
        agrees(f.function, f, {"a": [model]}, 1.5)


def test_another_kind_of_arguments_is_recorded_between_two_changes() -> None:
    """What was recorded while the variable was another is not used when it is back."""
    rate = 1.0
    f = plainly(lambda x: x[0] * rate if isinstance(x, list) else x * rate)
    given = []
    for rate, x in ((1.0, 3.0), (2.0, [3.0]), (1.0, [3.0]), (1.0, 3.0), (2.0, 3.0)):  # noqa: B007
        given.append(f(x))
    assert given == [3.0, 6.0, 3.0, 3.0, 6.0]


def test_two_objects_with_a_compiled_method() -> None:
    """Each object has recordings of its own."""
    class Scaled:
        def __init__(self, rate: float) -> None:
            self.rate = rate

        @plainly
        def apply(self, x: Any) -> Any:
            return x * self.rate

    one, two = Scaled(2.0), Scaled(3.0)
    assert [one.apply(1.0), two.apply(1.0), one.apply(2.0)] == [2.0, 3.0, 4.0]
    one.rate = 5.0
    assert [one.apply(1.0), two.apply(1.0)] == [5.0, 3.0]


# --- captured Values ------------------------------------------------------------------------------

def test_a_captured_leaf_is_edited() -> None:
    """Its number is read at each call, without a new recording."""
    weight = Value(2.0)
    f = plainly(lambda x: x * weight)
    assert f(1.5) == 3.0
    weight.data = 5.0
    assert f(1.5) == 7.5 and f.n_recordings == 1


def test_a_captured_leaf_is_replaced() -> None:
    """In a variable, a list, an attribute."""
    weights = [Value(2.0)]
    model = types.SimpleNamespace(weight=Value(3.0))
    f = plainly(lambda x: x * weights[0] + model.weight)
    assert f(1.5) == 6.0
    weights[0] = Value(4.0)
    assert f(1.5) == 9.0
    model.weight = Value(5.0)
    assert f(1.5) == 11.0


def test_a_captured_leaf_decides() -> None:
    """A guard on something that is no argument."""
    weight = Value(2.0)
    f = plainly(lambda x: x if weight > 0.0 else -x)
    given = []
    for number in (2.0, -1.0, 3.0, math.nan, 2.0):
        weight.data = number
        given.append(f(1.5))
    assert given == [1.5, -1.5, 1.5, -1.5, 1.5] and f.n_recordings == 2


def test_the_number_of_a_captured_leaf_is_read() -> None:
    """What follows from weight.data holds for that number."""
    weight = Value(2.0)
    f = plainly(lambda x: x * [1.0, 2.0, 3.0][int(weight.data)])
    given = []
    for number in (2.0, 0.0, 1.0, 2.0):
        weight.data = number
        given.append(f(1.5))
    assert given == [4.5, 1.5, 3.0, 4.5]


def test_a_captured_computed_value_keeps_its_number() -> None:
    """It was computed before the leaf was edited; with and without jit."""
    weight = Value(2.0)
    double = weight * 2.0
    f = plainly(lambda x: x * double)
    assert f(1.5) == 6.0
    weight.data = 5.0
    assert f(1.5) == 6.0
    double = weight * 2.0
    assert f(1.5) == 15.0


@pytest.mark.parametrize("compiled", [
    lambda f: jit(grad(f)), lambda f: grad(jit(f)),
    lambda f: lambda a: float(grad(ag.vmap(f))([a])[0])])
def test_a_leaf_under_a_captured_computed_value_is_edited(compiled: Any) -> None:
    """Its number is gone, and so is every gradient through it, as without jit."""
    x = Value(2.0, "x")
    y = x * 3.0
    slope = compiled(lambda a: a * y)
    assert slope(1.0) == 6.0
    x.data = 5.0
    with pytest.raises(ValueError, match=r"leaf 'x' .*was edited after"):
        slope(1.0)


def test_a_captured_leaf_is_returned() -> None:
    """It is part of no instruction."""
    weight = Value(2.0)
    f = plainly(lambda x: [weight, x])
    assert f(1.0) == [2.0, 1.0]
    weight.data = 5.0
    assert f(1.0) == [5.0, 1.0] and f.n_recordings == 1


def test_captured_leaves_in_a_set() -> None:
    """They are found by identity, and read at each call."""
    weights = {Value(2.0), Value(3.0)}
    f = plainly(lambda x: x * sum(weights))
    assert f(1.0) == 5.0
    next(iter(weights)).data = 7.0
    assert f(1.0) == sum(weight.data for weight in weights)
    weights.clear()
    assert f(1.0) == 0.0


def test_a_gradient_of_a_captured_leaf_is_read() -> None:
    """.grad is a plain attribute, which every backward() changes."""
    weight = Value(2.0)
    (weight * 3.0).backward()
    f = plainly(lambda x: x * weight.grad)
    assert f(1.5) == 4.5
    (weight * 4.0).backward()
    assert f(1.5) == 10.5


def test_a_gradient_of_a_captured_leaf_is_changed() -> None:
    """A replay would not add to it."""
    weight = Value(2.0, label="w")
    (weight * 3.0).backward()

    def f(x: Any) -> Any:
        weight.grad += 1.0
        return x * weight

    refused(f, r"changes w\.grad")


def test_a_gradient_of_a_captured_leaf_is_cleared() -> None:
    """It is cleared at each call, as without jit: whoever fills it makes a new recording."""
    weight = Value(2.0, label="w")

    def f(x: Any) -> Any:
        weight.grad = 0.0
        return x * weight

    compiled = plainly(f)
    for x in (1.0, 2.0, 3.0):
        (weight * x).backward()
        assert compiled(x) == 2.0 * x and weight.grad == 0.0


def test_the_parameters_of_a_model_are_trained_between_calls() -> None:
    """They are read at each call, whatever their number."""
    model = nn.MLP(2, [3, 1], seed=0)
    loss = plainly(lambda xs: (model(xs) - 1.0) ** 2)
    eager = lambda xs: (model([Value(x) for x in xs]) - 1.0) ** 2
    for step in range(5):
        assert loss([0.5, -1.0]) == pytest.approx(eager([0.5, -1.0]).data, rel=1e-14)
        for i, parameter in enumerate(model.parameters()):
            parameter.data = parameter.data + 0.01 * (i + step)
    assert loss.n_recordings == 1


# --- what a function must not do ------------------------------------------------------------------

def test_backward_inside_is_refused() -> None:
    """It leaves its results in .grad, which a replay does not fill."""
    def f(x: Any) -> Any:
        y = x * x
        y.backward()
        return x.grad

    refused(f, r"backward\(\) leaves its results in \.grad.*autograd\.gradient")


def test_an_optimizer_step_inside_is_refused() -> None:
    """A replay would not train."""
    model = nn.MLP(1, [1], seed=0)
    optimizer = nn.SGD(model.parameters())

    def f(x: Any) -> Any:
        optimizer.step()
        return x

    refused(f, "sets the number of|changes")


@pytest.mark.parametrize("catch", [ValueError, Exception, RecordingError])
def test_a_refusal_that_is_caught_stays_one(catch: type[Exception]) -> None:
    """RecordingError is a ValueError; a function that catches it would go on without."""
    def f(x: Any) -> Any:
        with contextlib.suppress(catch):
            (x * x).backward()
        return x

    refused(f, "backward")


def test_editing_a_captured_leaf_inside_is_refused() -> None:
    """A replay would not edit it."""
    weight = Value(2.0, label="w")

    def f(x: Any) -> Any:
        weight.data = 3.0
        return x * weight

    refused(f, "sets the number of 'w'")
    assert weight.data == 2.0


def test_editing_a_leaf_of_its_own_after_use_is_refused() -> None:
    """The recording would hold the last number, where the first one was used."""
    def f(x: Any) -> Any:
        total = Value(1.0)
        y = x * total
        total.data = 5.0
        return y

    refused(f, "make a new Value")


def test_no_grad_inside_is_refused() -> None:
    """What is computed inside would be constant."""
    def f(x: Any) -> Any:
        with ag.no_grad():
            return x * 2.0

    refused(f, "no_grad")


def test_no_grad_around_changes_nothing() -> None:
    """Recording needs a graph, whatever is switched off outside."""
    f = plainly(lambda x: ag.exp(-1.0 / x) if x > 0.0 else x)
    with ag.no_grad():
        for x in (1.0, -1.0, 2.0):
            agrees(f.function, f, x)
    assert f.n_recordings == 2


def test_asking_for_kinks_inside_is_refused() -> None:
    """The answer depends on all numbers of the graph."""
    refused(lambda x: x if abs(x).kinks() else -x, "kinks")


@pytest.mark.parametrize("change", [
    lambda: COUNT.append(1), lambda: COUNT.__setitem__(0, COUNT[0] + 1),
    lambda: TABLE_OF_RATES.__setitem__(len(TABLE_OF_RATES), 1.0),
    lambda: setattr(SETTINGS, "rate", SETTINGS.rate + 1.0),
    lambda: setattr(SETTINGS, "fresh", Value(1.0)), lambda: setattr(Model, "scale", [])],
    ids=["append", "count", "new key", "attribute", "a Value", "class"])
def test_changing_what_is_captured_is_refused(change: Callable[[], Any]) -> None:
    """A replay would not change it again."""
    before = list(COUNT), dict(TABLE_OF_RATES), dict(vars(SETTINGS))

    def f(x: Any) -> Any:
        change()
        return x

    try:
        refused(f, "changes .*which it does not own")
    finally:
        COUNT[:] = before[0]
        TABLE_OF_RATES.clear()
        TABLE_OF_RATES.update(before[1])
        vars(SETTINGS).clear()
        vars(SETTINGS).update(before[2])
        Model.scale = 1.0


@pytest.mark.parametrize("change", [
    lambda: TABLE_OF_RATES.__setitem__("new", 1.0), lambda: setattr(SETTINGS, "rate", 4.0),
    lambda: TABLE_OF_RATES.pop("slow", None), lambda: TABLE_OF_RATES.update(slow=1.0, fast=3.0)],
    ids=["new key", "attribute", "pop", "update"])
def test_setting_something_to_the_same_at_each_call(change: Callable[[], Any]) -> None:
    """A second call changes nothing; whoever changes it back makes a new recording."""
    before = dict(TABLE_OF_RATES), SETTINGS.rate

    def f(x: Any) -> Any:
        change()
        return x * SETTINGS.rate * len(TABLE_OF_RATES)

    compiled = plainly(f)
    try:
        for x in (1.0, 2.0, 3.0):
            TABLE_OF_RATES.clear()
            TABLE_OF_RATES.update(before[0])
            SETTINGS.rate = before[1]
            given, left = compiled(x), (dict(TABLE_OF_RATES), SETTINGS.rate)
            assert compiled(x) == given == f(x)
            assert (TABLE_OF_RATES, SETTINGS.rate) == left
    finally:
        TABLE_OF_RATES.clear()
        TABLE_OF_RATES.update(before[0])
        SETTINGS.rate = before[1]


def test_a_value_of_the_recording_must_not_stay_behind() -> None:
    """Later calls would find the Value of an earlier one."""
    model = Model()

    def f(x: Any) -> Any:
        model.latest = x * 2.0  # type: ignore[attr-defined]
        return x

    refused(f, "changes")


def test_making_a_global_is_refused() -> None:
    """It was not there before the first call."""
    def f(x: Any) -> Any:
        global MADE_BY_A_TRAP
        MADE_BY_A_TRAP = x
        return x

    try:
        refused(f, "changes MADE_BY_A_TRAP")
    finally:
        globals().pop("MADE_BY_A_TRAP", None)


def test_counting_in_a_nonlocal_variable_is_refused() -> None:
    """A replay would not count."""
    calls = 0

    def f(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return x * calls

    refused(f, "changes calls")


def test_counting_in_an_attribute_of_the_function_is_refused() -> None:
    """Functions carry variables, too."""
    def f(x: Any) -> Any:
        f.calls += 1  # type: ignore[attr-defined]
        return x

    f.calls = 0  # type: ignore[attr-defined]
    refused(f, "changes an attribute of f")


@pytest.mark.parametrize("change", [
    lambda xs: xs.append(1.0), lambda xs: xs.__setitem__(0, 5.0), lambda xs: xs.sort(),
    lambda xs: xs.clear()], ids=["append", "assign", "sort", "clear"])
def test_changing_an_argument_is_refused(change: Callable[[Any], Any]) -> None:
    """The caller's list stays what it was, with and without a replay."""
    xs = [3.0, 1.0]

    def f(xs: Any) -> Any:
        change(xs)
        return sum(xs)

    refused(f, "changes its argument xs in place", xs)
    assert xs == [3.0, 1.0]


def test_changing_a_nested_argument_or_an_array_is_refused() -> None:
    """Each container among the arguments is looked at."""
    def f(x: Any) -> Any:
        x["a"][0] += 1.0
        return x["a"][0]

    refused(f, r"changes its argument x\['a'\] in place", {"a": [1.0]})
    refused(f, r"changes its argument x\['a'\] in place", {"a": np.array([1.0])})


def test_renaming_a_key_of_an_argument_is_refused() -> None:
    """The dictionary holds the same numbers in the same order."""
    def f(x: Any) -> Any:
        x["b"] = x.pop("a")
        return x["b"]

    refused(f, "changes its argument x in place", {"a": 1.0})


# --- randomness, clocks, iterators ----------------------------------------------------------------

GENERATOR = np.random.default_rng(0)
OLD_GENERATOR = np.random.RandomState(0)
OWN_GENERATOR = random.Random(0)
DRAW = GENERATOR.normal


@pytest.mark.parametrize("draw", [
    lambda: random.random(), lambda: np.random.rand(), lambda: np.random.normal(),
    lambda: GENERATOR.normal(), lambda: OLD_GENERATOR.normal(), lambda: OWN_GENERATOR.random(),
    lambda: DRAW(), lambda: random.choice([1.0, 2.0]), lambda: np.random.permutation(3)[0],
    lambda: random.SystemRandom().random(), lambda: secrets.randbits(50),
    lambda: np.random.default_rng().random()])
def test_drawing_random_numbers_is_refused(draw: Callable[[], float]) -> None:
    """A replay would repeat the numbers of the recording."""
    refused(lambda x: x * float(draw()), "random numbers")


def test_a_random_choice_among_values_is_refused() -> None:
    """The instructions are the same, whichever weight they read."""
    weights = [Value(float(i)) for i in range(50)]
    refused(lambda x: x * weights[np.random.default_rng().integers(50)], "random numbers")


def test_a_seeded_generator_inside_is_replayed() -> None:
    """Its numbers are the same at each call."""
    agrees_twice(lambda x: x * np.random.default_rng(7).random() + random.Random(7).random())


def agrees_twice(function: Callable[..., Any]) -> None:
    """It can be replayed: two numbers, one recording."""
    f = plainly(function)
    for x in (1.5, 2.5, 1.5):
        agrees(function, f, x)
    assert f.n_recordings == 1


def test_random_numbers_drawn_outside_are_arguments() -> None:
    """What the error says to write."""
    f = plainly(lambda x, noise: x + noise)
    for _ in range(3):
        agrees(f.function, f, 1.0, random.random())
    assert f.n_recordings == 1


def test_looking_at_the_clock_is_refused() -> None:
    """A replay would be late."""
    refused(lambda x: x * time.perf_counter(), "reads the clock")


def test_a_clock_in_the_result_is_refused() -> None:
    """A constant of the result is part of no instruction."""
    refused(lambda x: {"y": x, "when": time.perf_counter_ns()}, "reads the clock")


def test_a_captured_iterator_is_refused() -> None:
    """A replay would not take its next item."""
    items, counter = iter([1.0, 2.0]), itertools.count()
    refused(lambda x: x * next(items), "iterator items")
    refused(lambda x: x * next(counter), "iterator counter")
    generator = (i for i in range(9))
    refused(lambda x: x * next(generator), "iterator generator")


@pytest.mark.parametrize("make", [iter, lambda xs: (x for x in xs), lambda xs: map(float, xs)])
def test_an_iterator_as_an_argument_is_refused(make: Any) -> None:
    """The recording would use it up."""
    refused(lambda xs: sum(xs), "iterator an argument", make([1.0, 2.0]))


def test_an_object_that_answers_to_every_name_is_no_iterator() -> None:
    """Python looks __next__ up on the class."""
    class Anything:
        def __getattr__(self, name: str) -> float:
            if name.startswith("__"):
                raise AttributeError(name)
            return 2.0

    anything = Anything()
    agrees_twice(lambda x: x * anything.rate)


# --- printing -------------------------------------------------------------------------------------

def test_printing_a_constant_text_happens_at_the_recording(capsys: Any) -> None:
    """Documented: a replay prints nothing; the function is called once, as far as one can see."""
    def f(x: Any) -> Any:
        print("recorded")
        return x

    compiled = plainly(f)
    assert [compiled(1.0), compiled(2.0)] == [1.0, 2.0]
    assert capsys.readouterr().out == "recorded\n"


def test_printing_a_value_happens_for_each_new_number(capsys: Any) -> None:
    """The printed number was read: what was recorded holds for that number."""
    def f(x: Any) -> Any:
        print(f"{x:.1f}")
        return x

    compiled = plainly(f)
    assert [compiled(1.0), compiled(2.0), compiled(1.0)] == [1.0, 2.0, 1.0]
    assert capsys.readouterr().out == "1.0\n2.0\n"


def test_logging_inside(caplog: Any) -> None:
    """A logger has caches and handlers, which change as it is used."""
    logger = logging.getLogger("traps")

    def f(x: Any) -> Any:
        logger.warning("recorded")
        print("recorded", file=sys.stderr)
        return x

    compiled = plainly(f)
    assert [compiled(1.0), compiled(2.0)] == [1.0, 2.0] and compiled.n_recordings == 1
    assert "recorded" in caplog.text


@pytest.mark.parametrize("text", [lambda x: f"{x:.0f}", lambda x: format(x, ".0f"),
                                  lambda x: str(x), lambda x: repr(x)])
def test_a_text_of_a_value_decides(text: Callable[[Any], str]) -> None:
    """A text holds the number as .data does."""
    f = plainly(lambda x: x * (1.0 if "2" in text(x) else -1.0))
    assert [f(2.0), f(1.0), f(2.0), f(3.0)] == [2.0, -1.0, 2.0, -3.0]


# --- decisions ------------------------------------------------------------------------------------

POINTS = [1.0, -1.0, 0.0, -0.0, 2.0, 0.5, math.inf, -math.inf, math.nan, 2.0, 1.0]


@pytest.mark.parametrize("decide", [
    lambda x: x if x > 0.0 else -2.0 * x,
    lambda x: x if x else x + 1.0,
    lambda x: x if not x >= 1.0 else -x,
    lambda x: x if 0.0 < x < 2.0 else 1.0,
    lambda x: x if x == 1.0 or x != x else 3.0,
    lambda x: x if x in [1.0, 2.0] else 0.5,
    lambda x: [1.0, 2.0, -1.0].count(x) + x,
    lambda x: max(x, 1.0) - min(x, 0.5, -1.0),
    lambda x: max([1.0, x, 2.0 * x]),
    lambda x: sum(sorted([x, 1.0, -x, 0.3])[:2]),
    lambda x: heapq.nlargest(2, [x, 1.0, -x])[1],
    lambda x: 1.0 if any(y > 1.0 for y in (x, -x)) else 0.0,
    lambda x: bool(x > 1.0),
    lambda x: (x > 1.0) + (x > 0.0),
    lambda x: "positive" if x > 0.0 else None,
    lambda x: {"a": x} if x > 0.0 else [x, 1],
    lambda x: abs(x),
    lambda x: ag.maximum(x, 1.0) + ag.where(x > 1.0, x, 2.0) + ag.relu(x),
    lambda x: {True: x, False: 1.0}[x > 1.0],
    lambda x: [x, 1.0][x > 0.0],
])
def test_a_comparison_decides(decide: Callable[[Any], Any]) -> None:
    """Every number goes its own way, whichever was recorded first."""
    for start in range(len(POINTS)):
        f = plainly(decide)
        for x in POINTS[start:] + POINTS[:start]:
            agrees(decide, f, x)


@pytest.mark.parametrize("decide", [
    lambda a: a[np.argmax(a)], lambda a: a[np.argsort(a, kind="stable")][0],
    lambda a: np.sort(a)[1],
    lambda a: np.where(a > 0.5, a, 2.0).sum(), lambda a: a[a > 0.5].sum(), lambda a: a.max(),
    lambda a: np.searchsorted(np.array([0.0, 1.0]), a[0]) + a[1],
    lambda a: np.any(a > 1.0) * a[0], lambda a: np.count_nonzero(a) + a[0],
    lambda a: np.maximum(a, a[::-1]).sum(), lambda a: np.array_equal(a, a[::-1]) + a[0],
    lambda a: np.clip(a, 0.4, 1.5).sum(), lambda a: np.unique(a)[0],
    lambda a: len(np.nonzero(a)[0]) * a[1],
])
def test_numpy_decides(decide: Callable[[Any], Any]) -> None:
    """NumPy compares the Values of an array one by one, also for ties."""
    f = plainly(decide)
    for a, b, c in itertools.product((0.0, 0.5, 1.0, 2.0), repeat=3):
        given, expected = f(np.array([a, b, c])), decide(np.array([a, b, c]))
        # A sum of Values is rounded once.
        assert float(given) == pytest.approx(float(expected), rel=1e-15), (a, b, c)


@pytest.mark.parametrize("unfit", [
    lambda x: float(x), lambda x: [1.0, 2.0][x], lambda x: sum(range(x)),
    lambda x: math.exp(x), lambda x: math.isnan(x), lambda x: np.spacing(x),
    lambda x: np.array([x], dtype=float), lambda x: complex(x),
    lambda x: np.zeros(2).__setitem__(0, x), lambda x: Value(x), lambda x: math.fsum([x]),
    lambda x: np.full(2, 0.5) @ np.array([x, x]).astype(float), lambda x: "ab" * x,
])
def test_a_number_cannot_get_lost(unfit: Callable[[Any], Any]) -> None:
    """What needs a bare number is Python's TypeError, not the number of the recording."""
    with pytest.raises(TypeError):
        plainly(unfit)(1.0)


def test_int_of_the_data_is_an_index() -> None:
    """The index holds for the number that was read."""
    table = [2.0, 3.0, 5.0]
    f = plainly(lambda x: x * table[int(x.data)])
    assert [f(0.5), f(1.5), f(2.5), f(1.5)] == [1.0, 4.5, 12.5, 4.5]


def test_the_sign_of_a_zero_that_was_read_decides() -> None:
    """0.0 == -0.0, so an equality would not tell them apart."""
    f = plainly(lambda x: x + math.copysign(1.0, x.data))
    assert [f(0.0), f(-0.0), f(0.0), f(-0.0)] == [1.0, -1.0, 1.0, -1.0]


def test_nan_that_was_read_decides() -> None:
    """nan != nan, so an equality would never hold."""
    f = plainly(lambda x: 1.0 if math.isnan(x.data) else 2.0)
    assert [f(math.nan), f(1.0), f(math.nan), f(math.nan)] == [1.0, 2.0, 1.0, 1.0]
    assert f.n_recordings == 2


def test_a_loop_counts_by_the_data() -> None:
    """The number of rounds is part of the recording."""
    def f(x: Any, n: Any) -> Any:
        for _ in range(int(n.data)):
            x = x * 0.5 + 1.0
        return x

    compiled = plainly(f)
    assert [compiled(4.0, n) for n in (0, 1, 3, 1)] == [4.0, 3.0, 2.25, 3.0]
    assert compiled.n_recordings == 3


def test_a_loop_runs_until_a_tolerance_is_met() -> None:
    """Newton's method takes another number of rounds for each number."""
    def root(a: Any) -> Any:
        x = a
        while abs(x * x - a) > 1e-12 * a:
            x = 0.5 * (x + a / x)
        return x

    f = plainly(root)
    for a in (2.0, 1e6, 3.0, 1.0, 1e-3, 2.0):
        agrees(root, f, a)
    assert 1 < f.n_recordings <= 5


def test_a_static_argument_counts_a_loop() -> None:
    """It is handed over as it is, and each new one is recorded."""
    f = jit(lambda x, n: sum(x for _ in range(n)), static_argnums=1, backend="python")
    assert [f(2.0, 3), f(2.0, 4), f(3.0, 3)] == [6.0, 8.0, 9.0] and f.n_recordings == 2


@pytest.mark.parametrize("pair", [(1.0, True), (0.0, -0.0), ((1.0,), (True,)), ((1,), (1.0,))],
                         ids=str)
def test_equal_static_arguments_are_told_apart(pair: tuple[Any, Any]) -> None:
    """They are equal, and equal as keys of a dictionary, but not the same."""
    f = jit(lambda x, what: f"{what!r}", static_argnums=1, backend="python")
    for what in (*pair, *pair):
        assert f(1.0, what) == repr(what)


def test_the_more_recordings_are_allowed_the_more_are_made() -> None:
    """Beyond max_recordings the answers stay right; explain() says what to look for."""
    f = jit(lambda x: x * int(x.data), backend="python", max_recordings=3)
    assert [f(float(x)) for x in (*range(6), *range(6))] == [float(x * x) for x in range(6)] * 2
    assert f.n_recordings == 3
    assert "max_recordings" in f.explain() and ".data" in f.explain()


def test_raising_an_error_is_a_branch() -> None:
    """Exceptions that decide: some leave the function, some do not."""
    def f(x: Any) -> Any:
        try:
            if x > 2.0:
                raise StopIteration
            if x < 0.0:
                raise KeyError("negative")
        except StopIteration:
            return x * 10.0
        return x

    compiled = plainly(f)
    for x in (1.0, 3.0, 1.5, 4.0):
        agrees(f, compiled, x)
    for _ in range(2):
        with pytest.raises(KeyError, match="negative"):
            compiled(-1.0)
        agrees(f, compiled, 1.0)
    assert compiled.n_recordings == 2


# --- copies ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy,
                                    lambda v: pickle.loads(pickle.dumps(v))])
def test_a_copy_of_a_value(copied: Callable[[Any], Any]) -> None:
    """A copied leaf holds the number of the recording."""
    weight = Value(3.0, label="w")

    def f(x: Any) -> Any:
        return copied(x) * 2.0 + copied(x * x) + copied(weight)

    compiled = plainly(f)
    for x, number in ((1.5, 3.0), (2.5, 3.0), (2.5, 4.0), (1.5, 4.0)):
        weight.data = number
        assert compiled(x) == 2.0 * x + x * x + number


def test_a_model_is_copied_inside() -> None:
    """Each call works on a new copy, of the same numbers."""
    model = nn.MLP(2, [2, 1], seed=0)
    f = plainly(lambda xs: copy.deepcopy(model)(xs))
    for xs in ([1.0, 2.0], [0.5, -1.0], [1.0, 2.0]):
        assert f(xs) == pytest.approx(model(xs).data, rel=1e-14)
        model.parameters()[0].data = xs[0] + 1.0


# --- arguments and results ------------------------------------------------------------------------

def test_the_caller_changes_what_was_returned() -> None:
    """Each call returns a structure of its own."""
    f = plainly(lambda x: {"y": [x, 1.0], "constant": [2.0, 3.0], "array": np.array([1.0, 2.0]),
                           "mixed": np.array([x, 1.0])})
    expected = f(1.0)
    kept = copy.deepcopy(expected)
    expected["y"].append(9.0)
    expected["constant"].clear()
    expected["array"][0] = 9.0
    expected["mixed"][:] = 9.0
    assert alike(f(1.0), kept)


def test_the_caller_changes_the_arguments_between_calls() -> None:
    """Only the numbers of the call count."""
    xs, table = [1.0, 2.0], {"a": np.array([3.0])}
    f = plainly(lambda xs, table: sum(xs) * table["a"][0])
    agrees(f.function, f, xs, table)
    xs[0] = 5.0
    table["a"][0] = 7.0
    agrees(f.function, f, xs, table)
    xs.append(1.0)
    agrees(f.function, f, xs, table)
    assert f.n_recordings == 2


def test_the_same_list_twice() -> None:
    """Inside they are two lists; changes, which would show it, are refused."""
    xs = [1.0, 2.0]
    f = plainly(lambda a, b: a[0] * b[1])
    assert [f(xs, xs), f([1.0, 2.0], [3.0, 4.0])] == [2.0, 4.0] and f.n_recordings == 1
    refused(lambda a, b: a.append(b[0]), "changes its argument a", xs, xs)


def test_kinds_of_numbers() -> None:
    """int, float and NumPy's scalars are inputs; truth values are not."""
    f = plainly(lambda x, flag=False: x * 2.0 if flag else x + 1.0)
    for x in (1, 1.0, np.float64(1.0), np.float32(1.0), np.int64(1), np.array(1.0)):
        assert float(f(x)) == 2.0
    assert [f(3.0, flag) for flag in (True, False, np.True_)] == [6.0, 4.0, 6.0]
    assert f(3.0, flag=True) == 6.0


def test_a_member_of_an_enumeration_of_ints_is_no_number() -> None:
    """It is an int, but told apart by identity."""
    class Mode(IntEnum):
        FAST = 1
        SLOW = 2

    f = plainly(lambda x, mode: x if mode is Mode.FAST else -x)
    assert [f(1.0, Mode.FAST), f(1.0, Mode.SLOW), f(2.0, Mode.FAST)] == [1.0, -1.0, 2.0]


def test_a_complex_number_keeps_its_imaginary_part() -> None:
    """float() of NumPy's complex numbers drops it; such a number is no input, but a constant."""
    f = plainly(lambda x, z: x * z.imag)
    for z in (1 + 2j, np.complex128(1 + 2j), np.complex64(1 + 3j)):
        agrees(f.function, f, 1.5, z)


@pytest.mark.parametrize("empty", [[], (), {}, np.zeros(0), [[], []]])
def test_empty_arguments(empty: Any) -> None:
    """There is nothing to replay but constants."""
    f = plainly(lambda xs: sum(xs if not isinstance(xs, dict) else xs.values(), start=1.0)
                if not isinstance(xs, list) or not xs else len(xs))
    assert f(empty) == f(empty) == f.function(empty)


def test_keywords_and_defaults() -> None:
    """The same call written in different ways."""
    def f(x: Any, rate: Any = 2.0, *rest: Any, offset: Any = 0.0) -> Any:
        return x * rate + offset + sum(rest)

    compiled = plainly(f)
    assert [compiled(3.0), compiled(3.0, 4.0), compiled(x=3.0), compiled(3.0, rate=4.0),
            compiled(3.0, 4.0, 5.0, 6.0, offset=1.0), compiled(offset=1.0, x=3.0)
            ] == [6.0, 12.0, 6.0, 12.0, 24.0, 7.0]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_arrays_that_are_more_than_their_numbers() -> None:
    """A mask, or another meaning of *, would get lost with the class."""
    f = plainly(lambda a: (a * a).sum())
    for special in (np.ma.masked_array([1.0, 2.0], mask=[True, False]),
                    np.matrix([[1.0, 2.0], [3.0, 4.0]])):
        with pytest.raises(TypeError, match="more than its numbers"):
            f(special)


def test_a_named_tuple_stays_one() -> None:
    """Its fields are used by name."""
    Point = namedtuple("Point", "x y")
    f = plainly(lambda p: Point(p.x * p.y, p.x))
    assert f(Point(2.0, 3.0)) == Point(6.0, 2.0)


@pytest.mark.parametrize("returned", [{1.0}, object(), lambda x: x, (i for i in range(3)), 1j])
def test_results_that_cannot_be_replayed(returned: Any) -> None:
    """A clear error, not the object of the recording."""
    with pytest.raises((TypeError, RecordingError)):
        plainly(lambda x: returned)(1.0)


def test_isinstance_sees_a_value() -> None:
    """As under grad: the function is called with Values, not with floats."""
    f = plainly(lambda x: x * 2.0 if isinstance(x, Value) else x * 3.0)
    assert f(1.0) == 2.0 == f.function(Value(1.0)).data


def test_sets_and_dictionaries_find_values_by_identity() -> None:
    """As without jit: two Values of one number are two keys. A list compares, and is a guard."""
    f = plainly(lambda x: x in {1.0, 2.0})
    assert f(1.0) is f.function(Value(1.0)) is False
    g = plainly(lambda x: x in [1.0, 2.0])
    assert [g(1.0), g(3.0)] == [True, False]


def test_a_value_in_an_argument_makes_it_a_part_of_the_graph() -> None:
    """A float would lose the gradient."""
    x = Value(3.0)
    y = plainly(lambda x, c: x * x * c)(x, 2.0)
    y.backward()
    assert x.grad == 12.0


# --- transforms -----------------------------------------------------------------------------------

def test_grad_in_jit_in_grad() -> None:
    """Every order of the transforms."""
    cube = lambda x: x * x * x
    for f in (grad(plainly(grad(cube))), plainly(grad(grad(cube))), grad(grad(plainly(cube))),
              plainly(lambda x: grad(lambda t: grad(cube)(t) + x)(x))):
        assert [f(2.0), f(3.0)] == [12.0, 18.0]


def test_a_call_inside_of_grad_that_captures_its_argument() -> None:
    """There is no Value among the arguments, but one in the closure: a float would hang on none."""
    weight = Value(3.0)
    assert grad(lambda x: plainly(lambda t: t * x)(2.0) * x)(3.0) == 12.0
    assert grad(lambda x: plainly(lambda t: t * t)(2.0) * x)(3.0) == 4.0
    inner = plainly(lambda t: t * weight)
    total = grad(lambda x: inner(2.0) * x)(5.0)
    assert total.data == 6.0 == inner(2.0)
    assert ag.gradient(total, weight).data == 2.0


def test_grad_inside_by_a_number_of_the_outer_function() -> None:
    """The inner gradient hangs on the outer argument by a variable of the closure."""
    f = plainly(lambda x: grad(lambda t: t * t * x)(3.0))
    assert [f(2.0), f(5.0)] == [12.0, 30.0] and f.n_recordings == 1


def test_a_branch_inside_of_grad_is_a_guard() -> None:
    """The comparison is made on the inner Value."""
    def pieces(x: Any) -> Any:
        return x * x if x > 1.0 else -3.0 * x

    f = plainly(grad(pieces))
    assert [f(2.0), f(0.5), f(3.0), f(1.0)] == [4.0, -3.0, 6.0, -3.0]


def test_the_gradient_graph_is_recorded() -> None:
    """autograd.gradient is what to write in place of backward()."""
    def f(x: Any) -> Any:
        return ag.gradient(ag.exp(x) * x, x)

    compiled = plainly(f)
    for x in (1.0, 2.0):
        assert compiled(x) == pytest.approx(math.exp(x) * (1.0 + x), rel=1e-15)


def test_a_name_scope_inside() -> None:
    """It changes names, not numbers."""
    def f(x: Any) -> Any:
        with ag.name_scope("inner"):
            return x * x

    agrees_twice(f)


def test_an_operation_of_ones_own() -> None:
    """No back end knows it; it is called."""
    with declared("trap_cube", lambda x: x * x * x, lambda x, y: 3.0 * x * x) as row:
        f = jit(lambda x: row(x) + x.trap_cube())
        assert [f(2.0), f(3.0)] == [16.0, 54.0]
        assert grad(f)(2.0) == 24.0


# --- outside a domain -----------------------------------------------------------------------------

def guarded(x: Any) -> Any:
    try:
        return ag.log(x)
    except ValueError:
        return -1.0


def overflowing(x: Any) -> Any:
    try:
        y = ag.exp(x)
    except OverflowError:
        y = 1e300
    return 1.0 / y


def powers(x: Any) -> Any:
    try:
        return x ** -0.5
    except (ValueError, ZeroDivisionError):
        return 7.0 * x


HIDDEN = [
    lambda x: ag.exp(-1.0 / (x * x)), lambda x: ag.tanh(ag.exp(x)), lambda x: 1.0 / (1.0 / x),
    lambda x: ag.minimum(1.0 / x, 5.0), lambda x: ag.where(x > 5.0, ag.log(x), 1.0),
    lambda x: 0.5 if ag.log(x) > 0.0 else 2.0, lambda x: (ag.log(x), 1.0)[1],
    lambda x: ag.atan(ag.sqrt(x) / x), lambda x: ag.sigmoid(x ** -1.0), lambda x: ag.exp(-x ** 2.0),
    lambda x: ag.tanh(ag.atanh(x)), lambda x: 1.0 / ag.cosh(x), lambda x: ag.atan(ag.sin(x) * x),
    lambda x: ag.erf(ag.log1p(x)), lambda x: [1.0 if ag.asin(x) > 9.0 else 2.0, x],
    lambda x: x * 0.0 if ag.acosh(x) > 1.0 else x, lambda x: 1.0 / ag.exp2(x),
    guarded, overflowing, powers]
EXTREME = [0.5, 1.0, 0.0, -0.0, -1.0, 2.0, 1000.0, -1000.0, 1e200, 1e-200, math.inf, -math.inf,
           math.nan, 6.0, 0.5]


@pytest.mark.parametrize("function", HIDDEN)
def test_an_error_that_no_result_shows(function: Callable[[Any], Any], backend: str) -> None:
    """1/0 is inf in a replay, and exp(-inf) is 0: a finite result where the engine raises."""
    for start in (0, 2, 4, 6, 10, 12):
        f = jit(function, backend=backend)
        for x in EXTREME[start:] + EXTREME[:start]:
            given, expected = outcome(f, x), outcome(eagerly(function), x)
            assert given == pytest.approx(expected, rel=1e-14, abs=5e-324, nan_ok=True) if (
                not isinstance(expected, tuple)) else given == expected, (x, given, expected)


def eagerly(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function on a Value with the argument's name, as the eager engine computes it."""
    return lambda x: _plain(function(Value(x, label="x")))


def test_a_caught_error_is_a_branch(backend: str) -> None:
    """Both ways are recorded, once, and rows go their own."""
    points = [0.5, -1.0, 2.0, 0.0, -3.0, 0.5]
    f = jit(guarded, backend=backend)
    for x in points:
        assert outcome(f, x) == pytest.approx(guarded(x), rel=1e-14)
    assert f.n_recordings == 2
    rows = ag.vmap(guarded, backend=backend)(np.array(points))
    assert rows == pytest.approx([guarded(x) for x in points], rel=1e-14)


def test_an_error_in_what_a_gradient_does_not_need(backend: str) -> None:
    """The derivative of log is 1/x, also where there is no logarithm."""
    for function in (ag.log, ag.sqrt, lambda x: ag.log(x) * 2.0, lambda x: ag.atanh(x),
                     lambda x: x ** 1.5, lambda x: x ** 2.0, lambda x: ag.log1p(x)):
        f = jit(grad(function), backend=backend)
        for x in (0.5, -1.0, 0.25, 0.0, 1.0, 1e200, -2.0, 0.75):
            given, expected = outcome(f, x), outcome(grad(function), x)
            assert given == expected or given == pytest.approx(expected, rel=1e-14)


def test_no_guard_where_the_result_shows_it() -> None:
    """Checks cost time; what reaches a result as inf or nan is found there."""
    f = plainly(lambda x, y: ag.log(x) + ag.sqrt(y) * ag.sin(x) / y)
    f(1.0, 2.0)
    assert not f.notes[0].recording.program.guards
    both = plainly(value_and_grad(lambda x: ag.log(x) * x ** 2.0))
    both(2.0)
    assert not both.notes[0].recording.program.guards


def test_an_operation_of_ones_own_has_a_domain() -> None:
    """Nothing is known of it but that it may raise."""
    def caught(x: Any) -> Any:
        try:
            return row(x)
        except ValueError:
            return -1.0

    with declared("trap_root", math.sqrt, lambda x, y: 0.5 / y, safe=(0.1, 2.0)) as row:
        for function in (caught, lambda x: 1.0 if row(x) > 0.5 else 2.0, lambda x: (row(x), x)[1]):
            f = plainly(function)
            for x in (1.0, -1.0, 0.1, 4.0, -2.0):
                agrees(eagerly(function), f, x)


def test_the_error_names_the_argument() -> None:
    """The same message as the eager engine gives for labelled leaves."""
    f = plainly(lambda rate, xs: ag.log(xs[1]) * rate)
    assert f(1.0, [1.0, 1.0]) == 0.0
    with pytest.raises(ValueError, match=r"log is not defined at \(xs\[1\] = -2\.0\)"):
        f(1.0, [1.0, -2.0])
    assert f(1.0, [1.0, 1.0]) == 0.0 and f.n_recordings == 1


def test_an_error_first_and_a_good_call_next() -> None:
    """Nothing of the failed recording is left."""
    f = plainly(lambda x: ag.sqrt(x))
    for _ in range(2):
        with pytest.raises(ValueError, match="sqrt is not defined at"):
            f(-1.0)
    assert f(4.0) == 2.0 and f.n_recordings == 1


NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e-200, 1e200, -1e200, 710.0, -750.0, 0.1, 30.0,
           math.inf, -math.inf, math.nan]


def random_function(generator: random.Random, depth: int) -> Callable[[Any], Any]:
    """A function of two numbers: operations of the table, branches, and errors that are caught."""
    kind = generator.choice("aaaabbbbcti") if depth else generator.choice("xxxc")
    f, g, h = (random_function(generator, depth - 1) if depth else None for _ in range(3))
    unary = generator.choice([row for row in TABLE.values() if row.arity == 1])
    binary = generator.choice([row for row in TABLE.values() if row.arity == 2 and not row.orders])
    number, place = generator.choice(NUMBERS[:14]), generator.randrange(2)

    def caught(x: Any) -> Any:
        try:
            return f(x)
        except DOMAIN_ERRORS:
            return g(x)

    functions: dict[str, Callable[[Any], Any]] = {
        "a": lambda x: unary(f(x)), "b": lambda x: binary(f(x), g(x)), "c": lambda x: number,
        "t": caught, "i": lambda x: g(x) if f(x) < h(x) else h(x), "x": lambda x: x[place]}
    return functions[kind]


@pytest.mark.parametrize("seed", range(60))
def test_random_functions_at_extreme_numbers(seed: int) -> None:
    """The same bits, or the same error, as the eager engine, in whichever order they come."""
    generator = random.Random(seed)
    function = random_function(generator, 4)

    def eager(xs: Any) -> Any:
        return _plain(function([Value(x) for x in xs]))

    def eager_gradient(xs: Any) -> Any:
        leaves = [Value(x) for x in xs]
        nodes = [ag.identity(leaf) for leaf in leaves]
        y = function(nodes)
        return _plain(ag.gradient(y, nodes)) if isinstance(y, Value) else [0.0, 0.0]

    for compiled, expected in ((plainly(function), eager),
                               (plainly(grad(function)), eager_gradient)):
        for _ in range(25):
            agrees(expected, compiled, [generator.choice(NUMBERS) for _ in range(2)])


def test_infinities_and_nan_are_numbers() -> None:
    """They go in and come out as they do without jit."""
    for function in (lambda x: x * 0.0, lambda x: x - x, lambda x: ag.exp(x), lambda x: -x,
                     lambda x: ag.tanh(x), lambda x: [x, 1.0]):
        f = plainly(function)
        for x in (1.0, math.inf, -math.inf, math.nan, 2.0):
            agrees(eagerly(function), f, x)


# --- interruptions and threads --------------------------------------------------------------------

@pytest.mark.parametrize("error", [KeyboardInterrupt, KeyError, SystemExit, RecursionError])
def test_an_interruption_leaves_nothing_switched_on(error: type[BaseException]) -> None:
    """The engine would go on recording everything that follows."""
    interrupt = [True]

    def f(x: Any) -> Any:
        if interrupt[0]:
            raise error
        return x * 2.0

    compiled = plainly(f)
    with pytest.raises(error):
        compiled(1.0)
    assert not switched_on
    y = Value(2.0) * 3.0
    y.backward()
    interrupt[0] = False
    assert compiled(1.5) == 3.0 and compiled.n_recordings == 1


def test_threads_call_one_compiled_function_at_once() -> None:
    """Each gets its own result, also while another one records."""
    rate = 2.0
    f = jit(lambda x: x * rate if x.data < 50.0 else ag.exp(-x) * rate)
    wrong: list[Any] = []

    def work(seed: int) -> None:
        generator = random.Random(seed)
        for _ in range(300):
            x = float(generator.randrange(60))
            expected = x * rate if x < 50.0 else math.exp(-x) * rate
            if not math.isclose(f(x), expected, rel_tol=1e-14):
                wrong.append(x)

    run_all([threading.Thread(target=work, args=(i,)) for i in range(4)])
    assert wrong == []


def test_another_thread_is_not_recorded() -> None:
    """Its comparisons are none of the function's, and it may edit, print and go backward."""
    inside, done = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def f(x: Any) -> Any:
        if not inside.is_set():
            inside.set()
            assert done.wait(10.0)
        return x * 2.0

    def other() -> None:
        try:
            assert inside.wait(10.0)
            leaf = Value(2.0, label="leaf")
            y = ag.log(leaf) if leaf > 1.0 else leaf
            y.backward()
            leaf.data = 3.0
            with ag.no_grad():
                str(leaf)
        except BaseException as error:
            failures.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=other)
    thread.start()
    compiled = jit(f, backend="python")
    given = ag.compiler.trace.tracer.record(f, (1.5,), {})
    thread.join()
    assert failures == [] and given.program.guards == () and compiled(1.5) == 3.0


def test_a_compiled_function_is_called_while_another_thread_records() -> None:
    """It is no part of that recording: floats in, floats out."""
    inside, done = threading.Event(), threading.Event()
    results: list[Any] = []
    inner = jit(lambda x: x.exp(), backend="python")

    def slow(x: Any) -> Any:
        inside.set()
        done.wait(0.2)
        return x * 2.0

    def other() -> None:
        inside.wait(10.0)
        try:
            results.append(inner(0.0))
        except BaseException as error:
            results.append(error)
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    ag.compiler.trace.tracer.record(slow, (1.5,), {})
    thread.join()
    assert results == [1.0]


def test_a_function_that_starts_threads_is_recorded_with_them() -> None:
    """What they decide about its numbers, it decides; and none waits for the other."""
    inner = plainly(lambda x: x * 2.0)

    def halved(x: Any) -> Any:
        return x * 0.5 * inner(1.0) if x > 1.0 else ag.exp(x) / x

    def f(x: Any) -> Any:
        with ThreadPoolExecutor(2) as pool:
            return sum(pool.map(halved, [x, x + 1.0]))

    compiled = plainly(f)
    for x in (2.0, 0.5, -0.5, 2.0, 0.0625, 3.0):
        agrees(f, compiled, x)


def run_all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- sets and keys of Values ----------------------------------------------------------------------

def _most_common(x: Any) -> Any:
    return Counter(x).most_common(1)[0][1] * x[0]


def _distinct(x: Any) -> Any:
    return len(set(x)) * x[0]


def _looked_up(x: Any) -> Any:
    return {1.0: 10.0, 2.0: 20.0}.get(x[0], 0.5) * x[1]


def _first_place(x: Any) -> Any:
    return {v: i for i, v in enumerate(x)}[x[2]] * x[0]


def _in_a_set(x: Any) -> Any:
    return (3.0 if x[0] in {1.0, 2.0} else 0.5) * x[1]


def _remembered(x: Any) -> Any:
    seen: dict[Any, Any] = {}
    return sum(seen.setdefault(v, v * v) for v in (x[0], x[1], x[0]))


@pytest.mark.parametrize(("function", "factor"), [
    (_most_common, 1.0), (_distinct, 3.0), (_looked_up, 0.5), (_first_place, 2.0),
    (_in_a_set, 0.5)])
@pytest.mark.parametrize("backend", ["python", None])
def test_sets_and_keys_go_by_node_as_in_the_eager_engine(
        function: Any, factor: float, backend: str | None) -> None:
    compiled = jit(value_and_grad(function), backend=backend)
    for x in ([1.0, 2.0, 1.0], [2.0, 2.0, 2.0], [1.0, 5.0, 7.0]):
        value, slope = compiled(x)
        place = 1 if function in (_looked_up, _in_a_set) else 0
        assert value == function([Value(number) for number in x]).data == factor * x[place]
        assert slope == [factor if i == place else 0.0 for i in range(3)]


def test_what_is_remembered_by_node_is_right() -> None:
    for x in ([1.0, 1.0], [2.0, 3.0]):
        assert jit(value_and_grad(_remembered))(x) == (2.0 * x[0] ** 2 + x[1] ** 2,
                                                       [4.0 * x[0], 2.0 * x[1]])


def test_in_a_list_goes_by_number() -> None:
    compiled = jit(lambda x: (3.0 if x[0] in [1.0, 2.0] else 0.5) * x[1])
    for x in ([1.0, 7.0], [2.0, 7.0], [1.5, 7.0]):
        assert compiled(x) == (0.5 if x[0] == 1.5 else 3.0) * 7.0
