"""What can be watched is watched by its content; what cannot be is refused."""

from __future__ import annotations

import ctypes
import decimal
import functools
import importlib
import math
import sys
import types
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import autograd as ag
from autograd import RecordingError, Value, jit
from autograd.compiler.trace.contents import fingerprint
from autograd.compiler.trace.joined_checks import ContentCheck

plainly = functools.partial(jit, backend="python")
RATE = 2.0


@dataclass(frozen=True)
class Settings:
    name: str = "a"
    rate: float = field(default=2.0, compare=False)
    inner: Any = field(default=None, compare=False, repr=False)


class Alike:
    """Equal to every other one."""

    def __init__(self, rate: Any) -> None:
        self.rate = rate

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Alike)

    def __hash__(self) -> int:
        return 1


class Slotted(Alike):
    __slots__ = ("rate",)


class Rate(float):
    unit = 1.0


class Count(int):
    unit = 1.0


class Name(str):
    unit = 1.0


class Field(np.ndarray):
    unit = 1.0

    def __array_finalize__(self, other: Any) -> None:
        self.unit = getattr(other, "unit", 1.0)


class Numbers(list[float]):
    unit = 1.0

    def total(self) -> Any:
        return sum(self) * self.unit


class Pair(tuple[float, float]):
    unit = 1.0

    def total(self) -> Any:
        return sum(self) * self.unit


class Table(dict[str, float]):
    unit = 1.0

    def total(self) -> Any:
        return sum(self.values()) * self.unit


def with_unit(item: Any, unit: float) -> Any:
    item.unit = unit
    return item


def field_of(numbers: list[float], unit: float) -> Any:
    return with_unit(np.array(numbers).view(Field), unit)


def same(a: Any, b: Any) -> bool:
    return repr(a) == repr(b) and type(a) is type(b)


# --- arguments ------------------------------------------------------------------------------------

EQUAL: list[tuple[Callable[[Any], Any], Any, Any]] = [
    (lambda s: s.rate, Settings(), Settings(rate=5.0)),
    (lambda s: s.inner[0], Settings(inner=[1.0]), Settings(inner=[4.0])),
    (lambda s: s.inner.rate, Settings(inner=Alike(1.0)), Settings(inner=Alike(4.0))),
    (lambda s: s.rate, Alike(1.0), Alike(3.0)),
    (lambda s: s.rate, Slotted(1.0), Slotted(3.0)),
    (lambda s: math.copysign(1.0, s.rate), Alike(0.0), Alike(-0.0)),
    (lambda s: len(repr(s.rate)), Alike(1), Alike(1.0)),
    (lambda s: len(repr(s.rate)), Alike(True), Alike(1)),
    (lambda s: s.rate["a"], Alike({"a": 1.0}), Alike({"a": 2.0})),
    (lambda s: float(s.rate[1]), Alike(np.array([1.0, 2.0])), Alike(np.array([1.0, 3.0]))),
    (lambda s: len(str(s)), Decimal("1.0"), Decimal("1.00")),
    (lambda s: s.unit, with_unit(Rate(2.0), 3.0), with_unit(Rate(2.0), 5.0)),
    (lambda s: s.unit, with_unit(Count(2), 3.0), with_unit(Count(2), 5.0)),
    (lambda s: s.unit, with_unit(Name("a"), 3.0), with_unit(Name("a"), 5.0)),
    (lambda s: s.unit, field_of([1.0], 3.0), field_of([1.0], 5.0)),
    (lambda s: s.unit, with_unit(Numbers([1.0]), 3.0), with_unit(Numbers([1.0]), 5.0)),
    (lambda s: s.unit, with_unit(Table(a=1.0), 3.0), with_unit(Table(a=1.0), 5.0)),
    (lambda s: sum(len(repr(key)) for key in s), {1: 2.0}, {1.0: 2.0}),
    (lambda s: s["z"] if "z" in s else s.default_factory(), defaultdict(float), defaultdict(int)),
    (lambda s: len(repr(sorted(s))), frozenset([1]), frozenset([1.0])),
]


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("number", range(len(EQUAL)))
def test_equal_arguments_that_hold_something_else(number: int, static: bool) -> None:
    read, one, other = EQUAL[number]
    f = jit(lambda x, s: x * read(s), backend="python", static_argnums=1 if static else ())
    if static and type(one).__hash__ is None:
        with pytest.raises(TypeError, match="hashable"):
            f(1.5, one)
        return
    for _ in range(2):
        for argument in (one, other):
            assert same(float(f(1.5, argument)), 1.5 * read(argument))
    assert f.n_recordings == 2


