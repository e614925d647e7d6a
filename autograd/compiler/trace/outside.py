"""Outside: what a function reads that no Watch can compare: clocks, files, sockets, fresh seeds.

While a function is recorded, a profile hook sees every C function that its thread calls, and an
audit hook the files and sockets that C code opens by itself. What is read so is noted, and refused
when the function has returned: an error in between might be swallowed.
"""

from __future__ import annotations

import dis
import importlib
import io
import os
import random
import sys
import threading
from collections.abc import Callable, Container
from pathlib import Path
from queue import SimpleQueue
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any, NamedTuple

from autograd.compiler.trace.purity import LIBRARIES, is_pure_module, words

_PACKAGE = str(Path(__file__).parents[2])


class _Source(NamedTuple):
    """What C functions of a module, or methods of its classes, read; None for all of them."""

    what: str
    names: frozenset[str] | None = None


_CLOCK = words("time time_ns perf_counter perf_counter_ns monotonic monotonic_ns process_time "
               "process_time_ns thread_time thread_time_ns clock_gettime clock_gettime_ns "
               "localtime gmtime ctime asctime strftime")
_SYSTEM = words("read pread preadv readv stat lstat fstat fstatat statvfs fstatvfs listdir scandir "
                "access readlink getxattr listxattr getcwd getcwdb getloadavg times cpu_count "
                "sched_getaffinity getrandom urandom system posix_spawn spawnv fork forkpty "
                "get_terminal_size getlogin uname waitpid wait lseek getpid getppid getuid geteuid "
                "getgid getegid getgroups getpriority nice umask isatty sysconf")
_READING = words("read read1 readall readinto readinto1 readline readlines peek getvalue getbuffer")
OUTPUT = "output"
_DRAWS = "random numbers"
_SOURCES: dict[str, _Source] = {
    "time": _Source("the clock", _CLOCK),
    "datetime": _Source("the clock", words("now utcnow today")),
    "posix": _Source("files or the system", _SYSTEM), "nt": _Source("files or the system", _SYSTEM),
    "io": _Source("a file", _READING), "_io": _Source("a file", _READING),
    "numpy": _Source("a file", words("fromfile")),
    "builtins": _Source("the keyboard", words("input")),
    "_random": _Source(_DRAWS, words("random getrandbits seed")),
    "_thread": _Source("a thread", words("start_new_thread start_joinable_thread")),
    **dict.fromkeys(("_socket", "socket", "_ssl", "select"), _Source("a socket")),
    **dict.fromkeys(("sqlite3", "_sqlite3", "_dbm", "_gdbm"), _Source("a data base")),
    **dict.fromkeys(("mmap", "winreg", "_winapi", "msvcrt", "resource", "_posixsubprocess",
                     "_posixshmem", "termios", "pwd", "grp"), _Source("files or the system")),
    "_signal": _Source("the clock", words("getitimer setitimer alarm")),
    "_uuid": _Source(_DRAWS),
    "_queue": _Source("a queue", words("get get_nowait qsize empty")),
    "gc": _Source("the memory", words("get_count get_stats get_objects")),
}
_PRINTING = {"print", "write", "writelines", "warn", "warn_explicit"}
_PRINTERS = {"builtins", "_io", "_warnings", "posix", "nt"}
_EVENTS = {  # of sys.audit
    "open": "a file", "sqlite3.connect": "a data base", "os.listdir": "files or the system",
    "os.scandir": "files or the system", "subprocess.Popen": "another program",
    "os.system": "another program", "os.posix_spawn": "another program",
    "builtins.input": "the keyboard", "mmap.__new__": "a file", "urllib.Request": "a socket",
    "socket.__new__": "a socket", "socket.connect": "a socket", "socket.getaddrinfo": "a socket",
    **dict.fromkeys(("ctypes.cdata", "ctypes.string_at", "ctypes.wstring_at",
                     "ctypes.PyObj_FromPtr"), "memory by its address"),
    **dict.fromkeys(("ctypes.dlopen", "ctypes.dlsym", "ctypes.call_function"),
                    "what a foreign function gives"),
    "socket.gethostbyname": "a socket", "socket.gethostname": "a socket"}

# Modules that look around for purposes of their own, whose results do not hang on it: they import,
# print, report, and wait for each other.
_WHATEVER_THEY_CALL = ("importlib", "_frozen_importlib", "_frozen_importlib_external", "logging",
                       "warnings", "traceback")
_IN_PYTHON = {  # functions of the standard library that are written in Python, by their module
    ("importlib", "reload"): "a file", ("linecache", "getlines"): "a file",
    ("ctypes", "cast"): "memory by its address"}
