"""Adoption: code that was written for floats and ``math``, run on Values as it stands.

A module is executed once more, from its own source, into a module object of its own. There
``import math`` finds :mod:`autograd.math`, imports within the package find the other copies,
``isinstance(x, float)`` holds for a Value, ``type(x)`` of one is ``float``, ``float(x)`` leaves it
as it is, ``int(x)`` is its whole number, and ``np.zeros(n)`` can hold it. Neither the original nor
``sys.modules`` changes.
"""

from __future__ import annotations

import ast
import builtins
import functools
import importlib.util
import math as plain_math
import sys
import warnings
from collections.abc import Iterable, KeysView, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from operator import attrgetter
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    MethodType,
    ModuleType,
    UnionType,
)
from typing import Any

from autograd import adopted_libraries, math
from autograd.core.forking import lock
from autograd.core.primitive import Primitive
from autograd.core.value import Value, data_of

_loading = lock(reentrant=True)
_adoptions: dict[frozenset[str], _Adoption] = {}
_READY = ("autograd", "nn", "numpy")  # these know Values


def adopt(target: Any, also: Sequence[str] = ()) -> Any:
    """A module, class or function whose ``math`` and ``isinstance(x, float)`` are for Values.

    ``fluids = adopt("fluids")`` is the package ``fluids`` again: each module of it that is reached,
    by whatever import, is a copy whose code was executed anew, with :mod:`autograd.math` in the
    place of ``math``. What executing it does outside (a file that it writes, an entry that it makes
    in another package) is done once more. The copies keep their state: a second call returns them.
    ``int(x)`` is a plain whole number, whose derivative is 0 wherever it has one; a compiled
    function takes another recording where it differs. ``np.zeros(n)`` and its like make arrays for
    Values where the function that calls them has a Value in its variables. ``x in {1, 2}`` goes by
    the number; to index a dictionary with a Value is a KeyError. SciPy's ``quad``,
    ``splev``, ``bisplev``, ``logsumexp`` and the densities of ``norm``, ``t`` and
    ``multivariate_normal`` are differentiated, and ``cmath`` where it gives real numbers.

    Args:
        target: the name of a module, a module, a class, or a function. Of a function that was
            defined inside another one, or in a notebook, a copy is made of itself and of the
            functions around it that it calls; in it ``float(x)``, ``int(x)``, ``x.__class__`` and
            ``case float()`` stay Python's own.
        also: names of further packages that it imports, whose modules are copied as well.

    Returns:
        The copy. Its classes are not those of the original: ``isinstance`` tells them apart, and
        pickle takes none of their objects.

    Raises:
        TypeError: for what cannot be adopted: a C extension, a method of an object, a function
            that is not written in Python; the message names it. A C extension inside a package
            is kept as it is, which a warning says by name.
        ModuleNotFoundError: for a name that no module has.
    """
    if isinstance(target, str | ModuleType):
        name = target if isinstance(target, str) else target.__name__
        if name == "math":
            return math
        if _is_ready(name):
            return importlib.import_module(name)
        return _adoption(name, also).loaded(name, is_wanted=True)
    if isinstance(target, Primitive) or _is_ready(getattr(target, "__module__", None)):
        return target
    if isinstance(target, MethodType):
        raise TypeError(f"adopt cannot adopt {target.__qualname__}, a method of an object of the "
                        "original; adopt its class, and make the object of that")
    if _is_of_math(target):
        return getattr(math, target.__name__)
    module = str(getattr(target, "__module__", None) or "")
    adoption = _adoption(module, also)
    return adoption.replaced(target, {}, is_wanted=True)


def _adoption(module: str, also: Sequence[str]) -> _Adoption:
    if isinstance(also, str):
        raise TypeError(f"also must be a sequence of names, such as ({also!r},), not a text")
    roots = frozenset(name.partition(".")[0] for name in (module, *also))
    with _loading:
        return _adoptions.setdefault(roots, _Adoption(roots))


def _is_ready(module: Any) -> bool:
    return str(module).partition(".")[0] in _READY


def _is_of_math(item: Any) -> bool:
    return isinstance(item, BuiltinFunctionType) and item.__module__ == "math"


