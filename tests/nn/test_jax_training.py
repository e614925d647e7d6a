"""Training in JAX: the same history as the eager engine's, to rounding, on one device and many."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import nn
from nn import schedules
from nn.compiled_training import Training
from nn.kept_training import leave, taken

from .. import jax_process
from ..back_ends import needs_jax

pytestmark = needs_jax

X = np.random.default_rng(0).normal(size=(23, 3))
SIGNS = np.where(X[:, 0] > X[:, 1], 1.0, -1.0)
CASES: dict[str, tuple[Any, int]] = {
    "hinge": (SIGNS, 1), "mean_squared_error": (X[:, :2] * 2.0, 2),
    "cross_entropy": (np.argmax(X, axis=1), 3)}
ROOT = Path(__file__).parents[2]


def run(loss: str, backend: str | None, **options: Any) -> tuple[nn.History, nn.Module]:
    y, outputs = CASES[loss]
    model = nn.MLP(3, [6, outputs], activation=options.pop("activation", "tanh"), output="linear",
                   seed=2)
    optimizer = options.pop("optimizer", "sgd")
    if callable(optimizer):
        optimizer = optimizer(model.parameters())
    options.setdefault("epochs", 5)
    chosen: dict[str, Any] = {"backend": backend} if backend else {"compiled": False}
    history = nn.fit(model, X, y, loss=loss, optimizer=optimizer, progress=False, **chosen,
                     **options)
    return history, model


def assert_alike(given: tuple[nn.History, nn.Module], expected: tuple[nn.History, nn.Module]
                 ) -> None:
    assert given[0].loss == pytest.approx(expected[0].loss, rel=1e-10)
    assert given[0].accuracy == expected[0].accuracy
    assert given[0].learning_rate == expected[0].learning_rate
    assert given[0].stopped == expected[0].stopped
    assert [p.data for p in given[1].parameters()] == pytest.approx(
        [p.data for p in expected[1].parameters()], rel=1e-8, abs=1e-12)


@pytest.mark.parametrize(("loss", "options"), [
    ("cross_entropy", {}), ("cross_entropy", {"batch_size": 7, "seed": 3}),
    ("hinge", {"l2": 0.01, "optimizer": "adam", "batch_size": 5}),
    ("mean_squared_error", {"activation": "relu", "optimizer": lambda p: nn.SGD(
        p, schedules.linear(0.5, 0.1, 6), momentum=0.9, weight_decay=0.01)}),
    ("cross_entropy", {"patience": 1, "learning_rate": 1.5})])
def test_the_history_is_the_eager_one_to_rounding(loss: str, options: dict[str, Any]) -> None:
    given = run(loss, "jax", **options)
    assert (given[0].engine, given[0].reason) == ("jax", 'backend="jax" was asked for')
    assert_alike(given, run(loss, None, **options))


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_the_other_back_ends_can_be_asked_for(backend: str) -> None:
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    given = run("hinge", backend, batch_size=8)
    assert given[0].engine == backend
    assert_alike(given, run("hinge", None, batch_size=8))


def test_divergence_keeps_the_steps_before_it() -> None:
    options = {"learning_rate": 1e12, "epochs": 60, "activation": "relu"}
    given, model = run("mean_squared_error", "jax", **options)
    expected, same = run("mean_squared_error", None, **options)
    assert given.stopped.split(":")[0] == expected.stopped.split(":")[0]
    assert given.stopped.startswith("diverged")
    assert [p.data for p in model.parameters()] == pytest.approx(
        [p.data for p in same.parameters()], rel=1e-8)


class Bent(nn.Module):
    """A branch that only some rows take."""

    def __init__(self) -> None:
        self.below, self.above = nn.Neuron(3, "linear"), nn.Neuron(3, "linear")

    def __call__(self, x: Any) -> Any:
        answer = self.below(x)
        return answer if answer > 0.3 else self.above(x)

    def parameters(self) -> Any:
        return self.below.parameters() + self.above.parameters()


def test_rows_that_take_another_branch_are_left_to_the_eager_engine() -> None:
    import random

    found = []
    for options in ({"backend": "jax"}, {"compiled": False}):
        random.seed(3)
        model = Bent()
        history = nn.fit(model, X, SIGNS, loss="hinge", epochs=3, batch_size=8, progress=False,
                         **options)
        found.append((history, model))
    assert found[0][0].engine == "eager"
    assert "takes another branch" in found[0][0].reason
    assert_alike(*found)


def test_a_second_training_replays_where_it_is_for_the_same_devices() -> None:
    results = []
    for chosen in ({"backend": "jax"}, {"compiled": False}):
        model = nn.MLP(3, [6, 1], activation="tanh", seed=2)
        optimizer = nn.Adam(model.parameters(), 0.02)
        kept: list[Any] = []

        def train(options: dict[str, Any], rows: Any = X, model: Any = model,
                  optimizer: Any = optimizer, kept: list[Any] = kept) -> nn.History:
            history = nn.fit(model, rows, SIGNS[:len(rows)], optimizer=optimizer, epochs=3,
                             batch_size=8, progress=False, **options)
            kept.append(taken(model, Training))
            if kept[-1] is not None:
                leave(model, kept[-1])
            return history

        train(chosen)
        again = train(chosen, X[:17] * 2.0)  # other rows, too
        with_mesh = train({**chosen, "mesh": mesh()} if "backend" in chosen else chosen)
        results.append(((again, model), (with_mesh, model)))
        if "backend" in chosen:
            assert kept[0] is kept[1] is not kept[2]
            assert kept[1].descent._data == (None, None)
            assert again.engine == with_mesh.engine == "jax"
    for given, expected in zip(*results, strict=True):
        assert_alike(given, expected)


# --- many devices ---------------------------------------------------------------------------------

def mesh(axis: str = "rows") -> Any:
    import jax

    return jax.make_mesh((1,), (axis,))


@pytest.mark.parametrize(("options", "error", "words"), [
    ({"backend": "jax", "mesh": "cols"}, ValueError, 'one called "rows"'),
    ({"backend": "jax", "mesh": 3}, TypeError, "not 3"),
    ({"mesh": "rows"}, ValueError, 'backend="jax" beside'),
    ({"backend": "jax", "compiled": False}, ValueError, "leave out compiled=False"),
    ({"backend": "torch"}, ValueError, "no back end 'torch' for a training")], ids=str)
def test_bad_use_is_an_error_and_changes_nothing(options: dict[str, Any], error: type[Exception],
                                                 words: str) -> None:
    model = nn.MLP(3, [1], seed=2)
    before = [p.data for p in model.parameters()]
    if isinstance(options.get("mesh"), str):
        options = {**options, "mesh": mesh(options["mesh"])}
    with pytest.raises(error, match=words):
        nn.fit(model, X, SIGNS, loss="hinge", progress=False, **options)
    assert [p.data for p in model.parameters()] == before


def test_rows_that_do_not_divide_are_refused() -> None:
    from autograd.compiler.backends.jax.mesh import refuse_rest

    four: Any = SimpleNamespace(shape={"rows": 4})
    refuse_rest(four, 24, "", "give")
    with pytest.raises(ValueError, match="30 rows of a batch do not divide over the 4 places"):
        refuse_rest(four, 30, " of a batch", "choose as batch_size")


def processes(count: int, *words: str) -> list[subprocess.Popen[str]]:
    """Processes of two devices each that train together."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT),
                   "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    return [subprocess.Popen(
        [sys.executable, "-m", "tests.jax_process", str(port), str(count), str(i), *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT)
        for i in range(count)]


