"""gradcheck: is this gradient right?

The truth comes from oracles that know no derivative rule (finite_differences.py). Every operation's
own partials are checked as well, so that a failure can name the operation that is wrong, and so
that a wrong rule is found even where it hardly matters for the sum.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.checking.error_analysis import Adjoints, Examination, Recording, written
from autograd.checking.finite_differences import (
    EPS,
    SMALLEST_STEP,
    UNKNOWN,
    Estimate,
    differences,
)
from autograd.checking.high_precision import PreciseGraph
from autograd.checking.reports import Component, GradientError, Report, Tolerance
from autograd.core import primitives
from autograd.core.aliases import also_called
from autograd.core.primitives import DOMAIN_ERRORS
from autograd.core.pytrees import flatten, paths, rebuild, shape_of
from autograd.core.transforms import refuse_misuse
from autograd.core.typing import Array
from autograd.core.value import Value

PRECISE = "the graph in 100-digit arithmetic"
DIFFERENCES = "central differences"


@also_called()
def gradcheck(f: Callable[..., Any], *inputs: Any, gradient: Callable[..., Any] | None = None,
              rtol: float = 1e-7, atol: float = 0.0) -> Report:
    """Check the gradient of a function at a point against oracles that know no rules.

    The truth is central differences with Richardson extrapolation, their steps kept inside the
    domain and on one side of all kinks that the graph knows; with mpmath installed it is the
    recorded graph, evaluated again with 100 digits and moved leaves. A component may be off by

        rtol * |expected| + the oracle's own error estimate + rounding + atol,

    where rounding is a few units in the last place of the sum of absolute path products, and what
    the rounding of intermediate results makes unknowable. Components that hang on a node that
    sits on a kink (relu at 0, a tied maximum) are skipped and counted: there is nothing that they
    must agree with.

    Args:
        f: takes numbers, sequences, arrays or dictionaries of them; returns a number, or a
            sequence of numbers, each of which is checked.
        inputs: the point: f's arguments.
        gradient: a gradient written by hand, to be checked in place of the engine's: a function
            in plain Python or NumPy, called with the inputs as given. It returns the inputs'
            structure: for one input the bare structure, for several a tuple; for an f with
            several outputs a sequence of these, one for each output.
        rtol: the relative difference that is allowed.
        atol: an absolute difference to allow on top, for gradients that are meant to be rough.

    Returns:
        A :class:`Report`. It is truthy where a component was compared; where none could be, as
        all hang on kinks, or rounding hides them, it says why and where to look instead.

    Raises:
        GradientError: when the gradient is wrong; an AssertionError.
        TypeError: when f is no function, or returns no numbers.
        ValueError: when f does not repeat itself, or is not finite; when a hand-written gradient
            has another shape than the inputs.
        ValueError, ZeroDivisionError, OverflowError: where f or its derivative does not exist.
    """
    refuse_misuse("gradcheck", f)
    if len(inputs) == 1 and isinstance(inputs[0], tuple) and _takes_several(f, len(inputs[0])):
        raise TypeError("gradcheck takes the arguments of f one by one; write gradcheck(f, "
                        f"{', '.join(map(repr, inputs[0][:3]))}{', ...' * (len(inputs[0]) > 3)})")
    return _Check(f, inputs, gradient, rtol, atol).run()


def _takes_several(f: Callable[..., Any], count: int) -> bool:
    """Whether f can be called with so many arguments, and not with a single one."""
    try:
        signature = inspect.signature(f)
        signature.bind(*range(count))
    except (TypeError, ValueError):
        return False
    try:
        signature.bind(0)
    except TypeError:
        return True
    return False


class _Check:
    """One gradcheck: f at a point."""

    def __init__(self, f: Callable[..., Any], inputs: tuple[Any, ...],
                 gradient: Callable[..., Any] | None, rtol: float, atol: float) -> None:
        if not inputs:
            raise TypeError("gradcheck(f, *inputs) needs the inputs of f, the point to check at")
        self.f, self.inputs, self.gradient = f, inputs, gradient
        self.rtol, self.atol = rtol, atol
        self.names = argument_names(f, len(inputs))
        self.paths = [path for name, item in zip(self.names, inputs, strict=True)
                      for path in paths(item, name)]
        self.point = [x.data if x.__class__ is Value else primitives.as_float(x, path)
                      for x, path in zip(flatten(inputs), self.paths, strict=True)]
        self.base = self._record(self.point)
        self._refuse_bad_function()
        self.examination = Examination(self.base)
        self.adjoints = [self.examination.adjoints(output) for output in self.base.outputs]
        self.skipped = self.examination.at_kinks()
        self.oracle = DIFFERENCES

    def _record(self, point: Sequence[float]) -> Recording:
        return Recording(self.f, self.inputs, point, self.paths)

    def _refuse_bad_function(self) -> None:
        if not self.base.repeats(self._record(self.point)):
            raise ValueError(
                f"{called(self.f)} gave different results when it was called twice with the same "
                f"inputs ({self._shown_point()}), so no derivative can be checked; fix the seed "
                "of its random numbers inside it")
        for path, x in zip(self.paths, self.point, strict=True):
            if not math.isfinite(x):
                raise ValueError(f"{path} is {x!r}; a derivative needs a finite point")
        for number in self.base.values:
            if not math.isfinite(number):
                raise ValueError(f"{called(self.f)} is {number!r} at {self._shown_point()}; a "
                                 "derivative needs a finite value")

    def run(self) -> Report:
        wrong = self.examination.first_wrong(self.rtol)
        references = self._references()
        rows = self._engine_rows() if self.gradient is None else self._hand_written_rows()
        components = [
            self._component(rows[k][i], references[i][k], k, i)
            for i in range(len(self.point)) if i not in self.skipped
            for k in range(len(rows))]
        known = [component for component in components if component.tolerance.is_known()]
        bad = [component for component in known if component.is_wrong()]
        if bad or (wrong is not None and self.gradient is None):
            raise self._failure(bad, wrong, len(known), references)
        return self._report([c for c in components if c.tolerance.is_telling()],
                            len(self.skipped) * len(rows), len(components))

    def _report(self, checked: list[Component], skipped: int, tried: int) -> Report:
        seen = {component.path for component in checked}
        return Report(len(checked), skipped, max((c.relative() for c in checked), default=0.0),
                      self.oracle, unknown=tried - len(checked),
                      unchecked=tuple(path for path in self.paths if path not in seen),
                      advice="" if checked else self._advice())

    # --- what is claimed ------------------------------------------------------------------------

    def _engine_rows(self) -> list[list[float]]:
        """The engine's gradient, from its own reverse pass; Values from outside stay untouched."""
        nodes = self.base.order
        before = [node.grad for node in nodes]
        rows = []
        for output in self.base.outputs:
            for leaf in self.base.leaves:
                leaf.grad = 0.0
            if isinstance(output, Value):
                output.backward()
            rows.append([leaf.grad for leaf in self.base.leaves])
        for node, grad in zip(nodes, before, strict=True):
            node.grad = grad
        return rows

    def _hand_written_rows(self) -> list[list[float]]:
        assert self.gradient is not None
        given = self.gradient(*self.inputs)
        structure = self.inputs[0] if len(self.inputs) == 1 else self.inputs
        what = f"gradient({', '.join(self.names)})"
        if self.base.result.__class__ is Value or shape_of(self.base.result) == ():
            return [list(_matched(structure, given, what))]
        size = len(self.base.outputs)
        if not isinstance(given, list | tuple | np.ndarray) or len(given) != size:
            raise ValueError(f"{called(self.f)} returns {size} numbers, so {what} must return a "
                             f"sequence of {size} gradients, not {_described(given)}")
        return [list(_matched(structure, row, f"{what}[{k}]")) for k, row in enumerate(given)]

    # --- what is true ---------------------------------------------------------------------------

    def _references(self) -> list[list[Estimate]]:
        """For each input the derivative of each output by it."""
        outputs, noise = self.base.outputs, self.examination.noise()
        precise = (PreciseGraph(self.examination.order)
                   if PreciseGraph.can_evaluate(self.examination.order) else None)
        if missing := PreciseGraph.missing(self.examination.order):
            self.oracle = (f"{DIFFERENCES}, as there is no formula in high precision for "
                           f"{', '.join(missing)}")
        found: list[list[Estimate]] = []
        for i, leaf in enumerate(self.base.leaves):
            if i in self.skipped:
                found.append([UNKNOWN] * len(outputs))
                continue
            depends = self.examination.dependents(leaf)
            known = None if precise is None else (
                precise.derivatives(leaf, depends, outputs, noise))
            found.append(self._sharpened(known or self._by_differences(i), i))
        if precise is not None:
            self.oracle = PRECISE
            self._refuse_hidden_path(found)
        return found

    def _by_differences(self, i: int) -> list[Estimate]:
        return self._difference([1.0 if j == i else 0.0 for j in range(len(self.point))],
                                abs(self.point[i]))

    def _difference(self, direction: Sequence[float], scale: float) -> list[Estimate]:
        if self.examination.is_blurred():
            return [UNKNOWN] * len(self.base.outputs)

        def moved(displacement: float) -> Recording:
            return self._record(
                [x + displacement * d for x, d in zip(self.point, direction, strict=True)])

        def sample(displacement: float) -> Sequence[float] | None:
            try:
                recording = moved(displacement)
            except DOMAIN_ERRORS:
                return None
            return recording.values if recording.is_near(self.base) else None

        def noise(displacement: float) -> Sequence[float]:
            return moved(displacement).noise() if displacement else self.examination.noise()

        return differences(sample, noise, scale)

    def _sharpened(self, estimates: list[Estimate], i: int) -> list[Estimate]:
        """The sum over the graph where an oracle of the whole is too noisy to tell."""
        return [self._sharper(estimate, k, i) for k, estimate in enumerate(estimates)]

    def _sharper(self, estimate: Estimate, k: int, i: int) -> Estimate:
        adjoints = self.adjoints[k]
        error = adjoints.errors[i] + self._rounding(adjoints, i)
        hopeless = not estimate.error <= 1e-4 * abs(estimate.value)
        return Estimate(adjoints.slopes[i], error) if hopeless and error < estimate.error else (
            estimate)

    def _refuse_hidden_path(self, found: list[list[Estimate]]) -> None:
        """Where the graph is the oracle, f itself must agree along one direction with it.

        Otherwise f uses an input's number behind the graph's back, and what differences of f
        say counts.
        """
        # No two components can cancel in irregular weights.
        direction = [0.0 if i in self.skipped else
                     (abs(x) or 1.0) * (0.5 + 0.5 * abs(math.sin(1.0 + 7.0 * i))) * (-1.0) ** i
                     for i, x in enumerate(self.point)]
        if not any(direction):
            return
        along = self._difference(direction, 1.0)
        for k, estimate in enumerate(along):
            terms = [found[i][k].value * d for i, d in enumerate(direction) if d]
            slack = 1e-4 * sum(map(abs, terms)) + 10.0 * estimate.error
            if abs(math.fsum(terms) - estimate.value) > slack and not (
                    self._is_too_coarse(direction, k, sum(map(abs, terms)))):
                self._trust_differences(found)
                return

    def _is_too_coarse(self, direction: Sequence[float], k: int, slope: float) -> bool:
        """Whether f waves so fast that all steps of floats are longer than its waves.

        The slope would take it further in the smallest step than it ever is from 0.
        """
        def size(displacement: float) -> float:
            try:
                return abs(self._record([x + displacement * d for x, d in zip(
                    self.point, direction, strict=True)]).values[k])
            except DOMAIN_ERRORS:
                return math.inf

        least = SMALLEST_STEP * slope
        return abs(self.base.values[k]) < least and all(
            size(step) < least for step in (0.1, -0.1, 1e-3, -1e-5, 1e-8))

    def _trust_differences(self, found: list[list[Estimate]]) -> None:
        for i, known in enumerate(found):
            if i in self.skipped:
                continue
            for k, estimate in enumerate(self._by_differences(i)):
                slack = 1e-4 * max(abs(known[k].value), abs(estimate.value)) + 10 * estimate.error
                if abs(known[k].value - estimate.value) > slack:
                    known[k] = estimate
                    self.oracle = f"{PRECISE}, and {DIFFERENCES} of the function"

    def _rounding(self, adjoints: Adjoints, i: int) -> float:
        # A few units for each product, and those of a long sum, which grow like its root.
        return (16.0 + math.sqrt(len(self.base.order))) * EPS * adjoints.sizes[i]

    def _component(self, given: float, truth: Estimate, k: int, i: int) -> Component:
        adjoints = self.adjoints[k]
        rounding = self._rounding(adjoints, i)
        if self.oracle == PRECISE and math.isfinite(adjoints.slopes[i]):
            # The graph of rounded numbers has this slope: no rule can do better than it.
            rounding += 2.0 * abs(adjoints.slopes[i] - truth.value)
        # Where no path has a slope, what a slope there could be is measured by the numbers.
        size = adjoints.sizes[i] or abs(self.base.values[k]) / max(1.0, abs(self.point[i]))
        return Component(self.paths[i], k, given, Tolerance(
            self.rtol, truth.value, truth.error, rounding, self.atol, size))

    # --- what was not checked -------------------------------------------------------------------

    def _advice(self) -> str:
        """Why nothing could be checked here, and where to look instead."""
        if not self.point:
            return "the inputs hold no numbers"
        if not self.skipped:
            return ("as rounding hides the slope here; check where the function is less steep, "
                    "less saturated or cancels less")
        why = f"as {self.examination.first_kink()}, where more than one slope would do"
        beside = self._beside_kinks()
        return f"{why}; check beside it" + (f", for example at {beside}" if beside else "")

    def _beside_kinks(self) -> str:
        """A point nearby at which a component can be checked, in words; "" if none is found."""
        for step in (1e-3, -1e-3, 0.1):
            # Unequal steps, so that what is tied here is not tied there.
            moved = [x + step * (i + 1) * max(1.0, abs(x)) if i in self.skipped else x
                     for i, x in enumerate(self.point)]
            try:
                skipped = Examination(self._record(moved)).at_kinks()
            except DOMAIN_ERRORS:
                continue
            if len(skipped) < len(moved):
                return shown_point(self.names, rebuild(self.inputs, moved, float_array))
        return ""

    # --- what went wrong ------------------------------------------------------------------------

    def _failure(self, bad: list[Component], wrong: tuple[Value, int, Estimate] | None, total: int,
                 references: list[list[Estimate]]) -> GradientError:
        lines = [f"the gradient of {called(self.f)} is wrong at {self._shown_point()}"]
        worst = max(bad, key=Component.badness, default=None)
        if worst is not None:
            output = f" of output {worst.output}" if len(self.base.outputs) > 1 else ""
            lines += [f"  worst of {len(bad)} wrong among {total} components: the derivative"
                      f"{output} by {worst.path} is given as {worst.given!r}, expected is "
                      f"{worst.expected!r}",
                      f"  they differ by {abs(worst.given - worst.expected):.6g}; allowed is "
                      f"{worst.tolerance.total():.3g} = {worst.tolerance}",
                      f"  expected comes from {self.oracle}"]
        lines.append(f"  {self._verdict(wrong, worst, references)}")
        given, expected, tolerance = (
            (math.nan,) * 3 if worst is None else
            (worst.given, worst.expected, worst.tolerance.total()))
        op = wrong[0].op if wrong is not None else None
        return GradientError("\n".join(lines), worst.path if worst else "", given, expected,
                             tolerance, op.name if op else None, self.inputs)

    def _verdict(self, wrong: tuple[Value, int, Estimate] | None, worst: Component | None,
                 references: list[list[Estimate]]) -> str:
        if wrong is not None:
            return self._blamed(*wrong)
        if self.gradient is not None and self._engine_agrees(references):
            verdict = ("the engine's gradient agrees with the oracle: the hand-written gradient is "
                       "what is off")
            if worst is not None and abs(worst.given - worst.expected) < 1e-13:
                verdict += ("; by so little that it may only lose digits (1 - h where h is near "
                            "1): atol=1e-12 allows for that")
            return verdict
        return ("every local partial is right, so the function must use a number that the graph "
                "does not hold: v.data, no_grad(), or a copy of an input")

    def _engine_agrees(self, references: list[list[Estimate]]) -> bool:
        try:
            rows = self._engine_rows()
        except DOMAIN_ERRORS:
            return False
        components = (self._component(rows[k][i], references[i][k], k, i)
                      for i in range(len(self.point)) if i not in self.skipped
                      for k in range(len(rows)))
        return not any(c.is_wrong() for c in components if c.tolerance.is_known())

    def _blamed(self, node: Value, position: int, truth: Estimate) -> str:
        assert node.op is not None
        label = f", label {node.label!r}" if node.label else ""
        claim = self.examination.claims[node][position]
        return (f"the first node whose local partial is wrong: {written(node)} = "
                f"{node.data!r}{label}; its partial by operand {position} is {claim!r}, "
                f"expected is {truth.value!r} (error {truth.error:.1e})")

    def _shown_point(self) -> str:
        return shown_point(self.names, self.inputs)


def argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """What to call the positional arguments of a function in messages."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters
             if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "argument")
    return names + [f"{rest}[{i}]" if rest != "argument" else f"argument {i}"
                    for i in range(count - len(names))]


def shown_point(names: Sequence[str], inputs: Sequence[Any]) -> str:
    """A point as people write it, all digits of all numbers, long arrays cut."""
    with np.printoptions(precision=17, threshold=100):
        return ", ".join(f"{name} = {_plain(item)!r}"
                         for name, item in zip(names, inputs, strict=True))


def float_array(items: list[Any], shape: tuple[int, ...]) -> Array:
    """Builds arrays of floats where pytrees are rebuilt, not of objects."""
    return np.array(items, dtype=float).reshape(shape)


def _plain(item: Any) -> Any:
    return item.item() if isinstance(item, np.generic) else item


def called(f: Callable[..., Any]) -> str:
    """What messages call a function."""
    return getattr(f, "__name__", None) or type(f).__name__


def _described(given: Any) -> str:
    shape = f" of shape {np.shape(given)}" if isinstance(given, list | tuple | np.ndarray) else ""
    return f"{type(given).__name__}{shape}"


def _matched(structure: Any, given: Any, what: str) -> Iterator[float]:
    """The numbers of a gradient, in the order of the inputs, whose structure it must have."""
    if isinstance(structure, dict):
        if not isinstance(given, dict) or given.keys() != structure.keys():
            raise ValueError(f"{what} must be a dictionary with the keys {list(structure)}, not "
                             f"{_described(given)}")
        for key, item in structure.items():
            yield from _matched(item, given[key], f"{what}[{key!r}]")
    elif isinstance(structure, np.ndarray):
        if not isinstance(given, list | tuple | np.ndarray) or np.shape(given) != structure.shape:
            raise ValueError(f"{what} must have the shape {structure.shape} of the input, not be "
                             f"{_described(given)}")
        for item in np.asarray(given).flat:
            yield _number(item, what)
    elif isinstance(structure, list | tuple):
        if not isinstance(given, list | tuple | np.ndarray) or len(given) != len(structure):
            raise ValueError(f"{what} must be a sequence of {len(structure)}, as the input is, "
                             f"not {_described(given)}")
        for i, (item, part) in enumerate(zip(structure, given, strict=True)):
            yield from _matched(item, part, f"{what}[{i}]")
    else:
        yield _number(given, what)


def _number(item: Any, what: str) -> float:
    return item.data if item.__class__ is Value else primitives.as_float(item, what)
