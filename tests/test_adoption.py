"""adopt: packages, modules and functions written for floats and math, run on Values."""

from __future__ import annotations

import colorsys
import functools
import importlib
import math
import statistics
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from math import exp as exponential
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value, adopt, grad, jit, value_and_grad

Make = Callable[..., str]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Writes a package, of files by name, and returns its name; it is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def make(**files: str) -> str:
        name = f"written_{len(made)}_{tmp_path.name.replace('-', '_')}"
        for path, text in files.items():
            place = tmp_path / name / f"{path.replace('__in__', '/')}.py"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(textwrap.dedent(text).replace("PACKAGE", name))
        (tmp_path / name / "__init__.py").touch()
        importlib.invalidate_caches()
        made.append(name)
        return name

    yield make
    for name in [each for each in sys.modules if each.partition(".")[0] in made]:
        del sys.modules[name]


# How a package may come by its functions; each defines f, which is exp(x) * x.
HABITS: dict[str, dict[str, str]] = {
    "import math": {"__init__": "import math\ndef f(x): return math.exp(x) * x\n"},
    "import math as m": {"__init__": "import math as m\nf = lambda x: m.exp(x) * x\n"},
    "from math import": {"__init__": "from math import exp\ndef f(x): return exp(x) * x\n"},
    "from math import as": {"__init__": "from math import exp as e\ndef f(x): return e(x) * x\n"},
    "from math import star": {"__init__": "from math import *\ndef f(x): return exp(x) * x\n"},
    "import inside": {"__init__": """
        def f(x):
            import math
            from math import exp
            return exp(x) * x * math.pi / math.pi
        """},
    "a pattern": {"__init__": """
        import math
        def f(x):
            match x:
                case int(): return 0.0
                case float(y): return math.exp(y) * x
                case _: raise TypeError
        """},
    "__class__": {"__init__": """
        import math
        def f(x):
            return math.exp(x) * (x if x.__class__ is float else [])
        """},
    "from . import": {"__init__": "from . import a\ndef f(x): return a.g(x)\n",
                      "a": "import math\ndef g(x): return math.exp(x) * x\n"},
    "from .a import": {"__init__": "from .a import g as f\n",
                       "a": "import math\ndef g(x): return math.exp(x) * x\n"},
    "from .a import star": {"__init__": "from .a import *\n",
                            "a": "import math\n__all__ = ['f']\n"
                                 "def f(x): return math.exp(x) * x\n"},
    "from ..b import": {"__init__": "from .deep.a import f\n", "deep__in__a": "from ..b import f\n",
                        "b": "import math\ndef f(x): return math.exp(x) * x\n"},
    "import package.a": {"__init__": "import PACKAGE.a\ndef f(x): return PACKAGE.a.g(x)\n",
                         "a": "import math\ndef g(x): return math.exp(x) * x\n"},
    "import package.a as": {"__init__": "import PACKAGE.a as b\ndef f(x): return b.g(x)\n",
                            "a": "import math\ndef g(x): return math.exp(x) * x\n"},
    "import_module": {"__init__": """
        import importlib
        a = importlib.import_module(".a", __package__)
        def f(x): return a.g(x) * importlib.import_module("math").exp(x)
        """, "a": "def g(x): return 1.0 * x\n"},
    "circular imports": {"__init__": "from .a import f\n", "b": "from . import a\n"
                         "def half(x): return a.whole(x)\n",
                         "a": "import math\nfrom . import b\ndef f(x): return b.half(x)\n"
                              "def whole(x): return math.exp(x) * x\n"},
    "imported at the call": {"__init__": "def f(x):\n    from .a import g\n    return g(x)\n",
                             "a": "import math\ndef g(x): return math.exp(x) * x\n"},
    "a table of functions": {"__init__": """
        import math
        TABLE = {"exp": math.exp, "id": lambda x: x}
        def f(x): return TABLE["exp"](x) * TABLE["id"](x)
        """},
    "a default": {"__init__": "import math\ndef f(x, e=math.exp): return e(x) * x\n"},
    "a closure": {"__init__": """
        import math
        def make(e):
            def f(x): return e(x) * x
            return f
        f = make(math.exp)
        """},
    "a partial": {"__init__": "import functools, math\n"
                              "f = functools.partial(lambda e, x: e(x) * x, math.exp)\n"},
    "a decorator": {"__init__": """
        import functools
        from math import exp
        def twice(function):
            @functools.wraps(function)
            def wrapped(x): return function(x) + function(x)
            return wrapped
        @twice
        def f(x): return exp(x) * x / 2.0
        """},
    "lru_cache": {"__init__": """
        from functools import lru_cache
        import math
        @lru_cache(maxsize=8)
        def f(x): return math.exp(x) * x
        """},
    "a class": {"__init__": """
        import math
        from dataclasses import dataclass
        @dataclass
        class Curve:
            x: float
            scale: "float" = 1.0
            @property
            def height(self): return math.exp(self.x) * self.scale
            @classmethod
            def at(cls, x): return cls(x)
            @staticmethod
            def exp(x): return math.exp(x)
        class Deeper(Curve):
            def value(self): return super().at(self.x).height * self.x
        def f(x): return Deeper.at(x).value()
        """},
    "isinstance": {"__init__": """
        import math
        def f(x):
            if not isinstance(x, (int, float)) or not isinstance(x, float | int):
                raise TypeError("a number is wanted")
            return math.exp(x) * x if isinstance(x, float) and not isinstance(x, str) else None
        """},
    "float of it": {"__init__": """
        import math
        def f(x):
            "A doc."
            x = float(x)
            assert type(x) is float and type(x) in (int, float) and type(x) == float
            assert type(float("1.5")) is float and float() == 0.0 and type("a") is str
            return math.exp(x) * x
        class Named(type):
            pass
        class Number(float, metaclass=Named):
            def __new__(cls, x): return super().__new__(cls, float(x))
        assert isinstance(Number(2.0), float) and float.fromhex("0x1p0") == 1.0
        """},
    "float of its own": {"__init__": """
        import math
        def float(x): return x
        def f(x, type=lambda x: "mine"):
            assert type(x) == "mine"
            return float(math.exp(x) * x)
        """},
    "numbers.Real": {"__init__": """
        import math, numbers
        def f(x):
            assert isinstance(x, numbers.Real)
            return math.exp(x) * x
        """},
    "a test of math": {"__init__": """
        import math
        def f(x): return math.exp(x) * x if math.isfinite(x) and x > -1e9 else math.inf
        """},
    "a module __getattr__": {"__init__": """
        def __getattr__(name):
            if name == "f":
                from .a import g
                return g
            raise AttributeError(name)
        """, "a": "import math\ndef g(x): return math.exp(x) * x\n"},
}


