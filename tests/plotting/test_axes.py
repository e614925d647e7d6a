"""What all plots share: labels, plain ticks, legends that cover nothing, views, limits, ends."""

from __future__ import annotations

import types
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure

import nn
from autograd import (
    Value,
    animate,
    descend,
    grad,
    jit,
    palette,
    plot_decision_boundary,
    plot_descent,
    plot_function,
    plot_history,
    plot_loss_landscape,
    plot_surface,
)
from autograd.plotting.cutting import cut_faces, with_equal_corners
from autograd.plotting.ticks import plain

Axes = Any


@pytest.fixture(autouse=True)
def small_figures_closed_afterwards(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("autograd.plotting.functions.CONTOUR_SAMPLES", 15)
    yield
    plt.close("all")


def parabola(x: Any) -> Any:
    return x**2 - 6 * x + 5


def bowl(w: Any) -> Any:
    return 2 * w[0] ** 2 + w[1] ** 2


POINTS = np.array([[0.0, 0.0], [0.0, 2.0], [4.0, 0.0], [4.0, 2.0]])
SQUARE = ((-10, 10), (-10, 10))
HISTORY = types.SimpleNamespace(loss=[3.0, 2.0], validation_loss=[4.0, 3.5], accuracy=[0.5, 0.75])


def landscape(**options: Any) -> Axes:
    model = nn.MLP(2, [2, 1], "tanh", seed=1)
    return plot_loss_landscape(model, lambda m: (m([0.3, 0.7]) - 1.0) ** 2, resolution=5, **options)


FLAT: dict[str, Callable[..., Axes]] = {
    "function": lambda **o: plot_function(parabola, 8, 16, [10, 8.6, 7.48], **o),
    "descent on a curve": lambda **o: plot_descent(descend(parabola, 10, 0.8, 9), parabola, **o),
    "descent on contours": lambda **o: plot_descent(descend(bowl, (-8, 7), 0.1, 9), bowl, **o),
    "diverged": lambda **o: plot_descent(descend(parabola, 10, 1.5, 999), parabola, **o),
    "boundary": lambda **o: plot_decision_boundary(lambda x: x[0] - 1.3, POINTS, [-1, -1, 1, 1],
                                                   resolution=9, **o),
    "history": lambda **o: plot_history(HISTORY, **o),
}
SOLID: dict[str, Callable[..., Axes]] = {
    "surface": lambda **o: plot_surface(bowl, SQUARE, resolution=9,
                                        path=descend(bowl, (-8, 7), 0.1, 9), **o),
    "landscape": lambda **o: landscape(kind="surface", **o),
}
HIGH: dict[str, Callable[..., Axes]] = {
    **SOLID,
    "contour": lambda **o: plot_surface(bowl, SQUARE, "contour", resolution=9, **o),
    "landscape from above": landscape,
}


def legend_of(ax: Axes) -> Any:
    found = [other.get_legend() for other in ax.figure.axes if other.get_legend() is not None]
    return found[-1]


def boxes(ax: Axes) -> tuple[Any, Any, Any]:
    """Of the legend, the data's frame, and the whole figure, after drawing, in pixels."""
    ax.figure.canvas.draw()
    return legend_of(ax).get_window_extent(), ax.get_window_extent(), ax.figure.bbox


# --- legends --------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["of its own", None, "constrained", "tight"])
@pytest.mark.parametrize("name", FLAT)
def test_a_legend_covers_neither_data_nor_labels(name: str, layout: str | None) -> None:
    options = {} if layout == "of its own" else {"ax": plt.subplots(layout=layout)[1]}
    ax = FLAT[name](**options)
    legend, frame, figure = boxes(ax)
    assert legend.height > 10
    assert legend.y1 <= frame.y0
    assert legend.y1 <= ax.xaxis.label.get_window_extent().y0 + 1
    assert legend.y0 >= figure.y0
    assert figure.x0 <= legend.x0
    assert legend.x1 <= figure.x1


@pytest.mark.parametrize("name", SOLID)
def test_a_legend_stands_below_a_surface(name: str) -> None:
    ax = SOLID[name]()
    legend, frame, figure = boxes(ax)
    assert legend.y1 <= frame.y0
    assert legend.y0 >= figure.y0
    for axis in (ax.xaxis, ax.yaxis):
        assert not axis.label.get_window_extent().overlaps(legend)


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_the_legends_of_a_grid_cover_no_neighbour(layout: str | None) -> None:
    figure, grid = plt.subplots(2, 2, figsize=(10, 7.5), layout=layout)
    for ax in grid.flat:
        FLAT["descent on a curve"](ax=ax)
        ax.set_title("a title")
    figure.canvas.draw()
    legends = [ax.get_legend().get_window_extent() for ax in grid.flat]
    for ax in grid.flat:
        for legend in legends:
            assert not legend.overlaps(ax.get_window_extent())
            assert not legend.overlaps(ax.title.get_window_extent())
    assert min(ax.get_window_extent().height for ax in grid.flat) > 100
    assert min(legend.y0 for legend in legends) >= 0


@pytest.mark.parametrize("canvas", ["svg", "pdf", "agg"])
def test_legends_need_no_particular_canvas(canvas: str, tmp_path: Path) -> None:
    figure = Figure(layout="constrained")
    FigureCanvasBase(figure)
    upper, lower = figure.subfigures(2, 1)
    for part in (upper, lower):
        FLAT["descent on a curve"](ax=part.subplots())
    figure.savefig(tmp_path / "plot", format=canvas if canvas != "agg" else "png")
    legends = [part.axes[0].get_legend().get_window_extent() for part in (upper, lower)]
    frames = [part.axes[0].get_window_extent() for part in (upper, lower)]
    assert not any(legend.overlaps(frame) for legend in legends for frame in frames)


def test_a_legend_has_as_many_columns_as_fit() -> None:
    assert legend_of(FLAT["descent on a curve"]())._ncols == 3
    figure = plt.figure(figsize=(3, 4))
    assert legend_of(FLAT["descent on a curve"](ax=figure.add_subplot()))._ncols == 1


def test_the_legend_of_a_moving_line_stands_still_below_it() -> None:
    x = np.array([0.0, 1.0, 2.0])
    path = descend(lambda b: (1.0 - b[0]) ** 2 + (2.0 - b[1]) ** 2, (0, 0), 0.1, steps=9)
    _, ax = plt.subplots()
    moving = animate(path, X=x, y=2 * x, ax=ax)
    moving._draw_was_started = True
    places = []
    for step in (0, 3, 9):
        moving._func(step)
        legend, frame, _ = boxes(ax)
        assert legend.y1 <= frame.y0
        places.append(round(legend.y0))
    assert len(set(places)) == 1


# --- labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FLAT)
def test_labels_of_flat_axes(name: str) -> None:
    ax = FLAT[name](labels=("mass", "energy"))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("mass", "energy")
    for wrong, error in ((("mass",), ValueError), ("ab", TypeError), ((1, 2), TypeError)):
        with pytest.raises(error, match="labels"):
            FLAT[name](labels=wrong)


@pytest.mark.parametrize("name", HIGH)
def test_labels_of_the_plane_and_of_the_height(name: str) -> None:
    ax = HIGH[name](labels=("m", "b", "cost"))
    height = ax.get_zlabel() if ax.name == "3d" else ax.figure.axes[-1].get_ylabel()
    assert (ax.get_xlabel(), ax.get_ylabel(), height) == ("m", "b", "cost")
    with pytest.raises(ValueError, match=r"labels needs 3 texts, for example .* not 2"):
        HIGH[name](labels=("m", "b"))


def test_labels_replace_those_that_are_there() -> None:
    _, ax = plt.subplots()
    ax.set_xlabel("iteration")
    assert plot_history([1.0, 0.5], ax=ax).get_xlabel() == "iteration"
    assert plot_history([1.0, 0.5], ax=ax, labels=("step", "cost")).get_xlabel() == "step"


def test_a_moving_line_has_labels() -> None:
    path = descend(lambda b: (b[0] - 1) ** 2 + b[1] ** 2, (0, 0), 0.1, 3)
    _, ax = plt.subplots()
    moving = animate(path, X=[0.0, 1.0], y=[1.0, 2.0], ax=ax, labels=("size", "price"))
    moving._draw_was_started = True
    moving._func(2)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("size", "price")


# --- view and limits ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOLID)
def test_a_surface_is_seen_from_elevation_and_azimuth(name: str) -> None:
    ax = SOLID[name](view=(58, 142))
    assert (ax.elev, ax.azim) == (58, 142)
    assert (SOLID[name]().elev, SOLID[name]().azim) == (30, -60)


@pytest.mark.parametrize("name", ["contour", "landscape from above"])
def test_contours_have_no_view(name: str) -> None:
    with pytest.raises(ValueError, match="seen from above"):
        HIGH[name](view=(58, 142))


@pytest.mark.parametrize("wrong", [58, (58,), (1, 2, 3), "ab"])
def test_a_view_is_two_numbers(wrong: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="view"):
        plot_surface(bowl, SQUARE, view=wrong, resolution=3)


def test_limits_of_a_surface_cut_the_heights_and_the_path() -> None:
    path = descend(bowl, (-8, 7), 0.1, steps=20)
    ax = plot_surface(bowl, SQUARE, path=path, zlim=(8, 100), resolution=21)
    assert ax.get_zlim() == (8, 100)
    assert ax.get_xlim()[0] <= -10 and ax.get_ylim()[1] >= 10
    grid = np.linspace(-10, 10, 21)
    faces = cut_faces(grid, grid, 2 * grid[None, :] ** 2 + grid[:, None] ** 2, 8, 100)
    corners = np.array([corner for face in faces for corner in face])
    assert corners[:, 2].max() == 100
    assert corners[:, 2].min() == 8
    whole = corners[(corners[:, 2] > 8) & (corners[:, 2] < 100)]
    assert {tuple(corner) for corner in whole} == {
        (x, y, 2 * x**2 + y**2) for x in grid for y in grid
        if 8 < 2 * x**2 + y**2 < 100}
    edge = corners[corners[:, 2] == 100]
    assert len(edge) > 40  # no teeth: what is cut lies on the ellipse, and not on the grid
    assert 2 * edge[:, 0]**2 + edge[:, 1]**2 == pytest.approx(100, rel=0.006)
    z = ax.lines[0].get_data_3d()[2]
    inside = (path.values >= 8) & (path.values <= 100)
    assert 2 < inside.sum() < len(inside)
    assert (np.isfinite(z) == inside).all()


def test_faces_that_are_cut_have_as_many_corners_as_others() -> None:
    grid = np.linspace(-2.0, 2.0, 9)
    faces = cut_faces(grid, grid, 2 * grid[None, :] ** 2 + grid[:, None] ** 2, 1, 5)
    assert len(set(map(len, faces))) > 1
    even = with_equal_corners(faces)
    assert even.shape == (len(faces), max(map(len, faces)), 3)
    for corners, face in zip(even.tolist(), faces, strict=True):
        given = [tuple(corner) for corner in corners]
        assert given[:len(face)] == face
        assert set(given) == set(face)
    assert with_equal_corners([]).shape == (0, 0, 3)


def test_a_cut_surface_has_the_area_that_is_left() -> None:
    """The plane z = x over the unit square, between 0.25 and 0.6."""
    unit, plane = np.array([0.0, 1.0]), np.array([[0.0, 1.0], [0.0, 1.0]])
    (face,) = cut_faces(unit, unit, plane, 0.25, 0.6)
    assert sorted(np.round(face, 12).tolist()) == pytest.approx(np.array(
        [(0.25, 0.0, 0.25), (0.25, 1.0, 0.25), (0.6, 0.0, 0.6), (0.6, 1.0, 0.6)]))
    assert cut_faces(unit, unit, plane, 2.0, 3.0) == []
    assert cut_faces(unit, unit, plane, -1.0, 2.0) == [
        [(0.0, 0.0, 0.0), (1.0, 0.0, 1.0), (1.0, 1.0, 1.0), (0.0, 1.0, 0.0)]]
    assert cut_faces(unit, unit, np.array([[0.0, 1.0], [np.nan, 1.0]]), -1.0, 2.0) == []


def test_limits_of_contours_are_those_of_their_levels() -> None:
    ax = plot_surface(bowl, SQUARE, "contour", zlim=(5, 120), resolution=21)
    levels = ax.collections[0].levels
    assert (levels[0], levels[-1]) == (5, 120)


@pytest.mark.parametrize(("wrong", "words"), [((3, 1), "zlim"), ((1, 1), "low < high"),
                                              (5, "zlim"), ((-9, -1), "no height is between")])
@pytest.mark.parametrize("kind", ["surface", "contour"])
def test_limits_that_do_not_fit(wrong: Any, words: str, kind: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        plot_surface(bowl, SQUARE, kind, zlim=wrong, resolution=3)


# --- ticks ----------------------------------------------------------------------------------------


def ticks(axis: Any) -> list[str]:
    axis.axes.figure.canvas.draw()
    assert axis.get_offset_text().get_text() == ""
    low, high = sorted(axis.get_view_interval())
    shown = [*zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=False),
             *zip(axis.get_minorticklocs(), axis.get_minorticklabels(), strict=False)]
    return [label.get_text().replace("\u2212", "-") for place, label in shown
            if low <= place <= high and label.get_text()]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e5])
