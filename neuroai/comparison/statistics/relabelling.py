"""p values of many cells at once from permuted labels of stimuli, for one subject or several."""

from __future__ import annotations

import numpy as np

from neuroai.numerics.comparators import standardised
from neuroai.numerics.rdm_permutation import permute_rdms, relabelled
from neuroai.numerics.rdm_vectors import n_stimuli_of
from neuroai.numerics.resample import stimulus_permutations

# A relabelling that leaves the RDM as it is must count as equal, whatever its rounding.
_EQUAL = 1e-9
_BLOCK_BYTES = 2**27


def relabelled_p(
    data: np.ndarray,
    models: np.ndarray,
    *,
    method: str,
    side: str = "greater",
    n_permutations: int = 1000,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return p values for all regions, times and layers together, and for each cell alone.

    .. math:: z_k = \frac{v_k - \bar v_k^{null}}{s_k^{null}}, \qquad
              p_k = \frac{1 + \#\{\max_j z_j^{null} \ge z_k\}}{1 + N}

    All cells are relabelled by the same permutation, so that what they share is kept; each is
    measured by its own null, since a cosine without relation is not 0.

    Parameters
    ----------
    data : array of shape (n_subjects, n_regions, n_times, n_pairs)
        RDM vectors; a cell with undefined entries has no p value.
    models : array of shape (n_model_subjects, n_layers[, n_times], n_pairs)
        RDM vectors of the same stimuli.
    method : str
        The comparator.
    side : {"greater", "two-sided"}
        What counts as extreme.
    n_permutations, seed : int
        How many relabellings, and their seed.

    Returns
    -------
    tuple of two arrays, shape (n_regions, n_times, n_layers)
        p values corrected for all cells, and those of each cell.

    Examples
    --------
    >>> rdm = np.random.default_rng(0).random((1, 1, 1, 45))
    >>> both, alone = relabelled_p(rdm, rdm[:, :, 0], method="pearson", n_permutations=99)
    >>> both.item(), alone.item()
    (0.01, 0.01)
    """
    n_stimuli = n_stimuli_of(data.shape[-1])
    rng = np.random.default_rng(seed)
    orders = stimulus_permutations(n_permutations, n_stimuli, rng=rng)
    orders = np.concatenate([np.arange(n_stimuli)[None], orders])
    scores = _null(data, models, orders, method)
    return p_from_null(scores, side=side)


def p_from_null(scores: np.ndarray, *, side: str = "greater") -> tuple[np.ndarray, np.ndarray]:
    """Return p values for all cells together, and for each alone, from scores under relabelling.

    Parameters
    ----------
    scores : array of shape (n_orders, ...)
        The first row is that of the labels as they are.
    side : {"greater", "two-sided"}
        What counts as extreme.

    Returns
    -------
    tuple of two arrays of shape (...)
        NaN for cells with an undefined score.

    Examples
    --------
    >>> both, alone = p_from_null(np.array([[3.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]))
    >>> both.tolist(), alone.tolist()
    ([0.5, 1.0], [0.25, 1.0])
    """
    defined = np.isfinite(scores).all(axis=0)
    scores = scores[:, defined]
    spread = scores.std(axis=0)
    z = (scores - scores.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    z = np.abs(z) if side == "two-sided" else z
    p_max, p_cell = (np.full(defined.shape, np.nan) for _ in range(2))
    if defined.any():
        floor = z[0] - _EQUAL
        # The order as it is stands first, and counts.
        p_max[defined] = (z.max(axis=1)[:, None] >= floor).mean(axis=0)
        p_cell[defined] = (z >= floor).mean(axis=0)
    return p_max, p_cell


def _null(data: np.ndarray, models: np.ndarray, orders: np.ndarray, method: str) -> np.ndarray:
    """Score every relabelling, (n_orders, regions, times, layers), mean over subjects."""
    _, n_regions, n_times, n_pairs = data.shape
    timed = models.ndim == 4
    out = np.full((len(orders), n_regions, n_times, models.shape[1]), np.nan)
    if method == "tau-a":
        return _tau(data, models, orders, out)
    # The mean over subjects of products is a product of means.
    target = standardised(data.reshape(-1, n_pairs), method=method)
    target = target.reshape(data.shape).mean(axis=0).reshape(-1, n_pairs)
    unit = standardised(models.reshape(-1, n_pairs), method=method).reshape(models.shape).mean(0)
    block = max(1, _BLOCK_BYTES // (8 * n_pairs))
    for m in range(models.shape[1]):
        for start in range(0, len(orders), block):
            part = slice(start, start + block)
            if not timed:
                found = relabelled(unit[m], orders[part]) @ target.T
                out[part, :, :, m] = found.reshape(-1, n_regions, n_times)
                continue
            for t in range(n_times):
                own = target.reshape(n_regions, n_times, n_pairs)[:, t]
                out[part, :, t, m] = relabelled(unit[m, t], orders[part]) @ own.T
    return out


def _tau(data: np.ndarray, models: np.ndarray, orders: np.ndarray, out: np.ndarray) -> np.ndarray:
    for r, t in np.ndindex(data.shape[1:3]):
        own = data[:, r, t]
        theirs = models[:, :, t] if models.ndim == 4 else models
        if np.isfinite(own).all() and np.isfinite(theirs).all():
            flat = theirs.reshape(-1, theirs.shape[-1])
            null = permute_rdms(own, flat, method="tau-a", permutations=orders)
            out[:, r, t] = null.reshape(len(orders), *theirs.shape[:2]).mean(axis=1)
    return out
