"""The page of gradient descent in headless Chromium: its numbers beside those of ``descend``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value, descend, live_descent

from ..browser import Browser, Tab

STEPS, PRECISION = 200, 1e-6
START, RATE = "input[type=number][data-label='start']", "input[type=number][data-label='rate']"


def rosenbrock(w: Any) -> Any:
    return (1.0 - w[0]) ** 2 + 100.0 * (w[1] - w[0] ** 2) ** 2


def huber(x: Any) -> Any:
    return x * x / 2.0 if abs(x) < 1.0 else abs(x) - 0.5


def numbers(tab: Tab) -> tuple[list[Any], list[Any], list[Any]]:
    points, values, gradients = tab.evaluate(
        "[path.stops.map(s => s.point), path.stops.map(s => s.value),"
        " path.stops.map(s => s.gradient)]")
    return points, values, gradients


def settled(tab: Tab) -> None:
    """Wait for the frame that draws what a slider has changed."""
    tab.wait("due === 0")


EXACT: list[tuple[Callable[[Any], Any], Any, float]] = [
    (lambda x: x * x - 6.0 * x + 5.0, 10.0, 0.1),
    (lambda x: x * x - 6.0 * x + 5.0, 10.0, 0.8),
    (lambda x: x * x - 6.0 * x + 5.0, 10.0, 1.5),
    (lambda x: 3.0 * x ** 2 - 4.0 * x + 5.0, 5.0, 0.05),
    (lambda w: 2.0 * w[0] ** 2 + w[1] ** 2, [-8.0, 7.0], 0.1),
    (lambda w: 2.0 * w["a"] ** 2 + w["b"] ** 2, {"a": -8.0, "b": 7.0}, 0.6),
    (rosenbrock, [-1.5, 2.0], 0.001),
    (huber, 4.0, 0.5),
    (lambda x: ag.where(x > 1.0, x * x, 2.0 * x - 1.0), 3.0, 0.25),
    (lambda x: ag.sqrt(x) - 1.0, 2.0, 1.0),
]


@pytest.mark.parametrize(("f", "start", "rate"), EXACT)
def test_the_path_has_the_bits_of_descend(browser: Browser, f: Callable[[Any], Any], start: Any,
                                          rate: float) -> None:
    tab = browser.open(live_descent(f, start, rate).html)
    points, values, gradients = numbers(tab)
    path = descend(f, start, rate, STEPS, PRECISION)
    assert points == path.points.tolist()
    assert values == path.values.tolist()
    assert gradients == path.gradients.tolist()
    reason = tab.attribute("#outcome", "data-reason")
    assert {"domain": "diverged"}.get(str(reason), reason) == path.reason
    assert tab.errors == []


@pytest.mark.parametrize("f", [lambda x: x.exp() - 2.0 * x, lambda x: (x * x).sin() + x.tanh(),
                               lambda x: ag.logsumexp([x, -x, 1.0]) + x.erf() ** 2])
def test_other_functions_are_within_1e_12(browser: Browser, f: Callable[[Any], Any]) -> None:
    points, values, gradients = numbers(browser.open(live_descent(f, 0.9, 0.05).html))
    path = descend(f, 0.9, 0.05, STEPS, PRECISION)
    assert len(points) == len(path.points)
    assert points == pytest.approx(path.points, rel=1e-12, abs=0.0)
    assert values == pytest.approx(path.values, rel=1e-12, abs=0.0)
    # Towards the minimum the terms of a slope cancel.
    assert np.ravel(gradients) == pytest.approx(path.gradients.ravel(), rel=1e-12, abs=1e-14)


def test_start_and_rate_follow_the_hand(browser: Browser) -> None:
    tab = browser.open(live_descent(EXACT[0][0], 10.0, 0.1).html)
    assert "Converged after" in tab.text("#outcome")
    assert tab.count("#picture .cross") == 0
    tab.set("input[type=range][data-label='rate']", np.log10(1.1))
    settled(tab)
    assert "Diverges" in tab.text("#outcome")
    assert tab.count("#picture .cross[data-reason=diverged]") == 1
    tab.set(RATE, "1.01")  # too slow to leave all bounds
    settled(tab)
    assert "Diverges: after 200 steps f is higher" in tab.text("#outcome")
    assert tab.count("#picture .cross[data-reason=steps]") == 1
    for rate, start in ((0.3, -2.5), (0.999, 40.0)):
        tab.set(RATE, str(rate))
        tab.set(START, str(start))
        settled(tab)
        path = descend(EXACT[0][0], start, rate, STEPS, PRECISION)
        assert numbers(tab)[0] == path.points.tolist()
    tab.set(START, "")  # nothing to compute with: what was there stays
    assert tab.attribute(START, "aria-invalid") == "true"
    assert numbers(tab)[0] == path.points.tolist()
    assert tab.errors == []


def test_steps_are_played_taken_and_begun_again(browser: Browser) -> None:
    tab = browser.open(live_descent(EXACT[0][0], 10.0, 0.1).html)
    path = descend(EXACT[0][0], 10.0, 0.1, STEPS, PRECISION)
    tab.click("#reset")
    assert tab.attribute("#now", "data-step") == "0" and tab.count("#picture .way") == 0
    tab.click("#step")
    tab.click("#step")
    assert tab.attribute("#now", "data-point") == repr(float(path.points[2, 0]))
    assert tab.attribute("#now", "data-value") == repr(float(path.values[2]))
    assert tab.attribute("#now", "data-gradient") == repr(float(path.gradients[2, 0]))
    assert tab.attribute("tr.current", "data-step") == "2" and tab.count("#picture .way") == 2
    assert "10" not in tab.text("#now") and "f\u2032 = 8.96" in tab.text("#now")
    tab.focus("#scrub")
    tab.press("ArrowRight")
    assert tab.attribute("#now", "data-step") == "3"
    tab.click("#play")
    assert tab.attribute("#play", "aria-pressed") == "true"
    tab.wait("Number(document.querySelector('#now').dataset.step) > 4")
    tab.click("#play")
    assert tab.attribute("#play", "aria-pressed") == "false"
    tab.press("Enter")  # the focus is on the button
    assert tab.text("#play") == "Pause"
    tab.set("#scrub", len(path))
    assert tab.text("#play") == "Play" and tab.evaluate("document.getElementById('step').disabled")
    assert tab.errors == []


def test_without_motion_playing_goes_to_the_end_at_once(browser: Browser) -> None:
    tab = browser.open(live_descent(EXACT[0][0], 10.0, 0.1).html, reduced_motion=True,
                       fragment="#step=1")
    assert tab.attribute("#now", "data-step") == "1"
    tab.click("#play")
    assert tab.attribute("#now", "data-step") == str(tab.evaluate("path.stops.length - 1"))


def test_outside_of_the_domain_the_page_says_so_and_shows_no_number(browser: Browser) -> None:
    tab = browser.open(live_descent(lambda x: ag.log(x) * x, 2.0, 0.1).html)
    tab.set(RATE, "3")
    settled(tab)
    assert "log is not defined: it needs x > 0" in tab.text("#outcome")
    assert tab.count("#picture .cross") == 1 and tab.count("#picture .missing") > 10
    assert tab.evaluate("at([-1]).value") is None and tab.evaluate("at([0]).fault") == "domain"
    tab.set(START, "-1")
    settled(tab)
    assert "Cannot start at x = \u22121" in tab.text("#outcome")
    assert tab.text("#now") == "" and tab.count("#rows tr") == 0
    assert tab.errors == []


def test_an_infinity_that_vanishes_is_outside_of_the_domain(browser: Browser) -> None:
    tab = browser.open(live_descent(lambda x: 1.0 / (1.0 + (-x).exp()), 1.0, 0.1).html)
    assert tab.evaluate("at([-1000]).fault") == "domain"


def test_branches_are_recorded_near_the_picture_and_others_are_refused(browser: Browser) -> None:
    tab = browser.open(live_descent(huber, 4.0, 0.5).html)
    assert "f has 2 recorded branches" in tab.text("#legend")
    for x in (-3.0, -0.5, 0.25, 1.0, 7.5):
        y = Value(x)
        huber(y).backward()
        assert tab.evaluate(f"(s => [s.value, s.gradient[0]])(at([{x}]))") == [
            huber(x), y.grad], x
    far = live_descent(lambda x: x * x if x < 500.0 else x * 3.0, 2.0, 0.1)
    tab = browser.open(far.html)
    tab.set(START, "600")
    settled(tab)
    assert "takes a branch that this page has not recorded" in tab.text("#outcome")
    assert tab.evaluate("at([600]).value") is None and tab.text("#now") == ""


def test_captured_values_count_as_they_are_now(browser: Browser) -> None:
    a = Value(3.0, "a")
    tab = browser.open(live_descent(lambda x: (x - a) ** 2, 5.0, 0.1).html)
    assert tab.evaluate("at([5]).value") == 4.0 and tab.evaluate("at([5]).gradient") == [4.0]


def test_a_primitive_of_ones_own_runs_in_the_page(browser: Browser) -> None:
    from autograd.extend import unregister

    row = ag.primitive("cubed", lambda x: x * x * x, lambda x, y: 3.0 * x * x)
    try:
        tab = browser.open(live_descent(lambda x: row(x) ** 2 + x, 0.5, 0.1).html)
        path = descend(lambda x: row(x) ** 2 + x, 0.5, 0.1, STEPS, PRECISION)
    finally:
        unregister(row)
    assert numbers(tab)[0] == pytest.approx(path.points, rel=1e-12)


def test_two_variables_have_contours_a_surface_and_a_start_by_click(browser: Browser) -> None:
    tab = browser.open(live_descent(EXACT[4][0], [-8.0, 7.0], 0.1, labels=["w1", "w2"]).html)
    assert "f = 2 w1**2 + w2**2" in tab.text("#formulas")
    assert "4 w1" in tab.text("#formulas")
    assert str(tab.attribute("#picture image", "href")).startswith("data:image/png")
    before = tab.evaluate("$('solid').toDataURL()")
    tab.focus("#solid")
    tab.press("ArrowRight")
    assert tab.evaluate("$('solid').toDataURL()") != before
    tab.click("#picture")
    x, y = tab.evaluate("state.start")
    assert abs(x) < 1.0 and abs(y) < 1.0  # about the middle of the picture
    assert tab.evaluate("path.stops[0].point") == [x, y]
    assert tab.errors == []


@pytest.mark.parametrize("width", [360, 390, 1280])
@pytest.mark.parametrize("which", [2, 4])
def test_text_is_large_enough_and_nothing_is_cut_off(browser: Browser, width: int,
                                                     which: int) -> None:
    tab = browser.open(live_descent(*EXACT[which]).html, width=width, dark=width == 390)
    assert tab.smallest_text() >= 12.0
    assert tab.overflow() <= 0
    for name in ("play", "step", "reset", "closer", "wider"):
        assert tab.evaluate(f"$('{name}').getBoundingClientRect().height") >= 36
    assert len(live_descent(*EXACT[which]).html) < 60_000
    assert tab.errors == []


def test_tall_functions_do_not_flatten_the_picture(browser: Browser) -> None:
    tab = browser.open(live_descent(lambda x: 1.0 / x + x, 2.0, 0.1, ranges=(-1.0, 3.0)).html)
    low, high = tab.evaluate("view.up")
    assert low > -200.0 and high < 200.0
    assert str(tab.attribute("#picture .curve", "d")).count("M") == 2  # torn at the pole


def test_the_picture_shows_the_start_and_where_the_descent_leads(browser: Browser) -> None:
    for f, start, rate in (*EXACT[:2], (lambda x: (x - 1e-6) ** 2, 3e-6, 0.3),
                           (lambda x: x * x, 0.0, 0.1)):
        tab = browser.open(live_descent(f, start, rate).html)
        (low, high), = tab.evaluate("view.sides")
        end = descend(f, start, rate, STEPS).end
        assert low < min(start, end) and max(start, end) < high
        assert high - low < 4.0 * abs(start - end) or start == end


def test_what_a_page_cannot_show_is_refused() -> None:
    with pytest.raises(ValueError, match="one or two variables, not of 3"):
        live_descent(lambda w: w[0] * w[1] * w[2], [1.0, 2.0, 3.0], 0.1)
    with pytest.raises(TypeError, match="not a function of the step"):
        live_descent(lambda x: x * x, 1.0, lambda step: 0.1)  # type: ignore[arg-type]
    for rate in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="rate must be a finite number above 0"):
            live_descent(lambda x: x * x, 1.0, rate)
    with pytest.raises(ValueError, match="log is not defined"):
        live_descent(ag.log, -1.0, 0.1)
    with pytest.raises(ValueError, match="lies outside of the range"):
        live_descent(lambda x: x * x, 5.0, 0.1, ranges=(0.0, 1.0))
    with pytest.raises(ValueError, match="one text for each variable"):
        live_descent(lambda x: x * x, 5.0, 0.1, labels=["a", "b"])
    with pytest.raises(ValueError, match="branches near the picture"):
        live_descent(lambda x: x * (int((x * 100.0).data) + 1.0), 5.0, 0.1)
    with pytest.raises(TypeError):
        live_descent(lambda x: [x, x], 5.0, 0.1)


def test_the_data_in_the_page_are_data(browser: Browser) -> None:
    page = live_descent(lambda x: x * x, 1.0, 0.1, labels=["</script><b>x"])
    tab = browser.open(page.html)
    assert tab.count("b") == 0 and json.dumps("</script>") not in page.html
    assert "</script><b>x" in tab.text("#formulas")
    assert tab.errors == []