def test_ticks_are_plain_numbers(scale: float) -> None:
    ax = plot_function(lambda x: x * scale, 0.0, 4.0, [])
    texts = ticks(ax.yaxis)
    assert len(texts) >= 4
    for text in texts:
        assert "e" not in text
    assert max(map(float, texts)) == pytest.approx(2 * scale, rel=0.3)


def test_ticks_of_a_narrow_range_keep_their_digits() -> None:
    texts = ticks(plot_history([1.00001 + 1e-6 * k for k in range(10)]).yaxis)
    assert len(set(texts)) == len(texts) >= 4
    assert all(1.0 <= float(text) <= 1.0001 for text in texts)
    texts = ticks(plot_history([2e9 + k for k in range(10)]).yaxis)
    assert len(set(texts)) == len(texts) >= 4


def test_numbers_with_many_zeros_have_a_power_of_their_own() -> None:
    texts = ticks(plot_function(lambda x: x * 1e20, 0.0, 4.0, []).yaxis)
    assert "2e20" in texts
    assert "0" in texts
    texts = ticks(plot_history([1.75e7, 2e6]).yaxis)
    assert {"2e6", "1.2e7"} <= set(texts)
    assert all("e" in text for text in texts)


def test_ticks_of_a_logarithmic_axis() -> None:
    texts = ticks(plot_history([1e4, 10.0, 0.01], log=True).yaxis)
    assert {"0.01", "1", "100", "10000"} <= set(texts)
    narrow = ticks(plot_history([1.0, 4.0], log=True).yaxis)
    assert {"1", "2", "3"} <= set(narrow)


