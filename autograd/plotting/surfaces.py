"""Pictures over a plane: cost surfaces, decision boundaries."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from autograd.core.pytrees import as_array, rebuild
from autograd.core.transforms import scalar
from autograd.core.typing import Array
from autograd.core.validation import as_float, interval, whole
from autograd.core.value import Value, data_of, no_grad
from autograd.descent import Path, pairs_of, progress
from autograd.palette import BLACK, HEIGHTS, PAPER, SERIES, UNDECIDED, VERMILION
from autograd.plotting.axes import (
    MARKERS,
    Labels,
    arrows,
    checked_labels,
    dot_size,
    finish,
    flat_axes,
    heights,
    mark_ends,
    pyplot,
    solid_axes,
)
from autograd.plotting.cutting import draw_cut
from autograd.plotting.sizes import LABEL_SIZE, TEXT_SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind = Literal["surface", "contour"]


def plot_surface(f: Callable[[Any], Any], ranges: Any, kind: Kind = "surface",
                 path: Path | None = None, ax: Axes | None = None,
                 resolution: int = 50, *, labels: Labels = None,
                 view: tuple[float, float] | None = None,
                 zlim: tuple[float, float] | None = None) -> Axes:
    """Draw a function of two variables, and a descent on it.

    Args:
        f: takes one sequence of two numbers (in the structure of the path's start, if there is a
            path); gaps are left where it is not defined.
        ranges: ((low, high), (low, high)), the part of the plane to draw.
        kind: "surface" in three dimensions, or "contour" lines.
        path: a descent on f to lay on it; what leaves the ranges is not drawn.
        ax: where to draw; for a surface with projection="3d". None makes a new figure.
        resolution: evaluations of f along each side.
        labels: of the two variables and of the height, ("x[0]", "x[1]", "f(x)") by default.
        view: for a surface, from where to look at it: (elevation, azimuth) in degrees, as
            matplotlib's ``view_init`` counts them; (30, -60) by default.
        zlim: (low, high), the heights to draw; the surface is cut off where f is lower or higher.

    Returns:
        The Axes.

    Raises:
        ValueError: for a kind, ranges, a path, axes, labels, a view or limits that do not fit.
    """
    check_kind(kind, view)
    texts = checked_labels(labels, 3)
    x, y = sides(ranges, resolution)
    if path is not None and path.points.shape[1] != 2:
        raise ValueError(f"the path runs over {path.points.shape[1]} variable(s), but a surface "
                         "over two")
    structure = [0.0, 0.0] if path is None else path.start
    z = heights(f, progress([rebuild(structure, [a, b]) for b in y for a in x], "surface"))
    ax = draw_heights(x, y, z.reshape(len(y), len(x)), kind, texts[2] if texts else "f(x)", ax,
                      view, zlim)
    if path is not None:
        _lay_path(ax, path, kind, x, y, zlim)
    finish(ax, ("x[0]", "x[1]", "f(x)"), texts)
    return ax


def check_kind(kind: str, view: tuple[float, float] | None) -> None:
    if kind not in ("surface", "contour"):
        raise ValueError(f'kind is "surface" or "contour", not {kind!r}')
    if view is None:
        return
    if kind == "contour":
        raise ValueError("view says from where to look at a surface; contour lines are seen from "
                         "above, leave it out or write kind='surface'")
    if np.ndim(view) != 1 or len(view) != 2:
        raise ValueError("view takes (elevation, azimuth) in degrees, for example (30, -60), "
                         f"not {view!r}")
    for degrees in view:
        as_float(degrees, "a degree of view")


def sides(ranges: Any, resolution: int) -> tuple[Array, Array]:
    is_number, pairs = pairs_of(ranges)
    if is_number or len(pairs) != 2 or any(low == high for low, high in pairs):
        raise ValueError(f"ranges must be ((low, high), (low, high)), not {ranges!r}")
    resolution = whole(resolution, "resolution", 2)
    x, y = (np.linspace(low, high, resolution) for low, high in pairs)
    return x, y


def draw_heights(x: Array, y: Array, z: Array, kind: Kind, label: str, ax: Axes | None,
                 view: tuple[float, float] | None = None,
                 zlim: tuple[float, float] | None = None) -> Any:
    """The heights z over the plane, of shape (len(y), len(x)), as a surface or as contour lines.

    Args:
        label: of the height.
        view, zlim: as for :func:`plot_surface`.
    """
    if zlim is not None:
        _check_limits(z, *interval(zlim, "zlim"))
    if kind == "contour":  # whose levels keep the limits between the points, too
        return draw_contours(flat_axes(ax), x, y, z, label, zlim)
    solid = solid_axes(ax)
    style = {"cmap": HEIGHTS, "alpha": 0.75, "linewidth": 0.2, "edgecolor": (1, 1, 1, 0.2),
             "zorder": 1}
    if zlim is None:
        solid.plot_surface(*np.meshgrid(x, y), z, rcount=len(y), ccount=len(x), **style)
    else:
        draw_cut(solid, x, y, z, zlim, style)
    if view is not None:
        solid.view_init(elev=float(view[0]), azim=float(view[1]))
    if zlim is not None:
        solid.set_zlim(*zlim)
    for axis in (solid.xaxis, solid.yaxis, solid.zaxis):
        axis.labelpad = 10  # the default runs into the numbers of the ticks
    solid.zaxis.set_tick_params(pad=9)  # and these, when they are long, into the axis
    solid.zaxis.labelpad = 22
    solid.locator_params(nbins=5)
    return solid


def _check_limits(z: Array, low: float, high: float) -> None:
    """Raise a ValueError when no height is inside the limits."""
    if low == high:
        raise ValueError(f"zlim must be (low, high) with low < high, not ({low:g}, {high:g})")
    if not ((z >= low) & (z <= high)).any():
        raise ValueError(f"no height is between {low:g} and {high:g}; those computed go from "
                         f"{np.nanmin(z):.6g} to {np.nanmax(z):.6g}")


def draw_contours(ax: Any, x: Array, y: Array, z: Array, label: str = "f(x)",
                  zlim: tuple[float, float] | None = None) -> Any:
    """Contour lines over filled levels, with a colour bar that carries the label.

    The levels grow as squares, so that a bowl gets evenly spaced rings.
    """
    from autograd.plotting.ticks import EachFormatter

    low, high = zlim or (float(np.nanmin(z)), float(np.nanmax(z)))
    if high - low <= 1e-12 * max(abs(low), abs(high)):  # flat: levels need a width
        high = low + max(abs(low), 1.0)
    levels = low + (high - low) * np.linspace(0, 1, 16)**2
    masked = np.ma.masked_invalid(z)
    filled = ax.contourf(x, y, masked, levels=levels, cmap=HEIGHTS, alpha=0.8)
    ax.contour(x, y, masked, levels=levels, colors=PAPER, linewidths=0.6,
               linestyles="solid")
    bar = ax.figure.colorbar(filled, ax=ax, format=EachFormatter(3))
    bar.ax.tick_params(labelsize=TEXT_SIZE)
    bar.set_label(label, fontsize=LABEL_SIZE)
    return ax


def _lay_path(ax: Any, path: Path, kind: Kind, x: Array, y: Array,
              zlim: tuple[float, float] | None) -> None:
    a, b = path.points.T
    if kind == "contour":
        draw_path(ax, path)
        ax.set_xlim(x[0], x[-1])
        ax.set_ylim(y[0], y[-1])
        return
    low, high = zlim or (-math.inf, math.inf)
    outside = ((a < x[0]) | (a > x[-1]) | (b < y[0]) | (b > y[-1])
               | (path.values < low) | (path.values > high))
    a, b, height = (np.where(outside, math.nan, numbers) for numbers in (a, b, path.values))
    ax.plot(a, b, height, "o-", color=VERMILION, markersize=dot_size(path), linewidth=1.8,
            zorder=5)
    mark_ends(ax, path, a, b, height)


def draw_path(ax: Any, path: Path) -> None:
    """The arrows of a path over two variables, its points and its ends."""
    x, y = path.points.T
    arrows(ax, x, y)
    ax.plot(x, y, "o", color=VERMILION, markersize=dot_size(path), zorder=3)
    mark_ends(ax, path, x, y)


# --- decision boundaries --------------------------------------------------------------------------

def plot_decision_boundary(model: Any, X: Any, y: Any, ax: Axes | None = None,
                           resolution: int = 100, threshold: float | None = None, *,
                           labels: Labels = None) -> Axes:
    """Draw what a classifier of points in the plane answers, and the points.

    Args:
        model: takes a list of two numbers and returns one score, or a list of one logit for each
            class. If it has a method ``predict``, that is called once with all points of the grid,
            an array of shape (resolution**2, 2), and returns an array of scores, logits or classes.
        X: the points, shape (n, 2).
        y: their classes, shape (n,): -1 and 1, 0 and 1, or the integers from 0 on.
        ax: where to draw; None makes a new figure.
        resolution: evaluations of the model along each side.
        threshold: the score from which a point counts to the upper of two classes. None means 0
            for the classes -1 and 1; for 0 and 1 it means 1/2 if all scores are probabilities
            (from 0 to 1), and 0 otherwise.
        labels: of the axes, ("x[0]", "x[1]") by default.

    Returns:
        The Axes.

    Raises:
        ValueError: for points, classes or answers of another shape, and a wrong number of labels.
    """
    texts = checked_labels(labels, 2)
    resolution = whole(resolution, "resolution", 2)
    points, classes = _labelled_points(X, y)
    x, height = _frame(points[:, 0], resolution), _frame(points[:, 1], resolution)
    grid = np.array([(a, b) for b in height for a in x])
    answers = _answers(model, grid)
    names = np.unique(classes)
    if answers.ndim == 1 and len(names) > 2:
        answers = _one_score_each(answers, names)
    ax = flat_axes(ax)
    if answers.ndim == 1:
        level = _threshold(answers, names) if threshold is None else threshold
        _draw_scores(ax, x, height, answers.reshape(resolution, resolution) - level)
    else:
        _draw_regions(ax, x, height, answers)
    _draw_points(ax, points, classes, names, answers.ndim == 1)
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(height[0], height[-1])
    finish(ax, ("x[0]", "x[1]"), texts)
    return ax


def _labelled_points(X: Any, y: Any) -> tuple[Array, Array]:
    points, classes = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"X must have the shape (n, 2), n points in the plane, not {points.shape}")
    if classes.shape == (len(points), 1):
        classes = classes[:, 0]
    if classes.shape != (len(points),):
        raise ValueError(f"y must hold one class for each of the {len(points)} points, but has "
                         f"the shape {classes.shape}")
    if not np.isfinite(points).all() or not np.array_equal(classes, np.round(classes)):
        raise ValueError("X must be finite and y made of integers")
    return points, classes.astype(int)


def _frame(numbers: Array, resolution: int) -> Array:
    margin = 0.15 * (numbers.max() - numbers.min()) or 1.0
    return np.linspace(numbers.min() - margin, numbers.max() + margin, resolution)


def _answers(model: Any, grid: Array) -> Array:
    """The model's answers: shape (n,) for scores, (n, k) for logits of k classes."""
    with no_grad():
        if hasattr(model, "predict"):
            answers = _numbers(model.predict(grid))
        else:
            rows = progress(grid.tolist(), "decision boundary", len(grid))
            answers = np.array([_numbers(model(row)) for row in rows])
    if answers.ndim == 2 and answers.shape[1] == 1:
        answers = answers[:, 0]
    if answers.ndim not in (1, 2) or len(answers) != len(grid):
        raise ValueError("the model must answer a point with one score, or with a list of one "
                         f"logit for each class; its answers to {len(grid)} points have the shape "
                         f"{answers.shape}")
    return answers


