"""Pictures with matplotlib: what is drawn, where, and with which numbers."""

import builtins
import math
import types

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.quiver import Quiver

import autograd
import nn
from autograd import (
    Value,
    animate,
    descend,
    grad,
    plot_decision_boundary,
    plot_descent,
    plot_function,
    plot_history,
    plot_loss_landscape,
    plot_surface,
)
from autograd.plotting.loss_landscape import filter_normalized_direction, parameter_groups


@pytest.fixture(autouse=True)
def small_figures_closed_afterwards(monkeypatch):
    monkeypatch.setattr("autograd.plotting.functions.CONTOUR_SAMPLES", 25)
    monkeypatch.setitem(plt.rcParams, "figure.dpi", 50)
    yield
    plt.close("all")


def parabola(x):
    return x**2 - 6 * x + 5


def bowl(w):
    return 2 * w[0]**2 + w[1]**2


def rendered(ax):
    """Drawing must not fail, and must put colour on the canvas: empty axes are black and grey."""
    ax.figure.canvas.draw()
    pixels = np.asarray(ax.figure.canvas.buffer_rgba())[..., :3].astype(int)
    return bool((np.ptp(pixels, axis=-1) > 30).any())


def lines(ax, style):
    return [line for line in ax.lines if line.get_linestyle() == style]


def quiver_of(ax):
    (found,) = [artist for artist in ax.collections if isinstance(artist, Quiver)]
    return found


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


# --- functions and tangents -----------------------------------------------------------------------

def test_curve_runs_over_the_interval_and_follows_the_function():
    ax = plot_function(parabola, around=8, width=16, tangents=[])
    (curve,) = ax.lines
    x, y = curve.get_data()
    assert (x[0], x[-1]) == (0, 16) and len(x) > 100
    assert y == pytest.approx(parabola(x))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "f(x)")
    assert rendered(ax)


def test_tangents_have_the_slope_of_the_engine_and_touch_the_curve():
    ax = plot_function(parabola, around=8, width=16, tangents=[10, 8.6, 7.48])
    tangents = lines(ax, "--")
    assert len(tangents) == 3
    for line, place in zip(tangents, [10, 8.6, 7.48], strict=True):
        (x0, x1), (y0, y1) = line.get_data()
        assert (y1 - y0) / (x1 - x0) == pytest.approx(grad(parabola)(place), rel=1e-12)
        assert y0 + (place - x0) * (y1 - y0) / (x1 - x0) == pytest.approx(parabola(place))
        assert x0 < place < x1
    assert [text.get_text() for text in ax.texts] == ["(10, 45)", "(8.6, 27.36)", "(7.48, 16.07)"]
    assert "slope 14 at x = 10" in legend_texts(ax)


def test_tangent_stays_near_the_curve():
    ax = plot_function(lambda x: x**3, around=0, width=2, tangents=[1])
    low, high = ax.get_ylim()
    assert -1.5 < low < -1 and 1 < high < 1.5


def test_tangent_at_the_middle_by_default_and_level_at_a_minimum():
    (tangent,) = lines(plot_function(parabola, around=3), "--")
    assert set(tangent.get_ydata()) == {-4}


def test_no_label_lies_outside_the_axes():
    ax = plot_function(lambda x: np.sin(x) * x, tangents=[-4.9, -4, 0, 2.5, 4.9])
    ax.figure.canvas.draw()
    for text in ax.texts:
        box, frame = text.get_window_extent(), ax.get_window_extent()
        assert box.x0 >= frame.x0 and box.x1 <= frame.x1
        assert box.y0 >= frame.y0 and box.y1 <= frame.y1


def test_gap_where_the_function_is_not_defined():
    ax = plot_function(autograd.log, around=0.5, width=3)
    x, y = ax.lines[0].get_data()
    assert np.isnan(y[x <= 0]).all() and np.isfinite(y[x > 0]).all()
    assert rendered(ax)


@pytest.mark.parametrize("f", [np.log, lambda x: x.log(), lambda x: x**0.5, lambda x: 1 / x])
def test_gaps_for_numpy_methods_roots_and_poles(f):
    ax = plot_function(f, around=0, width=2, tangents=[0.5])
    assert np.isnan(ax.lines[0].get_ydata()).any() and rendered(ax)


