"""The variance of a fitted model's cross-validated score over new stimuli and new subjects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.comparators import as_complete_rdms, same_pairs
from neuroai.numerics.intervals import added_dof, two_factor_dof, two_factor_variance
from neuroai.numerics.rdm_flexible import FEWEST_TESTED, FLEXIBLE, fitted_score
from neuroai.numerics.rdm_vectors import n_stimuli_of, pair_indices

# Each sample is dealt into folds twice: what two deals share is the variance of the sample.
N_DEALS = 2
# Deals of the observed data, whose scatter is that of the one deal that was reported.
N_OBSERVED = 10
FEWEST_SAMPLES = 50


class FlexibleVariance(NamedTuple):
    """How far a fitted model's score scatters.

    Attributes
    ----------
    variance, dof : float
        Variance of the score and its degrees of freedom, of bootstraps and deals together; NaN
        where fewer than 50 samples of a kind leave every fold something to test.
    n_undefined : int
        Samples, of 3 n_samples, that left a fold fewer than three stimuli or no subject.
    """

    variance: float
    dof: float
    n_undefined: int


def flexible_variance(
    data: np.ndarray,
    models: np.ndarray,
    *,
    kind: str,
    method: str,
    n_subject_folds: int = 2,
    n_stimulus_folds: int = 2,
    strata: Sequence[str] | None = None,
    n_samples: int = 200,
    rng: np.random.Generator,
) -> FlexibleVariance:
    r"""Bootstrap subjects, stimuli and both, fit and score anew in every sample.

    .. math:: V = \mathrm{cov}_b(s_{b1}, s_{b2}), \qquad
              s^2 = \mathrm{two\ factor}(V_{rp}, V_r, V_p) + \mathrm{var}_d(s_{0d})

    where :math:`s_{b1}, s_{b2}` are the scores of sample b under two random deals into folds, and
    :math:`s_{0d}` that of the data under deal d. Copies of a stimulus or a subject stay in one
    fold, and pairs of copies are left out.

    Parameters
    ----------
    data : array of shape (n_subjects, n_pairs)
        Complete RDM vectors, any unit; two subjects or more.
    models : array of shape (n_models, n_pairs)
        Complete RDM vectors of the same stimuli.
    kind, method
        As in `neuroai.numerics.rdm_flexible.flexible_model`.
    n_subject_folds, n_stimulus_folds : int
        Folds, two or more.
    strata : sequence of str, length n_stimuli, optional
        Labels that are spread over the folds alike.
    n_samples : int
        Of each of the three bootstraps; at least 50.
    rng : numpy.random.Generator
        Where the draws come from.

    Returns
    -------
    FlexibleVariance

    Raises
    ------
    UsageError
        Too few samples, or folds, for a variance.

    References
    ----------
    Schütt et al. (2023), https://doi.org/10.7554/eLife.82566

    Examples
    --------
    Subjects without noise whose RDM is one of the models leave nothing to scatter.

    >>> model = np.random.default_rng(0).random((1, 66))
    >>> found = flexible_variance(np.tile(model, (6, 1)), model, kind="selected", method="pearson",
    ...                           n_samples=60, rng=np.random.default_rng(1))
    >>> round(found.variance, 12)
    0.0
    """
    one_of(kind, FLEXIBLE, option="kind")
    data, models = as_complete_rdms(data, name="data"), as_complete_rdms(models, name="models")
    same_pairs(data, models)
    if n_samples < FEWEST_SAMPLES or min(n_subject_folds, n_stimulus_folds) < 2:
        raise UsageError(
            f"n_samples must be {FEWEST_SAMPLES} or more and folds two or more; got {n_samples}, "
            f"{n_subject_folds} and {n_stimulus_folds}."
        )
    n_stimuli = n_stimuli_of(data.shape[1])
    labels = np.zeros(n_stimuli, int) if strata is None else _codes(strata, n_stimuli)
    pairs = pair_indices(n_stimuli)
    job = _Job(data, models, kind, method, labels, n_subject_folds, n_stimulus_folds, pairs)
    kinds = ((True, True), (True, False), (False, True))
    drawn = [
        np.array([job.deals(*job.draw(one, rng), N_DEALS, rng) for _ in range(n_samples)])
        for one in kinds
    ]
    defined = [rows[np.isfinite(rows).all(axis=1)] for rows in drawn]
    observed = job.deals(*job.draw((False, False), rng), N_OBSERVED, rng)
    n_undefined = 3 * n_samples - sum(map(len, defined))
    if min(map(len, defined)) < FEWEST_SAMPLES or not np.isfinite(observed).all():
        return FlexibleVariance(np.nan, np.nan, n_undefined)
    parts = [max(0.0, float(np.cov(rows.T)[0, 1])) for rows in defined]
    sizes = {"n_subjects": len(data), "n_stimuli": n_stimuli}
    variance, dof = two_factor_variance(*parts, **sizes), two_factor_dof(*parts, **sizes)
    of_deals = observed.var(ddof=1)
    dof = added_dof(variance, dof, of_deals, N_OBSERVED - 1)
    return FlexibleVariance(float(variance + of_deals), float(dof), n_undefined)


class _Job(NamedTuple):
    """What is fitted, and how it is dealt."""

    data: np.ndarray
    models: np.ndarray
    kind: str
    method: str
    labels: np.ndarray
    n_subject_folds: int
    n_stimulus_folds: int
    pairs: tuple[np.ndarray, np.ndarray]

    def draw(
        self, resampled: tuple[bool, bool], rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give how often each subject and each stimulus is drawn, or once where not resampled."""
        subjects, stimuli = (
            rng.multinomial(n, np.full(n, 1 / n)) if wanted else np.ones(n, dtype=int)
            for n, wanted in zip((len(self.data), len(self.labels)), resampled, strict=True)
        )
        return subjects, stimuli

    def deals(
        self, subjects: np.ndarray, stimuli: np.ndarray, n: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Score one sample under n random deals; NaN where a fold is left without a test."""
        return np.array([self._deal(subjects, stimuli, rng) for _ in range(n)])

    def _deal(self, subjects: np.ndarray, stimuli: np.ndarray, rng: np.random.Generator) -> float:
        of_subjects = _folds(subjects, np.zeros(len(subjects)), self.n_subject_folds, rng)
        of_stimuli = _folds(stimuli, self.labels, self.n_stimulus_folds, rng)
        if of_subjects is None or of_stimuli is None:
            return np.nan
        if min(fold.sum() for fold in of_stimuli) < FEWEST_TESTED:
            return np.nan
        every = np.arange(len(self.data))
        scores = []
        for tested in of_stimuli:
            test, train = (_places(stimuli * part, self.pairs) for part in (tested, ~tested))
            for others in of_subjects:
                held = np.repeat(every[others], subjects[others])
                learnt = np.repeat(every[~others], subjects[~others])
                _, score = fitted_score(
                    self.data[learnt][:, train], self.data[held][:, test],
                    self.models[:, train], self.models[:, test], kind=self.kind,
                    method=self.method,
                )  # fmt: skip
                # A mixture without any weight predicts nothing: it has 0, as in the permutation.
                scores.append(np.nan_to_num(score))
        return float(np.mean(scores))


def _folds(
    counts: np.ndarray, labels: np.ndarray, n_folds: int, rng: np.random.Generator
) -> list[np.ndarray] | None:
    """Deal what was drawn into folds of nearly one size, each label spread over them."""
    here = np.flatnonzero(counts)
    if len(here) < n_folds:
        return None
    order = here[np.lexsort((rng.random(len(here)), labels[here]))]
    fold = np.full(len(counts), -1)
    fold[order] = (np.arange(len(order)) + rng.integers(n_folds)) % n_folds
    return [fold == number for number in range(n_folds)]


def _places(counts: np.ndarray, pairs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Give the places of the pairs of stimuli, each as often as its copies meet."""
    rows, columns = pairs
    meetings = counts[rows] * counts[columns]
    return np.repeat(np.arange(len(meetings)), meetings)


def _codes(strata: Sequence[str], n_stimuli: int) -> np.ndarray:
    if len(strata) != n_stimuli:
        raise UsageError(f"strata must label each of {n_stimuli} stimuli; got {len(strata)}.")
    return np.unique(np.asarray([str(one) for one in strata]), return_inverse=True)[1]
