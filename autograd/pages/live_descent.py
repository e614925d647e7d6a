"""live_descent: a page in which gradient descent runs under one's hand.

The page computes f and its gradient by recordings of f, one for each branch that f takes near the
picture, written as JavaScript. Where f takes a branch that was not recorded, or leaves its domain,
the page says so and shows no number.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.compiler.backends.javascript import to_javascript
from autograd.compiler.jit import Jitted, jit
from autograd.compiler.program.program import Unsupported
from autograd.compiler.trace.arguments import Place
from autograd.compiler.trace.inlining import inlined
from autograd.compiler.trace.tracer import Recording, names_of
from autograd.core.aliases import also_called
from autograd.core.primitives import DOMAIN_ERRORS, lookup
from autograd.core.pytrees import flatten, paths, rebuild
from autograd.core.transforms import value_and_grad
from autograd.core.validation import as_float, interval, not_negative, positive, whole
from autograd.core.value import Value, data_of
from autograd.descent import FARTHEST, HIGHEST, ROUNDING, Path, descend
from autograd.explaining.chain_rule import derivative_formulas
from autograd.explaining.notation import formula
from autograd.pages.page import Page, asset

MOST_BRANCHES = 32
MOST_INSTRUCTIONS = 20_000  # of all branches together; each is some 30 bytes of the page
LONGEST_FORMULA = 120
SAMPLES = {1: 201, 2: 25}  # along each side, when branches are looked for
FAR = 10.0  # times the size of the start
SLOWER = (1.0, 0.1, 0.01, 0.001)  # times the rate, until a descent finds what is to be seen

Interval = tuple[float, float]


@also_called({"lr": "rate", "learning_rate": "rate"})
def live_descent(f: Callable[[Any], Any], start: Any, rate: float = 0.1, *, ranges: Any = None,
                 steps: int = 200, precision: float = 1e-6,
                 labels: Sequence[str] | None = None) -> Page:
    """A page that walks downhill on f: ``x = x - rate * gradient``, again and again.

    For one variable it shows the curve, the tangent and the path; for two the contours, the
    surface and the path. Start and rate follow the hand, by slider, by number, or by a click into
    the picture; the path can be played and gone through step by step. That it converges, diverges
    or leaves the domain of f is said in words. The steps are those of
    ``descend(f, start, rate, steps, precision)``, with the same bits for + - * / and sqrt::

        live_descent(lambda x: x * x - 6 * x + 5, 10.0, 0.1).save("descent.html")

    Args:
        f: a function of a number, or of one sequence or array of two numbers; returns one number.
            It is recorded as by ``jit``, each branch that it takes near the picture.
        start: the point to start from, in the structure that f takes.
        rate: the learning rate to start with, above 0.
        ranges: what to show: (low, high) for one variable, a pair of these for two; None shows
            the start and where the descent leads to. The picture widens for a path that leaves it.
        steps: the most steps of a path.
        precision: a path has converged when no coordinate changes by more than this in a step.
        labels: what the variables are called; None takes the name of f's parameter.

    Returns:
        A Page: ``save(path)`` writes it, Jupyter shows it.

    Raises:
        TypeError: for a start that is not made of numbers, for a rate that is no number, and when
            f returns no single number.
        ValueError: for another number of variables, a start outside of the domain of f or where f
            is not finite, a rate that is not above 0, ranges that do not hold the start, and for
            an f that a page cannot compute.
        RecordingError: for an f that no replay could repeat.
    """
    point = [as_float(x, "a coordinate of the start") for x in flatten(start)]
    if len(point) not in SAMPLES:
        raise ValueError(f"live_descent shows functions of one or two variables, not of "
                         f"{len(point)}; descend(f, start, rate) and plot_loss_landscape take more")
    if callable(rate):
        raise TypeError("the page's slider is the rate; give a number, not a function of the step")
    rate = positive(rate, "rate")
    steps = whole(steps, "steps", 1)
    precision = not_negative(precision, "precision")
    names = _labels(f, start, labels)
    path = descend(f, start, rate, steps, precision)
    shown = _shown(f, path, rate) if ranges is None else _checked(ranges, point)
    branches = _branches(f, start, path, shown)
    scripts = [_script(i, branch) for i, branch in enumerate(branches)]
    data = {
        "labels": names, "start": point, "rate": rate, "steps": steps,
        "precision": precision, "ranges": shown, "farthest": FARTHEST, "highest": HIGHEST,
        "rounding": ROUNDING,
        "formulas": _formulas(f, start, names) if len(branches) == 1 else [],
        "branches": [_described(branch) for branch in branches],
        "domains": {op: lookup(op).domain for branch in branches for op in branch.program.ops
                    if lookup(op).domain},
    }
    programs = ", ".join(f"branch{i}" for i in range(len(branches)))
    return Page("Gradient descent", body=asset("live_descent.html"),
                style=asset("live_descent.css"),
                script="".join([*scripts, f"const programs = [{programs}];\n",
                                asset("live_descent.js")]), data=data, height=760)


def _labels(f: Callable[[Any], Any], start: Any, labels: Sequence[str] | None) -> list[str]:
    if labels is None and isinstance(start, dict) and len(start) == len(flatten(start)):
        return [str(key) for key in start]
    if labels is None:
        return list(paths(start, next(iter(names_of(f)), "x")))
    names = [str(label) for label in labels]
    if isinstance(labels, str) or len(names) != len(flatten(start)):
        raise ValueError(f"labels must be one text for each variable, not {labels!r}")
    return names


# --- what is shown --------------------------------------------------------------------------------

def _shown(f: Callable[[Any], Any], path: Path, rate: float) -> list[Interval]:
    """An interval of each variable that holds the start and where a descent leads to."""
    start = path.points[0]
    found = path
    for share in SLOWER[1:]:
        if found.reason != "diverged":
            break
        found = descend(f, path.start, rate * share, 300)
    room = FAR * np.maximum(1.0, np.abs(start))  # a path that goes on has no end to be shown
    end = np.clip(found.points[-1], start - room, start + room)
    sizes = 1.25 * np.abs(start - end)
    sizes = np.maximum(sizes, 0.25 * sizes.max())
    if sizes.max() <= 1e-6 * np.abs([start, end]).max():
        sizes[:] = 0.25 * np.maximum(1.0, np.abs(end).max())
    return [(float(x - size), float(x + size)) for x, size in zip(end, sizes, strict=True)]


def _checked(ranges: Any, point: Sequence[float]) -> list[Interval]:
    rows = [ranges] if len(point) == 1 and not hasattr(ranges[0], "__len__") else list(ranges)
    pairs = [interval(row, "a range") for row in rows]
    if len(pairs) != len(point) or any(low == high for low, high in pairs):
        raise ValueError(f"ranges must be (low, high) for each of the {len(point)} variable(s), "
                         f"not {ranges!r}")
    for x, (low, high) in zip(point, pairs, strict=True):
        if not low <= x <= high:
            raise ValueError(f"the start {x} lies outside of the range ({low}, {high})")
    return pairs


# --- f in the page --------------------------------------------------------------------------------

def _value_and_slopes(f: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    both = value_and_grad(f)

    def listed(x: Any) -> list[Any]:
        value, gradient = both(x)
        return [value, *flatten(gradient)]

    return listed


def _branches(f: Callable[[Any], Any], start: Any, path: Path,
              shown: Sequence[Interval]) -> list[Recording]:
    """A recording of f and its gradient for each branch that it takes near what is shown.

    Raises:
        RecordingError: for an f that no replay could repeat.
        ValueError: for more branches than a page takes.
    """
    compiled: Jitted[Any] = jit(_value_and_slopes(f), backend="python",
                                max_recordings=MOST_BRANCHES + 1)
    for point in itertools.chain(path.points.tolist(), _around(shown)):
        try:
            compiled(rebuild(start, point))
        except DOMAIN_ERRORS:
            if point == path.points[0].tolist():
                raise
        if compiled.n_recordings > MOST_BRANCHES:
            raise ValueError(f"f takes more than {MOST_BRANCHES} branches near the picture, which "
                             "is more than a page takes; write autograd.where, maximum or abs in "
                             "place of `if`, or give narrower ranges")
    branches = [note.recording for note in compiled.notes]
    if sum(len(branch.program) for branch in branches) > MOST_INSTRUCTIONS:
        raise ValueError(f"f takes more than {MOST_INSTRUCTIONS:,} operations, which is more than "
                         "a page takes; descend(f, start, rate) takes any number")
    return branches


def _around(shown: Sequence[Interval]) -> Iterator[list[float]]:
    """Points over twice what is shown, for the picture may widen."""
    sides = [np.linspace(1.5 * low - 0.5 * high, 1.5 * high - 0.5 * low, SAMPLES[len(shown)])
             for low, high in shown]
    for point in itertools.product(*(side.tolist() for side in sides)):
        yield list(point)


def _script(number: int, branch: Recording) -> str:
    try:
        return to_javascript(branch.program, f"branch{number}", rewrite=inlined)
    except Unsupported as refusal:
        raise ValueError(f"a page cannot compute f: {refusal}") from refusal


def _described(branch: Recording) -> dict[str, Any]:
    """What the page needs to know to call a branch's program and to read its results."""
    return {"captured": [leaf.data for leaf in branch.captured], "ops": branch.program.ops,
            "outputs": [{"place": part.number} if isinstance(part, Place) else
                        {"number": data_of(part)} for part in branch.results.skeleton]}


def _formulas(f: Callable[[Any], Any], start: Any, names: Sequence[str]) -> list[str]:
    """f as it was computed at the start, and its derivatives, unless they are long or constant."""
    leaves = [Value(x, name) for x, name in zip(flatten(start), names, strict=True)]
    y = f(rebuild(start, leaves))
    if not isinstance(y, Value):
        return []
    called = {leaf: leaf.label for leaf in leaves}
    slopes = derivative_formulas(y, called)
    texts = [formula(y, "text", called), *(slopes.get(leaf, "0") for leaf in leaves)]
    return texts if max(map(len, texts)) <= LONGEST_FORMULA else []


__all__ = ["live_descent"]
