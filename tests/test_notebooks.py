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
