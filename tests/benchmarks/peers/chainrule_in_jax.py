"""Our own side with the back end jax: the same functions, compiled by XLA."""

from __future__ import annotations

from typing import Any

from peers import chainrule
from peers.job import Job

import autograd as ag

ag.jit(lambda x: x * x, backend="jax")(1.0)  # the back end is loaded once a process


def pendulum(data: dict[str, Any]) -> Job:
    """jit of value_and_grad; the loop that was unrolled is one scan."""
    return chainrule.pendulum(data, backend="jax")


def black_scholes(data: dict[str, Any]) -> Job:
    """vmap of value_and_grad over rows."""
    return chainrule.black_scholes(data, backend="jax")


def digits(data: dict[str, Any]) -> Job:
    """fit with Adam on batches, the loop over them on the device."""
    return chainrule.digits(data, backend="jax")
