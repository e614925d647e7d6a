"""Whether recordings pay: what they cost against what replays save, in calls of the eager engine.

A function may take another branch at nearly every call. Each of its recordings costs as much time
as many calls, and is hardly ever replayed; then the eager engine is quicker. That is decided by
counts and not by a clock, so that a program computes the same bits in every run. What is spent
stays below a third of what the calls would have cost by the eager engine alone.
"""

from __future__ import annotations

from autograd.compiler.program.program import Program
from autograd.compiler.trace.tracer import Recording

FREE = 16  # recordings of short or straight programs that need not pay
UNSEEN = 4  # from so many on another branch is free only where there were as many replays
RECORDING, COMPILING = 12.0, 40.0  # the costs, measured on programs of 2,000 to 15,000 instructions
LOOKING = 0.25  # and of looking whether a recorded branch is taken
BRANCHY, LONG = 8, 100  # conditions and instructions of a program that is not compiled at once
LARGE = 2 * LONG  # nodes of a graph whose program is surely long
STEADY = 24  # calls in a row that take a recorded branch before it is compiled


class Profit:
    """What one compiled function has spent and saved.

    Attributes:
        eager: how many calls, or rows, the eager engine has computed because recordings would not
            pay.
        replays: how many calls, or rows, were replays.
    """

    def __init__(self) -> None:
        self.eager = self.replays = 0
        self._recordings = self._in_vain = 0
        self._spent = 0.0
        self._is_branchy = self._has_changed = False
        self._gap = self._wait = 0

    def may_record(self, is_branch: bool = True) -> bool:
        """Whether another recording is worth its cost.

        Args:
            is_branch: whether it is another branch of what was recorded; else it is the first one
                of arguments of its kind.
        """
        return self._is_free(is_branch) or self._pays(self._cost())

    def recorded(self, is_branchy: bool, waits: bool) -> None:
        """Count a recording.

        Args:
            is_branchy: whether another call is likely to take another branch.
            waits: whether it is compiled only once its branch has shown to be steady.
        """
        is_free = self._recordings < FREE and not self._is_branchy
        self._is_branchy = is_branchy
        if is_branchy or not is_free:
            self._spent += self._cost() if waits else RECORDING + COMPILING
        self._in_vain += waits
        self._recordings += 1
        self._gap = self._wait = 0

    def may_look(self, held: int) -> bool:
        """Whether to see if a call takes the recorded branch, which so many in a row have taken.

        While it fails, at longer and longer intervals; and not before it may be compiled.
        """
        if held >= STEADY and not self.may_compile(held):
            return False
        if self._wait:
            self._wait -= 1
            return False
        self._spent += LOOKING
        return True

    def looked(self, holds: bool) -> None:
        """Note what was seen."""
        self._has_changed |= not holds
        self._gap = 0 if holds else min(2 * self._gap + 1, 63)
        self._wait = self._gap

    def may_compile(self, held: int) -> bool:
        """Whether to compile a branch that so many calls in a row have taken."""
        return held >= STEADY and (not self._has_changed or self._pays(RECORDING + COMPILING))

    def compiled(self) -> None:
        """Count it."""
        self._spent += RECORDING + COMPILING
        self._in_vain = 0

    def _is_free(self, is_branch: bool) -> bool:
        if self._is_branchy:
            return self._recordings < 1
        is_seen_again = not is_branch or self.replays >= self._recordings
        return self._recordings < (FREE if is_seen_again else UNSEEN)

    def _cost(self) -> float:
        return RECORDING * 2.0 ** self._in_vain if self._is_branchy else RECORDING + COMPILING

    def _pays(self, cost: float) -> bool:
        return self._spent + cost <= (self.eager + 4 * self.replays) / 3


def is_branchy(program: Program, decisions: int | None = None) -> bool:
    """Whether another call is likely to take another branch, and compiling takes its time.

    Args:
        program: what was recorded.
        decisions: how many comparisons the function made itself. Other conditions are those of
            domains, which hold nearly always. None if all are its own.
    """
    conditions = len(program.guards) if decisions is None else min(decisions, len(program.guards))
    return conditions >= BRANCHY and len(program) >= LONG


def waits(recording: Recording) -> bool:
    """Like :func:`is_branchy`, found without a program where the graph is large."""
    if recording.decisions < BRANCHY:
        return False
    graph = recording.graph
    if graph is None or not graph.is_longer(LARGE) or not recording.path.is_whole:
        return is_branchy(recording.program, recording.decisions)
    return graph.decides(BRANCHY)


class Candidate:
    """A recording that is not compiled yet.

    Args:
        recording: the recording.

    Attributes:
        held: how many of the latest calls in a row have taken its branch.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.held = 0
