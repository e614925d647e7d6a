"""Turning DOT source into pictures, with whichever renderer this machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import graphviz

INSTALL = ('pip install "graphviz-pure>=0.2.2,<0.3"  (or your system\'s graphviz package, for '
           "example apt install graphviz)")


class RendererError(RuntimeError):
    """No renderer, one that cannot write the format, or one that failed."""


class Renderer(NamedTuple):
    """A command that reads DOT and writes a picture: ``command -Tsvg < graph.dot``.

    To add one, give it a row in RENDERERS; ``tests/drawing/test_rendering.py`` runs on all rows.
    """

    formats: tuple[str, ...]
    find: Callable[[], str | None]  # the path of the command, None where it is not installed


def _beside_the_interpreter(command: str) -> str | None:
    """A script of this Python's environment, which need not be activated."""
    folders = [sysconfig.get_path("scripts"), os.path.dirname(sys.executable),
               os.environ.get("PATH", "")]
    return shutil.which(command, path=os.pathsep.join(folders))


# What the beginning of a picture holds; a program that writes anything else is broken.
MARKS = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}

_told_of: set[str] = set()  # failures of renderers

# The first that is installed is taken.
RENDERERS: dict[str, Renderer] = {
    "dot": Renderer(("svg", "png", "pdf"), lambda: shutil.which("dot")),
    "graphviz-pure": Renderer(("svg", "png"), lambda: _beside_the_interpreter("graphviz-pure")),
}


def formats() -> list[str]:
    """The formats that some renderer writes."""
    return list(dict.fromkeys(f for renderer in RENDERERS.values() for f in renderer.formats))


def find_renderer(name: str = "", format: str = "svg") -> str:
    """The path of the command that lays out graphs.

    Args:
        name: a name in RENDERERS that is preferred; "" takes the environment variable
            CHAINRULE_RENDERER, else the first that is installed.
        format: what it has to write; one that cannot gives way to another that can.

    Raises:
        RendererError: when there is none; the message says how to install one.
    """
    return _usable_renderers(name, format)[0]


def _usable_renderers(name: str, format: str) -> list[str]:
    """The paths of the commands to try, one after the other; where one is asked for, it alone."""
    name = name or os.environ.get("CHAINRULE_RENDERER", "")
    if name and name not in RENDERERS:
        raise RendererError(f"there is no renderer {name!r}; choose one of "
                            f"{', '.join(map(repr, RENDERERS))}")
    candidates = {name: RENDERERS[name]} if name else RENDERERS
    installed = {each: path for each, row in candidates.items() if (path := row.find())}
    if not installed:
        raise RendererError(f"no {name or 'graph'} renderer was found; install one with: {INSTALL}")
    usable = [path for each, path in installed.items() if format in RENDERERS[each].formats]
    others = [path for row in RENDERERS.values() if format in row.formats and (path := row.find())]
    if usable or others:
        return usable or others[:1]
    raise RendererError(
        f"{' and '.join(installed)} writes no {format}; render "
        f"{' or '.join(dict.fromkeys(f for each in installed for f in RENDERERS[each].formats))}, "
        "or install your system's graphviz package, for example apt install graphviz")


def _rendered(source: str, name: str, format: str) -> bytes:
    """The picture, from the first renderer that is not broken; a broken one is told of once.

    Raises:
        RendererError: when no renderer can be used, or each of them fails.
    """
    failures: list[str] = []
    for command in _usable_renderers(name, format):
        try:
            done = subprocess.run([command, f"-T{format}"], input=source.encode(),
                                  capture_output=True, check=False)
        except OSError as error:  # not a program, or not for this machine
            failures.append(f"{command} cannot be started: {error}")
            continue
        if done.returncode == 0 and MARKS.get(format, b"") in done.stdout[:1000] and done.stdout:
            if failures:
                _warn_once(command, failures)
            return done.stdout
        failures.append(f"{command} failed: {done.stderr.decode(errors='replace')[-500:].strip()}")
    raise RendererError("; ".join(failures))


def _warn_once(command: str, failures: list[str]) -> None:
    if not _told_of.issuperset(failures):
        _told_of.update(failures)
        warnings.warn(f"{'; '.join(failures)}; {command} draws in its place", RuntimeWarning,
                      stacklevel=4)


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """A graphviz Digraph that renders with `dot` or graphviz-pure, and shows itself in Jupyter.

    Args:
        renderer: "dot" or "graphviz-pure" to insist on one; see :func:`find_renderer`.
        args, options: those of ``graphviz.Digraph``.
    """

    def __init__(self, *args: Any, renderer: str = "", **options: Any) -> None:
        options.setdefault("format", "svg")
        super().__init__(*args, **options)
        self.layout_renderer = renderer

    def pipe(self, format: str | None = None, **options: Any) -> Any:
        """The picture as bytes (as text with ``encoding=``).

        Args:
            format: "svg", "png", or "pdf" where `dot` is installed.
            options: ``encoding``; others of graphviz change nothing.

        Raises:
            RendererError: without a renderer for the format, and when each of them fails. Where
                `dot` fails and graphviz-pure does not, that is a warning, unless one of them was
                asked for by name.
        """
        chosen = _checked_format(format or self.format)
        picture = _rendered(self.source, self.layout_renderer, chosen)
        encoding = options.get("encoding")
        return picture.decode(encoding) if encoding else picture

    def render(self, filename: Any = None, directory: Any = None, view: bool = False,
               format: str | None = None, outfile: Any = None, **options: Any) -> str:
        """Write the picture to a file and return its path.

        Args:
            filename: the path; its suffix, .svg, .png or .pdf, says the format. Without one the
                format's suffix is added.
            directory: a folder that filename is in.
            view: whether to open it in the system's viewer.
            format: "svg", "png", or "pdf" where `dot` is installed; it goes before the suffix.
            outfile: another name for filename.
            options: others of graphviz, which change nothing.

        Raises:
            RendererError: for a suffix or format that cannot be written, such as .jpg, and without
                a renderer for the format; no file is written then.
            ValueError: for a path that names no file.
        """
        path = Path(outfile or filename or self.filename or "graph")
        if directory is not None:
            path = Path(directory) / path
        if not path.name:
            raise ValueError(f"{path} is a folder; give a file in it a name")
        suffix = path.suffix[1:].lower()
        if format is None and suffix and suffix[0].isalpha():  # "loss 0.5" has no suffix
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
    if format not in formats():
        raise RendererError(f"cannot write {format!r}; choose one of {', '.join(formats())}, for "
                            "example .render('graph.png')")
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
