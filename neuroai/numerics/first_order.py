"""What single stimuli contribute to bootstrap scores, and how well that variance is known."""

from __future__ import annotations

import numpy as np

from neuroai.checks import in_range
from neuroai.errors import UsageError


def first_order(samples: np.ndarray, counts: np.ndarray, *, kept: float = 0.0) -> np.ndarray:
    r"""Return bootstrap scores without what pairs of stimuli add beyond single ones.

    .. math:: s'_b = l_b + \sqrt{kept}\,(s_b - l_b), \qquad
              l_b = \hat a + \sum_i \hat\beta_i\, (c_{bi} - 1)

    with :math:`\hat\beta` the least-squares fit of the scores on how often each stimulus is drawn.
    A score of RDMs is a mean over pairs, and drawing stimuli multiplies the variance of what is
    proper to a pair by three: two parts of it are linear in the counts, one is not. With 20 stimuli
    the variance of rank correlations is 1.3 times too large with that part, and right without it.

    Parameters
    ----------
    samples : array, shape (n_samples, ...)
        Scores of bootstrap samples; NaN where undefined, and NaN in the result.
    counts : array of int, shape (n_samples, n_stimuli)
        How often each stimulus was drawn; every row sums to `n_stimuli`.
    kept : float
        Share of the other part's variance that stays, from 0 to 1.

    Returns
    -------
    array, shape of `samples`
        float64. Scores that no more than ``n_stimuli`` samples define are returned as they are.

    Raises
    ------
    UsageError
        The numbers of samples differ, or `kept` is out of range.

    References
    ----------
    Hoeffding (1948), https://doi.org/10.1214/aoms/1177730196; Efron (2014), Estimation and accuracy
    after model selection, https://doi.org/10.1080/01621459.2013.823775

    Examples
    --------
    The product of two counts is 1 to first order in both, plus what each adds.

    >>> counts = np.array([[2, 0], [0, 2], [1, 1], [1, 1]])
    >>> first_order(counts[:, 0] * 3.0, counts).round(6)
    array([6., 0., 3., 3.])
    >>> first_order(counts.prod(axis=1) * 1.0, counts)
    array([0.5, 0.5, 0.5, 0.5])
    """
    in_range(kept, option="kept", low=0.0, high=1.0)
    samples, counts = np.asarray(samples, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    if len(samples) != len(counts):
        raise UsageError(
            f"samples and counts hold {len(samples)} and {len(counts)} bootstrap samples; they "
            "must hold the same number."
        )
    flat = samples.reshape(len(samples), -1)
    out = flat.copy()
    patterns, of_column = np.unique(np.isfinite(flat), axis=1, return_inverse=True)
    for at in range(patterns.shape[1]):
        rows, columns = np.flatnonzero(patterns[:, at]), np.flatnonzero(of_column == at)
        if len(rows) > counts.shape[1]:
            here = np.ix_(rows, columns)
            out[here] = _fitted(flat[here], counts[rows], np.sqrt(kept))
    return out.reshape(samples.shape)


def _fitted(scores: np.ndarray, counts: np.ndarray, keep: float) -> np.ndarray:
    """Give the part that is linear in the counts, and `keep` times the rest."""
    mean = scores.mean(axis=0)
    # The counts of the last stimulus follow from those of the others.
    centred = counts[:, :-1] - counts[:, :-1].mean(axis=0)
    basis, _ = np.linalg.qr(centred)
    linear = mean + basis @ (basis.T @ (scores - mean))
    return linear + keep * (scores - linear)


def variance_dof(deviations: np.ndarray) -> np.ndarray:
    r"""Return the degrees of freedom of a variance that is a mean of squared deviations.

    .. math:: \nu = \frac{2}{\max(k - 3, 0) / n + 2 / (n - 1)}, \qquad
              k = \frac{n \sum_i d_i^4}{(\sum_i d_i^2)^2}

    Of normal deviations that is n - 1; the more a few of them make up the variance, the less is
    known of it.

    Parameters
    ----------
    deviations : array, shape (n, ...)
        One a stimulus or subject, such as scores without each of them; their mean is taken off.

    Returns
    -------
    array, shape (...)
        float64, from 1 to n - 1; n - 1 where nothing deviates or a deviation is undefined.

    Raises
    ------
    UsageError
        Fewer than two deviations.

    References
    ----------
    O'Neill (2014), Some useful moment results in sampling problems,
    https://doi.org/10.1080/00031305.2014.966589

    Examples
    --------
    >>> float(variance_dof(np.array([-1.0, 1.0, -1.0, 1.0])))
    3.0
    >>> round(float(variance_dof(np.r_[np.zeros(99), 1.0])), 2)
    2.06
    """
    d = np.asarray(deviations, dtype=np.float64)
    n = len(d)
    if n < 2:
        raise UsageError(f"A variance needs at least 2 deviations; got {n}.")
    d = d - d.mean(axis=0)
    second, fourth = (d**2).sum(axis=0), (d**4).sum(axis=0)
    normal = np.full(second.shape, 3.0)
    known = np.isfinite(second) & (second > 0)
    kurtosis = np.divide(n * fourth, second**2, out=normal, where=known)
    dof = 2.0 / (np.maximum(kurtosis - 3.0, 0.0) / n + 2.0 / (n - 1))
    return np.clip(dof, 1.0, n - 1.0)
