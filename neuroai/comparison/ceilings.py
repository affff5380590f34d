"""Noise ceilings of scores, of the same kind as the score itself."""

from __future__ import annotations

import numpy as np

from neuroai.checks import one_of
from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.rdm_ceiling import noise_ceiling

POOLINGS = ("comparator", "mean")


def rdm_ceiling(rdms: np.ndarray, *, method: str, pooling: str) -> tuple[float, float]:
    r"""Give the lower and upper noise ceiling of the mean score over subjects.

    .. math:: u = \frac1S \sum_s sim(\bar D, D_s), \qquad l = \frac1S \sum_s sim(\bar D_{-s}, D_s)

    Parameters
    ----------
    rdms : array, shape (n_subjects, n_pairs)
        Finite dissimilarities.
    method : str
        Comparator of the score.
    pooling : {"comparator", "mean"}
        How the subjects' RDMs are averaged: each scaled or ranked first, as suits the comparator
        (needed where subjects have units of their own), or as they stand (for correlation
        distances, which share one unit). The mean is also the RDM that ``score_of_mean_rdm`` uses.

    Returns
    -------
    tuple of float
        NaN with fewer than two subjects.

    References
    ----------
    Nili et al. 2014, doi:10.1371/journal.pcbi.1003553

    Examples
    --------
    >>> same = np.array([[1.0, 2.0, 4.0], [1.0, 2.0, 4.0]])
    >>> rdm_ceiling(same, method="spearman", pooling="mean")
    (1.0, 1.0)
    """
    one_of(pooling, POOLINGS, option="pooling")
    if len(rdms) < 2:
        return np.nan, np.nan
    if pooling == "comparator":
        found = noise_ceiling(rdms, method=method)
        return float(found.lower), float(found.upper)
    total = rdms.sum(axis=0)
    upper = compare_rdms(total[None], rdms, method=method)[0].mean()
    lower = [compare_rdms((total - rdm)[None], rdm[None], method=method)[0, 0] for rdm in rdms]
    return float(np.mean(lower)), float(upper)
