"""Pools and noise ceilings against rsatoolbox."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.comparators import METHODS
from neuroai.numerics.rdm_ceiling import noise_ceiling, pool
from neuroai.numerics.rdm_whitened import WHITENED_METHODS

EXACT = 1e-10
THEIRS = {"pearson": "corr"}
# Pools under the whitened methods are tested in test_rdm_whitened: rsatoolbox's are not the best.
PLAIN = [method for method in METHODS if method not in WHITENED_METHODS]

# rsatoolbox warns that its tau ceiling rests on averaged ranks; ours says so in its docstring.
pytestmark = pytest.mark.filterwarnings("ignore:Noise ceiling for tau:UserWarning")


def subjects_of(seed, n_subjects=5, levels=None):
    """Return read-only RDM vectors of subjects that share something."""
    rng = np.random.default_rng(seed)
    rdms = rng.random(45) + rng.random((n_subjects, 45))
    if levels:
        rdms = np.floor(rdms * levels) / levels
    rdms.setflags(write=False)
    return rdms


@pytest.mark.parametrize("method", PLAIN)
@pytest.mark.parametrize("levels", [None, 3])
def test_pool_is_that_of_rsatoolbox(method, levels):
    """The pool depends on the comparator as in rsatoolbox."""
    rsatoolbox = pytest.importorskip("rsatoolbox")
    from rsatoolbox.util.inference_util import pool_rdm

    rdms = subjects_of(0, levels=levels)
    wanted = pool_rdm(rsatoolbox.rdm.RDMs(rdms), method=THEIRS.get(method, method))
    np.testing.assert_allclose(
        pool(rdms, method=method), wanted.get_vectors()[0], rtol=0, atol=EXACT
    )


@pytest.mark.parametrize("method", METHODS)
def test_weights_are_copies(method):
    """A weight of 2 counts an RDM twice."""
    rdms, weights = subjects_of(1), np.array([2, 0, 1, 1, 3])
    copies = np.repeat(rdms, weights, axis=0)
    np.testing.assert_allclose(
        pool(rdms, method=method, weights=weights), pool(copies, method=method), atol=1e-12
    )


@pytest.mark.parametrize("method", PLAIN)
@pytest.mark.parametrize("levels", [None, 3])
@pytest.mark.parametrize("group", [None, [0, 0, 1, 2, 2]])
def test_ceilings_are_those_of_rsatoolbox(method, levels, group):
    """Both bounds are rsatoolbox's, and all RDMs of a subject are left out together."""
    rsatoolbox = pytest.importorskip("rsatoolbox")
    from rsatoolbox.inference.noise_ceiling import boot_noise_ceiling

    rdms = subjects_of(2, levels=levels)
    descriptors = {"subject": list(range(5)) if group is None else group}
    wanted = boot_noise_ceiling(
        rsatoolbox.rdm.RDMs(rdms, rdm_descriptors=descriptors),
        method=THEIRS.get(method, method),
        rdm_descriptor="subject",
    )
    np.testing.assert_allclose(
        noise_ceiling(rdms, method=method, group=group), wanted, rtol=0, atol=EXACT
    )


@pytest.mark.parametrize("method", METHODS)
def test_one_subject_has_no_ceiling(method):
    """With one subject, however many RDMs it has, both bounds are undefined."""
    assert np.isnan(noise_ceiling(subjects_of(3, 1), method=method)).all()
    assert np.isnan(noise_ceiling(subjects_of(3, 2), method=method, group=["a", "a"])).all()


def test_lower_is_below_upper():
    """The lower bound lies below the upper one where subjects differ."""
    lower, upper = noise_ceiling(subjects_of(4), method="pearson")
    assert lower < upper < 1


def test_a_constant_subject_makes_the_pool_undefined():
    """A subject whose RDM cannot be z-scored is not silently left out."""
    rdms = subjects_of(5).copy()
    rdms[2] = 0.1
    assert np.isnan(pool(rdms, method="pearson")).all()
    assert np.isnan(noise_ceiling(rdms, method="pearson")).all()


def test_wrong_calls_say_what_to_do():
    """Undefined entries are counted; a group must label every RDM."""
    rdms = subjects_of(6).copy()
    with pytest.raises(UsageError, match="each of the 5 RDMs; got 4 labels"):
        noise_ceiling(rdms, method="cosine", group=[0, 1, 2, 3])
    rdms[0, :2] = np.nan
    with pytest.raises(DataError, match="2 of 225 entries of rdms are undefined"):
        noise_ceiling(rdms, method="cosine")
