"""All checks of the project: ``python -m tests`` (further arguments go to pytest)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHECKS = (
    ("ruff", "check", "."),
    ("mypy",),
    ("pytest",),
)


def main(arguments: list[str]) -> int:
    """Run every check, also after one has failed; return 1 if any has."""
    failed = []
    for check in CHECKS:
        extra = arguments if check == ("pytest",) else []
        print(f"== {' '.join(check)}", flush=True)
        if subprocess.run([sys.executable, "-m", *check, *extra], cwd=ROOT).returncode:
            failed.append(check[0])
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
