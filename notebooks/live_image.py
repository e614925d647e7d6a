"""Writes the README's moving picture, from the real page: ``python -m notebooks.live_image``.

Needs Chromium, which the tests of pages drive, and Pillow, which comes with matplotlib.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from autograd import Value, live
from tests.browser import Browser, Tab

FOLDER = Path(__file__).parent / "images"
WIDTH, HEIGHT = 1040, 500
COLOURS = 64
QUICK, SLOW, LAST = 90, 700, 2500  # milliseconds that a picture stays


def expression() -> Value:
    """The README's first expression."""
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    y = (w * x + 7.0).tanh() + x**2
    y.label = "y"
    return y


def pictures(tab: Tab) -> Iterator[tuple[Image.Image, int]]:
    """A slider that moves there and back, then the backward pass; each with its milliseconds."""
    def seen() -> Image.Image:
        return Image.open(io.BytesIO(tab.picture())).convert("RGB")

    tab.hover(".node[data-label=x] .grad")
    yield seen(), SLOW
    for i in range(1, 25):
        tab.set("input[type=range][data-label=w]",
                round(-3.0 - 1.2 * math.sin(2.0 * math.pi * i / 24.0), 3))
        yield seen(), QUICK
    yield seen(), SLOW
    tab.click("#stepping")
    tab.click("#last")
    count = int(tab.attribute("body", "data-step") or 0) + 1
    for step in range(count // 2, count):
        tab.evaluate(f"go({step})")
        yield seen(), SLOW if step < count - 1 else LAST


def main() -> None:
    """Write ``images/live.gif``."""
    with Browser() as browser:
        tab = browser.open(live(expression(), direction="LR").html, WIDTH, HEIGHT)
        frames, times = zip(*pictures(tab), strict=True)
    palette = frames[len(frames) // 2].quantize(COLOURS)
    first, *rest = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    first.save(FOLDER / "live.gif", save_all=True, append_images=rest, duration=times, loop=0,
               optimize=True)


if __name__ == "__main__":
    main()
