"""What objects written in C hold is watched, too, and what nobody can see is refused."""

from __future__ import annotations

import contextvars
import ctypes
import decimal
import functools
import importlib
import math
import os
import sys
import time
import types
import weakref
from collections import OrderedDict, UserDict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
import pytest

import autograd as ag
from autograd import RecordingError, Value
from tests.compiler.trace.test_contents import agrees_after, plainly

NUMBER = SimpleNamespace(rate=2.0)


# --- results that are kept ------------------------------------------------------------------------

def test_a_cache_is_cleared() -> None:
    @functools.lru_cache
    def rate() -> float:
        return float(NUMBER.rate)

    def clear(now: float) -> None:
        NUMBER.rate = now
        rate.cache_clear()
        rate()  # as full as before, with another number

    function = lambda x: x * rate()
    compiled = plainly(function)
    for now in (2.0, 3.0, 5.0):
        clear(now)
        assert [compiled(1.5), compiled(1.5)] == [1.5 * now, 1.5 * now]
    NUMBER.rate = 7.0
    assert compiled(1.5) == function(1.5) == 1.5 * 5.0  # as the cache has it


def test_the_field_of_a_named_tuple_changes() -> None:
    class Rates(NamedTuple):
        low: float
        high: float

    rates = Rates(2.0, 3.0)
    function = lambda x: x * rates.low * len(str(Rates.low.__doc__))  # type: ignore[attr-defined]
    compiled = plainly(function)
    assert compiled(1.5) == function(1.5)
    Rates.low.__doc__ = "lower"  # type: ignore[attr-defined]
    assert compiled(1.5) == function(1.5) == 1.5 * 2.0 * 5
    Rates.low = Rates.high  # type: ignore[misc]
    Rates.low.__doc__ = "lower"  # type: ignore[attr-defined]
    assert compiled(1.5) == function(1.5) == 1.5 * 3.0 * 5


def test_a_result_falls_out_of_a_cache() -> None:
    rates = {1: 2.0, 2: 3.0, 3: 4.0}

    @functools.lru_cache(maxsize=2)
    def rate(key: int) -> float:
        return rates[key]

    compiled = plainly(lambda x: x * rate(1))
    assert compiled(1.5) == 3.0
    rates[1] = 5.0
    assert compiled(1.5) == 3.0
    assert rate(2) + rate(3) == 7.0
    assert compiled(1.5) == 7.5


def test_a_cache_that_loses_what_it_was_asked_is_no_change() -> None:
    @functools.lru_cache(maxsize=1)
    def rate(key: int) -> float:
        return float(key)

    compiled = plainly(lambda x: x * rate(1) + rate(2))
    assert [compiled(1.5), compiled(2.5), rate(7), compiled(1.5)] == [3.5, 4.5, 7.0, 3.5]


# --- what stands for something else ---------------------------------------------------------------

@pytest.mark.parametrize("kind", [dict, OrderedDict])
def test_a_view_of_a_dictionary_changes(kind: Any) -> None:
    rates = kind(a=1.0, b=2.0)
    for view in (rates.values(), types.MappingProxyType(rates).values()):
        rates["a"] = 1.0
        agrees_after(lambda x, view=view: x * sum(view), lambda: rates.update(a=7.0))
    items, keys = rates.items(), rates.keys()
    agrees_after(lambda x: x * sum(rate for _, rate in items) * len(keys),
                 lambda: rates.update(b=9.0), lambda: rates.update(c=1.0))


def test_what_a_weak_proxy_stands_for_changes() -> None:
    holder = SimpleNamespace(rate=2.0)

    class Holder:
        rate = 2.0

    proxy, held = weakref.proxy(instance := Holder()), [holder]
    agrees_after(lambda x: x * proxy.rate * held[0].rate, lambda: setattr(instance, "rate", 5.0))


def test_a_mapping_of_ones_own_behind_a_proxy_changes() -> None:
    rates: Any = UserDict(a=2.0)
    proxy = types.MappingProxyType(rates)
    agrees_after(lambda x: x * proxy["a"], lambda: rates.update(a=5.0))


def test_the_variables_of_a_captured_context_change() -> None:
    rate: contextvars.ContextVar[float] = contextvars.ContextVar("rate")
    rate.set(2.0)
    context = contextvars.copy_context()
    agrees_after(lambda x: x * context[rate], lambda: context.run(rate.set, 5.0))


