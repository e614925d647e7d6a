"""What a fit has recorded and compiled serves the next fit of the same model.

It stands in a slot of the model: what was recorded refers to the model, so in a table of its own
it would keep the model alive. Who trains takes it out, for it is the memory of one training, and
leaves it there in the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from autograd.compiler.trace.sameness import are_same
from nn.module import Module, kept_training

T = TypeVar("T")


def taken(model: Module, kind: type[T]) -> T | None:
    """What the last training has left; whoever asks next finds nothing.

    Args:
        model: any module.
        kind: the class of what is wanted.
    """
    try:
        left = kept_training.__get__(model)
        kept_training.__delete__(model)
    except AttributeError:  # nothing is there, or another thread was quicker
        return None
    return left if isinstance(left, kind) else None


def leave(model: Module, training: object) -> None:
    """Keep a training in the model for the next one."""
    kept_training.__set__(model, training)


class ClassContents:
    """What is defined in some classes, as it was when this was made.

    Classes of libraries are not watched while they are at work, but between two trainings somebody
    may have put another method in place.
    """

    def __init__(self, classes: Iterable[type]) -> None:
        self._before = [(cls, tuple(vars(cls)), tuple(vars(cls).values())) for cls in classes]

    def are_same(self) -> bool:
        """Whether nothing in them was replaced, added or taken away."""
        return all(tuple(vars(cls)) == names and are_same(tuple(vars(cls).values()), items)
                   for cls, names, items in self._before)