_ENVIRONMENT = type(os.environ).__getitem__.__code__
_IMPORT_MODULE = importlib.import_module.__code__
_BY_THEMSELVES = ("tqdm", "rich", "threading", "queue", "concurrent", "asyncio", "selectors",
                  "inspect", "tokenize")


class Reading(NamedTuple):
    """What was read, by which function, in which line."""

    what: str
    name: str
    place: str

    def __str__(self) -> str:
        if self.what == _DRAWS:
            return (f"the function draws random numbers from {self.name} at {self.place}, and a "
                    "replay would repeat those of the recording; draw them outside and pass them "
                    "as arguments")
        return (f"the function reads {self.what} ({self.name} at {self.place}), and a replay would "
                "repeat what the recording found there; read it outside and pass it as an argument")


class Lookout:
    """Looks at one call of a function.

    Args:
        captured: the ids of what the function captures.

    Attributes:
        reading: the first thing that it read outside, or None.
        has_printed: whether it wrote something: it should not be called again unasked.
        has_seen_all: whether nothing can have been missed; not so with threads that the function
            started, and where another profiler stands in the way.
        called: the functions of installed packages that were called, with their variables.
        reads_environment: whether an environment variable was read.
        imported: the names of modules that importlib was asked for.
    """

    rests = True

    def __init__(self, captured: Container[int] = ()) -> None:
        self._captured = captured
        self.reading: Reading | None = None
        self.has_printed = False
        self.has_seen_all = True
        self.reads_environment = False
        self.imported: set[str] = set()
        self.called: dict[Any, tuple[CodeType, dict[str, Any]]] = {}
        self._met: dict[int, CodeType] = {}  # by their ids: a code's hash takes long
        self._harmless: set[Any] = set()  # functions of modules that read nothing
        self._seeded: list[Any] = []  # generators to which the function itself gave a seed
        self._known: dict[tuple[Any, str], str | None] = {}

    def call(self, function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Any:
        """Call the function, and look."""
        _install()
        profiler, outer = sys.getprofile(), _here.lookout
        is_free = profiler is None or callable(profiler)  # else it is written in C, and stays
        self.has_seen_all &= is_free
        event = self if profiler is None else _both(self, profiler)
        try:
            _here.lookout = self
            if is_free:
                sys.setprofile(event)
            return function(*arguments, **keywords)
        finally:
            if is_free:
                sys.setprofile(profiler)
            _here.lookout = outer

    def __call__(self, frame: FrameType, event: str, function: Any) -> None:
        """What ``sys.setprofile`` asks for."""
        if event == "call":
            if id(code := frame.f_code) not in self._met:
                self._entered(frame, code)
        elif event == "c_call":
            owner = function.__self__
            if owner.__class__ is ModuleType and function in self._harmless:
                return
            name = function.__name__
            key = (function.__module__ if owner is None or owner.__class__ is ModuleType else
                   owner if isinstance(owner, type) else owner.__class__, name)
            try:
                what = self._known[key]
            except KeyError:
                what = self._known[key] = what_reads(function)
            except TypeError:  # the class of a class says how it is hashed
                what = what_reads(function)
            if what is not None:
                self._called(frame, what, owner, name)
            elif owner.__class__ is ModuleType:
                self._harmless.add(function)

    def _entered(self, frame: FrameType, code: CodeType) -> None:
        """A function that is written in Python was called, which is looked at once."""
        self._met[id(code)] = code
        if code is _IMPORT_MODULE:
            self.imported.add(str(frame.f_locals.get("name")))
            del self._met[id(code)]  # but this one at each call
        self.has_printed |= code.co_name == "write"  # of a stream that is written in Python
        self.reads_environment |= code is _ENVIRONMENT
        what = _IN_PYTHON.get((str(frame.f_globals.get("__name__")), code.co_name))
        if what is not None and frame.f_back is not None:
            self.note(frame.f_back, what, code.co_name)
        if _is_of_installed_package(frame):
            self.called[code.co_filename, code.co_firstlineno] = code, frame.f_globals

    def _called(self, frame: FrameType, what: str, owner: Any, name: str) -> None:
        if what == OUTPUT:
            self.has_printed = True
        elif what == "a thread":
            self.has_seen_all = False
        elif isinstance(owner, io.StringIO | io.BytesIO | SimpleQueue):
            if id(owner) in self._captured:  # else it is memory of the function's own
                self.note(frame, what, name)
        elif isinstance(owner, random.Random):
            self._drawn(frame, owner, name)
        else:
            self.note(frame, what, name)

    def _drawn(self, frame: FrameType, generator: Any, name: str) -> None:
        """A generator whose seed is the function's own gives the same numbers at each call."""
        if name == "seed":
            if frame.f_locals.get("a", frame) is None:
                self.note(frame, _DRAWS, "a generator without a seed")
            elif not any(generator is each for each in self._seeded):
                self._seeded.append(generator)
        elif not any(generator is each for each in self._seeded):
            self.note(frame, _DRAWS, "random")

    def audited(self, frame: FrameType | None, event: str, arguments: tuple[Any, ...]) -> None:
        """What ``sys.audit`` says of this thread."""
        if frame is not None and not (event == "open" and _is_for_writing(*arguments)):
            self.note(frame, _EVENTS[event], event)

    def note(self, frame: FrameType, what: str, name: str) -> None:
        """Something was read, unless it is a library's own affair."""
        if self.reading is not None:
            return
        if name in ("urandom", "getrandom"):
            if _may_be_seeded(frame):
                self.has_seen_all = False  # the second recording shows it
                return
            what = _DRAWS
        user: FrameType | None = None
        is_inside = True  # of the standard library
        each: FrameType | None = frame
        while each is not None and each.f_code is not Lookout.call.__code__:
            package, path = _package(each), each.f_code.co_filename
            if package in _WHATEVER_THEY_CALL:
                return
            if is_inside and (package in _BY_THEMSELVES or path.startswith(_PACKAGE)):
                return
            is_inside &= package in sys.stdlib_module_names
            if user is None and not path.startswith((*LIBRARIES, _PACKAGE, "<frozen")):
                user = each
            each = each.f_back
        at = user or frame
        self.reading = Reading(
            what, name, f"{Path(at.f_code.co_filename).name}:{at.f_lineno}")


def _may_be_seeded(frame: FrameType) -> bool:
    """Whether fresh numbers were drawn only because NumPy does so before it takes a seed."""
    caller = frame.f_back
    if (frame.f_code.co_name != "getrandbits" or caller is None
            or {"getrandbits", "randbits"} & set(caller.f_code.co_names)):
        return False
    code, at = caller.f_code.co_code, caller.f_lasti
    return not (dis.opname[code[at]].startswith("CALL") and code[at + 1] == 0)


def is_unseen_clock(function: Any) -> bool:
    """Whether something is a method of the kind of ``datetime.now``, of a class made by Cython."""
    return (getattr(function, "__name__", "") in ("now", "utcnow", "today")
            and isinstance(getattr(function, "__self__", None), type)
            and not isinstance(function, BuiltinFunctionType)  # which the hook sees
            and not isinstance(getattr(function, "__func__", None), FunctionType))


def what_reads(function: Any) -> str | None:
    """What a C function reads outside, as far as is known; output goes there."""
    owner, name = function.__self__, function.__name__
    if owner is None or owner.__class__ is ModuleType:
        modules = [str(function.__module__)]
    else:
        cls = owner if isinstance(owner, type) else type(owner)
        modules = [str(each.__module__) for each in cls.__mro__]
    if name in _PRINTING and not _PRINTERS.isdisjoint(modules):
        return OUTPUT
    for module in modules:
        source = _SOURCES.get(module)
        if source is not None and (source.names is None or name in source.names):
            return source.what
    return None


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).split(".")[0]


