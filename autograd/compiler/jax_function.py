"""A compiled function as a pure function of JAX arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from autograd.compiler.backends.jax.devices import double_precision
from autograd.compiler.backends.jax.kernel import lowered
from autograd.compiler.backends.jax.ops import NAMES
from autograd.compiler.jax_rules import EMITTERS_WITH_RULES, REDUCERS_WITH_RULES
from autograd.compiler.program.gated_arms import gated
from autograd.compiler.trace.arguments import Place
from autograd.compiler.trace.inlining import inlined
from autograd.compiler.trace.tracer import Recording
from autograd.core.primitives import lookup
from autograd.core.pytrees import is_container, is_truth, items_of, with_items

Jitted = Any  # of ``jit``, which imports this module


class JaxFunction:
    """What ``Jitted.to_jax`` returns; see there."""

    def __init__(self, jitted: Jitted) -> None:
        self.jitted = jitted
        self.__name__ = getattr(jitted, "__name__", "function")

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        _refuse_single()
        parts: list[Any] = []
        static = self.jitted.static
        stand_ins = tuple(argument if i in static else _stand_in(argument, parts)
                          for i, argument in enumerate(arguments))
        named = {name: _stand_in(item, parts) for name, item in keywords.items()}
        recordings = self._recordings(stand_ins, named, arguments, keywords, parts)
        numbers = jnp.concatenate([*parts, jnp.zeros(0)])
        return _branches(recordings, numbers)

    def _recordings(self, stand_ins: tuple[Any, ...], named: dict[str, Any],
                    arguments: tuple[Any, ...], keywords: dict[str, Any],
                    parts: Sequence[Any]) -> list[Recording]:
        """What was recorded for such arguments; numbers are recorded now if need be."""
        jitted = self.jitted
        key, _ = jitted.taken_apart(stand_ins, named)
        known = jitted.known(key)
        is_traced = any(isinstance(part, jax.core.Tracer) for part in parts)
        if is_traced and known is None:
            raise ValueError(
                f"{self.__name__} was not called with such arguments yet, and while JAX traces "
                "there are no numbers to decide its branches by; call it once for each branch "
                "with numbers in this structure")
        if not is_traced and (known is None or any(
                recording.program.guards for recording in known.recordings)):
            jitted.record_branch(*_as_numbers(arguments), **dict(zip(keywords, _as_numbers(
                tuple(keywords.values())), strict=True)))  # records the branch if it is another one
            known = jitted.known(key)
        assert known is not None
        recordings: list[Recording] = known.recordings
        return recordings


def exported(jitted: Jitted, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> bytes:
    """What ``Jitted.export`` returns; see there."""
    jitted(*arguments, **keywords)
    function = JaxFunction(jitted)
    static = jitted.static
    with double_precision():
        given = [a if i in static else _as_arrays(a) for i, a in enumerate(arguments)]
        named = {name: _as_arrays(item) for name, item in keywords.items()}
        traced = jax.jit(function, static_argnums=tuple(static))
        return bytes(jax.export.export(traced)(*given, **named).serialize())


def _refuse_single() -> None:
    if not jax.config.jax_enable_x64:
        raise ValueError('JAX computes in single precision here; write jax.config.update('
                         '"jax_enable_x64", True) beforehand, or call inside of '
                         "with jax.enable_x64(True):")


# --- arguments ------------------------------------------------------------------------------------

def _is_array(item: Any) -> bool:
    return isinstance(item, jax.Array | np.ndarray | np.generic)


def _stand_in(item: Any, parts: list[Any]) -> Any:
    """The same structure around zeros; the numbers are appended to the parts, flat."""
    if item is None or isinstance(item, str) or is_truth(item):
        return item
    if _is_array(item) or isinstance(item, int | float):
        array = jnp.asarray(item, dtype=float)
        parts.append(array.reshape(-1))
        return np.zeros(array.shape) if array.ndim else 0.0
    if is_container(item):
        return with_items(item, [_stand_in(part, parts) for part in items_of(item)])
    return item


def _as_numbers(item: Any) -> Any:
    """The same structure around NumPy's arrays and floats."""
    if _is_array(item) and not is_truth(item):
        array = np.asarray(item, dtype=float)
        return array if array.ndim else float(array)
    if is_container(item):
        return with_items(item, [_as_numbers(part) for part in items_of(item)])
    return item


def _as_arrays(item: Any) -> Any:
    """The same structure around arrays of JAX."""
    if is_truth(item) or item is None or isinstance(item, str):
        return item
    if _is_array(item) or isinstance(item, int | float):
        return jnp.asarray(item, dtype=float)
    if is_container(item):
        return with_items(item, [_as_arrays(part) for part in items_of(item)])
    return item


# --- branches -------------------------------------------------------------------------------------

def _branches(recordings: Sequence[Recording], numbers: Any) -> Any:
    """The results of the branch whose guards hold; nan where that of none do."""
    runs = [_run_of(recording) for recording in recordings]
    found = [run(numbers) for run in runs] if len(runs) == 1 else None
    if found is not None and not recordings[0].program.guards:
        return found[0][0]
    holds = jnp.stack([run(numbers)[1] for run in runs])
    which = jnp.where(jnp.any(holds), jnp.argmax(holds), len(runs))
    like = jax.eval_shape(lambda x: runs[0](x)[0], numbers)

    def nowhere(numbers: Any) -> Any:
        unknown = jnp.sum(numbers * jnp.nan)  # so that its derivatives are nan, too
        return jax.tree.map(lambda leaf: jnp.broadcast_to(unknown, leaf.shape), like)

    arms: list[Callable[[Any], Any]] = [*(_results_of(run) for run in runs), nowhere]
    return lax.switch(which, arms, numbers)


def _results_of(run: Callable[[Any], tuple[Any, Any]]) -> Callable[[Any], Any]:
    return lambda numbers: run(numbers)[0]


def _run_of(recording: Recording) -> Callable[[Any], tuple[Any, Any]]:
    """The results of a recording and whether its guards hold."""
    program = recording.program
    unknown = {op for op in program.ops if op not in NAMES and lookup(op).arity is None}
    if unknown:  # of any number of operands: there is no operation for all of those
        program = inlined(program, unknown)
    lowering = lowered(gated(program), None, emitters=EMITTERS_WITH_RULES,
                       reducers=REDUCERS_WITH_RULES)
    captured = np.array([leaf.data for leaf in recording.captured], dtype=float)
    skeleton = recording.results.skeleton

    def run(numbers: Any) -> tuple[Any, Any]:
        found = lowering(jnp.concatenate([numbers, captured]))
        return _filled(skeleton, found.out), found.ok

    return run


def _filled(skeleton: Any, out: Any) -> Any:
    """What a function returned, around the numbers that were computed."""
    if isinstance(skeleton, Place):
        return out[skeleton.number]
    if isinstance(skeleton, np.ndarray):
        if skeleton.dtype != object:
            return jnp.asarray(skeleton, dtype=float)
        items = [jnp.asarray(_filled(item, out), dtype=float) for item in skeleton.flat]
        return jnp.stack(items).reshape(skeleton.shape) if items else jnp.zeros(skeleton.shape)
    if is_container(skeleton):
        return with_items(skeleton, [_filled(item, out) for item in items_of(skeleton)])
    if isinstance(skeleton, int | float) and not is_truth(skeleton):
        return jnp.asarray(skeleton, dtype=float)
    return skeleton