def _numbers(answer: Any) -> Array:
    plain = np.frompyfunc(lambda number: data_of(scalar(number)), 1, 1)
    answers = as_array([answer], ()) if answer.__class__ is Value else np.asarray(answer)
    return np.asarray(plain(answers), dtype=float)


def _one_score_each(answers: Array, names: Array) -> Array:
    """Answers that are classes themselves, as one score for each class."""
    if not np.isin(answers, names).all():
        raise ValueError(f"y has {len(names)} classes, but the model answers with one score; "
                         "it must return one logit for each class")
    scores: Array = (answers[:, None] == np.arange(int(names.max()) + 1)).astype(float)
    return scores


def _threshold(answers: Array, names: Array) -> float:
    if names.min() < 0:
        return 0.0
    return 0.5 if answers.min() >= 0 and answers.max() <= 1 else 0.0


def _draw_scores(ax: Any, x: Array, y: Array, scores: Array) -> None:
    """Scores above and below 0 in two colours, and the boundary where they are 0."""
    # A few far corners must not bleach the region where the data lie.
    span = float(np.percentile(np.abs(scores), 90)) or 1.0
    ax.contourf(x, y, np.clip(scores / span, -1, 1), levels=np.linspace(-1, 1, 13),
                cmap=_two_colours(), alpha=0.55)
    if scores.min() < 0 < scores.max():
        ax.contour(x, y, scores, levels=[0.0], colors=BLACK, linewidths=1.8)


