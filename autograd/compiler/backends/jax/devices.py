"""JAX itself: whether it is there, in double precision, and on which devices."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

NO_JAX = 'JAX is not installed; pip install "chainrule[jax]"'


def is_installed() -> bool:
    """Whether there is a JAX to import."""
    return find_spec("jax") is not None


def refuse_missing() -> None:
    """Say how to install JAX where it is missing.

    Raises:
        ImportError: when it is not installed.
    """
    if not is_installed():
        raise ImportError(NO_JAX)


class _Use:
    """Whether this process has used JAX, and whether that was before it was forked."""

    is_begun = is_of_parent = False

    def fork(self) -> None:
        self.is_of_parent |= self.is_begun
        if self.is_of_parent or "jax" in sys.modules:
            _keep_collector_from_jax()


def _keep_collector_from_jax() -> None:
    """In a child: whatever the collector would have JAX free may wait for threads of the parent.

    JAX has itself called by Python's collector, and takes a lock then that another thread may have
    held when this process was forked; so do its arrays where they are freed.
    """
    gc.callbacks[:] = [told for told in gc.callbacks
                       if not getattr(told, "__module__", "").startswith("jax")]
    gc.freeze()  # what is here by now stays


_use = _Use()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_use.fork)


def double_precision() -> AbstractContextManager[Any]:
    """A context in which JAX computes in double precision; outside nothing changes.

    Raises:
        RuntimeError: in a child of a process that has used JAX: it would wait for ever.
    """
    if _use.is_of_parent:
        raise RuntimeError("JAX was used before this process was forked, and its threads have "
                           'stayed behind; use multiprocessing.get_context("spawn"), or another '
                           "back end in children")
    _use.is_begun = True
    import jax

    switch: Any = getattr(jax, "enable_x64", None)
    if switch is None:  # older releases have it elsewhere
        switch = import_module("jax.experimental").enable_x64
    context: AbstractContextManager[Any] = switch(True)
    return context


@cache
def refuse_single_precision(device: Any = None) -> None:
    """Refuse a device that has no double precision.

    Args:
        device: one of ``jax.devices()``; None is the default one.

    Raises:
        ValueError: when the device computes with fewer digits, or not at all.
    """
    import jax

    device = jax.local_devices()[0] if device is None else device
    if device.process_index != jax.process_index():
        return  # its own process asks it
    with double_precision():
        try:
            found = np.asarray(jax.jit(lambda x: x + 2.0 ** -50)(jax.device_put(1.0, device)))
            is_double = found.dtype == np.float64 and float(found) == 1.0 + 2.0 ** -50
        except (TypeError, NotImplementedError, jax.errors.JaxRuntimeError):
            is_double = False
    if not is_double:
        raise ValueError(f"the device {device} has no double precision; run on the processor by "
                         'JAX_PLATFORMS=cpu, or jax.config.update("jax_platforms", "cpu") before '
                         "anything else is done with JAX")
