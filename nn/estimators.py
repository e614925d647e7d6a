"""MLPClassifier and MLPRegressor: networks of this library as estimators of scikit-learn.

They keep scikit-learn's conventions, so its pipelines, searches and validations take them; the
parameters have the names that its own estimators of these names have. This module needs the extra
``sklearn``, and is loaded when one of the two is first asked for.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils import check_random_state, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "nn.MLPClassifier and nn.MLPRegressor need scikit-learn 1.6 or newer; install the extra: "
        "pip install 'chainrule[sklearn]'") from error

from autograd.core import primitives
from autograd.core.primitives import TABLE
from autograd.core.typing import Array
from autograd.core.validation import not_negative, whole
from autograd.core.value import assign
from nn.layers import MLP, layers_of
from nn.losses import (
    Loss,
    binary_cross_entropy_with_logits,
    cross_entropy,
    mean_squared_error,
)
from nn.optimizers import SGD, Adagrad, Adam, Optimizer, RMSprop
from nn.training import History
from nn.training import fit as train

ACTIVATIONS = {"identity": "linear", "logistic": "sigmoid"}  # scikit-learn's names, and ours
LARGEST_AUTO_BATCH = 200


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """What both share: the parameters, the training, the answers as arrays."""

    model_: MLP
    loss_curve_: list[float]
    _optimizer: Optimizer
    _random_state: Any

    def __init__(self, hidden_layer_sizes: Any = (100,), activation: Any = "relu", *,
                 solver: str = "adam", alpha: float = 1e-4, batch_size: Any = "auto",
                 learning_rate_init: Any = 1e-3, max_iter: int = 200, random_state: Any = None,
                 tol: float = 1e-4, verbose: bool = False, warm_start: bool = False,
                 momentum: float = 0.9, n_iter_no_change: int = 10) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.n_iter_no_change = n_iter_no_change

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each layer, shape (inputs, neurons)."""
        return [np.array([[w.data for w in neuron.w] for neuron in layer]).T
                for layer in layers_of(self.model_)]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer, shape (neurons,)."""
        return [np.array([neuron.b.data for neuron in layer if neuron.b is not None])
                for layer in layers_of(self.model_)]

    @property
    def n_iter_(self) -> int:
        """How many epochs were trained."""
        return len(self.loss_curve_)

    @property
    def loss_(self) -> float:
        """The loss of the last epoch, as it was met."""
        return float(self.loss_curve_[-1])

    @property
    def n_layers_(self) -> int:
        """How many layers there are, that of the inputs included."""
        return len(self.model_.layers) + 1

    def _trained(self, X: Array, targets: list[Any], outputs: int, epochs: int,
                 patience: int | None, is_continued: bool) -> History:
        """Train a model, a new one or that which is there; on an error nothing is changed.

        Args:
            X, targets: plain numbers that were checked.
            outputs: how many answers the model gives to a row.
            epochs: the most that there may be.
            patience: as ``nn.fit`` takes it.
            is_continued: whether to go on with the model and the optimizer that are there.

        Raises:
            TypeError, ValueError: for parameters that do not fit, and where the loss or a gradient
                is no longer finite.
        """
        alpha = not_negative(self.alpha, "alpha")
        tolerance = not_negative(self.tol, "tol")
        size = (min(LARGEST_AUTO_BATCH, len(X)) if isinstance(self.batch_size, str)
                and self.batch_size == "auto" else min(whole(self.batch_size, "batch_size", 1),
                                                       len(X)))
        if is_continued:
            random, model, optimizer = self._random_state, self.model_, self._optimizer
            curve = self.loss_curve_
        else:
            random = check_random_state(self.random_state)
            model = self._new_model(X.shape[1], outputs, random)
            optimizer = self._new_optimizer(model)
            curve = []
        _set_penalty(optimizer, model, alpha / size)
        before = model.state_dict(), optimizer.state_dict()
        history = train(model, X.tolist(), targets, loss=self._loss(outputs), optimizer=optimizer,
                        epochs=epochs, batch_size=size, seed=int(random.randint(2**31 - 1)),
                        patience=patience, tolerance=tolerance, progress=bool(self.verbose))
        if history.stopped.startswith("diverged"):
            model.load_state_dict(before[0])
            optimizer.load_state_dict(before[1])
            raise ValueError(f"the training {history.stopped}; is X scaled? StandardScaler in a "
                             "Pipeline does it; or set a smaller learning_rate_init")
        self._random_state, self.model_, self._optimizer = random, model, optimizer
        self.loss_curve_ = curve + history.loss
        return history

    def _new_model(self, inputs: int, outputs: int, random: Any) -> MLP:
        """A network whose weights and biases are uniform within Glorot's bound.

        Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
        networks" (2010), equation 16; a third of the variance for the sigmoid, and the order of
        drawing, are scikit-learn's, so that a seed gives the numbers that it gives there.
        """
        sizes = [*_sizes(self.hidden_layer_sizes), outputs]
        name = self.activation
        known = ACTIVATIONS.get(name, name) if isinstance(name, str) else name
        model = MLP(inputs, sizes, known, seed=0)
        numbers: list[float] = []
        for layer in layers_of(model):
            fan_in, fan_out = len(layer[0].w), len(layer)
            bound = math.sqrt((2.0 if known == "sigmoid" else 6.0) / (fan_in + fan_out))
            weights = random.uniform(-bound, bound, (fan_in, fan_out))
            biases = random.uniform(-bound, bound, fan_out)
            numbers += np.vstack([weights, biases]).T.ravel().tolist()
        assign(model.parameters(), numbers)
        return model

    def _new_optimizer(self, model: MLP) -> Optimizer:
        if not isinstance(self.solver, str) or self.solver not in SOLVERS:
            raise ValueError(f"there is no solver {self.solver!r}; choose one of "
                             f"{', '.join(map(repr, SOLVERS))}")
        options = {"momentum": self.momentum} if self.solver == "sgd" else {}
        optimizer: Optimizer = SOLVERS[self.solver](model.parameters(), self.learning_rate_init,
                                                    **options)
        return optimizer

    def _loss(self, outputs: int) -> Loss:
        raise NotImplementedError

    def _fitted(self, X: Array, targets: list[Any], outputs: int, is_continued: bool) -> None:
        """Train until the loss stops falling."""
        epochs = whole(self.max_iter, "max_iter", 1)
        patience = whole(self.n_iter_no_change, "n_iter_no_change", 1)
        history = self._trained(X, targets, outputs, epochs, patience, is_continued)
        if not history.stopped.startswith("no smaller loss"):
            warnings.warn(f"the loss still fell when the training stopped: {history.stopped}; "
                          "a larger max_iter goes on", ConvergenceWarning, stacklevel=3)

    def _answers(self, X: Any) -> Array:
        """What the network answers to rows, shape (rows, outputs)."""
        check_is_fitted(self)
        answers: Array = validate_data(self, X, reset=False, dtype=np.float64)
        layers = zip(self.model_.layers, self.coefs_, self.intercepts_, strict=True)
        for layer, weights, biases in layers:
            answers = answers @ weights + biases
            name = layer.neurons[0].activation
            if name != "linear":
                answers = TABLE[name](answers)
        return answers


class MLPClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A network that tells classes apart, as an estimator of scikit-learn.

    Two classes are one logit with binary_cross_entropy_with_logits, more are a logit each with
    cross_entropy. Rows should be scaled, as for every network: a StandardScaler in a Pipeline.

    Args:
        hidden_layer_sizes: the number of neurons of each hidden layer; a number for one layer.
        activation: of the hidden layers: "relu", "tanh", "logistic" (also "sigmoid"), "identity"
            (also "linear"), or any primitive of one operand, by name or itself.
        solver: "adam", "sgd", "rmsprop" or "adagrad".
        alpha: adds alpha / (2 * batch_size) times the sum of the squares of all weights, not of the
            biases, to what is minimized.
        batch_size: rows between two steps of the optimizer; "auto" is 200, or all if there are
            fewer.
        learning_rate_init: the learning rate, or a schedule (``nn.schedules``) over the steps.
        max_iter: the most epochs; a ConvergenceWarning says that the loss still fell then.
        random_state: of the first weights and the order of rows: a whole number makes every fit
            the same, None none, a RandomState is drawn from.
        tol, n_iter_no_change: the training ends after so many epochs in which the loss did not
            become smaller by more than tol.
        verbose: show a bar.
        warm_start: whether the next ``fit`` begins with the weights that are there.
        momentum: of "sgd", from 0 to below 1.

    Attributes:
        classes_: the labels, sorted, shape (classes,).
        model_: the trained ``nn.MLP``; its answers are logits. It may be drawn and explained.
        coefs_, intercepts_: the weights and biases of each layer, as arrays.
        loss_curve_: the mean loss of each epoch, without alpha's part; loss_ is the last.
        n_iter_: the number of epochs.
        n_layers_: the number of layers, that of the inputs included.
        n_features_in_, feature_names_in_: as in every estimator.
    """

    classes_: Array

    def fit(self, X: Any, y: Any) -> MLPClassifier:
        """Train the network.

        Args:
            X: the rows, shape (n, features), finite numbers.
            y: the class of each row, shape (n,): numbers, texts or anything that can be sorted.

        Raises:
            ValueError: for data that do not fit, for fewer than two classes, and for a training
                that diverges.
        """
        is_continued = bool(self.warm_start) and hasattr(self, "model_")
        X, y = self._checked(X, y, reset=True)
        classes = np.unique(y)
        if is_continued and not np.array_equal(classes, self.classes_):
            raise ValueError(f"warm_start goes on with the classes {self.classes_.tolist()}, but y "
                             f"has {classes.tolist()}")
        targets, outputs = _class_targets(y, classes)
        self._fitted(X, targets, outputs, is_continued)
        self.classes_ = classes
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> MLPClassifier:
        """One epoch over some rows, with the weights and the optimizer as they are.

        Args:
            X, y: as ``fit`` takes them.
            classes: all labels that any call may bring; needed in the first one.

        Raises:
            ValueError: for data that do not fit, labels that are not among the classes, and other
                classes than in the first call.
        """
        is_continued = hasattr(self, "model_")
        if not is_continued and classes is None:
            raise ValueError("the first partial_fit needs classes=: all labels that there are")
        known = self.classes_ if classes is None else np.unique(classes)
        if is_continued and not np.array_equal(known, self.classes_):
            raise ValueError(f"the classes are {self.classes_.tolist()} since the first fit, not "
                             f"{known.tolist()}")
        X, y = self._checked(X, y, reset=not is_continued)
        targets, outputs = _class_targets(y, known)
        self._trained(X, targets, outputs, 1, None, is_continued)
        self.classes_ = known
        return self

    def predict(self, X: Any) -> Array:
        """The class of each row, shape (n,).

        Args:
            X: rows, shape (n, inputs).
        """
        answers = self._answers(X)
        chosen = answers[:, 0] > 0.0 if answers.shape[1] == 1 else np.argmax(answers, axis=1)
        found: Array = self.classes_[np.asarray(chosen, dtype=int)]
        return found

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, shape (n, classes), in the order of ``classes_``.

        Args:
            X: rows, shape (n, inputs).
        """
        probabilities: Array = np.exp(self.predict_log_proba(X))
        return probabilities

    def predict_log_proba(self, X: Any) -> Array:
        """Their logarithms, finite also where a probability is 0.

        Args:
            X: rows, shape (n, inputs).
        """
        logits = self._answers(X)
        if logits.shape[1] == 1:  # of the second class; beside it 0 for the first
            logits = np.hstack([np.zeros_like(logits), logits])
        logarithms: Array = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        return logarithms

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
        X, y = validate_data(self, X, y, reset=reset, dtype=np.float64)
        check_classification_targets(y)
        return X, column_or_1d(y, warn=True)

    def _loss(self, outputs: int) -> Loss:
        return binary_cross_entropy_with_logits if outputs == 1 else cross_entropy


class MLPRegressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """A network that answers with numbers, as an estimator of scikit-learn.

    It minimizes half the squared error, summed over the outputs. Rows and targets should be scaled,
    as for every network: StandardScaler in a Pipeline, and a TransformedTargetRegressor.

    Args:
        hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate_init, max_iter,
        random_state, tol, n_iter_no_change, verbose, warm_start, momentum: as for MLPClassifier.

    Attributes:
        model_, coefs_, intercepts_, loss_curve_, loss_, n_iter_, n_layers_, n_features_in_,
        feature_names_in_: as of MLPClassifier.
    """

    def fit(self, X: Any, y: Any) -> MLPRegressor:
        """Train the network.

        Args:
            X: the rows, shape (n, features), finite numbers.
            y: the targets, shape (n,), or (n, outputs) for several numbers a row.

        Raises:
            ValueError: for data that do not fit, and for a training that diverges.
        """
        is_continued = bool(self.warm_start) and hasattr(self, "model_")
        self._fitted(*self._checked(X, y, reset=True, is_continued=is_continued), is_continued)
        return self

    def partial_fit(self, X: Any, y: Any) -> MLPRegressor:
        """One epoch over some rows, with the weights and the optimizer as they are.

        Args:
            X, y: as ``fit`` takes them.

        Raises:
            ValueError: for data that do not fit.
        """
        is_continued = hasattr(self, "model_")
        data = self._checked(X, y, reset=not is_continued, is_continued=is_continued)
        self._trained(*data, 1, None, is_continued)
        return self

    def predict(self, X: Any) -> Array:
        """The answer to each row, shape (n,), or (n, outputs) for several of them.

        Args:
            X: rows, shape (n, inputs).
        """
        answers = self._answers(X)
        found: Array = answers[:, 0] if answers.shape[1] == 1 else answers
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _checked(self, X: Any, y: Any, reset: bool,
                 is_continued: bool) -> tuple[Array, list[Any], int]:
        """The rows, the targets, and how many numbers each of them is."""
        X, y = validate_data(self, X, y, reset=reset, dtype=np.float64, multi_output=True,
                             y_numeric=True)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        outputs = 1 if y.ndim == 1 else y.shape[1]
        if is_continued and outputs != (before := len(self.model_.layers[-1].neurons)):
            raise ValueError(f"the model gives {before} number(s) a row, but y has {outputs}")
        return X, y.astype(float).tolist(), outputs

    def _loss(self, outputs: int) -> Loss:
        return HALF_SQUARED_ERROR


def _half_squared_error(answer: Any, target: Any) -> Any:
    if isinstance(answer, list | tuple):
        return primitives.sum([_half_squared_error(a, t)
                               for a, t in zip(answer, target, strict=True)])
    difference = answer - target
    return 0.5 * difference * difference


HALF_SQUARED_ERROR = Loss("half_squared_error", _half_squared_error, mean_squared_error.check,
                          scores="any")


def _sizes(hidden_layer_sizes: Any) -> list[int]:
    given = (hidden_layer_sizes if isinstance(hidden_layer_sizes, Iterable)
             else [hidden_layer_sizes])
    return [whole(size, "every number in hidden_layer_sizes", 1) for size in given]


def _class_targets(y: Array, classes: Array) -> tuple[list[Any], int]:
    """The targets of the loss, and how many logits it takes.

    Raises:
        ValueError: for labels that are no classes, and for fewer than two classes.
    """
    if len(classes) < 2:
        raise ValueError(f"a classifier needs at least two classes, but y has only one class: "
                         f"{classes.tolist()[0]!r}")
    foreign = np.setdiff1d(y, classes)
    if len(foreign):
        raise ValueError(f"y has the labels {foreign.tolist()}, which are not among the classes "
                         f"{classes.tolist()}")
    return np.searchsorted(classes, y).tolist(), 1 if len(classes) == 2 else len(classes)


# --- optimizers that pull weights towards 0, and leave biases alone -------------------------------

class _Penalized(Optimizer):
    """The slope of the penalty is added to the gradient.

    Its factor is that of the weight, 0 for a bias; so it stands among what is remembered of each
    parameter, where a compiled rule finds it.
    """

    def rule(self, number: Any, gradient: Any, memory: dict[str, Any],
             scalars: Sequence[Any]) -> tuple[Any, dict[str, Any]]:
        """One step; see :meth:`Optimizer.rule`."""
        penalty = memory["penalty"]
        moved, remembered = super().rule(number, gradient + penalty * number, memory, scalars)
        return moved, {**remembered, "penalty": penalty}


class _SGD(_Penalized, SGD):
    memories = (*SGD.memories, "penalty")


class _Adam(_Penalized, Adam):
    memories = (*Adam.memories, "penalty")


class _RMSprop(_Penalized, RMSprop):
    memories = (*RMSprop.memories, "penalty")


class _Adagrad(_Penalized, Adagrad):
    memories = (*Adagrad.memories, "penalty")


SOLVERS: dict[str, Any] = {"adam": _Adam, "sgd": _SGD, "rmsprop": _RMSprop, "adagrad": _Adagrad}


def _set_penalty(optimizer: Optimizer, model: MLP, factor: float) -> None:
    factors = [factor * is_weight for layer in layers_of(model) for neuron in layer
               for is_weight in [1.0] * len(neuron.w) + [0.0]]
    optimizer.advance(0, {**optimizer.memory(), "penalty": np.array(factors)})


__all__ = ["MLPClassifier", "MLPRegressor"]
