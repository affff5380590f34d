"""Spectra against numpy, cross-validated spectra on planted signal and noise, and exponents."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from neuroai.errors import DataError, UsageError
from neuroai.numerics.spectrum import cross_validated_spectrum, spectrum, spectrum_exponent
from neuroai.testing import EQUAL, STANDARD_ERRORS, readonly

N_INPUTS = 200
# Sixty eigenvalues of 3,000 stimuli, each within a few hundredths, over three octaves.
DRAWN = 0.1


def responses(seed, n_stimuli=12, n_units=7):
    """Draw read-only responses with a mean."""
    return readonly(np.random.default_rng(seed).standard_normal((n_stimuli, n_units)) + 1)


def test_the_spectrum_is_that_of_scikit_learn():
    """For 200 inputs, with more units than stimuli or fewer."""
    for seed in range(N_INPUTS):
        x = responses(seed, n_units=3 + seed % 20)
        kept = min(11, x.shape[1])
        wanted = PCA(kept).fit(x).explained_variance_
        np.testing.assert_allclose(spectrum(x), wanted, atol=EQUAL)


def test_cross_validation_projects_both_sets_on_the_components_of_one():
    """Written out with components over units, and averaged over both ways, for 200 inputs."""
    for seed in range(N_INPUTS):
        a, b = responses(seed), responses(seed + N_INPUTS)
        wanted = np.zeros(7)
        for own, other in ((a, b), (b, a)):
            components = PCA(7).fit(own).components_.T
            first = (own - own.mean(0)) @ components
            second = (other - other.mean(0)) @ components
            wanted += np.sum(first * second, axis=0) / 11 / 2
        np.testing.assert_allclose(cross_validated_spectrum(a, b), wanted, atol=EQUAL)


def test_noise_adds_nothing_to_a_cross_validated_spectrum():
    """The sum is the planted variance within four standard errors; the plain one is not."""
    sums, plain = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        signal = rng.standard_normal((30, 1)) @ rng.standard_normal((1, 20))
        a, b = (signal + 2 * rng.standard_normal((30, 20)) for _ in range(2))
        true = spectrum(signal).sum()
        sums.append(cross_validated_spectrum(a, b).sum() - true)
        plain.append(spectrum((a + b) / 2).sum() - true)
    error = np.std(sums) / np.sqrt(len(sums))
    assert abs(np.mean(sums)) < STANDARD_ERRORS * error
    assert np.mean(plain) > 10 * error


def test_values_below_zero_are_kept():
    """Pure noise has as many below 0 as above."""
    values = cross_validated_spectrum(responses(0, 40, 30), responses(1, 40, 30))
    assert (values < 0).sum() > 8 and (values > 0).sum() > 8


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_law_is_found(alpha):
    """Exactly on the law, and from planted responses within a tenth."""
    law = np.arange(1, 201.0) ** -alpha
    assert spectrum_exponent(law, ranks=(5, 100)).exponent == pytest.approx(alpha, abs=EQUAL)
    x = np.random.default_rng(0).standard_normal((3000, 200)) * np.sqrt(law)
    assert spectrum_exponent(spectrum(x), ranks=(3, 60)).exponent == pytest.approx(alpha, abs=DRAWN)


def test_values_without_a_logarithm_are_left_out_and_counted():
    """Negative ranks say nothing of the law; too few of the others have no slope."""
    law = np.arange(1, 21.0) ** -1
    law[[4, 7]] = -0.01
    found = spectrum_exponent(law, ranks=(1, 20))
    assert found.exponent == pytest.approx(1, abs=EQUAL) and found.n_left_out == 2
    assert np.isnan(spectrum_exponent(-law, ranks=(1, 5)).exponent)


def test_wrong_calls_say_what_to_do():
    """Unlike shapes, ranks beyond the spectrum, and values that are not finite."""
    with pytest.raises(UsageError, match=r"one shape; got \(12, 7\) and \(11, 7\)"):
        cross_validated_spectrum(responses(0), responses(0)[:11])
    with pytest.raises(UsageError, match="within 1 to 10; got 1 to 11"):
        spectrum_exponent(np.ones(10), ranks=(1, 11))
    with pytest.raises(DataError, match="not finite"):
        spectrum_exponent(np.full(10, np.nan), ranks=(1, 5))
