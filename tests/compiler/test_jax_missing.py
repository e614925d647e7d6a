"""What is said where JAX is not installed, and that nobody loads it unasked."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import nn
from autograd import jit, vmap
from autograd.compiler.backends.jax import devices

CALLS: dict[str, Any] = {
    "jit": lambda: jit(lambda x: x * x, backend="jax")(1.0),
    "vmap": lambda: vmap(lambda x: x * x, backend="jax")([1.0, 2.0]),
    "to_jax": lambda: jit(lambda x: x * x).to_jax(),
    "export": lambda: jit(lambda x: x * x).export(1.0),
    "mesh": lambda: vmap(lambda x: x * x, backend="jax", mesh="any"),
    "fit": lambda: nn.fit(nn.MLP(1, [1]), [[1.0]], [1.0], backend="jax", progress=False)}


@pytest.mark.parametrize("name", CALLS)
def test_the_error_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "is_installed", lambda: False)
    with pytest.raises(ImportError, match=r'JAX is not installed; pip install "chainrule\[jax\]"'):
        CALLS[name]()


def test_jax_is_loaded_by_those_alone_who_ask_for_it() -> None:
    code = ("import sys, autograd, nn; autograd.jit(lambda x: x * x)(2.0); "
            "nn.fit(nn.MLP(1, [1]), [[1.0]], [1.0], epochs=1, progress=False); "
            "print('jax' in sys.modules)")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
