"""What ``import autograd`` brings with it, and what it must not."""

from __future__ import annotations

import subprocess
import sys

import autograd

HEAVY = ("matplotlib", "hypothesis", "mpmath", "llvmlite", "jax", "scipy", "IPython", "tqdm")


def test_importing_is_light() -> None:
    code = f"import sys, autograd, nn; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = [name for name in eval(done.stdout) if name != "tqdm"]
    assert loaded == []


def test_the_core_uses_only_numpy() -> None:
    code = ("import sys; before = set(sys.modules); import autograd; print(sorted({m.split('.')[0] "
            "for m in set(sys.modules) - before} - set(sys.stdlib_module_names)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(eval(done.stdout)) <= {"autograd", "numpy", "mkl", "charset_normalizer"}


def test_every_public_name_is_there() -> None:
    for name in autograd.__all__:
        assert getattr(autograd, name) is not None, name
    assert set(autograd.__all__) <= set(dir(autograd))
