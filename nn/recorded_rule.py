"""An optimizer's rule as a program, if the optimizer is nothing but its rule.

A rule is recorded for one parameter and replayed for all of them, thousands of steps in one call.
That is right only if it computes from what it is handed: a rule that counts by itself, looks at
other parameters or draws random numbers would be replayed wrongly, without an error. So it is
recorded on a stand-in that has no state to look at, twice, and compared with what it gives for
all parameters at once.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, NoReturn

import numpy as np

from autograd.compiler.backends import numpy as numpy_backend
from autograd.compiler.compiled import Compiled
from autograd.compiler.program.passes import simplified
from autograd.compiler.program.program import Program
from autograd.compiler.trace.captured_state import Watch
from autograd.compiler.trace.tracer import RecordingError
from autograd.core.value import Value
from nn.kept_training import ClassContents
from nn.optimizers import STATE, Optimizer

HOOKS = ("step", "moved", "applied", "advance", "memory", "learning_rate",
         "settings")  # what a replay does not call
AHEAD = ("schedule", "steps", "learning_rate")  # what scalars may look at, ahead of time
SCALES = (0.0, 1e-8, 1e-4, 1.0, 1e4, 1e8)  # of the gradients on which the program is tried
RTOL = 1e-9  # functions differ by some units in the last place, another formula by more

# What a function written for floats or arrays may raise when it is given Values.
REFUSALS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)


class EagerOnly(Exception):
    """A training cannot be compiled; the message says why, and what to write instead."""


@contextmanager
def tried(what: str) -> Iterator[None]:
    """Try to record something: a failure is an EagerOnly, and no random number is used up."""
    drawn = random.getstate(), np.random.get_state()
    try:
        yield
    except REFUSALS as error:
        random.setstate(drawn[0])
        np.random.set_state(drawn[1])
        raise EagerOnly(f"{what} cannot be recorded: {error}") from error


class RecordedRule:
    """The rule of an optimizer, for a training that calls none of the optimizer's methods.

    Args:
        optimizer: any optimizer.
        l2: the factor of the sum of the squares of all parameters, for whose slope the rule is
            recorded.

    Attributes:
        program: as ``Descent`` takes it.

    Raises:
        EagerOnly: when the optimizer does more than its rule says.
    """

    def __init__(self, optimizer: Optimizer, l2: float) -> None:
        _refuse_hooks(optimizer)
        self.optimizer, self._l2 = optimizer, l2
        self._classes = ClassContents(type(optimizer).__mro__)
        self._settings = optimizer.settings()
        with tried(f"the rule of {type(optimizer).__name__}"):
            self._ahead = _stand_in(optimizer, self._settings, AHEAD)
            scalars = self._scalars_of_first_step()
            self._n_scalars = len(scalars)
            # A copy, so that a rule that changes its settings leaves those of the optimizer alone.
            alone = _stand_in(optimizer, copy.deepcopy(self._settings))
            self._compiled = Compiled(partial(_one_parameter, alone, l2), None, 1)
            self.program = self._recorded(scalars)
            _refuse_another(self.program, alone, l2, optimizer, scalars)
        self._inside_settings = Watch(partial(_one_parameter, *self._settings.values()))

    def serves(self, optimizer: Optimizer, l2: float) -> bool:
        """Whether another training may go by it, because it would be recorded just so."""
        if optimizer is not self.optimizer or l2 != self._l2 or not self._classes.are_same() or (
                optimizer.schedule is not vars(self._ahead)["schedule"]):
            return False
        _refuse_hooks(optimizer)
        with tried(f"the rule of {type(optimizer).__name__}"):
            return self.change() is None and len(self._scalars_of_first_step()) == self._n_scalars

    def scalars(self, step: int) -> tuple[float, ...]:
        """What ``optimizer.scalars(step)`` gives, for any step.

        Raises:
            RecordingError: when it looks at what the training changes.
        """
        return next(self.scalars_from(step))

    def scalars_from(self, step: int) -> Iterator[tuple[float, ...]]:
        """The same for that step and, endlessly, for those after it."""
        state, scalars = vars(self._ahead), self._ahead.scalars
        for number in count(step):
            state["steps"] = number  # an optimizer's own scalars may look at it
            yield scalars(number)

    def change(self) -> str | None:
        """What is not as it was when the rule was recorded, or None."""
        now, before = self.optimizer.settings(), self._settings
        if now.keys() != before.keys() or any(now[name] is not before[name] for name in before) or (
                self._inside_settings.changed()):
            return f"a setting of {type(self.optimizer).__name__}"
        return self._compiled.change()

    def _scalars_of_first_step(self) -> tuple[float, ...]:
        """Those of the next step, by a schedule that looks only at the number of the step."""
        schedule = self.optimizer.schedule
        watch = Watch(schedule)
        if watch.iterators:
            raise RecordingError(f"its schedule takes items of the iterator {watch.iterators[0]}, "
                                 "but must be a function of the number of the step alone")
        if (reached := next(watch.values, None)) is not None:
            raise RecordingError(f"its schedule can look at {_name(*reached)} or change it, "
                                 "and is asked for many steps ahead of time")
        scalars = self.scalars(self.optimizer.steps)
        if (name := watch.drawn() or watch.changed()) is not None:
            raise RecordingError(f"its schedule draws from {name} or changes it, but must be a "
                                 "function of the number of the step alone")
        return scalars

    def _recorded(self, scalars: tuple[float, ...]) -> Program:
        n = len(self.optimizer.memories)
        arguments = (0.5, 0.5, [0.5] * n, [1.0, *scalars])
        found, _ = self._compiled.recorded(None, arguments, {})
        if found.places:
            raise RecordingError(
                f"it compares or reads bare numbers, at {', '.join(found.places)}, and might do "
                "something else for other ones; write np.sign, np.abs, np.maximum, np.minimum for "
                "if and np.where")
        reached = next(Watch(self._compiled.function).values, None)
        if reached is not None:
            raise RecordingError(f"it can look at {_name(*reached)} beside what it is handed")
        if len(found.program.outputs) != 3 + n:
            raise RecordingError("for a single parameter it does not give one number, and one for "
                                 "each of its memories")
        # What guards are left are of domains; on arrays NumPy raises nothing there, either.
        return simplified(replace(found.program, guards=()))


def _refuse_hooks(optimizer: Optimizer) -> None:
    for name in HOOKS:
        if name in vars(optimizer) or getattr(type(optimizer), name) is not getattr(Optimizer,
                                                                                    name):
            raise EagerOnly(f"{type(optimizer).__name__} overrides {name}, which a compiled "
                            "training does not call; write its rule(...), memories and "
                            "scalars(...) instead")


def _one_parameter(optimizer: Optimizer, l2: float, total: Any, number: Any, remembered: list[Any],
                   shared: list[Any]) -> list[Any]:
    """One step of one parameter, from and to what ``Descent`` says that a rule takes and gives."""
    slope = total * shared[0]
    if l2:
        slope = slope + 2.0 * l2 * number
    moved, memory = optimizer.rule(number, slope, dict(zip(optimizer.memories, remembered,
                                                           strict=True)), tuple(shared[1:]))
    return [moved, [memory[name] for name in optimizer.memories], number * number, 0.0 * slope]


def _refuse_another(program: Program, alone: Optimizer, l2: float, optimizer: Optimizer,
                    scalars: tuple[float, ...]) -> None:
    """Compare the program with the rule on all parameters at once, over a few steps.

    A mean over all gradients, for one, is no error on a single parameter, but another number.
    """
    n = len(optimizer.parameters)
    kernel = numpy_backend.compile(program, (True,) * (2 + len(alone.memories))
                                   + (False,) * (1 + len(scalars)))
    draw = np.random.default_rng(0).normal
    numbers = np.array([p.data for p in optimizer.parameters])
    memory = optimizer.memory()
    for scale in SCALES:  # a norm that is clipped must be met below and above its bound
        gradients = scale * draw(size=n)
        _, found, _ = kernel([1.0, *scalars], np.array([gradients, numbers, *memory.values()]))
        assert found is not None  # for rows there are outputs of each
        if l2:
            with np.errstate(all="ignore"):
                gradients = gradients + 2.0 * l2 * numbers
        numbers, memory = alone.applied(numbers, gradients, memory, scalars)
        for expected, row in zip((numbers, *memory.values()), found, strict=False):
            if not (np.array_equal(row, expected) or  # quick, and nearly always so
                    np.allclose(row, expected, rtol=RTOL, atol=0.0, equal_nan=True)):
                raise RecordingError("it gives another number for a single parameter than for all "
                                     "of them at once; does it take a sum or a mean over all?")


def _name(name: str, value: Value) -> str:
    return f"the Value {value.label or name}"


def _stand_in(optimizer: Optimizer, settings: dict[str, Any],
              known: tuple[str, ...] = ()) -> Optimizer:
    """An optimizer with the same methods, and of the state only what is known.

    To look at the rest of the state is a RecordingError, and so is to set anything.
    """
    cls = type(optimizer)
    hidden = {name: property(partial(_refuse_look, name))
              for name in ("learning_rate", *STATE) if name not in known}
    made = type(cls.__name__, (cls,), {**hidden, "__setattr__": _refuse_setting,
                                       "__module__": cls.__module__})
    stand_in: Optimizer = object.__new__(made)
    vars(stand_in).update(settings, **{name: item for name, item in vars(optimizer).items()
                                       if name in known})
    return stand_in


def _refuse_look(name: str, optimizer: Optimizer) -> NoReturn:
    raise RecordingError(f"it looks at self.{name}, which changes from step to step; what a step "
                         "needs of it must come from scalars(self, step), and what is kept of a "
                         "parameter must be one of its memories")


def _refuse_setting(optimizer: Optimizer, name: str, item: Any) -> NoReturn:
    raise RecordingError(f"it sets self.{name}, which a replay would not do again; what it keeps "
                         "of each parameter must be one of its memories")
