"""What every page has: one self-contained text, the palette's colours, light and dark, and helpers.

A page is made of a body, a style, a script and data. The frame adds ``frame.css`` (type, colours,
focus) and ``frame.js`` (numbers as Python writes them, a slider with its number field), so that
the pages look and answer alike. Nothing in a page may load anything: a policy in its head says so
to the browser.
"""

from __future__ import annotations

import html
import json
import os
import re
from importlib.resources import files
from typing import Any

from autograd import palette
from autograd.core.files import write_whole

# The browser refuses whatever else a page would ask for.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


class Page:
    """One HTML text that computes and draws by itself; Jupyter shows it inline.

    Args:
        title: what the page is called, in the browser and by assistive tools.
        body: the HTML of its body.
        style: CSS behind the frame's; ``var(--ink)`` is the palette's INK, also in the dark.
        script: JavaScript behind the frame's, which sees ``data``. Comments and the beginnings of
            lines are left out, so a text must not go over several lines.
        data: what JSON can hold, and inf and nan.
        height: of its frame in a notebook, in pixels.

    Attributes:
        html: the whole page.
    """

    def __init__(self, title: str, *, body: str, style: str = "", script: str = "",
                 data: Any = None, height: int = 640) -> None:
        self.title, self.height = title, height
        style = lean(asset("frame.css") + style)
        script = "\n".join(['"use strict";', lean(asset("frame.js")),
                            f"const data = {in_script(data)};", lean(script)])
        self.html = "\n".join([
            '<!DOCTYPE html>', '<html lang="en">', "<head>", '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{colours(style + script + body)}{style}</style>", "</head>",
            f"<body>{body}", f"<script>{script}</script>", "</body>", "</html>", ""])

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the page to a file, whole or not at all, and return its path.

        Args:
            path: of the file; one that is there is replaced.

        Raises:
            OSError: when the file cannot be written.
        """
        write_whole(path, self.html.encode())
        return os.fspath(path)

    def _repr_html_(self) -> str:
        return (f'<iframe srcdoc="{html.escape(self.html, quote=True)}" width="100%" '
                f'height="{self.height}" style="border: 1px solid {palette.FRAME}" '
                f'title="{html.escape(self.title, quote=True)}"></iframe>')

    def __repr__(self) -> str:
        return (f"<page {self.title!r} of {len(self.html):,} characters; "
                ".save('page.html') writes it>")


def asset(name: str, package: str = "autograd.pages") -> str:
    """The text of a file beside the modules of a package, such as a style or a script."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def lean(text: str) -> str:
    """A style or a script without what only its authors read."""
    lines = (re.sub(r"(^|  )\s*// .*$", "", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def in_script(data: Any) -> str:
    """Data as a JavaScript literal that cannot end the script element that it stands in.

    Numbers keep every bit, -0.0, inf and nan among them.
    """
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def colours(text: str) -> str:
    """The palette as custom properties, those that the text names; the dark ones where preferred.

    Raises:
        AttributeError: for a name that the palette does not have.
    """
    names = sorted(set(re.findall(r"var\(--([a-z-]+)\)", text)))
    meant = {name: name.replace("-", "_").upper() for name in names}
    light = "".join(f"--{name}:{getattr(palette, key)};" for name, key in meant.items())
    dark = "".join(f"--{name}:{palette.DARK[key]};" for name, key in meant.items())
    return f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


__all__ = ["Page", "asset", "colours", "in_script", "lean"]
