"""Lesion-symptom mapping: which lesioned elements go with a worse score, one element at a time.

The same functions serve voxels of patients and units of a network: rows are lesions, columns are
elements, true where an element is lesioned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from neuroai.checks import one_of
from neuroai.errors import DataError, UsageError

METHODS = ("t", "brunner-munzel")
BLOCK_BYTES = 256 * 2**20
# A residual this small beside its own column is rounding: covariates explain the column wholly.
NOTHING_LEFT = 1e-9
# Permuted statistics are float32 products of up to a thousand terms.
SINGLE_SLACK = 1e-5
COLUMNS_AT_ONCE = 2**16


@dataclass(frozen=True)
class LesionMap:
    """A statistic for every element.

    Attributes
    ----------
    statistic : array, shape (n_elements,)
        Negative where a lesion goes with a lower score; NaN where it is not defined.
    p : array, shape (n_elements,)
        Two-sided, of one element by itself, in [0, 1]: Student's t with the residual degrees of
        freedom, or with those of Brunner and Munzel. NaN where the statistic is.
    p_corrected : array, shape (n_elements,), or None
        p of the largest |statistic| over all elements under permutation (familywise); NaN where
        the statistic is.
    threshold : float
        |statistic| that 5 % of the largest under permutation reach; NaN without permutations.
    n_lesioned : array of int, shape (n_elements,)
        Lesions that hold the element.
    n_unique : int
        Unlike columns, each of which was computed once.
    n_left_out : int
        Elements lesioned too rarely, or too often, to be tested.
    n_permutations : int
        Permutations behind the p.
    method : str
        The statistic, and what was held constant.
    """

    statistic: np.ndarray
    p: np.ndarray
    p_corrected: np.ndarray | None
    threshold: float
    n_lesioned: np.ndarray
    n_unique: int
    n_left_out: int
    n_permutations: int
    method: str


def map_lesions(
    lesions: np.ndarray,
    scores: np.ndarray,
    *,
    method: str = "t",
    covariates: np.ndarray | None = None,
    least: int = 5,
    n_permutations: int = 0,
    seed: int = 0,
    block_bytes: int = BLOCK_BYTES,
) -> LesionMap:
    r"""Test every element: does the score differ between those with and without it?

    ``t``: the slope of the score on the element, with the covariates (lesion volume, as a rule)
    in the model; without covariates the two-sample t of equal variances. Permutations follow
    Freedman and Lane: what the covariates leave of the score is permuted.
    ``brunner-munzel``: the rank statistic that asks for no equal variances; it takes no covariates.

    .. math:: p_j = \frac{1 + \#\{\pi : \max_k |T_k^{\pi}| \ge |T_j|\}}{1 + n_\pi}

    Parameters
    ----------
    lesions : array of bool, shape (n_lesions, n_elements)
        True where lesioned. Equal columns are computed once.
    scores : array, shape (n_lesions,)
        Finite.
    method : {"t", "brunner-munzel"}
        The statistic.
    covariates : array, shape (n_lesions, n_covariates), optional
        What is held constant.
    least : int
        An element is tested if at least so many have it lesioned, and as many have it spared.
    n_permutations : int
        0 for none.
    seed : int
        Seed of the permutations.
    block_bytes : int
        Memory for one block of columns.

    Returns
    -------
    LesionMap

    Raises
    ------
    UsageError
        Shapes that do not fit, an unknown method, or covariates for ranks.
    DataError
        A score or covariate is not finite, or no element can be tested.

    References
    ----------
    Bates et al., 2003, Nat Neurosci 6, 448, doi:10.1038/nn1050; Brunner & Munzel, 2000,
    doi:10.1002/(SICI)1521-4036(200001)42:1<17::AID-BIMJ17>3.0.CO;2-U; Freedman & Lane, 1983,
    doi:10.1080/07350015.1983.10509354

    Examples
    --------
    >>> lesions = np.array([[1, 0], [1, 1], [0, 1], [0, 0]], dtype=bool)
    >>> map_lesions(lesions, np.array([1.0, 2.0, 4.0, 5.0]), least=2).statistic.round(3)
    array([-4.243,  0.   ])
    """
    lesions, scores, z = _checked(lesions, scores, covariates, method)
    counts = lesions.sum(axis=0)
    tested = (counts >= least) & (counts <= len(scores) - least)
    if not tested.any():
        raise DataError(
            f"No element is lesioned, and spared, in {least} lesions or more. Lower least=..."
        )
    columns, inverse = _packed_columns(lesions, np.flatnonzero(tested))
    orders = _orders(len(scores), n_permutations, seed)
    function = _slopes if method == "t" else _ranks
    values, p, largest = function(columns, scores, z, orders, block_bytes)

    def spread(found: np.ndarray) -> np.ndarray:
        everywhere = np.full(lesions.shape[1], np.nan)
        everywhere[tested] = found[inverse]
        return everywhere

    corrected, threshold = None, float("nan")
    if n_permutations:
        corrected = spread(_corrected(np.abs(values), largest))
        threshold = float(np.quantile(largest, 0.95, method="higher"))
    held = "" if z.shape[1] == 1 else f", {z.shape[1] - 1} covariate(s) held constant"
    return LesionMap(
        spread(values),
        spread(p),
        corrected,
        threshold,
        counts,
        len(columns),
        int((~tested).sum()),
        n_permutations,
        f"{method}{held}",
    )


def unique_columns(lesions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the unlike columns as rows, and the place of each column among them.

    Examples
    --------
    >>> rows, place = unique_columns(np.array([[1, 0, 1], [0, 1, 0]], dtype=bool))
    >>> rows.astype(int).tolist(), place.tolist()
    ([[0, 1], [1, 0]], [1, 0, 1])
    """
    packed, inverse = _packed_columns(lesions, np.arange(lesions.shape[1]))
    return _unpacked(packed, len(lesions)), inverse


def _packed_columns(lesions: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the unlike ones of the wanted columns, eight lesions a byte, and each one's place."""
    packed = np.empty((len(wanted), -(-len(lesions) // 8)), dtype=np.uint8)
    for start in range(0, len(wanted), COLUMNS_AT_ONCE):
        some = wanted[start : start + COLUMNS_AT_ONCE]
        packed[start : start + len(some)] = np.packbits(lesions[:, some], axis=0).T
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).reshape(-1)
    unique, inverse = np.unique(keys, return_inverse=True)
    return unique.view(np.uint8).reshape(len(unique), -1), inverse


def _unpacked(packed: np.ndarray, n_lesions: int) -> np.ndarray:
    return np.unpackbits(packed, axis=1, count=n_lesions).astype(bool)


def _orders(n: int, n_permutations: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.array([np.arange(n), *(rng.permutation(n) for _ in range(n_permutations))])


def _slopes(
    columns: np.ndarray, scores: np.ndarray, z: np.ndarray, orders: np.ndarray, block_bytes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """t and p of every unlike column, and the largest |t| of every permutation."""
    q = np.linalg.qr(z)[0]
    left = scores - q @ (q.T @ scores)
    # Permuted residuals, freed of the covariates again; the first is the data.
    permuted = left[orders].T
    permuted = permuted - q @ (q.T @ permuted)
    total = (permuted**2).sum(axis=0)
    dof = len(scores) - z.shape[1] - 1
    # Of unit length, so that the squared product over the column's size is a share in [0, 1].
    small = (permuted[:, 1:] / np.sqrt(total[1:])).astype(np.float32)
    found, shares = [], np.zeros(small.shape[1], dtype=np.float32)
    width = max(1, block_bytes // (4 * (4 * len(scores) + 2 * orders.shape[0])))
    for start in range(0, len(columns), width):
        x = _unpacked(columns[start : start + width], len(scores)).astype(np.float64)
        size = x.sum(axis=1) - ((x @ q) ** 2).sum(axis=1)
        lost = size <= NOTHING_LEFT * x.sum(axis=1)
        size = np.where(lost, np.inf, size)
        found.append(np.where(lost, np.nan, (x @ permuted[:, 0]) / np.sqrt(size * total[0])))
        if small.shape[1]:
            products = x.astype(np.float32) @ small
            products *= (1 / np.sqrt(size)).astype(np.float32)[:, None]
            np.maximum(shares, np.square(products, out=products).max(axis=0), out=shares)
    t = _t(np.concatenate(found), dof)
    return t, 2 * stats.t.sf(np.abs(t), dof), _t(np.sqrt(shares.astype(np.float64)), dof)


def _t(r: np.ndarray, dof: int) -> np.ndarray:
    """Turn partial correlations into t."""
    # A score that an element explains wholly has a large t, not an infinite one.
    return r * np.sqrt(dof / np.maximum(1 - r**2, np.finfo(np.float64).eps))


def _ranks(
    columns: np.ndarray, scores: np.ndarray, z: np.ndarray, orders: np.ndarray, block_bytes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Brunner-Munzel of every unlike column, its p, and the largest |W| of every permutation."""
    del z
    level = np.unique(scores, return_inverse=True)[1]
    hot = (level[:, None] == np.arange(level.max() + 1)).astype(np.float64)
    width = max(1, block_bytes // (8 * (8 * hot.shape[1] + 2 * len(scores))))
    found, dofs, largest = [], [], np.zeros(orders.shape[0])
    for start in range(0, len(columns), width):
        x = _unpacked(columns[start : start + width], len(scores)).astype(np.float64)
        for place, order in enumerate(orders):
            w, dof = _brunner_munzel(x @ hot[order], hot.sum(axis=0))
            if place == 0:
                found.append(w)
                dofs.append(dof)
            known = np.abs(w[np.isfinite(w)])
            largest[place] = max(largest[place], known.max(initial=0.0))
    values = np.concatenate(found)
    return values, 2 * stats.t.sf(np.abs(values), np.concatenate(dofs)), largest[1:]


def _brunner_munzel(here: np.ndarray, everyone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """W and its degrees of freedom, from the number of lesioned at every level of the score."""
    there = everyone - here
    n1, n0 = here.sum(axis=1), there.sum(axis=1)
    pooled = np.cumsum(everyone) - everyone + (everyone + 1) / 2
    means, spreads = [], []
    for counts, n in ((here, n1), (there, n0)):
        own = np.cumsum(counts, axis=1) - counts + (counts + 1) / 2
        mean = (counts * pooled).sum(axis=1) / n
        off = pooled - own - mean[:, None] + (n[:, None] + 1) / 2
        means.append(mean)
        # A single lesion has no variance: undefined, not 0.
        spreads.append(n * (counts * off**2).sum(axis=1) / np.where(n > 1, n - 1, np.nan))
    both = spreads[0] + spreads[1]
    top = n1 * n0 * (means[0] - means[1])
    known = both > 0
    nothing = np.full(len(top), np.nan)
    w = np.divide(top, (n1 + n0) * np.sqrt(both), out=nothing.copy(), where=known)
    parts = sum(
        s**2 / np.where(n > 1, n - 1, np.nan) for s, n in zip(spreads, (n1, n0), strict=True)
    )
    return w, np.divide(both**2, parts, out=nothing, where=known)


def _corrected(values: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """Count permutations whose largest reaches each value; equal up to rounding reaches."""
    at_least = np.sort(largest * (1 + SINGLE_SLACK))
    more = len(at_least) - np.searchsorted(at_least, values, side="left")
    return np.where(np.isfinite(values), (1 + more) / (1 + len(at_least)), np.nan)


def _checked(
    lesions: np.ndarray, scores: np.ndarray, covariates: np.ndarray | None, method: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    one_of(method, METHODS, option="method")
    lesions, scores = np.asarray(lesions), np.asarray(scores, dtype=np.float64)
    if lesions.dtype != bool or lesions.ndim != 2 or scores.shape != lesions.shape[:1]:
        raise UsageError(
            "Lesions (n_lesions, n_elements) of truth values and scores (n_lesions,) are wanted; "
            f"got {lesions.dtype} {lesions.shape} and {scores.shape}."
        )
    if covariates is not None and method != "t":
        raise UsageError("The rank statistic takes no covariates. Use method='t'.")
    extra = np.empty((len(scores), 0)) if covariates is None else np.asarray(covariates, float)
    if extra.ndim != 2 or len(extra) != len(scores):
        raise UsageError(
            f"Covariates (n_lesions, n_covariates) are wanted; got {extra.shape} for "
            f"{len(scores)} lesions."
        )
    if not (np.isfinite(scores).all() and np.isfinite(extra).all()):
        raise DataError("A score or covariate is not finite. Leave these lesions out.")
    if scores.min() == scores.max():
        raise DataError("All scores are equal, so that no lesion can explain them.")
    return lesions, scores, np.column_stack([np.ones(len(scores)), extra])