def test_containers_that_say_something_else_of_themselves() -> None:
    class Silent(dict[str, float]):
        def values(self) -> Any:
            return ()

        def __iter__(self) -> Any:
            return iter(())

    class Empty(list[float]):
        def __iter__(self) -> Any:
            return iter(())

    table, numbers = Silent(a=2.0), Empty([2.0])
    agrees_after(lambda x: x * table["a"] + numbers[0], lambda: table.update(a=5.0),
                 lambda: numbers.__setitem__(0, 7.0))


# --- what has no attributes -----------------------------------------------------------------------

def test_objects_of_python_that_are_written_in_c_change() -> None:
    element = ElementTree.fromstring('<model rate="2.0">3.0</model>')
    agrees_after(lambda x: x * float(element.text or 0.0) + float(element.get("rate", "")),
                 lambda: setattr(element, "text", "5.0"), lambda: element.set("rate", "7.0"))
    context = decimal.Context(prec=5)
    agrees_after(lambda x: x * float(context.divide(1, 3)), lambda: setattr(context, "prec", 3))
    error = ValueError(2.0)
    error.__cause__ = KeyError(3.0)
    agrees_after(lambda x: x * error.args[0] + error.__cause__.args[0],  # type: ignore[union-attr]
                 lambda: setattr(error, "args", (5.0,)),
                 lambda: setattr(error, "__cause__", KeyError(4.0)))
    made = functools.partial(lambda rate, x: x * rate, 2.0)
    agrees_after(lambda x: made(x), lambda: made.__setstate__(  # type: ignore[attr-defined]
        (made.func, (5.0,), {}, {})))


def test_a_row_of_a_table_shares_its_memory() -> None:
    table = np.array([(1.0, 2)], dtype=[("rate", float), ("n", int)])
    row, rows = table[0], (table[0],)
    agrees_after(lambda x: x * row["rate"] + rows[0]["n"],
                 lambda: table["rate"].__setitem__(0, 5.0), lambda: table["n"].__setitem__(0, 7))
    mixed = np.array([([2.0],)], dtype=[("list", object)])
    item = mixed[0]
    agrees_after(lambda x: x * item["list"][0], lambda: mixed["list"][0].__setitem__(0, 5.0),
                 lambda: mixed["list"].__setitem__(0, [7.0]))


def test_the_fields_of_a_table_get_other_names() -> None:
    table = np.array([(1.0, 2.0)], dtype=[("a", float), ("b", float)])
    agrees_after(lambda x: x * table["a"][0],
                 lambda: setattr(table.dtype, "names", ("b", "a")))


def test_an_array_file_that_is_open(tmp_path: Path) -> None:
    np.savez(tmp_path / "rates.npz", rates=np.array([2.0]))
    with np.load(tmp_path / "rates.npz") as rates, \
            pytest.raises(RecordingError, match=r"the iterator rates\.fid"):
        plainly(lambda x: x * rates["rates"][0])(1.5)


# --- what functions, classes and modules say of themselves ----------------------------------------

def test_a_description_changes() -> None:
    def helper(x: Any) -> Any:
        """2.0"""

    class Model:
        """2.0"""

        __rate__ = 2.0

    agrees_after(lambda x: x * float(helper.__doc__ or ""),
                 lambda: setattr(helper, "__doc__", "5.0"))
    agrees_after(lambda x: x * len(helper.__name__), lambda: setattr(helper, "__name__", "h"))
    agrees_after(lambda x: x * len(helper.__annotations__),
                 lambda: helper.__annotations__.update(y=Any))
    model = Model()
    agrees_after(lambda x: x * model.__dict__.get("rate", 2.0) * Model.__dict__["__rate__"],
                 lambda: setattr(model, "rate", 3.0), lambda: setattr(Model, "__rate__", 4.0))
    agrees_after(lambda x: x * Model.__rate__ * float(Model.__doc__ or ""),
                 lambda: setattr(Model, "__doc__", "5.0"), lambda: setattr(Model, "__rate__", 7.0))


def test_a_class_gets_other_bases() -> None:
    class One:
        rate = 2.0

    class Other:
        rate = 5.0

    class Model(One):
        pass

    model = Model()
    agrees_after(lambda x: x * model.rate, lambda: setattr(Model, "__bases__", (Other,)))


