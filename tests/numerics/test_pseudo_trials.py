"""Pseudo-trials stay within class and fold, use rows once, and lower the noise."""

import numpy as np
import pytest

from neuroai.errors import UsageError
from neuroai.numerics.pseudo_trials import pseudo_trials
from neuroai.testing import EXACT, readonly

LABELS = np.array(list("ab") * 30)
FOLDS = np.arange(60) // 2 % 3


def test_rows_meet_rows_of_their_class_and_fold_alone():
    """Rows that carry their class and fold as numbers keep them exactly when averaged."""
    rows = readonly(np.stack([LABELS == "b", FOLDS], axis=1).astype(float))
    made = pseudo_trials(rows, LABELS, FOLDS, size=4)
    np.testing.assert_array_equal(made.patterns[:, 0], made.labels == "b")
    np.testing.assert_array_equal(made.patterns[:, 1], made.folds)
    assert len(made.patterns) == 3 * 2 * 2 and made.n_left_out == 60 - 48


def test_every_row_is_used_once():
    """Sums over averages of five are a fifth of the sum over rows, where nothing is left over."""
    rows = readonly(np.random.default_rng(0).standard_normal((60, 3, 4)))
    made = pseudo_trials(rows, LABELS, FOLDS, size=5)
    np.testing.assert_allclose(5 * made.patterns.sum(0), rows.sum(0), atol=EXACT)
    assert made.n_left_out == 0 and made.patterns.shape == (12, 3, 4)


def test_noise_falls_with_the_root_of_the_size():
    """Averages of nine have a third of the deviation, within four standard errors."""
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((9000, 1))
    made = pseudo_trials(rows, ["a"] * 9000, np.zeros(9000), size=9)
    deviation = made.patterns.std(ddof=1)
    assert abs(deviation - 1 / 3) < 4 * (1 / 3) / np.sqrt(2 * 1000)


def test_few_rows_make_one_average():
    """A class with fewer rows than the size has the average of all."""
    made = pseudo_trials(np.array([[1.0], [2.0]]), "aa", [0, 0], size=5)
    assert made.patterns.tolist() == [[1.5]] and made.n_left_out == 0


def test_wrong_calls_say_what_to_do():
    """A size below one, and a label too few."""
    with pytest.raises(UsageError, match="got size=0"):
        pseudo_trials(np.ones((2, 1)), "ab", [0, 0], size=0)
    with pytest.raises(UsageError, match="2 rows, 1 labels"):
        pseudo_trials(np.ones((2, 1)), "a", [0, 0], size=1)
