"""What all pictures share: matplotlib, axes to draw on, colours, arrows, the domain's gaps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.core.primitives import DOMAIN_ERRORS
from autograd.core.typing import Array
from autograd.descent import Path, number_at
from autograd.palette import BLACK, DIVERGED, GREEN, PAPER, VERMILION
from autograd.plotting.legends import place_legend
from autograd.plotting.sizes import LABEL_SIZE, TEXT_SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Labels = Sequence[str] | None
EXAMPLES = {2: "('weight', 'cost')", 3: "('weight', 'bias', 'cost')"}
ZOOM = 0.85  # of three dimensions
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def pyplot() -> Any:
    """matplotlib.pyplot.

    Raises:
        ImportError: without matplotlib; the message says how to install it.
    """
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise ImportError('pictures of functions need matplotlib; write '
                          'pip install "chainrule[plot]"', name="matplotlib") from None
    return plt


def flat_axes(ax: Axes | None) -> Any:
    """The axes given, or those of a new figure.

    Raises:
        ValueError: for axes of three dimensions.
    """
    if ax is None:
        _, ax = pyplot().subplots(figsize=(7, 5), layout="constrained")
    elif ax.name == "3d":
        raise ValueError("this picture is flat, but ax has three dimensions; leave "
                         "projection='3d' out, or use plot_surface(f, ranges, path=path)")
    return ax


def solid_axes(ax: Axes | None) -> Any:
    """The axes of three dimensions given, or those of a new figure.

    Raises:
        ValueError: for flat axes.
    """
    if ax is None:
        figure = pyplot().figure(figsize=(7, 6), layout="constrained")
        ax = figure.add_subplot(projection="3d", computed_zorder=False)
    if ax.name == "3d":
        _leave_room(ax)
    else:
        raise ValueError("a surface needs axes of three dimensions; make them with "
                         "plt.figure().add_subplot(projection='3d'), or use kind='contour'")
    return ax


def _leave_room(solid: Any) -> None:
    """Zoom out where nobody has zoomed, or the labels run over other axes and the legend."""
    chosen = solid._box_aspect
    solid.set_box_aspect(None)
    if np.array_equal(chosen, solid._box_aspect):
        solid.set_box_aspect(None, zoom=ZOOM)
    else:
        solid._box_aspect = chosen


def finish(ax: Any, defaults: Sequence[str], labels: Labels = None, legend: bool = True) -> None:
    """Label the axes, in a readable size and with plain numbers, and add the legend.

    Args:
        ax: the axes.
        defaults: for x and y (and z), labels for an axis that has none.
        labels: those that the caller asked for; they replace what is there.
        legend: whether there is one.
    """
    from autograd.plotting.ticks import make_plain

    names = "xyz" if ax.name == "3d" else "xy"
    for name, default, asked in zip(names, defaults, labels or [""] * 3, strict=False):
        if text := asked or (default if not getattr(ax, f"get_{name}label")() else ""):
            getattr(ax, f"set_{name}label")(text, fontsize=LABEL_SIZE)
    ax.tick_params(labelsize=TEXT_SIZE)
    for name in names:
        make_plain(getattr(ax, f"{name}axis"))
    if legend:
        place_legend(ax)


def checked_labels(labels: Labels, count: int) -> list[str] | None:
    """The labels of the axes, None where none were given.

    Raises:
        TypeError: for what is not a sequence of texts.
        ValueError: for a wrong number of them.
    """
    if labels is None:
        return None
    if isinstance(labels, str) or not all(isinstance(text, str) for text in labels):
        raise TypeError(f"labels takes one text for each axis, for example {EXAMPLES[count]}, "
                        f"not {labels!r}")
    if len(labels) != count:
        raise ValueError(f"labels needs {count} texts, for example {EXAMPLES[count]}, not "
                         f"{len(labels)}")
    return list(labels)


def coordinates(*numbers: float) -> str:
    """A point as people write it: (8.6, 27.36)."""
    from autograd.plotting.ticks import plain

    return f"({', '.join(map(plain, numbers))})"


def arrows(ax: Any, x: Any, y: Any, color: str = VERMILION) -> Any:
    """One arrow from each point to the next."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    return ax.quiver(x[:-1], y[:-1], np.diff(x), np.diff(y), angles="xy", scale_units="xy",
                     scale=1, width=0.004, headwidth=5, headlength=6, headaxislength=5.5,
                     minlength=0, color=color, zorder=4)


def dot_size(path: Path) -> float:
    """The size of a path's points: many of them must not grow into a band."""
    return 4.0 if len(path) <= 100 else 1.5


def mark_ends(ax: Any, path: Path, *places: Any) -> None:
    """Mark where a path starts and ends, with a red cross where it diverged or still climbs.

    Args:
        ax, path: where to draw what.
        places: the path's coordinates in the picture.
    """
    from autograd.plotting.ticks import plain

    away = "diverged after" if path.reason == "diverged" else "diverges:"
    last = ("X", DIVERGED, away) if path.rises else ("*", GREEN, "end")
    for end, (marker, color, what) in ((0, ("s", BLACK, "start")), (-1, last)):
        point, value = path.points[end], path.values[end]
        text = (coordinates(*point, value) if len(point) == 1
                else f"f{coordinates(*point)} = {plain(value)}")
        ax.plot(*([coordinate[end]] for coordinate in places), marker, color=color,
                markersize={"s": 7, "X": 11, "*": 13}[marker], markeredgecolor=PAPER,
                label=f"{what} {text}", zorder=6, linestyle="none")


def heights(f: Callable[[Any], Any], arguments: Iterable[Any],
            evaluate: Callable[..., float] = number_at) -> Array:
    """The function at each argument, with gaps (nan) where it is not defined.

    Args:
        f, arguments: the function, and what it takes.
        evaluate: called as evaluate(f, argument); returns a bare number.

    Raises:
        ValueError, ZeroDivisionError, OverflowError: where it is defined nowhere.
    """
    found, last = [], None
    for argument in arguments:
        try:
            height = evaluate(f, argument)
        except DOMAIN_ERRORS as error:
            height, last = math.nan, error
        found.append(height if math.isfinite(height) else math.nan)
    if all(map(math.isnan, found)):
        raise last or ValueError("there is nothing to draw: the function is finite nowhere")
    return np.array(found)


def padded(numbers: Sequence[float] | Array,
           share: float = 0.12) -> tuple[float, float]:
    """The range of the numbers with a margin, never empty."""
    low, high = float(np.min(numbers)), float(np.max(numbers))
    margin = share * (high - low) or max(1.0, abs(low)) * share
    return low - margin, high + margin