def test_function_defined_nowhere_is_an_error():
    with pytest.raises(ValueError, match="log"):
        plot_function(autograd.log, around=-10, width=2, tangents=[])
    with pytest.raises(ValueError, match="log"):
        plot_function(autograd.log, around=0, width=3, tangents=[-1])
    with pytest.raises(ValueError, match="width"):
        plot_function(parabola, width=0)


# --- descents -------------------------------------------------------------------------------------

@pytest.mark.parametrize("rate, steps", [(0.1, 20), (0.01, 200), (0.8, 9), (1.5, 9)])
def test_descent_in_one_variable_has_an_arrow_for_each_step(rate, steps):
    path = descend(parabola, 10, rate, steps=steps)
    ax = plot_descent(path, parabola)
    arrow = quiver_of(ax)
    assert steps == arrow.N
    assert np.array(arrow.XY) == pytest.approx(np.c_[path.points[:-1, 0], path.values[:-1]])
    assert np.array(arrow.U) == pytest.approx(np.diff(path.points[:, 0]))
    assert np.array(arrow.V) == pytest.approx(np.diff(path.values))
    assert rendered(ax)


def test_descent_lies_inside_the_limits_and_names_its_ends():
    path = descend(parabola, 10, 0.8, steps=9)
    ax = plot_descent(path, parabola)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert left < path.points.min() and path.points.max() < right
    assert bottom < path.values.min() and path.values.max() < top
    assert legend_texts(ax)[1:] == ["start (10, 45)", "end (2.929, -3.995)"]


def test_descent_in_two_variables_lies_on_contours():
    path = descend(bowl, (-8, 7), 0.1, steps=20)
    ax = plot_descent(path, bowl)
    arrow = quiver_of(ax)
    assert np.array(arrow.XY) == pytest.approx(path.points[:-1])
    assert np.c_[arrow.U, arrow.V] == pytest.approx(np.diff(path.points, axis=0))
    assert len(ax.figure.axes) == 2  # the colour bar
    assert legend_texts(ax)[0] == "start f(-8, 7) = 177"
    assert rendered(ax)


def test_descent_without_a_function_draws_on_what_is_there():
    ax = plot_function(parabola, around=8, width=16, tangents=[])
    before = len(ax.lines)
    assert plot_descent(descend(parabola, 10, 0.1, steps=5), ax=ax) is ax
    assert quiver_of(ax).N == 5 and len(ax.lines) == before + 3


@pytest.mark.parametrize("f, start, rate", [
    (parabola, 10, 1.5), (bowl, (-8, 7), 0.9), (lambda x: autograd.exp(x * x), 1, 3),
    (lambda x: x**99, 1.5, 1.0), (lambda x: x * autograd.log(x), 1, 3),
    (lambda w: w[0]**2 * autograd.log(w[1]), (3.0, 0.5), 0.4),
])
def test_divergent_paths_are_drawable(f, start, rate):
    path = descend(f, start, rate, steps=1000)
    assert path.reason == "diverged"
    assert rendered(plot_descent(path, f)) and rendered(plot_descent(path))


def test_path_without_a_step_is_drawable():
    assert rendered(plot_descent(descend(parabola, 10, 0.1, steps=0), parabola))
    assert rendered(plot_descent(descend(bowl, [0, 0], 0.1, steps=0), bowl))


def test_path_over_three_variables_is_refused():
    path = descend(lambda w: w[0] + w[1] + w[2], [1, 2, 3], 0.1, steps=2)
    with pytest.raises(ValueError, match="3 variables"):
        plot_descent(path)


# --- surfaces -------------------------------------------------------------------------------------

def test_surface_has_three_dimensions_and_covers_the_ranges():
    ax = plot_surface(bowl, ((-10, 10), (-5, 5)), resolution=11)
    assert ax.name == "3d" and len(ax.collections) == 1
    assert ax.get_xlim()[0] <= -10 and ax.get_xlim()[1] >= 10
    assert ax.get_ylim()[0] <= -5 and ax.get_zlim()[1] >= 225
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_zlabel()) == ("x[0]", "x[1]", "f(x)")
    assert rendered(ax)


def test_path_is_laid_on_the_surface_at_its_values():
    path = descend(bowl, (-8, 7), 0.1, steps=20)
    ax = plot_surface(bowl, ((-10, 10), (-10, 10)), path=path, resolution=11)
    x, y, z = ax.lines[0].get_data_3d()
    assert np.c_[x, y] == pytest.approx(path.points) and z == pytest.approx(path.values)
    assert rendered(ax)