def _is_of_installed_package(frame: FrameType) -> bool:
    """Whether a function is of a library that may have state: not Python's, nor a pure one."""
    package = _package(frame)
    return (package not in sys.stdlib_module_names and not is_pure_module(package)
            and frame.f_code.co_filename.startswith(LIBRARIES))


def _both(one: Callable[..., Any], other: Callable[..., Any]) -> Callable[..., Any]:
    def event(frame: FrameType, kind: str, argument: Any) -> None:
        one(frame, kind, argument)
        other(frame, kind, argument)

    return event


def _is_for_writing(path: Any, mode: Any, flags: Any) -> bool:
    """Whether an opened file is written, not read."""
    if isinstance(mode, str):
        return mode[:1] in ("w", "a", "x") and "+" not in mode
    return isinstance(flags, int) and flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR) == os.O_WRONLY


# --- the audit hook, which is one for the whole process -------------------------------------------

class _Here(threading.local):
    """The lookout of the thread."""

    lookout: Lookout | None = None


_here = _Here()
audits: list[bool] = []  # true once the hook is there, for ever


def _install() -> None:
    """Listen to audit events from now on: such a hook cannot be taken back."""
    if not audits:
        audits.append(True)
        sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _EVENTS and (lookout := _here.lookout) is not None:
        lookout.audited(sys._getframe(1), event, arguments)
