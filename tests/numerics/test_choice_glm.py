"""Choice GLM against scikit-learn, closed forms and simulated habits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from neuroai.errors import DataError, UsageError
from neuroai.numerics.choice_glm import (
    choice_log_likelihood,
    fit_logistic,
    held_out_bits,
    history_columns,
)
from neuroai.testing import EXACT, STANDARD_ERRORS, readonly

# scikit-learn stops where the gradient is below 1e-10 of it.
CONVERGED = 1e-5


@pytest.fixture
def problem() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A biased observer's 2,000 choices by two predictors."""
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(2000), rng.normal(size=(2000, 2))])
    truth = np.array([0.4, 1.2, -0.6])
    return readonly(x), readonly((rng.random(2000) < expit(x @ truth)).astype(float)), truth


@pytest.mark.parametrize("penalty", [0.0, 3.0])
def test_equals_scikit_learn(problem, penalty):
    """The maximum, with and without a ridge on every column."""
    x, y, _ = problem
    peer = LogisticRegression(
        C=1 / penalty if penalty else 1e12, fit_intercept=False, tol=1e-10, max_iter=1000
    ).fit(x, y)
    found = fit_logistic(x, y, penalty=penalty)
    np.testing.assert_allclose(found.coefficients, peer.coef_[0], atol=CONVERGED)


def test_recovers_weights_within_their_errors(problem):
    """Weights lie within 4 of their standard errors of the truth."""
    x, y, truth = problem
    found = fit_logistic(x, y)
    assert (np.abs(found.coefficients - truth) < STANDARD_ERRORS * found.errors).all()
    assert (found.p < 1e-6).all()
    expected = choice_log_likelihood(x, y, found.coefficients).sum()
    np.testing.assert_allclose(found.log_likelihood, expected, atol=EXACT)


def test_gain_is_held_out(problem):
    """True predictors gain bits on trials left out; noise gains none, and never much."""
    x, y, _ = problem
    noise = np.column_stack([x[:, 0], np.random.default_rng(1).normal(size=(2000, 5))])
    assert held_out_bits(x, y) > 0.1
    assert -0.02 < held_out_bits(noise, y) < 0.005


def test_history_stays_within_its_sequence():
    """Lags do not reach into another session; right and wrong trials have columns of their own."""
    choice, correct = [1, 0, 1, 1], [1, 0, 1, 0]
    columns, known = history_columns(choice, correct, ["a", "a", "b", "b"], n_back=2)
    assert known.tolist() == [False] * 4
    assert columns.tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    columns, known = history_columns(choice, correct, ["a"] * 4, n_back=2)
    assert known.tolist() == [False, False, True, True]
    assert columns[3].tolist() == [1, 0, 0, -1]


def test_a_simulated_habit_is_found():
    """Win-stay shows as a positive weight of the last right choice, within 4 errors."""
    rng, n = np.random.default_rng(2), 4000
    stimulus, choice, correct = rng.normal(size=n), np.zeros(n), np.zeros(n)
    for i in range(n):
        habit = 0.8 * (2 * choice[i - 1] - 1) * correct[i - 1] if i else 0.0
        choice[i] = rng.random() < expit(1.5 * stimulus[i] + habit)
        correct[i] = choice[i] == (stimulus[i] > 0)
    columns, known = history_columns(choice, correct, np.zeros(n), n_back=1)
    found = fit_logistic(np.column_stack([np.ones(n), stimulus, columns])[known], choice[known])
    truth = np.array([0, 1.5, 0.8, 0])
    assert (np.abs(found.coefficients - truth) < STANDARD_ERRORS * found.errors).all()


def test_perfect_separation_needs_a_penalty():
    """A weight without a maximum is refused, and finite with a penalty."""
    x = np.column_stack([np.ones(6), [-3.0, -2, -1, 1, 2, 3]])
    y = np.array([0, 0, 0, 1, 1, 1])
    with pytest.raises(DataError, match="Give penalty > 0"):
        fit_logistic(x, y)
    assert np.isfinite(fit_logistic(x, y, penalty=0.1).coefficients).all()


@pytest.mark.parametrize(
    ("x", "y", "error"),
    [
        (np.ones((4, 1)), [1, 1, 1, 1], "and both of them"),
        (np.ones((4, 2)), [0, 1, 0, 1], "follows from the others"),
        (np.full((4, 1), np.nan), [0, 1, 0, 1], "finite"),
    ],
)
def test_designs_that_tell_nothing_are_refused(x, y, error):
    """One choice only, collinear columns, missing values."""
    with pytest.raises(DataError, match=error):
        fit_logistic(x, y)


def test_options_out_of_range_are_refused():
    """Negative penalties, one fold and no lag."""
    x, y = np.ones((4, 1)), np.array([0, 1, 0, 1])
    with pytest.raises(UsageError, match="penalty must lie in"):
        fit_logistic(x, y, penalty=-1)
    with pytest.raises(UsageError, match="n_folds must be at least 2"):
        held_out_bits(x, y, n_folds=1)
    with pytest.raises(UsageError, match="n_back must be at least 1"):
        history_columns([1], [1], ["s"], n_back=0)
