"""Watching: what a function reads besides its arguments, and whether it has changed.

A recording holds the numbers that the function found in variables of outer scopes, in lists, in
attributes of objects. Before each replay these are compared with what they were; a recording made
from other ones is thrown away.
"""

from __future__ import annotations

import io
import os
import pickle
import random
import sys
import types
import weakref
from collections import deque, namedtuple
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from contextvars import Context, ContextVar
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from autograd.compiler.trace.code_names import (
    BY_NAME,
    Mention,
    imported_by,
    is_name,
    mentions,
    names_in,
    texts_in,
)
from autograd.compiler.trace.hidden_state import (
    behind,
    cache_check,
    contents_of,
    entries_of,
    holds_pointer,
    is_foreign,
    is_hidden,
)
from autograd.compiler.trace.ignored import Slot, is_named, of_attribute, of_cell, of_entry
from autograd.compiler.trace.joined_checks import (
    AbsenceCheck,
    CellCheck,
    Check,
    ClassCheck,
    ContentCheck,
    FunctionCheck,
    ObjectCheck,
    as_one,
    content_of,
    joined,
)
from autograd.compiler.trace.outside import OUTPUT, Lookout, is_unseen_clock, what_reads
from autograd.compiler.trace.purity import (
    OURS,
    are_pure_names,
    is_library,
    is_pure_module,
    package_of,
)
from autograd.compiler.trace.sameness import (
    are_same,
    attribute_check,
    entry_check,
    holds_more,
    is_plain_data,
    is_same,
    is_solid,
    memory_of,
    pickle_of,
    setting_check,
)
from autograd.compiler.trace.settings import settings_of
from autograd.core.array_primitive import ArrayPrimitive
from autograd.core.attributes import MISSING, attributes_of
from autograd.core.graph import leaves
from autograd.core.typing import Array
from autograd.core.value import Value

_BUILT_IN = (list, tuple, dict, set, frozenset, deque)
_SHARED = ("random", "numpy.random")
_FIELD: type = type(namedtuple("_Named", "field").field)  # type: ignore[attr-defined]