def test_arguments_of_the_same_content_are_one_recording() -> None:
    f = plainly(lambda x, s: x * s.rate)
    for _ in range(3):
        assert f(1.5, Settings(inner={"a": [1.0]})) == 3.0
        assert f(1.5, Alike(2.0)) == 3.0
    assert f.n_recordings == 2


KINDS: list[Any] = [
    with_unit(Numbers([1.0, 2.0]), 3.0), with_unit(Pair((1.0, 2.0)), 3.0),
    with_unit(Table(a=1.0, b=2.0), 3.0), OrderedDict(a=1.0, b=2.0), Counter(a=1, b=2),
    defaultdict(float, a=1.0), field_of([1.0, 2.0], 3.0), with_unit(Rate(2.0), 3.0),
    with_unit(Count(2), 3.0)]


@pytest.mark.parametrize("argument", KINDS, ids=lambda argument: type(argument).__name__)
def test_arguments_of_subclasses_arrive_as_what_they_are(argument: Any) -> None:
    seen: list[Any] = []

    def f(s: Any, x: Any) -> Any:
        assert type(s) is type(argument) and getattr(s, "unit", 3.0) == 3.0
        if hasattr(s, "total"):
            return s.total() * x
        if isinstance(s, dict):
            return sum(s.values()) * x + len(s)
        return np.sum(s) * x if isinstance(s, np.ndarray) else s * x

    compiled = plainly(f)
    for _ in range(2):
        assert compiled(argument, 2.0) == float(f(argument, 2.0))
    assert compiled.n_recordings == 1 and seen == []
    assert ag.grad(compiled, 1)(argument, 2.0) == float(f(argument, 1.0) - (
        len(argument) if isinstance(argument, dict) and not hasattr(argument, "total") else 0))


def test_a_method_of_a_subclass_is_called_with_values() -> None:
    f = plainly(lambda s: s.total())
    assert f(Numbers([1.0, 2.0])) == 3.0 and f(Numbers([1.0, 5.0])) == 6.0
    assert f(with_unit(Numbers([1.0, 2.0]), 3.0)) == 9.0
    assert f.n_recordings == 2
    slopes = ag.grad(f)(with_unit(Numbers([1.0, 2.0]), 3.0))
    assert type(slopes) is Numbers and list(slopes) == [3.0, 3.0]


def test_results_of_subclasses_come_back_as_what_they_are() -> None:
    def f(x: Any) -> Any:
        return [with_unit(Numbers([x, 1.0]), 3.0), with_unit(Pair((x, 1.0)), 3.0),
                with_unit(Table(a=x), 3.0), field_of([1.0], 4.0) * x]

    compiled = plainly(f)
    for x in (1.0, 2.0):
        given, expected = compiled(x), f(x)
        assert [type(part) for part in given] == [type(part) for part in expected]
        assert [part.unit for part in given] == [3.0, 3.0, 3.0, 4.0]
        assert [list(part) for part in given] == [list(part) for part in expected]


def test_a_value_in_an_attribute_of_a_result_is_refused() -> None:
    with pytest.raises(TypeError, match="a Numbers with a Value in its attribute unit"):
        plainly(lambda x: with_unit(Numbers([x]), x))(1.0)


def test_a_mask_in_a_result_stays() -> None:
    f = plainly(lambda x: np.ma.masked_array([x, x * 2.0], mask=[True, False]))
    for x in (1.0, 2.0):
        given = f(x)
        assert given.mask.tolist() == [True, False] and given.sum() == 2.0 * x


# --- captured -------------------------------------------------------------------------------------

def agrees_after(function: Callable[[Any], Any], *changes: Callable[[], Any]) -> None:
    compiled = plainly(function)
    for change in (lambda: None, *changes):
        change()
        for x in (1.5, 1.5, -0.5):
            assert same(float(compiled(x)), float(function(x)))
    assert compiled.n_recordings == 1 + len(changes)
    assert compiled(2.5) == function(2.5) and compiled.n_recordings == 1 + len(changes)


@pytest.mark.parametrize("item", [Rate(2.0), Count(2), Name("a"), Numbers([1.0]), Table(a=1.0),
                                  Pair((1.0, 2.0)), field_of([1.0], 1.0)],
                         ids=lambda item: type(item).__name__)
def test_an_attribute_of_a_captured_subclass_changes(item: Any) -> None:
    held = [item]
    agrees_after(lambda x: x * item.unit * held[0].unit, lambda: setattr(item, "unit", 5.0))
    agrees_after(lambda x: x * item.unit, lambda: setattr(type(item), "other", 5.0),
                 lambda: setattr(item, "unit", 7.0))
    del type(item).other


