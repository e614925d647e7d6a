"""The estimators of scikit-learn: its own checks, its own networks as an oracle, its tools."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

import autograd
import nn

pytest.importorskip("sklearn")

from sklearn import neural_network as theirs
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": (5,), "random_state": 0}
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(40, 3))
TWO = np.where(X[:, 0] * X[:, 1] > 0, "yes", "no")
THREE = np.digitize(X[:, 0] + X[:, 2], [-0.7, 0.7])
NUMBERS = X[:, 0] * X[:, 1] - X[:, 2]
PAIRS = np.column_stack([NUMBERS, X[:, 0] ** 2])
TASKS = [("MLPClassifier", TWO), ("MLPClassifier", THREE), ("MLPRegressor", NUMBERS),
         ("MLPRegressor", PAIRS)]
IDS = ["two classes", "three classes", "one number", "two numbers"]


def answers(estimator, rows):
    """The probabilities of classes, or the numbers."""
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(rows)
    return estimator.predict(rows)


# --- scikit-learn's own checks -------------------------------------------------------------------

@pytest.mark.parametrize("kind", [nn.MLPClassifier, nn.MLPRegressor])
def test_every_check_of_scikit_learn_passes(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(kind((10,), max_iter=60, learning_rate_init=0.02), on_skip=None)
    outcomes = {result["check_name"]: result["status"] for result in results}
    assert len(outcomes) > 40
    left_out = {name for name, status in outcomes.items() if status != "passed"}
    # What needs pandas, or is asked for by an environment variable.
    assert all("not_an_array" in name or "array_api" in name for name in left_out), left_out


# --- the same training as theirs -----------------------------------------------------------------

def assert_like(ours, theirs, solver):
    """Adam's epsilon stands in another place there: 30 steps of 0.01 may end 1e-4 apart."""
    rtol, atol = (0.0, 5e-4) if solver == "adam" else (1e-9, 1e-12)
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


@pytest.mark.parametrize("options", [
    {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.3},
    {"solver": "adam", "learning_rate_init": 0.01, "activation": "tanh"},
    {"solver": "adam", "learning_rate_init": 0.01, "activation": "logistic", "alpha": 3.0},
    {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1, "activation": "identity",
     "hidden_layer_sizes": (4, 3), "alpha": 5.0},
], ids=lambda options: f"{options['solver']} {options.get('activation', 'relu')}")
@pytest.mark.parametrize(("kind", "y"), TASKS, ids=IDS)
def test_the_same_seed_gives_the_network_of_scikit_learn(kind, y, options):
    settings = {**SMALL, "max_iter": 30, "batch_size": 40, "tol": 0.0, **options}
    ours = getattr(nn, kind)(**settings).fit(X, y)
    expected = getattr(theirs, kind)(**settings).fit(X, y)
    for found, wanted in zip([*ours.coefs_, *ours.intercepts_],
                             [*expected.coefs_, *expected.intercepts_], strict=True):
        assert_like(found, wanted, options["solver"])
    assert_like(answers(ours, X), answers(expected, X), options["solver"])
    assert_like(ours.score(X, y), expected.score(X, y), options["solver"])
    assert ours.n_layers_ == expected.n_layers_ and ours.n_iter_ == expected.n_iter_ == 30


@pytest.mark.parametrize(("kind", "y"), TASKS, ids=IDS)
def test_partial_fit_is_an_epoch_as_theirs_is(kind, y):
    settings = {**SMALL, "batch_size": 40, "learning_rate_init": 0.02}
    more = {"classes": np.unique(y)} if kind == "MLPClassifier" else {}
    ours, expected = getattr(nn, kind)(**settings), getattr(theirs, kind)(**settings)
    for _ in range(5):
        ours.partial_fit(X, y, **more)
        expected.partial_fit(X, y, **more)
    assert_like(answers(ours, X), answers(expected, X), "adam")
    assert ours.n_iter_ == 5