def ended(running: list[subprocess.Popen[str]]) -> list[tuple[int, str, str]]:
    """What each process returned and wrote; none of them is left behind."""
    try:
        outputs = [process.communicate(timeout=240) for process in running]
    finally:
        for process in running:
            process.kill()
    return [(process.returncode, *output)
            for process, output in zip(running, outputs, strict=True)]


@pytest.mark.parametrize("count", [1, 2])
def test_processes_that_train_together_reach_what_one_reaches(count: int) -> None:
    losses, parameters, _ = jax_process.trained()
    values, slope = jax_process.summed()
    for code, out, err in ended(processes(count)):
        assert code == 0, err
        devices, *given = json.loads(out.splitlines()[-1])
        assert devices == 2 * count
        assert given[0] == pytest.approx(losses, rel=1e-12)
        assert given[1] == pytest.approx(parameters, rel=1e-10)
        assert given[2] == "jax"
        assert given[3] == pytest.approx(values, rel=1e-14)
        assert given[4] == pytest.approx(slope, rel=1e-13)
        said, is_unchanged = given[5:]
        assert all("7 rows" in text and f"a multiple of {2 * count}" in text for text in said)
        assert is_unchanged


def test_a_process_that_dies_ends_the_others_with_an_error() -> None:
    survivor, dead = ended(processes(2, "20"))
    assert dead[0] == 3
    assert survivor[0] not in (0, None)
    assert "jax" not in survivor[1]  # it has no history to print
    assert "died" in survivor[2] or "error" in survivor[2].lower()
