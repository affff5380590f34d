"""Image-level signatures against loops, and the noise correction against known truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from neuroai.errors import DataError, UsageError
from neuroai.numerics.signatures import image_signature, noise_corrected_correlation
from neuroai.testing import EXACT, STANDARD_ERRORS, readonly

TRUTH = np.repeat(np.arange(3), 4)


@pytest.fixture
def counts() -> np.ndarray:
    """Choices among three options for twelve images."""
    rng = np.random.default_rng(0)
    chosen = rng.integers(0, 6, (12, 3)).astype(float)
    chosen[np.arange(12), TRUTH] += 12
    return readonly(chosen)


def z(yes: float, no: float) -> float:
    """Normal quantile of the corrected rate."""
    return float(norm.ppf((yes + 0.5) / (yes + no + 1)))


def test_against_all_equals_a_loop(counts):
    """Hits of the image; false alarms of its object over the images of the others."""
    expected = []
    for i, own in enumerate(TRUTH):
        others = TRUTH != own
        false = counts[others, own].sum()
        hit = z(counts[i, own], counts[i].sum() - counts[i, own])
        expected.append(hit - z(false, counts[others].sum() - false))
    np.testing.assert_allclose(image_signature(counts, TRUTH), expected, atol=EXACT)


def test_by_distractor_equals_a_loop(counts):
    """Of the trials in which either of two objects was chosen."""
    found = image_signature(counts, TRUTH, signature="i2")
    for i, own in enumerate(TRUTH):
        for d in range(3):
            if d == own:
                assert np.isnan(found[i, d])
                continue
            back = TRUTH == d
            expected = z(counts[i, own], counts[i, d]) - z(
                counts[back, own].sum(), counts[back, d].sum()
            )
            assert found[i, d] == pytest.approx(expected, abs=EXACT)


def test_pairs_of_options_count_what_was_offered(counts):
    """With two options a trial, what was rejected is what was offered and not chosen."""
    rng = np.random.default_rng(1)
    offered = counts + rng.integers(1, 9, counts.shape)
    wrong = np.where(TRUTH[:, None] == np.arange(3), 0, counts)
    right = (offered - wrong).sum(axis=1) - (offered - wrong)[np.arange(12), TRUTH]
    chosen = wrong.copy()
    chosen[np.arange(12), TRUTH] = right
    offered[np.arange(12), TRUTH] = chosen.sum(axis=1)
    i2 = image_signature(chosen, TRUTH, offered=offered, signature="i2")
    i1 = image_signature(chosen, TRUTH, offered=offered)
    for i, own in enumerate(TRUTH):
        d, others = (own + 1) % 3, TRUTH != own
        rows = TRUTH == d
        back = z(chosen[rows, own].sum(), (offered - chosen)[rows, own].sum())
        expected = z((offered - chosen)[i, d], chosen[i, d]) - back
        assert i2[i, d] == pytest.approx(expected, abs=EXACT)
        false = z(chosen[others, own].sum(), (offered - chosen)[others, own].sum())
        hit = z(chosen[i, own], chosen[i].sum() - chosen[i, own])
        assert i1[i] == pytest.approx(hit - false, abs=EXACT)


@pytest.mark.parametrize("signature", ["i1", "i2"])
def test_normalised_signatures_have_no_mean_of_the_object(counts, signature):
    """Images of one object average to 0, for each distractor; differences are kept."""
    plain = image_signature(counts, TRUTH, signature=signature)
    found = image_signature(counts, TRUTH, signature=f"{signature}n")
    for own in range(3):
        rows = TRUTH == own
        mean = found[rows].mean(axis=0)
        np.testing.assert_allclose(mean[~np.isnan(mean)], 0, atol=EXACT)
        np.testing.assert_allclose(np.diff(found[rows], axis=0), np.diff(plain[rows], axis=0),
                                   atol=EXACT)  # fmt: skip


def test_leading_axes_are_halves(counts):
    """A stack of two sets of counts gives the two signatures."""
    other = readonly(counts[::-1, ::-1])
    found = image_signature(np.stack([counts, other]), TRUTH, signature="i2n")
    np.testing.assert_array_equal(found[1], image_signature(other, TRUTH, signature="i2n"))


def test_images_without_a_trial_are_undefined(counts):
    """No trial, no sensitivity; the other images keep theirs."""
    empty = counts.copy()
    empty[3] = 0
    found = image_signature(empty, TRUTH)
    assert np.isnan(found[3]) and np.isfinite(np.delete(found, 3)).all()


def test_correction_recovers_the_noiseless_correlation():
    """Halves with noise of the size of the signal: r of 0.6 is recovered, raw r is not."""
    rng, n = np.random.default_rng(3), 20_000
    signal = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=n)
    halves = signal.T[:, None] + rng.normal(size=(2, 2, n))
    found = noise_corrected_correlation(halves[0][None], halves[1][None])
    assert abs(found.value - 0.6) < STANDARD_ERRORS * 2 / np.sqrt(n)
    assert abs(found.raw - 0.3) < STANDARD_ERRORS / np.sqrt(n)
    assert abs(found.reliability_a - 0.5) < STANDARD_ERRORS / np.sqrt(n)


def test_splits_without_reliability_are_counted():
    """A signature whose halves disagree corrects nothing: NaN, and the split is counted."""
    against = np.array([[[1.0, 2, 3], [3, 2, 1]]])
    found = noise_corrected_correlation(against, against)
    assert np.isnan(found.value) and found.n_undefined == 1
    assert found.reliability_a == pytest.approx(-1, abs=EXACT)


def test_wrong_shapes_and_names_are_refused(counts):
    """Counts and truth must fit; a misspelt signature gets the near miss."""
    with pytest.raises(DataError, match=r"\(\.\.\., n_images, n_options\)"):
        image_signature(counts, TRUTH[1:])
    with pytest.raises(DataError, match="more often than"):
        image_signature(counts, TRUTH, offered=counts - 1)
    with pytest.raises(UsageError, match="got 'i3'"):
        image_signature(counts, TRUTH, signature="i3")
    with pytest.raises(DataError, match="Restrict both sides to the same images"):
        noise_corrected_correlation(np.ones((1, 2, 3)), np.ones((1, 2, 4)))
