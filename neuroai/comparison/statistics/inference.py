"""From the scores of pairs of subjects to a value, an interval and a p-value."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from neuroai.checks import in_range
from neuroai.errors import UsageError
from neuroai.numerics.first_order import variance_dof
from neuroai.numerics.intervals import (
    added_dof,
    permutation_p,
    t_interval,
    t_test_p,
    two_factor_dof,
    two_factor_variance,
)

CALIBRATED_SUBJECTS = 8
CALIBRATED_STIMULI = 20
RESAMPLED_SEEDS = 5
MIN_SAMPLES = 50


@dataclass(frozen=True)
class Inference:
    """How intervals and p-values are made.

    Attributes
    ----------
    n_bootstrap : int
        Bootstrap samples of stimuli and subjects; at least 50.
    n_null : int
        Permutations of the stimulus labels; 0 for none.
    seed : int
        Seed of every draw.
    level : float
        Coverage of intervals.
    """

    n_bootstrap: int = 1000
    n_null: int = 1000
    seed: int = 0
    level: float = 0.95

    def __post_init__(self) -> None:
        in_range(self.level, option="level", low=0, high=1, low_open=True)
        if self.n_bootstrap < MIN_SAMPLES or self.n_null < 0:
            raise UsageError(
                f"n_bootstrap must be at least {MIN_SAMPLES} and n_null not negative; got "
                f"{self.n_bootstrap} and {self.n_null}."
            )


@dataclass(frozen=True)
class Summary:
    """A value with its interval and p-value.

    `resampled` names what the interval generalises over; `notes` what a reader must know.
    """

    value: float
    ci_low: float
    ci_high: float
    p: float
    null: str
    n_null: int
    resampled: str
    notes: tuple[str, ...]


def summarise(
    pairs: np.ndarray,
    *,
    samples: np.ndarray,
    null: np.ndarray | None,
    n_stimuli: int,
    inference: Inference,
    left_out: np.ndarray | None = None,
    chance: float | None = 0.0,
    null_name: str = "stimulus labels permuted",
    side: str = "greater",
) -> Summary:
    """Summarise the scores of every brain subject with every model subject.

    The value is the mean over pairs. Its variance is the two-factor variance over stimuli and
    subjects (Schütt et al. 2023), plus that over seeds if there are at least five; intervals are
    t-based. The p-value is that of the permutation, else of a t-test against `chance`. A score
    that is undefined under a permutation counts as one that reaches the observed.

    Parameters
    ----------
    pairs : array, shape (n_subjects, n_seeds)
        Observed scores.
    samples : array, shape (n_samples, n_subjects, n_seeds)
        The scores on bootstrap samples of the stimuli.
    null : array, shape (n_null, n_subjects, n_seeds), or None
        The scores under permuted stimulus labels.
    n_stimuli : int
        How many stimuli were resampled.
    inference : Inference
        Level and seed.
    left_out : array, shape (n_stimuli, n_subjects, n_seeds), optional
        The scores without each stimulus, which say how well the variance over stimuli is known.
    chance : float or None
        Value without any relation, for the t-test when there is no null; None for no test.
    null_name : str
        What the null shuffles.
    side : {"greater", "less", "two-sided"}
        Which scores are better; two-sided for the t-test of signed differences, "less" for the
        permutation of a distance.

    Returns
    -------
    Summary
        NaN value if any pair is undefined; no interval where fewer than 50 samples are defined.

    References
    ----------
    Schütt, Kipnis, Diedrichsen & Kriegeskorte 2023, doi:10.7554/eLife.82566
    """
    value = float(pairs.mean())
    n_subjects, n_seeds = pairs.shape
    n_samples = len(samples)
    samples = samples[np.isfinite(samples).all(axis=(1, 2))]
    notes = calibration_notes(n_subjects, n_stimuli)
    p, how, n_null = math.nan, "", 0
    if math.isfinite(value) and null is not None:
        # A distance is better the smaller it is, so that its null is met from below.
        sign = -1.0 if side == "less" else 1.0
        p, more = null_p(sign * value, sign * null.mean(axis=(1, 2)))
        how, n_null, notes = null_name, len(null), (*notes, *more)
    if not math.isfinite(value) or len(samples) < MIN_SAMPLES:
        # Relabelling takes no bootstrap: its p stands without an interval.
        reason = f"no interval: {len(samples)} of {n_samples} bootstrap samples are defined"
        return Summary(value, math.nan, math.nan, p, how, n_null, "", (*notes, reason))
    variance, dof, resampled = score_variance(
        pairs, samples=samples, n_stimuli=n_stimuli, seed=inference.seed, left_out=left_out
    )
    low, high = map(float, t_interval(value, variance, dof=dof, level=inference.level))
    notes = (*notes, *seed_notes(n_seeds))
    if null is None and chance is not None:
        p = float(t_test_p(value - chance, variance, dof=dof, side=side))
        how = f"t-test against {chance:g}" + (", two-sided" if side == "two-sided" else "")
    return Summary(value, low, high, p, how, n_null, resampled, notes)


def null_p(value: float, null: np.ndarray) -> tuple[float, tuple[str, ...]]:
    """Give the p-value of a permutation, with a note on what is undefined under it.

    An undefined score counts as one that reaches the observed: p can only grow by it.

    Examples
    --------
    >>> null_p(0.5, np.array([0.1, np.nan, 0.2]))
    (0.5, ('1 of 3 scores under relabelling are undefined, counted as reaching the observed',))
    """
    undefined = np.isnan(null)
    p = float(permutation_p(value, np.where(undefined, np.inf, null)))
    if not undefined.any():
        return p, ()
    return p, (
        f"{int(undefined.sum())} of {len(null)} scores under relabelling are undefined, "
        "counted as reaching the observed",
    )


def score_variance(
    pairs: np.ndarray,
    *,
    samples: np.ndarray,
    n_stimuli: int,
    seed: int,
    left_out: np.ndarray | None = None,
) -> tuple[float, float, str]:
    """Give the variance of the mean score, its degrees of freedom and what it covers."""
    n_subjects, n_seeds = pairs.shape
    rng = np.random.default_rng([seed, 1])
    v_stimuli = samples.mean(axis=(1, 2)).var(ddof=1)
    of_stimuli = n_stimuli - 1 if left_out is None else variance_dof(left_out.mean(axis=(1, 2)))
    parts, dof = ["stimuli"], of_stimuli
    variance = v_stimuli * n_stimuli / (n_stimuli - 1)
    if n_subjects >= 2:
        counts = rng.multinomial(n_subjects, np.full(n_subjects, 1 / n_subjects), len(samples))
        weights = counts / n_subjects
        v_subjects = (weights @ pairs.mean(axis=1)).var(ddof=1)
        v_both = np.einsum("bs,bs->b", weights, samples.mean(axis=2)).var(ddof=1)
        sizes = {"n_subjects": n_subjects, "n_stimuli": n_stimuli}
        variance = two_factor_variance(v_both, v_subjects, v_stimuli, **sizes)
        dof = two_factor_dof(v_both, v_subjects, v_stimuli, **sizes, stimulus_dof=of_stimuli)
        parts = ["stimuli", "subjects"]
    if n_seeds >= RESAMPLED_SEEDS:
        # Seeds are crossed with both other factors; their own variance adds to first order.
        of_seeds = pairs.mean(axis=0).var(ddof=1) / n_seeds
        dof = added_dof(variance, dof, of_seeds, n_seeds - 1)
        variance, parts = variance + of_seeds, [*parts, "seeds"]
    return float(variance), float(dof), "+".join(parts)


def seed_notes(n_seeds: int) -> tuple[str, ...]:
    """Say that seeds are held fixed where there are some, but too few to resample."""
    return (f"{n_seeds} seeds held fixed",) if 1 < n_seeds < RESAMPLED_SEEDS else ()


def calibration_notes(n_subjects: int, n_stimuli: int) -> tuple[str, ...]:
    """Say over what the interval generalises, and whether its size has been calibrated.

    Examples
    --------
    >>> calibration_notes(8, 20), len(calibration_notes(1, 20))
    ((), 2)
    """
    notes = []
    if n_subjects == 1:
        notes.append("one subject: the interval generalises over stimuli only")
    if n_subjects < CALIBRATED_SUBJECTS or n_stimuli < CALIBRATED_STIMULI:
        notes.append(
            f"uncalibrated interval ({n_subjects} subjects, {n_stimuli} stimuli; "
            f"calibrated from {CALIBRATED_SUBJECTS} and {CALIBRATED_STIMULI})"
        )
    return tuple(notes)
