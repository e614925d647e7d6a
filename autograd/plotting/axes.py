"""What all pictures share: matplotlib, axes to draw on, colours, arrows, the domain's gaps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.core.primitives import DOMAIN_ERRORS
from autograd.core.typing import Array
from autograd.descent import Path, number_at
from autograd.palette import BLACK, GREEN, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

LABEL_SIZE, TEXT_SIZE = 13, 11


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
        solid: Any = figure.add_subplot(projection="3d", computed_zorder=False)
        solid.set_box_aspect(None, zoom=0.87)  # or the label at the right is cut off
        return solid
    if ax.name != "3d":
        raise ValueError("a surface needs axes of three dimensions; make them with "
                         "plt.figure().add_subplot(projection='3d'), or use kind='contour'")
    return ax


def finish(ax: Any, x: str, y: str, legend: bool = True) -> None:
    """Label the axes that have no label yet, in a readable size, and add the legend."""
    for axis, text in (("x", x), ("y", y)):
        if text and not getattr(ax, f"get_{axis}label")():
            getattr(ax, f"set_{axis}label")(text, fontsize=LABEL_SIZE)
    ax.tick_params(labelsize=TEXT_SIZE)
    if legend and ax.get_legend_handles_labels()[0]:
        # In three dimensions the best place is found by the data alone, over the axes' numbers.
        ax.legend(fontsize=TEXT_SIZE, loc="upper right" if ax.name == "3d" else "best")


def coordinates(*numbers: float) -> str:
    """A point as people write it: (8.6, 27.36)."""
    return f"({', '.join(f'{number:.4g}' for number in numbers)})"


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
    """Mark where a path starts and ends; places are its coordinates in the picture."""
    for end, marker, color, what in ((0, "s", BLACK, "start"), (-1, "*", GREEN, "end")):
        point, value = path.points[end], path.values[end]
        text = (coordinates(*point, value) if len(point) == 1
                else f"f{coordinates(*point)} = {value:.4g}")
        ax.plot(*([coordinate[end]] for coordinate in places), marker, color=color,
                markersize=13 if marker == "*" else 7, markeredgecolor="white",
                label=f"{what} {text}", zorder=6)


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
