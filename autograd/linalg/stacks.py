"""Stacks of matrices: a function of one matrix, for each of those on the last two axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.core.arrays import ArrayOfValues, bare
from autograd.core.contractions import as_objects
from autograd.core.pytrees import as_array
from autograd.core.typing import Array


def as_given(a: Any) -> Array:
    """An array-like as an array of Values or of floats.

    Raises:
        TypeError: for complex numbers.
    """
    array = np.asanyarray(a)
    if array.dtype.kind == "c":
        raise TypeError("autograd.linalg takes real matrices; write the real and the imaginary "
                        "part as a matrix of blocks [[re, -im], [im, re]]")
    given: Array = (bare(array).view(ArrayOfValues) if array.dtype.kind == "O" else
                    array.astype(float))
    return given


def matrices(a: Any, name: str, square: bool = False) -> Array:
    """The same, checked to hold matrices on its last two axes.

    Raises:
        np.linalg.LinAlgError: for another shape.
    """
    array = as_given(a)
    if array.ndim < 2:
        raise np.linalg.LinAlgError(f"{name} takes a matrix, or a stack of matrices on the last "
                                    f"two axes, not an array of shape {array.shape}")
    if square and array.shape[-1] != array.shape[-2]:
        raise np.linalg.LinAlgError(f"{name} takes square matrices, not of shape "
                                    f"{array.shape[-2:]}")
    return array


def over_stack(function: Callable[..., Any], *stacks: Array) -> Any:
    """The function of each matrix; what it returns, an array or several, is stacked again.

    Args:
        function: of one matrix of each stack.
        stacks: whose leading axes are broadcast against each other.
    """
    if all(stack.ndim == 2 for stack in stacks):
        return function(*stacks)
    lead = np.broadcast_shapes(*[stack.shape[:-2] for stack in stacks])
    spread = [np.broadcast_to(bare(stack), lead + stack.shape[-2:]) for stack in stacks]
    found = [function(*[_again(part[index], stack) for part, stack in
                        zip(spread, stacks, strict=True)]) for index in np.ndindex(lead)]
    if found and isinstance(found[0], tuple):
        return tuple(_stacked([item[i] for item in found], lead) for i in range(len(found[0])))
    return _stacked(found, lead)


def _again(part: Array, stack: Array) -> Array:
    return part.view(ArrayOfValues) if isinstance(stack, ArrayOfValues) else part


def _stacked(items: list[Any], lead: tuple[int, ...]) -> Array:
    """Arrays, or single numbers, of one shape."""
    shape = np.shape(bare(items[0])) if items else ()
    return as_array([x for item in items for x in as_objects(item).ravel().tolist()], lead + shape)
