"""One file names the colours."""

from __future__ import annotations

import re
from pathlib import Path

import nn
from autograd import palette

NAMED = re.compile(r"""(?:[cC]olou?rs?|cmap)=["'][a-zA-Z]""")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b")
FOLDERS = (Path(palette.__file__).parent, Path(nn.__file__).parent)


def test_no_other_file_names_a_colour() -> None:
    found = {file.name for folder in FOLDERS for file in folder.rglob("*.*")
             if file.suffix in (".py", ".html", ".css", ".js")
             and COLOUR.search(file.read_text(encoding="utf-8"))}
    assert found == {"palette.py"}


def test_no_other_file_names_a_colour_in_words() -> None:
    assert NAMED.search('ax.plot(x, color="red")')
    found = {file.name for folder in FOLDERS for file in folder.rglob("*.py")
             if NAMED.search(file.read_text(encoding="utf-8"))}
    assert found == set()


def lightness(colour: str) -> float:
    """The relative luminance of WCAG 2, https://www.w3.org/TR/WCAG21/#dfn-relative-luminance."""
    shares = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_letters_stand_out_from_what_they_are_written_on() -> None:
    """A contrast of 4.5 at least, as WCAG 2 asks for (AA)."""
    for ink in (palette.INK, palette.ASIDE, palette.CUT, palette.BACKWARD_TEXT):
        assert (1.05) / (lightness(ink) + 0.05) >= 4.5
    for fill in (palette.INPUT_FILL, palette.COMPUTED_FILL, palette.FOLDED_FILL,
                 palette.OUTPUT_FILL, palette.COST_FILL):
        for ink in (palette.INK, palette.ASIDE):
            assert (lightness(fill) + 0.05) / (lightness(ink) + 0.05) >= 4.5
