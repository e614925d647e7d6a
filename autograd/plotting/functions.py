"""Pictures with matplotlib: tangents, descents, histories, moving fits.

Each function draws on the axes given as ``ax``, or on a new figure, and returns the Axes; none
shows a window. The pictures over a plane come from :mod:`autograd.plotting.surfaces`
and :mod:`autograd.plotting.loss_landscape`, and are found here, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.core.pytrees import rebuild
from autograd.core.transforms import value_and_grad
from autograd.core.typing import Array
from autograd.core.validation import as_float, positive
from autograd.core.value import data_of
from autograd.descent import Path
from autograd.palette import BLACK, BLUE, ORANGE, SERIES, VERMILION
from autograd.plotting.axes import (
    Labels,
    arrows,
    checked_labels,
    coordinates,
    dot_size,
    finish,
    flat_axes,
    heights,
    mark_ends,
    padded,
    pyplot,
)
from autograd.plotting.legends import place_legend
from autograd.plotting.loss_landscape import plot_loss_landscape
from autograd.plotting.sizes import TEXT_SIZE
from autograd.plotting.surfaces import (
    draw_contours,
    draw_path,
    plot_decision_boundary,
    plot_surface,
)

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.axes import Axes

__all__ = [
    "animate", "plot_decision_boundary", "plot_descent", "plot_function", "plot_history",
    "plot_loss_landscape", "plot_surface",
]

SAMPLES = 400
CONTOUR_SAMPLES = 80
MOST_FRAMES = 60
ORDERS = {"grad": "'", "jacobian": "'", "hessian": "''"}  # of derivatives, as they are written


def plot_function(f: Callable[[Any], Any], around: float = 0.0, width: float = 10.0,
                  tangents: Iterable[float] | None = None, ax: Axes | None = None, *,
                  labels: Labels = None) -> Axes:
    """Draw a function of a number, with tangent lines.

    Args:
        f: takes and returns a number; gaps are left where it is not defined.
        around: the middle of the interval.
        width: its length.
        tangents: where to draw tangent lines, with the slope that the engine computes; None draws
            one at ``around``, an empty list none.
        ax: where to draw; None makes a new figure.
        labels: of the axes, ("x", "f(x)") by default.

    Returns:
        The Axes.

    Raises:
        ValueError, ZeroDivisionError, OverflowError: for a tangent where f is not defined.
    """
    texts = checked_labels(labels, 2)
    around, width = as_float(around, "around"), positive(width, "width")
    places = [around] if tangents is None else [as_float(x, "a tangent's place") for x in tangents]
    lines = [(x, *map(data_of, value_and_grad(f)(x))) for x in places]
    x = np.linspace(around - width / 2, around + width / 2, SAMPLES + 1)
    y = heights(f, x.tolist())
    ax = flat_axes(ax)
    ax.plot(x, y, color=BLUE, linewidth=2, label=_label_of(f, texts))
    where = f"{variable} = " if (variable := _variable(texts)) else ""
    window = (float(x[0]), float(x[-1])), padded(y[np.isfinite(y)], 0.08)
    for i, (place, value, slope) in enumerate(lines):
        _draw_tangent(ax, place, value, slope, window, SERIES[1 + i % (len(SERIES) - 1)],
                      f"at {where}{place:.4g}")
        near = np.abs(x - place) < width / 10
        bends_up = bool(np.nanmean([value, *y[near]]) >= value)
        _name_point(ax, place, value, slope, window, bends_up)
    finish(ax, ("x", "f(x)"), texts)
    return ax


def _label_of(f: Callable[[Any], Any], labels: list[str] | None) -> str:
    """The function's name and that of its variable; of one without a name, the axis' label."""
    name = getattr(f, "__name__", "")
    if not name.isidentifier():
        if labels:
            return labels[1]
        name = "f"
    while made := getattr(f, "__derivative__", None):  # grad(f) has the name of f
        _, transform, f = made[:3]
        name += ORDERS.get(transform.__name__, "")
    return f"{name}({_variable(labels) or '...'})"


def _variable(labels: list[str] | None) -> str:
    """What the x axis is called, if that is a name and no sentence."""
    name = labels[0] if labels else "x"
    return "" if " " in name else name


def _draw_tangent(ax: Any, x: float, y: float, slope: float, window: Any, color: str,
                  where: str) -> None:
    """The tangent inside the window, and its point."""
    (left, right), (bottom, top) = window
    ends = [min(left, x), max(right, x)]
    if slope:
        crossings = sorted(x + (height - y) / slope
                           for height in (min(bottom, y), max(top, y)))
        ends = [max(ends[0], crossings[0]), min(ends[1], crossings[1])]
    ax.plot(ends, [y + slope * (end - x) for end in ends], "--", color=color, linewidth=1.6,
            label=f"slope {slope:.4g} {where}")
    ax.plot([x], [y], "o", color=color, markeredgecolor=BLACK, zorder=5)


def _name_point(ax: Any, x: float, y: float, slope: float, window: Any, bends_up: bool) -> None:
    """The coordinates of a point where neither the curve nor its tangent is."""
    (left, right), (bottom, top) = window
    room = 0.2 * (right - left)
    if abs(slope) * (right - left) < 0.5 * (top - bottom):  # nearly level: over or under it
        across = int(x - left < room) - int(right - x < room)
        up = -1 if bends_up else 1
    else:  # both rise towards the right, or fall
        side = -1 if slope > 0 else 1
        up = -1 if (x - left if side < 0 else right - x) < room else 1
        across = side * up
    ax.annotate(coordinates(x, y), (x, y), textcoords="offset points",
                xytext=(9 * across, 7 * up if across else 9 * up),
                ha=("right", "center", "left")[across + 1], va="bottom" if up > 0 else "top",
                fontsize=TEXT_SIZE, zorder=6)


def plot_descent(path: Path, f: Callable[[Any], Any] | None = None, ax: Axes | None = None, *,
                 labels: Labels = None) -> Axes:
    """Draw a descent in one variable (on the curve) or two (on the contours), with arrows.

    A star marks the end, a red cross that of a path that diverged or still climbs.

    Args:
        path: of one or two variables; one that diverged, too.
        f: the function, for its curve or contours; None draws the path alone.
        ax: where to draw; None makes a new figure.
        labels: of the axes, ("x", "f(x)") or ("x[0]", "x[1]") by default.

    Returns:
        The Axes; there is one arrow for each step.

    Raises:
        ValueError: for a path over more variables.
    """
    texts = checked_labels(labels, 2)
    dimensions = path.points.shape[1]
    if dimensions > 2:
        raise ValueError(f"a path over {dimensions} variables cannot be drawn on paper; draw two "
                         "of them with ax.plot(*path.points[:, :2].T), or the values with "
                         "plot_history(path.values)")
    ax = flat_axes(ax)
    if dimensions == 1:
        _descent_on_curve(ax, path, f, texts)
        finish(ax, ("x", "f(x)"), texts)
    else:
        if f is not None:
            x, y = (np.linspace(*padded(column), CONTOUR_SAMPLES) for column in path.points.T)
            places = [rebuild(path.start, [a, b]) for b in y for a in x]
            draw_contours(ax, x, y, heights(f, places).reshape(len(y), len(x)))
        draw_path(ax, path)
        finish(ax, ("x[0]", "x[1]"), texts)
    return ax


def _descent_on_curve(ax: Any, path: Path, f: Callable[[Any], Any] | None,
                      labels: list[str] | None) -> None:
    x = path.points[:, 0]
    if f is not None:
        curve = np.linspace(*padded(x), SAMPLES + 1)
        y = heights(f, [rebuild(path.start, [place]) for place in curve])
        ax.plot(curve, y, color=BLUE, linewidth=2, label=_label_of(f, labels))
    arrows(ax, x, path.values)
    ax.plot(x, path.values, "o", color=VERMILION, markersize=dot_size(path), zorder=3)
    mark_ends(ax, path, x, path.values)


def plot_history(history: Any, log: bool = False, ax: Axes | None = None, *,
                 labels: Labels = None) -> Axes:
    """Draw a loss by epoch, or any numbers in order.

    Args:
        history: what ``nn.fit`` returns, or anything with a list ``loss`` and, if there are,
            ``validation_loss`` and ``accuracy``; or a plain sequence of numbers, which are counted
            from 0.
        log: a logarithmic scale for the loss.
        ax: where to draw; None makes a new figure.
        labels: of the axes, ("epoch", "loss") by default, or "step" for a plain sequence.

    Returns:
        The Axes of the loss; the accuracy has its own scale at the right.

    Raises:
        ValueError: for an empty history.
    """
    texts = checked_labels(labels, 2)
    has_names = hasattr(history, "loss")
    loss = _series(history.loss if has_names else history)
    if not len(loss):
        raise ValueError("the history is empty; there is nothing to draw")
    ax = flat_axes(ax)
    from matplotlib.ticker import MaxNLocator

    first = 1 if has_names else 0
    _draw_series(ax, loss, first, BLUE, "loss")
    if len(validation := _series(getattr(history, "validation_loss", None))):
        _draw_series(ax, validation, first, VERMILION, "validation loss", "--")
    if log:
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    accuracy = _series(getattr(history, "accuracy", None))
    finish(ax, ("epoch" if has_names else "step", "loss"), texts,
           legend=bool(len(validation) and not len(accuracy)))
    if len(accuracy):
        _draw_accuracy(ax, accuracy, first)
    return ax


def _series(numbers: Any) -> Array:
    return np.array([] if numbers is None else [as_float(data_of(x)) for x in numbers])


def _draw_series(ax: Any, numbers: Array, first: int, color: str, label: str,
                 line: str = "-") -> None:
    # A marker, so that a history of a single epoch shows; not many, so that the line shows.
    ax.plot(np.arange(first, first + len(numbers)), numbers, line, color=color, linewidth=1.8,
            marker="o" if len(numbers) <= 30 else "", markersize=4, label=label)


def _draw_accuracy(ax: Any, accuracy: Array, first: int) -> None:
    right = ax.twinx()
    _draw_series(right, accuracy, first, ORANGE, "accuracy", "-.")
    right.set_ylim(min(0.0, float(np.nanmin(accuracy))), 1.02)
    finish(right, ("", "accuracy"), legend=False)
    place_legend(ax, right)


def animate(path: Path, draw_frame: Callable[[Any, Any, int], Any] | None = None, *,
            X: Any = None, y: Any = None, frames: Sequence[int] | None = None,
            interval: int = 100, ax: Axes | None = None, labels: Labels = None) -> FuncAnimation:
    """Show how a fit moves along a descent.

    Args:
        path: the descent.
        draw_frame: called as draw_frame(ax, point, step) on empty axes for every frame; the point
            has the structure of the path's start.
        X, y: in place of draw_frame, points of shape (n,): then the path runs over intercept and
            slope, and the line moves through the points.
        frames: which steps to show; None shows at most 60 of them, from the first to the last.
        interval: milliseconds between frames.
        ax: where to draw; None makes a new figure.
        labels: of the axes of the moving line, ("x", "y") by default.

    Returns:
        A matplotlib animation: ``.save("fit.gif", writer="pillow")``, ``.to_jshtml()``.

    Raises:
        TypeError: unless there is either draw_frame or X and y.
        ValueError: for X, y or a path that do not fit, and for frames outside the path.
    """
    plt = pyplot()
    from matplotlib.animation import FuncAnimation

    if (draw_frame is None) == (X is None) or (X is None) != (y is None):
        raise TypeError("animate takes either draw_frame, or both X and y")
    draw = draw_frame or _moving_line(path, X, y, checked_labels(labels, 2))
    shown = _frames(path) if frames is None else [int(step) for step in frames]
    if not shown or min(shown) < 0 or max(shown) > len(path):
        raise ValueError(f"frames must be steps from 0 to {len(path)}, and at least one")
    target = plt.subplots(figsize=(7, 5))[1] if ax is None else ax

    def show(step: int) -> list[Any]:
        target.clear()
        draw(target, rebuild(path.start, path.points[step].tolist()), step)
        return []

    return FuncAnimation(target.figure, show, frames=shown,  # type: ignore[arg-type]
                         interval=interval, blit=False, init_func=lambda: [])


def _frames(path: Path) -> list[int]:
    """Steps with growing gaps: a descent moves far at first, and little later."""
    if len(path) < MOST_FRAMES:
        return list(range(len(path) + 1))
    late = np.linspace(0, 1, MOST_FRAMES)**2 * len(path)
    steps = np.maximum(np.round(late), np.arange(MOST_FRAMES)).astype(int)
    return [int(step) for step in np.minimum(steps, len(path))]


def _moving_line(path: Path, X: Any, y: Any, labels: Labels) -> Callable[[Any, Any, int], None]:
    x, height = np.asarray(X, dtype=float).ravel(), np.asarray(y, dtype=float).ravel()
    if x.shape != height.shape or not x.size:
        raise ValueError(f"X and y must be points of the same number, not {x.size} and "
                         f"{height.size}")
    if path.points.shape[1] != 2:
        raise ValueError("for a moving line the path must run over (intercept, slope), not over "
                         f"{path.points.shape[1]} variable(s); for another fit give draw_frame")
    span, tall = np.array(padded(x)), padded(height, 0.4)

    def draw(ax: Any, point: Any, step: int) -> None:
        intercept, slope = path.points[step]
        ax.plot(x, height, "o", color=VERMILION, markersize=8, label="data")
        ax.plot(span, intercept + slope * span, color=BLUE, linewidth=2,
                label=f"{intercept:.3f} {slope:+.3f} x")
        ax.set_xlim(*span)
        ax.set_ylim(*tall)
        ax.set_title(f"step {step}: loss {path.values[step]:.6g}", fontsize=TEXT_SIZE)
        finish(ax, ("x", "y"), labels)

    return draw