def test_path_outside_the_ranges_is_left_out():
    path = descend(bowl, (-8, 7), 0.9, steps=10)
    ax = plot_surface(bowl, ((-10, 10), (-10, 10)), path=path, resolution=11)
    x, _, z = ax.lines[0].get_data_3d()
    inside = (np.abs(path.points) <= 10).all(axis=1)
    assert not inside.all() and (np.isfinite(x) == inside).all() and np.nanmax(z) <= 300
    assert rendered(ax)


def test_contours_have_x_across_and_y_up():
    ax = plot_surface(lambda w: w[0] + 100 * w[1], ((0, 1), (2, 3)), "contour", resolution=5)
    levels = ax.collections[0]
    assert levels.get_array().max() > 290
    assert ax.get_xlim() == (0, 1) and ax.get_ylim() == (2, 3)
    assert rendered(ax)


def test_contours_with_a_path_keep_the_ranges():
    path = descend(bowl, (-8, 7), 0.9, steps=10)
    ax = plot_surface(bowl, ((-10, 10), (-9, 9)), "contour", path=path, resolution=11)
    assert ax.get_xlim() == (-10, 10) and ax.get_ylim() == (-9, 9)
    assert quiver_of(ax).N == 10 and rendered(ax)


@pytest.mark.parametrize("kind", ["surface", "contour"])
def test_surface_of_a_constant_and_one_with_gaps(kind):
    assert rendered(plot_surface(lambda w: 3.0, ((0, 1), (0, 1)), kind, resolution=5))
    assert rendered(plot_surface(lambda w: autograd.log(w[0] * w[1]), ((-1, 2), (-1, 2)), kind,
                                 resolution=12))


def test_surface_calls_the_function_with_the_structure_of_the_path():
    seen = []

    def f(w):
        seen.append(w)
        return w["a"]**2 + w["b"]**2

    path = descend(f, {"a": 1.0, "b": 2.0}, 0.1, steps=3)
    seen.clear()
    assert rendered(plot_surface(f, ((-3, 3), (-2, 2)), path=path, resolution=5))
    assert len(seen) == 25 and seen[:2] == [{"a": -3.0, "b": -2.0}, {"a": -1.5, "b": -2.0}]


def test_surface_arguments_that_do_not_fit():
    flat, solid = plt.subplots()[1], plt.figure().add_subplot(projection="3d")
    for words, call in [
        ("projection='3d'", lambda: plot_surface(bowl, ((0, 1), (0, 1)), ax=flat)),
        ("three dimensions", lambda: plot_surface(bowl, ((0, 1), (0, 1)), "contour", ax=solid)),
        ("three dimensions", lambda: plot_descent(descend(parabola, 1, 0.1), ax=solid)),
        ("kind", lambda: plot_surface(bowl, ((0, 1), (0, 1)), "heat")),
        ("ranges", lambda: plot_surface(bowl, (0, 1))),
        ("ranges", lambda: plot_surface(bowl, ((0, 1), (1, 1)))),
        ("resolution", lambda: plot_surface(bowl, ((0, 1), (0, 1)), resolution=1)),
        ("path", lambda: plot_surface(bowl, ((0, 1), (0, 1)),
                                      path=descend(parabola, 1, 0.1))),
    ]:
        with pytest.raises(ValueError, match=words):
            call()


# --- decision boundaries --------------------------------------------------------------------------

POINTS = np.array([[0.0, 0.0], [0.0, 2.0], [4.0, 0.0], [4.0, 2.0]])


def boundary_line(ax):
    """The vertices of the black line between two classes."""
    (line,) = [c for c in ax.collections if hasattr(c, "levels") and list(c.levels) == [0.0]]
    return np.concatenate([path.vertices for path in line.get_paths()])


@pytest.mark.parametrize("model, classes", [
    (lambda x: x[0] - 1.3, [-1, -1, 1, 1]),
    (lambda x: Value(2.0) * (x[0] - 1.3), [-1, -1, 1, 1]),
    (lambda x: [x[0] - 1.3], [0, 0, 1, 1]),
    (lambda x: autograd.sigmoid(x[0] - 1.3), [0, 0, 1, 1]),
    (lambda x: autograd.sigmoid(x[0] - 1.3) * 2 - 1, [-1, -1, 1, 1]),
])
def test_boundary_lies_where_the_model_changes_its_mind(model, classes):
    ax = plot_decision_boundary(model, POINTS, classes, resolution=41)
    assert boundary_line(ax)[:, 0] == pytest.approx(1.3, abs=0.02)
    assert legend_texts(ax) == [f"class {name}" for name in sorted(set(classes))]
    assert rendered(ax)


