"""Turning DOT source into pictures, with whichever renderer this machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import graphviz

FORMATS = ("svg", "png", "pdf")
INSTALL = ('pip install "graphviz-pure>=0.2.2,<0.3"  (or your system\'s graphviz package, for '
           "example apt install graphviz)")


class RendererError(RuntimeError):
    """No renderer, one that cannot write the format, or one that failed."""


def find_renderer(name: str = "") -> str:
    """The path of the command that lays out graphs.

    Args:
        name: "dot" or "graphviz-pure" to insist on one; "" takes the environment variable
            CHAINRULE_RENDERER, else `dot` where it is on the PATH, else graphviz-pure.

    Raises:
        RendererError: when there is none; the message says how to install one.
    """
    name = name or os.environ.get("CHAINRULE_RENDERER", "")
    if name not in ("", "dot", "graphviz-pure"):
        raise RendererError(f'there is no renderer {name!r}; choose "dot" or "graphviz-pure"')
    found = None
    if name in ("", "dot"):
        found = shutil.which("dot")
    if found is None and name in ("", "graphviz-pure"):
        # A virtual environment need not be activated for its scripts to be found.
        folders = [sysconfig.get_path("scripts"), os.path.dirname(sys.executable),
                   os.environ.get("PATH", "")]
        found = shutil.which("graphviz-pure", path=os.pathsep.join(folders))
    if found is None:
        raise RendererError(f"no {name or 'graph'} renderer was found; install one with: {INSTALL}")
    return found


def is_pure(command: str) -> bool:
    """Whether a renderer is graphviz-pure, which writes svg and png only."""
    return Path(command).stem.startswith("graphviz-pure")


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """A graphviz Digraph that renders with `dot` or graphviz-pure, and shows itself in Jupyter.

    Args:
        renderer: "dot" or "graphviz-pure" to insist on one; see :func:`find_renderer`.
        options: those of ``graphviz.Digraph``.
    """

    def __init__(self, *args: Any, renderer: str = "", **options: Any) -> None:
        options.setdefault("format", "svg")
        super().__init__(*args, **options)
        self.layout_renderer = renderer

    def pipe(self, format: str | None = None, **options: Any) -> Any:
        """The picture as bytes (as text with ``encoding=``).

        Args:
            format: "svg", "png", or "pdf" where `dot` is installed.

        Raises:
            RendererError: without a renderer for the format.
        """
        chosen = _checked_format(format or self.format)
        command = find_renderer(self.layout_renderer)
        if chosen == "pdf" and is_pure(command):
            try:
                command = find_renderer("dot")
            except RendererError:
                raise RendererError(
                    "graphviz-pure writes no pdf; render svg or png, or install your system's "
                    "graphviz package, for example apt install graphviz") from None
        done = subprocess.run([command, f"-T{chosen}"], input=self.source.encode(),
                              capture_output=True, check=False)
        if done.returncode or not done.stdout:
            raise RendererError(f"{command} failed: {done.stderr.decode(errors='replace')[-500:]}")
        encoding = options.get("encoding")
        return done.stdout.decode(encoding) if encoding else done.stdout

    def render(self, filename: Any = None, directory: Any = None, view: bool = False,
               format: str | None = None, outfile: Any = None, **options: Any) -> str:
        """Write the picture to a file and return its path.

        Args:
            filename: the path; a suffix .svg, .png or .pdf says the format, without one the
                format's suffix is added.
            directory: a folder that filename is in.
            format: "svg", "png", or "pdf" where `dot` is installed.
            outfile: another name for filename.

        Raises:
            RendererError: without a renderer for the format; no file is written then.
        """
        path = Path(outfile or filename or self.filename or "graph")
        if directory is not None:
            path = Path(directory) / path
        suffix = path.suffix[1:].lower()
        if format is None and suffix in FORMATS:
            format = suffix
        chosen = _checked_format(format or self.format)
        if suffix != chosen:
            path = path.with_name(f"{path.name}.{chosen}")
        picture = self.pipe(chosen)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
        if view:
            graphviz.view(str(path))
        return str(path)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None,
                          **_: Any) -> dict[str, Any]:
        return {"image/svg+xml": self.pipe("svg", encoding="utf-8"), "text/plain": repr(self)}

    def _repr_svg_(self) -> str:
        return str(self.pipe("svg", encoding="utf-8"))

    def __repr__(self) -> str:
        return f"<drawing of {len(self.body)} statements; .render('graph.svg') writes it>"


def _checked_format(format: str) -> str:
    if format not in FORMATS:
        raise RendererError(f"cannot render {format!r}; choose one of {', '.join(FORMATS)}")
    return format


def escape(text: str) -> str:
    """Text for a record label: DOT's special characters are escaped."""
    for character in "\\{}|<>":
        text = text.replace(character, "\\" + character)
    return text.replace("\n", "\\n")


def plain(text: str) -> str:
    """Text for any other label: shown as it is, never read as DOT's escapes or as HTML."""
    lines: str = graphviz.nohtml(graphviz.escape(text).replace("\n", "\\n"))
    return lines
