"""One file names the colours."""

from __future__ import annotations

import re
from pathlib import Path

import nn
from autograd import palette

COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b")
FOLDERS = (Path(palette.__file__).parent, Path(nn.__file__).parent)


def test_no_other_file_names_a_colour() -> None:
    found = {file.name for folder in FOLDERS for file in folder.rglob("*.*")
             if file.suffix in (".py", ".html", ".css", ".js")
             and COLOUR.search(file.read_text(encoding="utf-8"))}
    assert found == {"palette.py"}