def test_boundary_at_a_threshold_of_ones_own():
    ax = plot_decision_boundary(lambda x: x[0], POINTS, [0, 0, 1, 1], threshold=3.0, resolution=21)
    assert boundary_line(ax)[:, 0] == pytest.approx(3.0, abs=1e-9)


def test_points_are_drawn_by_class_inside_the_limits():
    ax = plot_decision_boundary(lambda x: x[0] - 1.3, POINTS, [-1, 1, -1, 1], resolution=11)
    drawn = [c for c in ax.collections if c.get_label().startswith("class")]
    assert [c.get_offsets().tolist() for c in drawn] == [[[0, 0], [4, 0]], [[0, 2], [4, 2]]]
    assert len({tuple(c.get_facecolor()[0]) for c in drawn}) == 2
    assert len({c.get_paths()[0].vertices.shape for c in drawn}) == 2  # markers differ, too
    assert ax.get_xlim()[0] < 0 < 4 < ax.get_xlim()[1]
    assert ax.get_ylim()[0] < 0 < 2 < ax.get_ylim()[1]


def test_predict_is_called_once_with_all_points():
    calls = []

    class Model:
        def predict(self, X):
            calls.append(X.shape)
            return X[:, :1] - 1.3

    ax = plot_decision_boundary(Model(), POINTS, [0, 0, 1, 1], resolution=21)
    assert calls == [(441, 2)]
    assert boundary_line(ax)[:, 0] == pytest.approx(1.3, abs=1e-9)


@pytest.mark.parametrize("model", [
    lambda x: [1.0, x[0], x[1] - 0.5],
    lambda x: [Value(1.0), Value(x[0]), Value(x[1] - 0.5)],
    types.SimpleNamespace(predict=lambda X: np.argmax(
        np.c_[np.ones(len(X)), X[:, 0], X[:, 1] - 0.5], axis=1)),
])
def test_many_classes_by_logits_or_by_predicted_class(model):
    ax = plot_decision_boundary(model, POINTS, [0, 2, 1, 1], resolution=21)
    regions = [c for c in ax.collections if hasattr(c, "levels") and c.filled]
    assert len(regions) == 3
    assert legend_texts(ax) == ["class 0", "class 1", "class 2"]
    assert rendered(ax)


def test_nothing_is_recorded_while_the_boundary_is_drawn():
    weight, kept = Value(1.0), []

    def model(x):
        kept.append(weight * x[0])
        return kept[-1]

    plot_decision_boundary(model, POINTS, [-1, -1, 1, 1], resolution=5)
    assert kept and all(node.parents == () for node in kept)


@pytest.mark.parametrize("X, y, model, words", [
    (np.zeros((3, 3)), [0, 1, 1], lambda x: x[0], "shape"),
    (POINTS, [0, 1], lambda x: x[0], "one class"),
    (POINTS, [0, 1, 0.5, 1], lambda x: x[0], "integers"),
    (POINTS, [0, 1, 2, 1], lambda x: x[0], "logit"),
    (POINTS * math.nan, [0, 1, 1, 1], lambda x: x[0], "finite"),
    (POINTS, [0, 1, 0, 1], lambda x: [[x, x]], "shape"),
])
def test_boundary_arguments_that_do_not_fit(X, y, model, words):
    with pytest.raises(ValueError, match=words):
        plot_decision_boundary(model, X, y, resolution=5)
    with pytest.raises(ValueError, match="resolution must be at least 2"):
        plot_decision_boundary(model, X, y, resolution=1)


# --- histories ------------------------------------------------------------------------------------

def test_plain_numbers_are_counted_from_zero():
    ax = plot_history([3.0, 2.0, 1.5])
    assert ax.lines[0].get_xdata().tolist() == [0, 1, 2]
    assert ax.lines[0].get_ydata().tolist() == [3, 2, 1.5]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "loss")
    assert rendered(ax)


