"""The command line: ``python -m nn moons --plot moons.png`` trains a small network and draws it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograd.core.validation import positive, whole
from nn import datasets, schedules
from nn.layers import MLP
from nn.optimizers import OPTIMIZERS, Optimizer
from nn.training import History, fit


@dataclass(frozen=True)
class Demonstration:
    """A data set of the plane, and the network and the training that suit it."""

    make: Callable[[int], datasets.Dataset]
    hidden: tuple[int, ...]
    activation: str
    loss: str
    optimizer: str
    learning_rate: float
    final_rate: float
    epochs: int
    l2: float

    def describe_loss(self) -> str:
        """The objective in words."""
        name = self.loss.replace("_", " ")
        return f"{name} + {self.l2:g} * sum of squares" if self.l2 else name


DEMONSTRATIONS = {
    # micrograd's demo: hinge loss, L2, a rate that falls from 1.0 to 0.1 over 100 steps
    "moons": Demonstration(lambda seed: datasets.moons(seed=seed), (16, 16), "relu", "hinge", "sgd",
                           1.0, 0.1, 100, 1e-4),
    "circles": Demonstration(lambda seed: datasets.circles(seed=seed), (16, 16), "relu", "hinge",
                             "sgd", 1.0, 0.1, 100, 1e-4),
    "spirals": Demonstration(lambda seed: datasets.spirals(seed=seed), (16, 16), "tanh", "hinge",
                             "adam", 0.03, 0.003, 250, 1e-4),
    "xor": Demonstration(lambda seed: datasets.xor(), (8,), "tanh",
                         "binary_cross_entropy_with_logits", "adam", 0.1, 0.01, 200, 0.0),
}

PICTURES = (".png", ".svg", ".pdf")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        0, or 2 when the arguments cannot be used or a file cannot be written.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    for path in (options.plot, options.save):
        if path is not None and not path.absolute().parent.is_dir():
            parser.error(f"there is no folder {path.parent} to write {path.name} into")
        if path is not None and path.is_dir():
            parser.error(f"{path} is a folder; give a file in it a name")
    if options.plot is not None and options.plot.suffix not in PICTURES:
        parser.error(f"--plot writes {', '.join(PICTURES)}, not {options.plot.name!r}")
    if options.plot is not None and find_spec("matplotlib") is None:
        parser.error('--plot needs matplotlib; pip install "chainrule[plot]", or leave it out')
    demonstration = DEMONSTRATIONS[options.dataset]
    X, y = demonstration.make(options.seed)
    model = MLP(2, [*demonstration.hidden, 1], demonstration.activation, seed=options.seed)
    epochs = options.epochs or demonstration.epochs
    print(_headline(options.dataset, demonstration, model, len(X), options.seed))
    began = time.perf_counter()
    history = fit(model, X, y, loss=demonstration.loss, epochs=epochs, l2=demonstration.l2,
                  optimizer=_optimizer(demonstration, model, epochs, options.learning_rate))
    _report(history, time.perf_counter() - began)
    failed = 0
    if options.save is not None:
        failed = _written("parameters", options.save, lambda: model.save(options.save))
    if options.plot is not None and len(history):
        failed |= _written("picture", options.plot, lambda: _plot(
            options.dataset, model, X, y, history, options.plot))
    return failed


def _written(what: str, path: Path, write: Callable[[], None]) -> int:
    """Write a file; if that fails the other one is not lost."""
    try:
        write()
    except OSError as error:
        print(f"error: no {what} in {path}: {error}", file=sys.stderr)
        return 2
    print(f"{what} in {path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m nn", description="Train a small network on points of the plane.")
    parser.add_argument("dataset", choices=DEMONSTRATIONS, help="what to learn")
    parser.add_argument("--plot", type=Path, metavar="FILE",
                        help="write decision boundary and loss curve (.png, .svg or .pdf)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the parameters")
    parser.add_argument("--epochs", type=_number(int, whole, 1), metavar="N",
                        help="how often to visit all points")
    parser.add_argument("--seed", type=_number(int, whole), default=1, metavar="N",
                        help="of the points and of the weights (default: 1)")
    parser.add_argument("--learning-rate", type=_number(float, positive), metavar="RATE",
                        help="a constant rate; by default it falls to a tenth of its start")
    return parser


def _number(read: Callable[[str], Any], check: Callable[..., Any], *bounds: int,
            ) -> Callable[[str], Any]:
    """An argument's type: how its text is read, and a check of the number."""
    def checked(text: str) -> Any:
        try:
            number = read(text)
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"it must be a {'whole ' if read is int else ''}number, not {text!r}") from None
        try:
            return check(number, "it", *bounds)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _optimizer(demonstration: Demonstration, model: MLP, epochs: int,
               learning_rate: float | None) -> Optimizer:
    rate: Any = learning_rate if learning_rate is not None else schedules.linear(
        demonstration.learning_rate, demonstration.final_rate, epochs)
    return OPTIMIZERS[demonstration.optimizer](model.parameters(), rate)


def _headline(name: str, demonstration: Demonstration, model: MLP, points: int, seed: int) -> str:
    sizes = "-".join(map(str, (2, *demonstration.hidden, 1)))
    return (f"{name}: {points} points, network {sizes} ({demonstration.activation}, "
            f"{len(model.parameters())} parameters), seed {seed}\n"
            f"minimizing {demonstration.describe_loss()}\n")


def _report(history: History, seconds: float) -> None:
    """Ten lines of the history, and how it ended."""
    sys.stderr.flush()
    print("\nepoch      loss   accuracy")
    for epoch in _milestones(len(history)):
        print(f"{epoch:>5}  {history.loss[epoch - 1]:8.4f}  {history.accuracy[epoch - 1]:8.1%}")
    if len(history):
        print(f"\nfinal loss {history.loss[-1]:.4f}, accuracy {history.accuracy[-1]:.1%}, "
              f"after {len(history)} epochs in {seconds:.1f} s ({history.stopped})")
    else:
        print(f"\nno epoch was finished ({history.stopped})")


def _milestones(epochs: int) -> list[int]:
    """About ten epochs, the first and the last among them."""
    return sorted({1, *(round(epochs * i / 10) or 1 for i in range(1, 11))}) if epochs else []


def _plot(name: str, model: MLP, X: Any, y: Any, history: History, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")  # a file is written, no window needed
    import matplotlib.pyplot as plt

    from autograd.plotting.functions import plot_decision_boundary, plot_history

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6),
                                         layout="constrained", gridspec_kw={"wspace": 0.08})
    # The scores of xor are logits; those of the other sets have the classes -1 and 1.
    plot_decision_boundary(model, X, y, ax=left, threshold=0.0)
    left.set_title(f"{name}: decision boundary")
    plot_history(history, ax=right)
    right.set_title("loss and accuracy")
    figure.savefig(path, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    raise SystemExit(main())
