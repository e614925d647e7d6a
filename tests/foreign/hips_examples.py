"""The examples of HIPS autograd as programs: imports changed, sizes and trainings made small."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autograd import adopt

from . import example_names, judging
from .documented import quiet
from .judging import Outcome, SlowError, limited, said

SECONDS = 60  # for one example
N_IMAGES = 12  # drawn in the place of a data set that is fetched

LEFT_OUT = ("__init__.py", "data.py", "data_mnist.py",
            "dot_graph.py", "print_trace.py")  # of HIPS autograd's own tracer
OURS = "tests.foreign.example_names"
CHANGES = (
    (r"^import autograd\.scipy\.signal$", "import scipy.signal"),
    (r"\bautograd\.numpy\b", "numpy"), (r"\bautograd\.scipy\b", "scipy"),
    (r"^import scipy\.stats\.(\w+) as", r"from scipy.stats import \1 as"),
    (r"^(\s*)from autograd(\.\w+)* import", rf"\1from {OURS} import"),
    (r"^from scipy\.optimize import minimize", f"from {OURS} import minimize"))

# What is smaller than it was written; a network keeps its layers.
SMALLER = {
    "bayesian_neural_net": ((r"\[1, 20, 20, 1\]", "[1, 3, 3, 1]"),
                            (r"num_samples=20\b", "num_samples=3")),
    "bayesian_optimization": ((r"num_iters=20", "num_iters=3"), (r"num_tries=15", "num_tries=2")),
    "black_box_svi": ((r"num_samples=2000", "num_samples=20"),),
    "natural_gradient_black_box_svi": ((r"num_samples=2000", "num_samples=4"),
                                       (r"obs_dim = 20", "obs_dim = 3")),
    "deep_gaussian_process": ((r"n_data = 20", "n_data = 6"),),
    "gaussian_process": ((r"n_data=20", "n_data=8"),),
    "gplvm": ((r"num_per_class=30", "num_per_class=3"),),
    "gmm": ((r"num_per_class=100", "num_per_class=5"), (r"num_components=10", "num_components=3")),
    "hmm_em": ((r"num_states = 20", "num_states = 3"), (r"max_lines=60", "max_lines=4"),
               (r"x0, x1 = x1, f\(x1\)", "return f(x1)")),
    "ica": ((r"observed_dimension = 100", "observed_dimension = 5"),
            (r"n_samples = 200", "n_samples = 6"), (r"plt.pause\(20\)", "")),
    "lstm": ((r"state_size=40", "state_size=2"), (r"max_lines=60", "max_lines=4"),
             (r"sequence_length=30", "sequence_length=4"),
             (r"num_letters = 30", "num_letters = 2")),
    "rnn": ((r"state_size=40", "state_size=2"), (r"max_lines=60", "max_lines=4"),
            (r"sequence_length=30", "sequence_length=4"), (r"num_letters = 30", "num_letters = 2")),
    "mixture_variational_inference": ((r"num_samples=40, k=10", "num_samples=4, k=3"),),
    "negative_binomial_maxlike": ((r"size=1000", "size=40"),),
    "neural_net": ((r"784, 200, 100, 10", "784, 3, 3, 10"),
                   (r"batch_size = 256", "batch_size = 4")),
    "generative_adversarial_net": ((r"noise_dim, 200, 784", "noise_dim, 3, 784"),
                                   (r"784, 200, 1\b", "784, 3, 1"),
                                   (r"batch_size = 100", "batch_size = 4"),
                                   (r"num_epochs = 50", "num_epochs = 1")),
    "variational_autoencoder": ((r"300, 200", "3, 3"), (r"200, 300", "3, 3"),
                                (r"latent_dim = 10", "latent_dim = 2"),
                                (r"batch_size = 200", "batch_size = 4")),
    "convnet": ((r"num_epochs = 50", "num_epochs = 1"), (r"batch_size = 256", "batch_size = 6"),
                (r"\(5, 5\), 6", "(5, 5), 1"), (r"\(5, 5\), 16", "(5, 5), 1")),
    "ode_net": ((r"N = 30", "N = 5"), (r"D, 150, D", "D, 4, D")),
    "rkhs": ((r"range\(100\)", "range(3)"),),
    "sinusoid": ((r"-10, 10, 100", "-10, 10, 13"),),
    "tanh": ((r"-7, 7, 700", "-7, 7, 21"),),
    "fluidsim": ((r"simulation_timesteps = 100", "simulation_timesteps = 2"),
                 (r"\[:, :, 0\]", "[::4, ::4, 0]"), (r"\[::2, ?::2\]", "[::8, ::8]")),
    "wing": ((r"rows, cols = 40, 60", "rows, cols = 14, 12"),
             (r"simulation_timesteps = 20", "simulation_timesteps = 1"),
             (r"range\(50\)", "range(3)")),
}


def outcomes(source: Path, place: Path) -> Iterator[Outcome]:
    """What comes of each example, run as a program.

    It is right where it ends and the gradients that it takes agree with differences.

    Args:
        source: the folder of the examples.
        place: a folder in which the changed files are written, and pictures by them.
    """
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(source, place)
    paths = sorted(place.rglob("*.py"))
    for path in paths:
        text = path.read_text()
        for pattern, replacement in (*CHANGES, *SMALLER.get(path.stem, ())):
            text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
        path.write_text(text)
    os.chdir(place)
    sys.path.insert(0, str(place))
    _without_outside()
    modules = [path.stem for path in paths if path.name not in LEFT_OUT or path.stem == "data"]
    for path in paths:
        if path.name not in LEFT_OUT:
            yield _run(path, modules)


def _run(path: Path, modules: Sequence[str]) -> Outcome:
    before = next(example_names.CHECKED)
    try:
        with quiet(), limited(SECONDS):
            adopt(_as_main(path), also=modules)
    except SlowError as error:
        return Outcome(path.stem, "slow" if judging.COMPILED else "unclear", str(error))
    except Exception as error:  # whatever an example makes of a Value is the finding
        kind = "refused"
        if "the derivative is" in str(error):
            kind = "other" if judging.COMPILED else "wrong"
        return Outcome(path.stem, kind, said(error))
    if next(example_names.CHECKED) - before < 2:
        return Outcome(path.stem, "unclear", "it takes no gradient of plain numbers")
    return Outcome(path.stem, "same" if judging.COMPILED else "right")


def _as_main(path: Path) -> str:
    """A copy of an example that does, when it is imported, what it does as a program."""
    again = path.with_name(f"{path.stem}_as_program.py")
    again.write_text(path.read_text().replace('if __name__ == "__main__":', "if True:"))
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    return again.stem


def _without_outside() -> None:
    """No window, no waiting, no other programs, no download; draws that can be repeated."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.pause = lambda seconds: None
    os.system = lambda command: 0
    np.random.RandomState = example_names.RandomState
    images = ModuleType("data_mnist")
    images.mnist = _images  # type: ignore[attr-defined]
    sys.modules["data_mnist"] = images
    time.sleep = lambda seconds: None


def _images() -> tuple[Any, ...]:
    draw = np.random.default_rng(0)
    return tuple(part for _ in range(2) for part in (
        draw.integers(0, 256, (N_IMAGES, 28, 28)), draw.integers(0, 10, N_IMAGES)))