def test_history_object_with_validation_and_accuracy():
    history = types.SimpleNamespace(loss=[3.0, 2.0], validation_loss=[4.0, 3.5],
                                    accuracy=[0.5, 0.75])
    ax = plot_history(history, log=True)
    (right,) = [other for other in ax.figure.axes if other is not ax]
    assert [line.get_ydata().tolist() for line in ax.lines] == [[3, 2], [4, 3.5]]
    assert ax.lines[0].get_xdata().tolist() == [1, 2]
    assert right.lines[0].get_ydata().tolist() == [0.5, 0.75]
    assert ax.get_yscale() == "log" and right.get_ylabel() == "accuracy"
    assert legend_texts(right) == ["loss", "validation loss", "accuracy"]
    assert ax.get_xlabel() == "epoch" and rendered(ax)


def test_history_without_extras_has_one_line_and_takes_axes():
    figure, ax = plt.subplots()
    assert plot_history(types.SimpleNamespace(loss=[1.0], accuracy=None), ax=ax) is ax
    assert len(ax.lines) == 1 and figure.axes == [ax] and rendered(ax)


def test_labels_that_a_person_gave_are_kept():
    _, ax = plt.subplots()
    ax.set_xlabel("iteration")
    assert plot_history([1.0, 0.5], ax=ax).get_xlabel() == "iteration"


def test_empty_history_is_refused():
    with pytest.raises(ValueError, match="empty"):
        plot_history([])


# --- the moving fit -------------------------------------------------------------------------------

X = np.array([0.0, 1.0, 2.0])
Y = np.array([1.0, 3.0, 5.0])


def fit_of_a_line(steps=30):
    rows = list(zip(X.tolist(), Y.tolist(), strict=True))
    return descend(lambda b: sum((y - b[0] - b[1] * x)**2 for x, y in rows), (0, 0), 0.1, steps)


def test_moving_line_has_intercept_and_slope_of_each_step(tmp_path):
    path = fit_of_a_line(4)
    _, ax = plt.subplots(figsize=(2, 2))
    seen = []
    moving = animate(path, X=X, y=Y, ax=ax)
    show = moving._func

    def watched(step):
        result = show(step)
        (data, line) = ax.lines
        assert data.get_ydata().tolist() == Y.tolist()
        (x0, x1), (y0, y1) = line.get_data()
        slope = (y1 - y0) / (x1 - x0)
        seen.append((step, y0 - slope * x0, slope, ax.get_xlim()))
        return result

    moving._func = watched
    moving.save(tmp_path / "fit.gif", writer="pillow")
    assert [step for step, *_ in seen] == [0, 1, 2, 3, 4]
    assert np.array([row[1:3] for row in seen]) == pytest.approx(path.points)
    assert len({row[3] for row in seen}) == 1  # the frame stands still
    from PIL import Image

    with Image.open(tmp_path / "fit.gif") as gif:
        assert gif.n_frames == 5


def test_animation_of_ones_own_frames_gets_axes_point_and_step():
    seen = []

    def draw_frame(ax, point, step):
        seen.append((point, step))
        ax.plot([0, point])

    path = descend(parabola, 10, 0.1, steps=3)
    html = animate(path, draw_frame, frames=[0, 3]).to_jshtml()
    assert html.count("data:image/png;base64") == 2
    assert (10.0, 0) in seen and (path.end, 3) in seen and {step for _, step in seen} == {0, 3}


def test_long_paths_are_thinned_from_first_to_last():
    moving = animate(fit_of_a_line(1000), X=X, y=Y)
    frames = list(moving.new_frame_seq())
    assert len(frames) == 60 and frames[0] == 0 and frames[-1] == 1000
    assert (np.diff(frames) > 0).all()
    moving._draw_was_started = True  # matplotlib warns of animations that nobody looked at


def test_animation_arguments_that_do_not_fit():
    path = fit_of_a_line(3)
    for error, words, arguments, keywords in [
        (TypeError, "either", (path,), {}),
        (TypeError, "either", (path, lambda *_: None), {"X": X, "y": Y}),
        (TypeError, "either", (path,), {"X": X}),
        (ValueError, "same number", (path,), {"X": X, "y": Y[:2]}),
        (ValueError, "frames", (path,), {"X": X, "y": Y, "frames": [4]}),
        (ValueError, "frames", (path,), {"X": X, "y": Y, "frames": []}),
        (ValueError, "intercept", (descend(parabola, 1, 0.1),), {"X": X, "y": Y}),
    ]:
        with pytest.raises(error, match=words):
            animate(*arguments, **keywords)


