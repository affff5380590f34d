"""Variance, interval and p-value of a score against computations by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from neuroai.comparison.statistics.inference import (
    Inference,
    calibration_notes,
    null_p,
    score_variance,
    seed_notes,
    summarise,
)
from neuroai.errors import UsageError
from neuroai.numerics.first_order import variance_dof
from neuroai.testing import EXACT

N_STIMULI = 30


def _case(n_subjects: int, n_seeds: int, *, n_samples: int = 400):
    """Scores of pairs, and bootstrap samples that scatter around them."""
    rng = np.random.default_rng(7)
    pairs = rng.normal(0.3, 0.1, (n_subjects, n_seeds))
    samples = pairs + rng.normal(0, 0.05, (n_samples, 1, 1))
    return pairs, samples + rng.normal(0, 0.01, (n_samples, n_subjects, n_seeds))


def _variances(pairs: np.ndarray, samples: np.ndarray, *, seed: int) -> tuple[float, float, float]:
    """Loop over the samples: subjects alone, stimuli alone, both."""
    rng = np.random.default_rng([seed, 1])
    n = len(pairs)
    counts = rng.multinomial(n, np.full(n, 1 / n), len(samples))
    over_subjects, over_stimuli, over_both = [], [], []
    for row, sample in zip(counts, samples, strict=True):
        drawn = [s for s, times in enumerate(row) for _ in range(times)]
        over_subjects.append(np.mean([pairs[s].mean() for s in drawn]))
        over_stimuli.append(sample.mean())
        over_both.append(np.mean([sample[s].mean() for s in drawn]))
    return tuple(np.var(v, ddof=1) for v in (over_subjects, over_stimuli, over_both))


def _dof(v_r: float, v_p: float, v_rp: float, *, n: int, variance: float) -> float:
    """Satterthwaite's degrees of freedom, worked out by hand."""
    m = N_STIMULI
    a, b = n / (n - 1), m / (m - 1)
    below = (a * v_r) ** 2 / (n - 1) + (b * v_p) ** 2 / (m - 1)
    below += (a * b * (v_rp - v_r - v_p)) ** 2 / ((n - 1) * (m - 1))
    return min(max(variance**2 / below, min(n, m) - 1), n + m - 2)


def test_the_variance_is_the_two_factor_one():
    """Variance and interval equal those worked out sample by sample."""
    pairs, samples = _case(4, 2)
    v_r, v_p, v_rp = _variances(pairs, samples, seed=3)
    a, b = 4 / 3, N_STIMULI / (N_STIMULI - 1)
    expected = a * v_r + b * v_p - a * b * (v_rp - v_r - v_p)
    expected = min(max(expected, a * v_r, b * v_p), v_rp)
    found, dof, covered = score_variance(pairs, samples=samples, n_stimuli=N_STIMULI, seed=3)
    assert found == pytest.approx(expected, rel=EXACT)
    nu = _dof(v_r, v_p, v_rp, n=4, variance=expected)
    assert dof == pytest.approx(nu, rel=EXACT)
    assert 3 < nu < 3 + N_STIMULI
    assert covered == "stimuli+subjects"
    summary = summarise(
        pairs, samples=samples, null=None, n_stimuli=N_STIMULI, inference=Inference(seed=3)
    )
    half = stats.t.ppf(0.975, nu) * math.sqrt(expected)
    assert summary.value == pytest.approx(pairs.mean(), abs=EXACT)
    assert summary.ci_low == pytest.approx(pairs.mean() - half, abs=EXACT)
    assert summary.ci_high == pytest.approx(pairs.mean() + half, abs=EXACT)
    assert summary.p == pytest.approx(stats.t.sf(pairs.mean() / math.sqrt(expected), nu), abs=EXACT)


def test_scores_without_each_stimulus_say_how_well_the_variance_is_known():
    """Where one stimulus carries the score, t has fewer degrees of freedom."""
    pairs, samples = _case(4, 2)
    even = np.tile(np.linspace(-1, 1, N_STIMULI)[:, None, None], (1, 4, 2))
    one = np.zeros((N_STIMULI, 4, 2))
    one[0] = 1
    how = {"samples": samples, "n_stimuli": N_STIMULI, "seed": 3}
    plain, alike, carried = (
        score_variance(pairs, **how, left_out=left_out) for left_out in (None, even, one)
    )
    assert plain == alike and carried[0] == plain[0]
    assert carried[1] < plain[1] / 2
    lone = score_variance(pairs[:1], **{**how, "samples": samples[:, :1]}, left_out=one)
    assert lone[1] == variance_dof(one[:, 0, 0]) and lone[2] == "stimuli"


def test_one_subject_has_the_variance_over_stimuli():
    """With one subject the variance is n / (n - 1) times that over samples of stimuli."""
    pairs, samples = _case(1, 1)
    found, dof, covered = score_variance(pairs, samples=samples, n_stimuli=N_STIMULI, seed=0)
    assert found == pytest.approx(samples.var(ddof=1) * 30 / 29, rel=EXACT)
    assert (dof, covered) == (29, "stimuli")