def test_a_tick_formatter_that_a_person_chose_is_kept() -> None:
    _, ax = plt.subplots()
    ax.xaxis.set_major_formatter("{x:.1f} s")
    assert "1.0 s" in ticks(plot_history([3.0, 2.0, 1.0], ax=ax).xaxis)


@pytest.mark.parametrize(("x", "text"), [
    (0.0, "0"), (12345.678, "12350"), (-0.00012, "-0.00012"), (1e-5, "1e-5"), (2.5e8, "2.5e8"),
    (-3e-300, "-3e-300"), (999999.0, "1000000"), (0.3, "0.3")])
def test_plain_numbers(x: float, text: str) -> None:
    assert plain(x) == text


# --- ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("f", "start", "rate"), [(parabola, 10, 1.5), (bowl, (-8, 7), 0.9)])
def test_the_end_of_a_path_that_diverged_is_a_red_cross(f: Any, start: Any, rate: float) -> None:
    path = descend(f, start, rate, steps=9999)
    assert path.reason == "diverged"
    ax = plot_descent(path, f)
    (end,) = [line for line in ax.lines if line.get_marker() == "X"]
    assert end.get_color() == palette.DIVERGED
    assert end.get_xdata()[0] == path.points[-1, 0]
    assert [text.get_text() for text in ax.get_legend().get_texts()][-1].startswith(
        "diverged after ")
    red, green, blue = matplotlib.colors.to_rgb(palette.DIVERGED)
    assert red > 0.7 > 0.1 > max(green, blue)


