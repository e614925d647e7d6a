"""Legends below their axes, where they cover no data."""

from __future__ import annotations

from typing import Any

from autograd.plotting.sizes import LABEL_SIZE, TEXT_SIZE

GAP = 4.0  # points between the axes' lowest text and the legend
LEAST_HEIGHT = 0.3  # of a row, that the axes keep


def place_legend(ax: Any, owner: Any = None) -> None:
    """Put the legend below the axes, in as few rows as fit their width.

    In a figure with a layout engine (``layout="constrained"``, or ``tight_layout()`` later) the
    engine makes room for it; in another the margin is widened here.

    Args:
        ax: the axes that the legend stands below, with all that is drawn in them.
        owner: the axes that the legend belongs to, if there are others, drawn over the first.
    """
    owner = ax if owner is None else owner
    handles, labels = ax.get_legend_handles_labels()
    if owner is not ax:
        more, names = owner.get_legend_handles_labels()
        handles, labels = handles + more, labels + names
    if not labels:
        return
    from matplotlib.transforms import ScaledTranslation

    figure = ax.figure
    below = GAP + _overhang(ax) * 72.0 / figure.dpi
    place = ax.transAxes + ScaledTranslation(0.0, -below / 72.0, figure.dpi_scale_trans)
    for columns in range(len(labels), 0, -1):
        legend = owner.legend(handles, labels, fontsize=TEXT_SIZE, loc="upper center",
                              bbox_to_anchor=(0.5, 0.0), bbox_transform=place, ncols=columns,
                              borderaxespad=0.0, columnspacing=1.4, handletextpad=0.5)
        if legend.get_window_extent().width <= ax.bbox.width:
            break
    _make_room(ax, ax.bbox.y0 - legend.get_window_extent().y0)


def _overhang(ax: Any) -> float:
    """How many pixels the ticks and the label of the x axis reach below the axes."""
    if ax.name == "3d":
        return 6.0  # they are inside the box that the axes are given, or nearly so
    box = ax.xaxis.get_tightbbox()
    return 0.0 if box is None else max(float(ax.bbox.y0 - box.y0), 0.0)


def _make_room(ax: Any, needed: float) -> None:
    """Widen the margin below the axes to so many pixels, where no layout engine does."""
    figure, spec = ax.figure, ax.get_subplotspec()
    if figure.get_layout_engine() is not None or spec is None:
        return
    spec = spec.get_topmost_subplotspec()
    rows, margins = spec.get_gridspec().nrows, figure.subplotpars
    height = figure.bbox.height
    bottom = margins.bottom * height
    each = (margins.top * height - bottom) / (rows + (rows - 1) * margins.hspace)
    gap = margins.hspace * each
    if spec.is_last_row():
        bottom = max(bottom, needed + GAP)
    else:
        gap = max(gap, needed + 2.0 * LABEL_SIZE * figure.dpi / 72.0)  # the title of those below
    each = (margins.top * height - bottom - (rows - 1) * gap) / rows
    if each > LEAST_HEIGHT * height / rows:  # else let it hang out of the figure
        figure.subplots_adjust(bottom=bottom / height, hspace=gap / each)


__all__ = ["place_legend"]
