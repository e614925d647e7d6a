"""Reads slots from arrays: slices, reshapes and transposes where they follow a pattern."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from autograd.compiler.program.array_program import Affine
from autograd.core.typing import Array

PIECES = 64  # up to which what stands in several arrays is put together piece by piece


class Reader:
    """Numbers that stand in several arrays, and are known by slots.

    Args:
        source: for each slot the array in which it stands.
        local: for each slot its place in that array.
        arrays: each of shape (size,), or (size, n) where its numbers differ by row; more may be
            appended.
        n: the number of rows.
    """

    def __init__(self, source: Array, local: Array, arrays: list[Any], n: int) -> None:
        self.source, self.local, self.arrays, self.n = source, local, arrays, n
        self._single: dict[tuple[int, int], Any] = {}

    def append(self, number: Any) -> None:
        """Append an array of one number, or of one for each row."""
        self._single[len(self.arrays), 0] = number
        self.arrays.append(number[None])

    def read(self, slots: Array, by_rows: bool) -> Any:
        """The numbers of some slots.

        Args:
            slots: of any shape.
            by_rows: whether to give a last axis of rows also where nothing differs by row.

        Returns:
            An array of the shape of the slots, with 1 in place of an axis along which they are
            the same; where asked for, or where they differ by row, with an axis of rows, which
            may be 1.
        """
        for axis, size in enumerate(slots.shape):
            if size > 1 and (slots == slots.take([0], axis)).all():
                slots = slots.take([0], axis)
        found = self._found(self.source[slots], self.local[slots])
        return found[..., None] if by_rows and found.ndim == slots.ndim else found

    def _found(self, source: Array, local: Array) -> Any:
        first = source.reshape(-1)[0] if source.size else 0
        if not source.size or (source == first).all():
            return self._pick(int(first), local)
        return self._joined(source.reshape(-1), local.reshape(-1), source.shape)

    def _pick(self, source: int, local: Array) -> Any:
        """Numbers of one array."""
        array = self.arrays[source]
        if isinstance(array, np.ndarray):
            return array[local]
        if local.size != 1:
            return picked(array, local)
        key = source, int(local.reshape(-1)[0])
        if key not in self._single:
            self._single[key] = lax.index_in_dim(array, key[1], 0, keepdims=False)
        found = self._single[key]
        return found.reshape(*local.shape, *found.shape) if local.ndim else found

    # --- of several arrays ------------------------------------------------------------------------

    def _joined(self, source: Array, local: Array, shape: tuple[int, ...]) -> Any:
        breaks = np.flatnonzero(np.diff(source)) + 1
        runs = list(pairwise([0, *breaks.tolist(), len(source)]))
        blocks = list(_blocks([(int(source[start]), stop - start) for start, stop in runs]))
        if len(blocks) <= PIECES:
            joined = self._concatenated(self._blocks_of(blocks, source, local))
        else:
            used = np.unique(source)
            sizes = [len(self.arrays[i]) for i in used]
            base = np.zeros(len(self.arrays), dtype=np.int64)
            base[used] = np.cumsum([0, *sizes[:-1]])
            whole = self._concatenated([jnp.asarray(self.arrays[i]) for i in used])
            joined = picked(whole, base[source] + local)
        return joined.reshape(*shape, *joined.shape[1:])

    def _blocks_of(self, blocks: Sequence[tuple[int, int]], source: Array,
                   local: Array) -> list[Any]:
        """Each block as one array: a table whose columns stand in different arrays."""
        found, at = [], 0
        for repeats, width in blocks:
            stop = at + repeats * width
            sources, table = source[at:at + width], local[at:stop].reshape(repeats, width)
            cuts = [0, *(np.flatnonzero(np.diff(sources)) + 1).tolist(), width]
            columns = [self._pick(int(sources[a]), table[:, a:b]) for a, b in pairwise(cuts)]
            block = self._concatenated(columns, 1)
            found.append(block.reshape(repeats * width, *block.shape[2:]))
            at = stop
        return found

    def _concatenated(self, arrays: Sequence[Any], axis: int = 0) -> Any:
        dimensions = max(array.ndim for array in arrays)
        n = self.n
        return jnp.concatenate([
            array if array.ndim == dimensions else
            jnp.broadcast_to(array[..., None], (*array.shape, n)) for array in arrays], axis)


def _blocks(runs: Sequence[tuple[int, int]]) -> Any:
    """Runs of (source, length) in blocks of runs that repeat: (repetitions, width) of each."""
    i = 0
    while i < len(runs):
        best = (1, 1)
        for period in range(1, 5):
            count = 1
            while runs[i + count * period:i + (count + 1) * period] == runs[i:i + period]:
                count += 1
            if count > 1 and count * period > best[0] * best[1]:
                best = count, period
        count, period = best
        yield count, sum(length for _, length in runs[i:i + period])
        i += count * period


# --- of one array -------------------------------------------------------------------------------

def picked(array: Any, local: Array) -> Any:
    """``array[local]``, by slices where the places follow a pattern.

    Args:
        array: of shape (size, ...).
        local: places along its first axis.

    Returns:
        An array of shape (\\*local.shape, ...).
    """
    start = int(local.reshape(-1)[0]) if local.size else 0
    strides = [int(local.take(1, axis).reshape(-1)[0]) - start if size > 1 else 0
               for axis, size in enumerate(local.shape)] if local.size else []
    if local.size and (Affine(start, tuple(strides)).slots(local.shape) == local).all():
        found = _strided(array, start, local.shape, strides)
        if found is not None:
            return found
    return array[local]


def _strided(array: Any, start: int, shape: Sequence[int], strides: Sequence[int]) -> Any:
    """Places that follow a pattern; None where they overlap."""
    moving = [axis for axis, stride in enumerate(strides) if stride]
    backwards = [axis for axis in moving if strides[axis] < 0]
    start += sum(strides[axis] * (shape[axis] - 1) for axis in backwards)
    order = sorted(moving, key=lambda axis: -abs(strides[axis]))
    found = _nested(array, 0, start, [(shape[axis], abs(strides[axis])) for axis in order])
    if found is None:
        return None
    tail = array.shape[1:]
    ranks = [order.index(axis) for axis in moving]
    found = lax.transpose(found, [*ranks, *range(len(order), found.ndim)])
    if backwards:
        found = lax.rev(found, [moving.index(axis) for axis in backwards])
    found = found.reshape(*(size if strides[axis] else 1 for axis, size in enumerate(shape)),
                          *tail)
    return jnp.broadcast_to(found, (*shape, *tail))


def _nested(array: Any, axis: int, start: int, loops: Sequence[tuple[int, int]]) -> Any:
    """Slices along an axis, one inside the other, from the longest stride down."""
    length = array.shape[axis]
    if not loops:
        return lax.index_in_dim(array, start, axis, keepdims=False)
    (count, stride), *inner = loops
    if stride == 1:
        return None if inner else lax.slice_in_dim(array, start, start + count, axis=axis)
    if not inner:
        return lax.slice_in_dim(array, start, start + (count - 1) * stride + 1, stride, axis)
    shift = max(0, start + count * stride - length)
    extent = 1 + sum((size - 1) * step for size, step in inner)
    if shift > start or shift + extent > stride:
        return None
    block = lax.slice_in_dim(array, start - shift, start - shift + count * stride, axis=axis)
    block = block.reshape(*block.shape[:axis], count, stride, *block.shape[axis + 1:])
    return _nested(block, axis + 1, shift, inner)