def test_five_seeds_add_their_own_variance():
    """From five seeds on the variance of their means over n is added, and its dof to the others."""
    pairs, samples = _case(8, 5)
    found, dof, covered = score_variance(pairs, samples=samples, n_stimuli=N_STIMULI, seed=0)
    v_r, v_p, v_rp = _variances(pairs, samples, seed=0)
    a, b = 8 / 7, 30 / 29
    two = min(max(a * v_r + b * v_p - a * b * (v_rp - v_r - v_p), a * v_r, b * v_p), v_rp)
    of_seeds = pairs.mean(axis=0).var(ddof=1) / 5
    assert found == pytest.approx(two + of_seeds, rel=EXACT)
    nu = _dof(v_r, v_p, v_rp, n=8, variance=two)
    nu = (two + of_seeds) ** 2 / (two**2 / nu + of_seeds**2 / 4)
    assert dof == pytest.approx(nu, rel=EXACT)
    assert covered == "stimuli+subjects+seeds"


def test_permutation_p_counts_the_observed_among_the_nulls():
    """(1 + #{null >= observed}) / (1 + N), over the mean of all pairs."""
    pairs, samples = _case(2, 1)
    null = np.repeat(np.linspace(-1, 1, 39)[:, None, None], 2, axis=1)
    summary = summarise(
        pairs, samples=samples, null=null, n_stimuli=N_STIMULI, inference=Inference()
    )
    assert summary.p == (1 + (np.linspace(-1, 1, 39) >= pairs.mean()).sum()) / 40
    assert (summary.null, summary.n_null) == ("stimulus labels permuted", 39)


def test_an_undefined_null_counts_against_the_score():
    """Undefined scores under relabelling can only make p larger, and are counted."""
    assert null_p(1.0, np.zeros(19)) == (0.05, ())
    p, (note,) = null_p(1.0, np.array([np.nan] * 2 + [0.0] * 17))
    assert p == pytest.approx(0.15) and note.startswith("2 of 19 scores")


def test_differences_are_tested_on_both_sides():
    """The two-sided p is twice the one-sided one, for either sign."""
    pairs, samples = _case(4, 1)
    options = {"null": None, "n_stimuli": N_STIMULI, "inference": Inference()}
    one = summarise(pairs, samples=samples, **options)
    two = summarise(pairs, samples=samples, side="two-sided", **options)
    minus = summarise(-pairs, samples=-samples, side="two-sided", **options)
    assert two.p == pytest.approx(2 * one.p, rel=EXACT)
    assert minus.p == pytest.approx(two.p, rel=EXACT)
    assert (one.null, two.null) == ("t-test against 0", "t-test against 0, two-sided")


def test_no_chance_no_test():
    """Without a chance value and a null there is no p-value."""
    pairs, samples = _case(4, 1)
    summary = summarise(
        pairs, samples=samples, null=None, chance=None, n_stimuli=N_STIMULI, inference=Inference()
    )
    assert math.isnan(summary.p) and summary.null == ""


def test_too_few_defined_samples_give_no_interval():
    """The value stays, the interval is left out, and the note says of how many samples."""
    pairs, samples = _case(4, 1, n_samples=100)
    samples[10:] = np.nan
    summary = summarise(
        pairs, samples=samples, null=None, n_stimuli=N_STIMULI, inference=Inference()
    )
    assert summary.value == pytest.approx(pairs.mean()) and math.isnan(summary.ci_low)
    assert summary.notes[-1] == "no interval: 10 of 100 bootstrap samples are defined"


def test_notes_say_what_is_small():
    """Sizes below 8 subjects and 20 stimuli, and two to four seeds, are said."""
    assert calibration_notes(8, 20) == ()
    assert len(calibration_notes(1, 19)) == 2 and "7 subjects" in calibration_notes(7, 20)[0]
    assert [seed_notes(n) for n in (1, 2, 5)] == [(), ("2 seeds held fixed",), ()]


def test_too_few_samples_are_refused():
    """Fewer than 50 bootstrap samples make no interval."""
    with pytest.raises(UsageError, match="at least 50"):
        Inference(n_bootstrap=49)
    with pytest.raises(UsageError, match="level"):
        Inference(level=0)


def test_a_relabelling_keeps_its_p_without_an_interval():
    """Too few defined bootstrap samples leave no interval; the p of the null needs none."""
    pairs, null = np.array([[0.5]]), np.array([0.1, 0.6, 0.2, 0.3])[:, None, None]
    found = summarise(
        pairs,
        samples=np.full((60, 1, 1), np.nan),
        null=null,
        n_stimuli=30,
        inference=Inference(n_bootstrap=60, n_null=4),
    )
    assert found.p == 2 / 5 and found.n_null == 4
    assert np.isnan(found.ci_low) and "no interval: 0 of 60" in found.notes[-1]