@pytest.mark.parametrize(("rate", "rises"), [(1.5, True), (1.001, True), (1.0, False),
                                             (0.999, False)])
def test_so_is_one_that_still_rises(rate: float, rises: bool) -> None:
    path = descend(parabola, 10, rate, steps=9)
    assert (path.reason, path.rises) == ("steps", rises)
    ax = plot_descent(path, parabola)
    assert ax.lines[-1].get_marker() == ("X" if rises else "*")
    assert ax.get_legend().get_texts()[-1].get_text().startswith(
        "diverges: (" if rises else "end (")


def test_a_walk_that_overshoots_once_and_comes_back_does_not_rise() -> None:
    path = descend(parabola, 10, lambda step: 1.5 * 0.8**step, steps=20)
    assert path.values[1] > path.values[0]
    assert not path.rises


def test_rounding_at_the_minimum_is_no_rise() -> None:
    path = descend(lambda x: (x - 0.1) ** 2 * 3.0 + 7.0, 0.1 + 1e-8, 0.3, steps=1)
    assert not path.rises
    assert not descend(parabola, 10, 1e-3, 0).rises


def test_the_end_of_any_other_path_is_a_star() -> None:
    for steps, reason in ((20, "steps"), (3, "steps")):
        path = descend(parabola, 10, 0.1, steps=steps)
        assert path.reason == reason
        ax = plot_descent(path, parabola)
        assert [line.get_marker() for line in ax.lines[-2:]] == ["s", "*"]
        assert not any(line.get_marker() == "X" for line in ax.lines)


