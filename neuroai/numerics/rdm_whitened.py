"""RDMs whitened by the covariance that noise in the patterns gives to their entries."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from neuroai.errors import DataError, UsageError
from neuroai.numerics.rdm_vectors import n_stimuli_of, pair_indices, to_square

WHITENED_METHODS = ("whitened-cosine", "whitened-pearson")

# A variance this far below the mean square is rounding: the RDM is constant in the sample.
_ROUNDING = 1e-13


def whitened(rdms: np.ndarray) -> np.ndarray:
    r"""Return :math:`V^{-1/2} d` for every RDM, where V is the covariance of its entries.

    Noise that is independent and alike in all patterns gives the entries of a distance matrix,
    where the true distances are 0, a covariance proportional to

    .. math:: V_{(ij), (kl)} = (\delta_{ik} - \delta_{il} - \delta_{jk} + \delta_{jl})^2 .

    It has three eigenvalues: 2n for what is constant, n for what is a sum of one number a stimulus
    and 2 for the rest, so that no matrix over pairs is formed.

    Parameters
    ----------
    rdms : array of shape (n_rdms, n_pairs)
        Complete RDM vectors of at least 3 stimuli, any unit.

    Returns
    -------
    array of shape (n_rdms, n_pairs)
        float64, in the unit of `rdms`; inner products are :math:`d^\top V^{-1} e`, and stimuli may
        be relabelled before or after.

    References
    ----------
    Diedrichsen et al. (2021), Comparing representational geometries using whitened unbiased
    distance-matrix similarity, https://doi.org/10.51628/001c.27664

    Examples
    --------
    >>> whitened(np.array([[1.0, 1.0, 1.0]])).round(6)
    array([[0.408248, 0.408248, 0.408248]])
    """
    rdms = np.asarray(rdms, dtype=np.float64)
    n = n_stimuli_of(rdms.shape[1])
    rows, columns = pair_indices(n)
    mean = rdms.mean(axis=1, keepdims=True)
    sums = to_square(rdms - mean).sum(axis=1)
    # The centred entries' best fit by a sum of one number a stimulus.
    sums /= n - 2
    fitted = sums[:, rows] + sums[:, columns]
    rest = np.sqrt(0.5)
    return rest * rdms + (np.sqrt(1 / n) - rest) * fitted + (np.sqrt(1 / (2 * n)) - rest) * mean


def whitened_by(rdms: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    r"""Return rows whose inner products are :math:`d^\top V^{-1} e` for patterns of any covariance.

    .. math:: V = (C \Sigma C^\top)^{\circ 2}, \qquad
              d^\top V^{-1} e \propto \mathrm{tr}(D P E P), \qquad
              P = \Sigma^{-1} - \frac{\Sigma^{-1} 1 1^\top \Sigma^{-1}}{1^\top \Sigma^{-1} 1}

    with the contrasts C of all pairs; matrices over stimuli take the place of one over pairs.

    Parameters
    ----------
    rdms : array of shape (n_rdms, n_pairs)
        Complete RDM vectors, any unit.
    covariance : array of shape (n_stimuli, n_stimuli) or (n_stimuli,)
        Covariance of the errors of the stimuli's patterns, or its diagonal; positive definite.

    Returns
    -------
    array of shape (n_rdms, n_stimuli ** 2)
        float64.

    Raises
    ------
    UsageError
        The covariance is of another number of stimuli.
    DataError
        The covariance is not symmetric and positive definite.

    References
    ----------
    Diedrichsen et al. (2021), https://doi.org/10.51628/001c.27664

    Examples
    --------
    >>> d = np.array([[1.0, 2.0, 3.0]])
    >>> whitened_by(d, np.ones(3)).round(6).tolist() == whitened_by(d, np.eye(3)).round(6).tolist()
    True
    >>> round(float(np.sum(whitened_by(d, np.ones(3)) ** 2)), 6)
    2.666667
    >>> round(float(np.sum(whitened(d) ** 2)), 6)
    2.666667
    """
    rdms = np.asarray(rdms, dtype=np.float64)
    n = n_stimuli_of(rdms.shape[1])
    root = linalg.cholesky(_as_covariance(covariance, n), lower=True)
    half = linalg.solve_triangular(root, np.eye(n), lower=True)
    one = half.sum(axis=1)
    one /= np.sqrt(one @ one)
    half -= np.outer(one, one @ half)
    # A square of the trace's root counts each pair twice, and a quarter of that is V's inverse.
    return (0.5 * half @ to_square(rdms) @ half.T).reshape(len(rdms), -1)


def _as_covariance(covariance: np.ndarray, n: int) -> np.ndarray:
    covariance = np.asarray(covariance, dtype=np.float64)
    square = np.diag(covariance) if covariance.ndim == 1 else covariance
    if square.shape != (n, n):
        raise UsageError(
            f"covariance must have shape ({n}, {n}) or ({n},), as the RDMs have {n} stimuli; "
            f"got {covariance.shape}."
        )
    if not np.allclose(square, square.T) or not (np.linalg.eigvalsh(square) > 0).all():
        raise DataError(
            "covariance must be symmetric and positive definite. Was it estimated from fewer "
            "observations than there are stimuli? Then shrink it first."
        )
    return square


def products_of_complete_pairs(a: np.ndarray, b: np.ndarray, kept: np.ndarray) -> np.ndarray:
    r"""Return :math:`d^\top V_{kk}^{-1} e` over the pairs k that are kept.

    .. math:: V_{kk}^{-1} = \tfrac12 \left[ I - A (2 I + A^\top A)^{-1} A^\top \right]

    where A tells the two stimuli of each pair.

    Parameters
    ----------
    a, b : arrays of shape (n_a, n_kept) and (n_b, n_kept)
        Entries of the pairs that are kept.
    kept : bool array of shape (n_pairs,)
        Which pairs these are.

    Returns
    -------
    array of shape (n_a, n_b)
        float64.

    Examples
    --------
    >>> d = np.array([[1.0, 2.0, 4.0]])
    >>> found = products_of_complete_pairs(d, d, np.ones(3, dtype=bool))
    >>> (found - whitened(d) @ whitened(d).T).round(12)
    array([[0.]])
    """
    n = n_stimuli_of(len(kept))
    rows, columns = (index[kept] for index in pair_indices(n))
    member = np.zeros((len(rows), n))
    member[np.arange(len(rows)), rows] = member[np.arange(len(rows)), columns] = 1.0
    sums_a, sums_b = a @ member, b @ member
    inner = linalg.solve(2 * np.eye(n) + member.T @ member, sums_b.T, assume_a="pos")
    return (a @ b.T - sums_a @ inner) / 2


def whitened_from_sums(
    sums: np.ndarray, a: np.ndarray, b: np.ndarray, counts: np.ndarray, *, method: str
) -> np.ndarray:
    """Return whitened similarities in bootstrap samples, from plain weighted sums over pairs.

    Copies of a stimulus count as stimuli of their own, and pairs among them are left out. As all
    copies are alike, what differs from plain products is a sum over distinct stimuli.

    Parameters
    ----------
    sums : array of shape (n_samples, n_features)
        Sums over pairs, each weighted by its copies, of 1, a, b, a squared, b squared and a times
        b, in this order.
    a, b : arrays of shape (n_a, n_pairs) and (n_b, n_pairs)
        RDM vectors.
    counts : array of shape (n_samples, n_stimuli)
        How often each stimulus is drawn.
    method : {"whitened-cosine", "whitened-pearson"}
        Whether the plain mean over a sample's pairs is taken off first.

    Returns
    -------
    array of shape (n_samples, n_a, n_b)
        NaN where an RDM is constant.
    """
    n_a, n_b = len(a), len(b)
    total, sum_a, sum_b, own_a, own_b, cross = np.split(
        sums, np.cumsum([1, n_a, n_b, n_a, n_b]), axis=1
    )
    rows_a, rows_b, rows_1 = (_stimulus_sums(rdms, counts) for rdms in (a, b, a[:1] * 0 + 1))
    z_b, z_1 = _solved(rows_b, counts), _solved(rows_1, counts)
    weigh = counts[:, None, :]
    cross = cross.reshape(-1, n_a, n_b) - (rows_a * weigh) @ z_b.transpose(0, 2, 1)
    own_a = own_a - (rows_a * weigh * _solved(rows_a, counts)).sum(axis=2)
    own_b = own_b - (rows_b * weigh * z_b).sum(axis=2)
    floor_a = floor_b = 0.0
    if method == "whitened-pearson":
        with_1_a, with_1_b, with_1 = (
            plain - (rows * weigh * z_1).sum(axis=2)
            for plain, rows in ((sum_a, rows_a), (sum_b, rows_b), (total, rows_1))
        )
        mean_a, mean_b = sum_a / np.maximum(total, 1), sum_b / np.maximum(total, 1)
        floor_a, floor_b = _ROUNDING * own_a, _ROUNDING * own_b
        own_a = own_a - 2 * mean_a * with_1_a + mean_a**2 * with_1
        own_b = own_b - 2 * mean_b * with_1_b + mean_b**2 * with_1
        cross = (
            cross
            - mean_a[:, :, None] * with_1_b[:, None, :]
            - with_1_a[:, :, None] * mean_b[:, None, :]
            + (mean_a * with_1)[:, :, None] * mean_b[:, None, :]
        )
    norm_a = np.sqrt(np.where(own_a > floor_a, own_a, np.nan))
    norm_b = np.sqrt(np.where(own_b > floor_b, own_b, np.nan))
    return cross / norm_a[:, :, None] / norm_b[:, None, :]


def _stimulus_sums(rdms: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Sum each stimulus's entries over the copies of the others: (n_samples, n_rdms, n_stimuli)."""
    square = to_square(rdms)
    sums = square.reshape(-1, square.shape[-1]) @ counts.T.astype(np.float64)
    return np.moveaxis(sums.reshape(*square.shape[:2], -1), -1, 0)


def _solved(rows: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Solve ``(2 + N - 2 c_i) z_i + sum_j c_j z_j = r_i`` in every sample of N copies."""
    counts = counts.astype(np.float64)
    own = 2.0 + counts.sum(axis=1, keepdims=True) - 2.0 * counts
    safe = np.where(own == 0, 1.0, own)
    share = (counts / safe)[:, None, :]
    common = (share * rows).sum(axis=2) / (1.0 + share.sum(axis=2))
    found = (rows - common[:, :, None]) / safe[:, None, :]
    # One stimulus that fills more than half of a sample may leave nothing to divide by.
    for sample in np.flatnonzero((own == 0).any(axis=1)):
        matrix = np.diag(own[sample]) + counts[sample]
        found[sample] = np.linalg.solve(matrix, rows[sample].T).T
    return found