@pytest.mark.parametrize("habit", HABITS)
def test_each_habit_is_adopted_and_the_original_stays(habit: str, package: Make) -> None:
    name = package(**HABITS[habit])
    original = importlib.import_module(name)
    before = {each: id(module) for each, module in sys.modules.items()}
    adopted = adopt(name)
    expected, slope = math.exp(0.7) * 0.7, math.exp(0.7) * 1.7
    assert adopted.f(0.7) == pytest.approx(expected, rel=1e-15)
    assert adopted.f(Value(0.7)).data == pytest.approx(expected, rel=1e-15)
    assert grad(lambda x: adopted.f(x))(0.7) == pytest.approx(slope, rel=1e-14)
    compiled = jit(lambda x: adopted.f(x))
    assert [compiled(x) for x in (0.7, 0.7, -0.2)] == pytest.approx(
        [expected, expected, math.exp(-0.2) * -0.2], rel=1e-15)
    with pytest.raises(TypeError):
        original.f(Value(0.7))
    assert original.f(0.7) == pytest.approx(expected, rel=1e-15)
    changed = {each for each, module in sys.modules.items() if before.get(each) != id(module)}
    assert not {each for each in changed if each in before}
    assert all(not isinstance(each, ModuleType) or each is not ag.math
               for each in vars(original).values())


def test_a_second_call_returns_the_same_copy(package: Make) -> None:
    name = package(__init__="COUNT = []\n", a="from . import COUNT\nCOUNT.append(1)\n")
    first = adopt(name)
    assert adopt(importlib.import_module(name)) is first
    assert adopt(f"{name}.a").COUNT == adopt(f"{name}.a").COUNT == [1]
    assert adopt(f"{name}.a").COUNT is first.COUNT


