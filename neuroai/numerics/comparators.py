"""How similar two RDMs are: cosine, Pearson, both whitened, Spearman, rho-a and tau-a."""

from __future__ import annotations

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import DataError, UsageError
from neuroai.numerics.concordance import tau_a
from neuroai.numerics.ranks import average_ranks
from neuroai.numerics.rdm_vectors import n_stimuli_of
from neuroai.numerics.rdm_whitened import (
    WHITENED_METHODS,
    products_of_complete_pairs,
    whitened,
    whitened_by,
)

METHODS = ("cosine", "pearson", "spearman", "rho-a", "tau-a", *WHITENED_METHODS)
RANK_METHODS = ("spearman", "rho-a")
UNDEFINED = ("pairwise", "listwise", "raise")


def compare_rdms(
    a: np.ndarray,
    b: np.ndarray,
    *,
    method: str,
    undefined: str = "pairwise",
    covariance: np.ndarray | None = None,
) -> np.ndarray:
    r"""Compare every RDM of one set with every RDM of another.

    With :math:`x, y` the two vectors of :math:`m` pairs and :math:`\tilde x` the centred average
    ranks of :math:`x`:

    - cosine: :math:`\sum x y / \sqrt{\sum x^2 \sum y^2}`;
    - pearson: the cosine of the centred vectors;
    - spearman: the cosine of the centred average ranks;
    - rho-a: :math:`12 \sum \tilde x \tilde y / (m^3 - m)`, the expectation of Spearman's
      coefficient when ties are broken at random;
    - tau-a: (concordant - discordant) / all :math:`m (m - 1) / 2` pairs of entries; ties count as
      neither;
    - whitened-cosine, whitened-pearson: :math:`x^\top V^{-1} y / \sqrt{x^\top V^{-1} x \;
      y^\top V^{-1} y}`, of the vectors as they are or centred, with the covariance V that noise
      in the patterns gives to distances.

    Parameters
    ----------
    a : array of shape (n_a, n_pairs)
        RDM vectors, any unit. NaN marks an undefined entry.
    b : array of shape (n_b, n_pairs)
        RDM vectors of the same stimuli in the same order.
    method : {"cosine", "pearson", "spearman", "rho-a", "tau-a", "whitened-cosine", \
"whitened-pearson"}
        The comparator.
    undefined : {"pairwise", "listwise", "raise"}
        Which entries to leave out when some are NaN: those undefined in either RDM of the pair
        (ranks are taken after that), those undefined in any RDM, or raise.
    covariance : array of shape (n_stimuli, n_stimuli) or (n_stimuli,), optional
        Covariance of the errors of the stimuli's patterns, for the whitened methods and complete
        RDMs; equal and independent errors if not given.

    Returns
    -------
    array of shape (n_a, n_b)
        float64, without unit, from -1 to 1; NaN where an RDM is constant (for cosine: all 0) or
        fewer than two entries are left.

    Raises
    ------
    DataError
        Entries are infinite, or undefined where `undefined` is "raise".
    UsageError
        The two sets have different numbers of pairs, or `covariance` is given where it cannot
        serve.

    References
    ----------
    Diedrichsen et al. (2021), https://doi.org/10.51628/001c.27664;
    Schütt et al. (2023), Statistical inference on representational geometries, eLife 12, e82566,
    https://doi.org/10.7554/eLife.82566

    Examples
    --------
    >>> a = np.array([[1.0, 2.0, 3.0]])
    >>> compare_rdms(a, np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]), method="tau-a")
    array([[ 1., -1.]])
    """
    one_of(method, METHODS, option="method")
    one_of(undefined, UNDEFINED, option="undefined")
    a, b = as_rdms(a, name="a"), as_rdms(b, name="b")
    same_pairs(a, b)
    missing_a, missing_b = np.isnan(a), np.isnan(b)
    if covariance is not None:
        return _compare_with(a, b, covariance, method, missing=missing_a.any() or missing_b.any())
    if not (missing_a.any() or missing_b.any()):
        return _compare_complete(a, b, method)
    if undefined == "raise":
        raise undefined_error(int(missing_a.sum() + missing_b.sum()), a.size + b.size)
    if undefined == "listwise":
        kept = ~(missing_a.any(axis=0) | missing_b.any(axis=0))
        return _compare_kept(a, b, kept, method)
    out = np.empty((len(a), len(b)))
    for mask_a, rows_a in _groups(missing_a):
        for mask_b, rows_b in _groups(missing_b):
            pair = _compare_kept(a[rows_a], b[rows_b], ~(mask_a | mask_b), method)
            out[np.ix_(rows_a, rows_b)] = pair
    return out