def test_a_variable_is_bound_to_an_equal_number_of_a_class_of_its_own() -> None:
    rate: Any = with_unit(Rate(2.0), 3.0)

    def change() -> None:
        nonlocal rate
        rate = with_unit(Rate(2.0), 5.0)

    agrees_after(lambda x: x * rate.unit, change)


def test_a_mask_or_a_field_changes() -> None:
    masked = np.ma.masked_array([1.0, 2.0], mask=[False, False])
    agrees_after(lambda x: x * masked.sum(), lambda: masked.__setitem__(0, np.ma.masked),
                 lambda: setattr(masked, "mask", [False, True]),
                 lambda: masked.data.__setitem__(0, 7.0))
    records = np.array([(1.0, 2)], dtype=[("rate", float), ("n", int)])
    agrees_after(lambda x: x * records["rate"][0], lambda: records["rate"].__setitem__(0, 5.0))
    mixed = np.array([(1.0, [2.0])], dtype=[("rate", float), ("list", object)])
    agrees_after(lambda x: x * mixed["rate"][0] + mixed["list"][0][0],
                 lambda: mixed["rate"].__setitem__(0, 5.0),
                 lambda: mixed["list"][0].__setitem__(0, 9.0))
    named = np.rec.array([(1.0,)], dtype=[("rate", float)])
    agrees_after(lambda x: x * named.rate[0], lambda: named.rate.__setitem__(0, 5.0))


def test_a_type_of_numbers_is_read_anew() -> None:
    numbers = np.array([1.0, 2.0])
    agrees_after(lambda x: x * float(numbers[0]), lambda: setattr(numbers, "dtype", np.int64))