def test_another_package_is_adopted_when_it_is_named(package: Make) -> None:
    inner = package(__init__="import math\ndef g(x): return math.exp(x)\n")
    outer = package(__init__=f"from {inner} import g as f\n")
    with pytest.raises(TypeError, match=r"math\.exp of a Value"):
        adopt(outer).f(Value(1.0))
    assert adopt(outer, also=[inner]).f(Value(1.0)).data == math.e
    with pytest.raises(TypeError, match="sequence of names"):
        adopt(outer, also=inner)


def test_a_module_that_fails_leaves_nothing_behind(package: Make) -> None:
    name = package(a="from . import b\n", b="raise RuntimeError('not today')\n")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="not today"):
            adopt(f"{name}.a")
    assert not hasattr(adopt(name), "a")
    with pytest.raises(ModuleNotFoundError, match="missing"):
        adopt(f"{name}.missing")
    with pytest.raises(ImportError):
        adopt(package(__init__="from . import missing\n"))


def test_a_function_a_class_and_a_cached_function_of_a_module(package: Make) -> None:
    name = package(**HABITS["a class"])
    original = importlib.import_module(name)
    assert adopt(original.f)(Value(0.0)).data == 0.0
    assert adopt(original.Deeper) is adopt(name).Deeper is not original.Deeper
    cached = importlib.import_module(package(**HABITS["lru_cache"])).f
    assert adopt(cached)(Value(0.0)).data == 0.0
    assert adopt(cached).cache_info().misses == 1
    assert cached.cache_info().misses == 0


def factor(x: Any) -> Any:
    return even(x) if isinstance(x, float) else None


def even(x: Any, left: int = 3) -> Any:
    return exponential(x) if left == 0 else odd(x, left - 1)


def odd(x: Any, left: int) -> Any:
    return math.sin(x) * even(x, left - 1) if left > 1 else even(x, 0)


def test_local_functions_are_copied_with_those_that_they_call() -> None:
    scale = 2.0

    def helper(x: Any) -> Any:
        return math.sqrt(x)

    @functools.lru_cache
    def cached(x: Any) -> Any:
        return math.log(x)

    def local(x: Any, *, power: float = 2.0) -> Any:
        return scale * helper(x) ** power + cached(x) + (local(x - 1.0) if x > 2.0 else 0.0)

    ours = adopt(local)
    assert ours(Value(1.5)).data == pytest.approx(local(1.5), rel=1e-15)
    assert grad(ours)(2.5) == pytest.approx(2.0 + 0.4 + 2.0 + 1.0 / 1.5, rel=1e-14)
    assert ours(2.5, power=1.0) == local(2.5, power=1.0)
    with pytest.raises(TypeError, match="lose the gradient"):
        local(Value(1.5))


def test_functions_of_a_module_that_call_each_other() -> None:
    assert adopt(factor)(Value(0.5)).data == factor(0.5)


def test_what_knows_values_stays() -> None:
    assert adopt(math) is adopt("math") is ag.math
    assert adopt(math.exp) is ag.math.exp
    assert adopt(ag.exp) is ag.exp
    assert adopt(Value) is Value
    assert adopt("numpy") is np
    assert adopt(np.mean) is np.mean


@pytest.mark.parametrize(("target", "words"), [
    ("_heapq", "_heapq cannot be adopted: it is a C extension"), (len, "cannot adopt len"),
    (2.0, "cannot adopt 2.0"), ([1.0].append, "cannot adopt list.append"),
    (statistics.NormalDist().cdf, r"NormalDist\.cdf, a method of an object")])