def test_the_cross_is_laid_on_the_surface() -> None:
    path = descend(lambda w: Value(0.0) + w[0] ** 4 + w[1] ** 2, (2.0, 1.0), 0.3, steps=100)
    assert path.reason == "diverged"
    wide = float(np.abs(path.points).max()) * 1.1
    ax = plot_surface(lambda w: w[0] ** 4 + w[1] ** 2, ((-wide, wide), (-2, 2)), path=path,
                      resolution=5)
    assert [line.get_marker() for line in ax.lines].count("X") == 1


@pytest.mark.parametrize(("f", "expected"), [(lambda w: w**2, "loss(w)"),
                                             (parabola, "parabola(w)"),
                                             (jit(parabola), "parabola(w)"),
                                             (grad(parabola), "parabola'(w)"),
                                             (grad(grad(parabola)), "parabola''(w)"),
                                             (jit(grad(parabola)), "parabola'(w)")])
def test_legends_name_what_the_axes_do(f: Any, expected: str) -> None:
    ax = plot_function(f, 1.0, tangents=[2.0], labels=("w", "loss(w)"))
    curve, slope = [text.get_text() for text in ax.get_legend().get_texts()]
    assert curve == expected
    assert slope.endswith(" at w = 2")
    ax = plot_descent(descend(f, 4.0, 0.1, steps=2), f, labels=("w", "loss(w)"))
    assert ax.get_legend().get_texts()[0].get_text() == expected


def test_functions_without_a_name_are_f() -> None:
    for f, expected in ((lambda x: x**2, "f(x)"), (grad(lambda x: x**2), "f'(x)")):
        ax = plot_function(f, 1.0, tangents=[])
        assert ax.get_legend().get_texts()[0].get_text() == expected


def test_a_label_that_is_a_sentence_names_no_variable() -> None:
    ax = plot_function(parabola, 1.0, tangents=[2.0], labels=("the weight, in kg", "loss"))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "parabola(...)", "slope -2 at 2"]


@pytest.mark.parametrize("width", [300.0, 3e6, 0.3])
@pytest.mark.parametrize("around", [0.0, 4e4])
@pytest.mark.parametrize("inches", [3, 3.5, 5])
def test_ticks_of_an_x_axis_stand_apart(width: float, around: float, inches: float) -> None:
    ax = plot_function(parabola, around, width, [], plt.subplots(figsize=(inches, 3))[1])
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    boxes = [label.get_window_extent() for place, label in
             zip(ax.get_xticks(), ax.get_xticklabels(), strict=True) if low <= place <= high]
    assert len(boxes) >= 2
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_labels_of_surfaces_side_by_side_stay_in_their_axes(layout: Any) -> None:
    figure = plt.figure(figsize=(11, 4.6), layout=layout)
    for place in (1, 2):
        ax: Any = figure.add_subplot(1, 2, place, projection="3d")
        plot_surface(lambda w: 1000.0 * bowl(w), SQUARE, ax=ax, resolution=3,
                     path=descend(bowl, (-8, 7), 0.1, steps=2), labels=("weight", "bias", "cost"))
    figure.canvas.draw()
    for ax in figure.axes:
        legend = ax.get_legend().get_window_extent()
        for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
            label = axis.label.get_window_extent()
            assert label.y0 > legend.y1
            assert label.x1 < (figure.axes[1].bbox.x0 if ax is figure.axes[0] else figure.bbox.x1)


def test_a_zoom_of_ones_own_is_kept() -> None:
    ax: Any = plt.figure().add_subplot(projection="3d")
    ax.set_box_aspect((1, 2, 3), zoom=0.6)
    chosen = list(ax._box_aspect)
    plot_surface(bowl, SQUARE, ax=ax, resolution=3)
    assert list(ax._box_aspect) == chosen
