"""The frame of every page, opened and read in headless Chromium."""

from __future__ import annotations

import html
import json
import math
import re
from pathlib import Path

import pytest

from autograd import palette
from autograd.drawing import number
from autograd.pages import Page
from autograd.pages.page import asset, colours, in_script

from ..browser import Browser, BrowserError

NUMBERS = [0.0, -0.0, 1.0, -2.5, 0.1, 1 / 3, 1e-3, 1e-4, 9.999e-5, 1e-5, 1e15, 1e16, 123456789.0,
           1e22, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan, 0.03125, 0.09375,
           1000500.0, 1001500.0, 999999.99995, 2.00005, 1e100, 0.00009765625, 1234567.0]


def dials() -> Page:
    return Page("dials", body='<main id="here"></main>', data={"value": 2.0}, script="""
        const seen = [];
        const one = dial({label: "x", value: data.value, changed: x => seen.push(x)});
        const rate = dial({label: "rate", value: 0.1, min: 1e-4, max: 1, log: true,
                           changed: x => seen.push(x)});
        $("here").append(one.box, rate.box);
        """)


def test_numbers_are_written_as_python_writes_them(browser: Browser) -> None:
    tab = browser.open(Page("numbers", body="", data=NUMBERS).html)
    assert tab.evaluate("data.map(written)") == [repr(x) for x in NUMBERS]
    assert tab.evaluate("data.map(shown)") == [
        number(x) if math.isfinite(x) else repr(x) for x in NUMBERS]
    assert tab.errors == []


def test_data_in_a_script_is_the_data_and_ends_no_element(browser: Browser) -> None:
    data = {"label": "</script><b>&\u2028'\"", "numbers": [0.1, -0.0, math.inf, -math.inf]}
    tab = browser.open(Page("data", body="", data=data).html)
    assert tab.evaluate("data.label") == data["label"]
    assert tab.evaluate("data.numbers.map(written)") == ["0.1", "-0.0", "inf", "-inf"]
    assert tab.errors == []
    assert "<" not in in_script(data)


def test_a_slider_and_its_field_say_the_same(browser: Browser) -> None:
    tab = browser.open(dials().html)
    slider, field = "input[type=range][data-label=x]", "input[type=number][data-label=x]"
    assert tab.evaluate(f"document.querySelector('{slider}').value") == "2"
    tab.set(slider, 1.37)
    assert tab.evaluate(f"document.querySelector('{field}').value") == "1.37"
    tab.set(field, "123.25")  # beyond the slider's end, which moves
    assert tab.evaluate(f"document.querySelector('{slider}').value") == "123.25"
    tab.set(field, "")
    assert tab.attribute(field, "aria-invalid") == "true"
    tab.focus(slider)
    tab.press("ArrowRight")
    *before, last = tab.evaluate("seen")
    assert before == [1.37, 123.25]
    assert last > 123.25
    assert tab.attribute(field, "aria-invalid") is None
    tab.evaluate("one.set(Infinity)")
    assert tab.attribute(slider, "aria-valuetext") == "inf"
    assert tab.errors == []


def test_a_slider_of_zero_reaches_to_both_sides(browser: Browser) -> None:
    tab = browser.open(Page("zero", body="", script="""
        document.body.append(dial({label: "x", value: 0, changed() {}}).box);""").html)
    ends = [float(tab.attribute("input[type=range]", name) or "nan") for name in ("min", "max")]
    assert ends == [-2.0, 2.0]


def test_a_slider_of_powers_of_ten_gives_the_number_itself(browser: Browser) -> None:
    tab = browser.open(dials().html)
    slider, field = "input[type=range][data-label=rate]", "input[type=number][data-label=rate]"
    assert tab.evaluate(f"document.querySelector('{slider}').value") == "-1"
    tab.set(slider, -2)
    tab.set(field, "0.25")
    tab.set(field, "-1")
    assert tab.evaluate("seen") == [0.01, 0.25]
    assert tab.attribute(field, "aria-invalid") == "true"


def test_a_page_is_light_or_dark_as_its_reader_prefers(browser: Browser) -> None:
    tab = browser.open(dials().html, dark=True)
    paper = "getComputedStyle(document.body).backgroundColor"
    assert tab.evaluate(paper) == _rgb(palette.DARK["PAPER"])
    tab.prefer(dark=False)
    assert tab.evaluate(paper) == _rgb(palette.PAPER)


@pytest.mark.parametrize("width", [360, 1280])
def test_text_is_large_enough_and_nothing_is_cut_off(browser: Browser, width: int) -> None:
    tab = browser.open(dials().html, width=width)
    assert tab.smallest_text() >= 12
    assert tab.overflow() == 0


def test_a_page_may_load_nothing_and_evaluate_no_text(browser: Browser) -> None:
    tab = browser.open(Page("guest", body='<img src="https://example.org/a.png">',
                            script="try { window.made = new Function('return 1')(); } "
                                   "catch (error) { window.refused = error.name; }").html)
    assert tab.evaluate("window.made ?? window.refused") == "EvalError"
    assert any("Content Security Policy" in error for error in tab.errors)


def test_errors_of_a_page_are_seen(browser: Browser) -> None:
    tab = browser.open(Page("wrong", body="", script="missing();").html)
    assert any("missing is not defined" in error for error in tab.errors)
    with pytest.raises(BrowserError, match="no element fits"):
        tab.click("#absent")


def test_it_saves_itself_and_shows_itself_in_jupyter(tmp_path: Path) -> None:
    page = Page('a "title"', body="<p>text</p>", height=300)
    path = page.save(tmp_path / "page.html")
    assert Path(path).read_text(encoding="utf-8") == page.html
    frame = page._repr_html_()
    source = re.search(r'srcdoc="([^"]*)"', frame)
    assert source is not None
    assert html.unescape(source[1]) == page.html
    assert 'height="300"' in frame and "a &quot;title&quot;" in frame
    assert "a \"title\"" in repr(page) and ".save(" in repr(page)
    with pytest.raises(OSError):
        page.save(tmp_path / "absent" / "page.html")


def test_every_colour_of_a_page_has_a_dark_one() -> None:
    light = {name for name, value in vars(palette).items()
             if isinstance(value, str) and value.startswith("#")}
    assert light == set(palette.DARK)
    assert colours("var(--ink)").count(palette.INK) == 1
    with pytest.raises(AttributeError):
        colours("var(--unknown)")


def test_texts_are_read_from_beside_the_modules() -> None:
    assert "function dial" in asset("frame.js")
    assert json.loads(in_script({"a": [1, 2.5]})) == {"a": [1, 2.5]}


def _rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[i:i + 2], 16)) for i in (1, 3, 5))})"