# --- loss landscapes ------------------------------------------------------------------------------

class Neuron:
    def __init__(self, weights, bias):
        self.w, self.b = [Value(w) for w in weights], Value(bias)

    def __call__(self, x):
        return autograd.tanh(sum((w * xi for w, xi in zip(self.w, x, strict=True)), self.b))

    def parameters(self):
        return [*self.w, self.b]


class Network:
    def __init__(self):
        self.layers = [[Neuron([3.0, 4.0], 0.5), Neuron([0.1, -0.2], -2.0)],
                       [Neuron([1.0, -1.0], 0.0)]]

    def __call__(self, x):
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x[0]

    def parameters(self):
        return [p for layer in self.layers for neuron in layer for p in neuron.parameters()]


def network_loss(model):
    return (model([0.3, 0.7]) - 1)**2


def test_groups_are_the_weights_and_the_bias_of_each_neuron():
    model = Network()
    groups = parameter_groups(model)
    assert sorted([p.data for p in group] for group in groups) == [
        [-2.0], [0.0], [0.1, -0.2], [0.5], [1.0, -1.0], [3.0, 4.0]]
    assert {p for group in groups for p in group} == set(model.parameters())


def test_groups_of_a_matrix_are_its_rows_and_shared_parameters_count_once():
    shared = Value(1.0)
    model = types.SimpleNamespace(
        matrix=autograd.values([[1.0, 2.0], [3.0, 4.0]]), first=shared, again=shared, size=3)
    model.parameters = lambda: [*model.matrix.flat, shared]
    assert [[p.data for p in group] for group in parameter_groups(model)] in (
        [[1.0, 2.0], [3.0, 4.0], [1.0]], [[1.0], [1.0, 2.0], [3.0, 4.0]])


def test_parameters_found_nowhere_are_one_group():
    hidden = [Value(1.0), Value(2.0)]
    model = types.SimpleNamespace(parameters=lambda: hidden)
    assert parameter_groups(model) == [hidden]
    with pytest.raises(ValueError, match="no parameters"):
        parameter_groups(types.SimpleNamespace(parameters=lambda: []))


def test_direction_has_the_norm_of_each_neurons_own_weights():
    groups = parameter_groups(Network())
    direction = filter_normalized_direction(groups, np.random.default_rng(3))
    start = 0
    for group in groups:
        part = direction[start:start + len(group)]
        own = math.sqrt(sum(p.data**2 for p in group))
        assert np.linalg.norm(part) == pytest.approx(own, rel=1e-12)
        assert len(group) == 1 or not np.allclose(np.abs(part), [abs(p.data) for p in group])
        start += len(group)
    assert start == len(direction) == 9


@pytest.mark.parametrize("kind", ["contour", "surface"])
def test_landscape_marks_the_model_with_its_loss_in_the_middle(kind):
    model = Network()
    ax = plot_loss_landscape(model, network_loss, kind=kind, resolution=5)
    mark = ax.lines[-1]
    here = mark.get_data_3d() if kind == "surface" else mark.get_data()
    assert [coordinate[0] for coordinate in here[:2]] == [0, 0]
    if kind == "surface":
        assert here[2][0] == pytest.approx(network_loss(model).data, rel=1e-15)
    assert legend_texts(ax) == [f"the model, loss {network_loss(model).data:.4g}"]
    assert rendered(ax)


def test_landscape_evaluates_at_the_parameters_plus_the_directions():
    model, seen = Network(), []

    def loss(model):
        seen.append([p.data for group in groups for p in group])
        return network_loss(model)

    groups = parameter_groups(model)
    centre = np.array([p.data for group in groups for p in group])
    rng = np.random.default_rng(7)
    first, second = (filter_normalized_direction(groups, rng) for _ in range(2))
    plot_loss_landscape(model, loss, span=0.5, resolution=3, seed=7)
    expected = [centre + a * first + b * second for b in (-0.5, 0, 0.5) for a in (-0.5, 0, 0.5)]
    assert np.array(seen[:9]) == pytest.approx(np.array(expected))


