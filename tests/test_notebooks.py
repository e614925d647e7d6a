"""Every notebook runs from top to bottom, and its committed outputs are those of the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
EXPECTED = ("quickstart", "000", "001", "002", "003", "004")


MOST_BYTES = 600_000  # of a notebook with its outputs; notebooks/run.py keeps pictures small


def printed(notebook: Any) -> list[str]:
    """What the cells print, without pictures and representations."""
    return ["".join(output["text"] for output in cell.get("outputs", ())
                    if output["output_type"] == "stream" and output["name"] == "stdout")
            for cell in notebook.cells if cell.cell_type == "code"]


def test_there_is_a_notebook_for_each_document_and_a_quick_start() -> None:
    for name in EXPECTED:
        assert any(path.name.startswith(name) for path in NOTEBOOKS), name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_notebook_runs_and_prints_what_is_committed(path: Path) -> None:
    committed = nbformat.read(path, as_version=4)
    again = nbformat.read(path, as_version=4)
    for cell in again.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    nbclient.NotebookClient(again, timeout=60, kernel_name="python3",
                            resources={"metadata": {"path": str(FOLDER)}}).execute()
    assert printed(again) == printed(committed)
    assert any(text for text in printed(committed))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_every_code_cell_is_introduced_in_words(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    for before, cell in zip([None, *cells], cells, strict=False):
        if cell.cell_type == "code":
            assert before is not None and before.cell_type == "markdown", cell.source[:60]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_every_lesson_asks_for_guesses_and_ends_with_three_sentences_and_two_exercises(
        path: Path) -> None:
    prose = [cell.source for cell in nbformat.read(path, as_version=4).cells
             if cell.cell_type == "markdown"]
    headings = [line for source in prose for line in source.splitlines() if line.startswith("## ")]
    assert headings[-2:] == ["## Three sentences", "## Two exercises"]
    assert sum("**Predict" in source for source in prose) >= 5
    assert "question" in prose[0]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_the_outputs_are_small_and_no_warnings(path: Path) -> None:
    assert path.stat().st_size < MOST_BYTES
    outputs = [output for cell in nbformat.read(path, as_version=4).cells
               for output in cell.get("outputs", ())]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
