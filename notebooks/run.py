"""Runs notebooks and writes their outputs, pictures made small: ``python notebooks/run.py 002``.

Without names all notebooks run. A notebook that fails stays as it was.
"""

from __future__ import annotations

import base64
import io
import re
import sys
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from PIL import Image, ImageSequence

FOLDER = Path(__file__).parent
BAR = re.compile(r"(\s*|.*\r.*)", re.DOTALL)  # a progress bar, which comes and goes with the load
COLOURS, COLOURS_OF_FILMS = 128, 16  # enough for the plots: they are drawn in few colours


def run(path: Path) -> None:
    """Execute a notebook in its folder and write it back with fresh outputs."""
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3",
                                     resources={"metadata": {"path": str(FOLDER)}})
    client.execute()
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02d}"  # or each run would write other ones
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = tidied(cell.outputs)
    nbformat.write(notebook, path)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def tidied(outputs: list[Any]) -> list[Any]:
    """The outputs with what is printed in one piece, and with small pictures."""
    kept: list[Any] = []
    for output in outputs:
        stream = output.get("name")
        if stream and kept and kept[-1].get("name") == stream:
            kept[-1].text += output.text
        elif stream != "stderr" or not BAR.fullmatch(output.text):
            kept.append(output)
        for kind, shrink in (("image/png", small_picture), ("image/gif", small_film)):
            if kind in output.get("data", {}):
                picture = Image.open(io.BytesIO(base64.b64decode(output.data[kind])))
                output.data[kind] = base64.b64encode(shrink(picture)).decode() + "\n"
    return kept


def small_picture(picture: Image.Image) -> bytes:
    """The picture as a PNG with a palette, a third of the size."""
    file = io.BytesIO()
    with_palette(picture, COLOURS).save(file, "png", optimize=True)
    return file.getvalue()


def small_film(film: Image.Image) -> bytes:
    """The film as a GIF of few colours."""
    frames = [with_palette(frame, COLOURS_OF_FILMS) for frame in ImageSequence.Iterator(film)]
    file = io.BytesIO()
    frames[0].save(file, "gif", save_all=True, append_images=frames[1:], loop=0, optimize=True,
                   duration=film.info.get("duration", 100))
    return file.getvalue()


def with_palette(picture: Image.Image, colours: int) -> Image.Image:
    # The method that keeps rare colours, such as a path's on a surface; others drown them. Without
    # dithering: its grain takes more room than the colours that it saves.
    return picture.convert("RGB").quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=1,
                                           dither=Image.Dither.NONE)


if __name__ == "__main__":
    for notebook_path in sorted(FOLDER.glob("*.ipynb")):
        if len(sys.argv) == 1 or notebook_path.name.startswith(tuple(sys.argv[1:])):
            run(notebook_path)
