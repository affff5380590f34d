"""Least squares against scipy and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroai.errors import DataError
from neuroai.numerics.regression import least_squares
from neuroai.testing import EQUAL, EXACT, readonly

RNG = np.random.default_rng(0)
X, NOISE = readonly(RNG.normal(5, 2, 60)), readonly(RNG.normal(size=60))


def test_one_predictor_equals_scipy():
    """Slope, error, p and r of a simple regression are scipy's."""
    y = 0.3 * X + NOISE
    found, expected = least_squares(np.column_stack([np.ones(60), X]), y), stats.linregress(X, y)
    np.testing.assert_allclose(found.coefficients, [expected.intercept, expected.slope], atol=EXACT)
    np.testing.assert_allclose(found.errors[1], expected.stderr, atol=EXACT)
    np.testing.assert_allclose(found.p[1], expected.pvalue, atol=EXACT)
    np.testing.assert_allclose(found.r_squared, expected.rvalue**2, atol=EXACT)


def test_log_likelihood_is_that_of_the_residuals():
    """The normal density of every residual, with their own variance."""
    design = np.column_stack([np.ones(60), X])
    found = least_squares(design, NOISE)
    rest = NOISE - design @ found.coefficients
    expected = stats.norm.logpdf(rest, scale=rest.std()).sum()
    np.testing.assert_allclose(found.log_likelihood, expected, atol=EQUAL)


def test_units_of_columns_do_not_matter():
    """Columns of very unlike size have the same t."""
    design = np.column_stack([np.ones(60), X, X**2])
    scaled = design * [1.0, 1e9, 1e-9]
    np.testing.assert_allclose(
        least_squares(scaled, NOISE).t, least_squares(design, NOISE).t, rtol=EQUAL
    )


@pytest.mark.parametrize(
    ("design", "target", "error"),
    [
        (np.column_stack([X, 2 * X]), NOISE, "follows from the others"),
        (np.column_stack([X, 0 * X]), NOISE, "follows from the others"),
        (X[:, None], np.ones(60), "nothing to explain"),
        (X[:2, None] * [1, 2], NOISE[:2], "2 rows cannot tell 2"),
        (np.where(X > 5, np.nan, X)[:, None], NOISE, "Leave rows with missing values out"),
    ],
)
def test_what_has_no_unique_answer_is_refused(design, target, error):
    """Collinear columns, constant targets, too few rows and missing values."""
    with pytest.raises(DataError, match=error):
        least_squares(design, target)