def as_rdms(rdms: np.ndarray, *, name: str) -> np.ndarray:
    """Return RDM vectors as float64 (n_rdms, n_pairs), or say what is wrong.

    Raises
    ------
    UsageError
        The array is not two-dimensional.
    DataError
        Some entries are infinite.

    Examples
    --------
    >>> as_rdms([[1, 2, 3]], name="data")
    array([[1., 2., 3.]])
    """
    rdms = np.asarray(rdms, dtype=np.float64)
    if rdms.ndim != 2:
        raise UsageError(
            f"{name} must be RDM vectors of shape (n_rdms, n_pairs); got shape {rdms.shape}. "
            "Use rdm_vectors.to_vector for square RDMs."
        )
    infinite = int(np.isinf(rdms).sum())
    if infinite:
        raise DataError(f"{infinite} of {rdms.size} entries of {name} are infinite.")
    return rdms


def as_complete_rdms(rdms: np.ndarray, *, name: str) -> np.ndarray:
    """Return RDM vectors as float64 (n_rdms, n_pairs) without any undefined entry.

    Raises
    ------
    DataError
        Some entries are NaN or infinite; the message counts them.

    Examples
    --------
    >>> as_complete_rdms([[1, 2, 3]], name="data")
    array([[1., 2., 3.]])
    """
    rdms = as_rdms(rdms, name=name)
    missing = int(np.isnan(rdms).sum())
    if missing:
        raise undefined_error(missing, rdms.size, name=name)
    return rdms


def undefined_error(count: int, total: int, *, name: str = "the RDMs") -> DataError:
    """Return the error that counts undefined entries.

    Examples
    --------
    >>> print(undefined_error(2, 6))
    2 of 6 entries of the RDMs are undefined (NaN). Drop the stimuli concerned ...
    """
    return DataError(
        f"{count} of {total} entries of {name} are undefined (NaN). "
        "Drop the stimuli concerned from all RDMs before calling."
    )


def same_pairs(a: np.ndarray, b: np.ndarray) -> None:
    """Raise a UsageError if two sets of RDMs differ in their number of pairs."""
    if a.shape[-1] != b.shape[-1]:
        raise UsageError(
            f"The two sets of RDMs have {a.shape[-1]} and {b.shape[-1]} pairs. "
            "Both must hold the same stimuli in the same order."
        )


def standardised(rdms: np.ndarray, *, method: str) -> np.ndarray:
    """Return vectors whose inner products are the similarities; for all methods but tau-a.

    Parameters
    ----------
    rdms : array of shape (n_rdms, n_pairs)
        Complete RDM vectors of at least 2 pairs.
    method : {"cosine", "pearson", "spearman", "rho-a", "whitened-cosine", "whitened-pearson"}
        The comparator.

    Returns
    -------
    array of shape (n_rdms, n_pairs)
        float64; rows of NaN where the similarity is undefined.

    Examples
    --------
    >>> unit = standardised(np.array([[3.0, 4.0, 0.0]]), method="cosine")
    >>> unit
    array([[0.6, 0.8, 0. ]])
    """
    n_pairs = rdms.shape[1]
    defined = ~_is_constant(rdms, method)
    values = average_ranks(rdms) if method in RANK_METHODS else rdms
    if not method.endswith("cosine"):
        values = values - values.mean(axis=1, keepdims=True)
    if method == "rho-a":
        scaled = values * np.sqrt(12.0 / (float(n_pairs) ** 3 - n_pairs))
    else:
        # Squares of very large or very small entries would leave the range of float64.
        largest = np.abs(values).max(axis=1, keepdims=True)
        values = values / np.where(largest > 0, largest, 1.0)
        scaled = _unit(whitened(values) if method in WHITENED_METHODS else values)
    return np.where(defined[:, None], scaled, np.nan)