def test_what_cannot_be_adopted_is_said_by_name(target: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        adopt(target)


def test_a_c_extension_in_a_package_stays_and_is_named(
        package: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    name = package(__init__="from . import fast\ndef f(x): return x * fast.one\n",
                   fast="one = 1.0\n")
    original = importlib.import_module(f"{name}.fast")
    monkeypatch.setattr(original.__spec__, "loader", None)
    with pytest.warns(UserWarning, match=rf"{name}\.fast cannot be adopted: it is a C extension"):
        adopted = adopt(name)
    assert adopted.fast is original
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert adopt(name).f(Value(2.0)).data == 2.0


def test_int_is_a_whole_number_without_a_slope(package: Make) -> None:
    name = package(__init__="""
        import numpy as np
        def f(x):
            tens = [1.0, 10.0, 100.0]
            whole = np.zeros(3, dtype=int)
            whole[int(x)] = 1
            return (x - int(x)) * tens[int(x)] + int("1") * whole.sum()
        """)
    ours = adopt(name).f
    assert value_and_grad(ours)(1.75) == (8.5, 10.0)
    compiled = jit(value_and_grad(ours), max_recordings=5)
    assert [compiled(x) for x in (1.75, 1.5, 2.5, 0.25)] == [
        value_and_grad(ours)(x) for x in (1.75, 1.5, 2.5, 0.25)]
    assert compiled.n_recordings == 3  # one for each whole number
    with pytest.raises(ValueError, match="NaN"):
        ours(Value(math.nan))
    with pytest.raises(TypeError, match="int"):
        grad(importlib.import_module(name).f)(1.75)


def test_a_value_is_in_a_set_where_its_number_is(package: Make) -> None:
    ours = adopt(package(__init__="""
        TABLE = {1: "one", 2.5: "more"}
        def f(x):
            if x in {1, 2} and x not in TABLE.keys():
                return 3.0 * x
            return 5.0 * x if x in TABLE and 7 in [7] else x if x in (4.0, "4") else 0.0 * x
        """)).f
    points = (2.0, 1.0, 2.5, 4.0, 9.0)
    assert [grad(ours)(x) for x in points] == [3.0, 5.0, 5.0, 1.0, 0.0]
    compiled = jit(grad(ours))
    assert [compiled(x) for x in points] == [3.0, 5.0, 5.0, 1.0, 0.0]


def test_a_module_that_writes_over_its_own_name_is_adopted(package: Make) -> None:
    name = package(__init__="", all="""
        import PACKAGE
        from math import exp
        globals().update({name: getattr(PACKAGE, name) for name in dir(PACKAGE)
                          if name in ("__name__", "__spec__")})
        def f(x): return exp(x)
        """)
    importlib.import_module(f"{name}.all")
    assert grad(adopt(f"{name}.all").f)(0.5) == math.exp(0.5)


def test_statistics_of_values() -> None:
    ours = adopt(statistics)
    data = [0.5, 1.5, 4.0]
    for name in ("fmean", "geometric_mean", "median"):
        f, number = getattr(ours, name), getattr(statistics, name)
        assert f(list(map(Value, data))).data == pytest.approx(number(data), rel=1e-14)
        slopes = grad(lambda xs, f=f: f(list(xs)))(data)
        for i in range(3):
            moved = [[x + (k == i) * h for k, x in enumerate(data)] for h in (1e-6, -1e-6)]
            slope = (number(moved[0]) - number(moved[1])) / 2e-6
            assert slopes[i] == pytest.approx(slope, abs=1e-8)
    normal = grad(lambda mu, sigma: ours.NormalDist(mu, sigma).cdf(1.0),
                  argnums=(0, 1))(0.2, 1.5)
    density = statistics.NormalDist(0.2, 1.5).pdf(1.0)
    assert normal == pytest.approx((-density, -density * 0.8 / 1.5), rel=1e-13)


def test_colours_of_values() -> None:
    ours = adopt("colorsys")
    for name, point in (("rgb_to_hls", (0.2, 0.5, 0.4)), ("hls_to_rgb", (0.3, 0.45, 0.4)),
                        ("rgb_to_hsv", (0.2, 0.5, 0.4)), ("rgb_to_yiq", (0.2, 0.5, 0.4))):
        f, original = getattr(ours, name), getattr(colorsys, name)
        slopes = ag.jacobian(lambda x, f=f: f(*x))(list(point))
        assert [y.data for y in f(*map(Value, point))] == pytest.approx(original(*point), rel=1e-15)
        for i in range(3):
            up, down = ([x + (k == i) * h for k, x in enumerate(point)] for h in (1e-6, -1e-6))
            for j, (a, b) in enumerate(zip(original(*up), original(*down), strict=True)):
                assert slopes[j][i] == pytest.approx((a - b) / 2e-6, abs=1e-8)