def _two_colours() -> Any:
    pyplot()
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("two classes", [SERIES[0], UNDECIDED, SERIES[1]])


def _draw_regions(ax: Any, x: Array, y: Array, logits: Array) -> None:
    """Where each class has the greatest logit; logits has the shape (points, classes)."""
    for i in range(logits.shape[1]):
        others = np.delete(logits, i, axis=1).max(axis=1)
        lead = (logits[:, i] - others).reshape(len(y), len(x))
        if lead.max() > 0:
            ax.contourf(x, y, lead, levels=[0.0, math.inf], colors=[SERIES[i % len(SERIES)]],
                        alpha=0.4)
        if lead.min() < 0 < lead.max():
            ax.contour(x, y, lead, levels=[0.0], colors=BLACK, linewidths=1.0)


def _draw_points(ax: Any, points: Array, classes: Array, names: Array, two: bool) -> None:
    for place, name in enumerate(names):
        # With logits the colour is that of the class number, with one score that of the side.
        index = (place if len(names) == 2 else int(name > 0)) if two else int(name)
        index %= len(SERIES)
        own = points[classes == name]
        ax.scatter(own[:, 0], own[:, 1], color=SERIES[index], marker=MARKERS[index],
                   edgecolor=BLACK, linewidth=0.7, s=36, label=f"class {name}", zorder=3)
