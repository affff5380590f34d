"""Bures similarity of two RDMs: of the shapes that they are the distances of."""

from __future__ import annotations

import numpy as np

from neuroai.numerics.comparators import as_complete_rdms, same_pairs
from neuroai.numerics.gram import double_centred
from neuroai.numerics.procrustes import procrustes_grid
from neuroai.numerics.rdm_vectors import to_square


def bures_rdms(a: np.ndarray, b: np.ndarray, *, measure: str = "similarity") -> np.ndarray:
    r"""Compare every RDM of one set with every RDM of another by the Bures metric.

    With the Gram matrix :math:`K = -\tfrac12 H D H` of a squared distance matrix D,

    .. math:: s = \frac{\| K_a^{1/2} K_b^{1/2} \|_*}{\sqrt{\mathrm{tr} K_a \, \mathrm{tr} K_b}},
              \qquad \theta = \arccos s, \qquad
              d^2 = \mathrm{tr} K_a + \mathrm{tr} K_b - 2 \| K_a^{1/2} K_b^{1/2} \|_*

    For squared Euclidean distances s is the Procrustes similarity of the patterns themselves (the
    metric ``procrustes``); this is for RDMs whose patterns are not at hand. What no patterns could
    have as their distances (negative eigenvalues, as crossnobis may give) is left out.

    Parameters
    ----------
    a : array of shape (n_a, n_pairs)
        Complete vectors of squared distances (squared-euclidean, mahalanobis, correlation), any
        unit.
    b : array of shape (n_b, n_pairs)
        Of the same stimuli in the same order.
    measure : {"similarity", "angle", "distance"}
        `s` from 0 to 1, blind to scale; the angle in radians, a metric; or `d`, a metric, in the
        square root of the unit of the RDMs.

    Returns
    -------
    array of shape (n_a, n_b)
        float64; NaN where all distances of an RDM are 0. The similarity of unrelated RDMs is far
        above 0: compare it with a permutation null.

    Raises
    ------
    UsageError
        The two sets have different numbers of pairs, or an unknown measure.
    DataError
        Some entries are NaN or infinite.

    References
    ----------
    Harvey et al. 2024, arXiv:2311.11436; Bhatia, Jain & Lim 2019, doi:10.1016/j.exmath.2018.01.002

    Examples
    --------
    >>> line, turned = np.array([[1.0, 4.0, 1.0]]), np.array([[1.0, 1.0, 4.0]])
    >>> bures_rdms(line, 9 * line).round(6).tolist(), bures_rdms(line, turned).round(6).tolist()
    ([[1.0]], [[0.5]])
    """
    a, b = as_complete_rdms(a, name="a"), as_complete_rdms(b, name="b")
    same_pairs(a, b)
    return procrustes_grid(rdm_factors(a), rdm_factors(b), measure=measure)


def rdm_factors(rdms: np.ndarray) -> list[np.ndarray]:
    r"""Give patterns whose squared distances RDMs hold: classical scaling in all dimensions.

    .. math:: F F^\top = -\tfrac12 H D H

    Parameters
    ----------
    rdms : array of shape (n_rdms, n_pairs)
        Complete vectors of squared distances.

    Returns
    -------
    list of arrays, shape (n_stimuli, n_stimuli)
        Centred; what no patterns could have as their distances is left out.

    References
    ----------
    Torgerson 1952, Psychometrika 17, 401, doi:10.1007/BF02288916

    Examples
    --------
    >>> (line,) = rdm_factors(np.array([[1.0, 4.0, 1.0]]))
    >>> np.abs(line[:, -1]).round(6).tolist()
    [1.0, 0.0, 1.0]
    """
    values, vectors = np.linalg.eigh(double_centred(-0.5 * to_square(rdms)))
    return list(vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :])
