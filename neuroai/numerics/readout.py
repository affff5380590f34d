"""Readout: choices by linear discriminant analysis, fitted on few stimuli and many units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroai.checks import in_range, listing
from neuroai.errors import DataError, UsageError
from neuroai.numerics.group_folds import stratified_group_folds

UNDEFINED = -1


@dataclass(frozen=True)
class Readout:
    """A fitted linear readout.

    Attributes
    ----------
    classes : tuple of str
        What can be chosen, sorted.
    coef : array, shape (n_units, n_classes)
        Weights on the raw activity; the scaling of the training data is part of them.
    intercept : array, shape (n_classes,)
        NaN where the training data did not vary: no choice can be made.
    shrinkage : float
        Share of the spherical part in the covariance, in [0, 1].
    """

    classes: tuple[str, ...]
    coef: np.ndarray
    intercept: np.ndarray
    shrinkage: float


@dataclass(frozen=True)
class FoldedReadout:
    """Readouts of which each was fitted without one fold.

    Attributes
    ----------
    classes : tuple of str
        What can be chosen, sorted.
    folds : int array, shape (n_rows,)
        Fold of each row, from 0.
    readouts : tuple of Readout
        One a fold, fitted on the rows of the others.
    """

    classes: tuple[str, ...]
    folds: np.ndarray
    readouts: tuple[Readout, ...]


@dataclass(frozen=True)
class ReadoutChoices:
    """What a readout chose, row by row.

    Attributes
    ----------
    classes : tuple of str
        What can be chosen, sorted.
    codes : int array, shape (..., n_rows)
        Place of the choice in `classes`; -1 where undefined.
    scores : array, shape (..., n_rows, n_classes)
        Log posterior of each class up to a constant of the row.
    folds : int array, shape (n_rows,)
        Fold in which the row was tested; -1 where there were no folds.
    """

    classes: tuple[str, ...]
    codes: np.ndarray
    scores: np.ndarray
    folds: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """The choices as strings, ``''`` where undefined."""
        return np.array([*self.classes, ""], dtype=object)[self.codes]

    @property
    def confidence(self) -> np.ndarray:
        """Posterior probability of the choice, in [0, 1]; NaN where undefined."""
        top = self.scores.max(axis=-1, keepdims=True)
        return 1 / np.exp(self.scores - top).sum(axis=-1)


def fit_readout(
    features: np.ndarray, labels: Sequence[str], *, shrinkage: float | str = "auto"
) -> Readout:
    r"""Fit linear discriminant analysis with a shrunk covariance.

    Units are scaled to mean 0 and variance 1; with the class means m_k and priors \pi_k,

    .. math:: \Sigma = (1 - s)\, C + s\, \tfrac{\mathrm{tr}\, C}{p}\, I, \quad
              f_k(x) = x^T \Sigma^{-1} m_k - \tfrac12 m_k^T \Sigma^{-1} m_k + \ln \pi_k

    where C is the covariance within classes. The inverse is taken among rows, not units
    (Woodbury), so that a layer of any size costs what its Gram matrix costs.

    Parameters
    ----------
    features : array, shape (n_rows, n_units)
        Activity, finite, in any unit.
    labels : sequence of str, length n_rows
        Right class of each row.
    shrinkage : float or "auto"
        s in (0, 1], or the optimum of Ledoit and Wolf for the pooled residuals.

    Returns
    -------
    Readout

    Raises
    ------
    DataError
        A value is not finite, the lengths differ, or there are fewer than two classes.
    UsageError
        The shrinkage is not in (0, 1].

    References
    ----------
    Friedman 1989, doi:10.1080/01621459.1989.10478752. Ledoit & Wolf 2004,
    doi:10.1016/S0047-259X(03)00096-4.

    Examples
    --------
    >>> x = np.array([[0.0, 1.0], [0.2, 0.9], [1.0, 0.1], [0.9, 0.0]])
    >>> readout = fit_readout(x, ["a", "a", "b", "b"])
    >>> predict(readout, np.array([[0.1, 1.0], [1.0, 0.0]])).labels.tolist()
    ['a', 'b']
    """
    features = _features(features, n_rows=len(labels))
    classes, codes = _classes(labels)
    centre, spread = features.mean(axis=0), features.std(axis=0)
    # A constant unit carries nothing; dividing by 1 leaves it at 0.
    spread = np.where((features == features[0]).all(axis=0), 1.0, spread)
    scaled = (features - centre) / spread
    is_class = np.eye(len(classes))[codes]
    priors = is_class.mean(axis=0)
    means = (is_class.T @ scaled) / is_class.sum(axis=0)[:, None]
    residuals = scaled - means[codes]
    gram = residuals @ residuals.T
    if shrinkage == "auto":
        shrinkage = _ledoit_wolf(residuals, gram)
    weights = _solve(residuals, gram, means, shrinkage=_checked(shrinkage))
    intercept = np.log(priors) - 0.5 * np.einsum("kp,kp->k", weights, means)
    coef = weights.T / spread[:, None]
    return Readout(classes, coef, intercept - centre @ coef, float(shrinkage))


def predict(readout: Readout, features: np.ndarray) -> ReadoutChoices:
    """Let a fitted readout choose.

    Parameters
    ----------
    readout : Readout
        From :func:`fit_readout`.
    features : array, shape (..., n_rows, n_units)
        Activity of the same units; leading axes are variants, such as lesions.

    Returns
    -------
    ReadoutChoices
        ``codes (..., n_rows)`` and ``scores (..., n_rows, n_classes)``.

    Raises
    ------
    DataError
        The number of units is another.

    Examples
    --------
    >>> readout = Readout(("a", "b"), np.array([[1.0, -1.0]]), np.zeros(2), 0.5)
    >>> predict(readout, np.array([[[2.0], [-2.0]]])).labels.tolist()
    [['a', 'b']]
    """
    features = np.asarray(features)
    if features.ndim < 2 or features.shape[-1] != len(readout.coef):
        raise DataError(
            f"The readout was fitted on {len(readout.coef)} units; got features of shape "
            f"{features.shape}. Give (..., n_rows, n_units) with the same units."
        )
    scores = _scores(readout, features)
    folds = np.full(features.shape[-2], UNDEFINED)
    return ReadoutChoices(readout.classes, _codes(scores), scores, folds)


def cross_validated_choices(
    features: np.ndarray,
    labels: Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    n_folds: int = 5,
    seed: int = 0,
    shrinkage: float | str = "auto",
    test_features: np.ndarray | None = None,
) -> ReadoutChoices:
    """Let a readout choose on stimuli that it was not fitted on.

    Scaling, shrinkage and fit use the training folds alone. With `test_features` the readout is
    fitted on `features` and chooses on the others, within the same folds: a lesioned system read
    out as the intact one was.

    Parameters
    ----------
    features : array, shape (n_rows, n_units)
        Activity the readout is fitted on.
    labels : sequence of str, length n_rows
        Right class of each row.
    groups : sequence of str, length n_rows, optional
        What must not be split over folds, such as the stimulus id; each row alone by default.
    n_folds : int
        Number of folds, at least 2.
    seed : int
        Seed of the folds; they depend on the groups' names, never on the order of the rows.
    shrinkage : float or "auto"
        As in :func:`fit_readout`.
    test_features : array, shape (n_rows, n_units) or (n_variants, n_rows, n_units), optional
        Activity the readout chooses on.

    Returns
    -------
    ReadoutChoices
        With the leading axis of `test_features` where it has one.

    Raises
    ------
    DataError
        As in :func:`fit_readout`; or a class has fewer than two groups, or a group two classes.

    Examples
    --------
    >>> x = np.array([[0.0], [0.1], [0.2], [1.0], [1.1], [1.2]])
    >>> found = cross_validated_choices(x, ["a", "a", "a", "b", "b", "b"], n_folds=3)
    >>> found.labels.tolist()
    ['a', 'a', 'a', 'b', 'b', 'b']
    """
    folded = fit_folds(
        features, labels, groups=groups, n_folds=n_folds, seed=seed, shrinkage=shrinkage
    )
    return predict_folds(folded, features if test_features is None else test_features)


def fit_folds(
    features: np.ndarray,
    labels: Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    n_folds: int = 5,
    seed: int = 0,
    shrinkage: float | str = "auto",
) -> FoldedReadout:
    """Fit one readout for each fold on the rows of the others.

    Parameters and errors are those of :func:`cross_validated_choices`. Fitted once, it chooses on
    any number of variants with :func:`predict_folds`, without holding them all at once.

    Returns
    -------
    FoldedReadout

    Examples
    --------
    >>> x = np.array([[0.0], [0.1], [0.2], [1.0], [1.1], [1.2]])
    >>> folded = fit_folds(x, ["a", "a", "a", "b", "b", "b"], n_folds=3)
    >>> len(folded.readouts), sorted(folded.folds[:3].tolist())
    (3, [0, 1, 2])
    """
    features = _features(features, n_rows=len(labels))
    groups = [f"{row:09d}" for row in range(len(labels))] if groups is None else groups
    folds = stratified_group_folds(labels, groups, n_folds=n_folds, seed=seed)
    # With few groups the last folds may be empty.
    _, folds = np.unique(folds, return_inverse=True)
    names = np.asarray(labels, dtype=object)
    readouts = [
        fit_readout(features[folds != fold], names[folds != fold].tolist(), shrinkage=shrinkage)
        for fold in range(folds.max() + 1)
    ]
    return FoldedReadout(_classes(labels)[0], folds, tuple(readouts))


def predict_folds(folded: FoldedReadout, features: np.ndarray) -> ReadoutChoices:
    """Let every row be chosen on by the readout that did not learn from it.

    Parameters
    ----------
    folded : FoldedReadout
        From :func:`fit_folds`.
    features : array, shape (n_rows, n_units) or (n_variants, n_rows, n_units)
        Activity of the same rows and units, such as under lesions.

    Returns
    -------
    ReadoutChoices

    Raises
    ------
    DataError
        The rows or units are not those of the fit.

    Examples
    --------
    >>> x = np.array([[0.0], [0.1], [0.2], [1.0], [1.1], [1.2]])
    >>> folded = fit_folds(x, ["a", "a", "a", "b", "b", "b"], n_folds=3)
    >>> predict_folds(folded, np.stack([x, 1.2 - x])).labels[:, 0].tolist()
    ['a', 'b']
    """
    features = np.asarray(features)
    expected = (len(folded.folds), len(folded.readouts[0].coef))
    if features.ndim not in (2, 3) or features.shape[-2:] != expected:
        raise DataError(
            f"The readouts were fitted on features of shape {expected}; got {features.shape}. "
            f"Give the same rows and units: {expected} or (n_variants, {expected[0]}, "
            f"{expected[1]})."
        )
    scores = np.full((*features.shape[:-1], len(folded.classes)), np.nan)
    for fold, readout in enumerate(folded.readouts):
        held = folded.folds == fold
        scores[..., held, :] = _scores(readout, features[..., held, :])
    return ReadoutChoices(folded.classes, _codes(scores), scores, folded.folds)


def _features(features: np.ndarray, *, n_rows: int) -> np.ndarray:
    features = np.asarray(features)
    if features.ndim != 2 or len(features) != n_rows:
        raise DataError(
            f"A readout needs features (n_rows, n_units) and as many labels; got "
            f"{features.shape} and {n_rows} labels."
        )
    strange = np.flatnonzero(~np.isfinite(features).all(axis=0))
    if strange.size:
        raise DataError(
            f"{strange.size} unit(s) hold NaN or infinite values, first in column(s) "
            f"{listing(strange)}. Leave these units out."
        )
    return features.astype(np.float64, copy=False)


def _classes(labels: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    classes, codes = np.unique(np.array([str(label) for label in labels]), return_inverse=True)
    if len(classes) < 2:
        raise DataError(f"A readout needs at least two classes; got {listing(classes) or 'none'}.")
    return tuple(str(name) for name in classes), codes


def _checked(shrinkage: float | str) -> float:
    if isinstance(shrinkage, str):
        raise UsageError(f"shrinkage must be 'auto' or lie in (0, 1]; got {shrinkage!r}.")
    return in_range(shrinkage, option="shrinkage", low=0, high=1, low_open=True)


def _ledoit_wolf(residuals: np.ndarray, gram: np.ndarray) -> float:
    """Optimal shrinkage from the Gram matrix alone; 1 where the residuals do not vary."""
    n, p = residuals.shape
    mu = np.trace(gram) / (n * p)
    squared = np.square(gram).sum() / n**2
    delta = (squared - p * mu**2) / p
    beta = (np.square(np.diag(gram)).sum() / n - squared) / (n * p)
    # The smallest positive share keeps the covariance invertible.
    return 1.0 if delta <= 0 else float(np.clip(min(beta, delta) / delta, 1e-6, 1.0))


def _solve(
    residuals: np.ndarray, gram: np.ndarray, means: np.ndarray, *, shrinkage: float
) -> np.ndarray:
    """Rows of `means` times the inverse of the shrunk covariance, solved among rows."""
    n, p = residuals.shape
    sphere = shrinkage * np.trace(gram) / (n * p)
    if sphere <= 0:
        return np.full_like(means, np.nan)
    share = (1 - shrinkage) / n
    inner = sphere * np.eye(n) + share * gram
    return (means - share * np.linalg.solve(inner, residuals @ means.T).T @ residuals) / sphere


def _scores(readout: Readout, features: np.ndarray) -> np.ndarray:
    # One variant at a time: float64 copies of hundreds of lesioned layers would fill the memory.
    flat = features.reshape(-1, *features.shape[-2:])
    scores = np.stack([variant.astype(np.float64) @ readout.coef for variant in flat])
    return scores.reshape(*features.shape[:-1], len(readout.classes)) + readout.intercept


def _codes(scores: np.ndarray) -> np.ndarray:
    defined = ~np.isnan(scores).any(axis=-1)
    return np.where(defined, np.nan_to_num(scores).argmax(axis=-1), UNDEFINED)
