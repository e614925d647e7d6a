"""All checks of the project: ``python -m tests`` (further arguments go to pytest)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHECKS = {
    "ruff": ("-m", "ruff", "check", "."),
    "mypy": ("-m", "mypy"),
    # import-linter cannot be run with -m; its script may not be on the path.
    "import-linter": ("-c", "from importlinter.cli import lint_imports_command as lint; lint()",
                      "--no-cache"),
    # Each file of tests by one process, on all cores.
    "pytest": ("-m", "pytest", "-n", "auto", "--maxprocesses", "8", "--dist", "loadfile",
               "--durations", "25"),
}


def main(arguments: list[str]) -> int:
    """Run every check, also after one has failed; return 1 if any has."""
    failed = []
    for name, check in CHECKS.items():
        extra = arguments if name == "pytest" else []
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, *check, *extra], cwd=ROOT).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
