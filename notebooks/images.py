"""Writes the README's pictures, from the library itself: ``python notebooks/images.py``."""

from __future__ import annotations

import base64
from pathlib import Path

import nbformat

import nn
from autograd import Value, draw
from nn.__main__ import main as train

FOLDER = Path(__file__).parent / "images"


def graph() -> None:
    """The graph of the README's first expression, with its local derivatives."""
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    y = (w * x + 7.0).tanh() + x**2
    y.label = "y"
    y.backward()
    draw(y, local_derivatives=True, renderer="graphviz-pure").render(FOLDER / "graph.svg")


def network() -> None:
    """The 3-4-4-1 network."""
    model = nn.MLP(3, [4, 4, 1], activation="tanh", seed=4)
    nn.draw(model, renderer="graphviz-pure").render(FOLDER / "network.svg")


def moons() -> None:
    """What the README's first command writes."""
    train(["moons", "--plot", str(FOLDER / "moons.png")])


def lessons() -> None:
    """The best picture of each lesson: that of its cell with the tag "best"."""
    for path in sorted(FOLDER.parent.glob("0*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if "best" in cell.metadata.get("tags", ()):
                picture, = [output.data["image/png"] for output in cell.outputs
                            if "image/png" in output.get("data", {})]
                (FOLDER / f"lesson_{path.name[:3]}.png").write_bytes(base64.b64decode(picture))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    graph()
    network()
    moons()
    lessons()