def test_landscape_leaves_the_parameters_as_they_were():
    model = Network()
    before = [p.data for p in model.parameters()]
    earlier = network_loss(model)
    plot_loss_landscape(model, network_loss, resolution=3)
    assert [p.data for p in model.parameters()] == before
    earlier.backward()  # would be refused if the parameters counted as edited
    assert any(p.grad != 0 for p in model.parameters())


@pytest.mark.parametrize("error", [RuntimeError, AttributeError, KeyboardInterrupt])
def test_landscape_restores_the_parameters_after_an_error(error):
    model, calls = Network(), []
    before = [p.data for p in model.parameters()]

    def loss(model):
        calls.append([p.data for p in model.parameters()])
        if len(calls) == 4:
            raise error
        return network_loss(model)

    with pytest.raises(error):
        plot_loss_landscape(model, loss, resolution=5)
    assert calls[-1] != before == [p.data for p in model.parameters()]


def test_landscape_depends_on_the_seed_alone():
    def picture(seed):
        ax = plot_loss_landscape(Network(), network_loss, resolution=5, seed=seed)
        ax.figure.canvas.draw()
        return np.asarray(ax.figure.canvas.buffer_rgba()).tobytes()

    assert picture(1) == picture(1) != picture(2)


# --- manners --------------------------------------------------------------------------------------

def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    original = builtins.__import__

    def refuse(name, *arguments, **keywords):
        if name.partition(".")[0] == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return original(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", refuse)
    path = fit_of_a_line(2)
    for call in (lambda: plot_function(parabola), lambda: plot_descent(path),
                 lambda: plot_surface(bowl, ((0, 1), (0, 1)), resolution=2),
                 lambda: plot_decision_boundary(lambda x: x[0], POINTS, [0, 1, 0, 1],
                                                resolution=2),
                 lambda: plot_history([1.0]), lambda: animate(path, X=X, y=Y)):
        with pytest.raises(ImportError, match=r'pip install "chainrule\[plot\]"'):
            call()


def test_no_window_is_shown_and_no_setting_changed(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("show was called"))
    before = dict(plt.rcParams)
    plot_function(parabola)
    plot_descent(descend(bowl, [1, 2], 0.1, steps=3), bowl)
    plot_surface(bowl, ((0, 1), (0, 1)), resolution=3)
    plot_history([2.0, 1.0], log=True)
    assert dict(plt.rcParams) == before


def test_each_picture_draws_on_the_axes_given():
    axes = plt.subplots(2, 3)[1]
    solid = plt.figure().add_subplot(projection="3d")
    path = descend(bowl, [1, 2], 0.1, steps=3)
    assert plot_function(parabola, ax=axes[0, 0]) is axes[0, 0]
    assert plot_descent(path, bowl, ax=axes[0, 1]) is axes[0, 1]
    assert plot_surface(bowl, ((0, 1), (0, 1)), "contour", ax=axes[0, 2],
                        resolution=3) is axes[0, 2]
    assert plot_surface(bowl, ((0, 1), (0, 1)), ax=solid, resolution=3) is solid
    assert plot_decision_boundary(lambda x: x[0] - 1, POINTS, [0, 1, 0, 1], ax=axes[1, 0],
                                  resolution=5) is axes[1, 0]
    assert plot_loss_landscape(Network(), network_loss, ax=axes[1, 1],
                               resolution=3) is axes[1, 1]
    assert len(plt.get_fignums()) == 2


# --- networks of nn -------------------------------------------------------------------------------

def test_network_of_nn_is_grouped_by_neuron_and_drawn():
    model = nn.MLP(2, [3, 1], activation="tanh", seed=1)
    groups = {frozenset(group) for group in parameter_groups(model)}
    neurons = [neuron for layer in model.layers for neuron in layer.neurons]
    assert groups == {frozenset(neuron.w) for neuron in neurons} | {
        frozenset([neuron.b]) for neuron in neurons}

    before = model.state_dict()
    ax = plot_loss_landscape(model, network_loss, resolution=3)
    assert model.state_dict() == before and rendered(ax)


def test_boundary_of_a_network_of_nn():
    model = nn.MLP(2, [1], seed=1)
    model.load_state_dict({"layers.0.neurons.0.w": [1.0, 0.0], "layers.0.neurons.0.b": -1.3})
    ax = plot_decision_boundary(model, POINTS, [-1, -1, 1, 1], resolution=21)
    assert boundary_line(ax)[:, 0] == pytest.approx(1.3, abs=1e-9)
