"""One file names the colours."""

from __future__ import annotations

import re
from pathlib import Path

import nn
from autograd import Value, palette, step_through

COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b")
FOLDERS = (Path(palette.__file__).parent, Path(nn.__file__).parent)


def test_no_other_file_names_a_colour() -> None:
    found = {file.name for folder in FOLDERS for file in folder.rglob("*.*")
             if file.suffix in (".py", ".html", ".css", ".js")
             and COLOUR.search(file.read_text(encoding="utf-8"))}
    assert found == {"palette.py"}


def test_the_page_that_plays_the_passes_is_written_with_the_palettes_colours() -> None:
    x = Value(2.0, "x")
    style = re.search(r"<style>.*</style>", step_through(x * x).html, re.DOTALL)
    assert style is not None and "var(" not in style[0]
    assert set(COLOUR.findall(style[0])) == {
        palette.INK, palette.PAPER, palette.INNER_FRAME, palette.FORWARD, palette.BACKWARD,
        palette.BACKWARD_TEXT, palette.ASIDE, palette.COMPUTED_FILL, palette.RECEIVING_FILL}
