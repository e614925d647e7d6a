"""The page in which a network trains, in headless Chromium, beside what fit computes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd import sigmoid

from ..browser import Browser, Tab
from ..own_primitives import declared

XOR = nn.datasets.xor()
MOONS = nn.datasets.moons(20)
CURVE = (np.linspace(-2.0, 2.0, 9)[:, None], np.sin(np.linspace(-2.0, 2.0, 9)))
_GENERATOR = np.random.default_rng(0)
CLASSES = (_GENERATOR.normal(size=(12, 2)), np.arange(12) % 3)
PAIRS = (_GENERATOR.normal(size=(10, 3)), _GENERATOR.normal(size=(10, 2)))
LOGITS = "binary_cross_entropy_with_logits"

TRAININGS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "xor": (lambda: nn.MLP(2, [4, 1], "tanh", seed=1), XOR,
            {"loss": LOGITS, "optimizer": "adam", "learning_rate": 0.1}),
    "moons": (lambda: nn.MLP(2, [6, 5, 1], "relu", seed=2), MOONS,
              {"loss": "hinge", "learning_rate": 0.2, "l2": 1e-3}),
    "a curve": (lambda: nn.MLP(1, [5, 1], "softplus", seed=3), CURVE,
                {"optimizer": "rmsprop", "learning_rate": 0.02}),
    "classes": (lambda: nn.MLP(2, [4, 3], "sigmoid", seed=4), CLASSES,
                {"loss": "cross_entropy", "optimizer": "adamw", "learning_rate": 0.1}),
    "classes of one input": (lambda: nn.MLP(1, [4, 3], "tanh", seed=4), (
        CURVE[0], np.repeat([0, 1, 2], 3)), {"loss": "cross_entropy", "learning_rate": 0.1}),
    "several outputs": (lambda: nn.MLP(3, [4, 2], "tanh", seed=5), PAIRS,
                        {"optimizer": "adagrad", "learning_rate": 0.1}),
    "probabilities": (lambda: nn.Neuron(2, "sigmoid"), XOR, {"loss": "binary_cross_entropy"}),
    "a layer": (lambda: nn.Layer(3, 2, "linear"), PAIRS, {"learning_rate": 0.05}),
    "momentum": (lambda: nn.MLP(2, [3, 1], "tanh", seed=6), XOR,
                 {"loss": "mean_squared_error", "optimizer": lambda parameters: nn.SGD(
                     parameters, 0.1, momentum=0.8, weight_decay=0.01)})}


def options_for(model: nn.Module, options: dict[str, Any]) -> dict[str, Any]:
    optimizer = options.get("optimizer", "sgd")
    return {**options, "optimizer": optimizer(model.parameters()) if callable(optimizer)
            else optimizer}


def page_of(name: str, **more: Any) -> Any:
    make, (X, y), options = TRAININGS[name]
    model = make()
    return nn.live(model, X, y, **{**options_for(model, options), **more})


@pytest.fixture
def tab(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Tab]:
    """The page of xor, or of the training that the test is parametrized with."""
    found = browser.open(page_of(getattr(request, "param", "xor")).html)
    yield found
    assert found.errors == []
    found.close()


def numbers_of(model: nn.Module) -> list[float]:
    return [p.data for p in model.parameters()]


def losses_of(tab: Tab) -> list[float]:
    losses: list[float] = tab.evaluate("state.losses")
    return losses


def same(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-13)


# --- the numbers ----------------------------------------------------------------------------------

@pytest.mark.parametrize("name", TRAININGS)
def test_the_page_trains_as_fit_does(name: str, browser: Browser) -> None:
    make, (X, y), options = TRAININGS[name]
    model = make()
    start = numbers_of(model)
    page = nn.live(model, X, y, **options_for(model, options))
    assert numbers_of(model) == start
    tab = browser.open(page.html)
    assert tab.evaluate("Array.from(state.numbers)") == start
    assert tab.evaluate("train(40)")
    history = nn.fit(model, X, y, epochs=40, progress=False, **options_for(model, options))
    assert history.loss[-1] < history.loss[0]
    same(losses_of(tab), history.loss)
    same(tab.evaluate("Array.from(state.numbers)"), numbers_of(model))
    same(tab.evaluate("state.answers.map(a => Array.from(a))"),
         np.reshape(model.predict(X), (len(X), -1)))
    if history.accuracy:
        tab.evaluate("draw()")
        after = nn.fit(model, X, y, epochs=1, progress=False, **options_for(model, options))
        assert float(tab.attribute("#status", "data-accuracy") or "") == after.accuracy[0]
    assert tab.errors == []
    tab.close()


@pytest.mark.parametrize("seed", [0, 1, 7, 2 ** 32 - 1])
def test_begun_again_with_a_seed_it_has_the_weights_of_that_seed(tab: Tab, seed: int) -> None:
    tab.set("#seed", seed)
    assert tab.evaluate("Array.from(state.numbers)") == numbers_of(
        nn.MLP(2, [4, 1], "tanh", seed=seed))
    tab.set("#seed", "")
    assert tab.evaluate("Array.from(state.numbers)") == numbers_of(TRAININGS["xor"][0]())


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "linear"])
def test_another_activation_trains_as_that_network_does(tab: Tab, activation: str) -> None:
    choices = tab.attributes("#activation option", "value")
    names = tab.evaluate("data.choices")
    assert names == ["tanh", "relu", "sigmoid", "linear"]
    tab.set("#seed", 3)
    tab.set("#activation", choices[names.index(activation)])
    tab.evaluate("train(20)")
    model = nn.MLP(2, [4, 1], activation, seed=3)
    history = nn.fit(model, *XOR, epochs=20, progress=False, **TRAININGS["xor"][2])
    same(losses_of(tab), history.loss)
    assert f", {activation}" in str(tab.attribute("[data-label=h_0]", "aria-label"))
    assert ", linear" in str(tab.attribute("[data-label=y_0]", "aria-label"))


def test_the_slider_is_the_learning_rate_from_there_on(tab: Tab) -> None:
    tab.evaluate("train(5)")
    tab.set("input[type=number][data-label='learning rate']", 0.02)
    tab.evaluate("train(5)")
    model = TRAININGS["xor"][0]()
    optimizer = nn.Adam(model.parameters(), lambda step: 0.1 if step < 5 else 0.02)
    history = nn.fit(model, *XOR, loss=LOGITS, optimizer=optimizer, epochs=10, progress=False)
    same(losses_of(tab), history.loss)


def test_an_activation_of_ones_own_trains_too(browser: Browser) -> None:
    with declared("swish", lambda x: x * sigmoid(x),
                  lambda x, y: sigmoid(x) * (1.0 + x - y)):
        model = nn.MLP(2, [4, 1], "swish", seed=1)
        page = nn.live(model, *XOR, activations=["swish", "tanh"])
        history = nn.fit(model, *XOR, epochs=10, progress=False)
    tab = browser.open(page.html)
    assert tab.evaluate("data.choices") == ["swish", "tanh"]
    tab.evaluate("train(10)")
    same(losses_of(tab), history.loss)


def test_a_training_that_diverges_stops_and_says_so(browser: Browser) -> None:
    model = nn.MLP(1, [1], seed=1)
    page = nn.live(model, [[100.0], [200.0]], [1.0, 2.0], learning_rate=1.0)
    tab = browser.open(page.html)
    tab.set("#speed", "100")
    tab.click("#play")
    tab.wait("!playing")
    assert "smaller learning rate" in tab.text("#trouble")
    assert tab.text("#play") == "Play"
    numbers = tab.evaluate("Array.from(state.numbers)")
    history = nn.fit(model, [[100.0], [200.0]], [1.0, 2.0], learning_rate=1.0, progress=False)
    assert "diverged" in history.stopped
    assert len(history) == tab.evaluate("state.steps")
    same(numbers, numbers_of(model))
    tab.click("#reset")
    assert (tab.text("#trouble"), tab.text("#count")) == ("", "step 0")
    assert tab.errors == []


# --- the hand -------------------------------------------------------------------------------------

def test_buttons_play_pause_step_and_begin_again(tab: Tab) -> None:
    first = tab.attribute("#status", "data-loss")
    make, data, options = TRAININGS["xor"]
    history = nn.fit(make(), *data, epochs=1, progress=False, **options)
    same(float(str(first)), history.loss[0])
    tab.click("#step")
    assert (tab.attribute("#status", "data-step"), tab.text("#count")) == ("1", "step 1")
    tab.set("#speed", "25")
    tab.focus("#step")
    tab.press("Enter")
    assert tab.attribute("#status", "data-step") == "26"
    tab.click("#play")
    assert (tab.text("#play"), tab.attribute("#play", "aria-pressed")) == ("Pause", "true")
    tab.wait("state.steps > 100")
    tab.click("#play")
    steps = tab.evaluate("state.steps")
    assert (tab.text("#play"), steps % 25) == ("Play", 1)
    assert tab.evaluate("new Promise(done => setTimeout(() => done(state.steps), 100))") == steps
    assert float(str(tab.attribute("#status", "data-loss"))) < float(str(first))
    tab.click("#reset")
    assert tab.attribute("#status", "data-step") == "0"
    assert tab.attribute("#status", "data-loss") == first


def test_a_seed_that_is_none_changes_nothing_and_says_so(tab: Tab) -> None:
    tab.evaluate("train(3)")
    for wrong in ("-1", "1.5", "4294967296"):
        tab.set("#seed", wrong)
        assert tab.evaluate("state.steps") == 3
        assert "whole number" in tab.text("#trouble")
        assert tab.attribute("#seed", "aria-invalid") == "true"


@pytest.mark.parametrize("tab", ["xor", "a curve", "several outputs"], indirect=True)
def test_a_neuron_is_chosen_by_pointer_and_keys_and_shows_what_it_computes(tab: Tab) -> None:
    assert tab.attribute("[data-label=h_0]", "aria-pressed") == "true"
    tab.click("[data-label=h_2]")
    assert tab.text("#neuron-title") == "What neuron h_2 computes"
    tab.focus("[data-label=h_2]")
    tab.press("ArrowUp")
    assert tab.evaluate("document.activeElement.dataset.label") == "h_1"
    tab.press("ArrowRight", "ArrowRight")
    assert tab.evaluate("document.activeElement.dataset.label").startswith("y_")
    assert tab.attributes("[aria-pressed=true]", "data-label") == [
        tab.evaluate("document.activeElement.dataset.label")]
    tab.press("ArrowLeft")
    assert tab.text("#neuron-title").startswith("What neuron h_")


def test_fingers_do_what_a_pointer_does_also_in_a_notebooks_frame(browser: Browser) -> None:
    tab = browser.open(f"<!DOCTYPE html><body>{page_of('xor')._repr_html_()}", touch=True)
    inside = "document.querySelector('iframe').contentDocument"
    tab.wait(f"{inside}.querySelector('[data-label=h_3]') !== null")
    alone = browser.open(page_of("xor").html, width=390, touch=True)
    alone.tap("[data-label=h_3]")
    assert alone.text("#neuron-title") == "What neuron h_3 computes"
    alone.tap("#step")
    assert alone.text("#count") == "step 1"
    tab.evaluate(f"{inside}.querySelector('#step').click()")
    assert tab.evaluate(f"{inside}.querySelector('#count').textContent") == "step 1"
    assert tab.errors == alone.errors == []


def test_what_a_neuron_computes_is_what_it_computes(tab: Tab) -> None:
    model = TRAININGS["xor"][0]()
    points = [[0.3, -0.7], [1.0, 2.0], [-5.0, 0.0]]
    found = tab.evaluate(
        f"(() => {{ const found = []; atPoints({json.dumps(points)}, "
        "o => found.push(Array.from(o))); return found; })()")
    hidden = [[neuron(point).data for neuron in model.layers[0].neurons] for point in points]
    same(found, [[*h, model(point).data] for h, point in zip(hidden, points, strict=True)])
    w, b = model.layers[0].neurons[0].w, model.layers[0].neurons[0].b
    shown = tab.text("#formula").replace(" − ", " + -").replace("−", "-")
    assert shown == f"h_0 = tanh({w[0].data:.4f}·x_0 + {w[1].data:.4f}·x_1 + {b.data:.4f})"


def test_weights_are_width_and_colour(tab: Tab) -> None:
    weights = [float(str(w)) for w in tab.attributes("#network line", "data-weight")]
    model = TRAININGS["xor"][0]()
    assert weights == [w.data for layer in model.layers for neuron in layer.neurons
                       for w in neuron.w]
    widths = [float(str(w)) for w in tab.attributes("#network line", "stroke-width")]
    order = np.argsort(np.abs(weights))
    assert np.all(np.diff(np.array(widths)[order]) >= 0.0) and widths[order[0]] < widths[order[-1]]
    signs = {(w > 0.0, ink) for w, ink in zip(weights, tab.attributes(
        "#network line", "stroke"), strict=True)}
    assert len(signs) == 2
    assert tab.attribute("#network line", "data-label") == "x_0 to h_0"


# --- how it looks ---------------------------------------------------------------------------------

INKS = """(id => {
    const context = $(id).getContext("2d"), {width, height} = $(id), found = new Set();
    const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
    return new Set(pixels).size; })"""


@pytest.mark.parametrize("name", TRAININGS)
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_too_small_too_wide_or_empty(name: str, width: int, browser: Browser) -> None:
    tab = browser.open(page_of(name).html, width=width, dark=width == 360)
    tab.evaluate("train(5); draw()")
    assert tab.smallest_text() >= 12.0
    assert tab.overflow() == 0
    for canvas in ("answers", "neuron", "curve"):
        assert tab.evaluate(f"{INKS}('{canvas}')") > 10, canvas  # a plot, with letters
        assert len(str(tab.attribute(f"#{canvas}", "aria-label"))) > 20
    assert tab.errors == []
    tab.close()


def test_each_neurons_disc_shows_what_it_computes_over_the_plane(tab: Tab) -> None:
    assert tab.evaluate(f"{INKS}('discs')") > 100
    for width in (1280, 380):  # the canvas lies behind the drawing, pixel by pixel
        tab.resize(width, 700)
        tab.wait("Number($('network').getAttribute('width')) === $('discs').clientWidth")
        tab.evaluate("draw()")
        assert tab.evaluate("['width', 'height', 'left', 'top'].every(k => Math.abs("
                            "$('network').getBoundingClientRect()[k] - "
                            "$('discs').getBoundingClientRect()[k]) < 1)")


def test_the_colours_follow_the_readers_wish(tab: Tab) -> None:
    light = tab.attributes("#network line", "stroke")
    tab.prefer(dark=True)
    tab.wait(f"document.querySelector('#network line').getAttribute('stroke') !== '{light[0]}'")


def test_it_fits_a_window_that_is_made_smaller(tab: Tab) -> None:
    tab.resize(380, 700)
    tab.wait("Number($('network').getAttribute('width')) < 380")
    assert tab.overflow() == 0


def test_wide_layers_show_their_first_and_last_neurons(browser: Browser) -> None:
    tab = browser.open(nn.live(nn.MLP(2, [30, 1], seed=1), *XOR, activations=[]).html)
    labels = tab.attributes("#network .unit", "data-label")
    assert labels == [*(f"h_{i}" for i in (*range(7), *range(24, 30))), "y_0"]
    assert "⋮" in tab.text("#network")


def test_where_nothing_shall_move_it_trains_all_the_same(browser: Browser) -> None:
    tab = browser.open(page_of("xor").html, reduced_motion=True)
    tab.click("#play")
    tab.wait("state.steps > 5")
    tab.click("#play")
    assert tab.errors == []


def test_the_page_is_written_and_shown(tmp_path: Path) -> None:
    page = page_of("xor")
    assert Path(page.save(tmp_path / "xor.html")).read_text(encoding="utf-8") == page.html
    assert "<iframe" in page._repr_html_()
    assert len(page.html) < 70_000


# --- what it refuses ------------------------------------------------------------------------------

class Doubled(nn.MLP):
    def __call__(self, x: Any) -> Any:
        return 2.0 * super().__call__(x)


def refused(kind: type[Exception], text: str, model: Any = None, data: Any = XOR,
            **options: Any) -> None:
    with pytest.raises(kind, match=text):
        nn.live(model or nn.MLP(2, [2, 1], seed=1), *data, **options)


def test_what_a_page_cannot_show_is_refused_with_the_reason() -> None:
    refused(TypeError, "not Doubled", Doubled(2, [2, 1]))
    refused(TypeError, "Module", lambda x: x)
    refused(ValueError, "no loss 'l3'", loss="l3")
    refused(ValueError, "no optimizer 'sgdm'", optimizer="sgdm")
    refused(ValueError, "3 inputs|input", nn.MLP(3, [1]))
    refused(ValueError, "labels -1 and 1", loss="hinge")
    refused(ValueError, "learning_rate", learning_rate=-1.0)
    refused(ValueError, "slider", learning_rate=nn.schedules.linear(1.0, 0.1, 10))
    refused(ValueError, "all answers at once", loss=lambda answers, targets: sum(answers))
    refused(ValueError, "takes 3000", nn.MLP(2, [100, 100, 1]))
    refused(ValueError, "no activation 'tanhh'", activations=["tanhh"])
    refused(TypeError, "activations is a list", activations="tanh")


def test_scalars_that_no_page_can_compute_are_refused() -> None:
    class Stairs(nn.SGD):
        def scalars(self, step: int) -> tuple[float, ...]:
            return (*super().scalars(step), 1.0 if step < 50 else 2.0)

        def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
            return number - scalars[0] * scalars[1] * gradient, memory

    class Rooted(Stairs):
        def scalars(self, step: int) -> tuple[float, ...]:
            return (*nn.SGD.scalars(self, step), math.sqrt(step + 1))

    for kind in (Stairs, Rooted):
        model = nn.MLP(2, [2, 1], seed=1)
        refused(ValueError, f"scalars of {kind.__name__}", model,
                optimizer=kind(model.parameters(), 0.1))


def test_activations_that_the_loss_does_not_take_are_left_out(browser: Browser) -> None:
    model = nn.Neuron(2, "sigmoid")
    model.w[0].data, model.w[1].data = -0.5, -0.5
    model.b.data = -0.5  # tanh of it is no probability
    page = nn.live(model, *XOR, loss="binary_cross_entropy")
    tab = browser.open(page.html)
    assert tab.evaluate("data.choices") == ["sigmoid", "relu"]