class Watch:
    """What a function captures, as it was when the Watch was made.

    Args:
        function: any callable.
        ignore: the names of what may change; see ``ignored``.

    Attributes:
        quick: functions that say whether all is as it was, once it is settled what that is.
        all_quick: these as one.
        is_written_out: whether they are as quick as they can be.
        iterators: the names of captured iterators, which a replay would not move on.
        pointers: the names of captured pointers, of which nobody knows what they point to.
        handed_on: the names of functions that read from outside, where nobody sees it: they are
            called by a function that is written in C, or are methods of such a class.
        is_pure: whether all that can be reached is known to read nothing from outside.
        ignored: where that is kept which may change.
    """

    def __init__(self, function: Callable[..., Any], ignore: Collection[str] = ()) -> None:
        self._ignore = ignore
        self.ignored: list[Slot] = []
        self._checks: list[tuple[str, Check]] = []
        self._of_libraries: list[tuple[str, Check]] = []
        self._draws: list[tuple[str, Callable[[], Any], Any]] = []
        self.iterators: list[str] = []
        self.is_pure = True
        self._seen: dict[int, Any] = {}  # keeps what it has seen, so that no id is used again
        self._pending: deque[tuple[str, Any]] = deque()
        self._names: set[str] = set()  # that the user's functions mention
        self._texts: set[str] = set()  # that they capture, and that may be names
        self._words: set[str] = set()  # these, and all texts in their code
        self._packages: set[str] = set()  # of what can be reached
        self._spaces: list[dict[str, Any]] = []  # the variables of their modules
        self._streams: list[tuple[str, io.StringIO | io.BytesIO]] = []  # in memory
        self.pointers: list[str] = []
        self.handed_on: list[str] = []
        self._modules: list[tuple[str, types.ModuleType]] = []
        self._described: list[tuple[str, Any]] = []  # functions and classes of the user's own
        self._variables: set[tuple[int, str]] = set()  # that are watched already
        self._values: list[tuple[str, Value | tuple[Value, ...]]] = []
        self._later("the function", function)
        while self._pending:
            self._visit(*self._pending.popleft())
            if not self._pending:
                self._by_text()
                self._variables_of_modules()
                self._attributes_by_name()
        self._dates()
        self._gradients()
        self._edits()
        self._settings()
        self._watch_draws("random", random.getstate)
        if "numpy.random" in sys.modules:
            # Bytes, for to write out the array of its 624 words takes milliseconds.
            self._watch_draws("numpy.random",
                              lambda: pickle.dumps(np.random.get_state(legacy=False)))
        self.quick: list[Check] = []
        self.all_quick: Check = bool  # false, until it is settled
        self.is_written_out = False

    @property
    def values(self) -> Iterator[tuple[str, Value]]:
        """The captured Values with their names."""
        for name, held in self._values:
            if isinstance(held, Value):
                yield name, held
            else:
                yield from ((f"{name}[{i}]", item) for i, item in enumerate(held))

    def changed(self) -> str | None:
        """The name of something that is not what it was, or None."""
        for name, check in self._checks:
            if not check():
                return name
        return None

    def holds(self) -> bool:
        """Whether all is as it was, also what is let go when libraries have changed it."""
        return all(check() for _, check in chain(self._checks, self._of_libraries))

    def captures(self) -> Container[int]:
        """The ids of all that can be reached."""
        return self._seen.keys()

    def drawn(self, is_alone: bool = True, is_seen: bool = False) -> str | None:
        """The name of a generator of random numbers that was drawn from, or None.

        Args:
            is_alone: whether nobody else can have drawn from the generators that all threads
                share; otherwise a function that does not mention them is trusted.
            is_seen: whether a hook has looked at the function, which sees draws of Python's own
                generators, and none.
        """
        for name, state, before in self._draws:
            is_trusted = not is_alone and name in _SHARED and (
                "random" not in self._names or (is_seen and name == "random"))
            if not is_trusted and repr(state()) != before:
                return name
        return None

    def add_libraries(self, lookout: Lookout) -> None:
        """Watch what the functions of installed packages read that the function has called.

        Their numbers, texts, lists and dictionaries, and attributes of their objects that these
        functions mention; the environment, and modules whose names were put together.
        """
        functions = list(lookout.called.values())
        names: set[str] = set().union(*(names_in(code)[0] for code, _ in functions))
        own, self._checks = self._checks, []
        for code, space in functions:
            for name in sorted(names_in(code)[1] & space.keys()):
                item, whole = space[name], f"{space.get('__name__')}.{name}"
                if is_plain_data(item):
                    self._entry(whole, space, name)
                elif not callable(item) and not isinstance(item, types.ModuleType):
                    self._attributes(whole, item, {
                        key: part for key, part in attributes_of(item).items()
                        if key in names and is_plain_data(part)})
        if lookout.reads_environment:  # perhaps by a function of Python's own, such as expanduser
            self._later("os.environ", os.environ)
        self._imports(lookout.imported, "")
        while self._pending:
            self._visit(*self._pending.popleft())
            if not self._pending:
                self._variables_of_modules()
        self._of_libraries += self._checks
        self._checks = own

    def add_all_of_libraries(self, other: Watch) -> None:
        """Watch what another branch of the function hangs on, too."""
        names = {name for name, _ in self._of_libraries}
        self._of_libraries += [each for each in other._of_libraries if each[0] not in names]

    def settle(self, writes: bool = True) -> None:
        """Nothing more is found out: what libraries changed since, such as a cache, is let go."""
        self._checks += [(name, check) for name, check in self._of_libraries if check()]
        self._join(writes)

    def write_out(self) -> None:
        """Make the checks as quick as they can be, once they are made often."""
        self._join(writes=True)

    def _join(self, writes: bool) -> None:
        self.quick = joined((check for _, check in self._checks), writes)
        self.all_quick = as_one(self.quick)
        self.is_written_out = writes

    # --- the walk over what can be reached --------------------------------------------------------

    def _later(self, name: str, item: Any) -> None:
        if type(item) is str and is_name(item):
            self._texts.add(item)
        cls: Any = type(item)
        if is_solid(cls) or id(item) in self._seen:
            return
        self._seen[id(item)] = item
        self._pending.append((name, item))

    def _visit(self, name: str, item: Any) -> None:
        """Watch one thing, and put what hangs on it into the queue."""
        if (stands_for := behind(item)) is not None:
            self._later(name, stands_for)
        elif isinstance(item, Value):
            self._values.append((name, item))
        elif isinstance(item, types.FunctionType):
            self._function(item)
        elif isinstance(item, types.MethodType | staticmethod | classmethod):
            self._later(name, getattr(item, "__self__", None))
            self._later(name, item.__func__)
        elif isinstance(item, partial):
            self._later(name, item.func)
            self._hand_on(name, item.func)
            before = item.func, item.args, item.keywords
            self._checks.append((name, lambda: item.func is before[0] and item.args is before[1]
                                 and item.keywords is before[2]))
            for part in before[1:]:
                self._later(f"an argument of {name}", part)
        elif isinstance(item, types.BuiltinFunctionType | types.MethodWrapperType) or (
                callable(item) and hasattr(item, "__self__")):  # Cython has a type of its own
            self._later(name, item.__self__)  # random.random draws from an object
            self.is_pure &= item.__self__ is not None or is_pure_module(item.__module__)
        elif isinstance(item, types.ModuleType):
            self._modules.append((name, item))
            self._packages.add(item.__name__.split(".")[0])
            self.is_pure &= not is_library(item) or is_pure_module(item.__name__)
        elif isinstance(item, type):
            self._class(name, item)
        elif isinstance(item, np.ndarray):
            self._array(name, item)
        elif isinstance(item, np.void):  # a row of a table, whose memory it shares
            held = item.tobytes()
            self._checks.append((name, lambda: item.tobytes() == held))
            if item.dtype.hasobject:
                self._later(name, item.item())
        elif isinstance(item, weakref.ref):
            self._later(name, item())
        else:
            self._content(name, item)
            if type(item) not in _BUILT_IN:
                self._object(name, item)

    def _hand_on(self, name: str, function: Any) -> None:
        if isinstance(function, types.BuiltinFunctionType) and (
                what_reads(function) not in (None, OUTPUT)):
            self.handed_on.append(f"{name} ({function.__name__})")

    def _content(self, name: str, item: Any) -> None:
        """What a container holds, of whatever class."""
        if isinstance(item, list | tuple | deque | set | frozenset):
            self._items(name, item)
        elif isinstance(item, dict | types.MappingProxyType | Context):
            self._dictionary(name, item)
            self._hand_on(name, getattr(item, "default_factory", None))
        elif (before := memory_of(item)) is not None:
            self._checks.append((name, lambda: memory_of(item) == before))

    def _function(self, function: types.FunctionType) -> None:
        names = function.__code__.co_freevars
        is_foreign = is_library(function)
        for variable, cell in zip(names, function.__closure__ or (), strict=True):
            self._cell(variable, cell, is_foreign)
        for part in (function.__defaults__, function.__kwdefaults__):
            if part:
                self._later(f"a default of {function.__name__}", part)
        if function.__dict__:
            whole, space = f"an attribute of {function.__name__}", function.__dict__
            for key in list(space):
                self._entry(whole, space, key)
            self._checks.append((whole, ObjectCheck(function, space)))
        if is_foreign:
            self._packages.add(str(function.__module__).split(".")[0])
            self.is_pure &= (is_pure_module(function.__globals__.get("__name__"))
                             and are_pure_names([function.__name__]))
        else:
            self._code(function)

    def _code(self, function: types.FunctionType) -> None:
        """What a function of the user's own mentions: variables of its module, other modules."""
        code = function.__code__
        self._checks.append((function.__name__, FunctionCheck(function)))
        names, variables = names_in(function.__code__)
        self._names |= names
        self._words |= texts_in(code)
        self._described.append((function.__name__, function))
        self._packages |= {name.split(".")[0] for name in imported_by(code)}
        self.is_pure &= are_pure_names(names) and all(
            is_pure_module(name) for name in imported_by(function.__code__))
        space = function.__globals__
        for name in sorted(names & space.keys()):
            self._entry(name, space, name)
        missing = variables - space.keys()
        self._spaces.append(space)
        self.handed_on += [mention.name for mention in mentions(code, space)
                           if _is_unseen_reading(mention)]
        if not BY_NAME.isdisjoint(names):
            self._all_of("", space)
        if missing:  # built-in functions, and what the function itself might define
            self._checks.append((", ".join(sorted(missing)),
                                 AbsenceCheck(space, frozenset(missing))))
        if "getenv" in names:
            self._later("os.environ", os.environ)
        self._imports(names, space.get("__package__") or "")

    def _all_of(self, prefix: str, space: dict[str, Any]) -> None:
        """The variables of a module, by content if they are plain data: a text tells which is read.
        """
        count = len(space)
        self._of_libraries.append((f"the variables {prefix}*", lambda: len(space) == count))
        for name, item in list(space.items()):
            if name.startswith("__") or (id(space), name) in self._variables:
                continue
            self._variables.add((id(space), name))
            if is_plain_data(item):
                self._entry(prefix + name, space, name)
            else:  # which is read, and whether any, nobody knows: it may change while recording
                self._of_libraries.append((prefix + name, entry_check(space, name, item)))

    def _by_text(self) -> None:
        """What functions may find by names that they keep in variables."""
        for space in self._spaces:
            for name in sorted(self._texts & space.keys()):
                self._entry(name, space, name)
        self._imports(self._texts, "")
        self.is_pure &= are_pure_names(self._texts)
        self._names |= self._texts
        self._words |= self._texts
        self._texts.clear()

    def _imports(self, names: Iterable[str], package: str) -> None:
        """Modules of the user's own that a function mentions: it may import them inside."""
        for name in sorted(names):
            for module in (sys.modules.get(name), sys.modules.get(f"{package}.{name}")):
                if isinstance(module, types.ModuleType) and not is_library(module):
                    self._later(name, module)

    def _cell(self, name: str, cell: types.CellType, is_library: bool) -> None:
        content = content_of(cell)
        if self._ignores(name, content, of_cell(name, cell)):
            return
        self._later(name, content)
        if not is_library:  # a library's wrapper never sets its variables again
            self._checks.append((name, CellCheck(cell, content, is_same)))

    def _variables_of_modules(self) -> None:
        """Those variables of the modules that some function mentions."""
        for prefix, module in self._modules:
            space, is_of_library = vars(module), is_library(module)
            for name in sorted(self._names & space.keys()):
                if (id(space), name) in self._variables:
                    continue
                self._variables.add((id(space), name))
                whole = f"{prefix}.{name}"
                if is_of_library and callable(space[name]):  # it may be replaced, no more
                    self._of_libraries.append((whole, entry_check(space, name, space[name])))
                else:
                    self._entry(whole, space, name)
            if (not is_of_library and (id(space), "") not in self._variables
                    and not self._names.isdisjoint(("getattr", "__dict__", *BY_NAME))):
                self._variables.add((id(space), ""))
                self._all_of(f"{prefix}.", space)

    def _attributes_by_name(self) -> None:
        """What functions and classes say of themselves, where that is asked: ``f.__doc__``."""
        for name in sorted(self._names):
            if name.startswith("__") and name not in ("__dict__", "__weakref__"):
                for whole, item in self._described:
                    has = name in vars(item) if isinstance(item, type) else name in _OF_FUNCTIONS
                    if has and (id(item), name) not in self._variables:
                        self._variables.add((id(item), name))
                        self._attributes(whole, item, {name: getattr(item, name)})

    def _dates(self) -> None:
        """NumPy reads the clock where it makes a date of the text "now" or "today"."""
        texts = {word.strip().lower() for word in self._words}
        if not texts.isdisjoint(("now", "today")) and (
                not self._names.isdisjoint(_OF_DATES)
                or any("datetime64" in text or "m8" in text for text in texts)):
            self.handed_on.append("np.datetime64 (of the text 'now' or 'today')")

    def _ignores(self, path: str, item: Any, slot: Slot) -> bool:
        """Whether something may change; then it is noted where it is kept."""
        if not self._ignore or not is_named(path, self._ignore) or item is MISSING or (
                isinstance(item, types.FunctionType | types.ModuleType | type)):
            return False
        self.ignored.append(slot)
        return True

    def _entry(self, whole: str, space: dict[str, Any], name: str) -> None:
        if self._ignores(whole, space[name], of_entry(whole, space, name)):
            return
        self._later(whole, space[name])
        self._checks.append((whole, entry_check(space, name, space[name])))

    def _class(self, name: str, cls: type) -> None:
        """The attributes of a class of the user's own, and of those that it inherits from."""
        if is_library(cls):
            self._packages.add(package_of(cls))
            self.is_pure &= is_pure_module(cls.__module__)
            return
        space = vars(cls)
        self._described.append((name, cls))
        self._checks.append((f"the class {name}", ClassCheck(cls)))
        for key, item in list(space.items()):
            if not key.startswith("__") or isinstance(item, types.FunctionType):
                if self._ignores(f"{name}.{key}", item, of_attribute(f"{name}.{key}", cls, key)):
                    continue
                for part in (item.fget,) if isinstance(item, property) else (item,):
                    self._later(f"{name}.{key}", part)
                self._checks.append((f"{name}.{key}", attribute_check(cls, key, item)))
        for above in (*cls.__bases__, type(cls)):
            self._later(name, above)

    def _items(self, name: str, items: Any) -> None:
        before = contents_of(items)
        if type(items) in _BUILT_IN and not isinstance(items, tuple):
            self._checks.append((name, ContentCheck(items, before, None,
                                                    lambda: are_same(items, before))))
        elif not isinstance(items, tuple):
            self._checks.append((name, lambda: are_same(contents_of(items), before)))
        kinds = set(map(type, before))
        if kinds == {Value} and self._are_taken(name, before):
            return
        if str in kinds or not all(map(is_solid, kinds)):
            for i, item in enumerate(before):
                self._later(f"{name}[{i}]", item)

    def _are_taken(self, name: str, values: tuple[Value, ...]) -> bool:
        """Take Values in one go, for models have lists of many: all are new, or all were seen."""
        seen, ids = self._seen, list(map(id, values))
        if seen.keys().isdisjoint(ids):
            seen.update(zip(ids, values, strict=True))
            self._values.append((name, values))
            return True
        return all(map(seen.__contains__, ids))

    def _dictionary(self, name: str, items: Any) -> None:
        keys, before = entries_of(items)

        if type(items) is dict:
            self._checks.append((name, ContentCheck(
                items, keys, before,
                lambda: are_same(items, keys) and are_same(items.values(), before))))
        else:
            self._checks.append((name, lambda: all(
                map(are_same, entries_of(items), (keys, before)))))
        for key, item in zip(keys, before, strict=True):
            self._later(f"{name}[{key!r}]", item)

    def _array(self, name: str, array: Array) -> None:
        shape, dtype = array.shape, array.dtype
        plain = np.asarray(array)
        if dtype.kind == "O":
            items = list(plain.flat)
            self._checks.append((name, lambda: array.shape == shape
                                 and are_same(np.asarray(array).flat, items)))
            for item in items:
                self._later(name, item)
        elif dtype.hasobject:
            for field in dtype.names or ():
                self._array(f"{name}[{field!r}]", plain[field])
        else:
            before, fields = plain.tobytes(), dtype.names
            # ndarray's own: a masked array writes its own bytes.
            self._checks.append((name, lambda: array.shape == shape and array.dtype is dtype
                                 and dtype.names == fields
                                 and np.ndarray.tobytes(array) == before))
        if array.__class__ is not np.ndarray and array.__class__ is not np.memmap:
            self._object(name, array)

    def _object(self, name: str, item: Any) -> None:
        self._packages.add(package_of(type(item)))
        self.is_pure &= not is_library(type(item)) or is_pure_module(type(item).__module__)
        if isinstance(item, random.SystemRandom):
            self._watch_draws(name, object)  # it has no state to look at
        elif isinstance(item, random.Random):
            self._watch_draws(name, item.getstate)
        elif "numpy.random" in sys.modules and self._is_generator_of_numpy(name, item):
            pass
        elif holds_pointer(type(item)) or type(item).__module__ == "_cffi_backend":
            self.pointers.append(name)
        elif is_foreign(item):
            self.handed_on.append(f"{name} (of ctypes)")
        elif (check := cache_check(item)) is not None:
            self._of_libraries.append((f"the cache of {name}", check))
            self._later(name, item.__dict__)
        elif isinstance(item, io.StringIO | io.BytesIO):
            self._streams.append((name, item))
        elif getattr(item, "mode", None) in ("r", "rb") and isinstance(item, io.IOBase):
            self.iterators.append(name)
        elif _is_output(item):
            pass  # what is printed comes back into no result
        elif hasattr(type(item), "__next__"):
            self.iterators.append(name)
        elif isinstance(item, ContextVar):
            before = item.get(MISSING)
            self._later(name, before)
            self._checks.append((name, lambda: is_same(item.get(MISSING), before)))
        elif hasattr(type(item), "__compose__"):  # compiled: what it is made of, not its recordings
            self._attributes(name, item, item.watched())
        elif isinstance(item, ArrayPrimitive):
            self._attributes(name, item, {rule: getattr(item, rule) for rule in (
                "function", "vjp", "jvp", "recorded")})
        elif isinstance(item, BaseException):
            self._attributes(name, item, {**attributes_of(item), "args": item.args,
                                          "__cause__": item.__cause__})
        elif isinstance(item, _FIELD):  # of a named tuple: nothing else of it can change
            self._attributes(name, item, {"__doc__": item.__doc__})
        elif is_hidden(item) or (is_library(type(item)) and holds_more(item)):
            self._pickled(name, item)
        elif package_of(type(item)) != OURS[0]:
            self._later(type(item).__name__, type(item))
            self._attributes(name, item, attributes_of(item))
            space = getattr(item, "__dict__", None)
            if isinstance(space, dict):
                self._checks.append((f"the attributes of {name}", ObjectCheck(item, space)))

    def _is_generator_of_numpy(self, name: str, item: Any) -> bool:
        """Watch a generator; NumPy loads their module when it is first asked for, in 10 ms."""
        if isinstance(item, np.random.Generator):
            self._later(name, item.bit_generator)
        elif isinstance(item, np.random.BitGenerator):
            self._watch_draws(name, lambda: item.state)
            self._later(name, item.seed_seq)
        elif isinstance(item, np.random.SeedSequence):
            self._watch_draws(name, lambda: item.n_children_spawned)
        elif isinstance(item, np.random.RandomState):
            self._watch_draws(name, lambda: item.get_state(legacy=False))
        else:
            return False
        return True

    def _pickled(self, name: str, item: Any) -> None:
        """Something of a library's that is written in C: what it says to pickle."""
        self._later(type(item).__name__, type(item))
        before = pickle_of(item)
        if before is None:
            self._attributes(name, item, attributes_of(item))
        else:
            self._checks.append((name, lambda: pickle_of(item) == before))

    def _attributes(self, name: str, item: Any, parts: dict[str, Any]) -> None:
        for key, part in parts.items():
            if self._ignores(f"{name}.{key}", part, of_attribute(f"{name}.{key}", item, key)):
                continue
            self._later(f"{name}.{key}", part)
            self._checks.append((f"{name}.{key}", attribute_check(item, key, part)))

    def _gradients(self) -> None:
        """The gradients of captured Values, where a function might read or set them, and labels."""
        for attribute, names in (("grad", ("grad", "zero_grad")), ("label", ("label",))):
            if not self._names.isdisjoint(names):
                for name, item in self.values:
                    self._attributes(item.label or name, item,
                                     {attribute: getattr(item, attribute)})

    def _edits(self) -> None:
        """Edits of leaves under computed Values, whose numbers are then gone."""
        held = chain.from_iterable((item,) if isinstance(item, Value) else item
                                   for _, item in self._values)
        computed = [item for item in held if item.op is not None]
        made = [(leaf, leaf._made) for leaf in leaves(*computed)]
        if made:
            self._checks.append(("a leaf under a captured Value", lambda: all(
                leaf._made is before for leaf, before in made)))

    def _settings(self) -> None:
        if self._names.isdisjoint(("print", "write", "writelines")):
            for name, stream in self._streams:
                self._checks.append((name, setting_check(
                    lambda stream=stream: (stream.getvalue(), stream.tell()))))  # type: ignore[misc]
        for name, setting in settings_of(self._packages, self._names):
            self._checks.append((name, setting_check(setting)))

    def _watch_draws(self, name: str, state: Callable[[], Any]) -> None:
        self._draws.append((name, state, repr(state())))


_OF_DATES = ("datetime64", "busday_count", "busday_offset", "is_busday")
_OF_FUNCTIONS = ("__doc__", "__name__", "__qualname__", "__module__", "__annotations__")


def _is_unseen_reading(mention: Mention) -> bool:
    """Whether code reads the clock, or lets it be read, in a way that no hook sees."""
    found = mention.found
    if isinstance(found, types.BuiltinFunctionType) and not mention.is_called:
        return what_reads(found) not in (None, OUTPUT)
    if found is np.datetime64:
        return mention.argument in ("now", "today")
    return is_unseen_clock(found)


def _is_output(item: Any) -> bool:
    """Whether something is a stream, or a logger."""
    return package_of(type(item)) == "logging" or (
        hasattr(type(item), "write") and hasattr(type(item), "flush"))