def test_log_probabilities_stay_finite():
    model = nn.MLPClassifier(**SMALL, max_iter=3).fit(X, THREE)
    far = model.predict_log_proba(X * 1e5)
    assert np.all(np.isfinite(far)) and far.min() < -1000.0
    two = nn.MLPClassifier(**SMALL, max_iter=3).fit(X, TWO)
    assert np.all(np.isfinite(two.predict_log_proba(X * 1e5)))
    np.testing.assert_allclose(two.predict_proba(X).sum(axis=1), 1.0, rtol=1e-14)


# --- its tools -----------------------------------------------------------------------------------

def test_pipeline_search_and_cross_validation():
    rows, labels = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), nn.MLPClassifier(
        (6,), learning_rate_init=0.05, max_iter=60, random_state=0))
    assert cross_val_score(model, rows, labels, cv=3).min() > 0.9
    search = GridSearchCV(model, {"mlpclassifier__hidden_layer_sizes": [(1,), (8,)],
                                  "mlpclassifier__solver": ["adam", "rmsprop"]}, cv=3)
    search.fit(rows, labels)
    assert search.best_score_ > 0.9
    assert search.best_params_["mlpclassifier__hidden_layer_sizes"] == (8,)


def test_clones_and_pickles():
    model = nn.MLPRegressor(**SMALL, max_iter=20).fit(X, NUMBERS)
    unfitted = clone(model)
    assert unfitted.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        unfitted.predict(X)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(X), model.predict(X))
    assert np.array_equal(again.partial_fit(X, NUMBERS).predict(X),  # also the optimizer's state
                          model.partial_fit(X, NUMBERS).predict(X))


def test_random_state_decides_every_bit():
    def predicted(seed):
        return nn.MLPRegressor((5,), max_iter=5, batch_size=7, random_state=seed).fit(
            X, NUMBERS).predict(X)

    assert np.array_equal(predicted(3), predicted(3))
    assert not np.array_equal(predicted(3), predicted(4))
    assert not np.array_equal(predicted(None), predicted(None))
    assert np.array_equal(predicted(np.random.RandomState(3)), predicted(3))


