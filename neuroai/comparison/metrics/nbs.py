"""The metric nbs: normalised Bures similarity of the two Gram matrices."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.procrustes import procrustes_factor, procrustes_grid

CARD = MetricCard(
    name="nbs",
    compares="responses",
    title="Normalised Bures similarity",
    perfect=1.0,
    worst=0.0,
    symmetric=True,
    ignores=("scale", "rotation", "offset"),
    citation="Tang et al. 2020, arXiv:2003.11498; Harvey et al. 2024, arXiv:2311.11436",
    chance=None,
)


def nbs(a: np.ndarray, b: np.ndarray) -> float:
    r"""Compare the Gram matrices of responses by their fidelity.

    .. math:: NBS(K, L) = \frac{\mathrm{tr} \left( K^{1/2} L K^{1/2} \right)^{1/2}}
              {\sqrt{\mathrm{tr} K \; \mathrm{tr} L}}

    The same number as ``procrustes``, under the name by which it is known for kernels: the trace
    above is the nuclear norm of :math:`A^\top B`, from which it is computed without loss of digits.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order.

    Returns
    -------
    float
        From 0 to 1; above 0 for independent responses; NaN where a side does not vary.

    References
    ----------
    Tang, Maddox, Dickens, Diethe & Damianou 2020, arXiv:2003.11498

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0], [0.0, 4.0]])
    >>> round(nbs(a, 3 * a[:, ::-1] + 1), 6)
    1.0
    """
    return float(procrustes_grid([procrustes_factor(a)], [procrustes_factor(b)])[0, 0])
