"""One of several processes of ``jax.distributed`` that train together; prints what it reached.

Run as ``python -m tests.jax_process PORT PROCESSES ID [STEP]``; with a STEP the last process ends
without a word before it.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import numpy as np

EPOCHS = 8


def data() -> tuple[Any, Any]:
    """Rows and classes."""
    rows = np.random.default_rng(0).normal(size=(48, 3))
    return rows, np.argmax(rows, axis=1)


def trained(**options: Any) -> list[Any]:
    """The losses and the parameters of a training."""
    import nn

    rows, classes = data()
    model = nn.MLP(3, [6, 3], activation="tanh", output="linear", seed=2)
    optimizer = nn.Adam(model.parameters(), options.pop("schedule", 0.01))
    history = nn.fit(model, rows, classes, loss="cross_entropy", optimizer=optimizer, batch_size=8,
                     epochs=EPOCHS, progress=False, patience=EPOCHS, **options)
    return [history.loss, [p.data for p in model.parameters()], history.engine]


def summed(**options: Any) -> list[Any]:
    """The values of a function of rows, and the sum of its slopes."""
    import autograd as ag

    f = ag.vmap(lambda w, x: ag.tanh(w * x) if x > 0.0 else w * x, in_axes=(None, 0), **options)
    values, slope = ag.value_and_grad(f)(0.7, np.linspace(-1.0, 1.0, 32))
    return [values.tolist(), slope]


def refused(mesh: Any) -> list[Any]:
    """What is said of rows that do not divide over the mesh, and whether all is as it was."""
    import autograd as ag
    import nn

    rows, classes = data()
    model = nn.MLP(3, [3], output="linear", seed=2)
    before = [p.data for p in model.parameters()]
    f = ag.vmap(lambda x: x * x, backend="jax", mesh=mesh)
    said = []
    for call in (lambda: nn.fit(model, rows, classes, loss="cross_entropy", batch_size=7,
                                progress=False, backend="jax", mesh=mesh),
                 lambda: f(np.ones(7))):
        try:
            said.append(repr(call()))
        except ValueError as error:
            said.append(str(error))
    return [said, [p.data for p in model.parameters()] == before]


def main(port: str, count: int, number: int, last_step: int | None) -> None:
    import jax

    jax.distributed.initialize(f"127.0.0.1:{port}", count, number, heartbeat_timeout_seconds=10)
    mesh = jax.make_mesh((len(jax.devices()),), ("rows",))

    def schedule(step: int) -> float:
        if last_step is not None and step >= last_step and number == count - 1:
            os._exit(3)
        return 0.01

    found = [*trained(backend="jax", mesh=mesh, schedule=schedule),
             *summed(backend="jax", mesh=mesh), *refused(mesh)]
    print(json.dumps([len(jax.devices()), *found]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]),
         int(sys.argv[4]) if len(sys.argv) > 4 else None)