# --- data ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("labels", [("b", "a"), (True, False), (-1, 1), (7, 3), (2.0, 5.0)])
def test_classes_may_be_labels_of_any_kind(labels):
    y = np.where(X[:, 0] > 0, labels[0], labels[1])
    model = nn.MLPClassifier((), solver="sgd", learning_rate_init=1.0, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model.classes_.tolist() == sorted(labels)
    assert model.predict(X).dtype == y.dtype
    column = model.classes_.tolist().index(labels[0])
    assert model.predict_proba([[5.0, 0.0, 0.0]])[0, column] > 0.99


def test_labels_that_are_objects():
    y = np.array(TWO, dtype=object)
    assert nn.MLPClassifier(**SMALL, max_iter=3).fit(X, y).predict(X).dtype == object


def test_a_column_of_targets_is_taken_with_a_warning():
    with pytest.warns(DataConversionWarning):
        model = nn.MLPRegressor(**SMALL, max_iter=3).fit(X, NUMBERS[:, None])
    assert model.predict(X).shape == (40,)


def test_an_activation_of_ones_own():
    swish = autograd.primitive("swish_of_estimators", lambda x: x * autograd.sigmoid(x),
                               lambda x, y: autograd.sigmoid(x) * (1.0 + x - y))
    try:
        model = nn.MLPRegressor((4,), activation=swish, max_iter=5, random_state=0).fit(X, NUMBERS)
        np.testing.assert_allclose(model.predict(X), model.model_.predict(X), rtol=1e-12)
    finally:
        del autograd.TABLE["swish_of_estimators"]


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity", "softplus"])
@pytest.mark.parametrize(("kind", "y"), TASKS, ids=IDS)
def test_predictions_are_the_answers_of_the_network(kind, y, activation):
    model = getattr(nn, kind)((4, 3), activation=activation, max_iter=1, random_state=1).fit(X, y)
    given = model.model_.predict(X)
    if kind == "MLPRegressor":
        np.testing.assert_allclose(model.predict(X), given, rtol=1e-12, atol=1e-14)
    else:
        chosen = given.argmax(axis=1) if given.ndim == 2 else (given > 0).astype(int)
        assert np.array_equal(model.predict(X), model.classes_[chosen])


# --- going on ------------------------------------------------------------------------------------

def test_warm_start_goes_on():
    once = nn.MLPRegressor(**SMALL, max_iter=20).fit(X, NUMBERS)
    twice = nn.MLPRegressor(**SMALL, max_iter=10, warm_start=True)
    twice.fit(X, NUMBERS).fit(X, NUMBERS)
    np.testing.assert_allclose(twice.predict(X), once.predict(X), rtol=1e-12)
    assert twice.loss_curve_ == pytest.approx(once.loss_curve_, rel=1e-12)
    assert twice.loss_ == twice.loss_curve_[-1]
    again = nn.MLPRegressor(**SMALL, max_iter=10)
    assert again.fit(X, NUMBERS).fit(X, NUMBERS).n_iter_ == 10


def test_a_training_ends_when_the_loss_stays():
    model = nn.MLPRegressor((), solver="sgd", learning_rate_init=0.2, momentum=0.0, max_iter=500,
                            tol=1e-6, n_iter_no_change=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit(X, X @ [1.0, -2.0, 0.5])
    assert 10 < model.n_iter_ < 500
    np.testing.assert_allclose(model.coefs_[0][:, 0], [1.0, -2.0, 0.5], rtol=1e-2)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        model.set_params(max_iter=5).fit(X, NUMBERS)


def test_a_training_that_diverges_is_an_error_and_changes_nothing():
    model = nn.MLPRegressor(**SMALL, solver="sgd", max_iter=20, warm_start=True).fit(X, NUMBERS)
    before = model.predict(X)
    with pytest.raises(ValueError, match="StandardScaler"):
        model.fit(1e200 * X, NUMBERS)
    assert np.array_equal(model.predict(X), before) and model.n_iter_ == 20


# --- errors --------------------------------------------------------------------------------------

@pytest.mark.parametrize(("options", "message"), [
    ({"solver": "lbfgs"}, "no solver 'lbfgs'"),
    ({"activation": "rleu"}, "no activation 'rleu'"),
    ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be at least 1"),
    ({"alpha": -1.0}, "alpha must be"),
    ({"batch_size": 0}, "batch_size must be at least 1"),
    ({"max_iter": 0}, "max_iter must be at least 1"),
    ({"learning_rate_init": -1.0}, "learning_rate must be"),
    ({"tol": -1.0}, "tol must be"),
])
def test_parameters_that_do_not_fit(options, message):
    model = nn.MLPRegressor().set_params(**options)  # no error before fit
    with pytest.raises(ValueError, match=message):
        model.fit(X, NUMBERS)
    assert not hasattr(model, "model_")


def test_labels_that_do_not_fit():
    with pytest.raises(ValueError, match="only one class"):
        nn.MLPClassifier().fit(X, np.ones(40))
    with pytest.raises(ValueError, match="classes="):
        nn.MLPClassifier().partial_fit(X, TWO)
    model = nn.MLPClassifier(**SMALL).partial_fit(X, TWO, classes=["no", "yes"])
    with pytest.raises(ValueError, match=r"labels \['perhaps'\]"):
        model.partial_fit(X[:2], ["yes", "perhaps"])
    with pytest.raises(ValueError, match="since the first fit"):
        model.partial_fit(X, TWO, classes=["no", "perhaps", "yes"])
    with pytest.raises(ValueError, match="warm_start goes on with the classes"):
        model.set_params(warm_start=True).fit(X, THREE)
    with pytest.raises(ValueError, match="gives 1 number"):
        nn.MLPRegressor(**SMALL).partial_fit(X, NUMBERS).partial_fit(X, PAIRS)


def test_without_scikit_learn_the_error_names_the_extra():
    code = ("import sys; sys.modules['sklearn'] = None; import nn; "
            "assert 'MLP' in dir(nn) and not hasattr(nn, 'nothing')\n"
            "try: nn.MLPClassifier\nexcept ImportError as error: print(error)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "chainrule[sklearn]" in done.stdout
