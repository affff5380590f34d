"""The metric rdm-bures: Bures similarity of two RDMs."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.rdm_bures import bures_rdms

CARD = MetricCard(
    name="rdm-bures",
    compares="rdm",
    title="Bures similarity of two RDMs",
    perfect=1.0,
    worst=0.0,
    symmetric=True,
    ignores=("scale",),
    citation="Harvey et al. 2024, arXiv:2311.11436; Bhatia, Jain & Lim 2019, "
    "doi:10.1016/j.exmath.2018.01.002",
    comparator="bures",
    chance=None,
)


def rdm_bures(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    r"""Compare the shapes that RDMs are the squared distances of.

    .. math:: s = \frac{\| K_a^{1/2} K_b^{1/2} \|_*}{\sqrt{\mathrm{tr} K_a \, \mathrm{tr} K_b}},
              \qquad K = -\tfrac12 H D H

    Of squared Euclidean distances the same number as ``nbs`` and ``procrustes`` of the responses.

    For RDMs whose responses are not at hand. Unrelated RDMs score far above 0: read the
    permutation.

    Parameters
    ----------
    a, b : array, shape (n_a, n_pairs) and (n_b, n_pairs)
        Squared distances of the pairs of stimuli, aligned and complete.

    Returns
    -------
    array, shape (n_a, n_b)
        In [0, 1]; NaN where all distances of a side are 0.

    References
    ----------
    Harvey et al. 2024, arXiv:2311.11436

    Examples
    --------
    >>> line, turned = np.array([[1.0, 4.0, 1.0]]), np.array([[1.0, 1.0, 4.0]])
    >>> rdm_bures(line, 9 * line).round(6).tolist(), rdm_bures(line, turned).round(6).tolist()
    ([[1.0]], [[0.5]])
    """
    return bures_rdms(a, b)