class _Adoption:
    """The copies of the modules of some packages.

    Args:
        roots: the names of the packages.
    """

    def __init__(self, roots: frozenset[str]) -> None:
        self.roots = roots
        self.modules: dict[str, ModuleType] = {}
        self.builtins = {**vars(builtins), "__import__": self._import, "isinstance": _isinstance,
                         _OF_VALUES["float"]: _float, _OF_VALUES["type"]: _type,
                         _OF_VALUES["int"]: _int, _IS_IN: _is_in, _CLASS_OF: _class_of,
                         _FLOATS: _FloatOrValue}
        self.importlib = ModuleType("importlib", importlib.__doc__)
        vars(self.importlib).update(vars(importlib), import_module=self._import_module)

    def owns(self, name: str) -> bool:
        """Whether a module is one of those to copy."""
        return name.partition(".")[0] in self.roots

    # --- modules ----------------------------------------------------------------------------------

    def loaded(self, name: str, is_wanted: bool = False) -> ModuleType:
        """The copy of a module; of a C extension the original.

        Args:
            name: its full name.
            is_wanted: whether a C extension is an error.

        Raises:
            TypeError: for a C extension that was asked for itself.
            ModuleNotFoundError: when there is none of that name.
        """
        with _loading:
            if name not in self.modules:
                self._load(name, is_wanted)
            return self.modules[name]

    def _load(self, name: str, is_wanted: bool) -> None:
        parent, _, last = name.rpartition(".")
        outer = self.loaded(parent) if parent else None
        if name in self.modules:  # the parent has imported it
            return
        spec = _spec(name)
        code = _code(spec)
        if code is None:
            what = (f"{name} cannot be adopted: it is a C extension, not written in Python, and "
                    "takes the number out of a Value, which is an error")
            if is_wanted:
                raise TypeError(what)
            warnings.warn(f"{what}; it stays as it is", stacklevel=2)
            self.modules[name] = importlib.import_module(name)
        else:
            self._execute(spec, code, outer, last)
        if outer is not None:
            setattr(outer, last, self.modules[name])

    def _execute(self, spec: ModuleSpec, code: CodeType, outer: ModuleType | None,
                 last: str) -> None:
        module = importlib.util.module_from_spec(spec)
        vars(module)["__builtins__"] = self.builtins
        self.modules[spec.name] = module  # before it is executed: imports may be circular
        if outer is not None:
            setattr(outer, last, module)
        try:
            exec(code, vars(module))
        except BaseException:
            del self.modules[spec.name]
            if outer is not None:
                delattr(outer, last)
            raise

    def _import(self, name: str, globals: Mapping[str, Any] | None = None,
                locals: Mapping[str, Any] | None = None, fromlist: Sequence[str] | None = (),
                level: int = 0) -> Any:
        """What an import statement of a copy calls."""
        full = name
        if level:
            package = str((globals or {}).get("__package__") or "")
            full = importlib.util.resolve_name("." * level + name, package)
        if full == "math":
            return math
        stand_in = adopted_libraries.imported(full, not fromlist)
        if stand_in is not None:
            return stand_in
        if full == "importlib":
            return self.importlib
        if not self.owns(full):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        module = self.loaded(full)
        if not fromlist:
            return self.loaded(full.partition(".")[0])
        for item in self._names(module, fromlist):
            if not hasattr(module, item) and hasattr(module, "__path__"):
                self._submodule(f"{full}.{item}")
        return module

    def _names(self, module: ModuleType, fromlist: Iterable[str]) -> Iterable[str]:
        for item in fromlist:
            yield from (getattr(module, "__all__", ()) if item == "*" else (item,))

    def _submodule(self, name: str) -> None:
        """Load it if there is one; if not, the import statement says so."""
        try:
            self.loaded(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise

    def _import_module(self, name: str, package: str | None = None) -> ModuleType:
        """What a copy finds as ``importlib.import_module``."""
        full = importlib.util.resolve_name(name, package)
        if full == "math":
            return math
        stand_in = adopted_libraries.imported(full, is_root_wanted=False)
        if stand_in is not None:
            return stand_in
        return self.loaded(full) if self.owns(full) else importlib.import_module(full)

    # --- single functions and classes -------------------------------------------------------------

    def replaced(self, item: Any, spaces: dict[int, dict[str, Any]],
                 is_wanted: bool = False) -> Any:
        """What stands for something that a function reads; anything else as it is.

        Args:
            item: a module, a function, a class or any object.
            spaces: the copies of global names made so far, by the id of the original.
            is_wanted: whether it is an error if nothing can stand for it.

        Raises:
            TypeError: for what was asked for itself and cannot be adopted.
        """
        if item is plain_math:
            return math
        if _is_of_math(item):
            return getattr(math, item.__name__)
        stand_in = adopted_libraries.counterpart(item)
        if stand_in is not None:
            return stand_in
        if isinstance(item, ModuleType):
            return self.loaded(item.__name__) if self.owns(item.__name__) else item
        if _is_ready(getattr(item, "__module__", None)):
            return item
        if not is_wanted and not self.owns(str(getattr(item, "__module__", None) or "")):
            return item
        found = self._of_module(item)
        if found is not None:
            return found
        if isinstance(item, FunctionType):
            return self._copied(item, spaces)
        if isinstance(item, functools._lru_cache_wrapper):
            again = functools.lru_cache(**item.cache_parameters())
            return again(self.replaced(item.__wrapped__, spaces, is_wanted))
        if is_wanted:
            name = getattr(item, "__qualname__", None) or repr(item)
            raise TypeError(f"adopt cannot adopt {name}: it is neither a function or a class that "
                            "is written in Python, nor a module, nor the name of one")
        return item

    def _of_module(self, item: Any) -> Any:
        """The counterpart of a function or a class in the copy of its module, or None."""
        module, name = getattr(item, "__module__", None), getattr(item, "__qualname__", None)
        original = sys.modules.get(str(module))
        if not isinstance(name, str) or original is None or module == "__main__":
            return None
        try:
            if attrgetter(name)(original) is not item or _code(_spec(original.__name__)) is None:
                return None
            return attrgetter(name)(self.loaded(original.__name__))
        except (AttributeError, ModuleNotFoundError):  # a local function; a notebook
            return None

    def _copied(self, function: FunctionType, spaces: dict[int, dict[str, Any]]) -> FunctionType:
        """A function with other global names, and with cells of its own."""
        old = function.__globals__
        if id(old) not in spaces:
            spaces[id(old)] = {**old, "__builtins__": self.builtins}
        space = spaces[id(old)]
        cells = tuple(CellType() for _ in function.__closure__ or ())
        copied = FunctionType(function.__code__, space, function.__name__,
                              function.__defaults__, cells)
        copied.__kwdefaults__ = function.__kwdefaults__
        copied.__dict__.update(function.__dict__)
        copied.__qualname__, copied.__doc__ = function.__qualname__, function.__doc__
        copied.__annotations__ = function.__annotations__
        done = space.setdefault(_COPIES, {})
        done[function] = copied
        for name in _names(function.__code__):
            if name in old and space[name] is old[name]:
                space[name] = self._once(old[name], spaces, done)
        for cell, before in zip(cells, function.__closure__ or (), strict=True):
            try:
                cell.cell_contents = self._once(before.cell_contents, spaces, done)
            except ValueError:  # empty: the name is not bound yet
                continue
        return copied

    def _once(self, item: Any, spaces: dict[int, dict[str, Any]], done: dict[Any, Any]) -> Any:
        if isinstance(item, FunctionType) and item in done:
            return done[item]
        return self.replaced(item, spaces)


_COPIES = "__copies of functions__"  # no name that code can have


def _names(code: CodeType) -> Iterable[str]:
    """The global names that code may read, that of functions inside it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _spec(name: str) -> ModuleSpec:
    """How to find a module.

    Raises:
        ModuleNotFoundError: when there is none of that name.
    """
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None) if module is not None else (
        importlib.util.find_spec(name))
    if spec is not None and spec.name != name and module is not None:  # it was written over
        parent = sys.modules.get(name.rpartition(".")[0])
        spec = PathFinder.find_spec(name, getattr(parent, "__path__", None))
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return spec


def _code(spec: ModuleSpec) -> CodeType | None:
    """The code of a module; None if it is not written in Python."""
    source = _called(spec, "get_source")
    if isinstance(source, str):
        tree = _Calls.replaced(ast.parse(source))
        return compile(tree, spec.origin or f"<{spec.name}>", "exec", dont_inherit=True)
    code = _called(spec, "get_code")  # where the source is not there
    return code if isinstance(code, CodeType) else None


def _called(spec: ModuleSpec, method: str) -> Any:
    function = getattr(spec.loader, method, None)
    return None if function is None else function(spec.name)


# --- what stands for float, int and type ----------------------------------------------------------

_IS_IN, _CLASS_OF, _FLOATS = "__is_in__", "__class_of__", "__float_class__"
_OF_VALUES = {"float": "__float_or_value__", "type": "__type_of__", "int": "__int_of__"}


class _Calls(ast.NodeTransformer):
    """Calls such as ``float(x)``, not names, which stand for the classes as well; and ``in``.

    Likewise ``x.__class__`` and ``case float()``.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    @classmethod
    def replaced(cls, tree: ast.Module) -> ast.Module:
        """The tree of a module with the calls replaced, but for names that it gives a meaning."""
        bound = {getattr(node, field, None) for node in ast.walk(tree)
                 for field in ("name", "asname", "arg")}
        bound |= {node.id for node in ast.walk(tree)
                  if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
        found: ast.Module = cls(frozenset(_OF_VALUES) - bound).visit(tree)
        return found

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """``x in a``, for a set and a dictionary look for a Value by its hash."""
        self.generic_visit(node)
        if len(node.ops) != 1 or not isinstance(node.ops[0], ast.In | ast.NotIn) or (
                isinstance(node.left, ast.Constant)):
            return node
        found: ast.expr = ast.copy_location(ast.Call(
            ast.Name(_IS_IN, ast.Load()), [node.left, *node.comparators], []), node)
        if isinstance(node.ops[0], ast.NotIn):
            found = ast.copy_location(ast.UnaryOp(ast.Not(), found), node)
        return ast.fix_missing_locations(found)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """``x.__class__``, which is float for a Value."""
        self.generic_visit(node)
        if node.attr != "__class__" or not isinstance(node.ctx, ast.Load):
            return node
        called = ast.Call(ast.Name(_CLASS_OF, ast.Load()), [node.value], [])
        return ast.fix_missing_locations(ast.copy_location(called, node))

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.AST:
        """``case float():``, in which a Value is a float."""
        self.generic_visit(node)
        if isinstance(node.cls, ast.Name) and node.cls.id == "float" and "float" in self.names:
            node.cls.id = _FLOATS
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        function = node.func
        if (isinstance(function, ast.Name) and function.id in self.names and not node.keywords
                and len(node.args) == 1 and not isinstance(node.args[0], ast.Starred)):
            function.id = _OF_VALUES[function.id]
        return node


def _float(x: Any, /) -> Any:
    """float(x), which leaves a Value as it is."""
    return x if x.__class__ is Value else float(x)


def _int(x: Any, /) -> int:
    """int(x), of a Value as a decision that a recording is made for."""
    if x.__class__ is not Value:
        return int(x)
    number = int(data_of(x))
    if x.trunc() != number:  # a comparison, of which a recording knows
        raise ArithmeticError(f"{number} is not the whole number of {x!r}")
    return number


def _is_in(item: Any, container: Any, /) -> bool:
    """item in container; a Value is where a number is that it equals."""
    if item.__class__ is Value and isinstance(container, set | frozenset | dict | KeysView):
        return any(bool(item == key) for key in container
                   if key.__class__ is Value or isinstance(key, int | float))
    return item in container


def _type(item: Any, /) -> type:
    """type(x), which is float for a Value."""
    return float if item.__class__ is Value else type(item)


def _class_of(item: Any, /) -> Any:
    """item.__class__, which is float for a Value."""
    return float if item.__class__ is Value else item.__class__


class _Floats(type):
    """The class of the class that a pattern asks for."""

    def __instancecheck__(cls, item: Any) -> bool:
        return item.__class__ is Value or isinstance(item, float)


class _FloatOrValue(float, metaclass=_Floats):
    """What ``case float():`` asks for in a copy."""


def _isinstance(item: Any, classes: Any, /) -> bool:
    """isinstance, to which a Value is a float, too."""
    return (item.__class__ is Value and _has_float(classes)) or isinstance(item, classes)


def _has_float(classes: Any) -> bool:
    if isinstance(classes, tuple):
        return any(map(_has_float, classes))
    if isinstance(classes, UnionType):
        return float in classes.__args__
    return classes is float
