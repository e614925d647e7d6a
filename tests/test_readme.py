"""The README's code runs, and prints what its comments say."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def promised_output(code: str) -> list[str]:
    """What the comments behind ``print(...)`` promise, in order."""
    return [match.group(1).rstrip() for match in re.finditer(r"^\s*print\(.*?\)\s+# (.*)$", code,
                                                             flags=re.MULTILINE)]


def test_readme_has_code_with_printed_numbers() -> None:
    assert BLOCKS
    assert promised_output(BLOCKS[0])


@pytest.mark.parametrize("code", BLOCKS, ids=[f"block{i}" for i in range(len(BLOCKS))])
def test_readme_code_prints_what_its_comments_say(
        code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert printed.getvalue().splitlines() == promised_output(code)


def test_readme_pictures_exist() -> None:
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README)
    assert len(pictures) >= 2
    for picture in pictures:
        assert (Path(__file__).parent.parent / picture).is_file(), picture


def test_readme_names_the_two_commands() -> None:
    commands = re.findall(r"^python3 -m venv .*$", README, flags=re.MULTILINE)
    assert len(commands) == 2
    assert commands[0].endswith("-m nn moons --plot moons.png")
    assert commands[1].endswith("-m tests")


def test_the_tree_names_every_module() -> None:
    root = Path(__file__).parent.parent
    tree = README[README.index("```\nautograd/\n"):]
    words = set(re.findall(r"\w+", tree[:tree.index("\n```")]))
    for package in ("autograd", "nn"):
        for path in (root / package).rglob("*.py"):
            assert path.stem == "__init__" or path.stem in words, path.relative_to(root)
