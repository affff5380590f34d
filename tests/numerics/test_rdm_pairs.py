"""Every pair of RDMs in every bootstrap sample."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import DataError
from neuroai.numerics.comparators import METHODS, compare_rdms
from neuroai.numerics.rdm_bootstrap import bootstrap_rdms
from neuroai.numerics.rdm_pairs import resampled_pairs
from neuroai.numerics.rdm_vectors import to_square, to_vector

EXACT = 1e-10  # float64 algebra in another order


@pytest.fixture
def rdms() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two subjects, three models with ties, and bootstrap counts of eight stimuli."""
    rng = np.random.default_rng(5)
    data, models = rng.random((2, 28)), np.round(rng.random((3, 28)), 1)
    counts = rng.multinomial(8, np.full(8, 1 / 8), size=6)
    for array in (data, models, counts):
        array.setflags(write=False)
    return data, models, counts


@pytest.mark.parametrize("method", METHODS)
def test_pairs_equal_comparing_the_copied_stimuli(rdms, method: str) -> None:
    """Weights give what a sample with real copies gives, without pairs of copies."""
    data, models, counts = rdms
    got = resampled_pairs(data, models, method=method, stimulus_counts=counts)
    for sample, row in zip(got, counts, strict=True):
        drawn = np.repeat(np.arange(8), row)
        copies = np.where(drawn[:, None] == drawn[None], np.nan, 0.0)
        left, right = (
            to_vector(to_square(rdm)[:, drawn][:, :, drawn] + copies) for rdm in (data, models)
        )
        np.testing.assert_allclose(sample, compare_rdms(left, right, method=method), atol=EXACT)


@pytest.mark.parametrize("method", METHODS)
def test_the_mean_over_subjects_is_that_of_the_bootstrap(rdms, method: str) -> None:
    """Averaged over subjects, the pairs are the scores of `bootstrap_rdms`."""
    data, models, counts = rdms
    pairs = resampled_pairs(data, models, method=method, stimulus_counts=counts)
    means = bootstrap_rdms(
        data, models, method=method, stimulus_counts=counts, ceilings=False
    ).scores
    np.testing.assert_allclose(pairs.mean(axis=1), means, atol=EXACT)


def test_undefined_entries_are_refused(rdms) -> None:
    """NaN must be dropped by the caller, who can name the stimuli."""
    data, models, counts = rdms
    holed = data.copy()
    holed[0, 0] = np.nan
    with pytest.raises(DataError, match="1 of"):
        resampled_pairs(holed, models, method="pearson", stimulus_counts=counts)