@pytest.mark.parametrize("module, name", [(math, "sqrt"), (np, "mean"), (np.linalg, "det"),
                                          (ag, "tanh")])
def test_a_function_of_a_library_is_replaced(module: Any, name: str,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    call = {"sqrt": lambda x: x * math.sqrt(4.0), "mean": lambda x: x * np.mean([1.0, 2.0]),
            "det": lambda x: x * np.linalg.det([[2.0]]), "tanh": lambda x: ag.tanh(x)}[name]
    compiled = plainly(call)
    assert compiled(1.5) == float(call(1.5))
    monkeypatch.setattr(module, name, lambda x: 7.0)
    assert compiled(1.5) == call(1.5) in (7.0, 10.5)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the user's own."""
    made: Any = types.ModuleType("module_of_a_trap")
    made.rate = 2.0
    monkeypatch.setitem(sys.modules, "module_of_a_trap", made)
    return made


def test_a_name_that_is_put_together(module: Any) -> None:
    one, other = "ra", "te"
    for function in (lambda x: x * getattr(module, one + other),
                     lambda x: x * getattr(module, f"{one}te"),
                     lambda x: x * sum(vars(module)[name] for name in vars(module)
                                       if not name.startswith("__")),
                     lambda x: x * importlib.import_module(
                         "_".join(["module", "of", "a", "trap"])).rate):
        module.rate = 2.0
        agrees_after(function, lambda: setattr(module, "rate", 5.0))
    agrees_after(lambda x: x * len(vars(module)), lambda: setattr(module, "other", 1.0))


# --- the environment ------------------------------------------------------------------------------

@pytest.mark.parametrize("read", [
    lambda: len(os.path.expanduser("~")), lambda: len(str(Path.home())),
    lambda: len(os.path.expandvars("$HOME")), lambda: len(os.getenvb(b"HOME") or b"")])
def test_the_environment_is_read_by_a_function_of_pythons(
        read: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/a")
    agrees_after(lambda x: x * read(), lambda: monkeypatch.setenv("HOME", "/abc"))


@pytest.mark.parametrize("read", [
    lambda: datetime.fromtimestamp(0).hour, lambda: time.mktime((2020, 1, 1, 0, 0, 0, 0, 0, 0)),
    lambda: datetime(2020, 1, 1).timestamp(), lambda: time.timezone])
def test_the_time_zone_changes(read: Callable[[], float], monkeypatch: pytest.MonkeyPatch) -> None:
    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    set_zone("UTC")
    try:
        agrees_after(lambda x: x * read(), lambda: set_zone("Asia/Tokyo"))
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


# --- what nobody can see --------------------------------------------------------------------------

class Holder(ctypes.Structure):
    _fields_ = (("n", ctypes.c_int), ("rates", ctypes.POINTER(ctypes.c_double) * 2))


@pytest.mark.parametrize("item", [Holder(), (Holder * 2)(), ctypes.py_object([2.0])])
def test_a_pointer_inside_is_refused(item: Any) -> None:
    with pytest.raises(RecordingError, match=r"captures the ctypes pointer .*pass the numbers"):
        plainly(lambda x: x * (0.0 if item is None else 1.0))(1.5)


def test_a_function_of_ctypes_is_refused() -> None:
    library = ctypes.CDLL(None)
    for call in (lambda: library.getpid(), library.getpid):
        with pytest.raises(RecordingError, match=r"lets .*\(of ctypes\) be called where nobody"):
            plainly(lambda x, call=call: x * call())(1.5)


def test_a_structure_without_pointers_is_watched() -> None:
    class Rates(ctypes.Structure):
        _fields_ = (("one", ctypes.c_double), ("more", ctypes.c_double * 2))

    rates = Rates(2.0, (3.0, 4.0))
    agrees_after(lambda x: x * rates.one + rates.more[1], lambda: setattr(rates, "one", 5.0),
                 lambda: rates.more.__setitem__(1, 7.0))


def test_the_label_of_a_captured_value_changes() -> None:
    weight = Value(2.0, label="w")
    compiled = plainly(lambda x: x * len(weight.label) + weight)
    assert compiled(1.5) == 3.5
    weight.label = "weight"
    assert compiled(1.5) == 11.0
