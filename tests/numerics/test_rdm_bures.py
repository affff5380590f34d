"""Bures similarity of RDMs against rsatoolbox and against the patterns themselves."""

from __future__ import annotations

import numpy as np
import pytest
from rsatoolbox.rdm import RDMs, compare

from neuroai.errors import DataError, UsageError
from neuroai.numerics.distances import squared_euclidean
from neuroai.numerics.procrustes import procrustes_factor, procrustes_grid
from neuroai.numerics.rdm_bures import bures_rdms
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.testing import EXACT, readonly

# rsatoolbox takes roots of eigenvalues of a product, which loses half of the digits.
HALF_THE_DIGITS = 1e-6


def _patterns(seed, n, n_stimuli=8, n_units=12):
    return np.random.default_rng(seed).standard_normal((n, n_stimuli, n_units))


def _rdms(patterns):
    return readonly([to_vector(squared_euclidean(x, normalize=None)) for x in patterns])


def test_two_hundred_pairs_are_those_of_rsatoolbox():
    """Twenty RDMs with ten others, similarity and squared distance."""
    a, b = _rdms(_patterns(0, 20)), _rdms(_patterns(1, 10))
    peers = RDMs(np.array(a)), RDMs(np.array(b))
    np.testing.assert_allclose(
        bures_rdms(a, b), compare(*peers, method="bures"), atol=HALF_THE_DIGITS
    )
    np.testing.assert_allclose(
        bures_rdms(a, b, measure="distance") ** 2, compare(*peers, method="bures_metric"),
        atol=HALF_THE_DIGITS * 100,
    )  # fmt: skip


@pytest.mark.parametrize("measure", ["similarity", "angle", "distance"])
def test_equal_to_the_shape_of_the_patterns(measure):
    """From distances alone: what Procrustes finds in the patterns themselves."""
    a, b = _patterns(0, 3), _patterns(1, 2)
    expected = procrustes_grid(
        [procrustes_factor(x) for x in a], [procrustes_factor(x) for x in b], measure=measure
    )
    np.testing.assert_allclose(
        bures_rdms(_rdms(a), _rdms(b), measure=measure), expected, atol=EXACT
    )


def test_distance_and_angle_are_metrics():
    """Symmetric, 0 with itself, and no way round is shorter, for 200 triples."""
    rdms = _rdms(_patterns(2, 9))
    # The arc cosine of 1 - 1e-15 is 4e-8.
    for measure, rounding in (("distance", 1e-6), ("angle", 1e-6)):
        d = bures_rdms(rdms, rdms, measure=measure)
        np.testing.assert_allclose(d, d.T, atol=rounding)
        np.testing.assert_allclose(np.diag(d), 0, atol=rounding)
        assert (d[:, :, None] <= d[:, None, :] + d.T[None] + rounding).all()


def test_an_rdm_of_zeros_has_no_shape():
    """All patterns alike: the similarity is undefined, not 0 or 1."""
    rdms = _rdms(_patterns(0, 1))
    assert np.isnan(bures_rdms(rdms, rdms * 0)).all()


def test_wrong_calls_say_what_to_do():
    """NaN, other stimuli, and a misspelt measure."""
    rdms = _rdms(_patterns(0, 1))
    with pytest.raises(DataError, match="28 of 28 entries of a are undefined"):
        bures_rdms(rdms * np.nan, rdms)
    with pytest.raises(UsageError, match="21 and 28 pairs"):
        bures_rdms(rdms[:, :21], rdms)
    with pytest.raises(UsageError, match="measure must be one of"):
        bures_rdms(rdms, rdms, measure="metric")
