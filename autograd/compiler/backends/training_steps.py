"""What a compiled training gives back: the steps that it took, and why it stopped."""

from __future__ import annotations

from dataclasses import dataclass

from autograd.core.typing import Array

DONE, LOSS_NOT_FINITE, GRADIENT_NOT_FINITE, OTHER_BRANCH = range(4)


@dataclass(frozen=True)
class Steps:
    """What a call did.

    Attributes:
        reached: how many steps were finished.
        status: DONE, or why it stopped in the step after them.
        objectives: of each step the mean loss plus the penalty, before the parameters moved.
        out: what the loss's program gives for each row beside its sums, shape (k, places).
    """

    reached: int
    status: int
    objectives: Array
    out: Array
