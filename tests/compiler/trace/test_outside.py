"""What a function reads from outside is refused, at any length; what is none of that is not."""

from __future__ import annotations

import colorsys
import contextlib
import ctypes
import datetime
import functools
import gc
import importlib
import io
import linecache
import logging
import math
import mmap
import os
import pwd
import random
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import mpmath
import numpy as np
import pytest
from tqdm import tqdm

import autograd as ag
from autograd import RecordingError, Value, grad, jit
from autograd.compiler.compiled import CHECKED
from autograd.compiler.trace.captured_state import Watch

plainly = functools.partial(jit, backend="python")
LONG = CHECKED + 1


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A file that holds the number 2, as a text."""
    path = tmp_path / "rate.txt"
    path.write_text("2.0\n")
    np.save(tmp_path / "rate.npy", np.array([2.0]))
    return str(path)


def connected() -> socket.socket:
    one, other = socket.socketpair()
    other.sendall(b"2.0")
    return one


PAIR = connected()
NUMBER = ctypes.c_double(2.0)
CHILDREN, PCG = np.random.default_rng(1), np.random.PCG64(1)

READINGS: dict[str, Callable[[str], Any]] = {
    "open": lambda path: open(path).read(),  # noqa: SIM115
    "for line": lambda path: next(line for line in open(path)),  # noqa: SIM115
    "Path": lambda path: Path(path).read_text(),
    "bytes": lambda path: Path(path).read_bytes(),
    "FileIO": lambda path: io.FileIO(path).read(),
    "os.open": lambda path: os.read(os.open(path, os.O_RDONLY), 9),
    "map": lambda path: next(iter(map(open, [path]))).read(),
    "partial": lambda path: functools.partial(open, path)().read(),
    "np.loadtxt": lambda path: np.loadtxt(path),
    "np.fromfile": lambda path: np.fromfile(path, sep=" ")[0],
    "np.load": lambda path: np.load(path.replace("txt", "npy"))[0],
    "np.memmap": lambda path: np.memmap(path.replace("txt", "npy"), mode="r")[0],
    "mmap": lambda path: mmap.mmap(os.open(path, os.O_RDONLY), 0, prot=mmap.PROT_READ)[:3],
    "stat": lambda path: os.path.getmtime(path),
    "size": lambda path: Path(path).stat().st_size,
    "exists": lambda path: float(os.path.exists(path)),
    "listdir": lambda path: len(os.listdir(os.path.dirname(path))),
    "glob": lambda path: len(list(Path(path).parent.glob("*"))),
    "cwd": lambda path: len(os.getcwd()),
    "time": lambda path: int(time.time()),
    "time_ns": lambda path: time.time_ns() // 10**15,
    "monotonic": lambda path: int(time.monotonic() / 1e9),
    "strftime": lambda path: time.strftime("%Y"),
    "localtime": lambda path: time.localtime().tm_year,
    "now": lambda path: datetime.datetime.now().year,
    "utcnow": lambda path: datetime.datetime.now(datetime.timezone.utc).hour > 99,
    "today": lambda path: datetime.date.today().year,
    "process_time": lambda path: int(time.process_time() / 1e9),
    "urandom": lambda path: os.urandom(1)[0] > 300,
    "uuid1": lambda path: uuid.uuid1().version,
    "uuid4": lambda path: uuid.uuid4().version,
    "secrets": lambda path: secrets.randbelow(1),
    "token": lambda path: len(secrets.token_hex()),
    "own Random": lambda path: random.Random().random() > 2.0,
    "own Generator": lambda path: np.random.default_rng().random() > 2.0,
    "own RandomState": lambda path: np.random.RandomState().random_sample() > 2.0,
    "SystemRandom": lambda path: random.SystemRandom().random() > 2.0,
    "socket": lambda path: PAIR.recv(1, socket.MSG_PEEK),
    "hostname": lambda path: len(socket.gethostname()),
    "subprocess": lambda path: subprocess.run([sys.executable, "-c", ""]).returncode,
    "system": lambda path: os.system("true"),
    "sqlite": lambda path: sqlite3.connect(":memory:").execute("select 2.0").fetchone()[0],
    "temporary": lambda path: len(tempfile.mkdtemp()),
    "linecache": lambda path: linecache.getline(path, 1),
    "reload": lambda path: importlib.reload(colorsys).ONE_SIXTH,
    "open_memmap": lambda path: np.lib.format.open_memmap(path.replace("txt", "npy"), "r")[0],
    "pid": lambda path: os.getpid() > 0,
    "user": lambda path: pwd.getpwuid(os.getuid()).pw_uid,
    "timer": lambda path: signal.getitimer(signal.ITIMER_REAL)[0],
    "address": lambda path: ctypes.c_double.from_address(ctypes.addressof(NUMBER)).value,
    "cast": lambda path: ctypes.cast(id(path), ctypes.c_void_p).value is None,
    "foreign": lambda path: ctypes.CDLL(None).time(None) > 0,
    "spawned": lambda path: CHILDREN.spawn(1)[0].random() > 2.0,
    "bits": lambda path: PCG.random_raw() < 0,
    "load average": lambda path: os.getloadavg()[0] > 1e9,
}


@pytest.mark.parametrize("length", [1, LONG], ids=["short", "long"])
@pytest.mark.parametrize("name", READINGS)
def test_what_is_read_from_outside_is_refused(name: str, length: int, path: str) -> None:
    read = READINGS[name]

    def f(x: Any) -> Any:
        number = float(read(path))
        for _ in range(length):
            x = x * 0.5 + number
        return x

    with pytest.raises(RecordingError, match=r"reads .* at test_outside\.py|draws random numbers"):
        plainly(f)(1.5)


def test_a_function_that_reads_names_the_line_and_what_to_write(path: str) -> None:
    def helper() -> float:
        return float(Path(path).read_text())

    line = helper.__code__.co_firstlineno + 1
    with pytest.raises(RecordingError, match=rf"reads a file \(open at test_outside\.py:{line}\)"
                                             ".*read it outside and pass it as an argument"):
        plainly(lambda x: x * helper())(1.0)
    f = plainly(lambda x, rate: x * rate)
    assert f(1.5, helper()) == 3.0


@pytest.mark.parametrize("transform", [grad, ag.value_and_grad, ag.hessian])
def test_derivatives_and_rows_are_looked_at(transform: Any, path: str) -> None:
    f = lambda x: x * x * float(Path(path).read_text())
    for compiled, argument in ((plainly(transform(f)), 1.5), (transform(plainly(f)), 1.5),
                               (ag.vmap(f, backend="python"), [1.0, 2.0])):
        with pytest.raises(RecordingError, match="reads a file"):
            compiled(argument)


HELD = defaultdict(time.time)
PARTIAL = functools.partial(time.time)
clock = time.perf_counter
TODAY = "Today"
LIBRARY = ctypes.CDLL(None)


@pytest.mark.parametrize("read", [
    lambda: next(iter(time.time, None)), lambda: next(iter(clock, None)), lambda: HELD["a"],
    lambda: functools.partial(time.time)(), lambda: PARTIAL(), lambda: np.datetime64("now"),
    lambda: np.datetime64("today"), lambda: defaultdict(time.time)["a"],
    lambda: np.datetime64(TODAY), lambda: np.array(["now"], dtype="datetime64[s]")[0].astype(float),
    lambda: np.array([TODAY]).astype("M8[D]").astype(float)[0],
    lambda: np.busday_count("2020-01-01", "today"), lambda: LIBRARY.time(None)])
def test_a_clock_that_c_code_reads_unseen_is_refused(read: Callable[[], Any]) -> None:
    """No hook sees a function written in C that is called by another one."""
    with pytest.raises(RecordingError, match=r"lets .* be called where nobody sees"):
        plainly(lambda x: x * float(int(read()) > 1))(1.5)


@pytest.mark.parametrize("length", [1, LONG], ids=["short", "long"])
def test_a_captured_stream_or_queue_is_refused(length: int) -> None:
    text, queue = io.StringIO("1.0\n2.0\n3.0\n"), SimpleQueue[float]()
    queue.put(2.0)
    queue.put(2.0)

    def f(x: Any, read: Callable[[], Any]) -> Any:
        number = float(read())
        for _ in range(length):
            x = x * 0.5 + number
        return x

    for read in (text.readline, lambda: text.readline(), lambda: queue.get(), queue.get):
        with pytest.raises(RecordingError, match=r"reads a (file|queue)"):
            plainly(f)(1.5, read)
    own = SimpleQueue[float]
    agrees(lambda x: x * put_and_get(own()), plainly(lambda x: x * put_and_get(own())))


def put_and_get(queue: Any) -> Any:
    queue.put(2.0)
    return queue.get() + float(io.StringIO("3.0").read())


def test_a_clock_that_an_argument_names_is_refused() -> None:
    f = plainly(lambda x, day: x + np.datetime64(day, "D").astype(int))
    assert f(0.5, "1970-01-03") == 2.5
    with pytest.raises(RecordingError, match="text 'now' or 'today'"):
        f(0.5, "today")


def test_a_clock_in_a_branch_that_is_not_taken_is_no_reading() -> None:
    def f(x: Any) -> Any:
        if x > 100.0:
            start = time.perf_counter()
            print(clock() - start, datetime.datetime.now(), np.datetime64("2020-01-01"))
        return x * 2.0

    agrees(f, plainly(f))


def test_a_reading_that_the_function_swallows_is_refused(path: str) -> None:
    def f(x: Any) -> Any:
        with contextlib.suppress(Exception):
            return x * float(Path(path + ".old").read_text())
        return x

    with pytest.raises(RecordingError, match="reads a file"):
        plainly(f)(1.5)


def test_every_branch_is_looked_at(path: str) -> None:
    f = plainly(lambda x: x * float(Path(path).read_text()) if x > 1.0 else -x)
    assert f(0.5) == -0.5
    with pytest.raises(RecordingError, match="reads a file"):
        f(1.5)
    assert f(0.25) == -0.25


# --- no false alarm -------------------------------------------------------------------------------

def agrees(function: Callable[[Any], Any], compiled: Any) -> None:
    for x in (1.5, 2.5, 1.5):
        assert compiled(x) == function(x)
    assert compiled.n_recordings == 1


def seeded(x: Any) -> Any:
    generator = random.Random(7)
    noise = [generator.gauss(0.0, 1.0), generator.choice([1.0, 2.0]), generator.random()]
    return x * sum(noise) + np.random.default_rng(3).normal() + np.random.RandomState(1).rand()


def with_memory(x: Any) -> Any:
    buffer = io.StringIO("2.0\n3.0")
    return x * float(buffer.readline()) + float(io.BytesIO(b"4").read())


def imports(x: Any) -> Any:
    import colorsys
    import json.tool

    return x * colorsys.rgb_to_hsv(0.2, 0.4, 0.4)[0] * float(json.tool.json.loads("2.0"))


def texts(x: Any) -> Any:
    day = datetime.date(2020, 2, 29) + datetime.timedelta(days=1)
    moment = datetime.datetime.fromisoformat("2020-02-29T12:00:00")
    place = os.path.join("a", "b") + Path("a/b.txt").suffix
    return x * day.day + moment.hour + len(place)


def with_progress(x: Any) -> Any:
    for _ in tqdm(range(3), disable=False, file=io.StringIO()):
        x = x * 0.5
    return x


def with_locks(x: Any) -> Any:
    event, lock = threading.Event(), threading.Lock()
    event.wait(0.001)
    with lock:
        time.sleep(0.0)
    return x * 2.0


def with_mpmath(x: Any) -> Any:
    return x * mpmath.mp.dps * float(mpmath.mp.pi)


def compares(x: Any) -> Any:
    return x if os.environ.get("RATE_OF_A_TEST") is None else -x


def writes(x: Any) -> Any:
    with open(os.devnull, "w") as file:
        file.write("recorded")
    return x * 2.0


def warns(x: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.warn("recorded", UserWarning, stacklevel=1)
    return x * 2.0


def logs(x: Any) -> Any:
    logging.getLogger("outside").warning("recorded %s", "once")
    return x * 2.0


@pytest.mark.parametrize("function", [seeded, with_memory, imports, texts, with_progress,
                                      with_locks, with_mpmath, compares, writes, warns, logs])
def test_what_comes_out_the_same_is_no_reading(function: Callable[[Any], Any]) -> None:
    for _ in range(2):
        gc.collect()  # finalizers that others have left ask for the process
        agrees(function, plainly(function))


def busy(work: Callable[[], Any]) -> Iterator[None]:
    """A thread that works until the caller goes on."""
    done, started = threading.Event(), threading.Event()

    def run() -> None:
        while not done.is_set():
            work()
            started.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert started.wait(10.0)
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("work", [random.random, np.random.rand, time.time, secrets.token_hex,
                                  lambda: Path(os.devnull).read_text()])
def test_what_another_thread_draws_and_reads_is_its_own_affair(work: Callable[[], Any]) -> None:
    def slow(x: Any) -> Any:
        for _ in range(1000):
            x = x * 0.5 + 1.0
        return x

    def not_pure(x: Any) -> Any:
        return slow(x) * len(os.sep)

    def with_its_own_generator(x: Any) -> Any:
        return slow(x) * random.Random(7).random()

    functions = [slow, not_pure]
    if work is random.random:
        functions.append(with_its_own_generator)
    with contextlib.contextmanager(busy)(work):
        for _ in range(5):
            for function in functions:
                assert plainly(function)(1.5) == function(1.5)


@pytest.mark.parametrize("draw", [random.random, np.random.rand, lambda: np.random.rand() > 2.0])
def test_draws_are_refused_beside_another_thread(draw: Callable[[], Any]) -> None:
    with contextlib.contextmanager(busy)(lambda: time.sleep(0.001)), \
            pytest.raises(RecordingError, match="random numbers"):
        plainly(lambda x: x * float(draw()))(1.5)


# --- printing -------------------------------------------------------------------------------------

def test_standard_output_is_never_replaced(capsys: Any) -> None:
    seen: list[Any] = []
    before = sys.stdout

    def f(x: Any) -> Any:
        seen.append(sys.stdout)
        print("recorded")
        return x * 2.0

    with pytest.raises(RecordingError, match="changes seen"):
        plainly(f)(1.0)
    assert seen == [before] and capsys.readouterr().out == "recorded\n"


@pytest.mark.parametrize("say", [
    lambda: print("once"), lambda: sys.stdout.write("once\n"), lambda: os.write(1, b""),
    lambda: print("once", file=sys.stderr), lambda: logging.getLogger("once").warning("once"),
    lambda: sys.stdout.writelines(["once", "\n"])])
def test_what_is_said_is_said_once(say: Callable[[], Any], capsys: Any) -> None:
    calls = io.StringIO()

    def f(x: Any) -> Any:
        print("called", file=calls)
        say()
        return x * 2.0

    compiled = plainly(f)
    assert [compiled(1.0), compiled(2.0)] == [2.0, 4.0]
    assert calls.getvalue() == "called\n"
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count("once") <= 1


def test_a_stream_of_the_users_own_is_written_once() -> None:
    class Stream:
        text = ""

        def write(self, text: str) -> None:
            self.text += text

        def flush(self) -> None:
            pass

    stream = Stream()

    def f(x: Any) -> Any:
        os.fspath("")
        stream.write("once ")
        return x * 2.0

    assert [plainly(f)(1.0), stream.text] == [2.0, "once "]


# --- the hook -------------------------------------------------------------------------------------

def test_the_users_own_profiler_stays(path: str) -> None:
    seen: list[str] = []

    def profiler(frame: Any, event: str, argument: Any) -> None:
        seen.append(frame.f_code.co_name)

    def inner(x: Any) -> Any:
        return x * len(os.sep)

    sys.setprofile(profiler)
    try:
        assert plainly(inner)(1.5) == 1.5
        assert sys.getprofile() is profiler
        with pytest.raises(RecordingError, match="reads a file"):
            plainly(lambda x: x * float(Path(path).read_text()))(1.5)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
    assert "inner" in seen


def test_a_profiler_written_in_c_stays() -> None:
    import cProfile

    profiler = cProfile.Profile()
    profiler.enable()
    try:
        assert plainly(lambda x: x * len(os.sep))(1.5) == 1.5
        with pytest.raises(RecordingError, match="computes something else"):
            plainly(lambda x: x * time.perf_counter())(1.5)
    finally:
        profiler.disable()
    assert any("perf_counter" in str(entry.code) for entry in profiler.getstats())


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_the_hook_is_gone_after_an_error(error: type[BaseException]) -> None:
    def f(x: Any) -> Any:
        os.fspath("")
        assert sys.getprofile() is not None
        raise error

    with pytest.raises(error):
        plainly(f)(1.0)
    assert sys.getprofile() is None


def test_pure_functions_are_not_looked_at() -> None:
    """The hook makes Python three times slower."""
    weight, rates = Value(2.0), {"a": [1.0, 2.0]}

    class Model:
        scale = 3.0

        def __call__(self, x: Any) -> Any:
            return x * self.scale * weight + helper(x) + rates["a"][0]

    def helper(x: Any) -> Any:
        return ag.tanh(x) * math.pi + np.sum(np.array([x, 1.0]) * np.linalg.norm([3.0, 4.0]))

    assert all(Watch(function).is_pure for function in (Model(), helper, grad(helper)))
    assert not Watch(lambda x: time.sleep(x)).is_pure
    assert not Watch(lambda x: print(x)).is_pure
    assert not Watch(lambda x: np.random.rand()).is_pure