def test_names_in_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "RA" + "TE"
    for function in (lambda x: x * eval("RATE * 1.0"), lambda x: x * eval(name),
                     lambda x: x * globals()[name], lambda x: x * vars(sys.modules[__name__])[name],
                     lambda x: x * getattr(importlib.import_module(__name__), name)):
        monkeypatch.setitem(globals(), "RATE", 2.0)
        agrees_after(function, lambda: monkeypatch.setitem(globals(), "RATE", 5.0))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A package of the user's own with a module inside, imported."""
    folder = tmp_path / "package_of_a_trap"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "settings.py").write_text("RATE = 2.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("package_of_a_trap.settings")
    for name in ("package_of_a_trap", "package_of_a_trap.settings"):
        sys.modules.pop(name, None)


def test_a_module_is_found_by_its_whole_name(package: Any) -> None:
    name = package.__name__
    for function in (
            lambda x: x * importlib.import_module("package_of_a_trap.settings").RATE,
            lambda x: x * sys.modules["package_of_a_trap.settings"].RATE,
            lambda x: x * importlib.import_module(name).RATE,
            lambda x: x * __import__(name, fromlist=["RATE"]).RATE):
        package.RATE = 2.0
        agrees_after(function, lambda: setattr(package, "RATE", 5.0))


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An installed package with state of its own."""
    from autograd.compiler.trace import outside, purity

    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "library_of_a_trap.py").write_text('''
class Config:
    def __init__(self):
        self.scale = 1.0
_rate, _options, config = 2.0, {"rate": 1.0}, Config()
_cache = {}
def set_rate(rate):
    global _rate
    _rate = rate
def scaled(x):
    _cache[len(_cache)] = 1
    return inner(x) * _options["rate"]
def inner(x):
    return x * _rate * config.scale
''')
    monkeypatch.syspath_prepend(str(folder))
    libraries = (*purity.LIBRARIES, str(folder))
    monkeypatch.setattr(purity, "LIBRARIES", libraries)
    monkeypatch.setattr(outside, "LIBRARIES", libraries)
    yield importlib.import_module("library_of_a_trap")
    sys.modules.pop("library_of_a_trap", None)


def test_the_state_of_an_installed_package_changes(library: Any) -> None:
    agrees_after(lambda x: library.scaled(x), lambda: library.set_rate(5.0),
                 lambda: library._options.update(rate=3.0),
                 lambda: setattr(library.config, "scale", 4.0))


def test_what_one_branch_calls_of_a_package_is_watched_after_another_was_recorded(
        library: Any) -> None:
    f = jit(lambda x: library.inner(x) if x > 0.0 else library.scaled(x))
    assert f(-2.0) == library.scaled(-2.0)
    assert f(2.0) == library.inner(2.0)
    library._options["rate"] = 7.0  # which inner does not read
    assert f(-2.0) == library.scaled(-2.0)
    library.set_rate(5.0)
    assert (f(2.0), f(-2.0)) == (library.inner(2.0), library.scaled(-2.0))
    library.config.scale = 9.0
    assert f(2.0) == library.inner(2.0)


def test_settings_of_libraries_change() -> None:
    context, limit = decimal.getcontext(), sys.getrecursionlimit()
    third, errors, options = Decimal(1), np.geterr(), np.get_printoptions()
    precision = mpmath.mp.dps
    try:
        agrees_after(lambda x: x * len(str(third / 3)), lambda: setattr(context, "prec", 9))
        agrees_after(lambda x: x * decimal.getcontext().prec, lambda: setattr(context, "prec", 20))
        agrees_after(lambda x: x * float(mpmath.sqrt(2)), lambda: setattr(mpmath.mp, "dps", 3))
        agrees_after(lambda x: x * float(mpmath.mpf(1) / 3), lambda: setattr(mpmath.mp, "dps", 4))
        agrees_after(lambda x: x * len(np.geterr()["divide"]), lambda: np.seterr(divide="ignore"))
        agrees_after(lambda x: x * len(np.array_str(np.array([1.0 / 3.0]))),
                     lambda: np.set_printoptions(precision=3))
        agrees_after(lambda x: x * sys.getrecursionlimit(),
                     lambda: sys.setrecursionlimit(2 * limit))
    finally:
        context.prec, mpmath.mp.dps = 28, precision
        np.seterr(**errors)
        np.set_printoptions(**options)
        sys.setrecursionlimit(limit)


def test_an_array_is_thawed_edited_and_frozen_again() -> None:
    numbers = np.ones(2)
    numbers.flags.writeable = False

    def change() -> None:
        numbers.flags.writeable = True
        numbers[0] = 9.0
        numbers.flags.writeable = False

    agrees_after(lambda x: x * numbers[0], change)


def test_reading_numbers_that_are_computed_on_the_fly_is_no_change() -> None:
    precision = mpmath.mp.dps
    f = lambda x: x * mpmath.mp.dps * float(mpmath.mp.eps > 0)
    try:
        agrees_after(f, lambda: setattr(mpmath.mp, "dps", precision + 15))
    finally:
        mpmath.mp.dps = precision


class Opaque:
    """As pandas does it: an array-like of an installed package, with a state that pickle knows."""

    __slots__ = ("_held",)
    __module__ = "mpmath"

    def __init__(self, numbers: list[float]) -> None:
        self._held = memoryview(np.array(numbers))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self._held)

    def __reduce__(self) -> Any:
        return Opaque, (self._held.tolist(),)


def test_an_array_like_is_watched_by_what_it_pickles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mpmath, "Opaque", Opaque, raising=False)
    item = Opaque([1.0, 2.0])
    agrees_after(lambda x: x * np.asarray(item)[0], lambda: item._held.__setitem__(0, 5.0))


@pytest.mark.parametrize("make", [
    ctypes.pointer, lambda held: ctypes.cast(ctypes.byref(held), ctypes.c_void_p),
    lambda held: types.SimpleNamespace(inner=[ctypes.pointer(held)])])
def test_a_pointer_is_refused(make: Callable[[Any], Any]) -> None:
    pointer = make(ctypes.c_double(2.0))
    with pytest.raises(RecordingError, match=r"captures the ctypes pointer .*pass the numbers"):
        plainly(lambda x: x * (0.0 if pointer is None else 1.0))(1.5)


def test_memory_of_ctypes_is_watched() -> None:
    number, numbers = ctypes.c_double(2.0), (ctypes.c_double * 2)(1.0, 2.0)
    agrees_after(lambda x: x * number.value + numbers[1], lambda: setattr(number, "value", 5.0),
                 lambda: numbers.__setitem__(1, 7.0))


def test_fingerprints() -> None:
    circle: list[Any] = [1.0]
    circle.append(circle)
    assert fingerprint(circle) == fingerprint(circle)
    assert fingerprint(Alike(math.nan)) == fingerprint(Alike(math.nan))
    assert hash(fingerprint(Alike({"a": [1.0], "b": {2.0}}))) == hash(
        fingerprint(Alike({"a": [1.0], "b": {2.0}})))
    weight = Value(1.0)
    assert fingerprint([weight]) != fingerprint([Value(1.0)])


@pytest.mark.parametrize("transform", [ag.grad, ag.value_and_grad, ag.hessian])
def test_what_the_engine_keeps_for_itself_is_not_looked_at_at_each_call(transform: Any) -> None:
    function = plainly(transform(lambda x: x * x))
    function(1.5)
    (known,) = function._known.values()
    assert known.watch._checks
    assert not any(isinstance(check, ContentCheck) for _, check in known.watch._checks)
