"""A virtual environment for each peer, and the worker that runs in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .problems import OUR_OWN

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# What each peer's environment holds.
REQUIREMENTS: dict[str, tuple[str, ...]] = {
    "autograd": ("autograd", "scipy"),
    "casadi": ("casadi",),
    "jax": ("jax",),
    "micrograd": ("micrograd==0.1.0", "numpy"),
    "numpy": ("numpy",),
    "torch": ("torch==2.13.0", "numpy"),
    "xad": ("xad", "numpy"),
}

ONE_THREAD = {"CHAINRULE_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
              "OPENBLAS_NUM_THREADS": "1",
              "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}


class PeerError(Exception):
    """A peer that cannot be installed, does not answer, or fails."""


def folder() -> Path:
    """Where the environments lie: CHAINRULE_BENCHMARKS_DIR, or a folder in ~/.cache."""
    chosen = os.environ.get("CHAINRULE_BENCHMARKS_DIR")
    return Path(chosen) if chosen else Path.home() / ".cache" / "chainrule-benchmarks"


def environment(peer: str, say: Callable[[str], None] = print) -> Path:
    """The Python of a peer's environment, which is made if it is not there.

    Args:
        peer: one of REQUIREMENTS.
        say: is told what is being installed.

    Raises:
        PeerError: when it cannot be installed.
    """
    requirements = REQUIREMENTS[peer]
    place = folder() / f"{peer}-{sys.version_info[0]}.{sys.version_info[1]}"
    python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    done = place / "installed.json"  # is written last: half an environment is made again
    if python.exists() and done.exists() and json.loads(done.read_text()) == [*requirements]:
        return python
    say(f"installing {' '.join(requirements)} into {place} ...")
    try:
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *requirements], check=True,
                       capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise PeerError(f"cannot be installed: {said[-1] if said else error}") from None
    done.write_text(json.dumps(requirements))
    return python


def processor() -> int:
    """The processor core that all workers share, or -1 where none can be chosen."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else -1


class Worker:
    """A process that runs one peer's functions.

    Args:
        python: the interpreter.
        module: what it imports, for example ``peers.jax``.
        folders: where it looks for modules first.
        timeout: the seconds that one answer may take.
        all_cores: whether it may use as many threads as it likes, on all processor cores.
    """

    def __init__(self, python: Path, module: str, folders: Sequence[Path] = (),
                 timeout: float = 900.0, all_cores: bool = False) -> None:
        self.timeout, self.timed_out = timeout, False
        self._scratch = tempfile.TemporaryDirectory()
        self._errors = open(Path(self._scratch.name) / "errors", "w+")  # noqa: SIM115
        command = [python, "-I", "-B", HERE / "peers" / "serve.py", module,
                   -1 if all_cores else processor(), *folders]
        # Nothing that was compiled before may shorten the time to the first result.
        settings = {**({} if all_cores else ONE_THREAD),
                    "CHAINRULE_CACHE_DIR": str(Path(self._scratch.name) / "code")}
        self._process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._errors, text=True, cwd=self._scratch.name, env={**os.environ, **settings})

    def ask(self, **request: Any) -> dict[str, Any]:
        """The answer to a request of peers/serve.py.

        Raises:
            PeerError: with what the worker says of its failure.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        watch = threading.Timer(self.timeout, self._give_up)
        watch.start()
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watch.cancel()
        answer = json.loads(line) if line else {"error": self._last_words()}
        if "error" in answer:
            raise PeerError(answer["error"].strip())
        return dict(answer)

    def _give_up(self) -> None:
        self.timed_out = True
        self._process.kill()

    def _last_words(self) -> str:
        code = self._process.wait()
        if self.timed_out:
            return f"took more than {self.timeout:,.0f} s"
        self._errors.seek(0)
        return f"{self._errors.read()}\nthe worker has ended with code {code}"

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()
        self._scratch.cleanup()


def worker(peer: str, say: Callable[[str], None] = print, all_cores: bool = False,
           timeout: float = 900.0) -> Worker:
    """A worker for a peer in its own environment, or for ourselves in the running one."""
    python, folders = (Path(sys.executable), [ROOT]) if peer in OUR_OWN else (
        environment(peer, say), [])
    return Worker(python, f"peers.{peer}", folders, timeout, all_cores)