def _unit(rows: np.ndarray) -> np.ndarray:
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return rows / np.where(norms > 0, norms, 1.0)[:, None]


def _is_constant(rdms: np.ndarray, method: str) -> np.ndarray:
    if method.endswith("cosine"):
        return ~rdms.any(axis=1)
    return rdms.max(axis=1) == rdms.min(axis=1)


def _compare_complete(a: np.ndarray, b: np.ndarray, method: str) -> np.ndarray:
    if a.shape[1] < 2:
        return np.full((len(a), len(b)), np.nan)
    if method == "tau-a":
        return tau_a(a, b)
    similarity = standardised(a, method=method) @ standardised(b, method=method).T
    # Rounding may leave the range by some 1e-16.
    return np.clip(similarity, -1.0, 1.0)


def _compare_kept(a: np.ndarray, b: np.ndarray, kept: np.ndarray, method: str) -> np.ndarray:
    """Compare on the pairs that are kept; whitening must know which these are."""
    a, b = a[:, kept], b[:, kept]
    if method not in WHITENED_METHODS or kept.all() or a.shape[1] < 2:
        return _compare_complete(a, b, method)
    a, b = (_prepared(rdms, method) for rdms in (a, b))
    own_a, own_b = (np.diag(products_of_complete_pairs(x, x, kept)) for x in (a, b))
    scale = np.sqrt(np.where(own_a > 0, own_a, np.nan))[:, None] * np.sqrt(
        np.where(own_b > 0, own_b, np.nan)
    )
    return np.clip(products_of_complete_pairs(a, b, kept) / scale, -1.0, 1.0)


def _prepared(rdms: np.ndarray, method: str) -> np.ndarray:
    """Centre for Pearson and scale to at most 1; what is constant becomes 0."""
    constant = _is_constant(rdms, method)[:, None]
    if not method.endswith("cosine"):
        rdms = rdms - rdms.mean(axis=1, keepdims=True)
    largest = np.abs(rdms).max(axis=1, keepdims=True)
    return np.where(constant, 0.0, rdms / np.where(largest > 0, largest, 1.0))


def _compare_with(
    a: np.ndarray, b: np.ndarray, covariance: np.ndarray, method: str, *, missing: bool
) -> np.ndarray:
    if method not in WHITENED_METHODS:
        raise UsageError(
            f"covariance serves the methods {' and '.join(WHITENED_METHODS)}; "
            f"got method={method!r}."
        )
    if missing:
        raise UsageError(
            "Whitening by a covariance needs complete RDMs, and some entries are NaN. Drop the "
            "stimuli concerned, or leave covariance out."
        )
    n_stimuli_of(a.shape[1])
    rows = []
    for rdms in (a, b):
        defined = ~_is_constant(rdms, method)
        unit = _unit(whitened_by(_prepared(rdms, method), covariance))
        rows.append(np.where(defined[:, None], unit, np.nan))
    return np.clip(rows[0] @ rows[1].T, -1.0, 1.0)


def _groups(missing: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Group rows that lack the same entries: their mask and their numbers."""
    masks, group = np.unique(missing, axis=0, return_inverse=True)
    return [(mask, np.flatnonzero(group.ravel() == k)) for k, mask in enumerate(masks)]
